"""An alert: reading it with its reasons, and answering it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Authority, Mark, Thing
from cordon.kernel.cards import Card, card_for
from cordon.kernel.clock import format_time
from cordon.kernel.errors import Conflict
from cordon.kernel.findings import Finding
from cordon.kernel.leads import answered, get_finding, looked
from cordon.kernel.leads.tables import ClosureRow, FindingRow, LeadRow
from cordon.kernel.ledger import Entry
from cordon.kernel.work import View, Work, personal_data
from cordon.operations.base import (
    RoomBase,
    alert_row,
    as_alert,
    as_alerts,
    as_taskings,
    tell,
    written,
)
from cordon.operations.model import (
    TAKEN_ON,
    UNANSWERED,
    UNDER_WAY,
    Alert,
    AlertState,
    Tasking,
    check_alert_move,
    crew_of,
)
from cordon.operations.people import TakenFirst, check_taker, takers
from cordon.operations.queue import NOBODY, VIEW
from cordon.operations.raising import members
from cordon.operations.tables import AlertFindingRow, AlertRow, TaskingRow
from cordon.operations.triage.rules import TriageRules
from cordon.operations.triage.watching import start_clock

HISTORY = 100  # entries of the ledger that an alert's page shows


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish to close that waits for the second officer."""

    reason: str
    note: str
    asked_by: str
    asked_unit: str | None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """An alert with all that its page shows, as this reader may see it.

    Attributes:
        finding: masked where no authority covers its subjects.
        masked: subjects of it that are masked. under: the authority that the others, where there
            are personal ones, are read under.
        alike: the others that stand with it. taskings: the newest first.
        card: of its detector, or None where it is not installed here any more.
        waiting: the wish to close it that waits, or None.
        offers: acts that the policies let this reader do on it.
    """

    alert: Alert
    finding: Finding
    masked: frozenset[str]
    under: Authority | None
    alike: tuple[Alert, ...]
    taskings: tuple[Tasking, ...]
    card: Card | None
    waiting: Waiting | None
    offers: frozenset[str]


