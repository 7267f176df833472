"""How far a receiver really reaches, from whom it heard and where it lost them."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from cordon.kernel.geo import destination
from cordon.picture.cover.cells import cells_of
from cordon.picture.cover.eyes import eyes_of
from cordon.picture.cover.learned import BEARINGS, lately, reach_by_bearing
from cordon.picture.cover.listening import Listening
from cordon.picture.cover.model import USUALLY_SEES, Sees, Sensor
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.silence import Down, silences
from cordon.picture.cover.uncovered import CARD
from cordon.picture.model import Zone
from cordon.picture.tracks import Batch, Tracks

T0 = 1_772_755_200.0  # 2026-03-06T00:00:00Z
PLACE = (24.8, 66.9)
NM = 1852.0
VALUES = CARD.values()
MAST = Sensor(
    "A", "ais_receiver", USUALLY_SEES["ais_receiver"], source="A", lat=PLACE[0], lon=PLACE[1],
    height_m=100.0,
)  # fmt: skip


def batch(source, subject, t, lat, lon) -> Batch:
    n = len(t)
    none = np.full(n, np.nan)
    zero = np.zeros(n, np.int64)
    return Batch(
        "a" * 64, [subject], [source], zero, zero, np.asarray(t, float), np.asarray(lat, float),
        np.asarray(lon, float), none, none, none, none, zero + 1, np.arange(1, n + 1),
    )  # fmt: skip


def sailing(course, far_nm, *, ships=6, back=False, off=(), apart=37) -> list[Batch]:
    """Ships that sail out on a course at 12 kn and are heard until `far_nm`, or turn back there."""
    found = []
    for k in range(ships):
        minutes = np.arange(0.0, far_nm / 12 * 60, 5.0)
        away = minutes / 60 * 12 * NM
        if back:
            away, minutes = np.append(away, away[::-1]), np.arange(2 * len(minutes)) * 5.0
        t = T0 + 60 * (minutes + apart * k)
        places = [destination(*PLACE, course + k - 3, w) for w in away]
        lat, lon = np.array(places).T
        kept = np.ones(len(t), bool)
        for a, b in off:
            kept &= (t < a) | (t > b)
        name = f"mmsi:4630{int(course):03d}{int(back)}{k}"
        found.append(batch("A", name, t[kept], lat[kept], lon[kept]))
    return found


def reach(batches, downs=()):
    signs = Signs.of_tracks(Tracks.build(batches))
    code = signs.code("A")
    fixes = lately(signs, code, signs.end + 7200)
    return reach_by_bearing(fixes, *PLACE, signs.end + 7200, downs) / NM


def toward(reach_nm, course) -> float:
    return float(reach_nm[int(course // (360 / BEARINGS))])


def test_where_vessels_under_way_are_lost_is_where_reach_ends() -> None:
    """A mast of 100 m would hear 31 nm: a wet cable leaves it eight."""
    found = reach(sailing(180, 8))
    assert toward(found, 180) == pytest.approx(8, abs=1.5)
    assert np.isnan(toward(found, 0)), "nobody sails there, and nobody can tell"


def test_vessels_that_turn_back_show_that_it_reaches_so_far_at_least() -> None:
    found = reach(sailing(180, 8, back=True))
    assert toward(found, 180) == pytest.approx(-8, abs=1.5)


def test_a_few_ships_tell_nothing() -> None:
    assert np.isnan(reach(sailing(180, 20, ships=2))).all()


def test_an_outage_is_no_loss() -> None:
    cut = T0 + 3600 * 2
    day = sailing(180, 30, off=[(cut, cut + 86_400)], apart=5)
    lost = toward(reach(day), 180)
    assert 0 < lost < 25
    known = toward(reach(day, [Down(cut, cut + 86_400, "down")]), 180)
    assert known < 0, "all fell silent together: nothing of its reach"


def test_what_was_learned_stands_in_for_the_horizon() -> None:
    def seen(batches, miles, target=Sees.VESSEL):
        signs = Signs.of_tracks(Tracks.build(batches))
        (eye,) = [e for e in eyes_of([MAST], signs, VALUES) if e.described]
        y, x = destination(*PLACE, 180, miles * NM)
        cells = cells_of(Zone("Z", "Z", "patrol_sector", box(x, y, x + 0.02, y + 0.02), {}))
        return float(eye.sees_of(cells, target, night=False).mean())

    horizon = 4_123 * (10 + 15**0.5) / NM  # 30.9 nm
    quiet = sailing(0, 20)  # the other way
    assert (seen(quiet, horizon - 2), seen(quiet, horizon + 2)) == (1, 0)
    deaf = [*sailing(180, 8), batch("B", "mmsi:1", [T0 + 86_000.0], [20.0], [60.0])]
    assert (seen(deaf, 6), seen(deaf, 12)) == (1, 0)
    turning = [*sailing(180, 8, back=True)]
    assert seen(turning, horizon - 2) == 1, "traffic ends there, reach does not"
    ducting = [*sailing(180, 45, back=True)]
    assert seen(ducting, 40) == 1
    assert seen(ducting, 40, Sees.VESSEL_CLASS_B) == 0


def test_listening_to_batches_gives_what_the_tracks_give() -> None:
    day = sailing(180, 20)
    day.append(
        batch(
            "FLEET", "unit:A", T0 + np.arange(0, 9000.0, 60), np.full(150, 24.7), np.full(150, 66.9)
        )
    )
    whole = Signs.of_tracks(Tracks.build(day))
    live = Listening(86_400.0, T0)
    for one in day:
        half = np.arange(len(one)) < len(one) // 2
        live.take(one.take(~half))  # late reports, in any order
        live.take(one.take(half))
    signs = live.signs(whole.end)
    assert (signs.begin, signs.end) == (whole.begin, whole.end)
    a, b = signs.code("A"), whole.code("A")
    assert np.array_equal(signs.heard.last[signs.of(a)], whole.heard.last[whole.of(b)])
    assert len(signs.fixes.t) == pytest.approx(len(whole.fixes.t), abs=len(day))
    assert len(signs.ways.t) == len(whole.ways.t) == 150
    assert {signs.subjects[i] for i in signs.ways.unit} == {"unit:A"}
    assert silences(signs, a, None, VALUES)[0] == silences(whole, b, None, VALUES)[0]


def test_listening_forgets_what_is_older_than_its_window() -> None:
    live = Listening(3600.0, T0)
    for hour in range(6):
        t = T0 + 3600 * hour + np.arange(0, 3600.0, 60)
        live.take(batch("A", f"mmsi:{hour}", t, np.full(60, 24.5), np.full(60, 66.5)))
    signs = live.signs(T0 + 6 * 3600)
    assert signs.begin == T0 + 5 * 3600
    assert len(signs.heard.sign) == 60
    signs = live.signs(T0 + 6 * 3600)
    assert set(signs.subjects) == {"mmsi:5"}, "names that nobody bears any more are let go"


def test_a_clock_that_runs_ahead_is_no_silence_and_a_stopped_node_is_nobodys() -> None:
    live = Listening(86_400.0, T0)
    ahead = T0 + np.arange(0, 7200.0, 60) + 170
    live.take(batch("A", "mmsi:1", ahead, np.full(120, 24.5), np.full(120, 66.5)))
    signs = live.signs(T0 + 7200)
    assert silences(signs, signs.code("A"), None, VALUES) == ([], True)
    # the node was stopped for ten hours; what it had stored before is read back
    again = Listening(86_400.0, T0 + 36_000)
    again.take(batch("A", "mmsi:1", ahead - 170, np.full(120, 24.5), np.full(120, 66.5)))
    later = T0 + 36_000 + np.arange(0, 3600.0, 60)
    again.take(batch("A", "mmsi:1", later, np.full(60, 24.5), np.full(60, 66.5)))
    signs = again.signs(T0 + 39_600)
    assert silences(signs, signs.code("A"), None, VALUES) == ([], True)
