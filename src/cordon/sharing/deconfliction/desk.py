"""Planned acts of this agency: entered, moved, ended, and let go once nobody is in the way."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View, Work, personal_data
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.deconfliction import meeting
from cordon.sharing.deconfliction.asking import Asking, new_checks, wait_again
from cordon.sharing.deconfliction.kinds import Kind, read_kinds
from cordon.sharing.deconfliction.model import (
    LIVE,
    SHORTEST_WHY,
    ActState,
    ConflictState,
    Draft,
    Shown,
    draft,
    line,
)
from cordon.sharing.deconfliction.model import Conflict as Found
from cordon.sharing.deconfliction.settling import ALONE
from cordon.sharing.deconfliction.tables import (
    CheckRow,
    ConflictRow,
    PlannedActRow,
    SubjectTokenRow,
)
from cordon.sharing.deconfliction.tokens import ready_all, token_rows
from cordon.sharing.deconfliction.wire import Word
from cordon.sharing.hidden import known
from cordon.sharing.nodes.desk import Nodes

PAGE = 100
ENDED = "This act was cancelled or is over."
PAST = "Its time has passed."


class Deconfliction(Asking):
    """The desk of planned acts.

    Args:
        agreements: acts are checked with agencies where one in force names that.
        kinds: file of kinds of planned acts, or None for the built-in ones.
        zone: IANA name of the zone that times without one are in.
    """

    def __init__(
        self, kernel: Kernel, nodes: Nodes, agreements: Agreements, kinds: Path | None = None,
        zone: str = "UTC",
    ) -> None:  # fmt: skip
        super().__init__(kernel, nodes, agreements)
        self.kinds = read_kinds(kinds)
        self.zone = ZoneInfo(zone)

    def kind(self, name: str) -> Kind:
        """A kind of planned act; BadInput."""
        try:
            return self.kinds[name]
        except KeyError:
            raise BadInput(
                f"There is no kind of planned act named {name[:40]}.",
                advice="It is one of " + ", ".join(self.kinds) + ".",
            ) from None

    def add(self, actor: Actor, said: Draft) -> str:
        """Enter a planned act and check it with every agency; its id.

        It is kept before anybody is asked: of two that are entered at one moment at two nodes,
        the one that asks last finds the other.
        """
        said = self._draft(said)
        with self.kernel.work(actor) as work:
            if said.ends_before(work.now):
                raise BadInput("Its time has passed.", advice="Correct the two times.")
            self.kernel.rows.alone(work.session, ALONE)
            parties = self.parties.all()
            ready_all(work.session, parties)
            row = PlannedActRow(
                id=new_id(), agency=self.kernel.agency, created_at=work.now,
                ref=secrets.token_hex(16), state=ActState.PLANNED, revision=1, entered_by=actor.id,
                why="",
            )  # fmt: skip
            _fill(row, said)
            work.session.add(row)
            work.session.flush()
            rows = token_rows(row.id, said.subjects, parties)
            if rows:
                work.session.execute(insert(SubjectTokenRow), rows)
            work.session.execute(insert(CheckRow), new_checks(row.id, 1, parties))
            work.act(
                "sharing.planned_act.add", row.thing(), kind=said.kind,
                subjects=len(said.subjects), joint=bool(said.joint),
            )  # fmt: skip
            id_ = row.id
        self.check(actor, [id_])
        return id_

    def change(self, actor: Actor, id_: str, said: Draft) -> None:
        """Move an act or change what it concerns, and check it anew with every agency."""
        said = self._draft(said)
        with self.kernel.work(actor) as work:
            self.kernel.rows.alone(work.session, ALONE)
            parties = self.parties.all()
            ready_all(work.session, parties)
            row = self._live(work, id_, "sharing.planned_act.change")
            if Mark(row.mark).rank > said.mark.rank:
                raise BadInput("A planned act's mark is not loosened.", advice="Enter a new act.")
            row.revision += 1
            row.state = ActState.PLANNED  # it was let go as it was then
            _fill(row, said)
            work.session.execute(delete(SubjectTokenRow).where(SubjectTokenRow.act == row.id))
            rows = token_rows(row.id, said.subjects, parties)
            if rows:
                work.session.execute(insert(SubjectTokenRow), rows)
            wait_again(work.session, row, work.now)
            work.act("sharing.planned_act.change", row.thing(), revision=row.revision)
        self.check(actor, [id_])

    def recheck(self, actor: Actor, id_: str) -> None:
        """Ask every agency again, now."""
        with self.kernel.view(actor) as view:
            row = self._row(view, id_)
            view.permit("sharing.planned_act.check", row.thing())
        self.check(actor, [id_])

    def end(self, actor: Actor, id_: str, why: str, *, cancelled: bool = False) -> None:
        """Say that an act is over, or will not be; its conflicts are gone on both sides."""
        why = line(why, "The reason", 500, least=SHORTEST_WHY)
        with self.kernel.work(actor) as work:
            row = self._live(work, id_, "sharing.planned_act.end")
            self._end(work, row, ActState.CANCELLED if cancelled else ActState.DONE, why)

    def expire(self) -> None:
        """End acts whose time, with its buffer, has passed."""
        with self.kernel.rows.read() as session:
            now = self.kernel.clock.now()
            past = list(
                session.scalars(
                    select(PlannedActRow.id)
                    # what has ended has begun, which is what the index knows
                    .where(
                        PlannedActRow.state.in_(LIVE),
                        PlannedActRow.starts < now,
                        PlannedActRow.claim_end < now,
                    )
                    .limit(PAGE)
                )
            )
        if past:
            with self.kernel.work(self.kernel.node) as work:
                for id_ in past:
                    row = work.session.get_one(PlannedActRow, id_, with_for_update=True)
                    if row.state in LIVE:
                        self._end(work, row, ActState.DONE, PAST)

    def go(self, actor: Actor, id_: str) -> None:
        """Let an act begin.

        Raises:
            Conflict: somebody was not asked yet, or a conflict stands in its way; the message
                names both.
        """
        with self.kernel.work(actor) as work:
            self.kernel.rows.alone(work.session, ALONE)
            ready_all(work.session, self.parties.all())  # whom nobody has asked since it came
            row = self._live(work, id_, "sharing.planned_act.go")
            if row.state == ActState.GOING:
                raise Conflict("It was let go already.")
            shown = self._shown(work, row)
            if shown.unchecked or shown.blocking:
                said = [f"not checked with {c.party} yet" for c in shown.unchecked]
                said += [f"in conflict with {c.party} (ring {c.ring})" for c in shown.blocking]
                raise Conflict(
                    f"It may not begin: it is {'; '.join(said)}.",
                    advice="Solve it with the other agency, or have a commander go ahead over it.",
                )
            row.state = ActState.GOING
            over = [c.party for c in shown.conflicts if c.state == ConflictState.OVERRIDDEN]
            over += [c.party for c in shown.checks if c.at is None]
            work.act("sharing.planned_act.go", row.thing(), revision=row.revision, over=over)

    def override_checks(self, actor: Actor, id_: str, why: str, commander: str = "") -> list[str]:
        """Go ahead although agencies could not be asked, in a commander's name; their codes."""
        why = line(why, "The reason", 500, least=SHORTEST_WHY)
        who = line(commander or actor.name, "The commander's name", 80)
        with self.kernel.work(actor) as work:
            row = self._live(work, id_, "sharing.conflict.override")
            waiting = [c.party for c in self._shown(work, row).unchecked]
            if not waiting:
                raise Conflict("Every agency has answered.")
            for party in waiting:
                check = work.session.get_one(CheckRow, (row.id, party))
                check.overridden_by, check.overridden_why = who, why
            work.act(
                "sharing.conflict.override", row.thing(), unchecked=waiting, why=why, commander=who
            )
            return waiting

    # to be read

    def planned(self, actor: Actor, *, ended: bool = False, before: str = "") -> list[Shown]:
        """Acts with their checks and conflicts, without subjects; the next to begin first.

        Args:
            ended: those that are over instead, the last to be entered first. before: id of the
                last one of the page before.
        """
        query = select(PlannedActRow).where(
            PlannedActRow.state.not_in(LIVE) if ended else PlannedActRow.state.in_(LIVE)
        )
        if ended:
            query = query.order_by(PlannedActRow.id.desc())
            query = query.where(PlannedActRow.id < before) if before else query
        else:
            query = query.order_by(PlannedActRow.starts, PlannedActRow.id)
        with self.kernel.view(actor) as view:
            marks = [m for m in Mark if view.may("sharing.planned_act.view", self._any(m))]
            rows = view.session.scalars(query.where(PlannedActRow.mark.in_(marks)).limit(PAGE))
            agreed = self._agreed()
            return [self._shown(view, row, agreed) for row in rows]

    def conflicts(self, actor: Actor) -> list[Found]:
        """Conflicts of live acts that stand, the newest first."""
        with self.kernel.view(actor) as view:
            marks = [m for m in Mark if view.may("sharing.planned_act.view", self._any(m))]
            found = view.session.execute(
                select(ConflictRow, PlannedActRow.title)
                .join(PlannedActRow, PlannedActRow.id == ConflictRow.act)
                .where(ConflictRow.state != ConflictState.GONE, ConflictRow.mark.in_(marks))
                .order_by(ConflictRow.opened_at.desc(), ConflictRow.id)
                .limit(PAGE)
            ).all()
            return [row.to_conflict(title) for row, title in found]

    def show(self, actor: Actor, id_: str) -> Shown:
        """One act; a subject that is a person's is masked where no authority covers it."""
        with self.kernel.view(actor) as view:
            row = self._row(view, id_)
            shown = self._shown(view, row)
            subjects = []
            for data in sorted({personal_data(s) or "" for s in row.subjects}):
                of = [s for s in row.subjects if (personal_data(s) or "") == data]
                if data:
                    sight = view.sight("sharing.planned_act.view", row.thing(), data, of)
                    of = [sight.subject(s) for s in of]
                subjects += of
            return replace(shown, subjects=tuple(subjects), unagreed=tuple(self.parties.unagreed()))

    def _agreed(self) -> set[str]:
        return {p.code for p in self.parties.all()}

    def _shown(self, view: View, row: PlannedActRow, agreed: set[str] | None = None) -> Shown:
        agreed = self._agreed() if agreed is None else agreed
        checks = view.session.scalars(
            select(CheckRow).where(CheckRow.act == row.id).order_by(CheckRow.party)
        )
        found = view.session.scalars(
            select(ConflictRow).where(ConflictRow.act == row.id).order_by(ConflictRow.id)
        )
        known = [c.to_check() for c in checks if c.party in agreed]
        return Shown(row.to_act(), (), tuple(known), tuple(c.to_conflict(row.title) for c in found))

    def _any(self, mark: Mark) -> Thing:
        return Thing("planned_act", "-", self.kernel.agency, mark)

    def _draft(self, said: Draft) -> Draft:
        self.kind(said.kind)
        return draft(said)

    def _row(self, view: View, id_: str, *, lock: bool = False) -> PlannedActRow:
        row = view.session.get(PlannedActRow, id_, with_for_update=lock or None)
        thing = row.thing() if row is not None else None
        known(view, "sharing.planned_act.view", "planned_act", id_, thing)
        return view.session.get_one(PlannedActRow, id_)

    def _live(self, work: Work, id_: str, act: str) -> PlannedActRow:
        row = self._row(work, id_, lock=True)
        work.permit(act, row.thing())
        if row.state not in LIVE:
            raise Conflict("That act is over or was cancelled.", advice="Enter a new one.")
        return row

    def _end(self, work: Work, row: PlannedActRow, state: ActState, why: str) -> None:
        row.state, row.why = state, why
        work.act("sharing.planned_act.end", row.thing(), cancelled=state == ActState.CANCELLED)
        standing = meeting.standing(work.session, act=row.id)
        meeting.retire(work.session, standing, work.now, ENDED)
        work.session.flush()
        for c in standing:
            word = Word(c.ref, row.ref, c.their_revision, row.revision, "gone")
            self.tell(work, c.party, word)


def _fill(row: PlannedActRow, said: Draft) -> None:
    place = said.place
    buffer, days = timedelta(minutes=said.buffer_min), timedelta(days=said.subject_days)
    row.mark, row.kind, row.title = said.mark, said.kind, said.title
    row.lat, row.lon, row.radius_m, row.reach_m = (
        place.lat,
        place.lon,
        place.radius_m,
        place.reach_m,
    )
    row.area, row.cell = [list(c) for c in place.area], place.cell
    row.starts, row.ends = said.start, said.end
    row.claim_start, row.claim_end = said.start - buffer, said.end + buffer
    row.subject_start, row.subject_end = row.claim_start - days, row.claim_end + days
    row.buffer_min, row.subject_days = said.buffer_min, said.subject_days
    row.subjects, row.joint = list(said.subjects), said.joint
    row.commander, row.ring = said.commander, said.ring
