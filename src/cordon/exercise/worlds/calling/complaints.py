"""What some victims report, late and with errors, among reports of other frauds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, Rng
from cordon.exercise.worlds.calling.tables import times, write_csv

COLUMNS = (
    "complaint_id", "received", "occurred", "victim_number", "suspect_number", "suspect_account",
    "suspect_handle", "suspect_wallet", "suspect_url", "loss_amount", "currency", "narrative",
)  # fmt: skip


@dataclass(slots=True)
class Known:
    """What a complaint may name.

    Attributes:
        numbers: text of each line. accounts: text of each account. helplines: lines of banks.
        others: lines of innocents. persons: line of each person. banks: accounts of innocents.
    """

    numbers: list[str]
    accounts: list[str]
    helplines: Ints
    others: Ints
    persons: Ints
    banks: Ints


def complaints(
    data: Data,
    centres: list[Centre],
    victims: tuple[Ints, Ints, Ints, Floats, Floats],
    paid: Ints,
    known: Known,
    span: tuple[float, float],
    rng: Rng,
) -> list[dict[str, object]]:
    """Complaints in order of their receipt, `received_s` and `occurred_s` in seconds.

    Args:
        data: the part `complaints` of the YAML, drawn. victims: as `Victims.columns`.
        paid: account that each victim paid to, −1 for none. span: begin and end (s).
    """
    rows: list[dict[str, object]] = []
    index, who, line, t, lost = victims
    by_index = {c.index: c for c in centres}
    for at in np.flatnonzero(rng.random(len(who)) < data["victims"]):
        centre = by_index[int(index[at])]
        row = _one(data, centre, int(line[at]), int(paid[at]), known, rng)
        delay = rng.exponential(data["delay_days"]) * DAY + rng.uniform(0.5, 6) * HOUR
        row["received_s"] = float(t[at] + min(delay, 10 * DAY))
        row["occurred_s"] = float(t[at]) if rng.random() < 0.8 else float("nan")
        row["victim"] = int(known.persons[who[at]])
        row["loss"] = int(lost[at] * (1.0 if rng.random() < 0.8 else rng.uniform(0.7, 1.5)))
        rows.append(row)
    rows += _unrelated(data, len(rows), known, span, rng)
    rows = [r for r in rows if span[0] <= float(str(r["received_s"])) < span[1]]
    return sorted(rows, key=lambda r: (float(str(r["received_s"])), str(r["suspect_number"])))


def _one(
    data: Data, centre: Centre, line: int, paid: int, known: Known, rng: Rng
) -> dict[str, object]:
    """What one victim says of whom; somebody remembers everything, most do not."""
    number = known.numbers[line]
    how = rng.random()
    if how < data["missing"]:
        number = ""
    elif how < data["missing"] + data["wrong_digit"]:
        at = int(rng.integers(4, len(number)))
        digit = str((int(number[at]) + int(rng.integers(1, 10))) % 10)
        number = number[:at] + digit + number[at + 1 :]
    elif how < data["missing"] + data["wrong_digit"] + data["innocent"]:
        pool = known.helplines if rng.random() < 0.5 else known.others
        number = known.numbers[int(rng.choice(pool))]
    account = known.accounts[paid] if paid >= 0 and rng.random() < data["account"] else ""
    handle = str(rng.choice(centre.handles)) if rng.random() < data["handle"] else ""
    url = str(rng.choice(centre.urls)) if rng.random() < data["url"] else ""
    wallet = str(rng.choice(centre.wallets)) if rng.random() < data["wallet"] else ""
    if not (number or account or handle or url or wallet):
        handle = str(rng.choice(centre.handles))
    return {
        "suspect_number": number,
        "suspect_account": account,
        "suspect_handle": handle,
        "suspect_wallet": wallet,
        "suspect_url": url,
        "narrative": str(rng.choice(centre.own["tells"])),
    }


def _unrelated(
    data: Data, related: int, known: Known, span: tuple[float, float], rng: Rng
) -> list[dict[str, object]]:
    """Frauds that no centre has a part in: sellers, acquaintances, stolen cards."""
    rows: list[dict[str, object]] = []
    for _ in range(rng.poisson(max(3.0, related * data["unrelated"]))):
        number = known.numbers[int(rng.choice(known.others))] if rng.random() < 0.6 else ""
        account = known.accounts[int(rng.choice(known.banks))] if rng.random() < 0.6 else ""
        t = float(rng.uniform(*span))
        handle = f"@shop{int(rng.integers(100, 99999))}" if not (number or account) else ""
        rows.append(
            {
                "suspect_number": number,
                "suspect_account": account,
                "suspect_handle": handle,
                "suspect_wallet": "",
                "suspect_url": "",
                "narrative": str(rng.choice(data["other_tells"])),
                "received_s": t + rng.exponential(2.0) * DAY,
                "occurred_s": t,
                "victim": int(rng.choice(known.persons)),
                "loss": int(np.exp(rng.normal(9.0, 1.0))),
            }
        )
    return rows


def write_complaints(
    path: Path, rows: list[dict[str, object]], known: Known, midnight: datetime
) -> int:
    """Write `complaints.csv`; return its rows."""
    received = np.array([float(str(r["received_s"])) for r in rows])
    occurred = np.array([float(str(r["occurred_s"])) for r in rows])
    unknown = np.isnan(occurred)
    stamps = times(midnight, np.where(unknown, 0.0, occurred))
    columns = {
        "complaint_id": pa.array([f"C{i + 1:06d}" for i in range(len(rows))], pa.string()),
        "received": times(midnight, received),
        "occurred": pc.if_else(pa.array(unknown), None, stamps),
        "victim_number": pa.array(
            [known.numbers[int(str(r["victim"]))] for r in rows], pa.string()
        ),
        "loss_amount": pa.array([str(r["loss"]) for r in rows], pa.string()),
        "currency": pa.array(["PKR"] * len(rows), pa.string()),
    }
    for name in COLUMNS:
        if name not in columns:
            columns[name] = pa.array([str(r[name]) for r in rows], pa.string())
    write_csv(path, pa.table({name: columns[name] for name in COLUMNS}), quoted=True)
    return len(rows)
