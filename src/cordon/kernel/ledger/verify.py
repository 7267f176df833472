"""Verifying an export with no database and no key but the public one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cordon.kernel.errors import BadInput, CordonError, DoesNotVerify
from cordon.kernel.ledger import merkle, notes, witnessed
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint, read
from cordon.kernel.ledger.export import FILE_ENTRIES
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.ledger.report import Progress, Report
from cordon.kernel.ledger.scan import Scanned, missing, scan_file

MOST_SMALL = 1 << 20  # bytes of a checkpoint, a key, a start or a proof
_DAMAGED = (OSError, KeyError, TypeError, ValueError, AttributeError)


def verify_export(
    folder: Path,
    verifier: Verifier | str | None = None,
    *,
    since: int = 0,
    slice_: bool = False,
    against: str | None = None,
    witnesses: Sequence[Verifier | str] = (),
    progress: Progress | None = None,
) -> Report:
    """Verify what `export` or `export_slice` wrote; needs nothing but the folder.

    What the folder should hold is the caller's to say: whoever drops entries from an export could
    as well have it say that it begins after them.

    Args:
        verifier: the ledger's public key as the agency gave it; where it is None, the one in
            the export, which the report then says.
        since: index of the entry that the export must begin at; 0 for a whole one.
        slice_: it must be a slice: chosen entries, each with its proof.
        against: an older checkpoint (the note's text) that must be the beginning of this one.
        witnesses: verifier strings of witnesses, got from themselves: each must have cosigned
            something of this export. Who cosigned what is named in the report.

    Returns:
        A report, also where everything is wrong.

    Raises:
        BadInput: there is no such folder, or `verifier` is none.
    """
    started = time.monotonic()
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder.name}.", advice="Name the export's folder.")
    kind = "slice" if slice_ else "rest" if since else "whole"
    report = Report(kind, None if slice_ else since)
    given = Verifier.parse(verifier) if isinstance(verifier, str) else verifier
    checkpoint = _checkpoint(folder, given, witnesses, report)
    if checkpoint is not None:
        report.origin, report.size = checkpoint.origin, checkpoint.size
        report.root = checkpoint.root.hex()
        witnessed.check_export(_witnessed(folder), checkpoint, witnesses, report)
        older = _older(against, report)
        if slice_:
            _check_slice(folder, checkpoint, older, report)
        else:
            _check_full(_Full(folder, checkpoint, older, report), since, progress)
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
        note = _read(folder / "checkpoint").decode()
        key = given or Verifier.parse(_read(folder / "verifier").decode())
    except FileNotFoundError as missing:
        report.wrong(None, f"The export has no file “{Path(missing.filename).name}”.")
        return None
    except OSError as fault:
        report.wrong(None, f"A file of the export cannot be read: {fault.strerror}.")
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


def _witnessed(folder: Path) -> Any:
    """What the export says of witnesses; empty where it says nothing."""
    try:
        return orjson.loads(_read(folder / witnessed.FILE))
    except FileNotFoundError:
        return []
    except _DAMAGED:
        return None


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


def _check_full(full: _Full, since: int, progress: Progress | None) -> None:
    report, size = full.report, full.checkpoint.size
    frontier = _start(full.folder, report)
    if frontier is None:
        return
    report.start = start = frontier.size
    if start != since:
        report.wrong(since, f"It was to begin here, and says that it begins at entry {start}.")
    if any(full.folder.glob("proof-*.json")):
        report.wrong(None, "It holds proofs of chosen entries, as a slice does and no export.")
    if start > size:
        report.wrong(None, f"The export starts at {start}, after its checkpoint's end.")
        return
    roots = {start: frontier.root()}
    in_order, expected = _walk(full, frontier, roots, progress)
    if in_order and frontier.size == size and frontier.root() != full.checkpoint.root:
        report.wrong(
            None,
            "The entries do not lead to the signed root: at least one of them was changed.",
        )
    _check_end(expected, size, report)
    if in_order:
        wanted = set() if full.older is None else {full.older.size}
        _check_older(full, wanted, roots, start)


def _walk(
    full: _Full, frontier: merkle.Frontier, roots: dict[int, bytes], progress: Progress | None
) -> tuple[bool, int]:
    """Grow the frontier by every entry; note the roots on the way.

    Returns:
        Whether all stood in their order, and the index that would come next.
    """
    report, start = full.report, frontier.size
    in_order, last_at, expected = True, "", start
    for first, found in _scan_all(full, start):
        if first > expected:
            report.wrong(expected, missing(expected, first))
        in_order = in_order and found.in_order and first == expected
        report.checked += found.count
        for problem in found.problems:
            report.wrong(problem.index, problem.says)
        report.count += found.wrong - len(found.problems)
        if found.first_at < last_at and found.first_at:
            report.wrong(expected, "Its time is before that of the entry below it.")
        last_at, expected = found.last_at or last_at, found.next
        for segment in found.segments if in_order else ():
            for height, digest in segment:
                frontier.push(height, digest)
            roots[frontier.size] = frontier.root()
        if progress is not None:
            progress(report.checked, full.checkpoint.size - start)
    return in_order, expected


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
        data = orjson.loads(_read(path))
        return merkle.Frontier(_whole(data["size"]), [_bytes(h) for h in data["hashes"]])
    except _DAMAGED:
        report.wrong(None, "start.json is damaged.")
        return None


def _scan_all(full: _Full, start: int) -> Iterator[tuple[int, Scanned]]:
    """Scan each file in its order; with the index that its first line must have.

    (A second process was measured to gain nothing.)
    """
    cuts = () if full.older is None else (full.older.size,)
    for number in range(len(list(full.folder.glob("entries-*.jsonl")))):
        path = full.folder / f"entries-{number:06d}.jsonl"
        first = start + number * FILE_ENTRIES
        if not path.is_file():
            full.report.wrong(first, f"{path.name} is missing, with this and the entries after.")
            return
        hashes = path.with_name(f"hashes-{number:06d}.bin")
        try:
            yield first, scan_file(path, hashes, first, FILE_ENTRIES, cuts)
        except OSError as fault:
            full.report.wrong(first, f"{path.name} cannot be read: {fault.strerror}.")
            return


def _check_slice(
    folder: Path, checkpoint: Checkpoint, older: Checkpoint | None, report: Report
) -> None:
    proofs = sorted(folder.glob("proof-*.json"))
    if not proofs:
        report.wrong(None, "It holds no proof of an entry, as a slice does.")
    if any(folder.glob("entries-*.jsonl")):
        report.wrong(None, "It holds entries without proofs, as an export does and no slice.")
    for path in proofs:
        _check_proof(path, checkpoint, report)
    if older is not None:
        _check_slice_consistency(folder / "consistency.json", older, checkpoint, report)


def _check_proof(path: Path, checkpoint: Checkpoint, report: Report) -> None:
    said = path.stem.removeprefix("proof-")
    index = int(said) if said.isascii() and said.isdigit() else None
    try:
        data: dict[str, Any] = orjson.loads(_read(path))
        leaf = data["leaf"].encode()
        proof = [_bytes(h) for h in data["proof"]]
        inside = _whole(orjson.loads(leaf)["index"])
        claimed, size = _whole(data["index"]), _whole(data["size"])
    except _DAMAGED:
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
        data = orjson.loads(_read(path))
        proof = [_bytes(h) for h in data["proof"]]
    except _DAMAGED:
        report.wrong(None, "The slice has no proof that the older checkpoint is its beginning.")
        return
    if not merkle.verify_consistency(
        older.size, checkpoint.size, proof, older.root, checkpoint.root
    ):
        report.wrong(None, "The ledger is not a continuation of the older checkpoint.")


def _read(path: Path) -> bytes:
    """A small file of the export; raises OSError where it is none."""
    if path.exists() and (not path.is_file() or path.stat().st_size > MOST_SMALL):
        raise OSError(0, "it is no file, or too large for what it should hold", path.name)
    return path.read_bytes()


def _whole(number: object) -> int:
    if type(number) is not int:  # 3.0 and true compare like numbers, and are no index
        raise TypeError
    return number


def _bytes(text: str) -> bytes:
    data = notes.decode(text)
    if len(data) != 32:
        raise ValueError("a hash has 32 bytes")
    return data
