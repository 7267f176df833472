"""What a group is told as: a ring, a SIM box, or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from cordon.calls.rings.search import Group

_USED_UP = ("sims_a_handset", "handsets_a_sim", "turnover", "complaints", "victims")
_ONE = 2.0  # nats that one of these must say: a room of strangers alone is no illegal one


def is_ring(group: Group, values: Mapping[str, float]) -> bool:
    """True where enough speaks for a group, and something says how it uses SIMs up or hurts.

    Args:
        values: of the card `calls.call_centre`.
    """
    return (
        group.facts.lines >= values["lines"]
        and group.nats >= values["evidence"]
        and any(s.nats >= _ONE for s in group.signs if s.name in _USED_UP)
    )


def is_box(group: Group, values: Mapping[str, float]) -> bool:
    """True where a group calls around the clock, is not called, and calls people again.

    Args:
        values: of the card `calls.simbox`.
    """
    f = group.facts
    return (
        f.lines >= values["lines"]
        and f.hours >= values["hours"]
        and f.incoming <= values["incoming_share"]
        and f.again >= values["again"]
    )
