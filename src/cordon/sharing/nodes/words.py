"""What messages between nodes are called on pages, by their kind."""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark a message for the catalogues; it is translated where it is shown."""
    return message


MESSAGES = {
    "agreement.signed": N_("signatures under agreements"),
    "agreement.signed_graded": N_("signatures under agreements that ask for grades"),
    "agreement.ended": N_("ends of agreements"),
    "deconflict.word": N_("words on conflicts of planned acts"),
    "match.change": N_("changes of what can be matched"),
    "match.met": N_("hits of standing questions"),
    "match.set": N_("preparations of what can be matched"),
    "match.stand": N_("standing questions"),
    "match.stood": N_("answers to standing questions"),
    "match.terms": N_("terms of matching"),
    "match.unstand": N_("standing questions taken back"),
    "node.key": N_("changes of this node's key"),
    "release.allowed": N_("permissions for releases"),
    "release.corrected": N_("corrections of releases"),
    "release.feedback": N_("words on what releases were worth"),
    "release.onward_answered": N_("answers on passing releases on"),
    "release.onward_asked": N_("questions on passing releases on"),
    "release.onward_gone": N_("releases passed on that are gone again"),
    "release.passed_on": N_("releases passed on to a further agency"),
    "release.recall": N_("recalls of releases"),
    "release.receipt": N_("receipts for releases"),
    "release.refused": N_("refusals of releases"),
    "release.removed": N_("proofs that releases were removed"),
    "release.sent": N_("releases"),
    "release.used": N_("words on how releases were used"),
    "request.asked": N_("requests"),
    "request.ended": N_("answers to requests"),
}
