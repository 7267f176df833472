"""Writing a hand-over, signing for it, and what passes from one officer to the next with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.ids import new_id
from cordon.kernel.work import View, Work
from cordon.operations.base import SHORTEST_NOTE, alert_row, written
from cordon.operations.handover.reading import Told, told_of
from cordon.operations.handover.tables import HandoverRow
from cordon.operations.handover.watches import Span, Watch, spans
from cordon.operations.measures.reading import in_zones, served
from cordon.operations.model import UNANSWERED, AlertState
from cordon.operations.people import TAKES, TakenFirst
from cordon.operations.service import Operations
from cordon.operations.tables import AlertRow
from cordon.operations.triage.score import rescore
from cordon.operations.triage.watching import start_clock

VIEW, WRITE = "operations.handover.view", "operations.handover.write"
ASSIGN = "operations.alert.assign"
ACCEPT, PRINT = "operations.handover.accept", "operations.handover.print"
LISTED = 20
LIVE = (*UNANSWERED, AlertState.ANSWERED, AlertState.CLOSING)

Sectors = Callable[[Actor], Mapping[str, str]]
"""Names of the patrol sectors by the id of their zone, as an officer may see them."""


def nowhere(_actor: Actor) -> Mapping[str, str]:
    """No patrol sectors."""
    return {}


Down = Callable[[], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Handover:
    """A hand-over as it is kept. Columns as in `tables.HandoverRow`."""

    id: str
    agency: str
    mark: Mark
    watch: str
    starts: datetime
    ends: datetime
    outgoing: str
    summary: str
    told: dict[str, Any]
    written_at: datetime
    incoming: str | None
    accepted_at: datetime | None
    passed: dict[str, Any]
    replaced: bool

    @property
    def waits(self) -> bool:
        """True while nobody has signed for it."""
        return self.accepted_at is None and not self.replaced

    def thing(self) -> Thing:
        """The hand-over as policies see it."""
        return Thing("handover", self.id, self.agency, self.mark)


class HandoverDesk:
    """Hand-overs of one node.

    Args:
        room: alerts, taskings and units. zone: the country's own time. watches: in the order in
            which they begin. down: feeds that do not deliver, as (name, state). sectors: the zones
        of the node that are patrol sectors.
    """

    def __init__(
        self,
        room: Operations,
        zone: str,
        watches: Sequence[Watch],
        down: Down = lambda: (),
        sectors: Sectors = nowhere,
    ) -> None:
        self._sectors = sectors
        self.room, self.kernel = room, room.kernel
        self.zone, self.watches, self._down = ZoneInfo(zone), tuple(watches), down

    def spans(self) -> tuple[Span, Span]:
        """The watch that runs now, and the one before it."""
        return spans(self.watches, self.zone, self.kernel.clock.now())

    def now(self, actor: Actor, since: datetime) -> Told:
        """What would be handed over now, of a watch that began then, as the reader may see it."""
        down = self._down()
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            return told_of(self.room, view, since, down)

    def offered(self, actor: Actor, watch: Watch) -> list[str]:
        """Sectors of which one alone can be handed over: those of the watch, else all."""
        return sorted(watch.sectors or {*self._sectors(actor).values()})

    def write(
        self, actor: Actor, summary: str, *, previous: bool = False, sector: str = ""
    ) -> Handover:
        """Write down what stands, with a summary; what one wrote before and nobody signed for is
        replaced: of the same sector, or all of it by a hand-over of all.

        Args:
            previous: it is of the watch that ended, not of the one that runs now.
            sector: hand over this sector alone, by its name; all where empty.
        """
        summary = written(summary, "The summary", least=SHORTEST_NOTE)
        span, down, zones = self.spans()[previous], self._down(), self._sectors(actor)
        if sector and sector not in self.offered(actor, span.watch):
            raise BadInput("The watch has no such sector.", advice="Choose one of the list.")
        with self.kernel.work(actor) as work:
            work.permit(WRITE, self._room())
            told = told_of(self.room, work, span.starts, down)
            if sector:
                told = told.only(of_sector(work, zones, sector))
            mark = strictest(a.mark for a in (*told.open, *told.closing))
            row = HandoverRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=mark,
                created_at=work.now,
                watch=span.watch.name,
                starts=span.starts,
                ends=span.ends,
                outgoing=actor.id,
                summary=summary,
                told={**told.as_json(), "sector": sector},
                replaced=False,
            )
            before = select(HandoverRow).where(
                HandoverRow.outgoing == actor.id,
                HandoverRow.accepted_at.is_(None),
                HandoverRow.replaced.is_(False),
            )
            for old in work.session.scalars(before.with_for_update()):
                old.replaced = not sector or old.told.get("sector", "") == sector
            work.act(
                WRITE, row.thing(), watch=row.watch, open=len(told.open), sector=sector or None
            )
            work.session.add(row)
            work.session.flush()
            return _as_handover(row)

    def accept(self, actor: Actor, id_: str) -> Handover:
        """Sign for it. Every alert that the outgoing officer has passes to the one who signs;
        what that officer may not have is nobody's again, and its clock begins. Of a hand-over of
        one sector only the alerts of that sector pass.

        Raises:
            Refused: one's own. TakenFirst: another was quicker. Conflict: it was replaced.
        """
        zones = self._sectors(self.kernel.node)  # what passes is no matter of who signs
        with self.kernel.work(actor) as work:
            row = work.session.get(HandoverRow, id_, with_for_update=True, populate_existing=True)
            if row is None:
                raise _unknown()
            work.permit(ACCEPT, row.thing())
            if row.outgoing == actor.id:
                raise Refused("You wrote it.", advice="Whoever comes on watch signs for it.")
            if row.incoming is not None and row.accepted_at is not None:
                raise TakenFirst(
                    f"It was signed for at {format_time(row.accepted_at)}.", row.incoming,
                    advice="Look at what is yours in the queue.",
                )  # fmt: skip
            if row.replaced:
                raise Conflict("It was written anew.", advice="Sign for the newer one.")
            known = {a["id"] for a in (*row.told["open"], *row.told["closing"])}
            sector = row.told.get("sector", "")
            ids = of_sector(work, zones, sector) if sector else None
            passed, nobody = self._pass_over(work, row, ids)
            now = told_of(self.room, work, row.starts, ())
            if ids is not None:
                now = now.only(ids)
            since = [a for a in (*now.open, *now.closing) if a.id not in known]
            row.incoming, row.accepted_at = actor.id, work.now
            row.passed = {
                "alerts": passed, "nobody": nobody, "since": [a.as_json() for a in since],
            }  # fmt: skip
            work.act(ACCEPT, row.thing(), passed=len(passed), nobody=len(nobody), since=len(since))
            row.mark = strictest([Mark(row.mark), *(a.mark for a in since)])
            work.session.flush()
            return _as_handover(row)

    def _pass_over(
        self, work: Work, handover: HandoverRow, ids: frozenset[str] | None
    ) -> tuple[list[str], list[str]]:
        """Ids of the alerts that the incoming officer has now, and of those that nobody has.

        Args:
            ids: of these alerts alone, or of all.
        """
        outgoing = handover.outgoing
        query = select(AlertRow.id).where(
            AlertRow.assignee == outgoing,
            AlertRow.state.in_(LIVE),
            AlertRow.agency == self.kernel.agency,
        )
        officer = work.session.get(OfficerRow, work.actor.id)
        taker = work.actor if officer is None else officer.to_officer().actor()
        passed: list[str] = []
        nobody: list[str] = []
        for id_ in work.session.scalars(query.order_by(AlertRow.id)).all():
            if ids is not None and id_ not in ids:
                continue
            row = alert_row(work.session, id_, lock=True)
            if row.assignee != outgoing or row.state not in LIVE:
                continue  # somebody acted on it meanwhile
            may = self.kernel.gate.decide(taker, TAKES, row.thing()).allowed
            row.assignee = work.actor.id if may else None
            (passed if may else nobody).append(id_)
            if may:
                work.act(
                    ASSIGN, row.thing(), to=row.assignee, before=outgoing, handover=handover.id
                )
                payload = {"alert": id_, "to": work.actor.id}
                work.emit("operations.alert.assigned", payload, Mark(row.mark))
                continue
            # under the hand-over: the one who signs may do nothing with the alert itself
            work.act(ACCEPT, handover.thing(), nobody=id_, before=outgoing)
            if row.state == AlertState.ASSIGNED:
                row.state = AlertState.OPEN
                start_clock(row, self.room.triage, work.now)
                rescore(row, self.room.triage, work.now)
        return passed, nobody

    def handover(self, actor: Actor, id_: str) -> Handover:
        """One hand-over; NotFound."""
        with self.kernel.view(actor) as view:
            row = view.session.get(HandoverRow, id_)
            if row is None:
                raise _unknown()
            view.permit(VIEW, row.thing())
            return _as_handover(row)

    def handovers(self, actor: Actor) -> list[Handover]:
        """The last ones, the newest first, as the reader may see them."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            query = (
                select(HandoverRow)
                .where(HandoverRow.agency == self.kernel.agency)
                .where(HandoverRow.mark.in_(_marks(view, self.kernel.agency)))
                .order_by(HandoverRow.id.desc())
                .limit(LISTED)
            )
            return [_as_handover(row) for row in view.session.scalars(query)]

    def pdf(self, actor: Actor, id_: str) -> tuple[str, bytes]:
        """A hand-over printed, and its file's name; that it was taken out is entered."""
        from cordon.kernel.printing import pdf  # typst takes a while to load
        from cordon.operations.handover.printed import values

        with self.kernel.work(actor) as work:
            row = work.session.get(HandoverRow, id_)
            if row is None:
                raise _unknown()
            work.act(PRINT, row.thing(), watch=row.watch)
            shown = _as_handover(row)
        names = self.room.names([shown.outgoing, shown.incoming])
        name = f"handover-{shown.written_at:%Y%m%d-%H%M}.pdf"
        return name, pdf("cordon.operations", "handover.typ", values(shown, names, self.zone))

    def may(self, actor: Actor, act: str, thing: Thing | None = None) -> bool:
        """Whether the gate would let an act pass; nothing is recorded."""
        return self.kernel.gate.decide(actor, act, thing or self._room()).allowed

    def _room(self) -> Thing:
        return Thing.room("operations", self.kernel.agency)


