"""Tells a bank's message by its content, and gives its payments as rows of the plain format."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls import Parts, Plain, Refusal, read_plain
from cordon.countries import codes, country
from cordon.money.bank import camt053, mt940, pacs004, pacs008
from cordon.money.bank.told import COLUMNS, FORM, Clock, Told

Reader = Callable[[IO[bytes], str, Clock], Iterator[Told]]
Progress = Callable[[int, int], None]
_ROWS = 50_000  # of a batch
_HEAD = 1 << 14
_ISO = re.compile(r"<(?:\w+:)?(Stmt|Rpt|Ntfctn|BkToCstmr\w+|FIToFICstmrCdtTrf|PmtRtr)[\s>]")
_SWIFT = re.compile(r"^:(?:20|25P?|60[FM]|61):", re.MULTILINE)


def reader_of(path: Path) -> tuple[str, Reader] | None:
    """The kind of message that a file holds and what reads it; None where it is none."""
    with opened(path) as raw:
        head = raw.read(_HEAD)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = head.decode(encoding, errors="replace")
    found = _ISO.search(text)
    if found is not None:
        if found.group(1).startswith("FIToFI"):
            return "pacs.008", pacs008.read
        if found.group(1) == "PmtRtr":
            return "pacs.004", pacs004.read
        return "camt.053", camt053.read
    if len({m.group(0) for m in _SWIFT.finditer(text)}) >= 3:
        return "MT940", mt940.read
    return None


READERS: dict[str, Reader] = {
    "camt.053": camt053.read,
    "mt940": mt940.read,
    "pacs.004": pacs004.read,
    "pacs.008": pacs008.read,
}
"""What reads each kind of message, by the name that a layout is asked for by."""


def clock_of(region: str) -> Clock:
    """The clock of a country (ISO 3166), for moments that name no zone."""
    return Clock(country(region.lower()).zone if region.lower() in codes() else UTC)


def message_parts(
    path: Path, reader: Reader, name: str, clock: Clock, progress: Progress | None = None
) -> Parts:
    """Payments of a bank's message as rows of the plain format, some at a time.

    Args:
        name: how errors call the file. clock: gathers what was not told.
        progress: told what was read and what there is (bytes).
    """
    size = path.stat().st_size
    with path.open("rb") as packed, opened(path, packed) as raw:
        for part in _parts(reader(raw, name, clock)):
            if progress is not None:
                progress(packed.tell(), size)
            yield part


def read_message(path: Path, reader: Reader, region: str = "PK") -> tuple[Plain, Clock]:
    """Payments of a bank's message, checked as those of a plain file are; and what else it tells.

    Args:
        region: ISO 3166 code of the bank's country, whose clock holds where a message names none.

    Raises:
        BadInput: it is broken, hostile, or nothing of it can be read.
    """
    clock = clock_of(region)
    parts = message_parts(path, reader, path.name, clock)
    plain = read_plain(path, FORM, region, parts=parts, once=False)
    plain.notes.update(clock.notes)
    return plain, clock


def opened(path: Path, raw: IO[bytes] | None = None) -> IO[bytes]:
    """The file's bytes, unpacked where it is packed by gzip.

    Args:
        raw: the file, where it is open already.
    """
    raw = raw or path.open("rb")
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return gzip.open(raw) if packed else raw  # type: ignore[return-value]


def _parts(payments: Iterator[Told]) -> Parts:
    held: list[Told] = []
    line = 0
    for one in payments:
        # a message may stand in one line, and each payment is to have a number of its own
        line = max(one.line, line + 1)
        held.append(one if one.line == line else replace(one, line=line))
        if len(held) == _ROWS:
            yield _table(held)
            held = []
    if held:
        yield _table(held)


def _table(some: list[Told]) -> tuple[pa.Table, NDArray[np.int64], list[Refusal]]:
    taken = [t for t in some if not t.refused]
    columns = {
        name: pa.array([t.values[i] or None for t in taken], pa.string())
        for i, name in enumerate(COLUMNS)
    }
    rows = np.array([t.line for t in taken], np.int64)
    return pa.table(columns), rows, [Refusal(t.line, t.refused) for t in some if t.refused]
