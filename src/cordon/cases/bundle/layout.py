"""How a bundle is laid out, and how its values stand in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from cordon.cases.bundle.contents import DeclaredBreak, ExhibitFile
from cordon.cases.custody import Rule
from cordon.cases.model import Case, CaseLink, CustodyAct, CustodyEvent, check_sha256
from cordon.kernel.access.model import Authority, AuthorityKind
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput

FORMAT = "cordon-evidence/1"
ALGORITHM = "sha256"  # alone: SHA-512 beside it costs four times and protects from nothing more

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SEAL = "seal.json"
SIGNATURE = "seal.sig"
TAG_FILES = (BAG_INFO, BAGIT, MANIFEST)
"""Tag files that the tag manifest lists. The seal stands outside: it is made over that list."""
TOP = (*TAG_FILES, TAG_MANIFEST, SEAL, SIGNATURE)

BAGIT_TEXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

README = "data/README.txt"
CASE = "data/case.json"
CUSTODY = "data/custody.jsonl"
FINDINGS = "data/findings.jsonl"
AUTHORITIES = "data/authorities.json"
BREAKS = "data/custody_breaks.json"
RECORD_INDEX = "data/records/index.json"
EXHIBITS = "data/exhibits/"
RECORDS = "data/records/"
LEDGER = "data/ledger/"

LEAST = (README, CASE, CUSTODY, FINDINGS, AUTHORITIES, BREAKS, RECORD_INDEX)
"""Payload files that every bundle has, empty or not."""


def dump(value: Any) -> bytes:
    """JSON for people and programs: two spaces, keys sorted, a newline at the end."""
    return _dump(value, orjson.OPT_INDENT_2)


def dump_line(value: Any) -> bytes:
    """One line of JSON Lines."""
    return _dump(value, 0)


def _dump(value: Any, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as wrong:
        raise BadInput(
            f"Something cannot be written as JSON in UTF-8: {wrong}.",
            advice="A title, note or name holds broken characters; write it again.",
        ) from None


def case_to_dict(
    case: Case, exhibits: Sequence[tuple[ExhibitFile, str]], links: Sequence[CaseLink]
) -> dict[str, Any]:
    """`case.json`: the case, its exhibits each with the file that it is in, its links."""
    return {
        "format": FORMAT,
        "case": {
            "id": case.id,
            "agency": case.agency,
            "mark": case.mark.value,
            "number": case.number,
            "title": case.title,
            "state": case.state.value,
            "opened_at": format_time(case.opened_at),
            "closed_at": _time(case.closed_at),
            "closed_reason": case.closed_reason,
            "unit": case.unit,
            "lead_officer": case.lead_officer,
            "seriousness": case.seriousness,
        },
        "exhibits": [
            {
                "id": e.exhibit.id,
                "label": e.exhibit.label,
                "kind": e.exhibit.kind.value,
                "title": e.exhibit.title,
                "file": path,
                "sha256": e.exhibit.sha256,
                "size": e.exhibit.size,
                "media_type": e.exhibit.media_type,
                "source": e.exhibit.source,
                "received_at": format_time(e.exhibit.received_at),
                "received_from": e.exhibit.received_from,
            }
            for e, path in exhibits
        ],
        "links": [
            {
                "kind": link.kind.value,
                "target": link.target,
                "at": format_time(link.at),
                "by": link.by,
            }
            for link in links
        ],
    }


def event_to_dict(event: CustodyEvent) -> dict[str, Any]:
    """One line of `custody.jsonl`."""
    return {
        "id": event.id,
        "exhibit": event.exhibit,
        "at": format_time(event.at),
        "act": event.act.value,
        "by": event.by,
        "from_holder": event.from_holder,
        "to_holder": event.to_holder,
        "place": event.place,
        "seal_number": event.seal_number,
        "note": event.note,
    }


def event_from_dict(data: Mapping[str, Any]) -> CustodyEvent:
    """Read one line of `custody.jsonl`; raises BadInput where it is no entry."""
    try:
        optional = {
            key: None if data[key] is None else str(data[key])
            for key in ("from_holder", "to_holder", "place", "seal_number")
        }
        return CustodyEvent(
            id=str(data["id"]),
            exhibit=str(data["exhibit"]),
            at=parse_time(data["at"]),
            act=CustodyAct(data["act"]),
            by=str(data["by"]),
            note=str(data["note"]),
            **optional,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadInput(f"An entry of custody cannot be read: {wrong}.") from None


def authority_to_dict(authority: Authority) -> dict[str, Any]:
    """One object of `authorities.json`: under what the evidence was gathered."""
    scope = authority.scope
    return {
        "id": authority.id,
        "agency": authority.agency,
        "mark": authority.mark.value,
        "kind": authority.kind.value,
        "reference": authority.reference,
        "issuer": authority.issuer,
        "legal_basis": authority.legal_basis,
        "document_sha256": authority.document_sha256,
        "scope": {
            "data": sorted(scope.data),
            "subjects": None if scope.subjects is None else sorted(scope.subjects),
            "since": _time(scope.since),
            "until": _time(scope.until),
        },
        "valid_from": format_time(authority.valid_from),
        "valid_until": format_time(authority.valid_until),
        "recorded_by": authority.recorded_by,
        "recorded_at": format_time(authority.recorded_at),
        "confirm_by": _time(authority.confirm_by),
        "confirmed_by": authority.confirmed_by,
        "withdrawn_at": _time(authority.withdrawn_at),
        "withdrawn_why": authority.withdrawn_why,
    }


def check_authority(data: Mapping[str, Any]) -> None:
    """Raise BadInput where this is no object of `authorities.json`."""
    try:
        AuthorityKind(data["kind"])
        check_sha256(data["document_sha256"])
        parse_time(data["valid_from"])
        parse_time(data["valid_until"])
        missing = {"id", "agency", "reference", "issuer", "legal_basis", "scope"} - data.keys()
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadInput(f"An authority cannot be read: {wrong}.") from None
    if missing:
        raise BadInput(f"An authority has no {' and no '.join(sorted(missing))}.")


def break_to_dict(declared: DeclaredBreak) -> dict[str, Any]:
    """One object of `custody_breaks.json`."""
    return {
        "exhibit": declared.exhibit,
        "event": declared.event,
        "rule": declared.rule.value,
        "explanation": declared.explanation,
    }


def break_from_dict(data: Mapping[str, Any]) -> DeclaredBreak:
    """Read one object of `custody_breaks.json`; raises BadInput where it is none."""
    try:
        return DeclaredBreak(
            data["exhibit"], data["event"], Rule(data["rule"]), str(data["explanation"])
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadInput(f"A declared break cannot be read: {wrong}.") from None


def seal_text(seal: Mapping[str, Any], seal_sha256: str) -> str:
    """The text that is signed: for people to read, and each byte of the bundle under it.

    The tag manifest's hash stands for all files; the hash of `seal.json` for who and when.
    """
    return (
        f"{FORMAT}\n"
        f"case {seal['case']['number']}\n"
        f"agency {seal['agency']}\n"
        f"sealed {seal['sealed_at']} by {seal['by']}\n"
        f"{TAG_MANIFEST} sha256 {seal['root']}\n"
        f"{SEAL} sha256 {seal_sha256}\n"
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
