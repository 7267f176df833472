"""Worlds without sentences or calls play on a node too: their rows come in when they are due."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from cordon.exercise import Exercise, Inputs, Plan, Truth, write_truths
from cordon.exercise import service as playing_room
from cordon.exercise.pieces import Pace, Pieces, as_table, header_of, read_rows
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import SetClock, format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.work import Kernel

START = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
HEADER = "at,source,subject,lat,lon"
SECOND = timedelta(seconds=1)


def table(path: Path, rows: list[tuple[float, str, str]]) -> Path:
    lines = [HEADER]
    for seconds, source, subject in rows:
        lines.append(f"{format_time(START + seconds * SECOND)},{source},{subject},31.0,67.0")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Heard:
    """A picture that keeps what it is given."""

    def __init__(self) -> None:
        self.zones: list[bytes] = []
        self.files: list[tuple[str, list[dict[str, str]]]] = []
        self.feeds: list[str] = []

    def put_zones(self, actor: Actor, data: bytes) -> int:
        self.zones.append(data)
        return 1

    def ask_import(self, actor: Actor, source: BinaryIO, name: str) -> str:
        text = source.read().decode()
        self.files.append((name, list(csv.DictReader(io.StringIO(text)))))
        return "job"

    def add_feed(self, actor: Actor, name: str, url: str) -> str:
        self.feeds.append(url)
        return "feed"

    def stop_feed(self, actor: Actor, feed: str) -> None:
        self.feeds.remove(feed)

    def end_feed(self, name: str) -> datetime | None:
        raise AssertionError("no feed ended with its node")


def test_time_goes_on_and_one_wrong_clock_does_not_drive_it() -> None:
    pace = Pace()
    assert pace.heard("A", START) == START
    # a second source is 150 s ahead: it does not count until another has come as far
    assert pace.heard("B", START + 150 * SECOND) == START
    assert pace.heard("A", START + 10 * SECOND) == START + 10 * SECOND
    assert pace.heard("A", START + 5 * SECOND) == START + 10 * SECOND
    assert pace.heard("C", datetime(1970, 1, 1, tzinfo=UTC)) == START + 10 * SECOND
    assert pace.heard("A", START + 200 * SECOND) == START + 150 * SECOND


def test_rows_are_moved_and_those_of_sentences_left_out(tmp_path: Path) -> None:
    path = table(
        tmp_path / "positions.csv",
        [(0, "GR-1", "radar:GR-1/1"), (5, "KHI", "mmsi:463900001"), (9, "GR-1", "radar:GR-1/2")],
    )
    by = timedelta(days=3)
    rows = list(read_rows(path, by, beside_ais=True))
    assert [r[1][2] for r in rows] == ["radar:GR-1/1", "radar:GR-1/2"]
    assert [parse_time(r[1][0]) for r in rows] == [START + by, START + by + 9 * SECOND]
    assert [due for due, _ in rows] == [START + by, START + by + 9 * SECOND]
    assert len(list(read_rows(path, by, beside_ais=False))) == 3
    assert header_of(path) == HEADER.split(",")
    assert header_of(tmp_path / "absent.csv") == []


def test_a_row_without_a_time_goes_along_as_it_is(tmp_path: Path) -> None:
    path = table(tmp_path / "positions.csv", [(0, "GR-1", "radar:GR-1/1")])
    path.write_text(path.read_text() + ",GR-1,radar:GR-1/1,31,67\n")
    rows = list(read_rows(path, timedelta(hours=1), beside_ais=False))
    assert rows[1][1][0] == ""
    assert rows[1][0] == rows[0][0]


def test_what_is_due_comes_as_one_file_and_the_rest_when_its_time_has_come() -> None:
    clock = SetClock(START)
    rows: Iterator[Any] = iter([(START + s * SECOND, [str(s)]) for s in (-20, -10, 40, 41)])
    brought: list[tuple[str, str]] = []

    def bring(source: BinaryIO, name: str) -> None:
        brought.append((name, source.read().decode()))

    pieces = Pieces(["s"], rows, clock, bring, "exercise-x")
    past = pieces.past(clock.now())
    assert past is not None
    assert past.read() == b"s\n-20\n-10\n"
    clock.advance(60 * SECOND)
    pieces.run()
    assert brought == [("exercise-x-1.csv", "s\n40\n41\n")]
    assert pieces.ended.is_set()


def test_a_file_that_the_node_refuses_ends_nothing() -> None:
    clock = SetClock(START)

    def bring(source: BinaryIO, name: str) -> None:
        raise BadInput("Not this one.")

    pieces = Pieces(["s"], iter([(START, ["1"])]), clock, bring, "exercise-x")
    pieces.run()
    assert pieces.ended.is_set()
    assert as_table(["a", "b"], [["1", "x,y"]]).read() == b'a,b\n1,"x,y"\n'


@pytest.fixture
def director() -> Actor:
    return Actor(
        id="officer-director",
        name="director",
        agency="pk-test",
        unit="exercise",
        roles=frozenset({Role.EXERCISE_DIRECTOR}),
        cleared=Mark.AMBER,
    )


class Line:
    """A world with positions and nothing else."""

    NAME = "line"
    SAYS = "A test."

    def generate(
        self, seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
    ) -> Inputs:
        out.mkdir(parents=True)
        path = table(
            out / "positions.csv",
            [(0, "GR-1", "radar:GR-1/1"), (600, "GR-1", "radar:GR-1/1"), (2000, "GR-1", "unit:A")],
        )
        truth = Truth(
            "picture.zone_entry", ("radar:GR-1/1",), START + 500 * SECOND, START + 700 * SECOND
        )
        (out / "truth.jsonl").write_bytes(b"".join(write_truths([truth])))
        return Inputs(out, {"positions": path}, {"positions": 3}, START, START + 3600 * SECOND)


def test_a_world_of_positions_alone_plays_and_has_no_calls_to_bring(
    kernel: Kernel, clock: SetClock, tmp_path: Path, director: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    picture = Heard()
    room = Exercise(kernel, picture, tmp_path / "exercise", looked_for={"picture.zone_entry"})
    monkeypatch.setattr(playing_room, "world", lambda name: Line())
    id_ = room.start(director, Plan(world="line", days=0.05))
    # eight minutes before what is planted is first heard: only the first row lies behind
    ((name, rows),) = picture.files
    assert name == f"exercise-{id_}.csv"
    assert [r["subject"] for r in rows] == ["radar:GR-1/1"]
    assert parse_time(rows[0]["at"]) == clock.now() - timedelta(minutes=2)
    assert picture.feeds == []
    assert picture.zones == []

    class Calls:
        def ask_import(self, actor: Actor, source: Any, name: str, *, kind: str) -> str:
            raise AssertionError("there are no calls")

    assert room.bring_records(director, {"calls": Calls(), "money": Calls()}) == []
    room.stop_run(director, id_)
    (run,) = room.runs(director)
    assert (run.state, run.planted) == ("ended", 1)
    assert not (tmp_path / "exercise" / id_).exists()
