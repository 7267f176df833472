"""Words of an agreement: its terms, whom a question is about, and the answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from cordon.kernel.access.model import Mark, Role, Thing
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.sharing.agreements.grades import Grade, lowest

_AGENCY = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
LONGEST_DAYS = 3650
MOST_PARTIES = 20
_T = TypeVar("_T")


class AgencyKind(StrEnum):
    """Kinds of agency, which caveats speak of."""

    FEDERAL = "federal"
    PROVINCIAL = "provincial"
    COAST = "coast"
    FOREIGN = "foreign"


class DataClass(StrEnum):
    """Classes of data; findings by the room that found them, personal data by its kind.

    `match.…`, `standing.…` and `deconfliction` are answers to questions between nodes: whether a
    value is held, that one was met since, and whether a planned act is in another's way. They
    never go by a release.
    """

    CASES = "cases"
    EXHIBITS = "exhibits"
    PICTURE = "findings.picture"
    CALLS = "findings.calls"
    MONEY = "findings.money"
    PERSONAL_CALLS = "personal.calls"
    PERSONAL_PAYMENTS = "personal.payments"
    PERSONAL_PERSONS = "personal.persons"
    MATCH_NUMBER = "match.number"
    MATCH_ACCOUNT = "match.account"
    MATCH_PLATE = "match.plate"
    MATCH_VESSEL = "match.vessel"
    MATCH_DOCUMENT = "match.document"
    MATCH_NAME = "match.name"
    STANDING_NUMBER = "standing.number"
    STANDING_ACCOUNT = "standing.account"
    STANDING_PLATE = "standing.plate"
    STANDING_VESSEL = "standing.vessel"
    STANDING_DOCUMENT = "standing.document"
    STANDING_NAME = "standing.name"
    DECONFLICTION = "deconfliction"


ANSWERS = frozenset(
    c for c in DataClass
    if c.startswith(("match.", "standing.")) or c is DataClass.DECONFLICTION
)  # fmt: skip
"""Classes of answers between nodes."""


class Purpose(StrEnum):
    """What something is given for."""

    COUNTER_TERRORISM = "counter_terrorism"
    ORGANISED_CRIME = "organised_crime"
    FRAUD = "fraud"
    BORDER = "border_security"
    LIFE = "safety_of_life"


class Handling(StrEnum):
    """Europol's handling codes; without one of the others, H0 holds."""

    H0 = "H0"  # for preventing and fighting crime
    H1 = "H1"  # not in court without permission
    H2 = "H2"  # not passed on without permission
    H3 = "H3"  # other limits, which its caveats say


class Onward(StrEnum):
    """Whether something may go further."""

    NEVER = "never"
    ASK = "ask"  # with the permission of whom it came from


class Doing(StrEnum):
    """What an officer of the receiver may want to do with something."""

    SEE = "see"
    USE_IN_COURT = "use_in_court"
    PASS_ON = "pass_on"  # noqa: S105 - no password


GIVEN_ROLES = frozenset(
    {Role.WATCH_OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.FIELD_OFFICER, Role.OVERSEER}
)
"""Roles that an agreement can let see; an administrator's or a program's is none of them."""


