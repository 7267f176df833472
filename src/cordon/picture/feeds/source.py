"""What every reader of positions shares: bytes in, lines out, repeats known, rows gathered."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput
from cordon.picture.model import Counts, Refusal, Static
from cordon.picture.tracks import Batch

ROWS_A_BATCH = 50_000
LONGEST_LINE = 65_536  # bytes; a longer one is refused, so that no line fills the memory
MOST_REFUSALS_KEPT = 10_000  # the counts go on; a caller that wants all gives `on_refusal`
EARLIEST, LATEST = 315_532_800.0, 4_102_444_800.0  # 1980 (GPS begins) to 2100, s


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes as they lie there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as wrong:
        raise BadInput(f"{path.name} cannot be read: {wrong.strerror}.") from None


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, gzip and Zstandard undone; told apart by content, not by name."""
    file = path.open("rb")
    magic = file.read(4)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if magic == b"\x28\xb5\x2f\xfd":
        file.close()
        stream = pa.input_stream(str(path), compression="zstd")
        return io.BufferedReader(stream)
    return file


CUT = "its compressed data is cut short or damaged"


class Cut(Exception):
    """A compressed stream that ended before its end."""


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Lines with their newline, none longer than LONGEST_LINE + 1 bytes; raises Cut.

    A longer line comes as its first part, which every reader refuses, and its rest is
    passed over.
    """
    while True:
        try:
            line = file.readline(LONGEST_LINE + 1)
            if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
        except (EOFError, zlib.error, OSError, pa.ArrowInvalid) as wrong:
            raise Cut from wrong
        if not line:
            return
        yield line


class Seen:
    """The positions already met, as 64-bit hashes in a few sorted runs (8 bytes a position).

    Two different positions among five million share a hash with odds of one in a million.

    Args:
        most: for a feed without end: so many positions at least are remembered, and at most
            twice as many; the older ones are forgotten. All are where it is absent.
    """

    def __init__(self, most: int | None = None) -> None:
        self._runs: list[NDArray[np.uint64]] = []
        self._older: list[NDArray[np.uint64]] = []
        self._most = most

    def new(self, batch: Batch) -> NDArray[np.bool_]:
        """True where the batch's position was not met before, also within the batch."""
        names = np.array(
            [
                int.from_bytes(hashlib.blake2b(s.encode(), digest_size=8).digest(), "big")
                for s in batch.subjects
            ],
            dtype=np.uint64,
        )
        key = names[batch.subject]
        micro = np.round(batch.t * 1e6).astype(np.int64).view(np.uint64)
        for part in (micro, (batch.lat + 0.0).view(np.uint64), (batch.lon + 0.0).view(np.uint64)):
            key = _mix(key ^ part)
        fresh = np.ones(len(key), dtype=bool)
        for run in (*self._runs, *self._older):
            at = np.minimum(np.searchsorted(run, key), len(run) - 1)
            fresh &= run[at] != key
        _, first = np.unique(key, return_index=True)
        once = np.zeros(len(key), dtype=bool)
        once[first] = True
        fresh &= once
        run = np.sort(key[fresh])
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate((self._runs.pop(), run)))
        if len(run):
            self._runs.append(run)
        if self._most is not None and sum(map(len, self._runs)) >= self._most:
            self._older, self._runs = self._runs, []
        return fresh


def _mix(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # the finaliser of SplitMix64 (Steele, Lea, Flood 2014)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


class Gathering:
    """Rows on their way into batches, with what is counted and refused beside them.

    Args:
        sha256: of the file. seen: shared between files whose repeats are to be found.
        on_refusal: called with each refusal; without it the first ones are kept in `refusals`.

    Attributes:
        first: the first refusal, whoever was told of it. timeless: some row had no time.
        broken: what cut the file short and after which row, or empty.
    """

    def __init__(
        self, sha256: str, seen: Seen | None, on_refusal: Callable[[Refusal], None] | None
    ) -> None:
        self.sha256 = sha256
        self.counts = Counts()
        self.refusals: list[Refusal] = []
        self.first: Refusal | None = None
        self.timeless = False
        self.broken = ""
        self.static: dict[str, Static] = {}
        self._seen = seen if seen is not None else Seen()
        self._on_refusal = on_refusal
        self.subjects: dict[str, int] = {}
        self.sources: dict[str, int] = {}

    def refuse(self, row: int, reason: str) -> None:
        """Count a refused row and say why."""
        self.counts.refused += 1
        self.note(Refusal(row, reason))

    def breaks_off(self, row: int, why: str) -> None:
        """Note that the file ends early, after so many rows."""
        self.broken = f"{why} after row {row:,}"
        self.note(Refusal(row + 1, f"the file breaks off here: {why}"))

    def note(self, refusal: Refusal) -> None:
        """Say what is wrong without counting a row (a file that ends early)."""
        self.first = self.first or refusal
        self.timeless = self.timeless or refusal.reason.startswith("no time")
        if self._on_refusal is not None:
            self._on_refusal(refusal)
        elif len(self.refusals) < MOST_REFUSALS_KEPT:
            self.refusals.append(refusal)

    def subject_code(self, name: str) -> int:
        """The index of a subject in this file's batches."""
        return self.subjects.setdefault(name, len(self.subjects))

    def source_code(self, name: str) -> int:
        """The index of a source in this file's batches."""
        return self.sources.setdefault(name, len(self.sources))

    def says(self, subject: str, said: Static) -> None:
        """Remember what a subject says of itself; the newest word stands."""
        self.static[subject] = said.over(self.static.get(subject, Static()))

    def kept(self, batch: Batch) -> Batch:
        """The batch without repeats, counted."""
        fresh = self._seen.new(batch)
        count = int(fresh.sum())
        self.counts.kept += count
        self.counts.repeated += len(batch) - count
        return batch if count == len(batch) else batch.take(fresh)
