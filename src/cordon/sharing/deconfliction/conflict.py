"""A conflict as a finding, so that it wakes the watch like any other alert."""

from __future__ import annotations

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.sharing.deconfliction.tables import ConflictRow, PlannedActRow

CARD = load_card(__file__)
_BASES = {
    ("place",): "at the same place and time",
    ("subject",): "about the same subject",
    ("place", "subject"): "at the same place and time, about the same subject",
}


def of(row: ConflictRow, act: PlannedActRow, *, overridden: bool) -> Finding:
    """What wakes the watch: a conflict that was found, or that the other side goes ahead over.

    Its place is this agency's own act's; of the other one nothing is known here.
    """
    if overridden:
        says = f"{row.party} goes ahead over this conflict ({row.their_who}). Ring {row.ring} now."
        moment = row.since
    else:
        basis = _BASES[tuple(sorted(row.basis))]
        says = f"{row.party} plans an act {basis}. Ring {row.ring}."
        moment = row.opened_at
    return Finding.make(
        kind=CARD.kind,
        subjects=[f"planned_act:{act.id}", f"conflict:{row.id}"],
        # a moment, not a span: one that is found anew must wake the watch anew
        start=moment,
        end=moment,
        confidence=1.0,
        reasons=[Reason("others", 1, "1", CARD.values()["others"], says)],
        records=(),
        detector=CARD.name,
        version=CARD.version,
        place=act.place().geojson(),
        radius_m=act.radius_m,
    )
