"""What the TAXII server does, a transaction at a time: who asks, for what, and what they may see.

Each answer passes the gate for the collection and for the marks of its objects, and stands in
the ledger before it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadUsage, NotFound, Refused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View
from cordon.sharing.model import STIX_20, STIX_21, TAXII_21, ApiRoot, Collection
from cordon.sharing.stix import checking
from cordon.sharing.stix.times import added_text, microseconds, shown
from cordon.sharing.tables import CollectionRow, ObjectRow, RightRow, RootRow, StatusRow
from cordon.sharing.taxii import intake, selecting
from cordon.sharing.taxii.cursors import Cursors
from cordon.sharing.taxii.filters import Filters

SEE, READ, ADD = "sharing.collection.view", "sharing.object.view", "sharing.object.add"
DELETE = "sharing.object.delete"
_FIND = (
    select(
        CollectionRow.id, CollectionRow.agency, CollectionRow.mark, CollectionRow.root,
        CollectionRow.number, CollectionRow.title, CollectionRow.description, CollectionRow.alias,
        CollectionRow.media_types, CollectionRow.old, RightRow.read, RightRow.write,
    )
    .join(RightRow, RightRow.collection == CollectionRow.id)
    .join(RootRow, RootRow.id == CollectionRow.root)
    .where(
        RootRow.name == bindparam("root"),
        RightRow.who == bindparam("who"),
        (CollectionRow.id == bindparam("name")) | (CollectionRow.alias == bindparam("name")),
    )
    .order_by((CollectionRow.id == bindparam("name")).desc())
    .limit(1)
)  # fmt: skip
_MEDIA = {20: STIX_20, 21: STIX_21}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an answer: its bytes, and the dates added of its first and last object."""

    body: bytes
    first: str | None = None
    last: str | None = None
    count: int = 0


