"""Takes an envelope in: reads it, checks each object, keeps what is new, says what became of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
from sqlalchemy import Table, delete, insert, select, text
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Mark
from cordon.sharing.model import NEVER
from cordon.sharing.stix import checking, marks
from cordon.sharing.stix.extension import grade_of
from cordon.sharing.stix.times import added_text, sortable
from cordon.sharing.tables import CollectionRow, ObjectRow
from cordon.sharing.taxii.faults import BadEnvelope

_CHUNK = 500
_OBJECTS = cast(Table, ObjectRow.__table__)
_PARTS = frozenset({"more", "next", "objects"})
_KEPT_OUT = random.SystemRandom()


@dataclass(slots=True)
class Offered:
    """An object that was checked, before it is kept.

    Attributes:
        version: sortable, or empty where the date added will be it. given: its date added from a
            data file (microseconds), or None.
    """

    thing: dict[str, Any]
    body: bytes
    spec: int
    version: str
    given: int | None = None


@dataclass(slots=True)
class Kept:
    """What became of offered objects: (id, version) of each, shown as TAXII shows them."""

    new: list[tuple[str, str]]
    repeated: list[tuple[str, str]]


def read_envelope(body: bytes) -> list[dict[str, Any]]:
    """The objects of an envelope, each with an id and a type; BadEnvelope says which has none."""
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise BadEnvelope(
            f"The body is no JSON: line {wrong.lineno}, column {wrong.colno}.",
            advice='Send {"objects": […]} in UTF-8.',
        ) from None
    if not isinstance(envelope, dict):
        raise BadEnvelope("The body is no envelope.", advice='Send {"objects": […]}.')
    if envelope.get("type") == "bundle":
        raise BadEnvelope(
            "The body is a STIX bundle.",
            advice='TAXII 2.1 takes an envelope: send {"objects": […]} with what it holds.',
            where={"property": "type"},
        )
    if strange := sorted(set(envelope) - _PARTS):
        raise BadEnvelope(
            f"An envelope has no property {strange[0][:60]}.",
            advice='Send {"objects": […]}.',
            where={"property": strange[0][:60]},
        )
    objects = envelope.get("objects")
    if not isinstance(objects, list) or not objects:
        raise BadEnvelope(
            "The envelope holds no objects.",
            advice="Send a list of at least one in the property objects.",
            where={"property": "objects"},
        )
    for index, thing in enumerate(objects):
        try:
            checking.identity(thing)
        except checking.Wrong as wrong:
            raise refusal(index, thing, wrong) from None
    return objects


def refusal(index: int, thing: Any, wrong: checking.Wrong) -> BadEnvelope:
    """The error that names an object by its place and id, and the property that is wrong."""
    id_ = thing.get("id") if isinstance(thing, dict) else None
    name = f"“{id_[:120]}”" if isinstance(id_, str) else "without an id"
    where = {"index": str(index), "property": wrong.at}
    if isinstance(id_, str):
        where["id"] = id_[:120]
    said = f"{wrong.at} {wrong.says}" if wrong.at else wrong.says
    return BadEnvelope(
        f"Object {index} of the envelope ({name}): {said}.",
        advice="Correct it and send the envelope again; nothing of it was kept.",
        where=where,
    )


def offer(thing: dict[str, Any], *, old: bool, given: int | None = None) -> Offered:
    """Check one object; raises checking.Wrong.

    Args:
        old: objects of STIX 2.0 are taken too.
    """
    spec = _spec(thing)
    if spec == 21:
        checking.check(thing)
        grade_of(thing)  # a grade that nobody can read would be shown as none
    elif old:
        checking.check_old(thing)
    else:
        raise checking.Wrong("spec_version", "is missing; this collection takes STIX 2.1")
    when = thing.get("modified") or thing.get("created")
    # what is served is written from what was checked: a second key of one name, which another
    # reader might take instead, is not in it any more
    body = orjson.dumps(thing)
    return Offered(thing, body, spec, sortable(when) if when else "", given)


def _spec(thing: Mapping[str, Any]) -> int:
    if "spec_version" in thing:
        return 20 if thing["spec_version"] == "2.0" else 21
    shape = checking.shapes().get(thing["type"])
    known = shape is not None and shape.family != "cyber"
    # objects of STIX 2.0 say nothing of their version; neither need cyber-observables of 2.1
    return 20 if known or (shape is None and "created" in thing) else 21


def keep(session: Session, row: CollectionRow, offered: Sequence[Offered], now: int) -> Kept:
    """Keep what is new of a collection whose row this transaction holds.

    Args:
        now: microseconds since the epoch.
    """
    there = _versions_there(session, row.number, {o.thing["id"] for o in offered})
    known = _definitions(session, row.number, offered)
    without = Mark(row.mark).rank
    kept, rows, lower = Kept([], []), [], dict[int, int]()
    added, serial = row.newest, row.last
    for one in offered:
        id_ = one.thing["id"]
        versions = there.setdefault(id_, {})
        if _is_there(one, versions):
            version = one.version or next(iter(versions))
            kept.repeated.append((id_, version))
            continue
        # each later than the one before: a page may then end anywhere. By steps of no fixed
        # width, so that they do not tell how many stand between two
        floor = one.given if one.given is not None else now
        added = (
            floor
            if floor > added
            else added + (0 if one.given is not None else _KEPT_OUT.randrange(1, 16))
        )
        serial += 1
        version = one.version or added_text(added)
        rank, waits = marks.rank_of(marks.refs_of(one.thing), known, without)
        newer = min((v.rank for n, v in versions.items() if n > version), default=NEVER)
        for name, before in versions.items():
            if name < version and rank < before.newer:
                before.newer = rank
                lower[before.serial] = rank
        versions[version] = _There(serial, rank, newer, one.body)
        rows.append(
            {
                "collection": row.number,
                "serial": serial,
                "stix_id": id_,
                "type": one.thing["type"],
                "version": version,
                "spec": one.spec,
                "added": added,
                "rank": rank,
                "newer": newer,
                "waits": " ".join(waits) or None,
                "body": one.body,
            }
        )
        kept.new.append((id_, version))
    for made in rows:  # one that came later in the same envelope may stand over one before it
        made["newer"] = there[made["stix_id"]][made["version"]].newer
    _write(session, row, rows, lower)
    row.last, row.newest = serial, added
    row.old = row.old or any(o.spec == 20 for o in offered)
    if any(o.thing["type"] == "marking-definition" for o in offered):
        _settle(session, row, without, now)
    return kept


@dataclass(slots=True)
class _There:
    serial: int
    rank: int
    newer: int
    body: bytes | None = None


def _is_there(one: Offered, versions: Mapping[str, _There]) -> bool:
    if one.version:
        return one.version in versions
    return any(v.body == one.body for v in versions.values())


def _versions_there(
    session: Session, number: int, ids: Iterable[str]
) -> dict[str, dict[str, _There]]:
    """Versions that are kept of these objects, by id and version."""
    wanted, found = sorted(ids), dict[str, dict[str, _There]]()
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(
                ObjectRow.stix_id, ObjectRow.version, ObjectRow.serial, ObjectRow.rank,
                ObjectRow.newer, ObjectRow.body,
            ).where(
                ObjectRow.collection == number,
                ObjectRow.stix_id.in_(wanted[start : start + _CHUNK]),
            )
        )  # fmt: skip
        for id_, version, serial, rank, newer, body in rows:
            found.setdefault(id_, {})[version] = _There(serial, rank, newer, body)
    return found


def _definitions(session: Session, number: int, offered: Sequence[Offered]) -> dict[str, int]:
    """Ranks of the marking definitions that offered objects name, as far as they are there."""
    named = {ref for o in offered for ref in marks.refs_of(o.thing)}
    known = _ranks(session, number, named)
    for one in offered:
        if one.thing["type"] == "marking-definition":
            id_, said = one.thing["id"], marks.said_by(one.thing)
            known[id_] = max(said, known.get(id_, said))
    return known


def _ranks(session: Session, number: int, named: Iterable[str]) -> dict[str, int]:
    """Ranks of marking definitions that are kept; of several under one id the strictest."""
    wanted, known = sorted(set(named) - marks.TLP.keys()), dict[str, int]()
    for start in range(0, len(wanted), _CHUNK):
        for id_, body in session.execute(
            select(ObjectRow.stix_id, ObjectRow.body).where(
                ObjectRow.collection == number,
                ObjectRow.stix_id.in_(wanted[start : start + _CHUNK]),
            )
        ):
            said = marks.said_by(orjson.loads(body))
            known[id_] = max(said, known.get(id_, said))
    return known


def _write(
    session: Session, row: CollectionRow, rows: list[dict[str, Any]], lower: Mapping[int, int]
) -> None:
    before = row.last
    if rows:
        session.execute(insert(_OBJECTS), rows)
    changed = [{"c": row.number, "s": s, "newer": o} for s, o in lower.items() if s <= before]
    if changed:
        session.execute(
            text("UPDATE sharing_objects SET newer = :newer WHERE collection = :c AND serial = :s"),
            changed,
        )


def _settle(session: Session, row: CollectionRow, without: int, now: int) -> None:
    """Give objects that waited for a marking definition their rank, and a place at the end.

    Whoever reads on from a cursor has passed their old place and would never see them.
    """
    waiting = session.scalars(
        select(ObjectRow).where(ObjectRow.collection == row.number, ObjectRow.waits.is_not(None))
    ).all()
    refs = {old.serial: marks.refs_of(orjson.loads(old.body)) for old in waiting}
    known = _ranks(session, row.number, {ref for some in refs.values() for ref in some})
    for old in waiting:
        rank, waits = marks.rank_of(refs[old.serial], known, without)
        if waits:
            continue
        row.last += 1
        row.newest = max(row.newest + _KEPT_OUT.randrange(1, 16), now)
        again = {
            "collection": row.number, "serial": row.last, "stix_id": old.stix_id,
            "type": old.type, "version": old.version, "spec": old.spec, "added": row.newest,
            "rank": rank, "newer": NEVER, "waits": None, "body": old.body,
        }  # fmt: skip
        session.execute(
            delete(ObjectRow).where(
                ObjectRow.collection == row.number, ObjectRow.serial == old.serial
            )
        )
        session.expunge(old)
        session.execute(insert(_OBJECTS), [again])
        stand_over(session, row.number, str(again["stix_id"]))


def stand_over(session: Session, number: int, id_: str) -> None:
    """Work out anew which versions of an object are last for whom, after one went or came."""
    rows = session.execute(
        select(ObjectRow.serial, ObjectRow.version, ObjectRow.rank)
        .where(ObjectRow.collection == number, ObjectRow.stix_id == id_)
        .order_by(ObjectRow.version.desc())
    ).all()
    loosest = NEVER
    for serial, _, rank in rows:
        session.execute(
            text("UPDATE sharing_objects SET newer = :newer WHERE collection = :c AND serial = :s"),
            {"newer": loosest, "c": number, "s": serial},
        )
        loosest = min(loosest, rank)
