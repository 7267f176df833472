"""What a bundle's `data/` holds, written from the caller's contents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cordon.cases.bundle import layout
from cordon.cases.bundle.bag import BagWriter, chunks_of, reading
from cordon.cases.bundle.contents import (
    Contents,
    ExtractedRecord,
    RecordSource,
    Signer,
    WithheldRecord,
)
from cordon.cases.bundle.folder import CHUNK, shown
from cordon.cases.bundle.names import folded, safe_name, why_unsafe
from cordon.cases.bundle.readme import readme
from cordon.kernel.errors import BadInput, DoesNotVerify
from cordon.kernel.ledger.notes import Verifier


def check_contents(contents: Contents) -> None:
    """Refuse what could not be told apart or written safely; raises BadInput naming it."""
    case = contents.case
    labels: set[str] = set()
    for one in contents.exhibits:
        if one.exhibit.case != case.id:
            raise BadInput(f"Exhibit {one.exhibit.label} is of another case than {case.number}.")
        if one.exhibit.label in labels:
            raise BadInput(f"Two exhibits of {case.number} have the label {one.exhibit.label}.")
        labels.add(one.exhibit.label)
    if any(link.case != case.id for link in contents.links):
        raise BadInput(f"A link is of another case than {case.number}.")
    files: set[str] = set()
    for record in contents.records:
        if record.sha256 in files:
            raise BadInput(f"The record file {record.sha256[:12]}… is given twice.")
        files.add(record.sha256)
    names = {folded(name) for name in contents.ledger_files}
    for name in contents.ledger_files:
        wrong = why_unsafe(layout.LEDGER + name)
        parts = folded(name).split("/")
        if any("/".join(parts[:n]) in names for n in range(1, len(parts))):
            wrong = "its folder has the name of another file"
        if wrong:
            raise BadInput(f"The ledger file {shown(name)} cannot go into a bundle: {wrong}.")
    if len(names) != len(contents.ledger_files):
        raise BadInput("Two ledger files differ in nothing but the case of their names.")
    for declared in contents.declared_breaks:
        if not declared.explanation.strip():
            raise BadInput(
                f"A declared break of custody ({declared.rule}) has no explanation.",
                advice="Say how it came about; the court will read it.",
            )


def bytes_in_all(contents: Contents) -> int:
    """Bytes that sealing will read from files, for its progress."""
    sources: list[Path | bytes] = [one.source for one in contents.exhibits]
    sources += [r.source for r in contents.records if not isinstance(r, WithheldRecord)]
    sources += contents.ledger_files.values()
    total = 0
    for source in sources:
        if isinstance(source, bytes):
            total += len(source)
        else:
            with reading(source) as file:
                total += file.seek(0, 2)
    return total


def write_payload(
    bag: BagWriter, contents: Contents, signer: Signer, verifier: Verifier, at: datetime
) -> None:
    """Write all of `data/`.

    Raises:
        DoesNotVerify: an exhibit's or record's bytes are not those that it is given as.
    """
    exhibits = []
    for one in contents.exhibits:
        path = f"{layout.EXHIBITS}{one.exhibit.label}-{safe_name(one.exhibit.title)}"
        if bag.put(path, one.source) != one.exhibit.sha256:
            raise _changed(f"exhibit {one.exhibit.label}")
        if bag.sizes[path] != one.exhibit.size:
            raise _changed(f"exhibit {one.exhibit.label}")
        exhibits.append((one, path))
    index = [_put_record(bag, record) for record in contents.records]
    for name, source in contents.ledger_files.items():
        bag.put(layout.LEDGER + name, source)
    bag.put(layout.RECORD_INDEX, layout.dump(index))
    bag.put(layout.CASE, layout.dump(layout.case_to_dict(contents.case, exhibits, contents.links)))
    bag.put(layout.CUSTODY, (layout.dump_line(layout.event_to_dict(e)) for e in contents.custody))
    bag.put(layout.FINDINGS, (layout.dump_line(f.to_dict()) for f in contents.findings))
    bag.put(
        layout.AUTHORITIES,
        layout.dump([layout.authority_to_dict(a) for a in contents.authorities]),
    )
    bag.put(layout.BREAKS, layout.dump([layout.break_to_dict(b) for b in contents.declared_breaks]))
    bag.put(layout.README, readme(contents.case, signer, verifier, at).encode())


def _put_record(bag: BagWriter, record: RecordSource) -> dict[str, Any]:
    """Put one raw input file or its extract into the bag; return its entry of the index."""
    if isinstance(record, WithheldRecord):
        return {"sha256": record.sha256, "kind": "withheld", "why": record.why}
    path = f"{layout.RECORDS}{record.sha256[:16]}-{safe_name(record.name)}"
    entry = {"sha256": record.sha256, "name": record.name, "unit": record.unit.value}
    if not isinstance(record, ExtractedRecord):
        if bag.put(path, record.source) != record.sha256:
            raise _changed(f"record file {record.sha256[:12]}…")
        return {**entry, "kind": "whole", "file": path, "size": bag.sizes[path]}
    path += ".extract"
    size = _check_whole(bag, record)
    bag.put(path, _pieces(record))
    pieces = [{"row": p.row, "offset": p.offset, "length": p.length} for p in record.pieces]
    return {**entry, "kind": "extract", "file": path, "size": size, "pieces": pieces}


def _check_whole(bag: BagWriter, record: ExtractedRecord) -> int:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(record.source):
        digest.update(chunk)
        size += len(chunk)
        bag.tick(len(chunk))
    if digest.hexdigest() != record.sha256:
        raise _changed(f"record file {record.sha256[:12]}…")
    return size


def _pieces(record: ExtractedRecord) -> Iterator[bytes]:
    with reading(record.source) as source:
        for piece in record.pieces:
            if piece.offset < 0 or piece.length < 1:
                raise _outside(record, piece.row)
            source.seek(piece.offset)
            left = piece.length
            while left:
                chunk = source.read(min(left, CHUNK))
                if not chunk:
                    raise _outside(record, piece.row)
                left -= len(chunk)
                yield chunk


def _outside(record: ExtractedRecord, row: int) -> BadInput:
    return BadInput(
        f"Row {row} of the extract of {record.sha256[:12]}… lies outside of its file.",
        advice="Give the byte offset and length of the row in the file as it came in.",
    )


def _changed(what: str) -> DoesNotVerify:
    return DoesNotVerify(
        f"The bytes of {what} are not those that were registered; nothing was sealed.",
        advice="Restore the file from the backup: its SHA-256 says which bytes it must have.",
    )
