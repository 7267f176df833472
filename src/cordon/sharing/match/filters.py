"""What a peer keeps of what is held: short tags of F(key, value), padded, packed, kept up to date.

A tag is 48 bits of the function's output. To whoever has no answer for a value they are random, and
so are the tags that fill the set up: neither how many values are held exactly, nor how many of a
change came or went, can be read from it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput

Tags = NDArray[np.uint64]

BITS = 48
LEAST = 4096
"""Tags of the smallest set."""
SWAPS = 64
"""A change is told in swaps, of which there are a multiple of this many."""
MOST = 1 << 22
_STEPS = 8  # sizes between two powers of two
_CHUNK = 1 << 16


def tags_of(outputs: Sequence[bytes]) -> Tags:
    """The tags of outputs of 64 bytes, in their order."""
    if not outputs:
        return np.empty(0, np.uint64)
    first = np.frombuffer(b"".join(o[:8] for o in outputs), "<u8")
    return first.astype(np.uint64) & np.uint64((1 << BITS) - 1)


def padded_size(count: int) -> int:
    """Tags of the set that hides a count: past it, up to the next eighth of a power of two."""
    step = max(LEAST, 1 << max(0, count.bit_length() - 1)) // _STEPS
    return max(LEAST, (count // step + 1) * step)


def false_hits(size: int) -> float:
    """The chance that a value which is not held hits a set of this size."""
    return size / float(1 << BITS)


def fresh(count: int, beside: Tags) -> Tags:
    """Random tags that are not among others, each once."""
    made = np.empty(0, np.uint64)
    while len(made) < count:
        more = np.frombuffer(secrets.token_bytes(8 * (count - len(made))), "<u8")
        more = more.astype(np.uint64) & np.uint64((1 << BITS) - 1)
        made = distinct(np.concatenate([made, more[~member(more, beside)]]))
    return _shuffled(made)


def _shuffled(of: Tags) -> Tags:
    order = np.argsort(np.frombuffer(secrets.token_bytes(8 * len(of)), "<u8"), kind="stable")
    shuffled: Tags = of[order]
    return shuffled


def swapped(pads: Tags, new: Tags, gone: Tags, beside: Tags) -> tuple[Tags, Tags, Tags] | None:
    """A change as swaps of one tag for another, by multiples of `SWAPS`.

    Args:
        pads: tags that fill the set up. new, gone: tags of values that came and went.
        beside: all tags of the set.

    Returns:
        Tags out, tags in (as many), and the pads afterwards; None where the set is too full.
    """
    least = max(len(new), len(gone))
    count = -(-least // SWAPS) * SWAPS
    out = count - len(gone)  # pads that leave
    into = count - len(new)  # pads that come
    if out > len(pads):
        return None
    pads = _shuffled(pads)
    made = fresh(into, np.concatenate([beside, new]))
    return (
        np.sort(np.concatenate([gone, pads[:out]])),
        np.sort(np.concatenate([new, made])),
        np.concatenate([pads[out:], made]),
    )


def pack(tags: Tags) -> bytes:
    """Sorted tags, packed: differences in Golomb–Rice code, some 30 bits each of a million.

    The first byte is how many low bits are written as they are, the next four how many tags
    there are; then the high parts in unary, and the low parts.
    """
    if len(tags) == 0:
        return bytes(5)
    gaps = np.diff(tags, prepend=np.uint64(0))
    low = _low_bits(len(tags))
    high = (gaps >> np.uint64(low)).astype(np.int64)
    ends = np.cumsum(high + 1) - 1
    unary = np.zeros(int(ends[-1]) + 1, np.uint8)
    unary[ends] = 1
    rest = [
        ((gaps[n : n + _CHUNK, None] >> np.arange(low, dtype=np.uint64)) & np.uint64(1))
        .astype(np.uint8)
        .ravel()
        for n in range(0, len(gaps), _CHUNK)
    ]
    lows = np.packbits(np.concatenate(rest))
    head = bytes([low]) + len(tags).to_bytes(4, "big")
    return head + np.packbits(unary).tobytes() + lows.tobytes()


def _low_bits(count: int) -> int:
    return max(0, BITS - count.bit_length())


def unpack(data: bytes) -> Tags:
    """The tags that were packed; BadInput where they cannot have been."""
    head = 5
    if len(data) < head:
        raise BadInput("A set of tags is cut off.")
    low, count = data[0], int.from_bytes(data[1:head], "big")
    size = -(-count * low // 8)
    body = np.frombuffer(data, np.uint8)[head:]
    if count > MOST or len(body) < size + -(-count // 8):
        raise BadInput("A set of tags is cut off, or too large.")
    # the high parts add up to less than two a tag: what is longer would only fill the memory
    if count and (low != _low_bits(count) or len(body) > size + -(-3 * count // 8)):
        raise BadInput("A set of tags is damaged.")
    if count == 0:
        return np.empty(0, np.uint64)
    cut = len(body) - size
    ends = np.flatnonzero(np.unpackbits(body[:cut]))
    if len(ends) != count:
        raise BadInput("A set of tags is damaged.")
    high = np.diff(ends, prepend=-1).astype(np.uint64) - np.uint64(1)
    bits = np.unpackbits(body[cut:])[: count * low].reshape(count, low)
    gaps = high << np.uint64(low)
    for n in range(low):
        gaps |= bits[:, n].astype(np.uint64) << np.uint64(n)
    if int(high.max()) >> (BITS - low) or float(gaps.astype(np.float64).sum()) >= 2.0**BITS:
        raise BadInput("A set of tags is damaged.")
    tags = np.cumsum(gaps, dtype=np.uint64)
    if len(tags) > 1 and not (gaps[1:] > 0).all():
        raise BadInput("A set of tags names one twice.")
    return tags


def changed(tags: Tags, out: Tags, into: Tags) -> Tags:
    """A peer's set after a change; BadInput where it does not fit the set."""
    if not member(out, tags).all() or member(into, tags).any() or len(out) != len(into):
        raise BadInput("A change does not fit the set that it is for.")
    kept = tags[~member(tags, out)]
    after: Tags = np.sort(np.concatenate([kept, into]))
    return after


def distinct(of: Tags) -> Tags:
    """Each once, sorted. NumPy's own `unique` hashes, which takes far longer for a million."""
    ordered: Tags = np.sort(of)
    once: Tags = ordered[np.diff(ordered, prepend=~ordered[:1]) != 0]
    return once


def member(asked: Tags, of: Tags) -> NDArray[np.bool_]:
    """Which of those asked for are among others, neither of them sorted."""
    order = np.argsort(asked)
    found = np.empty(len(asked), np.bool_)
    found[order] = among(np.sort(of), asked[order])
    return found


def among(tags: Tags, asked: Tags) -> NDArray[np.bool_]:
    """Which of the tags asked for are in a sorted set."""
    if len(tags) == 0:
        return np.zeros(len(asked), np.bool_)
    at = np.minimum(np.searchsorted(tags, asked), len(tags) - 1)
    found: NDArray[np.bool_] = tags[at] == asked
    return found
