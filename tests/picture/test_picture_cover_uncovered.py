"""Sectors that stay uncovered longer than planned, on hand-made days of a coast and a border."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from shapely.geometry import LineString, box

from cordon.kernel.errors import BadInput
from cordon.kernel.geo import destination
from cordon.picture.behaviours import fit_behaviours
from cordon.picture.cover.model import (
    AT_SEA,
    ON_LAND,
    Fault,
    Limit,
    Means,
    PatrolPlan,
    Sees,
    Sensor,
)
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.uncovered import CARD, OPEN, cover_of, find, findings_of
from cordon.picture.cover.view import now_of
from cordon.picture.model import KINDS, Zone
from cordon.picture.tracks import Batch, Tracks

T0 = datetime(2026, 3, 6, tzinfo=UTC)  # sunrise at 66.8 E about 01:45 UTC, sunset about 13:40
SECTOR = box(66.6, 24.5, 67.0, 24.75)
RADAR = Sensor("R", "radar", AT_SEA, source="R", lat=24.8, lon=66.8, height_m=80.0)
VALUES = CARD.values()


def sector(plan=120, id_="S-1", shape=SECTOR, **more) -> Zone:
    return Zone(id_, f"Sector {id_}", "patrol_sector", shape, {"max_uncovered_min": plan, **more})


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def reports(source, subject, minutes, lat, lon, kind="vessel") -> Batch:
    """Reports of one subject; lat and lon may be arrays over the minutes."""
    t = T0.timestamp() + 60.0 * np.asarray(minutes, dtype=float)
    n = len(t)
    none = np.full(n, np.nan)
    return Batch(
        sha256=f"{abs(hash_of(source + subject)):064x}",
        subjects=[subject],
        sources=[source],
        subject=np.zeros(n, np.int64),
        source=np.zeros(n, np.int64),
        t=t,
        lat=np.broadcast_to(np.asarray(lat, float), (n,)).copy(),
        lon=np.broadcast_to(np.asarray(lon, float), (n,)).copy(),
        speed=none,
        course=none,
        heading=none,
        accuracy=none,
        kind=np.full(n, KINDS.index(kind)),
        row=np.arange(1, n + 1),
    )


def hash_of(text: str) -> int:
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


def plots(*off, until=1440.0, source="R", every=1.0) -> list[Batch]:
    """A radar's plots all about it, with pauses given as (from, to) in minutes."""
    minutes = np.arange(0.0, until, every)
    for a, b in off:
        minutes = minutes[(minutes <= a) | (minutes >= b)]
    found = []
    for k in range(6):
        lat, lon = destination(24.8, 66.8, 100.0 + 32.0 * k, 24_000.0)
        found.append(reports(source, f"radar:{source}/{k}", minutes, lat, lon))
    return found


def patrol(*out, unit="unit:CG-1", lat=24.6, lon=66.8, until=1440.0, every=2.0, kind="vessel"):
    """A unit's reports from the sector in these spans, and from far away else."""
    minutes = np.arange(0.0, until, every)
    inside = np.zeros(len(minutes), bool)
    for a, b in out:
        inside |= (minutes >= a) & (minutes < b)
    return reports(
        "FLEET", unit, minutes, np.where(inside, lat, 23.0), np.where(inside, lon, 66.8), kind
    )


def found(batches, zones, *sensors, plans=()):
    tracks = Tracks.build(batches)
    means = Means(tuple(sensors), tuple(plans)) if sensors or plans else None
    return list(find(tracks, zones, VALUES, means))


def reason(finding, name):
    return next(r for r in finding.reasons if r.name == name)


def test_a_sensor_down_makes_its_sector_uncovered_from_that_moment() -> None:
    (one,) = found([*plots((480, 720)), patrol()], [sector(120)], RADAR)
    assert one.kind == "picture.uncovered"
    assert one.subjects == ("zone:S-1",)
    assert (one.start, one.end) == (at(480), at(720))
    assert reason(one, "max_uncovered_min").value == 240
    assert reason(one, "max_uncovered_min").threshold == 120
    assert reason(one, "sensors_down").value == 1
    assert "R (" in reason(one, "sensors_down").says
    assert OPEN not in {r.name for r in one.reasons}
    assert one.place["type"] in ("Polygon", "MultiPolygon")
    assert "unit:CG-1" in reason(one, "nearest_unit_nm").says
    assert reason(one, "nearest_unit_nm").value == pytest.approx(90, abs=3)
    assert len(one.records) == 2  # the radar's last report, and the unit's


def test_the_plan_says_how_long_is_too_long() -> None:
    day = [*plots((480, 720)), patrol()]
    assert len(found(day, [sector(239)], RADAR)) == 1
    assert found(day, [sector(240)], RADAR) == []
    assert found(day, [sector(0)], RADAR) == [], "without a plan nothing is told"


