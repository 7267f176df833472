"""Verifying an export with no database and no key but the public one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cordon.kernel.errors import BadInput, CordonError, DoesNotVerify
from cordon.kernel.ledger import merkle, notes
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint, read
from cordon.kernel.ledger.export import FILE_ENTRIES
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.ledger.report import Progress, Report
from cordon.kernel.ledger.scan import Scanned, scan_file


def verify_export(
    folder: Path,
    verifier: Verifier | str | None = None,
    *,
    against: str | None = None,
    witnesses: Sequence[Verifier | str] = (),
    progress: Progress | None = None,
) -> Report:
    """Verify what `export` or `export_slice` wrote; needs nothing but the folder.

    Args:
        verifier: the ledger's public key as the agency gave it; where it is None, the one in
            the export, which the report then says.
        against: an older checkpoint (the note's text) that must be the beginning of this one.
        witnesses: verifier strings of witnesses; those who signed are named in the report.

    Returns:
        A report, also where everything is wrong.

    Raises:
        BadInput: there is no such folder, or `verifier` is none.
    """
    started = time.monotonic()
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder.name}.", advice="Name the export's folder.")
    files = sorted(folder.glob("entries-*.jsonl"))
    proofs = sorted(folder.glob("proof-*.json"))
    report = Report("slice" if proofs and not files else "export")
    given = Verifier.parse(verifier) if isinstance(verifier, str) else verifier
    checkpoint = _checkpoint(folder, given, witnesses, report)
    if checkpoint is not None:
        report.origin, report.size = checkpoint.origin, checkpoint.size
        report.root = checkpoint.root.hex()
        older = _older(against, report)
        if files or not proofs:
            _check_full(_Full(folder, checkpoint, older, report), progress)
        for path in proofs:
            _check_proof(path, checkpoint, report)
        if older is not None and report.kind == "slice":
            _check_slice_consistency(folder / "consistency.json", older, checkpoint, report)
    report.seconds = time.monotonic() - started
    return report


@dataclass(slots=True)
class _Full:
    folder: Path
    checkpoint: Checkpoint
    older: Checkpoint | None
    report: Report


def _checkpoint(
    folder: Path, given: Verifier | None, witnesses: Sequence[Verifier | str], report: Report
) -> Checkpoint | None:
    report.key_given = given is not None
    try:
        note = (folder / "checkpoint").read_bytes().decode()
        key = given or Verifier.parse((folder / "verifier").read_bytes().decode())
    except FileNotFoundError as missing:
        report.wrong(None, f"The export has no file “{Path(missing.filename).name}”.")
        return None
    except (UnicodeDecodeError, CordonError):
        report.wrong(None, "The export's checkpoint or verifier file is damaged.")
        return None
    report.key = key
    try:
        checkpoint = open_checkpoint(note, key)
        report.signed = notes.open_note(note, [key, *witnesses]).signed
    except DoesNotVerify as fault:
        report.wrong(None, f"The checkpoint does not verify. {fault.message}")
        return _unsigned(note)
    if checkpoint.origin != key.name:
        report.wrong(None, f"The key is of {key.name}, the ledger is {checkpoint.origin}.")
    return checkpoint


def _unsigned(note: str) -> Checkpoint | None:
    """What an unsigned checkpoint says: enough to go on and name what else is wrong."""
    try:
        return read(notes.parse_note(note)[0])
    except DoesNotVerify:
        return None


def _older(against: str | None, report: Report) -> Checkpoint | None:
    if against is None or report.key is None:
        return None
    try:
        older = open_checkpoint(against, report.key)
    except DoesNotVerify as fault:
        report.wrong(None, f"The older checkpoint does not verify. {fault.message}")
        return None
    if older.origin != report.origin:
        report.wrong(None, f"The older checkpoint is of another ledger, {older.origin}.")
        return None
    if older.size > report.size:
        report.wrong(
            report.size,
            f"The older checkpoint had {older.size} entries, this one has {report.size}: "
            "the end was cut off.",
        )
        return None
    return older


def _check_full(full: _Full, progress: Progress | None) -> None:
    report, size = full.report, full.checkpoint.size
    frontier = _start(full.folder, report)
    if frontier is None:
        return
    start = frontier.size
    if start > size:
        report.wrong(None, f"The export starts at {start}, after its checkpoint's end.")
        return
    wanted = set() if full.older is None else {full.older.size}
    roots = {start: frontier.root()}
    in_order, last_at, expected = True, "", start
    for found in _scan_all(full, start):
        report.checked += found.count
        for problem in found.problems:
            report.wrong(problem.index, problem.says)
        report.count += found.wrong - len(found.problems)
        if found.first_at < last_at and found.first_at:
            report.wrong(expected, "Its time is before that of the entry below it.")
        in_order = in_order and found.in_order
        last_at, expected = found.last_at or last_at, found.next
        if in_order:
            for segment in found.segments:
                for height, digest in segment:
                    frontier.push(height, digest)
                roots[frontier.size] = frontier.root()
        if progress is not None:
            progress(report.checked, size - start)
    if in_order and frontier.size == size and frontier.root() != full.checkpoint.root:
        report.wrong(
            None,
            "The entries do not lead to the signed root: at least one of them was changed.",
        )
    _check_end(expected, size, report)
    if in_order:
        _check_older(full, wanted, roots, start)


def _check_end(expected: int, size: int, report: Report) -> None:
    if expected < size:
        report.wrong(expected, f"It and all up to entry {size - 1} are missing at the end.")
    elif expected > size:
        report.wrong(size, "It and what follows stand after the end that was signed.")


def _check_older(full: _Full, wanted: set[int], roots: dict[int, bytes], start: int) -> None:
    older = full.older
    if older is None:
        return
    for size in wanted:
        if size < start:
            full.report.wrong(
                size,
                f"The export begins at {start}: too late to compare with the older checkpoint.",
            )
        elif roots.get(size) != older.root:
            full.report.wrong(
                None, f"The first {size} entries are not those of the older checkpoint."
            )


def _start(folder: Path, report: Report) -> merkle.Frontier | None:
    path = folder / "start.json"
    if not path.exists():
        return merkle.Frontier()
    try:
        data = orjson.loads(path.read_bytes())
        return merkle.Frontier(data["size"], [_bytes(h) for h in data["hashes"]])
    except (KeyError, TypeError, ValueError, AttributeError):
        report.wrong(None, "start.json is damaged.")
        return None


def _scan_all(full: _Full, start: int) -> Iterator[Scanned]:
    """Scan each file in its order. (A second process was measured to gain nothing.)"""
    cuts = () if full.older is None else (full.older.size,)
    for number in range(len(list(full.folder.glob("entries-*.jsonl")))):
        path = full.folder / f"entries-{number:06d}.jsonl"
        first = start + number * FILE_ENTRIES
        if not path.is_file():
            full.report.wrong(first, f"{path.name} is missing, with this and the entries after.")
            return
        hashes = path.with_name(f"hashes-{number:06d}.bin")
        yield scan_file(path, hashes, first, FILE_ENTRIES, cuts)


def _check_proof(path: Path, checkpoint: Checkpoint, report: Report) -> None:
    said = path.stem.removeprefix("proof-")
    index = int(said) if said.isascii() and said.isdigit() else None
    try:
        data: dict[str, Any] = orjson.loads(path.read_bytes())
        leaf = data["leaf"].encode()
        proof = [_bytes(h) for h in data["proof"]]
        inside = orjson.loads(leaf)["index"]
        claimed, size = data["index"], data["size"]
    except (KeyError, TypeError, ValueError, AttributeError):
        report.wrong(index, f"{path.name} is damaged.")
        return
    report.checked += 1
    if not (claimed == inside == index):
        report.wrong(index, f"{path.name} holds entry {inside}, not the one it is named after.")
    elif size != checkpoint.size:
        report.wrong(index, f"Its proof is for {size} entries; the checkpoint has another size.")
    elif not merkle.verify_inclusion(merkle.leaf_hash(leaf), inside, size, proof, checkpoint.root):
        report.wrong(index, "Its proof does not lead to the signed root: it was changed.")


def _check_slice_consistency(
    path: Path, older: Checkpoint, checkpoint: Checkpoint, report: Report
) -> None:
    try:
        data = orjson.loads(path.read_bytes())
        proof = [_bytes(h) for h in data["proof"]]
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        report.wrong(None, "The slice has no proof that the older checkpoint is its beginning.")
        return
    if not merkle.verify_consistency(
        older.size, checkpoint.size, proof, older.root, checkpoint.root
    ):
        report.wrong(None, "The ledger is not a continuation of the older checkpoint.")


def _bytes(text: str) -> bytes:
    data = notes.decode(text)
    if len(data) != 32:
        raise ValueError("a hash has 32 bytes")
    return data
