"""Words of the measures: the moments of a response, the steps between them, and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

WATCHES = ("00–08", "08–16", "16–24")
"""Watches of eight hours, by the country's own time."""


class Moment(StrEnum):
    """What happens to an alert, in this order."""

    SIGN = "sign"  # the behaviour began, as its finding has it
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"  # acknowledged, assigned, taken into a case or answered by a unit
    SENT = "sent"  # the first order went out
    ON_SCENE = "on_scene"  # the first unit said so


class Step(StrEnum):
    """A way from one moment to another."""

    RAISE = "raise"
    ACKNOWLEDGE = "acknowledge"
    SEND = "send"
    REACH = "reach"
    WHOLE = "whole"


ENDS: Mapping[Step, tuple[Moment, Moment]] = MappingProxyType(
    {
        Step.RAISE: (Moment.SIGN, Moment.RAISED),
        Step.ACKNOWLEDGE: (Moment.RAISED, Moment.ACKNOWLEDGED),
        Step.SEND: (Moment.ACKNOWLEDGED, Moment.SENT),
        Step.REACH: (Moment.SENT, Moment.ON_SCENE),
        Step.WHOLE: (Moment.SIGN, Moment.ON_SCENE),
    }
)


@dataclass(frozen=True, slots=True)
class Response:
    """What happened to one alert.

    Attributes:
        at: moments that came (UTC). over: nobody is waited for any more: it was closed or taken
            back, or a case was opened and no unit is under way.
        sector, watch, detector: what it is counted under. block: day and watch in which it was
            raised, which alerts of one night share.
    """

    at: Mapping[Moment, datetime]
    over: bool
    sector: str
    watch: str
    detector: str
    block: str


@dataclass(frozen=True, slots=True)
class Figure:
    """How long one step takes.

    Attributes:
        median_s, high_s: after how long half and nine tenths of those that are not over had come
            through (s), those that still wait counted as waiting; None where so many wait that
            it cannot be said yet.
        done, waiting, ended: alerts that came through, that still wait, and that were over before.
        backwards: alerts whose clocks say that the end came before the beginning; left out.
    """

    step: Step
    median_s: float | None
    high_s: float | None
    done: int
    waiting: int
    ended: int
    backwards: int


@dataclass(frozen=True, slots=True)
class Change:
    """A step before a date and after it.

    Attributes:
        difference_s: median after less median before (s), or None where one cannot be said.
        low_s, high_s: interval of 95% of the difference; None where there is none, or no end to
            it on that side. told: True where there is an interval.
        watches: watches with alerts, before and after.
    """

    before: Figure
    after: Figure
    difference_s: float | None
    low_s: float | None
    high_s: float | None
    told: bool
    watches: tuple[int, int]

    @property
    def step(self) -> Step:
        """The step that is compared."""
        return self.before.step


@dataclass(frozen=True, slots=True)
class Day:
    """Figures of the alerts raised on one day of the country's time (`2026-03-06`)."""

    day: str
    figures: Mapping[Step, Figure]


@dataclass(frozen=True, slots=True)
class Report:
    """The measures of a span.

    Attributes:
        since, until: alerts raised from `since` on and before `until` (UTC). now: until when they
            were followed. turn: the date that `changes` compares at, or None.
        alerts: how many; alike: how many more stood under another of them and are not counted
            for themselves. escalated: how many of them nobody saw in their time.
        groups: by `sector`, `watch` and `detector`, each by name.
    """

    since: datetime
    until: datetime
    now: datetime
    turn: datetime | None
    alerts: int
    alike: int
    escalated: int
    figures: tuple[Figure, ...]
    groups: Mapping[str, tuple[tuple[str, int, tuple[Figure, ...]], ...]]
    days: tuple[Day, ...]
    changes: tuple[Change, ...]
