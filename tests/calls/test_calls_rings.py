"""Rings, SIM boxes and successions, on people made by hand (`support.town`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cordon.calls import find
from cordon.calls.rings.ground import Ground, networks
from cordon.calls.rings.locating import locate
from cordon.calls.rings.weighing import confidence
from cordon.calls.rings.working import working
from cordon.kernel.geo import distance_m
from support.town import DAY0, DAYS, PEOPLE, Town, numbers, rings


def test_a_centre_is_found_whole_and_the_office_beside_it_is_not(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell="410-01-9-1")
    office = town.office(lines=8, cell="410-01-9-1")
    (ring,) = rings(town.write(tmp_path / "calls.csv"))
    assert numbers(ring) == used
    assert not numbers(ring) & office
    assert {s for s in ring.subjects if s.startswith("cell:")} == {"cell:410-01-9-1"}
    assert len([s for s in ring.subjects if s.startswith("imei:")]) == 4
    by_name = {r.name: r for r in ring.reasons}
    assert by_name["sims_a_handset"].value == 4.0
    assert ring.extra["seats"]["least"] <= 4 <= ring.extra["seats"]["most"]
    assert 10.5 <= ring.extra["hours"]["opens"] <= 11.5
    # the words must not tell what the subjects may hide
    assert not any("+92" in r.says for r in ring.reasons)


def test_without_handsets_that_are_used_up_it_is_no_centre(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    town.office(lines=8, cell="410-01-9-1")
    assert rings(town.write(tmp_path / "calls.csv")) == []


def test_two_centres_on_one_floor_stay_two(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    day = town.centre("1", cell="410-01-9-1", hours=(9, 16))
    night = town.centre("2", cell="410-01-9-1", hours=(17, 24))
    found = rings(town.write(tmp_path / "calls.csv"))
    assert {frozenset(numbers(f)) for f in found} == {frozenset(day), frozenset(night)}


def test_a_slow_centre_is_found_by_how_it_uses_its_sims(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell="410-01-9-1", a_day=9, sim_days=1, seats=5)
    (ring,) = rings(town.write(tmp_path / "calls.csv"))
    assert len(numbers(ring) & used) >= 0.9 * len(used)
    assert not numbers(ring) - used


def test_a_centre_that_calls_abroad_only_is_found(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    abroad = [f"+4479{n:08d}" for n in range(4000)]
    used = town.centre("1", cell="410-01-9-1", people=abroad)
    (ring,) = rings(town.write(tmp_path / "calls.csv"))
    assert numbers(ring) == used


def test_one_that_moved_is_a_ring_at_each_place(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    before = town.centre("1", cell="410-01-9-1", days=range(3), sim_days=1)
    after = town.centre("1", cell="410-01-55-7", days=range(6, 10), sim_days=1)
    found = rings(town.write(tmp_path / "calls.csv"))
    assert {frozenset(numbers(f)) for f in found} == {frozenset(before), frozenset(after)}


def test_complaints_speak_for_a_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = sorted(town.centre("1", cell="410-01-9-1"))
    path = town.write(tmp_path / "calls.csv")
    told = tmp_path / "complaints.csv"
    told.write_text(
        "complaint_id,received,suspect_number,victim_number\n"
        + "".join(f"C{n},2026-03-09T08:00:00Z,{used[n]},{PEOPLE[n]}\n" for n in range(3))
    )
    ring, again = rings(path)[0], rings(path, complaints=told)[0]
    named = next(r for r in again.reasons if r.name == "complaints")
    assert named.value == 3
    assert again.confidence >= ring.confidence
    assert numbers(ring) == numbers(again)


def test_a_sim_box_is_told_from_a_centre(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    sims = town.box(12, "410-01-9-1")
    path = town.write(tmp_path / "calls.csv")
    (box,) = rings(path, "calls.simbox")
    assert numbers(box) == sims
    assert rings(path) == []


def test_accounts_of_complaints_and_where_they_pay_are_tied_to_the_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = sorted(town.centre("1", cell="410-01-9-1"))
    path = town.write(tmp_path / "calls.csv")
    told = tmp_path / "complaints.csv"
    told.write_text(
        "complaint_id,received,suspect_number,victim_number,suspect_account,suspect_wallet\n"
        f"C1,2026-03-09T08:00:00Z,{used[0]},{PEOPLE[0]},MULE1,\n"
        f"C2,2026-03-09T08:00:00Z,{used[1]},{PEOPLE[1]},MULE2,W9\n"
        f"C3,2026-03-09T08:00:00Z,+923009999999,{PEOPLE[2]},OTHERS,\n"
    )
    paid = tmp_path / "payments.csv"
    rows = ["V1,MULE1", "MULE1,CASH", "V2,MULE2", "MULE2,CASH", "MULE1,SHOP", "MULE2,SHOP"]
    rows += [f"P{n},SHOP" for n in range(80)]
    paid.write_text(
        "payment_id,at,from_account,to_account,amount,currency\n"
        + "".join(f"{n},2026-03-05T08:{n % 60:02d}:00Z,{r},10,PKR\n" for n, r in enumerate(rows))
    )
    (ring,) = rings(path, complaints=told, payments=paid)
    tied = {s for s in ring.subjects if s.partition(":")[0] in ("account", "wallet")}
    assert tied == {"account:MULE1", "account:MULE2", "account:CASH", "wallet:W9"}
    assert ring.extra["hubs"] == ["account:SHOP"]
    assert ring.extra["complaints"] == ["C1", "C2"]


@pytest.mark.parametrize("handset", ["kept", "changed"])
def test_who_changes_the_number_is_known_again(handset: str, tmp_path: Path) -> None:
    moved = [7, 400, 999, 1500, 2222]
    town = Town()
    town.moved = {PEOPLE[i]: (4, f"+92377{i:07d}") for i in moved}
    town.everybody(without=frozenset(PEOPLE[i] for i in moved))
    for i in moved:
        town.life(PEOPLE[i], i, range(4))
        imei = f"35{i:012d}5" if handset == "kept" else f"36{i:012d}5"
        town.life(f"+92377{i:07d}", i, range(4, DAYS), imei, f"410-01-77-{i % 97}")
    found = rings(town.write(tmp_path / "calls.csv"), "calls.number_succession")
    assert {(f.extra["from"], f.extra["to"]) for f in found} == {
        (f"number:{PEOPLE[i]}", f"number:+92377{i:07d}") for i in moved
    }
    for claim in found:
        odds = next(r for r in claim.reasons if r.name == "odds")
        assert odds.value >= (odds.threshold or 0)


def sectors(side: int = 7, apart_m: float = 900.0) -> tuple[Ground, list[str]]:
    """Masts on a grid, three sectors each."""
    lat, lon, azimuth = [], [], []
    for i in range(side):
        for j in range(side):
            for turned in (0.0, 120.0, 240.0):
                lat.append(31.5 + i * apart_m / 111_195)
                lon.append(74.3 + j * apart_m / (111_195 * np.cos(np.radians(31.5))))
                azimuth.append(np.radians(turned))
    size = len(lat)
    return (
        Ground(
            np.array(lat), np.array(lon), np.array(azimuth), np.full(size, np.radians(120.0)),
            np.full(size, 1200.0), np.zeros(size, np.int64),
        ),
        [f"410-01-1-{n}" for n in range(size)],
    )  # fmt: skip


def test_the_region_holds_the_site_nine_times_in_ten() -> None:
    ground, _ = sectors()
    rng = np.random.default_rng(3)
    held = []
    for _ in range(60):
        lat, lon = rng.uniform(31.515, 31.535), rng.uniform(74.315, 74.335)
        # another model than the one that is fitted: a shadow a mast, and noise a call
        north = (lat - ground.lat) * 111_195
        east = (lon - ground.lon) * 111_195 * np.cos(np.radians(31.5))
        turned = (np.arctan2(east, north) - ground.azimuth + np.pi) % (2 * np.pi) - np.pi
        gain = -12 * (turned / np.radians(65)) ** 2
        level = -35 * np.log10(np.maximum(np.hypot(north, east), 30)) + np.maximum(gain, -25)
        level += np.repeat(rng.normal(0, 6, len(level) // 3), 3)
        served = (level[None] + rng.normal(0, 3, (300, len(level)))).argmax(axis=1)
        cells, calls = np.unique(served, return_counts=True)
        region = locate(cells, calls.astype(float), ground)
        assert region is not None
        away = float(distance_m(lat, lon, region.lat, region.lon))
        held.append(away <= region.radius_90_m)
        assert region.radius_50_m <= region.radius_90_m < 5_000
        assert set(region.outlines) == {"50", "90"}
    assert np.mean(held) >= 0.85


def test_without_known_cells_there_is_no_region() -> None:
    nothing = np.array([np.nan])
    ground = Ground(nothing, nothing, nothing, nothing, nothing, np.zeros(1, np.int64))
    assert locate(np.array([0]), np.array([5.0]), ground) is None


def test_networks_are_told_by_code_or_by_who_uses_what() -> None:
    cells = ["410-01-1-1", "410-03-1-1", "410-01-1-2"]
    none = np.zeros(0, np.int64)
    assert len(set(networks(cells, none, none).tolist())) == 2
    named = ["a1", "b1", "a2", "b2"]
    of, cell = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 3])
    told = networks(named, of, cell)
    assert told[0] == told[2] != told[1] == told[3]


@pytest.mark.parametrize(("opens", "long"), [(9.0, 8.0), (19.0, 8.0), (13.0, 10.0)])
def test_hours_of_work_also_over_midnight(opens: float, long: float) -> None:
    rng = np.random.default_rng(1)
    begin = int(DAY0.timestamp() * 1e6)
    day = np.repeat(np.arange(21), 200)
    day = day[(day + 1) % 7 != 0]  # a closed day each week
    hour = opens + rng.uniform(0, long, len(day))
    us = begin + ((day * 24 + hour - 5) * 3600e6).astype(np.int64)
    handset = rng.integers(0, 6, len(day))
    seen = working(us, np.full(len(day), 90.0), handset, 5 * 3600)
    assert abs(seen.opens - opens) <= 0.5
    assert abs(seen.closes - (opens + long)) <= 0.5
    if opens + long <= 24:
        assert len(seen.closed) == 1
    assert seen.seats_least <= seen.seats <= seen.seats_most


def test_confidence_grows_with_the_evidence() -> None:
    said = [confidence(n, -5) for n in range(0, 20)]
    assert said == sorted(said)
    assert 0 < said[0] < 0.5 < said[-1] < 1


Maker = Callable[[Town], None]
INNOCENT: dict[str, Maker] = {
    "riders": lambda t: [
        t.call(
            day, t.rng.uniform(11, 23), f"+923222{r:06d}", t.rng.choice(PEOPLE), 30,
            f"359{r:011d}5", f"410-01-77-{t.rng.randrange(97)}",
        )
        for r in range(6) for day in range(DAYS) for _ in range(40)
    ] and None,
    "phone shop": lambda t: [
        t.call(
            day, 15, f"+923225{day:02d}{n:04d}", "+923225999999", 5, "358000000000001",
            "410-01-9-1",
        )
        for day in range(DAYS) for n in range(20)
    ] and None,
    "campaign": lambda t: [
        t.call(
            day, t.rng.uniform(10, 19), f"+923226{w:06d}", t.rng.choice(PEOPLE), 40,
            f"352{w:011d}5", "410-01-9-1",
        )
        for w in range(15) for day in (2, 3) for _ in range(60)
    ] and None,
    "pollsters": lambda t: [
        t.call(
            day, t.rng.uniform(10, 19), f"+923227{w:06d}", t.rng.choice(PEOPLE),
            t.rng.gauss(900, 120), f"353{w:011d}5", "410-01-9-1",
        )
        for w in range(8) for day in range(DAYS) for _ in range(20)
    ] and None,
    "helpline": lambda t: [
        t.call(
            day, t.rng.uniform(8, 22), t.rng.choice(PEOPLE), "+923228000001", 200,
            "", "", "354000000000001", "410-01-9-1",
        )
        for day in range(DAYS) for _ in range(300)
    ] and None,
    "family on one handset": lambda t: [
        t.call(
            day, t.rng.uniform(8, 22), f"+923229{p:06d}", PEOPLE[t.rng.randrange(8)], 90,
            "355000000000001", "410-01-9-1",
        )
        for p in range(9) for day in range(DAYS) for _ in range(5)
    ] and None,
}  # fmt: skip


@pytest.mark.parametrize("who", sorted(INNOCENT))
def test_an_innocent_is_in_no_ring(who: str, tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    INNOCENT[who](town)
    found = find([town.write(tmp_path / "calls.csv")]).findings
    assert [f.kind for f in found if f.kind in ("calls.call_centre", "calls.simbox")] == []
