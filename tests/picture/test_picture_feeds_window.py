"""The live window holds what `Tracks.build` would make of the same reports, and bounds itself."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from cordon.picture.model import Static
from cordon.picture.tracks import Batch, Said, Tracks
from cordon.picture.window import Window, joined, taken

T0 = 1_772_780_000.0
COLUMNS = ("subject", "t", "lat", "lon", "speed", "course", "kind", "row", "accuracy")


def some(seed: int, count: int, subjects: int, begin: float, span: float, sha: str = "") -> Batch:
    """Reports at whole milliseconds, so that no two orders of the same time are met."""
    chance = np.random.default_rng(seed)
    names = [f"mmsi:{463_000_000 + i * 7 % subjects:09d}" for i in range(subjects)]
    t = begin + chance.choice(int(span * 1000), count, replace=False) / 1000
    fixed = lambda: chance.uniform(0, 80, count)  # noqa: E731
    whole = np.zeros(count, dtype=np.int64)
    return Batch(
        sha or f"{seed:064x}",
        names,
        ["a", "b"] if seed % 2 else ["b", "c"],
        chance.integers(0, subjects, count),
        chance.integers(0, 2, count),
        t,
        fixed(),
        fixed(),
        fixed(),
        fixed(),
        fixed(),
        fixed(),
        whole + 1,
        np.arange(1, count + 1),
    )


def same(one: Tracks, other: Tracks) -> None:
    assert one.subjects == other.subjects
    assert one.static == other.static
    assert one.said == other.said
    assert np.array_equal(one.starts, other.starts)
    for name in COLUMNS:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert getattr(one, name).dtype == getattr(other, name).dtype
    for i in range(0, len(one), 7):
        assert one.record(i) == other.record(i)
        assert one.sources[one.source[i]] == other.sources[other.source[i]]


def test_who_is_asked_for_is_seen_to_the_newest_report_though_few_stay() -> None:
    """The step that told may be the second of a few seconds, of which only the first stays."""
    window = Window(timedelta(hours=24), 1_000)
    for n in range(4):
        window.take(some(n, 900, 5, T0 + n * 60, 60))
        window.tracks()
    assert window.step_s > 1
    last = some(9, 400, 1, T0 + 240, 1)
    window.take(last)
    own = window.some([last.subjects[0]])
    assert own.t[-1] == last.t.max()
    assert own.record(len(own) - 1).row == last.row[np.argmax(last.t)]
    window.tracks()
    assert window.some([last.subjects[0]]).t[-1] == last.t.max()


def test_what_is_being_joined_is_seen_meanwhile_and_is_not_lost(monkeypatch) -> None:
    """Whoever looks at once while a pass gathers what it looks at must see the step that told."""
    window = Window(timedelta(hours=24), 100_000)
    window.take(some(1, 100, 5, T0, 60))
    window.tracks()
    window.take(some(2, 100, 5, T0 + 60, 60))
    whole = window.some(["mmsi:463000000"])
    assert whole.t[-1] >= T0 + 60
    seen = []

    def failing(*_given):
        monkeypatch.undo()  # for whoever looks
        seen.append(window.some(["mmsi:463000000"]))
        raise MemoryError

    monkeypatch.setattr("cordon.picture.window.joined", failing)
    with pytest.raises(MemoryError):
        window.tracks()
    same(seen[0], whole)
    same(window.some(["mmsi:463000000"]), whole)
    assert len(window) == len(window.tracks()) == 200


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_bit_by_bit_is_what_is_built_at_once(seed: int) -> None:
    window = Window(timedelta(hours=24), 100_000)
    batches = []
    for n in range(12):
        # each reaches back into the one before, so that reports come late and between others
        batches.append(some(seed * 100 + n, 90, 5 + 3 * n, T0 + 300 * n, 700))
        window.take(batches[-1])
        if n % 3 == seed % 3:
            same(window.tracks(), Tracks.build(batches))
    same(window.tracks(), Tracks.build(batches))
    assert len(window) == 12 * 90


def test_repeats_and_what_is_too_old_are_dropped() -> None:
    window = Window(timedelta(hours=1), 100_000)
    old, new = some(1, 50, 4, T0, 600), some(2, 50, 6, T0 + 4000, 600)
    window.take(old)
    window.take(old)
    assert len(window.tracks()) == 50
    window.take(new)
    begin = new.t.max() - 3600
    held = window.tracks()
    assert held.t.min() >= begin
    kept = [b.take(b.t >= begin) for b in (old, new)]
    same(held, Tracks.build([b for b in kept if len(b)]))


def test_one_subjects_fixes_are_there_at_once() -> None:
    window = Window(timedelta(hours=24), 100_000)
    first, second = some(3, 200, 9, T0, 900), some(4, 200, 9, T0 + 500, 900)
    window.take(first)
    window.tracks()
    window.take(second)
    wanted = ["mmsi:463000001", "mmsi:463000007", "mmsi:999999999"]
    whole = Tracks.build([first, second])
    codes = [i for i, name in enumerate(whole.subjects) if name in wanted]
    same(window.some(wanted), taken(whole, np.flatnonzero(np.isin(whole.subject, codes))))
    assert len(window.some(["mmsi:999999999"])) == 0


def test_it_tells_of_whom_something_came_late() -> None:
    window = Window(timedelta(hours=24), 1000)
    batch = some(5, 40, 4, T0, 900)
    batch = batch.take(np.argsort(batch.t, kind="stable") >= 0)
    order = np.argsort(batch.t)
    batch = Batch(**{**{f: getattr(batch, f) for f in batch.__slots__},
                     **{c: getattr(batch, c)[order] for c in (
                         "subject", "source", "t", "lat", "lon", "speed", "course", "heading",
                         "accuracy", "kind", "row")}})  # fmt: skip
    window.take(batch.take(batch.t >= T0 + 450))
    assert window.late() == {}
    late = batch.take(batch.t < T0 + 450)
    window.take(late)
    told = window.late()
    for name, begin in told.items():
        own = late.t[[late.subjects[i] == name for i in late.subject]]
        assert begin == own.min()
    assert set(told) == {late.subjects[i] for i in np.unique(late.subject)}
    assert window.late() == {}


@pytest.mark.parametrize("subjects", [40, 4000])
def test_it_never_holds_more_than_it_may(subjects: int) -> None:
    most = 20_000
    window = Window(timedelta(hours=24), most)
    kept = [("f" * 64, 7), ("f" * 64, 901)]
    window.take(some(1, 1000, subjects, T0, 60, "f" * 64))
    for n in range(60):
        window.take(some(n + 2, 3_000, subjects, T0 + 60 + 240 * n, 240))
        held = window.tracks(keep=kept)
        assert len(held) <= most
    assert window.step_s > 0
    newest = {held.subjects[i]: held.t[held.of(i)][-1] for i in range(len(held.subjects))}
    last = some(61, 3_000, subjects, T0 + 60 + 240 * 59, 240)
    for i in np.unique(last.subject):
        assert newest[last.subjects[i]] == last.t[last.subject == i].max()
    records = {(r.sha256, r.row) for r in map(held.record, range(len(held)))}
    if subjects == 40:
        assert set(kept) <= records
        # thinned evenly: every quarter of the time is still there of a subject
        own = held.t[held.of(3)]
        assert np.diff(np.concatenate(([T0], own))).max() < 6 * window.step_s + 300


def test_it_forgets_names_that_are_no_more() -> None:
    window = Window(timedelta(minutes=10), 1000)
    for n in range(40):
        batch = some(n, 900, 900, T0 + 700 * n, 600)
        batch.subjects = [f"mmsi:{n:03d}{i:06d}" for i in range(900)]
        window.take(batch)
        window.tracks()
    assert len(window._newest) < 15_000
    assert len(window._held.subjects) <= 1000


def test_what_a_subject_said_before_is_kept() -> None:
    def says(n: int, name: str) -> Batch:
        batch = some(n, 5, 1, T0 + 100 * n, 50)
        said = Static(name=name)
        batch.static = {batch.subjects[0]: said}
        batch.said = [Said(float(batch.t.min()), batch.subjects[0], said)]
        return batch

    held = Tracks.build([says(0, "ONE")])
    for n, name in enumerate(("ONE", "TWO", "TWO", "THREE"), 1):
        held = joined(held, Tracks.build([says(n, name)]))
    assert held.static[0].name == "THREE"
    assert [s.static.name for s in held.said[0]] == ["ONE", "TWO", "THREE"]
    assert held.said[0][1].t >= T0 + 200


@pytest.mark.parametrize("years", [0, 90])
def test_a_window_of_any_length_is_in_order(years: int) -> None:
    """Past some length one number does not hold subject and time: then both are sorted anew."""
    batches = [some(n, 120, 60, T0 + n * years * 3e6, 700) for n in range(6)]
    for batch in batches:
        batch.subjects = [f"track:{i:09d}" for i in range(60)]
    held = Tracks.build(batches[:1])
    for batch in batches[1:]:
        held = joined(held, Tracks.build([batch]))
    same(held, Tracks.build(batches))


def test_the_longest_order_is_that_of_the_short_one(monkeypatch) -> None:
    one, other = some(1, 300, 9, T0, 900), some(2, 300, 12, T0 + 400, 900)
    whole = joined(Tracks.build([one]), Tracks.build([other]))
    monkeypatch.setattr("cordon.picture.window._MOST_KEY", 0)
    same(joined(Tracks.build([one]), Tracks.build([other])), whole)
