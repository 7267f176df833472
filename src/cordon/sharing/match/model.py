"""Words of matching: what may be asked, under which terms, what was asked and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput
from cordon.sharing.agreements.model import DataClass
from cordon.sharing.agreements.model import Purpose as Agreed

MOST_BATCH = 5000
"""Values of one question, whatever the terms say: they are answered in one request."""
MOST_A_DAY = 100_000
LONGEST_DELAY_S = 7 * 86400
MOST_STANDING = 1000
LOOKS_A_DAY = 5000
"""Values in 24 hours for which a peer may ask this node's function, where terms say nothing."""


class Kind(StrEnum):
    """What can be asked about."""

    NUMBER = "number"
    ACCOUNT = "account"
    PLATE = "plate"
    VESSEL = "vessel"
    DOCUMENT = "document"
    NAME = "name"


DATA: dict[Kind, str | None] = {
    Kind.NUMBER: "calls",
    Kind.ACCOUNT: "payments",
    Kind.PLATE: "persons",
    Kind.VESSEL: None,
    Kind.DOCUMENT: "persons",
    Kind.NAME: "persons",
}
"""The kind of personal data that an authority must cover; None: any usable one will do."""


class Purpose(StrEnum):
    """What a question is for (Directive (EU) 2016/680, article 1, in the words of this field)."""

    INVESTIGATION = "investigation"
    PREVENTION = "prevention"
    DANGER = "danger"  # to life or limb, now
    BORDER = "border"


CLASSES: dict[Kind, DataClass] = {kind: DataClass(f"match.{kind}") for kind in Kind}
"""What an agreement calls the answers to questions of a kind."""

STANDING: dict[Kind, DataClass] = {kind: DataClass(f"standing.{kind}") for kind in Kind}
"""What an agreement calls the answers to standing questions of a kind."""

_CRIME = (Agreed.COUNTER_TERRORISM, Agreed.ORGANISED_CRIME, Agreed.FRAUD)
PURPOSES: dict[Purpose, tuple[Agreed, ...]] = {
    Purpose.INVESTIGATION: _CRIME,
    Purpose.PREVENTION: _CRIME,
    Purpose.DANGER: (Agreed.LIFE,),
    Purpose.BORDER: (Agreed.BORDER,),
}
"""For a question's purpose one of these has to be agreed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what one agency answers another's questions.

    Attributes:
        kinds: what may be asked; none means nothing may. purposes: what for.
        contact: whom to ring on a hit; it is told with the terms.
        batch: values of a question at most. daily: values in 24 hours at most.
        delay_s: seconds from a question to its answer. agreement: what this rests on, as text.
        standing: standing questions that the other may keep here at one time; 0: none.
        looks: values in 24 hours for which the other may ask whether they are what this agency's
            own standing questions there are about.
    """

    kinds: tuple[Kind, ...]
    purposes: tuple[Purpose, ...]
    contact: str
    batch: int = 100
    daily: int = 500
    delay_s: int = 0
    agreement: str = ""
    standing: int = 0
    looks: int = LOOKS_A_DAY

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= MOST_BATCH or not self.batch <= self.daily <= MOST_A_DAY:
            raise BadInput(
                f"A question has 1 to {MOST_BATCH} values, and a day at least as many, "
                f"at most {MOST_A_DAY}.",
                advice="Choose numbers within these.",
            )
        if not 0 <= self.delay_s <= LONGEST_DELAY_S:
            raise BadInput(f"An answer waits 0 to {LONGEST_DELAY_S} seconds.")
        if not 0 <= self.standing <= MOST_STANDING or not 0 <= self.looks <= MOST_A_DAY:
            raise BadInput(
                f"At most {MOST_STANDING} questions stand, and a day has at most {MOST_A_DAY} "
                "values that are looked at.",
                advice="Choose numbers within these.",
            )
        for what, text, longest in (
            ("contact", self.contact, 200), ("agreement", self.agreement, 120),
        ):  # fmt: skip
            if len(text) > longest or not text.isprintable():
                raise BadInput(f"The {what} is one line of at most {longest} characters.")
        if self.kinds and (not self.contact.strip() or not self.purposes):
            raise BadInput(
                "Terms name whom to ring, and at least one purpose.",
                advice="Without them a hit leads nowhere.",
            )

    def to_json(self) -> dict[str, object]:
        """As it is told to the other agency and kept."""
        return {
            "kinds": list(self.kinds), "purposes": list(self.purposes), "contact": self.contact,
            "batch": self.batch, "daily": self.daily, "delay_s": self.delay_s,
            "agreement": self.agreement, "standing": self.standing, "looks": self.looks,
        }  # fmt: skip

    @classmethod
    def from_json(cls, body: object) -> Terms:
        """As another agency told them, or as they were kept; BadInput where they are none."""
        try:
            if not isinstance(body, dict):
                raise TypeError
            numbers = [body["batch"], body["daily"], body["delay_s"]]
            # an older node says nothing of these
            numbers += [body.get("standing", 0), body.get("looks", LOOKS_A_DAY)]
            texts = [body["contact"], body["agreement"]]
            if not all(type(n) is int for n in numbers) or not all(
                isinstance(t, str) for t in texts
            ):
                raise TypeError
            # a newer node may know kinds and purposes that this one cannot use
            kinds = tuple(Kind(k) for k in body["kinds"] if k in list(Kind))
            purposes = tuple(Purpose(p) for p in body["purposes"] if p in list(Purpose))
        except (KeyError, TypeError, ValueError):
            raise BadInput("Those are no terms of matching.") from None
        batch, daily, delay_s, standing, looks = numbers
        return cls(
            kinds, purposes, texts[0], batch, daily, delay_s, texts[1], standing, looks
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ready:
    """A peer's set that can be asked against, or one of ours that a peer can.

    Attributes:
        epoch: number of its key. version: of its content. size: tags, those that fill up among
            them. at: when it was made or came.
    """

    peer: str
    kind: Kind
    epoch: int
    version: int
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparing a set did: values that came and went, tags of the set now."""

    peer: str
    kind: Kind
    held: int
    new: int
    gone: int
    size: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question of this agency.

    Attributes:
        count: values asked. hits: of them held by the peer; None until it has answered.
        due_at: when the answer can be fetched, where the peer makes one wait.
        why: of the officer. refused: the peer's words, or empty.
    """

    id: str
    agency: str
    peer: str
    kind: Kind
    purpose: Purpose
    authority: str
    why: str
    count: int
    by: str
    at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    hits: int | None
    refused: str = ""

    def thing(self) -> Thing:
        """The question as policies see it."""
        return Thing("match_question", self.id, self.agency, Mark.AMBER)


@dataclass(frozen=True, slots=True)
class Hit:
    """A value that the peer holds too: a draft of a request, never a copy of data.

    Attributes:
        shown: the value as the reader may see it. hidden: it is masked.
        contact: whom to ring. rung_at, note: when somebody did, and what came of it.
    """

    id: str
    question: str
    peer: str
    kind: Kind
    shown: str
    hidden: bool
    contact: str
    at: datetime
    rung_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a peer that came here; of its values nothing is known but how many."""

    peer: str
    kind: str
    count: int
    authority: str
    purpose: str
    at: datetime
    answered_at: datetime | None
    refused: str
