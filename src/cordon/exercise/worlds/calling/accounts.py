"""Accounts at banks and wallets: of people, shops, agents, exchanges, and of mules."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.columns import Columns
from cordon.exercise.worlds.calling.drawing import DAY, Data, Ints, Longs, Rng
from cordon.exercise.worlds.calling.lines import Lines, Serials
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.register import holders
from cordon.exercise.worlds.calling.tables import times, write_csv

KINDS = ("bank", "wallet", "agent", "exchange")
ABROAD = len(KINDS)
"""Kind of an account at a bank abroad, which no file of accounts here tells."""
_ABROAD_CODE, _ABROAD_BANK = "AE00ABRX", "Example Bank Abroad"


class Accounts(Columns):
    """Every account, as columns by index.

    Attributes:
        number: of its bank or wallet. bank: index in the YAML's `banks`. kind: index in KINDS.
        holder: person, or −1. line: phone it is registered with, or −1. opened: days.
        of_person: the account of each person, −1 for none.
    """

    FIELDS = {
        "number": (np.int64, 0),
        "bank": (np.int8, 0),
        "kind": (np.int8, 0),
        "holder": (np.int32, -1),
        "line": (np.int32, -1),
        "opened": (np.int32, 0),
    }
    number: Longs
    bank: NDArray[np.int8]
    kind: NDArray[np.int8]
    holder: Ints
    line: Ints
    opened: Ints

    def __init__(
        self, data: Data, people: People, lines: Lines, centres: list[Centre], rng: Rng
    ) -> None:
        super().__init__()
        self.data, self.lines = data, lines
        self._serials = Serials(rng, 4_000_000)
        self._rng = rng
        n = people.persons
        has = np.flatnonzero(rng.random(n) < data["have_account"])
        self.of_person = np.full(n, -1, np.int32)
        old = -rng.gamma(1.3, 900.0, len(has)).astype(np.int32) - 3
        kind = (rng.random(len(has)) < data["wallets"]).astype(np.int8)
        self.of_person[has] = self._add(kind, has, people.line[has], old)
        self.persons = self.of_person[has]
        some = max(12, n // 60)
        self.shops = self._add(np.zeros(some, np.int8), None, None, self._old(some))
        some = max(8, n // 250)
        self.agents = self._add(np.full(some, 2, np.int8), None, None, self._old(some))
        self.exchanges = self._add(np.full(4, 3, np.int8), None, None, self._old(4))
        for centre in centres:
            self._mules(centre, centres, people)

    def _old(self, n: int) -> Ints:
        return (-self._rng.gamma(1.5, 700.0, n) - 5).astype(np.int32)

    def _mules(self, centre: Centre, centres: list[Centre], people: People) -> None:
        """Accounts bought from people, opened for the purpose, or kept from an earlier place."""
        own, rng = centre.own, self._rng
        n = max(2, round(own["mules"] * max(0.4, centre.seats / 30.0)))
        kept = np.empty(0, np.int32)
        if centre.earlier is not None:
            before = centres[centre.earlier].mules
            kept = before[rng.random(len(before)) < own["mules_kept"]]
        n = max(1, n - len(kept))
        rented = rng.random(n) < own["mules_rented"]
        bought = rng.choice(self.persons, int(rented.sum()))
        fresh = n - len(bought)
        line = rng.integers(0, people.persons, fresh)
        line = people.line[line]
        ours = rng.random(fresh) < own["mules_on_cards"]
        line[ours] = rng.choice(centre.cards, int(ours.sum()))
        kind = (rng.random(fresh) < 0.6).astype(np.int8)
        opened = (centre.begin / DAY - rng.gamma(1.0, 20.0, fresh)).astype(np.int32)
        made = self._add(kind, None, line.astype(np.int32), opened)
        centre.mules = np.concatenate([kept, bought, made]).astype(np.int32)

    def _add(self, kind: Ints, holder: Ints | None, line: Ints | None, opened: Ints) -> Ints:
        n = len(kind)
        return self.add(
            n,
            number=self._serials.scattered(n),
            bank=self._rng.integers(0, 5, n),
            kind=kind,
            holder=-1 if holder is None else holder,
            line=-1 if line is None else line,
            opened=opened,
        )

    def opened_for(self, kind: NDArray[np.int8], opened: Ints) -> Ints:
        """Accounts for a purpose, with no phone that is known: by kind and day of opening."""
        return self._add(kind, None, None, opened)

    def _at(self) -> Longs:
        """Where each one's bank, wallet or exchange stands among the names."""
        at = np.where(self.kind == 1, 5 + self.bank % 2, np.where(self.kind == 3, 7, self.bank))
        return np.asarray(np.where(self.kind == ABROAD, 8, at), np.int64)

    def banks(self) -> pa.Array:
        """Name of each one's bank, wallet or exchange."""
        names = self.data["banks"] + self.data["wallet_names"] + self.data["exchange_names"]
        return pa.array([*names, _ABROAD_BANK]).take(pa.array(self._at()))

    def names(self) -> pa.Array:
        """Numbers of accounts; the country code and check digits are of nobody's account."""
        codes = pa.array([*(f"PK00{n[:4].upper()}" for n in self.data["codes"]), _ABROAD_CODE])
        digits = pa.array(10**15 + self.number).cast(pa.string())
        return pc.binary_join_element_wise(codes.take(pa.array(self._at())), digits, "")

    def write(self, path: Path, midnight: datetime, names: Data, rng: Rng) -> int:
        """Write `accounts.csv`; return its rows."""
        holder, identity = holders(names, self.holder, rng)
        opened = times(midnight, np.minimum(self.opened, 0).astype(float) * DAY)
        has_phone = self.line < 0
        table = pa.table(
            {
                "account": self.names(),
                "bank": self.banks(),
                "holder_name": holder,
                "holder_id": identity,
                "phone": self.lines.number_strings().take(pa.array(self.line, mask=has_phone)),
                "opened": pc.utf8_slice_codeunits(opened, 0, 10),
                "kind": pa.array([*KINDS, ""]).take(pa.array(self.kind)),
            }
        ).filter(pa.array(self.kind != ABROAD))
        write_csv(path, table.sort_by("account"))
        return len(table)
