"""Data packages: what a TAK client or an officer gives, and the clients of its groups may have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooLarge
from cordon.kernel.ids import new_id
from cordon.kernel.work import View, Work
from cordon.operations.base import SHORTEST_NOTE, one_of, written
from cordon.operations.tak.base import GIVE, HAND_ON, TELLS, VIEW, TakClient, groups_of
from cordon.operations.tak.tables import TakPackageRow

if TYPE_CHECKING:
    from cordon.operations.tak.desk import TakDesk

LARGEST = 64 << 20  # bytes of one package
MOST_OF_ONE = 1 << 30  # bytes of all packages of one client
_LISTED = 500
_SENT_MARK = Mark.GREEN  # what one phone sends to another is marked as its chat is
_NONE = "There is no such data package."


@dataclass(frozen=True, slots=True)
class DataPackage:
    """A package that is kept. Attributes as in the table; `at` is when it came."""

    id: str
    sha256: str
    size: int
    name: str
    media_type: str
    groups: frozenset[str]
    mark: Mark
    client: str | None
    given_by: str | None
    creator: str
    public: bool
    at: datetime


class DataPackages:
    """The data packages of a desk."""

    def __init__(self, desk: TakDesk) -> None:
        self.desk = desk
        self.kernel = desk.kernel

    # for officers

    def all(self, actor: Actor) -> list[DataPackage]:
        """Packages that the actor may see, the newest first."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("operations", self.kernel.agency))
            return [_package(row) for row in _kept(view) if view.may(VIEW, row.thing())]

    def give(
        self, actor: Actor, source: BinaryIO, *, name: str, groups: str, mark: str = Mark.GREEN
    ) -> DataPackage:
        """Give a file to groups of clients; they find it among the server's packages.

        Args:
            groups: names with commas between them. mark: clients that are cleared for it get it.

        Raises:
            BadInput: a field cannot be used. TooLarge: it has more than `LARGEST` bytes.
        """
        names = groups_of(groups)
        one_of(TELLS, mark, "mark that a client can be told")
        stored = self.kernel.files.put(source, at_most=LARGEST)
        if not stored.size:
            raise BadInput("The file is empty.", advice="Choose another.")
        with self.kernel.work(actor) as work:
            row = self._row(work, stored.sha256, stored.size, name, names, Mark(mark))
            row.given_by, row.public = actor.id, True
            work.act(GIVE, row.thing(), sha256=row.sha256, size=row.size, groups=names)
            work.session.add(row)
            work.session.flush()
            return _package(row)

    def read(self, actor: Actor, id_: str) -> tuple[DataPackage, Iterable[bytes]]:
        """A package and its bytes; that an officer took it stands in the ledger."""
        with self.kernel.work(actor) as work:
            row = _row_of(work, id_)
            work.act(VIEW, row.thing(), sha256=row.sha256)
            return _package(row), self.kernel.files.read(row.sha256)

    def remove(self, actor: Actor, id_: str, why: str) -> None:
        """Take a package from the clients, with a reason; phones that have it keep it."""
        why = written(why, "The reason", least=SHORTEST_NOTE, most=500)
        with self.kernel.work(actor) as work:
            row = _row_of(work, id_, lock=True)
            work.act(GIVE, row.thing(), sha256=row.sha256, removed=why)
            row.removed_at, row.removed_by, row.removed_why = work.now, actor.id, why

    # for clients

    def put(
        self, client: TakClient, source: BinaryIO, *, name: str, sha256: str, creator: str
    ) -> DataPackage:
        """Keep what a client sends, for the clients of its groups.

        Args:
            sha256: as the client told it (hex); empty where it told none.

        Raises:
            BadInput: the bytes have another hash, or are none. TooLarge: it, or all that the
                client sent, is.
        """
        with self.kernel.view(self.kernel.node) as view:
            held = view.session.scalar(
                select(func.sum(TakPackageRow.size)).where(
                    TakPackageRow.client == client.id, TakPackageRow.removed_at.is_(None)
                )
            )
        if (held or 0) >= MOST_OF_ONE:
            raise TooLarge(
                "This client keeps as many packages as it may.",
                advice="Ask the watch to take some away.",
            )
        stored = self.kernel.files.put(source, at_most=LARGEST)
        if not stored.size:
            raise BadInput("The package is empty.")
        if sha256 and sha256.lower() != stored.sha256:
            raise BadInput("The package has another hash than was told.", advice="Send it again.")
        with self.kernel.work(self.kernel.node) as work:
            same = next((r for r in _kept(work, stored.sha256) if r.client == client.id), None)
            if same is not None:
                return _package(same)
            groups = sorted(client.groups)
            row = self._row(work, stored.sha256, stored.size, name, groups, _SENT_MARK)
            row.client, row.creator = client.id, creator[:128]
            work.act(HAND_ON, row.thing(), client=client.id, sha256=row.sha256, size=row.size)
            work.session.add(row)
            work.session.flush()
            return _package(row)

    def of_hash(self, client: TakClient, sha256: str) -> DataPackage:
        """A package that the client may have, by its hash; NotFound, the same for both reasons."""
        with self.kernel.view(self.kernel.node) as view:
            return _package(self._row_for(view, client, sha256))

    def search(self, client: TakClient) -> list[DataPackage]:
        """The listed packages that the client may have, the newest first."""
        with self.kernel.view(self.kernel.node) as view:
            rows = [r for r in _kept(view) if r.public and _may_have(client, r)]
            return [_package(row) for row in rows]

    def content(self, client: TakClient, sha256: str) -> tuple[DataPackage, Path]:
        """A package and the file that holds it; that the client took it stands in the ledger."""
        with self.kernel.work(self.kernel.node) as work:
            row = self._row_for(work, client, sha256)
            work.act(HAND_ON, row.thing(), client=client.id, sha256=row.sha256, taken=True)
            return _package(row), self.kernel.files.path(row.sha256)

    def publish(self, client: TakClient, sha256: str, *, public: bool) -> DataPackage:
        """List the client's own package, or do not; Conflict where it is another's."""
        with self.kernel.work(self.kernel.node) as work:
            row = self._row_for(work, client, sha256)
            if row.client != client.id:
                raise Conflict("The package is another's.")
            work.act(HAND_ON, row.thing(), client=client.id, sha256=row.sha256, public=public)
            row.public = public
            return _package(row)

    def _row_for(self, view: View, client: TakClient, sha256: str) -> TakPackageRow:
        rows = [r for r in _kept(view, sha256.lower()[:64]) if _may_have(client, r)]
        own = next((r for r in rows if r.client == client.id), None)
        if not rows:
            raise NotFound(_NONE)
        return own or rows[0]

    def _row(
        self, work: Work, sha256: str, size: int, name: str, groups: list[str], mark: Mark
    ) -> TakPackageRow:
        return TakPackageRow(
            id=new_id(), agency=self.kernel.agency, mark=mark, created_at=work.now, sha256=sha256,
            size=size, name=name_of(name), media_type="application/x-zip-compressed",
            groups=groups, client=None, given_by=None, creator="", public=False,
        )  # fmt: skip


