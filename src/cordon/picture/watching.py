"""Watching without a node: positions and findings of feeds and files, as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cordon.kernel.clock import SystemClock, format_time
from cordon.kernel.findings import Finding
from cordon.picture.apart import Apart
from cordon.picture.feeding import FeedReader
from cordon.picture.feedkeeping import Reader
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.seen import Seen
from cordon.picture.model import Counts, Position, Zone
from cordon.picture.moments import REMEMBERED, MomentDecoder
from cordon.picture.moments import plain as plainly
from cordon.picture.stream import MOST_FIXES, StreamDetector
from cordon.picture.tracks import Batch
from cordon.picture.turns import Turns

_ALWAYS = timedelta(days=36_500)
_MOST_OF_FILES = 1 << 40  # files are looked at as a whole, as `detect` does

Out = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class FileTold:
    """What was read of a file; `reasons`: how many rows were refused, by reason."""

    path: Path
    counts: Counts
    broken: str
    reasons: Mapping[str, int]


class Watch:
    """Reads feeds and files, and gives what it reads and what the detectors say of it.

    Args:
        sources: addresses of feeds, and files. out: given one object a line: `position`,
            `finding`, or `withdrawn`. positions: whether positions are given too.
        base_time: when AIS logs without times begin.
        say: told of feeds whose state changes, and of files that were read. flush: called once
            what came together was given.
    """

    def __init__(
        self,
        sources: Sequence[str],
        zones: Sequence[Zone],
        out: Out,
        *,
        keys: Keys,
        say: Callable[[FeedState | FileTold], None],
        flush: Callable[[], object] = lambda: None,
        positions: bool = True,
        base_time: datetime | None = None,
        window: timedelta = timedelta(hours=24),
    ) -> None:
        self._files = [Path(s) for s in sources if "://" not in s]
        self._urls = [s for s in sources if "://" in s]
        for url in self._urls:
            address_of(url)
        self._keys, self._say, self._out, self._flush = keys, say, out, flush
        self._positions, self._base_time = positions, base_time
        live = bool(self._urls)
        self._stream = StreamDetector(
            zones,
            window=window if live else _ALWAYS,
            most=MOST_FIXES if live else _MOST_OF_FILES,
            beside=Apart() if live else None,
        )
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._seen = Seen(most=REMEMBERED)
        self._decoders: dict[tuple[str, str], MomentDecoder] = {}
        self._states: dict[str, FeedState] = {}
        self._shown: dict[str, str] = {}
        self._telling = threading.Event()
        self._turns = Turns(
            self._telling, at_once=self._at_once, whole=self._whole, steps={"tell": self._tell}
        )

    def run(self) -> None:
        """Read the files, then the feeds until the process is interrupted."""
        for path in self._files:
            self._read(path)
        if not self._urls:
            self._whole()
            if self._stream.doubts():  # what was missed once is looked for a second time
                self._whole(again=True)
            return
        readers = [self._reader(url) for url in self._urls]
        for reader in readers:
            reader.start()
        self._turns.start()
        try:
            self._turns.stopped.wait()
        finally:
            self._turns.stop()
            for reader in readers:
                reader.stop()
            for reader in readers:
                reader.join(timeout=10)
            self._turns.join()
            self._whole()
            self._stream.close()

    def stop(self) -> None:
        """End after what is at hand."""
        self._turns.stop()

    def _read(self, path: Path) -> None:
        reader = open_positions(path, base_time=self._base_time, seen=self._seen)
        for batch in reader.batches():
            with self._lock:
                self._give(batch)
                self._stream.take(batch)
        self._whole()
        self._say(FileTold(path, reader.counts, reader.broken, reader.reasons))

    def _reader(self, url: str) -> Reader:
        address = address_of(url)
        state = self._state(url, address.name, address.form)
        if address.scheme != "nats":
            return FeedReader(state, self._clock, self._take, self._keys)
        from cordon.picture.natsfeed import FROM_NOW, NatsReader

        def relayed(name: str, form: str) -> FeedState:
            return self._state(f"relay:{name}", name, form)

        return NatsReader(state, self._clock, self._take, relayed, self._keys, FROM_NOW)

    def _state(self, url: str, name: str, form: str) -> FeedState:
        if url not in self._states:
            self._states[url] = FeedState(url, name, url, form=form)
        return self._states[url]

    def _take(
        self,
        feed: FeedState,
        data: bytes,
        at: float,
        *,
        form: str = "",
        place: object = None,
        parted: bool = False,
    ) -> None:
        """Take a moment, as `Intake.take` does, but keep nothing of it."""
        form = form or feed.form
        with self._lock:
            key = (feed.name, form)
            if key not in self._decoders:
                self._decoders[key] = MomentDecoder(feed.name, form, self._seen)
            got = self._decoders[key].take("", data if parted else plainly(data), at, 0.0)
            feed.kept += got.kept
            feed.repeated += got.repeated
            for reason, times in got.reasons.items():
                feed.refuse(reason, times)
            feed.times(got.ahead)
            self._give(got.batch)
            taken = self._stream.take(got.batch, self._clock.now())
            feed.impossible += taken.impossible
        if taken.telling:
            self._telling.set()

    def _give(self, batch: Batch) -> None:
        if self._positions:
            for position in batch.positions():
                self._out({"position": of_position(position)})
            self._flush()

    def _at_once(self) -> None:
        self._telling.clear()
        self._found(self._stream.tick_at_once())

    def _whole(self, *, again: bool = False) -> None:
        self._found(self._stream.look_again() if again else self._stream.tick())
        for back in self._stream.withdrawn():
            with self._lock:
                self._out({"withdrawn": {"id": back.finding.id, "why": back.why}})

    def _found(self, findings: Sequence[Finding]) -> None:
        with self._lock:  # a line is written whole
            for finding in findings:
                self._out({"finding": finding.to_dict()})
            self._flush()

    def _tell(self) -> None:
        """Say how feeds do whose state has changed."""
        for url, state in list(self._states.items()):
            if self._shown.get(url) != state.look():
                self._shown[url] = state.state
                self._say(state)


def of_position(p: Position) -> dict[str, Any]:
    """A position as the format `positions` names its parts; what is not told is left out."""
    told = {
        "at": format_time(p.at),
        "source": p.source,
        "subject": p.subject,
        "lat": p.lat,
        "lon": p.lon,
        "speed_kn": p.speed_kn,
        "course_deg": p.course_deg,
        "heading_deg": p.heading_deg,
        "accuracy_m": p.accuracy_m,
        "kind": p.kind,
        "name": p.name or None,
        "imo": p.imo or None,
        "call_sign": p.call_sign or None,
        "ship_type": p.ship_type or None,
        "flag": p.flag or None,
    }
    return {name: value for name, value in told.items() if value is not None}
