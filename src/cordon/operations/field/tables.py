"""How phones, their acts and positions, and photos are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class FieldPhoneRow(Owned, Base):
    """One phone (a browser) of one officer. `id` is the UUID that it gave itself.

    Columns:
        officer: id. unit: code of the officer's unit when it was last heard.
        last_number: the highest number of its acts so far. offset_ms: its clock's, as last seen.
        lat, lon, accuracy_m, fix_at: its newest position, by the node's clock, or None.
    """

    __tablename__ = "operations_field_phones"

    officer: Mapped[str] = mapped_column(String(60), index=True)
    unit: Mapped[str] = mapped_column(String(60), default="")
    last_number: Mapped[int] = mapped_column(Integer, default=0)
    offset_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_at: Mapped[datetime] = mapped_column(UtcTime())
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    accuracy_m: Mapped[float | None] = mapped_column(Float)
    fix_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The phone as policies see it: its unit's."""
        return Thing("phone", self.id, self.agency, Mark(self.mark), unit=self.unit or None)


class FieldActRow(Owned, Base):
    """One act that came from a phone, whatever became of it. `created_at`: when it came.

    Columns:
        number: its place among its phone's acts. missing: how many before it had not come.
        tasking: id as the phone gave it, or None. said_at: by the phone's clock; at: the same by
        the node's; offset_ms: between them; clock_wrong: as in `model.Told`.
        body: as in `model.Said`; what could not be read stands as text under `raw`.
        outcome, why: as in `model`. settled_*: who looked at what was not applied, and what they
        wrote.
    """

    __tablename__ = "operations_field_acts"
    __table_args__ = (
        Index("ix_operations_field_acts_tasking", "tasking", "created_at"),
        Index("ix_operations_field_acts_open", "outcome", "settled_at"),
        Index("ix_operations_field_acts_officer", "officer", "outcome"),
    )

    phone: Mapped[str] = mapped_column(ForeignKey("operations_field_phones.id"))
    officer: Mapped[str] = mapped_column(String(60))
    unit: Mapped[str] = mapped_column(String(60), default="")
    number: Mapped[int] = mapped_column(Integer)
    missing: Mapped[int] = mapped_column(Integer, default=0)
    kind: Mapped[str] = mapped_column(String(10))
    tasking: Mapped[str | None] = mapped_column(String(36))
    said_at: Mapped[datetime] = mapped_column(UtcTime())
    at: Mapped[datetime] = mapped_column(UtcTime())
    offset_ms: Mapped[int] = mapped_column(BigInteger)
    clock_wrong: Mapped[bool] = mapped_column(Boolean)
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    digest: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime())
    settled_by: Mapped[str | None] = mapped_column(String(60))
    settled_note: Mapped[str | None] = mapped_column(Text)

    def thing(self) -> Thing:
        """The act as policies see it: its unit's, under its tasking's mark."""
        return Thing("act", self.id, self.agency, Mark(self.mark), unit=self.unit or None)


class FieldFixRow(Base):
    """One position of a phone's track; `at` by the node's clock, `said_at` by the phone's."""

    __tablename__ = "operations_field_fixes"

    phone: Mapped[str] = mapped_column(ForeignKey("operations_field_phones.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime())
    said_at: Mapped[datetime] = mapped_column(UtcTime())
    lat: Mapped[float] = mapped_column(Float)
    lon: Mapped[float] = mapped_column(Float)
    accuracy_m: Mapped[float] = mapped_column(Float)


class FieldPhotoRow(Owned, Base):
    """One photo that a phone announced; `id` is its act's.

    Columns:
        taken_at: when the officer chose it, by the node's clock.
        sha256, size, media_type: as announced; the bytes must have this hash.
        state: `arriving`, `left` (nobody went on with it), `kept` or `refused`.
        tries: how often whole bytes had another hash.
        kept_at: when the last byte was there and the hash was right.
        exhibit, case: what it became, where somebody took it into a case.
    """

    __tablename__ = "operations_field_photos"

    tasking: Mapped[str] = mapped_column(String(36), index=True)
    officer: Mapped[str] = mapped_column(String(60), index=True)
    unit: Mapped[str] = mapped_column(String(60))
    taken_at: Mapped[datetime] = mapped_column(UtcTime())
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10), default="arriving")
    tries: Mapped[int] = mapped_column(Integer, default=0)
    kept_at: Mapped[datetime | None] = mapped_column(UtcTime())
    exhibit: Mapped[str | None] = mapped_column(String(36))
    case: Mapped[str | None] = mapped_column(String(36))

    def thing(self) -> Thing:
        """The photo as policies see it: its unit's, under its tasking's mark."""
        return Thing("photo", self.id, self.agency, Mark(self.mark), unit=self.unit or None)


class PanicRow(Owned, Base):
    """One call for help; `id` is the UUID that the phone gave it. `created_at`: when it came.

    Columns:
        pressed_at: by the node's clock; clock_wrong as of acts.
        lat, lon, accuracy_m, position_at: the newest that it sent, or None.
        presses: how often it was heard. safe_at: when the officer said that they are safe.
        finding: id of what the alert was raised from; None until the node has done so.
        records: SHA-256 of the first message and of the newest.
    """

    __tablename__ = "operations_panics"

    phone: Mapped[str] = mapped_column(ForeignKey("operations_field_phones.id"))
    officer: Mapped[str] = mapped_column(String(60), index=True)
    unit: Mapped[str] = mapped_column(String(60), default="")
    pressed_at: Mapped[datetime] = mapped_column(UtcTime())
    clock_wrong: Mapped[bool] = mapped_column(Boolean)
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    accuracy_m: Mapped[float | None] = mapped_column(Float)
    position_at: Mapped[datetime | None] = mapped_column(UtcTime())
    presses: Mapped[int] = mapped_column(Integer, default=1)
    safe_at: Mapped[datetime | None] = mapped_column(UtcTime())
    finding: Mapped[str | None] = mapped_column(String(36), index=True)
    records: Mapped[list[str]] = mapped_column(Json)

    def thing(self) -> Thing:
        """The call as policies see it: its unit's."""
        return Thing("panic", self.id, self.agency, Mark(self.mark), unit=self.unit or None)
