"""Lines: numbers that deal with strangers and with nobody else, one by one.

Each sign is a log-likelihood ratio (nats) of “a line of work among strangers” against “a
subscriber as usual”; what is usual is measured in a sample of the same data. A rider's or a
pollster's number is such a line too: what a line is used for is judged where lines are gathered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.near import BOX, SAMPLE, Near
from cordon.calls.survey.profiles import Profiles

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST, LEAST = 8.0, -16.0  # nats that one sign may say: for, as far as some calls can be trusted
_NEW_LINE, _BACK_LINE = 0.75, 0.06  # of a line's calls go to new people; of those call it back
_WAY_LINE, _WAY_USUAL = 0.92, 0.5  # of its calls go one way
_TIE = 2.0  # nats against, for each person spoken to again and again
_TIES_AT_WORK = 0.04  # of the people dealt with: colleagues, and those who are being milked
_NEW_BOTH, _MANY = 0.5, 50  # of its calls either way, with new people; so many, of who calls back
_OFTEN, _A_DAY = 2.0, 3.0  # strangers reach a line, times those of nine in ten, and at least
_FEWEST = 3  # calls of a line
_SILENT, _BOX_PEOPLE = 0.03, 10  # share of calls taken, at most; people called, at least


@dataclass(frozen=True, slots=True)
class Usual:
    """What the sample does: shares between 0 and 1.

    Attributes:
        new, back: share of calls that go to a new person; of people called who call back.
        new_in, back_in: the same of calls received.
        new_both: people dealt with for each call, made or received; ties: share of those people
            who are spoken to again and again.
        heard: strangers that call, on a day with calls taken, of nine in ten at most.
        answers: whether it is recorded that anybody answers.
        numbers: how many stand behind it.
    """

    new: float
    back: float
    new_in: float
    back_in: float
    new_both: float
    ties: float
    heard: float
    answers: bool
    numbers: int


def usual(near: Near, profiles: Profiles) -> Usual:
    """What is usual, kept within what the tests of a line can use."""
    p = profiles
    of = np.flatnonzero((near.why & SAMPLE) > 0)
    met = p.people + p.callers - p.back

    def share(part: Ints, whole: Ints, low: float, high: float) -> float:
        total = int(whole[of].sum())
        found = part[of].sum() / total if total else (low + high) / 2
        return float(np.clip(found, low, high))

    return Usual(
        share(p.people, p.out, 0.1, 0.5),
        share(p.back, p.people, 0.25, 0.8),
        share(p.callers, p.inn, 0.1, 0.5),
        share(p.back, p.callers, 0.25, 0.8),
        share(met, p.out + p.inn, 0.05, 0.35),
        share(p.ties, met, 0.1, 0.4),
        float(np.quantile(_heard(p)[of], 0.9)) if len(of) else 0.0,
        bool((p.taken_talk[of] > 0).any()),
        len(of),
    )


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines by position in `Near.numbers`.

    Attributes:
        at: positions, ascending. calling: True where it calls, False where it is called.
        nats: evidence that it deals with strangers alone.
    """

    at: Ints
    calling: NDArray[np.bool_]
    nats: Floats


def lines(near: Near, profiles: Profiles, beside: Usual, least: float) -> Lines:
    """Numbers whose evidence is at least so many nats."""
    p = profiles
    met = p.people + p.callers - p.back
    known = np.maximum(p.ties - _TIES_AT_WORK * (p.people + p.callers), 0)
    ties = np.minimum(_TIE * known, -LEAST)
    one_way = _strangers(p.people - p.back, p.people, 1 - _BACK_LINE, 1 - beside.back) + _strangers(
        p.out, p.out + p.inn, _WAY_LINE, _WAY_USUAL
    )
    out = _strangers(p.people, p.out, _NEW_LINE, beside.new) + one_way - ties
    inn = (
        _strangers(p.callers, p.inn, _NEW_LINE, beside.new_in)
        + _strangers(p.callers - p.back, p.callers, 1 - _BACK_LINE, 1 - beside.back_in)
        + _strangers(p.inn, p.out + p.inn, _WAY_LINE, _WAY_USUAL)
        - ties
    )
    # who is never called back by anybody speaks again to the same people without knowing them
    silent = (p.inn <= _SILENT * p.out) & (p.people >= _BOX_PEOPLE) & ((near.why & BOX) > 0)
    out = np.where(silent, np.maximum(out, one_way), out)
    # who is called back by victims, and calls them back, goes neither way: many people tell it
    both = _strangers(met, p.out + p.inn, _NEW_BOTH, beside.new_both) - ties
    both += _strangers(met - p.ties, met, 1 - _TIES_AT_WORK, 1 - beside.ties)
    both = np.where(met >= _MANY, both, -np.inf)
    out, inn = np.maximum(out, both), np.maximum(inn, both)
    # everybody is called by strangers, as a second SIM by who calls cold; a line is called often,
    # and answers
    called = (p.inn >= _FEWEST) & (_heard(p) >= max(_OFTEN * beside.heard, _A_DAY))
    if beside.answers:
        called &= p.taken_talk > 0
    # seldom called is part of calling strangers, and the other way about
    out = np.where((p.out >= _FEWEST) & (p.out >= p.inn), out, -np.inf)
    inn = np.where(called & (p.inn > p.out), inn, -np.inf)
    looked = near.why != 0
    best = np.where(looked, np.maximum(out, inn), -np.inf)
    at = np.flatnonzero(best >= least)
    return Lines(at, (out >= inn)[at], best[at])


def _heard(p: Profiles) -> Floats:
    """People a day who call without being called, on days with calls taken."""
    return np.asarray((p.callers - p.back) / np.maximum(p.taken_days, 1))


def _strangers(part: Ints, whole: Ints, line: float, usual_: float) -> Floats:
    """Log-likelihood ratio of so many of so many, capped; 0 of 0 says nothing."""
    of_part = np.log(line / usual_)
    of_rest = np.log((1 - line) / (1 - usual_))
    return np.asarray(np.clip(part * of_part + (whole - part) * of_rest, LEAST, MOST))
