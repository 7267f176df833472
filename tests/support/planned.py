"""Planned acts for pages to be looked at with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cordon.sharing.deconfliction.entering import entered


def planned(standing: Any) -> str:
    """Two planned acts that meet, and one that was cancelled; the id of the first."""
    desk = standing.node.sharing.deconfliction
    starts = (standing.node.kernel.clock.now() + timedelta(hours=4)).isoformat()
    typed = {
        "lat": "25.104", "lon": "62.32", "starts": starts, "ring": "Duty officer 021-1234567",
        "commander": "Commander X", "subjects": "number:+923001234567\nvehicle:LEA-1234",
    }  # fmt: skip
    ids = [
        desk.add(standing.actor, entered(typed, desk.kind(kind), desk.zone))
        for kind in ("raid", "surveillance", "arrest")
    ]
    desk.end(standing.actor, ids[2], "It will not take place.", cancelled=True)
    return ids[0]
