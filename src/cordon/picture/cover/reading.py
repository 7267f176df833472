"""Sensors and planned patrols from files: CSV with a header, or GeoJSON.

A list with a row that is wrong is refused as a whole, with the row named: half a list would
have sectors uncovered that are not. Columns are those of `Sensor`; unknown ones are passed over.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from shapely.geometry.base import BaseGeometry

from cordon.kernel.errors import BadInput
from cordon.picture.cover import fields
from cordon.picture.cover.model import KINDS, USUALLY_SEES, Means, PatrolPlan, Sensor
from cordon.picture.feeds.source import open_bytes
from cordon.picture.zones import zones_of

_BYTES = 16 << 20
MOST_ROWS = 20_000
_BOM = "\ufeff"


def read_sensors(path: Path) -> Means:
    """Sensors of a file (and the patrols that a GeoJSON file plans); BadInput names the row."""
    return sensors_of(_bytes(path), Path(path).name)


def read_patrols(path: Path) -> tuple[PatrolPlan, ...]:
    """Planned patrols of a CSV file with `unit`, `sector`, `from` and `to`."""
    name = Path(path).name
    return tuple(
        _told(name, number, row, lambda row: patrol_of(row, None))
        for number, row in _csv(_bytes(path), name)
    )


def read_means(sensors: Path | None, patrols: Path | None) -> Means:
    """Sensors and planned patrols of files; BadInput names the file and the row."""
    means = read_sensors(sensors) if sensors is not None else Means()
    if patrols is not None:
        means = Means(means.sensors, (*means.patrols, *read_patrols(patrols)))
    return means


def sensors_of(data: bytes, where: str = "The sensors") -> Means:
    """Sensors of a file's bytes; errors as `read_sensors`."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _geojson(data, where)
    return Means(_distinct([*_sensors(_csv(data, where), where)], where), ())


def sensor_of(row: Mapping[str, Any]) -> Sensor:
    """A sensor of one row's values; BadInput says what is wrong with it, without naming it."""
    id_ = fields.text(row, "id", needed=True)
    kind = fields.text(row, "kind", needed=True)
    if kind not in KINDS:
        raise BadInput(
            f"kind {kind[:40]!r} is not known.", advice=f"Give one of {', '.join(KINDS)}."
        )
    lat, lon = fields.number(row, "lat", -90, 90), fields.number(row, "lon", -180, 180)
    if (lat is None) != (lon is None):
        raise BadInput("it has only one of lat and lon.")
    unit = fields.unit(row, needed=kind == "patrol")
    if unit and lat is not None:
        raise BadInput("it has a place and a unit that carries it; it can have only one of them.")
    return Sensor(
        id=id_,
        kind=kind,
        sees=fields.sees(row, USUALLY_SEES[kind]),
        name=fields.text(row, "name"),
        source=fields.text(row, "source") or id_,
        feed=fields.text(row, "feed"),
        lat=lat,
        lon=lon,
        unit=unit,
        height_m=fields.number(row, "height_m", 0, 20_000),
        range_m=fields.number(row, "range_m", 0, 1_000_000),
        night_range_m=fields.number(row, "night_range_m", 0, 1_000_000),
        azimuth_deg=fields.number(row, "azimuth_deg", 0, 360),
        beamwidth_deg=fields.number(row, "beamwidth_deg", 0.1, 360),
        every_s=fields.number(row, "every_s", 0.1, 604_800),
        duty=fields.duty(row),
        limits=fields.limits(row),
    )


def patrol_of(row: Mapping[str, Any], route: BaseGeometry | None) -> PatrolPlan:
    """A planned patrol of one row's values; errors as `sensor_of`."""
    start = fields.moment(row.get("from"), "from")
    end = fields.moment(row.get("to"), "to")
    if end <= start:
        raise BadInput("it ends before it begins.")
    sector = fields.text(row, "sector", needed=route is None)
    return PatrolPlan(fields.unit(row, needed=True), sector, start, end, route)


def _bytes(path: Path) -> bytes:
    path = Path(path)
    try:
        with open_bytes(path) as file:
            data = file.read(_BYTES + 1)
    except (EOFError, zlib.error, pa.ArrowInvalid):
        raise BadInput(f"{path.name}: its compressed data is cut short or damaged.") from None
    except OSError as wrong:
        raise BadInput(f"{path.name} cannot be read: {wrong.strerror or wrong}.") from None
    if len(data) > _BYTES:
        raise BadInput(f"{path.name} is over {_BYTES >> 20} MB.", advice="Is it a list of sensors?")
    return data


