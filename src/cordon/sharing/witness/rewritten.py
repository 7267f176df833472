"""A finding of what speaks against another agency's ledger."""

from __future__ import annotations

from datetime import datetime

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.sharing.witness.model import Watched, Wrong

CARD = load_card(__file__)
SAYS = {
    Wrong.FORK: "Two checkpoints of {one} entries have two roots; both are signed.",
    Wrong.SHRUNK: "It had {one} entries, and signs {other} without proof of the rest.",
    Wrong.REWRITTEN: "Its {other} entries are not a continuation of the {one} that it had.",
    Wrong.SPLIT: "The {other} entries that {told_by} was shown do not fit the {one} shown here.",
    Wrong.SILENT: "It signed {one} entries and {other}, and gives no proof that they fit.",
}


def says(wrong: Wrong, watched: Watched, other: int, told_by: str) -> str:
    """One sentence for whoever reads it."""
    return SAYS[wrong].format(one=watched.size, other=other, told_by=told_by)


def found(wrong: Wrong, watched: Watched, other: int, told_by: str, now: datetime) -> Finding:
    """The finding.

    Args:
        other: entries of the checkpoint that does not fit. told_by: who had been shown it.
    """
    told = says(wrong, watched, other, told_by)
    return Finding.make(
        kind=CARD.kind,
        subjects=[f"node:{watched.code}"],
        start=watched.seen_at or now,
        end=now,
        confidence=0.5 if wrong is Wrong.SILENT else 1.0,
        reasons=[
            Reason("seen", float(watched.size), "1", None, told),
            Reason("shown", float(other), "1", None, f"Told by {told_by}."),
        ],
        records=[],
        detector=CARD.name,
        version=CARD.version,
    )
