"""Peers: other agencies' TAXII servers, as a file of the node names them, and a link to one.

Nothing is asked of an address that does not stand in that file: no redirect is followed, and no
address that a peer answers with is used. Secrets come from files or the environment.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, CordonError, TooLarge, Unavailable, WrongSetting
from cordon.sharing.model import TAXII_21
from cordon.sharing.taxii.loading import read_file

MOST_ANSWER = 64 << 20  # bytes of one answer
TRIES = 5
TIMEOUT_S = 30.0
_LONGEST_WAIT = 60.0
_AGAIN = frozenset({429, 500, 502, 503, 504})


class PeerFault(CordonError):
    """Another agency's server refused, or answered what cannot be used."""

    status = 502
    code = "peer_fault"


@dataclass(frozen=True, slots=True)
class Way:
    """One collection of ours and one of the peer's: ids or aliases."""

    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's API root, and what is fetched from it and handed to it.

    Attributes:
        url: of the API root, ending in /. cleared: strictest mark that is handed to it.
        account, password: of HTTP Basic; token: of a bearer, where there is no account.
        authorities, certificate, key: PEM files of TLS.
    """

    name: str
    url: str
    cleared: Mark = Mark.GREEN
    account: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    poll: tuple[Way, ...] = ()
    push: tuple[Way, ...] = ()


def read_peers(path: Path | None) -> list[Peer]:
    """The peers of the setting `taxii_peers`; WrongSetting names the entry that is wrong."""
    if path is None:
        return []
    try:
        data = read_file(path)
    except OSError as wrong:
        raise WrongSetting(f"{path} cannot be read: {wrong.strerror}.") from None
    except BadInput as wrong:
        raise WrongSetting(f"CORDON_TAXII_PEERS: {wrong.message}") from None
    found = data.get("peers")
    if not isinstance(found, list):
        raise WrongSetting(f"{path.name} has no list named peers.")
    peers = []
    for index, given in enumerate(found):
        try:
            peers.append(_peer(given, path.parent))
        except (BadInput, OSError) as wrong:
            raise WrongSetting(f"{path.name}, peers[{index}]: {wrong}") from None
    names = [p.name for p in peers]
    if len(set(names)) != len(names):
        raise WrongSetting(f"{path.name} has two peers of one name.")
    return peers


def _peer(given: Any, folder: Path) -> Peer:
    if not isinstance(given, Mapping):
        raise BadInput("A peer is an object.")
    name = given.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 60 or not name.isprintable():
        raise BadInput("The peer has no name.")
    for word in ("password", "token", "secret"):
        if word in given:
            raise BadInput(f"{word} stands in the file.", advice=f"Give {word}_file or {word}_env.")
    try:
        cleared = Mark(given.get("cleared", Mark.GREEN.value))
    except ValueError:
        raise BadInput("cleared is no mark.") from None
    if cleared is Mark.RED:
        raise BadInput("TLP:RED is for named persons and is handed to no program.")

    def file(word: str) -> Path | None:
        return folder / str(given[word]) if word in given else None

    return Peer(
        name=name,
        url=_url(given.get("url")),
        cleared=cleared,
        account=str(given.get("account", "")),
        password=_secret(given, "password", folder),
        token=_secret(given, "token", folder),
        authorities=file("authorities"),
        certificate=file("certificate"),
        key=file("key"),
        poll=_ways(given, "poll", ours="into", theirs="from"),
        push=_ways(given, "push", ours="from", theirs="into"),
    )


def _ways(given: Mapping[str, Any], name: str, *, ours: str, theirs: str) -> tuple[Way, ...]:
    found = given.get(name, [])
    if not isinstance(found, list) or not all(
        isinstance(w, Mapping) and w.get(ours) and w.get(theirs) for w in found
    ):
        raise BadInput(f"{name} is no list of {{from, into}}.")
    return tuple(Way(str(w[ours]), str(w[theirs])) for w in found)


def _secret(given: Mapping[str, Any], word: str, folder: Path) -> str:
    if f"{word}_env" in given:
        name = str(given[f"{word}_env"])
        if not (value := os.environ.get(name, "")):
            raise BadInput(f"The environment has no {name}.")
        return value
    if f"{word}_file" not in given:
        return ""
    path = folder / str(given[f"{word}_file"])
    if path.stat().st_mode & 0o077:
        raise BadInput(f"{path.name} can be read by others.", advice=f"Run `chmod 600 {path}`.")
    return path.read_text("utf-8").strip()


def _url(given: Any) -> str:
    try:
        parts = urlsplit(given) if isinstance(given, str) else urlsplit("")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise BadInput(
            "url is no address of an API root.", advice="Write https://HOST/taxii2/ROOT/."
        )
    if parts.username is not None:
        raise BadInput("url holds a name or password.", advice="Give account and password_file.")
    if parts.scheme == "http" and not _own(host):
        raise BadInput("url is not https.", advice="Plain http is for this machine alone.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Link:
    """Requests to one peer: bounded, tried again with a growing pause, never led elsewhere.

    Args:
        pause: waits that many seconds.
    """

    def __init__(self, peer: Peer, http: httpx.Client, pause: Callable[[float], None]) -> None:
        self.peer = peer
        self._http = http
        self._pause = pause

    def get(
        self, *path: str, params: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Any], httpx.Headers]:
        """The resource at a path below the API root, and the answer's headers."""
        return self._ask("GET", path, params=params)

    def post(self, *path: str, body: bytes) -> dict[str, Any]:
        """Hand an envelope in; the status resource."""
        return self._ask("POST", path, body=body)[0]

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[dict[str, Any], httpx.Headers]:
        url = self.peer.url + "".join(f"{quote(part, safe='')}/" for part in path)
        headers = {"Content-Type": TAXII_21} if body is not None else {}
        wait, said = 1.0, ""
        for attempt in range(TRIES):
            if attempt:
                self._pause(wait)
            try:
                with self._http.stream(
                    method, url, params=params, content=body, headers=headers
                ) as answer:
                    raw = _bounded(answer)
            except httpx.TransportError as fault:
                said = f"it cannot be reached ({type(fault).__name__})"
                wait = min(wait * 2, _LONGEST_WAIT)
                continue
            if answer.status_code not in _AGAIN:
                return self._read(answer, raw), answer.headers
            said = f"it answered {answer.status_code}"
            told = answer.headers.get("retry-after", "")
            wait = min(float(told) if told.isdigit() else wait * 2, _LONGEST_WAIT)
        raise Unavailable(
            f"{self.peer.name} was asked {TRIES} times: {said}.",
            advice="Try again later; what came so far is kept.",
        )

    def _read(self, answer: httpx.Response, raw: bytes) -> dict[str, Any]:
        name = self.peer.name
        if not 200 <= answer.status_code < 300:
            advice = {
                401: "Look at the account and its password.",
                403: "Ask the peer for the right on this collection.",
                404: "Look at the address of its root and the name of its collection.",
            }.get(answer.status_code, "")
            led = " and wants to lead elsewhere" if answer.is_redirect else ""
            raise PeerFault(f"{name} answered {answer.status_code}{led}.", advice=advice)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/taxii+json":
            raise PeerFault(f"{name} answered another thing than TAXII.")
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise PeerFault(f"{name} answered what is no TAXII resource.")
        return found


def _bounded(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > MOST_ANSWER:
            raise TooLarge(f"A peer answered with more than {MOST_ANSWER >> 20} MB.")
        parts.append(part)
    return b"".join(parts)


@contextmanager
def linked(peer: Peer, pause: Callable[[float], None] = time.sleep) -> Iterator[Link]:
    """A link to a peer, over connections of its own that end with the block."""
    tls: ssl.SSLContext | bool = True
    if peer.url.startswith("https"):
        tls = ssl.create_default_context(cafile=peer.authorities)
        if peer.certificate is not None:
            tls.load_cert_chain(peer.certificate, peer.key)
    headers = {"Accept": TAXII_21}
    if peer.token:
        headers["Authorization"] = f"Bearer {peer.token}"
    auth = (peer.account, peer.password) if peer.account else None
    with httpx.Client(
        auth=auth, headers=headers, verify=tls, timeout=TIMEOUT_S, follow_redirects=False,
        trust_env=False,
    ) as http:  # fmt: skip
        yield Link(peer, http, pause)
