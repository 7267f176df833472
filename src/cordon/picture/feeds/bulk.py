"""AIS in bulk: plain sentences of a whole block of lines at once, odd lines the careful way.

What comes out equals what `AisDecoder` gives line by line: the same rows, counts, refusals and
names, in the same order. The loop over bytes is compiled (`aiskernel.py`).
"""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Callable
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyais.constants import ShipType

from cordon.picture.feeds.nmea import NO_TIME, AisDecoder, Part
from cordon.picture.feeds.seen import Seen
from cordon.picture.feeds.source import EARLIEST, LATEST, LONGEST_LINE
from cordon.picture.model import Refusal, Static
from cordon.picture.tracks import COLUMNS, Ints

_WHY = (
    "the position is not available or outside ±90 and ±180 degrees",
    "the MMSI is not one of nine digits",
    "the time is not between 1980 and 2100",
)
_KERNEL = "cordon.picture.feeds.aiskernel"
_FEW_BYTES = 1 << 16  # so few are sooner read with care than the compiled loop is loaded
_TYPE_5 = ord("5")
_UNREAD = frozenset(b"0678:<=>?@ADEFGIJL")
"""How messages begin that hold neither positions of movers nor names nor the time: 0, 6, 7, 8, 10,
12 to 17, 20 to 23, 25, 26, 28. pyais decodes each of these, whatever it holds."""
_MOST_SAID = 400_000  # messages of names remembered, so that the same one is not read again
# The armour of AIS on the alphabet of base64, so that six bits are put together in C; what is no
# armour counts as zero, as in pyais
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SIX = [(c - 56 if c > 88 else c - 48) if 48 <= c <= 119 else 0 for c in range(256)]
_ARMOUR = bytes(_ALPHABET[six] for six in _SIX)
_LETTERS = [chr(v + 64) if v < 32 else chr(v) for v in range(64)]
_SHIP_TYPES = [str(kind) if (kind := int(ShipType.from_value(v) or 0)) else "" for v in range(256)]


def warm() -> None:
    """Load the compiled loop, so that the first moment of a feed need not wait for it."""
    from cordon.picture.feeds import aiskernel

    assert aiskernel
    BulkDecoder().feed_block(b"!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n", received=1e9)


