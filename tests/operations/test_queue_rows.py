"""Rows of the queue that are kept: never old, and never cut by what somebody wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.operations.model import AlertState, Position
from cordon.operations.queue_rows import CUT, PIECES, DrawnRows, Row

ROW = Row(
    id="1", title="Going dark", seriousness="grave", state=AlertState.OPEN,
    place=Position(25.0, 63.0), alike=0, level=0, score=75.5, unit=None, withdrawn=False,
    assignee="", acts=(("a", "/alerts/1/assign"),), posts=(), pick=True, chosen=False,
)  # fmt: skip


def drawing(told):
    def draw():
        told.append(1)
        return CUT.join(f"<{n}>" for n in range(PIECES))

    return draw


def test_a_row_is_drawn_once_for_all_who_read_the_same():
    rows, told = DrawnRows(), []
    first = rows.pieces("en", ROW, drawing(told))
    assert rows.pieces("en", replace(ROW), drawing(told)) == first == ["<0>", "<1>", "<2>", "<3>"]
    assert len(told) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"state": AlertState.ASSIGNED}, {"assignee": "Officer Two"}, {"score": 75.6}, {"level": 1},
        {"alike": 2}, {"withdrawn": True},
        {"unit": "PB-1"}, {"place": None}, {"acts": ()}, {"pick": False},
        {"chosen": True}, {"posts": (("x", "/alerts/1/acknowledge"),)}, {"title": "Zone entry"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_whatever_stands_in_it_draws_it_anew(changed):
    rows, told = DrawnRows(), []
    rows.pieces("en", ROW, drawing(told))
    rows.pieces("en", replace(ROW, **changed), drawing(told))
    rows.pieces("ur", ROW, drawing(told))
    assert len(told) == 3


def test_a_row_in_other_pieces_than_are_put_together_is_refused():
    with pytest.raises(ValueError, match="2 pieces, not 4"):
        DrawnRows().pieces("en", ROW, lambda: f"a{CUT}b")
