"""The page of a trace: three methods side by side, the flow, what stays, and per payer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cordon.kernel import pseudonyms
from cordon.kernel.access.model import Actor
from cordon.kernel.bringing import source_of
from cordon.kernel.clock import parse_time
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import Sight, View, Work
from cordon.money.flowdrawing import Picture, drawn
from cordon.money.model import CHANNELS, Method
from cordon.money.tables import TraceRow
from cordon.money.tracebook import DATASET, LOOK, row_of, traces_of

if TYPE_CHECKING:
    from cordon.money.service import Money

PAGE, MOST_PAGES, MOST_HELD, MOST_PAYERS = 50, 1000, 50, 50
METHODS = tuple(m.value for m in Method)
ENDS = ("left", "entered", "beyond", "again")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a trace is asked for; each stands in the address.

    Attributes:
        hop: or -1 for any. giver, taker: pseudonyms, or empty.
    """

    method: str = "fifo"
    currency: str = ""
    ends: str = ""
    channel: str = ""
    giver: str = ""
    taker: str = ""
    hop: int = -1
    page: int = 1


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it may be shown, with its page."""

    text: str
    href: str
    name: str  # the pseudonym by which its payments are asked for


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of methods: `ends` and `channel` lead to its payments."""

    what: str
    channel: str
    ends: str
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Held:
    """An account where money still stands (or that paid what nobody told of), by method."""

    account: Account
    amounts: Mapping[str, Decimal]
    hop: int


