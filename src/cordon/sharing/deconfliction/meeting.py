"""Which of this node's planned acts a claim meets, and how that is kept as a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from cordon.kernel.errors import TooMany
from cordon.kernel.ids import new_id
from cordon.kernel.work import Work
from cordon.sharing.deconfliction.model import LIVE, Claim, ConflictState, Met
from cordon.sharing.deconfliction.tables import ConflictRow, PlannedActRow, SubjectTokenRow
from cordon.sharing.deconfliction.tokens import Party
from cordon.sharing.deconfliction.wire import MOST_MET

_SOME = 5_000  # acts of one subject in one question
MOST_OPEN = 1_000
"""Open conflicts with one agency; a node that makes more is asking around, not working."""
FOUND, OVERRIDDEN = "sharing.conflict.found", "sharing.conflict.overridden"
_ANSWERED = (ConflictState.SOLVED, ConflictState.OVERRIDDEN, ConflictState.GONE)


def meets(session: Session, party: Party, claim: Claim) -> list[tuple[PlannedActRow, Met]]:
    """Live acts of this node that a claim of a party meets, the first to begin first."""
    found: dict[str, tuple[PlannedActRow, set[str]]] = {}
    for row in session.scalars(
        select(PlannedActRow).where(
            PlannedActRow.cell.in_(claim.place.around()),
            PlannedActRow.claim_end >= claim.start,
            PlannedActRow.claim_start <= claim.end,
            PlannedActRow.state.in_(LIVE),
        )
    ):
        if row.place().meets(claim.place):
            found[row.id] = (row, {"place"})
    # asked apart: as a part of the second question it was answered after every live act was read
    same = session.scalars(
        select(SubjectTokenRow.act).where(SubjectTokenRow.token.in_(claim.tokens))
    ).all()
    for at in range(0, len(same), _SOME):
        for row in session.scalars(
            select(PlannedActRow).where(
                PlannedActRow.id.in_(same[at : at + _SOME]),
                PlannedActRow.state.in_(LIVE),
                # within the longer of the two spans that were set: the same from either side
                or_(
                    and_(
                        PlannedActRow.claim_end >= claim.subject_start,
                        PlannedActRow.claim_start <= claim.subject_end,
                    ),
                    and_(
                        PlannedActRow.subject_end >= claim.start,
                        PlannedActRow.subject_start <= claim.end,
                    ),
                ),
            )
        ):
            found.setdefault(row.id, (row, set()))[1].add("subject")
    met = [
        (row, Met(row.ref, row.revision, row.ring, tuple(sorted(basis))))
        for row, basis in found.values()
        if row.ref != claim.ref and not (claim.joint and party.joint(row.joint) == claim.joint)
    ]
    return sorted(met, key=lambda m: (m[0].starts, m[0].ref))[:MOST_MET]


def note(work: Work, act: PlannedActRow, party: str, met: Met) -> bool:
    """Keep that an act meets another agency's; True where that is new, or new after a change."""
    row = pair(work.session, act, party, met.ref)
    if row is not None and met.revision < row.their_revision:
        return False  # an answer that was overtaken
    if row is None:
        row = ConflictRow(
            id=new_id(), agency=act.agency, mark=act.mark, created_at=work.now, act=act.id,
            party=party, ref=met.ref,
        )  # fmt: skip
        work.session.add(row)
    else:
        same = (row.revision, row.their_revision) == (act.revision, met.revision)
        row.revision, row.their_revision = act.revision, met.revision
        row.ring, row.basis, row.mark = met.ring, list(met.basis), act.mark
        if row.state != ConflictState.GONE and (same or row.state not in _ANSWERED):
            if not same:
                row.theirs, row.their_who, row.their_how = ConflictState.OPEN, "", ""
            return False
    # found, or found anew: what was agreed was of another place or time
    row.revision, row.their_revision = act.revision, met.revision
    row.ring, row.basis, row.opened_at, row.since = met.ring, list(met.basis), work.now, work.now
    row.state, row.by, row.who, row.how = ConflictState.OPEN, "", "", ""
    row.theirs, row.their_who, row.their_how = ConflictState.OPEN, "", ""
    work.session.flush()
    work.emit(FOUND, {"conflict": row.id}, act.to_act().mark)
    return True


def retire(session: Session, rows: Sequence[ConflictRow], now: datetime, how: str) -> None:
    """Conflicts that there are no more."""
    for row in rows:
        row.state, row.how, row.since = ConflictState.GONE, how, now


def pair(session: Session, act: PlannedActRow, party: str, ref: str) -> ConflictRow | None:
    """The conflict of an act with another agency's, locked."""
    return session.scalar(
        select(ConflictRow)
        .where(ConflictRow.act == act.id, ConflictRow.party == party, ConflictRow.ref == ref)
        .with_for_update()
    )


def standing(session: Session, **where: object) -> list[ConflictRow]:
    """Conflicts that are not gone, with these values in these columns."""
    fits = [getattr(ConflictRow, name) == value for name, value in where.items()]
    return list(
        session.scalars(
            select(ConflictRow)
            .where(*fits, ConflictRow.state != ConflictState.GONE)
            .order_by(ConflictRow.id)
            .with_for_update()
        )
    )


def bounded(session: Session, party: str) -> None:
    """Raise TooMany where an agency has more conflicts open here than work can bring."""
    waiting = session.scalar(
        select(func.count())
        .select_from(ConflictRow)
        .where(ConflictRow.party == party, ConflictRow.state == ConflictState.OPEN)
    )
    if (waiting or 0) >= MOST_OPEN:
        raise TooMany(
            f"{MOST_OPEN} conflicts of {party} are open here.",
            advice="Ring the other agency: what is open must be answered first.",
        )


def acts_by_ref(session: Session, refs: Sequence[str]) -> Mapping[str, PlannedActRow]:
    """Acts of this node by their pointers, locked."""
    rows = session.scalars(
        select(PlannedActRow).where(PlannedActRow.ref.in_(refs)).with_for_update()
    )
    return {row.ref: row for row in rows}
