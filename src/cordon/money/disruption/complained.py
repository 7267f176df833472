"""Which payments a complaint is about: pure functions over complaints and payments.

A complaint names an account or a number, tells a day and a sum, and errs: a digit, the sum, the
day, the currency, or it comes twice. Three things can bear out that it is about a payment into an
account: the paying account is bound to the victim's number, the sum is the same, and the day is.
Two of the three are asked for. Where an account is named with another digit, or none is, the
payer must be among them. Where nothing fits, or several fit alike, the complaint stands alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.money.accounts import joined, written
from cordon.money.payments import Payments

NEAR_DAYS = 1  # between the day that is told and the day of payment: people tell by heart
BEFORE_DAYS = 60  # before the day that is told, in which a victim's payments are looked at
SOON_DAYS = 7  # before it was told, where nobody says when it happened
_LEAST_LENGTH = 8  # letters and digits of an account of which one may be wrong
_MOST_PAYMENTS = 256  # of one payer into one ring, the last ones before the complaint
_DAY_US = 86_400_000_000


class Why(StrEnum):
    """What ties a complaint to payments, differs between them, or leaves it alone."""

    PAYER = "payer"  # the paying account is bound to the victim's number
    SUM = "sum"  # the payment is of the sum that was told
    SUMS = "sums"  # several payments after one another come to it
    DAY = "day"
    OTHER_SUM = "other_sum"
    OTHER_DAY = "other_day"
    OTHER_CURRENCY = "other_currency"
    OTHER_PAYER = "other_payer"  # the paying account is bound to another number
    DIGIT = "digit"  # the account is written with one digit of it wrong
    BY_NUMBER = "by_number"  # it names a number of the ring and no account
    NONE = "none"  # no payment fits
    MANY = "many"  # several payments fit alike
    TAKEN = "taken"  # the payment that fits is another complaint's
    AGAIN = "again"  # another complaint told the same loss before


@dataclass(frozen=True, slots=True)
class Complaint:
    """One victim's report, as far as a loss goes.

    Attributes:
        received, occurred: days of local time since the epoch; occurred is None where untold.
        victim: their number (E.164). account, number: of the suspect, as told. amount: lost.
    """

    id: str
    received: int
    occurred: int | None = None
    victim: str | None = None
    account: str | None = None
    number: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Tied:
    """A complaint with the payments that it is likely about, or alone.

    Attributes:
        account: of the ring, that it names or means; "" where it names none. payer: the account
            that paid, "" where no payment is found. payments: places in `Payments`, by time.
        paid, currency: what those come to. why: in the order of `Why`. again: id of the complaint
            that told the same loss before; its loss is not counted twice.
    """

    complaint: Complaint
    account: str
    payer: str = ""
    payments: tuple[int, ...] = ()
    paid: Decimal = Decimal(0)
    currency: str = ""
    why: tuple[Why, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True)
class _Option:
    payments: tuple[int, ...]
    why: tuple[Why, ...]
    rank: tuple[int, ...]  # the least fits best


def told(tables: Sequence[pa.Table], offset: timedelta) -> list[Complaint]:
    """Complaints of tables of the format `complaints`; of one id the first.

    Args:
        offset: of local time from UTC.
    """
    found: dict[str, Complaint] = {}
    away = int(offset.total_seconds())

    def day(at: datetime | None) -> int | None:
        return None if at is None else int((at.astimezone(UTC).timestamp() + away) // 86_400)

    for table in tables:
        for row in table.to_pylist():
            received, lost = day(row["received"]), row["loss_amount"]
            assert received is not None  # the format refuses a row without it
            one = Complaint(
                row["complaint_id"], received, day(row["occurred"]), row["victim_number"],
                row["suspect_account"], row["suspect_number"],
                None if lost is None else Decimal(f"{lost.normalize():f}"),
                (row["currency"] or "").upper() or None,
            )  # fmt: skip
            found.setdefault(one.id, one)
    return list(found.values())


def as_paid(payments: Payments, names: Collection[str]) -> dict[str, str]:
    """Accounts as the payments write them, however they are written here; else as they are."""
    bare = {name: written(name) for name in names}
    same = joined(sorted({*payments.accounts, *bare.values()}))
    known = set(payments.accounts)
    return {n: n if n in known else same.get(w, w) for n, w in bare.items()}


def tied(
    complaints: Sequence[Complaint],
    payments: Payments,
    ring: Collection[str],
    *,
    numbers: Collection[str] = (),
    phones: Mapping[str, Collection[str]] | None = None,
    offset: timedelta = timedelta(0),
) -> list[Tied]:
    """The complaints that are about a ring, each with its payments; the surest first.

    A payment is one complaint's. Which come first does not depend on their order in the file.

    Args:
        ring, numbers: its accounts, as the payments write them, and its numbers (E.164).
        phones: accounts that are bound to each number, as the payments write them.
        offset: of local time from UTC.
    """
    named = as_paid(payments, {c.account for c in complaints if c.account})
    matter = _Matter(payments, ring, phones or {}, offset)
    about = [
        (one, *meant)
        for one in complaints
        if (meant := matter.meant(one, named, frozenset(numbers))) is not None
    ]
    first = {c.id: matter.best(c, a, how) for c, a, how in about}
    about.sort(key=lambda m: (first[m[0].id][0].rank if first[m[0].id] else (9,),
                              m[0].received, m[0].id))  # fmt: skip
    taken: dict[int, Complaint] = {}
    alone: dict[tuple[object, ...], Complaint] = {}
    made = []
    for one, account, how in about:
        fits = matter.best(one, account, how)
        best = first[one.id]
        before = [taken[k] for o in best for k in o.payments if k in taken]
        # who told the same sum before is not taken to have lost it twice because of a payment
        # that fits less well
        worse = bool(fits) and fits[0].rank > best[0].rank
        same = next((c for c in before if _same(c, one)), None)
        if len(fits) == 1 and not (worse and same is not None and same.amount == one.amount):
            made.append(matter.taken(Tied(one, account, why=how), fits[0]))
            taken.update(dict.fromkeys(fits[0].payments, one))
            continue
        if same is None and one.victim is not None:
            key = (one.victim, account, one.amount, one.currency, one.occurred)
            same = alone.setdefault(key, one)
        if same is not None and same is not one:
            made.append(Tied(one, account, why=(*how, Why.AGAIN), again=same.id))
        else:
            reason = Why.MANY if fits else Why.TAKEN if before else Why.NONE
            made.append(Tied(one, account, why=(*how, reason)))
    return made


def _same(one: Complaint, other: Complaint) -> bool:
    """Whether two complaints about one payment are one victim's."""
    if one.victim is not None and other.victim is not None:
        return one.victim == other.victim
    return one.amount == other.amount and one.currency == other.currency


