"""What a file holds, told from the names of its columns; nothing else of it is taken."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.forms import FORMS, format_of
from cordon.calls.layouts import all_layouts, recognise
from cordon.calls.layouts.recognise import SIGNS, split
from cordon.calls.lists import nearly, told_by
from cordon.calls.sections import HEAD_BYTES
from cordon.calls.sources import source
from cordon.kernel.errors import BadInput

_KINDS = ("calls", "subscribers", *(form.name for form in FORMS))


def kind_of(path: Path, layouts: Path | None = None) -> str:
    """The kind that a file holds; `calls` where it is no plain format and no operator's list.

    An operator's own calls have other columns, and whoever reads them says what a file looks like
    that no layout fits either.

    Args:
        layouts: folder of layouts of calls beside the built-in ones.
    """
    for names in _headers(path):
        found = format_of([n.strip().lower() for n in names])
        if found in _KINDS:
            return found
    lines = _lines(path)
    if recognise(lines, all_layouts(layouts)) is not None:
        return "calls"
    told = told_by(lines)
    # of a list that lacks a column its own reader says which
    return nearly(lines) or "calls" if told is None else told.form


def _headers(path: Path) -> list[list[str]]:
    """The first line as it may be taken apart; none where the file cannot be read."""
    with path.open("rb") as raw:
        is_parquet = raw.read(4) == b"PAR1"
    if is_parquet:
        with suppress(pa.ArrowException, OSError):
            return [pq.read_schema(path).names]
        return []
    first = next((line for line in _lines(path) if line.strip()), None)
    return [split(first, sign) for sign in SIGNS] if first else []


def _lines(path: Path) -> list[bytes]:
    """The first lines; none where the file cannot be read as text or a workbook."""
    with suppress(BadInput):
        for block in source(path).blocks():
            return block.text[:HEAD_BYTES].split(b"\n")
    return []
