"""Killed at any moment, or with two processes at once: nothing acknowledged is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cordon.kernel.clock import SystemClock
from cordon.kernel.errors import CordonError
from cordon.kernel.ledger import Ledger, NewEntry, load_key, verify_rows
from cordon.kernel.store.rows import Rows

PROGRAM = Path(__file__).parent / "appender.py"
ORIGIN = "pk-mcg.example/ledger"


def run(url: str, tmp_path: Path, *arguments: str) -> dict[int, str]:
    """Run the program; return what it acknowledged: index and name."""
    done = subprocess.run(
        [
            sys.executable,
            str(PROGRAM),
            url,
            str(tmp_path / "ledger"),
            str(tmp_path / "keys"),
            *arguments,
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[int, str] = {}
    for line in done.stdout.splitlines():
        index, _, name = line.partition(" ")
        if index.isdigit() and name:
            assert int(index) not in said, "an index was acknowledged twice"
            said[int(index)] = name
    return said


def open_ledger(rows: Rows, tmp_path: Path) -> Ledger:
    return Ledger(
        rows,
        SystemClock(),
        agency="pk-mcg",
        origin=ORIGIN,
        key=load_key(tmp_path / "keys", ORIGIN),
        folder=tmp_path / "ledger",
    )


def check(ledger: Ledger, said: dict[int, str]) -> None:
    report = verify_rows(ledger)
    assert report.ok, report.problems
    assert report.checked == ledger.size() >= len(said)
    for index, name in said.items():
        assert ledger.get(index).thing == f"alert:{name}"


@pytest.mark.faults
def test_killed_at_random_moments(rows: Rows, rows_url: str, tmp_path: Path) -> None:
    rounds = 50 if rows.is_sqlite else 15
    said = run(rows_url, tmp_path, "kill", str(rounds), "6")
    assert len(said) > rounds, "the kills came before anything was entered"
    check(open_ledger(rows, tmp_path), said)


@pytest.mark.faults
def test_two_processes_at_once(rows: Rows, rows_url: str, tmp_path: Path) -> None:
    said = run(rows_url, tmp_path, "race", "60")
    assert sorted(said) == list(range(480))
    assert {name[0] for name in said.values()} == {"a", "b"}
    check(open_ledger(rows, tmp_path), said)


@pytest.mark.faults
@pytest.mark.parametrize("rows_url", ["sqlite"], indirect=True)
def test_a_full_disk_refuses_and_then_goes_on(
    rows: Rows, tmp_path: Path, entry: Callable[..., NewEntry]
) -> None:
    ledger = open_ledger(rows, tmp_path)
    ledger.append(entry(0))
    with rows.reserve.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    # every connection of the pool: the writer may get any of them
    held = [rows.reserve.connect() for _ in range(3)]
    for connection in held:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    for connection in held:
        connection.close()
    kept = 1
    refused = ""
    while not refused and kept < 10_000:
        try:
            ledger.append(entry(kept))
            kept += 1
        except CordonError as fault:
            refused = str(fault)
    assert "full" in refused
    assert ledger.size() == kept
    rows.reserve.dispose()
    assert ledger.append(entry(1)) == kept
    assert verify_rows(ledger).ok
    ledger.close()
