"""Rate limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import TooMany

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_burst_passes_and_then_one_at_a_time():
    clock = SetClock(START)
    limit = RateLimit(clock, per_minute=60, burst=3)
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 0]
    assert limit.wait("a") == pytest.approx(1.0)
    assert limit.wait("b") == 0
    clock.advance(timedelta(seconds=0.5))
    with pytest.raises(TooMany, match="in 1 s"):
        limit.take("a")
    clock.advance(timedelta(seconds=0.5))
    limit.take("a")


def test_a_clock_set_back_takes_nothing_away():
    clock = SetClock(START)
    limit = RateLimit(clock, per_minute=60, burst=2)
    limit.take("a")
    clock.advance(-timedelta(hours=1))
    limit.take("a")
    clock.advance(timedelta(seconds=1))
    limit.take("a")


def test_memory_is_bounded():
    limit = RateLimit(SetClock(START), per_minute=1, most_keys=100)
    for i in range(1000):
        limit.take(f"10.0.{i // 250}.{i % 250}")
    assert len(limit._buckets) == 100


@given(st.lists(st.floats(0, 30), min_size=1, max_size=80), st.integers(1, 120), st.integers(1, 20))
def test_never_more_than_the_burst_and_the_rate_together(pauses, per_minute, burst):
    clock = SetClock(START)
    limit = RateLimit(clock, per_minute=per_minute, burst=burst)
    passed = 0
    for pause in pauses:
        clock.advance(timedelta(seconds=pause))
        passed += limit.wait("a") == 0
        elapsed = (clock.now() - START).total_seconds()
        assert passed <= burst + elapsed * per_minute / 60 + 1e-6
