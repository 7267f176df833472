"""What a form of a package offers: whose account it is, why it is tied, and what may be frozen."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import pytest

from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.ids import new_id
from cordon.kernel.leads import keep
from cordon.money.disruption.addressing import keeps
from cordon.money.disruption.model import Item, Kind
from cordon.money.disruption.offering import supported
from cordon.money.tables import TraceRow
from support.packaged import WHY, officer, sent
from support.ringed import ACCOUNTS, BEGIN, LINES, client, keep_ring, named, ringed

REASON = "The second bank settles for the first, and was told."


@pytest.fixture
def world(site, noon):
    ringed(site, noon)
    officer(site, "second", "desk-2")
    keep_ring(site, "WR-P", ACCOUNTS, ("account:PK-ACC-90", "wallet:bc1qexample"))
    inv = site.node.authorities.under(site.actor("inv"), "WR-P")
    told = "account,bank,kind\nPK-ACC-78,Example Bank,wallet\n"
    paid = (
        "payment_id,at,from_account,to_account,amount,currency,channel,from_bank,to_bank\n"
        "P1,2026-01-06T10:00:00Z,VIC-1,PK-ACC-90,100.00,PKR,transfer,,Other Bank\n"
        "P2,2026-01-06T11:00:00Z,VIC-2,PK-ACC-78,50.00,PKR,transfer,,Wrong Bank\n"
    )
    for kind, body in (("accounts", told), ("payments", paid)):
        job = site.node.money.ask_import(inv, io.BytesIO(body.encode()), f"{kind}.csv", kind=kind)
        assert site.node.run_job(job, lambda _d, _t: None).state == "done"
    return site


def form(world, kind=Kind.FREEZE, **more):
    inv = world.node.authorities.under(world.actor("inv"), "WR-P")
    return world.node.disruption.form(inv, kind, ring=world.ring, **more)


def traced(world, stays, subject="", about="ring"):
    """A kept trace of the ring that says what is still there."""
    node = world.node
    with node.kernel.rows.write() as session:
        session.add(
            TraceRow(
                id=new_id(), agency=node.kernel.agency, mark="TLP:AMBER",
                created_at=node.kernel.clock.now(),
                authority=node.authorities.find(world.console, "WR-P").id, about=about,
                subject=subject or world.ring, way="forward", hops=6, job="j", state="done",
                detail={"methods": {"fifo": {"stays": [
                    {"account": a, "amount": m, "currency": c, "hop": 1} for a, m, c in stays]}}},
            )
        )  # fmt: skip


def found(world, kind, subjects):
    """A finding over payments, kept."""
    made = Finding.make(
        kind=kind, subjects=subjects, start=BEGIN, end=BEGIN + timedelta(days=1), confidence=0.9,
        reasons=[Reason("through", 0.9, "1", 0.8, "It passes on what it takes in")],
        records=[RecordRef("ab" * 32, 1)], detector=kind, version="1",
    )  # fmt: skip
    cards: dict[str, Card] = {**world.node.money.cards}
    with world.node.kernel.work(world.node.kernel.node) as work:
        ids, _ = keep(work, [made], cards)
    return ids[0]


def test_the_bank_comes_from_the_room_s_accounts_before_its_payments(world):
    banks = {c.shown: c.bank for c in form(world).choices}
    assert banks["PK-ACC-78"] == "Example Bank"  # its file of accounts, not what one payment said
    assert banks["PK-ACC-90"] == "Other Bank"
    assert banks["bc1qexample"] == ""
    text = client(world).get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    assert named(text) == []


def test_a_freeze_of_a_finding_has_its_bank_and_what_its_own_trace_says(world):
    mule = found(world, "money.mule", ["account:PK-ACC-90"])
    traced(world, [("PK-ACC-90", "70.00", "PKR")], "account:PK-ACC-90", "account")
    inv = world.node.authorities.under(world.actor("inv"), "WR-P")
    (one,) = world.node.disruption.form(inv, Kind.FREEZE, finding=mule).choices
    assert (one.bank, one.amount("PKR"), one.signs) == ("Other Bank", "70.00", ("mule",))
    assert not one.ticked  # one sign alone


def test_each_item_says_why_it_is_tied_and_two_signs_tick_it(world):
    told = {c.shown: c for c in form(world).choices}
    assert told["PK-ACC-77"].signs == ("complaint",)
    assert not told["PK-ACC-77"].ticked
    assert told["PK-ACC-78"].signs == ("bound",)
    found(world, "money.mule", ["account:PK-ACC-78"])
    found(world, "money.call_then_pay", ["account:PK-ACC-77", f"number:{LINES[0]}"])
    found(world, "money.call_then_pay", ["account:PK-ACC-90", "number:+923009999999"])
    told = {c.shown: c for c in form(world).choices}
    assert told["PK-ACC-78"].signs == ("mule", "bound")
    assert told["PK-ACC-77"].signs == ("complaint", "called")
    assert told["PK-ACC-77"].ticked
    assert told["PK-ACC-78"].ticked
    assert told["PK-ACC-90"].signs == ("payment",)  # called by another's number
    assert not told["PK-ACC-90"].ticked
    lines = [c for c in form(world, Kind.BLOCK_LIST).choices if c.type == "number"]
    assert all(c.ticked and c.signs == ("member",) for c in lines)
    http = client(world, reference="WR-P")
    page = http.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    assert "bound to a number of the ring" in page
    assert len(re.findall(r'name="item"[^>]* checked', page)) == 2


def test_complaints_of_either_sort_are_one_sign():
    assert not supported(["complaint", "alone"])
    assert supported(["alone", "bound"])
    assert not supported([])


def test_amounts_come_from_the_latest_trace_and_may_be_changed(world):
    traced(world, [("PK-ACC-78", "1.00", "PKR")])
    traced(world, [("PK-ACC-78", "40.509", "PKR"), ("PK-ACC-78", "3", "USD"), ("X", "9", "PKR")])
    told = {c.shown: c for c in form(world).choices}
    assert told["PK-ACC-78"].amount("PKR") == "40.50"
    assert told["PK-ACC-77"].amount("PKR") == ""
    http = client(world, reference="WR-P")
    page = http.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    assert 'value="40.50"' in page
    assert "first in first out" in page
    bare = client(world, reference="WR-1")
    assert "40.5" not in bare.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text


def drafted(world, http, shown, **more):
    keys = {c.shown: c.key for c in form(world).choices}
    data = {"kind": "freeze", "ring": world.ring, "item": [keys[s] for s in shown],
            "amount_of": [keys[s] for s in shown], "amount": ["1"] * len(shown),
            "currency": "PKR", "addressee": "Example Bank, compliance", "why": WHY}  # fmt: skip
    answer = http.post("/money/packages", data=data | more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[-1]


def test_what_the_addressee_does_not_keep_is_named_and_not_approved_without_a_reason(world):
    inv, second = client(world, reference="WR-P"), client(world, "second")
    package = drafted(world, inv, ["PK-ACC-78", "PK-ACC-90", "bc1qexample"])
    page = inv.get(f"/money/packages/{package}").text
    assert "not known to keep 2 items" in page
    warned = page.split("not known to keep", 1)[1].split("</ul>", 1)[0]
    assert {"PK-ACC-90", "Other Bank", "bc1qexample"} <= set(re.findall(r"[\w -]+", warned))
    assert "PK-ACC-78" not in warned
    refused = second.post(f"/money/packages/{package}/approve", data={"note": "fine"})
    assert refused.status_code == 422
    assert "place 2 (Other Bank)" in refused.text
    assert "a wallet of a coin" in refused.text
    good = second.post(f"/money/packages/{package}/approve", data={"note": REASON})
    assert good.status_code == 303
    own = drafted(world, inv, ["PK-ACC-78"])
    assert second.post(f"/money/packages/{own}/approve").status_code == 303
    said = drafted(world, inv, ["PK-ACC-90"], others=REASON)
    sent(world, inv, said)
    assert REASON in inv.get(f"/money/packages/{said}").text
    out = json.loads(inv.get(f"/money/packages/{said}/out.json").content)
    assert [i["bank"] for i in out["items"]] == ["Other Bank"]


def test_one_draft_is_offered_for_each_bank(world):
    found(world, "money.mule", ["account:PK-ACC-78"])
    found(world, "money.call_then_pay", ["account:PK-ACC-77", f"number:{LINES[0]}"])
    told = form(world)
    assert dict(told.banks) == {"Example Bank": 2, "Other Bank": 1, "": 1}
    only = form(world, bank="Example Bank")
    assert [c.shown for c in only.choices if only.ticked(c)] == ["PK-ACC-77", "PK-ACC-78"]
    http = client(world, reference="WR-P")
    page = http.get(
        "/money/packages/new", params={"kind": "freeze", "ring": world.ring, "bank": "Other Bank"}
    ).text
    assert "bank=Example+Bank" in page
    assert re.search(r'name="addressee"[^>]*value="Other Bank"', page)


@pytest.mark.parametrize(
    ("addressee", "bank", "kept"),
    [
        ("Example Bank", "example  bank", True),
        ("The compliance desk, Example Bank", "Example Bank", True),
        ("Examples Bank", "Example Bank", False),
        ("Example Bank", "", False),
        ("Other Bank", "Example Bank", False),
    ],
)
def test_a_bank_is_the_addressee_s_in_whole_words(addressee, bank, kept):
    assert keeps(addressee, Item("account:A", "f", bank)) is kept
