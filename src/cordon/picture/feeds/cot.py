"""Cursor on Target: one event, as XML (version 2.0) or as TAK protocol version 1, read safely.

An event tells who is where when: `uid`, `type`, `time`, and a point. Only atoms (`a-…`) are
things that are somewhere; chat, tasks and drawings (`b-…`, `t-…`, …) are passed over.

**Who is it.** In this order: a uid that holds an MMSI or an ICAO address as gateways write them
(`MMSI-366892000`, `AIS.366892000`, `ICAO-A1B2C3`) is that craft; a friend (`a-f-…`) is an own
unit; an unmanned aircraft that is none is a drone; a ground sensor (`a-?-G-E-S`) is a sensor;
anything else is a track of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.units import MS_PER_KNOT
from cordon.picture.feeds.wire import Fields, WrongWire, double, fields, text
from cordon.picture.model import KINDS

MOST_BYTES = 1 << 20  # of one event; a larger one is refused, and never held as a whole
_DEEPEST = 32  # elements in one another
_LONGEST_UID = 128
_NAN = float("nan")

_CRAFT = re.compile(r"(?:MMSI|AIS)[-._: ]?(\d{9})", re.IGNORECASE)
_AIRFRAME = re.compile(r"ICAO[-._: ]?([0-9A-F]{6})", re.IGNORECASE)
_TYPE = re.compile(r"[a-z](-[A-Za-z0-9.]{1,12}){0,12}")
_KIND = {name: code for code, name in enumerate(KINDS)}


class WrongEvent(ValueError):
    """An event that cannot be taken; its words are the reason, without the event's content."""


class NotSomewhere(Exception):
    """An event that is sound but tells of nothing that is somewhere."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event tells.

    Attributes:
        t: s since the epoch. lat, lon: degrees. error: circular error (m). speed: kn.
        course: degrees. NaN where not told.
    """

    uid: str
    type: str
    t: float
    lat: float
    lon: float
    error: float = _NAN
    speed: float = _NAN
    course: float = _NAN
    name: str = ""

    @property
    def subject(self) -> str:
        """`type:id` of who it is; see the module."""
        if found := _CRAFT.search(self.uid):
            return f"mmsi:{found[1]}"
        if found := _AIRFRAME.search(self.uid):
            return f"icao:{found[1].upper()}"
        side, what = self.type[2:3], self.type[4:]
        if side == "f":
            return f"unit:{self.uid}"
        if re.match(r"A-[MC]-[FH]-[Qq]", what):
            return f"drone:{self.uid}"
        if what.startswith("G-E-S"):
            return f"sensor:{self.uid}"
        return f"track:{self.uid}"

    @property
    def kind(self) -> int:
        """Index into KINDS, by the battle dimension of the type (`a-?-S`, `-G`, `-A`)."""
        what = self.type[4:]
        if what[:1] in ("S", "U"):
            return _KIND["vessel"]
        if what[:1] == "A":
            return _KIND["aircraft"]
        if what.startswith("G-E-V"):
            return _KIND["vehicle"]
        if what.startswith("G-U"):
            return _KIND["person"]
        return _KIND["unknown"]


def of_xml(data: bytes) -> Event:
    """Read one `<event>`.

    Raises:
        WrongEvent: it is broken, holds a document type or an entity of its own, is too deep, or
            says not who, when or where. NotSomewhere: it is no atom.
    """
    reader = _Reader()
    parser = safe_parser()
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parse_whole(parser, data)
    return _event(reader.event, reader.point, reader.track, reader.contact)


def safe_parser() -> expat.XMLParserType:
    """A parser of XML that takes no document type and no entity but the five of XML itself.

    `parse_whole` makes it read, and says as WrongEvent what is wrong.
    """
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _no_types
    parser.EntityDeclHandler = _no_types
    parser.ExternalEntityRefHandler = _no_types
    return parser


def parse_whole(parser: expat.XMLParserType, data: bytes) -> None:
    """Let a parser read one document whole; raises WrongEvent as `of_xml`."""
    try:
        parser.Parse(data, True)
    except expat.ExpatError as wrong:
        raise _broken(wrong) from None


class Unfinished(WrongEvent):
    """XML that ends before its end: more of it may come."""


