"""What an investigator sees of rings: the list, and one ring four ways; the rest is masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import undefer

from cordon.calls import names
from cordon.calls.ringdrawing import Address, Member, Named, graph
from cordon.calls.service import Calls
from cordon.calls.tables import CallFileRow, RingEventRow, RingRow
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.leads import KeptFinding
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.masking import redact
from cordon.kernel.work import View, personal_data

ACT = "calls.ring.view"
STATES = ("at_work", "silent", "merged", "gone")
KINDS = ("calls.call_centre", "calls.simbox")
PAGE = 50
MOST_SHOWN = 300  # numbers of a ring's page
MOST_RECORDS = 25
Shows = Callable[[str], bool]
_APART = ("hubs", "cut", "beside", "links", "links_in_all")  # of a finding, told one by one
_TELLING = 9  # digits from which on `redact` takes a number for one


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a ring in one search; `other` is another ring's id and name, or None."""

    what: str
    counts: Mapping[str, Any]
    other: tuple[str, str] | None
    at: datetime
    until: datetime
    search: str


@dataclass(frozen=True, slots=True)
class RingLine:
    """A ring in the list. `changes` are those of the last search under its authority."""

    id: str
    name: str
    kind: str
    state: str
    lead: str
    lat: float | None
    lon: float | None
    radius_m: float | None
    confidence: float
    numbers: int
    handsets: int
    seats: tuple[int, int] | None
    starts: datetime
    ends: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the rings is asked for; each stands in the address."""

    state: str = ""
    kind: str = ""
    sure: float = 0.0
    changed: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of rings. `more` where another page follows; `elsewhere` counts rings under other
    authorities than the one chosen, which are left out."""

    rings: tuple[RingLine, ...]
    more: bool
    elsewhere: int


@dataclass(frozen=True, slots=True)
class RingPage:
    """One ring.

    Attributes:
        line: as in the list. finding: masked where no authority covers it. kept: its row.
        covered: True where numbers stand in clear. other_authority: True where the ring was
            found under another authority than the one chosen.
        members: the first `MOST_SHOWN`. detail: days, hours, cells, counts; nothing personal.
        named: what belongs to it beside its numbers. files: names of files, by SHA-256, that its
            records stand in.
        graph: of the link chart, `nodes` and `edges`. history: the newest first.
        hubs: what was cut, as the finding tells it. beside: lines that were left out, as they may
            be a business's: number as it may be shown, its page.
        forwards: of calls that its numbers send on or are sent: who sends them on and to whom,
            each as it may be shown and its page, and how many.
    """

    line: RingLine
    finding: Finding
    kept: KeptFinding
    found_day: int
    covered: bool
    other_authority: bool
    members: tuple[Member, ...]
    detail: Mapping[str, Any]
    named: tuple[Named, ...]
    files: Mapping[str, str]
    graph: Mapping[str, Any]
    history: tuple[Change, ...]
    hubs: tuple[Mapping[str, Any], ...]
    beside: tuple[tuple[str, str], ...]
    forwards: tuple[tuple[tuple[str, str], tuple[str, str], int], ...] = ()


def rings(room: Calls, actor: Actor, asked: Filters) -> Listed:
    """Rings that the actor may see, the surest first; under a chosen authority only its own."""
    chosen = actor.authority.id if actor.authority else None
    with room.kernel.view(actor) as view:
        view.permit(ACT, room.thing())
        marks = [m for m in Mark if _may(view, m)]
        mine: list[ColumnElement[bool]] = [
            RingRow.agency == room.kernel.agency,
            RingRow.mark.in_(marks),
        ]
        rows = list(view.session.scalars(select(RingRow).where(*mine)))
        elsewhere = sum(chosen is not None and r.authority != chosen for r in rows)
        rows = [r for r in rows if chosen is None or r.authority == chosen]
        changes = _changes(view, rows)
        rows = [r for r in rows if _asked(r, asked, changes)]
        rows.sort(key=lambda r: (r.state not in ("at_work",), -r.confidence, r.name))
        begin = (max(asked.page, 1) - 1) * PAGE
        shown = rows[begin : begin + PAGE]
        findings = _findings(view, shown)
        lines = tuple(_line(r, findings[r.finding], changes.get(r.id, ())) for r in shown)
        return Listed(lines, len(rows) > begin + PAGE, elsewhere)


