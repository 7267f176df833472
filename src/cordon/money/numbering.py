"""Loops over millions of ids and names of accounts: packed, told apart, put in order. Compiled."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled
from cordon.kernel.store.bits import eight

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Letters = NDArray[np.uint8]
Int = int | np.int64
_ALL, _LOW, _HALF = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0xFFFFFFFF), np.uint64(32)
HIGH = np.uint64(0x8080808080808080)
"""Of eight bytes what no byte of ASCII has."""
_ONES = np.uint64(0x0101010101010101)
EMPTY, SPACED, FOREIGN = 1, 2, 4
"""What texts may be: empty, with a space at an end, with more than ASCII."""
_BIG = 10**15
PLAIN, IBAN, WRONG, ODD = range(4)
"""What a name is: taken as it is, an IBAN with right check digits, one with wrong ones, or one that
may stand for another name and is looked at more closely."""


def laid_out(texts: pa.StringArray | pa.LargeStringArray) -> tuple[Letters, Ints]:
    """The bytes of texts, and where each begins and the last ends."""
    _, ends, data = texts.buffers()
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    offsets = np.frombuffer(ends, kind)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return letters, offsets.astype(np.int64, copy=False)


@compiled
def packed(
    letters: Letters,
    starts: NDArray[np.int32],
    codes: NDArray[np.int32],
    apart: int,
    seed: Hashes,
    into: Letters,
    ends: NDArray[np.int32],
    hashes: Hashes,
) -> int:
    """Put texts one after another, and find a hash of each.

    Args:
        letters, starts, apart: as of `Texts`. codes: which of them each is; each in turn where
            there are none. seed: two odd numbers of chance.
        into: room for all of their bytes, from ends[0] on. ends: takes where each ends (n + 1).
        hashes: takes the hash of each (n).

    Returns:
        All that any of them is, of EMPTY, SPACED and FOREIGN.
    """
    found, at, high = 0, np.int64(ends[0]), np.uint8(0)
    for n in range(len(hashes)):
        of = np.int64(codes[n]) if len(codes) else n
        begin = np.int64(starts[of])
        length = np.int64(starts[of + 1]) - apart - begin
        for k in range(length):
            letter = letters[begin + k]
            into[at + k] = letter
            high |= letter
        if length == 0:
            found |= EMPTY
        elif letters[begin] == 32 or letters[begin + length - 1] == 32:
            found |= SPACED
        hashes[n] = hashed(letters, begin, length, seed)
        at += length
        ends[n + 1] = at
    return found | FOREIGN if high >= 128 else found


@compiled
def hashes_of(
    letters: Letters,
    starts: NDArray[np.int32],
    codes: NDArray[np.int32],
    apart: int,
    seed: Hashes,
    hashes: Hashes,
) -> int:
    """Find the hash of each text, and all that any of them is; as of `packed`."""
    found, high = 0, np.uint64(0)
    for n in range(len(hashes)):
        of = np.int64(codes[n]) if len(codes) else n
        begin = np.int64(starts[of])
        length = np.int64(starts[of + 1]) - apart - begin
        if length == 0:
            found |= EMPTY
        elif letters[begin] == 32 or letters[begin + length - 1] == 32:
            found |= SPACED
        hashes[n], met_ = hashed_and_met(letters, begin, length, seed)
        high |= met_
    return found | FOREIGN if high & HIGH else found


@compiled
def hashed(letters: Letters, begin: Int, length: Int, seed: Hashes) -> np.uint64:
    """A hash of a text, by two odd numbers of chance."""
    return hashed_and_met(letters, begin, length, seed)[0]


@compiled
def hashed_and_met(
    letters: Letters, begin: Int, length: Int, seed: Hashes
) -> tuple[np.uint64, np.uint64]:
    """A hash of a text, and the bits that its bytes have, eight a word and laid upon one another:
    of these the bytes' highest bits tell whether any is beyond ASCII."""
    found, high = np.uint64(np.uint64(length) * seed[0]), np.uint64(0)
    for k in range(0, length, 8):
        word = _word(letters, begin + k, length - k)
        high |= word | (word + _ONES)  # 127, which no name has, counts as beyond
        found = _mixed(found, word, seed)
    return found, high


