"""Loops that follow payments by hashes of their accounts' names, before any name is told. Compiled.

A hash stands for a name as the same account may be written elsewhere: of an IBAN what follows its
country and check digits. So two names that may be one account have one hash, and what is reached
by hashes is more than what is reached by accounts, never less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled
from cordon.money.numbering import HIGH, IBAN, PLAIN, hashed, hashed_and_met, kind_of

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Letters = NDArray[np.uint8]
EMPTY, IBANS, UNSURE, OTHERS = 1, 2, 4, 8
"""What names may be: empty; IBANs; written so that only all names together tell which account they
are, or an IBAN with wrong check digits, of which all are counted; and what an IBAN may end in."""
WORDS = 1 << 15  # of 64 bits, by which most of what is not reached is told: 256 KB
_NEAR = np.uint64(21)  # bits of a hash that say which bit of these


@compiled
def keys_of(
    letters: Letters,
    starts: NDArray[np.int32],
    apart: int,
    seed: Hashes,
    keys: Hashes,
) -> int:
    """The hash that stands for each name; 0 is none.

    Args:
        letters, starts, apart: as of `Texts`. seed: two odd numbers of chance.
        keys: takes them.

    Returns:
        All that any of them is, of EMPTY, IBANS, UNSURE and OTHERS.
    """
    found = 0
    for n in range(len(keys)):
        begin, end = np.int64(starts[n]), np.int64(starts[n + 1]) - apart
        if begin >= end:
            found |= EMPTY
            continue
        key, met = hashed_and_met(letters, begin, end - begin, seed)
        kind = PLAIN
        if met & HIGH or not _is_plain(letters, begin, end):
            kind = kind_of(letters, begin, end)
        if kind == PLAIN:
            if found & OTHERS == 0 and _ends_another(letters, begin, end):
                found |= OTHERS
        elif kind == IBAN:
            found |= IBANS
            key = hashed(letters, begin + 4, end - begin - 4, seed)
        else:
            found |= UNSURE
        keys[n] = key | np.uint64(1)
    return found


@compiled
def _is_plain(letters: Letters, begin: np.int64, end: np.int64) -> bool:
    """Whether a name of ASCII has no form of an IBAN, told by little of it; many that have none are
    not told. It is short, or its first four are not two letters and two digits."""
    if letters[begin] <= 32 or letters[end - 1] <= 32:
        return False
    if end - begin < 15:
        return True
    fits = True
    for at in range(begin, begin + 4):
        c = letters[at]
        if c <= 47:  # a space, or a sign that only parts digits: what follows it counts
            return False
        digit = c <= 57
        letter = 65 <= c <= 90 or 97 <= c <= 122
        fits = fits and (digit if at >= begin + 2 else letter)
    return not fits


@compiled
def _ends_another(letters: Letters, begin: np.int64, end: np.int64) -> bool:
    """Whether a name may be an IBAN's end: letters and digits alone, some in lower case, or eight
    digits or more, alone or behind a stroke. Some that cannot are told too, and none is missed."""
    at = end
    while at > begin and 48 <= letters[at - 1] <= 57:
        at -= 1
    if end - at >= 8 and (at == begin or letters[at - 1] == 47):
        return True
    if end - begin < 11:  # no IBAN's account is as short
        return False
    small = False
    for n in range(begin, at):
        c = letters[n]
        if not (48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122):
            return False
        small = small or c >= 97
    return small


@compiled
def found_at(known: Hashes, key: np.uint64) -> np.int64:
    """Where a hash stands in a table of a power of two, or where it would (0 stands there)."""
    last = np.uint64(len(known) - 1)
    p = key >> np.uint64(7) & last
    while known[p] != 0 and known[p] != key:
        p = (p + np.uint64(1)) & last
    return np.int64(p)


@compiled
def _may_be(near: Hashes, key: np.uint64) -> bool:
    bit = key >> (np.uint64(64) - _NEAR)
    return bool(near[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1))


@compiled
def put(keys: Hashes, whens: Ints, known: Hashes, when: Ints, near: Hashes) -> int:
    """Put hashes into a table that has room for them, each with its least moment.

    Args:
        known, when: the table; a power of two. near: `WORDS`, which tell it at a glance.

    Returns:
        How many of them are new.
    """
    count = 0
    for n in range(len(keys)):
        p = found_at(known, keys[n])
        if known[p] == 0:
            known[p], when[p] = keys[n], whens[n]
            bit = keys[n] >> (np.uint64(64) - _NEAR)
            near[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
            count += 1
        when[p] = min(when[p], whens[n])
    return count


@compiled
def _with_room(keys: Hashes, whens: Ints) -> tuple[Hashes, Ints]:
    """The same, with room for as many again."""
    return np.concatenate((keys, np.empty_like(keys))), np.concatenate(
        (whens, np.empty_like(whens))
    )


@compiled
def paid(
    source: Hashes,
    target: Hashes,
    at: Ints,
    sign: int,
    first: int,
    until: int,
    known: Hashes,
    near: Hashes,
) -> tuple[Hashes, Ints]:
    """Into which of the accounts that are asked for money was paid by others, and when.

    Args:
        source, target, at: of payments. sign: -1 where they are followed back: `at` counts down.
        first, until: `at` lies in [first, until). known, near: those asked for.
    """
    keys, whens, used = np.empty(256, np.uint64), np.empty(256, np.int64), 0
    for k in range(len(source)):
        if not _may_be(near, target[k]) or source[k] == target[k]:
            continue
        if not first <= at[k] < until or known[found_at(known, target[k])] == 0:
            continue
        if used == len(keys):
            keys, whens = _with_room(keys, whens)
        keys[used], whens[used] = target[k], sign * at[k]
        used += 1
    return keys[:used], whens[:used]


@compiled
def onward(
    source: Hashes,
    target: Hashes,
    at: Ints,
    sign: int,
    amount: Ints,
    least: int,
    ends: NDArray[np.bool_],
    channel: NDArray[np.int8],
    known: Hashes,
    when: Ints,
    near: Hashes,
) -> tuple[Hashes, Ints]:
    """Whom payments reach that an account made once it was reached, sooner than was known.

    Args:
        source to sign: as of `paid`. amount, least: a payment moves `least` units or more.
        ends: by channel, the last for none: what goes by it is followed no further.
        known, when, near: those reached, and by when.
    """
    keys, whens, used = np.empty(1024, np.uint64), np.empty(1024, np.int64), 0
    for k in range(len(source)):
        if not _may_be(near, source[k]) or source[k] == target[k] or ends[channel[k]]:
            continue
        p = found_at(known, source[k])
        if known[p] == 0 or sign * at[k] < when[p] or amount[k] < least:
            continue
        q = found_at(known, target[k])
        if known[q] != 0 and when[q] <= sign * at[k]:
            continue
        if used == len(keys):
            keys, whens = _with_room(keys, whens)
        keys[used], whens[used] = target[k], sign * at[k]
        used += 1
    return keys[:used], whens[:used]


@compiled
def touching(source: Hashes, target: Hashes, known: Hashes, near: Hashes) -> Ints:
    """Payments from or to one that is known, ascending."""
    found, used = np.empty(1024, np.int64), 0
    for k in range(len(source)):
        one = _may_be(near, source[k]) and known[found_at(known, source[k])] != 0
        if not one:
            one = _may_be(near, target[k]) and known[found_at(known, target[k])] != 0
        if one:
            if used == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[used] = k
            used += 1
    return found[:used]


@compiled
def paired(source: Hashes, target: Hashes, seed: Hashes, pairs: Hashes) -> None:
    """One hash for each payment's two accounts and its way."""
    for k in range(len(source)):
        mixed = (source[k] * seed[0]) ^ (target[k] >> np.uint64(29) | target[k] << np.uint64(35))
        mixed *= seed[1]
        pairs[k] = (mixed ^ (mixed >> np.uint64(31))) | np.uint64(1)
