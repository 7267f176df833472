"""Truth files: what was written is read, and a broken line is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cordon.exercise import Truth, read_truths, write_truths
from cordon.kernel.errors import BadInput

TRUTH = Truth(
    "picture.gap",
    ("mmsi:1",),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC),
    {"type": "Point", "coordinates": [66.0, 24.0]},
    "off",
)


def test_truths_go_round(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b"".join(write_truths([TRUTH, TRUTH])) + b"\n")
    assert list(read_truths(path)) == [TRUTH, TRUTH]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"kind": "x"}',
        '{"kind":"x","subjects":[],"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}',
        '{"kind":"x","subjects":["a:1"],"start":"2026-01-03T00:00:00Z","end":"2026-01-02T00:00:00Z"}',
        '{"kind":"x","subjects":["a:1"],"start":"yesterday","end":"2026-01-02T00:00:00Z"}',
        '{"kind":"x","subjects":["a:1"],"start":5,"end":"2026-01-02T00:00:00Z"}',
    ],
)
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b"".join(write_truths([TRUTH])) + line.encode())
    with pytest.raises(BadInput, match="line 2"):
        list(read_truths(path))
