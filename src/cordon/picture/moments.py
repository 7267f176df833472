"""A moment of a feed: how its bytes are kept, and read again.

A moment is a file whose first line says when it came and from where, so that a sender that says
the same again says it at another time, and lines without a time have this one. More such lines
may stand between the others: what follows one came at its time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.picture.feeds.bulk import BulkDecoder
from cordon.picture.feeds.cotreader import CotDecoder
from cordon.picture.feeds.reports import ReportDecoder
from cordon.picture.feeds.seen import Seen
from cordon.picture.live import AHEAD
from cordon.picture.model import Refusal
from cordon.picture.tracks import Batch, moment

REMEMBERED = 2_000_000  # positions of a feed, by which repeats are known: 16 to 64 MB
MOST_NAMES = 300_000  # subjects of a feed that are remembered by name
YEAR_S = 366 * 86_400.0
_HEAD = b"# cordon: received "


def head(at: float, feed: str, form: str) -> bytes:
    """The line before what came at a time (s since the epoch)."""
    return _HEAD + f"{format_time(moment(at))} from feed {feed} as {form}\n".encode()


def plain(data: bytes) -> bytes:
    """A sender's lines, none of which passes for one of these heads."""
    return data.replace(_HEAD, _HEAD.replace(b" ", b"  ", 1))


def form_of(data: bytes) -> str:
    """What a kept moment's sender spoke; those of before it was written spoke NMEA."""
    first = data.partition(b"\n")[0]
    return first.rpartition(b" as ")[2].decode("ascii", "replace") if b" as " in first else "nmea"


def sections(data: bytes, at: float) -> Iterator[tuple[int, bytes, float]]:
    """The parts of a moment: row of the first line, the lines, and when they came (s).

    Args:
        at: when what stands before the first head came.
    """
    row = 1
    begin = 0
    while begin < len(data):
        end = data.find(b"\n" + _HEAD, begin)
        end = len(data) if end < 0 else end + 1
        part = data[begin:end]
        at = _received(part, at)
        yield row, part, at
        row += part.count(b"\n")
        begin = end


def _received(part: bytes, otherwise: float) -> float:
    if not part.startswith(_HEAD):
        return otherwise
    try:
        text = part[len(_HEAD) :].partition(b" ")[0].decode("ascii", "replace")
        return parse_time(text).timestamp()
    except BadInput:  # a sender's own comment
        return otherwise


@dataclass
class Decoded:
    """What a moment held.

    Attributes:
        ahead: by how much (s) the reports' own times ran ahead of when they came.
        reasons: refused reports by reason. old: kept ones from before the live window.
    """

    batch: Batch
    kept: int
    repeated: int
    ahead: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    old: int = 0


class MomentDecoder:
    """Decodes the moments of one feed, in their order.

    Args:
        name: of the feed, the source of reports that name none. form: what it speaks.
        seen: the feed's positions, shared between what it speaks.
    """

    def __init__(self, name: str, form: str, seen: Seen) -> None:
        self._reasons: Counter[str] = Counter()
        self.decoder: BulkDecoder | CotDecoder | ReportDecoder
        if form == "cot":
            self.decoder = CotDecoder("", seen, self._refused, MOST_NAMES)
            self.decoder.source = name
        elif form == "reports":
            self.decoder = ReportDecoder("", seen, self._refused, MOST_NAMES)
            self.decoder.source = name
        else:
            self.decoder = BulkDecoder(
                source=name, seen=seen, on_refusal=self._refused, most=MOST_NAMES
            )

    def _refused(self, refusal: Refusal) -> None:
        self._reasons[refusal.reason] += 1

    def take(self, sha256: str, data: bytes, at: float, oldest: float) -> Decoded:
        """Decode a moment; nothing in it raises.

        Args:
            sha256: of its bytes. at: when it began. oldest: where the live window begins (s).
        """
        counts = self.decoder.counts
        kept, repeated = counts.kept, counts.repeated
        times = [at]
        for row, part, came in sections(data, at):
            self.decoder.feed_block(part, row, came)
            times.append(came)
        batch = self.decoder.take()
        batch.sha256 = sha256
        latest = max(times)
        batch = self._within(batch, latest)
        ahead = self._ahead(batch, times)
        reasons, self._reasons = self._reasons, Counter()
        return Decoded(
            batch,
            counts.kept - kept,
            counts.repeated - repeated,
            ahead,
            reasons,
            int((batch.t < oldest).sum()),
        )

    def _within(self, batch: Batch, at: float) -> Batch:
        """The batch without reports from after it came, or from a year before it."""
        ahead = batch.t > at + AHEAD.total_seconds()
        old = batch.t < at - YEAR_S
        for some, why in (
            (ahead, "its time is more than five minutes ahead of the node's clock"),
            (old, "its time is more than a year old"),
        ):
            for row in batch.row[some]:
                self.decoder.counts.kept -= 1
                self.decoder.refuse(int(row), why)
        wrong = ahead | old
        return batch.take(~wrong) if wrong.any() else batch

    def _ahead(self, batch: Batch, times: list[float]) -> list[float]:
        """How far reports that carry a time ran ahead of when they came (s)."""
        own = ~np.isin(batch.t, times)  # a report without a time has that at which it came
        if own.any():
            return list(batch.t[own] - times[-1])
        if not isinstance(self.decoder, BulkDecoder):
            return []
        seconds = self.decoder.take_seconds()
        # AIS tells the second of the minute: an error is known but for whole minutes
        return list((seconds - times[-1] % 60 + 30) % 60 - 30)
