"""A hull that goes on under another identity, and who only seems to."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cordon.picture import Tracks, detect_files
from cordon.picture.behaviours import identity_change
from cordon.picture.model import Static
from cordon.picture.shared.names import agree, difference, is_imo, is_ship_number, slips

OLD, NEW = "mmsi:463000111", "mmsi:419222333"


def run(positions, **values):
    tracks = Tracks.build(positions)
    found = identity_change.find(tracks, [], identity_change.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def cut(track, t0, begin_min, end_min):
    return [p for p in track if begin_min <= (p.at - t0).total_seconds() / 60 < end_min]


def said(track, **words):
    return [replace(p, **words) for p in track]


@pytest.fixture
def handed_over(sail, t0):
    """One hull's track: the old identity up to minute 150, the new from minute 160."""

    def made(pause: float = 10, **more):
        whole = sail(OLD, 24.9, 66.0, 90, 12, 400, **more)
        after = [replace(p, subject=NEW) for p in cut(whole, t0, 150 + pause, 400)]
        return cut(whole, t0, 0, 150), after

    return made


def test_another_mmsi_goes_on_where_one_fell_silent(handed_over, crowd, t0) -> None:
    before, after = handed_over()
    (found,) = run(crowd(400) + before + after)
    assert found.subjects == (NEW, OLD)
    minutes = [(t - t0).total_seconds() / 60 for t in (found.start, found.end)]
    assert minutes == pytest.approx([149.5, 160.5], abs=1.5)
    assert found.reasons[0].value < 100
    # after half an hour too
    assert len(run(crowd(400) + handed_over(35)[0] + handed_over(35)[1])) == 1


def test_it_is_told_where_the_new_one_turns_back_into_the_old(handed_over, sail, t0) -> None:
    whole = sail(OLD, 24.9, 66.0, 90, 12, 400)
    middle = [replace(p, subject=NEW) for p in cut(whole, t0, 160, 250)]
    track = cut(whole, t0, 0, 150) + middle + cut(whole, t0, 260, 400)
    found = run(track)
    assert [f.subjects for f in found] == [(NEW, OLD)] * 2


def test_both_heard_at_once_are_two_ships(handed_over, sail, t0) -> None:
    before, after = handed_over()
    elsewhere = [replace(p, subject=NEW, lat=p.lat + 1) for p in cut(before, t0, 0, 60)]
    assert run(before + elsewhere + after) == []
    again = sail(OLD, 24.0, 66.0, 90, 12, 100, start_min=200, seed=3)
    assert run(before + after + again) == []


def test_another_course_speed_or_place_is_another_ship(sail, t0) -> None:
    before = cut(sail(OLD, 24.9, 66.0, 90, 12, 400), t0, 0, 150)
    y, x = before[-1].lat, before[-1].lon
    for lat, lon, course in ((y, x + 0.06, 270), (y + 0.1, x + 0.06, 90), (y, x + 0.2, 90)):
        other = sail(NEW, lat, lon, course, 12, 150, start_min=160)
        assert run(before + other) == []


def test_where_many_begin_to_be_heard_one_more_tells_nothing(handed_over, sail) -> None:
    before, after = handed_over(30)
    mouth = after[0]
    others = [
        p
        for n in range(60)
        for p in sail(
            f"mmsi:41900{n:02d}77", mouth.lat + n / 4000, mouth.lon - n / 5000, 90, 8 + n % 7, 60,
            start_min=20 + n * 5, seed=n,
        )
    ]  # fmt: skip
    assert len(run(before + after)) == 1
    assert run(before + after + others) == []


def test_at_rest_the_words_must_be_the_same(sail, t0) -> None:
    still = sail(OLD, 24.9, 66.0, 90, 0.0, 400)
    before = said(cut(still, t0, 0, 150), name="SEA LARK", call_sign="AB1234")
    other = [replace(p, subject=NEW) for p in cut(still, t0, 160, 400)]
    assert run(before + said(other, name="BLUE HERON", call_sign="XY9876")) == []
    assert run(before + other) == []
    (found,) = run(before + said(other, name="SEA LARK", call_sign="XY9876"))
    assert "its name is the same" in found.reasons[-1].says.lower()


