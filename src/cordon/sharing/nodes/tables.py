"""How peers and the messages for them are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.sharing.nodes.model import Peer, PeerState


class NodeRow(Owned, Base):
    """A peer.

    Columns:
        code: its agency's. told: number of the last message for it. heard: of its last one.
        next_*: the key that it changes to. clock_off_s: its clock minus ours (s).
        era: in which `told` counts. opens: see `Peer`. heard_era: in which `heard` counts.
        accepts: it may begin a new era with its next message.
    """

    __tablename__ = "sharing_nodes"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(270))
    certificate: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    added_by: Mapped[str] = mapped_column(String(80))
    told: Mapped[int] = mapped_column(BigInteger, default=0)
    heard: Mapped[int] = mapped_column(BigInteger, default=0)
    heard_at: Mapped[datetime | None] = mapped_column(UtcTime())
    cut_off_at: Mapped[datetime | None] = mapped_column(UtcTime())
    cut_off_by: Mapped[str | None] = mapped_column(String(80))
    cut_off_why: Mapped[str | None] = mapped_column(String(500))
    next_certificate: Mapped[str | None] = mapped_column(Text)
    next_fingerprint: Mapped[str | None] = mapped_column(String(64))
    next_from: Mapped[datetime | None] = mapped_column(UtcTime())
    clock_off_s: Mapped[float | None] = mapped_column(Float)
    clock_at: Mapped[datetime | None] = mapped_column(UtcTime())
    era: Mapped[str] = mapped_column(String(40), default="", server_default="")
    opens: Mapped[str] = mapped_column(String(10), default="", server_default="")
    heard_era: Mapped[str] = mapped_column(String(40), default="", server_default="")
    accepts: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    def to_peer(self, waiting: int = 0) -> Peer:
        """The plain value."""
        return Peer(
            self.id, self.agency, self.code, self.name, self.address, self.certificate,
            self.fingerprint, PeerState(self.state), self.heard, self.heard_at, waiting,
            self.cut_off_why or "", self.next_certificate, self.next_fingerprint, self.next_from,
            self.clock_off_s, self.clock_at, self.era, self.opens,
        )  # fmt: skip

    def settle(self, now: datetime) -> None:
        """Forget the old key once only the new one is let pass."""
        pins = self.to_peer().pins(now)
        if self.next_fingerprint is not None and len(pins) == 1:
            self.fingerprint, self.certificate = pins[0]
            self.next_fingerprint = self.next_certificate = self.next_from = None


class NodeMessageRow(Owned, Base):
    """A message for a peer, kept after it was delivered: it says what the peer has received."""

    __tablename__ = "sharing_node_messages"
    __table_args__ = (Index("uq_sharing_node_messages_seq", "node", "era", "seq", unique=True),)

    node: Mapped[str] = mapped_column(ForeignKey("sharing_nodes.id"))
    era: Mapped[str] = mapped_column(String(40), default="", server_default="")
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(60))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcTime())


class NodeHeardRow(Owned, Base):
    """A message that was heard; `message` is the id that its sender gave it."""

    __tablename__ = "sharing_node_heard"
    __table_args__ = (
        Index("uq_sharing_node_heard_seq", "node", "era", "seq", unique=True),
        Index("ix_sharing_node_heard_message", "node", "message"),
    )

    node: Mapped[str] = mapped_column(ForeignKey("sharing_nodes.id"))
    era: Mapped[str] = mapped_column(String(40), default="", server_default="")
    seq: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(60))
