"""A release as it is kept, and what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Work
from cordon.sharing.agreements.model import Purpose
from cordon.sharing.releases.model import Part, Release, ReleaseState, Step, Way, marks_of
from cordon.sharing.releases.tables import ReleaseRow, ReleaseStepRow


def note(work: Work, row: ReleaseRow, what: str, detail: dict[str, Any] | None = None) -> None:
    """Keep what happened to a release."""
    work.session.add(
        ReleaseStepRow(
            id=new_id(), agency=row.agency, mark=row.mark, created_at=work.now, release=row.id,
            what=what, by=work.actor.id, detail=detail or {},
        )
    )  # fmt: skip
    work.session.flush()


def row_of(session: Session, id_: str, *, lock: bool = False) -> ReleaseRow:
    """A release's row; NotFound."""
    row = session.get(ReleaseRow, id_, with_for_update=True if lock else None)
    if row is None:
        raise NotFound("There is no such release.")
    return row


def steps_of(session: Session, release: str) -> list[ReleaseStepRow]:
    """What happened to a release, in order."""
    return _steps(session, [release])[release]


def release_of(session: Session, row: ReleaseRow) -> Release:
    """The plain value, with what happened to it."""
    return releases_of(session, [row])[0]


def releases_of(session: Session, rows: Sequence[ReleaseRow]) -> list[Release]:
    """The plain values, with what happened to each; one question for all of them."""
    steps = _steps(session, [row.id for row in rows])
    return [
        Release(
            row.id, row.agency, Way(row.way), row.peer, row.originator, row.agreement,
            Purpose(row.purpose), marks_of(row.marks), ReleaseState(row.state),
            tuple(Part.read(p) for p in row.parts), row.sha256, row.asked_by, row.created_at,
            row.expires_at,
            tuple(Step(s.created_at, s.what, s.by, s.detail) for s in steps[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def _steps(session: Session, releases: Sequence[str]) -> dict[str, list[ReleaseStepRow]]:
    found: dict[str, list[ReleaseStepRow]] = {id_: [] for id_ in releases}
    query = select(ReleaseStepRow).where(ReleaseStepRow.release.in_(releases))
    for step in session.scalars(query.order_by(ReleaseStepRow.id)):
        found[step.release].append(step)
    return found


def thing_of(row: ReleaseRow) -> Thing:
    """The release as policies see it."""
    return Thing("release", row.id, row.agency, marks_of(row.marks).mark)
