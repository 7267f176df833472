"""What a unit says it can do, and what that does to its rank; data, in `means.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cordon.kernel.findings import Reason
from cordon.operations.model import Statement

METRES_A_MILE = 1852.0


@dataclass(frozen=True, slots=True)
class Means:
    """The values of `means.yaml`: words by id, least crew by act, minutes and shares."""

    acts: Mapping[str, str]
    equipment: Mapping[str, str]
    crew: Mapping[str, int]
    fresh_min: float
    old_min: float
    reserve_share: float
    lacks_min: float
    few_min: float
    old_share: float


@cache
def means() -> Means:
    """The values that the package brings."""
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    acts, equipment = data.pop("acts"), data.pop("equipment")
    return Means(
        acts=MappingProxyType({one["id"]: one["called"] for one in acts}),
        equipment=MappingProxyType({one["id"]: one["called"] for one in equipment}),
        crew=MappingProxyType({one["id"]: one["crew"] for one in acts}),
        **data,
    )


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a statement does to a rank: its reasons, minutes added, and whether it is out."""

    reasons: tuple[Reason, ...]
    added_min: float = 0.0
    out: bool = False


def weighed(
    said: Statement | None, asks: Sequence[str], way_m: float | None, now: datetime
) -> Weighed:
    """A unit's statement against what an alert asks for, and against the way there and back.

    A statement fades: within this watch its fuel can bar the unit; until a day later it only
    marks it down, and by half; after that it counts no more.

    Args:
        asks: acts that the alert's kind asks for. way_m: one way (m), None where not known.
    """
    use = means()
    if said is None:
        return Weighed((Reason("said", 0, "1", None, "Nothing was said of crew and fuel."),))
    age = max(0.0, (now - said.said_at).total_seconds() / 60)
    if age > use.old_min:
        says = "What it said of crew and fuel is too old to count."
        return Weighed((Reason("said_age", round(age), "min", use.old_min, says),))
    share = 1.0 if age <= use.fresh_min else use.old_share
    reasons: list[Reason] = []
    if share < 1:
        says = "What it said of crew and fuel is from another watch: it counts by half."
        reasons.append(Reason("said_age", round(age), "min", use.fresh_min, says))
    added, out = _fuel(said, way_m, share, reasons)
    lacking = [act for act in asks if act not in said.acts]
    if lacking:
        more = use.lacks_min * share
        words = ", ".join(use.acts.get(act, act) for act in lacking)
        says = f"It does not say that it can {words}: {more:.0f} min are added."
        reasons.append(Reason("lacks", len(lacking), "1", None, says))
        added += more
    least = max((use.crew.get(act, 0) for act in asks), default=0)
    if said.crew is not None and said.crew < least:
        more = use.few_min * share
        says = f"Its crew is fewer than this asks for: {more:.0f} min are added."
        reasons.append(Reason("crew", said.crew, "1", least, says))
        added += more
    return Weighed(tuple(reasons), added, out)


def _fuel(
    said: Statement, way_m: float | None, share: float, reasons: list[Reason]
) -> tuple[float, bool]:
    """Minutes that its fuel adds, and whether it bars the unit."""
    if said.range_nm is None or way_m is None:
        return 0.0, False
    use = means()
    needs = round(2 * way_m / METRES_A_MILE * (1 + use.reserve_share), 1)
    if needs <= said.range_nm:
        says = "Its fuel lasts there and back, with a reserve."
        reasons.append(Reason("range", needs, "nm", said.range_nm, says))
        return 0.0, False
    if share < 1:
        more = use.lacks_min * share
        says = f"By what it said then its fuel would not last: {more:.0f} min are added."
        reasons.append(Reason("range", needs, "nm", said.range_nm, says))
        return more, False
    says = "Its fuel does not last there and back with a reserve."
    reasons.append(Reason("range", needs, "nm", said.range_nm, says))
    return 0.0, True
