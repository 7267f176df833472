"""Finds accounts that are paid soon after calls of suspected numbers: see the card beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.money.detectors.data import MoneyData
from cordon.money.payments import Payments

CARD = load_card(__file__)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64] | NDArray[np.floating]
_HOUR = 3_600_000_000  # µs
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RECORDS = 500
_PARTS = (1, 2, 4, 8)  # of the longest span: some are paid within the hour, some on the day
_NAMED = 6.0  # nats that a complaint which names the account is worth


@dataclass(frozen=True, slots=True)
class Spans:
    """When accounts' holders had just been in touch with suspected numbers.

    Attributes:
        account: positions, ascending; one row a span. begin, end: µs. contact: row of the first
            contact of the span.
    """

    account: Ints
    begin: Ints
    end: Ints
    contact: Ints


@dataclass(frozen=True, slots=True)
class Paid:
    """Accounts paid within so long after a contact, one entry an account of the payments.

    Attributes:
        within: µs. span: of each first payment, the span that it fells into, -1 where into none.
        people: who paid it so. by_people: who would have, were they like people at large;
            by_time: were the same people's payments at any time. nats: evidence against the one,
            timing: against the other.
    """

    within: int
    spans: Spans
    span: Ints
    people: Counts
    by_people: Counts
    by_time: Counts
    nats: Floats
    timing: Floats


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    if data.contacts is None or data.accounts is None:
        missing = "calls" if data.contacts is None else "accounts"
        data.left_out.append(
            f"No file of {missing} was given: nobody can tell who was called before they paid."
        )
        return
    p = data.payments
    first = _first_payments(data)
    tried = [_paid(data, first, int(values["within_h"] * _HOUR / part)) for part in _PARTS]
    tests = [t for t in tried if t is not None]
    if not tests:
        data.left_out.append("No account is bound to a number that was in touch with a suspect.")
        return
    best = np.stack([t.nats for t in tests]).argmax(axis=0)
    looked = len(np.unique(p.receiver[first]))
    for account in np.flatnonzero(np.stack([t.nats for t in tests]).max(axis=0) > 0).tolist():
        test = tests[best[account]]
        named = account in data.complained
        # the most striking of all that were looked at, by the best of several spans; what a
        # complaint names was looked at for its own sake
        among = len(data.complained) if named else looked
        nats = float(test.nats[account] - np.log(max(among, 1)) - np.log(len(tests)))
        if (
            nats < values["evidence"] - (_NAMED if named else 0.0)
            or test.timing[account] < (0.0 if named else values["timing"])
            or test.people[account] < (1 if named else values["people"])
        ):
            continue
        mine = np.flatnonzero((p.receiver[first] == account) & (test.span >= 0))
        yield _finding(data, card, account, test, first[mine], test.span[mine], nats, values)


def _paid(data: MoneyData, first: Ints, within: int) -> Paid | None:
    p, spans = data.payments, _spans(data, within)
    if not len(spans.account) or not len(first):
        return None
    size, to = len(p.accounts), p.receiver[first]
    span = _within(spans, p.sender[first].astype(np.int64), p.at[first])
    people = np.bincount(to, span >= 0, minlength=size)
    by_people = np.bincount(to, minlength=size) * float((span >= 0).mean())
    by_time = np.bincount(to, _chances(p, spans)[p.sender[first]], minlength=size)
    return Paid(
        within, spans, span, people, by_people, by_time,
        _surprise(people, by_people), _surprise(people, by_time),
    )  # fmt: skip


def _spans(data: MoneyData, within: int) -> Spans:
    """Spans after contacts, joined where they touch, for each account of who was in touch."""
    assert data.contacts is not None
    numbers = data.contacts["number"].to_pylist()
    us = np.asarray(data.contacts["us"].to_numpy(), np.int64)
    rows, accounts = [], []
    for row, number in enumerate(numbers):
        for account in data.by_phone.get(number, ()):
            rows.append(row)
            accounts.append(account)
    account, contact = np.array(accounts, np.int64), np.array(rows, np.int64)
    order = np.lexsort((us[contact], account)) if len(contact) else contact
    account, contact = account[order], contact[order]
    begin = us[contact]
    if not len(begin):
        return Spans(account, begin, begin, contact)
    new = np.ones(len(begin), bool)
    new[1:] = (account[1:] != account[:-1]) | (begin[1:] > begin[:-1] + within)
    starts = np.flatnonzero(new)
    ends = np.concatenate([starts[1:], [len(begin)]]) - 1
    return Spans(account[starts], begin[starts], begin[ends] + within, contact[starts])


def _first_payments(data: MoneyData) -> Ints:
    """The first payment to each account of each holder whose number is known."""
    p = data.payments
    known = np.zeros(len(p.accounts), bool)
    for those in data.by_phone.values():
        known[those] = True
    k = np.flatnonzero(known[p.sender] & (p.sender != p.receiver) & (p.amount > 0))
    pair = p.sender[k].astype(np.int64) * len(p.accounts) + p.receiver[k]
    _, at = np.unique(pair, return_index=True)  # payments are by time: the first of each
    return k[at]


def _within(spans: Spans, account: Ints, at: Ints) -> Ints:
    """The span that each payment falls into, -1 where into none."""
    low = min(int(spans.begin.min()), int(at.min()))
    width = max(int(spans.end.max()), int(at.max())) - low + 1
    # one number orders accounts, then time; a day of µs times a million accounts fits in 63 bits
    position = np.lexsort((spans.begin, spans.account))
    keys = spans.account[position].astype(float) + (spans.begin[position] - low) / width
    found = np.searchsorted(keys, account + (at - low) / width, side="right") - 1
    inside = (
        (found >= 0)
        & (spans.account[position[found]] == account)
        & (at >= spans.begin[position[found]])
        & (at <= spans.end[position[found]])
    )
    return np.where(inside, position[found], -1)


def _chances(p: Payments, spans: Spans) -> Floats:
    """For each account, the share of everybody's payments that fall into its holder's spans.

    Payments and calls both belong to the day, so that a share of the clock would be too small.
    """
    share = (
        np.searchsorted(p.at, spans.end, side="right") - np.searchsorted(p.at, spans.begin)
    ) / max(len(p.at), 1)
    found = np.bincount(spans.account, share, minlength=len(p.accounts))
    return np.asarray(np.minimum(found, 1.0))


def _surprise(observed: Counts, expected: Counts) -> Floats:
    """Log-likelihood ratio of as many as observed against as many as expected (Poisson)."""
    least = np.maximum(expected, 1e-3)  # a chance below one in a thousand is not known so well
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = observed * np.log(observed / least) - observed + least
    return np.asarray(np.where(observed > least, nats, 0.0))


def _finding(
    data: MoneyData,
    card: Card,
    account: int,
    test: Paid,
    paid: Ints,
    span: Ints,
    nats: float,
    values: dict[str, float],
) -> Finding:
    assert data.contacts is not None
    p, contact = data.payments, test.spans.contact[span]
    people, hours = len(np.unique(p.sender[paid])), test.within / _HOUR
    waits = (p.at[paid] - np.asarray(data.contacts["us"].to_numpy())[contact]) / _HOUR
    suspects = sorted({data.contacts["suspect"][int(c)].as_py() for c in contact})
    complaints = data.complained.get(account, ())
    reasons = [
        Reason(
            "people",
            float(people),
            "1",
            values["people"],
            f"{people} people paid it for the first time within {hours:g} h of a contact with a "
            f"suspected number; of people at large {test.by_people[account]:.2f} would have",
        ),
        Reason(
            "evidence",
            round(nats, 1),
            "nat",
            values["evidence"],
            f"that is {nats:.1f} nats more than the most striking of all accounts by chance",
        ),
        Reason(
            "timing",
            round(float(test.timing[account]), 1),
            "nat",
            values["timing"],
            f"the same people, had they paid at any time, would have been "
            f"{test.by_time[account]:.2f}",
        ),
        Reason(
            "within_h",
            round(float(np.median(waits)), 2),
            "h",
            values["within_h"],
            f"the median payment came {np.median(waits):.1f} h after the contact",
        ),
    ]
    if complaints:
        reasons.append(
            Reason(
                "complaints",
                float(len(complaints)),
                "1",
                None,
                f"{len(complaints)} complaints name the account",
            )
        )
    calls = [
        RecordRef(data.contacts["sha256"][int(c)].as_py(), data.contacts["row"][int(c)].as_py())
        for c in contact[:_RECORDS]
    ]
    made = Finding.make(
        kind=card.kind,
        subjects=[f"account:{p.accounts[account]}", *(f"number:{n}" for n in suspects)],
        start=_EPOCH + timedelta(microseconds=int(p.at[paid].min())),
        end=_EPOCH + timedelta(microseconds=int(p.at[paid].max())),
        confidence=float(1 - 0.5 * np.exp(-max(nats, 0.0) / 5)),
        reasons=reasons,
        records=[*(p.record(int(k)) for k in paid[:_RECORDS]), *calls],
        detector=card.name,
        version=card.version,
    )
    made.extra.update(
        {
            "payers": sorted({p.accounts[s] for s in p.sender[paid].tolist()}),
            "complaints": list(complaints),
        }
    )
    return made