class Alerts(RoomBase):
    """Reading and answering one alert."""

    def alert(self, actor: Actor, id_: str) -> AlertPage:
        """An alert with its reasons; that the officer looked at it is noted."""
        with self.kernel.view(actor) as view:
            row = alert_row(view.session, id_)
            view.permit(VIEW, row.thing())
            alert = as_alert(view.session, row)
            finding, masked, under = self._seen(view, row.thing(), row.finding)
            taskings = view.session.scalars(
                select(TaskingRow).where(TaskingRow.alert == id_).order_by(TaskingRow.id.desc())
            ).all()
            leader = alert_row(view.session, row.stands_with)
            others = [r for r in (leader, *members(view.session, leader)) if r.id != id_]
            shown = AlertPage(
                alert=alert,
                finding=finding,
                masked=masked,
                under=under,
                alike=tuple(
                    as_alerts(view.session, [r for r in others if view.may(VIEW, r.thing())])
                ),
                taskings=tuple(
                    t
                    for t in as_taskings(view.session, taskings)
                    if view.may("operations.tasking.view", t.thing())
                ),
                card=card_for(self.cards, finding.detector, row.kind),
                waiting=_waiting(view, id_),
                offers=frozenset(
                    act
                    for act in self.kernel.gate.acts
                    if act.startswith("operations.") and view.may(act, row.thing())
                ),
            )
        looked(self.kernel, actor, id_)
        return shown

    def history(self, actor: Actor, id_: str) -> list[Entry]:
        """What was done to an alert, as the ledger has it, the newest first."""
        with self.kernel.view(actor) as view:
            thing = alert_row(view.session, id_).thing()
            view.permit(VIEW, thing)
        return self.kernel.ledger.of_thing(thing.name, limit=HISTORY)

    def _seen(
        self, view: View, thing: Thing, finding_id: str
    ) -> tuple[Finding, frozenset[str], Authority | None]:
        """The finding as the reader may see it; what is shown in clear is recorded first."""
        finding = get_finding(view, finding_id).finding
        personal = {s: d for s in finding.subjects if (d := personal_data(s)) is not None}
        given = view.actor.authority
        clear = {
            s
            for s, data in personal.items()
            if given is not None and given.scope.covers(data, s, finding.start)
        }
        under: Authority | None = None
        for data in sorted(set(personal.values())):
            those = [s for s in clear if personal[s] == data]
            sight = view.sight(VIEW, thing, data, those)
            if sight.authority is None:  # it is not in force now
                clear.difference_update(those)
            elif those:
                under = sight.authority
        mask = self.kernel.masker
        hidden = frozenset(mask.mask_subject(s) for s in personal.keys() - clear)
        return mask.mask_finding(finding, clear.__contains__), hidden, under

    def alert_of(self, view: View, finding: str) -> str | None:
        """Id of the alert that speaks for a finding, where the reader may see it; else None."""
        speaks = view.session.get(AlertFindingRow, finding)
        if speaks is None:
            return None
        row = alert_row(view.session, speaks.alert)
        return row.id if view.may(VIEW, row.thing()) else None

    def takers(self, actor: Actor, id_: str) -> list[tuple[str, str]]:
        """Officers who may be given an alert: id, and name with unit."""
        with self.kernel.view(actor) as view:
            row = alert_row(view.session, id_)
            view.permit("operations.alert.assign", row.thing())
            return takers(view, row.thing())

    def masked_subjects(self, alert: Alert) -> tuple[str, ...]:
        """An alert's subjects for a list: personal ones always masked, so that no list is a
        reading of personal data that nobody meant to do."""
        return tuple(self.kernel.masker.mask_subject(s) for s in alert.subjects)

    def acknowledge(self, actor: Actor, id_: str) -> Alert:
        """Say that it has been seen. The same officer may say so twice.

        Raises:
            Conflict: another officer was first, or it is answered or closed.
        """
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit("operations.alert.acknowledge", row.thing())
            if row.acknowledged_by == actor.id and row.state == AlertState.ACKNOWLEDGED:
                return as_alert(work.session, row)
            if row.state == AlertState.ACKNOWLEDGED and row.acknowledged_at is not None:
                raise TakenFirst(
                    f"Another officer acknowledged it at {format_time(row.acknowledged_at)}.",
                    str(row.acknowledged_by),
                    advice="Take it over by assigning it to yourself.",
                )
            self._acknowledged(work, row)
            return as_alert(work.session, row)

    def _acknowledged(self, work: Work, row: AlertRow) -> None:
        if row.state != AlertState.OPEN:
            check_alert_move(AlertState(row.state), AlertState.ACKNOWLEDGED)
        if row.state in (AlertState.ASSIGNED, AlertState.ANSWERED):
            raise Conflict(f"The alert is {row.state} already; nothing is left to acknowledge.")
        work.act("operations.alert.acknowledge", row.thing())
        row.state = AlertState.ACKNOWLEDGED
        row.acknowledged_by, row.acknowledged_at = work.actor.id, work.now
        row.escalate_at = None
        tell(work, row, "acknowledged")

    def assign(self, actor: Actor, id_: str, to: str, *, had_by: str = "") -> Alert:
        """Give it to an officer. One that is answered stays answered.

        Args:
            to: officer's id. had_by: who had it as the asker saw it, `nobody` for that; empty asks
                for no check.

        Raises:
            TakenFirst: somebody else has got it since the asker looked; of two who take it at
                once, one gets it.
        """
        to = written(to, "The officer", most=60)
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit("operations.alert.assign", row.thing())
            check_taker(work, to, row.thing())
            saw = None if had_by == NOBODY else had_by
            if had_by and row.assignee not in (saw, to):
                if row.assignee is None:
                    raise Conflict("Nobody has it any more.", advice="Look at it again.")
                raise TakenFirst(
                    "Another officer has got it meanwhile:",
                    row.assignee,
                    advice="Assign it again if you mean to take it from them.",
                )
            if row.state != AlertState.ANSWERED:
                check_alert_move(AlertState(row.state), AlertState.ASSIGNED)
                row.state = AlertState.ASSIGNED
            work.act("operations.alert.assign", row.thing(), to=to, before=row.assignee)
            row.assignee, row.escalate_at = to, None
            tell(work, row, "assigned", to=to)
            return as_alert(work.session, row)

    def open_case(self, actor: Actor, id_: str, title: str, *, alike: bool = False) -> str:
        """Open a case from it, and with `alike` from all that stand with it; return the case's id.

        Args:
            title: one line; it names no person.
        """
        title = written(title, "The title", most=160)
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            rows = [row, *(members(work.session, row) if alike else ())]
            for each in rows:
                work.permit("operations.alert.open_case", each.thing())
            if row.case is not None:
                raise Conflict("A case was opened from it already.", advice="Open that case.")
            if row.state in (AlertState.CLOSING, AlertState.CLOSED):
                check_alert_move(AlertState(row.state), AlertState.ANSWERED)
            taken = [r for r in rows if r.case is None and r.state != AlertState.CLOSING]
            findings = work.session.scalars(
                select(AlertFindingRow.finding)
                .where(AlertFindingRow.alert.in_([r.id for r in taken]))
                .order_by(AlertFindingRow.at, AlertFindingRow.finding)
            ).all()
            case = self.cases.open_case(
                work,
                title=title,
                finding_ids=list(findings),
                alert_ids=[r.id for r in taken],
                seriousness=row.seriousness,
                lead_officer=actor.id,
                mark=Mark(row.mark),
            )
            for each in taken:
                each.case = case
                work.act("operations.alert.open_case", each.thing(), case=case)
                answer(work, each)
            tell(work, row, "case_opened", case=case)
            return case


