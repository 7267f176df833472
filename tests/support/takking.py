"""A TAK client to test with: a plain socket, the enrolled certificate, and what it was sent."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from cordon.operations.tak.message import read
from cordon.picture import EventStream


def iso(seconds: float = 0.0) -> str:
    """A time so far from now, as events write it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def event(
    uid, kind="a-f-G-U-C", *, callsign="", lat=25.1, lon=63.2, stale=300.0, detail="", point=True
):
    """One event as XML."""
    said = f'<contact callsign="{callsign}" endpoint="*:-1:stcp"/>' if callsign else ""
    place = f'<point lat="{lat}" lon="{lon}" hae="1" ce="9" le="9"/>' if point else ""
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{iso()}" '
        f'start="{iso()}" stale="{iso(stale)}">{place}<detail>{said}{detail}</detail></event>'
    ).encode()


def chat(uid, callsign, text, *, room="All Chat Rooms", id_="", marti=""):
    """A GeoChat message as ATAK sends it."""
    id_ = id_ or room
    to = f'<marti><dest callsign="{marti}"/></marti>' if marti else ""
    detail = (
        f'<__chat parent="RootContactGroup" groupOwner="false" chatroom="{room}" id="{id_}" '
        f'senderCallsign="{callsign}"><chatgrp uid0="{uid}" uid1="{id_}" id="{id_}"/></__chat>'
        f'<link uid="{uid}" type="a-f-G-U-C" relation="p-p"/>'
        f'<remarks source="BAO.F.ATAK.{uid}" to="{id_}" time="{iso()}">{text}</remarks>{to}'
    )
    return event(f"GeoChat.{uid}.{id_}.{time.time_ns()}", "b-t-f", detail=detail)


def unpack(enrolled, folder: Path) -> dict[str, Path]:
    """The package as an officer's phone opens it: PKCS#12, and PEM files for Python."""
    with zipfile.ZipFile(io.BytesIO(enrolled.package)) as files:
        for name in files.namelist():
            path = folder / Path(name).name
            path.write_bytes(files.read(name))
    password = enrolled.password.encode()
    key, certificate, _ = pkcs12.load_key_and_certificates(
        (folder / "client.p12").read_bytes(), password
    )
    trust = pkcs12.load_pkcs12((folder / "truststore.p12").read_bytes(), password)
    authorities = [c.certificate for c in trust.additional_certs]
    own = certificate.public_bytes(Encoding.PEM)
    own += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "client.pem").write_bytes(own)
    (folder / "ca.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in authorities))
    return {"p12": folder / "client.p12", "pem": folder / "client.pem", "ca": folder / "ca.pem"}


def context(paths) -> ssl.SSLContext:
    """What a client speaks TLS with."""
    made = ssl.create_default_context(cafile=str(paths["ca"]))
    made.load_cert_chain(paths["pem"])
    return made


class Phone:
    """A client that is connected, and the messages it was sent."""

    def __init__(self, port: int, paths, *, buffer: int = 0, listens: bool = True) -> None:
        plain = socket.socket()
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.settimeout(15)
        plain.connect(("127.0.0.1", port))
        self.socket = context(paths).wrap_socket(plain, server_hostname="127.0.0.1")
        self.got: list = []
        self.raw = b""
        self.closed = threading.Event()
        if listens:
            self.listen()

    def listen(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        stream = EventStream(read)
        self.socket.settimeout(60)
        try:
            while data := self.socket.recv(1 << 16):
                self.raw += data[:2000] if len(self.raw) < 100_000 else b""
                for piece in stream.feed(data):
                    assert not piece.wrong, piece.wrong
                    self.got.append((piece.event, piece.protobuf))
        except OSError:
            pass
        self.closed.set()

    def send(self, *some: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(b"".join(some))

    def uids(self, kind: str = "") -> list[str]:
        """Uids of what it was sent of a type."""
        return [m.uid for m, _ in list(self.got) if m.type.startswith(kind)]

    def waits_for(self, test, seconds: float = 30.0):
        """Wait until what came passes a test; return whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if test(self):
                return True
            time.sleep(0.02)
        return False

    def has(self, uid: str, seconds: float = 30.0) -> bool:
        """Wait until a uid came."""
        return self.waits_for(lambda p: uid in p.uids(), seconds)

    def lacks(self, uid: str, seconds: float = 0.6) -> bool:
        """Whether a uid has still not come after a while."""
        time.sleep(seconds)
        return uid not in self.uids()

    def close(self) -> None:
        """Go away at once."""
        with contextlib.suppress(OSError):
            self.socket.close()
