"""Values of the room as plain JSON, for its API and for `--json`."""

from __future__ import annotations

from typing import Any

from cordon.cases.bundle import Verification
from cordon.cases.model import Case, CustodyEvent, Exhibit
from cordon.cases.reading import Bundle, CaseLine, CaseView, ShownFinding
from cordon.kernel.clock import format_time


def case_json(case: Case) -> dict[str, Any]:
    """A case."""
    return {
        "id": case.id,
        "number": case.number,
        "title": case.title,
        "state": str(case.state),
        "seriousness": case.seriousness,
        "agency": case.agency,
        "mark": str(case.mark),
        "unit": case.unit,
        "lead_officer": case.lead_officer,
        "opened_at": format_time(case.opened_at),
        "closed_at": format_time(case.closed_at) if case.closed_at else None,
        "closed_reason": case.closed_reason,
    }


def line_json(line: CaseLine) -> dict[str, Any]:
    """A case in a list."""
    return {
        **case_json(line.case),
        "lead_state": line.lead_state,
        "exhibits": line.exhibits,
        "findings": line.findings,
        "bundles": line.bundles,
    }


def exhibit_json(exhibit: Exhibit) -> dict[str, Any]:
    """An exhibit."""
    return {
        "id": exhibit.id,
        "label": exhibit.label,
        "kind": str(exhibit.kind),
        "title": exhibit.title,
        "sha256": exhibit.sha256,
        "size": exhibit.size,
        "media_type": exhibit.media_type,
        "source": exhibit.source,
        "received_at": format_time(exhibit.received_at),
        "received_from": exhibit.received_from,
    }


def event_json(event: CustodyEvent) -> dict[str, Any]:
    """An entry of custody."""
    return {
        "id": event.id,
        "at": format_time(event.at),
        "act": str(event.act),
        "by": event.by,
        "from": event.from_holder,
        "to": event.to_holder,
        "place": event.place,
        "seal_number": event.seal_number,
        "note": event.note,
    }


def bundle_json(bundle: Bundle) -> dict[str, Any]:
    """A sealed bundle; whom it speaks of is left out, their count given."""
    return {
        "id": bundle.id,
        "place": bundle.place,
        "name": bundle.folder.rsplit("/", maxsplit=1)[-1],
        "root": bundle.root,
        "files": bundle.files,
        "size": bundle.size,
        "sealed_at": format_time(bundle.sealed_at),
        "sealed_by": bundle.sealed_by,
        "ledger_size": bundle.ledger_size,
        "withheld": bundle.withheld,
        "personal": len(bundle.holds),
    }


def view_json(view: CaseView) -> dict[str, Any]:
    """Everything that the case's page shows, masked the same."""
    return {
        **case_json(view.case),
        "lead_state": view.lead_state,
        "members": list(view.members),
        "alerts": [link.target for link in view.alerts],
        "findings": [_finding(f) for f in view.findings],
        "exhibits": [
            {
                **exhibit_json(held.exhibit),
                "holder": held.now.holder,
                "custody": [event_json(e) for e in held.chain],
                "breaks": [{"rule": str(b.rule), "says": b.says} for b in held.breaks],
            }
            for held in view.exhibits
        ],
        "bundles": [bundle_json(b) for b in view.bundles],
        "authorities": [a.reference for a in view.authorities],
        "masked": view.masked,
    }


def verification_json(told: Verification) -> dict[str, Any]:
    """What verifying a bundle found."""
    return {
        "ok": told.ok,
        "case": told.case,
        "agency": told.agency,
        "by": told.by,
        "sealed_at": format_time(told.sealed_at) if told.sealed_at else None,
        "root": told.root,
        "files": told.files,
        "size": told.size,
        "key_name": told.key_name,
        "key_id": told.key_id,
        "fingerprint": told.fingerprint,
        "key_given": told.key_given,
        "problems": [{"file": p.file, "says": p.says} for p in told.problems],
        "remarks": list(told.remarks),
    }


def _finding(finding: ShownFinding) -> dict[str, Any]:
    if not finding.visible:
        return {"id": finding.id, "visible": False, "exhibit": finding.exhibit}
    return {
        "id": finding.id,
        "visible": True,
        "kind": finding.kind,
        "title": finding.title,
        "start": format_time(finding.start) if finding.start else None,
        "end": format_time(finding.end) if finding.end else None,
        "confidence": finding.confidence,
        "subjects": [{"text": s.text, "masked": s.masked} for s in finding.subjects],
        "reasons": [
            {"says": r.says, "value": r.value, "unit": r.unit, "threshold": r.threshold}
            for r in finding.reasons
        ],
        "records": finding.records,
        "exhibit": finding.exhibit,
    }
