"""Properties of zones that look like a parameter, but are none: a slip that would change nothing.

Zones may have any property of their own; only what is nearly a known one is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from cordon.picture.behaviours import behaviours
from cordon.picture.model import Zone

_OTHERS = (
    "id", "name", "kind", "radius_m", "watch", "watch_exit", "watch_dwell", "allowed", "left",
    "right", "max_uncovered_min", "needs", "covered_share", "measure", "seasonal",
)  # fmt: skip
"""What zones are asked for besides the parameters of cards."""
_UNITS = {
    "m": "m|met(?:re|er)s?", "km": "km|kilomet(?:re|er)s?", "nm": "nm|nmi|nautical_?miles?",
    "s": "s|secs?|seconds?", "min": "mins?|minutes?", "h": "h|hrs?|hours?", "days": "days?",
    "kn": "kn|kts?|knots?", "deg": "deg|degrees?",
}  # fmt: skip
_ALIKE = 0.83  # of two names' letters, so many are the same and in the same order
_SHORTEST, _LONGEST = 5, 60  # of fewer letters many are alike by chance


@dataclass(frozen=True, slots=True)
class Slip:
    """A property of a zone that is nearly a parameter.

    Attributes:
        zone: its id. wrong: as it stands there. right: the nearest known name.
    """

    zone: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return (
            f"Zone “{self.zone[:60]}”: “{self.wrong[:60]}” is no parameter and changes nothing; "
            f"did you mean “{self.right}”?"
        )


def misspelt(zones: Iterable[Zone]) -> list[Slip]:
    """Properties that are nearly a parameter that the zone does not set, in the zones' order."""
    known = frozenset({*_OTHERS, *(name for b in behaviours() for name in b.CARD.parameters)})
    found = []
    for zone in zones:
        for wrong in zone.parameters:
            right = _nearest(wrong, known) if wrong not in known else ""
            if right and right not in zone.parameters:
                found.append(Slip(zone.id, wrong, right))
    return found


@lru_cache(maxsize=4096)  # zones of one file have the same properties
def _nearest(wrong: str, known: frozenset[str]) -> str:
    """The known name that is nearly the same, or empty."""
    if not _SHORTEST <= len(wrong) <= _LONGEST:
        return ""
    plain = _plain(wrong)
    scored = [(SequenceMatcher(None, plain, name).ratio(), name) for name in sorted(known)]
    near, right = max(scored)
    return right if near >= _ALIKE else ""


def _plain(name: str) -> str:
    """A name as parameters are written: small letters, underscores, units by their signs."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[-\s.]+", "_", name.strip()).lower()
    head, parted, last = words.rpartition("_")
    for sign, said in _UNITS.items():
        if parted and re.fullmatch(said, last):
            return f"{head}_{sign}"
    return words
