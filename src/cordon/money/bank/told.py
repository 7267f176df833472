"""What the readers of banks' messages share: a payment as text, and what was not told."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation

from cordon.calls import PAYMENTS, Form
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput

COLUMNS = (
    "payment_id", "at", "from_account", "to_account", "amount", "currency", "channel",
    "from_bank", "to_bank", "note", "precision", "told_by", "refs",
)  # fmt: skip
BETWEEN_REFS = "\n"
FORM: Form = replace(
    PAYMENTS,
    columns=(
        *PAYMENTS.columns,
        replace(
            PAYMENTS.columns[0],
            name="refs",
            required=False,
            says="References that it carries; of one that is given back, those of the payment "
            "that it gives back.",
        ),
    ),
)
"""The format `payments` with what banks' messages tell beside it."""
MOST_NOTE = 500  # characters kept of what was written with a payment
# what stands where a reference should, and names nothing (SWIFT's NONREF, ISO 20022's NOTPROVIDED)
_NONE = re.compile(
    r"(?:NOT ?PROVIDED|NOT ?AVAILABLE|NON?E?REF(?:ERENCE)?|NONE|NIL|NULL|UNKNOWN|N/?A|[\W0_]*)",
    re.I,
)
# German field 86 keys: in field 61 they say that the reference stands there
_KEY = re.compile(r"^[A-Z]{4}\+")
IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b")


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as a bank tells it, or why it cannot be taken.

    Attributes:
        line: where it stands in the file, from 1. values: as COLUMNS, None where not told.
        refused: why it is not taken, or empty.
    """

    line: int
    values: tuple[str | None, ...] = ()
    refused: str = ""


class Clock:
    """Moments of messages, of which some name no zone and some no hour.

    Args:
        zone: of the bank, where a moment names none.

    Attributes:
        notes: phrases, and of how many payments each is true.
        openings: balances (moment, account, amount, currency) at which statements begin, where
            they are above nothing.
        breaks: sentences on statements whose entries do not lead from their opening balance to
            their closing one.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.notes: Counter[str] = Counter()
        self.openings: list[tuple[datetime, str, Decimal, str]] = []
        self.breaks: list[str] = []

    def opens(self, day: str, account: str, amount: str, currency: str) -> None:
        """A statement begins with so much; what is no day or amount is passed over, and said."""
        try:
            at = datetime.fromisoformat(day)
            units = Decimal(amount)
        except (ValueError, InvalidOperation):
            self.notes["an opening balance is none; it was passed over"] += 1
            return
        if account and currency and units.is_finite() and 0 < units < 10**18:
            at = at if at.tzinfo is not None else at.replace(tzinfo=self._zone)
            self.openings.append((at, account, units, currency))

    def closes(self, line: int, opening: Decimal, moved: Decimal, closing: Decimal) -> None:
        """A statement ends with so much; that is said where its entries come to something else."""
        if opening + moved != closing:
            self.breaks.append(
                f"Line {line:,}: the closing balance is {closing:f}, and by the opening balance "
                f"and the entries it should be {opening + moved:f}: an entry is missing, or one "
                "was changed."
            )

    @staticmethod
    def precision(text: str) -> str:
        """`day` where a moment of a message is a day alone, else `time`."""
        return "day" if len(text) <= 10 else "time"

    def moment(self, text: str) -> str:
        """RFC 3339 in UTC, or the text itself where it is no moment: the checks refuse it then."""
        try:
            if len(text) <= 10:
                day = date.fromisoformat(text[:10])
                self.notes["a day and no hour is told; its first moment was taken"] += 1
                return format_time(datetime.combine(day, time(), self._zone))
            found = datetime.fromisoformat(text)
        except (ValueError, BadInput):
            return text
        if found.tzinfo is None:
            self.notes["no zone is told; the country's own was taken"] += 1
            found = found.replace(tzinfo=self._zone)
        return format_time(found)


def reference(*texts: str) -> str:
    """The first of these that is a reference at all; empty where none is."""
    for text in texts:
        bare = _KEY.sub("", text.strip()).strip()
        if bare and _NONE.fullmatch(bare) is None:
            return bare
    return ""


def references(*texts: str) -> str | None:
    """All of these that are references, as they are compared; None where there is none."""
    found = {" ".join(one.upper().split()) for text in texts if (one := reference(text))}
    return BETWEEN_REFS.join(sorted(found)) or None


def short(text: str) -> str | None:
    """A note of bounded length in one line, or None."""
    return " ".join(text.split())[:MOST_NOTE] or None
