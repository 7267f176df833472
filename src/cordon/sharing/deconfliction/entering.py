"""A planned act as it is typed, on a page or in a command, made into one that can be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cordon.kernel.access.model import Mark
from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput
from cordon.sharing.deconfliction.kinds import Kind
from cordon.sharing.deconfliction.model import Draft
from cordon.sharing.deconfliction.place import Place, parse_degrees

FIELDS = (
    "kind", "title", "lat", "lon", "area", "radius_m", "starts", "hours", "ends", "buffer_min",
    "subject_days", "subjects", "commander", "ring", "joint", "mark",
)  # fmt: skip


def entered(typed: Mapping[str, str], kind: Kind, zone: ZoneInfo) -> Draft:
    """The act that was typed; what is left empty is taken from its kind.

    Args:
        typed: texts by `FIELDS`. `area` is a corner a line, latitude and longitude with a space
            or a comma between; `subjects` one a line. A time without a zone is in `zone`.

    Raises:
        BadInput: says which field is wrong and what to write.
    """
    said = {name: typed.get(name, "").strip() for name in FIELDS}
    radius = _number(said["radius_m"], "The radius", kind.radius_m)
    start = _time(said["starts"], zone)
    if said["ends"]:
        end = _time(said["ends"], zone)
    else:
        hours = _number(said["hours"], "How long it lasts", kind.hours)
        if not 0 < hours <= 24 * 31:
            raise BadInput("It lasts more than 0 and at most 744 hours.")
        end = start + timedelta(hours=hours)
    try:
        mark = Mark(said["mark"] or Mark.AMBER)
    except ValueError:
        raise BadInput(
            f"“{said['mark'][:30]}” is no handling mark.",
            advice="It is one of " + ", ".join(Mark) + ".",
        ) from None
    return Draft(
        kind.id, said["title"] or kind.title, _place(said, radius), start, end,
        _number(said["buffer_min"], "The buffer", kind.buffer_min),
        _number(said["subject_days"], "The days for a subject", kind.subject_days),
        tuple(s for s in said["subjects"].splitlines() if s.strip()),
        said["commander"], said["ring"], said["joint"], mark,
    )  # fmt: skip


def _place(said: Mapping[str, str], radius: float) -> Place:
    lines = [one for one in said["area"].splitlines() if one.strip()]
    if lines:
        return Place.of_area([_corner(one) for one in lines], radius)
    if not said["lat"] or not said["lon"]:
        raise BadInput("It has no place.", advice="Type latitude and longitude, or tap Here.")
    return Place.circle(
        parse_degrees(said["lat"], "lat"), parse_degrees(said["lon"], "lon"), radius
    )


def _corner(text: str) -> tuple[float, float]:
    parts = text.split(",") if "," in text else text.split()
    if len(parts) != 2:
        raise BadInput(
            f"“{text.strip()[:40]}” is no corner of an area.",
            advice="Write latitude and longitude with a comma between, a corner a line.",
        )
    return parse_degrees(parts[0], "lat"), parse_degrees(parts[1], "lon")


def _number(text: str, what: str, usual: float) -> float:
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"{what} is no number: “{text[:20]}”.")
    return value


def _time(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise BadInput(
            f"“{text[:40]}” is no time." if text else "It has no time.",
            advice="Write it like 2026-01-17T08:30.",
        ) from None