@compiled
def _mixed(found: np.uint64, word: np.uint64, seed: Hashes) -> np.uint64:
    found = (found ^ word) * seed[1]
    return np.uint64(found ^ (found >> np.uint64(32)))


@compiled
def _word(letters: Letters, begin: Int, length: Int) -> np.uint64:
    """The first eight bytes of a text as one number, or as many as there are."""
    if length <= 0:
        return np.uint64(0)
    if begin + 8 <= len(letters):  # what follows the text is read and cut off
        found = eight(letters, np.uint64(begin))
        return found if length >= 8 else np.uint64(found & ~(_ALL << np.uint64(8 * length)))
    found = np.uint64(0)
    for k in range(min(length, 8)):
        found |= np.uint64(letters[begin + k]) << np.uint64(8 * k)
    return found


@compiled
def halved(hashes: Hashes, into: Hashes) -> int:
    """Put hashes with a highest bit of 0 before those with 1; how many these are."""
    front, back = 0, len(into)
    for n in range(len(hashes)):
        if hashes[n] >> np.uint64(63):
            back -= 1
            into[back] = hashes[n]
        else:
            into[front] = hashes[n]
            front += 1
    return front


@compiled
def parted(
    letters: Letters,
    starts: NDArray[np.int32],
    which: Ints,
    apart: int,
    seed: Hashes,
    widths: Ints,
    bits: int,
    part: NDArray[np.uint16],
    counts: Ints,
) -> bool:
    """Tell to which part each text goes, by its length and its hash, and count those of each.

    Args:
        letters, starts, apart: as of `Texts`. which: of them; none for each in turn.
        seed: as of `packed`.
        widths: words of eight bytes that texts are held in, ascending: a text goes to the parts of
            the first that holds it. bits: there are 2 ** bits parts of each, at most 8.
        part: takes it of each. counts: of all parts.

    Returns:
        False where a text is longer than the last.
    """
    turn = np.uint64(64 - bits)
    for n in range(len(part)):
        text = which[n] if len(which) else np.int64(n)
        begin = np.int64(starts[text])
        length = np.int64(starts[text + 1]) - apart - begin
        of = 0
        while of < len(widths) and 8 * widths[of] < length:
            of += 1
        if of == len(widths):
            return False
        of <<= bits
        if bits > 0:
            of += int(hashed(letters, begin, length, seed) >> turn)
        part[n] = of
        counts[of] += 1
    return True


@compiled
def entered(
    letters: Letters,
    starts: NDArray[np.int32],
    which: Ints,
    apart: int,
    widths: Ints,
    bits: int,
    part: NDArray[np.uint16],
    place: int,
    at: Ints,
    entries: Hashes,
) -> None:
    """Put texts whole where those of their part stand.

    Args:
        letters to part: as of `parted`. place: of the first text.
        at: where the next of each part stands, moved on.
        entries: takes of each the letters, eight a word, and its length and place in one word more.
    """
    for n in range(len(part)):
        text = which[n] if len(which) else np.int64(n)
        begin = np.int64(starts[text])
        length = np.int64(starts[text + 1]) - apart - begin
        k, width = at[part[n]], widths[part[n] >> bits]
        for w in range(width):
            entries[k + w] = _word(letters, begin + 8 * w, length - 8 * w)
        entries[k + width] = np.uint64(place + text) << _HALF | np.uint64(length)
        at[part[n]] = k + width + 1


