"""Words of a play of crews: a crew, its trip, a played answer, and how it is scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cordon.operations import Passage


class Rule(StrEnum):
    """Who sends the units of a play."""

    PEOPLE = "people"  # officers, on the pages
    FIRST = "first"  # whatever stands first in the ranking
    NEAREST = "nearest"  # the least great circle from where it was last reported
    STRAIGHT = "straight"  # the same divided by its usual speed


@dataclass(slots=True)
class Trip:
    """A crew's way to answer one order. Times are seconds since the play began.

    Attributes:
        tasking, alert: ids. number: of the alert among those of the play, from 1.
        sent: when the order went out. way: to the place, or None where there is none.
        told: how many of its words the node has. fixed: time of the last position that it has.
    """

    tasking: str
    alert: str
    number: int
    sent: float
    way: Passage | None
    told: int = 0
    fixed: float = -math.inf

    def to_dict(self) -> dict[str, Any]:
        """As it is kept."""
        data = {name: getattr(self, name) for name in _TRIP}
        data["fixed"] = self.fixed if math.isfinite(self.fixed) else None
        return data | {
            "way": None if self.way is None else [list(map(list, self.way.points)), self.way.metres]
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trip:
        """From what was kept."""
        # loaded here, as commands that only name a rule need nothing of operations
        from cordon.operations import Passage

        way, fixed = data["way"], data["fixed"]
        return cls(
            **{name: data[name] for name in _TRIP if name != "fixed"},
            fixed=-math.inf if fixed is None else fixed,
            way=None if way is None else Passage(tuple((a, b) for a, b in way[0]), way[1]),
        )


_TRIP = ("tasking", "alert", "number", "sent", "told", "fixed")


@dataclass(slots=True)
class Crew:
    """The crew of one unit, and where the unit truly is while it is not on a trip.

    Attributes:
        unit: its id. code, kind, speed_kn: as of the unit when the play began.
        acts, fixes: numbers of what its phone has sent. down: it told that it is broken down.
    """

    unit: str
    code: str
    kind: str
    speed_kn: float
    lat: float
    lon: float
    acts: int = 0
    fixes: int = 0
    down: bool = False
    trip: Trip | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is kept."""
        data = {name: getattr(self, name) for name in self.__slots__ if name != "trip"}
        return data | {"trip": None if self.trip is None else self.trip.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Crew:
        """From what was kept."""
        trip = data["trip"]
        return cls(**{**data, "trip": None if trip is None else Trip.from_dict(trip)})


@dataclass(frozen=True, slots=True)
class Answered:
    """An alert that a unit of the play was sent to, against the best choice in hindsight.

    Attributes:
        kind: of the alert. opened_at, sent_at: when it was raised, and the first unit sent (UTC).
        sent: code of that unit. made_by, made_s: the one that was on scene first, and how long
            after the first sending; None where none was yet.
        best, best_s: the ready unit that would have been there first had it been sent then; None
            where none would ever have been. first, first_s: the ranking's first choice, and what
            it would have made; None where it would have declined, or is not in the play.
        over: nobody is on the way any more.
    """

    alert: str
    kind: str
    opened_at: datetime
    sent_at: datetime
    sent: str
    made_by: str | None
    made_s: float | None
    best: str | None
    best_s: float | None
    first: str | None
    first_s: float | None
    over: bool

    @property
    def ratio(self) -> float | None:
        """Time to scene over the least possible; None before, or where nobody could."""
        if self.made_s is None or self.best_s is None:
            return None
        return self.made_s / max(self.best_s, 1.0)

    @property
    def lost_s(self) -> float | None:
        """Seconds lost to the best choice."""
        if self.made_s is None or self.best_s is None:
            return None
        return self.made_s - self.best_s

    def to_dict(self) -> dict[str, Any]:
        """For answers in JSON."""
        return asdict(self) | {"ratio": self.ratio, "lost_s": self.lost_s}


@dataclass(frozen=True, slots=True)
class Scored:
    """How a play was dispatched.

    Attributes:
        answered: alerts that a unit was sent to. reached: on scene. waits: still on the way.
        never: nobody came, though somebody could have. hopeless: nobody could have.
        median, ninth: of time to scene over the least possible, where those that nobody came to
            count as longer than any; None where that many cannot be told.
        lost_s: seconds lost over all that were reached. first_median, first_ninth: the same of
            what the ranking's first choice would have made.
    """

    answered: int
    reached: int
    waits: int
    never: int
    hopeless: int
    median: float | None
    ninth: float | None
    lost_s: float
    first_median: float | None
    first_ninth: float | None


def scored(answers: Sequence[Answered]) -> Scored:
    """The score of a play, or of several together."""
    could = [a for a in answers if a.best_s is not None]
    ratios = [a.ratio if a.ratio is not None else math.inf for a in could if _known(a)]
    first = [
        math.inf if a.first_s is None else a.first_s / max(a.best_s or 0.0, 1.0)
        for a in could
        if a.first is not None
    ]
    return Scored(
        answered=len(answers),
        reached=sum(a.made_s is not None for a in answers),
        waits=sum(a.made_s is None and not a.over for a in answers),
        never=sum(a.made_s is None and a.over for a in could),
        hopeless=sum(a.best_s is None for a in answers),
        median=quantile(ratios, 0.5),
        ninth=quantile(ratios, 0.9),
        lost_s=sum(a.lost_s for a in answers if a.lost_s is not None),
        first_median=quantile(first, 0.5),
        first_ninth=quantile(first, 0.9),
    )


def _known(answer: Answered) -> bool:
    return answer.made_s is not None or answer.over


def quantile(numbers: Sequence[float], share: float) -> float | None:
    """The number that a share of them does not exceed (nearest rank); None where it is infinite
    or there are none."""
    if not numbers:
        return None
    found = sorted(numbers)[max(0, math.ceil(share * len(numbers)) - 1)]
    return found if math.isfinite(found) else None
