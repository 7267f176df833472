"""Plays of crews on a node: starting, stopping, going on, and how they were dispatched."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.exercise.crews.model import Answered, Crew, Rule, Scored, scored
from cordon.exercise.crews.nature import Nature
from cordon.exercise.crews.playing import Hears, Play, Sends, Ticked, crew_of_unit, watch_actor
from cordon.exercise.crews.values import Values, values
from cordon.exercise.tables import CrewAnswerRow, CrewPlayRow
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View
from cordon.operations import Unit

log = logging.getLogger(__name__)
MARK = Mark.GREEN
VIEW, PLAY, STOP = "exercise.crews.view", "exercise.crews.play", "exercise.crews.stop"
EVERY_S = 0.25  # real seconds between two ticks while something plays
IDLE_S = 2.0  # between two looks for a play that another process began
MOST_PLAYS, MOST_ANSWERS = 10, 500  # that a page shows
MOST_SEED = 2**31 - 1


class Fleet(Sends, Protocol):
    """Operations, and the units that may be played."""

    def units(self, actor: Actor) -> list[Unit]: ...


@dataclass(frozen=True, slots=True)
class PlayView:
    """A play as pages show it.

    Attributes:
        units: their codes. answers: the newest first, those that the reader may see.
    """

    id: str
    seed: int
    rule: Rule
    state: str
    begins: datetime
    units: tuple[str, ...]
    answers: tuple[Answered, ...]
    score: Scored


class Crews:
    """Plays of one node: one plays at a time.

    Args:
        use: what units are like, else what the package brings.
    """

    def __init__(
        self, kernel: Kernel, operations: Fleet, field: Hears, use: Values | None = None
    ) -> None:
        self.kernel, self._operations, self._field = kernel, operations, field
        self._values = use or values()
        self._plays: dict[str, Play] = {}
        self._lock = threading.Lock()
        self._wake, self._ends = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    # what a director does

    def start(
        self, actor: Actor, units: Sequence[str], *, seed: int = 1, rule: Rule = Rule.PEOPLE
    ) -> str:
        """Let the exercise play the crews of these units from now on; return the play's id.

        Args:
            units: their codes. rule: who sends them.

        Raises:
            BadInput: no unit, one that there is not, or one without a position. Conflict: one
                plays already.
        """
        if not 0 <= seed <= MOST_SEED:
            raise BadInput("That is no seed.", advice=f"Give a whole number, 0 to {MOST_SEED:,}.")
        with self.kernel.work(actor) as work:
            id_, now = new_id(), work.now
            thing = Thing("play", id_, self.kernel.agency, MARK)
            work.permit(PLAY, thing)
            self._alone(work)
            found = self._chosen(units)
            crews = [
                crew_of_unit(u, Nature(seed, u.code, u.kind, u.speed_kn, self._values))
                for u in found
            ]
            work.act(PLAY, thing, seed=seed, rule=rule.value, units=[u.code for u in found])
            work.session.add(
                CrewPlayRow(
                    id=id_, agency=self.kernel.agency, mark=MARK, created_at=now, seed=seed,
                    rule=rule.value, state="playing", begins=now,
                    held={"crews": [c.to_dict() for c in crews], "alerts": {}},
                )
            )  # fmt: skip
        self._wake.set()
        return id_

    def stop(self, actor: Actor, id_: str) -> None:
        """Let the crews say nothing more, until `go_on`."""
        with self._lock, self.kernel.work(actor) as work:
            row = self._row(work.session, id_)
            work.act(STOP, row.thing())
            row.state = "stopped"
            self._plays.pop(id_, None)

    def go_on(self, actor: Actor, id_: str) -> None:
        """Let a stopped play go on. What its crews did meanwhile comes now, late, as from phones
        that had no signal.

        Raises:
            Conflict: another plays.
        """
        with self.kernel.work(actor) as work:
            row = self._row(work.session, id_)
            work.act(PLAY, row.thing(), again=True)
            if row.state != "playing":
                self._alone(work)
            row.state = "playing"
        self._wake.set()

    def known(self, actor: Actor) -> list[tuple[str, str]]:
        """Units that can be played: code and name."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self.room())
        units = self._operations.units(watch_actor(self.kernel.agency))
        return [(u.code, u.name) for u in units if u.position is not None]

    def plays(self, actor: Actor) -> list[PlayView]:
        """Plays, the newest first, each with its score as it stands now."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self.room())
            rows = view.session.scalars(
                select(CrewPlayRow).order_by(CrewPlayRow.id.desc()).limit(MOST_PLAYS)
            )
            return [_view(view, row) for row in rows if view.may(VIEW, row.thing())]

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let this pass, for what a page offers."""
        return self.kernel.gate.decide(actor, act, self.room()).allowed

    def room(self) -> Thing:
        """The room as policies see it."""
        return Thing.room("exercise", self.kernel.agency)

    def _chosen(self, codes: Sequence[str]) -> list[Unit]:
        known = {u.code: u for u in self._operations.units(watch_actor(self.kernel.agency))}
        if not codes:
            raise BadInput("No unit was chosen.", advice="Choose the units that are played.")
        missing = sorted({c for c in codes if c not in known})
        if missing:
            raise BadInput(f"There is no unit {', '.join(missing)[:200]}.")
        bare = sorted({c for c in codes if known[c].position is None})
        if bare:
            raise BadInput(
                f"Nothing is known of where {', '.join(bare)[:200]} is.",
                advice="Give it a position first, or leave it out.",
            )
        return [known[c] for c in sorted(set(codes))]

    def _alone(self, view: View) -> None:
        playing = select(CrewPlayRow.id).where(CrewPlayRow.state == "playing").limit(1)
        if view.session.scalar(playing) is not None:
            raise Conflict("Crews are played already.", advice="Stop that play first.")

    def _row(self, session: Session, id_: str) -> CrewPlayRow:
        row = session.get(CrewPlayRow, id_, with_for_update=True)
        if row is None:
            raise NotFound("There is no such play of crews.")
        return row

    # playing

    def tick(self) -> int:
        """Let the crews of what is playing do what is due; return how many plays there are."""
        with self._lock:
            with self.kernel.rows.read() as session:
                rows = session.scalars(select(CrewPlayRow).where(CrewPlayRow.state == "playing"))
                some = [(row.id, self._plays.get(row.id) or self._read(row)) for row in rows]
            self._plays = dict(some)
            for _, play in some:
                before = _packed(play)
                done = play.tick()
                after = _packed(play)
                if done.sendings or done.reached or after != before:
                    self._keep(play, done, after)
            return len(some)

    def _read(self, row: CrewPlayRow) -> Play:
        return Play(
            row.id, row.seed, row.begins, Rule(row.rule),
            [Crew.from_dict(c) for c in row.held["crews"]], dict(row.held["alerts"]),
            agency=self.kernel.agency, clock=self.kernel.clock, values=self._values,
            operations=self._operations, field_=self._field,
        )  # fmt: skip

    def _keep(self, play: Play, done: Ticked, held: dict[str, Any]) -> None:
        with self.kernel.work(self.kernel.node) as work:
            self._row(work.session, play.id).held = held
            for one in done.sendings:
                work.session.add(
                    CrewAnswerRow(
                        id=new_id(), agency=self.kernel.agency, mark=one.mark,
                        created_at=work.now, play=play.id, alert=one.alert, kind=one.kind,
                        opened_at=one.opened_at, sent_at=one.sent_at, sent=one.sent,
                        best=one.best, best_s=_finite(one.best_s),
                        first=one.first, first_s=_finite(one.first_s),
                    )
                )  # fmt: skip
            work.session.flush()
            for alert, code, moment in done.reached:
                row = work.session.scalar(
                    select(CrewAnswerRow).where(
                        CrewAnswerRow.play == play.id, CrewAnswerRow.alert == alert
                    )
                )
                if row is not None and row.made_s is None:
                    row.made_by, row.made_s = code, (moment - row.sent_at).total_seconds()

    def run(self) -> None:
        """Tick in a thread of its own until `end`; what played when the node ended goes on."""
        self._thread = threading.Thread(target=self._run, name="crews", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """The node ends: the thread does too. What plays goes on after the next start."""
        self._ends.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ends.is_set():
            playing = 0
            try:
                playing = self.tick()
            except Exception:  # the crews go on when the store is back
                log.exception("the crews of the exercise could not be played")
            self._wake.wait(EVERY_S if playing else IDLE_S)
            self._wake.clear()


def _packed(play: Play) -> dict[str, Any]:
    return {
        "crews": [crew.to_dict() for crew in play.crews.values()], "alerts": dict(play.alerts),
    }  # fmt: skip


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _view(view: View, row: CrewPlayRow) -> PlayView:
    crews = [Crew.from_dict(c) for c in row.held["crews"]]
    going = {c.trip.alert for c in crews if c.trip is not None}
    answers = view.session.scalars(
        select(CrewAnswerRow)
        .where(CrewAnswerRow.play == row.id)
        .order_by(CrewAnswerRow.sent_at.desc(), CrewAnswerRow.id.desc())
        .limit(MOST_ANSWERS)
    )
    shown = tuple(
        Answered(
            a.alert, a.kind, a.opened_at, a.sent_at, a.sent, a.made_by, a.made_s, a.best, a.best_s,
            a.first, a.first_s, over=a.alert not in going,
        )
        for a in answers
        if view.may(VIEW, a.thing())
    )  # fmt: skip
    return PlayView(
        row.id, row.seed, Rule(row.rule), row.state, row.begins, tuple(c.code for c in crews),
        shown, scored(shown),
    )  # fmt: skip
