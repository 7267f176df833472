"""Profiles: what each number's calls say of it, held to counting them one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import fields

import numpy as np
import pytest

from cordon.calls.survey.near import Near
from cordon.calls.survey.profiles import Profiles, profiles

HOUR, DAY = 3_600_000_000, 86_400_000_000
OFFSET_S = 18_000


def drawn(seed: int, rows: int, size: int) -> Near:
    """Calls at random among few, by time, so that pairs speak again, back, and on several days."""
    rng = np.random.default_rng(seed)
    duration = rng.gamma(2.0, 30.0, rows).round()
    duration[rng.random(rows) < 0.3] = 0.0
    duration[rng.random(rows) < 0.2] = np.nan
    none = np.full(rows, -1, np.int32)
    return Near(
        [f"+92300{n:07d}" for n in range(size)],
        np.arange(size),
        np.ones(size, np.int8),
        np.sort(rng.integers(0, 5 * DAY, rows)) + 1_700_000_000_000_000,
        duration.astype(np.float32),
        rng.random(rows) < 0.8,
        (size * rng.random(rows) ** 2).astype(np.int32),
        rng.integers(0, size, rows).astype(np.int32),
        none, none, none, none, none, none,
        np.zeros(rows, np.int32),
        np.arange(rows),
        [], [], [], [],
    )  # fmt: skip


def one_by_one(near: Near, number: int) -> dict[str, float]:
    """The profile of one number."""
    people: dict[int, list[int]] = defaultdict(list)
    callers: dict[int, list[int]] = defaultdict(list)
    hours, talk, taken, told = np.zeros(24, int), [], [], 0
    every = []
    for us, a, b, voice, duration in zip(
        near.us, near.caller, near.callee, near.voice, near.duration, strict=True
    ):
        if number in (a, b):
            every.append(int(us))
        if not voice or a == b or number not in (a, b):
            continue
        local = int(us) + OFFSET_S * 1_000_000
        hours[local // HOUR % 24] += 1
        (people if a == number else callers)[int(b if a == number else a)].append(local // DAY)
        if a == number:
            told += not np.isnan(duration)
        if duration > 0:
            (talk if a == number else taken).append(float(duration))
    out = sum(map(len, people.values()))
    tied = {p for many in (people, callers) for p, d in many.items() if tie(d)}
    shares = np.array([len(d) / out for d in people.values()])
    return {
        "out": out,
        "inn": sum(map(len, callers.values())),
        "people": len(people),
        "callers": len(callers),
        "back": len(people.keys() & callers.keys()),
        "ties": len(tied),
        "days": len({d for days in people.values() for d in days}),
        "taken_days": len({d for days in callers.values() for d in days}),
        "met": sum(len(set(d)) for d in people.values()),
        "first": min(every, default=np.iinfo(np.int64).max),
        "last": max(every, default=np.iinfo(np.int64).min),
        "talk": sorted(talk)[(len(talk) - 1) // 2] if talk else np.nan,
        "taken_talk": sorted(taken)[(len(taken) - 1) // 2] if taken else np.nan,
        "answered": len(talk) / told if told else np.nan,
        "hours": hours,
        "spread": (
            float(-(shares * np.log(shares)).sum() / np.log(len(people)))
            if len(people) > 1
            else np.nan
        ),
    }  # fmt: skip


def tie(days: list[int]) -> bool:
    """Three calls on two days make somebody more than a stranger."""
    return len(days) >= 3 and len(Counter(days)) >= 2


@pytest.mark.parametrize(("rows", "size"), [(3_000, 60), (200, 150), (1, 2), (0, 3)])
def test_what_numbers_do_is_counted(rows: int, size: int) -> None:
    near = drawn(rows, rows, size)
    found = profiles(near, OFFSET_S)
    names = [f.name for f in fields(Profiles)]
    for number in range(size):
        told = one_by_one(near, number)
        for name in names:
            np.testing.assert_allclose(
                getattr(found, name)[number], told[name], rtol=1e-12, atol=1e-12, err_msg=name
            )
