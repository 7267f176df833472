"""What the bytes of a Parquet page say, compiled. A file may be cut or forged: each loop knows
where its bytes end, and says so where they do not suffice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Int = int | np.int64

FIELDS = 10
"""Places for the fields of a header and of each of its parts."""
# types of Thrift's compact protocol
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 0, 1, 2, 3, 7, 8, 12
_NARROW, _WHOLE = (_BYTE, _DOUBLE), (4, 5, 6)
_DEEPEST = 8
_LONGEST = 1 << 32  # of the head of a run, which has four times as many numbers or less


@compiled
def header(data: Bytes, at: int, fields: Ints) -> int:
    """Read a page's header, a struct in Thrift's compact protocol.

    Args:
        fields: (FIELDS, FIELDS), where the header's whole numbers and truths are written: those
            of its own under 0, those of the struct in field n under n. What is not told stays.

    Returns:
        Where the header ends; -1 where it is none.
    """
    last = np.zeros(_DEEPEST, np.int64)
    depth, part = 0, 0
    while 0 <= at < len(data):
        byte = np.int64(data[at])
        at += 1
        kind = byte & 15
        if kind == _STOP:
            depth -= 1
            if depth < 0:
                return at
            part = part if depth else 0
            continue
        step = byte >> 4
        if step:
            last[depth] += step
        else:
            last[depth], at = _signed(data, at)
        if kind == _STRUCT:
            part = part if depth else int(last[depth])
            depth += 1
            if depth == _DEEPEST:
                return -1
            last[depth] = 0
        elif at >= 0:
            value, at = _value(data, at, kind)
            field = last[depth]
            if depth <= 1 and value >= 0 and 0 <= field < FIELDS and 0 <= part < FIELDS:
                fields[part, field] = value
    return -1


@compiled
def _value(data: Bytes, at: int, kind: Int) -> tuple[Int, int]:
    """A field's value, -1 where it is no whole number, and where it ends; -1 where it does not."""
    if kind in (_TRUE, _FALSE):
        return np.int64(kind == _TRUE), at
    if kind in _NARROW:
        return np.int64(-1), at + (8 if kind == _DOUBLE else 1)
    if kind in _WHOLE:
        return _signed(data, at)
    if kind == _BINARY:
        length, at = _varint(data, at)
        if at >= 0 and 0 <= length <= len(data) - at:
            return np.int64(-1), at + int(length)
    return np.int64(-1), -1  # no header has a list


@compiled
def _signed(data: Bytes, at: int) -> tuple[Int, int]:
    """A whole number with a sign, and where it ends; -1 where it does not."""
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


@compiled
def _varint(data: Bytes, at: int) -> tuple[Int, int]:
    """A whole number of seven bits a byte, and where it ends; -1 where it does not."""
    value, shift = np.int64(0), np.int64(0)
    while at < len(data) and shift < 63:
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    return np.int64(0), -1


@compiled
def hybrid(data: Bytes, at: int, width: int, below: int, out: NDArray[np.int32]) -> bool:
    """Whole numbers in runs of equal ones and in groups of eight packed by their bits.

    Args:
        at: where they begin. width: bits of each, at most 31. below: what each is less than.
        out: room for as many as there are.

    Returns:
        False where the bytes end before them, or one is too great.
    """
    done, count, most = 0, len(out), np.int32(0)
    size = (width + 7) // 8
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    while done < count:
        head, at = _varint(data, at)
        if at < 0 or head > _LONGEST:
            return False
        if head & 1:
            many = int(min((head >> 1) * 8, count - done))
            stop = at + int(head >> 1) * width
            need = at + (many * width + 7) // 8
            if many <= 0 or need > len(data):
                return False
            for k in range(many):
                p = at + (k * width >> 3)
                turn = np.uint64(k * width & 7)
                held = eight(data, np.uint64(p)) if p + 8 <= len(data) else _rest(data, p)
                value = np.int32(held >> turn & mask)
                most = max(most, value)
                out[done + k] = value
            at = stop
        else:
            many = int(min(head >> 1, count - done))
            if many <= 0 or at + size > len(data):
                return False
            told = np.uint64(0)
            for k in range(size):
                told |= np.uint64(data[at + k]) << np.uint64(8 * k)
            at += size
            most = max(most, np.int32(told & mask))
            out[done : done + many] = np.int32(told & mask)
        done += many
    return bool(most < below)


