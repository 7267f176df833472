"""One message of Cursor on Target as it is passed on: read once, written once in each form.

What goes to another client is always a whole document that this module has read: no comment, no
section of raw text, no instruction and no event within an event stands in it, so that a client
that looks for `</event>` by bytes is never led to see another event than the one that is meant.
A message of TAK protocol version 1 becomes XML first and is read as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.operations.tak import protocol
from cordon.picture import (
    WrongEvent,
    WrongWire,
    parse_whole,
    safe_parser,
    wire_fields,
    wire_text,
)

MOST_BYTES = 256 << 10  # of one message that is passed on
_DEEPEST = 32
_MOST_ELEMENTS = 5_000
_LONGEST_UID = 128
_LONGEST_NAME = 80
KEPT = ("a-", "b-m-", "b-a-o", "b-r-f", "u-d-", "u-rb-", "b-e-")
"""Types that stay on the map until they are stale: a client that joins later is given them."""

Item = tuple[str, bytes]
"""What it replaces (`Message.replaces`), and its bytes in the form of the one who gets it."""


@dataclass(slots=True, eq=False)
class Message:
    """One message.

    Attributes:
        uid, type, how: as they stand in it. sent, start, stale: s since the epoch.
        point: lat, lon (degrees), hae, ce, le (m) as text. xml: the whole document.
        callsign: of its `contact`, or empty; team: of its `__group`, or empty.
        callsigns, uids, groups: whom its `marti` names; all empty where it names nobody.
        chat: attributes of its `__chat`, or None; members: the uids of its `chatgrp`.
        link: uid of its first `link`, or empty. version: of its `TakRequest`, or 0.
        children: name, attributes and first byte of each element in `detail`; `ends`: where
            the last of them ends.
    """

    uid: str
    type: str
    how: str
    sent: float
    start: float
    stale: float
    point: dict[str, str]
    xml: bytes
    callsign: str = ""
    team: str = ""
    callsigns: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    chat: dict[str, str] | None = None
    members: tuple[str, ...] = ()
    link: str = ""
    version: int = 0
    children: list[tuple[str, dict[str, str], int]] = field(default_factory=list)
    ends: int = 0
    access: str = ""
    _proto: bytes | None = None
    _item_xml: Item | None = None
    _item_proto: Item | None = None

    @property
    def named(self) -> bool:
        """True where it says whom it is for."""
        return bool(self.callsigns or self.uids or self.groups)

    @property
    def replaces(self) -> str:
        """The uid whose earlier position this one replaces; empty where each one counts."""
        return self.uid if self.type.startswith("a-") and not self.named else ""

    @property
    def kept(self) -> bool:
        """True where a client that joins later is given it."""
        return self.type.startswith(KEPT) and not self.named

    @property
    def proto(self) -> bytes:
        """It in TAK protocol version 1, with the header of a stream; made once."""
        if self._proto is None:
            parts = self.children
            ends = [part[2] for part in parts[1:]] + [self.ends]
            self._proto = protocol.framed(
                protocol.event(
                    self.type, self.uid, self.how, self.access, self.sent, self.start, self.stale,
                    self.point,
                    [
                        (name, attributes, self.xml[at:end])
                        for (name, attributes, at), end in zip(parts, ends, strict=True)
                    ],
                )
            )  # fmt: skip
        return self._proto

    def item(self, protobuf: bool) -> Item:
        """It as it stands in a client's queue, in the form that the client speaks; made once."""
        item = self._item_proto if protobuf else self._item_xml
        if item is None:
            item = (self.replaces, self.proto if protobuf else self.xml)
            if protobuf:
                self._item_proto = item
            else:
                self._item_xml = item
        return item


def read(data: bytes, protobuf: bool) -> Message:
    """Read one message as it came.

    Args:
        protobuf: it is a TakMessage of TAK protocol version 1, without its header.

    Raises:
        WrongEvent: it cannot be passed on; its words are the reason, without its content.
    """
    if len(data) > MOST_BYTES:
        raise WrongEvent(f"the event has more than {MOST_BYTES >> 10} KB")
    if protobuf:
        data = _of_protobuf(data)
    return _of_xml(data)


def _of_xml(data: bytes) -> Message:
    if b"<!" in data or b"<?" in data:
        data = _plain(data)
    reader = _Reader()
    parse_whole(reader.parser, data)
    return reader.message(data)


