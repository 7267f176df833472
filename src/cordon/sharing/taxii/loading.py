"""Makes API roots, collections, their objects and accounts from a data file.

Two layouts are read: Cordon's own (docs/rooms/sharing.md), and that of the data file of
cti-taxii-server (medallion), so that a suite that was written against it can be pointed at a
node. The same file read twice adds nothing. What cannot be used is refused by its place, and the
rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson
import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.model import STIX_20, STIX_21, check_root_name, check_uuid
from cordon.sharing.stix import checking
from cordon.sharing.stix.times import is_time, microseconds, read_added, sortable
from cordon.sharing.tables import AccountRow, CollectionRow, RightRow, RootRow
from cordon.sharing.taxii import intake
from cordon.sharing.taxii.accounts import Accounts, give
from cordon.sharing.taxii.server import hold

LOAD = "sharing.collection.load"
MOST_BYTES = 10 << 20
_BATCH = 2000
_TITLE = 200
_NAMES = UUID("8f2f1a7e-6c0f-5d0c-9c57-0e6d7f3e2a11")  # of collections that a file gives no id


@dataclass(slots=True)
class Loaded:
    """What a file made, and what of it was refused: (place, reason)."""

    roots: int = 0
    collections: int = 0
    objects: int = 0
    repeated: int = 0
    accounts: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def read_file(path: Path) -> Mapping[str, Any]:
    """A data file as it is, JSON or YAML; BadInput where it is neither."""
    raw = path.read_bytes()
    try:
        found = orjson.loads(raw) if path.suffix != ".yaml" else yaml.safe_load(raw)
    except orjson.JSONDecodeError:
        try:
            found = yaml.safe_load(raw)
        except (yaml.YAMLError, UnicodeDecodeError):
            found = None
    except (yaml.YAMLError, UnicodeDecodeError):
        found = None
    if not isinstance(found, Mapping) or not found:
        raise BadInput(
            f"{path.name} is no data file.",
            advice="Give JSON or YAML with roots, as in docs/rooms/sharing.md.",
        )
    return found


class Loader:
    """Loads data files, a transaction for each thing made.

    Args:
        accounts: where accounts of a file are made.
    """

    def __init__(self, kernel: Kernel, accounts: Accounts) -> None:
        self.kernel = kernel
        self.accounts = accounts

    def load(self, actor: Actor, data: Mapping[str, Any], like: Mapping[str, Any]) -> Loaded:
        """Load a file's content.

        Args:
            like: of a second file, whose `users` are taken too (medallion keeps them apart).
        """
        told = Loaded()
        users = [*_users(data, told), *_users(like, told)]
        rights: dict[str, tuple[bool, bool]] = {}
        for place, given in _roots(data, told):
            try:
                with self.kernel.work(actor) as work:
                    root = _root(work, place, given, told)
            except CordonError as wrong:
                told.refused.append((place, str(wrong)))
                continue
            for at, one in _listed(given, "collections", place, told):
                try:
                    with self.kernel.work(actor) as work:
                        row = _collection(work, root, one, told)
                        number = row.id
                        rights[number] = (one.get("can_read", True), one.get("can_write", False))
                        _give_tokens(work, number, one)
                except CordonError as wrong:
                    told.refused.append((at, str(wrong)))
                    continue
                self._objects(actor, number, one, at, told)
        for place, user in users:
            try:
                with self.kernel.work(actor) as work:
                    self._account(work, user, rights, told)
            except CordonError as wrong:
                told.refused.append((place, str(wrong)))
        return told

    def _objects(
        self, actor: Actor, id_: str, given: Mapping[str, Any], place: str, told: Loaded
    ) -> None:
        dates = _dates(given, place, told)
        offered = []
        for at, thing in _listed(given, "objects", place, told):
            meta = thing.pop("__meta", None) if isinstance(thing, dict) else None
            try:
                checking.identity(thing)
                one = intake.offer(thing, old=True)
            except checking.Wrong as wrong:
                told.refused.append((at, str(wrong)))
                continue
            own = meta.get("date_added") if isinstance(meta, Mapping) else None
            one.given = _date(own) or dates.get((thing["id"], one.version))
            offered.append(one)
        now = microseconds(self.kernel.clock.now())
        # serials rise with the dates added: older ones first, those without a date at the end
        offered.sort(key=lambda o: o.given if o.given is not None else now)
        for start in range(0, len(offered), _BATCH):
            with self.kernel.work(actor) as work:
                row = hold(work.session, id_)
                batch = offered[start : start + _BATCH]
                kept = intake.keep(work.session, row, batch, now)
                if row.old and STIX_20 not in row.media_types:
                    row.media_types = [*row.media_types, STIX_20]
                thing_ = Thing("collection", row.id, row.agency, Mark(row.mark))
                work.act(LOAD, thing_, new=len(kept.new), repeated=len(kept.repeated))
            told.objects += len(kept.new)
            told.repeated += len(kept.repeated)

    def _account(
        self,
        work: Work,
        user: Mapping[str, Any],
        of_collections: Mapping[str, tuple[bool, bool]],
        told: Loaded,
    ) -> None:
        name, password = _line(user, "name", 80), user.get("password")
        mark = _mark(user.get("cleared", Mark.AMBER.value))
        rights = user.get("rights")
        if rights is None:
            wanted = {i: (bool(r), bool(w)) for i, (r, w) in of_collections.items()}
        else:
            wanted = {_found(work.session, r).id: _both(r) for r in rights}
        row = work.session.scalar(select(AccountRow).where(AccountRow.name == name))
        if row is None:
            if not isinstance(password, str) or not password:
                raise BadInput(f"The account {name} has no password.", advice="Give it one.")
            given = [(i, r, w) for i, (r, w) in sorted(wanted.items())]
            self.accounts.add_in(work, name, mark, given, password=password)
            told.accounts += 1
            return
        if row.revoked_at is not None:
            raise BadInput(f"The account {name} was revoked.", advice="Take another name.")
        for id_, (read, write) in sorted(wanted.items()):
            there = work.session.get(RightRow, (id_, f"service:{row.id}"))
            if there is None or (there.read, there.write) != (read, write):
                self.accounts.grant_in(work, row, id_, read, write)


def _roots(data: Mapping[str, Any], told: Loaded) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each root's place and content, in Cordon's layout or in that of medallion."""
    if "roots" in data:
        for at, given in _listed(data, "roots", "", told):
            if isinstance(given, Mapping):
                yield at, given
            else:
                told.refused.append((at, "A root is an object."))
        return
    for name, given in data.items():
        if name in ("/discovery", "users", "backend", "taxii"):
            continue
        said = given.get("information") if isinstance(given, Mapping) else None
        if not isinstance(said, Mapping):
            told.refused.append((str(name)[:60], "It is no API root: it has no information."))
            continue
        yield (
            str(name),
            {
                "name": str(name).strip("/"),
                "title": said.get("title"),
                "description": said.get("description", ""),
                "max_content_length": said.get("max_content_length", MOST_BYTES),
                "collections": given.get("collections", []),
            },
        )