def test_it_is_found_from_positions_alone() -> None:
    (one,) = found([*plots((480, 720)), patrol()], [sector(120)])
    assert (one.start, one.end) == (at(480), at(720))
    (known,) = found([*plots((480, 720)), patrol()], [sector(120)], RADAR)
    assert one.confidence < known.confidence


def test_one_that_lasts_is_told_as_open_and_keeps_its_id_until_it_ends() -> None:
    zones = [sector(120)]
    day = [*plots((480, 900)), patrol()]
    tracks = Tracks.build(day)
    signs = Signs.of_tracks(tracks)

    def told(minutes):
        cover = cover_of(zones, Means((RADAR,)), signs.until(at(minutes).timestamp()), VALUES)
        return list(findings_of(cover))

    assert told(590) == []
    (first,), (later,), (ended,) = told(610), told(800), told(1000)
    assert first.id == later.id == ended.id
    assert OPEN in {r.name for r in first.reasons}
    assert (first.end, later.end, ended.end) == (at(610), at(800), at(900))
    assert OPEN not in {r.name for r in ended.reasons}


def test_a_patrol_in_the_sector_holds_it() -> None:
    day = plots((480, 720))
    assert found([*day, patrol((540, 660))], [sector(120)], RADAR) == []
    # gone at 540: what it saw counts for another 15 minutes, then the clock begins
    (one,) = found([*day, patrol((400, 540))], [sector(120)], RADAR)
    assert one.start == at(554)  # it was last heard inside at 538
    assert one.end == at(720)


def test_a_patrol_in_port_holds_nothing() -> None:
    port = Zone("P", "Port", "port", box(66.79, 24.59, 66.81, 24.61), {})
    day = [*plots((480, 720)), patrol((0, 1440))]
    assert found(day, [sector(120)], RADAR) == []
    (one,) = found(day, [sector(120), port], RADAR)
    assert reason(one, "nearest_unit_nm").value < 1, "it is still the nearest to send"


def test_a_plan_that_sets_a_share_counts_what_a_patrol_sees() -> None:
    day = [*plots((480, 720)), patrol((470, 730))]
    (one,) = found(day, [sector(120, covered_share=0.9)], RADAR)
    boat = reason(one, "covered_share")
    area = 40.4e3 * 27.8e3  # of the sector, m²
    assert boat.value == pytest.approx(math.pi * (3.4 * 1852) ** 2 / area, rel=0.05)
    assert boat.threshold == 0.9
    assert found(day, [sector(120, covered_share=0.1)], RADAR) == []


def test_a_patrol_sees_less_by_night() -> None:
    """On foot: 600 m by day and 200 m by night, in a small sector inland."""
    small = box(66.780, 24.590, 66.820, 24.610)  # 4.0 km × 2.2 km
    day = [patrol((0, 1440), kind="person", lat=24.6, lon=66.8)]
    cover = cover_of(
        [sector(60, shape=small, covered_share=0.05, needs="person")],
        Means(),
        Signs.of_tracks(Tracks.build(day)),
        VALUES,
    )
    (part,) = cover.sectors[0].parts
    area = 4.04e3 * 2.224e3
    noon, night = 8 * 60, 20 * 60
    assert part.share[noon] == pytest.approx(math.pi * 600**2 / area, rel=0.05)
    assert part.share[night] == pytest.approx(math.pi * 200**2 / area, rel=0.15)
    spans = [(f.start.hour, f.end.hour) for f in findings_of(cover)]
    assert spans == [(0, 1), (14, 23)], "uncovered from dusk on, and until dawn"


def test_two_outages_in_a_day_do_not_hide_one_another() -> None:
    day = [*plots((300, 500), (800, 1050)), patrol()]
    assert [f.start for f in found(day, [sector(120)])] == [at(300), at(800)]


def test_a_satellite_that_passes_now_and_then_is_no_sensor_to_miss() -> None:
    passes = np.concatenate([np.arange(a, a + 10.0) for a in (100.0, 400.0, 480.0, 900.0)])
    day = [
        reports("SAT", f"mmsi:46300{k}", passes, 24.4 + 0.05 * k, 66.5 + 0.06 * k) for k in range(9)
    ]
    assert found([*plots(), *day, patrol()], [sector(60, needs="vessel")]) == []
    (one,) = found([*plots((480, 720)), *day, patrol()], [sector(60)])
    assert reason(one, "sensors_down").says.startswith("Sensors that gave nothing: R (")


