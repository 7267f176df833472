"""What witnesses cosigned of this ledger: kept, put into exports, and held against a history.

A witness (another agency's node) has seen a checkpoint, checked that the ledger only grew since
the one before, and signed it with the time (c2sp.org/tlog-cosignature). Whoever rewrites the past
afterwards can no longer lead from that checkpoint to the present one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.errors import CordonError, DoesNotVerify
from cordon.kernel.ledger import merkle, notes
from cordon.kernel.ledger.checkpoint import Checkpoint, open_checkpoint, read
from cordon.kernel.ledger.log import Ledger
from cordon.kernel.ledger.notes import Verifier
from cordon.kernel.ledger.report import Report, Witnessed
from cordon.kernel.ledger.tables import LedgerCosigned
from cordon.kernel.store.rows import Rows

FILE = "witnessed.json"
MOST = 200  # witnesses of one export


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The newest checkpoint that a witness cosigned.

    Attributes:
        key: the witness's verifier string. note: the checkpoint with both signatures.
        at: when the witness signed (to the second).
    """

    witness: str
    key: str
    size: int
    note: str
    at: datetime


def keep_cosigned(session: Session, note: str, witness: Verifier, log: Verifier) -> Cosigned:
    """Keep a checkpoint that a witness has cosigned, unless a later one is there.

    Raises:
        DoesNotVerify: one of the two signatures is missing or wrong.
    """
    checkpoint = open_checkpoint(note, log)
    signed = [s for s in notes.open_note(note, [witness]).signed if s.at is not None]
    if not signed or signed[0].at is None:
        raise DoesNotVerify("The witness's signature is no cosignature with a time.")
    at = signed[0].at
    row = session.get(LedgerCosigned, witness.name)
    if row is None:
        row = LedgerCosigned(witness=witness.name, key="", size=-1, note="", at=at)
        session.add(row)
    if checkpoint.size >= row.size or row.key != str(witness):
        row.key, row.size, row.note, row.at = str(witness), checkpoint.size, note, at
    return Cosigned(row.witness, row.key, row.size, row.note, row.at)


def cosigned(rows: Rows) -> list[Cosigned]:
    """What each witness cosigned last, the names in order."""
    with rows.read(reserved=True) as session:
        found = session.scalars(select(LedgerCosigned).order_by(LedgerCosigned.witness))
        return [Cosigned(r.witness, r.key, r.size, r.note, r.at) for r in found]


def to_export(ledger: Ledger, size: int) -> list[dict[str, Any]]:
    """For an export of a checkpoint of this size: each cosigned one, with the proof that leads on.

    One that is beyond the ledger's end is put in all the same: it says what was cut off.
    """
    told = []
    for one in cosigned(ledger.rows)[:MOST]:
        proof = ledger.consistency(one.size, size) if one.size <= size else []
        hashes = [notes.encode(h) for h in proof]
        told.append({"key": one.key, "note": one.note, "proof": hashes})
    return told


def check_export(
    said: Any, checkpoint: Checkpoint, witnesses: Sequence[Verifier | str], report: Report
) -> None:
    """Hold an export against what witnesses cosigned of it.

    Args:
        said: what stands in its `witnessed.json`; empty where there is none.
        witnesses: verifier strings of witnesses, got from themselves: each must have cosigned.
    """
    given = [Verifier.parse(w) if isinstance(w, str) else w for w in witnesses]
    if not isinstance(said, list) or len(said) > MOST:
        report.wrong(None, f"{FILE} is damaged.")
        said = []
    for one in said:
        try:
            _check_one(one, checkpoint, given, report)
        except (CordonError, KeyError, TypeError, ValueError, AttributeError):
            report.wrong(None, f"{FILE} is damaged: a note, a key or a proof cannot be read.")
    seen = {str(s.verifier) for s in report.signed} | {w.key for w in report.witnessed}
    for witness in given:
        if str(witness) not in seen:
            report.wrong(
                None,
                f"{witness.name}, whose key was given, has cosigned nothing of this export: ask "
                "it for the last checkpoint that it saw, and verify --against that.",
            )


def _check_one(
    one: dict[str, Any], checkpoint: Checkpoint, given: Sequence[Verifier], report: Report
) -> None:
    witness, note = Verifier.parse(one["key"]), one["note"]
    if witness.kind != notes.COSIGNATURE:
        raise ValueError
    theirs = read(notes.parse_note(note)[0])
    signed = notes.open_note(note, [witness]).signed[0]
    if report.key is None:
        return
    try:
        open_checkpoint(note, report.key)
    except DoesNotVerify:
        report.wrong(None, f"{witness.name} cosigned a checkpoint that another key had signed.")
        return
    if theirs.origin != checkpoint.origin:
        report.wrong(None, f"{witness.name} cosigned a checkpoint of {theirs.origin}.")
    elif theirs.size > checkpoint.size:
        report.wrong(
            checkpoint.size,
            f"{witness.name} cosigned {theirs.size} entries, this export has {checkpoint.size}: "
            "the end was cut off.",
        )
    elif not merkle.verify_consistency(
        theirs.size, checkpoint.size, [_hash(h) for h in one["proof"]], theirs.root,
        checkpoint.root,
    ):  # fmt: skip
        report.wrong(
            None,
            f"The first {theirs.size} entries are not those that {witness.name} cosigned: the "
            "past was rewritten.",
        )
    else:
        report.witnessed.append(
            Witnessed(witness.name, str(witness), theirs.size, signed.at, witness in given)
        )


def _hash(text: str) -> bytes:
    data = notes.decode(text)
    if len(data) != 32:
        raise ValueError("a hash has 32 bytes")
    return data
