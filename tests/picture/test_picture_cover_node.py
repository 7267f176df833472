"""Cover on a node: sensors in rows, the gate and the ledger, findings that keep their id."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from cordon.kernel.errors import BadInput, NotFound, Refused
from cordon.kernel.geo import destination
from cordon.kernel.jobs import Jobs
from cordon.kernel.leads import list_findings
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.picture.cover.desk import CoverDesk, faults_of, is_open
from cordon.picture.feeding import FeedState
from cordon.picture.service import Picture
from cordon.picture.tracks import Batch

SENSORS = b"id,kind,lat,lon,height_m,every_s\nR,radar,24.8,66.8,80,60\n"
SQUARE = [[66.6, 24.5], [67.0, 24.5], [67.0, 24.75], [66.6, 24.75], [66.6, 24.5]]
ZONES = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "id": "S-1", "name": "Sector One", "kind": "patrol_sector",
                    "max_uncovered_min": 60, "needs": "vessel_without_ais",
                },
                "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
            }
        ],
    }
).encode()  # fmt: skip


@pytest.fixture
def room(kernel, officers) -> Picture:
    jobs = Jobs(kernel, lambda _asked: kernel.node)
    made = Picture(
        kernel,
        jobs,
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )
    made.put_zones(officers["supervisor"], ZONES)
    made.cover.put_sensors(officers["supervisor"], SENSORS)
    return made


def plots(start: float, minutes: float, source="R") -> Batch:
    t = start + np.arange(0, minutes * 60, 30.0)
    n = len(t)
    lat, lon = destination(24.8, 66.8, 170.0, 20_000.0)
    none, zero = np.full(n, np.nan), np.zeros(n, np.int64)
    return Batch(
        f"{int(start):064x}", [f"radar:{source}/1"], [source], zero, zero, t, np.full(n, lat),
        np.full(n, lon), none, none, none, none, zero + 1, np.arange(1, n + 1),
    )  # fmt: skip


def run(room, kernel, minutes: float, *, seen: bool) -> tuple[list[str], list[str]]:
    """Let some minutes pass, with plots of the radar or without, and reckon cover."""
    start = kernel.clock.now().timestamp()
    kernel.clock.advance(timedelta(minutes=minutes))
    if seen:
        room.cover.take(plots(start, minutes))
    return room.cover.tick()


def kept(kernel):
    with kernel.view(kernel.node) as view:
        return [k.finding for k in list_findings(view, kind="picture.uncovered")]


def acts(kernel) -> list[str]:
    with kernel.rows.read() as session:
        query = session.query(LedgerEntry).where(LedgerEntry.outcome == "done")
        return [e.act for e in query.order_by(LedgerEntry.index)]


def test_a_finding_is_made_once_and_ends_when_the_sector_is_covered_again(room, kernel) -> None:
    assert run(room, kernel, 120, seen=True) == ([], [])
    down = kernel.clock.now()
    assert run(room, kernel, 50, seen=False) == ([], [])
    (id_,), grown = run(room, kernel, 20, seen=False)
    assert grown == []
    assert run(room, kernel, 2, seen=False) == ([], []), "not told again each minute"
    assert run(room, kernel, 60, seen=False) == ([], [id_])
    (one,) = kept(kernel)
    assert is_open(one)
    assert abs(one.start - down) < timedelta(minutes=1)
    back = kernel.clock.now()
    assert run(room, kernel, 30, seen=True) == ([], [id_])
    (one,) = kept(kernel)
    assert one.id == id_
    assert not is_open(one)
    assert abs(one.end - back) < timedelta(minutes=1)
    assert one.reasons[0].value == pytest.approx(132, abs=1)
    # another time is another finding
    run(room, kernel, 60, seen=True)
    (other,), _ = run(room, kernel, 90, seen=False)
    assert other != id_
    assert acts(kernel).count("findings.finding.make") == 2


def test_a_node_that_is_started_anew_goes_on_with_the_finding_that_lasts(room, kernel) -> None:
    run(room, kernel, 120, seen=True)
    (id_,), _ = run(room, kernel, 90, seen=False)
    again = CoverDesk(kernel, timedelta(hours=24), list)
    again.take(plots(kernel.clock.now().timestamp() - 210 * 60, 120))  # what was stored
    kernel.clock.advance(timedelta(minutes=70))
    room.cover = again
    made, grown = again.tick()
    assert made == []
    assert grown in ([], [id_])
    (one,) = kept(kernel)
    assert one.id == id_
    run(room, kernel, 30, seen=True)
    (one,) = kept(kernel)
    assert not is_open(one)
    assert one.reasons[0].value == pytest.approx(160, abs=2), "its begin is the first one"


def test_a_feed_that_is_silent_covers_nothing_from_when_it_was_heard(room, kernel) -> None:
    feed = FeedState("f", "R", "nmea+tcp://x:1", state="live", heard=kernel.clock.now())
    room._feeds["f"] = feed
    run(room, kernel, 120, seen=True)
    feed.state, feed.heard = "silent", kernel.clock.now()
    (id_,), _ = run(room, kernel, 61, seen=False)
    says = next(r.says for r in kept(kernel)[0].reasons if r.name == "sensors_down")
    assert "its feed is silent" in says
    feed.state = "live"
    assert run(room, kernel, 20, seen=True) == ([], [id_])
    assert faults_of([feed]) == []
    assert faults_of([FeedState("g", "G", "u")])[0].since is None


def test_sensors_pass_the_gate_and_stand_in_the_ledger(room, kernel, officers) -> None:
    for name in ("watch", "field", "investigator", "overseer", "administrator"):
        with pytest.raises(Refused):
            room.cover.put_sensors(officers[name], SENSORS)
    for name in ("field", "investigator", "administrator"):
        with pytest.raises(Refused):
            room.cover.now(officers[name])
    before = acts(kernel).count("picture.sensor.change")
    with pytest.raises(BadInput, match="row 1"):
        room.cover.put_sensors(officers["supervisor"], b"id,kind\nX,sonar\n")
    assert acts(kernel).count("picture.sensor.change") == before
    assert [s.id for s in room.cover.now(officers["watch"]).sensors] == ["R"]
    room.cover.remove_sensor(officers["supervisor"], "R")
    assert room.cover.now(officers["overseer"]).sensors == ()
    with pytest.raises(NotFound):
        room.cover.remove_sensor(officers["supervisor"], "R")


def test_outages_and_patrols_are_entered_ended_and_called_off(room, kernel, officers) -> None:
    watch = officers["watch"]
    run(room, kernel, 120, seen=True)
    now = kernel.clock.now()
    start = now.isoformat().replace("+00:00", "Z")
    for wrong in (
        ("R", "soon", "", "", "mast"),
        ("R", start, "", "120", "mast"),
        ("R", start, "", "", ""),
    ):
        with pytest.raises(BadInput):
            room.cover.note_limit(watch, *wrong)
    with pytest.raises(NotFound):
        room.cover.note_limit(watch, "Q", start, "", "", "mast")
    with pytest.raises(Refused):
        room.cover.note_limit(officers["field"], "R", start, "", "", "mast")
    limit = room.cover.note_limit(watch, "kind:radar", start, "", "0", "mast work")
    run(room, kernel, 10, seen=True)
    (sector,) = room.cover.now(watch).sectors
    assert (sector.covered, sector.down) == (False, (("R", "mast work"),))
    room.cover.end_limit(watch, limit)
    run(room, kernel, 10, seen=True)
    assert room.cover.now(watch).sectors[0].covered
    begin = (now + timedelta(hours=1)).isoformat()
    until = (now + timedelta(hours=3)).isoformat()
    with pytest.raises(BadInput):
        room.cover.plan_patrol(watch, "CG-1", "S-1", begin, until)
    plan = room.cover.plan_patrol(watch, "unit:CG-1", "S-1", begin, until)
    assert room.cover.now(watch).sectors[0].due.unit == "unit:CG-1"
    room.cover.cancel_patrol(watch, plan)
    assert room.cover.now(watch).sectors[0].due is None
    with pytest.raises(NotFound):
        room.cover.cancel_patrol(watch, plan)
    assert acts(kernel).count("picture.cover.note") == 4


def test_positions_that_the_node_shows_are_listened_to(room, kernel) -> None:
    kernel.clock.advance(timedelta(hours=3))
    batch = plots(kernel.clock.now().timestamp() - 3600, 30)
    room.intake._show(batch)
    signs = room.cover._listening.signs(kernel.clock.now().timestamp())
    assert signs.code("R") is not None
    assert {b.CARD.kind for b in room.intake._stream._behaviours} & {"picture.uncovered"} == set()
