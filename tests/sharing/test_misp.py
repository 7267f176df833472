"""Events of MISP: taken as far as it is known whom they are for, marked as their tags say."""

from __future__ import annotations

import json
import uuid

import pytest
from sqlalchemy import select

from cordon.kernel.errors import BadInput, Refused
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.sharing.stix import misp
from support.sharewords import AMBER, OPEN, RED

# an extra, which wants a setuptools that taky, a client of other tests, does not run with
pytest.importorskip("misp_stix_converter", reason="misp-stix is not installed")

OURS = "0f6d2a51-3c0b-4f0e-8b6e-6a1f0f9d7c11"
THEIRS = "5b1c7e90-9a44-4a8e-9d55-2f3f4c6f8e22"
NOW = "1793268000"


@pytest.fixture
def rows_url(sqlite_url):
    """What is taken is the same on both stores: it goes in as by TAXII, which is tested on both."""
    return sqlite_url


def attribute(value, kind="domain", **more):
    return {
        "uuid": str(uuid.uuid4()), "type": kind, "category": "Network activity", "value": value,
        "to_ids": True, "timestamp": NOW, "distribution": "5", **more,
    }  # fmt: skip


def event(*attributes, tags=(), **more):
    return {
        "Event": {
            "uuid": str(uuid.uuid4()), "info": "Task fraud", "date": "2026-10-29",
            "timestamp": NOW, "analysis": "2", "threat_level_id": "2", "published": True,
            "distribution": "3", "Orgc": {"name": "CERT-X", "uuid": THEIRS},
            "Attribute": list(attributes), "Tag": [{"name": t} for t in tags], **more,
        }
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(given):
        path = tmp_path / "misp.json"
        path.write_text(given if isinstance(given, str) else json.dumps(given), "utf-8")
        return path

    return write


def values(objects):
    return sorted(o["value"] for o in objects if o["type"] == "domain-name")


def test_an_event_becomes_objects_of_stix_marked_with_its_strictest_tag(written):
    one = event(
        attribute("pay.example"),
        attribute("task.example", Tag=[{"name": "tlp:amber"}]),
        tags=["tlp:green", "pap:green"],
    )
    found = misp.converted(written(one))
    assert (found.events, found.refused) == (1, [])
    assert values(found.objects) == ["pay.example", "task.example"]
    assert {"indicator", "observed-data"} <= {o["type"] for o in found.objects}
    for thing in found.objects:
        assert thing["type"] == "marking-definition" or AMBER in thing["object_marking_refs"]


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"distribution": "1"}, True),
        ({"distribution": "0"}, False),
        ({"distribution": "4"}, False),  # MISP #4200: a group that is not there is nobody
        ({"distribution": "4", "SharingGroup": {"name": "x", "SharingGroupOrg": []}}, False),
        ({"distribution": "9"}, False),
        ({"distribution": None}, False),
        ({"distribution": "5"}, False),  # there is nothing that an event could inherit from
    ],
)
def test_whom_an_event_is_for(written, more, taken):
    found = misp.converted(written(event(attribute("a.example"), **more)))
    assert bool(found.objects) is taken
    assert found.events == int(taken)
    assert [place for place, _ in found.refused] == ([] if taken else ["events[0]"])


@pytest.mark.parametrize("own", [OURS, OURS.upper(), "Our Agency"])
def test_what_is_kept_for_a_group_is_taken_by_who_stands_in_it(written, own):
    group = {
        "name": "Region",
        "SharingGroupOrg": [{"Organisation": {"uuid": OURS, "name": "Our agency"}}],
    }
    given = event(attribute("a.example"), distribution="4", SharingGroup=group)
    assert misp.converted(written(given), own).events == 1
    assert misp.converted(written(given), "Another").events == 0
    assert misp.converted(written(given)).events == 0


def test_a_part_has_an_audience_of_its_own(written):
    given = event(
        attribute("a.example"),
        attribute("kept.example", distribution="0"),
        Object=[
            {
                "uuid": str(uuid.uuid4()), "name": "domain-ip", "meta-category": "network",
                "template_uuid": "43b3b146-77eb-4931-b4cc-b66c60f28734", "template_version": "11",
                "timestamp": NOW, "distribution": "5",
                "Attribute": [
                    attribute("b.example", object_relation="domain"),
                    attribute("192.0.2.7", "ip-dst", object_relation="ip", distribution="4"),
                ],
            }
        ],
    )  # fmt: skip
    found = misp.converted(written(given))
    assert [place for place, _ in found.refused] == [
        "events[0].Attribute[1]", "events[0].Object[0].Attribute[1]",
    ]  # fmt: skip
    text = json.dumps(found.objects)
    assert "a.example" in text
    assert "b.example" in text
    assert "kept.example" not in text
    assert "192.0.2.7" not in text


def test_a_tlp_that_nobody_knows_is_for_nobody_and_the_next_event_goes_on(written):
    found = misp.converted(
        written(
            {
                "response": [
                    event(attribute("a.example"), tags=["tlp:unclear"]),
                    event(attribute("b.example"), tags=["TLP:RED"]),
                ]
            }
        )
    )
    assert values(found.objects) == ["b.example"]
    assert found.refused == [("events[0]", "it has a TLP tag that is not known")]
    assert all(
        RED in o["object_marking_refs"] for o in found.objects if o["type"] != "marking-definition"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [("{", "no JSON: line 1"), ("[1]", r"no event of MISP at \[0\]"), ("{}", "no event of MISP")],
)
def test_a_file_of_another_kind_is_refused_by_name(written, given, says):
    with pytest.raises(BadInput, match=rf"misp\.json.*{says}"):
        misp.converted(written(given))


def test_what_was_taken_is_in_the_collection_as_far_as_its_mark_lets(node, both, written):
    console = node.console_actor(None)
    path = written([event(attribute("a.example"), tags=["tlp:green"]),
                    event(attribute("b.example"), tags=["tlp:amber"])])  # fmt: skip
    done = node.sharing.take_misp(console, path, "leads")
    assert (done.events, done.refused) == (2, ())
    again = node.sharing.take_misp(console, path, "leads")
    assert (again.new, again.repeated) == (0, done.new + done.repeated)
    told = both.get(f"/taxii2/province/collections/{OPEN}/objects/").json()["objects"]
    assert values(told) == ["a.example"]  # its clearance is green
    with node.kernel.rows.read() as session:
        query = select(LedgerEntry).where(LedgerEntry.act == "sharing.misp.take")
        assert len(session.scalars(query).all()) == 2


def test_whoever_may_not_share_takes_nothing_in(node, supervisor, written):
    from dataclasses import replace

    from cordon.kernel.access.model import Role

    path = written(event(attribute("a.example")))
    for role in (Role.WATCH_OFFICER, Role.OVERSEER, Role.ADMINISTRATOR, Role.INVESTIGATOR):
        with pytest.raises(Refused):
            node.sharing.take_misp(replace(supervisor, roles=frozenset({role})), path, "leads")
    assert node.sharing.take_misp(supervisor, path, "leads").events == 1
