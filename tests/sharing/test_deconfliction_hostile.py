"""What other nodes and officers may not do with planned acts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import BadInput, Refused, TooMany
from cordon.sharing.deconfliction import asking, meeting
from cordon.sharing.deconfliction.model import ConflictState
from cordon.sharing.deconfliction.tables import (
    ConflictRow,
    PlannedActRow,
)
from cordon.sharing.deconfliction.wire import CHECK, WORD
from cordon.sharing.hidden import NotHere
from cordon.sharing.nodes import outbox
from support.deconflicting import NOON, Side
from support.pairing import paired

sides, two = paired(Side)


def claim(**more):
    at = NOON.isoformat()
    end = (NOON + timedelta(hours=3)).isoformat()
    return {
        "ref": "ab" * 16, "revision": 1, "lat": 30.0, "lon": 70.0, "radius_m": 1000.0, "area": [],
        "start": at, "end": end, "subject_start": at, "subject_end": end, "tokens": [],
        "joint": None, "ring": "021-1234567", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {}, {"version": 2, "acts": []}, {"version": 1, "acts": {}}, {"version": 1, "acts": ["x"]},
        {"version": 1, "acts": [claim()] * 51}, {"version": 1, "acts": [claim()] * 2},
        *(
            {"version": 1, "acts": [claim(**wrong)]}
            for wrong in (
                {"lat": 90.1}, {"lon": -180.5}, {"lat": "30"}, {"lat": True}, {"lat": 10**400},
                {"radius_m": 50_001}, {"radius_m": 0}, {"radius_m": None}, {"lat": None},
                {"start": "2026-01-17T08:30:00"}, {"start": "soon"}, {"start": None},
                {"start": NOON.isoformat(), "end": NOON.isoformat()},
                {"end": (NOON + timedelta(days=60)).isoformat(),
                 "subject_end": (NOON + timedelta(days=60)).isoformat()},
                {"subject_end": (NOON + timedelta(hours=1)).isoformat()},
                {"subject_end": (NOON + timedelta(days=400)).isoformat()},
                {"start": "0001-01-01T00:00:00+14:00"},
                {"tokens": ["ab" * 16] * 21}, {"tokens": "x"}, {"tokens": ["AB" * 16]},
                {"tokens": [None]}, {"ref": "x"}, {"ref": 7}, {"revision": 0}, {"revision": 1.0},
                {"revision": True}, {"revision": 10**12}, {"ring": ""}, {"ring": "x" * 81},
                {"ring": "a\nb"}, {"joint": "x"}, {"area": [[0, 0]]}, {"area": "x"},
                {"area": [[30, 70]] * 61}, {"area": [[30, 70, 1]] * 3}, {"area": [[30, "x"]] * 3},
                {"area": [[30, 70], [30.1, 70.1], [30.1, 70], [30, 70.1]]},
                {"area": [[0, 0], [0, 120], [0, -120]]}, {"area": [[30, 70], [31, 70], [31, 71]]},
            )
        ),
    ],
)  # fmt: skip
def test_a_hostile_question_is_refused(two, body):
    a, _ = two
    with a.kernel.work(a.kernel.node) as work, pytest.raises(BadInput):
        a.desk.answer(work, "pk-bb", body)


@pytest.mark.parametrize("middle", [(90, 0), (-90, 12), (0, 180), (0, -180)])
def test_poles_and_the_date_line_are_places(two, middle):
    a, b = two
    with a.kernel.work(a.kernel.node) as work:
        said = a.desk.answer(
            work, "pk-bb", {"version": 1, "acts": [claim(lat=middle[0], lon=middle[1])]}
        )
    assert said["acts"][0]["met"] == []
    assert outbox.ask(b.nodes, "pk-aa", CHECK, {"version": 1, "acts": []})["acts"] == []


def test_a_hostile_word_or_answer_changes_nothing(two, monkeypatch):
    a, b = two
    theirs = b.add()
    ours = a.add()
    with a.kernel.rows.read() as session:
        row = session.scalars(select(ConflictRow)).one()
        act = session.get(PlannedActRow, ours)
    good = {
        "yours": act.ref, "mine": row.ref, "of": 1, "revision": 1, "word": "solved", "who": "X",
        "how": "", "ring": "", "basis": [],
    }  # fmt: skip
    for wrong in (
        {"word": "deleted"}, {"word": ["met"]}, {"yours": ""}, {"of": "1"}, {"who": "x" * 81},
        {"how": None}, {"word": "met"}, {"word": "met", "ring": "021", "basis": ["name"]},
        {"who": "\x07"},
    ):  # fmt: skip
        with a.kernel.work(a.kernel.node) as work, pytest.raises(BadInput):
            a.desk.heard(work, "pk-bb", {**good, **wrong})
    with a.kernel.work(a.kernel.node) as work:
        a.desk.heard(work, "pk-cc", good)  # another node speaks of a conflict that is not its own
        a.desk.heard(work, "pk-bb", {**good, "mine": "cd" * 16})
        a.desk.heard(work, "pk-bb", {**good, "yours": "cd" * 16})
        a.desk.heard(work, "pk-bb", {**good, "revision": 7})
    assert a.conflict(ours).theirs == ConflictState.OPEN
    for answer in (
        {},
        {"version": 1, "acts": [{"ref": act.ref, "revision": 1, "met": [{}] * 101}]},
    ):
        with monkeypatch.context() as bad:
            bad.setattr(asking.outbox, "ask", lambda *_, answer=answer, **__: answer)
            a.change(ours, lat="30.001")
        (away,) = a.show(ours).unchecked
        assert "cannot be used" in away.problem
    assert b.show(theirs).act.state == "planned"
    assert WORD == "deconflict.word"


def test_a_node_that_asks_around_is_stopped(two, monkeypatch):
    a, b = two
    monkeypatch.setattr(meeting, "MOST_OPEN", 3)
    for n in range(4):
        b.add(lat=str(20 + n))
    for n in range(3):
        assert a.conflict(a.add(lat=str(20 + n)))
    act = a.add(lat="23")
    assert "open here" in a.show(act).unchecked[0].problem
    with b.kernel.work(b.kernel.node) as work, pytest.raises(TooMany):
        b.desk.answer(work, "pk-aa", {"version": 1, "acts": []})


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "party"}, {"lat": ""}, {"lat": "91"}, {"starts": ""}, {"starts": "tomorrow"},
        {"hours": "0"}, {"hours": "800"}, {"hours": "x"}, {"buffer_min": "-1"},
        {"buffer_min": "nan"}, {"subject_days": "91"}, {"ring": ""}, {"ring": "x" * 81},
        {"commander": " "}, {"subjects": "Ali"}, {"subjects": "colour:red"},
        {"subjects": "\n".join(f"vehicle:{n}" for n in range(21))}, {"joint": "abc"},
        {"mark": "TLP:RED"}, {"mark": "secret"}, {"area": "30"}, {"area": "30,70\n31,71"},
        {"starts": "2020-01-01T00:00"}, {"ends": "2020-01-01T00:00"},
        {"starts": "0001-01-01T00:00"},
    ],
)  # fmt: skip
def test_what_cannot_be_entered_is_said(two, wrong):
    a, _ = two
    typed = {
        "kind": "raid", "lat": "30", "lon": "70", "starts": NOON.isoformat(), "ring": "021-12",
        "commander": "X", **wrong,
    }  # fmt: skip
    with pytest.raises(BadInput):
        a.desk.add(a.watch, a.draft(typed))
    assert a.desk.planned(a.watch) == []


def test_who_may_not_does_not(two):
    a, _ = two
    act = a.add()
    for role in (Role.ADMINISTRATOR, Role.FIELD_OFFICER, Role.OVERSEER):
        actor = Actor("x", "X", "pk-aa", None, frozenset({role}), Mark.AMBER_STRICT)
        with pytest.raises(Refused):
            a.desk.end(actor, act, "will not take place")
    low = Actor("y", "Y", "pk-aa", None, frozenset({Role.WATCH_OFFICER}), Mark.GREEN)
    assert a.desk.planned(low) == []
    with pytest.raises(Refused):
        a.desk.show(low, act)
    with pytest.raises(NotHere):
        a.show("nothing")
    with pytest.raises(NotHere):
        a.desk.own(a.watch, "nothing")
