"""The values of the room refuse what cannot be read in court, and say what to write instead."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from cordon.cases.bundle.layout import event_from_dict, event_to_dict
from cordon.cases.model import CaseState, CustodyAct
from cordon.kernel.errors import BadInput


@pytest.mark.parametrize(
    "change",
    [
        {"number": "2026-1"},
        {"number": "C-2026-001"},
        {"number": "C-2026-0001\n"},
        {"title": " "},
        {"title": "two\nlines"},
        {"unit": ""},
        {"agency": "a\nb"},
        {"seriousness": "terrible"},
        {"opened_at": datetime(2026, 1, 1)},
        {"state": CaseState.CLOSED},
    ],
)
def test_a_case_is_refused(make, change):
    with pytest.raises(BadInput):
        dataclasses.replace(make.case, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "3"},
        {"label": "E-0"},
        {"label": "E-1/../x"},
        {"sha256": "A" * 64},
        {"sha256": "ab"},
        {"size": -1},
        {"media_type": "jpeg"},
        {"received_from": "somebody"},
        {"received_from": "ghost:x"},
        {"received_at": datetime(2026, 1, 1)},
    ],
)
def test_an_exhibit_is_refused(make, change):
    exhibit = make.exhibit("E-1", b"abc").exhibit
    with pytest.raises(BadInput):
        dataclasses.replace(exhibit, **change)


def test_an_entry_of_custody_survives_json_and_a_wrong_one_is_refused(make):
    for event in make.chain("x"):
        assert event_from_dict(event_to_dict(event)) == event
    good = event_to_dict(make.chain("x")[0])
    for key in good:
        with pytest.raises(BadInput):
            event_from_dict({k: v for k, v in good.items() if k != key})
    for wrong in [{"act": "lost"}, {"at": 3}, {"at": "2026"}, {"to_holder": "x"}, {"by": ""}]:
        with pytest.raises(BadInput):
            event_from_dict({**good, **wrong})
    assert set(CustodyAct) == {
        "received", "examined", "copied", "moved", "sealed", "released", "returned", "disposed"
    }  # fmt: skip
