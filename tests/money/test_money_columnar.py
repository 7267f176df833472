"""A Parquet file read on two threads gives what the general way gives, column for column."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.money import columnar, read_payments, reading
from cordon.money.accounts import checks, is_iban, written
from cordon.money.numbering import IBAN, ODD, PLAIN, WRONG, kinds, laid_out, numbered, ordered
from support.samepaid import same_payments

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN_NAMES = ["A", "B", "W 1", "W-1", "0xAbC", "0xabc", "unnamed:cash_out:7", "PK12", "Ä-1", "زر"]
RIGHT = "PK36SCBL0000001123456702"
FORMS = {
    "plain": [*PLAIN_NAMES[:8], RIGHT],
    "foreign": PLAIN_NAMES,
    "wrong": [*PLAIN_NAMES[:5], "PK99SCBL0000001123456702", "PK98SCBL0000001123456799"],
    "joined": [RIGHT, "scbl0000001123456702", "SCBL0000001123456702", "A"],
    "parted": [RIGHT, "pk36 scbl 0000 0011 2345 6702", "A"],
    "both": [RIGHT, "PK99SCBL0000001123456702", "DE36SCBL0000001123456702", "A"],
    "spaced": [" A", "A", "A ", "B"],
}


def table(rng: random.Random, names: Sequence[str], amounts: pa.DataType, size: int) -> pa.Table:
    """Payments in disorder, some ids twice, of one and the other currency, some by no channel."""
    places = 0 if pa.types.is_integer(amounts) else 2
    units = [rng.choice([0, 5, 100, rng.randrange(10**7)]) for _ in range(size)]
    exact = [Decimal(u).scaleb(-places) for u in units]
    given: list[Any] = exact
    if not pa.types.is_decimal(amounts):
        given = [int(e) if places == 0 else float(e) for e in exact]
    channels = ["transfer", "wallet", "cash_out", None]
    return pa.table(
        {
            "payment_id": [f"P{rng.randrange(4 * size)}" for _ in range(size)],
            "at": pa.array(
                [BEGIN + timedelta(minutes=rng.randrange(size)) for _ in range(size)],
                pa.timestamp("us", "UTC"),
            ),
            "from_account": [rng.choice(names) for _ in range(size)],
            "to_account": [rng.choice(names) for _ in range(size)],
            "amount": pa.array(given, amounts),
            "currency": [rng.choice(["PKR", "PKR", "KWD"]) for _ in range(size)],
            "channel": [rng.choice(channels) for _ in range(size)],
        }
    )


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[reading.Read, reading.Read]:
    """Read at once, which must be possible; and the general way."""
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_each_once", lambda *_: pytest.fail("read the general way"))
        quick = read_payments([path])
    with monkeypatch.context() as patch:
        patch.setattr(reading, "read_columns", lambda *_: None)
        return quick, read_payments([path])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "amounts", [pa.int64(), pa.int32(), pa.float64(), pa.decimal128(18, 2), pa.decimal128(38, 9)]
)
def test_it_is_what_the_general_way_reads(
    form: str, amounts: pa.DataType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnar, "_BATCH", 97)  # a file is many batches
    path = tmp_path / "p.parquet"
    rng = random.Random(f"{form} {amounts}")
    pq.write_table(table(rng, FORMS[form], amounts, 400), path, row_group_size=150)
    quick, general = both(path, monkeypatch)
    assert quick.counts == general.counts
    assert quick.counts.repeated > 5
    assert quick.refusals == general.refusals == ()
    same_payments(quick.payments, general.payments)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_and_texts_of_every_width(
    unit: str, zone: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds or finer, with long texts, and without a channel."""
    path = tmp_path / "p.parquet"
    rows = table(random.Random(5), PLAIN_NAMES[:5], pa.int64(), 200).drop_columns("channel")
    at = rows.schema.get_field_index("at")
    rows = rows.set_column(at, "at", rows["at"].cast(pa.timestamp(unit, zone)))
    if unit == "s":
        rows = rows.cast(
            pa.schema(
                [f.with_type(pa.large_string()) if pa.types.is_string(f.type) else f
                 for f in rows.schema]
            )
        )  # fmt: skip
    pq.write_table(rows, path)
    quick, general = both(path, monkeypatch)
    same_payments(quick.payments, general.payments)
    assert set(quick.payments.channel.tolist()) == {-1}


ODD_ROWS: dict[str, tuple[str, Any]] = {
    "no id": ("payment_id", None),
    "an empty id": ("payment_id", ""),
    "no payer": ("from_account", None),
    "an empty payee": ("to_account", ""),
    "below nothing": ("amount", -1),
    "no amount": ("amount", None),
    "no currency": ("currency", ""),
    "another channel": ("channel", "pigeon"),
    "long ago": ("at", datetime(1969, 1, 1, tzinfo=UTC)),
    "no time": ("at", None),
}


