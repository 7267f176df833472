"""Finds accounts that pass money on for others: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import rarity, surprise
from cordon.money.detectors.muling import Around, Shared, around
from cordon.money.detectors.passing import passed_singly
from cordon.money.model import CHANNELS, EXITS, Channel
from cordon.money.payments import Payments

CARD = load_card(__file__)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_HOUR = 3_600_000_000  # µs
_DAY = 24 * _HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RECORDS = 500
_NAMED = 6.0  # nats of a complaint that names the account
_BESIDE = 4.0  # nats at most for paying to or being paid by others like it
_HALF = 0.5  # of the payments in; who collects pays some sum out now and then that fits one
_MOST = 6.0  # nats at most that one sign says: a rank in a sample says no more


@dataclass(frozen=True, slots=True)
class Traits:
    """What each account does, one entry an account of the payments.

    Attributes:
        incomes: payments taken in. payers: who paid. once: share of them who paid one time.
        came: units taken in, in the account's main currency. passed: share that left in time.
        apiece: payments in that went on as one payment of their own.
        out: share of what it paid that went by cash, hawala, coins or abroad.
        busy: share of its payments that fall into its busiest tenth of the span.
        first, last: µs.
    """

    incomes: Ints
    payers: Ints
    once: Floats
    came: Ints
    passed: Floats
    apiece: Ints
    out: Floats
    busy: Floats
    first: Ints
    last: Ints


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    t = traits(data.payments, int(values["within_h"] * _HOUR), values["fee"])
    looked = (t.incomes >= values["incomes"]) & ~data.by_trade
    if not looked.any():
        return
    passes = looked & (t.passed >= values["passed"])
    if not passes.any():
        return
    beyond = around(data, passes)
    signs = {
        "passed": rarity(t.passed, looked, _MOST),
        # among those who pass on: that they do is said by the sign before
        "apiece": rarity(_one_by_one(t), passes, _MOST),
        # once of many says more than of few; many accounts of one holder are one
        "once": rarity(t.once * np.sqrt(beyond.holders), looked, _MOST),
        "out": rarity(t.out, looked, _MOST),
        "busy": rarity(t.busy, looked, _MOST),
        # among those who pass on: whoever collects for something is busy but once
        "quiet": rarity(beyond.life.nats, passes, _MOST),
        "phone": np.minimum(beyond.phone.nats, _MOST) * passes,
        "holder": np.minimum(beyond.holder.nats, _MOST) * passes,
        "strangers": -surprise(beyond.known, beyond.chance) * passes,
    }
    # who has one phone is often one holder, who lay quiet is busy after: the more telling counts
    for one, other in (("phone", "holder"), ("busy", "quiet")):
        first = signs[one] >= signs[other]
        signs[one], signs[other] = signs[one] * first, signs[other] * ~first
    named = np.zeros(len(looked))
    named[list(data.complained)] = _NAMED
    own = np.where(looked, sum(signs.values()) + named, 0.0)
    beside = _beside(data.payments, own, looked)
    chance = float(np.log(looked.sum()))
    total = own + beside - chance
    told = passes & (total >= values["evidence"])
    for account in np.flatnonzero(told).tolist():
        parts = {name: float(s[account]) for name, s in signs.items()}
        parts["beside"], parts["complaints"] = float(beside[account]), float(named[account])
        yield _finding(data, card, account, t, beyond, parts, float(total[account]), values)


def traits(p: Payments, within: int, fee: float) -> Traits:
    """Traits of every account; a payment of nothing, or to oneself, is none.

    Args:
        within: µs. fee: share of a payment in that may stay where the rest goes on as one.
    """
    from cordon.money.holding import holding

    size, many = len(p.accounts), len(p.currencies)
    real = (p.amount > 0) & (p.sender != p.receiver)
    sender, receiver = p.pot(p.sender), p.pot(p.receiver)
    came, soon, _, _ = holding(sender, receiver, p.amount, p.at, size * many, within)
    singly = passed_singly(p, within, fee)
    # the currency in which most was taken in; amounts of several are not added
    main = came.reshape(size, many).argmax(axis=1)
    at = np.arange(size) * many + main
    a, b = p.sender[real].astype(np.int64), p.receiver[real].astype(np.int64)
    incomes, outgoes = np.bincount(b, minlength=size), np.bincount(a, minlength=size)
    pair, often = np.unique(b * size + a, return_counts=True)
    payers = np.bincount(pair // size, minlength=size)
    once = np.bincount(pair // size, often == 1, minlength=size)
    leaves = np.array([c in EXITS and c != Channel.CARD for c in CHANNELS] + [False])
    left = np.bincount(a, leaves[p.channel[real]], minlength=size)
    both, when = np.concatenate([a, b]), np.concatenate([p.at[real]] * 2)
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, both, when)
    np.maximum.at(last, both, when)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Traits(
            incomes,
            payers,
            np.nan_to_num(once / payers),
            came[at],
            np.nan_to_num(soon[at] / came[at]),
            np.bincount(p.sender[singly], minlength=size),
            np.nan_to_num(left / outgoes),
            _busiest(both, when, size),
            first,
            last,
        )


def _one_by_one(t: Traits) -> Floats:
    """Share of payments in that went on one by one, beside how many; less than half is chance."""
    share = t.apiece / np.maximum(t.incomes, 1)
    return np.where(share >= _HALF, share * np.sqrt(t.apiece), 0.0)


def _busiest(account: Ints, at: Ints, size: int) -> Floats:
    """Share of each account's payments in its busiest tenth of the span, beside how many."""
    span = max(int(at.max() - at.min()), 1)
    tenth = (at - at.min()) * 10 // (span + 1)
    counts = np.bincount(account * 10 + tenth, minlength=size * 10).reshape(size, 10)
    # two tenths that touch: a busy week seldom begins where a tenth does
    pairs = counts.copy()
    pairs[:, :-1] += counts[:, 1:]
    total = counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(pairs.max(axis=1) / total) * np.log1p(total))


