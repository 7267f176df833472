"""Words of a release: its parts, what is left out of them, and where it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import (
    ANSWERS,
    AgencyKind,
    DataClass,
    Doing,
    Handling,
    Marks,
    Purpose,
)

MOST_PARTS = 200


class Way(StrEnum):
    """Whether this node sent a release or received it."""

    SENT = "sent"
    RECEIVED = "received"


class ReleaseState(StrEnum):
    """Where a release stands at this node."""

    WAITING = "waiting"  # for a second officer
    DECLINED = "declined"  # by the second officer
    SENT = "sent"  # and no receipt came yet
    REFUSED = "refused"  # by the receiver's node
    HELD = "held"  # the receiver has it
    RECALLING = "recalling"  # asked back; the proof has not come
    RECALLED = "recalled"  # removed at the receiver, with proof
    EXPIRED = "expired"  # removed when its time was past


GONE = frozenset({ReleaseState.RECALLED, ReleaseState.EXPIRED, ReleaseState.REFUSED})
"""States in which a receiver holds nothing of it."""


ONWARD = ("onward_asked", "onward_allowed", "onward_declined", "passed_on", "onward_gone")
"""Steps of passing something on; each names the third agency."""


class Use(StrEnum):
    """What a receiver says of it."""

    USEFUL = "useful"
    KNOWN = "known"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a release, just as it leaves.

    Attributes:
        ref: global name, `agency:uuid`. class_: its class of data. title: one line.
        body: what is said of it. withheld: what was left out, each with how many.
    """

    ref: str
    class_: DataClass
    title: str
    mark: Mark
    body: dict[str, Any]
    withheld: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "ref": self.ref, "class": self.class_.value, "title": self.title,
            "mark": self.mark.value, "body": self.body, "withheld": self.withheld,
        }  # fmt: skip

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Part:
        """A part as another node told it; BadInput."""
        try:
            body, withheld = given["body"], given["withheld"]
            ref, title = given["ref"], given["title"]
            whole = isinstance(body, dict) and isinstance(withheld, dict)
            whole = whole and all(isinstance(n, int) for n in withheld.values())
            whole = whole and _plain_body(body)
            class_ = DataClass(given["class"])
            if (
                class_ in ANSWERS
                or not whole
                or not isinstance(ref, str)
                or not isinstance(title, str)
            ):
                raise ValueError
            return cls(
                ref[:80], class_, title[:200], Mark(given["mark"]), body,
                withheld,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise BadInput("A part of the release cannot be read.") from None


@dataclass(frozen=True, slots=True)
class Left:
    """A thing that does not go, and the clauses that say so; `personal` data of it counts too."""

    ref: str
    class_: str
    title: str
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What exactly would leave.

    Attributes:
        agreement: id of the one that it goes under, or None where nothing goes.
        marks: the strictest of the parts. left: what does not go, with the reasons.
    """

    to: str
    purpose: Purpose
    agreement: str | None
    marks: Marks
    parts: tuple[Part, ...]
    left: tuple[Left, ...]
    expires_at: datetime | None

    @property
    def asks_for_second(self) -> bool:
        """Whether a second officer must agree."""
        return self.marks.asks_for_second


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a release: when, what (a word), by whom, and what was said."""

    at: datetime
    what: str
    by: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Release:
    """A release as this node keeps it; `parts` are gone at the receiver once it was removed.

    Attributes:
        peer: the other agency. sha256: of its canonical parts (hex).
    """

    id: str
    agency: str
    way: Way
    peer: str
    originator: str
    agreement: str
    purpose: Purpose
    marks: Marks
    state: ReleaseState
    parts: tuple[Part, ...]
    sha256: str
    asked_by: str
    at: datetime
    expires_at: datetime
    steps: tuple[Step, ...] = ()

    @property
    def onward(self) -> dict[str, Step]:
        """The last step of passing it on to each third agency."""
        return {s.detail["to"]: s for s in self.steps if s.what in ONWARD}

    def permits(self, doing: Doing) -> bool:
        """Whether the agency that it came from first allowed this, as far as its steps say.

        That something passed on may be seen here is what the permission to pass it on says.
        """
        if doing is Doing.SEE:
            return any(s.what == "came" and "permission" in s.detail for s in self.steps)
        return any(s.what == "allowed" and s.detail.get("doing") == doing for s in self.steps)

    def thing(self) -> Thing:
        """The release as policies see it."""
        return Thing("release", self.id, self.agency, self.marks.mark)


_LISTS: dict[str, type] = {"subjects": str, "reasons": dict, "exhibits": dict}
_WORDS = (str, int, float, bool, type(None))


def _plain_body(body: Mapping[str, Any]) -> bool:
    """Whether a body has the shape that pages can draw, whoever wrote it."""
    for name, value in body.items():
        kind = _LISTS.get(name)
        if kind is not None:
            if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
                return False
            inner = [v for one in value if isinstance(one, dict) for v in one.values()]
            if not all(isinstance(v, _WORDS) for v in inner):
                return False
        elif name == "place":
            if not isinstance(value, dict):
                return False
        elif not isinstance(value, _WORDS):
            return False
    return True


def digest(parts: list[dict[str, Any]]) -> str:
    """SHA-256 (hex) of parts as JSON values, written in one way."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def marks_of(given: Mapping[str, Any]) -> Marks:
    """Marks as another node or a row says them; BadInput where one is not known here."""
    try:
        return Marks(
            Mark(given["mark"]), frozenset(map(Handling, given["handling"])) | {Handling.H0},
            frozenset(map(AgencyKind, given["caveats"])), Grade.read(given.get("grade")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise BadInput(  # a limit that nobody here knows is kept by nobody
            "The release has a mark that this node does not know."
        ) from None


def plain_marks(marks: Marks) -> dict[str, Any]:
    """Marks as JSON values; `grade` where there is one."""
    plain: dict[str, Any] = {
        "mark": marks.mark.value, "handling": sorted(marks.handling),
        "caveats": sorted(marks.caveats),
    }  # fmt: skip
    return plain | ({"grade": str(marks.grade)} if marks.grade else {})
