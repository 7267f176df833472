"""Pages of rings, numbers, handsets and cells: what stands on them, and what stays masked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.calls.ringbook import keep_found
from cordon.calls.tables import RingRow
from cordon.kernel.access.model import Mark
from support.ringed import (
    ACCOUNTS,
    BEGIN,
    CELL,
    LINES,
    PEOPLE,
    SETS,
    bring,
    client,
    keep_ring,
    named,
    pages_of,
    ring_of,
    ringed,
    words_of,
)


@pytest.fixture(scope="module")
def world(shared_site):
    """A node with calls and a ring found in them; see `ringed`. What tests add is apart from it."""
    return ringed(shared_site, shared_site.node.kernel.clock.now())


def test_what_is_counted_of_a_ring(world):
    told = world.seen
    assert (told["calls"], told["made"], told["people"]) == (160, 160, 40)
    assert [m["calls"] for m in told["members"]] == [40] * 4
    assert {link["imei"] for link in told["links"]} == set(SETS)
    assert sum(d["calls"] for d in told["days"]) == 160
    assert sum(map(sum, told["hours"])) == 160
    # the first call is on a Monday at 06:00 UTC, 11:00 in Pakistan
    assert told["days"][0]["day"] == "2026-01-05"
    assert told["hours"][0][11] == 2
    assert told["cells"] == [{"cell": CELL, "calls": 160, "numbers": 4, "lat": 31.5, "lon": 74.3}]
    assert told["complaints"] == 1
    assert told["named"][0]["value"] == "PK-ACC-77"


@pytest.mark.parametrize("show", ["chart", "map", "time", "table"])
def test_a_ring_in_clear_and_masked(world, show):
    path = f"/calls/rings/{world.ring}?show={show}"
    clear = client(world, reference="WR-1").get(path).text
    assert LINES[0] in clear
    for masked in (client(world), client(world, "over"), client(world, reference="WR-2")):
        text = masked.get(path).text
        assert named(text) == []
        assert "2 to 4 seats" in text
    assert named(client(world, "over").get(f"/api/calls/rings/{world.ring}").text) == []


def test_what_stands_on_a_rings_page(world):
    text = client(world, reference="WR-1").get(f"/calls/rings/{world.ring}").text
    words = re.sub(r"<[^>]+>", "", text)
    assert "R-2026-0001" in words
    assert "A call centre near" in words
    assert "day 5" in words
    assert "11:00–22:30" in words
    assert "closed: Friday" in words
    assert "Found, with 4 numbers" in words
    assert "threshold" in words
    assert "3 hubs were cut" in words  # what is none is passed over
    assert PEOPLE[0] in words
    assert "900 people" in words
    assert "t-9" in words
    assert "HUB-1" not in words  # an account, and this authority covers no payments
    assert "PK-ACC-77" in words
    assert "Not shown" in words
    assert 'data-island="linkchart"' in text
    assert "calls.csv" in words  # the file that its records stand in


def test_the_map_shows_both_regions_and_says_where_in_words(world):
    text = client(world, reference="WR-1").get(f"/calls/rings/{world.ring}?show=map").text
    assert "GeometryCollection" in text
    assert "inner outline" in text
    assert "/calls/cells/410-01/7-9" in text


def test_a_ring_of_another_authority_says_which_to_choose(world):
    text = client(world, reference="WR-2").get(f"/calls/rings/{world.ring}").text
    assert "found under another authority" in text


def test_the_list_and_its_filters(world):
    http = client(world, reference="WR-1")
    assert "R-2026-0001" in http.get("/calls/rings").text
    assert "Found, with 4 numbers" in http.get("/calls/rings?changed=1").text
    for address in ("?state=silent", "?kind=calls.simbox", "?sure=0.99", "?page=2"):
        assert "R-2026-0001" not in http.get(f"/calls/rings{address}").text, address
    for odd in ("?sure=nan", "?sure=x", "?page=-1", "?page=١", "?state=';--", "?kind=<i>odd"):
        answer = http.get(f"/calls/rings{odd}")
        assert answer.status_code == 200
        assert "<i>odd" not in answer.text
    other = client(world, reference="WR-2").get("/calls/rings").text
    assert "R-2026-0001" not in other
    assert "1 ring under another authority is not shown" in other
    assert "R-2026-0001" in client(world, "over").get("/calls/rings").text


def test_reading_a_ring_in_clear_is_in_the_ledger_and_masked_is_not(world):
    def reads():
        return [e for e in world.entries() if e[0] == "calls.ring.view" and e[1] == "read"]

    before = reads()
    client(world, "over").get(f"/calls/rings/{world.ring}")
    assert reads() == before
    client(world, reference="WR-1").get(f"/calls/rings/{world.ring}")
    ((_, _, thing, detail),) = reads()[len(before) :]
    assert thing == f"ring:{world.ring}"
    assert detail["count"] == 6
    assert named(str(detail)) == []


def test_a_number_a_handset_and_a_cell_under_the_authority(world):
    http = client(world, reference="WR-1")
    number, handset, cell = pages_of(http, world)
    text = http.get(number).text
    assert LINES[0] in text or any(n in text for n in LINES)
    assert "calls, 40 made" in text
    assert SETS[0] in text or SETS[1] in text
    assert "R-2026-0001" in text
    assert re.search(r'href="/records/[0-9a-f]{64}/\d+"', text)
    assert "calls, 80 made" in http.get(handset).text
    text = http.get(cell).text
    assert "calls, 160 made" in text
    assert "Older calls" in text
    assert "Newer calls" in http.get(f"{cell}?page=2").text
    acts = [e for e in world.entries() if e[0] == "calls.profile.view"]
    assert {(e[1], e[2].partition(":")[0]) for e in acts} >= {
        ("done", "number"), ("read", "number"), ("read", "imei"), ("read", "cell"),
    }  # fmt: skip
    assert named(str(acts)) == []


def test_an_address_never_holds_a_number(world):
    http = client(world, reference="WR-1")
    text = "".join(http.get(p).text for p in pages_of(http, world))
    addresses = re.findall(r'(?:href|action|hx-get)="([^"]+)"', text)
    assert addresses
    assert named(" ".join(addresses)) == []


def test_without_a_covering_authority_they_are_masked_and_say_so(world):
    paths = pages_of(client(world), world)
    for http in (client(world), client(world, "over")):
        for path in paths:
            text = http.get(path).text
            assert named(text) == [], path
            assert "no authority that you chose covers it" in text
    text = client(world, reference="WR-2").get(paths[0]).text  # nothing came in under this one
    assert "No call of it came in" in text


def test_an_authority_over_one_number_shows_it_and_masks_the_others(world):
    bring(world, "WR-3")
    http = client(world, reference="WR-3")
    found = http.post("/calls/numbers", data={"number": "0300 0000 100"})
    assert found.status_code == 303, found.text
    text = http.get(found.headers["location"]).text
    assert LINES[0] in text
    assert [n for n in named(text) if n != LINES[0]] == []
    assert "~" in text
    assert http.post("/calls/numbers", data={"number": LINES[1]}).status_code == 403


@pytest.mark.parametrize("typed", ["", "hello", "12", "+92", "'; DROP TABLE x", "<i>odd", "0" * 60])
def test_what_is_no_number_is_refused_and_kept_in_the_form(world, typed):
    answer = client(world, reference="WR-1").post("/calls/numbers", data={"number": typed})
    assert answer.status_code == 422
    assert "<i>odd" not in answer.text


def test_a_look_up_by_number_and_imei_leads_by_pseudonym(world):
    http = client(world, reference="WR-1")
    for typed, page in ((LINES[1], "numbers"), (SETS[0] + "5", "handsets"), (SETS[0], "handsets")):
        where = http.post("/calls/numbers", data={"number": typed}).headers["location"]
        assert re.fullmatch(rf"/calls/{page}/~[a-z2-7]{{12}}", where)
        assert "calls, " in http.get(where).text
    assert client(world).post("/calls/numbers", data={"number": LINES[1]}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/calls/rings/x",
        "/calls/numbers/~aaaaaaaaaaaa",
        "/calls/handsets/~aaaaaaaaaaaa",
        "/calls/numbers/%2B92300",
    ],
)
def test_addresses_of_nothing(world, path):
    assert client(world, reference="WR-1").get(path).status_code == 404


def test_a_number_is_no_handset(world):
    http = client(world, reference="WR-1")
    number = pages_of(http, world)[0]
    assert http.get(number.replace("numbers", "handsets")).status_code == 404


def test_a_cell_of_any_name_is_only_text(world):
    http = client(world, reference="WR-1")
    for name in ("'; DROP TABLE calls; --", "<script>", "%25", "a" * 500):
        answer = http.get(f"/calls/cells/{name}")
        assert answer.status_code == 200
        assert "<script>" not in answer.text


def test_an_administrator_sees_none_of_it(world):
    http = client(world, "adm")
    for path in ("/calls/rings", f"/calls/rings/{world.ring}", "/calls/numbers"):
        assert http.get(path).status_code == 403


def test_a_case_is_opened_from_a_ring_and_holds_its_finding(world):
    http = client(world, reference="WR-1")
    link = re.search(r'href="(/cases\?[^"]+)"', http.get(f"/calls/rings/{world.ring}").text)[1]
    form = http.get(link.replace("&amp;", "&").partition("#")[0]).text
    assert 'value="R-2026-0001"' in form
    finding = re.search(r'name="finding"[^>]*value="([^"]+)"', form)[1]
    assert '<option value="grave" selected' in form
    opened = http.post(
        "/cases", data={"title": "R-2026-0001", "seriousness": "grave", "finding": finding}
    )
    assert opened.status_code == 303, opened.text
    assert finding in http.get(opened.headers["location"]).text
    odd = http.get("/cases?finding=<i>odd&title=<b>odd&seriousness=<u>odd")
    assert odd.status_code == 200
    assert not re.search("<[ibu]>odd", odd.text)


def test_a_finding_leads_to_its_ring_and_its_numbers(world):
    http = client(world, reference="WR-1")
    finding = re.search(r"/findings/[^\"]+", http.get(f"/calls/rings/{world.ring}").text)[0]
    for reader in (http, client(world, "over")):  # masked ones lead to a page too
        text = reader.get(finding).text
        assert f"/calls/rings/{world.ring}" in text
        linked = re.findall(r'href="(/calls/(?:numbers|handsets)/~\w+)"', text)
        assert len(set(linked)) == len(LINES) + len(SETS)
        assert {reader.get(one).status_code for one in linked} == {200}
    assert named(client(world, "over").get(finding).text) == []


def test_the_finding_of_before_leads_to_the_ring_that_is_of_another_kind_now(world):
    node, before = world.node, None
    authority = node.authorities.find(world.console, "WR-1").id
    said = replace(ring_of("ab" * 32), kind="calls.simbox")
    http = client(world, reference="WR-1")
    before = re.search(r"/findings/[^\"]+", http.get(f"/calls/rings/{world.ring}").text)[0]
    with node.kernel.work(node.kernel.node) as work:
        keep_found(
            work, [said], node.calls.cards, None, authority=authority, search="job-2",
            until=BEGIN + timedelta(days=4), mark=Mark.AMBER, details={},
        )  # fmt: skip
    page = http.get(f"/calls/rings/{world.ring}").text
    assert "Is told as a SIM box now, as a call centre before" in page
    assert before in page  # what was said then
    assert re.search(r'button" href="(/findings/[^"]+)"', page)[1] != before
    assert f"/calls/rings/{world.ring}" in http.get(before).text


def test_accounts_that_payments_tie_are_masked_without_an_authority_over_payments(world):
    more = ["account:PK-ACC-79"]
    keep_ring(world, "WR-P", ACCOUNTS, more)
    told = {n["value"]: (n["by"], n["times"], n["numbers"]) for n in world.seen["named"]}
    assert told == {
        "PK-ACC-77": ("complaint", 1, [LINES[0]]),
        "PK-ACC-78": ("bound", 0, [LINES[1]]),
        "PK-ACC-79": ("payment", 0, []),
    }
    text = words_of(client(world, reference="WR-P").get(f"/calls/rings/{world.ring}").text)
    assert all(f"PK-ACC-7{i}" in text for i in (7, 8, 9))
    assert "Example Bank" in text
    assert "HUB-1" in text
    assert named(client(world, "over").get(f"/calls/rings/{world.ring}").text) == []
    row = world.node.kernel.rows
    with row.write() as session:  # as if the order had not covered payments
        kept = session.get(RingRow, world.ring)
        kept.authority = world.node.authorities.find(world.console, "WR-1").id
    text = words_of(client(world, reference="WR-1").get(f"/calls/rings/{world.ring}").text)
    assert "PK-ACC-77" in text  # a complaint names it beside a number that is covered
    assert not re.search("PK-ACC-7[89]|HUB-1", text)
