"""The measures of a week as values of its printed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cordon.kernel.clock import format_time
from cordon.operations.measures.model import Change, Figure, Report, Step

STEPS = {
    Step.RAISE: "First sign to alert",
    Step.ACKNOWLEDGE: "Alert to acknowledged",
    Step.SEND: "Acknowledged to unit sent",
    Step.REACH: "Unit sent to on scene",
    Step.WHOLE: "First sign to on scene",
}
GROUPS = {"sector": "By sector", "watch": "By watch", "detector": "By detector"}


def duration(seconds: float | None) -> str:
    """A duration in its two largest parts (`2 h 05 min`); a dash where it cannot be said."""
    if seconds is None:
        return "–"
    sign, whole = ("−" if seconds < 0 else ""), abs(round(seconds))
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60:02d} s"
    if whole < 48 * 3600:
        return f"{sign}{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{sign}{whole // 86400} d {whole % 86400 // 3600} h"


def interval(change: Change) -> str:
    """The interval of a difference, an open side as a word; says where there is none."""
    if not change.told:
        return "not to be told"
    low = "no lower end" if change.low_s is None else duration(change.low_s)
    high = "no upper end" if change.high_s is None else duration(change.high_s)
    return f"{low} to {high}"


def printed(agency: str, week: str, report: Report, changes: Sequence[Change]) -> dict[str, Any]:
    """Values of `printed/measures.typ`."""
    return {
        "agency": agency,
        "mark": "TLP:AMBER+STRICT",
        "title": f"Response in week {week}",
        "reference": f"Measures {week}",
        "span": f"Alerts raised from {format_time(report.since)} to {format_time(report.until)}, "
        f"followed until {format_time(report.now)}: {report.alerts:,} for themselves, "
        f"{report.alike:,} more alike, which are not counted. "
        f"{report.escalated:,} were escalated, because nobody had seen them in their time.",
        "steps": [[STEPS[f.step], *_cells(f)] for f in report.figures],
        "changes": [
            [
                STEPS[c.step],
                duration(c.before.median_s),
                duration(c.after.median_s),
                duration(c.difference_s),
                interval(c),
            ]
            for c in changes
        ],
        "groups": [
            {
                "title": title,
                "rows": [
                    [name or "not known", f"{n:,}", *(_both(f) for f in figures)]
                    for name, n, figures in report.groups[by]
                ],
            }
            for by, title in GROUPS.items()
        ],
    }


def _cells(f: Figure) -> list[str]:
    counts = (f.done, f.waiting, f.ended, f.backwards)
    return [duration(f.median_s), duration(f.high_s), *(f"{n:,}" for n in counts)]


def _both(f: Figure) -> str:
    return f"{duration(f.median_s)} / {duration(f.high_s)}"
