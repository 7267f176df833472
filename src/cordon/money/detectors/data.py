"""What a detector over payments is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.money.accounts import written
from cordon.money.payments import Payments

Ints = NDArray[np.int64]


@dataclass
class MoneyData:
    """One set of payments, and what is known beside them.

    Attributes:
        accounts: table of the format `accounts`, or None. complaints: of `complaints`, or None.
        contacts: who was in touch with suspected numbers (`cordon.calls.CONTACTS`), or None where
            no calls were given.
        given: parameters set by the reader, over the cards' defaults.
        left_out: the detector adds a sentence for each thing that it could not use.
    """

    payments: Payments
    accounts: pa.Table | None = None
    complaints: pa.Table | None = None
    contacts: pa.Table | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Position of each account in the payments."""
        return {name: i for i, name in enumerate(self.payments.accounts)}

    def position(self, account: str | None) -> int:
        """Position of an account however it is written; -1 where no payment names it."""
        return -1 if account is None else self.at.get(written(account), self.at.get(account, -1))

    @cached_property
    def by_phone(self) -> Mapping[str, Ints]:
        """Accounts that are bound to each number."""
        found: dict[str, list[int]] = {}
        if self.accounts is not None:
            for account, phone in zip(
                self.accounts["account"].to_pylist(),
                self.accounts["phone"].to_pylist(),
                strict=True,
            ):
                at = self.position(account) if phone else -1
                if at >= 0:
                    found.setdefault(phone, []).append(at)
        return {phone: np.array(those, np.int64) for phone, those in found.items()}

    @cached_property
    def complained(self) -> Mapping[int, tuple[str, ...]]:
        """Complaints that name each account, by its position."""
        found: dict[int, list[str]] = {}
        if self.complaints is not None:
            for name, account in zip(
                self.complaints["complaint_id"].to_pylist(),
                self.complaints["suspect_account"].to_pylist(),
                strict=True,
            ):
                at = self.position(account)
                if at >= 0:
                    found.setdefault(at, []).append(name)
        return {at: tuple(sorted(set(names))) for at, names in found.items()}
