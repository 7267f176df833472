"""Words of the room: a case, its exhibits, what happened to them, and what it is linked to.

Why a case may be closed stands with the kernel's other leads (`kernel/leads/reasons.yaml`,
under `case`), because nobody may bury a case any more than an alert.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cordon.kernel.access.model import Mark
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput

_NUMBER = re.compile(r"C-[0-9]{4}-[0-9]{4,}")
_LABEL = re.compile(r"[A-Z]{1,3}-[1-9][0-9]{0,5}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HOLDER = re.compile(r"([a-z]+):(\S(?:.*\S)?)")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;.*)?", re.ASCII)


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    CLOSED = "closed"


class ExhibitKind(StrEnum):
    """What an exhibit is."""

    FILE = "file"
    FINDING = "finding"
    RECORD_EXTRACT = "record_extract"
    STATEMENT = "statement"
    PHOTO = "photo"


class CustodyAct(StrEnum):
    """What can happen to an exhibit, as a chain-of-custody form names it (ISO/IEC 27037:2012)."""

    RECEIVED = "received"  # it enters the case; the first entry of every chain
    EXAMINED = "examined"
    COPIED = "copied"
    MOVED = "moved"  # to another holder or place within the agency
    SEALED = "sealed"  # closed under a numbered seal
    RELEASED = "released"  # handed outside the agency: court, laboratory, another agency
    RETURNED = "returned"  # back from outside, or to its owner
    DISPOSED = "disposed"  # destroyed or given up for good; nothing comes after


class HolderKind(StrEnum):
    """Who can hold an exhibit. A holder is written `kind:name`, like `officer:0199…`."""

    OFFICER = "officer"
    STORE = "store"
    LABORATORY = "laboratory"
    AGENCY = "agency"
    COURT = "court"
    PERSON = "person"


class LinkKind(StrEnum):
    """What a case can be linked to."""

    FINDING = "finding"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Case:
    """What gathers all that must stand in court about one matter.

    Attributes:
        id, agency, mark: UUIDv7, the agency's code, the handling mark (TLP).
        number: `C-2026-0001`, counted by the agency in the year.
        title: one line; it names no person.
        opened_at: aware UTC. unit: the unit that has it. lead_officer: officer's id.
        seriousness: one of `SERIOUSNESS`.
        closed_at, closed_reason: when and why (an id of the list under `case`), or None.
    """

    id: str
    agency: str
    mark: Mark
    number: str
    title: str
    state: CaseState
    opened_at: datetime
    unit: str
    lead_officer: str
    seriousness: str
    closed_at: datetime | None = None
    closed_reason: str | None = None

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise BadInput(
                f"“{self.number[:30]}” is no number of a case.", advice="Write it like C-2026-0001."
            )
        for name, value in (("agency", self.agency), ("title", self.title), ("unit", self.unit)):
            _check_line(f"The {name} of a case", value)
        if self.seriousness not in SERIOUSNESS:
            raise BadInput(
                f"“{self.seriousness[:30]}” is no seriousness.",
                advice="It is one of " + ", ".join(SERIOUSNESS) + ".",
            )
        as_utc(self.opened_at)
        if (self.state is CaseState.CLOSED) != (self.closed_at is not None):
            raise BadInput(
                "A case has a time of closing when it is closed, and none before.",
                advice="Give both or neither.",
            )


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A thing that is shown to a court, and of which every byte is known.

    Attributes:
        id, case: UUIDv7 of it and of its case.
        label: `E-3`, unique in the case.
        title: one line for the reader; it may be an original file name.
        sha256, size: of its bytes (hex; bytes).
        media_type: IANA media type. source: where it came from, in words.
        received_at: aware UTC. received_from: a holder, `kind:name`.
    """

    id: str
    case: str
    label: str
    kind: ExhibitKind
    title: str
    sha256: str
    size: int
    media_type: str
    source: str
    received_at: datetime
    received_from: str

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise BadInput(
                f"“{self.label[:30]}” is no label of an exhibit.", advice="Write it like E-3."
            )
        check_sha256(self.sha256)
        if self.size < 0:
            raise BadInput(f"Exhibit {self.label} has a size below zero.")
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise BadInput(
                f"Exhibit {self.label} has no media type.",
                advice="Write it like image/jpeg, or application/octet-stream when unknown.",
            )
        as_utc(self.received_at)
        check_holder(self.received_from)


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """One line of an exhibit's chain of custody, as it was written down.

    What cannot be true in a chain (a transfer from somebody who did not hold it) can stand in
    an event: it is what `custody.check` is there to name. Only what cannot be read is refused.

    Attributes:
        id, exhibit: UUIDv7 of it and of its exhibit.
        at: when it happened, aware UTC. by: id of the officer who did and wrote it.
        from_holder, to_holder: `kind:name`, or None where the act moves nothing.
        place: where, in words. seal_number: the seal put on or found on it, or None.
    """

    id: str
    exhibit: str
    at: datetime
    act: CustodyAct
    by: str
    from_holder: str | None = None
    to_holder: str | None = None
    place: str | None = None
    seal_number: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        as_utc(self.at)
        if not self.by:
            raise BadInput("An entry of custody names no officer.", advice="Say who did it.")
        for holder in (self.from_holder, self.to_holder):
            if holder is not None:
                check_holder(holder)


@dataclass(frozen=True, slots=True)
class CaseLink:
    """What brought a case about, or belongs to it: a finding or an alert.

    Attributes:
        case: id of the case. kind, target: what it is linked to, and its id.
        at: when it was linked, aware UTC. by: officer's id.
    """

    case: str
    kind: LinkKind
    target: str
    at: datetime
    by: str


def check_sha256(text: str) -> str:
    """The text, where it is a SHA-256 in lower-case hex; BadInput otherwise."""
    if not _SHA256.fullmatch(text):
        raise BadInput("That is no SHA-256.", advice="It is 64 digits of lower-case hex.")
    return text


def check_holder(text: str) -> str:
    """The text, where it is `kind:name` of a holder; BadInput otherwise."""
    match = _HOLDER.fullmatch(text)
    if match is None or match[1] not in list(HolderKind) or not text.isprintable():
        raise BadInput(
            "A holder of an exhibit is not written as one.",
            advice="Write kind:name, the kind being one of " + ", ".join(HolderKind) + ".",
        )
    return text


def _check_line(what: str, text: str) -> None:
    if not text.strip() or not text.isprintable():
        raise BadInput(f"{what} is not one line of text.", advice="Leave out line breaks and tabs.")
