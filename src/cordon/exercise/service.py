"""What the room does on a node: play a world on the production path, and score what was found."""

from __future__ import annotations

import csv
import io
import logging
import shutil
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select

from cordon.exercise.model import Truth, read_played, read_truths
from cordon.exercise.pieces import Pieces, header_of, read_rows
from cordon.exercise.playing import Player, moved_rows, read_log, shifted
from cordon.exercise.score import KindScore, score
from cordon.exercise.tables import RunRow
from cordon.exercise.worlds import world
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.leads import KeptFinding, list_findings
from cordon.kernel.work import Kernel

log = logging.getLogger(__name__)
MARK = Mark.GREEN
FEED = "exercise"
CUT_SHORT = "cut short"
"""State of an exercise whose node ended while it was played."""

RECORDS = (
    ("calls", "cells", ()),
    ("calls", "subscribers", ("activated",)),
    ("calls", "calls", ("start",)),
    ("calls", "complaints", ("received", "occurred")),
    ("money", "accounts", ("opened",)),
    ("money", "payments", ("at",)),
)
"""Files of a world that are records of people: the room that reads each, its kind, its times."""

MOST_FINDINGS = 2000  # looked at for one score


class Pictured(Protocol):
    """What this room needs of the picture: its face for files, zones and feeds."""

    def put_zones(self, actor: Actor, data: bytes) -> int: ...
    def ask_import(self, actor: Actor, source: Any, name: str) -> str: ...
    def add_feed(self, actor: Actor, name: str, url: str) -> str: ...
    def stop_feed(self, actor: Actor, feed: str) -> None: ...
    def end_feed(self, name: str) -> datetime | None: ...


