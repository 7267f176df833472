"""Payments set beside contacts of their payers, compiled: what `call_then_pay` asks of millions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Bools = NDArray[np.bool_]


@compiled
def by_payer(sender: Places, accounts: int) -> tuple[Ints, Places]:
    """Payments by their payer, then as they stand.

    Args:
        sender: account of each payment.

    Returns:
        By account, the place of its first payment (one more stands at the end); the payments.
    """
    place = np.zeros(accounts + 1, np.int64)
    for k in range(len(sender)):
        place[sender[k] + 1] += 1
    for account in range(accounts):
        place[account + 1] += place[account]
    payments = np.empty(len(sender), np.int32)
    filled = place[:accounts].copy()
    for k in range(len(sender)):
        payments[filled[sender[k]]] = k
        filled[sender[k]] += 1
    return place, payments


@compiled
def mark_first(
    place: Ints, payments: Places, receiver: Places, amount: Ints, known: Bools,
    begin: int, end: int, first: Bools,
) -> None:  # fmt: skip
    """Mark the payments that are the first of their payer to their payee.

    Args:
        place, payments: of `by_payer`, payments by time. receiver: account of each payment.
        amount: units; a payment of nothing is passed over.
        known: by account, those whose payments are looked at. begin, end: of these alone.
        first: by payment; what is found is set here.
    """
    paid_by = np.full(len(known), -1, np.int32)  # who was last seen to pay each payee
    for account in range(begin, end):
        if not known[account]:
            continue
        for nth in range(place[account], place[account + 1]):
            k = payments[nth]
            payee = receiver[k]
            if amount[k] > 0 and payee != account and paid_by[payee] != account:
                paid_by[payee] = account
                first[k] = True


@compiled
def spans_of(payer: Ints, at: Ints, place: Ints, begin: Ints, end: Ints) -> Ints:
    """The span that each payment falls into, -1 where into none.

    Args:
        payer, at: of each payment (µs).
        place: by payer, the place of its first span; one more stands at the end.
        begin, end: of spans (µs), by payer and time; no two of a payer touch.
    """
    found = np.full(len(payer), -1)
    for n in range(len(payer)):
        low, high = place[payer[n]], place[payer[n] + 1]
        least = low
        while low < high:  # the last span that begins no later
            middle = (low + high) // 2
            if begin[middle] <= at[n]:
                low = middle + 1
            else:
                high = middle
        if low > least and at[n] <= end[low - 1]:
            found[n] = low - 1
    return found
