"""Keys of a person's name that are the same across scripts, spellings and the order of its parts.

A key is coarse on purpose: different names can share one. How often is measured in
`tests/sharing/test_match_names.py` and by `python -m bench match`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from itertools import combinations
from typing import Any

import yaml

LEAST_PARTS, MOST_PARTS = 2, 6
"""Parts of a name that count; what comes after them in the order of their keys is left out."""
_WORD = re.compile(r"[^\W\d_]+")
_BEGINS = "HA"  # classes that only the beginning of a word shows


@cache
def _letters() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("letters.yaml").read_text("utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@cache
def _classes() -> tuple[re.Pattern[str], dict[str, str]]:
    by_spelling = {
        spelling: name
        for script in _letters()["letters"].values()
        for name, spellings in script.items()
        for spelling in spellings
    }
    longest = sorted(by_spelling, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)) + "|."), by_spelling


def _plain(text: str) -> str:
    """Without case, accents and vowel signs; letters of one form."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Cf", "Lm"))


@lru_cache(maxsize=1 << 16)
def word_key(word: str) -> str:
    """The key of one word, or nothing where it does not count; other scripts stay as they are."""
    plain = _plain(word)
    given = _letters()
    if plain in given["dropped"]:
        return ""
    for article in given["articles"]:
        if plain.startswith(article) and len(plain) > len(article) + 1:
            plain = plain[len(article) :]
    plain = given["same"].get(plain, plain)
    plain = "".join(c for c in plain if c not in given["silent"])
    spelling, classes = _classes()
    key = ""
    for place, part in enumerate(spelling.findall(plain)):
        for one in classes.get(part, part):
            if one in _BEGINS and place:
                continue
            if not key.endswith(one):
                key += one
    return key


def keys_of(name: str) -> tuple[str, list[str]]:
    """The whole key of a name, and those of all its parts but one (where it has three or more).

    Nothing where a name has fewer than two parts that count.
    """
    parts = sorted({key for word in _WORD.findall(name) if (key := word_key(word))})[:MOST_PARTS]
    if len(parts) < LEAST_PARTS:
        return "", []
    short = [" ".join(some) for some in combinations(parts, len(parts) - 1)]
    return " ".join(parts), short if len(parts) > LEAST_PARTS else []


def held_keys(name: str) -> list[str]:
    """Under what a name that is held is found."""
    whole, short = keys_of(name)
    return [f"whole {whole}", *(f"short {key}" for key in short)] if whole else []


def asked_keys(name: str) -> list[str]:
    """What is asked of a name: itself, one with a part more, and one with a part less.

    Two names that both lack a part are not brought together: brothers would meet.
    """
    whole, short = keys_of(name)
    return [f"whole {whole}", f"short {whole}", *(f"whole {key}" for key in short)] if whole else []