def ring(room: Calls, actor: Actor, id_: str) -> RingPage:
    """One ring, by its id; numbers that no authority covers are masked.

    Raises:
        NotFound: there is none of that id.
    """
    with room.kernel.view(actor) as view:
        row = view.session.get(RingRow, id_, options=[undefer(RingRow.detail)])
        if row is None:
            raise NotFound("There is no such ring.")
        view.permit(ACT, row.thing())
        said = view.session.get_one(FindingRow, row.finding)
        whole = Finding.from_dict(said.whole())
        shows, pays, other = _sight(room, view, row, whole)
        shown = _masked(room, whole, shows)
        history = _history(view, row)
        members = _members(room, row.detail, shows)
        named = _named(room, row.detail, shows, pays)
        hubs = _hubs(room, whole, shows, pays)
        reached = _addresses(room, whole, shows)
        return RingPage(
            line=_line(row, said, tuple(c for c in history if c.search == row.search)),
            finding=shown,
            kept=KeptFinding(
                shown,
                said.title,
                said.seriousness,
                said.state,
                said.agency,
                Mark(said.mark),
                said.created_at,
            ),
            found_day=row.found_day,
            covered=any(s.startswith("number:") and "~" not in s for s in shown.subjects),
            other_authority=other,
            members=members,
            detail=row.detail,
            named=named,
            files=_files(view, row.authority, shown),
            graph=graph(
                room.kernel.masker,
                row.detail,
                members,
                named,
                reached,
                [h["subject"] for h in hubs],
            ),
            history=history,
            hubs=hubs,
            beside=tuple(_led(room, s, shows) for s in whole.extra.get("beside", ())),
            forwards=tuple(
                (_led(room, n["a"], shows), _led(room, n["b"], shows), n["times"])
                for n in sorted(_forwards(whole), key=lambda n: (-n["times"], n["a"], n["b"]))
            ),
        )


def _may(view: View, mark: Mark) -> bool:
    return view.may(ACT, Thing("ring", "-", view.kernel.agency, mark))


def _sight(room: Calls, view: View, row: RingRow, finding: Finding) -> tuple[Shows, Shows, bool]:
    """What may be shown in clear of calls and of payments, entered as read; and whether the ring
    is another authority's."""
    chosen = view.actor.authority
    if chosen is None or chosen.id != row.authority:  # decision 0004
        return (lambda _s: False), (lambda _s: False), chosen is not None
    told = [*finding.subjects, *finding.extra.get("beside", ())]
    told += [one["subject"] for one in finding.extra.get("cut", ())]
    told += [one[end] for one in _forwards(finding) for end in ("a", "b")]
    personal = [s for s in told if personal_data(s) == "calls"]
    sight = view.sight(ACT, row.thing(), "calls", personal)
    paid = [
        f"{one['type']}:{one['value']}"
        for one in row.detail.get("named", ())
        if one.get("by") in ("payment", "bound")
    ]
    pays = view.sight(ACT, row.thing(), "payments", paid)
    return sight.shows, pays.shows, False


def _masked(room: Calls, finding: Finding, shows: Shows) -> Finding:
    """The finding as it may be shown.

    The words of a ring's reasons name none of its hundreds of subjects, so that it is enough to
    take out of them whatever looks like a number; short ones, which do not, are looked for.
    """
    masker = room.kernel.masker
    short = tuple(s for s in finding.subjects if sum(c.isdigit() for c in s) < _TELLING)
    extra = {k: v for k, v in finding.extra.items() if k not in _APART}
    said = masker.mask_finding(replace(finding, subjects=short, extra=extra), shows)
    return replace(
        said,
        subjects=tuple(
            sorted(
                s if personal_data(s) is None or shows(s) else masker.mask_subject(s)
                for s in finding.subjects
            )
        ),
    )


def _hubs(
    room: Calls, finding: Finding, shows: Shows, pays: Shows
) -> tuple[Mapping[str, Any], ...]:
    """What was cut out of a ring, each subject masked where it must be."""

    def shown(subject: str) -> str:
        if personal_data(subject) is None:
            clear = redact(subject)
        elif (pays if subject.startswith("account:") else shows)(subject):
            clear = subject
        else:
            clear = room.kernel.masker.mask_subject(subject)
        return clear.partition(":")[2]

    # findings kept before hubs had reasons name them alone
    hubs = finding.extra.get("cut") or finding.extra.get("hubs") or ()
    told = [h if isinstance(h, Mapping) else {"subject": h} for h in hubs]
    return tuple(
        {"subject": shown(h["subject"]), "people": h.get("people"), "why": h.get("why", "")}
        for h in told
        if ":" in str(h.get("subject"))
    )


def _addresses(room: Calls, finding: Finding, shows: Shows) -> tuple[Address, ...]:
    """The internet addresses that tie a ring's lines, as its finding tells it."""
    of: dict[str, list[str]] = {}
    for link in finding.extra.get("links", ()):
        if link["reason"] == "address":
            of.setdefault(link["b"], []).append(link["a"])
    masker = room.kernel.masker
    return tuple(
        Address(_shown(room, one, shows), tuple(names.address(masker, n) for n in of[one]))
        for one in sorted(of, key=lambda a: (-len(of[a]), a))
    )


def _forwards(finding: Finding) -> list[Mapping[str, Any]]:
    """Links of a finding between a number and the one that it sends calls on to."""
    return [n for n in finding.extra.get("links", ()) if n["reason"] == "forwarded"]


def _led(room: Calls, subject: str, shows: Shows) -> tuple[str, str]:
    """A subject as it may be shown, and its page."""
    return _shown(room, subject, shows), names.address(room.kernel.masker, subject)


