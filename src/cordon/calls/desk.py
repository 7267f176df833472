"""What an investigator sees of rings: the list, and one ring four ways; the rest is masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import undefer

from cordon.calls import names
from cordon.calls.service import Calls
from cordon.calls.tables import RingEventRow, RingRow
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
_MOST_NUMBERS, _MOST_NAMED = 48, 20  # of a chart
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
class Member:
    """A number of a ring as it may be shown; `href` is its page, by pseudonym."""

    number: str
    href: str
    handsets: tuple[tuple[str, str], ...]
    more_handsets: int
    first: datetime
    last: datetime
    calls: int
    made: int
    people: int


@dataclass(frozen=True, slots=True)
class RingPage:
    """One ring.

    Attributes:
        line: as in the list. finding: masked where no authority covers it. kept: its row.
        covered: True where numbers stand in clear. other_authority: True where the ring was
            found under another authority than the one chosen.
        members: the first `MOST_SHOWN`. detail: days, hours, cells, counts; nothing personal.
        named: what complaints name beside its numbers: (type, value or pseudonym, times).
        graph: of the link chart, `nodes` and `edges`. history: the newest first.
        hubs: what was cut, as the finding tells it.
    """

    line: RingLine
    finding: Finding
    kept: KeptFinding
    found_day: int
    covered: bool
    other_authority: bool
    members: tuple[Member, ...]
    detail: Mapping[str, Any]
    named: tuple[tuple[str, str, int], ...]
    graph: Mapping[str, Any]
    history: tuple[Change, ...]
    hubs: tuple[Mapping[str, Any], ...]


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
        shows, other = _sight(room, view, row, whole)
        shown = _masked(room, whole, shows)
        history = _history(view, row)
        members = _members(room, row.detail, shows)
        named = _named(room, row.detail, shows)
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
            graph=_graph(room, row.detail, members, named),
            history=history,
            hubs=_hubs(room, whole, shows),
        )


def _may(view: View, mark: Mark) -> bool:
    return view.may(ACT, Thing("ring", "-", view.kernel.agency, mark))


def _sight(
    room: Calls, view: View, row: RingRow, finding: Finding
) -> tuple[Callable[[str], bool], bool]:
    """What may be shown in clear, which is entered as read; and whether it is another's ring."""
    chosen = view.actor.authority
    if chosen is None or chosen.id != row.authority:  # decision 0004
        return (lambda _s: False), chosen is not None
    personal = [s for s in finding.subjects if s.startswith(("number:", "imsi:", "imei:"))]
    sight = view.sight(ACT, row.thing(), "calls", personal)
    return sight.shows, False


def _masked(room: Calls, finding: Finding, shows: Callable[[str], bool]) -> Finding:
    """The finding as it may be shown.

    The words of a ring's reasons name none of its hundreds of subjects, so that it is enough to
    take out of them whatever looks like a number; short ones, which do not, are looked for.
    """
    masker = room.kernel.masker
    short = tuple(s for s in finding.subjects if sum(c.isdigit() for c in s) < _TELLING)
    said = masker.mask_finding(replace(finding, subjects=short), shows)
    return replace(
        said,
        subjects=tuple(
            sorted(
                s if personal_data(s) is None or shows(s) else masker.mask_subject(s)
                for s in finding.subjects
            )
        ),
        extra={k: v for k, v in said.extra.items() if k != "hubs"},
    )


