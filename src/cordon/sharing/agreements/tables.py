"""How agreements and their signatures are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Owned, UtcTime


class AgreementRow(Owned, Base):
    """An agreement; `id` is made from `text`, its canonical terms.

    Columns:
        drafted_by: officer here, or the agency that offered it.
        ended_by: agency that ended it.
    """

    __tablename__ = "sharing_agreements"

    text: Mapped[str] = mapped_column(Text)
    drafted_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())
    ended_by: Mapped[str | None] = mapped_column(String(40))
    ended_why: Mapped[str | None] = mapped_column(String(500))


class SignatureRow(Owned, Base):
    """A party's signature; `created_at` is when this node had it."""

    __tablename__ = "sharing_agreement_signatures"
    __table_args__ = (
        Index("uq_sharing_agreement_signatures_of", "agreement", "signer", unique=True),
    )

    agreement: Mapped[str] = mapped_column(ForeignKey("sharing_agreements.id"))
    signer: Mapped[str] = mapped_column(String(40))
    certificate: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(100))
    by: Mapped[str] = mapped_column(String(80))
