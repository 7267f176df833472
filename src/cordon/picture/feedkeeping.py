"""The feeds of a node: their rows, their readers, and those that programs write to."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooLarge
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel
from cordon.picture.feeding import FeedReader
from cordon.picture.feeds.address import Address, Keys, address_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.intake import Intake
from cordon.picture.tables import FeedRow

log = logging.getLogger(__name__)

MARK = Mark.GREEN
LARGEST = 4 << 20  # bytes of one request with reports
_TOLD = ("impossible", "old")


class Reader(Protocol):
    """What reads one feed in a thread of its own."""

    def start(self) -> None:
        """Begin to read."""

    def stop(self) -> None:
        """End after the moment at hand."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""


class Feeds:
    """The feeds of one node; every method may be called from any thread.

    Args:
        keys: files for what is secured.

    Attributes:
        states: how each does, by id.
    """

    def __init__(self, kernel: Kernel, intake: Intake, keys: Keys) -> None:
        self._kernel = kernel
        self._intake = intake
        self._keys = keys
        self._lock = threading.RLock()
        self._readers: dict[str, Reader] = {}
        self.states: dict[str, FeedState] = {}

    # running

    def start(self, urls: Sequence[str]) -> None:
        """Connect the feeds that should be, and those of the settings."""
        for url in urls:
            address = address_of(url)
            self._row(url, address.name, wanted=True)
        with self._kernel.rows.read() as session:
            rows = list(session.scalars(select(FeedRow)))
        for row in rows:
            if row.wanted:
                self._connect(row)
            elif "://" not in row.url:
                self._state(row)

    def stop(self) -> None:
        """Disconnect all, each after the moment at hand."""
        with self._lock:
            readers, self._readers = list(self._readers.values()), {}
        for reader in readers:
            reader.stop()
        for reader in readers:
            reader.join(timeout=10)

    def note(self) -> None:
        """Keep the feeds' counts, so that they go on after a restart."""
        with self._kernel.rows.write() as session:
            for state in list(self.states.values()):
                state.look()
                row = session.get(FeedRow, state.id)
                if row is None or row.received == state.received:
                    continue
                row.received, row.kept = state.received, state.kept
                row.repeated, row.refused = state.repeated, state.refused
                row.heard_at = state.heard
                row.last_reason = state.last_reason or row.last_reason
                row.told = {
                    "reasons": dict(state.reasons),
                    **{name: getattr(state, name) for name in _TOLD},
                }

    # what officers do

    def add(self, actor: Actor, name: str, url: str) -> str:
        """Connect a feed; return its id."""
        name = name.strip()
        address_of(url)
        if not 1 <= len(name) <= 80:
            raise BadInput("A feed's name has 1 to 80 characters.")
        with self._kernel.work(actor) as work:
            if work.session.scalar(select(FeedRow.id).where(FeedRow.name == name)) is not None:
                raise Conflict("There is a feed of that name.", advice="Take another name.")
            row = self._made(name, url, wanted=True)
            work.session.add(row)
            work.act("picture.feed.change", row.thing(), connect=True)
        self._connect(row)
        return row.id

    def disconnect(self, actor: Actor, feed: str) -> None:
        """Disconnect a feed; it stays disconnected after a restart."""
        with self._kernel.work(actor) as work:
            row = work.session.get(FeedRow, feed)
            if row is None:
                raise NotFound("There is no such feed.")
            work.act("picture.feed.change", row.thing(), connect=False)
            row.wanted = False
        with self._lock:
            reader = self._readers.pop(feed, None)
        if reader is not None:
            reader.stop()
            reader.join(timeout=10)

    def end(self, name: str) -> datetime | None:
        """Connect a feed no more that ended with the node; return when it was last heard.

        No officer does this: what the feed read ended too, and none comes at its address again.
        """
        with self._kernel.rows.write() as session:
            row = session.scalars(select(FeedRow).where(FeedRow.name == name)).first()
            if row is None:
                return None
            row.wanted = False
            return row.heard_at

    def reconnect(self, actor: Actor, feed: str) -> None:
        """Connect a feed again that was disconnected."""
        with self._kernel.work(actor) as work:
            row = work.session.get(FeedRow, feed)
            if row is None or "://" not in row.url:
                raise NotFound("There is no such feed.")
            work.act("picture.feed.change", row.thing(), connect=True)
            row.wanted = True
        with self._lock:
            if feed not in self._readers:
                self._connect(row)

    def one(self, feed: str) -> FeedState:
        """How one feed does; NotFound."""
        state = self.states.get(feed)
        if state is None:
            with self._kernel.rows.read() as session:
                row = session.get(FeedRow, feed)
            if row is None:
                raise NotFound("There is no such feed.")
            state = _state_of(row)
            state.stop()
        return state

    # those that are written to

    def report(self, actor: Actor, data: bytes) -> Mapping[str, Any]:
        """Take reports that a program sends; return what became of them.

        Args:
            data: one JSON value, or one a line; see `feeds.reports`.

        Raises:
            BadInput: nothing of it is JSON at all. TooLarge: for one request.
        """
        if len(data) > LARGEST:
            raise TooLarge(
                f"The reports have more than {LARGEST >> 20} MB.", advice="Send them in parts."
            )
        with self._kernel.view(actor) as view:
            view.permit("picture.report.send", Thing.room("picture", self._kernel.agency))
        state = self.of_program(actor)
        before = (state.kept, state.repeated, state.refused)
        reasons = Counter(state.reasons)
        at = self._kernel.clock.now()
        lines = _as_lines(data)
        if not _some_json(lines):
            state.refuse("the request is not JSON")
            state.count(1, 1)
            raise BadInput(
                "Nothing of the request can be read as JSON.",
                advice="Send one report as an object, an array of reports, or one report a line.",
            )
        with self._lock:  # one at a time, so that the answer counts its own
            self._intake.take(state, lines, at.timestamp())
        kept, repeated, refused = (
            now - was
            for now, was in zip((state.kept, state.repeated, state.refused), before, strict=True)
        )
        state.heard = at
        state.count(kept + repeated + refused, refused)
        return {
            "kept": kept,
            "repeated": repeated,
            "refused": refused,
            "reasons": dict(state.reasons - reasons),
        }

    def of_program(self, actor: Actor) -> FeedState:
        """The feed of a program, or of an officer, who sends reports."""
        return self._written_to(f"program:{actor.id}", actor.name or actor.id, "reports")

    def of_relay(self, name: str, form: str) -> FeedState:
        """The feed that a relay read elsewhere."""
        return self._written_to(f"relay:{name}"[:200], name, form)

    def of_tak(self) -> FeedState:
        """The feed of the clients of this node's own TAK server."""
        return self._written_to("tak:server", "TAK clients", "cot")

    def take_events(self, lines: bytes, at: float) -> None:
        """Take events of Cursor on Target, one a line as `kept_line` writes them.

        Args:
            at: when the first of them came (s since the epoch).
        """
        state = self.of_tak()
        before = state.refused
        state.heard = self._kernel.clock.now()
        self._intake.take(state, lines, at, form="cot")
        state.count(lines.count(b"\n"), state.refused - before)

    def _written_to(self, url: str, name: str, form: str) -> FeedState:
        with self._lock:
            for state in self.states.values():
                if state.url == url:
                    return state
            state = self._state(self._row(url, name, wanted=False))
            state.form = form
            return state

    # rows and readers

    def _made(self, name: str, url: str, *, wanted: bool) -> FeedRow:
        return FeedRow(
            id=new_id(),
            agency=self._kernel.agency,
            mark=MARK,
            created_at=self._kernel.clock.now(),
            name=name,
            url=url,
            wanted=wanted,
        )

    def _row(self, url: str, name: str, *, wanted: bool) -> FeedRow:
        """The row of an address, made where there is none."""
        with self._kernel.rows.write() as session:
            row = session.scalar(select(FeedRow).where(FeedRow.url == url))
            if row is None:
                free, number = name[:80], 2
                while session.scalar(select(FeedRow.id).where(FeedRow.name == free)) is not None:
                    free, number = f"{name[:76]} {number}", number + 1
                row = self._made(free, url, wanted=wanted)
                session.add(row)
            return row

    def _state(self, row: FeedRow) -> FeedState:
        state = self.states[row.id] = _state_of(row)
        if "://" not in row.url:
            state.connect()
        return state

    def _connect(self, row: FeedRow) -> None:
        if not self.states:
            self._intake.warm()
        with self._lock:
            state = self._state(row)
            reader = self._readers[row.id] = self._reader(state, address_of(row.url), row.seq)
        reader.start()

    def _reader(self, state: FeedState, address: Address, seq: int | None) -> Reader:
        if address.scheme == "nats":
            from cordon.picture.natsfeed import NatsReader

            return NatsReader(
                state, self._kernel.clock, self._intake.take, self.of_relay, self._keys, seq
            )
        return FeedReader(state, self._kernel.clock, self._intake.take, self._keys)


def _state_of(row: FeedRow) -> FeedState:
    told = row.told or {}
    form = {"program": "reports", "tak": "cot"}.get(row.url.partition(":")[0], "nmea")
    return FeedState(
        row.id,
        row.name,
        row.url,
        heard=row.heard_at,
        received=row.received,
        kept=row.kept,
        repeated=row.repeated,
        refused=row.refused,
        last_reason=row.last_reason or "",
        reasons=Counter(told.get("reasons", {})),
        form=address_of(row.url).form if "://" in row.url else form,
        impossible=int(told.get("impossible", 0)),
        old=int(told.get("old", 0)),
    )


def _some_json(lines: bytes) -> bool:
    """True where a line is JSON that may be a report, or there was none in sound JSON."""
    if not lines:
        return True
    for line in lines.split(b"\n"):
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        return True
    return False


def _as_lines(data: bytes) -> bytes:
    """A request's body as lines: one value, an array or a collection taken apart, or lines."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.strip() + b"\n"  # one value a line
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        value = value.get("features") or []
    some = value if isinstance(value, list) else [value]
    return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in some)
