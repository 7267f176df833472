"""Pages of Parquet files say what PyArrow reads from them, however they were written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.store import bits
from cordon.kernel.store.pages import Pages, Texts, Unread

ROWS = 3_000


def table() -> pa.Table:
    """Columns with values that come in runs, at random, seldom and never."""
    rng = np.random.default_rng(11)
    words = np.array([f"+92{n:0{1 + n % 20}d}" for n in range(900)] + ["", "پشاور"])
    missing = rng.random(ROWS) < 0.2
    missing[1_000:2_000] = False
    missing[2_000:2_200] = True
    return pa.table(
        {
            "text": pa.array(words[rng.integers(0, len(words), ROWS)], mask=missing),
            "few": words[np.sort(rng.integers(0, 3, ROWS))],
            "never": pa.nulls(ROWS, pa.string()),
            "whole": pa.array(rng.integers(-(10**12), 10**12, ROWS), mask=missing),
            "half": pa.array(rng.integers(0, 50, ROWS), pa.int32()),
            "real": pa.array(rng.normal(size=ROWS)),
            "short": pa.array(rng.normal(size=ROWS).astype(np.float32), mask=missing),
        }
    )


HOW: list[dict[str, Any]] = [
    {},
    {"compression": "zstd", "use_dictionary": False},
    {"compression": "gzip", "data_page_version": "2.0"},
    {"compression": "none", "data_page_version": "2.0", "use_dictionary": False},
    {"compression": "zstd", "data_page_size": 500, "dictionary_pagesize_limit": 2_000},
    {"compression": "snappy", "row_group_size": 700, "write_statistics": False},
]


def letters(texts: Texts) -> list[str]:
    """What the texts say."""
    whole, starts = texts.letters.tobytes(), texts.starts.tolist()
    return [whole[a : b - 4].decode() for a, b in pairwise(starts)]


def told(pages: Pages, name: str) -> Iterator[str | None]:
    """A column of texts, text by text."""
    for group in range(len(pages.groups)):
        for page in pages.texts(group, name):
            known = letters(page.texts)
            texts = iter(known if page.codes is None else [known[c] for c in page.codes])
            there = np.ones(page.rows, bool) if page.there is None else page.there
            yield from (next(texts) if one else None for one in there)
            assert next(texts, None) is None


def chosen(pages: Pages, name: str, wanted: list[int]) -> Iterator[str | None]:
    """Some of a column's texts, by their rows in the file."""
    ahead = 0
    for group, rows in enumerate(pages.groups):
        inside = np.array([n - ahead for n in wanted if 0 <= n - ahead < rows], np.int64)
        found: list[str | None] = ["nobody"] * len(inside)
        for page in pages.picked(group, name, inside):
            known = letters(page.texts)
            found[page.part] = [known[n] if n >= 0 else None for n in page.where.tolist()]
        yield from found
        ahead += rows


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_some_rows_are_those_of_all(tmp_path: Path, how: dict[str, Any], share: float) -> None:
    written = table()
    pq.write_table(written, tmp_path / "t.parquet", **how)
    pages = Pages(tmp_path / "t.parquet")
    wanted = np.flatnonzero(np.random.default_rng(3).random(ROWS) < share).tolist()
    for name in ("text", "few", "never"):
        every = written[name].to_pylist()
        assert list(chosen(pages, name, wanted)) == [every[n] for n in wanted]
    with pytest.raises(Unread):
        list(pages.picked(0, "whole", np.arange(3)))
    pages.close()


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 31), st.integers(1, 300), st.data())
def test_some_numbers_of_any_bytes_are_those_of_all(
    told: bytes, width: int, count: int, data: st.DataObject
) -> None:
    """What cannot be read whole is refused where what is wanted is not there."""
    packed = np.frombuffer(told + bytes(12), np.uint8)
    every = np.empty(count, np.int32)
    held = bits.hybrid(packed, 0, width, 1 << 31, every)
    places = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1)))), np.int64)
    some = np.empty(len(places), np.int32)
    if bits.picked(packed, 0, width, 1 << 31, count, places, some):
        assert not held or some.tolist() == every[places].tolist()
    else:
        assert not held
    levels = np.empty(count, np.int32)
    at = np.empty(len(places), np.int64)
    if bits.hybrid(packed, 0, 1, 2, levels):
        assert bits.present(packed, count, places, at) == int(levels.sum())
        expected = np.where(levels > 0, np.cumsum(levels) - 1, -1)
        assert at.tolist() == expected[places].tolist()
    else:
        assert bits.present(packed, count, places, at) == -1


