"""The watches of a node: data, in `watches.yaml` or in the operator's own file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from cordon.kernel.errors import WrongSetting

BUILT_IN = Path(__file__).with_suffix(".yaml")
MOST = 24


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch: its name, when it begins (the country's own time), and its sectors, or all."""

    name: str
    begins: time
    sectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """One watch of one day (UTC)."""

    watch: Watch
    starts: datetime
    ends: datetime


def read_watches(path: Path | None) -> tuple[Watch, ...]:
    """The watches, in the order in which they begin; WrongSetting where a file cannot be used."""
    named = path or BUILT_IN
    try:
        rows = yaml.safe_load(named.read_text("utf-8"))
        made = [
            Watch(
                str(row["name"])[:40],
                time.fromisoformat(str(row["begins"])),
                tuple(str(s) for s in row.get("sectors", ())),
            )
            for row in rows
        ]
        times = {w.begins for w in made}
        if not made or len(made) > MOST or len(times) < len(made):
            raise ValueError(f"it takes 1 to {MOST} watches that begin at different times")
        if any(t.tzinfo is not None for t in times):
            raise ValueError("a watch begins at a time without a zone")
    except OSError as wrong:
        raise WrongSetting(
            f"CORDON_WATCHES names {named}, which cannot be read: {wrong.strerror}."
        ) from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise WrongSetting(
            f"{named} cannot be used as watches: {str(wrong)[:120]}.",
            advice="Write a list like operations/handover/watches.yaml.",
        ) from None
    return tuple(sorted(made, key=lambda w: w.begins))


def span_at(watches: Sequence[Watch], zone: ZoneInfo, moment: datetime) -> Span:
    """The watch that runs at a moment."""
    day = moment.astimezone(zone).date()
    begun = [
        (datetime.combine(day + timedelta(days=turn), w.begins, zone).astimezone(UTC), n)
        for turn in (-1, 0, 1, 2)
        for n, w in enumerate(watches)
    ]
    starts, number = max(b for b in begun if b[0] <= moment)
    return Span(watches[number], starts, min(b[0] for b in begun if b[0] > starts))


def spans(watches: Sequence[Watch], zone: ZoneInfo, now: datetime) -> tuple[Span, Span]:
    """The watch that runs now, and the one before it."""
    present = span_at(watches, zone, now)
    return present, span_at(watches, zone, present.starts - timedelta(seconds=1))
