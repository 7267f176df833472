"""What behaviours share: the common grid, nearness, the sun, doubles, moorings."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from cordon.kernel.geo import distance_m
from cordon.picture import Tracks
from cordon.picture.shared.crafts import Trade, crafts_of, family_of, trade_of
from cordon.picture.shared.doubles import doubles_of
from cordon.picture.shared.nearness import crowd, near_between, near_pairs, plane_m
from cordon.picture.shared.samples import STEP_S, paths_of, samples_of
from cordon.picture.shared.states import states_of
from cordon.picture.shared.sun import height_deg, is_night


def seconds(text: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()])


def test_samples_lie_on_the_grid_between_reports_and_not_over_long_silences(sail, t0) -> None:
    track = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 100, every_s=240)
    later = sail("mmsi:463000001", 24.5, 66.9, 90, 10, 60, start_min=200)
    tracks = Tracks.build(track + later)
    samples = samples_of(tracks)
    assert samples_of(tracks) is samples  # computed once
    minutes = (samples.t(slice(None)) - t0.timestamp()) / 60
    assert set(minutes) <= {*range(0, 101, 10), *range(200, 261, 10)}
    assert len(minutes) >= 15
    paths = paths_of(tracks)
    lat, lon = paths.at(samples.subject, samples.t(slice(None)))
    assert np.allclose(lat, samples.lat)
    assert np.allclose(lon, samples.lon)
    speed = samples.speed_kn()
    assert speed[1:8] == pytest.approx(10, abs=0.2)
    assert not samples.linked[np.searchsorted(minutes, 100, "right") - 1]


def test_where_a_mover_is_at_any_moment(sail, t0) -> None:
    tracks = Tracks.build(
        sail("mmsi:463000001", 24.5, 179.95, 90, 20, 60, every_s=300)
        + sail("mmsi:463000002", 10.0, 20.0, 0, 5, 60)
    )
    paths = paths_of(tracks)
    begin = t0.timestamp()
    t = begin + np.array([1800.0, 1800.0, -10.0, 1e7])
    lat, lon = paths.at(np.array([0, 1, 0, 1]), t)
    assert lon[0] < -179.8  # beyond the antimeridian by then
    assert lat[0] == pytest.approx(24.5, abs=0.01)
    assert lat[1] > 10.0
    assert np.isnan(lat[2:]).all()
    # a single fix is known at its own moment alone
    alone = paths_of(Tracks.build(sail("mmsi:463000003", 5.0, 5.0, 0, 0, 0)))
    assert np.isnan(alone.at(np.array([0]), alone.t - 1)[0]).all()
    assert alone.at(np.array([0]), alone.t)[0] == pytest.approx(5.0)


def test_pairs_are_those_that_all_distances_give() -> None:
    rng = np.random.default_rng(4)
    group = rng.integers(0, 3, 400)
    lat = rng.uniform(59.9, 60.1, 400)
    lon = (rng.uniform(179.8, 180.2, 400) + 180) % 360 - 180
    a, b, far = near_pairs(group, lat, lon, 900.0)
    i, j = np.triu_indices(400, 1)
    near = (group[i] == group[j]) & (plane_m(lat[i], lon[i], lat[j], lon[j]) <= 900.0)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == set(
        zip(i[near].tolist(), j[near].tolist(), strict=True)
    )
    assert far == pytest.approx(distance_m(lat[a], lon[a], lat[b], lon[b]), rel=2e-3)
    p, q, _ = near_between(group[:50], lat[:50], lon[:50], group[50:], lat[50:], lon[50:], 900.0)
    wanted = {(x, y - 50) for x, y in zip(i[near].tolist(), j[near].tolist(), strict=True)
              if x < 50 <= y}  # fmt: skip
    assert set(zip(p.tolist(), q.tolist(), strict=True)) == wanted
    owner = rng.integers(0, 30, 400)
    many = crowd(group, lat, lon, owner, 900.0)
    k = int(np.argmax(many))
    here = (group == group[k]) & (plane_m(lat[k], lon[k], lat, lon) <= 900.0)
    assert many[k] == len(set(owner[here].tolist()) - {int(owner[k])})


def test_nothing_near_nothing() -> None:
    none = np.empty(0)
    a, b, far = near_pairs(np.empty(0, np.int64), none, none, 500.0)
    assert len(a) == len(b) == len(far) == 0
    a, _, _ = near_between(
        np.zeros(1, np.int64), np.zeros(1), np.zeros(1), np.empty(0, np.int64), none, none, 500.0
    )
    assert len(a) == 0


def test_the_suns_height_is_that_of_the_almanac() -> None:
    # NOAA solar calculator: Karachi, sunrise 07:17 and sunset 18:05 (UTC+5) on 17 January 2026
    for at in ("2026-01-17T02:17:00", "2026-01-17T13:05:00"):
        assert height_deg(seconds(at), 24.86, 67.01)[0] == pytest.approx(-0.83, abs=0.4)
    assert height_deg(seconds("2026-06-21T12:02:00"), 51.4779, 0.0)[0] == pytest.approx(
        61.96, abs=0.1
    )
    assert is_night(seconds("2026-01-17T20:00:00"), 24.86, 67.01).all()
    assert not is_night(seconds("2026-01-17T13:20:00"), 24.86, 67.01).any()  # dusk


def test_what_a_type_says() -> None:
    assert [trade_of(t) for t in ("30", "52", "70.0", "84", "60", "37", "", "99")] == [
        Trade.FISHING, Trade.SERVICE, Trade.CARGO, Trade.CARGO, Trade.PASSENGER, Trade.LEISURE,
        Trade.UNKNOWN, Trade.OTHER,
    ]  # fmt: skip
    assert trade_of("Fishing vessel") == Trade.FISHING
    assert trade_of("Pilot") == Trade.SERVICE
    assert family_of("radar:KHI-2/881") == "radar:KHI-2"
    assert family_of("mmsi:463000001") == "mmsi"


def test_who_is_at_sea_and_who_is_our_own(sail) -> None:
    tracks = Tracks.build(
        [
            *sail("mmsi:463000001", 24.5, 66.2, 90, 1, 5),
            *sail("radar:A/1", 24.5, 66.2, 90, 1, 5, kind="unknown"),
            *sail("track:2", 24.5, 66.2, 90, 1, 5, kind="unknown"),
            *sail("unit:3", 24.5, 66.2, 90, 1, 5),
            *sail("sensor:4", 24.5, 66.2, 90, 1, 5, kind="person"),
            *sail("vehicle:5", 24.5, 66.2, 90, 1, 5, kind="vehicle"),
            *sail("drone:6", 24.5, 66.2, 90, 1, 5, kind="aircraft"),
        ]
    )
    crafts = crafts_of(tracks)
    sea = {s for s, yes in zip(tracks.subjects, crafts.sea, strict=True) if yes}
    land = {s for s, yes in zip(tracks.subjects, crafts.land, strict=True) if yes}
    assert sea == {"mmsi:463000001", "radar:A/1", "unit:3"}
    assert land == {"track:2", "vehicle:5"}
    assert [s for s, yes in zip(tracks.subjects, crafts.own, strict=True) if yes] == ["unit:3"]


def test_the_double_of_a_hull_is_known_and_a_neighbour_is_none(voyage) -> None:
    legs = [(24.0, 66.0, 9.0), 60.0, (23.8, 66.2, 9.0)]
    tracks = Tracks.build(
        voyage("mmsi:463000001", (24.3, 65.8), legs)
        + voyage("radar:A/1", (24.3, 65.8), legs, error_m=80.0, kind="unknown")
        + voyage("radar:A/2", (24.1, 66.3), [(24.001, 66.001, 8.0), 60.0], kind="unknown")
        + voyage("mmsi:463000002", (24.3005, 65.8), legs)  # sails beside the first
    )
    same = doubles_of(tracks)
    name = {s: i for i, s in enumerate(tracks.subjects)}
    assert same[name["radar:A/1"]] in (name["mmsi:463000001"], name["mmsi:463000002"])
    for other in ("mmsi:463000001", "mmsi:463000002", "radar:A/2"):
        assert same[name[other]] == -1


def test_a_mooring_is_where_many_lie_still(voyage) -> None:
    moored = []
    for i in range(5):
        moored += voyage(f"mmsi:46300060{i}", (24.0 + i * 0.001, 66.0), [120.0])
    passing = voyage("mmsi:463000001", (24.0, 65.8), [(24.0, 66.2, 6.0)])
    tracks = Tracks.build(moored + passing)
    states, samples = states_of(tracks, [], 0.0), samples_of(tracks)
    first = samples.subject == tracks.subjects.index("mmsi:463000001")
    assert not states.moored[first].any()
    assert states.moored[~first].all()
    near = states.near_mooring(np.array([24.002, 24.2]), np.array([66.0, 66.0]), 500.0)
    assert near.tolist() == [True, False]
    fewer = Tracks.build([p for p in moored if p.subject != "mmsi:463000604"] + passing)
    assert not states_of(fewer, [], 0.0).moored.any()
    assert STEP_S == 600
