"""A finding that its detector took back: told to whoever acted, and buried by nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from cordon.kernel import leads
from cordon.kernel.events import EventRow
from cordon.kernel.leads.tables import LeadRow
from cordon.operations import TaskingState
from cordon.operations.routes import routes

WHY = "Reports that came late show otherwise."


@pytest.fixture
def back(kernel, make):
    """Take a finding back and let the node hand that on."""

    def take_back(finding=None) -> bool:
        with kernel.work(kernel.node) as work:
            done = leads.withdraw(work, finding or make(), WHY)
        kernel.dispatcher.run_pending()
        return done

    return take_back


def told(kernel, alert: str) -> dict:
    with kernel.rows.read() as session:
        (row,) = session.scalars(
            select(EventRow).where(EventRow.topic == "operations.alert.withdrawn")
        )
        assert row.payload["alert"] == alert
        return row.payload


def test_the_lead_stays_as_it_was(kernel, room, raised, make, officers, back) -> None:
    alert = raised()
    with kernel.rows.read() as session:
        before = {r.id: r.state for r in session.scalars(select(LeadRow))}
    assert back()
    assert not back(), "it is taken back once"
    with kernel.view(officers["watch"]) as view:
        kept = leads.get_finding(view, make().id)
    assert kept.withdrawn.why == WHY
    assert kept.withdrawn.at == kernel.clock.now()
    assert (kept.finding.reasons, kept.finding.records) == (make().reasons, make().records)
    with kernel.rows.read() as session:
        assert {r.id: r.state for r in session.scalars(select(LeadRow))} == before
    (shown,) = room.queue(officers["watch"]).alerts
    assert (shown.id, shown.withdrawn_at) == (alert, kernel.clock.now())
    entries = [e for e in room.history(officers["watch"], alert) if e.detail.get("withdrawn")]
    assert [e.detail["why"] for e in entries] == [WHY]
    assert told(kernel, alert) == {"alert": alert, "to": [], "units": []}


def test_whoever_acted_on_it_is_told_until_they_look(
    kernel, room, raised, officers, boat, back
) -> None:
    alert, other = raised(), raised("mmsi:9", at=(24, 60))
    watch, second, field = officers["watch"], officers["watch2"], officers["field"]
    room.acknowledge(watch, alert)
    room.assign(watch, alert, second.id)
    tasking = room.send(watch, alert, boat.id, "Go alongside and look.")
    room.report(field, tasking.id, TaskingState.ACKNOWLEDGED)
    for officer in (watch, second):
        room.alert(officer, alert)
        assert room.taken_back(officer) == []
    kernel.clock.advance(timedelta(minutes=1))
    assert back()
    assert told(kernel, alert)["to"] == sorted([watch.id, second.id])
    assert told(kernel, alert)["units"] == ["pb-07"]
    for officer in (watch, second):
        assert [a.id for a in room.taken_back(officer)] == [alert], officer.name
    assert room.taken_back(officers["supervisor"]) == []
    assert room.tasking(field, tasking.id).withdrawn_at == kernel.clock.now()
    kernel.clock.advance(timedelta(minutes=1))
    room.alert(watch, alert)
    assert room.taken_back(watch) == []
    assert [a.id for a in room.taken_back(second)] == [alert]
    kernel.clock.advance(timedelta(days=8))
    assert room.taken_back(second) == []
    assert other


def test_found_again_it_holds_again(kernel, room, raised, make, officers, back) -> None:
    alert = raised()
    room.acknowledge(officers["watch"], alert)
    assert back()
    kernel.clock.advance(timedelta(minutes=1))
    raised()
    (shown,) = room.queue(officers["watch"]).alerts
    assert shown.withdrawn_at is None
    assert room.taken_back(officers["watch"]) == []
    with kernel.view(officers["watch"]) as view:
        assert leads.get_finding(view, make().id).withdrawn is None
    assert back(), "and may be taken back again"


def test_one_that_was_taken_back_stands_behind_what_holds_and_nothing_is_due(
    kernel, room, raised, make, officers, back, served
) -> None:
    grave, notice = raised(seriousness="grave"), raised("mmsi:9", seriousness="notice", at=(24, 60))
    before = room.queue(officers["watch"]).alerts[0].score
    assert back()
    holds, gone = room.queue(officers["watch"]).alerts
    assert (holds.id, gone.id) == (notice, grave)
    assert gone.score < before - 50
    assert gone.parts["points"]["withdrawn"] == -50.0
    assert gone.escalate_at is None
    kernel.clock.advance(timedelta(days=1))
    assert grave not in room.tick().escalated
    assert not room.queue(officers["watch"]).alerts[-1].overdue(kernel.clock.now())
    client = TestClient(served(routes(room)), headers={"x-officer": "watch"})
    rows = client.get("/alerts").text.split("</li>")
    (row,) = [r for r in rows if f"/alerts/{grave}" in r]
    assert "taken back" in row
    assert "due in" not in row
    assert "overdue" not in row
    told = {a["id"]: a for a in client.get("/api/operations/alerts").json()["alerts"]}
    assert told[grave]["due_at"] is None
    assert told[grave]["taken_back_at"] is not None
    assert told[notice]["due_at"] is not None
    assert told[notice]["taken_back_at"] is None
    # a new one does not vanish under it; found again, it is due again
    other = raised("mmsi:463012345", "mmsi:8")
    assert other in [a.id for a in room.queue(officers["watch"]).alerts]
    raised(seriousness="grave")
    found = room.alert(officers["watch"], grave).alert
    assert found.score > 50
    assert found.escalate_at is not None
    assert not found.taken_back


def test_one_that_others_stand_under_keeps_its_place(room, raised, officers, back) -> None:
    first = raised()
    raised("mmsi:463012345", "mmsi:8")
    before = room.queue(officers["watch"]).alerts[0]
    assert (before.id, before.alike) == (first, 1)
    assert back()
    after = room.queue(officers["watch"]).alerts[0]
    assert after.withdrawn_at is not None
    assert (after.id, after.score, after.taken_back) == (first, before.score, False)


def test_a_closed_one_is_not_brought_up_again(kernel, room, raised, officers, back) -> None:
    alert = raised(seriousness="notice")
    room.acknowledge(officers["watch"], alert)
    room.close(officers["watch"], alert, reason="explained", note="Its net was hauled in there.")
    assert back()
    assert room.taken_back(officers["watch"]) == []


def test_a_finding_that_is_not_kept_is_not_taken_back(kernel, make, room) -> None:
    with kernel.work(kernel.node) as work:
        assert not leads.withdraw(work, make(), WHY)


def test_the_pages_say_so(served, room, raised, make, officers, back, boat, kernel) -> None:
    alert = raised()
    room.acknowledge(officers["watch"], alert)
    tasking = room.send(officers["watch"], alert, boat.id, "Go alongside and look.")
    kernel.clock.advance(timedelta(minutes=1))
    back()
    app = served(routes(room))

    def page(officer: str, address: str) -> str:
        return TestClient(app, headers={"x-officer": officer}).get(address).text

    assert f'<a href="/alerts/{alert}">' in page("watch", "/alerts").split("Taken back since")[1]
    assert "Taken back since" not in page("supervisor", "/alerts")
    assert "taken back by its detector" in page("field", f"/taskings/{tasking.id}")
    assert "taken back" in page("field", "/taskings")
    said = page("watch", f"/alerts/{alert}")
    assert WHY in said
    assert "It stays here until an officer ends it." in said
    assert "Taken back since" not in page("watch", "/alerts")
