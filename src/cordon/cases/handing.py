"""Entries of custody as officers write them: from what they typed to the chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cordon.cases.custody import GIVEN, Break, custody_of, would_break
from cordon.cases.model import CustodyAct, CustodyEvent
from cordon.cases.reading import chain_of, part_of
from cordon.cases.tables import ExhibitRow
from cordon.cases.writing import line, open_row, write_custody
from cordon.kernel import leads
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Work


class CustodyBroken(Conflict):
    """An entry of custody that would break the chain; `breaks` are for the case's readers."""

    def __init__(self, breaks: Sequence[Break]) -> None:
        rules = ", ".join(str(b.rule).replace("_", " ") for b in breaks)
        super().__init__(
            f"It was not written: the chain of custody would be broken ({rules}).",
            advice="Look at the chain, and first write down what is missing in it.",
        )
        self.breaks = tuple(breaks)


def record_custody(
    work: Work,
    exhibit: str,
    act: CustodyAct,
    *,
    to_holder: str | None,
    place: str | None,
    seal_number: str | None,
    note: str,
    from_holder: str | None,
    at: datetime | None,
) -> CustodyEvent:
    """Write an entry into an exhibit's chain; see `Cases.record_custody`."""
    row = work.session.get(ExhibitRow, exhibit)
    if row is None:
        raise NotFound("There is no such exhibit.")
    _, case = open_row(work, row.case)
    thing = part_of(case, "exhibit", exhibit)
    work.permit("cases.exhibit.custody", thing)
    chain = chain_of(work.session, [exhibit])
    if not from_holder and act in GIVEN:
        from_holder = custody_of(chain).holder
    event = CustodyEvent(
        id=new_id(),
        exhibit=exhibit,
        at=at or work.now,
        act=act,
        by=work.actor.id,
        from_holder=from_holder or None,
        to_holder=(to_holder or "").strip() or None,
        place=line(place or "", "place") or None,
        seal_number=line(seal_number or "", "seal number", 60) or None,
        note=note.strip(),
    )
    if event.at > work.now:
        raise BadInput("That time has not come yet.", advice="Give when it happened.")
    if breaks := would_break(chain, event):
        raise CustodyBroken(breaks)
    write_custody(work, case, event, len(chain) + 1)
    work.act("cases.exhibit.custody", thing, custody=str(act), case=row.case)
    leads.answered(work, case)
    return event
