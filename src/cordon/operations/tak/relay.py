"""Who is told what: groups, chat, what is kept for those who join later, and forged names.

Nothing here touches the network or the database. A message is read once and written once in
each form; what is queued for a client are references to those bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from cordon.operations.tak import protocol
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.message import Item, Message, read

ALL_ROOMS = ("All Chat Rooms", "All Streaming")
NODE = "cordon."  # how uids of the node's own markers begin
MOST_KEPT_S = 24 * 3600.0
MOST_KEPT = 2_000  # of one client
MOST_KEPT_BYTES = 8 << 20  # of one client
MOST_QUEUED = 8 << 20  # bytes for one client; past it the client is put off
_COMPACT = 1 << 20  # bytes at which superseded positions are taken out of a queue


@dataclass(eq=False)
class Line:
    """One client that is connected, and what waits for it.

    Attributes:
        uid, callsign, team: what it calls itself; empty until it said so.
        protobuf: it agreed to TAK protocol version 1. queue: what waits, oldest first.
        waits: bytes of it. full: too much waits even without what is superseded.
        refused: messages of it that were not passed on.
    """

    client: TakClient
    uid: str = ""
    callsign: str = ""
    team: str = ""
    protobuf: bool = False
    queue: list[Item] = field(default_factory=list)
    waits: int = 0
    full: bool = False
    refused: int = 0
    _compact_at: int = _COMPACT

    def put(self, item: Item) -> None:
        """Let something wait for it."""
        self.queue.append(item)
        self.waits += len(item[1])
        if self.waits > self._compact_at:
            self._compact()

    def _compact(self) -> None:
        """Of positions of one uid only the newest is left; everything else stays, in its order."""
        seen: set[str] = set()
        left: list[Item] = []
        for item in reversed(self.queue):
            if item[0]:
                if item[0] in seen:
                    continue
                seen.add(item[0])
            left.append(item)
        left.reverse()
        self.queue = left
        self.waits = sum(len(data) for _, data in left)
        self._compact_at = max(_COMPACT, 2 * self.waits)
        if self.waits > MOST_QUEUED:
            self.full = True
            self.queue, self.waits = [], 0

    def take(self, most: int) -> bytes:
        """What waits, about `most` bytes of it, as one piece."""
        if self.waits <= most:
            data = b"".join([data for _, data in self.queue])
            self.queue, self.waits, self._compact_at = [], 0, _COMPACT
            return data
        size = at = 0
        while at < len(self.queue) and size < most:
            size += len(self.queue[at][1])
            at += 1
        data = b"".join([data for _, data in self.queue[:at]])
        del self.queue[:at]
        self.waits -= size
        return data


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that stands on the map until it is stale (s since the epoch)."""

    message: Message
    owner: str
    groups: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True)
class Marker:
    """What the node itself tells: a message, and who is entitled to it."""

    message: Message
    may: Callable[[TakClient], bool]


class Forged(Exception):
    """A message under a name that belongs to another."""