class BulkDecoder(AisDecoder):
    """Takes blocks of whole lines, beside single ones; else as `AisDecoder`."""

    def __init__(
        self,
        sha256: str = "",
        *,
        source: str = "ais",
        base_time: float | None = None,
        seen: Seen | None = None,
        on_refusal: Callable[[Refusal], None] | None = None,
        most: int | None = None,
    ) -> None:
        super().__init__(
            sha256,
            source=source,
            base_time=base_time,
            seen=seen,
            on_refusal=on_refusal,
            most=most,
        )
        self._bulk: list[dict[str, NDArray[Any]]] = []
        self._held = 0
        self._codes: dict[int, int] = {}
        self._seconds: list[NDArray[np.float64]] = []
        self._said: dict[int, int] = {}  # by MMSI and kind of message, the hash of the last one

    def __len__(self) -> int:
        return self._held + len(self._rows)

    def feed_block(self, data: bytes, first: int = 1, received: float | None = None) -> int:
        """Take whole lines; nothing in them raises.

        Args:
            data: the lines, each with its newline but perhaps the last. first: row of the first.
            received: when they came (s since the epoch), for a live feed.

        Returns:
            how many lines they were.
        """
        if len(data) < _FEW_BYTES and _KERNEL not in sys.modules:
            lines = data.split(b"\n")
            for number, line in enumerate(lines, first):
                self.feed(number, line, received)
            return len(lines) - (not lines[-1])
        from cordon.picture.feeds import aiskernel as k

        buf = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(buf == 10)
        if data[-1:] != b"\n":
            ends = np.append(ends, len(buf))
        count = len(ends)
        what = np.empty(count, dtype=np.uint8)
        ints = np.empty((count, k.INTS), dtype=np.int64)
        floats = np.empty((count, k.FLOATS), dtype=np.float64)
        at = np.nan if received is None else received
        clocks = received is None and not self._caller_clock
        k.scan(
            buf, ends, at, clocks, EARLIEST, LATEST, LONGEST_LINE, what, ints, floats
        )  # fmt: skip
        _Block(self, data, first, received, what, ints, floats).run()
        return count

    def code_of(self, mmsi: int) -> int:
        """The code of a vessel's subject."""
        code = self._codes.get(mmsi)
        if code is None:
            code = self._codes[mmsi] = self.subject_code(f"mmsi:{mmsi:09d}")
        return code

    def forget_subjects(self) -> None:
        """Let go of all codes; the batches that hold them hold the names too."""
        super().forget_subjects()
        self._codes.clear()

    def keep_bulk(self, columns: dict[str, NDArray[Any]], seconds: NDArray[np.float64]) -> None:
        """Hold some rows until `take`; `seconds` are the UTC seconds that they tell."""
        self._held += len(columns["row"])
        self._seconds = [*self._seconds[-8:], seconds]
        self._bulk.append(columns)

    def take_seconds(self) -> NDArray[np.float64]:
        """The UTC seconds (0 to 59) that reports lately told; the next call tells others."""
        some, self._seconds = self._seconds, []
        told = np.concatenate(some) if some else np.empty(0)
        return told[told < 60]

    def columns(self) -> dict[str, NDArray[Any]]:
        """The rows held, those of single lines among them, in the order of the file."""
        single = super().columns()
        if not self._bulk:
            return single
        some, self._bulk, self._held = self._bulk, [], 0
        if len(single["row"]):
            some.append(single)
        joined = {c: np.concatenate([part[c] for part in some]) for c in COLUMNS}
        if len(some) == 1:
            return joined
        order = np.argsort(joined["row"], kind="stable")
        return {c: column[order] for c, column in joined.items()}

    def said_again(self, mmsi: int, message: int, mark: int) -> bool:
        """Whether this very message of names was the last that the vessel said.

        Args:
            message: 0 for type 5, 2 and 3 for the parts of 24. mark: hash of its payload.
        """
        key = mmsi * 4 + message
        if self._said.get(key) == mark:
            return True
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        if message == 0:  # it says all that the parts of 24 say, and they part of what it says
            self._said.pop(mmsi * 4 + 2, None)
            self._said.pop(mmsi * 4 + 3, None)
        else:
            self._said.pop(mmsi * 4, None)
        self._said[key] = mark
        return False

    def says(self, subject: str, said: Static, at: float | None = None) -> None:
        # of a line that was read the careful way: what is remembered is the last no more
        if self._said and subject.startswith("mmsi:"):
            for message in (0, 2, 3):
                self._said.pop(int(subject[5:]) * 4 + message, None)
        self.remember(subject, said, at)

    def remember(self, subject: str, said: Static, at: float | None = None) -> None:
        """As `says`, of a message that `said_again` was asked of."""
        super().says(subject, said, at)


