"""One pass over the bytes of many lines of AIS, compiled by Numba; imported where it is needed.

It takes the plain sentences of NMEA 0183 and leaves every line with anything odd in it to the
careful reader (`nmea.py`), whose answers it must give to the last bit. What stands where in a
message is from ITU-R M.1371-5, annex 8; offsets are bits from the message's begin.
"""

# ruff: noqa: PLR0911, PLR0912, PLR1714
# A form is checked byte by byte and left at the first that is wrong; Numba knows no sets here.
from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

Array = Any

# what became of a line
SKIPPED, KEPT, PASSED, CAREFUL, PART, REFUSED, SAID, CLOCK, TIMELESS = range(9)
# why a line is refused
NO_PLACE, NO_MMSI, NO_MOMENT = range(3)
# columns of whole numbers and of floats for each line
BEGIN, END, MMSI, KIND, WHY, SOURCE, SOURCE_AT, SOURCE_LEN, PAYLOAD, PAYLOAD_LEN, FILL = range(11)
GROUP_AT, GROUP_LEN, BEGINS, PARTS, PART_NR, TALKER, SEQ, SEQ_LEN, CHANNEL_LEN, HASH = range(11, 21)
INTS = 21
T, LAT, LON, SPEED, COURSE, HEADING, ACCURACY, SECOND = range(8)
FLOATS = 8

_LONGEST_PAYLOAD = 200  # characters, as pyais
_MOST_DIGITS = 18  # of a time that a 64-bit number holds; one more where it begins below 9
_NO = np.nan


@compiled
def _bits(buf: Array, at: int, first: int, count: int) -> int:
    """`count` bits (at most 56) from bit `first` of the payload that begins at `at`."""
    k = at + first // 6
    have = 6 - first % 6
    value = _six(buf[k]) & ((1 << have) - 1)
    while have < count:
        k += 1
        value = value << 6 | _six(buf[k])
        have += 6
    return value >> (have - count)


@compiled
def _six(c: int) -> int:
    """The six bits of a character of the armour (IEC 61162-1 §8.2.3)."""
    value = int(c) - 48
    return value - 8 if value > 40 else value


@compiled
def _signed(buf: Array, at: int, first: int, count: int) -> int:
    value = _bits(buf, at, first, count)
    return value - (1 << count) if value >> (count - 1) else value


@compiled
def _hex(c: int) -> int:
    """The value of a hexadecimal digit, or -1."""
    if 48 <= c <= 57:
        return c - 48
    if 65 <= c <= 70:
        return c - 55
    if 97 <= c <= 102:
        return c - 87
    return -1


