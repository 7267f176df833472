"""Hand-over at the change of watch: nothing falls between two of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.errors import BadInput, Conflict, Refused, WrongSetting
from cordon.operations import AlertState, TaskingState
from cordon.operations.handover.desk import HandoverDesk
from cordon.operations.handover.routes import handover_routes
from cordon.operations.handover.watches import read_watches, span_at, spans
from cordon.operations.people import TakenFirst
from cordon.operations.queue import Filters
from cordon.operations.tables import AlertRow

ZONE = ZoneInfo("Asia/Karachi")
SUMMARY = "Two boats off Pasni were silent since dusk; PB-07 is looking."
ORDER = "Go alongside, look at its papers and its gear, report."
NOTE = "Net drying on deck, papers in order, master warned."


@pytest.fixture
def rows_url(request):
    """One store, but for tests that ask for both."""
    return request.getfixturevalue(getattr(request, "param", "sqlite_url"))


@pytest.fixture
def desk(room):
    return HandoverDesk(room, ZONE.key, read_watches(None), lambda: [("Pasni AIS", "silent")])


def test_a_watch_runs_at_every_moment_and_the_one_before_ends_where_it_begins(tmp_path):
    watches = read_watches(None)
    at = datetime(2026, 3, 6, 19, 0, tzinfo=UTC)  # midnight in Karachi
    assert span_at(watches, ZONE, at).watch.name == "00–08"
    assert span_at(watches, ZONE, at - timedelta(seconds=1)).watch.name == "16–24"
    for hour in range(48):
        present, before = spans(watches, ZONE, at + timedelta(hours=hour))
        assert present.starts <= at + timedelta(hours=hour) < present.ends
        assert before.ends == present.starts
        assert present.ends - present.starts == timedelta(hours=8)
    own = tmp_path / "watches.yaml"
    own.write_text('- {name: night, begins: "20:00"}\n- {name: day, begins: "06:00"}\n')
    one = span_at(read_watches(own), ZONE, at)
    assert (one.watch.name, one.ends - one.starts) == ("night", timedelta(hours=10))
    for wrong in ("[]", "- {name: x}", "a", '- {name: x, begins: "25:00"}', "- [",
                  '- {name: x, begins: "06:00"}\n- {name: y, begins: "06:00"}'):  # fmt: skip
        own.write_text(wrong)
        with pytest.raises(WrongSetting, match=r"watches\.yaml"):
            read_watches(own)


@pytest.mark.parametrize("rows_url", ["sqlite_url", "migrated_postgres_url"], indirect=True)
def test_no_alert_falls_between_two_watches(kernel, room, desk, officers, raised, boat, clock):
    out, incoming = officers["watch"], officers["watch2"]
    ids = [raised(f"mmsi:{n}", at=(10 + n, 60)) for n in range(5)]
    under = raised("mmsi:0", at=(10, 60), value=50.0, says="Again.", start=clock.now())
    for id_ in ids[:3]:
        room.assign(out, id_, out.id)
    room.close(out, ids[2], "explained", NOTE)  # it waits for a second officer
    room.send(out, ids[1], boat.id, ORDER)
    room.acknowledge(out, ids[3])
    made = desk.write(out, SUMMARY)
    assert {a["id"] for a in made.told["open"]} == {*ids, under} - {ids[2]}
    assert [a["id"] for a in made.told["closing"]] == [ids[2]]
    assert [o["unit"] for o in made.told["out"]] == ["pb-07"]
    assert made.told["down"] == [{"name": "Pasni AIS", "state": "silent"}]
    assert made.told["done"]["raised"] == 6
    # between writing and signing the world goes on
    clock.advance(timedelta(minutes=10))
    late = raised("mmsi:77", at=(30, 60))
    mine = raised("mmsi:78", at=(31, 60))
    room.assign(out, mine, out.id)
    signed = desk.accept(incoming, made.id)
    assert set(signed.passed["alerts"]) == {*ids[:3], mine}
    assert {a["id"] for a in signed.passed["since"]} == {late, mine}
    with kernel.rows.read() as session:
        rows = session.scalars(select(AlertRow)).all()
        known = {a["id"] for a in (*signed.told["open"], *signed.told["closing"])}
        known |= {a["id"] for a in signed.passed["since"]}
        # every alert that waits is named, and none is with the one who has gone
        assert {r.id for r in rows if r.state != AlertState.CLOSED} == known
        assert all(r.assignee != out.id for r in rows)
        assert {r.id for r in rows if r.assignee == incoming.id} == {*ids[:3], mine}
    passed = room.history(incoming, ids[0])[0]
    assert (passed.act, passed.detail["handover"]) == ("operations.alert.assign", made.id)
    acts = [e.act for e in reversed(kernel.ledger.of_thing(f"handover:{made.id}"))]
    assert acts == ["operations.handover.write", "operations.handover.accept"]
    with pytest.raises(TakenFirst) as second:
        desk.accept(officers["supervisor"], made.id)
    assert second.value.by == incoming.id


def test_what_the_incoming_officer_may_not_have_is_nobodys_again(
    kernel, room, desk, officers, raised, clock
):
    out = officers["watch"]
    alert = raised("mmsi:1", mark=Mark.AMBER_STRICT)
    room.assign(out, alert, out.id)
    made = desk.write(out, SUMMARY)
    assert made.mark is Mark.AMBER_STRICT
    lower = replace(officers["watch2"], cleared=Mark.AMBER)
    with pytest.raises(Refused):
        desk.accept(lower, made.id)  # nor may they read the hand-over that names it
    # the alert came after the hand-over was written
    room.close(officers["watch"], alert, "explained", NOTE)
    room.countersign(officers["watch2"], alert)
    made = desk.write(out, SUMMARY)
    assert made.mark is Mark.GREEN
    later = raised("mmsi:2", at=(20, 60), mark=Mark.AMBER_STRICT)
    room.assign(out, later, out.id)
    with kernel.rows.write() as session:
        session.get_one(OfficerRow, lower.id).cleared = Mark.AMBER
    signed = desk.accept(lower, made.id)
    assert (signed.passed["alerts"], signed.passed["nobody"]) == ([], [later])
    assert later not in str(signed.passed["since"])
    with kernel.rows.read() as session:
        row = session.get_one(AlertRow, later)
        assert (row.state, row.assignee) == (AlertState.OPEN, None)
        assert row.escalate_at == clock.now() + timedelta(minutes=20)


def test_who_writes_cannot_sign_and_writing_anew_replaces(desk, officers):
    out, incoming = officers["watch"], officers["watch2"]
    with pytest.raises(BadInput, match="summary"):
        desk.write(out, "All quiet")
    first = desk.write(out, SUMMARY)
    second = desk.write(out, SUMMARY + " Wind 4.", previous=True)
    assert second.ends == first.starts
    with pytest.raises(Refused, match="You wrote it"):
        desk.accept(out, second.id)
    with pytest.raises(Conflict, match="written anew"):
        desk.accept(incoming, first.id)
    assert [h.waits for h in desk.handovers(incoming)] == [True, False]
    with pytest.raises(Refused):
        desk.write(officers["investigator"], SUMMARY)


def test_two_sign_at_once_and_one_has_it(room, desk, officers, raised):
    room.assign(officers["watch"], (alert := raised()), officers["watch"].id)
    made = desk.write(officers["watch"], SUMMARY)
    results, barrier = {}, threading.Barrier(2)

    def sign(who):
        barrier.wait()
        try:
            results[who] = desk.accept(officers[who], made.id)
        except Exception as fault:
            results[who] = fault

    threads = [threading.Thread(target=sign, args=(who,)) for who in ("watch2", "supervisor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    lost = [r for r in results.values() if isinstance(r, TakenFirst)]
    won = [r for r in results.values() if not isinstance(r, Exception)]
    assert (len(won), len(lost)) == (1, 1), results
    assert lost[0].by == won[0].incoming
    assert room.alert(officers["watch"], alert).alert.assignee == won[0].incoming


def test_the_pages_and_the_print(served, room, desk, officers, raised, boat):
    app = served(handover_routes(desk))

    def browse(who):
        return TestClient(app, headers={"x-officer": who}, follow_redirects=False)

    out, incoming = browse("watch"), browse("watch2")
    alert = raised(seriousness="grave")
    room.assign(officers["watch"], alert, "officer-watch")
    tasking = room.send(officers["watch"], alert, boat.id, ORDER)
    room.report(officers["watch"], tasking.id, TaskingState.CANCELLED, note="Fog <b>came</b> up.")
    body = out.get("/handover").text
    assert f"/alerts/{alert}" in body
    assert "Fog &lt;b&gt;came" in body
    assert "Pasni AIS" in body
    short = out.post("/handover", data={"summary": "<quiet", "watch": "present"})
    assert short.status_code == 422
    assert "&lt;quiet</textarea>" in short.text
    written = out.post("/handover", data={"summary": SUMMARY, "watch": "present"})
    at = written.headers["location"]
    assert "Sign for it" not in out.get(at).text
    assert out.post(f"{at}/accept").status_code == 403
    assert "Nobody has signed for it yet" in incoming.get("/handover").text
    assert "Sign for it" in incoming.get(at).text
    assert incoming.post(f"{at}/accept").status_code == 303
    shown = out.get(at).text
    assert "1 alert passed over" in shown
    again = browse("supervisor").post(f"{at}/accept")
    assert again.status_code == 409
    assert "Officer watch2." in again.text
    told = incoming.get("/api/operations/handovers").json()["handovers"][0]
    assert (told["incoming"], told["passed"]["alerts"]) == ("officer-watch2", [alert])
    printed = out.get(f"{at}/handover.pdf")
    assert printed.content.startswith(b"%PDF")
    assert 'filename="handover-2026' in printed.headers["content-disposition"]
    acts = [e.act for e in room.kernel.ledger.of_thing(f"handover:{at.split('/')[-1]}")]
    assert acts[0] == "operations.handover.print"
    assert browse("overseer").get(f"{at}/handover.pdf").status_code == 403
    assert browse("overseer").get(at).status_code == 200
    assert out.get("/handover/none").status_code == 404


def test_one_sector_of_a_watch_that_holds_two_is_handed_over(
    kernel, served, room, officers, raised, boat
):
    zones = {"z-west": "Jiwani", "z-east": "Pasni"}
    desk = HandoverDesk(room, ZONE.key, read_watches(None), sectors=lambda _actor: zones)
    out, incoming = officers["watch"], officers["watch2"]
    west = raised("mmsi:1", "zone:z-west", at=(10, 60))
    east = raised("mmsi:2", "zone:z-east", at=(20, 60))
    by_unit = raised("mmsi:3", at=(30, 60))  # told by the sector of the unit that is sent
    none = raised("mmsi:4", at=(40, 60))
    for alert in (west, east, by_unit, none):
        room.assign(out, alert, out.id)
    room.send(out, by_unit, boat.id, ORDER)
    assert desk.offered(out, desk.spans()[0].watch) == ["Jiwani", "Pasni"]
    with pytest.raises(BadInput, match="no such sector"):
        desk.write(out, SUMMARY, sector="Gwadar")
    first = desk.write(out, SUMMARY, sector="Pasni")
    other = desk.write(out, SUMMARY, sector="Jiwani")  # beside it: each waits for itself
    made = desk.write(out, SUMMARY + " Anew.", sector="Pasni")
    assert {h.id: h.waits for h in desk.handovers(incoming)} == {
        first.id: False, other.id: True, made.id: True,
    }  # fmt: skip
    assert {a["id"] for a in made.told["open"]} == {east, by_unit}
    late = raised("mmsi:5", "zone:z-east", at=(50, 60))
    elsewhere = raised("mmsi:6", "zone:z-west", at=(60, 60))
    for alert in (late, elsewhere):
        room.assign(out, alert, out.id)

    app = served(handover_routes(desk))
    browser = TestClient(app, headers={"x-officer": "watch2"}, follow_redirects=False)
    assert 'value="Pasni"' in browser.get("/handover").text
    assert "Pasni" in browser.get(f"/handover/{made.id}").text
    assert browser.post(f"/handover/{made.id}/accept").status_code == 303
    signed = desk.handover(incoming, made.id)
    assert set(signed.passed["alerts"]) == {east, by_unit, late}
    assert [a["id"] for a in signed.passed["since"]] == [late]

    def queue_of(who):
        return {a.id for a in room.queue(who, Filters(assignee=who.id)).alerts}

    assert queue_of(incoming) == {east, by_unit, late}
    assert queue_of(out) == {west, none, elsewhere}  # it goes on with the other sector
    entry = kernel.ledger.of_thing(f"handover:{made.id}")[-1]
    assert (entry.act, entry.detail["sector"]) == ("operations.handover.write", "Pasni")
    whole = desk.write(out, SUMMARY)  # all of it replaces what waits of a sector
    assert [h.id for h in desk.handovers(incoming) if h.waits] == [whole.id]
    desk.accept(incoming, whole.id)
    assert queue_of(out) == set()