def name_of(text: str) -> str:
    """A file's name without folders and without signs that do harm in a header or on a page."""
    last = text.replace("\\", "/").rpartition("/")[2]
    clean = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in last).strip(" .")
    return clean[:120] or "package.zip"


def _kept(view: View, sha256: str | None = None) -> list[TakPackageRow]:
    query = select(TakPackageRow).where(TakPackageRow.removed_at.is_(None))
    if sha256 is not None:
        query = query.where(TakPackageRow.sha256 == sha256)
    query = query.order_by(TakPackageRow.created_at.desc(), TakPackageRow.id.desc())
    return list(view.session.scalars(query.limit(_LISTED)))


def _may_have(client: TakClient, row: TakPackageRow) -> bool:
    return bool(client.groups & set(row.groups)) and Mark(row.mark).rank <= client.cleared.rank


def _row_of(work: Work, id_: str, *, lock: bool = False) -> TakPackageRow:
    row = work.session.get(TakPackageRow, id_, with_for_update=True if lock else None)
    if row is None or row.removed_at is not None:
        raise NotFound(_NONE, advice="Go back to the list.")
    return row


def _package(row: TakPackageRow) -> DataPackage:
    return DataPackage(
        row.id, row.sha256, row.size, row.name, row.media_type, frozenset(row.groups),
        Mark(row.mark), row.client, row.given_by, row.creator, row.public, row.created_at,
    )  # fmt: skip
