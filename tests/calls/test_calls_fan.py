"""The detector of fans, on people made here by hand: the guilty, and the hard innocents.

Nothing here is shared with the generator of exercises. Whoever is not named otherwise calls a
small circle of friends, mostly in the evening.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cordon.calls import find
from cordon.calls.detectors import cards, fan
from cordon.calls.detectors.data import CallData
from cordon.calls.find import FindResult, find_in_segments
from cordon.calls.importing import write_segment
from cordon.calls.model import Counts
from cordon.calls.reading import read_calls
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding, RecordRef

DAY0 = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 5
PEOPLE = [f"+92301{n:07d}" for n in range(3000)]
CIRCLE = {p: [PEOPLE[(i // 12 * 12 + k) % 3000] for k in range(12)] for i, p in enumerate(PEOPLE)}
Row = tuple[datetime, float | None, str, str, str, str | None]


class Town:
    """Calls being made up; `who` is always an outsider to PEOPLE."""

    def __init__(self, seed: int = 11) -> None:
        self.rng = random.Random(seed)
        self.rows: list[Row] = []

    def call(self, day: int, hour: float, a: str, b: str, talk: float, cell: str | None) -> None:
        start = DAY0 + timedelta(days=day, hours=hour - 5)  # local time is five hours ahead
        self.rows.append((start, round(talk), "voice", a, b, cell))

    def everybody(self) -> None:
        """Six calls a day within the circle, and one to anybody."""
        for at, person in enumerate(PEOPLE):
            home = f"KHI-{at % 97}"
            for day in range(DAYS):
                for _ in range(self.rng.randint(1, 6)):
                    friend = self.rng.choice(CIRCLE[person])
                    if self.rng.random() < 0.1:
                        friend = self.rng.choice(PEOPLE)
                    if friend != person:
                        self.call(
                            day,
                            self.rng.gauss(19, 2) % 24,
                            person,
                            friend,
                            self.rng.expovariate(1 / 150),
                            home,
                        )

    def fan(
        self,
        who: str,
        *,
        a_day: int = 70,
        days: int = DAYS,
        cells: int = 1,
        talk: Callable[[random.Random], float] = lambda r: r.expovariate(1 / 70),
        hours: tuple[float, float] = (9, 18),
        back: float = 0.03,
        people: list[str] | None = None,
        incoming: int = 0,
        repeats: float = 0.05,
    ) -> None:
        """Someone who calls out; what makes them guilty or not is in the arguments."""
        known: list[str] = []
        for day in range(days):
            for _ in range(a_day):
                again = known and self.rng.random() < repeats
                whom = self.rng.choice(known if again else people or PEOPLE)
                known.append(whom)
                cell = f"{who[-4:]}-{self.rng.randrange(cells)}"
                self.call(day, self.rng.uniform(*hours), who, whom, talk(self.rng), cell)
                if self.rng.random() < back:
                    self.call(day, self.rng.uniform(*hours), whom, who, 40, None)
            for _ in range(incoming):
                self.call(day, self.rng.uniform(8, 22), self.rng.choice(PEOPLE), who, 90, None)

    def write(self, path: Path, cells: bool = True) -> Path:
        self.rows.sort(key=lambda r: r[0])
        with path.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["start", "duration_s", "kind", "caller", "callee", "caller_cell"])
            for start, talk, kind, a, b, cell in self.rows:
                rows.writerow([start.isoformat(), talk, kind, a, b, cell if cells else ""])
        return path


AGENT = "+923450000001"
SECOND = "+923450000002"
INNOCENT: dict[str, Callable[[Town, str], None]] = {
    "delivery rider": lambda t, w: t.fan(w, a_day=55, cells=30, back=0.15, hours=(11, 23)),
    "taxi dispatch": lambda t, w: t.fan(w, a_day=80, people=PEOPLE[:60], incoming=150),
    "doctor": lambda t, w: t.fan(w, a_day=35, people=PEOPLE[200:320], incoming=60, back=0.3),
    "school": lambda t, w: t.fan(w, a_day=90, people=PEOPLE[600:720], hours=(8, 10), repeats=0.2),
    "bank's helpline": lambda t, w: t.fan(w, a_day=60, incoming=400),
    "pollster": lambda t, w: t.fan(w, a_day=45, talk=lambda r: r.gauss(720, 120)),
    "campaign by machine": lambda t, w: t.fan(w, a_day=900, talk=lambda r: 20.0, hours=(9, 20)),
    "announcement": lambda t, w: t.fan(w, a_day=80, talk=lambda r: r.uniform(2, 5)),
    "wedding host": lambda t, w: t.fan(w, a_day=120, days=1),
    "family": lambda t, w: t.fan(w, a_day=40, people=PEOPLE[900:930], back=0.7),
    "street shop": lambda t, w: t.fan(w, a_day=35, people=PEOPLE[1200:1380], back=0.3, incoming=30),
    "talker": lambda t, w: t.fan(w, a_day=12),
}


@pytest.fixture(scope="module")
def town() -> Town:
    made = Town()
    made.everybody()
    made.fan(AGENT)
    made.fan(SECOND, a_day=45, cells=2, back=0.08, repeats=0.15)
    for at, make in enumerate(INNOCENT.values()):
        make(made, f"+92346000{at:04d}")
    return made


@pytest.fixture(scope="module")
def calls(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town.write(tmp_path_factory.mktemp("town") / "calls.csv")


@pytest.fixture(scope="module")
def result(calls: Path) -> FindResult:
    return find([calls])


def subjects(result: FindResult) -> set[str]:
    return {s for f in result.findings for s in f.subjects}


def test_the_guilty_are_found_and_nobody_else(result: FindResult) -> None:
    assert subjects(result) == {f"number:{AGENT}", f"number:{SECOND}"}
    assert {f.kind for f in result.findings} == {"calls.out_fan"}
    assert result.counts.refused == 0


@pytest.mark.parametrize("who", INNOCENT)
def test_an_innocent_is_left_in_peace(who: str, result: FindResult) -> None:
    number = f"+92346000{list(INNOCENT).index(who):04d}"
    assert f"number:{number}" not in subjects(result)


def test_reasons_tell_value_threshold_and_what_is_usual(result: FindResult) -> None:
    card = cards()["calls.out_fan"]
    for finding in result.findings:
        by_name = {r.name: r for r in finding.reasons}
        people = by_name["people_a_day"]
        assert people.threshold == card.parameters["people_a_day"].default
        assert people.value >= people.threshold
        assert "usual among all numbers is" in people.says
        assert set(by_name) - {"calls"} <= set(card.parameters)
        # no reason speaks against its finding
        low = {
            "incoming_share",
            "called_back_share",
            "acquainted_lift",
            "duration_most",
            "calls_a_day",
        }
        for reason in finding.reasons:
            if reason.threshold is not None:
                assert (reason.value <= reason.threshold) == (reason.name in low) or (
                    reason.value == reason.threshold
                )
        # an officer who may not see the number must not read it in the words either
        assert not any("+92345" in r.says for r in finding.reasons)
        assert 0.5 <= finding.confidence <= 0.95


def test_records_lead_back_to_the_lines_of_the_file(calls: Path, result: FindResult) -> None:
    lines = calls.read_text().splitlines()
    sha256 = read_calls(calls).sha256
    for finding in result.findings:
        number = finding.subjects[0].partition(":")[2]
        assert finding.records
        assert len(set(finding.records)) == len(finding.records)
        for record in finding.records:
            assert record.sha256 == sha256
            assert lines[record.row].split(",")[3] == number
        made = sum(f",{number}," in line and line.split(",")[3] == number for line in lines)
        assert next(r for r in finding.reasons if r.name == "calls").value == made


def test_who_stands_in_a_ring_is_measured_and_not_told_again(
    calls: Path, result: FindResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ring:
        """A detector that tells of one number."""

        CARD = fan.CARD

        def find(self, data: CallData, card: Card) -> Iterator[Finding]:
            data.told.append(np.array([data.near.numbers.index(AGENT)]))
            yield from ()

    monkeypatch.setattr(sys.modules[FindResult.__module__], "all_detectors", lambda: [Ring(), fan])
    (other,) = find([calls]).findings
    assert other in result.findings
    assert other.subjects == (f"number:{SECOND}",)


def test_a_fault_while_measuring_ahead_is_told(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        """A detector that cannot measure."""

        CARD = fan.CARD

        def ahead(self, data: CallData, card: Card) -> None:
            raise BadInput("There is no disk to measure on.")

        def find(self, data: CallData, card: Card, told: Callable[[], None]) -> Iterator[Finding]:
            told()
            yield from ()

    monkeypatch.setattr(sys.modules[FindResult.__module__], "all_detectors", lambda: [Broken()])
    with pytest.raises(BadInput, match="no disk to measure on"):
        find([calls])


def test_the_same_files_give_the_same_findings(calls: Path, result: FindResult) -> None:
    again = find([calls], threads=1)
    assert again.findings == result.findings


def test_a_call_in_several_files_counts_once(
    calls: Path, result: FindResult, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(calls.read_bytes() + b"\n")  # another file, of the same calls
    twice = find([calls, copy, calls])
    rows = result.counts.kept
    assert twice.counts == Counts(3 * result.counts.read, rows, 3 * result.counts.read - rows, 0)
    assert [f.reasons for f in twice.findings] == [f.reasons for f in result.findings]


def test_segments_of_an_import_give_the_same_with_the_same_pointers(
    calls: Path, result: FindResult, tmp_path: Path
) -> None:
    reading = read_calls(calls)
    paths = [write_segment(tmp_path, reading.sha256, b.number, b.table).path for b in reading]
    assert find_in_segments(paths).findings == result.findings
    assert find(paths).findings == result.findings
    early = find_in_segments(paths, until=DAY0 + timedelta(hours=20))
    assert early.findings == ()  # one day is not enough to say anything
    assert early.counts.read < result.counts.read


@pytest.mark.parametrize("kind", ["registered_call_centre", "government", "emergency"])
def test_whoever_calls_by_trade_is_exempt_and_it_says_so(
    kind: str, calls: Path, tmp_path: Path
) -> None:
    register = tmp_path / "subscribers.csv"
    register.write_text(f"number,kind,holder_name\n{AGENT.replace('+92', '0')},{kind},A\n")
    told = find([calls], register)
    assert subjects(told) == {f"number:{SECOND}"}
    assert any(
        kind.replace("_", " ") in said and said.startswith("1 number") for said in told.left_out
    )


def test_a_business_is_not_exempt(calls: Path, tmp_path: Path) -> None:
    register = tmp_path / "subscribers.csv"
    register.write_text(f"number,kind\n{AGENT},business\n")
    told = find([calls], register)
    assert f"number:{AGENT}" in subjects(told)
    assert not any("exempt" in said or "subscribers" in said for said in told.left_out)


def test_without_a_register_it_says_so(result: FindResult) -> None:
    assert any("subscribers" in said for said in result.left_out)


def test_without_cells_it_is_less_sure_and_says_so(town: Town, tmp_path: Path) -> None:
    blind = find([town.write(tmp_path / "blind.csv", cells=False)])
    assert f"number:{AGENT}" in subjects(blind)
    assert all(f.confidence <= 0.7 for f in blind.findings)
    assert any("The calls of the numbers named hold no cells" in s for s in blind.left_out)


def test_memory_is_bound(calls: Path, result: FindResult, tmp_path: Path) -> None:
    assert find([calls], memory_mb=128, scratch=tmp_path).findings == result.findings


def test_a_parameter_can_be_set_within_its_bounds(calls: Path) -> None:
    assert not find([calls], given={"people_a_day": 90}).findings
    with pytest.raises(BadInput, match="people_a_day"):
        find([calls], given={"people_a_day": 1})


def test_records_are_bounded_and_counted(tmp_path: Path) -> None:
    busy = Town(3)
    busy.everybody()
    busy.fan(AGENT, a_day=400)
    found = find([busy.write(tmp_path / "busy.csv")], given={"new_share": 0.5})
    (finding,) = found.findings
    assert len(finding.records) == 1000
    assert next(r for r in finding.reasons if r.name == "calls").value == 2000
    assert all(isinstance(r, RecordRef) for r in finding.records)


def lone(tmp_path: Path) -> Iterator[Path]:
    for name, text in {
        "nobody.csv": "start,kind,caller,callee\n",
        "texts.csv": "start,kind,caller,callee\n"
        + "".join(f"2026-03-02T08:00:{s:02d}Z,sms,8171,{PEOPLE[s]}\n" for s in range(60)),
        "self.csv": "start,kind,caller,callee\n2026-03-02T08:00:00Z,voice,+923001234567,"
        "+923001234567\n",
    }.items():
        path = tmp_path / name
        path.write_text(text)
        yield path


def test_little_or_nothing_is_no_error(tmp_path: Path) -> None:
    for path in lone(tmp_path):
        assert find([path]).findings == ()


def test_a_broken_file_is_told_and_used(calls: Path, tmp_path: Path) -> None:
    import gzip

    whole = gzip.compress(calls.read_bytes())
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) * 4 // 5])
    told = find([cut])
    assert told.counts.kept > 1000
    assert any("cut.csv.gz breaks off" in said for said in told.left_out)


def test_a_register_without_numbers_is_refused(calls: Path, tmp_path: Path) -> None:
    register = tmp_path / "subscribers.csv"
    register.write_text("name,kind\nA,person\n")
    with pytest.raises(BadInput, match="column number"):
        find([calls], register)
    with pytest.raises(BadInput):
        find([])