@dataclass(frozen=True, slots=True)
class Party:
    """An agency of the agreement: its code and kind, and whether it gives and receives."""

    agency: str
    kind: AgencyKind
    gives: bool
    receives: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed; the one source of the page, of the Cedar text and of what is signed.

    Attributes:
        highest: strictest mark that may go, never TLP:RED, which names persons.
        handling: codes that the receivers can keep to; H0 always.
        roles: who may see it at the receivers.
        onward: rule for passing on. third_party: rule for giving what came from another agency.
        retention_days: after which the receiver removes it. starts, ends: aware UTC.
        grade: the least that a release must have, letter and digit each; None: none is asked for.
    """

    title: str
    parties: tuple[Party, ...]
    classes: frozenset[DataClass]
    purposes: frozenset[Purpose]
    highest: Mark
    handling: frozenset[Handling]
    roles: frozenset[Role]
    onward: Onward
    third_party: Onward
    retention_days: int
    starts: datetime
    ends: datetime
    grade: Grade | None = None

    def __post_init__(self) -> None:
        title = self.title
        if not 3 <= len(title) <= 160 or not title.isprintable() or title != title.strip():
            raise _wrong("title", "one line of 3 to 160 characters")
        codes = [p.agency for p in self.parties]
        if not 2 <= len(codes) <= MOST_PARTIES or len(set(codes)) < len(codes):
            raise _wrong("parties", f"2 to {MOST_PARTIES} agencies, each once")
        if not all(_AGENCY.fullmatch(code) for code in codes):
            raise _wrong("parties", "codes of agencies")
        if not any(p.gives for p in self.parties) or not any(p.receives for p in self.parties):
            raise _wrong("parties", "one that gives and one that receives")
        for name, held in (("classes", self.classes), ("purposes", self.purposes)):
            if not held:  # an empty list would be read as all by somebody, some day
                raise _wrong(name, "at least one")
        if not self.roles or not self.roles <= GIVEN_ROLES:
            raise _wrong("roles", "of " + ", ".join(sorted(GIVEN_ROLES)))
        if self.highest is Mark.RED:
            raise _wrong("highest", "TLP:AMBER+STRICT at most; TLP:RED is for named persons")
        if Handling.H0 not in self.handling:
            raise _wrong("handling", "H0 and others")
        if not 1 <= self.retention_days <= LONGEST_DAYS:
            raise _wrong("retention_days", f"1 to {LONGEST_DAYS}")
        if self.ends <= self.starts:
            raise _wrong("ends", "after its start")

    @classmethod
    def read(cls, given: object) -> Terms:
        """Terms of a JSON object of just these keys; BadInput names the one that is wrong.

        A key that came later is absent where its clause is not agreed, so that what was signed
        before is the same text.
        """
        if not isinstance(given, Mapping) or set(given) - set(_LATER) != set(_KEYS):
            raise BadInput(
                "These are no terms of an agreement: they are one object of "
                + ", ".join(_KEYS) + ", and where it is agreed " + ", ".join(_LATER) + ".",
                advice="See docs/rooms/sharing.md.",
            )  # fmt: skip
        return cls(
            **{
                name: _read(name, given[name], how)
                for name, how in (_KEYS | _LATER).items()
                if name in given
            }
        )

    def plain(self) -> dict[str, Any]:
        """The terms as JSON values, lists sorted."""
        later = {"grade": str(self.grade)} if self.grade is not None else {}
        return {
            "title": self.title,
            "parties": [
                {"agency": p.agency, "kind": p.kind.value, "gives": p.gives, "receives": p.receives}
                for p in sorted(self.parties, key=lambda p: p.agency)
            ],
            "classes": sorted(self.classes),
            "purposes": sorted(self.purposes),
            "highest": self.highest.value,
            "handling": sorted(self.handling),
            "roles": sorted(self.roles),
            "onward": self.onward.value,
            "third_party": self.third_party.value,
            "retention_days": self.retention_days,
            "starts": format_time(self.starts),
            "ends": format_time(self.ends),
            **later,
        }

    def canonical(self) -> str:
        """The one way to write the terms, which is signed."""
        return json.dumps(
            self.plain(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )  # fmt: skip

    @property
    def id(self) -> str:
        """UUIDv8 of the text: another text is another agreement."""
        digest = bytearray(hashlib.sha256(self.canonical().encode()).digest()[:16])
        digest[6], digest[8] = digest[6] & 15 | 0x80, digest[8] & 63 | 0x80
        return str(UUID(bytes=bytes(digest)))

    def party(self, agency: str) -> Party | None:
        """The party of this code."""
        return next((p for p in self.parties if p.agency == agency), None)

    def others(self, agency: str) -> list[str]:
        """Codes of the other parties."""
        return sorted(p.agency for p in self.parties if p.agency != agency)


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody at an agency do something with a thing?

    Attributes:
        doing: what. agency, roles: of who wants to. giver: who gives or gave it.
        originator: whose it is first. handling, caveats: of the thing; caveats name kinds of
            agency that it is not for. permitted: the originator allowed just this.
        at: when, aware. days: since the receiver got it. grade: of a release, or None.
    """

    doing: Doing
    agency: str
    roles: frozenset[Role]
    giver: str
    originator: str
    class_: str
    purpose: str
    mark: Mark
    handling: frozenset[Handling]
    caveats: frozenset[AgencyKind]
    at: datetime
    permitted: bool = False
    days: int = 0
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it may be done, under which agreement (id), and which clauses say no."""

    allowed: bool
    agreement: str | None
    against: tuple[str, ...] = ()


NOTHING_SAYS_SO = Answer(False, None, ("nothing",))


class AgreementState(StrEnum):
    """Where an agreement stands at this node."""

    DRAFTED = "drafted"  # here, and nobody has signed
    OFFERED = "offered"  # another party signed, this one did not
    SIGNED = "signed"  # by this agency, and not yet by all
    IN_FORCE = "in_force"
    OVER = "over"  # its time is past
    ENDED = "ended"  # by one of the parties


@dataclass(frozen=True, slots=True)
class Signature:
    """A party's signature over the canonical text, by its node's key.

    Attributes:
        certificate: PEM of the key. signature: base64. by: the officer, where it is ours.
    """

    agency: str
    certificate: str
    signature: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement as this node keeps it; `signed`: by every party, by signatures that hold."""

    id: str
    agency: str
    terms: Terms
    state: AgreementState
    drafted_by: str
    drafted_at: datetime
    signatures: tuple[Signature, ...]
    signed: bool = False
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""

    def thing(self) -> Thing:
        """The agreement as policies see it."""
        return Thing("agreement", self.id, self.agency, Mark.GREEN)


