"""One value of a row of sensors at a time, refused in words that say what it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.picture.cover.model import WORDS, Limit, Sees

LONGEST = 80  # characters of a name or id
_MOST_SPANS = 200
_DUTY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_OFF = re.compile(r"(\S+?)/(\S*)(?:\s+(.*))?", re.DOTALL)


def text(row: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    """A short text; BadInput where it is none, too long or holds what cannot be printed."""
    value = row.get(name)
    if value is None or value == "":
        if needed:
            raise BadInput(f"it has no {name}.")
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadInput(f"its {name} is no text.")
    said = str(value).strip()
    if len(said) > LONGEST or not said.isprintable():
        raise BadInput(f"its {name} is longer than {LONGEST} characters or cannot be printed.")
    if needed and not said:
        raise BadInput(f"it has no {name}.")
    return said


def number(row: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    """A number within its bounds, or None where nothing is said."""
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        odd = isinstance(value, bool) or "_" in str(value)
        got = math.nan if odd else float(value)
    except (TypeError, ValueError):
        got = math.nan
    if not least <= got <= most:
        raise BadInput(f"its {name} takes a number from {least:g} to {most:g}.")
    return got


def unit(row: Mapping[str, Any], *, needed: bool = False) -> str:
    """A unit as positions name it."""
    said = text(row, "unit", needed=needed)
    if said and not (said.startswith("unit:") and len(said) > len("unit:")):
        raise BadInput("its unit is not written unit:ID.", advice="Write unit:CG-101.")
    return said


def moment(value: Any, name: str) -> datetime:
    """An aware time."""
    try:
        return parse_time(value)
    except (BadInput, TypeError, AttributeError, ValueError):
        raise BadInput(
            f"its {name} is no time with a zone.", advice="Write 2026-01-17T08:30:00Z."
        ) from None


def sees(row: Mapping[str, Any], usual: Sees, name: str = "sees") -> Sees:
    """What it sees, as words in a text or a list; what its kind usually sees where nobody says."""
    value = row.get(name)
    if value is None or value in ("", []):
        return usual
    words = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(words, list):
        raise BadInput(f"its {name} is no list of words.")
    found = Sees(0)
    for word in words:
        if not isinstance(word, str) or word not in WORDS:
            raise BadInput(
                f"its {name} holds {str(word)[:40]!r}.", advice=f"Give some of {', '.join(WORDS)}."
            )
        found |= WORDS[word]
    return found if name == "needs" else whole(found)


def whole(seen: Sees) -> Sees:
    """With what is easier to see: who sees a walker sees a vehicle, who sees any vessel all."""
    if seen & Sees.PERSON:
        seen |= Sees.VEHICLE
    if seen & Sees.VESSEL_WITHOUT_AIS:
        seen |= Sees.VESSEL_CLASS_B
    if seen & Sees.VESSEL_CLASS_B:
        seen |= Sees.VESSEL
    return seen


def duty(row: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Spans of the day as minutes after midnight UTC; a span may run over midnight."""
    said = row.get("duty")
    if said is None or said == "":
        return ()
    if not isinstance(said, str):
        raise BadInput("its duty is no text.")
    spans = []
    for part in said.split(";")[:_MOST_SPANS]:
        met = _DUTY.fullmatch(part.strip())
        if met is None:
            raise BadInput("its duty is not written HH:MM-HH:MM (UTC).", advice="06:00-18:00")
        until = int(met[3]) * 60 + int(met[4]) if met[3] else 1440
        spans.append((int(met[1]) * 60 + int(met[2]), until))
    return tuple(spans)


def limits(row: Mapping[str, Any]) -> tuple[Limit, ...]:
    """Outages of `off` (`START/END why; …`, END empty while unknown) and of a list `limits`."""
    found = []
    said = row.get("off")
    if said not in (None, ""):
        if not isinstance(said, str):
            raise BadInput("its off is no text.")
        for part in said.split(";")[:_MOST_SPANS]:
            met = _OFF.fullmatch(part.strip())
            if met is None:
                raise BadInput("its off is not written START/END why.")
            found.append(limit(met[1], met[2], 0.0, met[3] or ""))
    listed = row.get("limits")
    if listed not in (None, ""):
        if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
            raise BadInput("its limits are no list of objects with from, to, reach and why.")
        for one in listed[:_MOST_SPANS]:
            reach = number(one, "reach", 0.0, 1.0)
            found.append(limit(one.get("from"), one.get("to"), reach or 0.0, text(one, "why")))
    return tuple(found)


def limit(start: Any, end: Any, reach: float, why: str) -> Limit:
    """One span; BadInput where its times are wrong or it ends before it begins."""
    since = moment(start, "outage's begin")
    until = moment(end, "outage's end") if end not in (None, "", "..") else None
    if until is not None and until <= since:
        raise BadInput("its outage ends before it begins.")
    return Limit(since, until, reach, why.strip()[:LONGEST])