def answer(work: Work, row: AlertRow, *, unit: str | None = None) -> None:
    """It counts as answered: a unit took the order, or a case was opened.

    What stands with it in the queue was in view when it was answered, and is answered with it;
    what comes later is raised anew.
    """
    for each in (row, *members(work.session, row)):
        if each.state not in UNANSWERED:
            continue
        thing = _held(each, unit)
        detail = {"with": row.id} if each is not row else {}
        work.act("operations.alert.answer", thing, **detail)
        each.state = AlertState.ANSWERED
        each.escalate_at, each.turns_at = None, work.now  # its points change with the next tick
        answered(work, each.thing())
        finding = work.session.get_one(FindingRow, each.finding)
        answered(work, finding.thing())


def unanswer(work: Work, row: AlertRow, rules: TriageRules, *, unit: str | None = None) -> None:
    """It is answered no longer: every unit that was sent declined or was called off.

    It and what was answered with it wait again, for the overseer as well.
    """
    for each in (row, *members(work.session, row)):
        if each.state != AlertState.ANSWERED or each.case is not None:
            continue
        if each is not row and taken_on(work.session, each.id):
            continue  # it has an answer of its own
        work.act("operations.alert.answer", _held(each, unit), no_longer=True)
        for lead_id in (each.id, each.finding):
            lead = work.session.get(LeadRow, lead_id, with_for_update=True)
            if lead is not None and lead.state == "answered":
                lead.state, lead.answered_at = "open", None
        _waits_again(work, each, rules)


def open_again(work: Work, row: AlertRow, rules: TriageRules, *, unit: str | None = None) -> None:
    """The last unit that was sent is not coming, and none had taken the order on: it is open again.

    An alert that an officer has stays with that officer.
    """
    if row.state == AlertState.ACKNOWLEDGED and not _under_way(work.session, row.id):
        work.act("operations.alert.answer", _held(row, unit), open_again=True)
        _waits_again(work, row, rules)


def seen_by_sending(work: Work, row: AlertRow) -> None:
    """Who sends a unit has seen what for: its clock of escalation stops."""
    if row.state == AlertState.OPEN:
        row.state = AlertState.ACKNOWLEDGED
        row.acknowledged_by, row.acknowledged_at = work.actor.id, work.now
        row.escalate_at = None
        tell(work, row, "acknowledged")


def _waits_again(work: Work, row: AlertRow, rules: TriageRules) -> None:
    """Where it stands now that no unit has its order: with its officer, with the units that have
    not said yet, or with nobody, so that its clock begins."""
    if row.assignee:
        row.state = AlertState.ASSIGNED
    elif _under_way(work.session, row.id):
        row.state = AlertState.ACKNOWLEDGED
    else:
        row.state = AlertState.OPEN
        start_clock(row, rules, work.now)
        tell(work, row, "open_again")
    row.turns_at = work.now  # its points change with the next tick


def _under_way(session: Session, alert: str) -> bool:
    """True where a unit was sent for this very alert and has neither ended nor declined."""
    query = select(TaskingRow.id).where(TaskingRow.alert == alert, TaskingRow.state.in_(UNDER_WAY))
    return session.scalars(query.limit(1)).first() is not None


def taken_on(session: Session, alert: str) -> bool:
    """True where a unit has taken an order for this very alert on, and was not called off."""
    query = select(TaskingRow.id).where(TaskingRow.alert == alert, TaskingRow.state.in_(TAKEN_ON))
    return session.scalars(query.limit(1)).first() is not None


def _held(row: AlertRow, unit: str | None) -> Thing:
    """The alert as held by the unit that was sent to it, whose field officer may answer it."""
    return Thing("alert", row.id, row.agency, Mark(row.mark), unit=unit and crew_of(unit))


def _waiting(view: View, alert: str) -> Waiting | None:
    row = view.session.scalars(
        select(ClosureRow).where(ClosureRow.lead == alert, ClosureRow.state == "waiting")
    ).first()
    if row is None:
        return None
    return Waiting(row.reason, row.note, row.asked_by, row.asked_unit)
