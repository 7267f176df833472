"""Telling phones at once that something changed for them: one look at the store for all of them.

A phone holds a socket open. What it hears is that it should ask anew, never what changed: what an
officer may see is told where it always is, behind the gate, by `GET state`. A follower of the
outbox reads what was committed since its last look, whoever wrote it; a second, slower turn asks
for all phones at once whether their sessions still live.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import CordonError, NotSignedIn, TooMany
from cordon.kernel.events import EventRow
from cordon.kernel.work import Kernel
from cordon.operations.field.base import SETTLED, VIEW
from cordon.operations.field.panic import CARD
from cordon.operations.field.tables import PanicRow
from cordon.operations.model import UNDER_WAY, crew_of
from cordon.operations.tables import AlertFindingRow, TaskingRow

log = logging.getLogger(__name__)

LOOK_S = 0.5  # seconds between two looks at the latest; a commit of this process wakes at once
LEAST_S = 0.05  # seconds between two looks at the least: a node with busy feeds commits often
CHECK_S = 5.0  # seconds in which a session that has ended loses its socket
HERE_S = 15.0  # seconds after which a phone hears that the node is still there
MOST_PHONES = 8  # sockets of one officer: their phone, its tabs, and a little more
MOST_EVENTS = 1000  # of one look

TASKING = "operations.tasking.view"
WITHDRAWN = "operations.alert.withdrawn"
CALL = CARD.kind
CHANGED, HERE, ENDED = "changed", "here", "ended"

Living = Callable[[Collection[str]], Mapping[str, Actor]]
"""The officers of some sessions, as they are now; of those that have ended there is none."""


class Phone:
    """One socket of an officer, as its loop waits for it.

    Attributes:
        actor: who holds it, as of the last check. since: what of the outbox it has not to hear of.
    """

    def __init__(self, actor: Actor, since: int) -> None:
        self.actor = actor
        self.since = since
        self.loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._ended = False

    async def next(self, seconds: float = HERE_S) -> str:
        """`changed`, `ended`, or `here` where neither came within so many seconds.

        Changes that come while the phone is slow to read are one.
        """
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return HERE
        self._event.clear()
        return ENDED if self._ended else CHANGED

    def tell(self, *, ended: bool = False) -> None:
        """Wake who waits; in the phone's own loop."""
        self._ended = self._ended or ended
        self._event.set()


