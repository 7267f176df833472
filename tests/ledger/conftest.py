"""A ledger on each kind of store, and entries to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.kernel.clock import SetClock
from cordon.kernel.ledger import Ledger, NewEntry
from cordon.kernel.store.rows import Rows

ORIGIN = "pk-mcg.example/ledger"


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 3, 6, 12, 0, tzinfo=UTC), rate=1.0)


@pytest.fixture
def open_ledger(
    rows: Rows, clock: SetClock, key: Ed25519PrivateKey, tmp_path: Path
) -> Iterator[Callable[..., Ledger]]:
    """Open the node's ledger, as a start of the node does; may be called again."""
    opened = []

    def open_it(**more: object) -> Ledger:
        ledger = Ledger(
            rows,
            clock,
            agency="pk-mcg",
            origin=ORIGIN,
            key=key,
            folder=tmp_path / "ledger",
            **more,
        )
        opened.append(ledger)
        return ledger

    yield open_it
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[..., Ledger]) -> Ledger:
    return open_ledger()


@pytest.fixture
def entry() -> Callable[..., NewEntry]:
    """An entry, different for each number."""

    def make(number: int = 0, **changed: object) -> NewEntry:
        values: dict[str, object] = {
            "act": "operations.alert.acknowledge",
            "outcome": "done",
            "actor": f"officer-{number % 7}",
            "unit": None if number % 3 == 0 else f"KHI-{number % 3}",
            "thing": f"alert:{number}",
            "mark": "TLP:AMBER",
            "authority": None if number % 2 else f"authority-{number % 5}",
            "detail": {"n": number, "why": "گزارش"},
        }
        return NewEntry(**{**values, **changed})

    return make
