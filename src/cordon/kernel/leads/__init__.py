"""Leads: findings, alerts and cases that a person must answer and that nobody can bury."""

from cordon.kernel.leads.closing import (
    Closure,
    LeadRules,
    ask_to_close,
    close_reasons,
    countersign,
    decline,
)
from cordon.kernel.leads.findings import (
    KeptFinding,
    Withdrawn,
    findings_naming,
    get_finding,
    keep,
    list_findings,
    withdraw,
)
from cordon.kernel.leads.open import answered, count_overdue, looked, open_lead, overdue

__all__ = [
    "Closure",
    "KeptFinding",
    "LeadRules",
    "Withdrawn",
    "answered",
    "ask_to_close",
    "close_reasons",
    "count_overdue",
    "countersign",
    "decline",
    "findings_naming",
    "get_finding",
    "keep",
    "list_findings",
    "looked",
    "open_lead",
    "overdue",
    "withdraw",
]
