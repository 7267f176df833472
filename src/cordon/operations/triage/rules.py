"""The rules of the queue as values: data, in `rules.yaml`, and the operator's own over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cordon.kernel.access.model import Role
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.errors import WrongSetting

BUILT_IN = Path(__file__).with_suffix(".yaml")
LARGEST = 1 << 20  # bytes of the operator's own file
UNTIL = ("", "zone", "land")


@dataclass(frozen=True, slots=True)
class KindRule:
    """What is special to a kind of finding.

    Attributes:
        kind: its name, or the beginning of several, ending in a dot.
        act_within: how long after the behaviour one can still act. more: points beside those of
            its seriousness, -5 to 5. until: `zone` or `land`: it ends where the subject leaves
            its zone or comes to land, where that can be told. acts: what a unit must be able to
            do for it. why: the reason for the time, in one sentence. first: it stands before all
            else while nobody answered it.
    """

    kind: str
    act_within: timedelta
    more: float = 0.0
    until: str = ""
    acts: tuple[str, ...] = ()
    why: str = ""
    first: bool = False

    def fits(self, kind: str) -> bool:
        """True where it speaks of this kind."""
        return kind.startswith(self.kind) if self.kind.endswith(".") else kind == self.kind


@dataclass(frozen=True, slots=True)
class Level:
    """Who is told next: how they are called, and the role that they have on the node."""

    called: str
    role: Role


@dataclass(frozen=True, slots=True)
class TriageRules:
    """All values of the file; points, minutes as spans, weights 0 to 1."""

    seriousness: Mapping[str, float]
    confidence_most: float
    place_most: float
    answered_less: float
    escalated_more: float
    bands: tuple[tuple[timedelta, float], ...]
    past_points: float
    fresh: timedelta
    ahead: timedelta
    elsewhere: float
    zone_kinds: Mapping[str, float]
    zones: Mapping[str, float]
    kinds: tuple[KindRule, ...]
    otherwise: Mapping[str, timedelta]
    acknowledge: Mapping[str, timedelta]
    acknowledge_kinds: Mapping[str, timedelta]
    levels: tuple[Level, ...]

    def of(self, kind: str, seriousness: str) -> KindRule:
        """The rule of a kind of finding; one by its seriousness where none names it."""
        for rule in self.kinds:
            if rule.fits(kind):
                return rule
        return KindRule(kind, self.otherwise[seriousness], why="By its seriousness.")

    def seen_within(self, kind: str, seriousness: str) -> timedelta:
        """How long an alert may wait until somebody says that it was seen."""
        return self.acknowledge_kinds.get(kind, self.acknowledge[seriousness])


@cache
def builtin() -> TriageRules:
    """The rules that the package brings."""
    return _rules(yaml.safe_load(BUILT_IN.read_text("utf-8")), str(BUILT_IN))


def read_rules(path: Path | None) -> TriageRules:
    """The rules of a node: the operator's file laid over the built-in ones.

    Raises:
        WrongSetting: the file cannot be read, or a value in it cannot be used; it names which.
    """
    if path is None:
        return builtin()
    try:
        if path.stat().st_size > LARGEST:
            raise WrongSetting(f"CORDON_TRIAGE names {path}, which is larger than 1 MB.")
        own = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as wrong:
        raise WrongSetting(
            f"CORDON_TRIAGE names {path}, which cannot be read: {wrong.strerror}."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise WrongSetting(f"CORDON_TRIAGE names {path}, which is no YAML.") from None
    base = yaml.safe_load(BUILT_IN.read_text("utf-8"))
    if not isinstance(own, dict) or set(own) - set(base):
        raise WrongSetting(
            f"{path} holds what the rules of the queue do not have.",
            advice=f"Give a mapping of some of {', '.join(base)}.",
        )
    return _rules(_over(base, own), str(path))


def _over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Mappings are laid over value by value; the operator's kinds go before the built-in ones."""
    made = dict(base)
    for name, value in own.items():
        if name == "kinds" and isinstance(value, list):
            made[name] = [*value, *base[name]]
        elif isinstance(value, dict) and isinstance(base.get(name), dict):
            made[name] = _over(base[name], value)
        else:
            made[name] = value
    return made


def _rules(data: dict[str, Any], named: str) -> TriageRules:
    try:
        acknowledge, places = data["acknowledge"], data["places"]
        made = TriageRules(
            seriousness={s: _number(data["seriousness"][s], 0, 100) for s in SERIOUSNESS},
            confidence_most=_number(data["confidence_most"], 0, 100),
            place_most=_number(data["place_most"], 0, 100),
            answered_less=_number(data["answered_less"], 0, 100),
            escalated_more=_number(data["escalated_more"], 0, 100),
            bands=tuple(
                sorted(
                    (_minutes(b["left_min"]), _number(b["points"], 0, 100)) for b in data["time"]
                )
            ),
            past_points=_number(data["past_points"], 0, 100),
            fresh=_minutes(data["fresh_min"]),
            ahead=timedelta(hours=_number(data["ahead_h"], 0, 48)),
            elsewhere=_number(places["elsewhere"], 0, 1),
            zone_kinds={str(k): _number(v, 0, 1) for k, v in places["kinds"].items()},
            zones={str(k): _number(v, 0, 1) for k, v in places["zones"].items()},
            kinds=tuple(_kind(k) for k in data["kinds"]),
            otherwise={s: _minutes(data["otherwise"][s]) for s in SERIOUSNESS},
            acknowledge={s: _minutes(acknowledge["within_min"][s]) for s in SERIOUSNESS},
            acknowledge_kinds={str(k): _minutes(v) for k, v in acknowledge["kinds"].items()},
            levels=tuple(
                Level(str(one["called"]), Role(one["role"])) for one in acknowledge["levels"]
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise WrongSetting(
            f"{named} cannot be used as rules of the queue: {str(wrong)[:120]}.",
            advice="Write it like operations/triage/rules.yaml.",
        ) from None
    return made


def _kind(given: dict[str, Any]) -> KindRule:
    until = str(given.get("until", ""))
    if until not in UNTIL:
        raise ValueError(f"until {until!r:.20} is none of zone and land")
    return KindRule(
        kind=str(given["kind"]),
        act_within=_minutes(given["act_within_min"]),
        more=_number(given.get("more", 0), -5, 5),
        until=until,
        acts=tuple(str(a) for a in given.get("acts", ())),
        why=str(given.get("why", "")),
        first=given.get("first") is True,
    )


def _number(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.20} is no number")
    if not least <= value <= most:  # what is no number at all (nan) fails here too
        raise ValueError(f"{value} is not from {least:g} to {most:g}")
    return float(value)


def _minutes(value: Any) -> timedelta:
    return timedelta(minutes=_number(value, 0.1, 100_000))
