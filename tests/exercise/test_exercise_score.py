"""The score, by cases worked out by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.exercise import Truth, score
from cordon.exercise.score import KindScore, overlap
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def truth(kind: str, *subjects: str, span: tuple[float, float] = (0, 1)) -> Truth:
    return Truth(kind, tuple(sorted(subjects)), at(span[0]), at(span[1]))


def finding(kind: str, *subjects: str, span: tuple[float, float] = (0, 1)) -> Finding:
    return Finding.make(
        kind=kind,
        subjects=subjects,
        start=at(span[0]),
        end=at(span[1]),
        confidence=0.5,
        reasons=[],
        records=[],
        detector="d",
        version="1",
    )


def of(result: object, kind: str) -> KindScore:
    return next(k for k in result.kinds if k.kind == kind)  # type: ignore[attr-defined]


def test_a_case_worked_out_by_hand() -> None:
    truths = [
        truth("g", "mmsi:1", span=(0, 2)),
        truth("g", "mmsi:2", span=(0, 2)),
        truth("g", "mmsi:3", span=(0, 2)),
        truth("z", "mmsi:1", "zone:a"),
    ]
    findings = [
        finding("g", "mmsi:1", span=(1, 3)),  # answers the first, three hours after its start
        finding("g", "mmsi:2", span=(2, 5)),  # touches the second at one moment; five hours after
        finding("g", "mmsi:3", span=(2.1, 4)),  # too late for the third
        finding("g", "mmsi:9"),  # nobody's
        finding("z", "mmsi:1", span=(0, 0.5)),  # one of two subjects: one half is enough
        finding("x", "mmsi:1"),  # of a kind that was not planted
    ]
    told = score(truths, findings, days=2.0)
    gap = of(told, "g")
    assert (gap.truths, gap.found, gap.false) == (3, 2, 2)
    assert gap.precision == 2 / 4
    assert gap.recall == 2 / 3
    assert gap.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert gap.false_a_day == 1.0
    assert gap.median_delay_s == 4 * 3600
    zone = of(told, "z")
    assert (zone.found, zone.false, zone.f1, zone.median_delay_s) == (1, 0, 1.0, 1800)
    odd = of(told, "x")
    assert (odd.truths, odd.false, odd.precision, odd.recall) == (0, 1, 0.0, None)
    assert odd.f1 == 0
    assert told.answers == ((0, 0), (1, 1), (3, 4))
    assert [k.kind for k in told.kinds] == ["g", "x", "z"]


def test_only_types_that_the_truth_names_count() -> None:
    planted = truth("c", "number:+1", "number:+2")
    assert overlap(planted, finding("c", "number:+1", "number:+2", "imei:7", "cell:a")) == 1.0
    assert overlap(planted, finding("c", "number:+1", "number:+3")) == 1 / 3
    assert overlap(planted, finding("c", "number:+1")) == 0.5
    assert of(score([planted], [finding("c", "number:+1", "number:+3")]), "c").found == 0


def test_the_best_overlap_goes_first_and_each_is_used_once() -> None:
    truths = [truth("c", "n:1", "n:2"), truth("c", "n:1", "n:2", "n:3")]
    # the second finding is whole for the second truth; the first then takes the first truth
    findings = [finding("c", "n:1", "n:2", "n:4"), finding("c", "n:1", "n:2", "n:3")]
    assert score(truths, findings).answers == ((0, 0), (1, 1))
    # said twice, answered once: the other one is false
    twice = score([truths[0]], [finding("c", "n:1", "n:2"), finding("c", "n:1")])
    assert twice.answers == ((0, 0),)
    assert of(twice, "c").false == 1


def test_a_greedy_choice_is_by_overlap_not_by_number_of_answers() -> None:
    # the finding with the best overlap takes the truth that the other one would need
    truths = [truth("c", "n:1", "n:2"), truth("c", "n:1")]
    findings = [finding("c", "n:1"), finding("c", "n:1", span=(0, 0.5))]
    told = score(truths, findings)
    assert told.answers == ((0, 1), (1, 0))


def test_among_equals_the_longer_common_time_decides() -> None:
    truths = [truth("g", "m:1", span=(0, 1)), truth("g", "m:1", span=(1, 9))]
    findings = [finding("g", "m:1", span=(0.5, 8)), finding("g", "m:1", span=(0, 1))]
    assert score(truths, findings).answers == ((0, 1), (1, 0))


def test_the_delay_is_to_the_moment_that_is_said_to_be_the_telling() -> None:
    truths = [truth("g", "m:1"), truth("g", "m:2", span=(5, 6)), truth("z", "m:3")]
    findings = [
        finding("g", "m:1", span=(0, 4)),
        finding("g", "m:2", span=(5, 9)),
        finding("z", "m:3", span=(0, 4)),
    ]
    kept = {findings[0].id: at(0.5), findings[1].id: at(4.9)}
    told = score(truths, findings, told=lambda _, f: kept.get(f.id))
    # the second was kept before its truth's start, as a clock that is off says: no delay at all
    assert of(told, "g").median_delay_s == 900
    assert of(told, "z").median_delay_s is None
    assert (of(told, "z").found, of(told, "z").recall) == (1, 1.0)


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf")])
def test_a_length_that_is_none_has_no_score(days: float) -> None:
    with pytest.raises(BadInput):
        score([], [], days=days)


def test_nothing_planted_and_nothing_found() -> None:
    told = score([], [])
    assert told.kinds == ()
    assert told.to_dict() == {"days": 1.0, "kinds": []}
    only = of(score([truth("g", "m:1")], []), "g")
    assert (only.precision, only.recall, only.f1, only.median_delay_s) == (None, 0.0, 0.0, None)


def test_days_are_those_of_what_was_planted_and_found() -> None:
    told = score([truth("g", "m:1", span=(0, 24))], [finding("g", "m:2", span=(24, 96))])
    assert told.days == 4.0
    assert of(told, "g").false_a_day == 0.25
    with pytest.raises(BadInput):
        score([], [], days=0)


subjects = st.sets(st.sampled_from(["n:1", "n:2", "n:3", "m:1"]), min_size=1)
spans = st.tuples(st.integers(0, 5), st.integers(0, 3)).map(lambda p: (p[0], p[0] + p[1]))
said = st.tuples(st.sampled_from("ab"), subjects, spans)


@settings(max_examples=60, deadline=None)
@given(st.lists(said, max_size=7), st.lists(said, max_size=7), st.randoms(use_true_random=False))
def test_any_score_is_sound_and_of_no_order(
    planted: list[tuple[str, set[str], tuple[int, int]]],
    told: list[tuple[str, set[str], tuple[int, int]]],
    shuffler: random.Random,
) -> None:
    truths = [truth(k, *s, span=p) for k, s, p in planted]
    findings = [finding(k, *s, span=p) for k, s, p in told]
    result = score(truths, findings)
    assert len({t for t, _ in result.answers}) == len(result.answers)
    assert len({f for _, f in result.answers}) == len(result.answers)
    for t, f in result.answers:
        assert truths[t].kind == findings[f].kind
        assert overlap(truths[t], findings[f]) >= 0.5
        assert max(truths[t].start, findings[f].start) <= min(truths[t].end, findings[f].end)
    for k in result.kinds:
        assert k.found + k.false == sum(f.kind == k.kind for f in findings)
        assert k.found <= k.truths
    shuffler.shuffle(truths)
    shuffler.shuffle(findings)
    assert score(truths, findings).kinds == result.kinds
