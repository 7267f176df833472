"""Meetings at sea: those of the published rules, and the innocent that look alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import encounter

SPOT = (24.0, 66.0)
NEAR = (24.0005, 66.0005)  # 75 m from it


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = encounter.find(tracks, list(zones), encounter.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def pair(voyage, stay, *, two=NEAR, types=("70", "30"), drift=0.3, **more):
    """Two that come from apart, lie together for `stay` minutes, and part."""
    return voyage(
        "mmsi:463000001", (24.3, 65.6), [(*SPOT, 11.0), stay, (23.6, 66.4, 11.0)],
        ship_type=types[0], drift_kn=drift, **more,
    ) + voyage(
        "mmsi:463000002", (24.2, 66.3), [(*two, 9.0), stay + 20, (24.3, 66.4, 9.0)],
        ship_type=types[1], drift_kn=drift, start_min=30, **more,
    )  # fmt: skip


def fleet(voyage, boats=12, radius=0.03, type_="30"):
    """Boats that stop beside one another again and again on their ground."""
    found = []
    for i in range(boats):
        legs = []
        for n in range(6):
            other = (i + n * 5) % boats
            low = min(i, other)
            legs += [
                (24.0 + radius * (low % 4), 66.0 + radius * (low // 4) + 0.0004 * i / boats, 5.0)
            ]
            legs += [40.0]
        found += voyage(
            f"mmsi:4630005{i:02d}", (24.0, 66.0 + i / 100), legs, ship_type=type_, drift_kn=0.3
        )
    return found


def test_a_meeting_of_hours_is_told_with_time_place_and_records(voyage, t0) -> None:
    positions = pair(voyage, 180)
    (found,) = run(positions)
    assert found.kind == "picture.encounter"
    assert found.subjects == ("mmsi:463000001", "mmsi:463000002")
    assert found.place["coordinates"] == pytest.approx([66.0, 24.0], abs=0.02)
    assert 2 < (found.end - found.start).total_seconds() / 3600 < 3.2
    there = {(p.record.sha256, p.record.row) for p in positions}
    assert found.records
    assert all((r.sha256, r.row) in there for r in found.records)
    assert found.confidence > 0.6
    for reason in found.reasons:
        assert reason.threshold is None or reason.value >= 0


@pytest.mark.parametrize(
    ("far_m", "stay", "told"),
    [
        (30, 14, True),  # Starboard: 50 m for 10 min
        (30, 5, False),
        (200, 50, True),  # Skylight: 250 m for 30 min
        (200, 15, False),
        (450, 150, True),  # Global Fishing Watch: 500 m for 2 h
        (450, 50, False),
        (700, 300, False),
    ],
    ids=["close", "close-brief", "quick", "quick-brief", "long", "long-brief", "far"],
)
def test_the_nearer_the_shorter_it_may_be(voyage, far_m, stay, told) -> None:
    two = (SPOT[0] + far_m / 111_195, SPOT[1])
    # both come 18 nm and lie side by side from the same moment to the same moment
    more = {"every_s": 20, "drift_kn": 0.4}
    one = voyage("mmsi:463000001", (24.3, 66.0), [(*SPOT, 12.0), stay, (23.7, 66.0, 12.0)], **more)
    south = 23.7 + far_m / 111_195
    other = voyage(
        "mmsi:463000002", (south, 66.0), [(*two, 12.0), stay, (24.3, 66.0, 12.0)], **more
    )
    assert bool(run(one + other)) is told


def alongside(voyage, far_m, stay, *, kn=12.0, before=None, **more):
    """Two that come from either side at one moment, lie so far apart without drifting, and part.

    Args:
        before: minutes that the second one has lain there when the first one comes.
    """
    two = (SPOT[0] + far_m / 111_195, SPOT[1])
    south = 23.7 + far_m / 111_195
    come = (*two, kn)
    return voyage(
        "mmsi:463000001", (24.3, 66.0), [(*SPOT, kn), stay, (23.7, 66.0, kn)], **more
    ) + voyage(
        "mmsi:463000002", (south, 66.0), [come, stay + 2 * (before or 0), (24.3, 66.0, kn)],
        start_min=-(before or 0), **more,
    )  # fmt: skip


@pytest.mark.parametrize("every_s", [60, 600])
def test_two_that_lie_still_have_met_if_they_came_for_it(voyage, every_s) -> None:
    more = {"error_m": 5.0, "every_s": every_s}
    (found,) = run(alongside(voyage, 400, 150, **more))
    assert found.subjects == ("mmsi:463000001", "mmsi:463000002")
    # but not beside one that lies there for half a day, whoever comes
    assert run(alongside(voyage, 400, 150, before=300, **more)) == []


@pytest.mark.parametrize(
    ("far_m", "stay", "told"),
    [(30, 10.5, True), (30, 8.5, False), (235, 32, True), (235, 27, False)],
)
def test_who_comes_fast_has_come_when_it_is_there(voyage, far_m, stay, told) -> None:
    more = {"error_m": 3.0, "every_s": 20, "kn": 9.0}
    assert bool(run(alongside(voyage, far_m, stay, **more))) is told


def test_ten_minute_positions_are_enough(voyage) -> None:
    assert len(run(pair(voyage, 180, every_s=600))) == 1
    # and where an hour's silence hides where they were, nothing is told
    assert run(pair(voyage, 180, every_s=4500)) == []


def test_in_port_at_anchor_and_on_a_pilot_station_meeting_is_usual(voyage, area) -> None:
    for kind in ("port", "anchorage", "pilotage"):
        assert run(pair(voyage, 180), [area("z", kind, 65.9, 23.9, 66.1, 24.1)]) == []
    assert len(run(pair(voyage, 180), [area("z", "patrol_sector", 65.9, 23.9, 66.1, 24.1)])) == 1


def test_near_an_anchorage_only_the_quick_rule_holds(voyage, area) -> None:
    wide = pair(voyage, 240, two=(24.0038, 66.0))  # 420 m
    anchorage = area("a", "anchorage", 66.03, 23.95, 66.1, 24.05)  # 3 km away
    assert len(run(wide)) == 1
    assert run(wide, [anchorage]) == []
    assert len(run(pair(voyage, 240), [anchorage])) == 1


def test_who_serves_others_is_not_told(voyage) -> None:
    for type_ in ("50", "52", "31", "55", "51.0", "Tug"):
        assert run(pair(voyage, 60, types=("70", type_))) == []
    assert len(run(pair(voyage, 60, types=("70", "90")))) == 1
    own = [*pair(voyage, 180)[:0]]
    own += voyage("mmsi:463000001", (24.3, 65.6), [(*SPOT, 11.0), 180.0], drift_kn=0.3)
    own += voyage("unit:CG-1", (24.2, 66.3), [(*NEAR, 12.0), 180.0], drift_kn=0.3)
    assert run(own) == []


def test_a_fleet_on_its_ground_is_not_told(voyage, area) -> None:
    boats = fleet(voyage)
    assert run(boats) == []
    few = [p for p in boats if p.subject in ("mmsi:463000500", "mmsi:463000507")]
    assert len(run(few)) >= 1  # the same two alone would be
    ground = area("f", "fishing_ground", 65.9, 23.9, 66.4, 24.3)
    assert run(few, [ground]) == []


def test_a_large_ship_among_a_fleet_is_told(voyage, area) -> None:
    boats = fleet(voyage)
    ship = voyage(
        "mmsi:463000900", (23.5, 65.5), [(24.0602, 66.0603, 12.0), 90.0, (24.6, 66.9, 12.0)],
        ship_type="71", drift_kn=0.3, start_min=-60,
    )  # fmt: skip
    told = run(boats + ship, [area("f", "fishing_ground", 65.9, 23.9, 66.4, 24.3)])
    assert all("mmsi:463000900" in f.subjects for f in told)


def test_two_in_company_do_not_meet(voyage) -> None:
    legs = [(24.0, 66.0, 8.0), 150.0, (24.0, 66.6, 8.0)]
    one = voyage("mmsi:463000001", (24.3, 65.6), legs, drift_kn=0.3)
    beside = [(24.002, 66.0, 8.0), 150.0, (24.002, 66.6, 8.0)]
    two = voyage("mmsi:463000002", (24.302, 65.6), beside, drift_kn=0.3)
    assert run(one + two) == []


def test_two_that_lie_fast_beside_each_other_do_not_meet(voyage) -> None:
    moored = voyage("mmsi:463000001", SPOT, [300.0]) + voyage("mmsi:463000002", NEAR, [300.0])
    assert run(moored) == []
    # one that comes alongside does
    comes = voyage("mmsi:463000002", (24.2, 66.3), [(*NEAR, 9.0), 90.0, (24.2, 66.4, 9.0)])
    assert len(run(voyage("mmsi:463000001", SPOT, [300.0]) + comes)) == 1


def test_at_anchor_some_hundred_metres_apart_is_no_meeting(voyage) -> None:
    apart = pair(voyage, 400, two=(24.0036, 66.0), drift=0.0)  # 400 m
    assert run(apart) == []
    assert len(run(pair(voyage, 400, two=(24.0036, 66.0), drift=0.5))) == 1  # adrift


def test_a_crowded_mooring_is_a_harbour_though_no_zone_is_drawn(voyage) -> None:
    moored = []
    for i in range(6):
        moored += voyage(f"mmsi:46300060{i}", (24.0 + i * 0.0006, 66.0), [500.0])
    visitor = voyage("mmsi:463000001", (24.3, 65.6), [(24.0003, 66.0002, 9.0), 90.0])
    assert run(moored + visitor) == []


def test_one_hull_by_ais_and_by_radar_does_not_meet_itself(voyage) -> None:
    legs = [(24.0, 66.0, 9.0), 90.0, (23.6, 66.4, 9.0)]
    seen = voyage("radar:KHI/7", (24.3, 65.6), legs, error_m=60.0, kind="unknown", told=False)
    assert run(voyage("mmsi:463000001", (24.3, 65.6), legs) + seen) == []
    # the stranger whom only the radar sees is told, and once
    stranger = voyage(
        "radar:KHI/9", (24.2, 66.3), [(*NEAR, 9.0), 110.0, (24.3, 66.4, 9.0)],
        error_m=60.0, kind="unknown", told=False, start_min=30,
    )  # fmt: skip
    (found,) = run(voyage("mmsi:463000001", (24.3, 65.6), legs) + seen + stranger)
    assert found.subjects == ("mmsi:463000001", "radar:KHI/9")


def test_an_identity_that_jumps_to_and_fro_meets_nobody(voyage, t0) -> None:
    lies = voyage("mmsi:463000001", SPOT, [180.0], every_s=600)
    jumps = [
        p
        for n in range(19)
        for p in voyage("mmsi:463000002", (24.0, 66.0 + 10.0 * (n % 2)), [0.2], every_s=9.0,
                        start_min=n * 10.0)[:1]
    ]  # fmt: skip
    assert len(jumps) == 19
    assert run(lies + jumps) == []


def test_across_the_antimeridian(voyage) -> None:
    one = voyage("mmsi:463000001", (0.3, 179.6), [(0.0, 179.9995, 11.0), 150.0])
    two = voyage("mmsi:463000002", (0.2, -179.7), [(0.0004, -179.9998, 9.0), 150.0])
    (found,) = run(one + two)
    assert abs(abs(found.place["coordinates"][0]) - 180) < 0.05


def test_more_than_three_are_told_as_one(voyage) -> None:
    host = voyage(
        "mmsi:463000001", (24.3, 65.6), [(*SPOT, 11.0), 200.0], ship_type="70", drift_kn=0.2
    )
    boats = []
    for i in range(3):
        boats += voyage(
            f"mmsi:46300000{i + 2}", (24.2, 66.3 + i / 20), [(24.0005, 66.0005, 9.0), 120.0],
            start_min=30.0 + i, drift_kn=0.2, ship_type="30",
        )  # fmt: skip
    (found,) = run(host + boats)
    assert len(found.subjects) == 4


def test_the_same_two_again_within_hours_are_one_finding_that_keeps_its_id(voyage) -> None:
    first = pair(voyage, 60)
    (once,) = run(first)
    ends = max(p.at for p in first)
    again = []
    for p in pair(voyage, 60):
        again.append(p.__class__(**{
            **{name: getattr(p, name) for name in p.__slots__}, "at": p.at + timedelta(hours=9)
        }))  # fmt: skip
    (both,) = run(first + again)
    assert both.id == once.id
    assert both.end > ends
    assert len(run(first + again, again_h=2)) == 2
