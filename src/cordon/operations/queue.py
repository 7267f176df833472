"""The queue of alerts: what it is filtered by, in which order it stands, and what is new in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, Table, func, literal, select, tuple_

from cordon.kernel.access.model import Actor
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.work import View
from cordon.operations.base import RoomBase, alert_row, as_alerts, one_of
from cordon.operations.model import Alert, AlertState
from cordon.operations.tables import AlertRow

NOBODY = "nobody"  # the filter for alerts that nobody has
VIEW = "operations.alert.view"
MOST_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the queue is asked for; empty ones ask for everything that is not closed.

    Attributes:
        state: one of `AlertState`. seriousness: one of `SERIOUSNESS`. kind: a kind of finding or
            its room's prefix (`picture.`). assignee: officer's id, or `nobody`.
        mine: only what the reader has. escalated: only what nobody saw in its time.
    """

    state: str = ""
    seriousness: str = ""
    kind: str = ""
    assignee: str = ""
    mine: bool = False
    escalated: bool = False

    def __post_init__(self) -> None:
        if self.state:
            one_of(AlertState, self.state, "state of an alert")
        if self.seriousness:
            one_of(SERIOUSNESS, self.seriousness, "seriousness")

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """From an address; what it does not know it passes over. Raises BadInput."""
        given: dict[str, Any] = {f.name: query[f.name] for f in fields(cls) if query.get(f.name)}
        for flag in {"mine", "escalated"} & given.keys():
            given[flag] = given[flag] not in ("0", "false")
        return cls(**given)

    def query(self, **more: str) -> str:
        """The filters as they stand in an address, with what is given beside them."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        told = {k: "1" if v is True else v for k, v in held.items() if v}
        return urlencode({**told, **{k: v for k, v in more.items() if v}})


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue.

    Attributes:
        after: id to ask the next page with, or None on the last one.
        newest: id of the newest alert that the reader may see, to count new ones from.
    """

    alerts: tuple[Alert, ...]
    after: str | None
    newest: str


# the table and not the entity: of those each page would make fifty, and drop them
_TABLE = cast("Table", AlertRow.__table__)
_C = _TABLE.c


class Queue(RoomBase):
    """Reading the queue."""

    def queue(
        self, actor: Actor, filters: Filters = Filters(), *, after: str = "", at_most: int = 50
    ) -> QueuePage:
        """Alerts by their score, then those due first; alike ones under their first.

        Closed ones only where the filter asks for them, then each for itself.

        Args:
            after: `after` of the page before this one. at_most: up to 200.
        """
        at_most = max(1, min(at_most, MOST_A_PAGE))
        with self.kernel.view(actor) as view:
            asked = self._asked(view, filters)
            # without the filters: the end of the key, where with them all would be looked at
            last = select(_C.id).where(
                _C.agency == self.kernel.agency,
                _C.mark.in_(self.marks(view, VIEW, "alert")),
            )
            newest = view.session.scalar(last.order_by(_C.id.desc()).limit(1))
            query = asked.order_by(_C.behind, _C.due_at, _C.id)
            if after:
                query = query.where(_past(alert_row(view.session, after)))
            found = view.session.execute(query.limit(at_most + 1))
            names = list(found.keys())
            rows = cast(
                "list[AlertRow]",
                # SQLAlchemy's own rows look each name up: half the time of making alerts of them
                [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in found.all()],
            )
            page = rows[:at_most]
            more = page[-1].id if len(rows) > at_most else None
            return QueuePage(tuple(as_alerts(view.session, page)), more, newest or "")

    def count_new(self, actor: Actor, filters: Filters = Filters(), *, since: str = "") -> int:
        """How many alerts came into the queue after the one that `newest` named.

        Ids are UUIDv7 and one dispatcher raises alerts in order, so that an id is a better mark
        than a time, which can stand still or be the same for two.
        """
        with self.kernel.view(actor) as view:
            query = self._asked(view, filters).with_only_columns(func.count())
            return view.session.scalar(query.where(_C.id > since)) or 0

    def escalated_to(self, actor: Actor) -> int:
        """How many alerts that nobody has seen yet were escalated to a role of the reader's."""
        levels = [n for n, one in enumerate(self.triage.levels, 1) if one.role in actor.roles]
        if not levels:
            return 0
        with self.kernel.view(actor) as view:
            query = self._asked(view, Filters(state=AlertState.OPEN))
            query = query.with_only_columns(func.count()).where(_C.level >= min(levels))
            return view.session.scalar(query) or 0

    def _asked(self, view: View, filters: Filters) -> Select[Any]:
        query = select(_TABLE).where(
            _C.agency == self.kernel.agency,
            _C.mark.in_(self.marks(view, VIEW, "alert")),
        )
        if filters.state:
            query = query.where(_C.state == filters.state)
        if filters.state != AlertState.CLOSED:
            query = query.where(_C.queued.is_(True))
        if filters.seriousness:
            query = query.where(_C.rank == SERIOUSNESS.index(filters.seriousness))
        if filters.kind.endswith("."):
            query = query.where(_C.kind.startswith(filters.kind, autoescape=True))
        elif filters.kind:
            query = query.where(_C.kind == filters.kind)
        if filters.assignee == NOBODY:
            query = query.where(_C.assignee.is_(None))
        elif filters.assignee:
            query = query.where(_C.assignee == filters.assignee)
        if filters.mine:
            query = query.where(_C.assignee == view.actor.id)
        if filters.escalated:
            query = query.where(_C.level > 0)
        return query


def _past(last: AlertRow) -> ColumnElement[bool]:
    at = tuple_(_C.behind, _C.due_at, _C.id)
    return at > tuple_(
        literal(last.behind, _C.behind.type),
        literal(last.due_at, _C.due_at.type),
        literal(last.id, _C.id.type),
    )
