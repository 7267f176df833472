"""From a finding to an alert: when one is raised, which stand together, which keep silent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shapely import GEOSException  # type: ignore[attr-defined]
from shapely.geometry import shape
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel import geo
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.events import Dispatcher, Event
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.leads import KeptFinding, answered, get_finding, open_lead
from cordon.kernel.leads.findings import ANSWER_WITHIN
from cordon.kernel.work import Work
from cordon.operations.base import RoomBase, alert_row
from cordon.operations.model import ENDED, UNANSWERED, AlertState, Position
from cordon.operations.passing import passing_of
from cordon.operations.tables import AlertFindingRow, AlertRow, AlertSubjectRow, TaskingRow
from cordon.operations.triage.rules import TriageRules
from cordon.operations.triage.score import placed, rescore
from cordon.operations.triage.watching import start_clock

ALIKE_WITHIN_M = 5_000.0
ALIKE_WITHIN = timedelta(hours=2)
SAME_SHARE = 0.5  # Jaccard overlap of subjects, as formats.md has it for "the same" in a score
PLACE_TYPES = frozenset({"zone", "cell"})
"""Subjects that say where rather than who: two boats in one zone are not the same boat."""

STANDS_ALONE = frozenset({"operations.panic"})
"""Kinds of which each is answered for itself, at once: two officers who call are two calls."""

SILENT = (AlertState.ANSWERED, AlertState.CLOSING, AlertState.CLOSED)
METRES_A_DEGREE = geo.EARTH_RADIUS_M * math.pi / 180


class Raising(RoomBase):
    """Turns kept findings into alerts; runs as the node itself."""

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Be told of findings that are new, and of those that say more than before."""
        dispatcher.subscribe(
            "operations.alerts",
            {"findings.finding.made", "findings.finding.grown", "findings.finding.withdrawn"},
            self.on_finding,
        )

    def on_finding(self, work: Work, event: Event) -> None:
        """Raise an alert for a finding, or take over what it says now. Twice does no more."""
        kept = get_finding(work, str(event.payload["finding"]))
        speaks = work.session.get(AlertFindingRow, kept.finding.id)
        if event.topic == "findings.finding.withdrawn":
            if speaks is not None and kept.withdrawn is not None:
                self._take_back(work, speaks.alert, kept)
        elif speaks is not None:
            self._grow(work, speaks.alert, kept)
        elif kept.state != "closed":
            self._raise(work, kept)

    def _grow(self, work: Work, alert: str, kept: KeptFinding) -> None:
        """An alert says what its finding says now, and is not raised again.

        Not in the ledger: what changed is the finding, which its detector found to have grown.
        """
        row = work.session.get_one(AlertRow, alert, with_for_update=True)
        work.permit("operations.alert.raise", row.thing())
        finding = kept.finding
        row.ends = max(row.ends, finding.end)
        if row.finding != finding.id:  # a later finding of the same behaviour only lengthens it
            return
        again = row.withdrawn_at is not None and kept.withdrawn is None
        if again:
            row.withdrawn_at = None  # what was taken back holds again
        row.starts = min(row.starts, finding.start)
        place = middle(finding.place)
        row.lat, row.lon = (place.lat, place.lon) if place else (None, None)
        row.radius_m = finding.radius_m
        row.confidence = finding.confidence
        placed(row, self.seen, self.triage, finding.subjects, work.now)
        if again:
            start_clock(row, self.triage, work.now)
        known = set(
            work.session.scalars(
                select(AlertSubjectRow.subject).where(AlertSubjectRow.alert == row.id)
            )
        )
        _add_subjects(work.session, row.id, finding.subjects, known)

    def _take_back(self, work: Work, alert: str, kept: KeptFinding) -> None:
        """The finding of an alert no longer holds: it says so, and whoever acted on it is told.

        It stays in the queue, because nobody but an officer ends a lead, but behind what holds,
        and nothing is due of it.
        """
        row = work.session.get_one(AlertRow, alert, with_for_update=True)
        if row.finding != kept.finding.id or row.state == AlertState.CLOSED:
            return
        units = work.session.scalars(
            select(TaskingRow.unit_code).where(
                TaskingRow.alert == alert, TaskingRow.state.not_in(ENDED)
            )
        )
        row.withdrawn_at = work.now
        rescore(row, self.triage, work.now)
        start_clock(row, self.triage, work.now)
        to = sorted({o for o in (row.acknowledged_by, row.assignee) if o is not None})
        told = {"to": to, "units": sorted(set(units))}
        why = kept.withdrawn.why if kept.withdrawn is not None else ""
        work.act("operations.alert.raise", row.thing(), withdrawn=True, why=why, told=told)
        work.emit("operations.alert.withdrawn", {"alert": alert, **told}, kept.mark)

    def _raise(self, work: Work, kept: KeptFinding) -> None:
        alone = kept.finding.kind in STANDS_ALONE
        silent = None if alone else _answered_before(work.session, kept.finding)
        if silent is None and not alone:
            silent = _answered_passing(work.session, kept.finding)
        if silent is not None:
            silent.ends = max(silent.ends, kept.finding.end)
            work.session.add(AlertFindingRow(finding=kept.finding.id, alert=silent.id, at=work.now))
            answered(work, kept.thing())
            work.act("operations.alert.raise", silent.thing(), silent=True, finding=kept.finding.id)
            return
        leader = None if alone else _alike(work.session, kept)
        row = self._new(work, kept)
        answered(work, kept.thing())  # from here on the alert is what waits for an answer
        detail: dict[str, Any] = {"finding": kept.finding.id}
        if leader is not None:
            row.stands_with, row.queued, row.escalate_at = leader.id, False, None
            detail["stands_with"] = leader.id
            work.session.flush()
            recount(work.session, leader)
        work.act("operations.alert.raise", row.thing(), **detail)
        work.emit("operations.alert.raised", {"alert": row.id}, kept.mark)

    def _new(self, work: Work, kept: KeptFinding) -> AlertRow:
        finding, place = kept.finding, middle(kept.finding.place)
        id_ = new_id()
        row = AlertRow(
            id=id_,
            agency=kept.agency,
            mark=kept.mark,
            created_at=work.now,
            finding=finding.id,
            kind=finding.kind,
            title=kept.title,
            seriousness=kept.seriousness,
            rank=SERIOUSNESS.index(kept.seriousness),
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            radius_m=finding.radius_m,
            starts=finding.start,
            ends=finding.end,
            due_at=_due(kept, work.now),
            state=AlertState.OPEN,
            queued=True,
            stands_with=id_,
            alike=0,
            confidence=finding.confidence,
            level=0,
        )
        placed(row, self.seen, self.triage, finding.subjects, work.now)
        start_clock(row, self.triage, work.now)
        work.session.add(row)
        work.session.flush()
        work.session.add(AlertFindingRow(finding=finding.id, alert=id_, at=work.now))
        _add_subjects(work.session, id_, finding.subjects, set())
        open_lead(work, row.thing(), title=kept.title, seriousness=kept.seriousness, due=row.due_at)
        return row


