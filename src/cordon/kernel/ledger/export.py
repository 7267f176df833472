"""Exports: the ledger, or chosen entries of it, in files that anybody can verify.

A full export is a folder of
    checkpoint             the signed note
    verifier               the public key's string
    entries-000000.jsonl   the exact bytes of 100,000 entries, one a line
    hashes-000000.bin      their leaf hashes, 32 bytes each: only to say which entry was changed
    witnessed.json         checkpoints that witnesses cosigned, each with the proof that leads on
    start.json             where it does not begin at 0: the frontier of what stands before

A slice is a folder of `checkpoint`, `verifier`, `witnessed.json` and one `proof-INDEX.json` for
each entry.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from sqlalchemy import select

from cordon.kernel.errors import BadInput, BadUsage
from cordon.kernel.ids import new_id
from cordon.kernel.ledger import merkle, witnessed
from cordon.kernel.ledger.checkpoint import open_checkpoint
from cordon.kernel.ledger.log import Ledger
from cordon.kernel.ledger.reading import kept_nodes
from cordon.kernel.ledger.report import Progress
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.kernel.store.files import naming_full_disk, sync_folder

FILE_ENTRIES = 100_000
_READ = 10_000  # entries read at a time


def export(ledger: Ledger, folder: Path, since: int = 0, progress: Progress | None = None) -> int:
    """Write the ledger from entry `since` on; return how many entries were written.

    The folder is there whole or not at all.

    Raises:
        BadUsage: the folder is there already and holds something.
        BadInput: the ledger has not so many entries.
    """
    note = ledger.checkpoint()
    size = open_checkpoint(note, ledger.verifier).size
    if not 0 <= since <= size:
        raise BadInput(
            f"The ledger has {size} entries, so none can be exported from {since} on.",
            advice="Give a number of entries that an earlier export had.",
        )
    with _whole_folder(folder) as partial:
        _write(partial / "checkpoint", note.encode())
        _write(partial / "verifier", f"{ledger.verifier}\n".encode())
        _write_witnessed(ledger, partial, size)
        if since:
            with ledger.rows.read() as session:
                frontier = merkle.frontier_at(since, kept_nodes(session))
            start = {"size": since, "hashes": [_b64(h) for h in frontier.hashes]}
            _write(partial / "start.json", orjson.dumps(start) + b"\n")
        for number, first in enumerate(range(since, size, FILE_ENTRIES)):
            last = min(first + FILE_ENTRIES, size)
            with (
                (partial / f"entries-{number:06d}.jsonl").open("wb") as entries,
                (partial / f"hashes-{number:06d}.bin").open("wb") as hashes,
            ):
                for done, leaves, digests in _leaves(ledger, first, last):
                    entries.writelines(leaf + b"\n" for leaf in leaves)
                    hashes.write(b"".join(digests))
                    if progress is not None:
                        progress(done - since, size - since)
    return size - since


def export_slice(
    ledger: Ledger, folder: Path, indexes: Iterable[int], against: str | None = None
) -> int:
    """Write chosen entries, each with its inclusion proof; return how many.

    Args:
        against: an older checkpoint of this ledger, to prove that it still is its beginning.

    Raises:
        NotFound: there is no entry of one of the indexes.
        BadUsage: the folder is there already and holds something.
    """
    chosen = sorted(set(indexes))
    note = ledger.checkpoint()
    size = open_checkpoint(note, ledger.verifier).size
    with _whole_folder(folder) as partial:
        _write(partial / "checkpoint", note.encode())
        _write(partial / "verifier", f"{ledger.verifier}\n".encode())
        _write_witnessed(ledger, partial, size)
        for index in chosen:
            leaf = ledger.leaf(index)
            proof = {
                "index": index,
                "size": size,
                "leaf": leaf.decode(),
                "proof": [_b64(h) for h in ledger.inclusion(index, size)],
            }
            _write(partial / f"proof-{index}.json", orjson.dumps(proof) + b"\n")
        if against is not None:
            old = open_checkpoint(against, ledger.verifier).size
            consistency = {
                "old": old,
                "new": size,
                "proof": [_b64(h) for h in ledger.consistency(old, size)],
            }
            _write(partial / "consistency.json", orjson.dumps(consistency) + b"\n")
    return len(chosen)


def _write_witnessed(ledger: Ledger, partial: Path, size: int) -> None:
    if told := witnessed.to_export(ledger, size):
        _write(partial / witnessed.FILE, orjson.dumps(told) + b"\n")


def _leaves(
    ledger: Ledger, first: int, last: int
) -> Iterator[tuple[int, Sequence[bytes], Sequence[bytes]]]:
    for low in range(first, last, _READ):
        high = min(low + _READ, last)
        query = (
            select(LedgerEntry.leaf, LedgerEntry.leaf_hash)
            .where(LedgerEntry.index >= low, LedgerEntry.index < high)
            .order_by(LedgerEntry.index)
        )
        with ledger.rows.read() as session:
            found = session.execute(query).all()
        yield high, [row[0] for row in found], [row[1] for row in found]


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """A folder under another name, renamed once everything in it is written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadUsage(
            f"{folder.name} is there already and is not empty.",
            advice="Name a folder that does not exist yet.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{new_id()[-12:]}.partial")
    partial.mkdir()
    try:
        with naming_full_disk():
            yield partial
            sync_folder(partial)
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
            sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
