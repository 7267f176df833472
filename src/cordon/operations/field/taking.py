"""Taking what phones send: once, in their order, and nothing of it dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import beside
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound, Refused
from cordon.kernel.work import Work
from cordon.operations.base import tasking_row, unit_row
from cordon.operations.field.base import REPORT, FieldBase, NotYours, tasking_mark
from cordon.operations.field.forms import check_values
from cordon.operations.field.model import (
    LEAST_ACCURATE_M,
    MOST_ACTS,
    MOST_ARRIVING,
    MOST_FIXES,
    ActKind,
    Answer,
    Fix,
    Outcome,
    Said,
    clean,
    read_act,
    read_fix,
    read_id,
    read_time,
    told_here,
)
from cordon.operations.field.tables import FieldActRow, FieldFixRow, FieldPhoneRow, FieldPhotoRow
from cordon.operations.model import TaskingState, crew_of
from cordon.operations.tables import UnitRow

KEPT = (Conflict, Refused, NotFound, BadInput)
"""Errors that trying again does not mend: the act is kept with them, for a person."""

TOOK_PART = (TaskingState.CANCELLED, TaskingState.DECLINED)


class Taking(FieldBase):
    """Acts and positions of phones, each in a transaction of its own."""

    def take(self, actor: Actor, message: Mapping[str, Any]) -> tuple[list[Answer], int, timedelta]:
        """Take one message of a phone.

        Args:
            message: `phone` (its UUID), `officer` (who said what is in it), `sent_at` (by the
                phone's clock), `acts` and `fixes` as lists of objects.

        Returns:
            An answer for each act in the message's order, how many positions are known now up to
            the highest of this message, and how far the phone's clock is behind (s).

        Raises:
            NotYours: the acts are another officer's. BadInput: the message itself is none.
            An act that cannot be done is no error: it is kept and answered.
        """
        now = beside(self.kernel.clock)
        phone = read_id(message.get("phone"), "phone")
        if message.get("officer") != actor.id:
            raise NotYours(
                "What this phone keeps was said by another officer.",
                advice="Let that officer sign in on it, so that it is sent.",
            )
        offset = now - read_time(message.get("sent_at"), "sent_at")
        acts = _list(message.get("acts", []), "acts", MOST_ACTS)
        fixes = _list(message.get("fixes", []), "fixes", MOST_FIXES)
        with self.kernel.work(actor) as work:
            row = self.phone_row(work, phone, make=True)
            row.offset_ms, row.seen_at = round(offset.total_seconds() * 1000), work.now
            row.unit = actor.unit or ""
        answers = [self._one(actor, phone, offset, raw) for raw in acts]
        upto = self._fixes(actor, phone, offset, fixes) if fixes else 0
        return answers, upto, offset

    def _one(self, actor: Actor, phone: str, offset: timedelta, raw: object) -> Answer:
        try:
            said = read_act(raw)
        except BadInput as wrong:
            return self._unread(actor, phone, offset, raw, wrong)
        try:
            with self.kernel.work(actor) as work:
                held = self.phone_row(work, phone, make=False)
                if (known := _known(work, said.id, said.digest)) is not None:
                    return known
                # an empty message may not block the one that says the same at this moment
                self.kernel.rows.alone(work.session, f"field.act.{said.id}")
                why = self._do(work, said, offset)
                row = _row(work, held, said, offset, Outcome.APPLIED, why)
                work.session.add(row)
                return Answer(said.id, Outcome.APPLIED, why)
        except NotYours:
            raise
        except KEPT as refused:
            outcome = Outcome.CONFLICT if isinstance(refused, Conflict) else Outcome.REFUSED
            return self._keep(actor, phone, said, offset, outcome, str(refused))

    def _keep(
        self, actor: Actor, phone: str, said: Said, offset: timedelta, outcome: Outcome, why: str
    ) -> Answer:
        """Keep an act that could not be done, for a person to look at."""
        with self.kernel.work(actor) as work:
            held = self.phone_row(work, phone, make=False)
            if (known := _known(work, said.id, said.digest)) is not None:
                return known
            mark = tasking_mark(work.session, said.tasking) or Mark.AMBER
            row = _row(work, held, said, offset, outcome, why)
            row.mark = mark
            # under the phone, which is the officer's own: the tasking may be another unit's
            work.act(REPORT, held.thing(), kept=outcome.value, kind=row.kind, act_id=said.id)
            work.session.add(row)
            return Answer(said.id, outcome, why)

    def _unread(
        self, actor: Actor, phone: str, offset: timedelta, raw: object, wrong: BadInput
    ) -> Answer:
        """What cannot be read is kept as text where it has an id, and answered either way."""
        data = raw if isinstance(raw, dict) else {}
        try:
            id_ = read_id(data.get("id"))
            text = orjson.dumps(data).decode()[:4000]
        except (CordonError, TypeError, ValueError, RecursionError):
            return Answer(None, Outcome.REFUSED, str(wrong))
        now, number = beside(self.kernel.clock), data.get("number")
        said = Said(
            id_, number if type(number) is int and 0 < number < 2**31 else 0, ActKind.STEP,
            now - offset, None, "", None, {"raw": clean(text)},
        )  # fmt: skip
        return self._keep(actor, phone, said, offset, Outcome.REFUSED, str(wrong))

    def _do(self, work: Work, said: Said, offset: timedelta) -> str:
        """Do an act; return what its reader should know of how it went."""
        when = told_here(self.kernel.clock, said.said_at, said.offset, offset, work.now)
        if said.kind is ActKind.STEP:
            return self._step(work, said, when.at)
        row = tasking_row(work.session, said.tasking)
        thing = row.thing()
        work.permit(REPORT, thing)
        if said.kind is ActKind.FORM:
            values = check_values(str(said.body["form"]), said.body["values"])
            if row.state in TOOK_PART:
                raise Conflict(
                    f"The tasking was {row.state} before this form came.",
                    advice="The watch has the form and looks at it.",
                )
            work.act(REPORT, thing, form=said.body["form"], fields=len(values), act_id=said.id)
            return ""
        return self._photo(work, said, when.at, thing)

    def _step(self, work: Work, said: Said, at: datetime) -> str:
        to, note = TaskingState(str(said.body["to"])), str(said.body["note"])
        row = tasking_row(work.session, said.tasking, lock=False)
        work.permit(REPORT, row.thing())
        if row.state == to:
            # a crew has two phones, and both say what both saw
            return "It had been said already."
        self.room.report_in(work, row.id, to, note=note, position=said.position, at=at)
        return ""

    def _photo(self, work: Work, said: Said, at: datetime, thing: Thing) -> str:
        arriving = select(func.count()).where(
            FieldPhotoRow.officer == work.actor.id, FieldPhotoRow.state == "arriving"
        )
        if (work.session.scalar(arriving) or 0) >= MOST_ARRIVING:
            raise BadInput(
                f"{MOST_ARRIVING} photos of yours are on their way already.",
                advice="Let them come first; this one stays on the phone.",
            )
        body = said.body
        work.act(REPORT, thing, photo=body["sha256"], size=body["size"], act_id=said.id)
        work.session.add(
            FieldPhotoRow(
                id=said.id,
                agency=thing.agency,
                mark=thing.mark,
                created_at=work.now,
                tasking=thing.id,
                officer=work.actor.id,
                unit=thing.unit or "",
                taken_at=at,
                sha256=body["sha256"],
                size=body["size"],
                media_type=body["media_type"],
                state="arriving",
                tries=0,
            )
        )
        work.session.flush()
        return ""

    def _fixes(self, actor: Actor, phone: str, offset: timedelta, raws: Sequence[object]) -> int:
        """Keep positions as a track, and let the newest be the unit's where it is newer."""
        fixes = [f for raw in raws if (f := _fix(raw)) is not None]
        top = max((n for raw in raws if (n := _number(raw)) is not None), default=0)
        if not fixes:
            return top
        with self.kernel.work(actor) as work:
            held = self.phone_row(work, phone, make=False)
            numbers = [f.number for f in fixes]
            known = set(
                work.session.scalars(
                    select(FieldFixRow.number).where(
                        FieldFixRow.phone == phone, FieldFixRow.number.in_(numbers)
                    )
                )
            )
            new = {f.number: f for f in fixes if f.number not in known}
            rows = [
                FieldFixRow(
                    phone=phone, number=f.number,
                    at=told_here(self.kernel.clock, f.said_at, f.offset, offset, work.now).at,
                    said_at=f.said_at,
                    lat=f.position.lat, lon=f.position.lon, accuracy_m=f.accuracy_m,
                )
                for f in new.values()
            ]  # fmt: skip
            work.session.add_all(rows)
            if rows:
                work.act(REPORT, held.thing(), positions=len(rows))
                self._newest(work, held, max(rows, key=lambda r: r.at))
        return top

    def _newest(self, work: Work, held: FieldPhoneRow, fix: FieldFixRow) -> None:
        if held.fix_at is None or fix.at > held.fix_at:
            held.lat, held.lon, held.accuracy_m = fix.lat, fix.lon, fix.accuracy_m
            held.fix_at = fix.at
        if fix.accuracy_m > LEAST_ACCURATE_M:
            return
        unit = work.session.scalar(
            select(UnitRow.id).where(
                UnitRow.agency == self.kernel.agency,
                func.lower(UnitRow.code) == crew_of(work.actor.unit or ""),
            )
        )
        if unit is None:
            return
        row = unit_row(work.session, unit, lock=True)
        work.permit("operations.unit.set_state", row.thing())
        if row.position_at is None or fix.at > row.position_at:
            row.lat, row.lon, row.position_at = fix.lat, fix.lon, fix.at


def _known(work: Work, id_: str, digest: str) -> Answer | None:
    """What was answered the first time, where the act is known."""
    row = work.session.get(FieldActRow, id_)
    if row is None:
        return None
    if row.officer != work.actor.id or (digest and row.digest != digest):
        return Answer(id_, Outcome.REFUSED, "Another act came under this id before.")
    return Answer(id_, Outcome(row.outcome), row.why)


def _row(
    work: Work, phone: FieldPhoneRow, said: Said, offset: timedelta, outcome: Outcome, why: str
) -> FieldActRow:
    when = told_here(work.kernel.clock, said.said_at, said.offset, offset, work.now)
    missing = max(0, said.number - phone.last_number - 1)
    phone.last_number = max(phone.last_number, said.number)
    mark = tasking_mark(work.session, said.tasking)
    return FieldActRow(
        id=said.id, agency=work.kernel.agency, mark=mark or Mark.AMBER, created_at=work.now,
        phone=phone.id, officer=work.actor.id, unit=work.actor.unit or "", number=said.number,
        missing=missing, kind="unread" if "raw" in said.body else said.kind,
        tasking=said.tasking or None,
        said_at=said.said_at, at=when.at, offset_ms=round(when.offset.total_seconds() * 1000),
        clock_wrong=when.wrong, lat=said.position.lat if said.position else None,
        lon=said.position.lon if said.position else None, body=dict(said.body),
        digest=said.digest, outcome=outcome, why=why[:2000],
    )  # fmt: skip


def _list(value: object, what: str, most: int) -> Sequence[object]:
    if not isinstance(value, list) or len(value) > most:
        raise BadInput(f"The field {what} is no list of at most {most}.", advice="Send fewer.")
    return value


def _fix(raw: object) -> Fix | None:
    """A position that can be read; the others are passed over: the next one says more."""
    try:
        return read_fix(raw)
    except BadInput:
        return None


def _number(raw: object) -> int | None:
    number = raw.get("number") if isinstance(raw, dict) else None
    return number if type(number) is int and 0 < number < 2**31 else None
