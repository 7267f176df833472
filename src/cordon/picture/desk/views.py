"""Saved views: names for addresses of the picture, one's own or shared with the agency."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import or_, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel
from cordon.picture.desk.tables import ViewRow

CHANGE = "picture.saved_view.change"
MOST = 100  # of one officer
_LONGEST_NAME, _LONGEST_ADDRESS = 80, 2000


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved view as its list shows it; `mine` where the reader made it."""

    id: str
    name: str
    address: str
    shared: bool
    mine: bool


class SavedViews:
    """The saved views of a node."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def of(self, actor: Actor) -> list[SavedView]:
        """The reader's own and those that are shared, by name."""
        with self._kernel.view(actor) as view:
            view.permit("picture.track.view", self._room())
            rows = view.session.scalars(
                select(ViewRow)
                .where(or_(ViewRow.owner == actor.id, ViewRow.shared))
                .order_by(ViewRow.name, ViewRow.id)
            )
            return [SavedView(r.id, r.name, r.address, r.shared, r.owner == actor.id) for r in rows]

    def keep(self, actor: Actor, name: str, address: str, *, shared: bool) -> str:
        """Keep an address under a name; one's own of that name is replaced. Returns the id."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise BadInput(f"A view's name has 1 to {_LONGEST_NAME} characters.")
        address = _checked(address)
        with self._kernel.work(actor) as work:
            work.permit(CHANGE, self._room())
            own = list(work.session.scalars(select(ViewRow).where(ViewRow.owner == actor.id)))
            row = next((r for r in own if r.name == name), None)
            if row is None:
                if len(own) >= MOST:
                    raise Conflict(f"You have {MOST} views.", advice="Take one out first.")
                row = ViewRow(
                    id=new_id(),
                    agency=self._kernel.agency,
                    mark=Mark.GREEN,
                    created_at=work.now,
                    name=name,
                    owner=actor.id,
                )
                work.session.add(row)
            row.address, row.shared = address, shared
            work.act(CHANGE, row.thing(), kept=True, shared=shared)
            return row.id

    def remove(self, actor: Actor, view: str) -> None:
        """Take a view out: one's own, or as one who arranges the picture a shared one."""
        with self._kernel.work(actor) as work:
            row = work.session.get(ViewRow, view)
            if row is None or not (row.shared or row.owner == actor.id):
                raise NotFound("There is no such view.")
            if row.owner != actor.id and not work.may("picture.zone.change", self._room()):
                raise Refused("It is another officer's.", advice="Ask them, or a supervisor.")
            work.act(CHANGE, row.thing(), kept=False)
            work.session.delete(row)

    def _room(self) -> Thing:
        return Thing.room("picture", self._kernel.agency)


def _checked(address: str) -> str:
    """Path, query and fragment of an address of the picture; nothing of another page or host."""
    parts = urlsplit(address.strip())
    if len(address) > _LONGEST_ADDRESS or parts.path != "/picture" or parts.scheme or parts.netloc:
        raise BadInput("That is no address of the picture.", advice="Save the view from the map.")
    return parts.geturl()
