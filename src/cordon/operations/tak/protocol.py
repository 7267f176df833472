"""TAK protocol version 1 as it is written, and how client and server agree on it.

Source: the messages TakMessage, CotEvent, Detail and its parts as published with ATAK-CIV
(`takmessage.proto`, `cotevent.proto`, `detail.proto` and those beside them), and "TAK protocol
version negotiation for streaming connections" in its `protocol.txt`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cordon.kernel.clock import format_time
from cordon.picture import WireFields, wire_double, wire_fields, wire_text

MAGIC = b"\xbf"
VERSION = 1
TYPE = re.compile(r"[a-z](-[A-Za-z0-9._]{1,16}){0,16}")
UNKNOWN = 9999999.0  # a height or an error that is not known (cotevent.proto)
_LATEST_MS = 253_402_300_799_000  # the last second of the year 9999

_PARTS: Mapping[str, tuple[int, Mapping[str, tuple[int, str]]]] = {
    # element: its field in Detail, and its attributes with their fields and forms
    "contact": (2, {"endpoint": (1, "text"), "callsign": (2, "text")}),
    "__group": (3, {"name": (1, "text"), "role": (2, "text")}),
    "precisionlocation": (4, {"geopointsrc": (1, "text"), "altsrc": (2, "text")}),
    "status": (5, {"battery": (1, "count")}),
    "takv": (
        6,
        {"device": (1, "text"), "platform": (2, "text"), "os": (3, "text"), "version": (4, "text")},
    ),
    "track": (7, {"speed": (1, "float"), "course": (2, "float")}),
}


def varint(value: int) -> bytes:
    """A number that is not negative, as it stands on the wire."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def framed(message: bytes) -> bytes:
    """A message with the header of a stream."""
    return MAGIC + varint(len(message)) + message


def _text(number: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data if data else b""


def _count(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value) if value > 0 else b""


def _float(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value) if value else b""


def event(
    kind: str, uid: str, how: str, access: str, sent: float, start: float, stale: float,
    point: Mapping[str, str], children: Iterable[tuple[str, Mapping[str, str], bytes]],
) -> bytes:  # fmt: skip
    """A TakMessage that holds one event.

    Args:
        sent, start, stale: s since the epoch. point: its attributes (degrees, m).
        children: the elements of its detail: name, attributes, and their XML.
    """
    rest, parts, told = [], [], set()
    for name, attributes, xml in children:
        part = None if name in told else _part(name, attributes, xml)
        told.add(name)
        if part is None:
            rest.append(xml)
        else:
            parts.append(part)
    detail = _text(1, b"".join(rest).strip()) + b"".join(parts)
    body = (
        _text(1, kind) + _text(2, access) + _text(5, uid)
        + _count(6, _ms(sent)) + _count(7, _ms(start)) + _count(8, _ms(stale)) + _text(9, how)
        + _float(10, _number(point, "lat", 0.0)) + _float(11, _number(point, "lon", 0.0))
        + _float(12, _number(point, "hae", UNKNOWN)) + _float(13, _number(point, "ce", UNKNOWN))
        + _float(14, _number(point, "le", UNKNOWN))
        + (_text(15, detail) if detail else b"")
    )  # fmt: skip
    return _text(2, body)


def _part(name: str, attributes: Mapping[str, str], xml: bytes) -> bytes | None:
    """An element as a field of its own; None where that would not say all that it says."""
    if name not in _PARTS or not set(attributes) <= set(_PARTS[name][1]):
        return None
    tags = xml.count(b"<")
    if tags != 1 and not (tags == 2 and f"></{name}>".encode() in xml):
        return None  # it holds something
    number, known = _PARTS[name]
    out = b""
    try:
        for attribute, value in attributes.items():
            at, form = known[attribute]
            if form == "text":
                out += _text(at, value)
            elif form == "count":
                out += _count(at, int(value))
            else:
                out += _float(at, float(value))
    except ValueError:
        return None
    return _text(number, out) or None


def _ms(at: float) -> int:
    return max(0, min(round(at * 1000), _LATEST_MS))


def _number(point: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(point[name])
    except (KeyError, ValueError):
        return default


def head_of(event: WireFields) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes of a CotEvent's `event` and `point`; raises as the wire's functions do."""
    attributes = {
        "version": "2.0",
        "uid": wire_text(event, 5),
        "type": wire_text(event, 1),
        "how": wire_text(event, 9),
        "time": _iso(event, 6),
        "start": _iso(event, 7),
        "stale": _iso(event, 8),
    }
    attributes |= {k: v for k, v in (("access", wire_text(event, 2)),) if v}
    point = {
        name: repr(wire_double(event, number, 0.0))  # proto3 leaves out what is zero
        for number, name in enumerate(("lat", "lon", "hae", "ce", "le"), 10)
    }
    return attributes, point


def typed_of(detail: WireFields) -> dict[str, dict[str, Any]]:
    """The elements of a Detail that have fields of their own."""
    found = {}
    for name, (number, attributes) in _PARTS.items():
        if number not in detail:
            continue
        part = wire_fields(detail[number][-1])
        told: dict[str, Any] = {}
        for attribute, (at, form) in attributes.items():
            if at in part:
                told[attribute] = wire_text(part, at) if form == "text" else part[at][-1]
        if name == "track":  # proto3 leaves out what is zero
            told = {"speed": 0.0, "course": 0.0} | told
        found[name] = told
    return found


def _iso(event: WireFields, number: int) -> str:
    value = event.get(number, [0])[-1]
    if not isinstance(value, int) or value > _LATEST_MS:
        raise ValueError(number)
    return iso(value / 1000)


def iso(at: float) -> str:
    """A time (s since the epoch) as events write it."""
    return format_time(datetime.fromtimestamp(at, tz=UTC))


def control(kind: str, uid: str, now: float, inner: str = "") -> bytes:
    """An event by which server and client speak of their connection; `inner` is its detail."""
    at, until = iso(now), iso(now + 20)
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{at}" start="{at}" '
        f'stale="{until}"><point lat="0.0" lon="0.0" hae="0.0" ce="9999999" le="9999999"/>'
        f"<detail>{inner}</detail></event>"
    ).encode()


def offer(now: float) -> bytes:
    """The server says which versions it speaks (t-x-takp-v)."""
    inner = f'<TakControl><TakProtocolSupport version="{VERSION}"/></TakControl>'
    return control("t-x-takp-v", "protouid", now, inner)


def answer(now: float, agreed: bool) -> bytes:
    """The server agrees to a version that was asked for, or does not (t-x-takp-r)."""
    inner = f'<TakControl><TakResponse status="{str(agreed).lower()}"/></TakControl>'
    return control("t-x-takp-r", "protouid", now, inner)


def pong(now: float) -> bytes:
    """The answer to a ping (t-x-c-t)."""
    return control("t-x-c-t-r", "takPong", now)
