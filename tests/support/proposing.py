"""Rows of made-up calls for tests of proposed layouts, and what a proposal reads of a file."""

from __future__ import annotations

import random
from pathlib import Path

from cordon.calls.reading import read_calls

IMEI, OTHER_IMEI = "352099001761416", "352099001761424"


def pairs(start: str, other: str, count: int = 40) -> list[dict[str, str]]:
    """Values of calls between numbers that begin so, by what they are."""
    rng = random.Random(11)
    return [
        {
            "a": f"{start}{rng.randrange(10**6, 10**7)}",
            "b": f"{other}{rng.randrange(10**6, 10**7)}",
            "day": f"{rng.randrange(1, 29):02}/0{rng.randrange(1, 10)}/2025",
            "time": f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}",
            "s": str(rng.randrange(300)), "imei": rng.choice([IMEI, OTHER_IMEI]),
            "cell": f"{rng.randrange(900)}-{rng.randrange(60000)}", "coin": str(rng.randrange(2)),
        }
        for _ in range(count)
    ]  # fmt: skip


def meanings(proposal) -> list[str]:
    return [g.meaning for g in proposal.guesses]


def rows_by(proposal, path: Path, region: str) -> list[dict]:
    out = path.parent / "own.yaml"
    out.write_text(proposal.as_yaml(), "utf-8")
    return [r for b in read_calls(path, region, layout=str(out)) for r in b.table.to_pylist()]
