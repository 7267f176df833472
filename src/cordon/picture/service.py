"""What the room does on a node: feeds and files in, the live picture and findings out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.events import EventRow
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobKind, Jobs
from cordon.kernel.leads import KeptFinding, get_finding, keep, list_findings
from cordon.kernel.work import Kernel, View, Work
from cordon.picture import columns, importing, zonekeeping
from cordon.picture.behaviours import behaviours
from cordon.picture.feeding import FeedReader, FeedState, check_url
from cordon.picture.intake import Intake
from cordon.picture.live import LivePicture
from cordon.picture.model import Position, Zone
from cordon.picture.tables import FeedRow, PositionFileRow, ZoneRow

log = logging.getLogger(__name__)

MARK = Mark.GREEN
FINDING_MARK = Mark.AMBER
TICK_S = 5.0  # seconds between two runs of the detectors over what is live
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
    ) -> None:
        self.kernel = kernel
        self.first_view = FirstView(view.lat, view.lon, view.zoom)
        self.frame_hz = frame_hz
        self.cards: Mapping[str, Card] = {b.CARD.kind: b.CARD for b in behaviours()}
        self._jobs = jobs
        self._largest = largest
        self.picture = LivePicture()
        self.intake = Intake(kernel, self.picture, window)
        self._feeds: dict[str, FeedState] = {}
        self._readers: dict[str, FeedReader] = {}
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None
        self._shown = 0  # the newest event of stored files whose positions are shown

    # running

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
        for url in feeds:
            self._ensure_feed(url)
        with self.kernel.rows.read() as session:
            wanted = list(session.scalars(select(FeedRow).where(FeedRow.wanted)))
        for row in wanted:
            self._connect(row)
        self._ticker = threading.Thread(target=self._tick, name="picture", daemon=True)
        self._ticker.start()

    def watch(
        self, actor: Actor, sources: Sequence[str], tell: Callable[[FeedState], None]
    ) -> None:
        """Read feeds into the node until the process is interrupted, telling how they do."""
        with self.kernel.work(actor) as work:
            for url in sources:
                check_url(url)
            work.act("picture.feed.change", self._room(), connect=len(sources))
        self.start(sources)
        try:
            while not self._stop.wait(10):
                for feed in self._feeds.values():
                    tell(feed)
        finally:
            self.stop()

    def stop(self) -> None:
        """Disconnect the feeds and store what is not stored yet."""
        self._stop.set()
        for reader in self._readers.values():
            reader.stop()
        for reader in self._readers.values():
            reader.join(timeout=10)
        if self._ticker is not None:
            self._ticker.join(timeout=30)
        self.intake.flush()

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            self._take_turn()

    def _take_turn(self) -> None:
        """What is done every few seconds, each for itself: a fault in one holds up no other."""
        for step in (
            self._show_arrived,
            self.detect_live,
            self.intake.flush_when_due,
            self._note_feeds,
        ):
            try:
                step()
            except Exception:  # whatever it was: without this thread nothing is stored
                log.exception("a step of the live picture failed", extra={"step": step.__name__})

    def detect_live(self) -> tuple[list[str], list[str]]:
        """Run the detectors over what is new; keep what they say; return new and grown ids."""
        found = self.intake.detect()
        if not found:
            return [], []
        with self.kernel.work(self.kernel.node) as work:
            made, grown = keep(work, found, self.cards, mark=FINDING_MARK)
            if made:
                work.act("picture.detect", self._room(), new=len(made))
        self.intake.flag(found)
        return made, grown

    def _detect_stored(self, span: Sequence[float]) -> list[Finding]:
        """What the detectors say of a stored span and of what lies near it in time."""
        since, until = (datetime.fromtimestamp(s, tz=UTC) for s in span)
        margin = self.intake.window
        with self.kernel.view(self.kernel.node) as view:
            batches = list(
                columns.read(
                    view, self.kernel.columns, since - margin, until + timedelta(seconds=1)
                )
            )
            zones = zonekeeping.stored(view.session)
        return self.intake.detect_in(batches, zones)

    def _keep_stored(self, work: Work, found: Iterable[Finding]) -> None:
        some = list(found)
        made, _grown = keep(work, some, self.cards, mark=FINDING_MARK)
        work.act("picture.detect", self._room(), found=len(some), new=len(made))

    # feeds

    def feeds(self, actor: Actor) -> list[FeedState]:
        """The feeds and how they do."""
        with self.kernel.view(actor) as view:
            view.permit("picture.feed.view", self._room())
        return sorted(self._feeds.values(), key=lambda f: f.name)

    def add_feed(self, actor: Actor, name: str, url: str) -> str:
        """Connect a feed; return its id."""
        name = name.strip()
        check_url(url)
        if not 1 <= len(name) <= 80:
            raise BadInput("A feed's name has 1 to 80 characters.")
        with self.kernel.work(actor) as work:
            if work.session.scalar(select(FeedRow.id).where(FeedRow.name == name)) is not None:
                raise Conflict("There is a feed of that name.", advice="Take another name.")
            row = FeedRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=MARK,
                created_at=work.now,
                name=name,
                url=url,
            )
            work.session.add(row)
            work.act("picture.feed.change", row.thing(), connect=True)
        self._connect(row)
        return row.id

    def stop_feed(self, actor: Actor, feed: str) -> None:
        """Disconnect a feed; it stays disconnected after a restart."""
        with self.kernel.work(actor) as work:
            row = work.session.get(FeedRow, feed)
            if row is None:
                raise NotFound("There is no such feed.")
            work.act("picture.feed.change", row.thing(), connect=False)
            row.wanted = False
        if (reader := self._readers.pop(feed, None)) is not None:
            reader.stop()
            reader.join(timeout=10)

    def _ensure_feed(self, url: str) -> None:
        host, port = check_url(url)
        with self.kernel.rows.write() as session:
            if session.scalar(select(FeedRow.id).where(FeedRow.url == url)) is None:
                session.add(
                    FeedRow(
                        id=new_id(),
                        agency=self.kernel.agency,
                        mark=MARK,
                        created_at=self.kernel.clock.now(),
                        name=f"{host}:{port}",
                        url=url,
                    )
                )

    def _connect(self, row: FeedRow) -> None:
        state = FeedState(
            row.id,
            row.name,
            row.url,
            received=row.received,
            kept=row.kept,
            repeated=row.repeated,
            refused=row.refused,
        )
        self._feeds[row.id] = state
        reader = FeedReader(state, self.kernel.clock, self.intake.take)
        self._readers[row.id] = reader
        reader.start()

    def _note_feeds(self) -> None:
        """Keep the feeds' counts, so that they go on after a restart."""
        with self.kernel.rows.write() as session:
            for state in self._feeds.values():
                row = session.get(FeedRow, state.id)
                if row is not None and row.received != state.received:
                    row.received, row.kept, row.repeated = (
                        state.received,
                        state.kept,
                        state.repeated,
                    )
                    row.refused, row.heard_at = state.refused, state.heard
                    row.last_reason = state.last_reason or row.last_reason

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
        """The latest position of every subject in the live window."""
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
        sought = words.casefold()
        return [
            p
            for p in self.picture.all()
            if sought in p.name.casefold()
            or sought in p.subject.casefold()
            or sought == p.call_sign.casefold()
        ]

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

    def remove_zone(self, actor: Actor, zone: str) -> None:
        """Take a zone out; NotFound where there is none of that id."""
        zonekeeping.remove(self.kernel, actor, zone)
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
