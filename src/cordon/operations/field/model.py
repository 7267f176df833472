"""Words of the phones: an act that was said on one, its clock, and what became of it.

What a phone sends is a claim: it is read here, whole and bounded, before anything is done with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson

from cordon.kernel.clock import Clock, beside, parse_time, played
from cordon.kernel.errors import BadInput
from cordon.operations.model import Position, TaskingState

CLOCK_LIMIT = timedelta(seconds=60)
"""A phone whose clock is off by more is told so, and so is whoever reads what it sent."""

FURTHEST_CLOCK = timedelta(days=36525)  # a century: what is beyond it is no clock
LARGEST_ACT = 16_384  # bytes of one act as JSON
MOST_ACTS, MOST_FIXES = 100, 500  # of one message
LARGEST_PHOTO = 20 << 20
LARGEST_PART = 256 << 10
MOST_ARRIVING = 100  # photos of one officer that are not whole yet
LEAST_ACCURATE_M = 5_000.0  # a fix by cell towers alone is no position of a unit

SAID_STEPS = (
    TaskingState.ACKNOWLEDGED,
    TaskingState.MOVING,
    TaskingState.ON_SCENE,
    TaskingState.DONE,
    TaskingState.DECLINED,
)
NEXT: Mapping[TaskingState, TaskingState] = MappingProxyType(
    {
        TaskingState.SENT: TaskingState.ACKNOWLEDGED,
        TaskingState.ACKNOWLEDGED: TaskingState.MOVING,
        TaskingState.MOVING: TaskingState.ON_SCENE,
        TaskingState.ON_SCENE: TaskingState.DONE,
    }
)
"""What the one big button says."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # what no database keeps
PHOTO_TYPES = ("image/jpeg", "image/png")


class ActKind(StrEnum):
    """What an officer can say on a phone."""

    STEP = "step"  # how far the unit has come
    FORM = "form"  # what was found, as a form
    PHOTO = "photo"  # that a photo follows, with its hash


class Outcome(StrEnum):
    """What became of an act."""

    APPLIED = "applied"
    CONFLICT = "conflict"  # it could not be done any more: a person looks at it
    REFUSED = "refused"  # it may not be done, or cannot be read: a person looks at it


@dataclass(frozen=True, slots=True)
class Said:
    """One act as a phone said it.

    Attributes:
        id: UUID that the phone made; the same id is the same act, however often it comes.
        number: its place among the acts of its phone, from 1 and without a gap.
        said_at: by the phone's clock. offset: how far the phone last knew its clock to be
            behind the node's (add it to get the node's time); None where it never knew.
        tasking: id. body: what else it says, checked by its kind.
        position: where the phone was, or None.
        digest: SHA-256 of all of it, to tell a repeat from another act under the same id.
    """

    id: str
    number: int
    kind: ActKind
    said_at: datetime
    offset: timedelta | None
    tasking: str
    position: Position | None
    body: Mapping[str, Any]
    digest: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Fix:
    """One position of a phone. Attributes: `number` from 1; as in `Said`; accuracy (m, 68 %)."""

    number: int
    said_at: datetime
    offset: timedelta | None
    position: Position
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one act. `id` is None where it had none that could be read."""

    id: str | None
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """When an act was said, by the node's clock, and whether the phone's was wrong.

    Attributes:
        at: never later than now. offset: that `at` was made with. wrong: off by more than
            `CLOCK_LIMIT`, or set to another time between the act and its sending.
    """

    at: datetime
    offset: timedelta
    wrong: bool


def told(said_at: datetime, known: timedelta | None, measured: timedelta, now: datetime) -> Told:
    """When something was said, by the node's clock.

    Args:
        known: the phone's offset as it knew it at the act; None where it did not.
        measured: its offset as this node sees it now, which is larger by the way here.
    """
    offset = measured if known is None else known
    moved = known is not None and abs(known - measured) > CLOCK_LIMIT
    try:
        at = said_at + offset
    except OverflowError:  # both are thousands of years off
        return Told(now, offset, True)
    wrong = moved or abs(offset) > CLOCK_LIMIT or at > now + CLOCK_LIMIT
    return Told(min(at, now), offset, wrong)


def told_here(
    clock: Clock, said_at: datetime, known: timedelta | None, measured: timedelta, now: datetime
) -> Told:
    """The same on a node whose clock may be played: phones go by the clock beside it, and what
    they say is wrong or right by that; `at` is the node's own time all the same.

    Args:
        now: by the node's clock.
    """
    when = told(said_at, known, measured, beside(clock))
    try:
        at = played(clock, when.at)
    except OverflowError:  # a phone that is decades off, at many times the speed
        at = now
    return replace(when, at=min(at, now))


def read_act(raw: object) -> Said:
    """One act of a message.

    Raises:
        BadInput: it cannot be read; the message names the field.
    """
    data = _object(raw, "An act")
    packed = _packed(data)
    data = orjson.loads(packed)  # as it is kept: without numbers that JSON has not
    kind = _one_of(ActKind, data.get("kind"), "kind")
    body = {
        ActKind.STEP: _step,
        ActKind.FORM: _form,
        ActKind.PHOTO: _photo,
    }[ActKind(kind)](data)
    return Said(
        id=read_id(data.get("id")),
        number=_whole(data.get("number"), "number", 1, 2**31 - 1),
        kind=ActKind(kind),
        said_at=read_time(data.get("at"), "at"),
        offset=read_offset(data.get("offset_ms")),
        tasking=read_id(data.get("tasking"), "tasking"),
        position=_place(data.get("position")),
        body=body,
        digest=hashlib.sha256(packed).hexdigest(),
    )


def read_fix(raw: object) -> Fix:
    """One position of a message; BadInput."""
    data = _object(raw, "A position")
    place = _place(data)
    if place is None:
        raise BadInput("A position has no lat and lon.", advice="Give both in degrees.")
    return Fix(
        number=_whole(data.get("number"), "number", 1, 2**31 - 1),
        said_at=read_time(data.get("at"), "at"),
        offset=read_offset(data.get("offset_ms")),
        position=place,
        accuracy_m=_number(data.get("accuracy_m"), "accuracy_m", 0.0, 1e7),
    )


def read_id(value: object, what: str = "id") -> str:
    """A UUID in small letters, or BadInput."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadInput(f"The field {what} is no UUID.", advice="Load the field page anew.")
    return value


