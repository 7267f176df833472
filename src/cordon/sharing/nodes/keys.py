"""The node's own key towards other nodes, its certificate, and the card that others pin.

One Ed25519 key signs the certificate of mutual TLS and every request. There is no authority
above it: a node is known by the SHA-256 of its public key, compared by telephone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, WrongSetting

FILE = "node.pem"  # key and certificate, one file: of two, one could be of another key
NEXT = "node-next.pem"  # the key that is taken at a moment that peers were told
CARD_MOST_BYTES = 16 << 10
_ANYBODY = ""  # no agency's code
_LASTS = timedelta(days=3650)  # the pin decides, not the date; a peer is cut off by hand
_EARLIER = timedelta(hours=12)  # a clock that is slow must not refuse a new certificate
_AGENCY = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_FROM = "used from "
_FIELD = 2**255 - 19
_CARD, _ROTATION = b"cordon node card v1\n", b"cordon node rotation v1\n"


@dataclass(frozen=True, slots=True)
class Card:
    """What one node hands another to be known by.

    Attributes:
        agency: code of its agency. name: as its people call it.
        address: `host:port` that it listens on. certificate: PEM, self-signed.
    """

    agency: str
    name: str
    address: str
    certificate: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of its public key, to be compared by telephone."""
        return fingerprint(certificate_of(self.certificate))


