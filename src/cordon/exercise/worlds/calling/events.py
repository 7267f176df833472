"""Calls and messages before it is known which card, handset and cell each end used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.calling.drawing import Flags, Floats, Ints

OWN = -1
"""The card, handset or spot that the person has at the time."""
NONE = -2
"""No handset and no cell: the card is not in a phone that is on."""
NOBODY = -1
"""No person: card, handset and spot are all said."""
_ENDS = ("a_line", "a_set", "a_spot", "b_line", "b_set", "b_spot")


@dataclass(slots=True)
class Events:
    """Columns of events.

    Attributes:
        t: seconds from the first local midnight. lasts: seconds, 0 unanswered, NaN a message.
        a, b: caller and callee (person, or NOBODY). *_line, *_set, *_spot: as said, or OWN, NONE.
    """

    t: Floats
    lasts: Floats
    a: Ints
    b: Ints
    a_line: Ints
    a_set: Ints
    a_spot: Ints
    b_line: Ints
    b_set: Ints
    b_spot: Ints

    def __len__(self) -> int:
        return len(self.t)

    def where(self, flags: Flags | Ints) -> Events:
        """Some of them."""
        return Events(*(getattr(self, name)[flags] for name in self.__slots__))


def events(t: Floats, lasts: Floats, a: Any, b: Any, **ends: Any) -> Events:
    """Events with what is said of their ends; the rest is the persons' own."""
    n = len(t)
    said = [np.broadcast_to(np.asarray(ends.pop(e, OWN), np.int32), n).copy() for e in _ENDS]
    if ends:
        raise TypeError(f"No such ends: {', '.join(ends)}")
    who = [np.broadcast_to(np.asarray(w, np.int32), n).copy() for w in (a, b)]
    return Events(np.asarray(t, float), np.asarray(lasts, float), *who, *said)


def together(parts: Sequence[Events]) -> Events:
    """All of them, one after another."""
    if not parts:
        return events(np.empty(0), np.empty(0), NOBODY, NOBODY)
    return Events(*(np.concatenate([getattr(p, name) for p in parts]) for name in Events.__slots__))