def read_time(value: object, what: str) -> datetime:
    """A time in RFC 3339, or BadInput."""
    if not isinstance(value, str) or len(value) > 40:
        raise BadInput(f"The field {what} is no time.", advice="Write it in RFC 3339.")
    moment = parse_time(value)
    if not 1970 < moment.year < 9000:  # an offset of a century must still fit a calendar
        raise BadInput(f"The field {what} is no time of a phone.", advice="Set its clock.")
    return moment


def read_offset(value: object) -> timedelta | None:
    """A clock's offset (whole milliseconds), None where there is none, or BadInput."""
    if value is None:
        return None
    most = int(FURTHEST_CLOCK.total_seconds() * 1000)
    return timedelta(milliseconds=_whole(value, "offset_ms", -most, most))


def clean(value: Any) -> str:
    """Text of a phone without what no database keeps, and without spaces around it."""
    return _UNKEPT.sub("\ufffd", str(value)).strip()


def _step(data: Mapping[str, Any]) -> dict[str, Any]:
    to = _one_of(SAID_STEPS, data.get("to"), "to")
    return {"to": to, "note": _text(data.get("note", ""), "note", 4000)}


def _form(data: Mapping[str, Any]) -> dict[str, Any]:
    values = _object(data.get("values"), "The field values")
    return {"form": _text(data.get("form"), "form", 40), "values": values}


def _photo(data: Mapping[str, Any]) -> dict[str, Any]:
    sha256 = data.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise BadInput("The field sha256 is no SHA-256.", advice="Take the photo anew.")
    size = _whole(data.get("size"), "size", 1, 2**31 - 1)
    if size > LARGEST_PHOTO:
        raise BadInput(
            f"The photo has {size:,} bytes; this node takes {LARGEST_PHOTO:,}.",
            advice="Take it with fewer pixels. Keep the first one on the phone.",
        )
    kind = _one_of(PHOTO_TYPES, data.get("media_type"), "media_type")
    return {"sha256": sha256, "size": size, "media_type": kind}


def _packed(data: Mapping[str, Any]) -> bytes:
    try:
        packed = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError, RecursionError):  # a lone surrogate, or lists without end
        raise BadInput("An act holds what is no text.", advice="Write it anew.") from None
    if len(packed) > LARGEST_ACT:
        raise BadInput(
            f"An act has {len(packed):,} bytes; this node takes {LARGEST_ACT:,}.",
            advice="Write less.",
        )
    if b"\\u0000" in packed:
        raise BadInput("An act holds a character that is no text.", advice="Write it anew.")
    return packed


def _object(raw: object, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise BadInput(f"{what} is no object.", advice="Load the field page anew.")
    return raw


def _text(value: object, what: str, most: int) -> str:
    if not isinstance(value, str):
        raise BadInput(f"The field {what} is no text.", advice="Write it anew.")
    if len(value) > most:
        raise BadInput(f"The field {what} has more than {most} characters.", advice="Write less.")
    return value.strip()


def _whole(value: object, what: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadInput(f"The field {what} is no whole number from {least} to {most}.")
    return value


def _number(value: object, what: str, least: float, most: float) -> float:
    if type(value) not in (int, float) or not least <= float(value) <= most:  # type: ignore[arg-type]
        raise BadInput(f"The field {what} is no number from {least:g} to {most:g}.")
    return float(value)  # type: ignore[arg-type]


def _one_of(values: Any, value: object, what: str) -> str:
    known = [str(v) for v in values]
    if not isinstance(value, str) or value not in known:
        raise BadInput(f"The field {what} is not one of {', '.join(known)}.")
    return value


def _place(raw: object) -> Position | None:
    if raw is None:
        return None
    data = _object(raw, "A position")
    return Position(
        _number(data.get("lat"), "lat", -90.0, 90.0), _number(data.get("lon"), "lon", -180.0, 180.0)
    )