@compiled
def _stamp(buf: Array, first: int, last: int) -> float:
    """Seconds since the epoch from digits of any usual scale, as `sentences.stamp`; else -1."""
    if last <= first or last - first > _MOST_DIGITS + (buf[first] <= 56):
        return -1.0
    value = 0
    for k in range(first, last):
        c = buf[k]
        if c < 48 or c > 57:
            return -1.0
        value = value * 10 + (int(c) - 48)
    if value <= 0:
        return -1.0
    whole = float(value)
    if whole < 1e11:
        return whole
    if whole < 1e14:
        return whole / 1e3
    if whole < 1e17:
        return whole / 1e6
    # a float holds no whole number so great: what Python's float makes of the digits is taken
    return float(np.int64(whole) // 1000) / 1e6


@compiled
def _tag_block(buf: Array, i: int, last: int, row: Array) -> tuple[int, float]:
    """Where the tag block that begins at i ends (the backslash), and its time or NaN.

    -1 where it is anything but fields and a checksum that fits.
    """
    end = i + 1
    while end < last and buf[end] != 92:
        end += 1
    if end >= last or end - i < 5 or buf[end - 3] != 42:
        return -1, _NO
    high, low = _hex(buf[end - 2]), _hex(buf[end - 1])
    if high < 0 or low < 0:
        return -1, _NO
    check = 0
    for k in range(i + 1, end - 3):
        check ^= buf[k]
    if check != high * 16 + low:
        return -1, _NO
    t = _NO
    k = i + 1
    while k < end - 3:
        stop = k
        while stop < end - 3 and buf[stop] != 44:
            if buf[stop] >= 128:
                return -1, _NO
            stop += 1
        if stop - k >= 2 and buf[k + 1] == 58:
            if buf[k] == 99:  # c: the receiver's time
                told = _stamp(buf, k + 2, stop)
                if told < 0:
                    return -1, _NO
                t = told
            elif buf[k] == 115:  # s: the source
                if stop - k - 2 > 64:
                    return -1, _NO
                row[SOURCE_AT], row[SOURCE_LEN] = k + 2, stop - k - 2
                row[SOURCE] = _hash(buf, k + 2, stop)
            elif buf[k] == 103:  # g: the group, as 1-2-77
                dash = stop
                while dash > k + 2 and buf[dash - 1] != 45:
                    dash -= 1
                if stop - dash > 32 or stop == dash:
                    return -1, _NO
                row[GROUP_AT], row[GROUP_LEN] = dash, stop - dash
                row[BEGINS] = buf[k + 2] == 49 and stop - k > 3 and buf[k + 3] == 45
        k = stop + 1
    return end, t


@compiled
def _hash(buf: Array, first: int, last: int) -> int:
    """FNV-1a over some bytes, 63 bits; 0 for none."""
    if last <= first:
        return 0
    value = np.uint64(14695981039346656037)
    for k in range(first, last):
        value = (value ^ np.uint64(buf[k])) * np.uint64(1099511628211)
    return int(np.int64(value >> np.uint64(1))) | 1


@compiled
def _sentence(buf: Array, i: int, last: int, row: Array) -> bool:
    """Whether a plain VDM or VDO with the right checksum stands from i to last; fills `row`."""
    if last - i < 18 or buf[i] != 33 or buf[last - 3] != 42:
        return False
    for k in range(i + 1, i + 3):
        if not (65 <= buf[k] <= 90):
            return False
    if buf[i + 3] != 86 or buf[i + 4] != 68 or (buf[i + 5] != 77 and buf[i + 5] != 79):
        return False
    if buf[i + 6] != 44 or buf[i + 8] != 44 or buf[i + 10] != 44:
        return False
    parts, number = np.int64(buf[i + 7]) - 48, np.int64(buf[i + 9]) - 48
    if not (1 <= parts <= 9 and 1 <= number <= parts):
        return False
    high, low = _hex(buf[last - 2]), _hex(buf[last - 1])
    if high < 0 or low < 0:
        return False
    check = 0
    for k in range(i + 1, last - 3):
        check ^= buf[k]
    if check != high * 16 + low:
        return False
    k = i + 11
    row[SEQ] = k
    while k < last and 48 <= buf[k] <= 57:
        k += 1
    row[SEQ_LEN] = k - row[SEQ]
    if row[SEQ_LEN] > 3 or buf[k] != 44 or (row[SEQ_LEN] > 1 and buf[row[SEQ]] == 48):
        return False
    k += 1
    first = k
    while k < last and (48 <= buf[k] <= 57 or 65 <= buf[k] <= 90):
        k += 1
    row[CHANNEL_LEN] = k - first
    if row[CHANNEL_LEN] > 2 or buf[k] != 44:
        return False
    k += 1
    row[PAYLOAD] = k
    while k < last and (48 <= buf[k] <= 87 or 96 <= buf[k] <= 119):
        k += 1
    count = k - row[PAYLOAD]
    row[PAYLOAD_LEN] = count
    if count < 1 or count > _LONGEST_PAYLOAD or k + 5 != last or buf[k] != 44:
        return False
    fill = np.int64(buf[k + 1]) - 48
    if not 0 <= fill <= 5:
        return False
    row[FILL], row[PARTS], row[PART_NR], row[TALKER] = fill, parts, number, i + 1
    return True


@compiled
def _class_of(kind: int, mmsi: int) -> int:
    """Index into KINDS of who reports; as `nmea.AisDecoder`."""
    if kind == 9 or 111_000_000 <= mmsi < 112_000_000:
        return 4
    if mmsi < 100_000_000 or mmsi >= 970_000_000:
        return 0
    return 1


@compiled
def _position(buf: Array, at: int, kind: int, row: Array, out: Array) -> bool:
    """Fill in a report of position; False where it is not available or nobody's."""
    if kind == 27:
        x, y = _signed(buf, at, 44, 18), _signed(buf, at, 62, 17)
        lon, lat = float((10000 * x + 3) // 6) / 1e6, float((10000 * y + 3) // 6) / 1e6
        speed, course = _bits(buf, at, 79, 6), _bits(buf, at, 85, 9)
        out[SPEED] = float(speed) if speed < 63 else _NO
        out[COURSE] = float(course) if course < 360 else _NO
        out[HEADING], out[SECOND] = _NO, _NO
        accurate = _bits(buf, at, 38, 1)
    else:
        # class A: after status and turn; class B: after eight bits; aircraft: after the height
        o = 50 if kind <= 3 else 46 if kind >= 18 else 50
        speed, accurate = _bits(buf, at, o, 10), _bits(buf, at, o + 10, 1)
        x, y = _signed(buf, at, o + 11, 28), _signed(buf, at, o + 39, 27)
        lon, lat = float((10 * x + 3) // 6) / 1e6, float((10 * y + 3) // 6) / 1e6
        course = _bits(buf, at, o + 66, 12)
        out[SPEED] = _NO if speed == 1023 else float(speed) if kind == 9 else float(speed) / 10.0
        out[COURSE] = float(course) / 10.0 if course < 3600 else _NO
        if kind == 9:
            out[HEADING] = _NO
            out[SECOND] = float(_bits(buf, at, o + 78, 6))
        else:
            heading = _bits(buf, at, o + 78, 9)
            out[HEADING] = float(heading) if heading < 360 else _NO
            out[SECOND] = float(_bits(buf, at, o + 87, 6))
    out[ACCURACY] = 10.0 if accurate else _NO
    out[LAT], out[LON] = lat, lon
    row[KIND] = _class_of(kind, row[MMSI])
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        row[WHY] = NO_PLACE
        return False
    if not 0 < row[MMSI] <= 999_999_999:
        row[WHY] = NO_MMSI
        return False
    return True


@compiled
def _moment(buf: Array, at: int) -> float:
    """What a base station says the time is (s since the epoch), or NaN where it says none."""
    year, month, day = _bits(buf, at, 38, 14), _bits(buf, at, 52, 4), _bits(buf, at, 56, 5)
    hour, minute, second = _bits(buf, at, 61, 5), _bits(buf, at, 66, 6), _bits(buf, at, 72, 6)
    if not (1990 <= year <= 2099 and 1 <= month <= 12 and day >= 1 and hour < 24 and minute < 60):
        return _NO
    # days from the civil calendar, March first, so that leap days come last
    y = year - 1 if month <= 2 else year
    m = month + 9 if month <= 2 else month - 3
    days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 719469
    return float(((days * 24 + hour) * 60 + minute) * 60 + min(second, 59))


@compiled
def _message(
    buf: Array, row: Array, out: Array, clocks: bool, earliest: float, latest: float
) -> int:
    """What becomes of a message that came in one sentence."""
    at = row[PAYLOAD]
    bits = 6 * row[PAYLOAD_LEN] - row[FILL]
    kind = _six(buf[at])
    if bits < 40 or kind > 28:
        return CAREFUL
    row[MMSI] = _bits(buf, at, 8, 30)
    if kind == 24:
        part = _bits(buf, at, 38, 2)
        if part > 1 or bits < (160 if part == 0 else 132):
            return CAREFUL
        row[WHY] = 2 + part
        row[HASH] = _hash(buf, at, at + row[PAYLOAD_LEN])
        return SAID
    if kind == 5:
        if bits < 240:
            return CAREFUL
        row[WHY], row[HASH] = 0, _hash(buf, at, at + row[PAYLOAD_LEN])
        return SAID
    if kind == 4 or kind == 11:
        if not clocks:
            return PASSED
        if bits < 78:
            return CAREFUL
        out[T] = _moment(buf, at)
        return PASSED if np.isnan(out[T]) else CLOCK
    if kind == 19:
        return CAREFUL  # a position and a name at once; rare, and in two sentences as a rule
    if not (1 <= kind <= 3 or kind == 9 or kind == 18 or kind == 27):
        return PASSED
    if bits < (96 if kind == 27 else 146):
        return CAREFUL
    if not _position(buf, at, kind, row, out):
        return REFUSED
    if np.isnan(out[T]):
        return TIMELESS
    if not (earliest <= out[T] <= latest):
        row[WHY] = NO_MOMENT
        return REFUSED
    return KEPT


@compiled
def scan(
    buf: Array, ends: Array, received: float, clocks: bool, earliest: float, latest: float,
    longest: int, what: Array, ints: Array, floats: Array,
) -> None:  # fmt: skip
    """Take the lines of `buf`, each up to its newline at `ends`.

    Args:
        received: when they came, for lines without a time (s), or NaN.
        clocks: base stations may set the clock. longest: bytes of a line.
        what, ints, floats: filled in, a row each line.
    """
    begin = 0
    for n in range(len(ends)):
        i, last = begin, ends[n]
        begin = last + 1
        row, out = ints[n], floats[n]
        row[SOURCE_LEN] = row[GROUP_LEN] = row[SOURCE] = 0
        if last - i >= longest:
            row[BEGIN], row[END] = i, last
            what[n] = CAREFUL
            continue
        while i < last and (buf[i] == 32 or 9 <= buf[i] <= 13):
            i += 1
        while last > i and (buf[last - 1] == 32 or 9 <= buf[last - 1] <= 13):
            last -= 1
        row[BEGIN], row[END] = i, last
        if i == last or buf[i] == 35:
            what[n] = SKIPPED
            continue
        what[n] = CAREFUL
        t = _NO
        if 48 <= buf[i] <= 57:
            k = i
            while k < last and 48 <= buf[k] <= 57:
                k += 1
            if k >= last or buf[k] != 32:
                continue
            t = _stamp(buf, i, k)
            if t < 0:
                continue
            i = k + 1
        elif buf[i] == 92:
            end, t = _tag_block(buf, i, last, row)
            if end < 0:
                continue
            i = end + 1
        if not _sentence(buf, i, last, row):
            continue
        if row[PARTS] > 1 or row[GROUP_LEN] > 0:
            out[T] = t
            what[n] = PART
            continue
        # a time of its own, or that at which it came; with a leading time there always is one
        out[T] = received if np.isnan(t) else t
        what[n] = _message(buf, row, out, clocks, earliest, latest)
