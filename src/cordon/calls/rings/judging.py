"""What a group is told as: a ring, a SIM box, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cordon.calls.rings.weighing import Facts, Sign, only_called

if TYPE_CHECKING:
    from cordon.calls.rings.search import Group

SHARED = ("sims_a_handset", "handsets_a_sim")
EQUIPMENT = (*SHARED, "turnover")
"""Signs of how SIMs and handsets are used up."""
_HURTS = ("complaints", "victims")
_SPEAKING = (*EQUIPMENT, *_HURTS, "abroad")
ONE = 2.0
"""Nats that one of these signs must say: a room of strangers alone is no illegal one."""


def is_ring(group: Group, values: Mapping[str, float]) -> bool:
    """True where enough speaks for a group, and something says that it uses SIMs up or hurts.

    Or that it calls strangers abroad, which whoever may do so registers for.

    Args:
        values: of the card `calls.call_centre`.
    """
    return enough(group.facts, group.signs, values)


def enough(facts: Facts, signs: list[Sign], values: Mapping[str, float]) -> bool:
    """The same of what was measured of a group.

    People who complained of nobody's number do not make a ring of lines that stay as they are.
    Nor do handsets that are handed round, where nothing else speaks and the lines move about:
    riders of one depot share handsets too.
    """
    speaking = {s.name for s in signs if s.name in _SPEAKING and s.nats >= ONE}
    if only_called(facts, values):
        speaking.discard("victims")
    if facts.still is not None and facts.still < values["still"] and speaking <= set(SHARED):
        return False
    return (
        facts.lines >= values["lines"]
        and sum(s.nats for s in signs) >= values["evidence"]
        and bool(speaking)
    )


def is_box(group: Group, values: Mapping[str, float]) -> bool:
    """True where a group calls around the clock, is not called, and calls people again.

    What carries few calls meets few people twice. It is a box too where it works at nearly every
    hour and people converse, which strangers who are called cold do not, and nobody complains.

    Args:
        values: of the card `calls.simbox`.
    """
    f = group.facts
    if (
        f.lines < values["lines"]
        or f.hours < values["hours"]
        or f.incoming > values["incoming_share"]
    ):
        return False
    if f.again >= values["again"]:
        return True
    converses = f.talk_s is not None and f.talk_s >= values["converse"]
    hurts = any(s.nats >= ONE for s in group.signs if s.name in _HURTS)
    return f.hours >= values["every_hour"] and converses and not hurts
