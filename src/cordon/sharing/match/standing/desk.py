"""The desk of standing questions: what a page shows of ours and theirs, and ringing."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.work import View
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.hearing import carefully
from cordon.sharing.match import forms
from cordon.sharing.match.holding import Holdings
from cordon.sharing.match.model import DATA, Kind, Purpose
from cordon.sharing.match.standing.asking import StandingAsking
from cordon.sharing.match.standing.keeping import Keeping
from cordon.sharing.match.standing.model import (
    KeptQuestion,
    Meeting,
    Standing,
    StandingState,
    standing_thing,
)
from cordon.sharing.match.standing.tables import (
    StandingKeptRow,
    StandingMetRow,
    StandingRow,
    StandingSeenRow,
)
from cordon.sharing.nodes.desk import Nodes

VIEW, RING = "sharing.match.view", "sharing.match.ring"
SHOWN = 100


class StandingDesk:
    """Standing questions of this agency, and of its peers.

    Args:
        holdings: what this agency holds.
    """

    def __init__(
        self, nodes: Nodes, sealing: Sealing, holdings: Holdings, agreements: Agreements
    ) -> None:
        self.kernel = nodes.kernel
        self.asking = StandingAsking(nodes, sealing, holdings.region, agreements)
        self.keeping = Keeping(nodes, sealing, holdings, agreements)
        nodes.on_asked("match.look", self.asking.evaluate)
        for kind, handler in (
            ("match.stand", self.keeping.stand), ("match.unstand", self.keeping.unstand),
            ("match.stood", self.asking.stood), ("match.met", self.asking.met),
        ):  # fmt: skip
            nodes.on_told(kind, carefully(kind, handler))

    def sweep(self) -> None:
        """End what is past its time on either side."""
        self.asking.sweep()
        self.keeping.sweep()

    def ours(self, actor: Actor) -> list[Standing]:
        """The newest questions of this agency; values that no authority covers are masked."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(StandingRow).order_by(StandingRow.id.desc()).limit(SHOWN)
            ).all()
            rows = [r for r in rows if view.may(VIEW, standing_thing(r.id, r.agency))]
            shown = self._shown(view, [(Kind(r.kind), self.asking.value(r)) for r in rows])
            looked = self.asking.looked(view.session, {(r.peer, r.kind) for r in rows})
            met = Counter(
                view.session.scalars(
                    select(StandingMetRow.ours).where(StandingMetRow.ours.in_([r.id for r in rows]))
                )
            )
            return [
                Standing(
                    r.id, r.agency, r.peer, Kind(r.kind), Purpose(r.purpose), r.authority, r.why,
                    r.by, r.created_at, r.until, StandingState(r.state), r.said, text, hidden,
                    looked.get((r.peer, r.kind)), met[r.id],
                )
                for r, (text, hidden) in zip(rows, shown, strict=True)
            ]  # fmt: skip

    def theirs(self, actor: Actor) -> list[KeptQuestion]:
        """Questions of peers that stand here; nobody here can see what they are about."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(StandingKeptRow)
                .where(StandingKeptRow.over == "", StandingKeptRow.until > view.now)
                .order_by(StandingKeptRow.id.desc())
                .limit(SHOWN)
            ).all()
            seen = {
                (p, k): at
                for p, k, at in view.session.execute(
                    select(StandingSeenRow.peer, StandingSeenRow.kind, StandingSeenRow.looked_at)
                )
            }
            met = dict(
                view.session.execute(
                    select(StandingMetRow.kept, func.count())
                    .where(StandingMetRow.kept.is_not(None))
                    .group_by(StandingMetRow.kept)
                ).all()
            )
            return [
                KeptQuestion(
                    r.peer, Kind(r.kind), r.purpose, r.authority, r.contact, r.created_at, r.until,
                    seen.get((r.peer, r.kind)), met.get(r.id, 0),
                )
                for r in rows
            ]  # fmt: skip

    def met(self, actor: Actor) -> list[Meeting]:
        """What was met of late, of either side's questions; values are masked as in `ours`."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.execute(
                select(StandingMetRow, StandingRow, StandingKeptRow)
                .outerjoin(StandingRow, StandingRow.id == StandingMetRow.ours)
                .outerjoin(StandingKeptRow, StandingKeptRow.id == StandingMetRow.kept)
                .order_by(StandingMetRow.id.desc())
                .limit(SHOWN)
            ).all()
            shown = self._shown(
                view,
                [
                    (Kind((ours or kept).kind), self.asking.value(ours) if ours else met.value)
                    for met, ours, kept in rows
                ],
            )
            return [
                Meeting(
                    met.id, ours is not None, (ours or kept).peer, Kind((ours or kept).kind), text,
                    hidden, met.contact, met.created_at, met.rung_at, met.note,
                )
                for (met, ours, kept), (text, hidden) in zip(rows, shown, strict=True)
            ]  # fmt: skip

    def _shown(self, view: View, values: list[tuple[Kind, str]]) -> list[tuple[str, bool]]:
        """Each value as this reader may see it, and whether it is masked; readings are entered."""
        subjects: dict[str, list[str]] = {}
        for kind, value in values:
            data = DATA[kind]
            if data is not None and value:
                subjects.setdefault(data, []).append(forms.subject_of(kind, value))
        thing = standing_thing("standing", self.kernel.agency)
        sights = {d: view.sight(VIEW, thing, d, those) for d, those in subjects.items()}
        found = []
        for kind, value in values:
            data = DATA[kind]
            clear = data is None or not value or sights[data].shows(forms.subject_of(kind, value))
            masked = self.kernel.masker.pseudonym(kind.value, value) if not clear else value
            found.append((masked, not clear))
        return found

    def rung(self, actor: Actor, met: str, note: str) -> None:
        """Note that the other agency was rung, and what came of it."""
        note = " ".join(note.split())
        if not note or len(note) > 500:
            raise BadInput("Write in 1 to 500 characters what came of it.")
        with self.kernel.work(actor) as work:
            row = work.session.get(StandingMetRow, met[:36], with_for_update=True)
            if row is None:
                raise NotFound("There is no such hit.", advice="See cordon match standing.")
            thing = standing_thing(row.ours or row.kept or row.id, row.agency)
            work.act(RING, thing, hit=row.id, standing=True)
            row.rung_at, row.rung_by, row.note = work.now, actor.id, note

    def _room(self) -> Thing:
        return Thing.room("sharing", self.kernel.agency)
