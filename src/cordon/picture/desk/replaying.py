"""Replay: stored positions of a span and box as one compact answer, thinned by a told rule.

The rule: of each subject the first report of every `step` seconds, counted from the begin of the
span. The step is the smallest of STEPS with which the answer surely holds at most MOST rows (0
keeps every report), and stands in the answer with the number of reports that it was chosen from.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput
from cordon.picture.desk.stored import Box, Span, Stored

MAGIC = 0x50524E43  # “CNRP” as little-endian bytes
VERSION = 1
HEADER = struct.Struct("<IHHIIddfI")
STEPS = (0, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
MOST = 400_000  # rows of an answer: 6.4 MB and a name each subject
MOST_SUBJECTS = 20_000
LONGEST = timedelta(days=14)
_NO_U16 = 0xFFFF
_TENTHS, _MILLIONTHS = 10.0, 1e6


@dataclass(frozen=True, slots=True)
class Replay:
    """Stored positions for a replay.

    Attributes:
        subjects, names, kinds: of each subject, in order; kinds index into KINDS.
        starts: subject i holds the rows starts[i] ≤ k < starts[i + 1].
        t: s since the epoch, ascending in each subject. lat, lon: degrees. course: degrees,
            speed: kn, NaN where not told.
        step: seconds of which one report each was kept; 0 where all were. total: reports there
            are in the span and box.
    """

    span: Span
    subjects: list[str]
    names: list[str]
    sources: list[str]
    kinds: list[int]
    starts: NDArray[np.uint32]
    t: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    course: NDArray[np.float64]
    speed: NDArray[np.float64]
    step: float
    total: int

    def to_bytes(self) -> bytes:
        """One binary answer, all little-endian.

        Header, 40 bytes: magic u32 = 0x50524E43, version u16 = 1, header's length u16 = 40, rows n
        u32, subjects m u32, since f64, until f64 (s since the epoch), step f32 (s), length of
        the names u32. Then the names as JSON `{subjects, names, sources, kinds, total}`, filled
        with spaces to a multiple of four bytes; then starts u32 (m + 1), and columns of n values:
        time u32 (tenths of a second after `since`), lat i32, lon i32 (millionths of a degree),
        course u16 (tenths of a degree), speed u16 (tenths of a knot), 0xFFFF where not told.
        """
        names = orjson.dumps(
            {
                "subjects": self.subjects,
                "names": self.names,
                "sources": self.sources,
                "kinds": self.kinds,
                "total": self.total,
            }
        )
        names += b" " * (-len(names) % 4)
        since = self.span.since.timestamp()
        head = HEADER.pack(
            MAGIC, VERSION, HEADER.size, len(self.t), len(self.subjects), since,
            self.span.until.timestamp(), self.step, len(names),
        )  # fmt: skip
        columns = (
            self.starts.astype("<u4"),
            np.round((self.t - since) * _TENTHS).astype("<u4"),
            np.round(self.lat * _MILLIONTHS).astype("<i4"),
            np.round(self.lon * _MILLIONTHS).astype("<i4"),
            _u16(np.round(self.course * 10) % 3600),
            _u16(self.speed * 10),
        )
        return head + names + b"".join(c.tobytes() for c in columns)


def replay(
    stored: Stored, actor: Actor, span: Span, box: Box | None = None, *, most: int = MOST
) -> Replay:
    """Stored positions of a span and box, at most `most` rows, see the module.

    Raises:
        BadInput: the span is longer than 14 days, or holds too many subjects.
    """
    if span.until - span.since > LONGEST:
        raise BadInput(
            f"A replay spans at most {LONGEST.days} days.", advice="Choose a shorter span."
        )
    with stored.positions(actor, span, box=box) as connection:
        if connection is None:
            return _nothing(span)
        told = connection.sql(
            "SELECT subject, count(*) AS n, min(t) AS first, max(t) AS last, "
            "arg_max(name, t) AS name, arg_max(source, t) AS source, arg_max(kind, t) AS kind "
            "FROM p GROUP BY subject ORDER BY subject"
        ).fetchnumpy()
        subjects = [str(s) for s in told["subject"]]
        if not subjects:
            return _nothing(span)
        if len(subjects) > MOST_SUBJECTS:
            raise BadInput(
                f"{len(subjects):,} subjects were heard there, more than {MOST_SUBJECTS:,}.",
                advice="Choose a shorter span, or a smaller part of the map.",
            )
        step = step_for(told["n"], told["last"] - told["first"], most)
        rows = connection.sql(
            _ROWS if step == 0 else _THINNED, params={"step": step} if step else None
        ).fetchnumpy()
    if len(rows["t"]) > most:
        raise BadInput(
            "Too much was heard there for one replay.",
            advice="Choose a shorter span, or a smaller part of the map.",
        )
    code = {name: i for i, name in enumerate(subjects)}
    whose = np.array([code[str(s)] for s in rows["subject"]], dtype=np.int64)
    starts = np.searchsorted(whose, np.arange(len(subjects) + 1)).astype(np.uint32)
    column: dict[str, NDArray[np.float64]] = {
        name: np.asarray(np.ma.filled(rows[name], np.nan), dtype=np.float64)
        for name in ("t", "lat", "lon", "course", "speed")
    }
    return Replay(
        span,
        subjects,
        [_word(v) for v in told["name"]],
        [_word(v) for v in told["source"]],
        [int(v) for v in told["kind"]],
        starts,
        step=float(step),
        total=int(told["n"].sum()),
        **column,
    )


_ROWS = "SELECT subject, t, lat, lon, course, speed FROM p ORDER BY subject, t"
# a list of candidates keeps each row's values together, which arg_min of each column would not
_THINNED = (
    "SELECT subject, m.t AS t, m.lat AS lat, m.lon AS lon, m.course AS course, m.speed AS speed "
    "FROM (SELECT subject, arg_min({'t': t, 'lat': lat, 'lon': lon, 'course': course, "
    "'speed': speed}, t) AS m FROM p GROUP BY subject, floor(t / $step)) ORDER BY subject, t"
)


def step_for(counts: NDArray[Any], spans: NDArray[Any], most: int) -> int:
    """The smallest of STEPS (s) with which subjects surely give at most `most` reports together.

    Args:
        counts: reports of each. spans: seconds between the first and the last of each.
    """
    for step in STEPS[:-1]:
        kept = counts if step == 0 else np.minimum(counts, spans // step + 2)
        if kept.sum() <= most:
            return step
    return STEPS[-1]


def _nothing(span: Span) -> Replay:
    none = np.zeros(0)
    return Replay(
        span, [], [], [], [], np.zeros(1, np.uint32), none, none, none, none, none, 0.0, 0
    )


def _word(value: Any) -> str:
    return "" if value is None or value is np.ma.masked else str(value)


def _u16(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    whole = np.clip(np.round(np.nan_to_num(values, nan=0.0)), 0, _NO_U16 - 1)
    return np.where(np.isnan(values), _NO_U16, whole).astype("<u2")