class Server:
    """The API roots, collections and objects of the node, as TAXII 2.1 serves them.

    Args:
        title: of the server, for discovery. most: objects of a page at most.
    """

    def __init__(self, kernel: Kernel, cursors: Cursors, *, title: str, most: int) -> None:
        self.kernel = kernel
        self.title = title
        self.most = most
        self._cursors = cursors

    # what there is

    def discovery(self, actor: Actor) -> dict[str, Any]:
        """The discovery resource (§4.1): the roots of which the caller may use a collection."""
        with self.kernel.view(actor) as view:
            view.permit(SEE, Thing.room("sharing", self.kernel.agency))
            names = [root.name for root in self._roots(view)]
        self._trace(actor, SEE, Thing("node", "taxii2", self.kernel.agency), count=len(names))
        # relative addresses: whatever name a proxy gives the node, they lead back to it
        roots = [f"/taxii2/{name}/" for name in names]
        found: dict[str, Any] = {"title": self.title}
        if roots:
            found |= {"default": roots[0], "api_roots": roots}
        return found

    def _roots(self, view: View) -> list[ApiRoot]:
        mine = (
            select(CollectionRow.root)
            .join(RightRow, RightRow.collection == CollectionRow.id)
            .where(RightRow.who == view.actor.id)
        )
        # a root without collections hides nothing, and is anybody's to find empty
        filled = select(CollectionRow.root)
        rows = view.session.scalars(
            select(RootRow)
            .where(RootRow.id.in_(mine) | RootRow.id.not_in(filled))
            .order_by(RootRow.id)
        )
        roots = (root_of(row) for row in rows)
        return [root for root in roots if view.may(SEE, root.thing())]

    def root(self, actor: Actor, name: str) -> dict[str, Any]:
        """The API root resource (§4.2)."""
        with self.kernel.view(actor) as view:
            root = self._root(view, name)
        self._trace(actor, SEE, root.thing())
        said = {"title": root.title, "versions": [TAXII_21], "max_content_length": root.most_bytes}
        return {**said, "description": root.description} if root.description else said

    def _root(self, view: View, name: str) -> ApiRoot:
        for root in self._roots(view):
            if root.name == name:
                return root
        raise NotFound("There is no such API root, or none for you.")

    def collections(self, actor: Actor, root: str) -> dict[str, Any]:
        """The collections resource (§5.1): those on which the caller has rights."""
        with self.kernel.view(actor) as view:
            there = self._root(view, root)
            found = [c for c in self._mine(view, there) if view.may(SEE, c.thing())]
        self._trace(actor, SEE, there.thing(), count=len(found))
        return {"collections": [_told(c) for c in found]} if found else {}

    def collection(self, actor: Actor, root: str, name: str) -> dict[str, Any]:
        """A collection resource (§5.2), by its id or alias."""
        with self.kernel.view(actor) as view:
            found = self._collection(view, root, name)
        self._trace(actor, SEE, found.thing())
        return _told(found)

    def _mine(self, view: View, root: ApiRoot) -> list[Collection]:
        rows = view.session.execute(
            select(CollectionRow, RightRow)
            .join(RightRow, RightRow.collection == CollectionRow.id)
            .where(CollectionRow.root == root.id, RightRow.who == view.actor.id)
            .order_by(CollectionRow.number)
        )
        return [collection_of(row, right.read, right.write) for row, right in rows]

    def _collection(self, view: View, root: str, name: str) -> Collection:
        # one statement of plain columns: it stands before every page
        found = view.session.execute(
            _FIND, {"root": root, "who": view.actor.id, "name": name}
        ).one_or_none()
        if found is not None:
            collection = Collection(
                id=found.id, agency=found.agency, mark=Mark(found.mark), root=found.root,
                number=found.number, title=found.title, description=found.description,
                alias=found.alias, media_types=tuple(found.media_types), read=found.read,
                write=found.write, old=found.old,
            )  # fmt: skip
            if view.may(SEE, collection.thing()):
                return collection
        raise NotFound("There is no such collection, or none for you.")

    # reading

    def objects(self, actor: Actor, root: str, name: str, asked: Filters) -> Page:
        """An envelope of objects (§5.4)."""
        collection, rows, more = self._read(actor, root, name, asked, selecting.WITH_BODY)
        joined = b",".join(row.body for row in rows)
        inside = b',"objects":[' + joined + b"]" if rows else b""
        return self._page(collection, rows, more, inside)

    def object(self, actor: Actor, root: str, name: str, id_: str, asked: Filters) -> Page:
        """An envelope of the versions of one object that the filters let pass (§5.6)."""
        return self.objects(actor, root, name, self._of_one(actor, root, name, id_, asked))

    def manifest(self, actor: Actor, root: str, name: str, asked: Filters) -> Page:
        """The manifest (§5.3): what there is, without its content."""
        collection, rows, more = self._read(actor, root, name, asked, selecting.MANIFEST)
        told = [
            {
                "id": row.stix_id,
                "date_added": added_text(row.added),
                "version": shown(row.version),
                "media_type": _MEDIA[row.spec],
            }
            for row in rows
        ]
        inside = b',"objects":' + orjson.dumps(told) if told else b""
        return self._page(collection, rows, more, inside)

    def versions(self, actor: Actor, root: str, name: str, id_: str, asked: Filters) -> Page:
        """The versions of an object (§5.8) that the caller may see."""
        of_one = self._of_one(actor, root, name, id_, asked, every=True)
        collection, rows, more = self._read(actor, root, name, of_one, selecting.MANIFEST)
        told = orjson.dumps([shown(row.version) for row in rows])
        inside = b',"versions":' + told if rows else b""
        return self._page(collection, rows, more, inside)

    def _read(
        self, actor: Actor, root: str, name: str, asked: Filters, columns: str
    ) -> tuple[Collection, list[Any], bool]:
        with self.kernel.view(actor) as view:
            collection = self._readable(view, root, name)
            cleared = self.cleared(view, READ)
            after = self._cursors.read(collection.id, asked.next)
            rows = selecting.page(
                view.session, collection.number, cleared, asked, after, columns, collection.old
            )
        more = len(rows) > asked.limit
        rows = rows[: asked.limit]
        self._trace(actor, READ, collection.thing(), count=len(rows), filters=_filtered(asked))
        return collection, rows, more

    def _readable(self, view: View, root: str, name: str) -> Collection:
        collection = self._collection(view, root, name)
        if not collection.read:
            raise Refused("You may not read this collection.", advice="Ask who runs this node.")
        view.permit(READ, collection.thing())
        return collection

    def cleared(self, view: View, act: str) -> int:
        """Rank of the strictest mark that the gate lets pass, of all those below it too."""
        cleared = -1
        for mark in Mark:
            if not view.may(act, Thing("object", "-", self.kernel.agency, mark)):
                break
            cleared = mark.rank
        return cleared

    def _of_one(
        self, actor: Actor, root: str, name: str, id_: str, asked: Filters, *, every: bool = False
    ) -> Filters:
        """Filters for one object; NotFound where no version of it may be seen."""
        with self.kernel.view(actor) as view:
            collection = self._readable(view, root, name)
            cleared = self.cleared(view, READ)
            there = view.session.scalar(
                select(ObjectRow.serial)
                .where(
                    ObjectRow.collection == collection.number,
                    ObjectRow.stix_id == id_,
                    ObjectRow.rank <= cleared,
                )
                .limit(1)
            )
        if there is None:
            raise NotFound("There is no such object, or none for you.")
        return Filters(
            limit=asked.limit,
            ids=(id_,),
            versions=() if every else asked.versions,
            words=frozenset({"all"}) if every else asked.words,
            specs=asked.specs or ((20, 21) if every else None),
            added_after=asked.added_after,
            next=asked.next,
        )

    def _page(self, collection: Collection, rows: list[Any], more: bool, inside: bytes) -> Page:
        if not rows:
            return Page(b'{"more":false' + inside + b"}")
        head = b'{"more":false'
        if more:
            cursor = self._cursors.make(collection.id, rows[-1].serial)
            head = b'{"more":true,"next":"' + cursor.encode() + b'"'
        return Page(
            head + inside + b"}", added_text(rows[0].added), added_text(rows[-1].added), len(rows)
        )

    # changing

    def add(self, actor: Actor, root: str, name: str, body: bytes) -> dict[str, Any]:
        """Take an envelope in (§5.5); the status resource, which is complete at once.

        Raises:
            BadEnvelope: nothing of it can be taken; it names the object and the property.
        """
        with self.kernel.view(actor) as view:
            there, collection = self._root(view, root), self._collection(view, root, name)
            if not collection.write:
                raise Refused("You may not write to this collection.")
            view.permit(ADD, collection.thing())
        things = intake.read_envelope(body)
        old = STIX_20 in collection.media_types
        offered, failures, first = [], [], None
        for index, thing in enumerate(things):
            try:
                offered.append(intake.offer(thing, old=old))
            except checking.Wrong as wrong:
                first = first or (index, thing, wrong)
                failures.append(
                    {"id": thing["id"], "version": _said_version(thing), "message": str(wrong)}
                )
        if not offered and first is not None:
            raise intake.refusal(*first)
        with self.kernel.work(actor) as work:
            row = hold(work.session, collection.id)
            kept = intake.keep(work.session, row, offered, microseconds(work.now))
            done = [{"id": i, "version": shown(v)} for i, v in (*kept.new, *kept.repeated)]
            status = {
                "id": new_id(),
                "status": "complete",
                "request_timestamp": added_text(microseconds(work.now)),
                "total_count": len(things),
                "success_count": len(done),
                "successes": done,
                "failure_count": len(failures),
                **({"failures": failures} if failures else {}),
                "pending_count": 0,
            }
            work.session.add(
                StatusRow(
                    id=status["id"], agency=self.kernel.agency, mark=collection.mark.value,
                    created_at=work.now, root=there.id, who=actor.id, body=orjson.dumps(status),
                )
            )  # fmt: skip
            work.act(
                ADD, collection.thing(), new=len(kept.new), repeated=len(kept.repeated),
                refused=len(failures),
            )  # fmt: skip
        return status

    def most_bytes(self, actor: Actor, root: str) -> int:
        """Bytes that the body of a request to a root may have."""
        with self.kernel.view(actor) as view:
            return self._root(view, root).most_bytes

    def status(self, actor: Actor, root: str, id_: str) -> dict[str, Any]:
        """The status resource (§4.3) of an envelope that the caller sent."""
        with self.kernel.view(actor) as view:
            there = self._root(view, root)
            row = view.session.get(StatusRow, id_)
            if row is None or row.who != actor.id or row.root != there.id:
                raise NotFound("There is no such status, or none for you.")
            found: dict[str, Any] = orjson.loads(row.body)
        self._trace(actor, SEE, there.thing())
        return found

    def delete(self, actor: Actor, root: str, name: str, id_: str, asked: Filters) -> None:
        """Delete an object (§5.7): the versions asked for, or all that the caller may see."""
        if asked.next is not None:
            raise BadUsage("A deletion has no pages.", advice="Leave next out.")
        with self.kernel.work(actor) as work:
            collection = self._collection(work, root, name)
            if not (collection.read and collection.write):
                raise Refused("You may not delete from this collection.")
            work.permit(DELETE, collection.thing())
            cleared = self.cleared(work, DELETE)
            hold(work.session, collection.id)
            one = Filters(
                limit=100_000, ids=(id_,), versions=asked.versions, words=asked.words,
                specs=asked.specs or (20, 21), added_after=asked.added_after,
            )  # fmt: skip
            rows = selecting.page(
                work.session, collection.number, cleared, one, 0, "serial", collection.old
            )
            if not rows:
                raise NotFound("There is no such object or version, or none for you.")
            for row in rows:
                work.session.execute(
                    delete(ObjectRow).where(
                        ObjectRow.collection == collection.number, ObjectRow.serial == row.serial
                    )
                )
            intake.stand_over(work.session, collection.number, id_)
            work.act(DELETE, collection.thing(), object=id_, versions=len(rows))

    def _trace(self, actor: Actor, act: str, thing: Thing, **detail: Any) -> None:
        self.kernel.ledger.append(self.kernel.entry(actor, act, thing, "read", detail))


