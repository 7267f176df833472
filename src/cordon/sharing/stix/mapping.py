"""Findings and cases as STIX 2.1 and back; what is lost on the way stands in docs/rooms/sharing.md.

Nothing that is personal leaves: neither in clear nor under the node's pseudonyms, which whoever
has a second list could compare. What STIX has no word for travels under one extension, whose
definition goes along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson

from cordon.cases import Case, CaseState, Exhibit
from cordon.kernel.access.model import Mark
from cordon.kernel.clock import as_utc, format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.kernel.ids import global_id
from cordon.kernel.masking import redact
from cordon.kernel.work import personal_data
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.stix import checking, marks
from cordon.sharing.stix.extension import ADMIRALTY, EXTENSION, grade_of

THING = "x-cordon-thing"
_SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # of cyber-observables: STIX 2.1, §2.9
_OURS = UUID("3c59f0a1-6f0e-5a7f-8b0d-9d2b1f6c4e57")
_SET_UP = "2026-01-01T00:00:00.000Z"  # when the extension was defined
_MARKS = {  # TLP 2.0 by its fixed ids; the table of marks has those of 1.0 first
    list(Mark)[rank]: ref for ref, rank in marks.TLP.items()
}
_OF_FINDING = ("start", "end", "confidence", "detector", "version", "radius_m")


@dataclass(frozen=True, slots=True)
class ToldCase:
    """A case as another agency told of it: never its officers, units, or titles of exhibits.

    Attributes:
        name: `agency:uuid`. findings: ids of findings told with it. exhibits: (label, kind, file's
            SHA-256, bytes, media type). grade: that agency's, of its source and of what it says.
    """

    name: str
    number: str
    title: str
    state: CaseState
    seriousness: str
    opened_at: datetime
    findings: tuple[str, ...]
    exhibits: tuple[tuple[str, str, str, int, str], ...]
    mark: Mark
    grade: Grade | None = None


@dataclass(slots=True)
class Told:
    """What STIX objects say in this node's words, and what of them has no word here."""

    findings: list[Finding] = field(default_factory=list)
    cases: list[ToldCase] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)


def of_finding(finding: Finding, agency: str, mark: Mark) -> list[dict[str, Any]]:
    """A finding as an incident, with its place and the things that it speaks of.

    Args:
        finding: as the node names it (`leads.get_finding`): the id of one that names people is
            keyed there, and can be told.
    """
    open_ = [s for s in finding.subjects if personal_data(s) is None]
    withheld = len(finding.subjects) - len(open_)
    name = global_id(agency, finding.id)
    told = {n: v for n, v in finding.to_dict().items() if n in _OF_FINDING and v is not None}
    told |= {
        "extension_type": "property-extension",
        "name": name,
        "kind": finding.kind,
        "withheld": withheld,
        "reasons": [
            {
                "name": r.name, "value": r.value, "unit": r.unit, "threshold": r.threshold,
                # words about people are people's data; numbers beside thresholds are not
                "says": "" if withheld else redact(r.says),
            }
            for r in finding.reasons
        ],
    }  # fmt: skip
    who, own = _agency(agency), [_definition()]
    incident = _object(
        "incident", name, finding.end, who, mark,
        name=finding.kind, confidence=round(finding.confidence * 100),
    )  # fmt: skip
    made = [who]
    for subject in open_:
        made += [thing := _thing(subject, mark), _link(incident, "involves", thing, who, mark)]
    place = finding.place
    if place is not None and place.get("type") == "Point":
        longitude, latitude = place["coordinates"][:2]
        spot: dict[str, Any] = {"latitude": float(latitude), "longitude": float(longitude)}
        if finding.radius_m is not None:
            spot["precision"] = float(finding.radius_m)
        where = _object("location", f"{name}/place", finding.end, who, mark, **spot)
        made += [where, _link(incident, "located-at", where, who, mark)]
    elif place is not None:
        told["place"] = place
    incident["extensions"] = {EXTENSION: told}
    return [*own, *made, incident]


