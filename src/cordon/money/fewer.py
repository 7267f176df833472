"""Of one file's payments those that a trace may need, found before any account is named.

To number the names of ten million payments takes most of the time that reading them takes, and a
trace of six hops comes to one in fifty. So each name is told by a hash (`keyed`); the same rounds
as an outside engine is asked (`reaching`) go over columns of hashes; and what they come to is named
from the pages that its texts still lie in (`traced`).
"""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.money import keyed
from cordon.money.accounts import written
from cordon.money.givenback import NOTED, REFUND
from cordon.money.model import CHANNELS, ENTRIES, EXITS
from cordon.money.reaching import ROUNDS, Reach

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_MOST = 4  # a trace that comes to one payment in so many is told faster by naming all
_EVER = 1 << 62


class Walk:
    """Rounds over payments, by the hashes of their accounts.

    Args:
        source, target: of each payment who pays and who is paid. at: µs since the epoch. amount,
            channel: as of `Payments`.
    """

    def __init__(
        self,
        source: Hashes,
        target: Hashes,
        at: Ints,
        amount: Ints,
        channel: NDArray[np.int8],
        threads: Executor,
    ) -> None:
        self._source, self._target, self._at = source, target, at
        self._amount, self._channel, self._threads = amount, channel, threads
        self._known, self._when = np.zeros(1 << 12, np.uint64), np.full(1 << 12, _EVER)
        self._near, self._count = np.zeros(keyed.WORDS, np.uint64), 0

    def rows(self, reach: Reach, seed: Hashes) -> Ints | None:
        """Payments that following it may need, ascending; None where it is told faster by all.

        Also where the account is not found as it is written: who reads all names says so.
        """
        names = [_key(name, seed) for name in reach.accounts]
        if not self._rounds(reach, np.concatenate(names)):
            return None
        found = self._whole(
            lambda part: (
                keyed.touching(self._source[part], self._target[part], self._known, self._near)
                + part.start
            )
        )
        chosen = np.union1d(np.concatenate(found), self._given_back(seed))
        return chosen if _MOST * len(chosen) <= len(self._at) else None

    def _rounds(self, reach: Reach, asked: Hashes) -> bool:
        """Put into the table who is reached, as of `reaching`; False where that is too many."""
        back = reach.back
        source, target = (
            (self._target, self._source) if back else (self._source, self._target)
        )  # fmt: skip
        sign, most = -1 if back else 1, len(self._at) // _MOST
        ends = np.array([_ends(c, back) for c in CHANNELS] + [False])
        span = _us(reach.since, -_EVER), _us(reach.until, _EVER)
        self._put(asked, np.full(len(asked), _EVER))
        paid = self._whole(
            lambda part: keyed.paid(
                source[part], target[part], self._at[part], sign, *span, self._known, self._near
            )
        )
        for left in range(ROUNDS if back else reach.hops, -1, -1):
            reached, when = (np.concatenate(both) for both in zip(*paid, strict=True))
            if not len(reached):
                return bool((self._when != _EVER).any())
            if self._count + len(reached) > most:
                return False
            self._put(reached, when)
            if left:
                paid = self._whole(
                    lambda part: keyed.onward(
                        source[part], target[part], self._at[part], sign, self._amount[part],
                        0 if back else 1, ends, self._channel[part], self._known, self._when,
                        self._near,
                    )
                )  # fmt: skip
        return not back

    def _given_back(self, seed: Hashes) -> Ints:
        """Refunds, and what they may give back: a sentence counts them, whosever they are."""
        gives = np.isin(self._channel, [REFUND, NOTED])
        if not gives.any():
            return np.zeros(0, np.int64)
        pairs, back = np.empty(len(gives), np.uint64), np.empty(int(gives.sum()), np.uint64)
        keyed.paired(self._source, self._target, seed, pairs)
        keyed.paired(self._target[gives], self._source[gives], seed, back)
        return np.flatnonzero(gives | np.isin(pairs, back))

    def _put(self, keys: Hashes, when: Ints) -> None:
        size = len(self._known)
        while 2 * (self._count + len(keys)) >= size:
            size *= 2
        if size > len(self._known):
            there = self._known != 0
            known, whens = self._known[there], self._when[there]
            self._known, self._when = np.zeros(size, np.uint64), np.full(size, _EVER)
            keyed.put(known, whens, self._known, self._when, self._near)
        self._count += keyed.put(keys, when, self._known, self._when, self._near)

    def _whole(self, of: Any) -> list[Any]:
        """What is found in each half of the payments, on two threads."""
        half, rows = len(self._at) // 2, len(self._at)
        return list(self._threads.map(of, (slice(0, half), slice(half, rows))))


def _key(name: str, seed: Hashes) -> Hashes:
    """The hash that stands for an account, however it is written."""
    letters = np.frombuffer(written(name).encode(), np.uint8)
    found = np.zeros(1, np.uint64)
    keyed.keys_of(letters, np.array([0, len(letters)], np.int32), 0, seed, found)
    return found


def _ends(channel: str, back: bool) -> bool:
    return channel in EXITS or (back and channel in ENTRIES)


def _us(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else int(moment.timestamp() * 1_000_000)
