"""The picture as it is now: the latest of each subject, and behaviours as positions come."""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cordon.kernel.findings import Finding
from cordon.picture.behaviours import Behaviour, behaviours
from cordon.picture.model import KINDS, Position, Zone
from cordon.picture.tracks import Tracks

log = logging.getLogger(__name__)

MAGIC = 0x50444E43  # “CNDP” as little-endian bytes
VERSION = 1
HEADER = struct.Struct("<IHHIIIId")
NO_U16 = 0xFFFF
FLAG_NEW_NAME = 1  # its name is new since the asked-for sequence number
FLAG_STILL = 2  # slower than half a knot
FLAG_FOUND = 4  # a finding speaks of it

AHEAD = timedelta(minutes=5)
"""How far a report's clock may run ahead of the node's."""

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class _Latest:
    """The latest of one subject, and its last places."""

    index: int
    seq: int
    name_seq: int
    position: Position
    trail: deque[tuple[float, float, float]]


class LivePicture:
    """The latest state of each subject; every method may be called from any thread.

    Args:
        breadcrumbs: places kept of each subject. most: subjects kept; the one heard longest
            ago gives way, and its index is not used again.
    """

    def __init__(self, *, breadcrumbs: int = 50, most: int = 200_000) -> None:
        self._lock = threading.Lock()
        self._subjects: OrderedDict[str, _Latest] = OrderedDict()
        self._by_index: dict[int, str] = {}
        self._breadcrumbs = breadcrumbs
        self._most = most
        self._flagged: set[str] = set()
        self._next = 0
        self._seq = 0

    @property
    def seq(self) -> int:
        """The sequence number of the newest change."""
        return self._seq

    def __len__(self) -> int:
        return len(self._subjects)

    def take(self, positions: Iterable[Position], now: datetime | None = None) -> int:
        """Take positions in any order; one older than what is known changes nothing.

        Args:
            now: the node's time; a report from more than AHEAD after it is passed over,
                because no true one would replace it until then.

        Returns:
            the sequence number after them.
        """
        with self._lock:
            for p in positions:
                if now is not None and p.at > now + AHEAD:
                    continue
                known = self._subjects.get(p.subject)
                if known is None:
                    self._seq += 1
                    trail: deque[tuple[float, float, float]] = deque(maxlen=self._breadcrumbs)
                    known = _Latest(self._next, self._seq, self._seq, p, trail)
                    self._subjects[p.subject] = known
                    self._by_index[self._next] = p.subject
                    self._next += 1
                    if len(self._subjects) > self._most:
                        _, gone = self._subjects.popitem(last=False)
                        del self._by_index[gone.index]
                elif p.at <= known.position.at:
                    continue
                else:
                    self._seq += 1
                    known.seq = self._seq
                    if p.name and p.name != known.position.name:
                        known.name_seq = self._seq
                    known.position = p if p.name else _named(p, known.position)
                    self._subjects.move_to_end(p.subject)
                known.trail.append((p.at.timestamp(), p.lat, p.lon))
            return self._seq

    def frame(
        self, since_seq: int = 0, box: Box | None = None, now: datetime | None = None
    ) -> bytes:
        """What changed after `since_seq`, as one binary frame, all little-endian.

        Header, 32 bytes: magic u32 = 0x50444E43, version u16 = 1, header's length u16 = 32,
        count n u32, sequence number of this frame u32, since_seq u32, zero u32, server time
        f64 (seconds since the epoch). Then columns of n values each, in this order, which
        keeps every column aligned to its own width: lat f64, lon f64 (degrees), subject
        index u32, course u16 (tenths of a degree; 0xFFFF not told), speed u16 (tenths of a
        knot; 0xFFFF not told, 0xFFFE that much or more), age u16 (s; 0xFFFE that much or
        more), kind u8 (index into KINDS), flags u8 (1 its name is new, 2 lies still, 4 a
        finding speaks of it).
        A frame of n subjects is 32 + 28 n bytes.

        A reader that draws only the newest frame asks with the sequence number of the last
        frame it drew; the next one then holds all that it passed over.

        Args:
            box: west, south, east, north (degrees); west > east crosses the antimeridian.
            now: server time; the machine's where absent.
        """
        stamp = now.timestamp() if now is not None else time.time()
        with self._lock:
            seq = self._seq
            some = []
            # the newest change stands last, so that a frame costs what it holds, not the whole
            for latest in reversed(self._subjects.values()):
                if latest.seq <= since_seq:
                    break
                p = latest.position
                if box is None or _in(box, p.lat, p.lon):
                    some.append((latest.index, latest.name_seq > since_seq, p))
        n = len(some)
        told = [p for _, _, p in some]
        speed = np.array([np.nan if p.speed_kn is None else p.speed_kn for p in told])
        course = np.array([np.nan if p.course_deg is None else p.course_deg for p in told])
        age = np.array([stamp - p.at.timestamp() for p in told])
        flags = np.array([FLAG_NEW_NAME * new for _, new, _ in some], dtype="<u1")
        flags |= np.array([FLAG_FOUND * (p.subject in self._flagged) for p in told], dtype="<u1")
        flags |= (np.nan_to_num(speed, nan=99.0) < 0.5).astype("<u1") * FLAG_STILL
        columns = (
            np.array([p.lat for p in told], dtype="<f8"),
            np.array([p.lon for p in told], dtype="<f8"),
            np.array([i for i, _, _ in some], dtype="<u4"),
            _u16(np.round(course * 10) % 3600),
            _u16(speed * 10),
            _u16(age),
            np.array([KINDS.index(p.kind) for p in told], dtype="<u1"),
            flags,
        )
        head = HEADER.pack(
            MAGIC, VERSION, HEADER.size, n, seq & 0xFFFFFFFF, since_seq & 0xFFFFFFFF, 0, stamp
        )
        return head + b"".join(c.tobytes() for c in columns)

    def names(self, indices: Iterable[int]) -> dict[int, dict[str, str]]:
        """Labels for subject indices: subject, name, kind, ship_type, flag, source."""
        with self._lock:
            found = {}
            for i in indices:
                subject = self._by_index.get(i)
                if subject is None:
                    continue
                p = self._subjects[subject].position
                found[i] = {
                    "subject": subject,
                    "name": p.name,
                    "kind": p.kind,
                    "ship_type": p.ship_type,
                    "flag": p.flag,
                    "source": p.source,
                }
            return found

    def all(self) -> list[Position]:
        """The newest position of every subject, the one heard longest ago first."""
        with self._lock:
            return [latest.position for latest in self._subjects.values()]

    def flag(self, subjects: Iterable[str]) -> None:
        """Mark subjects that a finding speaks of; their frames say so from now on."""
        with self._lock:
            self._flagged.update(subjects)

    def latest(self, subject: str) -> Position | None:
        """The newest position of a subject, or None where it was not heard."""
        with self._lock:
            known = self._subjects.get(subject)
            return known.position if known is not None else None

    def trail(self, subject: str) -> list[tuple[float, float, float]]:
        """The last places of a subject, oldest first: seconds since the epoch, lat, lon."""
        with self._lock:
            known = self._subjects.get(subject)
            return list(known.trail) if known is not None else []

    def index_of(self, subject: str) -> int | None:
        """The subject's index in frames, or None where it was not heard."""
        with self._lock:
            known = self._subjects.get(subject)
            return known.index if known is not None else None

    def subject_of(self, index: int) -> str | None:
        """The subject of an index in frames, or None where there is none (any more)."""
        with self._lock:
            return self._by_index.get(index)


