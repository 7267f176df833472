"""The queries behind every page: what one may see of a collection, from a serial on.

A page costs the same from a thousand objects as from a million, and however many of them the
reader may not see: where no other filter narrows it, each pair of (rank of the object, loosest
rank of its newer versions) is a range of one index in the order of serials, of which the first
few are taken and merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from cordon.sharing.model import HIDDEN, NEVER
from cordon.sharing.taxii.filters import Filters

WITH_BODY = "serial, added, body"
MANIFEST = "serial, added, stix_id, version, spec"
_EVERY = (*range(HIDDEN + 1), NEVER)


def page(
    session: Session, number: int, cleared: int, asked: Filters, after: int, columns: str, old: bool
) -> list[Any]:
    """Up to `asked.limit` + 1 rows, by serial.

    Args:
        number: of the collection. cleared: rank up to which objects may be seen.
        after: serial to go on behind. columns: `WITH_BODY` or `MANIFEST`.
        old: whether the collection holds objects of STIX 2.0 at all.
    """
    given: dict[str, Any] = {"c": number, "cleared": cleared, "n": asked.limit + 1}
    if asked.added_after is not None:
        after = max(after, _behind(session, number, asked.added_after))
    given["after"] = after
    wheres = ["collection = :c", "serial > :after"]
    if asked.ids is not None:
        wheres.append(_any_of("stix_id", asked.ids, given))
    wheres += _specs(asked, given, old)
    last_alone = asked.words == {"last"} and not asked.versions
    if asked.ids is not None or asked.types is not None or not (last_alone or "all" in asked.words):
        wheres.append("rank <= :cleared")
        if version := _versions(asked, given):
            wheres.append(version)
        branches = _by_type(asked, wheres, given)
    else:
        branches = _by_seen(cleared, last_alone, wheres, given)
    # SQLite would walk the whole collection in order rather than look a few ids up and sort
    order = "+serial" if asked.ids is not None else "serial"
    selects = [
        f"SELECT {columns} FROM sharing_objects WHERE {' AND '.join(b)} ORDER BY {order} LIMIT :n"  # noqa: S608 - names and numbers of this file
        for b in branches
    ]
    if len(selects) == 1:
        statement = selects[0]
    else:
        union = " UNION ALL ".join(f"SELECT * FROM ({s}) AS b{i}" for i, s in enumerate(selects))  # noqa: S608 - as above
        statement = f"SELECT * FROM ({union}) AS found ORDER BY serial LIMIT :n"  # noqa: S608 - as above
    return list(session.execute(text(statement), given))


def _behind(session: Session, number: int, added_after: int) -> int:
    """The last serial that was added up to a time: serials rise with the dates added."""
    found = session.execute(
        text(
            "SELECT serial FROM sharing_objects WHERE collection = :c AND added <= :a "
            "ORDER BY added DESC, serial DESC LIMIT 1"
        ),
        {"c": number, "a": added_after},
    ).scalar()
    return int(found or 0)


def _any_of(column: str, values: Sequence[Any], given: dict[str, Any]) -> str:
    names = []
    for i, value in enumerate(values):
        given[f"{column}{i}"] = value
        names.append(f":{column}{i}")
    return f"{column} IN ({', '.join(names)})"


def _specs(asked: Filters, given: dict[str, Any], old: bool) -> list[str]:
    if asked.specs is not None:
        return [_any_of("spec", asked.specs, given)]
    if not old:
        return []
    # without a filter, of an object that is there in both it is the newer that is given
    return [
        "NOT EXISTS (SELECT 1 FROM sharing_objects AS late WHERE late.collection = :c "
        "AND late.stix_id = sharing_objects.stix_id AND late.spec > sharing_objects.spec "
        "AND late.rank <= :cleared)"
    ]


def _versions(asked: Filters, given: dict[str, Any]) -> str | None:
    """What match[version] asks, as one condition; any of its values is enough."""
    if "all" in asked.words:
        return None
    any_of = []
    if "last" in asked.words:
        any_of.append("newer > :cleared")
    if "first" in asked.words:
        any_of.append(
            "NOT EXISTS (SELECT 1 FROM sharing_objects AS before WHERE before.collection = :c "
            "AND before.stix_id = sharing_objects.stix_id "
            "AND before.version < sharing_objects.version AND before.rank <= :cleared)"
        )
    if asked.versions:
        any_of.append(_any_of("version", asked.versions, given))
    return "(" + " OR ".join(any_of) + ")"


def _by_type(asked: Filters, wheres: list[str], given: dict[str, Any]) -> list[list[str]]:
    """A branch for each type: each is a range of the index of types, in order of serials."""
    if asked.types is None:
        return [wheres]
    if asked.ids is not None:
        return [[*wheres, _any_of("type", asked.types, given)]]
    branches = []
    for i, type_ in enumerate(asked.types):
        given[f"type{i}"] = type_
        branches.append([*wheres, f"type = :type{i}"])
    return branches


def _by_seen(
    cleared: int, last_alone: bool, wheres: list[str], given: dict[str, Any]
) -> list[list[str]]:
    """A branch for each rank that may be seen, and each rank of newer versions."""
    ranks = [r for r in _EVERY if r > cleared or not last_alone]
    return [
        [*wheres, f"newer = {newer}", f"rank = {rank}"]
        for newer in ranks
        for rank in range(cleared + 1)
    ]
