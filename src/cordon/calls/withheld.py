"""Words in the place of a number that nobody is told: they name no person, and surely not one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from cordon.calls.layouts.languages import words

MASK = "withheld"
"""What stands for all of them, as a mask does for a number of which some digits are hidden."""


def withheld(text: str) -> bool:
    """True for words that say that there is a number, which is not known or not told."""
    return words(text) in _said()


@cache
def _said() -> frozenset[str]:
    """The words in every language, as they are compared."""
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return frozenset(words(one) for some in data.values() for one in some)