def _named(p: Position, older: Position) -> Position:
    """A position with the name that an older one told."""
    if not older.name:
        return p
    return Position(
        p.at,
        p.source,
        p.subject,
        p.lat,
        p.lon,
        p.speed_kn,
        p.course_deg,
        p.heading_deg,
        p.accuracy_m,
        p.kind,
        older.name,
        p.imo or older.imo,
        p.call_sign or older.call_sign,
        p.ship_type or older.ship_type,
        p.flag or older.flag,
        p.record,
    )


def _in(box: Box, lat: float, lon: float) -> bool:
    west, south, east, north = box
    if not south <= lat <= north:
        return False
    return west <= lon <= east if west <= east else lon >= west or lon <= east


def _u16(values: np.ndarray) -> np.ndarray:
    whole = np.clip(np.round(np.nan_to_num(values, nan=0.0)), 0, NO_U16 - 1)
    return np.where(np.isnan(values), NO_U16, whole).astype("<u2")


def _says_more(new: Finding, old: Finding) -> bool:
    """Whether a finding told before is worth telling again: surer, much longer, or closed."""
    grown = (new.end - new.start) > 1.5 * (old.end - old.start) + timedelta(minutes=1)
    surer = abs(new.confidence - old.confidence) >= 0.05
    return grown or surer or {r.name for r in new.reasons} != {r.name for r in old.reasons}