def of_case(
    case: Case,
    exhibits: Iterable[Exhibit],
    findings: Iterable[tuple[Finding, Mark]],
    grade: Grade | None = None,
) -> list[dict[str, Any]]:
    """A case as a grouping of its findings and exhibits, under the strictest of their marks.

    Args:
        grade: of the source and of what it says; it goes in the extension.
    """
    found = list(findings)
    mark = max([case.mark, *(m for _, m in found)], key=lambda m: m.rank)
    name, who = global_id(case.agency, case.id), _agency(case.agency)
    made = [o for finding, own in found for o in of_finding(finding, case.agency, own)]
    refs = [o["id"] for o in made if o["type"] == "incident"]
    listed = []
    for exhibit in exhibits:
        made.append(file := _file(exhibit, mark))
        refs.append(file["id"])
        listed.append({"ref": file["id"], "label": exhibit.label, "kind": exhibit.kind.value})
    told: dict[str, Any] = {
        "extension_type": "property-extension", "name": name, "number": case.number,
        "state": case.state.value, "seriousness": case.seriousness,
        "opened_at": format_time(case.opened_at), "exhibits": listed,
    }  # fmt: skip
    if grade is not None:
        told[ADMIRALTY] = str(grade)
    grouping = _object(
        "grouping", name, case.closed_at or case.opened_at, who, mark,
        created=case.opened_at, name=redact(case.title), context="x-cordon-case",
        object_refs=list(dict.fromkeys(refs)) or [who["id"]], extensions={EXTENSION: told},
    )  # fmt: skip
    return list({o["id"]: o for o in (_definition(), who, *made, grouping)}.values())


def told_by(objects: Iterable[Mapping[str, Any]]) -> Told:
    """Findings and cases that STIX objects tell of; each that is neither is named with why."""
    every = {str(o.get("id")): o for o in objects}
    told, used = Told(), {EXTENSION}
    for id_, thing in every.items():
        said = (thing.get("extensions") or {}).get(EXTENSION)
        if said is None or thing.get("type") not in ("incident", "grouping"):
            continue
        try:
            checking.check(thing)
            if thing["type"] == "incident":
                finding, parts = _finding(thing, said, every)
                told.findings.append(finding)
            else:
                case, parts = _case(thing, said, every)
                told.cases.append(case)
            used |= parts | {id_, str(thing.get("created_by_ref"))}
        except (checking.Wrong, BadInput, KeyError, TypeError, ValueError) as wrong:
            told.lost.append((id_, f"cannot be read: {wrong}"))
            used.add(id_)
    told.lost += [(i, "this node has no word for it") for i in every if i not in used]
    return told


def _finding(
    incident: Mapping[str, Any], said: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]]
) -> tuple[Finding, set[str]]:
    data = {n: said[n] for n in ("kind", *_OF_FINDING) if n in said}
    agency, _, id_ = str(said["name"]).partition(":")
    data |= {"id": id_, "reasons": said["reasons"], "place": said.get("place"), "agency": agency}
    subjects, used = [], set()
    for id_of, link in every.items():
        if link.get("type") != "relationship" or link.get("source_ref") != incident["id"]:
            continue
        target = every.get(str(link.get("target_ref")), {})
        if target.get("type") == THING and link.get("relationship_type") == "involves":
            subjects.append(f"{target['kind']}:{target['value']}")
        elif target.get("type") == "location":
            point = [target["longitude"], target["latitude"]]
            data["place"] = {"type": "Point", "coordinates": point}
        else:
            continue
        used |= {id_of, str(link["target_ref"])}
    data |= {"subjects": subjects, "withheld": int(said.get("withheld", 0))}
    return Finding.from_dict(data), used


