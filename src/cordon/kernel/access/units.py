"""Agencies that the node knows, and the units of its own."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing, Unit
from cordon.kernel.access.tables import AgencyRow, OfficerRow, UnitRow
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")


class Units:
    """The units of the node's agency."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def add(self, actor: Actor, code: str, name: str, *, parent: str | None = None) -> Unit:
        """Add a unit.

        Args:
            code: lower-case letters, digits and hyphens; it stays for life. parent: a code.
        """
        if not _CODE.fullmatch(code):
            raise BadInput(
                "A unit's code is of lower-case letters, digits and hyphens.",
                advice="Write it like gwadar-station.",
            )
        with self.kernel.work(actor) as work:
            if _unit(work.session, code) is not None:
                raise Conflict("There is a unit of that code already.")
            row = UnitRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                code=code,
                name=_name(name),
                parent=_parent(work.session, code, parent),
            )
            work.session.add(row)
            work.act("access.unit.add", row.thing(), code=code)
            return row.to_unit()

    def change(
        self, actor: Actor, code: str, *, name: str | None = None, parent: str | None = None
    ) -> Unit:
        """Give a unit another name, or put it under another unit."""
        with self.kernel.work(actor) as work:
            row = _known(work, code)
            if name is not None:
                row.name = _name(name)
            if parent is not None:
                row.parent = _parent(work.session, code, parent)
            work.act("access.unit.change", row.thing(), code=code)
            return row.to_unit()

    def close(self, actor: Actor, code: str) -> Unit:
        """Close a unit that no officer serves in any more; its name stays for the records."""
        with self.kernel.work(actor) as work:
            row = _known(work, code)
            serving = select(OfficerRow.id).where(
                OfficerRow.unit == code, OfficerRow.disabled_at.is_(None)
            )
            if work.session.scalar(serving.limit(1)) is not None:
                raise Conflict("Officers serve in the unit.", advice="Move them first.")
            row.closed_at = row.closed_at or work.now
            work.act("access.unit.change", row.thing(), code=code, closed=True)
            return row.to_unit()

    def known(self, actor: Actor) -> list[Unit]:
        """All units, by code."""
        with self.kernel.view(actor) as view:
            view.permit("access.unit.view", Thing.room("access", self.kernel.agency))
            return [
                r.to_unit() for r in view.session.scalars(select(UnitRow).order_by(UnitRow.code))
            ]


def open_unit(session: Session, code: str) -> str:
    """The code, where officers may be put into that unit; else BadInput."""
    row = _unit(session, code)
    if row is None or row.closed_at is not None:
        raise BadInput("There is no such unit, or it is closed.", advice="Add the unit first.")
    return code


def know_agency(kernel: Kernel, code: str, name: str) -> None:
    """Write down an agency's name, as bootstrap does with the node's own; twice is once."""
    with kernel.rows.write() as session:
        row = session.scalar(select(AgencyRow).where(AgencyRow.code == code))
        if row is None:
            session.add(
                AgencyRow(
                    id=new_id(),
                    agency=kernel.agency,
                    mark=Mark.CLEAR,
                    created_at=kernel.clock.now(),
                    code=code,
                    name=name,
                )
            )
        else:
            row.name = name


def _unit(session: Session, code: str) -> UnitRow | None:
    return session.scalar(select(UnitRow).where(UnitRow.code == code))


def _known(view: View, code: str) -> UnitRow:
    row = _unit(view.session, code)
    if row is None:
        raise NotFound("There is no such unit.")
    return row


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise BadInput("A name has 1 to 120 characters.")
    return name


def _parent(session: Session, code: str, parent: str | None) -> str | None:
    above = parent
    while above is not None:
        if above == code:
            raise BadInput("A unit cannot stand under itself.")
        row = _unit(session, above)
        if row is None:
            raise BadInput("There is no unit of the parent's code.", advice="Add it first.")
        above = row.parent
    return parent
