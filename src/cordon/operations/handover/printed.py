"""A hand-over as values of its printed form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cordon.kernel.clock import parse_time
from cordon.operations.handover.desk import Handover

DONE = {
    "raised": "Raised",
    "acknowledged": "Acknowledged",
    "escalated": "Escalated",
    "answered": "Answered",
    "closed": "Closed",
}


def values(shown: Handover, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Values of `printed/handover.typ`; times by the country's own clock."""

    def local(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    def line(a: Mapping[str, Any]) -> list[str]:
        who = "nobody" if not a["assignee"] else names.get(a["assignee"], "another officer")
        return [
            str(a["title"]), str(a["seriousness"]), str(a["state"]), f"{a['score']:g}",
            local(parse_time(a["due_at"])), who,
        ]  # fmt: skip

    told = shown.told
    signed = "Nobody has signed for it yet."
    if shown.incoming is not None and shown.accepted_at is not None:
        signed = (
            f"Signed for by {names.get(shown.incoming, shown.incoming)}, "
            f"{local(shown.accepted_at)}: {len(shown.passed['alerts'])} alerts passed over, "
            f"{len(shown.passed['nobody'])} are nobody's again."
        )
    return {
        "agency": shown.agency,
        "mark": shown.mark.value,
        "reference": f"Hand-over {shown.id}",
        "title": f"Hand-over of the watch {shown.watch}"
        + (f", sector {told['sector']}" if told.get("sector") else ""),
        "span": f"{local(shown.starts)} to {local(shown.ends)} ({zone.key})",
        "written": f"Written by {names.get(shown.outgoing, shown.outgoing)}, "
        f"{local(shown.written_at)}.",
        "signed": signed,
        "summary": shown.summary,
        "done": [[DONE.get(name, name), f"{count:,}"] for name, count in told["done"].items()],
        "open": [line(a) for a in told["open"]],
        "closing": [line(a) for a in told["closing"]],
        "since": [line(a) for a in shown.passed["since"]],
        "out": [
            [o["unit"], o["state"].replace("_", " "), local(parse_time(o["since"])), o["alert"]]
            for o in told["out"]
        ],
        "ended": [[e["unit"], e["state"].replace("_", " "), e["note"]] for e in told["ended"]],
        "down": [[d["name"], d["state"]] for d in told["down"]],
    }