class NodeKeys:
    """The node's key and certificate, made on the first start.

    Args:
        folder: where the node's keys stand. agency: code of its agency.

    Raises:
        WrongSetting: others can read the file, or it is not a key with its certificate.
    """

    def __init__(self, folder: Path, agency: str, now: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.next_path = folder / FILE, folder / NEXT
        self.agency = agency
        self._towards: dict[str, tuple[tuple[str, ...], ssl.SSLContext]] = {}
        if not self.path.exists():
            _write(self.path, _made(Ed25519PrivateKey.generate(), agency, now), first=True)
        self._load()

    def _load(self) -> None:
        if self.path.stat().st_mode & 0o077:
            raise WrongSetting(
                f"The node's key {self.path} can be read by others on this machine.",
                advice=f"Run `chmod 600 {self.path}`, and change the key if a stranger may have "
                "read it.",
            )
        self._file = self._stamp()
        data = self.path.read_bytes()
        try:
            key = serialization.load_pem_private_key(data, None)
            certificate = x509.load_pem_x509_certificate(data)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey) or key.public_key() != certificate.public_key():
            raise WrongSetting(
                f"{self.path} is not an Ed25519 key with its own certificate.",
                advice="Restore it from the backup of the node's keys.",
            )
        self._key, self.certificate = key, certificate
        self._towards = {}  # they show the key before

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the public key."""
        return fingerprint(self.certificate)

    def sign(self, data: bytes) -> bytes:
        """An Ed25519 signature (64 bytes)."""
        return self._key.sign(data)

    def shared(self, certificate: str, purpose: bytes) -> bytes:
        """A key (32 bytes) that this node and the one of a certificate (PEM) have alone.

        X25519 between the two Ed25519 keys, mapped onto its curve (RFC 7748 §4.1), then HKDF with
        SHA-256. The same on both sides and for one purpose; another one after a rotation.
        """
        seed = self._key.private_bytes_raw()
        own = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])
        theirs = certificate_of(certificate)
        raw = theirs.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
        u = (1 + y) * pow(1 - y, -1, _FIELD) % _FIELD
        try:
            secret = own.exchange(X25519PublicKey.from_public_bytes(u.to_bytes(32, "little")))
        except ValueError:  # a point of small order: every key would share the same with it
            raise BadInput("The certificate's key is of no use.") from None
        salt = "".join(sorted((self.fingerprint, fingerprint(theirs)))).encode()
        return HKDF(hashes.SHA256(), 32, salt, purpose).derive(secret)

    def card(self, name: str, address: str) -> str:
        """The node's card as a signed JSON text, to be carried to other agencies."""
        card = {
            "agency": self.agency, "name": name, "address": address, "certificate": self.pem
        }  # fmt: skip
        signature = base64.b64encode(self.sign(_CARD + _plain(card))).decode()
        return json.dumps({**card, "signature": signature}, ensure_ascii=False, indent=1) + "\n"

    def rotate(self, now: datetime, at: datetime | None = None) -> str:
        """Take a new key; returns a JSON text by which the old one vouches for it.

        Peers that pinned the old key follow by `followed`; until then they refuse the new one.

        Args:
            at: when it is taken (see `current`); at once where it is None.

        Raises:
            Conflict: a change of key is under way.
        """
        if self.next_path.exists():
            raise Conflict(
                "A change of the node's key is under way.", advice="Wait until the new one is used."
            )
        new = Ed25519PrivateKey.generate()
        data = _made(new, self.agency, now)
        certificate = x509.load_pem_x509_certificate(data)
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        change = {
            "agency": self.agency, "from": self.fingerprint, "certificate": pem,
            "at": format_time(at or now),
        }  # fmt: skip
        by_both = _ROTATION + _plain(change)
        told = {
            **change,
            "old": base64.b64encode(self.sign(by_both)).decode(),
            "new": base64.b64encode(new.sign(by_both)).decode(),
        }
        if at is None:
            _write(self.path, data)
            self._load()
        else:
            _write(self.next_path, f"{_FROM}{format_time(at)}\n".encode() + data)
        return json.dumps(told) + "\n"

    def current(self, now: datetime) -> None:
        """Use the key that is right at this moment, whichever process changed it."""
        at = self.next_at()
        if at is not None and now >= at:
            with contextlib.suppress(FileNotFoundError):  # another process was first
                self.next_path.replace(self.path)
        if self._stamp() != self._file:
            self._load()

    def _stamp(self) -> tuple[int, int]:
        now = self.path.stat()
        return now.st_ino, now.st_mtime_ns

    def next_at(self) -> datetime | None:
        """When the next key is taken; None where no change is under way."""
        try:
            first = self.next_path.read_text("ascii").partition("\n")[0]
        except FileNotFoundError:
            return None
        try:
            return parse_time(first.removeprefix(_FROM))
        except BadInput:
            raise WrongSetting(
                f"{self.next_path} does not say when its key is to be used.",
                advice="Take it away, and change the key again.",
            ) from None

    def forget_next(self) -> None:
        """Give up a change of key that nobody was told of."""
        self.next_path.unlink(missing_ok=True)

    def server_context(self, trusted: list[str]) -> ssl.SSLContext:
        """TLS as a server: whoever has none of these certificates (PEM) is refused.

        It is kept as towards a peer.
        """
        return self._kept(_ANYBODY, ssl.PROTOCOL_TLS_SERVER, tuple(trusted))

    def client_context(self, peer: str, pins: Sequence[str]) -> ssl.SSLContext:
        """TLS towards one peer (code), which may show one of these certificates (PEM).

        It is kept, as to make one costs some 6 ms, until other certificates are asked for or this
        node takes another key.
        """
        return self._kept(peer, ssl.PROTOCOL_TLS_CLIENT, tuple(pins))

    def _kept(self, peer: str, side: ssl._SSLMethod, pinned: tuple[str, ...]) -> ssl.SSLContext:
        kept = self._towards  # a change of key puts another dict in its place
        found = kept.get(peer)
        if found is None or found[0] != pinned:
            found = pinned, self._context(side, list(pinned))
            kept[peer] = found
        return found[1]

    def forget_towards(self, peer: str) -> None:
        """Keep no TLS towards a peer that is spoken with no more."""
        self._towards.pop(peer, None)

    def _context(self, side: ssl._SSLMethod, trusted: list[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # the certificate itself is pinned, whatever the address
        context.verify_mode = ssl.CERT_REQUIRED
        if side is ssl.PROTOCOL_TLS_SERVER:
            context.num_tickets = 0  # each caller shows its certificate, and none goes on
        if trusted:
            context.load_verify_locations(cadata="\n".join(trusted))
        context.load_cert_chain(self.path)
        return context


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 (hex) of a certificate's public key (SubjectPublicKeyInfo in DER)."""
    return hashlib.sha256(
        certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).hexdigest()


@lru_cache(maxsize=256)
def certificate_of(pem: str) -> x509.Certificate:
    """The one certificate in a text; raises BadInput where it is none of an Ed25519 key.

    Its own signature is checked once for each text: nodes ask each other by the same few.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        if len(found) == 1 and isinstance(found[0].public_key(), Ed25519PublicKey):
            found[0].verify_directly_issued_by(found[0])
            return found[0]
    except (ValueError, TypeError, InvalidSignature):
        pass
    raise BadInput(
        "The card's certificate is not a self-signed one of an Ed25519 key.",
        advice="Ask the other agency for its card again.",
    )


def read_card(text: str) -> Card:
    """A card whose signature is of the key that it names.

    Raises:
        BadInput: it is no card. DoesNotVerify: something in it was changed.
    """
    card = _object(text, ("agency", "name", "address", "certificate", "signature"))
    signature = card.pop("signature")
    port = _ADDRESS.fullmatch(card["address"])
    if not _AGENCY.fullmatch(card["agency"]) or not 0 < len(card["name"]) <= 120:
        raise BadInput("The card's agency or name cannot be used.", advice="Ask for it again.")
    if port is None or not 0 < int(port[1]) <= 65535:
        raise BadInput("The card's address is no host:port.", advice="Ask for it again.")
    check(card["certificate"], _CARD + _plain(card), signature)
    return Card(**card)


def followed(text: str, agency: str, pinned: str) -> tuple[str, datetime]:
    """The new certificate (PEM) of a peer that changes its key, and from when it uses it.

    Args:
        text: what `rotate` gave. pinned: certificate (PEM) known so far.

    Raises:
        BadInput: it is no change of key. DoesNotVerify: the old or the new key did not sign it,
            or it is another node's.
    """
    change = _object(text, ("agency", "from", "certificate", "at", "old", "new"))
    old, new = change.pop("old"), change.pop("new")
    key = fingerprint(certificate_of(change["certificate"]))
    if (change["agency"], key) == (agency, fingerprint(certificate_of(pinned))):
        check(pinned, _ROTATION + _plain(change), new)  # its card was added by hand meanwhile
        return pinned, parse_time(change["at"])
    if (change["agency"], change["from"]) != (agency, fingerprint(certificate_of(pinned))):
        raise DoesNotVerify(
            "That change of key is of another node, or from a key that is not known here.",
            advice="Ask the other agency for its card, and compare fingerprints by telephone.",
        )
    data = _ROTATION + _plain(change)
    check(pinned, data, old)
    check(change["certificate"], data, new)
    return change["certificate"], parse_time(change["at"])


def check(certificate: str, data: bytes, signature: str) -> None:
    """Raise DoesNotVerify where the key of a certificate (PEM) did not sign this (base64)."""
    key = certificate_of(certificate).public_key()
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(base64.b64decode(signature, validate=True), data)
    except (ValueError, InvalidSignature):
        raise DoesNotVerify(
            "The signature is not of that key: something was changed.",
            advice="Ask the other agency for it again.",
        ) from None


def _object(text: str, names: tuple[str, ...]) -> dict[str, str]:
    try:
        if len(text) > CARD_MOST_BYTES:
            raise ValueError
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    whole = isinstance(found, dict) and set(found) == set(names)
    if not whole or not all(
        isinstance(v, str) and (n == "certificate" or v.isprintable()) for n, v in found.items()
    ):
        raise BadInput(
            "That is no card of a node: it is one JSON object of " + ", ".join(names) + ".",
            advice="Ask the other agency for what `cordon sharing nodes card` writes.",
        )
    return dict(found)


def _plain(of: dict[str, str]) -> bytes:
    """The one way to write these texts that a signature is over."""
    return json.dumps(of, sort_keys=True, separators=(",", ":")).encode()


def _made(key: Ed25519PrivateKey, agency: str, now: datetime) -> bytes:
    """A key and its certificate as one PEM."""
    # two keys of one agency need two names: OpenSSL finds a pinned certificate by its name
    own = secrets.token_hex(6)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"node:{agency}:{own}"[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, None)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem + made.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes, *, first: bool = False) -> None:
    """Write a secret whole or not at all, readable by its owner alone.

    Args:
        first: leave what another process has put there meanwhile.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        if not first:
            partial.replace(path)
            return
        try:
            os.link(partial, path)
        except FileExistsError:
            return
    finally:
        partial.unlink(missing_ok=True)
