"""What rooms tell one another: kept in the same transaction as the row that caused it.

The outbox is read by one dispatcher in the node. Each subscriber takes each event in order;
what it has taken is written in the same transaction as what it did, so that a crash neither
loses an event nor acts on it twice. A subscriber that fails is tried again with growing
pauses and is shown as failing; it does not hold up the others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cordon.kernel.clock import Clock
from cordon.kernel.ids import new_id
from cordon.kernel.store.rows import Base, Json, Rows, UtcTime

if TYPE_CHECKING:
    from cordon.kernel.work import Work

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
_Key = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only INTEGER keys


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a room.

    Attributes:
        topic: `room.thing.happened`, for example `picture.finding.made`.
        payload: small JSON; ids rather than contents, and no personal data.
        seq: its place in the outbox. at: when it was committed (UTC).
    """

    topic: str
    payload: Mapping[str, Any]
    seq: int
    at: datetime


class EventRow(Base):
    """One event of the outbox; `seq` counts up in the order of commits."""

    __tablename__ = "events"

    seq: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    agency: Mapped[str] = mapped_column(String(40))
    mark: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime())
    topic: Mapped[str] = mapped_column(String(80), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)


class CursorRow(Base):
    """How far a subscriber has come, and whether it fails."""

    __tablename__ = "event_cursors"

    subscriber: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcTime())
    next_try: Mapped[datetime | None] = mapped_column(UtcTime())
    error: Mapped[str | None] = mapped_column(String(200))


