"""The desk: what officers work with beside the live picture, put together once for a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.leads import KeptFinding, get_finding, list_findings
from cordon.kernel.work import Kernel
from cordon.picture.crafts import Crafts
from cordon.picture.desk import around, exporting, histories, replaying, watchlist
from cordon.picture.desk.filters import Filters, Shown, told
from cordon.picture.desk.labels import Labels
from cordon.picture.desk.overlays import Overlays
from cordon.picture.desk.stored import Box, Span, Stored
from cordon.picture.desk.tiles import Tiles, open_tiles
from cordon.picture.desk.views import SavedViews
from cordon.picture.desk.watchlist import Watchlist
from cordon.picture.intake import Intake
from cordon.picture.live import FLAG_FOUND, LivePicture
from cordon.picture.model import KINDS
from cordon.picture.tracks import moment

EXPORT = "picture.track.export"
FINDINGS_OVER = timedelta(days=2)
MOST_FINDINGS = 1000  # of the layer on the map
MOST_LISTED = 300  # rows of the table beside the map
MOST_TRAILS = 500


@dataclass(frozen=True, slots=True)
class TrackLine:
    """One row of the table beside the map; course: degrees, speed: kn, None where not told.

    also: what else its craft is heard as now.
    """

    subject: str
    name: str
    source: str
    kind: str
    lat: float
    lon: float
    at: datetime
    speed: float | None
    course: float | None
    found: bool
    listed: bool
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackList:
    """The rows that fit the filters, those heard last first; `total` of them, of `held` in all."""

    lines: tuple[TrackLine, ...]
    total: int
    held: int


class Desk:
    """What officers work with beside the live picture.

    Args:
        tiles: the operator's PMTiles file, or None. crafts: who is who now, where it is known.
    """

    def __init__(
        self,
        kernel: Kernel,
        picture: LivePicture,
        intake: Intake,
        tiles: Path | None = None,
        crafts: Crafts | None = None,
    ) -> None:
        self._kernel = kernel
        self._picture = picture
        self._intake = intake
        self._crafts = crafts or Crafts()
        self.stored = Stored(kernel)
        self.labels = Labels(picture)
        self.watchlist = Watchlist(kernel)
        self.overlays = Overlays(kernel)
        self.views = SavedViews(kernel)
        self.tiles: Tiles | None = open_tiles(tiles) if tiles is not None else None

    # beside the frames

    def marks(self, actor: Actor, name: str = "", source: str = "") -> dict[str, Any]:
        """Indexes of units, sensors and watched subjects, and of what fits: `Labels.marks`."""
        return self.labels.marks(
            self._kernel.clock.now(), self._listed(actor), name=name, source=source
        )

    def _listed(self, actor: Actor) -> frozenset[str]:
        """The watched subjects, as far as this reader may know of them."""
        thing = Thing("watchlist", "-", self._kernel.agency, watchlist.MARK)
        with self._kernel.view(actor) as view:
            if not view.may(watchlist.VIEW, thing):
                return frozenset()
            return watchlist.listed(view.session, view.now)

    def table(self, actor: Actor, asked: Filters) -> TrackList:
        """The same things as the map shows with these filters, as rows."""
        now = self._kernel.clock.now()
        shown = Shown.of(self._picture.frame(now=now))
        labels, listed = self.labels.of(now), self._listed(actor)
        fits = shown.fitting(asked)
        name, source = asked.name.casefold(), asked.source
        rows: list[tuple[int, int]] = []
        for row in fits.nonzero()[0].tolist():
            label = labels.get(int(shown.index[row]))
            if label is None or (name and name not in label.sought):
                continue
            if (source and source != label.source) or (
                asked.listed and label.subject not in listed
            ):
                continue
            rows.append((int(shown.age[row]), row))
        rows.sort()
        lines, also = [], self._crafts.others()
        for age, row in rows[:MOST_LISTED]:
            label = labels[int(shown.index[row])]
            lines.append(
                TrackLine(
                    label.subject,
                    label.name,
                    label.source,
                    KINDS[int(shown.kind[row])],
                    float(shown.lat[row]),
                    float(shown.lon[row]),
                    now - timedelta(seconds=age),
                    told(shown.speed[row]),
                    told(shown.course[row]),
                    bool(shown.flags[row] & FLAG_FOUND),
                    label.subject in listed,
                    also.get(label.subject, ()),
                )
            )
        return TrackList(tuple(lines), len(rows), len(shown.index))

    # ways

    def trails(self, subjects: Iterable[str]) -> list[exporting.Trail]:
        """The breadcrumbs that the live picture keeps of these."""
        found = []
        for subject in list(subjects)[:MOST_TRAILS]:
            last = self._picture.latest(subject)
            crumbs = [(moment(t), lat, lon) for t, lat, lon in self._picture.trail(subject)]
            if last is not None:
                found.append(exporting.Trail(subject, last.name, crumbs))
        return found

    def subjects_of(self, indexes: Iterable[int]) -> list[str]:
        """The subjects of indexes in frames; those that are gone are left out."""
        told = (self._picture.subject_of(i) for i in indexes)
        return [subject for subject in told if subject is not None]

    def way(self, actor: Actor, subject: str, span: Span) -> histories.Way:
        """A subject's way over a span; see `histories.way_of`."""
        if span.until - span.since > histories.LONGEST:
            raise BadInput(f"A way spans at most {histories.LONGEST.days} days.")
        return histories.way_of(
            self.stored, actor, subject, span, self._intake.positions_of(subject)
        )

    def identities(self, actor: Actor, subject: str) -> list[histories.Identity]:
        """What a subject said of itself in the last 30 days."""
        now = self._kernel.clock.now()
        span = Span(now - histories.IDENTITIES_OVER, now + timedelta(minutes=5))
        return histories.identities_of(self.stored, actor, subject, span)

    def exported(self, actor: Actor, trails: Iterable[exporting.Trail], form: str) -> bytes:
        """Trails as a file to take away; it stands in the ledger who took what."""
        some = list(trails)
        data = exporting.written(some, form)
        with self._kernel.work(actor) as work:
            work.act(
                EXPORT,
                Thing.room("picture", self._kernel.agency),
                subjects=[t.subject for t in some[:50]],
                count=len(some),
                places=sum(len(t.crumbs) for t in some),
            )
        return data

    def replay(self, actor: Actor, span: Span, box: Box | None) -> replaying.Replay:
        """Stored positions of a span and box; see `replaying.replay`."""
        return replaying.replay(self.stored, actor, span, box)

    # findings

    def findings_layer(
        self, actor: Actor, since: datetime | None = None, until: datetime | None = None
    ) -> dict[str, Any]:
        """Findings of the picture as a layer of the map; those not closed, of the last two days.

        What its detector took back is left out.

        Args:
            since, until: the span of a replay instead; of it those that were closed since, too.
        """
        with self._kernel.view(actor) as view:
            now = view.now
            found = list_findings(view, kind="picture.", at_most=MOST_FINDINGS)
        begin = since or now - FINDINGS_OVER
        return around.layer_of(
            k
            for k in found
            if k.withdrawn is None
            and k.finding.end >= begin
            and (until is None or k.finding.start <= until)
            and (since is not None or k.state != "closed")
        )

    def around(self, actor: Actor, finding: str) -> dict[str, Any]:
        """What stood around a finding; see `around.around`."""
        with self._kernel.view(actor) as view:
            found: Finding = get_finding(view, finding).finding
        if not found.kind.startswith("picture."):
            raise NotFound("The finding is none of the picture.")
        live = {s: self._intake.positions_of(s) for s in found.subjects}
        return around.around(self.stored, actor, found, live)

    def findings_of(self, actor: Actor, subject: str) -> list[KeptFinding]:
        """Findings that speak of a subject, the newest first."""
        with self._kernel.view(actor) as view:
            return list_findings(view, subject=subject, at_most=200)