def hold(session: Session, collection: str) -> CollectionRow:
    """A collection's row, held until the transaction ends: serials become visible in order."""
    return session.scalars(
        select(CollectionRow).where(CollectionRow.id == collection).with_for_update()
    ).one()


def collection_of(row: CollectionRow, read: bool, write: bool) -> Collection:
    """A collection from its row, as one with these rights sees it."""
    return Collection(
        id=row.id, agency=row.agency, mark=Mark(row.mark), root=row.root, number=row.number,
        title=row.title, description=row.description, alias=row.alias,
        media_types=tuple(row.media_types), read=read, write=write, old=row.old,
    )  # fmt: skip


def root_of(row: RootRow) -> ApiRoot:
    """An API root from its row."""
    return ApiRoot(
        row.id, row.agency, Mark(row.mark), row.name, row.title, row.description, row.most_bytes
    )


def _told(collection: Collection) -> dict[str, Any]:
    told: dict[str, Any] = {"id": collection.id, "title": collection.title}
    if collection.description:
        told["description"] = collection.description
    if collection.alias:
        told["alias"] = collection.alias
    return told | {
        "can_read": collection.read,
        "can_write": collection.write,
        "media_types": list(collection.media_types),
    }


def _said_version(thing: dict[str, Any]) -> str:
    said = thing.get("modified") or thing.get("created")
    return said[:40] if isinstance(said, str) else ""


def _filtered(asked: Filters) -> list[str]:
    """Which filters narrowed it, for the ledger; never their values."""
    return [n for n in ("ids", "types", "specs", "added_after", "next") if getattr(asked, n)]
