"""Files beside the calls: read while a search runs, told in one order whenever they were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls import find
from cordon.calls.companions import Beside, Later, read_paid
from cordon.kernel.errors import BadInput

BESIDE = {
    "subscribers": "number,kind\n+923001111111,person\n+923002222222,starship\n",
    "cells": "cell,lat,lon\n410-01-1,33.6,73.0\n410-01-2,133.6,73.0\n",
    "complaints": "complaint_id,received,suspect_number\nC1,2026-03-05,+923001111111\nC2,,\n",
    "payments": (
        "payment_id,at,from_account,to_account,amount,currency\n"
        "P1,2026-03-02T10:00:00Z,A,B,5,PKR\nP2,2026-03-02T10:00:00Z,A,,5,PKR\n"
        "P1,2026-03-02T10:00:00Z,A,B,5,PKR\nP3,2026-03-03T10:00:00Z,B,C,4,PKR\n"
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A file of each kind, of which one row cannot be read."""
    made = {name: tmp_path / f"{name}.csv" for name in BESIDE}
    for name, path in made.items():
        path.write_text(BESIDE[name])
    return made


def test_rows_that_are_lost_are_told_file_by_file(tmp_path: Path, files: dict[str, Path]) -> None:
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    calls = {
        "start": pa.array([begin + timedelta(hours=n) for n in range(40)]),
        "duration_s": [20.0] * 40,
        "kind": ["voice"] * 40,
        "caller": [f"+92300111111{n % 3}" for n in range(40)],
        "callee": [f"+92300222222{n % 7}" for n in range(40)],
    }
    pq.write_table(pa.table(calls), tmp_path / "calls.parquet")
    result = find([tmp_path / "calls.parquet"], **files)
    assert [(name, r.row) for name, r in result.refusals] == [(f"{name}.csv", 2) for name in BESIDE]
    lost = [s.partition(" could not be read: ")[0] for s in result.left_out]
    assert lost[:4] == [
        "1 of the 2 rows of subscribers.csv",
        "1 of the 2 rows of cells.csv",
        "1 of the 2 rows of complaints.csv",
        "1 of the 4 rows of payments.csv",
    ]
    with pytest.raises(BadInput, match="no file nowhere"):
        find([tmp_path / "calls.parquet"], payments=tmp_path / "nowhere.csv")


def test_of_payments_who_paid_whom_is_kept(files: dict[str, Path]) -> None:
    paid = read_paid("PK", files["payments"])
    assert paid.payments is not None
    assert paid.payments.select(["from_account", "to_account"]).to_pylist() == [
        {"from_account": "A", "to_account": "B"},
        {"from_account": "B", "to_account": "C"},
    ]
    assert read_paid("PK", None) == Beside()


def test_work_is_done_once_and_when_it_is_begun() -> None:
    done: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        later = Later(pool, lambda: done.append(1) or len(done))
        assert not done
        later.begin().result()
        assert done == [1]
        assert [later.result(), later.result()] == [1, 1]
        assert Later(pool, lambda: "asked").result() == "asked"
