"""The words of the room `calls`: a call, what became of a file's rows, and why one was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cordon.kernel.errors import BadInput


class CallKind(StrEnum):
    """What a record is of."""

    VOICE = "voice"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class Call:
    """One call or message as a switch saw it.

    Attributes:
        start: aware UTC. duration_s: seconds, or None where the record gives none.
        caller, callee: E.164 (`+92…`); a short code or an alphanumeric sender as it stood.
        *_imsi, *_imei, *_cell: of either end, or None. trunk_in, trunk_out: or None.
        sha256, row: where the record stands (SHA-256 of its file, row from 1).
    """

    start: datetime
    kind: CallKind
    caller: str
    callee: str
    duration_s: float | None = None
    caller_imsi: str | None = None
    caller_imei: str | None = None
    caller_cell: str | None = None
    callee_imsi: str | None = None
    callee_imei: str | None = None
    callee_cell: str | None = None
    trunk_in: str | None = None
    trunk_out: str | None = None
    sha256: str = ""
    row: int = 0

    @property
    def key(self) -> tuple[datetime, str, str, float | None, CallKind]:
        """What makes two records the same call."""
        return (self.start, self.caller, self.callee, self.duration_s, self.kind)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows: read = kept + repeated + refused."""

    read: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.kept + other.kept,
            self.repeated + other.repeated,
            self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken.

    Attributes:
        row: from 1, the header not counted, empty lines counted.
        reason: one phrase that names the column and never the value, which may be personal.
    """

    row: int
    reason: str


class SubscriberKind(StrEnum):
    """What a number's holder is, in the `subscribers` format."""

    PERSON = "person"
    BUSINESS = "business"
    REGISTERED_CALL_CENTRE = "registered_call_centre"
    GOVERNMENT = "government"
    EMERGENCY = "emergency"


EXEMPT = frozenset(
    {SubscriberKind.REGISTERED_CALL_CENTRE, SubscriberKind.GOVERNMENT, SubscriberKind.EMERGENCY}
)
"""Holders whose trade is to call many people; findings leave them out, and say so."""


def rows_of(count: int) -> str:
    """How many rows, in words that agree with the number: `1 row`, `1,234 rows`."""
    return f"{count:,} row{'s' * (count != 1)}"


def none_read(name: str, rows: int, reasons: Counter[str]) -> str:
    """A sentence on a file of which every row was refused."""
    reason, times = reasons.most_common(1)[0]
    if rows == 1:
        return f"The only row of {name} cannot be read: {reason}."
    each = "each" if times == rows else f"{times:,}"
    return f"None of the {rows:,} rows of {name} can be read: in {each} of them {reason}."


class NothingRead(BadInput):
    """A search's file of which no row can be read.

    Attributes:
        refused: file's name and row, of this file and of those before it.
    """

    def __init__(
        self, message: str, refused: Sequence[tuple[str, Refusal]], *, advice: str = ""
    ) -> None:
        super().__init__(message, advice=advice)
        self.refused = tuple(refused)
