"""What the parts of the desk of phones share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sqlalchemy.orm import Session

from cordon.cases import Exhibit, ExhibitKind
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import Refused
from cordon.kernel.work import Kernel, View
from cordon.operations.field.tables import FieldPhoneRow
from cordon.operations.service import Operations
from cordon.operations.tables import TaskingRow

VIEW, REPORT = "operations.field.view", "operations.field.report"
READ, SETTLE = "operations.phone.view", "operations.field.settle"
PANIC = "operations.panic.raise"
SETTLED = "operations.field.settled"  # what is told when somebody settled an act
PHONE_MARK = Mark.GREEN  # as of units: that one is there is known in its agency


class ExhibitTaker(Protocol):
    """What this part needs of the cases: that a file becomes an exhibit."""

    def add_file(
        self, actor: Actor, case: str, stream: BinaryIO, *, title: str, kind: ExhibitKind,
        media_type: str, source: str, received_from: str, note: str,
    ) -> Exhibit:  # fmt: skip
        """Keep a file as an exhibit with its receipt by the actor."""
        ...


class NotYours(Refused):
    """What a phone keeps is another officer's than the one who is signed in on it."""

    code = "another_officer"


class FieldBase:
    """What every part stands on.

    Args:
        room: alerts, taskings and units. cases: where a photo becomes an exhibit.
        folder: of photos that are not whole yet.
    """

    def __init__(self, room: Operations, cases: ExhibitTaker, folder: Path) -> None:
        self.room = room
        self.kernel: Kernel = room.kernel
        self.cases = cases
        self.folder = folder

    def may(self, actor: Actor, act: str, thing: Thing | None = None) -> bool:
        """Whether the gate would let an act pass, for what a page offers."""
        return self.room.may(actor, act, thing)

    def phone_row(self, view: View, phone: str, *, make: bool) -> FieldPhoneRow:
        """The officer's phone, locked, so that two messages of one phone wait for each other.

        Raises:
            NotYours: it is another officer's.
        """
        # two that make it at once: the second waits, and finds it
        self.kernel.rows.alone(view.session, f"field.phone.{phone}")
        row = view.session.get(FieldPhoneRow, phone, with_for_update=True, populate_existing=True)
        if row is None and make:
            row = FieldPhoneRow(
                id=phone, agency=self.kernel.agency, mark=PHONE_MARK, created_at=view.now,
                officer=view.actor.id, unit=view.actor.unit or "", seen_at=view.now,
                last_number=0, offset_ms=0,
            )  # fmt: skip
            view.permit(REPORT, row.thing())
            view.session.add(row)
            view.session.flush()
        if row is None or row.officer != view.actor.id:
            raise NotYours(
                "This phone keeps what another officer said.",
                advice="Let that officer sign in on it, so that it is sent.",
            )
        return row

    def names(self, ids: Iterable[str | None]) -> dict[str, str]:
        """Names of officers by id, for pages."""
        return self.room.names(ids)


def tasking_mark(session: Session, tasking: str | None) -> Mark | None:
    """The handling mark of a tasking, or None where there is none of that id."""
    row = session.get(TaskingRow, tasking) if tasking else None
    return Mark(row.mark) if row is not None else None


def seen_values(values: Any) -> Any:
    """Text of a form with whatever looks like a person's number taken out, for a page."""
    from cordon.kernel.masking import redact

    return redact(values) if isinstance(values, str) else values
