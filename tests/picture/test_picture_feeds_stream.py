"""Behaviours as positions come: told at once, told again when they say more, and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from cordon.kernel.findings import Finding
from cordon.picture import Tracks, apart, find, zones_of
from cordon.picture.apart import Apart
from cordon.picture.behaviours import impossible_move, zone_entry
from cordon.picture.stream import StreamDetector
from cordon.picture.telling import LATE, SINCE, Told

SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]
WIDE = [[60.0, 20.0], [70.0, 20.0], [70.0, 30.0], [60.0, 30.0], [60.0, 20.0]]


def zones(*more, **kind):
    square = {
        "type": "Feature",
        "properties": {"id": "z", "name": "Z", "kind": "restricted"},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
    }
    return zones_of({"type": "FeatureCollection", "features": [square, *more]})


def stream(**how) -> StreamDetector:
    return StreamDetector(zones(), chosen=[zone_entry, impossible_move], **how)


def told(findings) -> list[tuple[str, str]]:
    return [(f.kind, f.subjects[0]) for f in findings]


def test_an_entry_is_told_at_once_and_by_the_whole_pass_no_more(sail, crowd) -> None:
    s = stream()
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 10, 120)
    others = crowd(120)
    for at in range(0, 120, 10):
        begin, end = track[0].at + timedelta(minutes=at), track[0].at + timedelta(minutes=at + 10)
        s.take([p for p in (*track, *others) if begin <= p.at < end])
        first = s.tick_at_once()
        if first:
            break
    assert told(first) == [("picture.zone_entry", "mmsi:463000001")]
    batch = find(s.window.tracks(), zones(), [zone_entry])
    assert [f.id for f in batch if "mmsi:463000001" in f.subjects] == [first[0].id]
    again = [f for f in s.tick() if f.id == first[0].id]
    assert again == []
    assert s.tick_at_once() == []


def test_who_does_nothing_telling_is_not_looked_at_at_once(crowd, monkeypatch) -> None:
    s = stream()
    looked = []
    monkeypatch.setattr(apart, "look", lambda *given: (looked.append(given), ([], ()))[1])
    far = [replace(p, lat=p.lat + 3) for p in crowd(60)]
    assert not s.take(far)
    assert s.tick_at_once() == []
    assert not looked


def test_a_jump_and_a_sensors_trip_are_looked_at_at_once(sail) -> None:
    s = stream()
    here = sail("mmsi:463000001", 22.5, 66.3, 90, 10, 30)
    assert not s.take(here)
    there = sail("mmsi:463000001", 23.5, 66.3, 90, 10, 30, start_min=31, seed=2)
    assert s.take(there)
    found = s.tick_at_once()
    assert told(found) == [("picture.impossible_move", "mmsi:463000001")]
    trip = replace(here[0], subject="sensor:g-7", source="g-7")
    assert s.take([trip])


def test_an_aircraft_is_not_too_fast(sail) -> None:
    s = stream()
    assert not s.take(sail("mmsi:111463001", 22.5, 66.3, 90, 300, 30, kind="aircraft"))


def test_a_late_report_takes_a_finding_back(sail, t0: datetime) -> None:
    """A way drawn over a silence crossed the zone; what came late went round it."""
    s = stream(window=timedelta(hours=24))
    s.take(sail("mmsi:463000009", 20, 60, minutes=5, start_min=-900))  # the window is long open
    before = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 55)
    after = sail("mmsi:463000001", 24.5, 66.70, 90, 10, 60, start_min=105)
    before = [p for p in before if p.lon < 66.39]
    s.take([*before, *after])
    (entry,) = s.tick()
    assert entry.kind == "picture.zone_entry"
    assert s.withdrawn() == []
    # round the north of it, with time to do so
    late = sail("mmsi:463000001", 24.64, 66.40, 90, 40, 15, start_min=75)
    s.take(late)
    assert told(s.tick()) == []
    assert s.withdrawn() == []  # once might be a slip: it must be missed twice
    s.take(sail("mmsi:463000009", 20, 60, minutes=5, start_min=170))
    s.tick()
    (back,) = s.withdrawn()
    assert back.finding.id == entry.id
    assert back.why == LATE
    assert s.withdrawn() == []
    # and once it is borne out again, it is told again
    again = [replace(p, lat=24.5) for p in late]
    s.take([replace(p, at=p.at + timedelta(seconds=7)) for p in again])
    assert any(f.kind == "picture.zone_entry" for f in s.tick())


def test_a_late_report_that_moves_the_begin_says_more_of_the_same(sail) -> None:
    s = stream()
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 10, 90)
    inside = [p for p in track if p.lon > 66.45]
    s.take(inside)
    (first,) = s.tick()
    s.take([p for p in track if p.lon <= 66.45])
    (second,) = s.tick()
    assert second.id == first.id
    assert second.start < first.start
    assert s.withdrawn() == []


class Fake:
    """A behaviour that finds what a test puts there."""

    CARD = SimpleNamespace(
        name="picture.fake", kind="picture.fake", values=lambda given=None: dict(given or {})
    )

    def __init__(self) -> None:
        self.says: list[Finding] = []
        self.broken = False

    def find(self, tracks, zones, values):
        if self.broken:
            raise OverflowError
        yield from self.says


def finding(t0: datetime, minutes: float = 0, lasts: float = 10, confidence: float = 0.5):
    start = t0 + timedelta(minutes=minutes)
    return Finding.make(
        kind="picture.fake",
        subjects=["mmsi:1"],
        start=start,
        end=start + timedelta(minutes=lasts),
        confidence=confidence,
        reasons=(),
        records=(),
        detector="picture.fake",
        version="1",
    )


@pytest.fixture
def faked(sail, t0):
    fake = Fake()
    s = StreamDetector((), chosen=[fake], window=timedelta(hours=10))
    seconds = iter(range(1, 1000))

    def passes() -> list[Finding]:
        s.take(sail("mmsi:2", 20, 60, minutes=0, start_min=next(seconds) / 60))
        return s.tick()

    s.take(sail("mmsi:2", 20, 60, minutes=0, start_min=-500))
    return s, fake, passes


def test_what_is_not_found_any_more_is_taken_back_after_two_passes(faked, t0) -> None:
    s, fake, passes = faked
    fake.says = [finding(t0, -20)]
    assert len(passes()) == 1
    fake.says = []
    assert passes() == []
    assert s.withdrawn() == []
    passes()
    (back,) = s.withdrawn()
    assert (back.finding.id, back.why) == (finding(t0, -20).id, SINCE)
    passes()
    assert s.withdrawn() == []
    fake.says = [finding(t0, -20)]
    assert len(passes()) == 1


def test_a_finding_missed_once_stays(faked, t0) -> None:
    s, fake, passes = faked
    for says in ([finding(t0, -20)], [], [finding(t0, -20)], [], [finding(t0, -20)]):
        fake.says = says
        passes()
    assert s.withdrawn() == []


def test_a_behaviour_that_fails_takes_nothing_back(faked, t0) -> None:
    s, fake, passes = faked
    fake.says = [finding(t0, -20)]
    passes()
    fake.broken = True
    for _ in range(4):
        passes()
    assert s.withdrawn() == []


def test_what_the_window_has_half_passed_is_not_taken_back(faked, t0) -> None:
    s, fake, passes = faked
    fake.says = [finding(t0, -490)]
    passes()
    fake.says = []
    for _ in range(4):
        passes()
    assert s.withdrawn() == []


def test_a_thinned_window_takes_nothing_back_but_for_late_reports(t0) -> None:
    memory = Told(timedelta(hours=10))
    begin = t0.timestamp() - 36_000
    memory.new([finding(t0, -20)], begin)
    for _ in range(4):
        memory.compare([], {"picture.fake"}, {}, begin, thinned=True)
    assert memory.withdrawn() == []
    # later than the finding speaks of: no reason
    memory.compare([], {"picture.fake"}, {"mmsi:1": t0.timestamp()}, begin, thinned=True)
    memory.compare([], {"picture.fake"}, {}, begin, thinned=True)
    assert memory.withdrawn() == []
    late = {"mmsi:1": t0.timestamp() - 900}
    memory.compare([], {"picture.fake"}, late, begin, thinned=True)
    memory.compare([], {"picture.fake"}, {}, begin, thinned=True)
    assert [w.why for w in memory.withdrawn()] == [LATE]


def test_what_was_told_before_a_restart_is_not_told_again(faked, t0) -> None:
    s, fake, passes = faked
    s.remember([finding(t0, -20)])
    fake.says = [finding(t0, -20)]
    assert passes() == []
    fake.says = [finding(t0, -20, lasts=60)]
    assert [f.id for f in passes()] == [finding(t0, -20).id]


def test_two_visits_are_two(faked, t0) -> None:
    _, fake, passes = faked
    fake.says = [finding(t0, -200), finding(t0, -100)]
    assert len(passes()) == 2
    fake.says = [finding(t0, -201), finding(t0, -100)]
    assert [f.id for f in passes()] == [finding(t0, -200).id]


def test_the_whole_pass_is_detect_over_the_window(crowd, sail) -> None:
    s = stream()
    some = sorted(crowd(200) + sail("mmsi:463000001", 24.5, 66.3, 90, 10, 120), key=lambda p: p.at)
    given = []
    for k in range(0, len(some), 137):
        s.take(some[k : k + 137])
        given += s.tick_at_once()
        if k % 3 == 0:
            given += s.tick()
    s.tick()
    whole = {f.id for f in find(Tracks.build(some), zones(), [zone_entry, impossible_move])}
    assert whole == {f.id for f in given}
    assert s.withdrawn() == []


def test_a_pass_in_a_process_apart_finds_the_same(crowd, sail, monkeypatch) -> None:
    monkeypatch.setattr(apart, "LEAST_FIXES", 0)
    beside = Apart()
    here, there = stream(), stream(beside=beside)
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 10, 120)
    try:
        for s in (here, there):
            s.take([*crowd(120), *track])
        whole = here.tick()
        assert len(whole) >= 1
        assert there.tick() == whole
        # other zones are sent, and the same ones not again
        for s in (here, there):
            s.zones = []
            s.take(sail("mmsi:463000009", 20, 60, minutes=5, start_min=130))
            assert s.tick() == []
        assert beside._zones == ()
        # the process is killed: this pass runs here, the next one in another process
        killed = beside._process
        killed.kill()
        killed.join()
        for s in (here, there):
            s.zones = zones()
            s.take(sail("mmsi:463000010", 24.5, 66.3, 90, 10, 120, start_min=10))
        assert told(there.tick()) == told(here.tick()) != []
        for s in (here, there):
            s.take(sail("mmsi:463000011", 24.5, 66.3, 90, 10, 120, start_min=10))
        assert told(there.tick()) == told(here.tick()) != []
        assert beside._process.pid != killed.pid
    finally:
        there.close()
    assert beside._process is None
