"""Gathering what a case holds for its bundle: from rows and files into `Contents`.

Personal data goes into a bundle only under an authority that covers it. A raw file that findings
point at goes in whole or not at all: it holds others too, so it needs the very authority that it
came in under, over everyone in it and all of its span (docs/decisions/0004).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from cordon.cases.bundle import (
    Contents,
    DeclaredBreak,
    ExhibitFile,
    RecordSource,
    RowUnit,
    WholeRecord,
    WithheldRecord,
)
from cordon.cases.bundle.rows import has_row
from cordon.cases.persons import data_of_finding, personal_subjects
from cordon.cases.reading import (
    case_of,
    chain_of,
    exhibit_of,
    exhibits_of,
    findings_of,
    links_of,
)
from cordon.cases.tables import CaseRow
from cordon.kernel.access.model import Authority, Thing
from cordon.kernel.errors import CordonError
from cordon.kernel.findings import Finding
from cordon.kernel.ledger import Ledger
from cordon.kernel.store import Files
from cordon.kernel.work import View

Held = tuple[str, str | None]
"""Kind of personal data, and whose: `type:id`, or None for everyone in a file."""

WholeFile = Callable[[View, str, Authority], bool]
"""Whether a raw file (SHA-256, hex) came in under an authority, and lies within its scope whole."""

NOT_KEPT = "This node does not keep the file."
NO_ROW = "It has not the row that a finding points at."
NOT_COVERED = "It holds data of others too, and no authority chosen at sealing covers them all."
NOT_ITS_OWN = "It did not come in whole under the authority chosen at sealing."
_AIS = re.compile(rb"![A-Z]{2}VD[MO],")  # a sentence of NMEA 0183


@dataclass(frozen=True, slots=True)
class Gathered:
    """What goes into a bundle, but for the ledger's slice.

    Attributes:
        contents: as the bundle takes it. things: `type:id` of all that the ledger's slice is of.
        holds: personal data in it. withheld: how many raw files it does not carry.
    """

    contents: Contents
    things: tuple[str, ...]
    holds: tuple[Held, ...]
    withheld: int


def gather(
    view: View,
    row: CaseRow,
    thing: Thing,
    act: str,
    authorities: Sequence[Authority],
    whole_files: Mapping[str, WholeFile],
    declared: Sequence[DeclaredBreak] = (),
) -> Gathered:
    """Gather a case's contents; what of personal data is in it is recorded as read.

    Args:
        act: the act of sealing, under which personal data is read.
        authorities: those used in the case's work.
        whole_files: by kind of personal data, whether a raw file may go in whole.

    Raises:
        AuthorityRefused: a finding speaks of a person whom no chosen authority covers.
    """
    session, files = view.session, view.kernel.files
    exhibits = [exhibit_of(r) for r in exhibits_of(session, row.id)]
    findings = [Finding.from_dict(r.whole()) for r in findings_of(session, row.id)]
    holds: set[Held] = set(_covered(view, thing, act, findings))
    records: list[RecordSource] = []
    for record, data in _records(view, files, findings, whole_files):
        records.append(record)
        if data is not None and isinstance(record, WholeRecord):
            _read_whole(view, act, thing, data, record.sha256)
            holds.add((data, None))
    links = links_of(session, row.id)
    contents = Contents(
        case=case_of(row),
        exhibits=[ExhibitFile(e, files.path(e.sha256)) for e in exhibits],
        custody=chain_of(session, [e.id for e in exhibits]),
        findings=findings,
        links=links,
        records=records,
        authorities=authorities,
        declared_breaks=declared,
    )
    return Gathered(
        contents=contents,
        things=things_of(session, row.id),
        holds=tuple(sorted(holds, key=lambda h: (h[0], h[1] or ""))),
        withheld=sum(isinstance(r, WithheldRecord) for r in records),
    )


def things_of(session: Session, case: str) -> tuple[str, ...]:
    """What the ledger's entries about a case are of: it, its exhibits, findings and alerts."""
    return (
        f"case:{case}",
        *(f"exhibit:{row.id}" for row in exhibits_of(session, case)),
        *(f"finding:{row.id}" for row in findings_of(session, case)),
        *(f"{link.kind}:{link.target}" for link in links_of(session, case) if link.kind == "alert"),
    )


def ledger_indexes(ledger: Ledger, things: Iterable[str]) -> list[int]:
    """Indexes of all entries about these things, in order."""
    found: set[int] = set()
    for thing in things:
        before: int | None = None
        while page := ledger.of_thing(thing, before=before, limit=1000):
            found.update(entry.index for entry in page)
            before = page[-1].index
    return sorted(found)


