"""Cover on a node: reckoned anew each minute from what comes in, its feeds and its sensors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.findings import Finding
from cordon.kernel.leads import keep
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow
from cordon.kernel.work import Kernel, Work
from cordon.picture import zonekeeping
from cordon.picture.cover import keeping
from cordon.picture.cover.cover import Cover
from cordon.picture.cover.layer import layer_of
from cordon.picture.cover.listening import Listening
from cordon.picture.cover.model import Fault
from cordon.picture.cover.sectors import KIND as SECTOR
from cordon.picture.cover.signs import MINUTE
from cordon.picture.cover.uncovered import CARD, OPEN, cover_of, findings_of
from cordon.picture.cover.view import CoverNow, now_of
from cordon.picture.feeding import FeedState
from cordon.picture.tables import ZoneRow
from cordon.picture.tracks import Batch

EVERY = timedelta(minutes=1)
AT_LEAST = timedelta(hours=6)
"""A finding that lasts is told again by then, so that a restart finds it where it was."""
WHY = {
    "connecting": "its feed is not connected",
    "silent": "its feed is silent",
    "late": "its feed is late",
    "garbled": "its feed sends what cannot be read",
    "refused": "its feed sends what cannot be read",
    "stopped": "its feed was disconnected",
}


class CoverDesk:
    """Cover of a node's sectors; safe to be called from any thread.

    Args:
        window: how far back cover is reckoned. feeds: the feeds and how they do now.
    """

    def __init__(
        self, kernel: Kernel, window: timedelta, feeds: Callable[[], Iterable[FeedState]]
    ) -> None:
        self._kernel = kernel
        self._window = window
        self._feeds = feeds
        self._listening = Listening(window.total_seconds(), kernel.clock.now().timestamp())
        self._lock = threading.Lock()
        self._cover: Cover | None = None
        self._at: datetime | None = None
        self._ticked: datetime | None = None

    def take(self, batch: Batch) -> None:
        """Listen to positions as they are shown."""
        self._listening.take(batch)

    def tick(self) -> tuple[list[str], list[str]]:
        """Reckon cover where a minute has passed; keep what it says; return new and grown ids."""
        now = self._kernel.clock.now()
        if self._ticked is not None and timedelta(0) <= now - self._ticked < EVERY:
            return [], []
        self._ticked = now
        with self._kernel.rows.read() as session:
            if session.scalar(select(ZoneRow.id).where(ZoneRow.kind == SECTOR).limit(1)) is None:
                return [], []
        cover = self._reckon(now)
        found = list(findings_of(cover))
        if not found:
            return [], []
        with self._kernel.work(self._kernel.node) as work:
            told = [f for f in (self._told(work, one, cover) for one in found) if f is not None]
            made, grown = keep(work, told, {CARD.kind: CARD}, mark=Mark.AMBER)
            if made:
                work.act("picture.detect", self._room(), new=len(made))
        return made, grown

    def _reckon(self, now: datetime) -> Cover:
        with self._kernel.rows.read() as session:
            zones = zonekeeping.stored(session)
            means = keeping.stored(session, now)
        signs = self._listening.signs(now.timestamp())
        since = min(self._listening.started, now.timestamp() - MINUTE)  # a clock may be set back
        cover = cover_of(
            zones,
            means,
            signs,
            CARD.values(),
            faults_of(self._feeds()),
            since=since,
        )
        with self._lock:
            self._cover, self._at = cover, now
        return cover

    def _told(self, work: Work, found: Finding, cover: Cover) -> Finding | None:
        """The finding under the id under which its spell was told before; None for nothing new."""
        row = work.session.scalar(
            select(FindingRow)
            .join(FindingSubjectRow, FindingSubjectRow.finding == FindingRow.id)
            .where(FindingSubjectRow.subject == found.subjects[0], FindingRow.kind == CARD.kind)
            .order_by(FindingRow.starts.desc())
            .limit(1)
        )
        if row is None:
            return found
        old = Finding.from_dict(row.body)
        began = cover.sectors[0].times[0] if cover.sectors else 0.0
        # a node that was started anew knows a spell only from then on
        resumed = (
            is_open(old)
            and found.start.timestamp() <= began
            and found.start - old.end <= self._window
        )
        if not resumed and not (old.start <= found.end and found.start <= old.end):
            return found
        same = continued(found, old)
        return same if says_more(same, old) else None

    # pages

    def now(self, actor: Actor) -> CoverNow:
        """Cover as it is, for the page."""
        return now_of(self._current(actor))

    def layer(self, actor: Actor) -> dict[str, Any]:
        """Cover as it is, as a layer of the map; see `layer.LAYERS`."""
        return layer_of(self._current(actor))

    def _current(self, actor: Actor) -> Cover:
        with self._kernel.view(actor) as view:
            view.permit("picture.cover.view", Thing("cover", "-", self._kernel.agency, Mark.AMBER))
            now = view.now
        with self._lock:
            cover, at = self._cover, self._at
        if cover is None or at is None or not timedelta(0) <= now - at < EVERY:
            cover = self._reckon(now)
        return cover

    def entries(self, actor: Actor) -> Mapping[str, Any]:
        """Outages, weather and patrols that last or are to come, for the page."""
        with self._kernel.view(actor) as view:
            view.permit("picture.cover.view", Thing("cover", "-", self._kernel.agency, Mark.AMBER))
            limits, patrols = keeping.entries(view.session, view.now)
        return {"limits": limits, "patrols": patrols}

    # changes

    def put_sensors(self, actor: Actor, data: bytes, where: str = "The file") -> int:
        """Bring sensors in; see `keeping.put`."""
        with self._changing():
            return keeping.put(self._kernel, actor, data, where)

    def remove_sensor(self, actor: Actor, sensor: str) -> None:
        """Take a sensor out."""
        with self._changing():
            keeping.remove(self._kernel, actor, sensor)

    def note_limit(
        self, actor: Actor, sensor: str, start: str, end: str, reach: str, why: str
    ) -> str:
        """Enter an outage or weather; see `keeping.note_limit`."""
        with self._changing():
            return keeping.note_limit(self._kernel, actor, sensor, start, end, reach, why)

    def end_limit(self, actor: Actor, limit: str) -> None:
        """End an outage or weather now."""
        with self._changing():
            keeping.end_limit(self._kernel, actor, limit)

    def plan_patrol(self, actor: Actor, unit: str, sector: str, start: str, end: str) -> str:
        """Enter a planned patrol."""
        with self._changing():
            return keeping.plan_patrol(self._kernel, actor, unit, sector, start, end)

    def cancel_patrol(self, actor: Actor, plan: str) -> None:
        """Take a planned patrol out."""
        with self._changing():
            keeping.cancel_patrol(self._kernel, actor, plan)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """What is shown after a change is reckoned anew."""
        yield
        with self._lock:
            self._cover = self._at = None

    def _room(self) -> Thing:
        return Thing.room("picture", self._kernel.agency)


def faults_of(feeds: Iterable[FeedState]) -> list[Fault]:
    """Feeds that give nothing that can be used."""
    return [
        Fault(
            feed.name,
            feed.heard.timestamp() if feed.heard is not None else None,
            WHY.get(feed.state, f"its feed is {feed.state}"),
        )
        for feed in feeds
        if feed.state != "live"
    ]


def is_open(finding: Finding) -> bool:
    """Whether a finding said that its sector was still uncovered."""
    return any(reason.name == OPEN for reason in finding.reasons)


def continued(found: Finding, old: Finding) -> Finding:
    """A finding as the one told before: its id, and its begin where that was earlier."""
    start = min(old.start, found.start)
    minutes = round((found.end - start).total_seconds() / 60, 1)
    first = replace(found.reasons[0], value=minutes)
    return replace(found, id=old.id, start=start, reasons=(first, *found.reasons[1:]))


def says_more(new: Finding, old: Finding) -> bool:
    """Whether it is worth telling again: much longer, covered again, or for another reason."""
    length, before = new.end - new.start, old.end - old.start
    if length > before + min(before / 2 + timedelta(minutes=1), AT_LEAST):
        return True
    if [r.name for r in new.reasons] != [r.name for r in old.reasons]:
        return is_open(new) != is_open(old) or is_open(new)
    down = {r.value for f in (new, old) for r in f.reasons if r.name == "sensors_down"}
    return len(down) > 1 and is_open(new)
