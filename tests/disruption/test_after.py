"""After a package: what came back is counted, and what was frozen is shared out, on a node."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import numpy as np
import pytest
from lxml import etree

from cordon.calls import charting, intake
from cordon.calls.ringbook import keep_found
from cordon.kernel.access.model import Mark
from cordon.kernel.findings import Finding, Reason, RecordRef
from support.packaged import WHY, drafted, officer, sent
from support.ringed import client, ringed

SCHEMA = etree.XMLSchema(
    etree.fromstring(files("cordon.money.reporting").joinpath("str.xsd").read_bytes())
)
RINGS, BEFORE, AFTER = 6, 56, 35
VICTIMS = {"VIC-1": "100.00", "VIC-2": "50.00", "VIC-3": "15.33"}


def numbers(ring):
    return [f"+92301000{ring:02d}{n:02d}" for n in range(2)]


def calls(noon):
    """Calls of six rings, each from a handset of its own; the first all but stops."""
    rng = np.random.default_rng(11)
    rows = ["start,duration_s,kind,caller,callee,caller_imsi,caller_imei,caller_cell"]
    for day in range(-BEFORE, AFTER + 1):
        for ring in range(RINGS):
            mean = 0.6 if ring == 0 and day > 0 else 6.0
            for n in range(rng.poisson(mean)):
                when = noon + timedelta(days=day, hours=-4, minutes=int(rng.integers(0, 600)))
                rows.append(
                    f"{when:%Y-%m-%dT%H:%M:%SZ},60,voice,{numbers(ring)[n % 2]},"
                    f"+92333{int(rng.integers(0, 10**7)):07d},41001000100{ring:02d}{n % 2:02d},"
                    f"3500000000{ring:02d}005,410-01/7-{ring}"
                )
    return "\n".join(rows).encode() + b"\n"


def payments(noon):
    rows = ["payment_id,at,from_account,to_account,amount,currency,channel"]
    for n, (victim, amount) in enumerate(VICTIMS.items()):
        at = noon - timedelta(days=10, minutes=-n)
        rows.append(f"Q{n},{at:%Y-%m-%dT%H:%M:%SZ},{victim},ACC-00,{amount},PKR,transfer")
    at = noon - timedelta(days=8)
    rows.append(f"Q9,{at:%Y-%m-%dT%H:%M:%SZ},ACC-00,ATM-1,60.00,PKR,cash_out")
    return "\n".join(rows).encode() + b"\n"


def found(ring, sha256, noon):
    return Finding.make(
        kind="calls.call_centre",
        subjects=[f"number:{n}" for n in numbers(ring)] + [f"imei:3500000000{ring:02d}005"],
        start=noon - timedelta(days=BEFORE), end=noon, confidence=0.9,
        reasons=[Reason("victims", 3.0, "1", 1.0, "3 complained")],
        records=[RecordRef(sha256, 1 + ring)], detector="calls.call_centre", version="1",
        place={"type": "Point", "coordinates": [74.3, 31.5]}, radius_m=420.0,
    )  # fmt: skip


@pytest.fixture
def world(site, noon: datetime):
    ringed(site, noon)
    officer(site, "second", "desk-2")
    node, inv = site.node, site.node.authorities.under(site.actor("inv"), "WR-P")
    authority = inv.authority.id
    for kind, body in (("calls", calls(noon)), ("payments", payments(noon))):
        job = node.calls.ask_import(inv, io.BytesIO(body), f"{kind}.csv", kind=kind)
        assert node.run_job(job, lambda _d, _t: None).state == "done"
    sha256 = next(
        f.sha256 for f in node.calls.files(inv) if (f.authority, f.kind) == (authority, "calls")
    )
    some = [found(ring, sha256, noon) for ring in range(RINGS)]
    with node.kernel.rows.read() as session:
        paths = node.kernel.columns.paths(session, intake.DATASET, authorities=[authority])
    seen = charting.details(
        node.kernel.columns, paths, {f.id: numbers(r) for r, f in enumerate(some)},
        since=None, until=None, offset=timedelta(hours=5),
    )  # fmt: skip
    for ring, finding in enumerate(some):
        accounts = [{"account": f"ACC-{ring:02d}", "bank": "Example Bank", "kind": "bank",
                     "phone": numbers(ring)[0]}]  # fmt: skip
        charting.with_beside(seen[finding.id], finding.subjects, None, None, accounts)
    with node.kernel.work(node.kernel.node) as work:
        kept = keep_found(
            work, some, node.calls.cards, None, authority=authority, search="job-9", until=noon,
            mark=Mark.AMBER, details=seen,
        )  # fmt: skip
    site.ring = kept.rings[some[0].id]
    return site


def done(world, http, path):
    answer = http.post(path)
    assert answer.status_code == 303, answer.text
    job = answer.headers["location"].rsplit("/", 1)[-1]
    assert world.node.run_job(job, lambda _d, _t: None).state == "done"


def frozen(world, inv, *, amount="120.00", held="90.00"):
    """A freeze request for the ring's account, sent and answered."""
    form = inv.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    (key,) = re.findall(r'name="amount_of" value="([^"]+)"', form)
    package = drafted(world, inv, "freeze", item=[key], amount_of=[key], amount=[amount],
                      currency="PKR", addressee="Example Bank")  # fmt: skip
    sent(world, inv, package)
    answer = {"reference": "EB-1", "says": "It is on hold.", "place": ["1"], "frozen": [held]}
    assert inv.post(f"/money/packages/{package}/answer", data=answer).status_code == 303
    return package


