"""AIS positions as NMEA 0183 sentences with tag blocks, many at a time.

Position reports are packed with NumPy, bit by bit as ITU-R M.1371-5, annex 8, lays them out
(messages 1 and 18); static data, of which there are few, by pyais.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import xor
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from pyais.encode import encode_dict

from cordon.exercise.worlds.seeing.rows import Names, Rows, Said, Sayings
from cordon.exercise.worlds.seeing.streams import Rng

Ints = NDArray[np.int64]


def payloads(rows: Rows, mmsi: Ints, second: Ints) -> list[str]:
    """The armoured payloads (28 characters, 168 bits) of position reports.

    Args:
        rows: whose `message` is 1 or 18. mmsi: of each. second: UTC second of each.
    """
    n = len(rows)
    class_a = rows.message == 1
    bits = np.zeros((n, 168), np.uint8)
    lon = np.rint(rows.lon * 600_000.0).astype(np.int64)
    lat = np.rint(rows.lat * 600_000.0).astype(np.int64)
    speed = np.rint(np.nan_to_num(rows.speed, nan=102.3) * 10).astype(np.int64)
    course = np.rint(np.nan_to_num(rows.course, nan=360.0) * 10).astype(np.int64)
    heading = np.rint(np.nan_to_num(rows.heading, nan=511.0)).astype(np.int64)
    exact = (~np.isnan(rows.accuracy)).astype(np.int64)
    zero = np.zeros(n, np.int64)
    shared = ((8, 30, mmsi),)
    layouts: tuple[tuple[Any, tuple[tuple[int, int, Ints], ...]], ...] = (
        (
            class_a,
            (
                (0, 6, zero + 1),
                *shared,
                (38, 4, rows.status.astype(np.int64)),
                (42, 8, zero + 128),  # rate of turn not available
                (50, 10, speed),
                (60, 1, exact),
                (61, 28, lon),
                (89, 27, lat),
                (116, 12, course),
                (128, 9, heading),
                (137, 6, second),
            ),
        ),
        (
            ~class_a,
            (
                (0, 6, zero + 18),
                *shared,
                (46, 10, speed),
                (56, 1, exact),
                (57, 28, lon),
                (85, 27, lat),
                (112, 12, course),
                (124, 9, heading),
                (133, 6, second),
                (141, 1, zero + 1),  # carrier sense
                (146, 1, zero + 1),  # no message 22
                (148, 1, zero + 1),  # communication state follows
                (149, 19, zero + 0b1100000000000000110),
            ),
        ),
    )
    for which, fields in layouts:
        some = np.flatnonzero(which)
        for first, width, values in fields:
            shift = np.arange(width - 1, -1, -1)
            bits[some, first : first + width] = (values[some, None] >> shift) & 1
    six = bits.reshape(n, 28, 6) @ np.array([32, 16, 8, 4, 2, 1], np.uint8)
    letters = six + np.where(six < 40, 48, 56)
    whole = letters.astype(np.uint8).tobytes().decode("ascii")
    return [whole[i : i + 28] for i in range(0, 28 * n, 28)]


def checksum(text: str) -> int:
    """The checksum of NMEA 0183: exclusive or of all characters."""
    return reduce(xor, text.encode(), 0)


class Log:
    """`ais.nmea` while it is written.

    Args:
        names: of sources and subjects. static_s: how often each vessel's static data come in.
        broken: share of lines that are cut. begins: aware UTC.
    """

    def __init__(
        self,
        out: IO[str],
        names: tuple[Names, Names],
        sayings: Sayings,
        begins: datetime,
        rng: Rng,
        *,
        static_s: float,
        broken: float,
    ) -> None:
        self._out, (self._sources, self._subjects) = out, names
        self._sayings, self._rng = sayings, rng
        self._epoch = int(begins.timestamp())
        self._static_s, self._broken = static_s, broken
        self._due: dict[int, float] = {}
        self._static: dict[tuple[int, int], list[str]] = {}
        self.count = 0

    def write(self, rows: Rows) -> None:
        """Add the AIS reports of some rows, in their order."""
        rows = rows.take(rows.message > 0)
        if not len(rows):
            return
        stamp = self._epoch + np.rint(rows.t).astype(np.int64)
        codes, where = np.unique(rows.subject, return_inverse=True)
        mmsi = np.array([int(self._subjects.texts[c][5:]) for c in codes])[where]
        bodies = payloads(rows, mmsi, stamp % 60)
        channel = np.where(self._rng.random(len(rows)) < 0.5, "A", "B").tolist()
        lines: list[str] = []
        source = [self._sources.texts[c] for c in range(len(self._sources.texts))]
        for i, (body, way, at, of) in enumerate(
            zip(bodies, channel, stamp.tolist(), rows.source.tolist(), strict=True)
        ):
            tag = _tag(source[of], at)
            talk = f"AIVDM,1,1,,{way},{body},0"
            lines.append(f"{tag}!{talk}*{checksum(talk):02X}")
            subject = int(rows.subject[i])
            if subject not in self._due:  # spread over the interval, the same for the same one
                self._due[subject] = subject * 7919 % 1000 / 1000.0 * self._static_s
            if float(rows.t[i]) >= self._due[subject]:
                self._due[subject] = float(rows.t[i]) + self._static_s
                lines += [tag + s for s in self._said(subject, int(rows.said[i]), rows, i)]
        for n in np.flatnonzero(self._rng.random(len(lines)) < self._broken).tolist():
            lines[n] = lines[n][: int(self._rng.integers(5, len(lines[n]) - 1))]
        self._out.write("\r\n".join(lines) + "\r\n")
        self.count += len(lines)

    def _said(self, subject: int, said: int, rows: Rows, i: int) -> list[str]:
        key = subject, said
        if key not in self._static:
            mmsi = self._subjects.texts[subject][5:]
            make = _static_a if rows.message[i] == 1 else _static_b
            self._static[key] = make(mmsi, self._sayings.all[said])
        return self._static[key]


def _tag(source: str, at: int) -> str:
    tag = f"s:{source},c:{at}"
    return f"\\{tag}*{checksum(tag):02X}\\"


def _static_a(mmsi: str, said: Said) -> list[str]:
    told: dict[str, Any] = {
        "msg_type": 5,
        "mmsi": mmsi,
        "shipname": said.name[:20],
        "callsign": said.call_sign[:7],
        "imo": int(said.imo or 0),
        "ship_type": int(said.ship_type or 0),
    }
    return encode_dict(told, talker_id="AI", sentence_type="VDM", seq_id=int(mmsi) % 10)


def _static_b(mmsi: str, said: Said) -> list[str]:
    common: dict[str, Any] = {"msg_type": 24, "mmsi": mmsi}
    parts: list[dict[str, Any]] = [
        {**common, "partno": 0, "shipname": said.name[:20]},
        {
            **common,
            "partno": 1,
            "ship_type": int(said.ship_type or 0),
            "callsign": said.call_sign[:7],
        },
    ]
    return [s for p in parts for s in encode_dict(p, talker_id="AI", sentence_type="VDM")]
