"""What the calls of one authority say of a number, a handset or a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import phonenumbers
from sqlalchemy import select

from cordon.calls import intake, names
from cordon.calls.charting import IMEI
from cordon.calls.numbers import Numbers
from cordon.calls.service import Calls
from cordon.calls.tables import RingRow
from cordon.kernel.access.model import Actor, Authority, Thing
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.leads import list_findings
from cordon.kernel.leads.tables import FindingSubjectRow
from cordon.kernel.work import Sight, View, Work, require_authority

ACT = "calls.profile.view"
PAGE = 100  # calls of a page
MOST_PAGES = 1000
MOST_ROWS = 500_000  # calls that a profile is counted over; the newest
MOST_OF_A_KIND = 50

_ENDS = """
CREATE TEMP TABLE own AS
SELECT * FROM (
    SELECT true AS made, caller AS number, callee AS other, caller_imsi AS imsi,
           left(caller_imei, 14) AS imei, caller_cell AS cell, start, duration_s, kind,
           sha256, row
    FROM calls
    UNION ALL
    SELECT false, callee, caller, callee_imsi, left(callee_imei, 14), callee_cell, start,
           duration_s, kind, sha256, row
    FROM calls
)
WHERE start >= $since AND start < $until AND
"""
# one condition a type of subject; what is looked for is bound, never written into it
_WHERE = {
    "number": "number = $value",
    "imei": "imei = $value",
    "cell": "cell = $value",
}
_NEWEST = " ORDER BY start DESC, row LIMIT $most"
_COUNTS = """
SELECT count(*) AS calls, count(*) FILTER (made) AS made, count(DISTINCT other) AS people,
       count(DISTINCT number) AS numbers, min(start) AS first, max(start) AS last
FROM own
"""
_HOURS = """
SELECT isodow(local) AS weekday, hour(local) AS hour, count(*) AS calls
FROM (SELECT CAST(start AS TIMESTAMP) + to_seconds($offset) AS local FROM own)
GROUP BY weekday, hour
"""
_DAYS = """
SELECT CAST(CAST(start AS TIMESTAMP) + to_seconds($offset) AS DATE) AS day, count(*) AS calls
FROM own GROUP BY day ORDER BY day DESC LIMIT 400
"""
_USED = """
SELECT kind, value, count(*) AS calls, min(start) AS first, max(start) AS last
FROM (
    SELECT 'number' AS kind, number AS value, start FROM own
    UNION ALL SELECT 'imei', imei, start FROM own
    UNION ALL SELECT 'imsi', imsi, start FROM own
    UNION ALL SELECT 'cell', cell, start FROM own
    UNION ALL SELECT 'other', other, start FROM own
)
WHERE value IS NOT NULL
GROUP BY kind, value
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, value) <= $most
ORDER BY kind, calls DESC, value
"""
_CALLS = """
SELECT made, number, other, imei, cell, start, duration_s, kind, sha256, row
FROM own ORDER BY start DESC, row LIMIT $most OFFSET $skipped
"""


@dataclass(frozen=True, slots=True)
class Used:
    """A handset, SIM, cell, number or person of a profile; `href` is its page, or empty."""

    text: str
    href: str
    calls: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call of a profile, with where its record stands."""

    made: bool
    number: str
    other: str
    other_href: str
    handset: str
    cell: str
    start: datetime
    duration_s: float | None
    kind: str
    sha256: str
    row: int


