"""Words of standing questions: what this agency asked others to look out for, and they it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cordon.kernel.access.model import Mark, Thing
from cordon.sharing.match.model import Kind, Purpose

LONGEST_DAYS = 366
MOST_MET = 50
"""Times that one question is answered; then it has to be asked anew."""
SPREAD = 16
"""Values are looked at in multiples of this many, filled up by what stands for nothing."""
MOST_LOOKED = 512
"""Values of one request."""
NAME_TAGS = 8
"""Tags of a name's question, whatever parts the name has."""


class StandingState(StrEnum):
    """Where a standing question of this agency is."""

    ASKED = "asked"  # and the other agency has not said that it keeps it
    STANDS = "stands"
    REFUSED = "refused"  # by the other agency
    WITHDRAWN = "withdrawn"  # by an officer, or because its authority ended
    OVER = "over"  # its time is past


OPEN = (StandingState.ASKED, StandingState.STANDS)


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing question of this agency.

    Attributes:
        shown: the value as the reader may see it. hidden: it is masked.
        said: why it was refused or withdrawn. looked_at: when the other agency last looked for
            anything of the kind. met: how often it was met.
    """

    id: str
    agency: str
    peer: str
    kind: Kind
    purpose: Purpose
    authority: str
    why: str
    by: str
    at: datetime
    until: datetime
    state: StandingState
    said: str
    shown: str
    hidden: bool
    looked_at: datetime | None
    met: int

    def thing(self) -> Thing:
        """The question as policies see it."""
        return standing_thing(self.id, self.agency)


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A standing question of a peer that is kept here; what it is about is not known here.

    Attributes:
        contact: whom to ring where it is met. looked_at: when this node last looked for its kind.
    """

    peer: str
    kind: Kind
    purpose: str
    authority: str
    contact: str
    at: datetime
    until: datetime
    looked_at: datetime | None
    met: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """A standing question that was met: a draft of a call, never a copy of data.

    Attributes:
        ours: this agency asked, and the peer has met it; else the peer asked.
        shown: the value as the reader may see it. hidden: it is masked.
        contact: whom to ring. rung_at, note: when somebody did, and what came of it.
    """

    id: str
    ours: bool
    peer: str
    kind: Kind
    shown: str
    hidden: bool
    contact: str
    at: datetime
    rung_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at what is new did: values that were looked at, and questions met."""

    peer: str
    kind: Kind
    looked: int
    met: int
    problem: str = ""


def standing_thing(id_: str, agency: str) -> Thing:
    """A standing question, ours or theirs, as policies see it."""
    return Thing("match_question", id_, agency, Mark.AMBER)
