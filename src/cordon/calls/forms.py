"""The plain formats as data: what columns each has, what they hold, and within what bounds.

Source: `design/formats.md`. A form says what a file must hold; `plain` reads by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from cordon.calls.casting import AMOUNT, TIME

Holds = Literal[
    "text", "number", "time", "day", "float", "decimal", "int", "ip", "choice",
    "imsi", "imei", "cell", "currency", "account",
]  # fmt: skip
"""What a column holds. `number`: a subscriber's number, E.164; `time`: RFC 3339; `day`: the same
or a date alone; `decimal`: an exact amount; `choice`: one of some words; `currency`: the code of
one; `account`: as a bank writes it; `imsi`, `imei`, `cell`:
as in the format `calls`."""

_TYPES = {
    "time": TIME, "day": TIME, "float": pa.float64(), "decimal": AMOUNT, "int": pa.int64(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a form.

    Attributes:
        name: as the header has it. holds: see `Holds`. says: what it means, with its unit.
        required: a file must have it, and each row a value.
        least, most: bounds, both taken; above: a lower bound that is not taken itself.
        choices: its words, for `choice`.
        lenient: a value that is none leaves the field empty, and is counted among the notes;
            it does not cost the row. For what people fill in by hand.
    """

    name: str
    holds: Holds
    says: str
    required: bool = False
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    lenient: bool = False

    @property
    def type(self) -> pa.DataType:
        """Arrow type of the column once it is read."""
        return _TYPES.get(self.holds, pa.string())


@dataclass(frozen=True, slots=True)
class Form:
    """A plain format.

    Attributes:
        name: as commands and errors call it. columns: in the format's order.
        unique: the column that names a row; a row that names one again is repeated.
        alike: columns that must agree as well before it is, of a time its day (UTC): for what
            senders number each for themselves.
        span: columns of which the second must not lie before the first.
    """

    name: str
    columns: tuple[Column, ...]
    unique: str | None = None
    alike: tuple[str, ...] = ()
    span: tuple[str, str] | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that a file must have."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def schema(self) -> pa.Schema:
        """Of what is read by it: the number of the row in its file, then the form's columns."""
        return pa.schema([("row", pa.int64()), *((c.name, c.type) for c in self.columns)])

    @property
    def expected(self) -> str:
        """A sentence that says what a file must be, for the advice of errors."""
        return (
            f"A CSV or Parquet file with the columns {', '.join(self.required)} is expected "
            f"(the format “{self.name}”)."
        )


CELLS = Form(
    "cells",
    (
        Column("cell", "cell", "Identity of the cell, as calls name it.", required=True),
        Column("lat", "float", "Latitude, WGS 84 (°).", required=True, least=-90, most=90),
        Column("lon", "float", "Longitude, WGS 84 (°).", required=True, least=-180, most=180),
        Column("azimuth_deg", "float", "Where it points, from north (°).", least=0, most=360),
        Column("beamwidth_deg", "float", "Width of its beam (°).", above=0, most=360),
        Column("range_m", "float", "How far it reaches (m).", above=0, most=200_000),
    ),
    unique="cell",
)
COMPLAINTS = Form(
    "complaints",
    (
        Column("complaint_id", "text", "Names the report.", required=True),
        Column("received", "day", "When it was made.", required=True),
        Column("occurred", "day", "When it happened.", lenient=True),
        Column("victim_number", "number", "Number of who reports.", lenient=True),
        Column("suspect_number", "number", "Number that called or wrote.", lenient=True),
        Column("suspect_account", "text", "Account that was paid."),
        Column("suspect_handle", "text", "Name in a messenger."),
        Column("suspect_wallet", "text", "Address of a coin's wallet."),
        Column("suspect_url", "text", "Page that was shown."),
        Column("loss_amount", "decimal", "What was lost.", least=0, lenient=True),
        Column("currency", "currency", "ISO 4217 code, or a coin's.", lenient=True),
        Column("narrative", "text", "What the victim tells."),
    ),
    unique="complaint_id",
)
PAYMENTS = Form(
    "payments",
    (
        Column("payment_id", "text", "Names the payment.", required=True),
        Column("at", "time", "When it was booked.", required=True),
        Column("from_account", "account", "Who paid.", required=True),
        Column("to_account", "account", "Who was paid.", required=True),
        Column("amount", "decimal", "How much.", required=True, least=0, most=1e15),
        Column("currency", "currency", "ISO 4217 code, or a coin's.", required=True),
        Column(
            "channel", "choice", "How it went.",
            choices=("transfer", "wallet", "card", "cash_in", "cash_out", "hawala", "crypto",
                     "foreign", "refund"),
        ),
        Column("from_bank", "text", "Bank of who paid."),
        Column("to_bank", "text", "Bank of who was paid."),
        Column("note", "text", "What was written with it."),
        Column(
            "precision", "choice", "What `at` tells: a time, or a day, whose first moment it is.",
            choices=("time", "day"), lenient=True,
        ),
        Column(
            "told_by", "choice", "Whose statement tells it: of who paid, or of who was paid.",
            choices=("from", "to"), lenient=True,
        ),
    ),
    unique="payment_id",
    # two banks number their payments 1, 2, 3 each: one id alone makes no payment another's repeat
    alike=("from_account", "to_account", "amount", "currency", "at"),
)  # fmt: skip
ACCOUNTS = Form(
    "accounts",
    (
        Column("account", "account", "Names the account.", required=True),
        Column("bank", "text", "Who keeps it."),
        Column("holder_name", "text", "Whose it is."),
        Column("holder_id", "text", "Identity document of the holder."),
        Column("phone", "number", "Number that it is bound to.", lenient=True),
        Column("opened", "day", "Since when.", lenient=True),
        Column("kind", "choice", "What it is.", choices=("bank", "wallet", "agent", "exchange")),
    ),
    unique="account",
)
SESSIONS = Form(
    "sessions",
    (
        Column("start", "time", "When it began.", required=True),
        Column("end", "time", "When it ended.", required=True),
        Column("number", "number", "Subscriber.", required=True),
        Column("imsi", "imsi", "SIM."),
        Column("imei", "imei", "Handset."),
        Column("cell", "cell", "Cell that served it."),
        Column("public_ip", "ip", "Address that the outside saw."),
        Column("public_port", "int", "Port that the outside saw.", least=0, most=65535),
        Column("remote_ip", "ip", "Address that was reached.", required=True),
        Column("remote_port", "int", "Port that was reached.", least=0, most=65535),
        Column("protocol", "text", "As the operator names it."),
        Column("bytes_up", "int", "Sent by the subscriber (bytes).", least=0),
        Column("bytes_down", "int", "Sent to the subscriber (bytes).", least=0),
    ),
    span=("start", "end"),
)
FORMS = (CELLS, COMPLAINTS, PAYMENTS, ACCOUNTS, SESSIONS)

_OTHERS = {
    "calls": ("start", "kind", "caller", "callee"),
    "positions": ("at", "source", "subject", "lat", "lon"),
    "subscribers": ("number", "holder_name"),
}


def format_of(names: Sequence[str]) -> str | None:
    """The plain format that has these columns; None where it is none of them."""
    have = set(names)
    needed = {form.name: form.required for form in FORMS} | _OTHERS
    fits = [name for name, columns in needed.items() if have.issuperset(columns)]
    return max(fits, key=lambda name: len(needed[name]), default=None)