@dataclass(frozen=True, slots=True)
class Lead:
    """A finding that names a subject; whom else it names is not told here."""

    id: str
    title: str
    seriousness: str
    start: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A number, handset or cell, as the authority chosen lets it be seen.

    Attributes:
        type: `number`, `imei` or `cell`. text: in clear where covered, else its pseudonym.
        here: its address. covered: False where nothing of its calls may be read; `why` says so.
        counts: `calls`, `made`, `people`, `numbers`, `first`, `last`. cut: True where there
            are more calls than were counted.
        hours: 7 × 24 calls, Monday first (local). days: (day, calls), newest first.
        used: by kind (`number`, `imei`, `imsi`, `cell`, `other`), the most used first.
        calls: one page of them, newest first. findings: that name it.
        rings: (id, name) of those whose finding names it.
    """

    type: str
    text: str
    here: str
    covered: bool
    why: str = ""
    counts: Mapping[str, Any] | None = None
    cut: bool = False
    hours: Sequence[Sequence[int]] = ()
    days: Sequence[tuple[str, int]] = ()
    used: Mapping[str, Sequence[Used]] | None = None
    calls: Sequence[CallLine] = ()
    page: int = 1
    more: bool = False
    findings: Sequence[Lead] = ()
    rings: Sequence[tuple[str, str]] = ()


def find_number(room: Calls, actor: Actor, typed: str) -> str:
    """The address of a number's or handset's page; under an authority alone, and entered.

    Raises:
        BadInput: it is neither. AuthorityRefused: none that covers it is chosen.
    """
    subject = _subject(room, typed)
    with room.kernel.work(actor) as work:
        work.under_authority(ACT, room.thing(), "calls", subject)
        names.remember(work, [subject])
    return names.address(room.kernel.masker, subject)


def _subject(room: Calls, typed: str) -> str:
    text = typed.strip()[:40]
    digits = text.replace(" ", "").replace("-", "")
    if digits.isascii() and digits.isdigit() and len(digits) in (14, 15, 16):
        return f"imei:{digits[:IMEI]}"
    number = Numbers(room.region).one(text)
    if number is None or not number.startswith("+"):
        raise BadInput(
            "That is neither a number nor a handset.",
            advice="Write a number with its + or as dialled here, or an IMEI of 14 or 15 digits.",
        )
    try:
        possible = phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        raise BadInput("That number has too few or too many digits.", advice="Look at it again.")
    return f"number:{number}"


def profile(room: Calls, actor: Actor, type_: str, name: str, page: int = 1) -> Profile:
    """The page of a number or handset by its pseudonym, or of a cell by its identity.

    Each opening under an authority is entered in the ledger; without one that covers it, what is
    personal stays masked and nothing of its calls is read.

    Raises:
        NotFound: no page ever led to this pseudonym.
    """
    masker = room.kernel.masker
    paths: list[Path] = []
    with room.kernel.work(actor) as work:
        work.permit(ACT, room.thing())
        subject = _meant(work, type_, name)
        value = subject.partition(":")[2]
        here = f"/calls/cells/{name}" if type_ == "cell" else names.address(masker, subject)
        masked = value if type_ == "cell" else masker.mask(type_, value)
        base = Profile(type_, masked, here, covered=False)
        try:
            authority = _covering(work, room, type_, subject)
        except AuthorityRefused as refused:
            return replace(base, why=str(refused), **_told(work, subject))
        scope = authority.scope
        paths = room.kernel.columns.paths(
            work.session,
            intake.DATASET,
            since=scope.since,
            until=scope.until,
            authorities=[authority.id],
        )
    # outside a transaction: a long look at a nation's calls holds up nobody
    read = _read(room, paths, authority, type_, value, min(max(page, 1), MOST_PAGES))
    sight = Sight("calls", authority, masker)
    with room.kernel.work(actor) as work:
        shown = _shown(work, room, sight, type_, read)
        return replace(base, text=value, covered=True, **shown, **_told(work, subject))


def _meant(view: View, type_: str, name: str) -> str:
    if type_ == "cell":
        return f"cell:{name[:60]}"
    known = names.subject_of(view, name, type_)
    if known is None:
        raise NotFound(
            "Nothing is known of this pseudonym on this node.",
            advice="Open it from a ring or a call, or look the number up.",
        )
    return known


def _covering(work: Work, room: Calls, type_: str, subject: str) -> Authority:
    """The authority that this may be read under, entered; a cell is of everybody who was there."""
    asked = None if type_ == "cell" else subject
    thing = Thing(type_, names.pseudonym(room.kernel.masker, subject), room.kernel.agency)
    # asked first without the ledger: to be without an authority is no attempt at anything
    require_authority(work.actor, work.now, "calls", asked, None, ACT, thing)
    work.act(ACT, thing)
    return work.under_authority(ACT, thing, "calls", asked)


def _told(view: View, subject: str) -> dict[str, Any]:
    """Findings and rings that name a subject, as this actor may see them."""
    exact = [subject]
    if subject.startswith("imei:"):  # a finding may have all 15 digits
        exact += list(
            view.session.scalars(
                select(FindingSubjectRow.subject)
                .where(FindingSubjectRow.subject.startswith(subject, autoescape=True))
                .distinct()
                .limit(20)
            )
        )
    found = {k.finding.id: k for s in dict.fromkeys(exact) for k in list_findings(view, subject=s)}
    rows = view.session.scalars(
        select(RingRow).where(RingRow.finding.in_(sorted(found))).order_by(RingRow.id)
    )
    return {
        "findings": [
            Lead(k.finding.id, k.title, k.seriousness, k.finding.start)
            for k in found.values()
            if view.may("calls.finding.view", k.thing())
        ],
        "rings": [(r.id, r.name) for r in rows if view.may("calls.ring.view", r.thing())],
    }


def _read(
    room: Calls, paths: Sequence[Path], authority: Authority, type_: str, value: str, page: int
) -> dict[str, Any]:
    """What the segments say of a subject, as rows."""
    if not paths:
        return {"counts": {"calls": 0}}
    scope, columns = authority.scope, room.kernel.columns
    with columns.connect() as db:
        db.read_parquet([str(p) for p in paths]).create_view("calls")
        db.execute(
            _ENDS + _WHERE[type_] + _NEWEST,
            {
                "since": scope.since or datetime(1900, 1, 1, tzinfo=UTC),
                "until": scope.until or datetime(9999, 1, 1, tzinfo=UTC),
                "value": value,
                "most": MOST_ROWS,
            },
        )
        (counts,) = _rows(db, _COUNTS, {})
        if not counts["calls"]:
            return {"counts": counts}
        offset = counts["last"].astimezone(room.country.zone).utcoffset() or timedelta(0)
        local = {"offset": int(offset.total_seconds())}
        asked = {"most": PAGE + 1, "skipped": (page - 1) * PAGE}
        return {
            "counts": counts,
            "page": page,
            "hours": _rows(db, _HOURS, local),
            "days": _rows(db, _DAYS, local),
            "used": _rows(db, _USED, {"most": MOST_OF_A_KIND}),
            "calls": _rows(db, _CALLS, asked),
        }


def _rows(db: duckdb.DuckDBPyConnection, asked: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    table: Any = db.sql(asked, params=given or None).to_arrow_table()
    return list(table.to_pylist())


def _shown(
    work: Work, room: Calls, sight: Sight, type_: str, read: dict[str, Any]
) -> dict[str, Any]:
    """What was read as a page shows it: numbers beyond the authority masked, with addresses."""
    if not read["counts"]["calls"]:
        return {"counts": read["counts"]}
    hours = [[0] * 24 for _ in range(7)]
    for one in read["hours"]:
        hours[one["weekday"] - 1][one["hour"]] = one["calls"]
    used: dict[str, list[dict[str, Any]]] = {}
    for one in read["used"]:
        if one["kind"] != type_:
            used.setdefault(one["kind"], []).append(one)
    return {
        "counts": read["counts"],
        "cut": read["counts"]["calls"] >= MOST_ROWS,
        "hours": hours,
        "days": [(one["day"].isoformat(), one["calls"]) for one in read["days"]],
        "used": {kind: _used(work, room, sight, kind, rows) for kind, rows in used.items()},
        "calls": _lines(work, room, sight, read["calls"][:PAGE]),
        "page": read["page"],
        "more": len(read["calls"]) > PAGE,
    }


def _used(
    work: Work, room: Calls, sight: Sight, kind: str, rows: list[dict[str, Any]]
) -> list[Used]:
    type_ = "number" if kind == "other" else kind
    if type_ in names.PAGES:
        names.remember(work, {f"{type_}:{r['value']}" for r in rows})
    return [
        Used(
            sight.subject(f"{type_}:{r['value']}").partition(":")[2],
            _address(room, type_, r["value"]),
            r["calls"],
            r["first"],
            r["last"],
        )
        for r in rows
    ]


def _address(room: Calls, type_: str, value: str) -> str:
    if type_ in names.PAGES:
        return names.address(room.kernel.masker, f"{type_}:{value}")
    return f"/calls/cells/{value}" if type_ == "cell" else ""


def _lines(work: Work, room: Calls, sight: Sight, rows: list[dict[str, Any]]) -> list[CallLine]:
    names.remember(work, {f"number:{r['other']}" for r in rows})

    def shown(type_: str, value: str | None) -> str:
        return sight.subject(f"{type_}:{value}").partition(":")[2] if value else ""

    return [
        CallLine(
            r["made"],
            shown("number", r["number"]),
            shown("number", r["other"]),
            _address(room, "number", r["other"]),
            shown("imei", r["imei"]),
            r["cell"] or "",
            r["start"],
            r["duration_s"],
            r["kind"],
            r["sha256"],
            r["row"],
        )
        for r in rows
    ]