@pytest.mark.parametrize("how", HOW)
def test_pages_say_what_was_written(tmp_path: Path, how: dict[str, Any]) -> None:
    written = table()
    pq.write_table(written, tmp_path / "t.parquet", **how)
    pages = Pages(tmp_path / "t.parquet")
    assert sum(pages.groups) == ROWS
    for name in ("text", "few", "never"):
        assert list(told(pages, name)) == written[name].to_pylist()
    for name in ("whole", "half", "real", "short"):
        values: list[Any] = []
        for group in range(len(pages.groups)):
            found, there = pages.numbers(group, name)
            kept = [True] * len(found) if there is None else there.tolist()
            values += [v if k else None for v, k in zip(found.tolist(), kept, strict=True)]
        assert values == written[name].to_pylist()
    pages.close()


def test_what_is_not_plain_is_left_to_others(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([[1], [2, 3]])}), path)
    with pytest.raises(Unread):
        Pages(path)
    # a column within another is not the one of its name
    inside = pa.StructArray.from_arrays(
        [pa.array(["p", "q"])], fields=[pa.field("a", pa.string(), nullable=False)]
    )
    outer = pa.field("s", inside.type, nullable=False)
    schema = pa.schema([pa.field("a", pa.string()), outer])
    pq.write_table(pa.table([pa.array(["x", "y"]), inside], schema=schema), path)
    pages = Pages(path)
    assert list(told(pages, "a")) == ["x", "y"]
    assert pages.has("s.a")
    pages.close()
    pq.write_table(
        pa.table({"a": ["x", "y"], "u": pa.array([1, 2], pa.uint32())}),
        path,
        use_dictionary=False,
        column_encoding={"a": "DELTA_BYTE_ARRAY", "u": "PLAIN"},
    )
    pages = Pages(path)
    with pytest.raises(Unread):
        list(pages.texts(0, "a"))
    with pytest.raises(Unread):
        list(pages.texts(0, "u"))
    with pytest.raises(Unread):
        pages.numbers(0, "u")
    with pytest.raises(Unread):
        pages.numbers(0, "a")
    pq.write_table(pa.table({"a": ["x", "y"]}), path, compression="brotli")
    with pytest.raises(Unread):
        list(Pages(path).texts(0, "a"))


@pytest.mark.parametrize("how", [HOW[1], HOW[2], HOW[3], HOW[4]])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, how: dict[str, Any]) -> None:
    """Whatever bytes a page has, what is read stays within them."""
    path = tmp_path / "t.parquet"
    pq.write_table(table(), path, **how)
    whole = path.read_bytes()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # the footer stays as it is
    rng = np.random.default_rng(2)
    refused = 0
    for _ in range(150):
        data = np.frombuffer(whole, np.uint8).copy()
        at = rng.integers(4, end, 3)
        data[at] = rng.choice(np.array([0, 1, 127, 128, 255], np.uint8), 3)
        path.write_bytes(data.tobytes())
        pages = Pages(path)
        for name in ("text", "few", "whole", "short"):
            try:
                for group in range(len(pages.groups)):
                    if name in ("text", "few"):
                        for page in pages.texts(group, name):
                            starts = page.texts.starts
                            assert int(starts.min()) >= 4
                            assert int(starts[-1]) - 4 <= len(page.texts.letters)
                            assert (np.diff(starts) >= 4).all()
                            if page.codes is not None:
                                assert int(page.codes.max(initial=0)) < len(starts) - 1
                        rows = np.arange(0, pages.groups[group], 7)
                        for some in pages.picked(group, name, rows):
                            assert int(some.where.min()) >= -1
                            assert int(some.where.max()) < len(some.texts.starts) - 1
                    else:
                        pages.numbers(group, name)
            except Unread:
                refused += 1
        pages.close()
    assert refused > 0


@pytest.mark.parametrize(("at", "said"), [(1, 2_000_000_000), (1, ROWS + 1), (4, 2_000_000_000)])
def test_a_page_that_promises_more_than_it_can_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, said: int
) -> None:
    """No room is made for what a header says of itself."""
    path = tmp_path / "t.parquet"
    pq.write_table(table(), path, compression="none", row_group_size=ROWS)
    pages = Pages(path)

    def forged(data: Any, begin: int, fields: Any) -> int:
        end = int(header(data, begin, fields))
        if at == 1:
            fields[5, 1] = said if fields[5, 1] >= 0 else fields[5, 1]  # rows of a data page
        else:
            fields[7, 1] = said if fields[7, 1] >= 0 else fields[7, 1]  # texts of a dictionary
        return end

    header = bits.header
    monkeypatch.setattr("cordon.kernel.store.bits.header", forged)
    with pytest.raises(Unread):
        list(pages.texts(0, "text"))
    if at == 1:
        with pytest.raises(Unread):
            pages.numbers(0, "whole")
    pages.close()
