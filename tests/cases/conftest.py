"""A case that could stand in court, made of real bytes, for the tests of this area."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordon.cases.bundle import (
    Contents,
    ExhibitFile,
    ExtractedRecord,
    Piece,
    RowUnit,
    Signer,
    WholeRecord,
    WithheldRecord,
)
from cordon.cases.model import (
    Case,
    CaseLink,
    CaseState,
    CustodyAct,
    CustodyEvent,
    Exhibit,
    ExhibitKind,
    LinkKind,
)
from cordon.kernel.access.model import Authority, AuthorityKind, Mark, Scope
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.ids import new_id

OPENED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SEALED = OPENED + timedelta(days=5)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Maker:
    """Makes the parts of one case; its files stand in `folder`."""

    folder: Path
    case: Case

    def exhibit(
        self, label: str, data: bytes, title: str = "photo.jpg", *, path: Path | None = None
    ) -> ExhibitFile:
        return ExhibitFile(
            Exhibit(
                id=new_id(),
                case=self.case.id,
                label=label,
                kind=ExhibitKind.FILE,
                title=title,
                sha256=sha(data),
                size=len(data),
                media_type="application/octet-stream",
                source="found in the wheelhouse",
                received_at=OPENED,
                received_from="person:master of the vessel",
            ),
            path or data,
        )

    def event(self, exhibit: str, hours: float, act: str, by: str = "officer-1", **more: str):
        return CustodyEvent(
            id=new_id(),
            exhibit=exhibit,
            at=OPENED + timedelta(hours=hours),
            act=CustodyAct(act),
            by=by,
            place="Karachi",
            **{"from_holder": None, "to_holder": None, **more},
        )

    def chain(self, exhibit: str) -> list[CustodyEvent]:
        """A chain that holds, through store, laboratory and court."""
        e, one, two = exhibit, "officer:officer-1", "officer:officer-2"
        return [
            self.event(e, 0, "received", from_holder="person:master", to_holder=one),
            self.event(e, 1, "sealed", seal_number="S-100"),
            self.event(e, 2, "moved", from_holder=one, to_holder="store:main", seal_number="S-100"),
            self.event(e, 5, "moved", "officer-2", from_holder="store:main", to_holder=two),
            self.event(e, 6, "examined", "officer-2", seal_number="S-100"),
            self.event(e, 7, "sealed", "officer-2", seal_number="S-101"),
            self.event(e, 8, "released", "officer-2", from_holder=two, to_holder="court:Sindh"),
            self.event(
                e, 30, "returned", from_holder="court:Sindh", to_holder=one, seal_number="S-101"
            ),
        ]

    def finding(self, *pointers: tuple[str, int]) -> Finding:
        return Finding.make(
            kind="picture.gap",
            subjects=["mmsi:463012345"],
            start=OPENED,
            end=OPENED + timedelta(hours=3),
            confidence=0.8,
            reasons=[Reason("silence", 180.0, "min", 60.0, "silent for three hours")],
            records=[RecordRef(*pointer) for pointer in pointers],
            detector="gap",
            version="1",
        )

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def contents(self) -> Contents:
        """Every kind of thing that a bundle can carry."""
        photo = self.exhibit("E-1", b"\xff\xd8" + bytes(range(256)) * 8, "wheel house.jpg")
        note = self.exhibit("E-2", "بیان: the statement\n".encode(), "بیان ۱.txt")
        csv = b'at,note\r\n2026-01-01,"two\r\nlines"\r\n2026-01-02,"a ""b"""\r\n'
        packed = gzip.compress(b"line 1\nline 2\nline 3", mtime=0)
        calls = b"row one\nrow two\nrow three\n"
        hidden = sha(b"another agency's")
        return Contents(
            case=self.case,
            exhibits=[photo, note],
            custody=[*self.chain(photo.exhibit.id), *self.chain(note.exhibit.id)],
            findings=[
                self.finding((sha(csv), 1), (sha(csv), 2), (sha(packed), 3)),
                self.finding((sha(calls), 2), (hidden, 77)),
            ],
            links=[CaseLink(self.case.id, LinkKind.ALERT, new_id(), OPENED, "officer-1")],
            records=[
                WholeRecord(sha(csv), "fixes.csv", RowUnit.CSV_ROW, self.file("f.csv", csv)),
                WholeRecord(sha(packed), "ais.nmea.gz", RowUnit.LINE, self.file("a.gz", packed)),
                ExtractedRecord(
                    sha(calls),
                    "calls.csv",
                    RowUnit.LINE,
                    self.file("c.csv", calls),
                    (Piece(2, 8, 8),),
                ),
                WithheldRecord(hidden, "It belongs to another agency, which has not released it."),
            ],
            ledger_files={"checkpoint": b"log\n1\nroot\n", "tile/0/000": self.file("t", b"leaf")},
            authorities=[
                Authority(
                    id=new_id(),
                    agency="pk-mcg",
                    mark=Mark.AMBER,
                    kind=AuthorityKind.WARRANT,
                    reference="W-12/2026",
                    issuer="High Court",
                    legal_basis="Investigation for Fair Trial Act 2013, s. 11",
                    document_sha256=sha(b"warrant"),
                    scope=Scope(frozenset({"calls"}), frozenset({"mmsi:463012345"})),
                    valid_from=OPENED,
                    valid_until=OPENED + timedelta(days=60),
                    recorded_by="officer-1",
                    recorded_at=OPENED,
                )
            ],
        )


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    folder = tmp_path / "sources"
    folder.mkdir()
    return Maker(folder, a_case())


@pytest.fixture
def signer() -> Signer:
    return Signer(
        "mcg.example/ledger", Ed25519PrivateKey.from_private_bytes(b"k" * 32), "officer-9", "pk-mcg"
    )


@pytest.fixture
def sealed_at() -> datetime:
    return SEALED


@pytest.fixture(scope="session")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One bundle for all tests that copy it before they touch it; its folder and public key."""
    from cordon.cases.bundle import seal

    folder = tmp_path_factory.mktemp("once")
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    signer = Signer("mcg.example/ledger", key, "officer-9", "pk-mcg")
    (folder / "sources").mkdir()
    bundle = seal(Maker(folder / "sources", a_case()).contents(), folder / "bundle", signer, SEALED)
    return bundle.folder, bundle.public_key


def a_case() -> Case:
    return Case(
        id=new_id(),
        agency="pk-mcg",
        mark=Mark.AMBER,
        number="C-2026-0001",
        title="Fuel carried by night off Gwadar",
        state=CaseState.OPEN,
        opened_at=OPENED,
        unit="west",
        lead_officer="officer-1",
        seriousness="serious",
    )
