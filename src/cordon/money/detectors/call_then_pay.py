"""Finds accounts that are paid soon after calls of suspected numbers: see the card beside."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import surprise
from cordon.money.detectors.passing import how_many_pass, passing
from cordon.money.payments import Payments

CARD = load_card(__file__)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
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
        payer: of `Near`, ascending; one row a span. begin, end: µs. contact: row of the first
            contact of the span.
    """

    payer: Ints
    begin: Ints
    end: Ints
    contact: Ints

    def of(self, some: NDArray[np.bool_]) -> Spans:
        """These alone."""
        return Spans(self.payer[some], self.begin[some], self.end[some], self.contact[some])


@dataclass(frozen=True, slots=True)
class Near:
    """First payments of those who were in touch at all, to accounts that one of them paid soon.

    Attributes:
        payment: places in the payments. at: their µs. payer: of each, the place of its payer
            among the `payers` who were in touch. to: the place of its payee in `accounts`.
        accounts: positions of the payees, ascending. paid: by how many each was ever paid first.
        first: how many first payments there are in all, of everybody whose number is known.
    """

    payment: Ints
    at: Ints
    payer: Ints
    to: Ints
    payers: int
    accounts: Ints
    paid: Ints
    first: int


@dataclass(frozen=True, slots=True)
class Test:
    """What was paid within so long after contacts with a ring, or with any suspected number.

    Attributes:
        within: µs. ring: its name, or None. hits: places in `Near` that fell into a span, and
            span: into which of `spans`.
    """

    within: int
    ring: str | None
    spans: Spans
    hits: Ints
    span: Ints


class Best:
    """The test that says most of each account of `Near`.

    Attributes:
        nats: evidence against people at large, timing: against the same people at any time.
        people: who paid it so. by_people, by_time: who would have, by either chance.
        test: its number, -1 where none says anything.
    """

    def __init__(self, near: Near) -> None:
        size = len(near.accounts)
        self.nats, self.timing = np.zeros(size), np.zeros(size)
        self.by_people, self.by_time = np.zeros(size), np.zeros(size)
        self.people, self.test = np.zeros(size, np.int64), np.full(size, -1)
        self.tests: list[Test] = []

    def take(self, p: Payments, near: Near, test: Test) -> None:
        """Take a test into account."""
        size = len(near.accounts)
        people = np.bincount(near.to[test.hits], minlength=size)
        by_people = near.paid * (len(test.hits) / near.first)
        chance = _chances(p, near, test.spans)[near.payer]
        by_time = np.bincount(near.to, chance, minlength=size)
        paid = np.flatnonzero(people)
        nats = surprise(people[paid], by_people[paid])
        better = paid[nats > self.nats[paid]]
        self.nats[better] = nats[nats > self.nats[paid]]
        self.timing[better] = surprise(people[better], by_time[better])
        self.people[better], self.test[better] = people[better], len(self.tests)
        self.by_people[better], self.by_time[better] = by_people[better], by_time[better]
        self.tests.append(test)


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
    first, (touched, touches) = _first_payments(data), _touches(data)
    if not len(touched) or not len(first):
        data.left_out.append("No account is bound to a number that was in touch with a suspect.")
        return
    paid = np.bincount(data.payments.receiver[first], minlength=len(data.payments.accounts))
    near, best = _tested(data, first, paid, touched, touches, int(values["within_h"] * _HOUR))
    named = np.isin(near.accounts, list(data.complained))
    could = (best.test >= 0) & (best.nats - np.log(len(best.tests)) >= values["evidence"])
    could &= (best.timing >= values["timing"]) & (best.people >= values["people"])
    could = np.where(named, best.test >= 0, could)
    among, passes = _looked_at(data, near, np.flatnonzero(could & ~named), paid, values)
    # what a complaint names was looked at for its own sake
    among[named] = max(len(data.complained), 1)
    # the most striking of all that were looked at, by the best of several tests
    nats = best.nats - np.log(among) - np.log(len(best.tests))
    told = could & (nats >= values["evidence"] - np.where(named, _NAMED, 0.0))
    for place in np.flatnonzero(told).tolist():
        yield _finding(
            data, card, near, best, place, float(nats[place]), bool(passes[place]), values
        )


