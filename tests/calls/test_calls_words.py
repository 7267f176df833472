"""Texts numbered as they come are the texts that they were."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from cordon.calls.survey.words import Words


def test_numbers_lead_back_to_their_texts() -> None:
    rng = np.random.default_rng(5)
    # more than the first table holds; some begin alike, one is empty, one not in ASCII
    every = [f"4100{n:0{1 + n % 14}d}" for n in range(5_000)] + ["", "0", "00", "پشاور"]
    parts: list[list[str | None]] = [
        [every[n] for n in rng.integers(0, len(every), 4_000)] for _ in range(4)
    ]
    parts[1][7] = None
    words = Words()
    # also as a slice, whose buffers hold more than it does
    codes = [words.codes(pa.array(["x", *p, "y"], pa.string()).slice(1, len(p))) for p in parts]
    texts, place = words.texts()
    assert texts == sorted({t for p in parts for t in p if t is not None})
    for part, numbers in zip(parts, codes, strict=True):
        back = [None if n < 0 else texts[n] for n in place[numbers].tolist()]
        assert back == part


def test_without_a_text_there_is_none() -> None:
    words = Words()
    assert words.codes(pa.nulls(3, pa.string())).tolist() == [-1, -1, -1]
    texts, place = words.texts()
    assert texts == []
    assert place.tolist() == [-1]