class Relay:
    """The clients that are connected, and what is passed between them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.lines: dict[str, Line] = {}  # by client
        self.by_group: dict[str, set[Line]] = defaultdict(set)
        self.kept: dict[str, Kept] = {}
        self._kept_of: dict[str, dict[str, int]] = defaultdict(dict)  # bytes by uid, oldest first
        self._kept_bytes: dict[str, int] = defaultdict(int)
        self.markers: dict[str, Marker] = {}
        self.owners: dict[str, str] = {}  # client of each bound uid

    # joining and leaving

    def join(self, line: Line) -> None:
        """A client is connected; it is given what is not stale, and nobody else is touched."""
        self.lines[line.client.id] = line
        for group in line.client.groups:
            self.by_group[group].add(line)
        now = self._now()
        for kept in self.kept.values():
            others = kept.owner != line.client.id
            if others and kept.until > now and kept.groups & line.client.groups:
                line.put(kept.message.item(line.protobuf))
        for marker in self.markers.values():
            if marker.may(line.client):
                line.put(marker.message.item(line.protobuf))

    def leave(self, line: Line) -> None:
        """A client is gone; those who saw it are told, and its last position stays until stale."""
        if self.lines.get(line.client.id) is line:
            del self.lines[line.client.id]
        for group in line.client.groups:
            self.by_group[group].discard(line)
        if line.uid and line.client.id not in self.lines:
            self._send(_ended(line.uid, self._now()), self._seen_by(line))

    def gone(self, client: str) -> None:
        """A client was thrown out: what it put on the map goes with it."""
        self._kept_bytes.pop(client, None)
        for uid in self._kept_of.pop(client, {}):
            kept = self.kept.pop(uid)
            others = {line for group in kept.groups for line in self.by_group[group]}
            self._send(_ended(uid, self._now()), others)

    # what clients say

    def take(self, line: Line, message: Message) -> None:
        """Pass on what a client said.

        Raises:
            Forged: it speaks under a name that belongs to another.
        """
        self._check(line, message)
        if message.type == "t-x-d-d":
            self._forget(message.link)
        elif message.kept:
            self._keep(line, message)
        if message.uid == line.uid:
            line.callsign = message.callsign or line.callsign
            line.team = message.team or line.team
        self._send(message, self._for(line, message))

    def _check(self, line: Line, message: Message) -> None:
        if message.type.startswith("b-t-f"):
            # what a chat is called begins with its sender: GeoChat.SENDER.ROOM.ID
            begins = message.uid.startswith(f"GeoChat.{line.uid}.") or not message.chat
            if not line.uid or not begins or message.link not in ("", line.uid):
                raise Forged
            return
        self._check_owner(line, message.uid)
        if message.type == "t-x-d-d":
            self._check_owner(line, message.link)

    def _check_owner(self, line: Line, uid: str) -> None:
        if uid.startswith(NODE):
            raise Forged
        bound = self.owners.get(uid)
        if bound is not None and bound != line.client.id:
            raise Forged
        kept = self.kept.get(uid)
        if kept is None or kept.owner == line.client.id or kept.until <= self._now():
            return
        if not kept.groups & line.client.groups:
            raise Forged

    def _keep(self, line: Line, message: Message) -> None:
        now = self._now()
        if message.stale <= now:
            return
        owner, groups = line.client.id, line.client.groups
        if (before := self.kept.get(message.uid)) is not None and before.until > now:
            owner, groups = before.owner, before.groups  # whoever moves it, it stays whose it is
        self._forget(message.uid)
        mine = self._kept_of[owner]
        mine[message.uid] = len(message.xml)
        self._kept_bytes[owner] += len(message.xml)
        until = min(message.stale, now + MOST_KEPT_S)
        self.kept[message.uid] = Kept(message, owner, groups, until)
        while len(mine) > MOST_KEPT or self._kept_bytes[owner] > MOST_KEPT_BYTES:
            self._forget(next(iter(mine)))

    def _forget(self, uid: str) -> None:
        kept = self.kept.pop(uid, None)
        if kept is not None:
            self._kept_bytes[kept.owner] -= self._kept_of[kept.owner].pop(uid)

    def age(self) -> None:
        """Let go of what is stale."""
        now = self._now()
        for uid in [uid for uid, kept in self.kept.items() if kept.until <= now]:
            self._forget(uid)

    def _seen_by(self, line: Line) -> set[Line]:
        groups = line.client.groups
        if len(groups) == 1:
            return self.by_group[next(iter(groups))]
        return {other for group in groups for other in self.by_group[group]}

    def _for(self, line: Line, message: Message) -> Iterable[Line]:
        """Whom a message is for: never anybody who shares no group with its sender."""
        seen = self._seen_by(line)
        if message.named:
            names, uids = set(message.callsigns), set(message.uids)
            mine = line.client.groups & set(message.groups)
            return [
                o for o in seen
                if o is not line
                and (o.callsign in names or o.uid in uids or o.client.groups & mine)
            ]  # fmt: skip
        others = seen
        if message.chat is not None:
            others = self._room(seen, message, message.chat)
        return [o for o in others if o is not line]

    def _room(self, seen: set[Line], message: Message, chat: dict[str, str]) -> set[Line]:
        room, name = chat.get("id", ""), chat.get("chatroom", "")
        if room in ALL_ROOMS or name in ALL_ROOMS:
            return seen
        to = {room, name} - {""}
        members = set(message.members)
        return {
            o for o in seen
            if o.uid in to or o.callsign in to or o.team in to or o.uid in members
            or not to.isdisjoint(o.client.groups)
        }  # fmt: skip

    # what the node says

    def tell(self, changed: Iterable[Marker], ended: Iterable[str]) -> None:
        """Markers of the node that are new or changed, and uids of those that are no more."""
        for uid in ended:
            marker = self.markers.pop(uid, None)
            if marker is not None:
                to = [o for o in self.lines.values() if marker.may(o.client)]
                self._send(_ended(uid, self._now()), to)
        for marker in changed:
            self.markers[marker.message.uid] = marker
            self._send(marker.message, [o for o in self.lines.values() if marker.may(o.client)])

    @staticmethod
    def _send(message: Message, to: Iterable[Line]) -> None:
        for line in to:
            line.put(message.item(line.protobuf))


def _ended(uid: str, now: float) -> Message:
    """Something is no more: a client that left, or what stood on the map (t-x-d-d)."""
    link = f'<link uid={quoteattr(uid)} type="a-f-G" relation="p-p"/>'
    return read(protocol.control("t-x-d-d", f"{NODE}ended", now, link), False)
