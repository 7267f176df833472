"""What a file holds, told from the names of its columns; nothing else of it is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.forms import FORMS, format_of
from cordon.calls.layouts.recognise import SIGNS, split
from cordon.calls.sources import source
from cordon.kernel.errors import BadInput

_KINDS = ("calls", "subscribers", *(form.name for form in FORMS))


def kind_of(path: Path) -> str:
    """The kind that a file holds; `calls` where it is none of the plain formats.

    An operator's own file has other columns, and whoever reads it says what a file looks like
    that no layout fits either.
    """
    for names in _headers(path):
        found = format_of([n.strip().lower() for n in names])
        if found in _KINDS:
            return found
    return "calls"


def _headers(path: Path) -> list[list[str]]:
    """The first line as it may be taken apart; none where the file cannot be read."""
    with path.open("rb") as raw:
        is_parquet = raw.read(4) == b"PAR1"
    if is_parquet:
        with suppress(pa.ArrowException, OSError):
            return [pq.read_schema(path).names]
        return []
    with suppress(BadInput):
        for block in source(path).blocks():
            line = block.text.lstrip(b"\r\n").partition(b"\n")[0]
            if line:
                return [split(line, sign) for sign in SIGNS]
    return []
