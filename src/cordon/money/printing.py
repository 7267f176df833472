"""Values to PDF by the templates of `money/printed/`, in the words of a language.

How it is done stands in the kernel. Words stand in YAML beside the templates; a value that is put
into words that run from right to left is isolated, so that a number stays one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cordon.kernel import printing
from cordon.kernel.errors import BadUsage

LANGUAGES = ("en", "ur")
"""Languages of what is printed, the first where none is chosen."""
_LRI, _FSI, _PDI = "\u2066", "\u2068", "\u2069"  # isolates of Unicode (UAX 9)


@dataclass(frozen=True, slots=True)
class Words:
    """What a printed form says in one language, by name."""

    language: str
    told: Mapping[str, Any]

    @property
    def right_to_left(self) -> bool:
        """True where its lines run so."""
        return bool(self.told["right_to_left"])

    def __getitem__(self, name: str) -> Any:
        return self.told[name]

    def says(self, name: str, **given: str) -> str:
        """A sentence with these values put in."""
        return str(self.told[name]).format_map(given)

    def number(self, text: str) -> str:
        """A number, moment, or code, which stays in one piece."""
        return f"{_LRI}{text}{_PDI}" if self.right_to_left else text

    def name(self, text: str) -> str:
        """A text of whatever language, which moves nothing that stands beside it."""
        return f"{_FSI}{text}{_PDI}" if self.right_to_left else text


def words(form: str, language: str) -> Words:
    """What `printed/<form>.yaml` says in a language.

    Raises:
        BadUsage: nothing is printed in that language.
    """
    if language not in LANGUAGES:
        raise BadUsage(
            "Nothing is printed in that language.", advice=f"Choose of: {', '.join(LANGUAGES)}."
        )
    return Words(language, _told(form)[language])


@cache
def _told(form: str) -> Mapping[str, Mapping[str, Any]]:
    text = files("cordon.money").joinpath("printed", f"{form}.yaml").read_text("utf-8")
    told: Mapping[str, Mapping[str, Any]] = yaml.safe_load(text)
    return told


def runs_right_to_left(text: str) -> bool:
    """True for a text whose first letter belongs to a script that does (UAX 9, P2 and P3)."""
    found = (unicodedata.bidirectional(sign) for sign in text)
    return next((kind in ("R", "AL") for kind in found if kind in ("L", "R", "AL")), False)


def pdf(template: str, values: Mapping[str, Any]) -> bytes:
    """The PDF of a template of `money/printed/` with these values (JSON's types)."""
    return printing.pdf("cordon.money", template, values)


def png(template: str, values: Mapping[str, Any], *, ppi: int = 96) -> list[bytes]:
    """Its pages as pictures, for whoever wants to look at them."""
    return printing.png("cordon.money", template, values, ppi=ppi)