def test_what_came_back_is_counted_and_held_against_what_was_expected(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    early = inv.post(f"/money/effect/{package}")
    assert early.status_code == 409
    sent(world, inv, package)
    assert client(world).post(f"/money/effect/{package}").status_code == 403
    done(world, inv, f"/money/effect/{package}")
    told = {m["measure"]: m for m in inv.get(f"/api/money/effect/{package}").json()["measures"]}
    handsets = told["handsets"]
    assert 0.03 < handsets["figure"]["low"] < 0.1 < handsets["figure"]["high"] < 0.3
    assert handsets["figure"]["rings"] == RINGS - 1
    assert handsets["figure"]["weeks"] == [8, 4]
    assert len(handsets["days"]) == len(handsets["came"]) == len(handsets["expected"])
    assert "2026-03-06" not in handsets["days"]  # the day itself is neither before nor after
    assert handsets["days"][handsets["at"]] == "2026-03-07"
    assert "0 after" in told["mules"]["figure"]["why"]  # the payments at hand end before
    page = inv.get(f"/money/effect/{package}").text
    assert "less came than expected" in page
    # names nobody, so the overseer sees the figures as well
    over = client(world, "over")
    assert over.get(f"/money/effect/{package}").status_code == 200
    assert over.post(f"/money/effect/{package}").status_code == 403
    (kind,) = [
        k for k in over.get("/api/money/effect").json()["kinds"] if k["measure"] == "handsets"
    ]
    assert (kind["kind"], kind["disruptions"]) == ("block_list", 1)
    assert "Block list" in over.get("/money/effect").text
    again = inv.get(f"/api/money/effect/{package}").json()
    done(world, inv, f"/money/effect/{package}")
    assert inv.get(f"/api/money/effect/{package}").json() == again


def test_a_ring_that_was_disrupted_too_is_no_comparison(world):
    inv = client(world, reference="WR-P")
    first = drafted(world, inv)
    sent(world, inv, first)
    rings = inv.get("/api/calls/rings").json()["rings"]
    other = next(r["id"] for r in rings if r["id"] != world.ring and r["numbers"] == 2)
    mine, world.ring = world.ring, other
    sent(world, inv, drafted(world, inv))
    world.ring = mine
    done(world, inv, f"/money/effect/{first}")
    told = {m["measure"]: m for m in inv.get(f"/api/money/effect/{first}").json()["measures"]}
    assert told["handsets"]["figure"]["rings"] == RINGS - 2


def test_what_was_frozen_is_shared_out_and_told(world):
    inv = client(world, reference="WR-P")
    package = frozen(world, inv)
    assert inv.get(f"/money/recovery/{package}/bank.pdf").status_code == 409
    done(world, inv, f"/money/recovery/{package}")
    page = inv.get(f"/money/recovery/{package}").text
    # 165.33 came in, 60 of the first 100 were drawn, 105.33 stay and 90 are frozen
    assert "165.33" in page
    assert "VIC-1" in page
    shares = {"VIC-1": "34.18", "VIC-2": "42.72", "VIC-3": "13.10"}
    assert sum(Decimal(s) for s in shares.values()) == Decimal("90.00")
    for victim, share in shares.items():
        row = page[page.index(victim) :].split("</tr>")[0]
        assert share in row, victim
    for name in ("bank", "victims/1", "victims/3"):
        got = inv.get(f"/money/recovery/{package}/{name}.pdf")
        assert got.content.startswith(b"%PDF-"), name
        assert "masked" not in got.headers["content-disposition"]
    assert inv.get(f"/money/recovery/{package}/victims/9.pdf").status_code == 404
    assert "90.00" in inv.get("/money/recovery").text


def test_victims_and_accounts_are_masked_without_their_authority(world):
    inv = client(world, reference="WR-P")
    package = frozen(world, inv)
    done(world, inv, f"/money/recovery/{package}")
    for http in (client(world), client(world, "over"), client(world, reference="WR-1")):
        page = http.get(f"/money/recovery/{package}").text
        assert "165.33" in page
        for name in (*VICTIMS, "ACC-00"):
            assert name not in page
        assert http.post(f"/money/recovery/{package}").status_code in (403, 409)
    masked = client(world).get(f"/money/recovery/{package}/victims/1.pdf")
    assert "-masked" in masked.headers["content-disposition"]
    assert client(world, "over").get(f"/money/recovery/{package}/bank.pdf").status_code == 403
    assert client(world).get(f"/money/packages/{package}/report.xml").status_code == 403


def test_masked_letters_hold_no_account(world):
    """What is printed, as values: the PDF holds what these say and nothing else."""
    from cordon.money.disruption import letters

    inv = client(world, reference="WR-P")
    package = frozen(world, inv)
    done(world, inv, f"/money/recovery/{package}")
    room, seen = world.node.disruption, []
    told = letters.pdf
    letters.pdf = lambda template, values: seen.append(str(values)) or told(template, values)
    try:
        letters.bank_letter(room, world.actor("inv"), package)
        letters.notice(room, world.actor("inv"), package, 1)
    finally:
        letters.pdf = told
    for values in seen:
        assert "VIC-" not in values
        assert "ACC-00" not in values
        assert "~" in values


def test_the_report_of_a_freeze_request_is_valid_and_whole(world):
    inv = client(world, reference="WR-P")
    package = frozen(world, inv)
    got = inv.get(f"/money/packages/{package}/report.xml")
    assert got.status_code == 200, got.text
    tree = etree.fromstring(got.content)
    SCHEMA.assertValid(tree)
    assert [t.findtext("transactionnumber") for t in tree.iter("transaction")] == [
        "Q0", "Q1", "Q2", "Q9",
    ]  # fmt: skip
    assert {a.text for a in tree.iter("account")} == {*VICTIMS, "ACC-00", "ATM-1"}
    # by name, not by the id of an officer
    assert tree.findtext("reporting_person/last_name") == "Officer inv, Desk 1"


def test_without_sums_nothing_is_worked_out(world):
    inv = client(world, reference="WR-P")
    listed = drafted(world, inv)
    sent(world, inv, listed)
    assert inv.get(f"/money/recovery/{listed}").status_code == 400
    assert inv.post(f"/money/recovery/{listed}").status_code == 400
    assert WHY in inv.get(f"/money/packages/{listed}").text


def test_payments_brought_into_the_room_stand_before_those_beside_the_calls(world, noon):
    node = world.node
    inv = node.authorities.under(world.actor("inv"), "WR-P")
    day = timedelta(days=1)
    rows = ["payment_id,at,from_account,to_account,amount,currency,channel"]
    for n in range(-20, 20):
        rows.append(f"R{n},{noon + n * day:%Y-%m-%dT%H:%M:%SZ},VIC-9,ACC-00,10.00,PKR,transfer")
    body = io.BytesIO("\n".join(rows).encode())
    job = node.money.ask_import(inv, body, "p.csv", kind="payments", layout="auto")
    assert node.run_job(job, lambda _d, _t: None).state == "done"
    http = client(world, reference="WR-P")
    package = frozen(world, http)
    done(world, http, f"/money/recovery/{package}")
    page = http.get(f"/money/recovery/{package}").text
    assert "400" in page[page.index("VIC-9") :].split("</tr>")[0]
    assert "VIC-1" not in page
    listed = drafted(world, http)
    sent(world, http, listed)
    done(world, http, f"/money/effect/{listed}")
    told = {m["measure"]: m for m in http.get(f"/api/money/effect/{listed}").json()["measures"]}
    # the day itself is neither before nor after, and the last day may not be whole
    assert sum(told["mules"]["came"]) == 38


def bring(world, kind, rows):
    node = world.node
    inv = node.authorities.under(world.actor("inv"), "WR-P")
    body = io.BytesIO("\n".join(rows).encode())
    job = node.money.ask_import(inv, body, f"{kind}.csv", kind=kind, layout="auto")
    assert node.run_job(job, lambda _d, _t: None).state == "done"


def complained(world, noon):
    """Three complaints: in order, with another sum than was paid, and of a payment not found."""
    day = f"{noon - timedelta(days=10):%Y-%m-%d}"
    head = "complaint_id,received,occurred,victim_number,suspect_account,loss_amount,currency"
    bring(world, "accounts", ["account,bank,phone"] + [
        f"VIC-{n},Example Bank,+92333000000{n}" for n in (1, 2, 3)])  # fmt: skip
    bring(world, "complaints", [
        head, f"CMP-1,{day},{day},+923330000001,ACC-00,100.00,PKR",
        f"CMP-2,{day},{day},+923330000002,ACC-00,55,PKR",
        f"CMP-3,{day},{day},+923330000009,ACC-00,70.00,PKR",
        f"CMP-4,{day},{day},+923330000009,ACC-99,70.00,PKR"])  # fmt: skip


def test_complaints_stand_beside_what_was_paid_in_letters_and_masked(world, noon):
    from cordon.money.disruption import letters

    complained(world, noon)
    inv = client(world, reference="WR-P")
    package = frozen(world, inv)
    done(world, inv, f"/money/recovery/{package}")
    page = inv.get(f"/money/recovery/{package}").text
    assert "CMP-4" not in page  # names an account of somebody else
    first, second = (page[page.index(v) :].split("</tr>")[0] for v in ("VIC-1", "VIC-2"))
    assert "CMP-1" in first
    assert "than paid" not in first
    assert "5.00 more than paid" in second
    alone = page[page.index("CMP-3") :].split("</tr>")[0]
    assert "complained, payment not found" in alone
    assert re.search(r"225\D", page)  # told in all
    seen = []
    told = letters.pdf
    letters.pdf = lambda template, values: seen.append(values) or told(template, values)
    try:
        room = world.node.disruption
        actor = world.node.authorities.under(world.actor("inv"), "WR-P")
        for language in letters.LANGUAGES:
            letters.bank_letter(room, actor, package, language)
        for language in letters.LANGUAGES:
            for place in (1, 2, 3):
                letters.notice(room, actor, package, place, language)
    finally:
        letters.pdf = told
    for bank in seen[:2]:
        cells = [r[2].strip("\u2066\u2069") for r in bank["rows"]]
        assert cells == ["CMP-1", "CMP-2", "–"]
        assert "CMP-3 (70 PKR)" in bank["after"][1]
    said = [" ".join(v["paragraphs"]) for v in seen[2:]]
    for text in (said[0], said[3]):
        assert "CMP-1" in text
        assert "100.00 PKR" in text
    for text in (said[1], said[4]):
        assert "CMP-2" in text
        assert "5.00 PKR" in text
    for text in (said[2], said[5]):
        assert "CMP" not in text
    plain, urdu = (
        inv.get(f"/money/recovery/{package}/victims/1.pdf{more}") for more in ("", "?language=ur")
    )
    assert b"NotoNastaliqUrdu" in urdu.content
    assert b"NotoNastaliqUrdu" not in plain.content
    assert "-ur.pdf" in urdu.headers["content-disposition"]
    bank = inv.get(f"/money/recovery/{package}/bank.pdf?language=ur")
    assert "-bank-ur.pdf" in bank.headers["content-disposition"]
    assert b"NotoNastaliqUrdu" in bank.content
    assert inv.get(f"/money/recovery/{package}/bank.pdf?language=xx").status_code == 400
    assert inv.get(f"/money/recovery/{package}/victims/1.pdf?language=xx").status_code == 400
    for http in (client(world), client(world, "over"), client(world, reference="WR-1")):
        page = http.get(f"/money/recovery/{package}").text
        assert "complained, payment not found" in page
        for name in ("CMP-", *VICTIMS, "ACC-00", "333000000"):
            assert name not in page
