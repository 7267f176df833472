"""Live positions on their way in: kept, decoded, shown, detected, stored as columns."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import CordonError
from cordon.kernel.findings import Finding
from cordon.kernel.work import Kernel, Work
from cordon.picture import columns, importing
from cordon.picture.detect import find
from cordon.picture.feeding import FeedState
from cordon.picture.feeds.nmea import AisDecoder
from cordon.picture.feeds.source import Seen
from cordon.picture.live import AHEAD, LivePicture, StreamDetector
from cordon.picture.model import Position, Zone
from cordon.picture.tables import PositionFileRow
from cordon.picture.tracks import Batch, Tracks, moment

log = logging.getLogger(__name__)

STORE_AFTER_S = 60.0
STORE_AFTER_ROWS = 50_000
REMEMBERED = 2_000_000  # positions of a feed, by which repeats are known: 16 to 32 MB
_HEAD = b"# cordon: received "


class Intake:
    """Takes moments of feeds; safe to be called by several readers at once.

    Args:
        window: how far back live detectors look, and what is read back at a start.
    """

    def __init__(self, kernel: Kernel, picture: LivePicture, window: timedelta) -> None:
        self.window = window
        self._kernel = kernel
        self._picture = picture
        self._lock = threading.Lock()
        self._decoders: dict[str, AisDecoder] = {}
        self._seen: dict[str, Seen] = {}
        self._stream = StreamDetector(window=window)
        self._waiting: list[Batch] = []  # kept as bytes, not yet columns
        self._since = time.monotonic()

    def set_zones(self, zones: Iterable[Zone]) -> None:
        """Measure against these zones from now on."""
        with self._lock:
            self._stream.zones = list(zones)

    def take(self, feed: FeedState, data: bytes, at: float) -> None:
        """Keep the bytes of a moment, then decode and show them.

        They are kept below a comment that says when they came and from where: a sender that
        says the same again says it at another time, and lines without a time have this one.

        Args:
            at: when it began (seconds since the epoch), for lines without a time.
        """
        at = round(at, 3)  # as it is written
        data = _head(at, feed.id) + data
        stored = self._kernel.files.put([data])
        with self._kernel.work(self._kernel.node) as work:
            if importing.known(work, stored.sha256) is None:
                importing.new_file(
                    work,
                    sha256=stored.sha256,
                    size=stored.size,
                    name=f"{feed.name} {work.now:%Y-%m-%dT%H:%M:%SZ}",
                    origin=feed.name,
                    mark=Mark.GREEN,
                )
        with self._lock:
            decoder = self._decoder(feed.name)
            before = asdict(decoder.counts)
            batch = _decoded(decoder, stored.sha256, data, at)
            counts = decoder.counts
            feed.kept += counts.kept - before["kept"]
            feed.repeated += counts.repeated - before["repeated"]
            feed.refused += counts.refused - before["refused"]
            if decoder.refusals:
                feed.last_reason = decoder.refusals[-1].reason
                decoder.refusals.clear()
            self._show(batch)
            self._waiting.append(batch)

    def _decoder(self, name: str) -> AisDecoder:
        if name not in self._decoders:
            self._seen[name] = Seen(most=REMEMBERED)
            self._decoders[name] = AisDecoder(source=name, seen=self._seen[name])
        return self._decoders[name]

    def _show(self, batch: Batch) -> None:
        if len(batch):
            positions, now = list(batch.positions()), self._kernel.clock.now()
            self._picture.take(positions, now)
            self._stream.take(positions, now)

    def show_file(self, sha256: str) -> None:
        """Show what a file that was brought in holds of the live window."""
        now = self._kernel.clock.now()
        with self._kernel.view(self._kernel.node) as view:
            for batch in columns.read(
                view, self._kernel.columns, now - self.window, now + AHEAD, file=sha256
            ):
                self._show(batch)

    def detect(self) -> list[Finding]:
        """What the detectors newly say of what is live."""
        return self._stream.tick()

    def detect_in(self, batches: Iterable[Batch], zones: Iterable[Zone]) -> list[Finding]:
        """What the detectors say of stored positions."""
        return find(Tracks.build(batches), list(zones))

    def flag(self, findings: Iterable[Finding]) -> None:
        """Show on the map that these subjects have a finding."""
        self._picture.flag({s for f in findings for s in f.subjects})

    def positions_of(self, subject: str) -> list[Position]:
        """Positions of a subject in the live window, oldest first."""
        return self._stream.held(subject)

    def flush_when_due(self) -> None:
        """Store what waits once it is old or large enough."""
        with self._lock:
            rows = sum(len(b) for b in self._waiting)
            due = time.monotonic() - self._since > STORE_AFTER_S or rows > STORE_AFTER_ROWS
        if due:
            self.flush()

    def flush(self) -> None:
        """Store what waits as columns; the files it came in are then marked as stored."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._since = time.monotonic()
        if not waiting:
            return
        try:
            with self._kernel.work(self._kernel.node) as work:
                for batch in waiting:
                    self._store(work, batch)
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise

    def _store(self, work: Work, batch: Batch) -> None:
        row = importing.known(work, batch.sha256)
        if row is None or row.state == "stored":
            return
        if len(batch):
            columns.write(work, batch, 1, mark=Mark.GREEN)
        row.state = "stored"
        row.counts = {"kept": len(batch)}

    def recover(self) -> None:
        """Read back what was kept and not yet stored, and fill the live window.

        The feeds' decoders meet all of it again, so that a sender that begins anew after a
        restart is not counted twice.
        """
        now = self._kernel.clock.now()
        with self._kernel.view(self._kernel.node) as view:
            feeds = dict(
                view.session.execute(
                    select(PositionFileRow.sha256, PositionFileRow.origin).where(
                        PositionFileRow.origin != "import",
                        PositionFileRow.created_at >= now - self.window,
                    )
                ).all()
            )
            for batch in columns.read(view, self._kernel.columns, now - self.window, now):
                self._show(batch)
                if batch.sha256 in feeds:
                    name = feeds[batch.sha256]
                    self._decoder(name)
                    self._seen[name].new(batch)
            left = list(
                view.session.scalars(
                    select(PositionFileRow)
                    .where(PositionFileRow.state == "kept", PositionFileRow.origin != "import")
                    .order_by(PositionFileRow.id)
                )
            )
        for row in left:
            try:
                data = b"".join(self._kernel.files.read(row.sha256))
            except CordonError:  # one moment that is lost must not keep the node down
                log.exception("a moment of a feed cannot be read back", extra={"file": row.id})
                continue
            at = _received(data) or row.created_at.timestamp()
            batch = _decoded(self._decoder(row.origin), row.sha256, data, at)
            self._show(batch)
            self._waiting.append(batch)
        for decoder in self._decoders.values():
            decoder.refusals.clear()
        self.flush()


def _head(at: float, feed: str) -> bytes:
    return _HEAD + f"{format_time(moment(at))} from feed {feed}\n".encode()


def _received(data: bytes) -> float | None:
    """When a moment's bytes came (seconds since the epoch), by its first line."""
    if not data.startswith(_HEAD):
        return None
    return parse_time(data[len(_HEAD) :].split(b" ", 1)[0].decode()).timestamp()


def _decoded(decoder: AisDecoder, sha256: str, data: bytes, at: float) -> Batch:
    for number, line in enumerate(data.split(b"\n"), 1):
        decoder.feed(number, line, received=at)
    batch = decoder.take()
    batch.sha256 = sha256
    return _not_ahead(decoder, batch, at)


def _not_ahead(decoder: AisDecoder, batch: Batch, at: float) -> Batch:
    """The batch without reports from after it came; they are counted as refused instead."""
    ahead = batch.t > at + AHEAD.total_seconds()
    if not ahead.any():
        return batch
    for row in batch.row[ahead]:
        decoder.counts.kept -= 1
        decoder.refuse(int(row), "its time is more than five minutes ahead of the node's clock")
    return batch.take(~ahead)