def test_a_set_that_is_being_set_up_is_no_change(handed_over) -> None:
    before, after = handed_over()
    slip = [replace(p, subject="mmsi:463000121") for p in after]
    assert run(before + slip) == []
    unset = [replace(p, subject="mmsi:000000000") for p in before]
    assert run(unset + after) == []


# --- one MMSI, other words ------------------------------------------------------------------


def test_other_words_under_one_mmsi(sail, t0) -> None:
    track = sail(OLD, 24.9, 66.0, 90, 12, 240)
    one = said(cut(track, t0, 0, 120), name="SEA LARK", call_sign="AB1234", imo="9074729")
    two = said(cut(track, t0, 120, 240), name="BLUE HERON", call_sign="XY9876", imo="9176187")
    (found,) = run(one + two)
    assert found.subjects == (OLD,)
    assert (found.start - t0).total_seconds() / 60 == pytest.approx(119.5, abs=1.5)
    assert found.reasons[0].value == 3
    assert "“SEA LARK” became “BLUE HERON”" in found.reasons[0].says
    weaker = said(cut(track, t0, 120, 240), name="BLUE HERON", call_sign="AB1234", imo="9074729")
    (renamed,) = run(one + weaker)
    assert renamed.confidence < found.confidence


def test_corrections_and_first_settings_are_no_change(sail, t0) -> None:
    track = sail(OLD, 24.9, 66.0, 90, 12, 240)
    for first, second in (
        ("SEA LARC", "SEA LARK"),
        ("", "SEA LARK"),
        ("TEST", "SEA LARK"),
        ("SEA LARK", "SEA LARK OF GWADAR"),
    ):
        one = said(cut(track, t0, 0, 120), name=first, ship_type="70")
        two = said(cut(track, t0, 120, 240), name=second, ship_type="70")
        assert run(one + two) == []


def test_words_by_turns_are_two_sets_and_no_change(sail, t0) -> None:
    track = sail(OLD, 24.9, 66.0, 90, 12, 240)
    turns = [replace(p, name="SEA LARK" if i % 2 else "BLUE HERON") for i, p in enumerate(track)]
    assert run(turns) == []


def test_words_of_a_table_carry_their_times(sail, t0, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["at", "source", "subject", "lat", "lon", "speed_kn", "name"])
        for i, p in enumerate(sail(OLD, 24.9, 66.0, 90, 12, 240)):
            name = "SEA LARK" if i < 100 else "BLUE HERON"
            out.writerow([p.at.isoformat(), "rx", OLD, p.lat, p.lon, 12.0, name])
    result = detect_files([path], chosen=[identity_change])
    (found,) = result.findings
    assert (found.start - t0) == pytest.approx(timedelta(minutes=99), abs=timedelta(minutes=12))


def test_how_words_differ() -> None:
    one = Static(name="SEA LARK", imo="9074729", call_sign="AB1234")
    two = Static(name="SEA LARCK", imo="IMO9074729", call_sign="ZZ1234")
    found = difference(one, two)
    assert (found.changed, found.corrected, found.same) == (("call_sign",), ("name",), ("imo",))
    assert difference(one, Static(imo="9074720")).corrected == ("imo",)  # its check digit is wrong
    assert difference(one, Static(imo="9176187")).changed == ("imo",)
    assert difference(one, Static()) == difference(Static(), one)
    for other in (two, one, Static(), Static(name="sea-lark"), Static(imo="9176187")):
        assert agree(one, other) == bool(difference(one, other).same)
    assert is_imo("9074729")
    assert not is_imo("9074728")
    assert slips("463000111", "463000121") == 1
    assert slips("AB", "BA") == 1
    assert slips("", "ABC") == 3
    assert is_ship_number("mmsi:463000111")
    assert not any(map(is_ship_number, ("mmsi:111111111", "mmsi:970123456", "mmsi:123456789")))
