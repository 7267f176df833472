"""Which currencies there are, and the decimal places that each is counted in."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

_USUAL = 2
_MOST_NAMED = 10


@cache
def currencies() -> Mapping[str, int]:
    """Decimal places of the smallest unit, by code: those of ISO 4217, and of coins."""
    text = resources.files("cordon.money").joinpath("currencies.toml").read_text("utf-8")
    return {
        code: int(places)
        for table in tomllib.loads(text).values()
        for places, codes in table.items()
        for code in codes.split()
    }


def places_of(currency: str) -> int:
    """Decimal places of a currency's smallest unit; two of one that nobody knows."""
    return currencies().get(currency, _USUAL)


def unknown(told: Iterable[str]) -> list[str]:
    """A sentence that names codes which are no currency known, or none."""
    odd = sorted(set(told) - set(currencies()))
    if not odd:
        return []
    more = f" and {len(odd) - _MOST_NAMED:,} more" if len(odd) > _MOST_NAMED else ""
    return [
        f"No currency of ISO 4217 and no coin that is known: {', '.join(odd[:_MOST_NAMED])}{more}. "
        "What is paid in it is followed by itself; look which is meant."
    ]