@dataclass(frozen=True, slots=True)
class Payer:
    """Who paid into the account, and where that money is by one method."""

    account: Account
    times: int
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Part:
    """A payment behind a figure: how much of it is traced; its id only where covered."""

    at: datetime
    id: str
    giver: Account
    taker: Account
    channel: str
    traced: Decimal
    of: Decimal
    hop: int
    sha256: str
    row: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A payment and when a refund gave it back; neither is followed."""

    at: datetime
    giver: Account
    taker: Account
    amount: Decimal
    currency: str
    back_at: datetime


@dataclass(frozen=True, slots=True)
class TracePage:
    """One trace, as the authority chosen lets it be seen.

    Attributes:
        covered: True where accounts stand in clear. about: the account, or None for a ring's.
        ring: id and name of the ring, or None. accounts: of a ring, with how they are known.
        lines: of the table of methods, in one currency. picture: of one method and currency.
        held_in_all, payers_in_all: how many there are; the largest are listed.
        names: accounts of the picture by name. given_back: payments set against refunds, some.
    """

    row: TraceRow
    covered: bool
    about: Account | None
    ring: tuple[str, str] | None
    accounts: Sequence[tuple[Account, str]]
    count: int
    since: str
    until: str
    currencies: Sequence[str]
    asked: Asked
    lines: Sequence[Line]
    picture: Picture | None
    flows_in_all: int
    flows_drawn: int
    names: Mapping[str, Account]
    held: Sequence[Held]
    held_in_all: int
    payers: Sequence[Payer]
    payers_in_all: int
    parts: Sequence[Part]
    parts_in_all: int
    left_out: Sequence[str]
    given_back: Sequence[GivenBack] = ()
    given_back_in_all: int = 0


def trace(room: Money, actor: Actor, id_: str, asked: Asked) -> TracePage:
    """A trace; under the authority that it was made under in clear, else masked.

    Raises:
        NotFound: there is no such trace.
    """
    with room.kernel.work(actor) as work:
        row = row_of(work, id_)
        ring = None
        if row.about == "ring":
            told = room.calls.ring_told(work, row.subject)
            ring = (told.id, told.name)
        return _page(work, room, row, ring, asked)


def ring_traces(
    room: Money, actor: Actor, ring: str, asked: Asked
) -> tuple[tuple[str, str], TracePage | None, list[TraceRow], list[tuple[Account, str]]]:
    """A ring's money: its id and name, its newest trace, all its traces, and what is tied to it.

    Raises:
        NotFound: there is no such ring.
    """
    with room.kernel.work(actor) as work:
        told = room.calls.ring_told(work, ring)
        work.permit(LOOK, room.thing())
        rows = traces_of(work, told.id)
        done = next((r for r in rows if r.state == "done"), None)
        name = (told.id, told.name)
        page = _page(work, room, done, name, asked) if done is not None else None
        own = {a for a, _ in told.accounts}
        sight = _sight(work, told.authority, told.thing, own)
        room.remember(work, own)
        tied = [(_account(room, sight, a), by) for a, by in told.accounts[:MOST_HELD]]
        return name, page, rows, tied


def _sight(work: View, authority: str, thing: Any, accounts: Iterable[str]) -> Sight:
    """What may be seen of accounts: in clear only under the authority that they came in under."""
    chosen = work.actor.authority
    if chosen is None or chosen.id != authority:
        return Sight("payments", None, work.kernel.masker)
    return work.sight(LOOK, thing, "payments", [f"account:{a}" for a in accounts])


def _account(room: Money, sight: Sight, account: str) -> Account:
    subject = f"account:{account}"
    masker = room.kernel.masker
    return Account(
        sight.subject(subject).partition(":")[2],
        room.address(subject),
        pseudonyms.pseudonym(masker, subject),
    )


def _page(
    work: Work, room: Money, row: TraceRow, ring: tuple[str, str] | None, asked: Asked
) -> TracePage:
    said: Mapping[str, Any] = row.detail
    methods: Mapping[str, Any] = said.get("methods", {})
    currencies = sorted({s["currency"] for m in methods.values() for s in m["sums"]})
    currency = asked.currency if asked.currency in currencies else next(iter(currencies), "")
    method = asked.method if asked.method in methods else next(iter(methods), METHODS[0])
    asked = Asked(
        method, currency, asked.ends, asked.channel, asked.giver, asked.taker, asked.hop,
        min(max(asked.page, 1), MOST_PAGES),
    )  # fmt: skip
    mine = methods.get(method, {})
    picture = drawn(mine.get("flows", ()), currency, row.way, row.hops)
    rows, count = _rows(work, room, row, asked)
    held, held_in_all = _held(methods, currency)
    payers = [p for p in mine.get("payers", ()) if p["currency"] == currency]
    own = row.subject.removeprefix("account:") if row.about == "account" else ""
    tied = said.get("accounts", ())
    names = {own} if own else set()
    names |= {n.name for n in picture.nodes if n.kind == "account"} if picture else set()
    names |= {b for band in (picture.bands if picture else ()) for b in (band.giver, band.taker)}
    names |= {h[0] for h in held} | {p["account"] for p in payers[:MOST_PAYERS]}
    names |= {r[e] for r in rows for e in ("from_account", "to_account")}
    names |= {a["account"] for a in tied}
    back = said.get("given_back", ())[:MOST_HELD]
    names |= {one[end] for one in back for end in ("from", "to")}
    names.discard("")
    sight = _sight(work, row.authority, row.thing(), names)
    room.remember(work, names)
    shown = {name: _account(room, sight, name) for name in names}
    covered = sight.authority is not None
    return TracePage(
        row=row,
        covered=covered,
        about=shown.get(own),
        ring=ring,
        accounts=[(shown[a["account"]], a["by"]) for a in tied],
        count=said.get("count", 0),
        since=said.get("since", ""),
        until=said.get("until", ""),
        currencies=currencies,
        asked=asked,
        lines=_lines(methods, currency, row.way),
        picture=picture,
        flows_in_all=mine.get("flows_in_all", 0),
        flows_drawn=len(mine.get("flows", ())),
        names=shown,
        held=[Held(shown[a], amounts, hop) for a, amounts, hop in held],
        held_in_all=held_in_all,
        payers=[
            Payer(
                shown[p["account"]],
                p["times"],
                {n: Decimal(p[n]) for n in ("amount", "left", "stays", "beyond", "again")},
            )
            for p in payers[:MOST_PAYERS]
        ],
        payers_in_all=mine.get("payers_in_all", 0),
        parts=[_part(r, shown, covered) for r in rows],
        parts_in_all=count,
        left_out=said.get("left_out", ()),
        given_back=[
            GivenBack(
                parse_time(g["at"]), shown[g["from"]], shown[g["to"]], Decimal(g["amount"]),
                g["currency"], parse_time(g["back_at"]),
            )
            for g in back
        ],
        given_back_in_all=said.get("given_back_in_all", 0),
    )  # fmt: skip


def _lines(methods: Mapping[str, Any], currency: str, way: str) -> list[Line]:
    """The sums of each method in one currency, side by side; lines of nothing left out."""
    sums: dict[str, Mapping[str, Any]] = {
        name: next((s for s in m["sums"] if s["currency"] == currency), {})
        for name, m in methods.items()
    }

    def line(what: str, ends: str = "", channel: str = "") -> Line:
        amounts = {}
        for name, s in sums.items():
            told = s.get(what, {}).get(channel, "0") if channel else s.get(what, "0")
            amounts[name] = Decimal(told)
        return Line(what, channel, ends, amounts)

    if way == "back":
        found = [line("paid_out")]
        found += [line("entered", "entered", c) for c in CHANNELS]
        found += [line("unknown"), line("beyond", "beyond"), line("again", "again")]
    else:
        found = [line("came_in"), line("mixed_in")]
        found += [line("left", "left", c) for c in CHANNELS]
        found += [line("stays"), line("beyond", "beyond"), line("again", "again")]
    always = ("came_in", "stays", "paid_out", "unknown")
    return [one for one in found if one.what in always or any(one.amounts.values())]


def _held(
    methods: Mapping[str, Any], currency: str
) -> tuple[list[tuple[str, dict[str, Decimal], int]], int]:
    """Accounts where money stays (forward) or that paid of unknown money (back), by method."""
    found: dict[str, dict[str, Decimal]] = {}
    hops: dict[str, int] = {}
    for name, m in methods.items():
        for one in m.get("stays", m.get("unknown", ())):
            if one["currency"] == currency and Decimal(one["amount"]) > 0:
                found.setdefault(one["account"], {})[name] = Decimal(one["amount"])
                hop = one.get("hop", 0)
                hops[one["account"]] = min(hops.get(one["account"], hop), hop)
    ranked = sorted(found, key=lambda a: (-max(found[a].values()), a))
    return [(a, found[a], hops[a]) for a in ranked[:MOST_HELD]], len(ranked)


def _rows(view: View, room: Money, row: TraceRow, asked: Asked) -> tuple[list[dict[str, Any]], int]:
    """A page of the payments behind a figure, the largest first, and how many there are."""
    path = view.session.scalar(
        select(SegmentRow.path).where(
            SegmentRow.dataset == DATASET,
            SegmentRow.source == source_of(row.id, row.authority),
        )
    )
    if path is None:
        return [], 0
    where = ["method = $method", "currency = $currency", "units > 0"]
    given: dict[str, Any] = {"method": asked.method, "currency": asked.currency}
    if asked.ends in ENDS:
        where.append("ends = $ends")
        given["ends"] = asked.ends
    if asked.channel in CHANNELS:
        where.append("channel = $channel")
        given["channel"] = asked.channel
    if asked.hop >= 0:
        where.append("hop = $hop")
        given["hop"] = asked.hop
    for name, column in ((asked.giver, "from_account"), (asked.taker, "to_account")):
        if name:
            subject = pseudonyms.subject_of(view, name, "account") or "account:"
            where.append(f"{column} = ${column}")
            given[column] = subject.removeprefix("account:")
    condition = " AND ".join(where)
    columns = room.kernel.columns
    with columns.connect() as db:
        db.read_parquet(str(columns.root / path)).create_view("parts")
        count = db.execute(f"SELECT count(*) FROM parts WHERE {condition}", given).fetchall()  # noqa: S608 - conditions of our own
        table: Any = db.sql(
            f"""SELECT * FROM parts WHERE {condition}
            ORDER BY units DESC, "at", payment_id, row
            LIMIT {PAGE} OFFSET {(asked.page - 1) * PAGE}""",  # noqa: S608 - conditions of our own
            params=given,
        ).to_arrow_table()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows, int(count[0][0])


def _part(r: Mapping[str, Any], shown: Mapping[str, Account], covered: bool) -> Part:
    return Part(
        r["at"],
        r["payment_id"] if covered else "",
        shown[r["from_account"]],
        shown[r["to_account"]],
        r["channel"],
        Decimal(r["units"]).scaleb(-r["digits"]),
        Decimal(r["of"]).scaleb(-r["digits"]),
        r["hop"],
        r["sha256"],
        r["row"],
    )
