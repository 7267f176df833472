"""What was answered long ago and never closed comes before the overseer, with who said so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from cordon.kernel.access.authorities import Authorities, AuthorityRules
from cordon.operations import TaskingState
from cordon.oversight import Oversight
from cordon.oversight.routes import routes

ORDER = "Go alongside, look at its papers and its gear, report."
NOTE = "Net drying on deck, papers in order, master warned."
STEPS = (TaskingState.ACKNOWLEDGED, TaskingState.ON_SCENE, TaskingState.DONE)


@pytest.fixture
def oversight(kernel):
    return Oversight(kernel, Authorities(kernel, AuthorityRules(bases={})))


@pytest.fixture
def answer(room, officers, boat):
    """A unit goes for an alert and reports to the end; returns the tasking's id."""

    def go(alert, sent_by, reported_by):
        tasking = room.send(officers[sent_by], alert, boat.id, ORDER)
        for step, who in zip(STEPS, reported_by, strict=True):
            room.report(officers[who], tasking.id, step, note=NOTE)
        return tasking.id

    return go


def test_after_a_week_the_overseer_sees_who_sent_and_who_reported(
    room, raised, officers, oversight, answer, clock
):
    alone = raised("mmsi:1", seriousness="grave")
    alike = raised("mmsi:2", seriousness="notice")
    answer(alone, "watch", ("watch", "watch", "watch"))
    both = raised("mmsi:9", at=(20.0, 60.0), kind="picture.encounter")
    tasking = answer(both, "watch", ("field", "watch", "field"))
    overseer = officers["overseer"]
    clock.advance(timedelta(days=6))
    assert oversight.report(overseer).answered == ()
    clock.advance(timedelta(days=1, minutes=1))
    report = oversight.report(overseer)
    assert [one.lead.id for one in report.answered] == [alone, both, alike]  # the gravest first
    assert report.totals["answered"] == 3
    first, second, third = report.answered
    (sent,) = first.sent
    assert (sent.unit, sent.sent_by, sent.reported_by) == ("pb-07", "officer-watch",
                                                           ("officer-watch",))  # fmt: skip
    assert sent.alone
    (sent,) = second.sent
    assert (sent.tasking, sent.reported_by) == (tasking, ("officer-field", "officer-watch"))
    assert not sent.alone
    assert (third.with_alert, third.sent) == (alone, first.sent)
    room.close(officers["watch"], alone, "answered", NOTE)
    room.countersign(officers["watch2"], alone)
    assert [one.lead.id for one in oversight.report(overseer).answered] == [both, alike]


def test_an_alert_answered_by_a_case_says_whether_anybody_worked_on_it(
    room, raised, officers, oversight, clock
):
    idle = raised("mmsi:1")
    worked = raised("mmsi:9", at=(20.0, 60.0))
    room.open_case(officers["watch"], idle, "A silent boat")
    case = room.open_case(officers["watch"], worked, "Another silent boat")
    room.cases.take(officers["investigator"], case, led_by=officers["watch"].id)
    clock.advance(timedelta(days=8))
    by_alert = {one.lead.id: one for one in oversight.report(officers["overseer"]).answered}
    assert (by_alert[idle].case_opened_by, by_alert[idle].case_idle) == ("officer-watch", True)
    assert (by_alert[worked].case, by_alert[worked].case_idle) == (case, False)


def test_the_page_marks_where_the_sender_made_every_report(
    served, raised, answer, oversight, clock
):
    alert = raised("mmsi:1", seriousness="grave")
    answer(alert, "watch", ("watch", "watch", "watch"))
    clock.advance(timedelta(days=8))
    site = TestClient(served(routes(oversight)), headers={"x-officer": "overseer"})
    page = site.get("/oversight").text
    assert "the sender made every report" in page
    assert f'href="/alerts/{alert}"' in page
    (told,) = site.get("/api/oversight").json()["answered"]
    assert (told["lead"]["id"], told["sent"][0]["alone"]) == (alert, True)