def test_quiet_nights_are_no_outage() -> None:
    """Reports each minute by day and each hour by night."""
    minutes = np.concatenate([np.arange(0, 840.0), np.arange(840, 1440, 55.0)])
    lat, lon = destination(24.8, 66.8, 180.0, 20_000.0)
    day = [reports("R", f"radar:R/{k}", minutes, lat, lon) for k in range(3)]
    assert found([*day, patrol()], [sector(120)], RADAR) == []


def test_a_sensor_that_says_when_it_gives_signs_is_down_when_three_are_missed() -> None:
    ground = Sensor(
        "G", "ground_sensor", ON_LAND, source="GATE", lat=24.6, lon=66.8, range_m=9_000.0,
        every_s=600.0,
    )  # fmt: skip
    beats = np.arange(0, 1440, 10.0)
    beats = beats[(beats <= 600) | (beats >= 900)]
    day = [reports("GATE", "sensor:G", beats, 24.6, 66.8, "unknown"), patrol(kind="person")]
    small = sector(120, shape=box(66.75, 24.55, 66.85, 24.65))
    (one,) = found(day, [small], ground)
    assert (one.start, one.end) == (at(600), at(900))
    assert one.confidence > 0.85, "it is known, not learned"


def test_outages_weather_and_duty_that_are_known_of_count() -> None:
    day = [*plots(), patrol()]
    off = Limit(at(300), at(600), 0.0, "mast work")
    (one,) = found(day, [sector(120)], Sensor(**{**fields(RADAR), "limits": (off,)}))
    assert (one.start, one.end) == (at(300), at(600))
    assert "mast work" in reason(one, "sensors_down").says
    fog = Limit(at(300), None, 0.2, "rain")
    (one,) = found(day, [sector(120)], Sensor(**{**fields(RADAR), "limits": (fog,)}))
    assert 0 < reason(one, "of_usual").value < 0.25
    assert OPEN in {r.name for r in one.reasons}
    manned = Sensor(**{**fields(RADAR), "duty": ((0, 600), (1000, 1440))})
    (one,) = found(day, [sector(120)], manned)
    assert (one.start, one.end) == (at(600), at(1000))


def fields(sensor: Sensor) -> dict:
    return {name: getattr(sensor, name) for name in Sensor.__slots__}


def test_a_planned_patrol_that_is_never_heard_holds_its_sector() -> None:
    day = [*plots((480, 720)), patrol()]
    plan = PatrolPlan("unit:FOOT-1", "S-1", at(500), at(700))
    assert found(day, [sector(120)], RADAR, plans=[plan]) == []
    # one that is heard is where it is, whatever its plan says
    boat = PatrolPlan("unit:CG-1", "S-1", at(500), at(700))
    assert len(found(day, [sector(120)], RADAR, plans=[boat])) == 1
    later = PatrolPlan("unit:FOOT-1", "S-1", at(780), at(900))
    (one,) = found(day, [sector(120)], RADAR, plans=[later])
    assert reason(one, "next_patrol_min").value == 60


def test_where_nothing_is_known_nothing_is_told_and_it_is_said() -> None:
    far = reports("AIS", "mmsi:1", np.arange(0, 1440, 5.0), 20.0, 60.0)
    cover = cover_of([sector(60)], Means(), Signs.of_tracks(Tracks.build([far])), VALUES)
    assert list(findings_of(cover)) == []
    (now,) = now_of(cover).sectors
    assert not now.known
    assert not now.late
    # a sensor without a range is named as such, and covers nothing
    blind = Sensor("C", "camera", ON_LAND, lat=24.6, lon=66.8)
    cover = cover_of([sector(60)], Means((blind,)), Signs.of_tracks(Tracks.build([far])), VALUES)
    told = {s.id: s for s in now_of(cover).sensors}
    assert "its range is not known" in told["C"].notes
    assert list(findings_of(cover)) == []
    assert found([], [sector(60)]) == []


def test_a_sensor_that_was_never_heard_may_work_and_is_said_to_be_unproven() -> None:
    cover = cover_of(
        [sector(60)], Means((RADAR,)), Signs.of_tracks(Tracks.build([patrol()])), VALUES
    )
    (now,) = now_of(cover).sectors
    assert now.share > 0.9
    assert now.proven == 0
    assert now_of(cover).sensors[0].state == "unknown"
    assert list(findings_of(cover)) == []


def test_a_feed_that_the_node_knows_to_be_silent_covers_nothing_at_once() -> None:
    signs = Signs.of_tracks(Tracks.build([*plots(until=1440.0), patrol()]))
    since = at(1435).timestamp()
    fault = Fault("R", since, "its feed is silent")
    cover = cover_of([sector(1)], Means((RADAR,)), signs, VALUES, [fault])
    (one,) = findings_of(cover)
    assert one.start == at(1435)
    assert "its feed is silent" in reason(one, "sensors_down").says