def _listed(
    given: Mapping[str, Any], name: str, place: str, told: Loaded
) -> Iterator[tuple[str, Any]]:
    found = given.get(name, [])
    at = f"{place}.{name}".lstrip(".")
    if not isinstance(found, list):
        told.refused.append((at, "It is no list."))
        return
    for index, one in enumerate(found):
        yield f"{at}[{index}]", one


def _users(data: Mapping[str, Any], told: Loaded) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Accounts: a list of objects, or medallion's {name: password}."""
    found = data.get("users", [])
    if isinstance(found, Mapping):
        for name, password in found.items():
            yield f"users.{str(name)[:60]}", {"name": name, "password": password}
    else:
        for at, one in _listed(data, "users", "", told):
            if isinstance(one, Mapping):
                yield at, one
            else:
                told.refused.append((at, "An account is an object."))


def _root(work: Work, place: str, given: Mapping[str, Any], told: Loaded) -> RootRow:
    name = check_root_name(str(given.get("name", "")))
    title, most = _line(given, "title", _TITLE), given.get("max_content_length", MOST_BYTES)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= 1 << 40:
        raise BadInput("max_content_length is no number of bytes.", advice="Give one from 1.")
    row = work.session.scalar(select(RootRow).where(RootRow.name == name))
    said = (title, str(given.get("description") or ""), most)
    if row is None:
        row = RootRow(
            id=new_id(), agency=work.kernel.agency, mark=Mark.GREEN.value, created_at=work.now,
            name=name, title=title, description=said[1], most_bytes=most,
        )  # fmt: skip
        work.session.add(row)
        told.roots += 1
    elif (row.title, row.description, row.most_bytes) == said:
        return row
    row.title, row.description, row.most_bytes = said
    work.act(LOAD, Thing("root", row.id, row.agency, Mark(row.mark)), name=name)
    return row