@compiled
def numbered(
    entries: Hashes,
    begin: int,
    seed: Hashes,
    slots: NDArray[np.int32],
    names: Hashes,
    count: int,
) -> tuple[int, int]:
    """Number the texts of one part, compared whole, until there is no room.

    Args:
        entries: as `entered` put them, one a row; the number takes the length's place.
        begin: of those not done.
        slots: the number + 1 of the name that stands there, 0 where none does; a power of two.
        names: room for names, as entries without a place. count: those known.

    Returns:
        Where it stopped, and how many names are known then.
    """
    width = entries.shape[1] - 1
    last = np.int64(len(slots) - 1)
    for k in range(begin, len(entries)):
        length = entries[k, width] & _LOW
        p = _slot(entries[k], length, seed) & last
        n = np.int64(slots[p]) - 1
        while n >= 0:
            same = names[n, width] == length
            for w in range(width):
                same = same and names[n, w] == entries[k, w]
            if same:
                break
            p = (p + 1) & last
            n = np.int64(slots[p]) - 1
        if n < 0:
            if count == len(names) or 2 * count >= len(slots):
                return k, count
            n = np.int64(count)
            for w in range(width):
                names[n, w] = entries[k, w]
            names[n, width] = length
            slots[p] = n + 1
            count += 1
        entries[k, width] = (entries[k, width] & ~_LOW) | np.uint64(n)
    return len(entries), count


@compiled
def assigned(entries: Hashes, by: NDArray[np.int32], into: NDArray[np.int32]) -> None:
    """Write at the place of each text of a part what stands for its number."""
    last = entries.shape[1] - 1
    for k in range(len(entries)):
        into[np.int64(entries[k, last] >> _HALF)] = by[np.int64(entries[k, last] & _LOW)]