class StreamDetector:
    """Behaviours over positions as they come: a rolling window, run anew each tick.

    Cost of a tick: a sort of the whole window, some 0.5 s a million fixes, and the behaviours
    over it; so a tick every ten seconds or more for some hundred thousand fixes, and a longer
    one beyond. Memory: about 500 bytes a fix of the window, bounded by `most_fixes`.

    Gaps need the others as witnesses, so the whole window is looked at; findings of subjects
    that had no new position stay as they were, except silences, which grow by themselves.

    Args:
        window: how far back is looked. most_fixes: of one subject; the oldest give way.
    """

    def __init__(
        self,
        zones: Sequence[Zone] = (),
        *,
        chosen: Sequence[Behaviour] | None = None,
        values: Mapping[str, Mapping[str, float]] | None = None,
        window: timedelta = timedelta(hours=24),
        most_fixes: int = 5_000,
    ) -> None:
        self.zones = list(zones)
        self._behaviours = list(behaviours() if chosen is None else chosen)
        self._values = {
            b.CARD.name: b.CARD.values((values or {}).get(b.CARD.name)) for b in self._behaviours
        }
        self._window = window
        self._most = most_fixes
        self._lock = threading.Lock()
        self._held: dict[str, deque[Position]] = {}
        self._latest: datetime | None = None
        self._told: dict[str, Finding] = {}  # as last given out
        self._until: dict[str, datetime] = {}  # and how far each has been seen to last
        self._changed = False

    def take(self, positions: Iterable[Position], now: datetime | None = None) -> None:
        """Take new positions, in any order.

        Args:
            now: the node's time; a report from more than five minutes ahead of it is passed
                over, because one wrong clock would push everything else out of the window.
        """
        with self._lock:
            for p in positions:
                if now is not None and p.at > now + AHEAD:
                    continue
                self._held.setdefault(p.subject, deque(maxlen=self._most)).append(p)
                self._latest = p.at if self._latest is None else max(self._latest, p.at)
                self._changed = True

    def held(self, subject: str) -> list[Position]:
        """Positions of a subject in the window, oldest first."""
        with self._lock:
            return sorted(self._held.get(subject, ()), key=lambda p: p.at)

    def tick(self) -> list[Finding]:
        """Findings that are new since the last tick, or say more than when last told.

        Ids are as `detect` gives them over the same positions. A visit or episode whose begin
        the window has passed keeps the id under which it was first told.
        """
        with self._lock:
            if not self._changed or self._latest is None:
                return []
            self._changed = False
            begin = self._latest - self._window
            for subject in list(self._held):
                kept = self._held[subject]
                if any(p.at < begin for p in kept):
                    kept = deque((p for p in kept if p.at >= begin), maxlen=self._most)
                    self._held[subject] = kept
                if not kept:
                    del self._held[subject]
            tracks = Tracks.build(p for held in self._held.values() for p in held)
            zones = list(self.zones)
        found: list[Finding] = []
        for behaviour in self._behaviours:
            name = behaviour.CARD.name
            try:
                found.extend(behaviour.find(tracks, zones, self._values[name]))
            except Exception:  # whatever it was: the other behaviours must go on
                log.exception("a live detector failed", extra={"detector": name})
        found.sort(key=lambda f: (f.start, f.kind, f.subjects, f.id))
        return self._new(found, begin)

    def _new(self, found: list[Finding], begin: datetime) -> list[Finding]:
        given = []
        for f in found:
            id_ = f.id if f.id in self._told else self._same(f)
            if id_ is None:
                self._told[f.id] = f
                given.append(f)
            elif id_ == f.id and _says_more(f, self._told[id_]):
                self._told[id_] = f
                given.append(f)
            # else nothing new, or the same visit with its begin cut off by the window
            self._until[id_ or f.id] = max(f.end, self._until.get(id_ or f.id, f.end))
        for id_ in [i for i, until in self._until.items() if until < begin - self._window]:
            del self._told[id_], self._until[id_]
        return given

    def _same(self, f: Finding) -> str | None:
        """The id under which this visit or episode was told already, if it was."""
        for id_, old in self._told.items():
            alike = old.kind == f.kind and old.subjects == f.subjects
            if alike and old.start <= f.end and f.start <= self._until[id_]:
                return id_
        return None
