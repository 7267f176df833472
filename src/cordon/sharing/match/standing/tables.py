"""How standing questions are kept: ours, with their key; those of peers; and what was met."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Owned, UtcTime


class StandingKeyRow(Owned, Base):
    """The key of this agency's standing questions of a kind at a peer. seed: sealed."""

    __tablename__ = "sharing_standing_keys"
    __table_args__ = (Index("uq_sharing_standing_keys", "peer", "kind", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    epoch: Mapped[int] = mapped_column(Integer)
    seed: Mapped[str] = mapped_column(String(200))


class StandingRow(Owned, Base):
    """A standing question of this agency.

    Columns:
        value: sealed, as `forms` writes it; empty once the question is over and was never met.
        authority: reference, authority_id: id of the legal authority.
        said: why it was refused or withdrawn.
    """

    __tablename__ = "sharing_standing"
    __table_args__ = (Index("ix_sharing_standing_open", "state", "until"),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(200))
    authority_id: Mapped[str] = mapped_column(String(36))
    why: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(80))
    value: Mapped[str] = mapped_column(Text)
    epoch: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime] = mapped_column(UtcTime())
    state: Mapped[str] = mapped_column(String(10))
    said: Mapped[str] = mapped_column(String(300), default="")


class StandingLookRow(Owned, Base):
    """A time that a peer asked for this agency's function: how many values, of which kind."""

    __tablename__ = "sharing_standing_looks"
    __table_args__ = (Index("ix_sharing_standing_looks_at", "peer", "kind", "created_at"),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    count: Mapped[int] = mapped_column(Integer)
    refused: Mapped[str] = mapped_column(String(300), default="")


class StandingKeptRow(Owned, Base):
    """A standing question of a peer.

    Columns:
        number: the peer's id of it. public: public half (hex) of the peer's key.
        tags: of F(key, value), eight bytes each (little-endian); random to this node.
    """

    __tablename__ = "sharing_standing_kept"
    __table_args__ = (Index("uq_sharing_standing_kept", "peer", "number", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(20))
    epoch: Mapped[int] = mapped_column(Integer)
    public: Mapped[str] = mapped_column(String(64))
    tags: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(200))
    until: Mapped[datetime] = mapped_column(UtcTime())
    over: Mapped[str] = mapped_column(String(10), default="")


class StandingSeenRow(Owned, Base):
    """What of a kind was looked at for a peer's questions: digests under a seed, sealed."""

    __tablename__ = "sharing_standing_seen"
    __table_args__ = (Index("uq_sharing_standing_seen", "peer", "kind", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    epoch: Mapped[int] = mapped_column(Integer)
    seed: Mapped[str] = mapped_column(String(200))
    digests: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    looked_at: Mapped[datetime | None] = mapped_column(UtcTime())


class StandingMetRow(Owned, Base):
    """A question that was met, at the one that asked (`ours`) or at the one that met it (`kept`).

    Columns:
        value: what this agency met, its own; empty at the one that asked, which knows it.
        contact: whom to ring at the other agency.
    """

    __tablename__ = "sharing_standing_met"

    ours: Mapped[str | None] = mapped_column(ForeignKey("sharing_standing.id"), index=True)
    kept: Mapped[str | None] = mapped_column(ForeignKey("sharing_standing_kept.id"), index=True)
    value: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(200))
    rung_at: Mapped[datetime | None] = mapped_column(UtcTime())
    rung_by: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(500), default="")