def recount(session: Session, leader: AlertRow) -> None:
    """Count anew how many others stand with an alert that are not closed."""
    leader.alike = (
        session.scalar(
            select(func.count())
            .select_from(AlertRow)
            .where(
                AlertRow.stands_with == leader.id,
                AlertRow.id != leader.id,
                AlertRow.state != AlertState.CLOSED,
            )
        )
        or 0
    )


def members(session: Session, leader: AlertRow) -> list[AlertRow]:
    """The others that stand with an alert and are not closed, the oldest first.

    They are locked where the alert was (`alert_row`).
    """
    query = (
        select(AlertRow)
        .where(
            AlertRow.stands_with == leader.id,
            AlertRow.id != leader.id,
            AlertRow.state != AlertState.CLOSED,
        )
        .order_by(AlertRow.id)
    )
    return list(session.scalars(query))


def left_queue(session: Session, row: AlertRow, rules: TriageRules, now: datetime) -> None:
    """A closed alert leaves the queue; what stood with it comes to the front.

    Closing one must not bury the others: the one with most points takes its place, and its clock
    begins. The whole group is locked already (`alert_row`).
    """
    row.queued, row.turns_at, row.escalate_at = False, None, None
    session.flush()
    if row.stands_with != row.id:
        recount(session, session.get_one(AlertRow, row.stands_with))
        return
    rest = members(session, row)
    row.alike = 0
    if not rest:
        return
    front = min(rest, key=lambda r: (r.behind, r.id))
    front.queued = True
    start_clock(front, rules, now)
    for other in rest:
        other.stands_with = front.id
    session.flush()
    recount(session, front)


def _due(kept: KeptFinding, now: datetime) -> datetime:
    """Until when an alert must be answered; a call for help was due when it was made."""
    if kept.finding.kind in STANDS_ALONE:
        return min(kept.finding.start, now)
    return now + ANSWER_WITHIN[kept.seriousness]


def acting(subjects: tuple[str, ...]) -> frozenset[str]:
    """The subjects that do something; where there are none, those that say where."""
    found = frozenset(s for s in subjects if s.partition(":")[0] not in PLACE_TYPES)
    return found or frozenset(subjects)


