"""What a unit that gets an order really does: when it says what, where it is, when it arrives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cordon.exercise.crews.nature import Nature
from cordon.operations import Passage, TaskingState

MINUTE = 60.0
FOUND = "Exercise: looked at it; nothing further was found."


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a crew says of a tasking.

    Attributes:
        at: when it is so. heard: when the node hears it (s since the play began).
        where: (lat, lon) of the unit then, or None.
    """

    to: TaskingState
    at: float
    heard: float
    note: str = ""
    where: tuple[float, float] | None = None


class Going:
    """One unit answering one order, from sending to its report.

    A pure function of its arguments: the same is asked of units that were not sent.

    Args:
        way: from where the unit truly is to the place; None where there is none.
        sent: when the order went out (s since the play began).
        number: of the alert among those of the play, from 1: all that is drawn hangs on it.
    """

    def __init__(self, nature: Nature, way: Passage | None, sent: float, number: int) -> None:
        self.nature, self.way, self.sent, self.number = nature, way, sent, number
        use = nature.values
        hears = nature.heard(sent + nature.takes("hears", use.late_s, number))
        self.acknowledged = hears + nature.takes("acknowledges", use.acknowledges_s, number)
        self.moves = self.acknowledged + nature.takes(
            "casts off", use.casts_off_s[nature.kind], number
        )

    @cached_property
    def declines(self) -> str:
        """Why it declines the order; empty where it goes."""
        if self.way is None:
            return "There is no way for this unit to that place."
        if self.nature.mended(self.acknowledged) > self.acknowledged:
            return "Broken down: it cannot move."
        if not math.isfinite(self.arrives):
            return "It would not be there in any useful time."
        return ""

    @cached_property
    def _gone(self) -> list[float]:
        """Metres gone after each whole minute under way, up to the whole of them."""
        if self.way is None:
            return [0.0]
        whole = self.way.metres * self.nature.winding(self.number)
        gone, at = [0.0], self.moves
        until = self.moves + self.nature.values.longest_h * 3600
        while gone[-1] < whole and at < until:
            gone.append(gone[-1] + self.nature.speed_ms(at) * MINUTE)
            at += MINUTE
        return gone

    @cached_property
    def arrives(self) -> float:
        """When it is on scene; infinite where it never is."""
        if self.way is None:
            return math.inf
        whole = self.way.metres * self.nature.winding(self.number)
        if self._gone[-1] < whole:
            return math.inf
        if len(self._gone) < 2:  # it lies alongside already
            return self.moves
        before, after = self._gone[-2], self._gone[-1]
        minutes = len(self._gone) - 2 + (whole - before) / (after - before)
        return self.moves + minutes * MINUTE

    @cached_property
    def takes(self) -> float:
        """Seconds from sending to on scene; infinite where it declines or never arrives."""
        return math.inf if self.declines else self.arrives - self.sent

    def where(self, at: float) -> tuple[float, float] | None:
        """Where it truly is (lat, lon); None where it does not go at all."""
        if self.way is None:
            return None
        if self.declines or at <= self.moves:
            return self.way.points[0]
        whole = self.way.metres * self.nature.winding(self.number)
        minutes = min((at - self.moves) / MINUTE, len(self._gone) - 1)
        k = min(int(minutes), len(self._gone) - 2)
        if k < 0 or whole <= 0:
            return self.way.points[-1]
        gone = self._gone[k] + (self._gone[k + 1] - self._gone[k]) * (minutes - k)
        return self.way.at(min(1.0, gone / whole))

    def says(self) -> tuple[Said, ...]:
        """All that it says, in order, none heard before the one that went before it."""
        if self.declines:
            return (self._said(TaskingState.DECLINED, self.acknowledged, 0.0, self.declines),)
        stays = self.nature.takes("stays", self.nature.values.stays_s, self.number)
        told: list[Said] = []
        for to, at, note in (
            (TaskingState.ACKNOWLEDGED, self.acknowledged, ""),
            (TaskingState.MOVING, self.moves, ""),
            (TaskingState.ON_SCENE, self.arrives, ""),
            (TaskingState.DONE, self.arrives + stays, FOUND),
        ):
            told.append(self._said(to, at, told[-1].heard if told else 0.0, note))
        return tuple(told)

    def _said(self, to: TaskingState, at: float, before: float, note: str) -> Said:
        late = self.nature.takes(f"late {to}", self.nature.values.late_s, self.number)
        heard = max(before, self.nature.heard(at + late))
        return Said(to, at, heard, note, self.where(at))

    def fixes(self, since: float, until: float) -> Iterator[tuple[float, tuple[float, float]]]:
        """Positions under way after one moment and up to another: when, and where (lat, lon)."""
        if self.declines:
            return
        every = max(1.0, self.nature.values.fix_s)
        k = max(0, math.floor((since - self.moves) / every) + 1) if since > self.moves else 0
        while (at := self.moves + k * every) <= min(until, self.arrives):
            where = self.where(at)
            if where is not None:
                yield at, where
            k += 1