def of_sector(view: View, zones: Mapping[str, str], sector: str) -> frozenset[str]:
    """Ids of the alerts of a sector that are not closed, told as the measures tell it: the patrol
    sector that the finding names, else that of the unit that was sent first."""
    ids = select(AlertRow.id).where(AlertRow.state.in_(LIVE))
    named = {**served(view.session, ids), **in_zones(view.session, ids, zones)}
    return frozenset(alert for alert, name in named.items() if name == sector)


def strictest(marks: Iterable[Mark]) -> Mark:
    """The strictest of some handling marks, TLP:GREEN at least."""
    return max((Mark.GREEN, *marks), key=lambda m: m.rank)


def _marks(view: View, agency: str) -> list[str]:
    return [m.value for m in Mark if view.may(VIEW, Thing("handover", "-", agency, m))]


def _unknown() -> NotFound:
    return NotFound("There is no such hand-over.", advice="Go back to the list.")


def _as_handover(row: HandoverRow) -> Handover:
    return Handover(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        watch=row.watch,
        starts=row.starts,
        ends=row.ends,
        outgoing=row.outgoing,
        summary=row.summary,
        told=row.told,
        written_at=row.created_at,
        incoming=row.incoming,
        accepted_at=row.accepted_at,
        passed=row.passed or {"alerts": [], "nobody": [], "since": []},
        replaced=row.replaced,
    )
