"""Finds numbers that another goes on from: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from cordon.calls.detectors.data import CallData
from cordon.calls.detectors.ringcards import RINGS
from cordon.calls.rings.judging import is_ring
from cordon.calls.rings.search import searched
from cordon.calls.rings.succession import Claim, Lives, successions
from cordon.calls.rings.uses import uses
from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.near import BEGAN, ENDED, SAMPLE
from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding, Reason

CARD = load_card(__file__)
APART = True
"""It may run beside other detectors: of what they tell it reads the groups of lines alone."""
_RECORDS = 200  # pointers for each of the two numbers
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def find(data: CallData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the calls, one a claim.

    Args:
        data: the calls and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    rings = RINGS.values(data.given)
    data.stage("following numbers", 0.0)
    near = data.near
    within = np.zeros(len(near.numbers), bool)
    for group in searched(data, rings).groups:
        # how a ring uses up its SIMs stands in the ring's own finding
        if is_ring(group, rings):
            within[group.members] = True
    old = _lives(data, np.flatnonzero(((near.why & ENDED) > 0) & ~within))
    new = _lives(data, np.flatnonzero(((near.why & BEGAN) > 0) & ~within))
    census = data.census
    degree = np.zeros(len(near.numbers))
    degree[:] = np.minimum(np.maximum(census.met, census.heard)[data.near.in_census], 1e4)
    for claim in successions(old, new, degree, len(census.out), _cells(data), values):
        yield _finding(data, card, old, new, claim)


def _lives(data: CallData, at: NDArray[np.int64]) -> Lives:
    where = data.near.in_census[at]
    return Lives(at, uses(data.near, at), data.census.first[where], data.census.last[where])


def _cells(data: CallData) -> NDArray[np.float64]:
    """Share of calls by cell, in the sample."""
    near = data.near
    of = np.concatenate(
        [
            cell[((near.why[end] & SAMPLE) > 0) & (cell >= 0)]
            for end, cell in ((near.caller, near.caller_cell), (near.callee, near.callee_cell))
        ]
    )
    counts = np.bincount(of, minlength=max(len(near.cells), 1)).astype(float) + 0.5
    return np.asarray(counts / counts.sum())


def _finding(data: CallData, card: Card, old: Lives, new: Lives, claim: Claim) -> Finding:
    near = data.near
    i, j = old.at[claim.old], new.at[claim.new]
    calls = np.concatenate(
        [
            old.uses.call[old.uses.span(claim.old)][-_RECORDS:],
            new.uses.call[new.uses.span(claim.new)][:_RECORDS],
        ]
    )
    reasons = [
        Reason(
            "odds",
            round(claim.odds, 1),
            "1",
            card.parameters["odds"].default,
            f"odds of {claim.odds:,.0f} to 1 against the next best",
        ),
        Reason(
            "shared_contacts",
            float(claim.shared),
            "1",
            None,
            f"{claim.shared} of the {claim.contacts} people of the one are people of the other",
        ),
        Reason(
            "place",
            round(claim.place, 2),
            "nat",
            None,
            f"where the two are says {claim.place:.1f} nats for one person",
        ),
        Reason(
            "gap_days",
            round(claim.gap_days, 2),
            "d",
            card.parameters["gap_most"].default,
            f"{claim.gap_days:.1f} days lie between the last record of the one and the first of "
            "the other",
        ),
    ]
    if claim.handset:
        reasons.append(Reason("handset", 1.0, "1", None, "the two used one handset"))
    if claim.sim:
        reasons.append(Reason("sim", 1.0, "1", None, "the two used one SIM"))
    made = Finding.make(
        kind=card.kind,
        subjects=[f"number:{near.numbers[i]}", f"number:{near.numbers[j]}"],
        start=_moment(int(old.first[claim.old])),
        end=_moment(int(new.last[claim.new])),
        confidence=min(0.99, claim.odds / (claim.odds + 1)),
        reasons=reasons,
        records=near.every_record(distinct(calls)),
        detector=card.name,
        version=card.version,
    )
    made.extra.update({"from": f"number:{near.numbers[i]}", "to": f"number:{near.numbers[j]}"})
    return made


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
