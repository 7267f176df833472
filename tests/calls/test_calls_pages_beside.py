"""What other files say of a number, a handset and a cell on their pages, and lists of findings."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest

from cordon.kernel.findings import Finding, Reason
from cordon.kernel.leads import keep
from support.ringed import (
    BEGIN,
    CELL,
    LINES,
    PEOPLE,
    SETS,
    bring,
    calls,
    client,
    named,
    pages_of,
    ringed,
    words_of,
)

SESSIONS = (
    "start,end,number,imei,public_ip,remote_ip,bytes_up\n"
    f"2026-01-05T06:00:00Z,2026-01-05T07:00:00Z,{LINES[0]},{SETS[0]}5,203.0.113.7,198.51.100.1,9\n"
    f"2026-01-06T06:00:00Z,2026-01-06T07:00:00Z,{LINES[0]},,203.0.113.7,198.51.100.2,\n"
    f"2026-01-06T06:00:00Z,2026-01-06T07:00:00Z,{LINES[0]},,203.0.113.7,198.51.100.2,\n"
    f"2026-01-07T06:00:00Z,2026-01-07T07:00:00Z,{LINES[1]},,203.0.113.9,198.51.100.3,\n"
)
BESIDE = {
    "sessions": SESSIONS,
    "accounts": "account,bank,phone,kind,holder_name\n"
    f"PK-ACC-5,A Bank,{LINES[0]},wallet,A Person\n",
    "cells": f"cell,lat,lon,azimuth_deg,beamwidth_deg,range_m\n{CELL},31.5,74.3,120,60,900\n",
}


@pytest.fixture
def world(site, noon):
    """A node with calls and a ring found in them; see `ringed`."""
    return ringed(site, noon)


def brought(site, reference, kind, text):
    actor = site.node.authorities.under(site.actor("inv"), reference)
    room = site.node.calls
    job = room.ask_import(actor, io.BytesIO(text.encode()), f"{kind}.csv", kind=kind)
    ended = site.node.run_job(job, lambda _d, _t: None)
    assert ended.state == "done", ended.error
    return ended.report["files"][0]


def looked_up(http, typed):
    return http.get(http.post("/calls/numbers", data={"number": typed}).headers["location"]).text


def test_what_other_files_say_of_a_number_a_handset_and_a_cell(world):
    bring(world, "WR-P")
    for kind, text in BESIDE.items():
        assert brought(world, "WR-P", kind, text)["refused"] == 0
    http = client(world, reference="WR-P")
    text = words_of(looked_up(http, LINES[0]))
    assert re.search(r"203\.0\.113\.7 2 5 – 6 Jan 2026", text)  # a session delivered twice is one
    assert "198.51.100.2" in text
    assert "203.0.113.9" not in text
    assert "PK-ACC-5" in text
    assert "A Bank" in text
    assert "A Person" not in text
    assert "203.0.113.7" in words_of(looked_up(http, SETS[0]))
    cell = words_of(http.get(f"/calls/cells/{CELL}").text)
    assert "31°30.000′N 074°18.000′E" in cell
    assert "120° ± 30°" in cell
    other = client(world, reference="WR-1")
    for page in (looked_up(other, LINES[0]), other.get(f"/calls/cells/{CELL}").text):
        assert not re.search(r"203\.0|PK-ACC-5|120°", page)
    acts = [e for e in world.entries() if e[0] == "calls.profile.view" and e[1] == "read"]
    assert any(e[3].get("data") == "payments" for e in acts)
    assert named(str(acts)) == []


def test_sessions_of_others_are_refused_under_an_authority_over_one_number(world):
    told = brought(world, "WR-3", "sessions", SESSIONS)
    assert (told["read"], told["kept"], told["refused"]) == (4, 3, 1)
    assert brought(world, "WR-3", "sessions", SESSIONS)["kept"] == 3  # again: nothing twice
    room = world.node.calls
    actor = world.node.authorities.under(world.actor("inv"), "WR-3")
    (file,) = [f for f in room.files(actor) if f.kind == "sessions"]
    path = world.node.kernel.files.path(file.sha256)
    assert [r.row for r in room.refusals(actor, path, kind="sessions")] == [4]
    page = client(world, reference="WR-3").get(f"/calls/files/{file.id}").text
    assert "session lies outside its span" in page
    bring(world, "WR-3")
    text = words_of(looked_up(client(world, reference="WR-3"), LINES[0]))
    assert re.search(r"203\.0\.113\.7 2 5 – 6 Jan 2026", text)


def test_numbers_before_and_after_one_are_told_on_its_page(world):
    bring(world, "WR-3")
    claim = Finding.make(
        kind="calls.number_succession",
        subjects=[f"number:{LINES[0]}", f"number:{PEOPLE[3]}"],
        start=BEGIN, end=BEGIN, confidence=0.9,
        reasons=[Reason("odds", 1234.0, "1", 10.0, "odds of 1,234 to 1 against the next best")],
        records=[], detector="calls.number_succession", version="1",
    )  # fmt: skip
    claim.extra.update({"from": f"number:{LINES[0]}", "to": f"number:{PEOPLE[3]}"})
    with world.node.kernel.work(world.node.kernel.node) as work:
        keep(work, [claim], world.node.calls.cards)
    http = client(world, reference="WR-1")
    text = looked_up(http, LINES[0])
    assert re.search(rf"Goes on as \{PEOPLE[3]} · odds 1,234 to 1", words_of(text))
    after = re.search(r'Goes on as\s*<a[^>]*href="(/calls/numbers/~\w+)"', text)[1]
    assert re.search(rf"Goes on from \{LINES[0]} ", words_of(http.get(after).text))
    text = looked_up(client(world, reference="WR-3"), LINES[0])
    assert "Goes on as" in text
    assert named(text) == [LINES[0]]


def test_a_page_opened_again_is_entered_again_and_knows_what_came_in_since(world):
    http = client(world, reference="WR-1")
    number = pages_of(http, world)[0]

    def reads():
        return sum(e[0] == "calls.profile.view" and e[1] == "read" for e in world.entries())

    first = http.get(number).text
    before = reads()
    assert words_of(http.get(number).text) == words_of(first)
    assert reads() == before + 1
    more = calls().replace(b"2026-01-0", b"2026-02-0")
    actor = world.node.authorities.under(world.actor("inv"), "WR-1")
    job = world.node.calls.ask_import(actor, io.BytesIO(more), "more.csv")
    assert world.node.run_job(job, lambda _d, _t: None).state == "done"
    assert "calls, 80 made" in http.get(number).text
    denied = client(world).get(number).text
    assert "no authority that you chose covers it" in denied


def test_a_handset_is_found_by_the_pseudonym_of_all_its_digits(world):
    masked = world.node.kernel.masker.mask("imei", SETS[0] + "5").partition("·")[0]
    http = client(world, reference="WR-1")
    assert "calls, 80 made" in http.get(f"/calls/handsets/{masked}").text


def test_findings_are_listed_page_by_page_and_kind_by_kind(world):
    room = world.node.calls
    many = [
        Finding.make(
            kind="calls.out_fan", subjects=[f"number:{LINES[at % 4]}"],
            start=BEGIN + timedelta(minutes=at), end=BEGIN + timedelta(days=1), confidence=0.9,
            reasons=[], records=[], detector="calls.out_fan", version="1",
        )
        for at in range(60)
    ]  # fmt: skip
    with world.node.kernel.work(world.node.kernel.node) as work:
        keep(work, many, room.cards)
    assert len(room.findings(world.actor("inv"))) == 61
    http = client(world, reference="WR-1")
    first = http.get("/calls").text
    assert first.count("Number that calls out in a fan</a>") == 50
    second = http.get(re.search(r'href="(\?kind=&amp;before=[^"]+)"', first)[1].replace(
        "?", "/calls?").replace("&amp;", "&")).text  # fmt: skip
    assert second.count("Number that calls out in a fan</a>") == 10
    assert f"/calls/rings/{world.ring}" in second  # a ring is found by its name
    rings = http.get("/calls?kind=calls.call_centre").text
    assert "R-2026-0001" in rings
    assert "in a fan</a>" not in rings
    assert "Nothing of this kind" in http.get("/calls?kind=calls.simbox").text
    assert http.get("/calls?kind=<i>odd&before=<i>odd").text.count("<i>odd") == 0


def test_without_an_authority_pages_lead_to_where_one_is_chosen(world):
    http = client(world)
    for path in ("/calls", "/calls/rings", "/calls/numbers", "/calls/import"):
        assert 'href="/authorities"' in http.get(path).text.partition("<main")[2], path
    assert 'action="/calls/find"' not in http.get("/calls").text
    assert 'action="/calls/find"' in client(world, reference="WR-1").get("/calls").text


def test_a_file_tells_what_became_of_its_rows(world):
    http = client(world)
    href = re.search(r'href="(/calls/files/[^"]+)"', http.get("/calls").text)[1]
    text = words_of(http.get(href).text)
    assert "calls.csv" in text
    assert "read 160" in text
    assert "No row was refused." in text
    assert http.get("/calls/files/x").status_code == 404


def test_bars_and_chart_lead_to_the_pages_of_their_numbers(world):
    http = client(world, reference="WR-1")
    text = http.get(f"/calls/rings/{world.ring}?show=time").text
    lanes = re.search(r"<svg class=\"lanes.*?</svg>", text, re.S)[0]
    linked = re.findall(r'<a href="(/calls/numbers/~\w+)"', lanes)
    assert len(linked) == len(LINES)
    assert {http.get(one).status_code for one in linked} == {200}
