"""Words of a request: what is asked, how urgent it is, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cordon.kernel.access.model import Mark, Thing


class Way(StrEnum):
    """Whether this agency asked, or was asked."""

    OURS = "ours"
    THEIRS = "theirs"


class RequestKind(StrEnum):
    """What is asked for."""

    INFORMATION = "information"
    ACTION = "action"
    PRESERVATION = "preservation"


class Urgency(StrEnum):
    """How soon an answer is needed."""

    FLASH = "flash"
    URGENT = "urgent"
    ROUTINE = "routine"


ANSWER_WITHIN = {
    Urgency.FLASH: timedelta(hours=1),
    Urgency.URGENT: timedelta(hours=8),
    Urgency.ROUTINE: timedelta(days=14),
}
"""The clocks of Council Framework Decision 2006/960/JHA, article 4, with an hour where life is at
stake: eight hours where urgent, fourteen days otherwise."""

SERIOUSNESS = {Urgency.FLASH: "grave", Urgency.URGENT: "serious", Urgency.ROUTINE: "notice"}


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Ground(StrEnum):
    """Why a request is refused (2006/960/JHA, article 10, and what is needed beside it)."""

    NO_LEGAL_BASIS = "no_legal_basis"
    NOT_HELD = "not_held"
    HARMS_INVESTIGATION = "harms_investigation"
    ENDANGERS_PERSONS = "endangers_persons"
    OUT_OF_PROPORTION = "out_of_proportion"
    OF_A_THIRD_PARTY = "of_a_third_party"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as this node keeps it.

    Attributes:
        peer: the other agency. text: what is asked; it names no number. basis: legal basis.
        due_at: when an answer is due. escalated_at: it passed without one.
        said: the answer, or what was added to a refusal.
    """

    id: str
    agency: str
    way: Way
    peer: str
    kind: RequestKind
    urgency: Urgency
    text: str
    basis: str
    mark: Mark
    state: RequestState
    asked_by: str
    at: datetime
    due_at: datetime
    escalated_at: datetime | None = None
    ended_at: datetime | None = None
    ground: Ground | None = None
    said: str = ""

    def thing(self) -> Thing:
        """The request as policies see it."""
        return Thing("request", self.id, self.agency, self.mark)