class Records(Protocol):
    """What this room needs of the rooms of calls and of money: their faces for files."""

    def ask_import(self, actor: Actor, source: Any, name: str, *, kind: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played.

    Attributes:
        seed, days, scale: of the world, see `model.World`.
        lead: how long the live part begins before the chosen event is first heard; what lies
            before it is brought in as a file at once.
        event: kind of the planted event that the live part begins before, the last of its kind.
    """

    world: str = "watch"
    seed: int = 7
    days: float = 2.0
    scale: float = 1.0
    lead: timedelta = timedelta(minutes=8)
    event: str = "picture.zone_entry"


@dataclass(frozen=True, slots=True)
class Run:
    """An exercise as pages show it.

    `score` is what was found so far, by kind: the fields of `KindScore`, and `looked_for`, false
    where no detector of this node looks for the kind.
    """

    id: str
    world: str
    seed: int
    days: float
    scale: float
    state: str
    begins: datetime
    ended_at: datetime | None
    planted: int
    due: int
    score: dict[str, Any]


@dataclass(slots=True)
class _Playing:
    """What sends a world that is playing: its sentences and the feed that reads them, its rows."""

    player: Player | None = None
    feed: str = ""
    pieces: Pieces | None = None

    @property
    def ended(self) -> bool:
        """Whether all was sent."""
        return all(s.ended.is_set() for s in (self.player, self.pieces) if s is not None)

    def stop(self) -> None:
        """Send no more."""
        for sender in (self.player, self.pieces):
            if sender is not None:
                sender.stop()

    def join(self) -> None:
        """Wait until nothing is being sent."""
        for sender in (self.player, self.pieces):
            if sender is not None:
                sender.join(timeout=5)


class Exercise:
    """Exercises of one node.

    Args:
        folder: where worlds are written while they are played.
        looked_for: the kinds of finding that a detector of this node looks for.
    """

    def __init__(
        self, kernel: Kernel, picture: Pictured, folder: Path, *, looked_for: Collection[str]
    ) -> None:
        self.kernel = kernel
        self._looked_for = frozenset(looked_for)
        self._picture = picture
        self._folder = folder
        self._players: dict[str, _Playing] = {}
        self._lock = threading.Lock()

    def start(self, actor: Actor, plan: Plan) -> str:
        """Generate a world, bring its past in as a file, and play the rest live; return its id.

        Raises:
            Conflict: one is playing already.
        """
        with self._lock:
            if any(not playing.ended for playing in self._players.values()):
                raise Conflict("An exercise is playing already.", advice="Stop it first.")
            id_ = new_id()
            with self.kernel.work(actor) as work:
                work.act(
                    "exercise.run.start", self._room(), run=id_, world=plan.world, seed=plan.seed
                )
            folder = self._folder / id_
            world(plan.world).generate(plan.seed, plan.days, plan.scale, folder)
            truths = list(read_truths(folder / "truth.jsonl"))
            if not truths:
                shutil.rmtree(folder, ignore_errors=True)
                raise BadInput(
                    "Nothing that could be told happens in so small a world.",
                    advice="Take more days or a larger size.",
                )
            now = self.kernel.clock.now()
            shift = now - (_live_event(folder, truths, plan.event) - plan.lead)
            of_records = _records_shift(folder, now)
            planted = [
                _moved(t, shift if t.kind.startswith("picture.") else of_records) for t in truths
            ]
            with self.kernel.work(actor) as work:
                work.session.add(
                    RunRow(
                        id=id_,
                        agency=self.kernel.agency,
                        mark=MARK,
                        created_at=work.now,
                        world=plan.world,
                        seed=plan.seed,
                        days=plan.days,
                        scale=plan.scale,
                        state="playing",
                        begins=now,
                        shift_s=shift.total_seconds(),
                        truth=[t.to_dict() for t in planted],
                    )
                )
                work.act(
                    "exercise.run.start",
                    Thing("exercise", id_, self.kernel.agency, MARK),
                    planted=len(planted),
                )
            self._play(actor, id_, folder, shift, now)
        return id_

    def _play(self, actor: Actor, id_: str, folder: Path, shift: timedelta, now: datetime) -> None:
        """Bring in what of a world lies before now, and let the rest come in its time: AIS
        sentences over a feed, other positions as files. A world need not have either."""
        zones, ais, table = (
            folder / name for name in ("zones.geojson", "ais.nmea", "positions.csv")
        )
        if zones.exists():
            self._picture.put_zones(actor, zones.read_bytes())
        playing = self._players[id_] = _Playing()
        if ais.exists():
            self._sentences(actor, id_, ais, shift, now, playing)
        if header := header_of(table):
            rows = read_rows(table, shift, beside_ais=ais.exists())
            name = f"exercise-{id_}"
            pieces = Pieces(
                header,
                rows,
                self.kernel.clock,
                lambda source, called: self._picture.ask_import(actor, source, called),
                name,
            )
            if (past := pieces.past(now)) is not None:
                self._picture.ask_import(actor, past, f"{name}.csv")
            pieces.start()
            playing.pieces = pieces

    def _sentences(
        self,
        actor: Actor,
        id_: str,
        log_: Path,
        shift: timedelta,
        now: datetime,
        playing: _Playing,
    ) -> None:
        lines = ((at + shift, shifted(line, shift)) for at, line in read_log(log_))
        past = io.BytesIO()
        rest: tuple[datetime, bytes] | None = None
        for at, line in lines:
            if at > now:
                rest = (at, line)
                break
            past.write(line + b"\n")
        if past.tell():
            past.seek(0)
            self._picture.ask_import(actor, past, f"exercise-{id_}.nmea")
        player = Player(_with(rest, lines), self.kernel.clock)
        player.start()
        playing.player = player
        playing.feed = self._picture.add_feed(actor, _feed(id_), player.url)

    def bring_records(self, actor: Actor, rooms: Mapping[str, Records]) -> list[str]:
        """Bring the records of people of the exercise that is playing in, under the actor's
        authority; return the jobs' ids.

        Args:
            rooms: who reads them, by the names in `RECORDS`.
        """
        with self._lock:
            playing = list(self._players)
        with self.kernel.rows.read() as session:
            begins = {id_: session.get_one(RunRow, id_).begins for id_ in playing}
        jobs = []
        for id_, now in begins.items():
            folder = self._folder / id_
            shift = _records_shift(folder, now)
            for room, kind, times in RECORDS:
                for file in (folder / f"{kind}.csv", folder / f"{kind}.parquet"):
                    if room in rooms and file.exists():
                        source = io.BytesIO(moved_rows(file, times, shift))
                        name = f"exercise {file.name}"
                        jobs.append(rooms[room].ask_import(actor, source, name, kind=kind))
        return [job for job in jobs if job]

    def stop_run(self, actor: Actor, id_: str) -> None:
        """Stop playing; what was found so far is scored."""
        with self.kernel.work(actor) as work:
            row = work.session.get(RunRow, id_)
            if row is None:
                raise NotFound("There is no such exercise.")
            work.act("exercise.run.stop", row.thing())
            row.state, row.ended_at = "ended", work.now
        self._end(actor, id_)

    def _end(self, actor: Actor, id_: str) -> None:
        playing = self._players.pop(id_, None)
        if playing is not None:
            playing.stop()
            if playing.feed:
                self._picture.stop_feed(actor, playing.feed)
            playing.join()
        shutil.rmtree(self._folder / id_, ignore_errors=True)

    def stop(self) -> None:
        """The node ends: send no more. What was playing is cut short, by the next start at last."""
        with self._lock:
            players = dict(self._players)
        for playing in players.values():
            playing.stop()
        if players:
            with self.kernel.rows.write() as session:
                now = self.kernel.clock.now()
                for id_ in players:
                    session.get_one(RunRow, id_).ended_at = now

    def cut_short(self) -> list[str]:
        """What was playing when this node ended before: it is over; return the ids.

        Before feeds are connected: what its feed read is there no more. Where the node was killed,
        a run ended when its feed was last heard.
        """
        with self.kernel.rows.read() as session:
            asked = select(RunRow.id).where(RunRow.state == "playing")
            left = [id_ for id_ in session.scalars(asked) if id_ not in self._players]
        for id_ in left:
            heard = self._picture.end_feed(_feed(id_))
            with self.kernel.rows.write() as session:
                row = session.get_one(RunRow, id_)
                row.state = CUT_SHORT
                row.ended_at = row.ended_at or heard or self.kernel.clock.now()
            shutil.rmtree(self._folder / id_, ignore_errors=True)
            log.info("an exercise was cut short", extra={"run": id_})
        return left

    def runs(self, actor: Actor) -> list[Run]:
        """The exercises, newest first, with their scores as they stand now."""
        with self.kernel.view(actor) as view:
            view.permit("exercise.run.view", self._room())
            rows = list(view.session.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(20)))
            # the director sees scores, not contents: findings are counted by the node itself
        with self.kernel.view(self.kernel.node) as view:
            found = list_findings(view, at_most=MOST_FINDINGS)
            now = view.now
        return [_run(row, found, now, self._looked_for) for row in rows]

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let this pass, for what a page offers."""
        return self.kernel.gate.decide(actor, act, self._room()).allowed

    def _room(self) -> Thing:
        return Thing.room("exercise", self.kernel.agency)


def _feed(id_: str) -> str:
    """Name of the feed that reads a run's sentences."""
    return f"{FEED} {id_[-6:]}"


def _run(
    row: RunRow, found: Sequence[KeptFinding], now: datetime, looked_for: Collection[str]
) -> Run:
    truths = [Truth.from_dict(d) for d in row.truth]
    until = row.ended_at or now
    due = [t for t in truths if t.end <= until]
    begins = min((t.start for t in truths), default=row.begins)
    kept_at = {k.finding.id: k.kept_at for k in found}
    spoken = [k.finding for k in found if k.finding.end >= begins and k.finding.start <= until]

    def told(truth: Truth, finding: Finding) -> datetime | None:
        # what began before the live part came in as a file: it was kept then, not when it began
        return kept_at[finding.id] if truth.start >= row.begins else None

    # false findings are counted from the first event on, for an hour at least
    days = max(until - begins, timedelta(hours=1)) / timedelta(days=1)
    made = score(due, spoken, days=days, told=told)
    return Run(
        row.id,
        row.world,
        row.seed,
        row.days,
        row.scale,
        row.state,
        row.begins,
        row.ended_at,
        len(truths),
        len(due),
        {"days": made.days, "kinds": [_of_kind(k, looked_for) for k in made.kinds]},
    )


def _of_kind(kind: KindScore, looked_for: Collection[str]) -> dict[str, Any]:
    """A kind's score as pages show it; one that no detector looks for has failed nothing."""
    data = kind.to_dict() | {"looked_for": kind.kind in looked_for}
    return data if data["looked_for"] else data | {"recall": None, "f1": None}


def _live_event(folder: Path, truths: Sequence[Truth], kind: str) -> datetime:
    """When the last planted event of a kind (of any kind where there is none) is first heard.

    A craft may do it between two reports, or where nothing is received for an hour: who waits
    for the alert waits for the first report after its start.
    """
    some = [t for t in truths if t.kind == kind] or list(truths)
    event = max(some, key=lambda t: t.start)
    table = folder / "positions.csv"
    heard: datetime | None = None
    if table.exists():
        with table.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                if row["subject"] in event.subjects:
                    with suppress(BadInput):
                        at = parse_time(row["at"])
                        if event.start <= at <= event.end and (heard is None or at < heard):
                            heard = at
    return heard or event.start


def _records_shift(folder: Path, now: datetime) -> timedelta:
    """By how much records are moved: whole days, so that they keep their hours, and none lies
    ahead. They come as a file of the past and need not meet what happens at sea."""
    played = read_played(folder / "truth.jsonl")
    return (now - played.end) // timedelta(days=1) * timedelta(days=1) if played else timedelta(0)


def _moved(truth: Truth, by: timedelta) -> Truth:
    return Truth(
        truth.kind, truth.subjects, truth.start + by, truth.end + by, truth.place, truth.note
    )


def _with(
    first: tuple[datetime, bytes] | None, rest: Iterator[tuple[datetime, bytes]]
) -> Iterator[tuple[datetime, bytes]]:
    if first is not None:
        yield first
    yield from rest
