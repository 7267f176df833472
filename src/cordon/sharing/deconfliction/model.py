"""Words of deconfliction: a planned act, what it claims, a check of it, a conflict."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput
from cordon.sharing.deconfliction.place import Place

LONGEST = timedelta(days=31)
MOST_SUBJECTS = 20
MOST_BUFFER_MIN = 7 * 24 * 60
MOST_SUBJECT_DAYS = 90
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 2100))
SHORTEST_WHY = 10
SUBJECT_TYPES = ("person", "number", "imei", "imsi", "account", "vehicle", "mmsi", "imo")
_SUBJECT = re.compile(r"([a-z]{2,20}):(.{1,100})")
_LEFT_OUT = re.compile(r"[\s./()_\-]+")


class ActState(StrEnum):
    """Where a planned act stands."""

    PLANNED = "planned"
    GOING = "going"
    DONE = "done"
    CANCELLED = "cancelled"


LIVE = (ActState.PLANNED, ActState.GOING)


class ConflictState(StrEnum):
    """How far one side of a conflict has come."""

    OPEN = "open"
    OWNED = "owned"
    SOLVED = "solved"
    OVERRIDDEN = "overridden"
    GONE = "gone"  # one of the two was moved, cancelled or ended


@dataclass(frozen=True, slots=True)
class Claim:
    """What a planned act asks others to keep out of, as it goes to another node.

    Attributes:
        ref: random pointer (32 hex digits). revision: counts its changes, from 1.
        start, end: with the buffer. subject_start, subject_end: for the same subject.
        tokens: of its subjects, under the pair's key (hex). joint: of its joint name, or None.
        ring: whom to ring.
    """

    ref: str
    revision: int
    place: Place
    start: datetime
    end: datetime
    subject_start: datetime
    subject_end: datetime
    tokens: tuple[str, ...]
    joint: str | None
    ring: str


@dataclass(frozen=True, slots=True)
class Met:
    """A planned act of the one that was asked, of which the one that asked learns this alone.

    Attributes:
        basis: `place` (and time), `subject`, or both.
    """

    ref: str
    revision: int
    ring: str
    basis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A planned act as an officer enters it; checked by `draft`."""

    kind: str
    title: str
    place: Place
    start: datetime
    end: datetime
    buffer_min: float
    subject_days: float
    subjects: tuple[str, ...]
    commander: str
    ring: str
    joint: str
    mark: Mark = Mark.AMBER

    def ends_before(self, moment: datetime) -> bool:
        """Whether it is past, with its buffer."""
        return self.end + timedelta(minutes=self.buffer_min) < moment