@dataclass(frozen=True, slots=True)
class Marks:
    """The handling of a thing: TLP mark, Europol codes, kinds of agency that it is not for.

    Attributes:
        grade: of its source and of what it says, or None: nobody judged it.
    """

    mark: Mark
    handling: frozenset[Handling] = frozenset({Handling.H0})
    caveats: frozenset[AgencyKind] = frozenset()
    grade: Grade | None = None

    @classmethod
    def strictest(cls, parts: Iterable[Marks]) -> Marks:
        """What holds for the whole of these parts: each limit of each of them."""
        held = list(parts)
        if not held:
            raise BadInput("A whole of no parts has no marks.", advice="Choose what is to go.")
        return cls(
            max((p.mark for p in held), key=lambda m: m.rank),
            frozenset({Handling.H0}).union(*(p.handling for p in held)),
            frozenset[AgencyKind]().union(*(p.caveats for p in held)),
            lowest(p.grade for p in held),
        )

    @property
    def asks_for_second(self) -> bool:
        """Whether a second officer must agree before it leaves."""
        return self.mark.rank >= Mark.AMBER_STRICT.rank or self.handling != {Handling.H0}


def _party(given: Mapping[str, Any]) -> Party:
    if set(given) != {"agency", "kind", "gives", "receives"}:
        raise ValueError
    return Party(
        _text(given["agency"]), AgencyKind(given["kind"]), _flag(given["gives"]),
        _flag(given["receives"]),
    )  # fmt: skip


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise TypeError
    return given


def _days(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError
    return given


def _some(kind: Callable[[Any], _T]) -> Callable[[Any], frozenset[_T]]:
    def read(given: object) -> frozenset[_T]:
        if not isinstance(given, list):
            raise TypeError
        return frozenset(kind(one) for one in given)

    return read


def _parties(given: object) -> tuple[Party, ...]:
    if not isinstance(given, list):
        raise TypeError
    return tuple(sorted((_party(one) for one in given), key=lambda p: p.agency))


_KEYS: dict[str, Callable[[Any], Any]] = {
    "title": _text, "parties": _parties, "classes": _some(DataClass), "purposes": _some(Purpose),
    "highest": Mark, "handling": _some(Handling), "roles": _some(Role), "onward": Onward,
    "third_party": Onward, "retention_days": _days, "starts": parse_time, "ends": parse_time,
}  # fmt: skip


def _grade(given: object) -> Grade:
    grade = Grade.read(given)
    if grade is None or str(grade) != given:
        raise ValueError
    return grade


_LATER: dict[str, Callable[[Any], Any]] = {"grade": _grade}
"""Keys of clauses that came after agreements had been signed; see `Terms.read`."""


def _read(name: str, given: object, how: Callable[[Any], Any]) -> Any:
    try:
        return how(given)
    except (ValueError, TypeError, KeyError, AttributeError, BadInput):
        raise _wrong(name, "as docs/rooms/sharing.md has it") from None


def _wrong(name: str, asked: str) -> BadInput:
    return BadInput(f"The agreement's {name} cannot be used.", advice=f"It is {asked}.")
