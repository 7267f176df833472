"""Addresses of live feeds: what is read from where, and with which keys."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cordon.kernel.errors import BadInput

FORMS = {
    "nmea+tcp": "nmea",
    "nmea+udp": "nmea",
    "cot+tcp": "cot",
    "cot+tls": "cot",
    "cot+udp": "cot",
    "nats": "reports",
}
"""What the sender of each kind of address speaks: nmea, cot, or reports (JSON)."""

ADVICE = (
    "Write nmea+tcp://host:port, nmea+udp://host:port, cot+tcp://host:port, cot+tls://host:port, "
    "cot+udp://host:port or nats://host:port/subject."
)
_LONGEST = 200
_NATS_PORT = 4222


@dataclass(frozen=True, slots=True)
class Address:
    """Where a feed is read.

    Attributes:
        scheme: one of FORMS. host, port: of the sender; of datagrams those listened on.
        subject: of NATS, empty elsewhere.
    """

    scheme: str
    host: str
    port: int
    subject: str = ""

    @property
    def form(self) -> str:
        """What is spoken there."""
        return FORMS[self.scheme]

    @property
    def name(self) -> str:
        """What a feed is called that nobody gave a name."""
        return f"{self.host}:{self.port}" + (f"/{self.subject}" if self.subject else "")


@dataclass(frozen=True, slots=True)
class Keys:
    """Files by which a node shows who it is, and knows others; each may be absent.

    Attributes:
        certificate, key, authorities: PEM files for TLS to a TAK server: the node's own, and
            those that the server's must come from (the system's where absent).
        nats_credentials: credentials file of NATS.
        nats_authorities: PEM file for TLS to a NATS server.
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None
    nats_credentials: Path | None = None
    nats_authorities: Path | None = None

    @classmethod
    def of(cls, settings: Any) -> Keys:
        """Those that a node's settings name."""
        return cls(
            settings.tak_certificate,
            settings.tak_key,
            settings.tak_authorities,
            settings.nats_credentials,
            settings.nats_authorities,
        )


def address_of(url: str) -> Address:
    """Read an address; BadInput names what is wrong."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    scheme, subject = url.partition("://")[0], parts.path.strip("/")
    if scheme == "nats":
        port = port or _NATS_PORT
    if scheme not in FORMS or not host or not port or len(url) > _LONGEST or _secret(parts):
        raise BadInput(f"“{_shown(url)}” is not a feed.", advice=ADVICE)
    if (scheme == "nats") != bool(subject) or parts.query or parts.fragment:
        raise BadInput(f"“{_shown(url)}” is not a feed.", advice=ADVICE)
    if subject and not all(t and t.isprintable() and " " not in t for t in subject.split(".")):
        raise BadInput("A subject of NATS is words with dots between.", advice=ADVICE)
    if scheme.endswith("+udp") and not _is_ip(host):
        raise BadInput(
            "Datagrams are listened for on an address of this machine, or of a group.",
            advice="Write nmea+udp://0.0.0.0:PORT, or a group as cot+udp://239.2.3.1:6969.",
        )
    return Address(scheme, host, port, subject)


def _secret(parts: object) -> bool:
    # a password does not belong into an address, which pages and logs show
    return getattr(parts, "username", None) is not None


def _shown(url: str) -> str:
    return url.partition("@")[2][:60] if "@" in url else url[:60]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