def _collection(work: Work, root: RootRow, given: Any, told: Loaded) -> CollectionRow:
    if not isinstance(given, Mapping):
        raise BadInput("A collection is an object.")
    title, alias = _line(given, "title", _TITLE), given.get("alias")
    if alias is not None:
        alias = _line(given, "alias", 80)
    named = given.get("id") or str(uuid5(_NAMES, f"{work.kernel.agency}/{root.name}/{title}"))
    id_ = check_uuid(str(named))
    for right in ("can_read", "can_write"):
        if not isinstance(given.get(right, True), bool):
            raise BadInput(f"{right} is neither true nor false.")
    mark = _mark(given.get("mark", Mark.AMBER.value))
    types = [t for t in given.get("media_types") or [] if t in (STIX_20, STIX_21)] or [STIX_21]
    session = work.session
    clash = alias and session.scalar(
        select(CollectionRow.id).where(
            CollectionRow.root == root.id, CollectionRow.alias == alias, CollectionRow.id != id_
        )
    )
    if clash:
        raise BadInput(f"The alias {alias} is another collection's.", advice="Take another one.")
    row = session.get(CollectionRow, id_)
    said = (title, str(given.get("description") or ""), alias, mark.value)
    if row is None:
        work.kernel.rows.alone(session, "sharing_collections.number")
        number = (session.scalar(select(func.max(CollectionRow.number))) or 0) + 1
        row = CollectionRow(
            id=id_, agency=work.kernel.agency, mark=mark.value, created_at=work.now, root=root.id,
            number=number, title=title, description=said[1], alias=alias, media_types=types,
            last=0, newest=0, old=False,
        )  # fmt: skip
        session.add(row)
        told.collections += 1
    elif row.root != root.id:
        raise BadInput("A collection of this id stands in another root.", advice="Give a new id.")
    elif (row.title, row.description, row.alias, row.mark) == said:
        return row
    elif row.mark != mark.value:
        raise BadInput(
            f"The collection is marked {row.mark}.", advice="Its mark cannot be changed by a file."
        )
    row.title, row.description, row.alias, row.mark = said
    thing = Thing("collection", row.id, row.agency, Mark(row.mark))
    work.act(LOAD, thing, root=root.name)
    session.flush()
    return row


def _give_tokens(work: Work, id_: str, given: Mapping[str, Any]) -> None:
    """Rights of programs with tokens, by the token's id: `tokens: {ID: {read, write}}`."""
    tokens = given.get("tokens") or {}
    if not isinstance(tokens, Mapping):
        raise BadInput("tokens is no object of rights by a token's id.")
    for token, right in tokens.items():
        read, write = _both(right)
        give(work.session, id_, f"service:{token}", read, write)


def _both(right: Any) -> tuple[bool, bool]:
    if not isinstance(right, Mapping):
        raise BadInput("A right is no object.", advice="Write {collection, read, write}.")
    return right.get("read") is True, right.get("write") is True


def _found(session: Session, right: Any) -> CollectionRow:
    name = right.get("collection") if isinstance(right, Mapping) else None
    row = session.scalar(
        select(CollectionRow).where((CollectionRow.id == name) | (CollectionRow.alias == name))
    )
    if row is None:
        raise BadInput("A right names no collection that there is.", advice="Give its id or alias.")
    return row


def _line(given: Mapping[str, Any], name: str, most: int) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadInput(f"The {name} is missing, or is no line of text.")
    if len(value) > most:
        raise BadInput(f"The {name} is longer than {most} characters.")
    return value


def _mark(value: Any) -> Mark:
    try:
        return Mark(value)
    except ValueError:
        raise BadInput("There is no such mark.", advice="It is one of " + ", ".join(Mark)) from None


def _dates(given: Mapping[str, Any], place: str, told: Loaded) -> dict[tuple[str, str], int | None]:
    """Dates added that a manifest gives, by the object's id and sortable version."""
    found = {}
    for _, line in _listed(given, "manifest", place, told):
        if isinstance(line, Mapping) and is_time(line.get("version")):
            found[str(line.get("id")), sortable(line["version"])] = _date(line.get("date_added"))
    return found


def _date(text: Any) -> int | None:
    try:
        return read_added(text, "date_added") if isinstance(text, str) else None
    except CordonError:
        return None
