"""Links, hubs and lines beside a ring: on its page and in its finding, masked as numbers are."""

from __future__ import annotations

import io
import json
import re
from html import unescape

import pytest

from cordon.calls.attached import SESSIONS
from cordon.kernel.leads.tables import FindingRow
from support.ringed import LINES, PEOPLE, client, keep_ring, named, ringed, words_of
from support.surfing import MESSENGER, Surfing
from support.town import Town

GATE, POOL = "198.51.100.7", "203.0.113.9"
EXTRA = {
    "links": [
        {"a": f"number:{n}", "b": f"address:{GATE}", "reason": "address", "times": 3, "weight": 6.5}
        for n in LINES
    ],
    "links_in_all": {"address": 4},
    "cut": [
        {"subject": f"address:{POOL}", "people": 4200, "why": "used"},
        {"subject": "cell:410-01-7-1", "people": 900, "why": "served"},
        {"subject": "account:HUB-1", "people": 80, "why": "paid_into"},
    ],
    "beside": [f"number:{PEOPLE[7]}"],
}


@pytest.fixture
def world(site, noon):
    """A node with a ring under WR-P whose finding has links, hubs and a line beside it."""
    ringed(site, noon)
    keep_ring(site, "WR-P", more=[f"address:{GATE}"], extra=EXTRA)
    return site


def graph(text):
    return json.loads(unescape(re.search(r'data-graph="([^"]*)"', text)[1]))


def test_the_chart_has_addresses_and_hubs_and_the_page_the_lines_beside(world):
    text = client(world, reference="WR-P").get(f"/calls/rings/{world.ring}").text
    drawn = graph(text)
    (gate,) = (n for n in drawn["nodes"] if n["kind"] == "address")
    assert gate["label"] == GATE
    assert len([e for e in drawn["edges"] if e["to"] == gate["id"]]) == len(LINES)
    hubs = {n["label"]: n["id"] for n in drawn["nodes"] if n["kind"] == "hub"}
    assert set(hubs) == {POOL, "410-01-7-1", "HUB-1"}
    cut = {e["to"] for e in drawn["edges"] if e.get("cut")}
    assert cut == set(hubs.values())
    words = words_of(text)
    assert "Left out beside it" in words
    assert PEOPLE[7] in words
    assert "4200 people · others use it too" in words
    assert "900 people · it serves others too" in words


def test_none_of_it_stands_in_clear_where_no_authority_covers_it(world):
    ring = f"/calls/rings/{world.ring}"
    finding = re.search(r'href="(/findings/[^"]+)"', client(world).get(ring).text)[1]
    for http, paths in (
        (client(world), (ring, f"/api{ring}", finding)),
        (client(world, "over"), (ring, f"/api{ring}")),
        (client(world, reference="WR-2"), (ring, f"/api{ring}")),
    ):
        for path in paths:
            text = http.get(path).text
            assert named(text) == []
            assert GATE not in text
            assert POOL not in text
    text = client(world).get(f"/calls/rings/{world.ring}").text
    assert "~" in graph(text)["nodes"][-1]["label"] + words_of(text)


def test_what_is_told_of_a_finding_masks_its_links(world):
    room, kernel = world.node.calls, world.node.kernel
    with kernel.rows.read() as session:
        rows = [r for r in session.query(FindingRow) if "links" in r.body]
    assert len(rows) == 1
    masked = [k.finding for k in room.findings(world.actor("inv")) if k.finding.extra.get("links")]
    text = json.dumps([f.to_dict() for f in masked])
    assert len(masked) == 1
    assert named(text) == []
    assert GATE not in text
    assert POOL not in text
    (link, *_) = masked[0].extra["links"]
    assert link["a"] in masked[0].subjects  # links stay visible by pseudonym
    assert link["b"] in masked[0].subjects
    (beside,) = masked[0].extra["beside"]
    assert beside.startswith("number:~")
    under = world.node.authorities.under(world.actor("inv"), "WR-P")
    (clear,) = (k.finding for k in room.findings(under) if k.finding.extra.get("links"))
    assert clear.extra["links"] == EXTRA["links"]


def test_a_search_on_a_node_uses_its_sessions(site, noon, tmp_path):
    ringed(site, noon)
    town, surfing = Town(), Surfing()
    town.everybody()
    used = town.centre("1", cell="410-01-9-1")
    surfing.everybody()
    surfing.lines(used, GATE)
    under = site.node.authorities.under(site.actor("inv"), "WR-P")
    room = site.node.calls
    for path, kind in (
        (town.write(tmp_path / "calls.csv"), "calls"),
        (surfing.write(tmp_path / "sessions.csv"), SESSIONS.name),
    ):
        job = room.ask_import(under, io.BytesIO(path.read_bytes()), path.name, kind=kind)
        assert site.node.run_job(job, lambda _d, _t: None).state == "done"
    ended = site.node.run_job(room.ask_find(under), lambda _d, _t: None)
    assert ended.state == "done", ended.error
    assert ended.report["files_used"] == {"sessions": 1}
    (ring,) = (k.finding for k in room.findings(under) if k.finding.kind == "calls.call_centre"
               and k.finding.extra.get("links"))  # fmt: skip
    assert f"address:{GATE}" in ring.subjects
    links = ring.extra["links"]
    assert {n["a"] for n in links if n["reason"] == "address"} == {f"number:{n}" for n in used}
    assert f"address:{MESSENGER}" not in ring.subjects
    # the chart's handsets are those of the links
    sims = {n["b"]: n["a"] for n in links if n["reason"] == "sim"}
    held = {(sims[n["a"]], n["b"], n["times"]) for n in links if n["reason"] == "handset"}
    with site.node.kernel.rows.read() as session:
        from cordon.calls.tables import RingRow

        detail = next(r.detail for r in session.query(RingRow) if r.numbers == len(used))
    assert held == {(f"number:{n['number']}", f"imei:{n['imei']}", n["calls"])
                    for n in detail["links"]}  # fmt: skip
