"""Real logs of vessels (`CORDON_REAL_DATA/tracks`) and the world `coast`, as columns alike."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.measuring import ROOT

FOLDER = Path(os.environ.get("CORDON_REAL_DATA", ROOT / ".." / "shared" / "data")) / "tracks"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").fullmatch


@dataclass(frozen=True, slots=True)
class Log:
    """One log, sorted by vessel, then time.

    Attributes:
        who: number of the vessel. t: s. lat, lon: degrees. speed: kn, course: degrees; NaN where
            the log has none.
    """

    name: str
    who: np.ndarray
    t: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    speed: np.ndarray
    course: np.ndarray

    @property
    def next(self) -> np.ndarray:
        """Whether the next report is of the same vessel, for all but the last."""
        return self.who[1:] == self.who[:-1]

    def gaps(self, low_kn: float, high_kn: float) -> np.ndarray:
        """Seconds to the next report, of those made at such a speed."""
        some = (self.speed[:-1] >= low_kn) & (self.speed[:-1] < high_kn) & self.next
        gap = np.diff(self.t)[some]
        return gap[gap > 0]

    def turns(self, low_s: float, high_s: float) -> np.ndarray:
        """How far the course changes (degrees) to the next report, under way, over such a time."""
        dt = np.diff(self.t)
        some = (self.speed[:-1] > 3) & self.next & (dt >= low_s) & (dt <= high_s)
        turn = np.abs((np.diff(self.course) + 180) % 360 - 180)[some]
        return turn[~np.isnan(turn)]

    def held(self, low_kn: float, high_kn: float) -> float:
        """The share of reports at such a speed whose place is that of the one before."""
        some = (self.speed[1:] >= low_kn) & (self.speed[1:] < high_kn) & self.next
        same = (np.diff(self.lat) == 0) & (np.diff(self.lon) == 0)
        return float(same[some].mean()) if some.any() else float("nan")


def _log(name: str, rows: Iterator[tuple[str, float, float, float, float, float]]) -> Log:
    who, t, lat, lon, speed, course = zip(*rows, strict=True)
    _, code = np.unique(np.array(who), return_inverse=True)
    columns = [np.array(c, float) for c in (t, lat, lon, speed, course)]
    order = np.lexsort((columns[0], code))
    return Log(name, code[order], *(c[order] for c in columns))


def _seconds(text: str, form: str) -> float:
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def real_logs() -> list[Log]:
    """The real logs; nothing where the folder is absent."""
    if not FOLDER.is_dir():
        return []
    return [_new_york(), _solent(), _virginia(), _suez()]


def _new_york() -> Log:
    def rows() -> Iterator[tuple[str, float, float, float, float, float]]:
        with (FOLDER / "NYHarbor_2020_06_30_first_hour.csv").open() as lines:
            for r in csv.DictReader(lines):
                t = _seconds(r["BaseDateTime"], "%Y-%m-%dT%H:%M:%S")
                course = float(r["COG"] or "nan") % 360
                yield r["MMSI"], t, float(r["LAT"]), float(r["LON"]), float(r["SOG"]), course

    return _log("New York harbour", rows())


def _solent() -> Log:
    def rows() -> Iterator[tuple[str, float, float, float, float, float]]:
        with (FOLDER / "SolentAIS_20160112_130211.csv").open() as lines:
            for r in csv.DictReader(lines):
                moment = r["Time"] if "." in r["Time"] else f"{r['Time']}.0"
                t = _seconds(moment, "%Y-%m-%d %H:%M:%S.%f")
                place = float(r["Latitude_degrees"]), float(r["Longitude_degrees"])
                speed, course = float(r["SOG_knots"]), float(r["COG_degrees"])
                yield r["MMSI"], t, *place, speed, course

    return _log("Solent", rows())


def _virginia() -> Log:
    """Assembled trajectories without speeds: those between reports stand for them."""

    def rows() -> Iterator[tuple[str, float, float, float, float, float]]:
        with (FOLDER / "VirginiaBeach_2020_06_04_to_06_filtered.traj").open() as lines:
            for line in lines:
                parts = line.strip().split(",")
                for k in range(len(parts) - 3):
                    if _MOMENT(parts[k + 1]):
                        t = _seconds(parts[k + 1], "%Y-%m-%d %H:%M:%S")
                        yield parts[k], t, float(parts[k + 3]), float(parts[k + 2]), np.nan, np.nan

    return _with_speeds(_log("Virginia Beach", rows()))


def _suez() -> Log:
    def rows() -> Iterator[tuple[str, float, float, float, float, float]]:
        with (FOLDER / "boat-positions.csv").open(encoding="utf-8-sig") as lines:
            for r in csv.DictReader(lines):
                t = _seconds(r["ais_pos_timestamp"], "%d/%m/%Y %H:%M")
                yield r["ID"], t, float(r["latitude"]), float(r["longitude"]), np.nan, np.nan

    return _with_speeds(_log("Suez", rows()))


def _with_speeds(log: Log) -> Log:
    """The same with speeds and courses from place to place."""
    north = np.diff(log.lat) * 60.0
    east = np.diff(log.lon) * 60.0 * np.cos(np.radians(log.lat[:-1]))
    hours = np.maximum(np.diff(log.t), 1.0) / 3600.0
    speed = np.where(log.next, np.hypot(north, east) / hours, np.nan)
    course = np.degrees(np.arctan2(east, north)) % 360
    last = np.full(1, np.nan)
    return Log(
        log.name, log.who, log.t, log.lat, log.lon,
        np.concatenate([speed, last]), np.concatenate([course, last]),
    )  # fmt: skip


def of_world(folder: Path, source: str) -> Log:
    """What one source of a generated world reported of vessels with AIS."""

    def rows() -> Iterator[tuple[str, float, float, float, float, float]]:
        with (folder / "positions.csv").open(encoding="utf-8", newline="") as lines:
            for r in csv.DictReader(lines):
                if (
                    r["source"] == source
                    and r["subject"].startswith("mmsi:")
                    and r["at"][:2] == "20"
                ):
                    t = _seconds(r["at"], "%Y-%m-%dT%H:%M:%SZ")
                    speed, course = (float(r[k] or "nan") for k in ("speed_kn", "course_deg"))
                    if abs(float(r["lat"])) <= 90:
                        yield r["subject"], t, float(r["lat"]), float(r["lon"]), speed, course

    return _log(f"{source} of the world", rows())