def _looked_at(
    data: MoneyData, near: Near, places: Ints, paid: Ints, values: dict[str, float]
) -> tuple[Floats, Bools]:
    """Among how many each account of `Near` was looked at, and whether it passes money on.

    Who passes on what comes in is looked at first: half of what chance may do goes to these few,
    half to all others.

    Args:
        places: in `near.accounts`, of those that matter. paid: by how many each account was paid.
    """
    looked = np.flatnonzero(paid)
    passes = np.zeros(len(near.accounts), bool)
    if not len(places):
        return np.full(len(passes), float(len(looked))), passes
    asked = (int(values["passed_h"] * _HOUR), values["passed"])
    passes[places] = passing(data.payments, near.accounts[places], *asked)
    few = how_many_pass(data.payments, looked, *asked)
    return 2.0 * np.where(passes, few, max(len(looked) - few, 1.0)), passes


def _tested(
    data: MoneyData, first: Ints, paid: Ints, touched: Ints, touches: Spans, longest: int
) -> tuple[Near, Best]:
    """Contacts with anybody suspected, and with each ring by itself, over several spans.

    Whom a ring robs it calls itself, so that contacts with others only hide what it does.
    """
    near, hits = _near(data.payments, first, paid, touched, _spans(touches, longest))
    best = Best(near)
    for ring, own in [(None, touches), *_of_rings(data, touches)]:
        for part in _PARTS:
            test = _test(near, hits, own, longest // part, ring)
            best.take(data.payments, near, test)
    return near, best


def _of_rings(data: MoneyData, touches: Spans) -> Iterator[tuple[str, Spans]]:
    """The contacts with each ring that was in touch with anybody."""
    assert data.contacts is not None
    names = sorted(set(data.rings.values()))
    place = {name: n for n, name in enumerate(names)}
    suspects = data.contacts["suspect"].combine_chunks().dictionary_encode()
    told = [place.get(data.rings.get(n, ""), -1) for n in suspects.dictionary.to_pylist()]
    codes = np.asarray(suspects.indices.to_numpy(zero_copy_only=False), np.int64)
    ring = np.array([*told, -1])[codes][touches.contact]
    for n in np.unique(ring[ring >= 0]).tolist():
        yield names[n], touches.of(ring == n)


def _near(p: Payments, first: Ints, paid: Ints, touched: Ints, longest: Spans) -> tuple[Near, Ints]:
    """The payments that could matter; and of each, the one of the longest spans it falls into."""
    payer = np.full(len(p.accounts), -1)
    payer[touched] = np.arange(len(touched))
    near = first[payer[p.sender[first]] >= 0]  # nobody else's can fall into a span
    own, at = payer[p.sender[near]], p.at[near]
    span = _within(own, at, len(touched), longest)
    accounts = np.unique(p.receiver[near[span >= 0]]).astype(np.int64)
    place = np.full(len(p.accounts), -1)
    place[accounts] = np.arange(len(accounts))
    to = place[p.receiver[near]]
    stays = to >= 0
    return Near(near[stays], at[stays], own[stays], to[stays], len(touched), accounts,
                paid[accounts], len(first)), span[stays]  # fmt: skip


def _test(near: Near, longest: Ints, touches: Spans, within: int, ring: str | None) -> Test:
    """What was paid within so long (µs) after these contacts.

    Args:
        longest: of each payment, the longest span after any contact that it falls into, -1 where
            into none: what falls into none of these falls into no shorter one.
    """
    spans = _spans(touches, within)
    could = np.flatnonzero(longest >= 0)
    span = _within(near.payer[could], near.at[could], near.payers, spans)
    return Test(within, ring, spans, could[span >= 0], span[span >= 0])


def _touches(data: MoneyData) -> tuple[Ints, Spans]:
    """Accounts whose holders were in touch, ascending; each contact of each, not joined yet."""
    assert data.contacts is not None
    phones, position = data.bound
    called = data.contacts["number"].combine_chunks().dictionary_encode()
    code = np.asarray(called.indices.to_numpy(zero_copy_only=False), np.int64)
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(len(called.dictionary) + 1))
    found = pc.index_in(phones, value_set=called.dictionary).fill_null(-1)
    phone = np.asarray(found.to_numpy(zero_copy_only=False), np.int64)
    row = np.flatnonzero(phone >= 0)
    begin, count = starts[phone[row]], np.diff(starts)[phone[row]]
    touched, account = np.unique(np.repeat(position[row], count), return_inverse=True)
    nth = np.arange(len(account)) - np.repeat(np.cumsum(count) - count, count)
    contact = order[np.repeat(begin, count) + nth]
    us = np.asarray(data.contacts["us"].to_numpy(), np.int64)[contact]
    order = np.lexsort((us, account))
    return touched, Spans(account[order], us[order], us[order], contact[order])