def _covered(view: View, thing: Thing, act: str, findings: Iterable[Finding]) -> Iterator[Held]:
    """Personal subjects of the findings, each covered by the authority and recorded as read."""
    by_data: dict[str, set[str]] = {}
    for finding in findings:
        for data, subject in personal_subjects(finding.subjects):
            authority = view.actor.authority
            if (
                authority is None
                or not authority.usable(view.now)
                or not authority.scope.covers(data, subject, finding.start)
            ):
                # raises, with the reason, and leaves the refusal in the ledger
                view.under_authority(act, thing, data, subject, finding.start)
            by_data.setdefault(data, set()).add(subject)
    for data, subjects in by_data.items():
        view.sight(act, thing, data, subjects)
        yield from ((data, subject) for subject in subjects)


def _records(
    view: View, files: Files, findings: Iterable[Finding], whole_files: Mapping[str, WholeFile]
) -> Iterator[tuple[RecordSource, str | None]]:
    """Raw files that findings point at, each with the kind of personal data in it, or None."""
    data_of: dict[str, str | None] = {}
    furthest: dict[str, int] = {}
    for finding in findings:
        for record in finding.records:
            data = data_of_finding(finding.kind)
            data_of[record.sha256] = data_of.get(record.sha256) or data
            furthest[record.sha256] = max(record.row, furthest.get(record.sha256, 0))
    for sha256, data in sorted(data_of.items()):
        if not files.has(sha256):
            yield WithheldRecord(sha256, NOT_KEPT), data
            continue
        if data is not None and (why := _why_not_whole(view, data, sha256, whole_files)):
            yield WithheldRecord(sha256, why), data
            continue
        path = files.path(sha256)
        kind = _kind(path, furthest[sha256])
        if kind is None:
            yield WithheldRecord(sha256, NO_ROW), data
            continue
        yield WholeRecord(sha256, f"{sha256[:16]}{kind[0]}", kind[1], path), data


def _why_not_whole(
    view: View, data: str, sha256: str, whole_files: Mapping[str, WholeFile]
) -> str | None:
    """Why a file with personal data may not go in whole, or None where it may."""
    authority = view.actor.authority
    if (
        authority is None
        or not authority.usable(view.now)
        or not authority.scope.covers(data, None)
    ):
        return NOT_COVERED
    comes_whole = whole_files.get(data)
    if comes_whole is None or not comes_whole(view, sha256, authority):
        return NOT_ITS_OWN
    return None


def _read_whole(view: View, act: str, thing: Thing, data: str, sha256: str) -> None:
    """Enter into the ledger that a whole file of personal data was read, before it is."""
    detail = {"data": data, "file": sha256}
    view.kernel.ledger.append(view.kernel.entry(view.actor, act, thing, "read", detail))


def _kind(path: Path, row: int) -> tuple[str, RowUnit] | None:
    """A file's suffix and what pointers into it count, by its first bytes.

    None where it has not the row that a finding points at, however its rows are counted.
    """
    with path.open("rb") as raw:
        start = raw.read(1 << 16)
    if start.startswith(b"PAR1"):
        return _having(path, ".parquet", row, RowUnit.PARQUET_ROW)
    packed = ""
    if start.startswith(b"\x1f\x8b"):
        packed, start = ".gz", zlib.decompressobj(31).decompress(start, 1 << 16)
    elif start.startswith(b"\x28\xb5\x2f\xfd"):
        packed, start = ".zst", b""
    first = start.split(b"\n", 1)[0]
    if _AIS.search(start):  # bare, tagged, or behind comments and a receiver's time
        return _having(path, f".nmea{packed}", row, RowUnit.LINE)
    if first.startswith((b"{", b"[")):
        return _having(path, f".jsonl{packed}", row, RowUnit.LINE)
    # an operator's file may have no header: then its last row is a line more
    return _having(path, f".csv{packed}", row, RowUnit.CSV_ROW, RowUnit.LINE)


def _having(path: Path, suffix: str, row: int, *units: RowUnit) -> tuple[str, RowUnit] | None:
    for unit in units:
        try:
            if has_row(path, suffix, unit, row):
                return suffix, unit
        except CordonError:
            continue
    return None


def require_all(view: View, thing: Thing, act: str, holds: Iterable[Held]) -> None:
    """Require that the chosen authority covers all personal data of a bundle; record the reading.

    Raises:
        AuthorityRefused: it does not; the refusal is in the ledger.
    """
    by_data: dict[str, set[str]] = {}
    for data, subject in holds:
        authority = view.actor.authority
        covered = (
            authority is not None
            and authority.usable(view.now)
            and authority.scope.covers(data, subject)
        )
        if not covered or subject is None:
            view.under_authority(act, thing, data, subject)
        else:
            by_data.setdefault(data, set()).add(subject)
    for data, subjects in by_data.items():
        view.sight(act, thing, data, subjects)


__all__ = [
    "Gathered",
    "gather",
    "ledger_indexes",
    "require_all",
    "things_of",
]