def _beside(p: Payments, own: Floats, looked: Bools) -> Floats:
    """Nats for money that goes to or comes from others like it: half of the best of them."""
    size = len(p.accounts)
    chance = float(np.log(looked.sum()))
    like = np.clip((own - chance / 2) / 2, 0.0, _BESIDE)  # those already half way there
    best = np.zeros(size)
    k = np.flatnonzero((p.sender != p.receiver) & (p.amount > 0))
    a, b = p.sender[k], p.receiver[k]
    # by share of what it pays: a shop that a mule once paid is none
    paid = np.bincount(a, like[b] * p.amount[k], minlength=size)
    all_paid = np.maximum(np.bincount(a, p.amount[k].astype(float), minlength=size), 1.0)
    got = np.bincount(b, like[a] * p.amount[k], minlength=size)
    all_got = np.maximum(np.bincount(b, p.amount[k].astype(float), minlength=size), 1.0)
    best = np.maximum(paid / all_paid, got / all_got)
    return np.where(looked, np.minimum(2 * best, _BESIDE), 0.0)


def _finding(
    data: MoneyData,
    card: Card,
    account: int,
    t: Traits,
    beyond: Around,
    nats: dict[str, float],
    total: float,
    values: dict[str, float],
) -> Finding:
    p = data.payments
    whose = f" (of {beyond.holders[account]} holders)" if len(data.held[0]) else ""
    says = {
        "passed": (
            float(t.passed[account]), values["passed"],
            f"{t.passed[account]:.0%} of what it took in was passed on within "
            f"{values['within_h']:g} h",
        ),
        "apiece": (
            float(t.apiece[account]), None,
            f"{t.apiece[account]} of the {t.incomes[account]} payments that it took in went on "
            f"one by one, each less by {values['fee']:.0%} at most",
        ),
        "once": (
            float(t.once[account]), None,
            f"{t.once[account]:.0%} of the {t.payers[account]} accounts that paid it{whose} paid "
            "one time",
        ),
        "out": (
            float(t.out[account]), None,
            f"{t.out[account]:.0%} of its payments went by cash, hawala, coins or abroad",
        ),
        **_of_time(account, t, beyond),
        **_of_others(account, beyond),
        "beside": (
            nats["beside"], None, "its money goes to or comes from accounts that do the same",
        ),
        "complaints": (
            float(len(data.complained.get(account, ()))), None,
            f"{len(data.complained.get(account, ()))} complaints name it",
        ),
    }  # fmt: skip
    reasons = [
        Reason(
            "evidence",
            round(total, 1),
            "nat",
            values["evidence"],
            f"together {total:.1f} nats more than the most striking of all accounts by chance",
        )
    ]
    units = {"busy": "d", "quiet": "d", "beside": "nat"}
    for name, each in sorted(nats.items(), key=lambda n: -n[1]):
        value, threshold, words = says[name]
        if each > 0 or (name == "strangers" and each < 0):
            reasons.append(
                Reason(
                    name, round(value, 3), units.get(name, "1"), threshold,
                    f"{words} ({each:+.1f} nats)",
                )
            )  # fmt: skip
    mine = np.flatnonzero((p.receiver == account) | (p.sender == account))
    made = Finding.make(
        kind=card.kind,
        subjects=[f"account:{p.accounts[account]}"],
        start=_EPOCH + timedelta(microseconds=int(t.first[account])),
        end=_EPOCH + timedelta(microseconds=int(t.last[account])),
        confidence=float(1 - 0.6 * np.exp(-max(total, 0.0) / 6)),
        reasons=reasons,
        records=[p.record(int(k)) for k in mine[:_RECORDS]],
        detector=card.name,
        version=card.version,
    )
    made.extra["complaints"] = list(data.complained.get(account, ()))
    return made


def _of_time(account: int, t: Traits, beyond: Around) -> dict[str, tuple[float, None, str]]:
    """When its payments fall, in words."""
    life = beyond.life
    days, many = int(life.days[account]), int(life.payments[account])
    whole = (t.last[account] - t.first[account]) / _DAY
    quiet, busy = life.quiet[account] / _DAY, life.busy[account] / _DAY
    return {
        "busy": (
            float(days), None,
            f"its {many} payments fall on {days} days; from the first to the last are "
            f"{whole:.0f} days",
        ),
        "quiet": (
            float(quiet), None,
            f"{quiet:.0f} days without a payment, then {life.after[account]} of {many} within "
            f"{max(busy, 1.0):.0f} days, which spread evenly over both would leave no such gap",
        ),
    }  # fmt: skip


def _of_others(account: int, beyond: Around) -> dict[str, tuple[float, None, str]]:
    """Who shares a phone or a holder with it, and how those who pay it stand, in words."""
    said: dict[str, tuple[float, None, str]] = {}
    for link, words in (("phone", "are bound to its phone"), ("holder", "have its holder")):
        by: Shared = getattr(beyond, link)
        said[link] = (
            float(by.passing[account]), None,
            f"{by.passing[account]} other accounts that pass money on {words}; "
            f"{by.chance[account]:.2g} would by what is usual",
        )  # fmt: skip
    said["strangers"] = (
        float(beyond.known[account]), None,
        f"of {beyond.payers[account]} who paid it {beyond.known[account]} pairs pay one another, "
        f"{beyond.chance[account]:.2g} would by chance: they know one another",
    )  # fmt: skip
    return said
