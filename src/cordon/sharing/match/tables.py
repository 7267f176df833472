"""How terms, sets, questions and hits are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.sharing.match.model import Asked, Kind, Purpose, Question, Ready, Terms


class MatchTermsRow(Owned, Base):
    """Terms with a peer. way: `given` (what it may ask here) or `had` (what this node may ask)."""

    __tablename__ = "sharing_match_terms"
    __table_args__ = (Index("uq_sharing_match_terms", "peer", "way", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    way: Mapped[str] = mapped_column(String(5))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    set_by: Mapped[str] = mapped_column(String(80))
    set_at: Mapped[datetime] = mapped_column(UtcTime())

    def to_terms(self) -> Terms:
        """The plain value."""
        return Terms.from_json(self.body)


class MatchHeldRow(Owned, Base):
    """A value that was brought in to be matched. value: as `forms` writes it. source: in words."""

    __tablename__ = "sharing_match_held"
    __table_args__ = (Index("uq_sharing_match_held", "kind", "value", unique=True),)

    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200))


class MatchSetRow(Owned, Base):
    """What this node holds of a kind, evaluated under its key for one peer.

    Columns:
        epoch: number of the key. seed: of the key, sealed. version: rises with each change.
        digests, tags: of each value, eight bytes each (little-endian), in one order; a digest is
        keyed by the seed. pads: tags that fill the set up.
    """

    __tablename__ = "sharing_match_sets"
    __table_args__ = (Index("uq_sharing_match_sets", "peer", "kind", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    epoch: Mapped[int] = mapped_column(Integer)
    seed: Mapped[str] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    digests: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    tags: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    pads: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime())

    def to_ready(self) -> Ready:
        """The plain value."""
        return Ready(self.peer, Kind(self.kind), self.epoch, self.version, self.size, self.made_at)


class MatchTheirsRow(Owned, Base):
    """A peer's set as this node keeps it.

    Columns:
        public: the key's public half (hex). tags: sorted, eight bytes each (little-endian).
        coming: parts of a new set that are here; parts: how many.
    """

    __tablename__ = "sharing_match_theirs"
    __table_args__ = (Index("uq_sharing_match_theirs", "peer", "kind", unique=True),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    epoch: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)
    public: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    tags: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    coming: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    parts: Mapped[int] = mapped_column(Integer, default=0)
    came_at: Mapped[datetime] = mapped_column(UtcTime())

    def to_ready(self) -> Ready:
        """The plain value."""
        return Ready(self.peer, Kind(self.kind), self.epoch, self.version, self.size, self.came_at)


class MatchQuestionRow(Owned, Base):
    """A question of this agency.

    Columns:
        sealed: its values and blinds until it is answered; then empty.
        authority: reference of the legal authority. hits: null until it is answered.
    """

    __tablename__ = "sharing_match_questions"
    __table_args__ = (Index("ix_sharing_match_questions_at", "created_at"),)

    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(80))
    epoch: Mapped[int] = mapped_column(Integer)
    count: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime())
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime())
    hits: Mapped[int | None] = mapped_column(Integer)
    refused: Mapped[str] = mapped_column(String(300), default="")

    def to_question(self) -> Question:
        """The plain value."""
        return Question(
            self.id, self.agency, self.peer, Kind(self.kind), Purpose(self.purpose),
            self.authority, self.why, self.count, self.by, self.created_at, self.due_at,
            self.answered_at, self.hits, self.refused,
        )  # fmt: skip


class MatchHitRow(Owned, Base):
    """A hit: the draft of a request. value: as it was asked, this agency's own."""

    __tablename__ = "sharing_match_hits"

    question: Mapped[str] = mapped_column(ForeignKey("sharing_match_questions.id"), index=True)
    value: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(200))
    rung_at: Mapped[datetime | None] = mapped_column(UtcTime())
    rung_by: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(500), default="")


class MatchAskedRow(Owned, Base):
    """A question of a peer.

    Columns:
        number: the peer's id of it. digest: SHA-256 (hex) of its elements, so that a repeat is
        told from another question. times: how often it was answered.
    """

    __tablename__ = "sharing_match_asked"
    __table_args__ = (
        Index("uq_sharing_match_asked", "peer", "number", unique=True),
        Index("ix_sharing_match_asked_at", "peer", "created_at"),
    )

    peer: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(20))
    count: Mapped[int] = mapped_column(Integer)
    authority: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime] = mapped_column(UtcTime())
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime())
    times: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[str] = mapped_column(String(300), default="")

    def to_asked(self) -> Asked:
        """The plain value."""
        return Asked(
            self.peer, self.kind, self.count, self.authority, self.purpose, self.created_at,
            self.answered_at, self.refused,
        )  # fmt: skip
