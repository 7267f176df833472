"""Headers and codes of operators' files in other languages than English: one YAML a language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Language:
    """What operators of one language write.

    Attributes:
        name: ISO 639 code. headers: pattern over a header as `words` gives it, the meaning that it
            has (empty: passed over), and how sure that is (0 to 1).
        directions: value (lower case) to `in` or `out`. kinds: value to `voice` or `sms`.
        months: names of the twelve, without marks on letters; none where it is not told.
    """

    name: str
    headers: tuple[tuple[str, str, float], ...]
    directions: Mapping[str, str]
    kinds: Mapping[str, str]
    months: tuple[str, ...]


@cache
def languages() -> tuple[Language, ...]:
    """Every language that is known, by its code."""
    return tuple(_read(path) for path in sorted((Path(__file__).parent / "words").glob("*.yaml")))


@cache
def codes(of: str) -> Mapping[str, str]:
    """Codes of every language: of `directions` to `in` or `out`, of `kinds` to `voice` or `sms`."""
    return {code: meaning for one in languages() for code, meaning in getattr(one, of).items()}


@cache
def months() -> tuple[tuple[str, int], ...]:
    """Names of months in every language, each with its number, English first."""
    english_first = sorted(languages(), key=lambda one: one.name != "en")
    return tuple((name, n) for one in english_first for n, name in enumerate(one.months, 1))


def words(name: str) -> str:
    """A header as it is compared: lower case, no marks on letters, signs as single spaces."""
    return " ".join(re.sub(r"[^\w/]+|_", " ", bare(name)).split())


def bare(text: str) -> str:
    """Letters without their marks, in lower case: `Durée` is `duree`, `Sıra` is `sira`."""
    apart = unicodedata.normalize("NFKD", text.lower().replace("ı", "i"))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _read(path: Path) -> Language:
    data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Language(
        str(data["name"]),
        tuple((bare(str(p)), str(m), float(w)) for p, m, w in data["headers"]),
        _codes(data["directions"]),
        _codes(data["kinds"]),
        tuple(bare(str(m)) for m in data.get("months") or ()),
    )


def _codes(data: Mapping[str, list[Any]]) -> dict[str, str]:
    return {str(v).lower(): meaning for meaning, values in data.items() for v in values}