def test_what_is_needed_decides_what_covers() -> None:
    """AIS goes on when the radar fails: who has none is not seen."""
    ais = [
        reports(
            "A", f"mmsi:46300{k:04d}", np.arange(0, 1440, 3.0), 24.5 + 0.03 * k, 66.6 + 0.05 * k
        )
        for k in range(8)
    ]
    mast = Sensor("A", "ais_receiver", Sees.VESSEL | Sees.VESSEL_CLASS_B, source="A", lat=24.8,
                  lon=66.8, height_m=80.0)  # fmt: skip
    day = [*plots((480, 720)), *ais, patrol()]
    assert len(found(day, [sector(120)], RADAR, mast)) == 1, "the hardest that is usually seen"
    assert found(day, [sector(120, needs="vessel")], RADAR, mast) == []
    assert len(found(day, [sector(120, needs=["vessel_without_ais"])], RADAR, mast)) == 1
    assert found(day, [sector(120, needs="aircraft")], RADAR, mast)[0].start == at(0)


def test_a_flicker_of_cover_ends_nothing() -> None:
    minutes = np.array([600.0, 601.0])
    lat, lon = destination(24.8, 66.8, 180.0, 20_000.0)
    blink = [reports("R", f"radar:R/{k}", minutes, lat, lon) for k in range(3)]
    beating = Sensor(**{**fields(RADAR), "every_s": 60.0})
    (one,) = found([*plots((480, 720)), *blink, patrol()], [sector(120)], beating)
    assert (one.start, one.end) == (at(480), at(720))


def test_a_sector_may_be_measured_along_the_line() -> None:
    line = Zone("B", "Line", "border", LineString([(66.5, 24.74), (67.1, 24.74)]), {})
    short = Sensor(**{**fields(RADAR), "lat": 24.74, "range_m": 10_000.0})
    zones = [sector(60, measure="line"), line]
    cover = cover_of(zones, Means((short,)), Signs.of_tracks(Tracks.build(plots())), VALUES)
    (part,) = cover.sectors[0].parts
    assert part.share[0] == pytest.approx(20_000 / 40_400, rel=0.02)
    assert cover.sectors[0].cells.on_line


def test_a_shadow_and_a_beam_take_away() -> None:
    def share(**more):
        sensor = Sensor(**{**fields(RADAR), **more})
        signs = Signs.of_tracks(Tracks.build(plots()))
        cover = cover_of([sector(60)], Means((sensor,)), signs, VALUES)
        return float(cover.sectors[0].parts[0].share[0]) if cover.sectors[0].parts else 0.0

    assert share() == pytest.approx(1.0)
    assert share(shadows=(box(66.6, 24.5, 66.8, 24.75),)) == pytest.approx(0.5, abs=0.03)
    assert share(azimuth_deg=90.0, beamwidth_deg=180.0) == pytest.approx(0.5, abs=0.03)
    assert share(azimuth_deg=0.0, beamwidth_deg=60.0) == 0.0


def test_a_sector_across_the_antimeridian_is_one() -> None:
    both = box(179.8, 10.0, 180.0, 10.3).union(box(-180.0, 10.0, -179.8, 10.3))
    radar = Sensor(**{**fields(RADAR), "lat": 10.15, "lon": 179.99, "range_m": 40_000.0})
    signs = Signs.of_tracks(Tracks.build(plots()))
    cover = cover_of([sector(60, shape=both)], Means((radar,)), signs, VALUES)
    (one,) = cover.sectors
    assert 500 < len(one.cells) < 1500
    assert one.parts[0].share[0] == pytest.approx(1.0)
    shape = one.cells.shape(np.ones(len(one.cells), bool))
    assert shape.area == pytest.approx(0.4 * 0.3, rel=0.02)


def test_a_wrong_clock_far_away_has_nobody_silent() -> None:
    stray = reports("R", "radar:R/9", [200 * 1440.0], 24.6, 66.8)
    assert found([*plots(), stray, patrol((0, 1440))], [sector(120)], RADAR) == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"needs": "walkers"}, "needs holds 'walkers'"),
        ({"needs": 7}, "needs is no list"),
        ({"measure": "volume"}, "measure is none of"),
        ({"max_uncovered_min": "soon"}, "max_uncovered_min"),
        ({"covered_share": 1.5}, "covered_share"),
    ],
)
def test_a_plan_that_asks_for_nonsense_is_refused_by_its_zone(more, says) -> None:
    zone = Zone("S", "S", "patrol_sector", SECTOR, {"max_uncovered_min": 60, **more})
    with pytest.raises(BadInput, match=r"feature 1 \(“S”\)") as wrong:
        fit_behaviours([zone], "The file")
    assert says in wrong.value.message