def _hubs(
    room: Calls, finding: Finding, shows: Callable[[str], bool]
) -> tuple[Mapping[str, Any], ...]:
    """What was cut out of a ring, each subject masked where it must be."""

    def shown(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if personal_data(value) is None:
            return redact(value)
        return value if shows(value) else room.kernel.masker.mask_subject(value)

    hubs = finding.extra.get("hubs") or ()
    return tuple({k: shown(v) for k, v in h.items()} for h in hubs if isinstance(h, Mapping))


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


def _members(
    room: Calls, detail: Mapping[str, Any], shows: Callable[[str], bool]
) -> tuple[Member, ...]:
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


def _shown(room: Calls, subject: str, shows: Callable[[str], bool]) -> str:
    type_, _, value = subject.partition(":")
    return value if shows(subject) else room.kernel.masker.mask(type_, value)


def _named(
    room: Calls, detail: Mapping[str, Any], shows: Callable[[str], bool]
) -> tuple[tuple[str, str, int], ...]:
    """What complaints name; in clear only beside a number that is shown in clear."""
    masker = room.kernel.masker
    told = []
    for one in detail.get("named", ()):
        clear = any(shows(f"number:{n}") for n in one["numbers"])
        value = one["value"] if clear else masker.pseudonym(one["type"], one["value"])
        told.append((one["type"], value, one["times"]))
    return tuple(told)


def _graph(
    room: Calls,
    detail: Mapping[str, Any],
    members: Sequence[Member],
    named: Sequence[tuple[str, str, int]],
) -> dict[str, Any]:
    """The link chart: the site, its handsets, their numbers, and what complaints name.

    Those numbers first that complaints name, then those with the most calls: a chart of hundreds
    shows nothing.
    """
    masker = room.kernel.masker
    told = {n: one for one in detail.get("named", ())[:_MOST_NAMED] for n in one["numbers"]}
    hrefs = {names.address(masker, f"number:{n}") for n in told}
    ranked = sorted(members, key=lambda m: (m.href not in hrefs, -m.calls, m.href))
    known = {m.href: m for m in ranked[:_MOST_NUMBERS]}
    nodes: list[dict[str, Any]] = [{"id": "site", "kind": "site", "label": ""}]
    edges: list[dict[str, Any]] = []
    shown = {href: text for m in known.values() for text, href in m.handsets}
    sims: dict[str, set[str]] = {}
    linked: set[str] = set()
    for link in detail.get("links", ()):
        handset = names.address(masker, f"imei:{link['imei']}")
        if handset not in shown:
            continue
        sims.setdefault(handset, set()).add(link["number"])
        number = names.address(masker, f"number:{link['number']}")
        if number in known:
            edges.append({"from": handset, "to": number, "weight": link["calls"]})
            linked.add(number)
    for member in known.values():
        nodes.append(
            {"id": member.href, "kind": "number", "label": _short(member.number),
             "href": member.href, "weight": member.calls}
        )  # fmt: skip
    for href, text in shown.items():
        label = f"{_short(text)} ×{len(sims.get(href, ()))}"
        nodes.append({"id": href, "kind": "handset", "label": label, "href": href})
        edges.append({"from": "site", "to": href, "weight": 1})
    edges += [{"from": "site", "to": n, "weight": 1} for n in known if n not in linked]
    for at, (type_, value, times) in enumerate(named[:_MOST_NAMED]):
        id_ = f"named-{at}"
        nodes.append({"id": id_, "kind": type_, "label": _short(value), "weight": times})
        for number in detail["named"][at]["numbers"]:
            href = names.address(masker, f"number:{number}")
            if href in known:
                edges.append({"from": href, "to": id_, "weight": times})
    return {"nodes": nodes, "edges": edges}


def _short(text: str) -> str:
    """The end of a value, for the label of a chart; of a pseudonym its letters' beginning."""
    if text.startswith("~"):
        return text[:5] + "…" + (text.partition("·")[2] and "·" + text.partition("·")[2])
    return text if len(text) <= 9 else "…" + text[-7:]


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the timeline, in percent of the ring's span. `href` is its number's page."""

    text: str
    href: str
    begin: float
    length: float
    first: datetime
    last: datetime
    calls: int


def bars(page: RingPage) -> tuple[Bar, ...]:
    """When each number was at work, the first one first."""
    if not page.members:
        return ()
    begin = min(m.first for m in page.members)
    length = max((max(m.last for m in page.members) - begin).total_seconds(), 1.0)
    some = sorted(page.members, key=lambda m: (m.first, m.last, m.href))
    return tuple(
        Bar(
            m.number,
            m.href,
            round(100 * (m.first - begin).total_seconds() / length, 2),
            round(max(100 * (m.last - m.first).total_seconds() / length, 0.4), 2),
            m.first,
            m.last,
            m.calls,
        )
        for m in some
    )
