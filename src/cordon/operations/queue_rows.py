"""Rows of the queue as they are drawn, kept: a whole watch looks at the same ones.

Drawing a row anew for each reader took as long as everything else of the page together. What is
kept is told by all that stands in it, so that nothing old is ever shown; what follows the clock
(its age, what is left of its time) and who its subjects are is put in each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from cordon.operations.model import Alert, AlertState, Position

MOST = 20_000  # rows, of some 1.5 KB each; past it all are drawn anew
CUT = secrets.token_hex(16)  # nothing that somebody wrote is the same
PIECES = 4  # up to its age, to its subjects, to what is left of its time, and the rest


@dataclass(frozen=True, slots=True)
class Row:
    """What of a row is the same for whoever may do the same with it.

    Attributes:
        id, title, seriousness, state, place, alike, level, score, unit: as of `Alert`.
        withdrawn: its detector took it back.
        assignee: name of the officer who has it. acts: letters with the form that each opens.
        posts: letters with what each does at once.
        pick: it can be chosen. chosen: it was.
    """

    id: str
    title: str
    seriousness: str
    state: AlertState
    place: Position | None
    alike: int
    level: int
    score: float
    unit: str | None
    withdrawn: bool
    assignee: str
    acts: tuple[tuple[str, str], ...]
    posts: tuple[tuple[str, str], ...]
    pick: bool
    chosen: bool

    @classmethod
    def of(
        cls,
        alert: Alert,
        assignee: str,
        acts: tuple[tuple[str, str], ...],
        posts: tuple[tuple[str, str], ...],
        *,
        pick: bool,
        chosen: bool,
    ) -> Row:
        """An alert's row."""
        return cls(
            id=alert.id, title=alert.title, seriousness=alert.seriousness, state=alert.state,
            place=alert.place, alike=alert.alike, level=alert.level, score=alert.score,
            unit=alert.unit, withdrawn=alert.withdrawn_at is not None,
            assignee=assignee, acts=acts, posts=posts, pick=pick, chosen=chosen,
        )  # fmt: skip


class DrawnRows:
    """Rows in each language, cut where something is put in."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Row], list[Markup]] = {}

    def pieces(self, lang: str, row: Row, draw: Callable[[], str]) -> list[Markup]:
        """The row's `PIECES`, drawn where it never was.

        Args:
            draw: the row with `CUT` wherever something is put in.
        """
        kept = self._kept.get((lang, row))
        if kept is None:
            # a template drew it, and escaped what it was given
            kept = [Markup(piece) for piece in draw().split(CUT)]  # noqa: S704
            if len(kept) != PIECES:
                raise ValueError(f"a row of the queue has {len(kept)} pieces, not {PIECES}")
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[lang, row] = kept
        return kept