class _Block:
    """One block on its way: lines that need Python in their order, then the others at once."""

    def __init__(
        self,
        decoder: BulkDecoder,
        data: bytes,
        first: int,
        received: float | None,
        what: NDArray[np.uint8],
        ints: Ints,
        floats: NDArray[np.float64],
    ) -> None:
        from cordon.picture.feeds import aiskernel as k

        self.k = k
        self.g = decoder
        self.data, self.first, self.received = data, first, received
        self.what, self.ints, self.floats = what, ints, floats

    def run(self) -> None:
        """Take the block."""
        k, g, what = self.k, self.g, self.what
        by_hand = {
            k.CAREFUL: self._careful,
            k.PART: self._part,
            k.REFUSED: self._refused,
            k.SAID: self._said,
            k.CLOCK: self._clock,
            k.TIMELESS: self._timeless,
        }
        odd = np.flatnonzero((what != k.KEPT) & (what != k.PASSED) & (what != k.SKIPPED))
        rows, kinds = self.ints[odd].tolist(), what[odd].tolist()
        done = self._wrapped(0)  # a block may begin with what the last one ended with
        for n, kind, row in zip(odd.tolist(), kinds, rows, strict=True):
            if n <= done:
                continue  # it was taken with the line before
            by_hand[kind](n, row)
            if g.waits_for_message:
                done = self._wrapped(n + 1)
        # counted after: a line taken by hand meanwhile is no longer among them
        passed = int((what == k.PASSED).sum())
        kept = np.flatnonzero(what == k.KEPT)
        g.counts.read += passed + len(kept)
        g.counts.passed_over += passed
        g.counts.messages += passed + len(kept)
        if len(kept):
            g.keep_bulk(self._columns(kept), self.floats[kept, k.SECOND])

    def _columns(self, kept: Ints) -> dict[str, NDArray[Any]]:
        k, g = self.k, self.g
        ints, floats = self.ints[kept], self.floats[kept]
        mmsi, place = np.unique(ints[:, k.MMSI], return_inverse=True)
        codes = np.array([g.code_of(m) for m in mmsi.tolist()], dtype=np.int64)
        return {
            "subject": codes[place],
            "source": self._sources(ints),
            "t": floats[:, k.T].copy(),
            "lat": floats[:, k.LAT].copy(),
            "lon": floats[:, k.LON].copy(),
            "speed": floats[:, k.SPEED].copy(),
            "course": floats[:, k.COURSE].copy(),
            "heading": floats[:, k.HEADING].copy(),
            "accuracy": floats[:, k.ACCURACY].copy(),
            "kind": ints[:, k.KIND].copy(),
            "row": kept + self.first,
        }

    def _sources(self, ints: Ints) -> Ints:
        k, g = self.k, self.g
        hashes = ints[:, k.SOURCE]
        if not hashes.any():
            return np.full(len(ints), g.source_code(g.default_source), dtype=np.int64)
        _, where, place = np.unique(hashes, return_index=True, return_inverse=True)
        names = [self._source(row) or g.default_source for row in ints[where].tolist()]
        return np.array([g.source_code(name) for name in names], dtype=np.int64)[place]

    def _source(self, row: list[int]) -> str:
        at, length = row[self.k.SOURCE_AT], row[self.k.SOURCE_LEN]
        return self.data[at : at + length].decode("ascii") if length else ""

    def _careful(self, n: int, row: list[int]) -> None:
        line = self.data[row[self.k.BEGIN] : row[self.k.END]]
        self.g.feed(self.first + n, line, self.received)

    def _wrapped(self, n: int) -> int:
        """A `$PGHP` came: what follows, up to the message that it speaks of, is read with care.

        Returns:
            the last line that was read so.
        """
        while self.g.waits_for_message and n < len(self.what):
            if self.what[n] != self.k.SKIPPED:
                self._careful(n, self.ints[n].tolist())
                self.what[n] = self.k.SKIPPED
            n += 1
        return n - 1

    def _refused(self, n: int, row: list[int]) -> None:
        self._refuse(n, _WHY[row[self.k.WHY]])

    def _refuse(self, n: int, why: str) -> None:
        self.g.counts.read += 1
        self.g.counts.messages += 1
        self.g.refuse(self.first + n, why)

    def _timeless(self, n: int, _row: list[int]) -> None:
        k = self.k
        second = self.floats[n, k.SECOND]
        t = self.g.by_clock(None if np.isnan(second) else int(second))
        if t is None:
            self._refuse(n, NO_TIME)
        elif EARLIEST <= t <= LATEST:
            self.floats[n, k.T] = t
            self.what[n] = k.KEPT
        else:
            self._refuse(n, _WHY[k.NO_MOMENT])

    def _clock(self, n: int, _row: list[int]) -> None:
        self.g.station_time(float(self.floats[n, self.k.T]))
        self.what[n] = self.k.PASSED

    def _payload(self, row: list[int]) -> bytes:
        at = row[self.k.PAYLOAD]
        return self.data[at : at + row[self.k.PAYLOAD_LEN]]

    def _said(self, n: int, row: list[int]) -> None:
        k = self.k
        self.what[n] = k.PASSED
        at = float(self.floats[n, k.T])
        told = None if isnan(at) else at
        self._names(row[k.MMSI], row[k.WHY], row[k.HASH], self._payload(row), told)

    def _names(self, mmsi: int, message: int, mark: int, payload: bytes, at: float | None) -> None:
        if 0 < mmsi <= 999_999_999 and not self.g.said_again(mmsi, message, mark):
            when = at if at is not None else self.g.clock
            self.g.remember(f"mmsi:{mmsi:09d}", static_of(payload, message), when)

    def _part(self, n: int, row: list[int]) -> None:
        k, g, data = self.k, self.g, self.data
        if row[k.PARTS] == 1:  # a single sentence of a group
            self._careful(n, row)
            return
        g.counts.read += 1
        talker, seq = row[k.TALKER], row[k.SEQ]
        stream = data[seq : seq + row[k.SEQ_LEN] + 1 + row[k.CHANNEL_LEN]]
        slot = (stream, data[talker : talker + 5], row[k.PARTS])
        told = float(self.floats[n, k.T])
        t = None if isnan(told) else told
        source = self._source(row)
        if row[k.GROUP_LEN]:
            at = row[k.GROUP_AT]
            group = data[at : at + row[k.GROUP_LEN]].decode("ascii")
            t, source = g.time_of_group(group, bool(row[k.BEGINS]), t, source)
        if t is None and not g.waits_for_message:
            t = self.received
        part = Part(slot, row[k.PART_NR], self._payload(row), row[k.FILL], True)
        g.take_part(self.first + n, part, t, source, self._whole_names)

    def _whole_names(self, payload: bytes, fill: int, at: float | None) -> bool:
        """Read a whole message that holds no position; False where pyais must look at it."""
        if payload[0] in _UNREAD:
            return True
        if payload[0] != _TYPE_5 or 6 * len(payload) - fill < 240:
            return False
        mmsi = (_number(payload[:8])[0] >> 10) & 0x3FFFFFFF
        self._names(mmsi, 0, hash(payload), payload, at)
        return True


