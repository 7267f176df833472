"""What units can do: said on the board or by the unit itself, and kept as it was said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput
from cordon.kernel.ids import new_id
from cordon.operations.base import RoomBase, as_unit, unit_row, written
from cordon.operations.model import Statement, Unit, UnitState
from cordon.operations.ranking.means import means
from cordon.operations.ranking.rank import covers
from cordon.operations.tables import UnitStatementRow

SAY, VIEW = "operations.unit.say", "operations.unit.view"
MOST_CREW, MOST_RANGE_NM = 500, 20_000.0
SHOWN = 20  # statements that a unit's page shows


@dataclass(frozen=True, slots=True)
class OnBoard:
    """A unit as the board shows it.

    Attributes:
        said: its last statement, or None. old: True where that is from another watch or older.
        leaves: who would be soonest where it stands, and in how many minutes, were it sent; None
            where nobody could, or where it is not ready or its position not known (`placed`).
    """

    unit: Unit
    said: Statement | None
    old: bool
    placed: bool
    leaves: tuple[str, float] | None


class Saying(RoomBase):
    """Statements of units. Every one is kept; the last counts, and fades with its age."""

    def say(
        self,
        actor: Actor,
        unit: str,
        *,
        crew: int | None = None,
        range_nm: float | None = None,
        equipment: Iterable[str] = (),
        acts: Iterable[str] = (),
        note: str = "",
    ) -> Statement:
        """Say what a unit can do now. It takes the place of all that was said before.

        Args:
            crew: people aboard. range_nm: how far its fuel lasts (nautical miles).
            equipment, acts: ids of `ranking/means.yaml`.

        Raises:
            BadInput: a number that cannot be, a word that is not on the list, or nothing at all.
        """
        if crew is not None and not 0 <= crew <= MOST_CREW:
            raise BadInput("That is no crew.", advice=f"Give 0 to {MOST_CREW} people.")
        if range_nm is not None and not 0 <= range_nm <= MOST_RANGE_NM:
            raise BadInput(
                "That is no range.", advice=f"Give 0 to {MOST_RANGE_NM:,.0f} nautical miles."
            )
        can = _known(acts, means().acts, "kind of act")
        has = _known(equipment, means().equipment, "equipment")
        note = written(note, "The note", least=0, most=500)
        if crew is None and range_nm is None and not can and not has and not note:
            raise BadInput(
                "Nothing was said.", advice="Give its crew, its fuel, or what it can do."
            )
        with self.kernel.work(actor) as work:
            held = unit_row(work.session, unit, lock=True)
            work.act(SAY, held.thing(), crew=crew, range_nm=range_nm, equipment=has, acts=can)
            row = UnitStatementRow(
                id=new_id(),
                agency=held.agency,
                mark=held.mark,
                created_at=work.now,
                unit=held.id,
                said_by=actor.id,
                crew=crew,
                range_nm=range_nm,
                equipment=has,
                acts=can,
                note=note,
            )
            work.session.add(row)
            work.session.flush()
            return _as_statement(row)

    def statements(self, actor: Actor, unit: str) -> tuple[Unit, list[Statement]]:
        """A unit, and the last of what was said of it, the newest first."""
        with self.kernel.view(actor) as view:
            row = unit_row(view.session, unit)
            view.permit(VIEW, row.thing())
            query = (
                select(UnitStatementRow)
                .where(UnitStatementRow.unit == unit)
                .order_by(UnitStatementRow.id.desc())
                .limit(SHOWN)
            )
            return as_unit(row), [_as_statement(r) for r in view.session.scalars(query)]

    def said(self, units: Sequence[Unit]) -> dict[str, Statement]:
        """The last statement of each unit, by its id, for those who may see the units."""
        with self.kernel.rows.read() as session:
            return last_said(session, [u.id for u in units])

    def board(self, actor: Actor, units: Sequence[Unit]) -> list[OnBoard]:
        """Units that the reader sees, each with what it can do and what it would leave behind."""
        said, now = self.said(units), self.kernel.clock.now()
        ready = [u for u in units if u.state is UnitState.READY]
        left = covers(ready)
        made = []
        for unit in units:
            last, next_ = said.get(unit.id), left.get(unit.id)
            age = 0.0 if last is None else (now - last.said_at).total_seconds() / 60
            leaves = None if next_ is None else (next_[0].code, next_[1])
            made.append(OnBoard(unit, last, age > means().fresh_min, unit.id in left, leaves))
        return made


def last_said(session: Session, units: Collection[str]) -> dict[str, Statement]:
    """The last statement of each unit, by its id."""
    last = (
        select(func.max(UnitStatementRow.id))
        .where(UnitStatementRow.unit.in_(units))
        .group_by(UnitStatementRow.unit)
    )
    rows = session.scalars(select(UnitStatementRow).where(UnitStatementRow.id.in_(last)))
    return {row.unit: _as_statement(row) for row in rows}


def _known(given: Iterable[str], words: Collection[str], what: str) -> list[str]:
    found = sorted(set(given))
    if wrong := [one for one in found if one not in words]:
        raise BadInput(
            f"“{wrong[0][:40]}” is no {what} on the list.", advice=f"Use {', '.join(words)}."
        )
    return found


def _as_statement(row: UnitStatementRow) -> Statement:
    return Statement(
        unit=row.unit,
        said_at=row.created_at,
        said_by=row.said_by,
        crew=row.crew,
        range_nm=row.range_nm,
        equipment=tuple(row.equipment),
        acts=tuple(row.acts),
        note=row.note,
    )
