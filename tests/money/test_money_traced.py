"""A trace of one Parquet file: few payments are named, and it says what all of them would."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.kernel.errors import BadInput
from cordon.money import forward, read_payments, reading
from cordon.money.accounts import checks
from cordon.money.fewer import Walk
from cordon.money.keyed import EMPTY, IBANS, OTHERS, UNSURE, keys_of
from cordon.money.naming import seed as by_chance
from cordon.money.numbering import IBAN, ODD, PLAIN, kind_of
from cordon.money.reaching import Reach
from support.samepaid import same_payments, traced

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
BY = by_chance()


def iban(n: int) -> str:
    """A right one."""
    made = (f"PK{k:02d}SCBL{n:016d}" for k in range(2, 99))
    return next(text for text in made if checks(text))


FORMS = {
    "plain": [f"{'AB'[n % 2]}{n:09d}" for n in range(80)],
    "ibans": [iban(n) for n in range(80)],
    "mixed": [iban(n) if n % 3 else f"wallet:0300{n:07d}" for n in range(80)],
    "wallets": [f"wallet {n} of {'ab'[n % 2]}" for n in range(80)],
    "coins": [f"0x{n:02d}dE5f{'aA'[n % 2]}" for n in range(80)],
}
UNSURE_FORMS = {
    "ends": [*FORMS["ibans"][:70], *(f"{n:016d}" for n in range(70, 80))],
    "spelled": [*FORMS["ibans"][:79], FORMS["ibans"][1].lower()],
    "wrong": [*FORMS["ibans"][:79], "PK00SCBL0000000000000001"],
    "rests": [*FORMS["ibans"][:79], "scbl0000000000000001"],
    "two countries": [*FORMS["ibans"][:79], "GB00" + FORMS["ibans"][1][4:]],
    "foreign": [*FORMS["plain"][:79], "Ä-1"],
}


def network(names: list[str], seed: int, size: int = 1500) -> pa.Table:
    """Payments of many accounts among few others each, with refunds, repeats and two currencies."""
    rng = random.Random(seed)
    near = [(k + rng.randrange(1, 4)) % len(names) for k in range(len(names))]
    ends = []
    for _ in range(size):
        a = rng.randrange(len(names))
        b = near[a] if rng.random() < 0.9 else rng.randrange(len(names))
        ends.append((names[a], names[b]))
    units = [rng.choice([0, 100, rng.randrange(10**7)]) for _ in ends]
    for n in range(60, size, 61):  # given back
        ends[n], units[n] = ends[n - 9][::-1], units[n - 9]
    minutes = sorted(rng.randrange(60 * size) for _ in ends)
    channels = [rng.choice(["transfer", "wallet", "card", "cash_out", None]) for _ in ends]
    table = pa.table(
        {
            "payment_id": [f"P{n if rng.random() > 0.01 else n // 2}" for n in range(size)],
            "at": pa.array(
                [BEGIN + timedelta(minutes=m) for m in minutes], pa.timestamp("us", "UTC")
            ),
            "from_account": [a for a, _ in ends],
            "to_account": [b for _, b in ends],
            "amount": pa.array([u / 100 for u in units]),
            "currency": [rng.choice(["PKR", "PKR", "KWD"]) for _ in ends],
            "channel": channels,
            "note": ["refund" if n % 61 == 60 else None for n in range(size)],
        }
    )
    again = [rng.randrange(size) for _ in range(20)]
    return pa.concat_tables([table, table.take(again)])


def written(folder: Path, table: pa.Table, **how: Any) -> Path:
    path = folder / "p.parquet"
    pq.write_table(table, path, **how)
    return path


def reaches(account: str) -> list[Reach]:
    middle = BEGIN + timedelta(days=40)
    return [
        Reach([account], hops=1),
        Reach([account], hops=3, since=middle),
        Reach([account], hops=2, until=middle),
        Reach([account], back=True, until=BEGIN + timedelta(days=7)),
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "how",
    [{}, {"use_dictionary": False, "row_group_size": 400}, {"data_page_size": 1, "version": "1.0"}],
    ids=["dictionary", "plain", "pages"],
)
def test_few_payments_tell_what_all_of_them_tell(
    form: str, how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, network(FORMS[form], 7), **how)
    whole = read_payments([path])
    fewest = len(whole.payments)
    monkeypatch.setattr(reading, "read_columns", lambda *_: pytest.fail("all names were asked for"))
    monkeypatch.setattr("cordon.money.fewer._MOST", 1)  # however many they are
    for account in (FORMS[form][0], FORMS[form][41]):
        for reach in reaches(account):
            some = read_payments([path], reach=reach)
            assert some.counts == whole.counts
            assert some.payments.left_out == whole.payments.left_out
            assert traced(some.payments, account, reach) == traced(whole.payments, account, reach)
            fewest = min(fewest, len(some.payments))
    assert fewest < 0.3 * len(whole.payments)


@pytest.mark.parametrize("form", UNSURE_FORMS)
def test_where_only_all_names_tell_who_is_who_all_are_read(form: str, tmp_path: Path) -> None:
    path = written(tmp_path, network(UNSURE_FORMS[form], 3))
    some = read_payments([path], reach=Reach([UNSURE_FORMS[form][5]], hops=1))
    whole = read_payments([path])
    same_payments(some.payments, whole.payments)
    assert some.counts == whole.counts


def test_a_trace_that_comes_to_much_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, network(FORMS["plain"], 5))
    some = read_payments([path], reach=Reach([FORMS["plain"][0]], hops=60))
    same_payments(some.payments, read_payments([path]).payments)


def test_an_account_is_found_however_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, network(FORMS["ibans"], 9))
    name = FORMS["ibans"][3]
    spaced = " ".join(name[k : k + 4] for k in range(0, len(name), 4)).lower()
    whole = read_payments([path]).payments
    for asked in (spaced, name[4:], name[-16:]):
        some = read_payments([path], reach=Reach([asked], hops=1)).payments
        assert traced(some, asked, Reach([asked], hops=1)) == traced(
            whole, name, Reach([name], hops=1)
        )
    with pytest.raises(BadInput, match="No payment names the account nobody"):
        forward(read_payments([path], reach=Reach(["nobody"])).payments, "nobody")


def laid(texts: list[str]) -> tuple[Any, Any]:
    letters = np.frombuffer("".join(texts).encode(), np.uint8)
    ends = np.cumsum([0, *(len(t.encode()) for t in texts)]).astype(np.int32)
    return letters, ends


def met(text: str) -> int:
    letters, ends = laid([text])
    return keys_of(letters, ends, 0, BY, np.zeros(1, np.uint64))


def test_what_a_name_may_be() -> None:
    assert met("") == EMPTY
    assert met(iban(1)) == IBANS
    for unsure in (" A", "A ", "زر", "A\x7f", iban(1).lower(), "PK00SCBL0000000000000001"):
        assert met(unsure) == UNSURE, unsure
    for end in ("12345678", "HBL/0012345678", "scbl0000000000000001"):
        assert met(end) == OTHERS, end
    for plain in ("1234567", "A12345678", "wallet:03001234567", "ACCOUNT", "ABCD0000000000000001"):
        assert met(plain) == 0, plain


def test_kinds_told_by_little_are_those_told_by_all() -> None:
    rng = random.Random(1)
    letters = "AZaz09 -./:PK36"
    right = iban(5)
    texts = [right, right[:3] + right[3:].lower(), right.replace("SC", "S-C")]
    texts += [
        "".join(rng.choice(letters) for _ in range(rng.randrange(1, 26))) for _ in range(4000)
    ]
    texts += [
        right[:k] + rng.choice(letters) + right[k + rng.randrange(2) :]
        for k in range(24) for _ in range(9)
    ]  # fmt: skip
    for text in texts:
        data, ends = laid([text])
        kind = kind_of(data, 0, int(ends[1]))
        found = met(text)
        assert (found & IBANS != 0) == (kind == IBAN), text
        assert (found & UNSURE != 0) == (kind not in (PLAIN, IBAN)), text
        assert kind != ODD or found == UNSURE


def test_names_that_may_be_one_account_have_one_hash() -> None:
    names = [iban(4), iban(4)[4:], iban(5), "A"]
    letters, ends = laid(names)
    keys = np.zeros(len(names), np.uint64)
    keys_of(letters, ends, 0, BY, keys)
    assert keys[0] == keys[1]
    assert len(set(keys.tolist())) == 3


def test_a_walk_of_thousands_of_accounts_outgrows_its_table() -> None:
    """Each pays the next one, a second later."""
    count = 9000
    names = [f"A{n}" for n in range(count + 1)]
    letters, ends = laid(names)
    keys = np.zeros(len(names), np.uint64)
    keys_of(letters, ends, 0, BY, keys)
    fan = np.concatenate([keys[1:2], np.full(count - 1, keys[0])])
    at = np.arange(count, dtype=np.int64)
    target = np.concatenate([keys[:1], keys[2:]])
    ones = np.ones(4 * count, np.int64)
    # three times as many payments elsewhere
    far = np.arange(6 * count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    with ThreadPoolExecutor(2) as threads:
        walk = Walk(
            np.concatenate([fan, far[: 3 * count]]),
            np.concatenate([target, far[3 * count :]]),
            np.concatenate([at, np.arange(3 * count)]),
            ones, np.full(4 * count, -1, np.int8), threads,
        )  # fmt: skip
        rows = walk.rows(Reach(["A0"], hops=1), BY)
    assert rows is not None
    assert rows.tolist() == list(range(count))