def _csv(data: bytes, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows by their number (from 1, the header not counted)."""
    try:
        lines = io.StringIO(data.decode("utf-8").lstrip(_BOM), newline="")
    except UnicodeDecodeError:
        raise BadInput(f"{where} is not UTF-8.", advice="Save it as CSV in UTF-8.") from None
    number = 0
    try:
        rows = csv.reader(lines, strict=True)
        header = [name.strip() for name in next(rows, [])]
        if not {"id", "unit"} & set(header):
            raise BadInput(
                f"{where}: its first line is no header of sensors or patrols.",
                advice="Expected id,kind,lat,lon,…; or of patrols unit,sector,from,to.",
            )
        twice = {name for name in header if name and header.count(name) > 1}
        if twice:
            raise BadInput(f"{where}: the column {min(twice)[:40]} stands there twice.")
        for number, row in enumerate(rows, 1):
            if number > MOST_ROWS:
                raise BadInput(f"{where} has more than {MOST_ROWS:,} rows.")
            if any(cell.strip() for cell in row):
                if len(row) > len(header):
                    raise BadInput(f"{where}, row {number}: it has more cells than the header.")
                yield number, dict(zip(header, (cell.strip() for cell in row), strict=False))
    except csv.Error as wrong:
        raise BadInput(f"{where}, row {number + 1}: it is no CSV ({wrong}).") from None


def _sensors(
    rows: Iterator[tuple[int, Mapping[str, Any]]], where: str
) -> Iterator[tuple[int, Sensor]]:
    for number, row in rows:
        yield number, _told(where, number, row, sensor_of)


def _told(where: str, number: int, row: Mapping[str, Any], make: Any) -> Any:
    """What is made of a row, or the row's refusal with its number and id."""
    try:
        return make(row)
    except BadInput as wrong:
        said = row.get("id") or row.get("unit") or ""
        called = (
            f" (“{said[:60]}”)" if isinstance(said, str) and said.isprintable() and said else ""
        )
        raise BadInput(
            f"{where}, row {number}{called}: {wrong.message}", advice=wrong.advice
        ) from None


def _distinct(rows: list[tuple[int, Sensor]], where: str) -> tuple[Sensor, ...]:
    seen: set[str] = set()
    for number, sensor in rows:
        if sensor.id in seen:
            raise BadInput(
                f"{where}, row {number} (“{sensor.id[:60]}”): its id stands there twice."
            )
        seen.add(sensor.id)
    if not rows:
        raise BadInput(f"{where} holds no sensor.")
    return tuple(sensor for _, sensor in rows)


def _geojson(data: bytes, where: str) -> Means:
    try:
        read = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as wrong:
        raise BadInput(f"{where} is not JSON: {wrong}.") from None
    features = read.get("features") if isinstance(read, dict) else None
    if not isinstance(features, list):
        raise BadInput(f"{where}: expected a GeoJSON FeatureCollection of sensors.")
    if len(features) > MOST_ROWS:
        raise BadInput(f"{where} has more than {MOST_ROWS:,} features.")
    sensors: list[tuple[int, Sensor]] = []
    patrols: list[PatrolPlan] = []
    shadows: list[tuple[int, str, BaseGeometry]] = []
    for number, feature in enumerate(features, 1):
        row, geometry = _feature(feature, where, number)
        if row.get("kind") == "patrol_plan":
            route = _shape(geometry, "border", where, number) if geometry else None
            patrols.append(_told(where, number, row, lambda r, at=route: patrol_of(r, at)))
        elif row.get("kind") == "shadow":
            area = _shape(geometry, "land", where, number)
            of = row.get("of")
            for one in of if isinstance(of, list) else [of]:
                shadows.append((number, str(one), area))
        else:
            sensors.append((number, _told(where, number, _placed(row, geometry), sensor_of)))
    return Means(_shaded(_distinct(sensors, where), shadows, where), tuple(patrols))


def _feature(feature: Any, where: str, number: int) -> tuple[dict[str, Any], Any]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise BadInput(f"{where}, row {number}: expected a GeoJSON Feature.")
    row = feature.get("properties") or {}
    if not isinstance(row, dict):
        raise BadInput(f"{where}, row {number}: its properties are not an object.")
    return ({"id": feature["id"], **row} if "id" in feature else row), feature.get("geometry")


def _placed(row: dict[str, Any], geometry: Any) -> dict[str, Any]:
    if geometry is None:
        return row
    held = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(held, list) or len(held) < 2 or geometry.get("type") != "Point":
        return {**row, "lat": "no Point", "lon": "no Point"}  # refused as a number, with its row
    return {**row, "lat": held[1], "lon": held[0]}


def _shape(geometry: Any, kind: str, where: str, number: int) -> BaseGeometry:
    """An outline or line, taken and refused as those of zones are."""
    feature = {
        "type": "Feature",
        "properties": {"id": f"row {number}", "kind": kind},
        "geometry": geometry,
    }
    try:
        return zones_of({"type": "FeatureCollection", "features": [feature]}, where)[0].geometry
    except BadInput as wrong:
        called = wrong.message.replace(f"feature 1 (“row {number}”)", f"row {number}")
        raise BadInput(called, advice=wrong.advice) from None


def _shaded(
    sensors: tuple[Sensor, ...], shadows: list[tuple[int, str, BaseGeometry]], where: str
) -> tuple[Sensor, ...]:
    known = {sensor.id for sensor in sensors}
    areas: dict[str, tuple[BaseGeometry, ...]] = {}
    for number, of, area in shadows:
        if of not in known:
            raise BadInput(f"{where}, row {number}: it is the shadow of no sensor in the list.")
        areas[of] = (*areas.get(of, ()), area)
    return tuple(replace(s, shadows=areas[s.id]) if s.id in areas else s for s in sensors)
