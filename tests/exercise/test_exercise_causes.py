"""Patterns of payments that the world “callcentre” plants, and the honest people beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cordon.exercise.worlds import callcentre
from cordon.exercise.worlds.calling.accounts import Accounts
from cordon.exercise.worlds.calling.causes import NOTES, Causes
from cordon.exercise.worlds.calling.drawing import DAY
from cordon.exercise.worlds.calling.nation import Nation

DATA: dict[str, Any] = yaml.safe_load(
    Path(callcentre.__file__).with_suffix(".yaml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def lived() -> Nation:
    """A world before it lives."""
    return Nation(DATA, 5, 0.01, datetime(2026, 1, 17, tzinfo=UTC).date(), 0.0, 2 * DAY)


@pytest.fixture(scope="module")
def causes(lived: Nation) -> tuple[Causes, Accounts]:
    """What many do together in thirty days, without the rest of the world."""
    accounts = Accounts(
        lived.values["money"], lived.people, lived.lines, lived.centres, np.random.default_rng(1)
    )
    span, rng = (0.0, 30 * DAY), np.random.default_rng(3)
    return Causes(DATA["causes"], accounts, 0.2, span, rng), accounts


def test_every_pattern_is_planted_and_told_among_honest_people(
    causes: tuple[Causes, Accounts],
) -> None:
    made, accounts = causes
    assert {c.what for c in made.planted} == set(NOTES)
    assert {c.what for c in made.innocent} == set(DATA["causes"]) - set(NOTES)
    assert len(made.innocent) > 2 * len(made.planted)
    names = accounts.names().to_pylist()
    told = made.truths(names, datetime(2026, 1, 17, tzinfo=UTC))
    assert {t.note for t in told} == set(NOTES.values())
    honest = {f"account:{names[a]}" for c in made.innocent for a in c.accounts}
    for truth in told:
        assert truth.kind == "money.pattern"
        assert truth.start < truth.end
        assert honest.isdisjoint(truth.subjects)


def test_nobody_of_a_cause_pays_out_what_did_not_come_in(causes: tuple[Causes, Accounts]) -> None:
    """Of those who collect and pass on; people and traders have other money too."""
    made, _ = causes
    m = made.moves
    t, one, two, amount = (np.concatenate(c) for c in (m.t, m.one, m.two, m.amount))
    order = np.argsort(t, kind="stable")
    passing = [
        a for c in (*made.planted, *made.innocent)
        if c.what not in ("hawala_pair", "traders", "committee", "border_cash", "kin_abroad",
                          "big_family", "fee_agent")
        for a in c.accounts
    ]  # fmt: skip
    assert len(passing) > 50
    for account in passing:
        moved = np.where(two[order] == account, amount[order], 0.0)
        moved = moved - np.where(one[order] == account, amount[order], 0.0)
        assert np.cumsum(moved).min() >= -len(m.t), account  # but for rounding to whole rupees


def test_a_plant_that_the_span_cuts_short_is_no_truth(lived: Nation) -> None:
    accounts = Accounts(
        lived.values["money"], lived.people, lived.lines, lived.centres, np.random.default_rng(1)
    )
    made = Causes(DATA["causes"], accounts, 0.02, (0.0, 0.05 * DAY), np.random.default_rng(3))
    told = made.truths(accounts.names().to_pylist(), datetime(2026, 1, 17, tzinfo=UTC))
    assert len(told) < len(made.planted)
