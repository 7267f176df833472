"""Numbers, SIM cards and handsets: each an index, its digits made from it at the end."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.exercise.worlds.calling.columns import Columns
from cordon.exercise.worlds.calling.drawing import Data, Ints, Longs, Rng

ABROAD, FIXED, SENDER = -1, -2, -3
"""Networks that have no cells here: another country, landlines, and senders of messages."""
KINDS = ("person", "business", "registered_call_centre", "government", "emergency")
UNLISTED = -1  # a kind: the register does not have the number
_SERIALS = 1_000_000  # of one type of device (TAC)


class Serials:
    """Whole numbers from 0, none of them twice: scattered, or in runs as in a pack of SIM cards.

    Args:
        room: numbers there are at first, a multiple of 10; there are as many again when half of
            them are gone. kept: share that is given out of each ten, so that some stay unused.
    """

    def __init__(self, rng: Rng, room: int, kept: float = 0.7) -> None:
        self._rng, self._room, self._kept = rng, room, kept
        self._above = 0
        self._left = np.empty(0, np.int64)
        self._renew()

    def _renew(self) -> None:
        self._tens = self._rng.permutation(self._room // 10) * 10 + self._above
        self._above += self._room
        self._front, self._back = 0, len(self._tens)

    def scattered(self, n: int) -> Longs:
        """`n` numbers in no order."""
        while len(self._left) < n:
            tens = self._take(min(max(n // 7 + 1, 50), max(1, self._room // 40)))
            flat = (tens[:, None] + np.arange(10)).ravel()
            flat = flat[self._rng.random(len(flat)) < self._kept]
            self._left = self._rng.permutation(np.concatenate([self._left, flat]))
        given, self._left = self._left[:n], self._left[n:]
        return given

    def runs(self, n: int) -> Longs:
        """`n` numbers in runs of ten that follow one another."""
        tens = np.sort(self._take(-(-n // 10)))
        return (tens[:, None] + np.arange(10)).ravel()[:n]

    def _take(self, count: int) -> Longs:
        parts = []
        while count > 0:
            if self._front >= self._back:
                self._renew()
            some = self._tens[self._front : min(self._back, self._front + count)]
            self._front += len(some)
            count -= len(some)
            parts.append(some)
        return np.concatenate(parts)


class Lines(Columns):
    """Every number and SIM card.

    Attributes:
        number: digits without the +, or −1 where `texts` has it. imsi: digits or −1.
        net: index of the network, or ABROAD, FIXED, SENDER. kind: index in `KINDS` or UNLISTED.
        activated: days from the first day (mostly negative). holder: person, or −1.
        owner: 0 for nobody's, else 1 + index of the centre or box that uses it.
    """

    FIELDS = {
        "number": (np.int64, -1),
        "imsi": (np.int64, -1),
        "net": (np.int8, 0),
        "kind": (np.int8, UNLISTED),
        "activated": (np.int32, 0),
        "holder": (np.int32, -1),
        "owner": (np.int16, 0),
    }
    number: Longs
    imsi: Longs
    net: NDArray[np.int8]
    kind: NDArray[np.int8]
    activated: Ints
    holder: Ints
    owner: NDArray[np.int16]

    def __init__(self, networks: list[Data], foreign: list[Data], room: int, rng: Rng) -> None:
        super().__init__()
        self.networks, self._foreign = networks, foreign
        weight = np.array([float(c["share"]) for c in foreign])
        self._abroad = weight / weight.sum()
        self._rng = rng
        own, cards, other = rng.spawn(3)
        size = max(2000, -(-int(room * 2.2) // len(networks) // 10) * 10)
        self._numbers = [Serials(r, size) for r in own.spawn(len(networks))]
        self._cards = [Serials(r, 10_000_000, 1.0) for r in cards.spawn(len(networks))]
        self._others = [Serials(r, 900_000, 0.9) for r in other.spawn(len(foreign) + 1)]
        self.texts: dict[int, str] = {}

    def sims(self, net: Ints, *, kind: int, runs: bool = False, new: bool = False) -> Ints:
        """SIM cards with a number each, on these networks.

        Args:
            runs: numbers that follow one another, as a trade buys them. new: activated lately.
        """
        number, imsi = np.empty(len(net), np.int64), np.empty(len(net), np.int64)
        for k, network in enumerate(self.networks):
            of = np.flatnonzero(net == k)
            if not len(of):
                continue
            take = self._numbers[k].runs if runs else self._numbers[k].scattered
            card = self._cards[k].runs if runs else self._cards[k].scattered
            serial = take(len(of))
            blocks = np.array([int(b) for b in network["blocks"]])
            # a full block of ten million is followed by the network's next one
            number[of] = blocks[serial // 10_000_000 % len(blocks)] * 10**7 + serial % 10**7
            imsi[of] = int(f"410{network['mnc']}") * 10**10 + 10**9 + card(len(of))
        age = self._rng.gamma(1.0, 30.0 if new else 900.0, len(net)) + (1 if new else 5)
        return self.add(
            len(net), number=number, imsi=imsi, net=net, kind=kind, activated=-age.astype(np.int32)
        )

    def dead(self, n: int) -> Ints:
        """Numbers of the networks' blocks that nobody has."""
        net = self._rng.integers(0, len(self.networks), n).astype(np.int32)
        made = self.sims(net, kind=UNLISTED)
        self.imsi[made] = -1
        return made

    def abroad(self, n: int) -> Ints:
        """Numbers of other countries, in blocks that nobody has there."""
        return self._from(self._rng.choice(len(self._foreign), n, p=self._abroad))

    def _from(self, country: Ints) -> Ints:
        n = len(country)
        number = np.empty(n, np.int64)
        for c, plan in enumerate(self._foreign):
            of = np.flatnonzero(country == c)
            room = 10 ** int(plan["digits"])
            # 7919 is prime to ten: another serial, another number
            number[of] = (
                int(plan["prefix"]) * room + self._others[c].scattered(len(of)) * 7919 % room
            )
        return self.add(n, number=number, net=ABROAD)

    def visiting(self, net: Ints) -> Ints:
        """SIM cards of other countries that are used on a network here."""
        country = self._rng.choice(len(self._foreign), len(net), p=self._abroad)
        made = self._from(country)
        self.net[made] = net
        home = np.array([int(c["mcc"]) for c in self._foreign])[country] * 100 + 99
        self.imsi[made] = home * 10**10 + self._rng.integers(10**9, 10**10, len(net))
        return made

    def fixed(self, n: int, kind: int) -> Ints:
        """Landlines (and the universal numbers of companies): no SIM and no cell."""
        # no local number begins with 1
        number = 922_110_000_000 + self._others[-1].scattered(n)
        return self.add(n, number=number, net=FIXED, kind=kind, activated=-2000)

    def named(self, text: str, kind: int) -> int:
        """A short code or an alphanumeric sender."""
        one = int(self.add(1, net=SENDER, kind=kind)[0])
        self.texts[one] = text
        return one

    def number_strings(self) -> pa.Array:
        """Numbers in E.164, codes and senders as they are."""
        plain = pc.binary_join_element_wise("+", pa.array(self.number).cast(pa.string()), "")
        if not self.texts:
            return plain
        mask = np.zeros(len(self), bool)
        at = sorted(self.texts)
        mask[at] = True
        return pc.replace_with_mask(
            plain, pa.array(mask), pa.array([self.texts[i] for i in at], pa.string())
        )

    def imsi_strings(self) -> pa.Array:
        """IMSIs (15 digits), null where there is none."""
        digits = pa.array(self.imsi, mask=self.imsi < 0)
        return digits.cast(pa.string())


