"""The effect of a disruption: the interval holds the truth, and what cannot be told is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.money.effect import Effect, Untold, effect, pooled
from cordon.money.effect.ratio import expected_days
from cordon.money.effect.simulate import trial

DAYS, AT = 84, 56


def rings(rng, many=6, mean=3.0):
    return rng.poisson(mean, (many, DAYS))


def test_the_truth_lies_in_the_interval_nine_times_in_ten():
    rng = np.random.default_rng(20)
    held = [
        told.low <= t.ratio <= told.high
        for t in (trial(rng) for _ in range(150))
        if isinstance(told := effect(t.treated, t.alone, t.at), Effect)
    ]
    assert len(held) > 120
    assert np.mean(held) >= 0.9


def test_the_interval_is_no_wider_than_it_must_be():
    """Many quiet rings and a clear effect: the interval must leave out that nothing happened."""
    rng = np.random.default_rng(3)
    own = rng.poisson(5.0, DAYS)
    own[AT:] = rng.poisson(0.5, DAYS - AT)
    told = effect(own, rings(rng, 12, 5.0), AT)
    assert 0.03 < told.low < told.ratio < told.high < 0.25
    assert told.weeks == (8, 4)


def test_what_all_rings_have_in_common_is_no_effect():
    """All fall to a tenth at once: a holiday, not the raid."""
    rng = np.random.default_rng(4)
    level = np.where(np.arange(DAYS) < AT, 10.0, 1.0)
    told = effect(rng.poisson(level), rng.poisson(level, (8, DAYS)), AT)
    assert told.low < 1 < told.high
    assert told.expected < 0.2 * told.before


def test_nothing_that_came_back_has_a_bound_above():
    rng = np.random.default_rng(5)
    own = rng.poisson(4.0, DAYS)
    own[AT:] = 0
    told = effect(own, rings(rng, 8, 4.0), AT)
    assert (told.ratio, told.low) == (0.0, 0.0)
    assert 0 < told.high < 0.2


@pytest.mark.parametrize(
    ("own", "alone", "at", "says"),
    [
        (np.ones(84), np.ones((5, 84)), 14, "whole weeks before"),
        (np.ones(84), np.ones((5, 84)), 80, "whole weeks before"),
        (np.zeros(84), np.ones((5, 84)), 56, "0 events before"),
        (np.ones(84), np.ones((2, 84)), 56, "2 other rings"),
        (np.ones(84), np.zeros((5, 84)), 56, "0 other rings"),
    ],
)
def test_what_cannot_be_told_is_said(own, alone, at, says):
    told = effect(own.astype(int), alone.astype(int), at)
    assert isinstance(told, Untold)
    assert says in told.why


def test_counts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="below 0"):
        effect(-np.ones(84, int), np.ones((5, 84), int), 56)
    with pytest.raises(ValueError, match="same days"):
        effect(np.ones(84, int), np.ones((5, 80), int), 56)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4))
def test_bounds_stand_around_the_ratio_and_more_events_mean_a_higher_one(seed, more):
    rng = np.random.default_rng(seed)
    alone = rings(rng)
    own = rng.poisson(3.0, DAYS)
    told = effect(own, alone, AT)
    assert told.low <= told.ratio <= told.high
    own[AT:] += more
    higher = effect(own, alone, AT)
    assert higher.ratio > told.ratio
    assert higher.low >= told.low


def test_several_disruptions_of_a_kind_say_more_than_one():
    rng = np.random.default_rng(9)
    told = []
    for _ in range(5):
        own = rng.poisson(3.0, DAYS)
        own[AT:] = rng.poisson(0.9, DAYS - AT)
        told.append(effect(own, rings(rng, 8), AT))
    together = pooled(told)
    assert together.low < 0.3 < together.high
    assert together.high / together.low < min(t.high / t.low for t in told)
    assert together.came == sum(t.came for t in told)
    assert pooled(told[:1]) == told[0]
    assert isinstance(pooled([]), Untold)


def test_what_is_drawn_as_expected_follows_those_left_alone():
    alone = np.full((4, DAYS), 10)
    alone[:, AT:] = 5
    drawn = expected_days(np.full(DAYS, 2), alone, AT)
    assert drawn[:AT] == pytest.approx(2.0)
    assert drawn[AT:] == pytest.approx(1.0)