@dataclass(frozen=True, slots=True)
class Check:
    """Whether another agency was asked about an act as it is now.

    Attributes:
        party: the agency's code. at: when it answered, or None. problem: why it did not.
    """

    party: str
    at: datetime | None
    problem: str
    overridden_by: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """That a planned act meets another agency's, seen from this side.

    Attributes:
        act: this side's planned act. party: the other agency. ring: whom to ring there.
        state, who, how: this side's answer. theirs, their_who, their_how: the other side's.
    """

    id: str
    agency: str
    mark: Mark
    act: str
    title: str
    party: str
    ring: str
    basis: tuple[str, ...]
    state: ConflictState
    who: str
    how: str
    theirs: ConflictState
    their_who: str
    their_how: str
    opened_at: datetime
    since: datetime

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of the act: until both say solved, or one here overrides."""
        if self.state in (ConflictState.OVERRIDDEN, ConflictState.GONE):
            return False
        return not (self.state == ConflictState.SOLVED and self.theirs == ConflictState.SOLVED)

    def thing(self) -> Thing:
        """The conflict as policies see it."""
        return Thing("conflict", self.id, self.agency, self.mark)


@dataclass(frozen=True, slots=True)
class PlannedAct:
    """A planned act as its own node keeps it."""

    id: str
    agency: str
    mark: Mark
    draft: Draft
    state: ActState
    revision: int
    entered_by: str
    created_at: datetime
    why: str = ""

    def thing(self) -> Thing:
        """The act as policies see it."""
        return Thing("planned_act", self.id, self.agency, self.mark)


@dataclass(frozen=True, slots=True)
class Shown:
    """A planned act with its checks and conflicts, subjects masked where nothing covers them.

    Attributes:
        unagreed: agencies whose nodes are known and which are not asked: no agreement is in force
            by which planned acts are checked with them.
    """

    act: PlannedAct
    subjects: tuple[str, ...]
    checks: tuple[Check, ...]
    conflicts: tuple[Conflict, ...]
    unagreed: tuple[str, ...] = ()

    @property
    def unchecked(self) -> tuple[Check, ...]:
        """Agencies that have not answered yet and that nobody went ahead over."""
        return tuple(c for c in self.checks if c.at is None and not c.overridden_by)

    @property
    def blocking(self) -> tuple[Conflict, ...]:
        """Conflicts that stand in its way."""
        return tuple(c for c in self.conflicts if c.blocks)


def subject(text: str) -> str:
    """A subject in the one way in which all nodes write it; BadInput where it is none.

    Case, spaces and separators of an identifier say nothing: `vehicle:LEA-1234` and
    `vehicle:lea 1234` are one.
    """
    found = _SUBJECT.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())
    id_ = _LEFT_OUT.sub("", found[2]) if found else ""
    if found is None or found[1] not in SUBJECT_TYPES or not id_ or not id_.isprintable():
        raise BadInput(
            f"“{text[:40]}” is no subject.",
            advice="Write one as type:identifier, the type one of "
            + ", ".join(SUBJECT_TYPES)
            + ".",
        )
    return f"{found[1]}:{id_}"


def joint_name(text: str) -> str:
    """The name under which all agencies of a joint act enter it, in one way of writing."""
    name = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if name and not (4 <= len(name) <= 60 and name.isprintable()):
        raise BadInput("The name of a joint act has 4 to 60 characters.")
    return name


def line(text: str, what: str, most: int, *, least: int = 1) -> str:
    """A text in one line; BadInput where it is too short or too long."""
    said = " ".join(text.split())
    if not least <= len(said) <= most or not said.isprintable():
        raise BadInput(f"{what} has {least} to {most} characters.")
    return said


def draft(one: Draft) -> Draft:
    """The same, written in the one way, where it can be kept; BadInput says what is wrong."""
    if one.end <= one.start:
        raise BadInput("It ends before it begins.", advice="Correct one of the two times.")
    if not 0 <= one.buffer_min <= MOST_BUFFER_MIN or not 0 <= one.subject_days <= MOST_SUBJECT_DAYS:
        raise BadInput(
            f"A buffer is 0 to {MOST_BUFFER_MIN} minutes; days for a subject are 0 to "
            f"{MOST_SUBJECT_DAYS}."
        )
    if not EARLIEST <= one.start <= LATEST:
        raise BadInput("Its time is not of this century.", advice="Correct the two times.")
    if one.end - one.start > LONGEST:
        raise BadInput(f"A planned act lasts {LONGEST.days} days at most.")
    if len(one.subjects) > MOST_SUBJECTS:
        raise BadInput(f"A planned act has {MOST_SUBJECTS} subjects at most.")
    if one.mark is Mark.RED:
        raise BadInput("A planned act cannot be TLP:RED: a watch must be able to read it.")
    return Draft(
        one.kind, line(one.title, "The title", 120), one.place, one.start, one.end,
        one.buffer_min, one.subject_days, tuple(sorted({subject(s) for s in one.subjects})),
        line(one.commander, "The commander's name", 80),
        line(one.ring, "Whom to ring", 80, least=4), joint_name(one.joint), one.mark,
    )  # fmt: skip
