"""What the objects of a collection tell of in this node's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.sharing.model import Collection
from cordon.sharing.stix.mapping import ToldCase, told_by
from cordon.sharing.tables import ObjectRow

MOST_CASES = 200
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ToldHere:
    """Cases of a collection, newest first.

    Attributes:
        cases: `MOST_CASES` at most. bad: (id, reason) of groupings that cannot be read.
    """

    collection: Collection
    cases: tuple[ToldCase, ...]
    bad: tuple[tuple[str, str], ...]


def told_in(
    session: Session, number: int, cleared: int
) -> tuple[list[ToldCase], list[tuple[str, str]]]:
    """Cases, and groupings that cannot be read, of a collection.

    Args:
        cleared: rank of the strictest mark that the reader may see; an object's last version is
            reckoned among those.
    """
    query = (
        select(ObjectRow.body)
        .where(ObjectRow.collection == number, ObjectRow.rank <= cleared, ObjectRow.newer > cleared)
        .order_by(ObjectRow.serial.desc())
    )
    groupings = _read(session.scalars(query.where(ObjectRow.type == "grouping").limit(MOST_CASES)))
    refs = sorted({str(ref) for one in groupings for ref in one.get("object_refs", ())})
    about = [
        thing
        for start in range(0, len(refs), _CHUNK)
        for thing in _read(
            session.scalars(query.where(ObjectRow.stix_id.in_(refs[start : start + _CHUNK])))
        )
    ]
    told = told_by([*groupings, *about])
    mine = {str(one["id"]) for one in groupings}
    bad = [(id_, why) for id_, why in told.lost if id_ in mine and why.startswith("cannot be read")]
    return told.cases, bad


def _read(bodies: Iterable[bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in bodies]
