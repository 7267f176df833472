"""Live positions on their way in: kept, decoded, shown, detected, stored as columns."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import CordonError
from cordon.kernel.findings import Finding
from cordon.kernel.work import Kernel, View, Work
from cordon.picture import columns, importing, moments
from cordon.picture.apart import Apart
from cordon.picture.arrivals import Arrivals
from cordon.picture.behaviours import streamed
from cordon.picture.detect import find
from cordon.picture.feeds import bulk
from cordon.picture.feeds.health import FeedState
from cordon.picture.feeds.seen import Seen
from cordon.picture.live import AHEAD, LivePicture
from cordon.picture.model import Position, Zone
from cordon.picture.stream import MOST_FIXES, StreamDetector, Taken
from cordon.picture.tables import FeedRow, PositionFileRow
from cordon.picture.telling import Withdrawal
from cordon.picture.tracks import Batch, Tracks

log = logging.getLogger(__name__)

STORE_AFTER_S = 60.0
STORE_AFTER_ROWS = 250_000
_KEPT_TAKEN = 10_000  # moments that are known to be decoded


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream was read: the id of the feed it is read by, and a message's number."""

    feed: str
    seq: int


class Intake:
    """Takes moments of feeds; safe to be called by several readers at once.

    Args:
        window: how far back live detectors look, and what is read back at a start.
        listen: given each batch that is shown, for what is reckoned beside the detectors.
        most: fixes that the live detectors hold at most.

    Attributes:
        telling: set where `detect_at_once` has something to look at.
        arrivals: told of each batch that is shown.
    """

    def __init__(
        self,
        kernel: Kernel,
        picture: LivePicture,
        window: timedelta,
        listen: Callable[[Batch], None] = lambda _batch: None,
        most: int = MOST_FIXES,
    ) -> None:
        self.window = window
        self._kernel = kernel
        self._picture = picture
        self._listen = listen
        self._lock = threading.Lock()
        self._decoders: dict[tuple[str, str], moments.MomentDecoder] = {}
        self._seen: dict[str, Seen] = {}
        self._places: dict[str, int] = {}  # how far each stream was read and decoded here
        self._taken: OrderedDict[str, None] = OrderedDict()
        self.arrivals = Arrivals()
        self._stream = StreamDetector(window=window, most=most, beside=Apart())
        self._waiting: list[Batch] = []  # kept as bytes, not yet columns
        self._since = time.monotonic()
        self.telling = threading.Event()  # something is to be looked at at once

    def set_zones(self, zones: Iterable[Zone]) -> None:
        """Measure against these zones from now on."""
        with self._lock:
            self._stream.zones = list(zones)

    def warm(self) -> None:
        """Load what feeds will need, in a thread of its own: it is compiled and takes seconds."""
        threading.Thread(target=self._warm, name="picture-warm", daemon=True).start()

    def _warm(self) -> None:
        try:
            bulk.warm()
            self._stream.warm()
        except Exception:  # it will be met again where it is needed
            log.exception("what feeds need could not be loaded")

    def take(
        self,
        feed: FeedState,
        data: bytes,
        at: float,
        *,
        form: str = "",
        place: Place | None = None,
        parted: bool = False,
    ) -> None:
        """Keep the bytes of a moment, then decode and show them.

        Args:
            at: when it began (seconds since the epoch), for lines without a time.
            form: what it is, where it is not what the feed speaks.
            parted: heads of `moments` stand in it already, one before what came at a time.
            place: how far the stream that it comes from is read with it. It is kept in one
                transaction with the moment: what was taken in once is not taken in again.
        """
        if place is not None and self._is_read(place):
            return
        at = round(at, 3)  # as it is written
        form = form or feed.form
        data = moments.head(at, feed.id, form) + (data if parted else moments.plain(data))
        stored = self._kernel.files.put([data])
        with self._kernel.work(self._kernel.node) as work:
            if place is not None and not _goes_on(work, place, stored.sha256):
                return
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
            if stored.sha256 in self._taken:
                return
            got = self._decoded(feed.name, form, stored.sha256, data, at)
            feed.kept += got.kept
            feed.repeated += got.repeated
            feed.old += got.old
            for reason, times in got.reasons.items():
                feed.refuse(reason, times)
            feed.times(got.ahead)
            self._waiting.append(got.batch)  # first: whatever happens, it will be stored
            if place is not None:
                self._places[place.feed] = place.seq
            feed.impossible += self._show(got.batch).impossible

    def _is_read(self, place: Place) -> bool:
        """Whether a stream was read so far, and what it gave is decoded."""
        with self._lock:
            known = self._places.get(place.feed, 0)
        return place.seq <= known

    def _decoded(
        self, name: str, form: str, sha256: str, data: bytes, at: float
    ) -> moments.Decoded:
        oldest = (self._kernel.clock.now() - self.window).timestamp()
        got = self._decoder(name, form).take(sha256, data, at, oldest)
        self._taken[sha256] = None  # a reader that hands it on again has it counted once
        if len(self._taken) > _KEPT_TAKEN:
            self._taken.popitem(last=False)
        return got

    def _decoder(self, name: str, form: str) -> moments.MomentDecoder:
        if name not in self._seen:
            self._seen[name] = Seen(most=moments.REMEMBERED)
        if (name, form) not in self._decoders:
            self._decoders[name, form] = moments.MomentDecoder(name, form, self._seen[name])
        return self._decoders[name, form]

    def _show(self, batch: Batch) -> Taken:
        now = self._kernel.clock.now()
        shown = batch.t >= (now - self.window).timestamp()
        if not shown.any():
            return Taken(False)
        if not shown.all():
            batch = batch.take(shown)
        self._picture.take(batch, now)
        self.arrivals.tell()
        taken = self._stream.take(batch, now)
        if taken.telling:
            self.telling.set()
        self._listen(batch)
        return taken

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

    def detect_at_once(self) -> list[Finding]:
        """What the detectors newly say of those whose last step was telling."""
        self.telling.clear()
        return self._stream.tick_at_once()

    def withdrawn(self) -> list[Withdrawal]:
        """What the detectors said before and take back; the map marks its subjects no more."""
        back = self._stream.withdrawn()
        if back:
            still = self._stream.spoken_of()
            self._picture.flag({s for w in back for s in w.finding.subjects} - still, found=False)
        return back

    def untold(self, findings: Iterable[Finding], back: Iterable[Withdrawal] = ()) -> None:
        """What was said, or taken back, could not be kept: the detectors say it again."""
        self._stream.untold(findings, back)

    def remember(self, findings: Iterable[Finding]) -> None:
        """What the detectors said before this process began."""
        self._stream.remember(findings)

    def detect_in(self, batches: Iterable[Batch], zones: Iterable[Zone]) -> list[Finding]:
        """What the detectors say of stored positions."""
        return find(Tracks.build(batches), list(zones), streamed())

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
            self._store(waiting)
        except Exception:
            with self._lock:
                self._waiting = waiting + self._waiting
            raise

    def _store(self, waiting: list[Batch]) -> None:
        """The segment is written before the transaction: SQLite has one writer, and feeds wait."""
        with self._kernel.view(self._kernel.node) as view:
            new = _unstored(view, waiting)
        segment = columns.write_together(self._kernel.columns, new) if new else None
        with self._kernel.work(self._kernel.node) as work:
            left = _unstored(work, waiting)
            if left and len(left) != len(new):  # another process of the node stored some meanwhile
                segment = columns.write_together(self._kernel.columns, left)
            for batch in waiting:
                row = importing.known(work, batch.sha256)
                if row is not None and row.state != "stored":
                    row.state, row.counts = "stored", {"kept": len(batch)}
            if segment is not None and left:
                columns.keep(work, segment, mark=Mark.GREEN)

    def close(self) -> None:
        """End what runs beside."""
        self._stream.close()

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
            for batch in columns.read(view, self._kernel.columns, now - self.window, now + AHEAD):
                self._show(batch)
                if batch.sha256 in feeds:
                    self._taken[batch.sha256] = None
                    name = feeds[batch.sha256]
                    self._seen.setdefault(name, Seen(most=moments.REMEMBERED)).new(batch)
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
            at = row.created_at.timestamp()
            got = self._decoded(row.origin, moments.form_of(data), row.sha256, data, at)
            self._show(got.batch)
            self._waiting.append(got.batch)
        self.flush()


def _unstored(view: View, waiting: Iterable[Batch]) -> list[Batch]:
    """Those that hold positions, and of which the node has the bytes and not yet the columns."""
    found: dict[str, Batch] = {}
    for batch in waiting:
        row = importing.known(view, batch.sha256)
        if row is not None and row.state != "stored" and len(batch):
            found.setdefault(batch.sha256, batch)
    return list(found.values())


def _goes_on(work: Work, place: Place, sha256: str) -> bool:
    """Note how far a stream is read; False where it was read so far already.

    Another process of the node may have been quicker; but this very moment may have been kept
    and not decoded, where what came between failed.
    """
    row = work.session.get(FeedRow, place.feed, with_for_update=True)
    if row is None:
        return True
    if row.seq is not None and place.seq <= row.seq:
        return importing.known(work, sha256) is not None
    row.seq = place.seq
    return True