def _case(
    grouping: Mapping[str, Any], said: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]]
) -> tuple[ToldCase, set[str]]:
    exhibits, used = [], set()
    for one in said["exhibits"]:
        file = every[one["ref"]]
        exhibits.append(
            (one["label"], one["kind"], file["hashes"]["SHA-256"], file["size"], file["mime_type"])
        )
        used.add(str(one["ref"]))
    findings = [
        str(every[r]["extensions"][EXTENSION]["name"])
        for r in grouping["object_refs"]
        if every.get(r, {}).get("type") == "incident"
    ]
    rank, _ = marks.rank_of(marks.refs_of(grouping), {}, Mark.RED.rank)
    case = ToldCase(
        name=str(said["name"]), number=str(said["number"]), title=str(grouping["name"]),
        state=CaseState(said["state"]), seriousness=str(said["seriousness"]),
        opened_at=parse_time(said["opened_at"]), findings=tuple(findings),
        exhibits=tuple(exhibits), mark=list(Mark)[min(rank, Mark.RED.rank)],
        grade=grade_of(grouping),
    )  # fmt: skip
    return case, used


def _object(
    type_: str, seed: str, at: datetime, who: Mapping[str, Any], mark: Mark,
    *, created: datetime | None = None, **rest: Any,
) -> dict[str, Any]:  # fmt: skip
    # a node's ids are UUIDs of versions that came after the standard, so that other programs
    # refuse them: the global name is hashed instead, and the same thing keeps the same id
    return {
        "type": type_, "spec_version": "2.1", "id": f"{type_}--{uuid5(_OURS, seed)}",
        "created_by_ref": who["id"], "created": _milliseconds(created or at),
        "modified": _milliseconds(at), "object_marking_refs": [_MARKS[mark]], **rest,
    }  # fmt: skip


def _link(
    source: Mapping[str, Any], word: str, target: Mapping[str, Any], who: Mapping[str, Any],
    mark: Mark,
) -> dict[str, Any]:  # fmt: skip
    seed = f"{source['id']} {word} {target['id']}"
    return _object(
        "relationship", seed, parse_time(source["modified"]), who, mark,
        relationship_type=word, source_ref=source["id"], target_ref=target["id"],
    )  # fmt: skip


def _thing(subject: str, mark: Mark) -> dict[str, Any]:
    """A thing that is nobody's personal data: a vessel, vehicle, cell, unit, zone, track."""
    kind, _, value = subject.partition(":")
    return {
        "type": THING, "spec_version": "2.1", "id": _observable(THING, kind=kind, value=value),
        "object_marking_refs": [_MARKS[mark]], "kind": kind, "value": value,
        "extensions": {EXTENSION: {"extension_type": "new-sco"}},
    }  # fmt: skip


def _file(exhibit: Exhibit, mark: Mark) -> dict[str, Any]:
    hashes = {"SHA-256": exhibit.sha256}
    return {
        "type": "file", "spec_version": "2.1", "id": _observable("file", hashes=hashes),
        "object_marking_refs": [_MARKS[mark]], "hashes": hashes, "size": exhibit.size,
        "mime_type": exhibit.media_type,
    }  # fmt: skip


def _observable(type_: str, **contributing: Any) -> str:
    """The id of a cyber-observable: UUIDv5 of its contributing properties (STIX 2.1, §2.9)."""
    canonical = orjson.dumps(contributing, option=orjson.OPT_SORT_KEYS).decode()
    return f"{type_}--{uuid5(_SCO, canonical)}"


def _agency(code: str) -> dict[str, Any]:
    return {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid5(_OURS, code)}",
        "created": _SET_UP, "modified": _SET_UP, "name": code, "identity_class": "organization",
    }  # fmt: skip


def _definition() -> dict[str, Any]:
    return {
        "type": "extension-definition", "spec_version": "2.1", "id": EXTENSION,
        "created_by_ref": _agency("cordon")["id"], "created": _SET_UP, "modified": _SET_UP,
        "name": "Law enforcement: findings, cases and things", "version": "1.0.0",
        "description": "What a detector found with its numbers, and what a case gathers.",
        "schema": "docs/rooms/sharing.md of Cordon",
        "extension_types": ["property-extension", "new-sco"],
    }  # fmt: skip


def _milliseconds(moment: datetime) -> str:
    return as_utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