@compiled
def present(levels: Bytes, rows: int, wanted: Ints, places: Ints) -> int:
    """Where wanted rows stand among those that have a value, told by runs of one bit a row.

    Args:
        levels: the runs, as `hybrid` reads them. wanted: rows, ascending.
        places: room for as many: the place of each, -1 where the row has no value.

    Returns:
        How many rows have one; -1 where the bytes end before them.
    """
    done, at, k, held = 0, 0, 0, 0
    while done < rows:
        head, at = _varint(levels, at)
        if at < 0 or head > _LONGEST:
            return -1
        many = int(min((head >> 1) * (8 if head & 1 else 1), rows - done))
        if many <= 0 or at + (many + 7) // 8 * (head & 1) > len(levels):
            return -1
        if head & 1:
            for i in range(many):
                bit = np.int64(levels[at + (i >> 3)] >> (i & 7)) & 1
                if k < len(wanted) and wanted[k] == done + i:
                    places[k] = held if bit else -1
                    k += 1
                held += int(bit)
            at += int(head >> 1)
        else:
            if at >= len(levels):
                return -1
            bit = np.int64(levels[at]) & 1
            while k < len(wanted) and wanted[k] < done + many:
                places[k] = held + wanted[k] - done if bit else -1
                k += 1
            held += many * int(bit)
            at += 1
        done += many
    return held


@compiled
def picked(
    data: Bytes, at: int, width: int, below: int, count: int, places: Ints, out: NDArray[np.int32]
) -> bool:
    """Some of the whole numbers that `hybrid` reads.

    Args:
        count: how many there are. places: of those wanted, ascending, with -1 where none is.
        out: room for as many as are wanted; -1 where none is. The rest as for `hybrid`.

    Returns:
        False where the bytes end before them, or a wanted one is too great.
    """
    done, k = 0, 0
    size = (width + 7) // 8
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    while k < len(places):
        if places[k] < 0:
            out[k] = -1
            k += 1
            continue
        if done >= count:
            return False
        head, at = _varint(data, at)
        if at < 0 or head > _LONGEST:
            return False
        many = int(min((head >> 1) * (8 if head & 1 else 1), count - done))
        need = (many * width + 7) // 8 if head & 1 else size
        if many <= 0 or at + need > len(data):
            return False
        same = np.uint64(0)
        if not head & 1:
            for i in range(size):
                same |= np.uint64(data[at + i]) << np.uint64(8 * i)
        while k < len(places) and places[k] < done + many:
            value = np.int64(-1)
            if places[k] >= 0:
                if head & 1:
                    bit = (places[k] - done) * width
                    p = at + (bit >> 3)
                    held = eight(data, np.uint64(p)) if p + 8 <= len(data) else _rest(data, p)
                    value = np.int64(held >> np.uint64(bit & 7) & mask)
                else:
                    value = np.int64(same & mask)
                if value >= below:
                    return False
            out[k] = value
            k += 1
        at += int(head >> 1) * width if head & 1 else size
        done += many
    return True


@compiled
def eight(data: Bytes, p: np.uint64) -> np.uint64:
    """Eight bytes as one number, the first the least: one instruction once compiled."""
    return (
        np.uint64(data[p])
        | np.uint64(data[p + np.uint64(1)]) << np.uint64(8)
        | np.uint64(data[p + np.uint64(2)]) << np.uint64(16)
        | np.uint64(data[p + np.uint64(3)]) << np.uint64(24)
        | np.uint64(data[p + np.uint64(4)]) << np.uint64(32)
        | np.uint64(data[p + np.uint64(5)]) << np.uint64(40)
        | np.uint64(data[p + np.uint64(6)]) << np.uint64(48)
        | np.uint64(data[p + np.uint64(7)]) << np.uint64(56)
    )


@compiled
def _rest(data: Bytes, p: int) -> np.uint64:
    """The last bytes as such a number."""
    held = np.uint64(0)
    for k in range(len(data) - p):
        held |= np.uint64(data[p + k]) << np.uint64(8 * k)
    return held


@compiled
def texts(data: Bytes, starts: NDArray[np.int32]) -> bool:
    """Where each of the texts begins, which stand one after another behind their length.

    Args:
        starts: room for one more than there are texts: the next begins four bytes behind the
            end of the one before.

    Returns:
        False where the bytes end before them.
    """
    p, size = np.int64(4), np.int64(len(data))
    for i in range(len(starts) - 1):
        if p > size:
            return False
        starts[i] = p
        length = (
            np.int64(data[p - 4])
            | np.int64(data[p - 3]) << 8
            | np.int64(data[p - 2]) << 16
            | np.int64(data[p - 1]) << 24
        )
        if length > size - p:
            return False
        p += length + 4
    starts[len(starts) - 1] = p
    return True
