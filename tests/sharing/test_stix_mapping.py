"""Findings and cases to STIX and back: nothing personal leaves, and the rest is whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import stix2
from fastapi.testclient import TestClient

from cordon.cases import Case, CaseState, Exhibit, ExhibitKind
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.stix import mapping, marks
from cordon.sharing.stix.checking import Wrong, check
from cordon.sharing.taxii import intake
from support.sharewords import OPEN
from support.stixvalidated import validate_instance

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
SHA = "ab" * 32
POINT = {"type": "Point", "coordinates": [63.47, 25.26]}
LINE = {"type": "LineString", "coordinates": [[63.0, 25.0], [63.5, 25.5]]}


def finding(*subjects, place=POINT, says="Silent for 46 min.", **rest):
    return Finding.make(
        kind="picture.gap", subjects=subjects or ("mmsi:463012345", "zone:gwadar"), start=NOON,
        end=NOON.replace(hour=13), confidence=0.8765, place=place,
        reasons=[Reason("silence", 46.0, "min", 30.0, says)], records=[RecordRef(SHA, 7)],
        detector="picture.gap", version="2", radius_m=900.0 if place else None, **rest,
    )  # fmt: skip


def case():
    return Case(
        id="0199aaaa-0000-7000-8000-000000000001", agency="pk-demo", mark=Mark.GREEN,
        number="C-2026-0001", title="Boats by night", state=CaseState.OPEN, opened_at=NOON,
        unit="geheim-unit", lead_officer="geheim-officer", seriousness="serious",
    )  # fmt: skip


def exhibit():
    return Exhibit(
        id="0199aaaa-0000-7000-8000-000000000002", case=case().id, label="E-1",
        kind=ExhibitKind.PHOTO, title="geheim-name.jpg", sha256=SHA, size=7,
        media_type="image/jpeg", source="geheim-source", received_at=NOON,
        received_from="person:geheim",
    )  # fmt: skip


@pytest.mark.parametrize("place", [POINT, LINE, None])
def test_a_finding_comes_back_as_it_went_but_for_its_records(place):
    sent = finding(place=place)
    told = mapping.told_by(json.loads(json.dumps(mapping.of_finding(sent, "pk-demo", Mark.AMBER))))
    (back,) = told.findings
    assert told.lost == []
    assert back == replace(
        sent, records=(), extra={"agency": "pk-demo", "withheld": 0}, place=place
    )


def test_everything_made_is_stix_to_other_programs():
    made = mapping.of_case(
        case(), [exhibit()], [(finding(), Mark.AMBER), (finding(place=None), Mark.GREEN)]
    )
    assert len({o["id"] for o in made}) == len(made)
    for thing in made:
        check(thing)
        assert validate_instance(json.loads(json.dumps(thing))).is_valid, thing["type"]
    file = next(o for o in made if o["type"] == "file")
    assert file["id"] == stix2.v21.File(hashes={"SHA-256": SHA}).id, "as the standard makes it"
    known = [o for o in made if o["type"] != mapping.THING]
    bundle = {"type": "bundle", "id": "bundle--6b5bd6a0-1c6e-4d8b-a0a7-0d5a0a4d5c11"}
    stix2.parse(bundle | {"objects": known}, allow_custom=True)
    again = mapping.of_case(
        case(), [exhibit()], [(finding(), Mark.AMBER), (finding(place=None), Mark.GREEN)]
    )
    assert made == again, "the same thing keeps its id"


def test_nothing_personal_leaves():
    """Neither in clear, nor masked, nor in words, nor who works on a case."""
    personal = ("number:+923001234567", "imsi:410010000000001", "imei:35000000000001",
                "account:PK00GEHEIM", "person:geheim",
                "number:+92 300 ••• 4567 (k3x9)")  # fmt: skip
    sent = finding("cell:410-01-7-9", *personal, says="+923001234567 rang geheim 40 times.")
    graded = mapping.of_case(case(), [], [], Grade("B", "2"))[-1]
    assert graded["extensions"][mapping.EXTENSION]["admiralty"] == "B2"
    made = mapping.of_case(case(), [exhibit()], [(sent, Mark.AMBER)])
    text = json.dumps(made, ensure_ascii=False)
    for secret in ("923001234567", "4567", "k3x9", "410010000000001", "35000000000001", "GEHEIM",
                   "geheim", "number:", "imsi", "imei", "account"):  # fmt: skip
        assert secret not in text, secret
    (back,) = mapping.told_by(made).findings
    assert back.subjects == ("cell:410-01-7-9",)
    assert back.extra["withheld"] == 6
    assert back.reasons[0].value == 46.0
    other = json.dumps(
        mapping.of_finding(finding(says="Called +923001234567."), "pk-demo", Mark.GREEN)
    )
    assert "923001234567" not in other, "a number in the words of a finding about a vessel"


def test_marks_travel_and_a_case_takes_the_strictest():
    made = mapping.of_case(case(), [], [(finding(), Mark.AMBER_STRICT)])
    rank = {o["type"]: marks.rank_of(marks.refs_of(o), {}, 0) for o in made}
    for type_ in ("incident", "grouping", "location", "relationship", mapping.THING):
        assert rank[type_] == (Mark.AMBER_STRICT.rank, []), type_
    (told,) = mapping.told_by(made).cases
    assert told.mark is Mark.AMBER_STRICT


def test_a_case_is_told_with_its_findings_and_exhibits():
    sent = finding()
    told = mapping.told_by(mapping.of_case(case(), [exhibit()], [(sent, Mark.GREEN)]))
    (back,) = told.cases
    assert told.lost == []
    assert (back.number, back.title, back.state) == (
        "C-2026-0001",
        "Boats by night",
        CaseState.OPEN,
    )
    assert back.name == f"pk-demo:{case().id}"
    assert back.opened_at == NOON
    assert back.findings == (f"pk-demo:{sent.id}",)
    assert back.exhibits == (("E-1", "photo", SHA, 7, "image/jpeg"),)
    (empty,) = mapping.told_by(mapping.of_case(case(), [], [])).cases
    assert empty.findings == ()


@pytest.mark.parametrize("grade", [None, Grade("B", "2"), Grade("F", "6")])
def test_a_grade_comes_back_as_it_went(grade):
    sent = json.loads(json.dumps(mapping.of_case(case(), [exhibit()], [], grade)))
    for thing in sent:
        assert intake.offer(thing, old=False).thing == thing
    told = mapping.told_by(sent)
    assert told.lost == []
    assert [c.grade for c in told.cases] == [grade]


@pytest.mark.parametrize("nonsense", ["", "B", "Z9", "B22", 22, True, ["B2"], {"source": "B"}])
def test_what_is_no_grade_is_refused_by_the_name_of_its_property(nonsense):
    grouping = json.loads(json.dumps(mapping.of_case(case(), [], [], Grade("B", "2"))))[-1]
    grouping["extensions"][mapping.EXTENSION]["admiralty"] = nonsense
    with pytest.raises(Wrong) as refused:
        intake.offer(grouping, old=False)
    assert refused.value.at == f"extensions.{mapping.EXTENSION}.admiralty"
    told = mapping.told_by([grouping])
    assert told.cases == []
    assert [id_ for id_, why in told.lost if "admiralty: is no Admiralty grade" in why] == [
        grouping["id"]
    ]


def test_the_grade_of_a_case_of_another_agency_is_shown_to_whom_its_mark_allows(node, both, app):
    """Handed in by TAXII, as a peer's push does it; read on the page and by the command's way."""
    sent = mapping.of_case(replace(case(), agency="pk-far"), [exhibit()], [], Grade("C", "4"))
    dark = replace(case(), id="0199aaaa-0000-7000-8000-000000000009", mark=Mark.AMBER)
    strict = mapping.of_case(replace(dark, number="C-2026-0009"), [], [], Grade("A", "1"))
    bad = json.loads(json.dumps(sent[-1])) | {
        "id": "grouping--6b5bd6a0-1c6e-4d8b-a0a7-0d5a0a4d5c11"
    }
    bad["extensions"][mapping.EXTENSION]["admiralty"] = "Q7"
    status = both.add([*sent, *strict, bad]).json()
    (failure,) = status["failures"]
    assert failure["id"] == bad["id"]
    assert "admiralty: is no Admiralty grade" in failure["message"]
    assert "Q7" not in failure["message"]

    def officer(cleared):
        return Actor("officer-i", "I", "pk-demo", "desk", frozenset({Role.INVESTIGATOR}), cleared)

    (seen,) = node.sharing.told(officer(Mark.GREEN), "leads").cases
    assert (seen.name.partition(":")[0], seen.number, seen.grade) == (
        "pk-far", "C-2026-0001", Grade("C", "4"),
    )  # fmt: skip
    whole = node.sharing.told(officer(Mark.AMBER), OPEN)
    assert [str(c.grade) for c in whole.cases] == ["A1", "C4"]
    assert whole.bad == ()
    (entry, *_) = node.kernel.ledger.entries(act="sharing.object.view", limit=1)
    assert (entry.actor, entry.detail["count"]) == ("officer-i", 2)
    console = node.console_actor(None)
    node.units.add(console, "told-desk", "Desk")
    node.officers.add(
        console, login="reader", name="Person R", roles=[Role.INVESTIGATOR], unit="told-desk",
        cleared=Mark.GREEN, password="monsoon lantern quarry", must_change=False,
    )  # fmt: skip
    http = TestClient(app, follow_redirects=False)
    signed = {"login": "reader", "password": "monsoon lantern quarry"}
    assert http.post("/sign-in", data=signed).status_code == 303
    shown = http.get(f"/sharing/collections/{OPEN}")
    assert shown.status_code == 200
    assert "fairly reliable, doubtful" in shown.text
    assert "completely reliable" not in shown.text
    assert f"/sharing/collections/{OPEN}" in http.get("/sharing").text


def test_what_has_no_word_here_or_is_broken_is_named():
    made = mapping.of_finding(finding(), "pk-demo", Mark.GREEN)
    incident = next(o for o in made if o["type"] == "incident")
    foreign = {"type": "malware", "id": "malware--fdd60b30-b67c-41e3-b0b9-f01faf20d111"}
    for broken in ({"start": "soon"}, {"reasons": 7}, {"confidence": "x"}, {"name": None}):
        said = incident["extensions"][mapping.EXTENSION] | broken
        if broken.get("name", 0) is None:
            del said["name"]
        thing = incident | {"extensions": {mapping.EXTENSION: said}}
        told = mapping.told_by([foreign, thing])
        assert told.findings == [], broken
        assert {i for i, _ in told.lost} == {foreign["id"], thing["id"]}
    assert mapping.told_by([{}, {"id": 7}]).findings == []


def test_a_case_is_put_into_a_collection_and_served_to_whom_it_may_concern(node, both, reader):
    """Through the command's own service: twice adds nothing, and marks are kept."""
    from cordon.kernel import leads
    from cordon.kernel.cards import Card

    console = node.console_actor(None)
    card = Card(
        kind="picture.gap", name="picture.gap", version="1", title="Went silent", looks_for="x",
        seriousness="serious", parameters={}, fooled_by=(), takes=(),
    )  # fmt: skip
    sent = finding("mmsi:463012345", "number:+923001234567")
    with node.kernel.work(node.kernel.node) as work:
        kept, _ = leads.keep(work, [sent], {"picture.gap": card}, mark=Mark.AMBER)
    id_ = node.cases.open(
        console, title="Boats by night", finding_ids=kept, seriousness="serious", mark=Mark.GREEN
    )
    done = node.sharing.put(console, id_, "leads")
    assert (done.findings, done.withheld, done.repeated) == (1, 1, 0)
    again = node.sharing.put(console, id_, "province/leads")
    assert (again.new, again.repeated) == (0, done.new)
    where = f"collections/{OPEN}/objects/"
    seen = reader.get(where).json()["objects"]
    assert {"incident", "grouping", "location", mapping.THING} <= {o["type"] for o in seen}
    assert "923001234567" not in json.dumps(seen)
    assert node.kernel.masker.mask_subject("number:+923001234567") not in json.dumps(seen)
    assert mapping.told_by(seen).lost == []
    low = {o["type"] for o in both.get(where).json()["objects"]}
    assert low == {"identity", "extension-definition"}, "the finding is TLP:AMBER, so the case is"
    (entry,) = node.kernel.ledger.entries(act="sharing.case.put", limit=1)
    assert entry.mark == "TLP:AMBER"
    assert entry.detail["collection"] == OPEN
