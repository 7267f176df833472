"""How witnessed ledgers, open claims and evidence are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Owned, UtcTime
from cordon.sharing.witness.model import Evidence, Watched, Wrong


class WatchedRow(Owned, Base):
    """Another node's ledger; the columns are those of `Watched`, the root in hex."""

    __tablename__ = "sharing_witness_ledgers"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    origin: Mapped[str] = mapped_column(String(200), index=True)
    key: Mapped[str] = mapped_column(String(300))
    cosigner: Mapped[str] = mapped_column(String(300))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text, default="")
    seen_at: Mapped[datetime | None] = mapped_column(UtcTime())
    given: Mapped[int] = mapped_column(BigInteger, default=0)
    given_at: Mapped[datetime | None] = mapped_column(UtcTime())
    refused: Mapped[str] = mapped_column(String(300), default="")

    def to_watched(self, claims: int = 0) -> Watched:
        """The plain value."""
        return Watched(
            self.code, self.origin, self.key, self.size, bytes.fromhex(self.root), self.note,
            self.seen_at, self.cosigner, self.given, self.given_at, self.refused, claims,
        )  # fmt: skip


class ClaimRow(Owned, Base):
    """A checkpoint that a ledger signed and that is not yet shown to fit; one a teller."""

    __tablename__ = "sharing_witness_claims"
    __table_args__ = (Index("uq_sharing_witness_claims", "code", "told_by", unique=True),)

    code: Mapped[str] = mapped_column(String(40))
    told_by: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(Text)


class EvidenceRow(Owned, Base):
    """What speaks against a ledger; `digest` keeps the same from being told twice."""

    __tablename__ = "sharing_witness_evidence"

    code: Mapped[str] = mapped_column(String(40), index=True)
    wrong: Mapped[str] = mapped_column(String(20))
    says: Mapped[str] = mapped_column(String(500))
    one: Mapped[str] = mapped_column(Text)
    other: Mapped[str] = mapped_column(Text)
    told_by: Mapped[str] = mapped_column(String(40))
    finding: Mapped[str] = mapped_column(String(36))
    digest: Mapped[str] = mapped_column(String(64), unique=True)

    def to_evidence(self) -> Evidence:
        """The plain value."""
        return Evidence(
            self.id, self.code, Wrong(self.wrong), self.says, self.one, self.other, self.told_by,
            self.created_at, self.finding,
        )  # fmt: skip