class _Reader:
    """What of a document decides where it goes."""

    def __init__(self) -> None:
        self.parser = safe_parser()
        self.parser.StartElementHandler = self.begin
        self.parser.EndElementHandler = self.end
        self.depth = self.count = 0
        self.inside = ""
        self.event: dict[str, str] = {}
        self.point: dict[str, str] = {}
        self.children: list[tuple[str, dict[str, str], int]] = []
        self.ends = 0
        self.dests: list[dict[str, str]] = []
        self.members: tuple[str, ...] = ()
        self.version = ""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth == 3 and self.inside == "detail":
            self.children.append((name, attributes, self.parser.CurrentByteIndex))
        elif self.depth == 2:
            self.inside = name
            if name == "point" and not self.point:
                self.point = attributes
        elif self.depth == 1:
            if name != "event":
                raise WrongEvent("it is no event")
            self.event = attributes
        elif name == "dest":
            self.dests.append(attributes)
        elif name == "chatgrp":
            self.members = tuple(attributes[k] for k in sorted(attributes) if k.startswith("uid"))
        elif name == "TakRequest":
            self.version = attributes.get("version", "")
        if name == "event" and self.depth > 1:
            raise WrongEvent("an event stands within an event")
        if self.depth > _DEEPEST or self.count > _MOST_ELEMENTS:
            raise WrongEvent("the event has too many elements, or too many in one another")

    def end(self, name: str) -> None:
        if self.depth == 2 and name == "detail" and not self.ends:
            self.ends = self.parser.CurrentByteIndex
        self.depth -= 1

    def message(self, data: bytes) -> Message:
        event, first = self.event, _First(self.children)
        kind = event.get("type", "")
        if not protocol.TYPE.fullmatch(kind):
            raise WrongEvent("the event's type is not one of Cursor on Target")
        control = kind.startswith("t-")
        sent = _time(event, "time", needed=not control)
        chat = first.of("__chat") if kind.startswith("b-t-f") else None
        return Message(
            uid=_uid(event.get("uid", "")),
            type=kind,
            how=event.get("how", "")[:20],
            sent=sent,
            start=_time(event, "start", needed=False) or sent,
            stale=_time(event, "stale", needed=not control),
            point=_place(self.point, needed=not control),
            xml=data,
            callsign=(first.of("contact") or {}).get("callsign", "").strip()[:_LONGEST_NAME],
            team=(first.of("__group") or {}).get("name", "")[:_LONGEST_NAME],
            callsigns=tuple(d["callsign"] for d in self.dests if d.get("callsign")),
            uids=tuple(d["uid"] for d in self.dests if d.get("uid")),
            groups=tuple(d["group"] for d in self.dests if d.get("group")),
            chat=chat,
            members=self.members,
            link=(first.of("link") or {}).get("uid", ""),
            version=int(self.version) if self.version in ("0", "1") else 0,
            children=self.children,
            ends=self.ends,
            access=event.get("access", "")[:40],
        )


class _First:
    """The first element of each name."""

    def __init__(self, children: list[tuple[str, dict[str, str], int]]) -> None:
        self._by_name: dict[str, dict[str, str]] = {}
        for name, attributes, _at in children:
            self._by_name.setdefault(name, attributes)

    def of(self, name: str) -> dict[str, str] | None:
        return self._by_name.get(name)


def _uid(text: str) -> str:
    uid = text.strip()
    if not 0 < len(uid) <= _LONGEST_UID or not uid.isprintable():
        raise WrongEvent(f"the event's uid is not 1 to {_LONGEST_UID} printable characters")
    return uid


def _time(event: dict[str, str], name: str, *, needed: bool) -> float:
    text = event.get(name)
    if text is None and not needed:
        return 0.0
    try:
        return parse_time(text or "").timestamp()
    except (BadInput, OverflowError, ValueError):
        if not needed:
            return 0.0
        raise WrongEvent(f"the event's {name} is not RFC 3339 with a zone") from None


def _place(point: dict[str, str], *, needed: bool) -> dict[str, str]:
    if not point and not needed:
        return {}
    try:
        lat, lon = float(point["lat"]), float(point["lon"])
    except (KeyError, ValueError):
        raise WrongEvent("the event's point has no latitude and longitude") from None
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise WrongEvent("the event's point is not on the earth")
    return point


def _plain(data: bytes) -> bytes:
    """A document without comments, sections of raw text and instructions: else the same."""
    out: list[str] = []
    parser = safe_parser()
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise WrongEvent("the event has too many elements, or too many in one another")
        out.append(f"<{name}{_written(attributes)}>")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        out.append(f"</{name}>")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: out.append(escape(text))
    parse_whole(parser, data)
    return "".join(out).encode()


def _written(attributes: dict[str, Any]) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in attributes.items())


def _of_protobuf(data: bytes) -> bytes:
    """A message of TAK protocol version 1 as a document; what it says is read from that."""
    try:
        message = wire_fields(data)
        if 2 not in message:
            raise WrongEvent("the message holds no event")
        event = wire_fields(message[2][-1])
        detail = wire_fields(event[15][-1]) if 15 in event else {}
        head = protocol.head_of(event)
        inner = protocol.typed_of(detail)
        rest = wire_text(detail, 1)
    except (WrongWire, TypeError, OverflowError, ValueError):
        raise WrongEvent("the message is not TAK protocol version 1") from None
    if rest:
        _check_fragment(rest)
        # what stands in the text goes before what is told beside it (detail.proto)
        inner = {name: told for name, told in inner.items() if f"<{name}" not in rest}
    typed = "".join(f"<{name}{_written(told)}/>" for name, told in inner.items())
    attributes, point = head
    written = f"<event{_written(attributes)}><point{_written(point)}/>"
    return f"{written}<detail>{rest}{typed}</detail></event>".encode()


def _check_fragment(text: str) -> None:
    """Raise WrongEvent where text is not whole elements: it could close what it stands in."""
    parse_whole(safe_parser(), f"<detail>{text}</detail>".encode())
