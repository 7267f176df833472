"""The structural check beside stix2-validator: real reports, and thousands of mutated objects."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest

from cordon.sharing.stix.checking import Wrong, check, shapes
from cordon.sharing.stix.times import is_time, shown, sortable
from support.sharewords import indicator
from support.stixvalidated import validate_instance

OWN = Path(__file__).with_name("shapes_examples.json")
STRICTER = {("extension-definition", "created_by_ref")}  # STIX 2.1, §7.3.1: required


def theirs(thing) -> bool:
    """Whether stix2-validator finds the object's MUSTs kept."""
    try:
        return bool(validate_instance(copy.deepcopy(thing)).is_valid)
    except Exception:  # it fails outright on some objects that it should refuse
        return False


def ours(thing) -> str | None:
    """The property that is wrong, or None."""
    try:
        check(thing)
    except Wrong as wrong:
        return wrong.at or "it"
    return None


def own_examples():
    """One object of each type that the standard defines, with many of its properties."""
    return json.loads(OWN.read_text("utf-8"))


@pytest.mark.real_data
def test_real_reports_pass_both(real_data):
    seen = 0
    for path in sorted((real_data / "stix" / "examples").rglob("*.json")):
        for thing in json.loads(path.read_text("utf-8")).get("objects", []):
            if thing.get("spec_version") != "2.1" and "created" in thing:
                continue
            seen += 1
            assert (ours(thing) is None) == theirs(thing), (path.name, thing["id"], ours(thing))
    assert seen > 250


def test_there_is_an_example_of_every_type_and_both_take_it():
    things = own_examples()
    assert {t["type"] for t in things} == set(shapes())
    for thing in things:
        assert theirs(thing), thing["type"]
        assert ours(thing) is None, (thing["type"], ours(thing))


def test_what_misses_a_required_property_is_refused_by_both():
    tried = 0
    for thing in own_examples():
        for name in shapes()[thing["type"]].required:
            less = {k: v for k, v in thing.items() if k != name}
            tried += 1
            if name == "spec_version":  # they take it for STIX 2.0 then
                assert ours(less) == name
                continue
            assert ours(less) == name, (thing["type"], name)
            if (thing["type"], name) not in STRICTER:
                assert not theirs(less), (thing["type"], name)
    assert tried > 200


BROKEN = (
    ("2026-13-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-01-01 00:00:00Z", "soon",
     "2026-01-01T00:00:00.000+05:00", "2026-01-01T25:00:00.000Z", 5, None, [], {}, ""),
    ("identity--123", "identity", "x", "indicator--6B5BD6A0", 7, None, [], {}, "--"),
)  # fmt: skip


def test_broken_times_and_ids_are_refused_at_their_place():
    tried = 0
    for thing in own_examples():
        for name, value in thing.items():
            values = ()
            if is_time(value):
                values = BROKEN[0]
            elif isinstance(value, str) and name.endswith("_ref"):
                values = BROKEN[1]
            for broken in values:
                tried += 1
                assert ours(thing | {name: broken}) == name, (thing["type"], name, broken)
            if isinstance(value, list) and name.endswith("_refs"):
                for broken in ([], [7], ["x"], value[0], [None], {}):
                    tried += 1
                    assert ours(thing | {name: broken}) == name, (thing["type"], name, broken)
    assert tried > 1000


@pytest.mark.parametrize("seed", range(2))
def test_mutated_objects_are_judged_as_the_reference_does(seed):
    """Values swapped for others of any kind. What the reference refuses, the check refuses."""
    dice, things = random.Random(seed), own_examples()
    odd = [None, True, 0, -1, 1.5, "", "text", [], ["text"], [1], {}, {"a": "b"}, 10**6]
    passed, refused = [], 0
    for _ in range(350):
        thing = copy.deepcopy(dice.choice(things))
        name = dice.choice([n for n in thing if n not in ("type", "id", "spec_version")])
        thing[name] = dice.choice(odd)
        if theirs(thing):
            continue
        refused += 1
        if ours(thing) is None:
            passed.append((thing["type"], name, thing[name]))
    assert refused > 200
    assert not passed


def test_ids_name_their_own_type_and_a_uuid():
    good = indicator(1)
    for id_ in ("indicator", "indicator--", "malware--" + good["id"][11:], good["id"].upper(),
                good["id"] + "0", "indicator--00000000-0000-0000-0000-000000000000",
                good["id"].replace("-4", "-f", 1), 7, None, ["x"]):  # fmt: skip
        assert ours(good | {"id": id_}) == "id", id_
    for type_ in ("", "Indicator", "a", "in dicator", "x--y", 7, None, "-x", "x-"):
        assert ours(good | {"type": type_}) == "type", type_
    # the node's own ids are UUIDs of version 7, which came after the standard
    assert ours(good | {"id": "indicator--0199aaaa-0000-7000-8000-000000000001"}) is None


def test_custom_types_and_properties_pass_with_what_every_object_has():
    thing = {"type": "x-boat", "id": "x-boat--6b5bd6a0-1c6e-4d8b-a0a7-0d5a0a4d5c11", "hull": [1]}
    assert ours(thing) is None
    assert ours(thing | {"created": "soon"}) == "created"
    assert ours(thing | {"object_marking_refs": ["x"]}) == "object_marking_refs"
    assert ours(thing | {"Hull": 1}) == "Hull"


def test_times_of_days_that_exist():
    for text in (
        "2024-02-29T00:00:00Z",
        "2000-02-29T23:59:60.1Z",
        "2026-04-30T00:00:00.1234567Z",
    ):
        assert is_time(text)
    for text in (
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",  # other digits
    ):
        assert not is_time(text)
    assert sortable("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00.000000Z"
    assert sortable("2026-01-01T00:00:00.5Z") == "2026-01-01T00:00:00.500000Z"
    assert shown(sortable("2026-01-01T00:00:00.123Z")) == "2026-01-01T00:00:00.123Z"
    assert shown(sortable("2026-01-01T00:00:00.123456Z")) == "2026-01-01T00:00:00.123456Z"
