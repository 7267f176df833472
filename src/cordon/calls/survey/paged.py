"""Everybody counted from the pages of Parquet files, by as many threads as there are.

What `census` says of everybody, without an engine that decodes each text of each call: a number is
looked up once a row group, and is a whole number from there on. Each thread counts row groups of
its own by numbers of its own; what they found is put together at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.survey import tally
from cordon.calls.survey.coded import codes, kinds, moments, seconds
from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.ends import marked
from cordon.calls.survey.pairs import Pair, Pairs, Told
from cordon.calls.survey.words import Words
from cordon.kernel.store.pages import Pages, Unread

Ints = NDArray[np.int64]
Slots = Callable[[pa.Array], NDArray[np.uint8]]
"""Which of 63 bits stands for each text, as the function `slot63` of an engine says."""

_NONE = np.iinfo(np.int64).min  # as a duration: -0.0, which is told as 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A row group of a file.

    Attributes:
        number: its own. pages: the file. group: which of the file's. file: its name as an origin.
        ahead: rows of the file before it.
    """

    number: int
    pages: Pages
    group: int
    file: str
    ahead: int

    @property
    def rows(self) -> int:
        return int(self.pages.groups[self.group])


def parts_of(paths: Iterable[Path]) -> list[Part]:
    """The row groups of files by the files' names, which is the order of their calls.

    Raises:
        Unread: a file cannot be read so.
    """
    parts: list[Part] = []
    for path in sorted(paths, key=str):
        pages, ahead = Pages(path), 0
        for group, rows in enumerate(pages.groups):
            parts.append(Part(len(parts), pages, group, str(path), ahead))
            ahead += rows
    return parts


class Walk:
    """Calls counted by one thread.

    Attributes:
        words: numbers seen. lines: counts of each, as `tally.count` keeps them. pairs: who called
            whom. rows: calls counted. repeated: calls passed over, as they stand before. begin,
            end: span (µs).
    """

    def __init__(
        self,
        slots: Slots,
        scratch: Path | None,
        since: datetime | None,
        until: datetime | None,
        equal: Equal | None,
    ) -> None:
        self.words, self._kinds = Words(), Words()
        self.lines = tally.wider(np.empty((0, 8), np.int64), 1)
        self.pairs = Pairs(scratch)
        self.rows, self.repeated = 0, 0
        self.begin, self.end = tally.NEVER, -tally.NEVER
        self._ask, self._slots = slots, np.empty(0, np.uint8)
        self._since, self._until, self._equal = _us(since), _us(until), equal

    def add(self, part: Part) -> None:
        """Count the calls of a row group.

        Raises:
            Unread: it cannot be read so, or a row holds no call.
        """
        ends = np.full((part.rows, 2), -1, np.int32)
        us = moments(part.pages, part.group)
        within = self._within(us)
        voice, lasts = np.zeros(part.rows, bool), np.full(part.rows, np.nan, np.float32)
        again, every = np.zeros(part.rows, bool), ends
        if within.any():
            voice = kinds(part.pages, part.group, self._kinds)
            told, there = seconds(part.pages, part.group)
            np.copyto(lasts, told, where=there, casting="same_kind")
            for side, name in enumerate(("caller", "callee")):
                ends[:, side] = codes(part.pages, part.group, name, self.words)
            if int(ends.min()) < 0:
                raise Unread
            ends[~within] = -1
            if self._equal is not None:
                again = self._equal.add(us, ends, voice, told, there)
                every = ends.copy()
                ends[again] = -1
                self.repeated += int(again.sum())
                within &= ~again
            # what is no number is greater than any, as an engine has it
            answered = there & ~(told <= 0)
            what = voice.view(np.uint8) * np.uint8(tally.VOICE)
            what |= answered.view(np.uint8) * np.uint8(tally.ANSWERED)
            self._room()
            tally.count(self.lines, ends, us, what, self._slots)
            kept = us if within.all() else us[within]
            self.rows += len(kept)
            if len(kept):
                self.begin = min(self.begin, int(kept.min()))
                self.end = max(self.end, int(kept.max()))
        self.pairs.add(part.number, every, us, voice, lasts, again)

    def _within(self, us: Ints) -> NDArray[np.bool_]:
        inside = np.ones(len(us), bool)
        if self._since is not None:
            inside &= us >= self._since
        if self._until is not None:
            inside &= us < self._until
        return inside

    def _room(self) -> None:
        """A line and a bit for each number that is new."""
        count = len(self.words)
        if count > len(self._slots):
            try:
                fresh = self.words.told(len(self._slots))
            except pa.ArrowInvalid as fault:
                raise Unread from fault
            self._slots = np.concatenate([self._slots, self._ask(fresh)])
        self.lines = tally.wider(self.lines, count)