@pytest.mark.parametrize("what", ODD_ROWS)
def test_a_row_that_is_none_is_refused_by_name(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken quickly: the general way tells the row and why."""
    name, value = ODD_ROWS[what]
    rows = table(random.Random(3), ["A", "B", "C"], pa.int64(), 30)
    column = rows[name].to_pylist()
    column[17] = value
    kind = rows.schema.field(name).type
    path = tmp_path / "p.parquet"
    pq.write_table(rows.set_column(rows.schema.get_field_index(name), name, pa.array(column, kind)),
                   path)  # fmt: skip
    read = read_payments([path])
    assert read.counts.refused == 1
    ((file, refusal),) = read.refusals
    assert (file, refusal.row) == ("p.parquet", 18)
    monkeypatch.setattr(reading, "read_columns", lambda *_: None)
    general = read_payments([path])
    assert read.refusals == general.refusals
    same_payments(read.payments, general.payments)


def test_a_space_at_an_id_is_no_other_id(tmp_path: Path) -> None:
    """It is not taken quickly: the general way takes the space off."""
    rows = table(random.Random(3), ["A", "B"], pa.int64(), 2)
    path = tmp_path / "p.parquet"
    pq.write_table(rows.set_column(0, "payment_id", pa.array(["P1", "P1 "])), path)
    assert columnar.read_columns(path, "") is None
    assert read_payments([path]).counts.repeated == 1


def test_floats_that_may_be_another_decimal_are_read_the_general_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, odd in enumerate([0.1 + 0.2, 1e12 + 0.3, 1e-7]):
        rows = table(random.Random(at), ["A", "B"], pa.float64(), 20)
        amounts = [*rows["amount"].to_pylist()[:-1], odd]
        rows = rows.set_column(4, "amount", pa.array(amounts, pa.float64()))
        path = tmp_path / f"{at}.parquet"
        pq.write_table(rows, path)
        assert columnar.read_columns(path, "") is None
        with monkeypatch.context() as patch:
            patch.setattr(reading, "read_columns", lambda *_: None)
            general = read_payments([path]).payments
        same_payments(read_payments([path]).payments, general)


def test_what_a_name_is() -> None:
    """An IBAN, a wrong one, or taken as it is; what may be written otherwise is looked at."""
    rng = random.Random(8)
    names = [n for form in FORMS.values() for n in form]
    for _ in range(400):
        bare = f"PK{rng.randrange(100):02d}{''.join(rng.choices('AZ09', k=rng.randrange(9, 33)))}"
        names += [bare, bare.lower(), bare[:7] + rng.choice(" -./_") + bare[7:], bare[2:]]
    found = kinds(*laid_out(pa.array(names, pa.string())))
    for name, kind in zip(names, found.tolist(), strict=True):
        if written(name) != name:
            assert kind == ODD, name
        if kind != ODD:
            assert kind == ((IBAN if checks(name) else WRONG) if is_iban(name) else PLAIN), name
    assert {IBAN, WRONG, PLAIN, ODD} == set(found.tolist())


@pytest.mark.parametrize("longest", [3, 14, 30, 90])
def test_names_are_put_in_order(longest: int) -> None:
    rng = random.Random(longest)
    letters = "AB019 zäز" if longest < 20 else "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    names = {"".join(rng.choices(letters, k=rng.randint(1, longest))) for _ in range(3_000)}
    mixed = sorted(names, key=lambda n: hash((n, 3)))
    assert [mixed[i] for i in ordered(pa.array(mixed))] == sorted(names)
    assert len(ordered(pa.array([], pa.string()))) == 0


def test_many_names_are_numbered_and_known_again() -> None:
    """The table grows as they come; two halves never take the same number."""
    rng = np.random.default_rng(4)
    names = rng.integers(0, 2**64, (5_000, 2), np.uint64)
    names[:, 0] &= np.uint64(0xFF)  # many of them look for the same place
    told = names[rng.integers(0, len(names), 20_000)]
    codes, fresh = np.full(len(told), -1, np.int32), np.empty(len(told), np.int64)
    news = 0
    for half in (0, 1):
        table_, used, new = numbered(told, half, np.zeros((8, 2), np.uint64), 0, codes, fresh)
        assert used == new <= len(table_) // 2
        news += new
    assert news == len({tuple(t) for t in told.tolist()})
    known: dict[int, tuple[int, int]] = {}
    for code, (a, b) in zip(codes.tolist(), told.tolist(), strict=True):
        assert known.setdefault(code, (a, b)) == (a, b)
    assert len(known) == news
