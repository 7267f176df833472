"""Wrong clocks, receivers that were out, and subjects of whom there is next to nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import gap, zone_entry
from cordon.picture.model import Position

SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]
DARK = "mmsi:463000001"


def run(module, positions, zones=()):
    found = module.find(Tracks.build(positions), list(zones), module.CARD.values())
    return sorted(found, key=lambda f: f.start)


def zone(geometry: str, coordinates, **properties):
    feature = {
        "type": "Feature",
        "properties": {"id": "z", "name": "Z", **properties},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }
    return zones_of({"type": "FeatureCollection", "features": [feature]})


def without(track, begin_min: float, end_min: float, t0):
    a, b = t0 + timedelta(minutes=begin_min), t0 + timedelta(minutes=end_min)
    return [p for p in track if not a < p.at < b]


@pytest.fixture
def dark(sail, crowd, t0):
    """Traffic for six hours, in which one is silent from 90 to 210 minutes."""
    return crowd() + without(sail(DARK, 24.5, 66.2, 90, 10, 340), 90, 210, t0)


@pytest.fixture
def open_(sail, crowd, t0):
    """Traffic for six hours, in which one is silent from 90 minutes on."""
    return crowd() + without(sail(DARK, 24.5, 66.2, 90, 10, 300), 90, 1e6, t0)


@pytest.mark.parametrize("minutes", [0, 1])
def test_one_first_heard_inside_is_told_once(sail, minutes: float) -> None:
    track = sail(DARK, 24.5, 66.5, 90, 1, minutes)
    (found,) = run(zone_entry, track, zone("Polygon", [SQUARE], kind="restricted"))
    assert "already inside" in found.reasons[0].says
    assert found.subjects == (DARK, "zone:z")
    assert found.start == track[0].at


def test_a_watched_line_tells_no_depth(sail) -> None:
    border = zone("LineString", [[66.4, 24.4], [66.4, 24.6]], kind="border", watch=True)
    (found,) = run(zone_entry, sail(DARK, 24.5, 66.3, 90, 10, 90), border)
    assert "least_depth_m" not in [r.name for r in found.reasons]
    assert 0 < found.confidence < 1


@pytest.mark.parametrize(
    "at",
    [
        datetime(1980, 1, 7, tzinfo=UTC),
        datetime(1999, 8, 22, tzinfo=UTC),
        datetime(2026, 3, 7, 13, tzinfo=UTC),
        datetime(2099, 1, 1, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize("which", ["dark", "open_"])
def test_one_wrong_clock_takes_away_no_silence(which: str, at: datetime, request) -> None:
    positions = request.getfixturevalue(which)
    told = run(gap, positions)
    assert [f.subjects for f in told] == [(DARK,)]
    wrong = Position(at, "rx", "mmsi:463000999", 24.5, 66.5, 5.0, 90.0, kind="vessel")
    assert run(gap, [*positions, wrong]) == told
    own = replace(wrong, subject="mmsi:463000100")  # of one that is heard rightly too
    assert [(f.subjects, f.start) for f in run(gap, [*positions, own])] == [
        (told[0].subjects, told[0].start)
    ]


def by_two(positions, t0, *, out: bool):
    """Half of the others heard by a second receiver; the first is out from 88 to 212 minutes."""
    began, ended = t0 + timedelta(minutes=92), t0 + timedelta(minutes=208)
    found = []
    for p in positions:
        if p.subject != DARK and int(p.subject[-1]) % 2:
            p = replace(p, source="rx2")
        elif out and p.subject != DARK and began < p.at < ended:
            continue
        found.append(p)
    return found


def test_an_outage_of_its_own_receiver_is_no_silence(dark, t0) -> None:
    (told,) = run(gap, by_two(dark, t0, out=False))
    assert told.subjects == (DARK,)
    (share,) = [r for r in told.reasons if r.name == "receiver_share"]
    assert share.value == 1
    out = by_two(dark, t0, out=True)
    # those that fell silent with it are one each, or none: here the receiver alone tells
    few = [p for p in out if p.source == "rx2" or p.subject in (DARK, "mmsi:463000100")]
    assert run(gap, few) == []


def test_an_outage_of_the_receiver_that_hears_it_again_is_no_silence(dark, t0) -> None:
    out = [
        replace(p, source="rx3") if p.subject == DARK and p.at > t0 + timedelta(minutes=200) else p
        for p in dark
    ]
    assert run(gap, out) == []


def test_a_file_a_day_of_one_receiver_is_one_receiver(dark, t0) -> None:
    noon = t0 + timedelta(minutes=120)
    parts = [replace(p, source="day1" if p.at < noon else "day2") for p in dark]
    assert [f.subjects for f in run(gap, parts)] == [(DARK,)]