class _Matter:
    """The payments into a ring's accounts from outside, and who may have made them."""

    def __init__(
        self,
        payments: Payments,
        ring: Collection[str],
        phones: Mapping[str, Collection[str]],
        offset: timedelta,
    ) -> None:
        self.payments, self.phones = payments, phones
        code = {a: i for i, a in enumerate(payments.accounts)}
        self._code, self._ring = code, frozenset(ring)
        inside = np.array(sorted(code[a] for a in self._ring if a in code), np.int64)
        into = np.isin(payments.receiver, inside) & ~np.isin(payments.sender, inside)
        self._into = np.flatnonzero(into & (payments.amount > 0))
        self._free = np.ones(len(self._into), bool)
        away = int(offset.total_seconds()) * 1_000_000
        self._day = (payments.at[self._into] + away) // _DAY_US
        self._bound = {a: phone for phone, those in phones.items() for a in those}

    def meant(
        self, one: Complaint, named: Mapping[str, str], numbers: frozenset[str]
    ) -> tuple[str, tuple[Why, ...]] | None:
        """The ring's account that a complaint is about ("" for any), and how it is known."""
        account = named.get(one.account or "", "")
        if account in self._ring:
            return account, ()
        if account in self._code:
            return None  # somebody else's account
        close = [a for a in sorted(self._ring) if _a_digit_off(account, a)]
        if len(close) == 1:
            return close[0], (Why.DIGIT,)
        return ("", (Why.BY_NUMBER,)) if one.number in numbers else None

    def best(self, one: Complaint, account: str, how: tuple[Why, ...]) -> list[_Option]:
        """What fits best of what is free; more than one where several fit alike."""
        p, into = self.payments, self._into
        last = one.received + NEAR_DAYS
        since = (one.received if one.occurred is None else one.occurred) - BEFORE_DAYS
        free = self._free & (self._day >= since) & (self._day <= last)
        if account:
            free &= p.receiver[into] == self._code.get(account, -1)
        own = [self._code[a] for a in self.phones.get(one.victim or "", ()) if a in self._code]
        mine = free & np.isin(p.sender[into], np.array(own, np.int64))
        options = self._of_payer(one, np.flatnonzero(mine)[-_MOST_PAYMENTS:].tolist())
        if not options and not how and one.amount:
            options = self._of_anybody(one, free & ~mine)
        least = [o for o in options if o.rank == min(o.rank for o in options)]
        # which of one payer's equal payments it is makes no difference
        return least[:1] if len({int(p.sender[o.payments[0]]) for o in least}) == 1 else least

    def taken(self, said: Tied, fit: _Option) -> Tied:
        """The complaint with the payments that were found, which are free no more."""
        p, k = self.payments, fit.payments[0]
        self._free[np.isin(self._into, fit.payments)] = False
        currency = int(p.currency[k])
        return replace(
            said,
            account=said.account or p.accounts[p.receiver[k]],
            payer=p.accounts[p.sender[k]],
            payments=fit.payments,
            paid=p.money(sum(int(p.amount[j]) for j in fit.payments), currency),
            currency=p.currencies[currency],
            why=(*fit.why, *said.why),
        )

    def _of_payer(self, one: Complaint, mine: list[int]) -> list[_Option]:
        """Payments of the victim's own accounts: the sum or the day beside."""
        by_pot: dict[tuple[int, int], list[int]] = {}
        for i in mine:
            k = self._into[i]
            pot = int(self.payments.sender[k]), int(self.payments.currency[k])
            by_pot.setdefault(pot, []).append(i)
        found = []
        for (_, currency), those in by_pot.items():
            other = one.currency not in (None, self.payments.currencies[currency])
            units = None if other else self._units(one.amount, currency)
            for low in range(len(those)):
                total = 0
                for high in range(low, len(those)):
                    total += int(self.payments.amount[self._into[those[high]]])
                    if units is None or total > units:
                        break
                    if total == units:
                        run = those[low : high + 1]
                        away = min(self._away(one, i) for i in run)
                        how = Why.SUM if low == high else Why.SUMS
                        day = Why.DAY if away <= NEAR_DAYS else Why.OTHER_DAY
                        found.append(self._option((Why.PAYER, how, day), run, away, low < high))
            near = [i for i in those if self._away(one, i) <= NEAR_DAYS]
            if near:
                differs = Why.OTHER_CURRENCY if other else Why.OTHER_SUM
                more = () if one.amount is None else (differs,)
                found.append(self._option((Why.PAYER, Why.DAY, *more), near, 0, 2))
        return found

    def _of_anybody(self, one: Complaint, free: NDArray[np.bool_]) -> list[_Option]:
        """One payment of the very sum on the day, whoever made it."""
        p, found = self.payments, []
        for currency, code in enumerate(p.currencies):
            units = self._units(one.amount, currency)
            if units is None or one.currency not in (None, code):
                continue
            k = self._into
            alike = free & (p.currency[k] == currency) & (p.amount[k] == units)
            for i in np.flatnonzero(alike).tolist():
                away = self._away(one, i)
                if away > NEAR_DAYS:
                    continue
                phone = self._bound.get(p.accounts[p.sender[k[i]]])
                known = one.victim is not None and phone not in (None, one.victim)
                more = (Why.OTHER_PAYER,) if known else ()
                why = (Why.SUM, Why.DAY, *more)
                found.append(self._option(why, [i], away, 3 + known))
        return found

    def _option(self, why: tuple[Why, ...], those: list[int], away: int, kind: int) -> _Option:
        return _Option(tuple(int(self._into[i]) for i in those), why, (kind, away, len(those)))

    def _units(self, amount: Decimal | None, currency: int) -> int | None:
        if not amount:
            return None
        exact = amount.scaleb(self.payments.digits[currency])
        return int(exact) if exact == exact.to_integral_value() else None

    def _away(self, one: Complaint, i: int) -> int:
        """Days between what is told and the payment; where no day is told, whether it is soon."""
        day = int(self._day[i])
        if one.occurred is not None:
            return abs(day - one.occurred)
        before = one.received - day
        return 0 if -NEAR_DAYS <= before <= SOON_DAYS else before


def _a_digit_off(one: str, other: str) -> bool:
    """Whether one sign is another, or two beside each other changed places."""
    if len(one) != len(other) or len(one) < _LEAST_LENGTH:
        return False
    off = [i for i in range(len(one)) if one[i] != other[i]]
    if len(off) == 1:
        return True
    return (
        len(off) == 2
        and off[1] == off[0] + 1
        and one[off[0]] == other[off[1]]
        and one[off[1]] == other[off[0]]
    )