@compiled
def _slot(entry: Hashes, length: np.uint64, seed: Hashes) -> np.int64:
    """Where an entry stands if there are as many slots as numbers; as `hashed`."""
    found = length * seed[0]
    for w in range((np.int64(length) + 7) // 8):
        found = _mixed(found, entry[w], seed)
    return np.int64(found)


@compiled
def placed(names: Hashes, count: int, seed: Hashes, slots: NDArray[np.int32]) -> None:
    """Give each name a slot; see `numbered`."""
    width, last = names.shape[1] - 1, np.int64(len(slots) - 1)
    for n in range(count):
        p = _slot(names[n], names[n, width], seed) & last
        while slots[p] != 0:
            p = (p + 1) & last
        slots[p] = n + 1


@compiled
def spelled(names: Hashes, ends: Ints, into: Letters) -> None:
    """Write names out, one after another; `ends`: where each begins, and the last ends (n + 1)."""
    for n in range(len(names)):
        for k in range(ends[n + 1] - ends[n]):
            into[ends[n] + k] = names[n, k >> 3] >> np.uint64(8 * (k & 7)) & np.uint64(255)


@compiled
def replaced(codes: NDArray[np.int32], by: NDArray[np.int32]) -> None:
    """Put in each code's place what stands for it."""
    for n in range(len(codes)):
        codes[n] = by[codes[n]]


@compiled
def met(codes: NDArray[np.int16], size: int) -> NDArray[np.bool_]:
    """Which numbers below a size are among these."""
    found = np.zeros(size, np.bool_)
    for n in range(len(codes)):
        found[codes[n]] = True
    return found


@compiled
def _kinds(letters: Letters, offsets: Ints) -> NDArray[np.uint8]:
    found = np.empty(len(offsets) - 1, np.uint8)
    for n in range(len(found)):
        found[n] = kind_of(letters, offsets[n], offsets[n + 1])
    return found


@compiled
def kind_of(letters: Letters, begin: Int, end: Int) -> int:
    """What the name in these bytes is: PLAIN, IBAN, WRONG or ODD."""
    parted, small, other, foreign = False, False, False, False
    length, remainder, lead = 0, np.int64(0), np.int64(0)
    for at in range(begin, end):
        c = letters[at]
        if c <= 32 or 45 <= c <= 47:
            parted = True
            continue
        length += 1
        foreign = foreign or c >= 127
        digit = 48 <= c <= 57
        small = small or 97 <= c <= 122
        alike = (65 <= c <= 90) or (97 <= c <= 122)
        other = other or not (digit or alike)
        if length <= 4 and ((length <= 2) == digit or not (digit or alike)):
            other = True
        value = np.int64(c) - 48 if digit else (np.int64(c) & 31) + 9
        if length <= 4:
            lead = lead * (10 if digit else 100) + value
        else:
            remainder = remainder * (10 if digit else 100) + value
            if remainder > _BIG:  # a division costs as much as many letters
                remainder %= 97
    shaped = not other and 15 <= length <= 34
    bare = begin == end or (letters[begin] > 32 and letters[end - 1] > 32)
    if not bare or foreign or (shaped and (parted or small)):
        return ODD
    if not shaped:
        return PLAIN
    # the first four stand last: two letters of two digits each, and the check digits
    return IBAN if (remainder % 97 * 1_000_000 + lead) % 97 == 1 else WRONG


def ordered(names: pa.LargeStringArray, threads: Executor) -> Ints:
    """Positions of different names in their order, by bytes, which is that by characters."""
    letters, offsets = laid_out(names)
    longest = int(np.diff(offsets).max()) if len(names) else 0
    if not len(names) or longest > _LONGEST:
        return np.asarray(pa.compute.sort_indices(names).to_numpy(), np.int64)
    parts = _parts(offsets)
    found = threads.map(lambda part: _present(letters, part, longest), parts)
    present = np.logical_or.reduce(list(found))
    sizes = present.sum(axis=1)
    # each place is a digit of its own base: as many as letters that are ever there
    digit = np.where(present, np.cumsum(present, axis=1) - 1, 0).astype(np.uint64)
    word_of, words, held = np.zeros(len(sizes), np.int64), 0, 1
    for at, size in enumerate(sizes.tolist()):
        if held * size >= 1 << 64:
            words, held = words + 1, 1
        held *= size
        word_of[at] = words
    bases = sizes.astype(np.uint64)

    def told(part: Ints) -> Hashes:
        return _keys(letters, part, digit, bases, word_of, words + 1)

    keys = np.concatenate(list(threads.map(told, parts)), axis=1)
    if words:
        return np.asarray(np.lexsort(keys[::-1]), np.int64)
    bits = len(names).bit_length()
    if held.bit_length() + bits > 64:
        return np.asarray(np.argsort(keys[0]), np.int64)
    # key and position sorted as one number: ten times as fast as a sort that gives positions
    both = keys[0] << np.uint64(bits) | np.arange(len(names), dtype=np.uint64)
    both.sort()
    return np.asarray(both & np.uint64((1 << bits) - 1), np.int64)


def kinds(names: pa.LargeStringArray, threads: Executor) -> NDArray[np.uint8]:
    """What each name is: PLAIN, IBAN, WRONG or ODD."""
    letters, offsets = laid_out(names)
    parts = threads.map(lambda part: _kinds(letters, part), _parts(offsets))
    return np.concatenate(list(parts))


def _parts(offsets: Ints) -> list[Ints]:
    """Offsets of two halves of texts."""
    half = len(offsets) // 2
    return [offsets[: half + 1], offsets[half:]]


_LONGEST = 64


@compiled
def _present(letters: Letters, offsets: Ints, width: int) -> NDArray[np.bool_]:
    """Which letters are ever at each place: a byte + 1, or 0 past the end."""
    found = np.zeros((width, 257), np.bool_)
    for n in range(len(offsets) - 1):
        begin, length = offsets[n], offsets[n + 1] - offsets[n]
        for at in range(length):
            found[at, np.int64(letters[begin + at]) + 1] = True
        for at in range(length, width):
            found[at, 0] = True
    return found


@compiled
def _keys(
    letters: Letters,
    offsets: Ints,
    digit: Hashes,
    sizes: Hashes,
    word_of: Ints,
    words: int,
) -> Hashes:
    keys = np.zeros((words, len(offsets) - 1), np.uint64)
    for n in range(len(offsets) - 1):
        begin, length = offsets[n], offsets[n + 1] - offsets[n]
        for at in range(len(sizes)):
            letter = np.int64(letters[begin + at]) + 1 if at < length else 0
            word = word_of[at]
            keys[word, n] = keys[word, n] * sizes[at] + digit[at, letter]
    return keys