def same_share(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard overlap of two sets of subjects, 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 0.0


def middle(place: Mapping[str, Any] | None) -> Position | None:
    """A point within a GeoJSON geometry, or None where it is none that can be read."""
    if place is None:
        return None
    try:
        point = shape(place).representative_point()  # type: ignore[no-untyped-call]
        return None if point.is_empty else Position(float(point.y), float(point.x))
    except (GEOSException, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _add_subjects(session: Session, alert: str, subjects: tuple[str, ...], known: set[str]) -> None:
    who = acting(subjects)
    session.add_all(
        AlertSubjectRow(subject=s, alert=alert, acts=s in who)
        for s in sorted(set(subjects) - known)
    )
    session.flush()


def _answered_before(session: Session, finding: Finding) -> AlertRow | None:
    """The answered or closed alert whose behaviour this finding is, by the behaviour's own time.

    The same: one kind, spans that overlap, and half of the acting subjects in common. When the
    node ran its detectors, or when the alert was closed, plays no part.
    """
    who = acting(finding.subjects)
    query = (
        select(AlertRow)
        .where(
            AlertRow.id.in_(
                select(AlertSubjectRow.alert).where(
                    AlertSubjectRow.subject.in_(who), AlertSubjectRow.acts
                )
            ),
            AlertRow.kind == finding.kind,
            AlertRow.state.in_(SILENT),
            AlertRow.starts <= finding.end,
            AlertRow.ends >= finding.start,
        )
        .order_by(AlertRow.id.desc())
        .limit(50)
    )
    for row in session.scalars(query):
        theirs = frozenset(
            session.scalars(
                select(AlertSubjectRow.subject).where(
                    AlertSubjectRow.alert == row.id, AlertSubjectRow.acts
                )
            )
        )
        if same_share(who, theirs) >= SAME_SHARE:
            # locked as every act locks it; meanwhile its answer may have been taken back
            same = alert_row(session, row.id, lock=True)
            return same if same.state in SILENT else None
    return None


def _answered_passing(session: Session, finding: Finding) -> AlertRow | None:
    """The answered alert of another trip of the passing that this one belongs to, locked; or None.

    A party that goes by a string of sensors trips them minutes apart: somebody is on the way to it
    already. Not a closed one: what was taken for an animal is looked at anew where the next sensors
    trip in order.
    """
    for other in passing_of(finding):
        query = (
            select(AlertRow)
            .join(AlertSubjectRow, AlertSubjectRow.alert == AlertRow.id)
            .where(
                AlertSubjectRow.subject == other.subject,
                AlertSubjectRow.acts,
                AlertRow.kind == finding.kind,
                AlertRow.state == AlertState.ANSWERED,
                AlertRow.starts <= other.end,
                AlertRow.ends >= other.start,
            )
            .order_by(AlertRow.id.desc())
            .limit(1)
        )
        row = session.scalars(query).first()
        if row is not None:
            same = alert_row(session, row.id, lock=True)
            return same if same.state == AlertState.ANSWERED else None
    return None


def _alike(session: Session, kept: KeptFinding) -> AlertRow | None:
    """The first unanswered alert of the queue that a new one stands with, locked; or None.

    Alike: one kind and one mark, and a subject in common or both within 5 km and 2 h. An alert
    that is answered or taken back takes none in, so that what comes after is seen.
    """
    finding = kept.finding
    fits = (
        AlertRow.kind == finding.kind,
        AlertRow.mark == kept.mark,
        AlertRow.state.in_(UNANSWERED),
    )
    leaders = set(
        session.scalars(
            select(AlertRow.stands_with)
            .join(AlertSubjectRow, AlertSubjectRow.alert == AlertRow.id)
            .where(*fits, AlertSubjectRow.subject.in_(acting(finding.subjects)))
            .where(AlertSubjectRow.acts)
        )
    )
    leaders |= _near(session, finding, fits)
    query = (
        select(AlertRow)
        .where(AlertRow.id.in_(leaders), AlertRow.queued, AlertRow.state.in_(UNANSWERED))
        .where(AlertRow.withdrawn_at.is_(None))
        .order_by(AlertRow.id)
        .limit(1)
        .with_for_update()
    )
    return session.scalars(query).first() if leaders else None


def _near(session: Session, finding: Finding, fits: tuple[Any, ...]) -> set[str]:
    place = middle(finding.place)
    if place is None:
        return set()
    high = ALIKE_WITHIN_M / METRES_A_DEGREE
    wide = high / max(math.cos(math.radians(min(abs(place.lat) + high, 89.9))), 1e-3)
    query = select(AlertRow).where(
        *fits,
        AlertRow.queued,
        AlertRow.starts <= finding.end + ALIKE_WITHIN,
        AlertRow.ends >= finding.start - ALIKE_WITHIN,
        AlertRow.lat.between(place.lat - high, place.lat + high),
    )
    if abs(place.lon) + wide < 180:  # across the date line the distance alone decides
        query = query.where(AlertRow.lon.between(place.lon - wide, place.lon + wide))
    return {
        row.id
        for row in session.scalars(query)
        if row.lat is not None
        and row.lon is not None
        and geo.distance_m(place.lat, place.lon, row.lat, row.lon) <= ALIKE_WITHIN_M
    }
