"""The words of the money room, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Channel(StrEnum):
    """How a payment went."""

    TRANSFER = "transfer"
    WALLET = "wallet"
    CARD = "card"
    CASH_IN = "cash_in"
    CASH_OUT = "cash_out"
    HAWALA = "hawala"
    CRYPTO = "crypto"
    FOREIGN = "foreign"
    REFUND = "refund"  # given back, as the institution says: a refund, a reversal, a return
    REFUND_NOTED = "refund_noted"  # a word in the purpose says so, which anybody can write


CHANNELS = tuple(c.value for c in Channel)
"""The order is the code in columns, so only append."""

EXITS = frozenset({Channel.CARD, Channel.CASH_OUT, Channel.HAWALA, Channel.CRYPTO, Channel.FOREIGN})
"""By these money leaves the accounts that anybody here could freeze: who is paid by card is a
shop, and what was drawn, exchanged or sent abroad is no balance any more."""


ENTRIES = frozenset({Channel.CASH_IN, Channel.HAWALA, Channel.CRYPTO, Channel.FOREIGN})
"""By these money enters the accounts that are seen: before them there is none to follow."""


class Method(StrEnum):
    """How money that was mixed is told apart; none of them is the truth, a court chooses.

    FIFO: what came in first goes out first (Clayton's case, 1816). HAIRCUT: each payment out
    takes the same share of what is tainted (pari passu). POISON: what touches tainted money is
    all tainted.
    """

    FIFO = "fifo"
    HAIRCUT = "haircut"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"
