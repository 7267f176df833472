"""Verifying the live database: entries, their columns, kept hashes, head and checkpoint file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Text, select, type_coerce

from cordon.kernel.errors import DoesNotVerify
from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint
from cordon.kernel.ledger.log import Ledger
from cordon.kernel.ledger.model import leaf_time
from cordon.kernel.ledger.reading import Head
from cordon.kernel.ledger.report import Progress, Report
from cordon.kernel.ledger.scan import COLUMNS, scan
from cordon.kernel.ledger.tables import TILE, LedgerEntry, LedgerNode

_READ = 1 << 11  # entries read at a time; more is slower, as the rows leave the cache

_Rows = Sequence[Row[*tuple[Any, ...]]]
Nodes = dict[tuple[int, int], bytes]


def verify_rows(ledger: Ledger, *, progress: Progress | None = None) -> Report:
    """Verify the node's own database against its key and its checkpoint file.

    The ledger may grow meanwhile: what is verified is what it was at the start.

    Returns:
        A report, also where everything is wrong.
    """
    started = time.monotonic()
    report = Report("database", origin=ledger.origin, key=ledger.verifier)
    on_file = _on_file(ledger, report)
    head, last = ledger.head_and_last()
    signed = _signed(ledger, head, report)
    size = last + 1 if head is None else max(head.size, last + 1)
    wanted = {c.size: c for c in (on_file,) if c is not None}
    nodes: Nodes = {}
    roots, frontier, last_at = _scan_rows(ledger, size, set(wanted), nodes, report, progress)
    if head is None:
        if last >= 0:
            report.wrong(0, "There are entries and no head: somebody removed it.")
    else:
        _check_end(head, last, report)
        if last_at and leaf_time(head.at) != last_at:
            report.wrong(None, "The head's time is not that of the last entry.")
        if frontier is not None and last + 1 == head.size:
            if frontier.to_bytes() != head.frontier:
                report.wrong(None, "The head's frontier is not that of the entries.")
            if signed is not None and signed.root != frontier.root():
                report.wrong(None, "The entries do not lead to the root that was signed.")
    for at, checkpoint in wanted.items():
        if at > size or last + 1 < at:
            report.wrong(
                last + 1,
                f"The checkpoint file says {at} entries: this and those after it were cut off.",
            )
        elif frontier is not None and roots.get(at) != checkpoint.root:
            report.wrong(None, f"The first {at} entries are not those of the checkpoint file.")
    if frontier is not None:
        _check_nodes(ledger, nodes, size, report)
    report.seconds = time.monotonic() - started
    return report


def _on_file(ledger: Ledger, report: Report) -> Checkpoint | None:
    if ledger.keeper is None:
        return None
    try:
        return ledger.keeper.read()
    except DoesNotVerify as fault:
        report.wrong(None, fault.message)
        return None


def _signed(ledger: Ledger, head: Head | None, report: Report) -> Checkpoint | None:
    if head is None:
        report.root = merkle.EMPTY_ROOT.hex()
        return None
    try:
        signed = open_checkpoint(head.note, ledger.verifier)
    except DoesNotVerify as fault:
        report.wrong(None, f"The head's checkpoint does not verify. {fault.message}")
        return None
    report.size, report.root = signed.size, signed.root.hex()
    if (signed.origin, signed.size) != (ledger.origin, head.size):
        report.wrong(None, "The head's size is not that of its signed checkpoint.")
    return signed


def _check_end(head: Head, last: int, report: Report) -> None:
    if last + 1 < head.size:
        report.wrong(last + 1, f"It and all up to entry {head.size - 1} are missing at the end.")
    elif last + 1 > head.size:
        report.wrong(head.size, "It and what follows stand after the end that was signed.")


def _scan_rows(
    ledger: Ledger,
    size: int,
    wanted: set[int],
    nodes: Nodes,
    report: Report,
    progress: Progress | None,
) -> tuple[dict[int, bytes], merkle.Frontier | None, str]:
    """Roots at the wanted sizes, the frontier at the end (None where entries are amiss), and
    the time of the last entry."""

    def keep(height: int, first: int, digests: Sequence[bytes]) -> None:
        if height and height % TILE == 0:
            nodes.update(((height // TILE, first + i), h) for i, h in enumerate(digests))

    roots = {0: merkle.EMPTY_ROOT}
    frontier: merkle.Frontier | None = merkle.Frontier()
    last_at, expected = "", 0
    for rows in _chunks(ledger, size - 1):
        leaves = [row[-2] for row in rows]
        found = scan(
            leaves,
            expected,
            cuts=sorted(wanted),
            hashes=_hashes(rows, report),
            rows=[row[:-2] for row in rows],
            keep=keep,
        )
        report.checked += found.count
        for problem in found.problems:
            report.wrong(problem.index, problem.says)
        report.count += found.wrong - len(found.problems)
        if found.first_at and found.first_at < last_at:
            report.wrong(expected, "Its time is before that of the entry below it.")
        last_at, expected = found.last_at or last_at, found.next
        if not found.in_order:
            frontier = None
        if frontier is not None:
            for segment in found.segments:
                for height, digest in segment:
                    frontier.push(height, digest, keep)
                roots[frontier.size] = frontier.root()
        if progress is not None:
            progress(report.checked, size)
    return roots, frontier, last_at


def _hashes(rows: _Rows, report: Report) -> bytes | None:
    odd = next((row[0] for row in rows if len(row[-1]) != 32), None)
    if odd is not None:
        report.wrong(odd, "Its leaf hash has not 32 bytes.")
        return None
    return b"".join(row[-1] for row in rows)


def _chunks(ledger: Ledger, last: int) -> Iterator[_Rows]:
    """All rows up to an index, also those that stand where none may."""
    table = LedgerEntry.__table__.c
    # SQLite keeps times as the text that the leaf has: compared as it is, in a third of the time
    at = type_coerce(table.at, Text()) if ledger.rows.is_sqlite else table.at
    query = select(table.index, at, *(table[n] for n in (*COLUMNS[2:], "leaf", "leaf_hash")))
    query = query.where(table.index <= last).order_by(table.index).limit(_READ)
    after = query
    while True:
        with ledger.rows.read() as session:
            rows = session.execute(after).all()
        if not rows:
            return
        yield rows
        after = query.where(table.index > rows[-1][0])


def _check_nodes(ledger: Ledger, nodes: Nodes, size: int, report: Report) -> None:
    """Kept hashes must be those of the entries; they name a stretch where both were changed."""
    with ledger.rows.read() as session:
        kept: Nodes = {
            (level, index): digest
            for level, index, digest in session.execute(
                select(LedgerNode.level, LedgerNode.index, LedgerNode.hash)
            )
        }
    grown = max(size, ledger.size())
    for (level, index), digest in nodes.items():
        found = kept.pop((level, index), None)
        if found != digest:
            width = 1 << TILE * level
            what = "is missing" if found is None else "is not theirs"
            report.wrong(
                index * width,
                f"The kept hash over it and all up to entry {(index + 1) * width - 1} {what}.",
            )
    for level, index in kept:
        # what came since the start is whole only above the size that was looked at
        if not (level > 0 and size < (index + 1) << TILE * level <= grown):
            report.wrong(None, f"A hash is kept at level {level}, place {index}, of no entries.")
