"""Reports of radars, ground sensors, cameras and drones as JSON.

One JSON value a line: an object with the keys of the format `positions`, an array of such, or a
GeoJSON Feature or FeatureCollection of points whose properties are these keys. Beside them:

    report      radar, sensor, camera or drone: says what made it, and what `id` is
    id          the sensor's own id, or the number that a radar or camera gave its track

so that `{"report": "radar", "source": "KHI-2", "id": 881, "lat": 24.8, "lon": 66.9}` speaks of
`radar:KHI-2/881`. Where no `at` is told, the time is that at which it came. A report may say
`subject` itself instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import IO, Any

import orjson

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.picture.feeds.rows import NAN, Rows
from cordon.picture.feeds.source import CUT, ROWS_A_BATCH, Cut, blocks_of
from cordon.picture.feeds.table import NAMES, wrong_subject
from cordon.picture.model import KINDS, Static
from cordon.picture.tracks import Batch

MOST_BYTES = 1 << 20  # of one line; a longer one is refused
_KIND = {name: code for code, name in enumerate(KINDS)}
_REPORTS = {
    "radar": ("radar:{source}/{id}", "unknown"),
    "camera": ("track:{source}/{id}", "unknown"),
    "sensor": ("sensor:{id}", "unknown"),
    "drone": ("drone:{id}", "aircraft"),
}
_LONGEST_TEXT = 128
_LARGEST = 64 << 20  # bytes of a file that is one JSON value


class Wrong(ValueError):
    """A report that cannot be taken; its words are the reason."""


class ReportDecoder(Rows):
    """Gathers reports; a row is a line, whatever number of reports stands in it."""

    source = "reports"

    def feed_block(self, data: bytes, first: int = 1, received: float | None = None) -> int:
        """Take whole lines; nothing in them raises.

        Args:
            received: when they came (s since the epoch), for reports without a time.

        Returns:
            how many lines they were.
        """
        lines = data.split(b"\n")
        for row, line in enumerate(lines, first):
            if (line := line.strip()) and not line.startswith(b"#"):
                self._line(row, line, received)
        return len(lines) - (not lines[-1])

    def _line(self, row: int, line: bytes, received: float | None) -> None:
        try:
            if len(line) > MOST_BYTES:
                raise Wrong(f"the line has more than {MOST_BYTES >> 20} MB")
            value = orjson.loads(line)
        except (orjson.JSONDecodeError, Wrong) as wrong:
            self.counts.read += 1
            self.refuse(row, str(wrong) if isinstance(wrong, Wrong) else "the line is not JSON")
            return
        for report in _reports(value):
            self.take_report(row, report, received)

    def take_report(self, row: int, report: Any, received: float | None) -> None:
        """Take one report; what is wrong with it is refused."""
        self.counts.read += 1
        try:
            self._report(row, report, received)
        except Wrong as wrong:
            self.refuse(row, str(wrong))

    def _report(self, row: int, report: Any, received: float | None) -> None:
        if not isinstance(report, dict):
            raise Wrong("a report is not an object")
        source = _text(report, "source")
        form = _text(report, "report")
        subject = _text(report, "subject")
        kind = _text(report, "kind")
        if form:
            if form not in _REPORTS:
                raise Wrong("the report is not one of radar, sensor, camera, drone")
            made_of, usual = _REPORTS[form]
            id_ = _text(report, "id")
            if not subject and not id_:
                raise Wrong("the report has no id")
            subject = subject or made_of.format(source=source or self.source, id=id_)
            kind = kind or usual
            source = source or (id_ if form == "sensor" else "")
        if not subject:
            raise Wrong("the report says neither subject nor what made it")
        if wrong := wrong_subject(subject):
            raise Wrong(wrong)
        if kind not in _KIND and kind:
            raise Wrong(f"the kind is not one of {', '.join(KINDS)}")
        t = _time(report, received)
        lat, lon = _number(report, "lat"), _number(report, "lon")
        if math.isnan(lat) or math.isnan(lon):
            raise Wrong("lat or lon is missing or not a number")
        words = {n: said for n in NAMES if (said := _text(report, n))}
        taken = self.put(
            row,
            subject,
            source or self.source,
            t,
            lat,
            lon,
            speed=_number(report, "speed_kn"),
            course=_number(report, "course_deg"),
            heading=_number(report, "heading_deg"),
            accuracy=_number(report, "accuracy_m"),
            kind=_KIND.get(kind, 0),
        )
        if taken and words:
            self.says(subject, Static(**words), t)


def _reports(value: Any) -> Iterator[Any]:
    """The reports in a JSON value, whatever stands around them."""
    if isinstance(value, list):
        for one in value:
            yield from _reports(one) if isinstance(one, dict) else (one,)
    elif isinstance(value, dict) and value.get("type") == "FeatureCollection":
        features = value.get("features")
        for one in features if isinstance(features, list) else ():
            yield _of_feature(one) if isinstance(one, dict) else one
    elif isinstance(value, dict) and value.get("type") == "Feature":
        yield _of_feature(value)
    else:
        yield value


def _of_feature(feature: dict[str, Any]) -> Any:
    """A GeoJSON Feature as a report: its point beside its properties."""
    properties, geometry = feature.get("properties"), feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return {**_dict(properties), "lat": None}
    place = geometry.get("coordinates")
    lon, lat = (place[0], place[1]) if isinstance(place, list) and len(place) > 1 else (None, None)
    return {**_dict(properties), "lon": lon, "lat": lat}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(report: dict[str, Any], key: str) -> str:
    value = report.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Wrong(f"{key} is not a text")
    text = str(value).strip()
    if len(text) > _LONGEST_TEXT:
        raise Wrong(f"{key} has more than {_LONGEST_TEXT} characters")
    return text


def _number(report: dict[str, Any], key: str) -> float:
    value = report.get(key)
    if value is None or isinstance(value, bool):
        return NAN
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Wrong(f"{key} is not a number") from None


def _time(report: dict[str, Any], received: float | None) -> float:
    value = report.get("at")
    if value is None:
        if received is None:
            raise Wrong("the report has no time")
        return received
    try:
        if isinstance(value, str):
            return parse_time(value).timestamp()
    except (BadInput, OverflowError, ValueError):
        pass
    raise Wrong("the time is not RFC 3339 with a zone, as 2026-01-17T08:30:00Z")


def read_reports(file: IO[bytes], g: ReportDecoder) -> Iterator[Batch]:
    """Batches of a file of reports: one JSON value a line, or one that fills the file."""
    row = 1
    try:
        for block in blocks_of(file, MOST_BYTES):
            if row == 1 and not _is_lines(block):
                yield from _whole(block + file.read(_LARGEST), g)
                return
            row += g.feed_block(block, row)
            if len(g) >= ROWS_A_BATCH:
                yield g.take()
    except Cut:
        g.breaks_off(row - 1, CUT)
    yield g.take()


def _is_lines(block: bytes) -> bool:
    """Whether the first line that is none of a comment is a JSON value by itself."""
    for line in block.split(b"\n"):
        if line.strip() and not line.startswith(b"#"):
            try:
                orjson.loads(line)
            except orjson.JSONDecodeError:
                return False
            return True
    return True


def _whole(data: bytes, g: ReportDecoder) -> Iterator[Batch]:
    """Batches of a file that is one JSON value; a row is the number of a report, from 1."""
    try:
        if len(data) > _LARGEST:
            raise Wrong(f"a JSON value that fills a file has at most {_LARGEST >> 20} MB")
        value = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        g.counts.read += 1
        g.refuse(1, "the file is not JSON")
        value = []
    except Wrong as wrong:
        g.counts.read += 1
        g.refuse(0, str(wrong))
        value = []
    for row, report in enumerate(_reports(value), 1):
        g.take_report(row, report, None)
        if len(g) >= ROWS_A_BATCH:
            yield g.take()
    yield g.take()


def looks_like_reports(head: bytes) -> bool:
    """True where a file begins with a JSON object or array of objects."""
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    while head.startswith(b"#"):
        head = head.partition(b"\n")[2].lstrip()
    return head.startswith(b"{") or b"".join(head[:200].split()).startswith(b"[{")