class Equal:
    """Finds calls that are the same as one before, in the order in which they are told.

    Args:
        most: how many calls there are.
    """

    def __init__(self, most: int) -> None:
        self._us, self._told = np.empty(most, np.int64), np.empty(most, np.int64)
        self._ends = np.empty((most, 2), np.int32)
        self._slots = np.zeros(1 << (most * 3 // 2).bit_length(), np.int32)
        self._held = 0

    def add(
        self,
        us: Ints,
        ends: Pair,
        voice: NDArray[np.bool_],
        duration: NDArray[np.float64],
        there: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which of these calls are repeated.

        Args:
            duration: s, where it is told (`there`). The rest as for `tally.count`.
        """
        begin, self._held = self._held, self._held + len(us)
        part = slice(begin, self._held)
        self._us[part], self._ends[part] = us * 2 + voice, ends
        # one number for each duration: 0 has a sign, and what is no number many forms
        same = np.where(np.isnan(duration), np.nan, duration + 0.0).view(np.int64)
        self._told[part] = np.where(there, same, _NONE)
        repeated = np.empty(len(us), bool)
        tally.again(self._slots, self._us, self._ends, self._told, begin, self._held, repeated)
        return repeated


@dataclass
class Everyone:
    """Who called whom, by one numbering of everybody, however many threads counted.

    Attributes:
        parts: the row groups. pairs: of each thread. own: of each thread, which number each of
            its numbers is; the last entry is -1, so that a call of -1 has an end of -1.
        numbers: how many were seen in all.
        by_page: True: the calls are fetched from the pages too.
    """

    by_page: ClassVar[Literal[True]] = True
    parts: Sequence[Part]
    pairs: list[Pairs]
    own: list[NDArray[np.int32]]
    numbers: int
    threads: int
    _by: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by = {part: n for n, pairs in enumerate(self.pairs) for part in pairs.parts}

    def ends(self, part: Part) -> tuple[Pair, NDArray[np.int32]]:
        """The calls of a row group by numbers of the thread that counted it, and which number of
        everybody's each of those is."""
        by = self._by[part.number]
        return self.pairs[by].of(part.number), self.own[by]

    def told(self, part: Part) -> Told:
        """Start (µs), voice, duration (s, NaN where not told) and whether it stands before, of the
        calls of a row group."""
        return self.pairs[self._by[part.number]].told(part.number)

    def among(self, mark: NDArray[np.int32]) -> tuple[Ints, Ints]:
        """Different pairs of marked numbers that called, whoever of the two did; see `Ends`."""
        marks = [np.append(mark, np.int32(-1))[own] for own in self.own]

        def found(part: Part) -> Ints:
            by = self._by[part.number]
            return distinct(marked(self.pairs[by].of(part.number), marks[by]))

        with ThreadPoolExecutor(self.threads) as pool:
            both = distinct(np.concatenate([np.empty(0, np.int64), *pool.map(found, self.parts)]))
        return both >> 32, both & 0xFFFFFFFF


def walked(
    parts: Sequence[Part],
    slots: Slots,
    *,
    threads: int = 2,
    scratch: Path | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    each_once: bool = False,
) -> tuple[Walk, Everyone]:
    """All calls counted: in a walk that holds what all threads found, and who called whom.

    Args:
        slots: asked of each number once, by any thread. scratch: folder for what is too much to
            hold; the machine's own where None. since, until: bounds of the start of a call.
        each_once: whether calls that stand before are passed over; one thread counts them then.

    Raises:
        Unread: a file cannot be read so, or a row holds no call.
    """
    equal = Equal(sum(p.rows for p in parts)) if each_once else None
    threads = 1 if each_once else max(1, min(threads, len(parts)))
    walks = [Walk(slots, scratch, since, until, equal) for _ in range(threads)]
    queue = iter(parts)

    def run(walk: Walk) -> None:
        for part in queue:
            walk.add(part)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, walk) for walk in walks]:
            done.result()
    first, own = walks[0], []
    for walk in walks:
        at = np.arange(len(walk.words), dtype=np.int32)
        if walk is not first:
            at = first.words.codes(walk.words.told())
            first.lines = tally.wider(first.lines, len(first.words))
            tally.added(first.lines, walk.lines[: len(at)], at)
            first.rows += walk.rows
            first.begin, first.end = min(first.begin, walk.begin), max(first.end, walk.end)
        own.append(np.append(at, np.int32(-1)))
    everyone = Everyone(parts, [w.pairs for w in walks], own, len(first.words), threads)
    return first, everyone


def _us(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return int(pa.scalar(moment, pa.timestamp("us", "UTC")).value)
