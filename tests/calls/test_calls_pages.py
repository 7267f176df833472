"""Pages of rings, numbers, handsets and cells: what stands on them, and what stays masked."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from cordon.calls import charting, intake
from cordon.calls.ringbook import keep_found
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Mark, Scope
from cordon.kernel.findings import Finding, Reason, RecordRef

BEGIN = datetime(2026, 1, 5, 6, tzinfo=UTC)
LINES = [f"+9230000001{i:02d}" for i in range(4)]
SETS = ["35000000000001", "35000000000002"]
PEOPLE = [f"+9233300000{i:02d}" for i in range(40)]
CELL = "410-01/7-9"


def calls() -> bytes:
    rows = ["start,duration_s,kind,caller,callee,caller_imsi,caller_imei,caller_cell"]
    for at in range(160):
        when = BEGIN + timedelta(hours=at * 0.7)
        line = at % 4
        rows.append(
            f"{when:%Y-%m-%dT%H:%M:%SZ},60,voice,{LINES[line]},{PEOPLE[at % 40]},"
            f"41001000000000{line},{SETS[line % 2]}5,{CELL}"
        )
    return "\n".join(rows).encode() + b"\n"


def ring_of(sha256: str) -> Finding:
    found = Finding.make(
        kind="calls.call_centre",
        subjects=[f"number:{n}" for n in LINES] + [f"imei:{h}5" for h in SETS] + [f"cell:{CELL}"],
        start=BEGIN,
        end=BEGIN + timedelta(days=4),
        confidence=0.97,
        reasons=[
            Reason("sims_a_handset", 2.0, "1", 1.4, "2.0 SIMs a handset; usual is 1"),
            Reason("victims", 3.0, "1", 1.0, f"3 complained, one of {LINES[0]}"),
        ],
        records=[RecordRef(sha256, 1)],
        detector="calls.call_centre",
        version="1",
        place={"type": "Point", "coordinates": [74.3, 31.5]},
        radius_m=420.0,
    )
    square = [[[74.2, 31.4], [74.4, 31.4], [74.4, 31.6], [74.2, 31.4]]]
    found.extra.update(
        seats={"estimate": 3, "least": 2, "most": 4},
        hours={"opens": 11.0, "closes": 22.5, "closed": [4]},
        regions={"50": {"type": "Polygon", "coordinates": square}},
        radius_50_m=180,
        hubs=[{"subject": f"number:{PEOPLE[0]}", "people": 900}, {"subject": "cell:t-9"}, "odd"],
    )
    return found


@pytest.fixture
def world(site, noon):
    """A node with calls and a ring found in them, under WR-1; WR-2 covers other calls."""
    for login, role in (("inv", "investigator"), ("over", "overseer"), ("adm", "administrator")):
        site.officer(login, role)
    for reference, subjects in (("WR-1", None), ("WR-2", None), ("WR-3", [LINES[0]])):
        scope = Scope(
            frozenset({"calls"}),
            frozenset(f"number:{n}" for n in subjects) if subjects else None,
        )
        draft = Draft(
            basis="peca_disclosure_warrant", reference=reference, issuer="A court",
            scope=scope, valid_from=noon, valid_until=noon + timedelta(days=20),
        )  # fmt: skip
        site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    bring(site, "WR-1")
    node, room = site.node, site.node.calls
    authority = node.authorities.find(site.console, "WR-1").id
    (file,) = room.files(site.actor("inv"))
    found = ring_of(file.sha256)
    with node.kernel.rows.read() as session:
        paths = node.kernel.columns.paths(session, intake.DATASET, authorities=[authority])
    seen = charting.details(
        node.kernel.columns, paths, {found.id: LINES}, since=None, until=None,
        offset=timedelta(hours=5),
    )  # fmt: skip
    complaints = pa.table(
        {"suspect_number": [LINES[0]], "suspect_account": ["PK-ACC-77"]}
        | {f"suspect_{n}": pa.nulls(1, pa.string()) for n in ("handle", "wallet", "url")}
    )
    cells = pa.table({"cell": [CELL], "lat": [31.5], "lon": [74.3]})
    charting.with_beside(seen[found.id], found.subjects, cells, complaints)
    with node.kernel.work(node.kernel.node) as work:
        kept = keep_found(
            work, [found], room.cards, complaints, authority=authority, search="job-1",
            until=BEGIN + timedelta(days=4), mark=Mark.AMBER, details=seen,
        )  # fmt: skip
    site.ring = next(iter(kept.rings.values()))
    site.seen = seen[found.id]
    return site


def bring(site, reference):
    actor = site.node.authorities.under(site.actor("inv"), reference)
    job = site.node.calls.ask_import(actor, io.BytesIO(calls()), "calls.csv")
    assert site.node.run_job(job, lambda _d, _t: None).state == "done"


def client(site, login="inv", reference=""):
    http = site.client(login)
    if reference:
        one = site.node.authorities.find(site.console, reference).id
        assert http.post(f"/authorities/{one}/choose").status_code == 303
    return http


def named(text):
    """Whether any number or handset of the ring stands in clear."""
    return [n for n in (*LINES, *PEOPLE, *SETS, "PK-ACC-77") if n in text or n[1:] in text]


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
    assert "3 hubs were cut" not in words
    assert "2 hubs were cut" in words  # what is none is passed over
    assert "PK-ACC-77" in words
    assert "Not shown" in words
    assert 'data-island="linkchart"' in text


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

    client(world, "over").get(f"/calls/rings/{world.ring}")
    assert reads() == []
    client(world, reference="WR-1").get(f"/calls/rings/{world.ring}")
    ((_, _, thing, detail),) = reads()
    assert thing == f"ring:{world.ring}"
    assert detail["count"] == 6
    assert named(str(detail)) == []


def pages_of(http, world):
    """The addresses of a number, a handset and a cell, as a ring's page gives them."""
    text = http.get(f"/calls/rings/{world.ring}?show=map").text
    number = re.search(r"/calls/numbers/~\w+", text)[0]
    handset = re.search(r"/calls/handsets/~\w+", text)[0]
    return number, handset, "/calls/cells/410-01/7-9"


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
