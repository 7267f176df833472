"""Who an officer is: names for pages, and whether one may be given an alert."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Thing
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.work import View

TAKES = "operations.alert.acknowledge"  # whoever may do this may be given an alert


class TakenFirst(Conflict):
    """Another officer was quicker.

    Attributes:
        by: the other's id; pages show the name, which no error and no log holds.
    """

    def __init__(self, message: str, by: str, *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.by = by


def names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of officers by id; whoever is no officer of this node keeps their id."""
    wanted = {id_ for id_ in ids if id_}
    found = {id_: id_ for id_ in wanted}
    if wanted:
        rows = session.execute(
            select(OfficerRow.id, OfficerRow.name).where(OfficerRow.id.in_(wanted))
        )
        found.update((id_, name) for id_, name in rows)
    return found


def takers(view: View, thing: Thing) -> list[tuple[str, str]]:
    """Officers who may be given a thing (id, name and unit), by unit and name."""
    rows = view.session.scalars(
        select(OfficerRow)
        .where(OfficerRow.agency == thing.agency, OfficerRow.disabled_at.is_(None))
        .order_by(OfficerRow.unit, OfficerRow.name)
    )
    return [
        (row.id, f"{row.name} · {row.unit}" if row.unit else row.name)
        for row in rows
        if view.kernel.gate.decide(row.to_officer().actor(), TAKES, thing).allowed
    ]


def check_taker(view: View, officer: str, thing: Thing) -> None:
    """Raise BadInput where this officer may not be given a thing."""
    row = view.session.get(OfficerRow, officer)
    if row is None or row.disabled_at is not None:
        raise BadInput("There is no such officer on duty here.", advice="Choose one of the list.")
    if not view.kernel.gate.decide(row.to_officer().actor(), TAKES, thing).allowed:
        raise BadInput(
            "That officer's roles or clearance do not let them answer it.",
            advice="Choose one of the list.",
        )