class Handsets(Columns):
    """Every handset, a radio each: a phone for two SIM cards counts for two of them.

    Attributes:
        digits: the first 14 of each IMEI.
    """

    FIELDS = {"digits": (np.int64, 0)}
    digits: Longs

    def __init__(self, first_type: int, types: int, rng: Rng) -> None:
        super().__init__()
        self._first = first_type
        weight = 1.0 / np.arange(1, types + 1) ** 0.9
        self._weight = weight / weight.sum()
        self._rng = rng
        self._serials = [Serials(r, _SERIALS // 2, 1.0) for r in rng.spawn(types)]

    def make(self, n: int, kind: int | None = None) -> Ints:
        """`n` handsets of popular types, or all of one type."""
        return self.add(n, digits=self._serial(n, kind) * 2)

    def pairs(self, n: int) -> tuple[Ints, Ints]:
        """The two radios of `n` phones for two SIM cards: their IMEIs follow one another."""
        one = self._serial(n, None) * 2
        return self.add(n, digits=one), self.add(n, digits=one + 1)

    def _serial(self, n: int, kind: int | None) -> Longs:
        if kind is None:
            types = self._rng.choice(len(self._weight), n, p=self._weight)
        else:
            types = np.full(n, kind % len(self._weight))
        made = np.empty(n, np.int64)
        for k in np.unique(types):
            of = np.flatnonzero(types == k)
            serial = self._serials[k].scattered(len(of)) % (_SERIALS // 2)
            made[of] = (self._first + int(k)) * (_SERIALS // 2) + serial
        return made

    def imei_strings(self) -> pa.Array:
        """IMEIs of 15 digits, the last a check digit (TS 23.003, annex B)."""
        total = np.zeros(len(self.digits), np.int64)
        left = self.digits.copy()
        for place in range(14):
            digit = left % 10
            doubled = digit * 2 if place % 2 == 0 else digit
            total += doubled - 9 * (doubled > 9)
            left //= 10
        return pa.array(self.digits * 10 + -total % 10).cast(pa.string())
