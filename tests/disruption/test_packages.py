"""Packages: what they name, their life, who may see them, and what is sent."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from importlib.resources import files

import pytest
from sqlalchemy import select

from cordon.kernel.errors import Conflict
from cordon.kernel.events import EventRow
from cordon.money.disruption import exporting
from cordon.money.disruption.model import MOVES, State, check_move
from support.packaged import WHY, drafted, officer, row, sent
from support.ringed import ACCOUNTS, LINES, client, keep_ring, named, ringed

SCHEMA = json.loads(files("cordon.money.disruption").joinpath("package-2.schema.json").read_text())


def validate(told):
    """Hold it against the schema; only who does so loads the grammars of addresses."""
    import jsonschema

    jsonschema.validate(told, SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def world(site, noon):
    ringed(site, noon)
    officer(site, "second", "desk-2")
    keep_ring(site, "WR-P", ACCOUNTS)
    return site


def test_a_block_list_from_a_ring_to_its_end(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    page = inv.get(f"/money/packages/{package}").text
    assert "P-2026-0001" in page
    assert LINES[0] in page
    assert "another unit" in page  # whoever drafted it is offered no approval
    sent(world, inv, package)
    assert inv.post(
        f"/money/packages/{package}/answer", data={"reference": "PTA-7", "says": "All blocked."}
    ).status_code == 303  # fmt: skip
    assert inv.post(f"/money/packages/{package}/done").status_code == 303
    told = inv.get(f"/api/money/packages/{package}").json()
    validate(told)
    assert {i["value"] for i in told["items"] if i["type"] == "number"} == set(LINES)
    assert told["state"] == "done"
    assert told["authority"]["reference"] == "LA-B"  # what it stands on, not what was read under
    assert told["grounds"][0]["records"]
    assert {i["finding"] for i in told["items"]} == {told["grounds"][0]["finding"]}
    assert "PTA-7" in inv.get(f"/money/packages/{package}").text


def test_whoever_drafted_it_cannot_approve_it_and_nobody_of_the_unit(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    assert inv.post(f"/money/packages/{package}/approve").status_code == 403
    early = inv.post(f"/money/packages/{package}/send")
    assert early.status_code == 409
    assert "Not possible as things stand" in early.text  # nobody was first: it is a draft
    assert row(world, package).state == "drafted"
    refused = [e for e in world.entries() if e[0] == "money.package.approve"]
    assert [e[1] for e in refused] == ["refused"]
    assert client(world, "over").post(f"/money/packages/{package}/approve").status_code == 403


def test_what_was_sent_is_fixed_and_its_hash_stands_in_the_ledger(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    sent(world, inv, package)
    hashes = row(world, package).files
    forms = {"pdf": "pdf", "pdf?language=ur": "pdf-ur", "json": "json", "csv": "csv"}
    assert set(hashes) == set(forms.values())
    for asked, kept in forms.items():
        got = inv.get(f"/money/packages/{package}/out.{asked}")
        assert hashlib.sha256(got.content).hexdigest() == hashes[kept]
        assert got.headers["cache-control"] == "no-store"
    (detail,) = [e[3] for e in world.entries() if e[0] == "money.package.send"]
    assert detail["sha256"] == hashes
    for act in ("approve", "send", "withdraw"):
        answer = inv if act != "approve" else client(world, "second")
        got = answer.post(
            f"/money/packages/{package}/{act}", data={"why": "It was wrong all along"}
        )
        assert got.status_code == 409, act
    assert row(world, package).files == hashes
    table = list(csv.reader(io.StringIO(inv.get(f"/money/packages/{package}/out.csv").text)))
    assert table[0][:3] == ["place", "type", "value"]
    assert {r[2] for r in table if r[1] == "number"} == set(LINES)


def test_a_package_is_superseded_by_another_that_names_it(world):
    inv = client(world, reference="WR-P")
    first = drafted(world, inv)
    early = inv.post("/money/packages", data={"kind": "block_list", "supersedes": first})
    assert early.status_code in (409, 422)
    sent(world, inv, first)
    hashes = row(world, first).files
    form = inv.get(f"/money/packages/new?kind=block_list&supersedes={first}").text
    keys = re.findall(r'name="item" value="([^"]+)"', form)[:2]
    answer = inv.post(
        "/money/packages",
        data={"kind": "block_list", "supersedes": first, "item": keys, "why": WHY,
              "addressee": "The regulator"},
    )  # fmt: skip
    second = answer.headers["location"].rsplit("/", 1)[-1]
    assert row(world, first).state == "sent"  # until the new one is sent
    sent(world, inv, second)
    assert row(world, first).state == "superseded"
    assert row(world, first).files == hashes
    assert inv.get(f"/api/money/packages/{second}").json()["supersedes"] == "P-2026-0001"
    assert "P-2026-0002" in inv.get(f"/money/packages/{first}").text
    wrong = inv.get(f"/money/packages/new?kind=freeze&supersedes={second}")
    assert wrong.status_code == 422


def test_a_masked_pdf_holds_no_number(world, monkeypatch):
    """What is printed, as values: the PDF holds what these say and nothing else."""
    seen = []
    told = exporting.pdf
    monkeypatch.setattr(
        exporting, "pdf", lambda name, values: seen.append(str(values)) or told(name, values)
    )
    inv = client(world, reference="WR-P")
    package = drafted(world, inv, why=f"Block {LINES[0]} and what is tied to PK-ACC-77 at once.")
    sent(world, inv, package)
    assert LINES[0] in seen[-1]  # what was sent is whole
    for language in ("en", "ur"):
        got = client(world).get(f"/money/packages/{package}/out.pdf?language={language}")
        assert got.content.startswith(b"%PDF-")
        assert named(seen[-1]) == []
        assert "'masked': 0" not in seen[-1]
        assert (b"NotoNastaliqUrdu" in got.content) == (language == "ur")
        name = "-ur-masked.pdf" if language == "ur" else "-masked.pdf"
        assert name in got.headers["content-disposition"]
    wrong = client(world).get(f"/money/packages/{package}/out.pdf?language=xx")
    assert wrong.status_code == 400


@pytest.mark.parametrize("reader", [("inv", ""), ("over", ""), ("inv", "WR-1"), ("inv", "WR-3")])
def test_outside_the_authority_everything_is_masked(world, reader):
    inv = client(world, reference="WR-P")
    why = f"Block {LINES[0]} and PK-ACC-77, as Ali Raza of 0{LINES[1][3:]} told."
    package = drafted(world, inv, why=why, addressee="The regulator")
    sent(world, inv, package)
    login, reference = reader
    http = client(world, login, reference)
    page = http.get(f"/money/packages/{package}")
    assert page.status_code == 200
    assert "Ali Raza" not in page.text
    assert named(page.text) == []
    assert named(http.get(f"/api/money/packages/{package}").text) == []
    assert named(http.get("/money/packages").text) == []
    if login == "inv":
        got = http.get(f"/money/packages/{package}/out.json")
        assert named(got.text) == []
        assert json.loads(got.content)["masked"] > 0
        assert "Ali Raza" not in got.text
        validate(json.loads(got.content))
        assert "-masked" in got.headers["content-disposition"]
        assert hashlib.sha256(got.content).hexdigest() != row(world, package).files["json"]
        assert named(http.get(f"/money/packages/{package}/out.csv").text) == []
    else:
        assert http.get(f"/money/packages/{package}/out.pdf").status_code == 403


def test_nothing_is_drafted_without_an_authority_that_covers_it(world):
    inv = client(world)
    form = inv.get(f"/money/packages/new?kind=block_list&ring={world.ring}").text
    assert named(form) == []
    assert "No authority is chosen" in form
    keys = re.findall(r'name="item" value="([^"]+)"', form)
    data = {"kind": "block_list", "ring": world.ring, "item": keys, "why": WHY, "addressee": "X"}
    assert inv.post("/money/packages", data=data).status_code == 403
    assert client(world, reference="WR-2").post("/money/packages", data=data).status_code == 403


def test_what_stands_in_no_record_cannot_be_named(world):
    inv = client(world, reference="WR-P")
    data = {"kind": "block_list", "ring": world.ring, "item": ["number:+923009999999"],
            "why": WHY, "addressee": "The regulator"}  # fmt: skip
    answer = inv.post("/money/packages", data=data)
    assert answer.status_code == 422
    assert WHY in answer.text  # the form keeps what was typed


def test_a_freeze_request_asks_for_exact_sums(world):
    inv = client(world, reference="WR-P")
    form = inv.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    keys = re.findall(r'name="amount_of" value="([^"]+)"', form)
    assert len(keys) == 2
    data = {"kind": "freeze", "ring": world.ring, "item": keys, "amount_of": keys,
            "amount": ["1,000.50", "0.01"], "currency": "pkr", "why": WHY,
            "addressee": "Example Bank", "others": "It settles for the other."}  # fmt: skip
    for bad in (["0", "1"], ["-5", "1"], ["1.005", "1"], ["1e5", "1"], ["NaN", "1"], ["", "1"]):
        assert inv.post("/money/packages", data=data | {"amount": bad}).status_code == 422
    package = inv.post("/money/packages", data=data).headers["location"].rsplit("/", 1)[-1]
    told = inv.get(f"/api/money/packages/{package}").json()
    validate(told)
    assert sorted(i["amount"] for i in told["items"]) == ["0.01", "1000.50"]
    assert {i["currency"] for i in told["items"]} == {"PKR"}
    sent(world, inv, package)
    place = 1 + [i["amount"] for i in told["items"]].index("0.01")
    answer = {"reference": "EB-1", "says": "It is on hold.", "place": [str(place)]}
    more = inv.post(f"/money/packages/{package}/answer", data=answer | {"frozen": ["0.02"]})
    assert more.status_code == 422
    assert "EB-1" in more.text
    good = inv.post(f"/money/packages/{package}/answer", data=answer | {"frozen": ["0.01"]})
    assert good.status_code == 303


def test_a_site_package_becomes_a_tasking_that_the_watch_sends(world):
    from cordon.kernel.events import CursorRow

    node = world.node
    officer(world, "sup", "watch-9")
    sup = client(world, "sup")
    sup.post("/units", data={"code": "RT-01", "name": "Raid team", "kind": "vehicle",
                             "sector": "Lahore", "speed_kn": "30", "contact": "ch 5"})  # fmt: skip
    node.kernel.dispatcher.run_pending()
    inv = client(world, reference="WR-P")
    wrong = inv.post("/money/packages", data={"kind": "site", "ring": world.ring, "why": WHY,
                                              "addressee": "Raid", "unit": "RT-99"})  # fmt: skip
    assert wrong.status_code == 422
    package = drafted(world, inv, "site", unit="RT-01")
    sent(world, inv, package)
    with node.kernel.rows.read() as session:
        (event,) = session.scalars(select(EventRow).where(EventRow.topic == "money.package.sent"))
    assert named(json.dumps(event.payload)) == []
    node.kernel.dispatcher.run_pending()
    with node.kernel.rows.read() as session:
        assert session.get_one(CursorRow, "operations.packages").failures == 0
    told = sup.get("/taskings").text
    tasking = re.search(r"/taskings/([0-9a-f-]{36})", told)[1]
    page = sup.get(f"/taskings/{tasking}").text
    assert "Raid by site package P-2026-0001" in page
    assert "2 to 4 seats" in page
    got = sup.post(f"/taskings/{tasking}/report", data={"to": "sent"})
    assert got.status_code == 303, got.text
    assert "tasked" in sup.get("/units").text
    again = sup.post(f"/taskings/{tasking}/report", data={"to": "moving"})
    assert again.status_code == 409  # the unit acknowledges first


def test_a_drafted_tasking_that_is_called_off_leaves_the_unit_where_it_is(world):
    node = world.node
    officer(world, "sup", "watch-9")
    sup = client(world, "sup")
    sup.post("/units", data={"code": "RT-01", "name": "Raid team", "kind": "vehicle",
                             "sector": "Lahore", "speed_kn": "30", "contact": "ch 5"})  # fmt: skip
    inv = client(world, reference="WR-P")
    for _ in range(2):
        sent(world, inv, drafted(world, inv, "site", unit="RT-01"))
    node.kernel.dispatcher.run_pending()
    ids = list(dict.fromkeys(re.findall(r"/taskings/([0-9a-f-]{36})", sup.get("/taskings").text)))
    assert len(ids) == 2
    assert sup.post(f"/taskings/{ids[0]}/report", data={"to": "sent"}).status_code == 303
    assert sup.post(f"/taskings/{ids[1]}/report", data={"to": "sent"}).status_code == 409
    off = sup.post(f"/taskings/{ids[1]}/cancel", data={"note": "One of the two is enough."})
    assert off.status_code == 303
    assert "tasked" in sup.get("/units").text


def test_a_wrong_request_is_no_failure_of_the_node(site):
    site.officer("inv", "investigator")
    wrong = client(site).get("/money/packages/new?kind=odd")
    assert wrong.status_code == 400
    assert "The request was not right" in wrong.text
    assert "The node failed" not in wrong.text


def test_moves_are_told_whole():
    ends = {state for state, to in MOVES.items() if not to}
    assert ends == {State.SUPERSEDED, State.WITHDRAWN}
    for state in State:
        for to in State:
            if to in MOVES[state]:
                check_move("P", state, to)
            else:
                with pytest.raises(Conflict):
                    check_move("P", state, to)
