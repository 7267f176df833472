"""How the room keeps its files; the calls themselves are columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned


class CallFileRow(Owned, Base):
    """A file of call records; its bytes are kept by content.

    Columns:
        authority: id of the legal authority that it was brought in under.
        kind: `calls` or `subscribers`. state: `kept`, or `stored` once its rows are columns.
        counts: what became of its rows. refusals: the first ones, by row and reason.
    """

    __tablename__ = "calls_files"
    __table_args__ = (Index("uq_calls_files_sha256", "sha256", "authority", unique=True),)

    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    refusals: Mapped[list[Any]] = mapped_column(Json, default=list)

    def thing(self) -> Thing:
        """The file as policies see it."""
        return Thing("call_file", self.id, self.agency, Mark(self.mark))
