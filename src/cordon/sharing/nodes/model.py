"""What a node knows of other nodes, and what goes between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cordon.kernel.access.model import Mark, Thing

MOST_OFF = timedelta(seconds=120)
"""How far two nodes' clocks may differ before they refuse each other."""
WARN_OFF = timedelta(seconds=10)
"""From here on a person is told of it."""


class PeerState(StrEnum):
    """Whether a peer may speak with this node."""

    TRUSTED = "trusted"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another agency's node.

    Attributes:
        code: its agency's code. address: `host:port`. certificate: PEM that is pinned.
        fingerprint: SHA-256 (hex) of its public key.
        waiting: messages that it has not acknowledged. heard: number of its last message here.
        heard_at: when it last spoke. why: it was cut off, or empty.
        next_certificate, next_fingerprint, next_from: the key that it changes to, and when.
        clock_off_s: its clock minus ours (s), as last measured at `clock_at`.
        era: of what this node tells it. opens: a new one is to be begun, and with what:
            `waiting` or `all` that it has not heard; empty where none is.
    """

    id: str
    agency: str
    code: str
    name: str
    address: str
    certificate: str
    fingerprint: str
    state: PeerState
    heard: int
    heard_at: datetime | None
    waiting: int = 0
    why: str = ""
    next_certificate: str | None = None
    next_fingerprint: str | None = None
    next_from: datetime | None = None
    clock_off_s: float | None = None
    clock_at: datetime | None = None
    era: str = ""
    opens: str = ""

    @property
    def clock_wrong(self) -> bool:
        """Whether the two clocks differ by more than a person should let stand."""
        return self.clock_off_s is not None and abs(self.clock_off_s) > WARN_OFF.total_seconds()

    def pins(self, now: datetime) -> list[tuple[str, str]]:
        """Fingerprint and certificate (PEM) of each key that it may show at this moment.

        The old key is let pass a little beyond its time, because clocks differ.
        """
        known = [(self.fingerprint, self.certificate)]
        if self.next_certificate is None or self.next_fingerprint is None:
            return known
        new = (self.next_fingerprint, self.next_certificate)
        over = self.next_from is not None and now >= self.next_from + MOST_OFF
        return [new] if over else [*known, new]

    def thing(self) -> Thing:
        """The peer as policies see it."""
        return Thing("node", self.id, self.agency, Mark.GREEN)


@dataclass(frozen=True, slots=True)
class Told:
    """A message from one node to another.

    Attributes:
        seq: 1, 2, 3, … from this sender to this receiver. kind: `part.word`.
        at: when it was written, RFC 3339.
    """

    seq: int
    id: str
    kind: str
    body: dict[str, Any]
    at: str
