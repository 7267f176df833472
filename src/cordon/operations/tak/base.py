"""TAK clients as values: what one may see and be told, and the acts around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.work import Work
from cordon.operations.base import one_of, written
from cordon.operations.model import check_code
from cordon.operations.tables import UnitRow
from cordon.operations.tak.tables import TakClientRow

VIEW, ENROL, REVOKE = "operations.tak.view", "operations.tak.enrol", "operations.tak.revoke"
JOIN, GIVE = "operations.tak.join", "operations.tak.give"
HAND_ON = "operations.tak.hand_on"
_GROUP = re.compile(r"[\w][\w .-]{0,30}")
_MOST_GROUPS = 10
TELLS = [m.value for m in Mark if m is not Mark.RED]  # TLP:RED is for named officers alone


@dataclass(frozen=True, slots=True)
class TakClient:
    """A client that may join, or might until it was thrown out. Attributes as in the table."""

    id: str
    name: str
    unit: str | None
    groups: frozenset[str]
    cleared: Mark
    uid: str | None
    enrolled_at: datetime
    valid_until: datetime
    revoked_at: datetime | None = None
    revoked_why: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an enrolment lets a client see and be told. Attributes as in the table of clients."""

    name: str
    groups: list[str]
    unit: str | None
    cleared: str

    @classmethod
    def read(cls, name: str, groups: str, unit: str, cleared: str) -> Entitlement:
        """From what an officer typed.

        Args:
            groups: names with commas between them. unit: code, or empty.

        Raises:
            BadInput: a field cannot be used.
        """
        name = written(name, "The name", most=60)
        if not name.isprintable():
            raise BadInput("The name has signs that cannot be shown.", advice="Use letters.")
        names = groups_of(groups)
        one_of(TELLS, cleared, "mark that a client can be told")
        return cls(name, names, check_code(unit) if unit.strip() else None, cleared)

    def check_unit(self, work: Work) -> None:
        """NotFound where there is no such unit."""
        if self.unit is not None and not work.session.scalar(
            select(UnitRow.id).where(
                UnitRow.agency == work.kernel.agency, UnitRow.code == self.unit
            )
        ):
            raise NotFound(f"There is no unit {self.unit}.", advice="Add it, or leave it out.")


def groups_of(text: str) -> list[str]:
    """Names of groups as they were typed, sorted; BadInput where there is none, or one is wrong."""
    names = sorted({part.strip() for part in text.split(",") if part.strip()})
    if not 1 <= len(names) <= _MOST_GROUPS or not all(_GROUP.fullmatch(n) for n in names):
        raise BadInput(
            "Those are no groups.",
            advice=f"Write 1 to {_MOST_GROUPS} names with commas between them, like watch, pasni.",
        )
    return names


def client_of(row: TakClientRow) -> TakClient:
    """The plain value."""
    return TakClient(
        row.id, row.name, row.unit, frozenset(row.groups), Mark(row.cleared), row.uid,
        row.created_at, row.valid_until, row.revoked_at, row.revoked_why, row.seen_at,
    )  # fmt: skip
