"""Repeated names are dropped as a set in memory would drop them, in memory that is bounded."""

from __future__ import annotations

import tempfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.calls import firsts
from cordon.calls.firsts import Firsts
from cordon.calls.forms import PAYMENTS
from cordon.calls.hashing import hashes
from cordon.calls.plain import read_plain
from cordon.kernel.errors import Unavailable
from support.traced import apart, first_names

_NAMES = st.lists(st.sampled_from(["", "a", "ab", "é", "P1", "P10", "x" * 7, "x" * 8, "x" * 9]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(_NAMES, st.lists(st.text(max_size=12))), max_size=8), st.integers(1, 9))
def test_as_a_set_in_memory_tells_them(batches: list[list[str]], in_memory: int) -> None:
    told, seen = Firsts(in_memory), set[str]()
    for names in batches:
        wanted = []
        for name in names:
            wanted.append(name not in seen)
            seen.add(name)
        array = pa.array(["before", *names], pa.string()).slice(1)  # as a part of a longer one
        assert told.new(array).tolist() == wanted


def test_the_hash_is_siphash() -> None:
    # from the vectors of SipHash's authors: key 00 … 0f, texts 00 01 02 … of 0, 1 and 15 bytes
    key = np.frombuffer(bytes(range(16)), "<u8").astype(np.uint64)
    wanted = {
        0: "a3817f04ba25a8e66df67214c7550293",
        1: "da87c1d86b99af44347659119b22fc45",
        15: "5493e99933b0a8117e08ec0f97cfc3d9",
    }
    for length, text in wanted.items():
        letters = np.frombuffer(bytes(range(length)), np.uint8)
        offsets = np.frombuffer(np.array([0, length]).tobytes(), np.int64)
        found = hashes(letters, offsets, key)
        assert found.astype("<u8").tobytes().hex() == text


def test_memory_does_not_grow_with_the_names() -> None:
    peaks = apart(first_names, 30, 10_000, 20_000)
    assert max(peaks[20:]) < 1.3 * max(peaks[:10])


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(Unavailable, match="no room"):
        Firsts(2).new(pa.array(["a", "b", "c"]))


def test_a_file_gives_the_same_whatever_stands_in_memory(tmp_path, monkeypatch) -> None:
    path = tmp_path / "payments.csv"
    rng = np.random.default_rng(7)
    lines = ["payment_id,at,from_account,to_account,amount,currency"]
    ids = rng.integers(0, 20_000, 30_000).tolist()
    lines += [
        f"P{n},2026-03-01T10:00:00Z,A{n % 99},B,{'x' if at % 997 == 0 else '1.50'},PKR"
        for at, n in enumerate(ids)
    ]
    path.write_text("\n".join(lines) + "\n")
    good = [n for at, n in enumerate(ids) if at % 997]
    whole = read_plain(path, PAYMENTS)
    monkeypatch.setattr(firsts.Firsts.__init__, "__defaults__", (1_000,))
    parted = read_plain(path, PAYMENTS)
    assert whole.counts == parted.counts
    assert whole.counts.kept == len(set(good))
    assert whole.counts.repeated == len(good) - len(set(good))
    assert whole.table.equals(parted.table)
    assert whole.refusals == parted.refusals
    assert len(whole.refusals) == whole.counts.refused == 31
