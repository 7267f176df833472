"""What another room may know of a node's calls, to join its own records to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import undefer

from cordon.calls import intake
from cordon.calls.beside import orders, stored
from cordon.calls.contacts import CONTACTS
from cordon.calls.forms import COMPLAINTS
from cordon.calls.tables import RingRow
from cordon.kernel.access.model import Authority, Scope, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.store.columns import Columns
from cordon.kernel.work import View, Work

MOST_HANDSETS = 50
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_CONTACTS = """
SELECT epoch_us(start) AS us, callee AS number, caller AS suspect, true AS made, sha256, row
FROM calls WHERE caller IN (SELECT number FROM suspects)
  AND callee NOT IN (SELECT number FROM suspects) AND start >= $since AND start < $until
UNION ALL
SELECT epoch_us(start), caller, callee, false, sha256, row
FROM calls WHERE callee IN (SELECT number FROM suspects)
  AND caller NOT IN (SELECT number FROM suspects) AND start >= $since AND start < $until
ORDER BY us, sha256, row
"""
_HANDSETS = """
SELECT number, left(imei, 14) AS imei, count(*) AS calls FROM (
    SELECT caller AS number, caller_imei AS imei, start FROM calls
    WHERE caller IN (SELECT number FROM asked)
    UNION ALL
    SELECT callee, callee_imei, start FROM calls WHERE callee IN (SELECT number FROM asked)
) WHERE imei IS NOT NULL AND start >= $since AND start < $until
GROUP BY ALL ORDER BY calls DESC, number, imei LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Calls of one authority, and whom they make suspect.

    Attributes:
        paths: segments. ring_of: numbers of rings (E.164), and the name of the ring of each.
        complaints: SHA-256 of each file of complaints there to its name, the one brought in last
            at the end.
        dates: SHA-256 to the order of day and month that was said of such a file, where one was.
    """

    paths: Sequence[Path]
    ring_of: Mapping[str, str]
    complaints: Mapping[str, str]
    dates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RingTold:
    """A ring as another room may know it; personal, in clear.

    Attributes:
        authority: id of the authority that it was found under. numbers: E.164.
        accounts: tied to it, by how they are known: `complaint`, `bound`, `payment`.
    """

    id: str
    name: str
    authority: str
    thing: Thing
    numbers: frozenset[str]
    accounts: tuple[tuple[str, str], ...]


def spoken(work: Work, authority: Authority, act: str, thing: Thing) -> Spoken:
    """The calls that an authority covers, entered as read, with the rings found in them.

    Raises:
        AuthorityRefused: it does not cover the calls of everybody.
    """
    work.under_authority(act, thing, "calls", None)
    scope = authority.scope
    paths = work.kernel.columns.paths(
        work.session, intake.DATASET, since=scope.since, until=scope.until,
        authorities=[authority.id],
    )  # fmt: skip
    rows = work.session.execute(
        select(RingRow, FindingRow)
        .join(RingRow, RingRow.finding == FindingRow.id)
        .where(RingRow.authority == authority.id, RingRow.state.in_(("at_work", "silent")))
    )
    ring_of = {
        s.removeprefix("number:"): ring.name
        for ring, said in rows
        for s in said.body["subjects"]
        if s.startswith("number:")
    }
    complaints = stored(work, authority).get(COMPLAINTS.name, {})
    return Spoken(paths, ring_of, complaints, orders(work, authority))


def contacts_of(
    columns: Columns, paths: Sequence[Path], suspects: Iterable[str], scope: Scope
) -> pa.Table:
    """Calls and messages of suspected numbers with others (`contacts.CONTACTS`), by time."""
    if not paths:
        return CONTACTS.empty_table()
    with columns.connect() as db:
        db.register("suspects", pa.table({"number": pa.array(sorted(suspects), pa.string())}))
        db.read_parquet([str(p) for p in paths]).create_view("calls")
        found: pa.Table = db.sql(_CONTACTS, params=_span(scope)).to_arrow_table()
        return found.cast(CONTACTS)


def handsets_of(
    columns: Columns, paths: Sequence[Path], numbers: Sequence[str], scope: Scope
) -> list[tuple[str, str, int]]:
    """Handsets (14 digits) that numbers were used in, with how many calls; the most first."""
    if not paths or not numbers:
        return []
    with columns.connect() as db:
        db.register("asked", pa.table({"number": pa.array(list(numbers), pa.string())}))
        db.read_parquet([str(p) for p in paths]).create_view("calls")
        return db.execute(_HANDSETS, {**_span(scope), "most": MOST_HANDSETS}).fetchall()


def ring_told(view: View, ring: str) -> RingTold:
    """A ring with the accounts that are tied to it; NotFound where there is none."""
    row = view.session.scalars(
        select(RingRow).options(undefer(RingRow.detail)).where(RingRow.id == ring)
    ).first()
    if row is None:
        raise NotFound("No such ring was found.")
    view.permit("calls.ring.view", row.thing())
    said = view.session.get_one(FindingRow, row.finding)
    numbers = {s.removeprefix("number:") for s in said.body["subjects"] if s.startswith("number:")}
    tied = tuple(
        (n["value"], n.get("by", "complaint"))
        for n in row.detail.get("named", ())
        if n["type"] == "account"
    )
    return RingTold(row.id, row.name, row.authority, row.thing(), frozenset(numbers), tied)


def _span(scope: Scope) -> dict[str, datetime]:
    return {"since": scope.since or _FIRST, "until": scope.until or _LAST}
