"""How the room keeps its files; the calls themselves are columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.bringing.tables import BroughtColumns, FileColumns
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class CallFileRow(FileColumns, Base):
    """A file of call records, or of what stands beside them.

    Columns:
        kind: `calls`, `subscribers`, `cells`, `complaints`, `payments`, `accounts`, `sessions`.
        dates: which of day and month its dates begin with, as it was said of it
            (`layouts.dates.SAID`), or empty: searches read it anew, and by the same.
    """

    __tablename__ = "calls_files"
    thing_type = "call_file"
    __table_args__ = (Index("uq_calls_files_sha256", "sha256", "authority", unique=True),)

    dates: Mapped[str] = mapped_column(String(20), default="", server_default="")


class ImportRow(BroughtColumns, Base):
    """Files that somebody brought in together."""

    __tablename__ = "calls_imports"


class RingRow(Owned, Base):
    """A ring of lines that searches found; it keeps its id and name as it grows or shrinks.

    Columns:
        year, number: make its name, `R-2026-0041`. kind: of its finding as it is told now.
        authority: id of the legal authority whose calls it was found in.
        finding: its row among the findings. confidence, numbers, handsets, seats_least,
            seats_most, starts, ends: as the last search that found it told.
        found_day: on which day of its work it was first found, by the newest call then at hand.
        state: `at_work`, `silent`, `merged` (into `into`), `gone` (the last search found none of
            it). into, part_of, follows: ids of other rings.
        search: id of the job of the last search under its authority.
        detail: its members, days, hours and links: see `charting.detail`; personal, in clear.
    """

    __tablename__ = "calls_rings"
    __table_args__ = (
        Index("uq_calls_rings_name", "agency", "year", "number", unique=True),
        Index("ix_calls_rings_authority", "authority", "id"),
    )

    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(60))
    authority: Mapped[str] = mapped_column(String(36))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.id"), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[float] = mapped_column(Float)
    numbers: Mapped[int] = mapped_column(Integer)
    handsets: Mapped[int] = mapped_column(Integer)
    seats_least: Mapped[int | None] = mapped_column(Integer)
    seats_most: Mapped[int | None] = mapped_column(Integer)
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    found_day: Mapped[int] = mapped_column(Integer)
    into: Mapped[str | None] = mapped_column(String(36))
    part_of: Mapped[str | None] = mapped_column(String(36))
    follows: Mapped[str | None] = mapped_column(String(36))
    search: Mapped[str] = mapped_column(String(36))
    detail: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)

    @property
    def name(self) -> str:
        """`R-2026-0041`."""
        return f"R-{self.year}-{self.number:04d}"

    def thing(self) -> Thing:
        """The ring as policies see it."""
        return Thing("ring", self.id, self.agency, Mark(self.mark))


class RingEventRow(Owned, Base):
    """What became of a ring in one search.

    Columns:
        what: `found`, `grew`, `shrank`, `split`, `split_off`, `merged`, `took_in`, `moved`,
            `follows`, `followed`, `silent`, `back`, `gone`, `kind`. other: id of another ring, or
            None.
        counts: how many of what, never a number of anybody; of `kind` both kinds, and the id of
            the `finding` of before. search: id of the search's job.
        until: the newest call that the search had.
    """

    __tablename__ = "calls_ring_events"

    ring: Mapped[str] = mapped_column(ForeignKey("calls_rings.id"), index=True)
    what: Mapped[str] = mapped_column(String(12))
    other: Mapped[str | None] = mapped_column(String(36))
    counts: Mapped[dict[str, Any]] = mapped_column(Json)
    search: Mapped[str] = mapped_column(String(36))
    until: Mapped[datetime] = mapped_column(UtcTime())
