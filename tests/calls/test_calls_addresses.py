"""Internet addresses of lines: what ties a ring, what is a hub, and what says nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cordon.calls import find
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from support.surfing import MESSENGER, NETWORK, POOL, Surfing
from support.town import PEOPLE, Town, numbers

GATE, OTHER = "198.51.100.7", "198.51.100.8"
CELL = "410-01-9-1"


def rings(calls: Path, *sessions: Path, **beside: Path) -> list[Finding]:
    found = find([calls], sessions=sessions, **beside).findings
    return [f for f in found if f.kind == "calls.call_centre"]


def said(ring: Finding, name: str) -> str:
    return next((r.says for r in ring.reasons if r.name == name), "")


def tied(ring: Finding) -> set[str]:
    return {s for s in ring.subjects if s.startswith("address:")}


def cut(ring: Finding) -> set[str]:
    return {c["subject"] for c in ring.extra["cut"]}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    town = Town()
    town.everybody()
    used = town.centre("1", cell=CELL)
    return town.write(tmp_path_factory.mktemp("centre") / "calls.csv"), used


def test_a_gateway_that_only_its_lines_reach_ties_a_ring(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    surfing = Surfing()
    surfing.everybody()
    surfing.lines(used, GATE)
    surfing.session(PEOPLE[5], GATE)  # somebody looked it up
    (ring,) = rings(calls, surfing.write(tmp_path / "sessions.csv"))
    assert numbers(ring) == used
    assert tied(ring) == {f"address:{GATE}"}
    links = [n for n in ring.extra["links"] if n["reason"] == "address"]
    assert {n["a"] for n in links} == {f"number:{n}" for n in used}
    assert {(n["b"], n["times"]) for n in links} == {(f"address:{GATE}", 3)}
    assert all(5 < n["weight"] < 8 for n in links)
    assert {f"address:{MESSENGER}", f"address:{NETWORK}"} <= cut(ring)
    assert all(f"address:{p}" not in ring.subjects for p in POOL)
    people = {c["subject"]: c["people"] for c in ring.extra["cut"]}
    assert people[f"address:{MESSENGER}"] > 700
    assert said(ring, "address").startswith(
        "100% of its lines with internet sessions reach one address of their own; usual is 1 of "
    )
    assert "(2.0 nats for it)" in said(ring, "address")
    # the words must not tell what the subjects may hide
    assert not any(GATE in r.says for r in ring.reasons)


def test_what_everybody_reaches_or_is_seen_by_ties_nothing(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    surfing = Surfing()
    surfing.everybody()
    surfing.lines(used, public=POOL[0])
    (ring,) = rings(calls, surfing.write(tmp_path / "sessions.csv"))
    (plain,) = rings(calls)
    assert ring.subjects == plain.subjects
    assert (ring.reasons, ring.confidence) == (plain.reasons, plain.confidence)
    assert f"address:{POOL[0]}" in cut(ring)
    assert "address" not in ring.extra["links_in_all"]


def test_sessions_of_the_lines_alone_say_nothing(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    surfing = Surfing()
    surfing.everybody(PEOPLE[:40])
    surfing.lines(used, GATE)
    sessions = surfing.write(tmp_path / "sessions.csv")
    (plain,) = rings(calls)
    result = find([calls], sessions=[sessions])
    (ring,) = (f for f in result.findings if f.kind == "calls.call_centre")
    assert not tied(ring)
    assert ring.reasons == plain.reasons
    assert any("The sessions are of 40 numbers beside those" in s for s in result.left_out)


def test_an_office_behind_its_own_gateway_is_no_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    office = town.office(lines=12, cell=CELL)
    surfing = Surfing()
    surfing.everybody()
    surfing.lines(office, GATE)
    assert rings(town.write(tmp_path / "calls.csv"), surfing.write(tmp_path / "sessions.csv")) == []


def test_registered_lines_that_reach_it_speak_against(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    registered = [f"+92421{n:07d}" for n in range(30)]
    register = tmp_path / "subscribers.csv"
    register.write_text(
        "number,kind\n" + "".join(f"{n},registered_call_centre\n" for n in registered)
    )
    surfing = Surfing()
    surfing.everybody()
    surfing.lines([*used, *registered], GATE)
    (ring,) = rings(calls, surfing.write(tmp_path / "sessions.csv"), subscribers=register)
    assert "(2.0 nats against it)" in said(ring, "address")
    assert not tied(ring)  # a provider's box: more of its users are no lines of the ring
    assert f"address:{GATE}" in cut(ring)


def two(
    tmp_path: Path, hours: tuple[float, float], cell: str = CELL
) -> tuple[Path, list[set[str]]]:
    town = Town()
    town.everybody()
    groups = [
        town.centre("1", cell=CELL, hours=(11, 18)),
        town.centre("2", cell=cell, hours=hours),
    ]
    return town.write(tmp_path / "calls.csv"), groups


def test_two_on_one_floor_with_a_gateway_each_stay_two(tmp_path: Path) -> None:
    calls, groups = two(tmp_path, (11, 18))
    assert [numbers(f) for f in rings(calls)] == [groups[0] | groups[1]]  # nothing tells them apart
    surfing = Surfing()
    surfing.everybody()
    surfing.lines(groups[0], GATE)
    surfing.lines(groups[1], OTHER)
    found = rings(calls, surfing.write(tmp_path / "sessions.csv"))
    assert sorted(map(sorted, map(numbers, found))) == sorted(map(sorted, groups))


@pytest.mark.parametrize(
    ("reached", "cell", "one"),
    [(GATE, CELL, True), (MESSENGER, CELL, False), (GATE, "410-01-9-2", False)],
)
def test_groups_are_joined_by_a_gateway_at_one_place_alone(
    reached: str, cell: str, one: bool, tmp_path: Path
) -> None:
    calls, groups = two(tmp_path, (12, 20), cell)
    assert len(rings(calls)) == 2
    surfing = Surfing()
    surfing.everybody()
    for group in groups:
        surfing.lines(group, reached)
    found = rings(calls, surfing.write(tmp_path / "sessions.csv"))
    assert len(found) == (1 if one else 2)


def test_several_files_are_used_and_what_is_refused_is_told(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    first, second = Surfing(), Surfing()
    first.everybody()
    second.lines(used, GATE)
    one = first.write(tmp_path / "one.csv")
    packed = tmp_path / "two.csv.gz"
    text = second.write(tmp_path / "two.csv").read_text()
    packed.write_bytes(gzip.compress((text + "yesterday,,,,,,,\n").encode()))
    result = find([calls], sessions=[one, packed, packed])
    (ring,) = (f for f in result.findings if f.kind == "calls.call_centre")
    assert {n["times"] for n in ring.extra["links"] if n["reason"] == "address"} == {3}
    assert [name for name, _ in result.refusals] == ["two.csv.gz"] * 2
    assert any("rows of two.csv.gz could not be read" in s for s in result.left_out)
    bad = tmp_path / "bad.csv"
    bad.write_text("number,when\n1,2\n")
    with pytest.raises(BadInput, match=r"bad\.csv"):
        find([calls], sessions=[bad])


def test_a_pool_of_few_subscribers_is_no_address_of_a_rings_own(
    centre: tuple[Path, set[str]], tmp_path: Path
) -> None:
    calls, used = centre
    few = ["203.0.113.101", "203.0.113.102", "203.0.113.103"]
    surfing = Surfing()
    surfing.everybody()
    for number in sorted(used):
        for public in few * 3:
            surfing.session(number, MESSENGER, public)
    (ring,) = rings(calls, surfing.write(tmp_path / "pool.csv"))
    assert not tied(ring)
    assert {f"address:{p}" for p in few} <= cut(ring)
    kept = Surfing()
    kept.everybody()
    kept.lines(used, public=few[0])
    (ring,) = rings(calls, kept.write(tmp_path / "kept.csv"))
    assert tied(ring) == {f"address:{few[0]}"}
