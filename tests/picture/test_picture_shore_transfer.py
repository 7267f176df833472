"""A fast craft from the shore meets a slow one outside, and goes back."""

from __future__ import annotations

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import shore_transfer

BEACH = (24.995, 66.0)  # land lies north of 25° N
OUT = (24.85, 66.0)  # 9 nm out


@pytest.fixture
def land(area):
    return area("land", "land", 65.0, 25.0, 67.0, 25.5)


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = shore_transfer.find(tracks, list(zones), shore_transfer.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def skiff(voyage, subject="radar:A/1", beach=BEACH, back=None, stay=10.0, kn=25.0, **more):
    legs = [(OUT[0] + 0.0006, OUT[1], kn), stay, (*(back or beach), kn)]
    more = {"every_s": 20, "start_min": 900.0, "kind": "unknown", "error_m": 25.0, **more}
    return voyage(subject, beach, legs, **more)


def dhow(voyage, subject="radar:A/2", at=OUT, drift=1.0, **more):
    legs = [(*at, 7.0), 240.0, (24.5, 66.4, 7.0)]
    more = {"every_s": 20, "start_min": 600.0, "kind": "unknown", "error_m": 25.0, **more}
    return voyage(subject, (24.6, 65.6), legs, drift_kn=drift, **more)


def test_out_beside_a_slow_one_and_back_is_told(voyage, land) -> None:
    positions = skiff(voyage) + dhow(voyage, drift=0.0)
    (found,) = run(positions, [land])
    assert found.kind == "picture.shore_transfer"
    assert found.subjects == ("radar:A/1", "radar:A/2")
    assert found.place["coordinates"] == pytest.approx([66.0, 24.85], abs=0.01)
    names = {r.name for r in found.reasons}
    assert {"contact_m", "contact_min", "out_nm", "fast_kn", "night"} <= names
    there = {(p.record.sha256, p.record.row) for p in positions}
    assert all((r.sha256, r.row) in there for r in found.records)
    assert run(positions) == []  # without land nobody knows the shore


def test_the_slow_one_may_have_ais_and_the_fast_one_too(voyage, land) -> None:
    ship = dhow(voyage, "mmsi:463000001", drift=0.0, kind="vessel", ship_type="70")
    assert len(run(skiff(voyage) + ship, [land])) == 1
    assert len(run(skiff(voyage, "mmsi:463000002", kind="vessel") + ship, [land])) == 1


def test_by_day_it_tells_less(voyage, land) -> None:
    day = skiff(voyage, start_min=360.0) + dhow(voyage, start_min=60.0, drift=0.0)
    (by_day,) = run(day, [land])
    (by_night,) = run(skiff(voyage) + dhow(voyage, drift=0.0), [land])
    assert by_day.confidence < by_night.confidence


def test_what_does_not_fit_is_none(voyage, land, area) -> None:
    slow = dhow(voyage, drift=0.0)
    assert run(skiff(voyage, kn=9.0) + slow, [land]) == []  # no fast craft
    assert run(skiff(voyage, stay=0.3) + slow, [land]) == []  # passed by
    assert run(skiff(voyage), [land]) == []  # met nobody
    assert run(skiff(voyage) + dhow(voyage, at=(24.83, 66.02), drift=0.0), [land]) == []
    assert run(skiff(voyage, back=(24.6, 66.2)) + slow, [land]) == []  # did not go back
    near = area("near", "land", 65.9, 24.87, 66.1, 24.9)  # an island 1 nm away
    assert run(skiff(voyage) + slow, [land, near], out_nm=2) == []


def test_from_a_port_and_back_to_it_is_service(voyage, land, area) -> None:
    port = area("p", "port", 65.98, 24.98, 66.02, 25.02)
    both = skiff(voyage) + dhow(voyage, drift=0.0)
    assert run(both, [land, port]) == []
    # from the port, but back to a beach
    assert (
        len(run(skiff(voyage, back=(24.996, 66.15)) + dhow(voyage, drift=0.0), [land, port])) == 1
    )
    pilot = skiff(voyage, "mmsi:463000003", kind="vessel", ship_type="50")
    assert run(pilot + dhow(voyage, drift=0.0), [land]) == []
    assert run(both, [land, area("a", "anchorage", 65.9, 24.8, 66.1, 24.9)]) == []


def test_twice_to_the_same_is_one_finding(voyage, land) -> None:
    legs = []
    for _ in range(2):
        legs += [(OUT[0] + 0.0006, OUT[1], 25.0), 8.0, (*BEACH, 25.0), 10.0]
    twice = voyage("radar:A/1", BEACH, legs, every_s=20, start_min=900.0, kind="unknown")
    (found,) = run(twice + dhow(voyage, drift=0.0), [land])
    assert next(r.value for r in found.reasons if r.name == "times") == 2


def test_it_is_told_while_it_goes_back(voyage, land) -> None:
    both = skiff(voyage) + dhow(voyage, drift=0.0)
    (whole,) = run(both, [land])
    met = whole.reasons[1]
    assert met.name == "contact_min"
    trip = sorted(p.at for p in both if p.subject == "radar:A/1")
    upto = [p for p in both if p.subject != "radar:A/1" or p.at <= trip[int(len(trip) * 0.9)]]
    (early,) = run(upto, [land])
    assert early.id == whole.id
    assert early.confidence < whole.confidence
    assert "on its way back" in next(r.says for r in early.reasons if r.name == "shore_m")
    beside = [p for p in both if p.subject != "radar:A/1" or p.at <= trip[len(trip) // 2]]
    assert run(beside, [land]) == []
