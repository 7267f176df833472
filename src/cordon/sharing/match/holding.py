"""What this agency holds of a kind, handed in by providers; and values brought in by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Mark
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow
from cordon.sharing.match import forms
from cordon.sharing.match.model import Kind
from cordon.sharing.match.tables import MatchHeldRow

Provider = Callable[[Session], Iterable[str]]
"""Gives subjects (`type:id`) that this agency holds; what it must not tell it leaves out."""
_TYPES: dict[Kind, tuple[str, ...]] = {
    Kind.NUMBER: ("number",), Kind.ACCOUNT: ("account",), Kind.PLATE: ("plate",),
    Kind.VESSEL: ("imo", "mmsi"), Kind.DOCUMENT: ("document",), Kind.NAME: (),
}  # fmt: skip


class Holdings:
    """Everything that questions are answered from.

    Args:
        region: ISO 3166 code for numbers in national form.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._providers: list[Provider] = []

    def provide(self, provider: Provider) -> None:
        """Have a room's subjects matched too."""
        self._providers.append(provider)

    def values(self, session: Session, kind: Kind) -> set[str]:
        """Every value of a kind that is held, in its one form.

        What is marked TLP:RED is left out: that it is there is for the named persons alone.
        """
        found = set(
            session.scalars(select(MatchHeldRow.value).where(MatchHeldRow.kind == kind.value))
        )
        for subject in self._subjects(session, kind):
            told = forms.of_subject(subject, self.region)
            if told is not None and told[0] is kind:
                found.add(told[1])
        return found

    def size(self, session: Session) -> tuple[object, ...] | None:
        """Is another when what is held may be; None where only looking at all of it tells."""
        if self._providers:
            return None
        counted = (
            select(func.count(), func.max(MatchHeldRow.created_at)).select_from(MatchHeldRow),
            select(func.count(), func.max(FindingRow.created_at)).select_from(FindingRow),
            select(func.count()).select_from(FindingSubjectRow),
        )
        return tuple(n for one in counted for n in session.execute(one).one())

    def _subjects(self, session: Session, kind: Kind) -> Iterator[str]:
        for type_ in _TYPES[kind]:
            yield from session.scalars(
                select(FindingSubjectRow.subject)
                .join(FindingRow, FindingRow.id == FindingSubjectRow.finding)
                .where(
                    FindingSubjectRow.subject >= f"{type_}:",
                    FindingSubjectRow.subject < f"{type_};",
                    FindingRow.mark != Mark.RED,
                )
                .distinct()
            )
        for provider in self._providers:
            yield from provider(session)
