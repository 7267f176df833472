"""What every reader of positions shares: bytes in, lines out, repeats known, rows gathered."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.seen import Seen
from cordon.picture.model import Counts, Refusal, Static
from cordon.picture.tracks import Batch, Said

ROWS_A_BATCH = 50_000
_MOST_SOURCES = 10_000  # of a feed without end
LONGEST_LINE = 65_536  # bytes; a longer one is refused, so that no line fills the memory
MOST_REFUSALS_KEPT = 10_000  # the counts go on; a caller that wants all gives `on_refusal`
MOST_REASONS = 30  # different ones that are counted
_BLOCK = 1 << 21  # bytes
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


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Bytes of a file in chunks of any size, the last one empty; raises Cut."""
    while True:
        try:
            got = file.read1(_BLOCK)  # type: ignore[attr-defined]
        except (EOFError, zlib.error, OSError, pa.ArrowInvalid) as wrong:
            raise Cut from wrong
        yield got
        if not got:
            return


def blocks_of(file: IO[bytes], longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Whole lines in blocks of some megabytes, lines and Cut as `lines_of` has them.

    Args:
        longest: bytes of a line.
    """
    held = bytearray()
    passing = False  # over the rest of a line that is too long
    try:
        for got in chunks_of(file):
            if passing:
                end = got.find(b"\n")
                if end < 0 and got:
                    continue
                got, passing = got[end + 1 :], False  # noqa: PLW2901
            held += got
            if got and len(held) < _BLOCK:
                continue
            end = held.rfind(b"\n") + 1
            if not got:
                end = len(held)
            elif len(held) - end > longest:  # its first part is enough to refuse it
                del held[end + longest + 1 :]
                held += b"\n"
                end, passing = len(held), True
            if end:
                yield bytes(held[:end])
                del held[:end]
    except Cut:
        if (end := held.rfind(b"\n") + 1) > 0:
            yield bytes(held[:end])
        raise


class Gathering:
    """Rows on their way into batches, with what is counted and refused beside them.

    Args:
        sha256: of the file. seen: shared between files whose repeats are to be found.
        on_refusal: called with each refusal; without it the first ones are kept in `refusals`.
        most: for a feed without end: how many names of subjects are remembered; all where absent.

    Attributes:
        reasons: how many rows were refused, by reason.
        first: the refusal of the lowest row, whoever was told of it. timeless: some row had no
            time.
        broken: what cut the file short and after which row, or empty.
    """

    def __init__(
        self,
        sha256: str,
        seen: Seen | None,
        on_refusal: Callable[[Refusal], None] | None,
        most: int | None = None,
    ) -> None:
        self.sha256 = sha256
        self.counts = Counts()
        self.refusals: list[Refusal] = []
        self.reasons: Counter[str] = Counter()
        self.first: Refusal | None = None
        self.timeless = False
        self.broken = ""
        self.static: dict[str, Static] = {}
        self.said: list[Said] = []
        self._seen = seen if seen is not None else Seen()
        self._on_refusal = on_refusal
        self.subjects: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self._most = most

    def refuse(self, row: int, reason: str) -> None:
        """Count a refused row and say why."""
        self.counts.refused += 1
        known = reason in self.reasons or len(self.reasons) < MOST_REASONS
        self.reasons[reason if known else "other reasons"] += 1
        self.note(Refusal(row, reason))

    def breaks_off(self, row: int, why: str) -> None:
        """Note that the file ends early, after so many rows."""
        self.broken = f"{why} after row {row:,}"
        self.note(Refusal(row + 1, f"the file breaks off here: {why}"))

    def note(self, refusal: Refusal) -> None:
        """Say what is wrong without counting a row (a file that ends early)."""
        if self.first is None or refusal.row < self.first.row:  # checks are made column by column
            self.first = refusal
        self.timeless = self.timeless or refusal.reason.startswith("no time")
        if self._on_refusal is not None:
            self._on_refusal(refusal)
        elif len(self.refusals) < MOST_REFUSALS_KEPT:
            self.refusals.append(refusal)

    def subject_code(self, name: str) -> int:
        """The index of a subject in this file's batches."""
        return self.subjects.setdefault(name, len(self.subjects))

    def forget_subjects(self) -> None:
        """Let go of all codes; the batches that hold them hold the names too."""
        self.subjects.clear()

    def source_code(self, name: str) -> int:
        """The index of a source in this file's batches."""
        return self.sources.setdefault(name, len(self.sources))

    def says(self, subject: str, said: Static, at: float | None = None) -> None:
        """Remember what a subject says of itself; the newest word stands.

        Args:
            at: when (s); where it is not known, the end of the batch stands for it.
        """
        before = self.static.pop(subject, None)
        if self._most is not None and len(self.static) >= self._most:
            del self.static[next(iter(self.static))]  # who spoke longest ago
        whole = said.over(before) if before is not None else said
        if whole == before:
            self.static[subject] = before  # the very same, so that who compares sees it at once
            return
        self.static[subject] = whole
        self.said.append(Said(math.nan if at is None else at, subject, said))

    def take_said(self, t: NDArray[np.float64]) -> list[Said]:
        """What was said since the last call that was new, for a batch of rows at times t (s)."""
        some, self.said = self.said, []
        end = float(t.max()) if len(t) else math.nan
        some = [Said(end, s.subject, s.static) if math.isnan(s.t) else s for s in some]
        return [s for s in some if not math.isnan(s.t)]

    def batch(self, columns: Mapping[str, NDArray[Any]]) -> Batch:
        """Columns whose codes are this gathering's, as a batch that names only who is in it."""
        names, sources = list(self.subjects), list(self.sources)
        own: dict[str, Any] = dict(columns)
        if len(names) > len(own["row"]):
            used, own["subject"] = np.unique(own["subject"], return_inverse=True)
            names = [names[i] for i in used.tolist()]
        batch = Batch(
            self.sha256, names, sources, static=self.static, said=self.take_said(own["t"]), **own
        )
        if self._most is not None and len(self.subjects) >= self._most:
            self.forget_subjects()
        if self._most is not None and len(self.sources) >= _MOST_SOURCES:
            self.sources.clear()
        return batch

    def kept(self, batch: Batch) -> Batch:
        """The batch without repeats, counted."""
        fresh = self._seen.new(batch)
        count = int(fresh.sum())
        self.counts.kept += count
        self.counts.repeated += len(batch) - count
        return batch if count == len(batch) else batch.take(fresh)