Handler = Callable[["Work", Event], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to be told: a stable name, topics, and what to do."""

    name: str
    topics: frozenset[str]
    handler: Handler


def put(
    session: Session,
    *,
    agency: str,
    mark: str,
    at: datetime,
    topic: str,
    payload: Mapping[str, Any],
) -> None:
    """Write an event into the outbox of the caller's transaction.

    The caller holds the ledger's lock by then, so that sequence and commit order agree.
    """
    session.add(
        EventRow(
            id=new_id(), agency=agency, mark=mark, created_at=at, topic=topic, payload=dict(payload)
        )
    )


class _Step(Enum):
    TAKEN = auto()
    NOTHING = auto()
    LATER = auto()  # the handler failed, and is tried again after a pause


class Dispatcher:
    """Hands events to subscribers, each in its own transaction.

    Args:
        open_work: gives a unit of work for the node itself; the handler's changes and the
            subscriber's cursor are committed together.
    """

    def __init__(
        self, rows: Rows, clock: Clock, open_work: Callable[[], AbstractContextManager[Work]]
    ) -> None:
        self._rows = rows
        self._clock = clock
        self._open_work = open_work
        self._subscriptions: dict[str, Subscription] = {}
        self._lock = threading.Lock()
        self._looked: int | None = None  # newest event that was looked at
        self._due: dict[str, int] = {}  # subscribers with what may wait, and as of which event
        self._wake = threading.Event()
        self._listeners: list[Callable[[], object]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, name: str, topics: set[str], handler: Handler) -> None:
        """Tell a handler of events of these topics; the name is kept with its cursor."""
        if name in self._subscriptions:
            raise ValueError(f"two subscribers are named {name}")
        self._subscriptions[name] = Subscription(name, frozenset(topics), handler)
        with self._lock:
            self._due[name] = 0

    def listen(self, waker: Callable[[], object]) -> None:
        """Call this too whenever this process committed something. It must not wait or fail."""
        self._listeners.append(waker)

    def wake(self) -> None:
        """Something was committed: look now rather than at the next poll."""
        self._wake.set()
        for waker in self._listeners:
            waker()

    def run_pending(self, *, at_most: int = 10_000) -> int:
        """Hand out what waits, until nothing is left; return how many were taken.

        Args:
            at_most: events for one subscriber.
        """
        taken = dict.fromkeys(self._subscriptions, 0)
        before = -1
        while (total := sum(taken.values())) > before:  # what is taken may tell of something else
            before = total
            self._look()
            for name, subscription in self._subscriptions.items():
                upto = self._due.get(name)
                # counted for each: one that has much to do does not hold up the others
                while upto is not None and taken[name] < at_most:
                    step = self._next(subscription)
                    if step is not _Step.TAKEN:
                        if step is _Step.NOTHING:
                            self._done(name, upto)
                        break
                    taken[name] += 1
        return total

    def _look(self) -> None:
        """Note which subscribers may have something to take, by the topics of what is new.

        Asking for each of them cost more than most of what is handed out.
        """
        with self._rows.read() as session:
            if self._looked is None:
                self._looked = session.scalar(select(func.max(EventRow.seq))) or 0
                topics = None  # what waits since before this process is not known: ask for all
            else:
                of_topics = select(func.max(EventRow.seq), EventRow.topic)
                new = session.execute(
                    of_topics.where(EventRow.seq > self._looked).group_by(EventRow.topic)
                ).all()
                topics = {topic for _, topic in new}
                self._looked = max((seq for seq, _ in new), default=self._looked)
        with self._lock:
            for name, subscription in self._subscriptions.items():
                if topics is None or subscription.topics & topics:
                    self._due[name] = self._looked

    def _done(self, name: str, upto: int) -> None:
        """Nothing waits for a subscriber, unless another thread saw something later than this."""
        with self._lock:
            if self._due.get(name) == upto:
                del self._due[name]

    def _next(self, subscription: Subscription) -> _Step:
        now = self._clock.now()
        with self._rows.read() as session:
            cursor = session.get(CursorRow, subscription.name)
            if cursor is not None and cursor.next_try is not None:
                wait = cursor.next_try - now
                # a longer one than any that is given was set before the clock jumped back
                if timedelta(0) < wait <= LONGEST_PAUSE:
                    return _Step.LATER
            row = session.scalars(
                select(EventRow)
                .where(EventRow.seq > (cursor.seq if cursor else 0))
                .where(EventRow.topic.in_(subscription.topics))
                .order_by(EventRow.seq)
                .limit(1)
            ).first()
        if row is None:
            return _Step.NOTHING
        event = Event(row.topic, row.payload, row.seq, row.created_at)
        try:
            with self._open_work() as work:
                if not _take_turn(work.session, subscription.name, event.seq, self._rows.is_sqlite):
                    return _Step.TAKEN  # another process of this node was quicker
                subscription.handler(work, event)
                _advance(work.session, subscription.name, event.seq)
        except Exception as fault:
            log.exception("subscriber failed", extra={"subscriber": subscription.name})
            self._failed(subscription.name, now, fault)
            return _Step.LATER
        return _Step.TAKEN

    def _failed(self, name: str, now: datetime, fault: Exception) -> None:
        with self._rows.write() as session:
            _make_cursor(session, name, self._rows.is_sqlite)
            cursor = session.get_one(CursorRow, name, with_for_update=True)
            pause = min(FIRST_PAUSE * 2 ** min(cursor.failures, 10), LONGEST_PAUSE)
            cursor.failures += 1
            cursor.failing_since = cursor.failing_since or now
            cursor.next_try = now + pause
            # the kind alone: an error's words may hold what the event was about
            cursor.error = type(fault).__name__

    def failing(self) -> list[tuple[str, datetime, int, str]]:
        """Subscribers that fail: name, since when, how often, the kind of error."""
        with self._rows.read() as session:
            rows = session.scalars(select(CursorRow).where(CursorRow.failures > 0))
            return [
                (r.subscriber, r.failing_since, r.failures, r.error or "")
                for r in rows
                if r.failing_since is not None
            ]

    def start(self) -> None:
        """Hand out events in a thread of their own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the event at hand and end the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                taken = self.run_pending(at_most=500)
            except Exception:
                log.exception("the outbox could not be read")
                taken = 0
            if not taken:
                self._wake.wait(timeout=0.5)


def _make_cursor(session: Session, name: str, is_sqlite: bool) -> None:
    """The subscriber's row, before it is locked: one that is not there cannot be."""
    if is_sqlite:
        from sqlalchemy.dialects import sqlite as dialect
    else:
        from sqlalchemy.dialects import postgresql as dialect  # type: ignore[no-redef]
    new = dialect.insert(CursorRow).values(subscriber=name, seq=0, failures=0)
    session.execute(new.on_conflict_do_nothing())


def _take_turn(session: Session, name: str, seq: int, is_sqlite: bool) -> bool:
    """Lock the subscriber's cursor; False where the event was taken meanwhile."""
    _make_cursor(session, name, is_sqlite)
    return session.get_one(CursorRow, name, with_for_update=True).seq < seq


def _advance(session: Session, name: str, seq: int) -> None:
    cursor = session.get_one(CursorRow, name)
    cursor.seq, cursor.failures = seq, 0
    cursor.failing_since = cursor.next_try = cursor.error = None
