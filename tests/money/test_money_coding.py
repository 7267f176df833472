"""A plain file read batch by batch gives what the general way gives, column for column."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from cordon.money import read_payments, reading
from cordon.money.coding import Codes
from support.samepaid import same_payments

HEAD = "payment_id,at,from_account,to_account,amount,currency,channel,row,note\n"
ACCOUNTS = ["PK36SCBL0000001123456702", "scbl0000001123456702", "PK99SCBL0000001123456702",
            "pk36 scbl 0000 0011 2345 6702", "A", "B", "0xAbC", "0xabc", "W-1", "W 1"]  # fmt: skip
AMOUNTS = ["5", "5.00", "0", "0.01", "1,234.50", "700.125", "99999999.999999", "-1", "1e5", "x", "",
           "1,00,000"]  # fmt: skip
ODD = {1: ["0.0000001"], 3: ["123456789012.89"], 5: ["0.123456789"]}
"""What is not held in millionths, or comes to too much of them: the general way reads it."""


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[reading.Read, reading.Read]:
    quick = read_payments([path])
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_quickly", lambda *_: None)
        return quick, read_payments([path])


@pytest.mark.parametrize("seed", range(7))
def test_it_is_what_the_general_way_reads(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    rows = []
    amounts = AMOUNTS + ODD.get(seed, [])
    for n in range(400):
        at = f"2026-03-{rng.randint(1, 9):02d}T0{rng.randint(0, 1)}:00:00Z"
        amount = rng.choice(amounts)
        rows.append(
            f"P{rng.randint(0, 380)},{rng.choice([at, at, at, 'then'])},{rng.choice(ACCOUNTS)},"
            f'{rng.choice(ACCOUNTS)},"{amount}",{rng.choice(["PKR", "PKR", "USD", "KWD", ""])},'
            f"{rng.choice(['transfer', 'cash_out', '', 'wallet', 'sideways'])},{n},x"
        )
    rows += rng.choices(rows, k=40)  # told again
    path = tmp_path / "p.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    quick, general = both(path, monkeypatch)
    assert quick.counts == general.counts
    assert quick.refusals == general.refusals
    assert 50 < len(quick.payments) < 400
    assert quick.counts.repeated > 5
    same_payments(quick.payments, general.payments)


def test_many_batches_are_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a batch holds, the later ones earlier in time."""
    path = tmp_path / "p.csv"
    lines = [
        f"P{n},2026-03-{28 - n * 27 // 180_000:02d}T10:{n % 60:02d}:00Z,A{n % 977},B{n % 911},"
        f"{n % 900}.{'5' if n < 100_000 else '25'},{'USD' if n > 150_000 else 'PKR'},transfer,,\n"
        for n in range(180_000)
    ]
    path.write_text(HEAD + "".join(lines))
    monkeypatch.setattr(reading, "each_once", _must_not(reading.each_once))
    quick = read_payments([path]).payments
    assert quick.digits == (2, 2)
    assert (np.diff(quick.at) >= 0).all()
    assert len(quick) == 180_000
    row = quick.row - 1
    assert np.array_equal(np.sort(row), np.arange(180_000))
    assert [quick.accounts[s] for s in quick.sender[:50]] == [f"A{n % 977}" for n in row[:50]]
    hundredths = (row % 900) * 100 + np.where(row < 100_000, 50, 25)
    assert np.array_equal(quick.amount, hundredths)
    assert [quick.currencies[c] for c in quick.currency[[0, -1]]] == ["USD", "PKR"]


def _must_not(real: object) -> object:
    def refuse(*_: object) -> int:
        raise AssertionError(f"{real} was asked")

    return refuse


def test_texts_keep_their_numbers() -> None:
    import pyarrow as pa

    codes = Codes()
    assert codes.of(pa.array(["b", "a", "b"])).tolist() == [0, 1, 0]
    assert codes.of(pa.chunked_array([["c"], ["a"]])).tolist() == [2, 1]
    assert codes.names() == ["b", "a", "c"]