class Live:
    """The sockets of all phones, and the one thread that looks for them.

    Args:
        living: who the sessions are of now.
    """

    def __init__(self, kernel: Kernel, living: Living) -> None:
        self.kernel = kernel
        self._living = living
        self._phones: set[Phone] = set()
        self._lock = threading.Lock()
        self._cursor: int | None = None
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        kernel.dispatcher.listen(self._wake.set)

    # the phones

    def newest(self) -> int:
        """The newest event of the outbox."""
        with self.kernel.rows.read() as session:
            return session.scalar(select(func.max(EventRow.seq))) or 0

    def join(self, actor: Actor, since: int) -> Phone:
        """A socket of this officer, to be told of what comes after `since`; in its loop.

        Raises:
            NotSignedIn: a program has no session that could end. TooMany: the officer holds as
            many as there may be.
        """
        if actor.session is None:
            raise NotSignedIn(
                "Only a phone with a session is told what changes.", advice="Ask for the state."
            )
        phone = Phone(actor, since)
        with self._lock:
            if sum(p.actor.id == actor.id for p in self._phones) >= MOST_PHONES:
                raise TooMany(
                    f"{MOST_PHONES} field pages of yours are open.", advice="Close some of them."
                )
            self._phones.add(phone)
        return phone

    def leave(self, phone: Phone) -> None:
        """The socket is closed."""
        with self._lock:
            self._phones.discard(phone)

    def count(self) -> int:
        """How many sockets are open."""
        with self._lock:
            return len(self._phones)

    # looking

    def look(self) -> int:
        """Tell phones of what was committed since the last look; return how many were told."""
        with self._lock:
            phones = list(self._phones)
        if not phones:
            self._cursor = None
            return 0
        begin = min(p.since for p in phones) if self._cursor is None else self._cursor
        with self.kernel.rows.read() as session:
            rows = session.execute(
                select(EventRow.seq, EventRow.topic, EventRow.payload)
                .where(EventRow.seq > begin)
                .order_by(EventRow.seq)
                .limit(MOST_EVENTS)
            ).all()
            self._cursor = rows[-1].seq if rows else begin
            units, officers = _whom(session, [(r.topic, r.payload) for r in rows])
        if not units and not officers:
            return 0
        told = [
            p
            for p in phones
            if p.actor.id in officers
            or any(self._may(p.actor, t) for t in units.get(p.actor.unit or "", ()))
        ]
        _tell(told)
        return len(told)

    def check(self) -> int:
        """End the sockets whose sessions have ended or may no more; return how many."""
        with self._lock:
            phones = list(self._phones)
        if not phones:
            return 0
        living = self._living({p.actor.session for p in phones if p.actor.session})
        ended: list[Phone] = []
        allowed: dict[str, bool] = {}
        for phone in phones:
            now = living.get(phone.actor.session or "")
            if now is not None:
                if now.session not in allowed:
                    allowed[now.session or ""] = self._allowed(now)
                if allowed[now.session or ""]:
                    phone.actor = now
                    continue
            ended.append(phone)
        _tell(ended, ended=True)
        return len(ended)

    def _may(self, actor: Actor, thing: Thing) -> bool:
        return self.kernel.gate.decide(actor, TASKING, thing).allowed

    def _allowed(self, actor: Actor) -> bool:
        """Whether the officer may still open the page; a refusal stands in the ledger."""
        try:
            with self.kernel.view(actor) as view:
                view.permit(VIEW, Thing.room("operations", self.kernel.agency))
        except CordonError:
            return False
        return True

    # running

    def start(self) -> None:
        """Look in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="phones", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and every socket."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        with self._lock:
            phones = list(self._phones)
        _tell(phones, ended=True)

    def _run(self) -> None:
        checked = time.monotonic()
        while not self._stop.is_set():
            self._wake.wait(timeout=LOOK_S)
            self._wake.clear()
            try:
                self.look()
                if time.monotonic() - checked > CHECK_S:
                    checked = time.monotonic()
                    self.check()
            except Exception:  # the phones go on by asking; this goes on when the store is back
                log.exception("phones could not be told")
            self._stop.wait(LEAST_S)


def _whom(
    session: Session, events: list[tuple[str, Mapping[str, object]]]
) -> tuple[dict[str, list[Thing]], set[str]]:
    """Whom events concern: things that changed by the code of their crew, and officers by id."""
    officers = {str(p["officer"]) for topic, p in events if topic == SETTLED}
    taskings = {
        str(p["tasking"]) for topic, p in events
        if topic.startswith("operations.tasking.") and "tasking" in p
    }  # fmt: skip
    calls = {
        str(p["alert"]) for topic, p in events
        if topic.startswith("operations.alert.") and p.get("kind") == CALL and "alert" in p
    }  # fmt: skip
    if calls:  # whoever called for help hears at once that somebody has seen it
        officers.update(
            session.scalars(
                select(PanicRow.officer)
                .join(AlertFindingRow, AlertFindingRow.finding == PanicRow.finding)
                .where(AlertFindingRow.alert.in_(calls))
            )
        )
    alerts = {str(p["alert"]) for topic, p in events if topic == WITHDRAWN}
    units: dict[str, list[Thing]] = {}
    if taskings or alerts:
        concerned = TaskingRow.id.in_(taskings) | (
            TaskingRow.alert.in_(alerts) & TaskingRow.state.in_(UNDER_WAY)
        )
        for row in session.scalars(select(TaskingRow).where(concerned)):
            units.setdefault(crew_of(row.unit_code), []).append(row.thing())
    return units, officers


def _tell(phones: Collection[Phone], *, ended: bool = False) -> None:
    """Wake phones in their loops, with one call a loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Phone]] = {}
    for phone in phones:
        loops.setdefault(phone.loop, []).append(phone)

    def tell(some: list[Phone]) -> None:
        for phone in some:
            phone.tell(ended=ended)

    for loop, some in loops.items():
        try:
            loop.call_soon_threadsafe(tell, some)
        except RuntimeError:  # the loop is closed, and its sockets with it
            continue
