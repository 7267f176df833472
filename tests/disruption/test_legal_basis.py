"""What a package stands on: a basis that allows its kind, told with its dates and by names."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from importlib.resources import files

import pytest

from cordon.countries import codes, country
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.money.disruption import exporting
from cordon.money.disruption.model import Kind
from cordon.money.disruption.tables import PackageRow
from support.packaged import WHY, drafted, officer, row, sent
from support.ringed import ACCOUNTS, client, keep_ring, ringed


@pytest.fixture
def world(site, noon):
    ringed(site, noon)
    officer(site, "second", "desk-2")
    keep_ring(site, "WR-P", ACCOUNTS)
    return site


def asked(world, http, **more):
    inv = world.node.authorities.under(world.actor("inv"), "WR-P")
    (key, *_) = [
        c.key for c in world.node.disruption.form(inv, Kind.FREEZE, ring=world.ring).choices
    ]
    data = {"kind": "freeze", "ring": world.ring, "item": [key], "amount_of": [key],
            "amount": ["5"], "currency": "PKR", "addressee": "Example Bank",
            "why": WHY}  # fmt: skip
    return http.post("/money/packages", data=data | more)


@pytest.mark.parametrize("code", codes())
def test_every_country_says_for_each_kind_what_it_may_stand_on(code):
    facts = country(code)
    assert set(facts.packages) == set(Kind)
    assert all(facts.bases_of(kind) for kind in Kind)


def test_what_lets_calls_be_read_lets_no_account_be_frozen(world):
    inv = client(world, reference="WR-P")
    page = inv.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    offered = page.split('name="legal"', 1)[1].split("</select>", 1)[0]
    assert "LA-F" in offered
    assert "WR-P" not in offered
    assert "LA-B" not in offered
    refused = asked(world, inv, legal="WR-P")
    assert refused.status_code == 403
    assert "Name one of: LA-F" in refused.text
    assert asked(world, inv, legal="LA-B").status_code == 403
    assert asked(world, inv, legal="nobody").status_code == 403
    made = asked(world, inv, legal="LA-F")
    assert made.status_code == 303
    kept = row(world, made.headers["location"].rsplit("/", 1)[-1])
    assert kept.reference == "LA-F"
    assert "Criminal Procedure" in kept.law
    # who sees it depends on what it was read under, as before
    assert kept.authority == world.node.authorities.find(world.console, "WR-P").id


def test_where_none_is_in_force_it_is_said_which_to_record(world):
    one = world.node.authorities.find(world.console, "LA-F")
    world.node.authorities.withdraw(world.actor("second"), one.id, "Recorded twice.")
    inv = client(world, reference="WR-P")
    page = inv.get(f"/money/packages/new?kind=freeze&ring={world.ring}").text
    assert "No authority in force allows this kind" in page
    assert "Order to seize or hold property" in page
    assert asked(world, inv).status_code == 403


def test_an_authority_over_others_is_refused(world, noon):
    draft = Draft(
        basis="crpc_seizure", reference="LA-X", issuer="A court",
        scope=Scope(frozenset({"payments"}), frozenset({"account:OTHER"})),
        valid_from=noon, valid_until=noon + timedelta(days=5),
    )  # fmt: skip
    world.node.authorities.record(world.actor("inv"), draft, io.BytesIO(b"x"))
    inv = client(world, reference="WR-P")
    several = asked(world, inv)
    assert several.status_code == 422  # two would do, and none is named
    assert "LA-X" in several.text
    refused = asked(world, inv, legal="LA-X")
    assert refused.status_code == 403
    assert "LA-X does not cover" in refused.text


def test_the_json_tells_the_basis_its_dates_and_names(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    sent(world, inv, package)
    told = json.loads(inv.get(f"/money/packages/{package}/out.json").content)
    known = world.node.authorities.find(world.console, "LA-B")
    assert told["format"] == "cordon/package/2"
    assert told["authority"]["basis"] == "telecom_blocking"
    assert told["authority"]["valid_until"].startswith(f"{known.valid_until:%Y-%m-%dT%H:%M}")
    assert told["approved"]["by"] == "Officer second"
    assert told["approved"]["unit"] == "desk-2"
    with world.node.kernel.rows.read() as session:
        from cordon.money.disruption import reading
        from cordon.money.disruption.seeing import Shown

        whole = reading.package(session, session.get_one(PackageRow, package))
        paper = exporting.printed(Shown(whole, 0, ()))
    signed = dict(paper["signed"])
    assert signed["Approved by"].startswith("Officer second, desk-2 · ")
    assert ("Valid", f"{known.valid_from:%Y-%m-%d} to {known.valid_until:%Y-%m-%d}") in [
        tuple(h) for h in paper["head"]
    ]


def test_what_was_sent_in_the_first_form_stays_as_it_was(world):
    inv = client(world, reference="WR-P")
    package = drafted(world, inv)
    sent(world, inv, package)
    old = b'{"format": "cordon/package/1"}\n'
    kept = world.node.kernel.files.put(iter([old]))
    with world.node.kernel.rows.write() as session:
        one = session.get_one(PackageRow, package)
        one.files = {**one.files, "json": kept.sha256}
    assert inv.get(f"/money/packages/{package}/out.json").content == old
    first = json.loads(files("cordon.money.disruption").joinpath("package.schema.json").read_text())
    assert first["$id"] == "urn:cordon:package:1"


def test_a_site_package_without_units_says_how_one_is_added(world):
    inv = client(world, reference="WR-P")
    page = inv.get(f"/money/packages/new?kind=site&ring={world.ring}").text
    assert "cordon operations units add" in page
    assert 'name="unit"' not in page
    data = {"kind": "site", "ring": world.ring, "addressee": "Raid", "why": WHY}
    refused = inv.post("/money/packages", data=data)
    assert refused.status_code == 422
    assert "a supervisor adds one" in refused.text