def _asked(row: RingRow, asked: Filters, changes: Mapping[str, Sequence[Change]]) -> bool:
    return (
        (not asked.state or row.state == asked.state)
        and (not asked.kind or row.kind == asked.kind)
        and row.confidence >= asked.sure
        and (not asked.changed or bool(changes.get(row.id)))
    )


def _findings(view: View, rows: Sequence[RingRow]) -> dict[str, FindingRow]:
    ids = [r.finding for r in rows]
    found = view.session.scalars(select(FindingRow).where(FindingRow.id.in_(ids)))
    return {f.id: f for f in found}


def _line(row: RingRow, said: FindingRow, changes: tuple[Change, ...]) -> RingLine:
    place = said.body.get("place")
    lon, lat = place["coordinates"] if place else (None, None)
    seats = None
    if row.seats_least is not None and row.seats_most is not None:
        seats = (row.seats_least, row.seats_most)
    return RingLine(
        row.id, row.name, row.kind, row.state, said.state, lat, lon, said.body.get("radius_m"),
        row.confidence, row.numbers, row.handsets, seats, row.starts, row.ends, changes,
    )  # fmt: skip


def _changes(view: View, rows: Sequence[RingRow]) -> dict[str, tuple[Change, ...]]:
    """What the last search under a ring's authority changed, by ring."""
    last = {r.id: r.search for r in rows}
    found: dict[str, list[Change]] = {}
    events = view.session.scalars(
        select(RingEventRow)
        .where(RingEventRow.search.in_(sorted(set(last.values()))))
        .order_by(RingEventRow.id)
    )
    told = {r.id: r.name for r in rows}
    for event in events:
        if last.get(event.ring) == event.search:
            found.setdefault(event.ring, []).append(_change(event, told))
    return {ring_: tuple(some) for ring_, some in found.items()}


def _history(view: View, row: RingRow) -> tuple[Change, ...]:
    events = list(
        view.session.scalars(
            select(RingEventRow)
            .where(RingEventRow.ring == row.id)
            .order_by(RingEventRow.id.desc())
            .limit(200)
        )
    )
    others = {e.other for e in events if e.other}
    known = view.session.scalars(select(RingRow).where(RingRow.id.in_(sorted(others))))
    told = {r.id: r.name for r in known}
    return tuple(_change(e, told) for e in events)


def _change(event: RingEventRow, told: Mapping[str, str]) -> Change:
    other = None
    if event.other is not None and event.other in told:
        other = (event.other, told[event.other])
    return Change(event.what, event.counts, other, event.created_at, event.until, event.search)


def _members(room: Calls, detail: Mapping[str, Any], shows: Shows) -> tuple[Member, ...]:
    masker = room.kernel.masker
    used: dict[str, list[str]] = {}
    for link in detail.get("links", ()):
        used.setdefault(link["number"], []).append(link["imei"])
    made = []
    for one in detail.get("members", ())[:MOST_SHOWN]:
        subject = f"number:{one['number']}"
        handsets = used.get(one["number"], [])
        made.append(
            Member(
                number=_shown(room, subject, shows),
                href=names.address(masker, subject),
                handsets=tuple(
                    (_shown(room, f"imei:{h}", shows), names.address(masker, f"imei:{h}"))
                    for h in handsets[:2]
                ),
                more_handsets=max(len(handsets) - 2, 0),
                first=datetime.fromisoformat(one["first"]),
                last=datetime.fromisoformat(one["last"]),
                calls=one["calls"],
                made=one["made"],
                people=one["people"],
            )
        )
    return tuple(made)


def _shown(room: Calls, subject: str, shows: Shows) -> str:
    type_, _, value = subject.partition(":")
    return value if shows(subject) else room.kernel.masker.mask(type_, value)


def _named(room: Calls, detail: Mapping[str, Any], shows: Shows, pays: Shows) -> tuple[Named, ...]:
    """What belongs to a ring beside its numbers.

    What complaints name stands in clear only where a number that it is named with does; what
    payments and accounts tell, only under an authority over payments.
    """
    masker = room.kernel.masker
    told = []
    for one in detail.get("named", ()):
        by, subject = one.get("by", "complaint"), f"{one['type']}:{one['value']}"
        if by == "complaint":
            clear = any(shows(f"number:{n}") for n in one["numbers"]) or shows(subject)
        else:
            clear = pays(subject)
        told.append(
            Named(
                one["type"],
                one["value"] if clear else masker.pseudonym(one["type"], one["value"]),
                by,
                one["times"],
                one.get("bank") or "",
                tuple(
                    (_shown(room, f"number:{n}", shows), names.address(masker, f"number:{n}"))
                    for n in one["numbers"][:3]
                ),
            )
        )
    return tuple(told)


def _files(view: View, authority: str, finding: Finding) -> dict[str, str]:
    """Names of the files that a finding's records stand in."""
    known = {r.sha256 for r in finding.records}
    rows = view.session.scalars(
        select(CallFileRow).where(
            CallFileRow.authority == authority, CallFileRow.sha256.in_(sorted(known))
        )
    )
    return {row.sha256: row.name for row in rows}