def _broken(wrong: expat.ExpatError) -> WrongEvent:
    code = expat.errors.codes  # messages by number, and numbers by message
    unfinished = (
        "no element found",
        "unclosed token",
        "unclosed CDATA section",
        "partial character",
    )
    if wrong.code in {code.get(name) for name in unfinished}:
        return Unfinished("the event is cut short")
    if wrong.code == code.get("undefined entity"):
        return WrongEvent("the event names an entity that nobody declared")
    return WrongEvent("the event is not well-formed XML")


def _no_types(*_: Any) -> int:
    raise WrongEvent("document types and entities are not taken")


class _Reader:
    """Keeps the attributes of what is asked for, of its first place in the event."""

    def __init__(self) -> None:
        self.depth = 0
        self.event: dict[str, str] = {}
        self.point: dict[str, str] = {}
        self.track: dict[str, str] = {}
        self.contact: dict[str, str] = {}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise WrongEvent(f"more than {_DEEPEST} elements stand in one another")
        if self.depth == 1:
            if name != "event":
                raise WrongEvent("it is no event")
            self.event = attributes
        elif self.depth == 2 and name == "point" and not self.point:
            self.point = attributes
        elif self.depth == 3 and name == "track" and not self.track:
            self.track = attributes
        elif self.depth == 3 and name == "contact" and not self.contact:
            self.contact = attributes

    def end(self, _name: str) -> None:
        self.depth -= 1


def _event(
    event: dict[str, str], point: dict[str, str], track: dict[str, str], contact: dict[str, str]
) -> Event:
    kind = event.get("type", "")
    if not _TYPE.fullmatch(kind):
        raise WrongEvent("the event's type is not one of Cursor on Target")
    if not kind.startswith("a-"):
        raise NotSomewhere
    if not point:
        raise WrongEvent("the event has no point")
    try:
        t = parse_time(event.get("time", "")).timestamp()
    except (BadInput, OverflowError, ValueError):
        raise WrongEvent("the event's time is not RFC 3339 with a zone") from None
    return Event(
        _uid(event.get("uid", "")),
        kind,
        t,
        _number(point, "lat"),
        _number(point, "lon"),
        _number(point, "ce", needed=False),
        _number(track, "speed", needed=False) / MS_PER_KNOT,  # metres a second
        _number(track, "course", needed=False),
        contact.get("callsign", "").strip()[:80],
    )


def _uid(text: str) -> str:
    uid = text.strip()
    if not 0 < len(uid) <= _LONGEST_UID or not uid.isprintable():
        raise WrongEvent(f"the event's uid is not 1 to {_LONGEST_UID} printable characters")
    return uid


def _number(attributes: dict[str, str], name: str, *, needed: bool = True) -> float:
    try:
        return float(attributes[name])
    except (KeyError, ValueError):
        if needed:
            raise WrongEvent(f"the point's {name} is not a number") from None
        return _NAN


def of_protobuf(data: bytes) -> Event:
    """Read one TakMessage of TAK protocol version 1, without its header; raises as `of_xml`."""
    try:
        message = fields(data)
        event = message.get(2)
        if event is None:
            raise NotSomewhere  # a control message
        return _of_message(fields(event[-1]))
    except (WrongWire, TypeError):
        raise WrongEvent("the message is not TAK protocol version 1") from None


def _of_message(event: Fields) -> Event:
    kind = text(event, 1)
    if not _TYPE.fullmatch(kind):
        raise WrongEvent("the event's type is not one of Cursor on Target")
    if not kind.startswith("a-"):
        raise NotSomewhere
    sent = event.get(6, [0])[-1]
    if not isinstance(sent, int):
        raise WrongWire
    detail = fields(event[15][-1]) if 15 in event else {}
    contact = fields(detail[2][-1]) if 2 in detail else {}
    track = fields(detail[7][-1]) if 7 in detail else {}
    # proto3 leaves out what is zero: a point on the equator has no latitude of its own
    return Event(
        _uid(text(event, 5)),
        kind,
        sent / 1000,
        double(event, 10, 0.0),
        double(event, 11, 0.0),
        double(event, 13, _NAN),
        double(track, 1, 0.0) / MS_PER_KNOT if track else _NAN,
        double(track, 2, 0.0) if track else _NAN,
        text(contact, 2).strip()[:80],
    )
