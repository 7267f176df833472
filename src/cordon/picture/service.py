"""What the room does on a node: feeds and files in, the live picture and findings out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import Conflict, NotFound
from cordon.kernel.events import EventRow
from cordon.kernel.findings import Finding
from cordon.kernel.jobs import JobKind, Jobs
from cordon.kernel.leads import KeptFinding, get_finding, keep, list_findings, withdraw
from cordon.kernel.work import Kernel, View, Work
from cordon.picture import columns, importing, zonekeeping
from cordon.picture.behaviours import behaviours, streamed
from cordon.picture.correcting import Looked, spans_of, take_back
from cordon.picture.cover.desk import CoverDesk
from cordon.picture.crafts import Crafts
from cordon.picture.desk.desk import Desk
from cordon.picture.desk.watchlist import Graver
from cordon.picture.feedkeeping import Feeds
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.intake import Intake
from cordon.picture.live import LivePicture
from cordon.picture.model import Position, Zone
from cordon.picture.stream import MOST_FIXES
from cordon.picture.tables import PositionFileRow, ZoneRow
from cordon.picture.tracks import Batch
from cordon.picture.turns import Turns

log = logging.getLogger(__name__)

MARK = Mark.GREEN
FINDING_MARK = Mark.AMBER
MOST_REMEMBERED = 5_000  # findings of before a start that are not told again
_TOLD_TOGETHER = 50  # findings that one transaction keeps
OLD = timedelta(minutes=30)  # a position older than this is shown as old


@dataclass(frozen=True, slots=True)
class FirstView:
    """Where the map opens: centre (degrees) and zoom."""

    lat: float
    lon: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Vessel:
    """One subject as its page shows it; the latest positions first."""

    subject: str
    title: str
    last: Position | None
    stale: bool
    positions: tuple[Position, ...]
    findings: tuple[KeptFinding, ...]


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """Where a finding is, for the map."""

    lat: float
    lon: float
    place: dict[str, Any]
    radius_m: float | None


class Picture:
    """The picture of one node.

    Args:
        view: where the map opens. window: how far back live detectors look.
        frame_hz: frames a second that a page gets. largest: bytes of an uploaded file.
        most_fixes: that the live detectors hold. keys: files for feeds that are secured.
        tiles: the operator's PMTiles file, or None.
    """

    def __init__(
        self,
        kernel: Kernel,
        jobs: Jobs,
        *,
        view: Any,
        window: timedelta,
        frame_hz: float,
        largest: int,
        most_fixes: int = MOST_FIXES,
        keys: Keys = Keys(),
        tiles: Path | None = None,
    ) -> None:
        self.kernel = kernel
        self.first_view = FirstView(view.lat, view.lon, view.zoom)
        self.frame_hz = frame_hz
        self.cards: Mapping[str, Card] = {b.CARD.kind: b.CARD for b in behaviours()}
        self._jobs = jobs
        self._largest = largest
        self.picture = LivePicture()
        self.cover = CoverDesk(kernel, window, lambda: list(self._feeds.values()))
        self.crafts = Crafts()
        self.intake = Intake(kernel, self.picture, window, self._listen, most_fixes)
        self.connections = Feeds(kernel, self.intake, keys)
        self._feeds = self.connections.states
        self.desk = Desk(kernel, self.picture, self.intake, tiles, self.crafts)
        self._turns = Turns(
            self.intake.telling,
            at_once=lambda: self.detect_at_once(),  # noqa: PLW0108 - looked up at each call
            whole=lambda: self.detect_live(),  # noqa: PLW0108
            steps={
                "show_arrived": self._show_arrived,
                "cover": self.cover.tick,
                "store": self.intake.flush_when_due,
                "crafts": lambda: self.crafts.tick(kernel.clock.now()),
                "note_feeds": self.connections.note,
            },
        )
        self._shown = 0  # the newest event of stored files whose positions are shown

    # running

    def _listen(self, batch: Batch) -> None:
        self.cover.take(batch)
        self.crafts.take(batch)

    def job_kinds(self) -> list[JobKind]:
        """The room's long work."""
        return [
            JobKind(
                "picture.import",
                "picture.position.import",
                lambda job: importing.run(job, self.kernel, self._detect_stored, self._keep_stored),
            ),
        ]

    def _show_arrived(self) -> None:
        """Show what files brought in since the start hold of the live window.

        The outbox is read here without a subscription: each process of a node that shows a
        picture must be told, also of what a command beside it has brought in.
        """
        with self.kernel.rows.read() as session:
            events = session.execute(
                select(EventRow.seq, EventRow.payload)
                .where(EventRow.topic == "picture.positions.stored", EventRow.seq > self._shown)
                .order_by(EventRow.seq)
            ).all()
        for seq, payload in events:
            if payload["span"]:
                self.intake.show_file(str(payload["file"]))
            self._shown = seq

    def start(self, feeds: Sequence[str] = ()) -> None:
        """Take up where the node stopped, connect the feeds, and run the live detectors."""
        self._read_zones()
        with self.kernel.rows.read() as session:
            self._shown = session.scalar(select(func.max(EventRow.seq))) or 0
        self.intake.recover()
        with self.kernel.view(self.kernel.node) as view:
            since = view.now - self.intake.window
            kept = list_findings(view, kind="picture.", at_most=MOST_REMEMBERED)
        self.intake.remember(
            k.finding for k in kept if k.finding.end >= since and k.withdrawn is None
        )
        self.connections.start(feeds)
        self._turns.start()

    def watch(
        self, actor: Actor, sources: Sequence[str], tell: Callable[[FeedState], None]
    ) -> None:
        """Read feeds into the node until the process is interrupted, telling how they do."""
        with self.kernel.work(actor) as work:
            for url in sources:
                address_of(url)
            work.act("picture.feed.change", self._room(), connect=len(sources))
        self.start(sources)
        try:
            while not self._turns.stopped.wait(10):
                for feed in list(self._feeds.values()):
                    tell(feed)
        finally:
            self.stop()

    def interrupt(self) -> None:
        """Let `watch` end."""
        self._turns.stop()

    def stop(self) -> None:
        """Disconnect the feeds and store what is not stored yet."""
        self._turns.stop()
        self.connections.stop()
        self.intake.close()
        self._turns.join()
        self.intake.flush()

    def _take_turn(self) -> None:
        """All that is done in turn, once."""
        self._turns.once()

    def detect_live(self) -> tuple[list[str], list[str]]:
        """Run the detectors over the live window; keep what they say; return new and grown ids."""
        made, grown = self._tell(self.intake.detect())
        back = self.intake.withdrawn()
        if back:
            try:
                with self.kernel.work(self.kernel.node) as work:
                    for one in back:
                        withdraw(work, one.finding, one.why)
            except Exception:
                self.intake.untold((), back)
                raise
        return made, grown

    def detect_at_once(self) -> tuple[list[str], list[str]]:
        """Look at those whose last step was telling; keep what is said; as `detect_live`."""
        return self._tell(self.intake.detect_at_once())

    def _tell(self, found: Sequence[Finding]) -> tuple[list[str], list[str]]:
        """Keep what was found, some at a time: feeds wait while it is written."""
        made: list[str] = []
        grown: list[str] = []
        for begin in range(0, len(found), _TOLD_TOGETHER):
            some = found[begin : begin + _TOLD_TOGETHER]
            try:
                with self.kernel.work(self.kernel.node) as work:
                    graver = Graver(work.session, work.now)
                    new, more = keep(work, some, self.cards, mark=FINDING_MARK, graver=graver)
                    if new:
                        work.act("picture.detect", self._room(), new=len(new))
            except Exception:
                self.intake.untold(found[begin:])
                raise
            self.intake.flag(some)
            made += new
            grown += more
        return made, grown

    def _detect_stored(self, span: Sequence[float], sha256: str) -> Looked:
        """What the detectors say of a stored span and of what lies near it in time."""
        since, until = (datetime.fromtimestamp(s, tz=UTC) for s in span)
        since, until = since - self.intake.window, until + self.intake.window
        with self.kernel.view(self.kernel.node) as view:
            batches = list(columns.read(view, self.kernel.columns, since, until))
            zones = zonekeeping.stored(view.session)
        brought = spans_of(b for b in batches if b.sha256 == sha256)
        ends = [float(b.t.max()) for b in batches]
        return Looked(
            tuple(self.intake.detect_in(batches, zones)),
            since.timestamp(),
            max(ends, default=since.timestamp()),
            brought,
        )

    def _keep_stored(self, work: Work, looked: Looked) -> None:
        graver = Graver(work.session, work.now)
        made, _grown = keep(work, looked.findings, self.cards, mark=FINDING_MARK, graver=graver)
        back = take_back(work, looked, [b.CARD.kind for b in streamed()])
        work.act(
            "picture.detect",
            self._room(),
            found=len(looked.findings),
            new=len(made),
            withdrawn=len(back),
        )

    # feeds

    def feeds(self, actor: Actor) -> list[FeedState]:
        """The feeds and how they do."""
        with self.kernel.view(actor) as view:
            view.permit("picture.feed.view", self._room())
        return sorted(self._feeds.values(), key=lambda f: f.name)

    def feed(self, actor: Actor, feed: str) -> FeedState:
        """One feed and how it does; NotFound."""
        with self.kernel.view(actor) as view:
            view.permit("picture.feed.view", self._room())
        return self.connections.one(feed)

    def add_feed(self, actor: Actor, name: str, url: str) -> str:
        """Connect a feed; return its id."""
        return self.connections.add(actor, name, url)

    def stop_feed(self, actor: Actor, feed: str) -> None:
        """Disconnect a feed; it stays disconnected after a restart."""
        self.connections.disconnect(actor, feed)

    def end_feed(self, name: str) -> datetime | None:
        """Connect a feed no more that ended with the node; return when it was last heard."""
        return self.connections.end(name)

    # what is seen

    def frame(self) -> bytes:
        """One frame of the whole picture for the map; see `live.LivePicture.frame`."""
        return self.picture.frame(now=self.kernel.clock.now())

    def names(self, indexes: Sequence[int]) -> dict[str, Any]:
        """Names of subjects by their index in frames."""
        return {str(i): said for i, said in self.picture.names(indexes).items()}

    def trail(self, index: int) -> dict[str, Any]:
        """The recent way of one subject as a GeoJSON feature; empty where it is known no more."""
        subject = self.picture.subject_of(index)
        places = self.picture.trail(subject) if subject is not None else []
        way = [[round(lon, 6), round(lat, 6)] for _, lat, lon in places]
        geometry = {"type": "LineString", "coordinates": way} if len(way) > 1 else None
        return {"type": "Feature", "properties": {"subject": subject}, "geometry": geometry}

    def latest(self) -> list[dict[str, Any]]:
        """The latest position of every subject in the live window; `also`: its craft's names."""
        also = self.crafts.others()
        return [
            {
                "subject": p.subject,
                "at": p.at,
                "lat": p.lat,
                "lon": p.lon,
                "name": p.name,
                "speed_kn": p.speed_kn,
                "course_deg": p.course_deg,
                "kind": p.kind,
                "also": list(also.get(p.subject, ())),
            }
            for p in self.picture.all()
        ]

    def vessel(self, actor: Actor, subject: str) -> Vessel:
        """One subject's page; raises NotFound where nothing is known of it."""
        positions = tuple(self.intake.positions_of(subject)[::-1])
        with self.kernel.view(actor) as view:
            view.permit("picture.track.view", self._room())
            findings = tuple(list_findings(view, subject=subject))
            now = view.now
        if not positions and not findings:
            raise NotFound("Nothing is known of that vessel or vehicle.")
        last = positions[0] if positions else None
        return Vessel(
            subject,
            (last.name if last else "") or subject,
            last,
            last is not None and now - last.at > OLD,
            positions[:200],
            findings,
        )

    def finding_place(self, actor: Actor, finding: str) -> FindingPlace | None:
        """Where a finding is, for the map; None where it says no place."""
        with self.kernel.view(actor) as view:
            found = get_finding(view, finding).finding
        if found.place is None:
            return None
        lon, lat = _first_point(found.place["coordinates"])
        return FindingPlace(lat, lon, found.place, found.radius_m)

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let this pass, for what a page offers."""
        return self.kernel.gate.decide(actor, act, self._room()).allowed

    def find(self, words: str) -> list[Position]:
        """Vessels and vehicles whose name, call sign or subject holds these words."""
        return self.picture.find(words)

    def thing(self) -> Thing:
        """The room as policies see it."""
        return self._room()

    def holds(self, view: View, sha256: str) -> bool:
        """True where a kept file is one of positions."""
        query = select(PositionFileRow.id).where(PositionFileRow.sha256 == sha256).limit(1)
        return view.session.scalar(query) is not None

    # zones and files

    def zones(self, actor: Actor) -> list[Zone]:
        """The zones, by name."""
        with self.kernel.view(actor) as view:
            view.permit("picture.zone.view", self._room())
            return sorted(zonekeeping.stored(view.session), key=lambda z: z.name)

    def zones_geojson(self, actor: Actor) -> dict[str, Any]:
        """The zones as a GeoJSON FeatureCollection."""
        with self.kernel.view(actor) as view:
            view.permit("picture.zone.view", self._room())
            rows = view.session.scalars(select(ZoneRow).order_by(ZoneRow.name))
            return {"type": "FeatureCollection", "features": [r.feature for r in rows]}

    def put_zones(self, actor: Actor, data: bytes, *, unless_known: bool = False) -> int:
        """Bring zones in from GeoJSON; those of the same id are replaced. Returns how many.

        Args:
            unless_known: do nothing where all of them are there already, as they are.
        """
        count, changed = zonekeeping.put(self.kernel, actor, data, unless_known=unless_known)
        if changed:
            self._read_zones()
        return count

    def remove_zone(self, actor: Actor, zone: str, why: str = "") -> None:
        """Take a zone out, saying why; NotFound where there is none of that id."""
        zonekeeping.remove(self.kernel, actor, zone, why)
        self._read_zones()

    def _read_zones(self) -> None:
        with self.kernel.rows.read() as session:
            self.intake.set_zones(zonekeeping.stored(session))

    def ask_import(self, actor: Actor, source: BinaryIO, name: str) -> str:
        """Keep a file's bytes and queue its import; return the job's id.

        Raises:
            Conflict: the node has this very file already; nothing would be added.
        """
        act = "picture.position.import"
        with self.kernel.view(actor) as view:
            view.permit(act, self._room())
        stored = self.kernel.files.put(source, at_most=self._largest)
        with self.kernel.work(actor) as work:
            self.kernel.rows.alone(work.session, f"picture.file:{stored.sha256}")
            row = importing.known(work, stored.sha256)
            if row is not None and row.state == "stored":
                raise Conflict("The node has this very file already; nothing was added.")
            if row is None:
                row = importing.new_file(
                    work,
                    sha256=stored.sha256,
                    size=stored.size,
                    name=name,
                    origin="import",
                    mark=MARK,
                )
            return self._jobs.ask(
                work,
                "picture.import",
                Path(name).name[:200],
                # as it was called first: the same file again goes on with the same job
                {"sha256": stored.sha256, "name": row.name, "mark": MARK},
                mark=MARK,
                unit="rows",
                resume=True,
            )

    def _room(self) -> Thing:
        return Thing.room("picture", self.kernel.agency)


def _first_point(coordinates: Any) -> tuple[float, float]:
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return float(coordinates[0]), float(coordinates[1])
