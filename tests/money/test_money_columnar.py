"""A Parquet file read on two threads gives what the general way gives, column for column."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.kernel.store.pages import TextPage, Texts
from cordon.money import columnar, naming, parquet, read_payments, reading
from cordon.money.accounts import checks, is_iban, written
from cordon.money.coding import NotHeld
from cordon.money.names import Names
from cordon.money.naming import Naming
from cordon.money.numbering import IBAN, ODD, PLAIN, WRONG, kinds, laid_out, ordered
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
    "long": ["A", "A" * 15, "A" * 16, "A" * 17, "A" * 24, "A" * 25, "B" * 62, "C" * 240],
}
THREADS = ThreadPoolExecutor(2)


def table(rng: random.Random, names: Sequence[str], amounts: pa.DataType, size: int) -> pa.Table:
    """Payments in disorder, some told twice and others of one id, of one and the other currency,
    some by no channel."""
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
    ).take([rng.randrange(size) if rng.random() < 0.1 else n for n in range(size)])


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[reading.Read, reading.Read]:
    """Read at once, which must be possible; and the general way."""
    with monkeypatch.context() as patch:
        patch.setattr(reading, "each_once", lambda *_: pytest.fail("read the general way"))
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
    monkeypatch.setattr(parquet, "BATCH", 97)  # a file is many batches
    monkeypatch.setattr(parquet, "LEAST", 100)  # and each row group a part
    monkeypatch.setattr(naming, "_AT_ONCE", 70)
    monkeypatch.setattr(naming, "_EACH", 90)  # names are many parts
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
    rows = table(random.Random(3), ["A", "B"], pa.int64(), 2).take([0, 0])
    path = tmp_path / "p.parquet"
    pq.write_table(rows.set_column(0, "payment_id", pa.array(["P1", "P1 "])), path)
    assert columnar.read_columns(path) is None
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
        assert columnar.read_columns(path) is None
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
    found = kinds(pa.array(names, pa.large_string()), THREADS)
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
    assert [mixed[i] for i in ordered(pa.array(mixed, pa.large_string()), THREADS)] == sorted(names)
    assert len(ordered(pa.array([], pa.large_string()), THREADS)) == 0


WRITERS: dict[str, dict[str, Any]] = {
    "dictionaries": {},
    "plain": {"use_dictionary": False},
    "first by dictionary, then plain": {"dictionary_pagesize_limit": 300, "write_batch_size": 20},
    "newer pages": {"data_page_version": "2.0", "compression": "zstd"},
    "not packed": {"compression": "none"},
    "packed as only Arrow reads": {"compression": "brotli"},
    "told as only Arrow reads": {"use_dictionary": False, "column_encoding": {
        "payment_id": "DELTA_BYTE_ARRAY", "to_account": "DELTA_LENGTH_BYTE_ARRAY"}},
    "small row groups": {"row_group_size": 7},
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
def test_however_the_file_is_laid_out(
    writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "LEAST", 100)
    path = tmp_path / "p.parquet"
    names = [f"{'PK36SCBL' if n % 3 else 'W'}{n:0{4 + n % 19}d}" for n in range(500)]
    given = {"row_group_size": 1000, "data_page_size": 500} | WRITERS[writer]
    pq.write_table(table(random.Random(writer), names, pa.int64(), 2_000), path, **given)
    quick, general = both(path, monkeypatch)
    assert quick.counts == general.counts
    same_payments(quick.payments, general.payments)


def test_a_name_that_is_too_long_is_read_the_general_way(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(table(random.Random(2), ["A", "A" * 300], pa.int64(), 50), path)
    assert columnar.read_columns(path) is None
    assert read_payments([path]).payments.accounts == ["A", "A" * 300]


def test_a_cut_file_is_no_file_of_payments(tmp_path: Path) -> None:
    """Damaged anywhere, it is read as it is or left to the general way: no more happens."""
    path = tmp_path / "p.parquet"
    pq.write_table(table(random.Random(6), PLAIN_NAMES[:5], pa.int64(), 300), path)
    whole, rng = path.read_bytes(), random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        path.write_bytes(data)
        if reading._typed(path):
            columnar.read_columns(path)


def pages(texts: Sequence[str], size: int) -> list[TextPage]:
    """Texts as pages of so many."""
    found = []
    for begin in range(0, len(texts), size):
        letters, starts = laid_out(pa.array(texts[begin : begin + size], pa.string()))
        found.append(
            TextPage(len(starts) - 1, None, None, Texts(letters, starts.astype(np.int32), 0))
        )
    return found


def test_many_names_are_numbered_and_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, of whatever length: each text has one number, and no other."""
    monkeypatch.setattr(naming, "_FIRST", 4)  # tables grow as they come
    monkeypatch.setattr(naming, "_AT_ONCE", 1_000)
    rng = random.Random(4)
    names = [f"{n:0{rng.randrange(1, 60)}d}" for n in range(5_000)]
    told = [rng.choice(names) for _ in range(20_000)]
    for rows in (20_000, 100, 1 << 24):  # one part, or many
        columns = np.full(len(told), -1, np.int32)
        naming_ = Naming(rows)
        half = len(told) // 2
        naming_.add(pages(told[:half], 700), columns[:half])
        naming_.add(pages(told[half:], 300), columns[half:])
        known = naming_.numbered(THREADS).to_pylist()
        naming_.put(np.arange(len(known), dtype=np.int32), THREADS)()
        assert [known[code] for code in columns] == told
        assert len(set(known)) == len(known)


def test_long_names_take_no_more_room_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_ROOM", 0)
    Naming(100).add(pages(["A" * 60] * 100, 30), np.zeros(100, np.int32))
    with pytest.raises(NotHeld):
        Naming(100).add(pages(["A" * 65] * 100, 30), np.zeros(100, np.int32))


@pytest.mark.parametrize("rows", [99, 101])
def test_more_or_fewer_names_than_rows_are_none(rows: int) -> None:
    with pytest.raises(NotHeld):
        Naming(100).add(pages(["A"] * 100, 30), np.zeros(rows, np.int32))


@pytest.mark.parametrize("mixed", [False, True])
def test_names_are_as_a_list_of_them(mixed: bool) -> None:
    texts = [f"{n:06d}" for n in range(70_000)]
    order = np.random.default_rng(3).permutation(len(texts)) if mixed else None
    given = texts if order is None else [texts[at] for at in np.argsort(order).tolist()]
    names = Names(pa.array(given, pa.large_string()), order)
    assert (names[3], names[-1], names.index("000007")) == (texts[3], texts[-1], 7)
    assert names[5:7] == texts[5:7]
    assert names == texts
    assert list(names) == texts
    assert (names[3], names[-1], names.index("000007")) == (texts[3], texts[-1], 7)
    assert "000007" in names
    assert "7" not in names
    assert pa.array(names, pa.string()).to_pylist() == texts
    assert np.asarray(names, object).tolist() == texts
    with pytest.raises(ValueError, match="7"):
        names.index("7")
