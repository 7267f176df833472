"""What the calls of one authority say of a number, a handset or a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import phonenumbers
from sqlalchemy import select

from cordon.calls import attached, forwarding, intake, names
from cordon.calls.beside import stored
from cordon.calls.charting import IMEI
from cordon.calls.counting import MOST_ROWS, PAGE, counted
from cordon.calls.forms import ACCOUNTS, CELLS, SESSIONS
from cordon.calls.numbers import Numbers
from cordon.calls.service import Calls
from cordon.calls.tables import RingRow
from cordon.kernel.access.model import Actor, Authority, Scope, Thing
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.leads import list_findings
from cordon.kernel.leads.tables import FindingSubjectRow
from cordon.kernel.work import Sight, View, Work, require_authority

ACT = "calls.profile.view"
MOST_PAGES = 1000


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
    number_href: str
    other: str
    other_href: str
    handset: str
    handset_href: str
    cell: str
    cell_href: str
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
class Succession:
    """A number that this one goes on from, or that goes on from it (`after`), with the odds."""

    after: bool
    text: str
    href: str
    odds: float | None
    finding: str


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A number that this one sends calls on to (`sends`), or that sends them on to this one."""

    sends: bool
    other: Used


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
        rings: (id, name) of those whose finding names it. successions: of a number.
        forwards: calls that a number sends on, or that are sent on to it.
        addresses: of its internet sessions, `public` and `remote`. accounts: bound to it, as
            (account or its pseudonym, bank, kind). place: where a cell stands.
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
    successions: Sequence[Succession] = ()
    forwards: Sequence[Forwarded] = ()
    addresses: Mapping[str, Sequence[attached.Address]] = field(default_factory=dict)
    accounts: Sequence[tuple[str, str, str]] = ()
    place: attached.Position | None = None


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
        aside = _aside(work, room, authority, type_, subject)
        sent = room.kernel.columns.paths(
            work.session, forwarding.DATASET, authorities=[authority.id]
        )
    # outside a transaction: a long look at a nation's calls holds up nobody
    read = _read(room, paths, scope, type_, value, min(max(page, 1), MOST_PAGES))
    beside = _beside(room, aside, scope, type_, value)
    passed = (
        [] if type_ != "number" else forwarding.of_number(room.kernel.columns, sent, value, scope)
    )
    sight = Sight("calls", authority, masker)
    with room.kernel.work(actor) as work:
        shown = _shown(work, room, sight, type_, read)
        shown["forwards"] = _forwards(work, room, sight, passed)
        beside["accounts"] = _accounts(work, room, authority, type_, subject, beside["accounts"])
        told = _told(work, subject)
        told["successions"] = _successions(work, room, sight, subject)
        return replace(base, text=value, covered=True, **shown, **beside, **told)


def _aside(
    work: Work, room: Calls, authority: Authority, type_: str, subject: str
) -> dict[str, list[str]]:
    """Paths of the columns beside the calls that speak of a subject, by kind of file."""
    files = stored(work, authority)
    forms = {"cell": (CELLS,), "number": (SESSIONS, ACCOUNTS), "imei": (SESSIONS,)}
    return {
        form.name: attached.segments(work, form, authority, files.get(form.name, ()))
        for form in forms.get(type_, ())
    }


def _beside(
    room: Calls, paths: Mapping[str, list[str]], scope: Scope, type_: str, value: str
) -> dict[str, Any]:
    columns = room.kernel.columns
    return {
        "addresses": attached.addresses(columns, paths.get(SESSIONS.name, ()), type_, value, scope),
        "accounts": attached.accounts(columns, paths.get(ACCOUNTS.name, ()), value),
        "place": attached.position(columns, paths.get(CELLS.name, ()), value),
    }


def _forwards(
    work: Work, room: Calls, sight: Sight, found: Sequence[forwarding.Forwarding]
) -> list[Forwarded]:
    """Forwardings as they may be shown."""
    names.remember(work, {f"number:{one.other}" for one in found})
    return [
        Forwarded(
            one.sends,
            Used(
                sight.subject(f"number:{one.other}").partition(":")[2],
                _address(room, "number", one.other),
                one.calls,
                one.first,
                one.last,
            ),
        )
        for one in found
    ]


def _accounts(
    work: Work,
    room: Calls,
    authority: Authority,
    type_: str,
    subject: str,
    found: Sequence[attached.Account],
) -> list[tuple[str, str, str]]:
    """Accounts as they may be shown; those in clear are entered as read."""
    if not found:
        return []
    thing = Thing(type_, names.pseudonym(room.kernel.masker, subject), room.kernel.agency)
    sight = work.sight(ACT, thing, "payments", [f"account:{a.account}" for a in found])
    return [
        (sight.subject(f"account:{a.account}").partition(":")[2], a.bank, a.kind) for a in found
    ]


def _successions(work: Work, room: Calls, sight: Sight, subject: str) -> list[Succession]:
    """Numbers before and after this one, by the findings that say so."""
    if not subject.startswith("number:"):
        return []
    told = []
    for kept in list_findings(work, kind="calls.number_succession", subject=subject):
        if not work.may("calls.finding.view", kept.thing()):
            continue
        said = kept.finding.extra
        after = said.get("from") == subject
        other = said.get("to" if after else "from")
        if not isinstance(other, str) or not other.startswith("number:"):
            continue
        names.remember(work, [other])
        odds = next((r.value for r in kept.finding.reasons if r.name == "odds"), None)
        shown = sight.subject(other).partition(":")[2]
        href = names.address(room.kernel.masker, other)
        told.append(Succession(after, shown, href, odds, kept.finding.id))
    return told


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
    room: Calls, paths: Sequence[Path], scope: Scope, type_: str, value: str, page: int
) -> dict[str, Any]:
    key = (tuple(map(str, paths)), scope.since, scope.until, type_, value, page)
    read = room.recent.get(key)
    if read is None:
        columns, zone = room.kernel.columns, room.country.zone
        read = counted(columns, paths, scope, type_, value, page, zone)
        room.recent.put(key, read)
    return read


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
    return f"/calls/cells/{quote(value)}" if type_ == "cell" else ""


def _lines(work: Work, room: Calls, sight: Sight, rows: list[dict[str, Any]]) -> list[CallLine]:
    seen = {f"number:{r[end]}" for r in rows for end in ("number", "other")}
    names.remember(work, seen | {f"imei:{r['imei']}" for r in rows if r["imei"]})

    def shown(type_: str, value: str | None) -> str:
        return sight.subject(f"{type_}:{value}").partition(":")[2] if value else ""

    def href(type_: str, value: str | None) -> str:
        return _address(room, type_, value) if value else ""

    return [
        CallLine(
            r["made"],
            shown("number", r["number"]),
            href("number", r["number"]),
            shown("number", r["other"]),
            href("number", r["other"]),
            shown("imei", r["imei"]),
            href("imei", r["imei"]),
            r["cell"] or "",
            href("cell", r["cell"]),
            r["start"],
            r["duration_s"],
            r["kind"],
            r["sha256"],
            r["row"],
        )
        for r in rows
    ]
