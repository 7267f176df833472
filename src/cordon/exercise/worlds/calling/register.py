"""The register of subscribers, as networks keep it: some lines are missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.exercise.worlds.calling.drawing import Data, Ints, Rng
from cordon.exercise.worlds.calling.lines import KINDS, Lines
from cordon.exercise.worlds.calling.tables import write_csv


def holders(data: Data, whose: Ints, rng: Rng) -> tuple[pa.Array, pa.Array]:
    """Names and identity numbers: the same holder (index) has the same ones, −1 has one alone.

    Identity numbers begin with 99, which no district has.
    """
    given, family = data["given"], data["family"]
    top = int(whose.max()) + 1 if len(whose) else 0
    kept = rng.integers(0, len(given) * len(family), top + len(whose))
    digits = rng.integers(0, 10**11, top + len(whose))
    of = np.where(whose >= 0, whose, top + np.arange(len(whose)))
    names = pa.array([f"{g} {f}" for g in given for f in family]).take(pa.array(kept[of]))
    ids = pa.array(99 * 10**11 + digits[of]).cast(pa.string())
    return names, ids


def write_subscribers(path: Path, data: Data, lines: Lines, midnight: datetime, rng: Rng) -> int:
    """Write `subscribers.csv` in order of number; return its rows."""
    listed = np.flatnonzero(lines.kind >= 0).astype(np.int32)
    names, ids = holders(data, lines.holder[listed], rng)
    first = midnight.date() - timedelta(days=20_000)
    days = pa.array([(first + timedelta(days=d)).isoformat() for d in range(20_400)])
    age = np.clip(lines.activated[listed] + 20_000, 0, 20_399)
    kinds = pa.array(list(KINDS)).take(pa.array(lines.kind[listed]))
    companies = pa.array(lines.kind[listed] > 0)
    table = pa.table(
        {
            "number": lines.number_strings().take(pa.array(listed)),
            # companies are held by no person's name
            "holder_name": pc.if_else(companies, "", names),
            "holder_id": pc.if_else(companies, "", ids),
            "activated": days.take(pa.array(age)),
            "kind": kinds,
        }
    )
    table = table.sort_by("number")
    write_csv(path, table)
    return len(table)