def _number(payload: bytes) -> tuple[int, int]:
    """The bits of a payload as one number, and how many they are."""
    pad = -len(payload) % 4
    value = int.from_bytes(b64decode(payload.translate(_ARMOUR) + b"A" * pad), "big")
    return value >> (6 * pad), 6 * len(payload)


def static_of(payload: bytes, message: int) -> Static:
    """What a whole message of names says.

    Args:
        payload: armoured. message: 0 for type 5, 2 and 3 for the parts of type 24.
    """
    value, length = _number(payload)

    def number(first: int, width: int) -> int:
        return (value >> (length - first - width)) & ((1 << width) - 1)

    def words(first: int, letters: int) -> str:
        some = number(first, 6 * letters)
        text = "".join([_LETTERS[(some >> s) & 63] for s in range(6 * letters - 6, -1, -6)])
        return " ".join(text.rstrip("@").split())

    if message == 2:
        return Static(name=words(40, 20))
    if message == 3:
        kind = number(40, 8)
        return Static(call_sign=words(90, 7), ship_type=str(kind) if kind else "")
    imo = number(40, 30)
    return Static(
        name=words(112, 20),
        imo=str(imo) if imo else "",
        call_sign=words(70, 7),
        ship_type=_SHIP_TYPES[number(232, 8)],
    )
