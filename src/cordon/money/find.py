"""Files of payments, and of what stands beside them, in; findings out; without a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from cordon.calls import ACCOUNTS, COMPLAINTS, Counts, Refusal, read_plain, ring_of
from cordon.calls import find as find_in_calls
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.money.detectors import all_detectors
from cordon.money.detectors.data import MoneyData
from cordon.money.given import Told
from cordon.money.reading import read_payments

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class FindResult:
    """What came of a search.

    Attributes:
        findings: of payments, ordered by kind, start and subjects.
        counts: of the payments. refusals: file's name and row.
        left_out: sentences for the reader: what could not be used, and what was passed over.
    """

    findings: tuple[Finding, ...]
    counts: Counts
    refusals: tuple[tuple[str, Refusal], ...]
    left_out: tuple[str, ...]


def find(
    payments: Sequence[Path],
    progress: Progress | None = None,
    *,
    accounts: Path | None = None,
    complaints: Path | None = None,
    calls: Sequence[Path] = (),
    cells: Path | None = None,
    subscribers: Path | None = None,
    engine: str = "duckdb",
    memory_mb: int = 1536,
    threads: int = 2,
    region: str = "PK",
    given: Mapping[str, Any] | None = None,
    told: Told | None = None,
    scratch: Path | None = None,
) -> FindResult:
    """Search files of payments, on nothing but the files given.

    Args:
        payments: files of the format `payments`; one that stands in several counts once.
        accounts, complaints: files of these formats, or None.
        calls, cells, subscribers: as `cordon.calls.find` takes them: its rings say whose calls
            people got before they paid.
        engine: what runs the heavy passes over calls and payments, as in the setting
            `columns_engine`. memory_mb, threads, scratch: as `cordon.calls.find` takes them.
        region: ISO 3166 code of the country whose numbering plan and time zone apply.
        given: parameters over the cards' defaults. told: as of `read_payments`.

    Raises:
        BadInput: a file of which nothing can be read, or a parameter out of bounds.
    """
    if not payments:
        raise BadInput("No file of payments was given.", advice="Name at least one.")
    say = progress or (lambda _what, _share: None)
    left_out: list[str] = []
    refusals: list[tuple[str, Refusal]] = []
    contacts: pa.Table | None = None
    rings: Mapping[str, str] = {}
    if calls:
        spoken = find_in_calls(
            calls, subscribers, lambda what, share: say(what, 0.6 * share), cells=cells,
            complaints=complaints, engine=engine, memory_mb=memory_mb, threads=threads,
            region=region, scratch=scratch, with_contacts=True,
        )  # fmt: skip
        contacts, rings = spoken.contacts, ring_of(spoken.findings)
        refusals += spoken.refusals
        left_out += spoken.left_out
    say("reading payments", 0.6)
    read = read_payments(
        payments, region, engine=engine, told=told, memory_mb=memory_mb, threads=threads,
        scratch=scratch,
    )  # fmt: skip
    refusals += read.refusals
    left_out += read.payments.left_out
    beside: list[pa.Table | None] = []
    for path, form in ((accounts, ACCOUNTS), (complaints, COMPLAINTS)):
        if path is None:
            beside.append(None)
            continue
        other = read_plain(path, form, region)
        beside.append(other.table)
        refusals += [(path.name, r) for r in other.refusals]
        if other.broken:
            left_out.append(other.broken + " What stands before it was used.")
    data = MoneyData(read.payments, beside[0], beside[1], contacts, given or {}, left_out, rings)
    found = detected(data, lambda what, share: say(what, 0.8 + 0.2 * share))
    return FindResult(
        tuple(found), read.counts, tuple(dict.fromkeys(refusals)), tuple(dict.fromkeys(left_out))
    )


def detected(data: MoneyData, say: Progress) -> list[Finding]:
    """What every detector finds, by kind, start and subjects."""
    found: list[Finding] = []
    detectors = all_detectors()
    for done, detector in enumerate(detectors):
        say(detector.CARD.title, done / len(detectors))
        found.extend(detector.find(data, detector.CARD))
    return sorted(found, key=lambda f: (f.kind, f.start, f.subjects))
