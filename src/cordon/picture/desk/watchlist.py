"""The watch list: subjects that officers want to be told of, with a reason and until when.

A listed subject is marked on the map, and a finding that speaks of it is kept one step graver
than its card says. Every change passes the gate and stands in the ledger. Being listed is no
accusation: it says that somebody asked for attention, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, personal_data
from cordon.picture.desk.tables import WatchedRow

VIEW, CHANGE = "picture.watchlist.view", "picture.watchlist.change"
MARK = Mark.AMBER
"""Whom an agency watches is nobody else's business."""
LONGEST = timedelta(days=180)
SHORTEST_REASON = 10  # characters: who reads it in a month must understand it
LONGEST_REASON = 500
_SUBJECT = re.compile(r"[a-z_]{2,20}:\S[^\x00-\x1f]{0,95}")
_NOT_MOVING = ("zone", "cell", "sensor")
"""Types of subjects that say where rather than who."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One entry of the list.

    Attributes:
        until: when it ends by itself. ended_at: when it was taken off before, or None.
    """

    id: str
    subject: str
    reason: str
    since: datetime
    until: datetime
    listed_by: str
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None

    def lasts(self, now: datetime) -> bool:
        """Whether the subject is watched at this moment."""
        return self.ended_at is None and now < self.until


class Watchlist:
    """The watch list of a node."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def entries(self, actor: Actor, *, ended: bool = False, at_most: int = 500) -> list[Watched]:
        """Entries that last, those that end first before others; with `ended` all, newest first."""
        with self._kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            query = select(WatchedRow).limit(at_most)
            if ended:
                query = query.order_by(WatchedRow.id.desc())
            else:
                query = query.where(*_lasting(view.now)).order_by(WatchedRow.until)
            return [_told(row) for row in view.session.scalars(query)]

    def of(self, actor: Actor, subject: str) -> list[Watched]:
        """What was said of one subject, the newest first; nothing where one may not look."""
        with self._kernel.view(actor) as view:
            if not view.may(VIEW, Thing("watchlist", "-", self._kernel.agency, MARK)):
                return []
            rows = view.session.scalars(
                select(WatchedRow)
                .where(WatchedRow.subject == subject)
                .order_by(WatchedRow.id.desc())
            )
            return [_told(row) for row in rows]

    def names(self, entries: Iterable[Watched]) -> dict[str, str]:
        """Names of the officers that entries speak of, by id."""
        ids = {i for e in entries for i in (e.listed_by, e.ended_by) if i is not None}
        found = {i: i for i in ids}
        with self._kernel.rows.read() as session:
            rows = session.execute(
                select(OfficerRow.id, OfficerRow.name).where(OfficerRow.id.in_(ids))
            )
            found.update((id_, name) for id_, name in rows)
        return found

    def put(self, actor: Actor, subject: str, reason: str, until: datetime) -> str:
        """Put a subject on the list; return the entry's id.

        Raises:
            BadInput: no subject that moves, a reason that says nothing, or a time that has
                passed or lies too far. Conflict: it is on the list already.
        """
        subject, reason = subject.strip(), " ".join(reason.split())
        if not _SUBJECT.fullmatch(subject) or subject.partition(":")[0] in _NOT_MOVING:
            raise BadInput(
                "The subject is not written type:id of something that moves.",
                advice="Write it as its page has it, like mmsi:463012345.",
            )
        if personal_data(subject) is not None:
            raise BadInput(
                "The watch list of the picture takes craft and tracks, not people or numbers."
            )
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            raise BadInput(
                f"The reason has {SHORTEST_REASON} to {LONGEST_REASON} characters.",
                advice="Write why it should be watched, so that another can judge it.",
            )
        with self._kernel.work(actor) as work:
            work.permit(CHANGE, self._room())
            if not work.now < until <= work.now + LONGEST:
                raise BadInput(
                    f"The end lies after now and within {LONGEST.days} days.",
                    advice="Put it on again when that time has passed.",
                )
            self._kernel.rows.alone(work.session, f"picture.watched:{subject}")
            listed = select(WatchedRow.id).where(WatchedRow.subject == subject, *_lasting(work.now))
            if work.session.scalar(listed) is not None:
                raise Conflict(
                    "It is on the watch list already.", advice="Take it off first, or leave it."
                )
            row = WatchedRow(
                id=new_id(),
                agency=self._kernel.agency,
                mark=MARK,
                created_at=work.now,
                subject=subject,
                reason=reason,
                until=until,
                listed_by=actor.id,
            )
            work.session.add(row)
            work.act(CHANGE, row.thing(), listed=subject, until=until.isoformat())
            return row.id

    def end(self, actor: Actor, entry: str, why: str) -> str:
        """Take a subject off before its time, saying why; return the subject."""
        why = " ".join(why.split())
        with self._kernel.work(actor) as work:
            work.permit(CHANGE, self._room())
            row = work.session.get(WatchedRow, entry, with_for_update=True)
            if row is None:
                raise NotFound("There is no such entry on the watch list.")
            if row.ended_at is not None or row.until <= work.now:
                raise Conflict("It is off the watch list already.")
            if not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
                raise BadInput(
                    f"Taking it off needs a reason of {SHORTEST_REASON} to {LONGEST_REASON} "
                    "characters."
                )
            work.act(CHANGE, row.thing(), taken_off=row.subject)
            row.ended_at, row.ended_by, row.ended_why = work.now, actor.id, why
            return row.subject

    def _room(self) -> Thing:
        return Thing.room("picture", self._kernel.agency)


def listed(session: Session, now: datetime) -> frozenset[str]:
    """The subjects that are watched at this moment."""
    return frozenset(session.scalars(select(WatchedRow.subject).where(*_lasting(now))))


class Graver:
    """Tells of a finding whether it speaks of a listed subject; for `leads.keep`."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._listed = listed(session, now)

    def __call__(self, finding: Finding) -> bool:
        return not self._listed.isdisjoint(finding.subjects)


def _lasting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (WatchedRow.ended_at.is_(None), WatchedRow.until > now)


def _told(row: WatchedRow) -> Watched:
    return Watched(
        row.id,
        row.subject,
        row.reason,
        row.created_at,
        row.until,
        row.listed_by,
        row.ended_at,
        row.ended_by,
        row.ended_why,
    )