def _spans(touches: Spans, within: int) -> Spans:
    """Spans after contacts, joined where they touch."""
    payer, begin = touches.payer, touches.begin
    new = np.ones(len(begin), bool)
    new[1:] = (payer[1:] != payer[:-1]) | (begin[1:] > begin[:-1] + within)
    starts = np.flatnonzero(new)
    ends = np.concatenate([starts[1:], [len(begin)]]) - 1
    return Spans(payer[starts], begin[starts], begin[ends] + within, touches.contact[starts])


def _first_payments(data: MoneyData) -> Ints:
    """The first payment to each account of each holder whose number is known, by time."""
    from cordon.money.detectors.meeting import by_payer, mark_first

    p, size = data.payments, len(data.payments.accounts)
    known, first = np.zeros(size, bool), np.zeros(len(p), bool)
    with ThreadPoolExecutor(1) as beside:  # compiled loops and Arrow both run beside one another
        ordering = beside.submit(by_payer, p.sender, size)
        known[data.bound[1]] = True
        place, payments = ordering.result()
        half = int(np.searchsorted(place, len(p) // 2))
        given = (place, payments, p.receiver, p.amount, known)
        other = beside.submit(mark_first, *given, half, size, first)
        mark_first(*given, 0, half, first)
        other.result()
    return np.flatnonzero(first)


def _within(payer: Ints, at: Ints, payers: int, spans: Spans) -> Ints:
    """The span that each of these payments falls into, -1 where into none."""
    from cordon.money.detectors.meeting import spans_of

    place = np.searchsorted(spans.payer, np.arange(payers + 1))
    return spans_of(payer, at, place, spans.begin, spans.end)


def _chances(p: Payments, near: Near, spans: Spans) -> Floats:
    """For each payer, the share of everybody's payments that fall into their spans.

    Payments and calls both belong to the day, so that a share of the clock would be too small.
    """
    order = np.argsort(spans.begin)  # by time they are found several times as fast
    begin, end = spans.begin[order], spans.end[order]
    share = (np.searchsorted(p.at, end, side="right") - np.searchsorted(p.at, begin)) / max(
        len(p.at), 1
    )
    found = np.bincount(spans.payer[order], share, minlength=near.payers)
    return np.asarray(np.minimum(found, 1.0))


def _finding(
    data: MoneyData,
    card: Card,
    near: Near,
    best: Best,
    place: int,
    nats: float,
    passes: bool,
    values: dict[str, float],
) -> Finding:
    assert data.contacts is not None
    p, test, account = data.payments, best.tests[best.test[place]], int(near.accounts[place])
    mine = near.to[test.hits] == place
    paid, contact = near.payment[test.hits[mine]], test.spans.contact[test.span[mine]]
    people, hours = len(np.unique(p.sender[paid])), test.within / _HOUR
    waits = (p.at[paid] - np.asarray(data.contacts["us"].to_numpy())[contact]) / _HOUR
    suspects = sorted({data.contacts["suspect"][int(c)].as_py() for c in contact})
    complaints = data.complained.get(account, ())
    among = "those few that pass on what they take in" if passes else "all accounts"
    reasons = [
        Reason(
            "people",
            float(people),
            "1",
            values["people"],
            f"{people} people paid it for the first time within {hours:g} h of a contact with a "
            f"{'suspected number' if test.ring is None else 'number of one ring'}; of people at "
            f"large {best.by_people[place]:.2f} would have",
        ),
        Reason(
            "evidence",
            round(nats, 1),
            "nat",
            values["evidence"],
            f"that is {nats:.1f} nats more than the most striking of {among} by chance",
        ),
        Reason(
            "timing",
            round(float(best.timing[place]), 1),
            "nat",
            values["timing"],
            f"the same people, had they paid at any time, would have been "
            f"{best.by_time[place]:.2f}",
        ),
        Reason(
            "within_h",
            round(float(np.median(waits)), 2),
            "h",
            values["within_h"],
            f"the median payment came {np.median(waits):.1f} h after the contact",
        ),
    ]
    if passes:
        reasons.append(
            Reason(
                "passed",
                1.0,
                "1",
                values["passed"],
                f"it passes on {values['passed']:.0%} or more of what it takes in within "
                f"{values['passed_h']:g} h, as few accounts do",
            )
        )
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
    if test.ring is not None:
        made.extra["ring"] = test.ring
    return made
