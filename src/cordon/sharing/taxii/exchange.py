"""Fetches what is new from a peer's collection, and hands what is new of ours to one.

How far it came is kept for each pair of collections in the transaction that keeps what came, so
that a run which was cut off goes on where it was, and what comes twice adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import CordonError
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.model import STIX_20
from cordon.sharing.stix import checking
from cordon.sharing.stix.times import added_text, is_time, microseconds, read_added
from cordon.sharing.tables import CollectionRow, CursorRow
from cordon.sharing.taxii import intake, selecting
from cordon.sharing.taxii.filters import Filters
from cordon.sharing.taxii.peers import Link, Peer, PeerFault, Way
from cordon.sharing.taxii.server import hold

POLL, PUSH = "sharing.peer.poll", "sharing.peer.push"
PAGE = 500
_ADDED_LAST = "x-taxii-date-added-last"
_MOST_REFUSED = 100
_STATUS_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between looks at a status


@dataclass(slots=True)
class Moved:
    """What went over one way.

    Attributes:
        moved: objects that are new on the receiving side, or were accepted by it.
        repeated: there before. refused: (id, reason), the first hundred; `bad` counts them all.
    """

    peer: str
    ours: str
    theirs: str
    moved: int = 0
    repeated: int = 0
    bad: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, id_: str, why: str) -> None:
        """Note an object that was not taken."""
        self.bad += 1
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append((id_[:120], why))


class Exchange:
    """Moves objects between this node and its peers.

    Args:
        pause: waits that many seconds.
    """

    def __init__(self, kernel: Kernel, pause: Callable[[float], None] = time.sleep) -> None:
        self.kernel = kernel
        self._pause = pause

    # fetching

    def poll(self, actor: Actor, link: Link, way: Way, ours: str) -> Moved:
        """Fetch what the peer's collection has since the last run.

        Args:
            ours: id of the collection that takes it in.
        """
        peer, told = link.peer, Moved(link.peer.name, way.ours, way.theirs)
        after = self._cursor(peer, way, ours, "poll")
        params = {"limit": str(PAGE), "match[version]": "all"}
        if after:
            params["added_after"] = after
        seen: set[str] = set()
        while True:
            page, headers = link.get("collections", way.theirs, "objects", params=params)
            objects, more = page.get("objects") or [], page.get("more") is True
            if not isinstance(objects, list):
                raise PeerFault(f"{peer.name} answered an envelope without a list of objects.")
            last = _last(headers.get(_ADDED_LAST))
            after = self._behind(last, more) or after
            self._take(actor, peer, way, ours, objects, after, told)
            if not more:
                return told
            following = page.get("next")
            if isinstance(following, str) and following:
                step = {"next": following}
            elif last is not None and objects:
                step = {"added_after": added_text(last)}
            else:
                raise PeerFault(f"{peer.name} says that there is more, and not how to go on.")
            key = str(step)
            if key in seen:
                raise PeerFault(f"{peer.name} leads in a circle.", advice="Tell who runs it.")
            seen.add(key)
            params = {k: v for k, v in params.items() if k != "next"} | step

    @staticmethod
    def _behind(last: int | None, more: bool) -> str:
        """Where the next run begins.

        A page may end between objects of one date: until the last page is there, a run that is
        cut off begins again with that date rather than behind it.
        """
        return "" if last is None else added_text(last - 1 if more else last)

    def _take(
        self, actor: Actor, peer: Peer, way: Way, ours: str, objects: list[Any], after: str,
        told: Moved,
    ) -> None:  # fmt: skip
        offered = []
        with self.kernel.view(actor) as view:
            row = view.session.get_one(CollectionRow, ours)
            old = STIX_20 in row.media_types
        for thing in objects:
            id_ = thing.get("id") if isinstance(thing, dict) else None
            try:
                checking.identity(thing)
                offered.append(intake.offer(thing, old=old))
            except checking.Wrong as wrong:
                told.refuse(id_ if isinstance(id_, str) else "without an id", str(wrong))
        with self.kernel.work(actor) as work:
            row = hold(work.session, ours)
            kept = intake.keep(work.session, row, offered, microseconds(work.now))
            self._move(work, peer, way, ours, "poll", after)
            work.act(
                POLL, _thing(row), peer=peer.name, new=len(kept.new), repeated=len(kept.repeated),
                refused=len(objects) - len(offered),
            )  # fmt: skip
        told.moved += len(kept.new)
        told.repeated += len(kept.repeated)

    # handing on

    def push(self, actor: Actor, link: Link, way: Way, ours: str) -> Moved:
        """Hand on what is new of our collection, up to the mark that the peer is cleared for."""
        peer, told = link.peer, Moved(link.peer.name, way.ours, way.theirs)
        root, _ = link.get()
        most = root.get("max_content_length")
        most = most if isinstance(most, int) and most > 0 else 1 << 20
        after = int(self._cursor(peer, way, ours, "push") or 0)
        asked = Filters(limit=PAGE, words=frozenset({"all"}))
        while True:
            with self.kernel.view(actor) as view:
                row = view.session.get_one(CollectionRow, ours)
                view.permit(PUSH, _thing(row))
                cleared = min(peer.cleared.rank, self._cleared(actor))
                rows = selecting.page(
                    view.session, row.number, cleared, asked, after, selecting.WITH_BODY, False
                )
            more, rows = len(rows) > PAGE, rows[:PAGE]
            for batch in _batches(rows, most, told):
                self._hand(actor, link, way, row, batch, told)
            if rows:
                after = rows[-1].serial
            if not more:
                return told

    def _hand(
        self, actor: Actor, link: Link, way: Way, row: CollectionRow, batch: list[Any], told: Moved
    ) -> None:
        body = b'{"objects":[' + b",".join(r.body for r in batch) + b"]}"
        status = link.post("collections", way.theirs, "objects", body=body)
        for wait in _STATUS_WAITS:
            if status.get("status") == "complete":
                break
            self._pause(wait)
            status, _ = link.get("status", str(status.get("id", "")))
        if status.get("status") != "complete":
            raise PeerFault(
                f"{link.peer.name} has not said what became of an envelope.",
                advice="Try again; what it has adds nothing.",
            )
        failures = status.get("failures") or []
        for one in failures if isinstance(failures, list) else []:
            if isinstance(one, dict):
                told.refuse(str(one.get("id", "")), str(one.get("message", ""))[:200])
        with self.kernel.work(actor) as work:
            self._move(work, link.peer, way, row.id, "push", str(batch[-1].serial))
            work.act(
                PUSH, _thing(row), peer=link.peer.name, count=len(batch), refused=len(failures)
            )
        told.moved += len(batch) - len(failures)

    def _cleared(self, actor: Actor) -> int:
        thing = Thing("object", "-", self.kernel.agency)
        cleared = -1
        for mark in Mark:
            asked = Thing(thing.type, thing.id, thing.agency, mark)
            if not self.kernel.gate.decide(actor, PUSH, asked).allowed:
                break
            cleared = mark.rank
        return cleared

    # how far it came

    def _cursor(self, peer: Peer, way: Way, ours: str, direction: str) -> str:
        with self.kernel.rows.read() as session:
            row = _cursor_row(session, peer, way, ours, direction)
            return row.after if row is not None else ""

    def _move(
        self, work: Work, peer: Peer, way: Way, ours: str, direction: str, after: str
    ) -> None:
        row = _cursor_row(work.session, peer, way, ours, direction)
        if row is None:
            row = CursorRow(
                id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN.value,
                created_at=work.now, peer=peer.name, remote=way.theirs, local=ours,
                direction=direction, after="", moved_at=work.now,
            )  # fmt: skip
            work.session.add(row)
        row.after, row.moved_at = after, work.now


def _cursor_row(
    session: Session, peer: Peer, way: Way, ours: str, direction: str
) -> CursorRow | None:
    return session.scalar(
        select(CursorRow).where(
            CursorRow.peer == peer.name, CursorRow.remote == way.theirs,
            CursorRow.local == ours, CursorRow.direction == direction,
        )
    )  # fmt: skip


def _last(header: str | None) -> int | None:
    try:
        return read_added(header, "date") if header is not None and is_time(header) else None
    except CordonError:
        return None


def _batches(rows: list[Any], most: int, told: Moved) -> list[list[Any]]:
    """Rows in envelopes that the peer takes; one that is too large by itself is told."""
    batches: list[list[Any]] = []
    size = most
    for row in rows:
        length = len(row.body) + 1
        if length + len(b'{"objects":[]}') > most:
            told.refuse(str(orjson.loads(row.body).get("id")), "is larger than the peer takes")
            continue
        if size + length > most:
            batches.append([])
            size = len(b'{"objects":[]}')
        batches[-1].append(row)
        size += length
    return batches


def _thing(row: CollectionRow) -> Thing:
    return Thing("collection", row.id, row.agency, Mark(row.mark))
