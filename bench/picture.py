"""The picture beside its peers: decoding AIS, behaviours, zones, and frames of the live map.

pyais decodes the same lines, MovingPandas splits the same positions by gaps and stops, and
Shapely tests the same points. MovingPandas answers other questions than our behaviours do: it
cuts tracks at silences and stops, and does not ask who else was heard or which zone was entered;
of a day's positions it is given the first, as it takes minutes for all. On the real files zones
are drawn where vessels lie, so that each 33rd position makes a finding: that row tells what
findings cost, and the goal is of the coast. What behaviours work out of tracks is worked out anew
in each round. Figures of ours and a peer's are by turns in one process; each is the median of the
rounds.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyais import IterMessages
from shapely.geometry import Point, Polygon

from bench.measuring import by_turns, real_data, row
from cordon.exercise.worlds import world
from cordon.kernel.clock import as_utc
from cordon.kernel.findings import RecordRef
from cordon.picture.behaviours import behaviours
from cordon.picture.cover import uncovered
from cordon.picture.cover.model import Means
from cordon.picture.cover.reading import read_means
from cordon.picture.detect import find
from cordon.picture.feeds.bulk import BulkDecoder, warm
from cordon.picture.feeds.readers import open_positions
from cordon.picture.live import LivePicture
from cordon.picture.model import Position, Zone
from cordon.picture.tracks import Tracks
from cordon.picture.zonegrid import grid_of
from cordon.picture.zones import read_zones

HOUR_NS = 3_600_000_000_000
LOG_BEGINS = 1_550_300_000
SUBJECTS = 5_000
FRAMES = 20  # in a round
BLOCK = 4_096  # sentences that are decoded at once
SEED = 9_101  # of the coast on which all behaviours are timed
PEER_POSITIONS = 50_000


# AIS sentences


def sentences(count: int, folder: Path) -> tuple[list[bytes], list[bytes], str]:
    """Lines with their receiver's times, the same without them, and where they are from."""
    data = real_data()
    if data is not None:
        raw = (data / "ais" / "go-ais-aistest.nmea").read_bytes().splitlines()
        source = f"a real log of {len(raw):,} sentences, repeated"
    else:
        world("watch").generate(7, 0.5, 0.5, folder)
        raw = (folder / "ais.nmea").read_bytes().splitlines()[:count]
        source = "the exercise's log"
    bare = [line[line.rfind(b"!") :] for line in raw if b"!" in line]
    timed: list[bytes] = []
    plain: list[bytes] = []
    for turn in range(-(-count // len(bare))):
        # each turn an hour later: positions that come again would only be counted
        for n, line in enumerate(bare):
            timed.append(b"%d %s" % (LOG_BEGINS * 10**9 + turn * HOUR_NS + n * 10**7, line))
        plain += bare
    return timed[:count], plain[:count], source


def decoding(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    count = 10_000 if quick else 200_000
    timed, plain, source = sentences(count, folder)
    messages: dict[str, int] = {}

    blocks = [b"\n".join(timed[n : n + BLOCK]) + b"\n" for n in range(0, count, BLOCK)]
    warm()

    def ours() -> None:
        decoder = BulkDecoder("0" * 64)
        for number, block in enumerate(blocks):
            decoder.feed_block(block, 1 + number * BLOCK)
            decoder.take()
        decoder.end()
        decoder.take()
        messages["ours"] = decoder.counts.messages

    def theirs() -> None:
        decoded = 0
        for sentence in IterMessages(plain):
            sentence.decode()
            decoded += 1
        messages["peer"] = decoded

    taken = by_turns(3 if quick else 5, ours=ours, peer=theirs)
    if messages["ours"] != messages["peer"]:
        raise AssertionError(f"the decoders do not agree on the messages: {messages}")
    return [
        row(
            f"decode AIS to columns of positions ({count:,} sentences of {source}; "
            "peer: pyais, messages alone)",
            round(taken["ours"].rate(count)),
            round(taken["peer"].rate(count)),
            "sentences/s",
            taken["ours"],
            goal="≥ the peer's",
        )
    ]


# behaviours


def real_positions(data: Path) -> Iterator[Position]:
    """Positions of the real files that name their subjects."""
    for name, column, lat, lon, speed, form in (
        ("SolentAIS_20160112_130211.csv", "MMSI", "Latitude_degrees", "Longitude_degrees",
         "SOG_knots", "%Y-%m-%d %H:%M:%S.%f"),
        ("NYHarbor_2020_06_30_first_hour.csv", "MMSI", "LAT", "LON", "SOG", "%Y-%m-%dT%H:%M:%S"),
        ("boat-positions.csv", "ID", "latitude", "longitude", "", "%d/%m/%Y %H:%M"),
    ):  # fmt: skip
        path = data / "tracks" / name
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, held in enumerate(csv.DictReader(lines), 1):
                said = held.get("Time") or held.get("BaseDateTime") or held["ais_pos_timestamp"]
                if form.endswith("%f") and "." not in said:
                    said += ".0"
                yield Position(
                    at=datetime.strptime(said, form).replace(tzinfo=UTC),
                    source=name,
                    subject=f"{'mmsi' if column == 'MMSI' else 'boat'}:{held[column]}",
                    lat=float(held[lat]),
                    lon=float(held[lon]),
                    speed_kn=float(held[speed]) if held.get(speed) else None,
                    kind="vessel",
                    record=RecordRef(sha256, number),
                )


def stored(folder: Path) -> tuple[Tracks, str]:
    data = real_data()
    if data is not None:
        tracks = Tracks.build(real_positions(data))
        return tracks, "real, of the Solent, New York and the Nile's mouth"
    made = world("watch").generate(7, 0.5, 1.0, folder)
    return Tracks.build(open_positions(made.files["positions"]).batches()), "of the exercise"


def beginning(tracks: Tracks, count: int) -> Tracks:
    """The tracks of the first subjects, until so many positions are reached."""
    last = int(np.searchsorted(tracks.starts, count))
    end = int(tracks.starts[last])
    columns = ("subject", "t", "lat", "lon", "speed", "course", "accuracy", "kind", "row", "file",
               "source")  # fmt: skip
    return replace(
        tracks,
        said={i: said for i, said in tracks.said.items() if i < last},
        subjects=tracks.subjects[:last],
        static=tracks.static[:last],
        starts=tracks.starts[: last + 1],
        **{name: getattr(tracks, name)[:end] for name in columns},
    )


def rings(lon: np.ndarray, lat: np.ndarray, radius: np.ndarray) -> list[Polygon]:
    """Star-shaped zones of 50 vertices, the same ones on each run."""
    rng = np.random.default_rng(11)
    turns = np.linspace(0, 2 * np.pi, 51)[:-1]
    made = []
    for x, y, r in zip(lon, lat, radius, strict=True):
        reach = r * rng.uniform(0.7, 1.0, 50)
        made.append(
            Polygon(np.column_stack((x + reach * np.cos(turns), y + reach * np.sin(turns))))
        )
    return made


def as_zones(shapes: list[Polygon]) -> list[Zone]:
    return [Zone(f"z{n}", f"Zone {n}", "restricted", g) for n, g in enumerate(shapes)]


def behaving(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """All behaviours over stored positions: a day of a coast, and real ones."""
    world("coast").generate(SEED, 0.1 if quick else 1.0, 0.2 if quick else 1.0, folder / "coast")
    coast = Tracks.build(open_positions(folder / "coast" / "positions.csv").batches())
    sensors = read_means(folder / "coast" / "sensors.csv", None)
    zones = read_zones(folder / "coast" / "zones.geojson")
    real, source = stored(folder)
    if quick:  # MovingPandas takes its time
        real = beginning(real, 3_000)
    spots = np.linspace(0, len(real) - 1, 30).astype(int)
    drawn = as_zones(rings(real.lon[spots], real.lat[spots], np.full(30, 0.01)))
    return [
        _all_behaviours(
            coast, zones, f"of a generated coast, {len(zones)} zones", sensors, quick, "≥ 500,000"
        ),
        _all_behaviours(real, drawn, f"{source}; 30 zones", Means(), quick, None),
    ]


def _all_behaviours(
    tracks: Tracks, zones: list[Zone], source: str, means: Means, quick: bool, goal: str | None
) -> dict[str, Any]:
    chosen = [uncovered.with_means(means) if b is uncovered else b for b in behaviours()]
    found: list[int] = []
    works: dict[str, Any] = {
        # a copy of the tracks, so that nothing that was worked out before is at hand
        "ours": lambda: found.append(len(find(replace(tracks), zones, chosen)))
    }
    works["ours"]()  # loops are compiled and the zones made ready, as on a node
    some = tracks if len(tracks) <= 2 * PEER_POSITIONS else beginning(tracks, PEER_POSITIONS)
    pandas = moving(some)
    if pandas is not None:
        works["peer"] = pandas
    taken = by_turns(1 if quick else 5, **works)
    return row(
        f"all {len(chosen)} behaviours over {len(tracks):,} positions of "
        f"{len(tracks.subjects):,} subjects ({source}; {found[0]:,} findings; peer: MovingPandas' "
        f"gap and stop splitters on {len(some):,})",
        round(taken["ours"].rate(len(tracks))),
        round(taken["peer"].rate(len(some))) if "peer" in taken else None,
        "positions/s",
        taken["ours"],
        goal=goal,
    )


def moving(tracks: Tracks) -> Any:
    """MovingPandas' pass over the same positions, as a function; None where it is not there."""
    warnings.filterwarnings("ignore")  # of optional parts that are not asked for here
    try:
        import movingpandas as mpd
        import pandas as pd
    except ImportError:  # the bench group brings it
        return None
    frame = pd.DataFrame(
        {
            "subject": np.array(tracks.subjects)[tracks.subject],
            "t": pd.to_datetime(tracks.t, unit="s"),
            "x": tracks.lon,
            "y": tracks.lat,
        }
    )
    held = mpd.TrajectoryCollection(frame, "subject", t="t", x="x", y="y", crs="epsg:4326")

    def split() -> None:
        parts = mpd.ObservationGapSplitter(held).split(gap=timedelta(minutes=30))
        mpd.StopSplitter(parts).split(max_diameter=200, min_duration=timedelta(minutes=10))

    return split


# zones


def walks(tracks: int, fixes: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of vessels that wander over a sea of 10° by 6°."""
    rng = np.random.default_rng(5)
    turn = np.cumsum(rng.normal(0, 0.1, (tracks, fixes)), axis=1) + rng.uniform(0, 7, (tracks, 1))
    step = rng.uniform(0.0005, 0.003, (tracks, 1))  # degrees between fixes
    lon = rng.uniform(60, 70, (tracks, 1)) + np.cumsum(step * np.cos(turn), axis=1)
    lat = rng.uniform(20, 26, (tracks, 1)) + np.cumsum(step * np.sin(turn), axis=1)
    return lon.ravel(), lat.ravel()


def zoning(_folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    lon, lat = walks(*((50, 500) if quick else (400, 1_000)))
    looped = 50 if quick else 400  # the plain loop is too slow for all of them
    some = np.linspace(0, len(lon) - 1, looped).astype(int)
    table = []
    for count in (200, 1_000):
        rng = np.random.default_rng(count)
        shapes = rings(rng.uniform(60, 70, count), rng.uniform(20, 26, count), np.full(count, 0.15))
        zones = as_zones([shapely.from_wkb(shapely.to_wkb(g)) for g in shapes])
        hits: dict[str, int] = {}
        prepared = [shapely.from_wkb(shapely.to_wkb(g)) for g in shapes]
        shapely.prepare(prepared)

        def ours(zones: list[Zone] = zones, hits: dict[str, int] = hits) -> None:
            hits["ours"] = len(grid_of(zones).points(lat, lon)[0])

        def tree(shapes: list[Polygon] = shapes, hits: dict[str, int] = hits) -> None:
            found = shapely.STRtree(shapes).query(shapely.points(lon, lat), predicate="intersects")
            hits["tree"] = found.shape[1]

        def loop(shapes: list[Polygon] = prepared) -> None:
            for x, y in zip(lon[some], lat[some], strict=True):
                point = Point(x, y)
                for shape in shapes:
                    shape.intersects(point)

        ours()  # the loops are compiled and the grid made, as on a node
        taken = by_turns(2 if quick else 5, ours=ours, tree=tree, loop=loop)
        if hits["ours"] != hits["tree"]:
            raise AssertionError(f"the zone tests do not agree: {hits}")
        rate = round(taken["ours"].rate(len(lon)))
        for name, peer in (
            ("STRtree, vectorised", taken["tree"].rate(len(lon))),
            (f"a loop over prepared zones, {looped} points", taken["loop"].rate(looped)),
        ):
            table.append(
                row(
                    f"test {len(lon):,} points of tracks against {count:,} zones of 50 vertices "
                    f"({hits['ours']:,} inside; peer: Shapely, {name})",
                    rate,
                    round(peer),
                    "points/s",
                    taken["ours"],
                    goal="≥ 3,000,000" if count == 1_000 else None,
                )
            )
    return table


# the live map


def drawing(_folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    picture = LivePicture()
    begin = as_utc(datetime(2026, 3, 6, 12, 0, tzinfo=UTC))

    def heard(n: int, second: int) -> Position:
        return Position(
            at=begin + timedelta(seconds=second),
            source="bench",
            subject=f"mmsi:{200_000_000 + n}",
            lat=float(rng.uniform(20, 26)),
            lon=float(rng.uniform(60, 70)),
            speed_kn=float(rng.uniform(0, 20)),
            course_deg=float(rng.uniform(0, 359)),
            kind="vessel",
            name=f"VESSEL {n}",
        )

    picture.take(heard(n, 0) for n in range(SUBJECTS))
    before = picture.seq
    picture.take(heard(n, 1) for n in range(0, SUBJECTS, 10))
    now = begin + timedelta(seconds=2)
    taken = by_turns(
        3 if quick else 9,
        whole=lambda: [picture.frame(0, now=now) for _ in range(FRAMES)],
        changed=lambda: [picture.frame(before, now=now) for _ in range(FRAMES)],
    )
    sizes = {
        "whole": len(picture.frame(0, now=now)),
        "changed": len(picture.frame(before, now=now)),
    }
    return [
        row(
            f"a frame of the live map, {words} ({sizes[name]:,} bytes)",
            round(taken[name].wall * 1000 / FRAMES, 3),
            None,
            "ms",
            taken[name],
            bytes=sizes[name],
        )
        for name, words in (
            ("whole", f"all of {SUBJECTS:,} subjects"),
            ("changed", f"the {SUBJECTS // 10:,} of {SUBJECTS:,} that moved"),
        )
    ]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    table = []
    for part in (decoding, behaving, zoning, drawing):
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            table += part(folder, quick=quick)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return table


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line, ensure_ascii=False))
