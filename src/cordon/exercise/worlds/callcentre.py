"""The world “callcentre”: a nation's calls, and illegal call centres and SIM boxes among them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from cordon.exercise.model import PLAYED, Inputs, Played, write_truths
from cordon.exercise.worlds.calling.drawing import DAY
from cordon.exercise.worlds.calling.nation import Nation
from cordon.exercise.worlds.calling.sessions import Sessions
from cordon.exercise.worlds.calling.telling import Telling
from cordon.exercise.worlds.folder import written_together
from cordon.kernel.clock import as_utc, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import written_whole

NAME = "callcentre"
SAYS = (
    "A nation's calls for some weeks: people at home, at work and on journeys, trades that call "
    "many, and among them illegal call centres, SIM boxes and people who change their numbers; "
    "with complaints, accounts and payments."
)
_FILES = {
    "calls": "calls.parquet",
    "cells": "cells.csv",
    "subscribers": "subscribers.csv",
    "complaints": "complaints.csv",
    "accounts": "accounts.csv",
    "payments": "payments.csv",
    "world": PLAYED,
    "truth": "truth.jsonl",
}

_SESSIONS = "sessions.parquet"


def generate(
    seed: int,
    days: float,
    scale: float,
    out: Path,
    *,
    start: datetime | None = None,
    sessions: bool = False,
) -> Inputs:
    """Write the world's inputs and truth into a folder; see `model.World`.

    Scale 1 is 300,000 subscribers. Rows are made and written a day at a time.

    Args:
        sessions: write internet sessions too; the other files are the same without them.
    """
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    begins = as_utc(start) if start is not None else parse_time(data["start"])
    begins = begins.replace(microsecond=0)
    _check(seed, days, scale, begins)
    ends = begins + timedelta(seconds=days * DAY)
    local = begins.astimezone(ZoneInfo(data["zone"]))
    midnight = begins - timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    begin = (begins - midnight).total_seconds()
    nation = Nation(data, seed, scale, local.date(), begin, begin + days * DAY)
    with written_together(out) as made:
        files = {name: made / file for name, file in _FILES.items()}
        with nation.rows(files["calls"], midnight) as rows:
            nation.live(rows)
        telling = Telling(nation.lines, nation.sets, nation.land, rows)
        truths = [
            *telling.centres(nation.centres),
            *telling.boxes(nation.boxes),
            *telling.successions(nation.people, nation.renumbered),
        ]
        written = nation.write(files, midnight)
        if sessions:
            files["sessions"] = made / _SESSIONS
            told = Sessions(data["sessions"], seed, nation, rows)
            written["sessions"] = told.write(files["sessions"], midnight)
        truths += nation.money_truths
        counts = {"calls": rows.count, "truth": len(truths), **written}
        with written_whole(files["world"]) as partial:
            partial.write_bytes(Played(NAME, seed, days, scale, begins, ends).to_bytes())
        with written_whole(files["truth"]) as partial:
            partial.write_bytes(b"".join(write_truths(truths)))
    return Inputs(out, {n: out / made.name for n, made in files.items()}, counts, begins, ends)


def _check(seed: int, days: float, scale: float, begins: datetime) -> None:
    if not 0.05 <= days <= 366 or not 0.005 <= scale <= 20:
        raise BadInput(
            f"The world {NAME} got {days:g} days at scale {scale:g}.",
            advice="It takes 0.05 to 366 days and a scale from 0.005 to 20.",
        )
    if not 0 <= seed < 2**63:
        raise BadInput(
            f"The world {NAME} got the seed {seed}.", advice="It takes a whole number from 0 up."
        )
    if not 1970 <= begins.year < 2200:
        raise BadInput(
            f"The world {NAME} got the year {begins.year}.", advice="It takes 1970 to 2199."
        )


__all__ = ["NAME", "SAYS", "generate"]
