"""Values of the room as plain JSON, for its API and for `--json`."""

from __future__ import annotations

from typing import Any

from cordon.kernel.access.model import Authority, AuthorityState
from cordon.kernel.clock import format_time
from cordon.kernel.ledger.model import Entry
from cordon.oversight.model import AnsweredLead, AuthorityUse, Closing, Lead, Proof, Report


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry of the ledger."""
    return {
        "index": entry.index,
        "at": format_time(entry.at),
        "agency": entry.agency,
        "act": entry.act,
        "outcome": entry.outcome,
        "actor": entry.actor,
        "unit": entry.unit,
        "thing": entry.thing,
        "mark": entry.mark,
        "authority": entry.authority,
        "detail": entry.detail,
    }


def proof_json(proof: Proof) -> dict[str, Any]:
    """An entry with its proof; hashes in hex."""
    return {
        "entry": entry_json(proof.entry),
        "leaf": proof.leaf,
        "leaf_hash": proof.leaf_hash,
        "proof": list(proof.path),
        "size": proof.size,
        "root": proof.root,
        "checkpoint": proof.checkpoint,
        "verifier": proof.verifier,
        "fingerprint": proof.fingerprint,
        "holds": proof.holds,
    }


def report_json(report: Report) -> dict[str, Any]:
    """The overseer's report."""
    return {
        "at": format_time(report.at),
        "authorities": [_use(use) for use in report.uses],
        "emergencies": [_emergency(*one) for one in report.emergencies],
        "lapsed": [_emergency(*one) for one in report.lapsed],
        "refused": [entry_json(entry) for entry in report.refused],
        "overdue": [_lead(lead) for lead in report.overdue],
        "answered": [_answered(one) for one in report.answered],
        "waiting": [_closing(one) for one in report.waiting],
        "closed": [_closing(one) for one in report.closed],
        "no_means": [_closing(one) for one in report.no_means],
        "failing": [
            {
                "subscriber": one.subscriber,
                "since": format_time(one.since),
                "failures": one.failures,
                "error": one.error,
            }
            for one in report.failing
        ],
        "totals": dict(report.totals),
        "starts": dict(report.starts),
    }


def _emergency(authority: Authority, state: AuthorityState) -> dict[str, Any]:
    return {
        "id": authority.id,
        "reference": authority.reference,
        "state": str(state),
        "recorded_by": authority.recorded_by,
        "confirm_by": format_time(authority.confirm_by) if authority.confirm_by else None,
    }


def _answered(one: AnsweredLead) -> dict[str, Any]:
    return {
        "lead": _lead(one.lead),
        "answered_at": format_time(one.answered_at),
        "with": one.with_alert,
        "sent": [
            {
                "tasking": sent.tasking,
                "unit": sent.unit,
                "sent_by": sent.sent_by,
                "reported_by": list(sent.reported_by),
                "alone": sent.alone,
            }
            for sent in one.sent
        ],
        "case": one.case,
        "case_opened_by": one.case_opened_by,
        "case_idle": one.case_idle,
    }


def _use(use: AuthorityUse) -> dict[str, Any]:
    return {
        "id": use.authority.id,
        "reference": use.authority.reference,
        "kind": str(use.authority.kind),
        "state": str(use.state),
        "reads": use.reads,
        "refused": use.refused,
        "officers": [
            {
                "officer": one.officer,
                "reads": one.reads,
                "refused": one.refused,
                "done": one.done,
                "first_at": format_time(one.first_at),
                "last_at": format_time(one.last_at),
            }
            for one in use.officers
        ],
    }


def _lead(lead: Lead) -> dict[str, Any]:
    return {
        "id": lead.id,
        "type": lead.type,
        "title": lead.title,
        "seriousness": lead.seriousness,
        "mark": str(lead.mark),
        "due_at": format_time(lead.due_at),
        "looks": [
            {
                "officer": look.officer,
                "unit": look.unit,
                "last_at": format_time(look.last_at),
                "times": look.times,
            }
            for look in lead.looks
        ],
    }


def _closing(one: Closing) -> dict[str, Any]:
    return {
        "id": one.id,
        "lead": _lead(one.lead),
        "reason": one.reason,
        "note": one.note,
        "asked_by": one.asked_by,
        "asked_unit": one.asked_unit,
        "asked_at": format_time(one.asked_at),
        "second_by": one.second_by,
        "second_unit": one.second_unit,
        "second_at": format_time(one.second_at) if one.second_at else None,
    }
