"""What goes into an evidence bundle, given by the caller; nothing here reads a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.cases.custody import Rule
from cordon.cases.model import Case, CaseLink, CustodyEvent, Exhibit, check_sha256
from cordon.kernel.access.model import Authority
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all. What it raises ends the work and leaves nothing."""


class RowUnit(StrEnum):
    """What a finding's pointer into a record file counts."""

    LINE = "line"  # text lines from 1, a header counted
    CSV_ROW = "csv_row"  # rows of RFC 4180 from 1, the header not counted
    PARQUET_ROW = "parquet_row"  # rows from 1
    BYTE = "byte"  # byte offset from 0


@dataclass(frozen=True, slots=True)
class ExhibitFile:
    """An exhibit and its bytes."""

    exhibit: Exhibit
    source: Path | bytes


@dataclass(frozen=True, slots=True)
class WholeRecord:
    """A raw input file that findings point at, given whole.

    Attributes:
        sha256: of the file (hex). name: its name when it came in. unit: what pointers count;
            in a `.gz` or `.zst` file they count in what is packed.
    """

    sha256: str
    name: str
    unit: RowUnit
    source: Path

    def __post_init__(self) -> None:
        check_sha256(self.sha256)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a raw input file: the row it holds, its byte offset and length (bytes)."""

    row: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ExtractedRecord:
    """Parts of a raw input file, where the court must not get the rest.

    Sealing reads the whole source, so that the extract is known to be of that file; who
    verifies later can check the offsets only with the whole file in hand.
    """

    sha256: str
    name: str
    unit: RowUnit
    source: Path
    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        check_sha256(self.sha256)
        if not self.pieces:
            raise BadInput(
                f"The extract of {self.sha256[:12]}… has no piece.",
                advice="Withhold it, saying why.",
            )


@dataclass(frozen=True, slots=True)
class WithheldRecord:
    """A raw input file that findings point at and that the bundle does not carry, and why."""

    sha256: str
    why: str

    def __post_init__(self) -> None:
        check_sha256(self.sha256)
        if not self.why.strip():
            raise BadInput(
                f"The file {self.sha256[:12]}… is withheld without a reason.",
                advice="Say why the bundle does not carry it.",
            )


RecordSource = WholeRecord | ExtractedRecord | WithheldRecord


@dataclass(frozen=True, slots=True)
class DeclaredBreak:
    """A break in custody that the sealing officer knows of and explains to the court.

    Attributes:
        exhibit: its id. event: id of the entry, or None where none is there. rule: which rule.
    """

    exhibit: str
    event: str | None
    rule: Rule
    explanation: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a bundle carries.

    Attributes:
        custody: entries of all its exhibits, in the order in which they were written.
        ledger_files: an export of the ledger with its proofs, path under `data/ledger/` to
            bytes or a file; taken as it is.
        declared_breaks: what is broken in custody and explained; anything else that is broken
            refuses the seal.
    """

    case: Case
    exhibits: Sequence[ExhibitFile] = ()
    custody: Sequence[CustodyEvent] = ()
    findings: Iterable[Finding] = ()
    links: Sequence[CaseLink] = ()
    records: Sequence[RecordSource] = ()
    ledger_files: Mapping[str, bytes | Path] = field(default_factory=dict)
    authorities: Sequence[Authority] = ()
    declared_breaks: Sequence[DeclaredBreak] = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """Who seals: the node's key under its name, and the officer and agency that answer for it.

    Attributes:
        name: the key's name (C2SP signed-note), the same as on the ledger's checkpoints.
        officer: id of the officer. agency: code of the agency.
    """

    name: str
    key: Ed25519PrivateKey
    officer: str
    agency: str

    def __post_init__(self) -> None:
        for text in (self.officer, self.agency):
            if not text.strip() or not text.isprintable():
                raise BadInput("Who seals is not named in one line of text.")


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A bundle as it was written.

    Attributes:
        folder: where it stands. root: SHA-256 (hex) of its tagmanifest-sha256.txt, which
            stands for every byte in it. files, size: of the payload (count; bytes).
        public_key: the verifier key, `name+id+base64`. fingerprint: to compare by telephone.
    """

    folder: Path
    root: str
    files: int
    size: int
    sealed_at: datetime
    public_key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a bundle: which file, and what about it."""

    file: str
    says: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking a bundle found.

    Attributes:
        ok: nothing is wrong.
        problems: what is wrong, each naming its file.
        remarks: what is right but must be known: which key it was checked against, breaks of
            custody that were declared, records withheld, signatures by unknown keys.
        sealed_at, by, agency, case: from the seal; None where the seal does not hold.
        key_name, key_id, fingerprint: of the key that it was checked against.
        key_given: False where that key came out of the bundle itself, which shows that it is
            unchanged since somebody sealed it, but not who that was.
        root: SHA-256 of the tag manifest as it stands now. files, size: payload bytes read.
    """

    ok: bool
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...]
    sealed_at: datetime | None
    by: str | None
    agency: str | None
    case: str | None
    key_name: str | None
    key_id: str | None
    fingerprint: str | None
    key_given: bool
    root: str | None
    files: int
    size: int
