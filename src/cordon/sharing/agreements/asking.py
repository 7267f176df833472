"""What two nodes may ask each other: only what an agreement in force between them names.

Matching is named by its kinds (`match.number`, …), planned acts by `deconfliction`. What is given
is an answer, never a thing: its mark is TLP:AMBER, it has no handling code and no caveat, and it
is first of all the answering agency's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cordon.kernel.access.model import Mark, Role, Thing
from cordon.kernel.work import ActRefused
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.model import (
    GIVEN_ROLES,
    DataClass,
    Doing,
    Handling,
    Purpose,
    Question,
)

ANSWER_MARK = Mark.AMBER


class NotAgreed(ActRefused):
    """No agreement in force between two agencies allows what is asked; it names the clauses."""

    code = "not_agreed"

    def __init__(
        self, giver: str, receiver: str, class_: str, against: Sequence[str], act: str,
        thing: Thing,
    ) -> None:  # fmt: skip
        why = (
            "no agreement in force is between them"
            if tuple(against) == ("nothing",)
            else "against it: " + ", ".join(against).replace("_", " ")
        )
        super().__init__(
            f"Nothing of the class {class_} goes from {giver} to {receiver}: {why}.",
            "Agree first, or choose a purpose that is agreed: cordon sharing agreements.",
            act,
            thing,
        )
        self.against = tuple(against)


def roles_of(roles: frozenset[Role]) -> frozenset[Role]:
    """Roles in which an officer here asks another agency.

    A console acts for the agency as a whole, where the gate lets it; no role is given by that.
    """
    return GIVEN_ROLES if Role.CONSOLE in roles else roles


def question(
    giver: str, receiver: str, class_: DataClass, purpose: Purpose, now: datetime,
    roles: frozenset[Role] = GIVEN_ROLES,
) -> Question:  # fmt: skip
    """May one agency answer the other's question of this class?"""
    return Question(
        Doing.SEE, receiver, roles, giver, giver, class_, purpose, ANSWER_MARK,
        frozenset({Handling.H0}), frozenset(), now,
    )  # fmt: skip


def against(
    agreements: Agreements, session: Session, now: datetime, giver: str, receiver: str,
    class_: DataClass, purposes: Iterable[Purpose], roles: frozenset[Role] = GIVEN_ROLES,
) -> tuple[str, ...]:  # fmt: skip
    """The clauses of the nearest agreement that are against an answer; none where it may be given.

    Args:
        purposes: one of them has to be agreed.
        roles: of who asks, where that is known here; the asking node holds its own officers to
            theirs, and the answering one cannot see them.
    """
    questions = [question(giver, receiver, class_, p, now, roles) for p in sorted(purposes)]
    answers = agreements.decides_at(session, now, questions)
    if any(a.allowed for a in answers):
        return ()
    return min((a.against for a in answers), key=len, default=("nothing",)) or ("nothing",)


def require(
    agreements: Agreements, session: Session, now: datetime, giver: str, receiver: str,
    class_: DataClass, purposes: Iterable[Purpose], act: str, thing: Thing,
    roles: frozenset[Role] = GIVEN_ROLES,
) -> None:  # fmt: skip
    """Raise NotAgreed, of this act on this thing, where `against` names a clause; as there."""
    found = against(agreements, session, now, giver, receiver, class_, purposes, roles)
    if found:
        raise NotAgreed(giver, receiver, class_.value, found, act, thing)
