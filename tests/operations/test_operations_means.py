"""What units say they can do, what follows for their rank, and where they would meet a target."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import shapely
from fastapi.testclient import TestClient

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Refused
from cordon.operations import Position, Unit, UnitKind, UnitState
from cordon.operations.model import Statement
from cordon.operations.ranking import rank, ranked
from cordon.operations.ranking.land import Land
from cordon.operations.ranking.means import means, weighed
from cordon.operations.ranking.meeting import meetings
from cordon.operations.ranking.sea import Seas
from cordon.operations.routes import routes
from cordon.operations.triage.rules import builtin
from cordon.operations.triage.score import Blind, Target
from cordon.operations.words import SHOWN


@pytest.fixture
def rows_url(sqlite_url):
    """The statements are plain rows; the shape of the tables is tested on both stores."""
    return sqlite_url


@pytest.fixture
def open_sea(monkeypatch):
    """A sea with one wall, from 0.3 to 0.31 degrees east."""
    seas = Seas(Land([shapely.box(0.3, -0.5, 0.31, 0.5)]))
    monkeypatch.setattr(rank, "seas", lambda: seas)


def unit(code, lat, lon, *, kind=UnitKind.BOAT, speed=20.0, at=None):
    return Unit(code, "A", Mark.GREEN, code, code, kind, "Pasni", UnitState.READY, speed,
                "VHF 16", Position(lat, lon), at)  # fmt: skip


def test_the_words_are_known_to_the_catalogue_and_to_the_rules():
    use = means()
    assert {*use.acts.values(), *use.equipment.values()} <= set(SHOWN)
    assert {a for rule in builtin().kinds for a in rule.acts} <= set(use.acts)
    assert {level.called for level in builtin().levels} <= set(SHOWN)


def test_fuel_bars_a_unit_that_could_not_come_back(noon, open_sea):
    # 0.2 degrees are 12.0 nautical miles: 28.8 there and back with a fifth kept
    near, far = unit("NEAR", 0, 0.1), unit("FAR", 0, -0.1)
    said = {
        "NEAR": Statement("NEAR", noon, "o", range_nm=5.0, acts=("board",)),
        "FAR": Statement("FAR", noon, "o", range_nm=29.0, acts=("board",)),
    }
    place = Position(0, 0.1)
    first, last = ranked([near, far], place, now=noon, said=said, asks=("board",))
    assert (first.unit.code, first.cannot) == ("NEAR", False)  # it lies alongside
    place = Position(0, 0.2)
    said["NEAR"] = replace(said["NEAR"], range_nm=14.0)
    said["FAR"] = replace(said["FAR"], range_nm=43.3)
    first, last = ranked([near, far], place, now=noon, said=said, asks=("board",))
    assert [(c.unit.code, c.cannot) for c in (first, last)] == [("FAR", False), ("NEAR", True)]
    why = {r.name: r for r in last.reasons}["range"]
    assert why.value == pytest.approx(14.4, abs=0.1)
    assert (why.unit, why.threshold) == ("nm", 14.0)
    assert last.takes is not None  # it could get there
    # a statement from another watch bars nobody, and marks down by half
    old = {k: replace(s, said_at=noon - timedelta(hours=9)) for k, s in said.items()}
    again = {c.unit.code: c for c in ranked([near, far], place, now=noon, said=old)}
    assert not again["NEAR"].cannot
    assert again["NEAR"].added - again["FAR"].added == pytest.approx(
        timedelta(minutes=20), abs=timedelta(minutes=1)
    )


def test_what_it_lacks_marks_down_and_fades(noon):
    poor = Statement("U", noon, "o", crew=2, acts=("watch",))
    fresh = weighed(poor, ("board",), None, noon)
    assert (fresh.added_min, fresh.out) == (60.0, False)
    assert [r.name for r in fresh.reasons] == ["lacks", "crew"]
    assert "board a vessel" in fresh.reasons[0].says
    half = weighed(poor, ("board",), None, noon + timedelta(hours=9))
    assert half.added_min == 30.0
    gone = weighed(poor, ("board",), None, noon + timedelta(hours=25))
    assert (gone.added_min, [r.name for r in gone.reasons]) == (0.0, ["said_age"])
    assert weighed(None, ("board",), 1.0, noon).reasons[0].name == "said"
    able = weighed(Statement("U", noon, "o", crew=4, acts=("board",)), ("board",), None, noon)
    assert (able.added_min, able.reasons) == (0.0, ())


def test_an_intercept_is_held_against_the_land(noon, open_sea):
    target = Target("mmsi:1", 0.0, 0.1, 0.0, 5.0, noon - timedelta(minutes=5))
    units = [unit("CLEAR", 0.0, 0.0), unit("ACROSS", 0.2, 0.6), unit("SLOW", -1, 0.1, speed=5),
             unit("AIR", 0.2, 0.6, kind=UnitKind.AIRCRAFT, speed=100),
             unit("CAR", 0, 0, kind=UnitKind.VEHICLE)]  # fmt: skip
    found = {c.unit.code: c.meets for c in meetings(ranked(units, Position(0, 0.1)), target, noon)}
    assert found["SLOW"] is found["CAR"] is None
    assert found["CLEAR"].clear is True
    assert found["ACROSS"].clear is False
    assert found["AIR"].clear is None
    # it has gone on for five minutes since: the meeting lies north of there
    assert found["CLEAR"].place.lat > 5 * 300 / 111_195
    seconds = found["CLEAR"].takes.total_seconds()
    assert found["CLEAR"].place.lat == pytest.approx(5 * (300 + seconds) / 111_195, rel=1e-3)
    assert meetings([], target, noon) == []


class Eyes(Blind):
    def __init__(self, now):
        self.now = now

    def target(self, subject):
        return Target(subject, 25.05, 63.45, 270.0, 4.0, self.now)


def test_a_unit_says_what_it_can_do_and_the_board_shows_it(
    served, room, officers, raised, boat, clock, noon
):
    room.seen = Eyes(noon)
    app = served(routes(room))

    def browse(who):
        return TestClient(app, headers={"x-officer": who}, follow_redirects=False)

    field, watch = browse("field"), browse("watch")
    assert "nothing said" in watch.get("/units").text
    form = {"crew": "6", "range_nm": "much", "acts": ["board", "tow"], "equipment": ["radar"]}
    wrong = field.post(f"/units/{boat.id}/say", data=form)
    assert wrong.status_code == 422
    assert 'value="much"' in wrong.text
    assert re.search(r'value="tow" checked', wrong.text)
    form["range_nm"] = "120"
    assert field.post(f"/units/{boat.id}/say", data=form).status_code == 303
    body = watch.get("/units").text
    assert "crew of 6" in body
    assert "board a vessel, tow" in body
    assert "uncovered" in body  # no other boat could serve where it stands
    clock.advance(timedelta(hours=9))
    assert "from another watch" in watch.get("/units").text
    shown = watch.get(f"/units/{boat.id}").text
    assert "Officer field" in shown
    entry = room.kernel.ledger.of_thing(f"unit:{boat.id}")[0]
    assert (entry.act, entry.detail["crew"]) == ("operations.unit.say", 6)
    # programs
    told = watch.get("/api/operations/units").json()["units"][0]
    assert told["said"]["range_nm"] == 120
    said = watch.post(f"/api/operations/units/{boat.id}/say", json={"crew": 3, "acts": ["board"]})
    assert said.status_code == 201
    assert browse("overseer").post(f"/units/{boat.id}/say", data=form).status_code == 403
    # the ranking takes it in, and tells where they would meet
    room.seen = Eyes(clock.now())
    alert = raised()
    told = watch.get(f"/api/operations/alerts/{alert}/ranking").json()
    assert (told["asks"], told["target"]["course_deg"]) == (["board"], 270.0)
    choice = told["choices"][0]
    assert {"crew", "cover_left"} <= {r["name"] for r in choice["reasons"]}
    assert 0 < choice["intercept"]["takes_s"] < 7200
    send = watch.get(f"/alerts/{alert}/send").text
    assert "Intercept:" in send
    assert "An intercept holds while it keeps course and speed" in send


def test_what_cannot_be_is_refused(room, officers, boat):
    for wrong in ({"crew": -1}, {"crew": 501}, {"range_nm": float("nan")}, {"range_nm": -1.0},
                  {"acts": ["fly"]}, {"equipment": ["<b>"]}, {}, {"note": "x" * 501}):  # fmt: skip
        with pytest.raises(BadInput):
            room.say(officers["watch"], boat.id, **wrong)
    with pytest.raises(Refused):
        room.say(officers["investigator"], boat.id, crew=3)
    assert room.statements(officers["watch"], boat.id)[1] == []
