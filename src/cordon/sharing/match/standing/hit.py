"""A standing question that was met, as a finding, so that it wakes the watch."""

from __future__ import annotations

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.sharing.match.standing.tables import StandingMetRow

CARD = load_card(__file__)


def of(met: StandingMetRow, peer: str) -> Finding:
    """What wakes the watch. The value is not in it: who may see it reads it on the page."""
    if met.ours:
        says = f"{peer} met what this agency asked about. Ring {met.contact}."
    else:
        says = f"{peer} asks about something that this agency met. Ring {met.contact}."
    return Finding.make(
        kind=CARD.kind,
        subjects=[f"standing_hit:{met.id}"],
        start=met.created_at,
        end=met.created_at,
        confidence=1.0,
        reasons=[Reason("others", 1, "1", CARD.values()["others"], says)],
        records=(),
        detector=CARD.name,
        version=CARD.version,
    )
