"""Events exported from MISP, as objects of STIX 2.1; by misp-stix, which is an extra.

An event goes as far as its audience is known. What MISP keeps for one organisation or for a
sharing group is taken where this agency's own organisation is that one or stands in the group,
and for nobody else: a distribution that is missing or not known has no audience.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Unavailable

_LARGEST = 256 << 20  # bytes of a file
_MOST = 200_000  # attributes and objects of an event
_OPEN, _OWN, _GROUP, _INHERIT = frozenset({"1", "2", "3"}), "0", "4", "5"
_TLP_2 = {
    Mark.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Mark.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Mark.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Mark.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Mark.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_WORDS = {
    "tlp:white": Mark.CLEAR, "tlp:clear": Mark.CLEAR, "tlp:green": Mark.GREEN,
    "tlp:amber": Mark.AMBER, "tlp:amber+strict": Mark.AMBER_STRICT, "tlp:red": Mark.RED,
}  # fmt: skip
_PARTS = ("Attribute", "Object", "EventReport", "Galaxy")


@dataclass(slots=True)
class Converted:
    """What came of a file.

    Attributes:
        objects: of STIX 2.1. events: that were taken.
        refused: where (`events[0].Attribute[2]`) and why, of what was not taken.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    events: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def converted(path: Path, organisation: str | None = None) -> Converted:
    """The events of a MISP export (JSON) as objects of STIX, each marked as the event is.

    Args:
        organisation: this agency's own organisation in MISP, by UUID or name.

    Raises:
        BadInput: the file is none of MISP's. Unavailable: misp-stix is not installed.
    """
    found = Converted()
    for place, event in _events(path):
        why = _withheld(event, event, organisation)
        marks = None if why else _marks(event)
        if why or marks is None:
            found.refused.append((place, why or "it has a TLP tag that is not known"))
            continue
        kept = _without(event, place, organisation, found)
        try:
            objects = _objects(kept)
        except Unavailable:
            raise
        except Exception as wrong:  # other people's converter: whatever it stumbles over
            found.refused.append((place, f"it cannot be converted ({type(wrong).__name__})"))
            continue
        mark = max(marks, key=lambda m: m.rank) if marks else None
        found.objects += [_marked(thing, mark) for thing in objects]
        found.events += 1
    return found


def _events(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    expected = "An event, or a list of events, as MISP exports it in JSON is expected."
    if path.stat().st_size > _LARGEST:
        raise BadInput(f"{path.name} is larger than 256 MB.", advice="Export fewer events at once.")
    try:
        given = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as wrong:
        raise BadInput(
            f"{path.name} is no JSON: line {wrong.lineno}, column {wrong.colno}.", advice=expected
        ) from None
    if isinstance(given, Mapping) and "response" in given:
        given = given["response"]
    listed = given if isinstance(given, list) else [given]
    for at, one in enumerate(listed):
        event = one.get("Event") if isinstance(one, Mapping) else None
        if not isinstance(event, dict) or not isinstance(event.get("uuid"), str):
            raise BadInput(f"{path.name} holds no event of MISP at [{at}].", advice=expected)
        if sum(len(event.get(part) or ()) for part in _PARTS) > _MOST:
            raise BadInput(f"The event at [{at}] of {path.name} has more than {_MOST:,} parts.")
        yield f"events[{at}]", event


def _withheld(
    part: Mapping[str, Any], event: Mapping[str, Any], organisation: str | None
) -> str | None:
    """Why a part of an event, or the event itself, is for nobody here; None where it is not."""
    said = str(part.get("distribution", "" if part is event else _INHERIT))
    if said in _OPEN or (said == _INHERIT and part is not event):
        return None
    own = organisation.casefold() if organisation else None
    if said == _OWN:
        owner = _names(event.get("Orgc") or {})
        return None if own in owner else "MISP keeps it for its own organisation"
    if said == _GROUP:
        group = part.get("SharingGroup") or {}
        listed = [
            _names(one.get("Organisation") or {}) for one in group.get("SharingGroupOrg") or ()
        ]
        if own is not None and any(own in names for names in listed):
            return None
        return "MISP keeps it for a sharing group that does not name this agency"
    return "it does not say whom it is for"


def _names(organisation: Mapping[str, Any]) -> set[str]:
    return {str(organisation[n]).casefold() for n in ("uuid", "name") if organisation.get(n)}


def _without(
    event: Mapping[str, Any], place: str, organisation: str | None, found: Converted
) -> dict[str, Any]:
    """The event without the parts that are for nobody here; what was left out is told."""
    kept = copy.deepcopy(dict(event))

    def let(parts: list[Any], where: str) -> list[Any]:
        held = []
        for at, one in enumerate(parts):
            why = _withheld(one, event, organisation) if isinstance(one, Mapping) else "it is none"
            if why:
                found.refused.append((f"{where}[{at}]", why))
                continue
            held.append(one)
        return held

    for name in ("Attribute", "Object", "EventReport"):
        if isinstance(kept.get(name), list):
            kept[name] = let(kept[name], f"{place}.{name}")
    for at, one in enumerate(kept.get("Object") or ()):
        if isinstance(one.get("Attribute"), list):
            one["Attribute"] = let(one["Attribute"], f"{place}.Object[{at}].Attribute")
    return kept


def _marks(event: Mapping[str, Any]) -> list[Mark] | None:
    """The TLP marks of an event and its parts; None where one is not known."""
    marks = []
    for tag in _tags(event):
        name = str(tag.get("name", "")).strip().casefold()
        if not name.startswith("tlp:"):
            continue
        if name not in _WORDS:
            return None
        marks.append(_WORDS[name])
    return marks


def _tags(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (tag for tag in part.get("Tag") or () if isinstance(tag, Mapping))
    for name in ("Attribute", "Object", "EventReport"):
        for one in part.get(name) or ():
            if isinstance(one, Mapping):
                yield from _tags(one)


def _objects(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        from misp_stix_converter import MISPtoSTIX21Parser
    except ImportError:
        raise Unavailable(
            "Events of MISP are read by misp-stix, which is not installed.",
            advice="Install Cordon with the extra misp.",
        ) from None
    parser = MISPtoSTIX21Parser()
    parser.parse_misp_event({"Event": event})
    return [orjson.loads(one.serialize()) for one in parser.stix_objects]


def _marked(thing: dict[str, Any], mark: Mark | None) -> dict[str, Any]:
    """The object with the event's strictest mark in TLP 2.0, beside those that it has."""
    if mark is not None and thing["type"] != "marking-definition":
        refs = thing.setdefault("object_marking_refs", [])
        ref = f"marking-definition--{_TLP_2[mark]}"
        if ref not in refs:
            refs.append(ref)
    return thing
