"""What payments of one authority say of an account: in and out, with whom, who is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from cordon.kernel import pseudonyms
from cordon.kernel.access.model import Actor, Authority, Thing
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.leads import list_findings
from cordon.kernel.work import Sight, View, Work, require_authority
from cordon.money import keeping
from cordon.money.accounts import is_iban, written
from cordon.money.model import CHANNELS
from cordon.money.payments import Payments
from cordon.money.tables import TraceRow
from cordon.money.tracebook import traces_of
from cordon.money.tracing.telling import UNTOLD

if TYPE_CHECKING:
    from cordon.money.service import Money

ACT = "money.account.view"
PAGE, MOST_PAGES, MOST_OTHERS, MOST_DAYS = 50, 1000, 30, 400
_LONGEST = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000  # µs
_HELD = """
SELECT account, bank, holder_name, phone, opened, kind FROM accounts
WHERE account = $account LIMIT 1
"""
_BESIDE = "SELECT DISTINCT account FROM accounts WHERE phone = $phone ORDER BY 1 LIMIT 30"
_SHORT = """
SELECT (SELECT count(*) FROM payments WHERE from_account = $short)
     + (SELECT count(*) FROM payments WHERE to_account = $short)
"""
_LONG = """
SELECT count(*) FROM (
    SELECT from_account AS a FROM payments WHERE ends_with(from_account, $short)
    UNION SELECT to_account FROM payments WHERE ends_with(to_account, $short)
) WHERE length(a) = $length
"""


@dataclass(frozen=True, slots=True)
class Currency:
    """What an account took in and paid out in one currency; days oldest first."""

    code: str
    came_in: Decimal
    paid_out: Decimal
    times_in: int
    times_out: int
    days: Sequence[tuple[str, Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Other:
    """Who paid it or was paid by it; `text` in clear or masked, `href` its page."""

    text: str
    href: str
    currency: str
    came_in: Decimal
    paid_out: Decimal
    times: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment, with where its record stands."""

    at: datetime
    into: bool
    other: str
    href: str
    amount: Decimal
    currency: str
    channel: str
    sha256: str
    row: int


@dataclass(frozen=True, slots=True)
class Lead:
    """A finding that names the account; whom else it names is not told here."""

    id: str
    title: str
    seriousness: str
    start: datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """An account, as the authority chosen lets it be seen.

    Attributes:
        text: in clear where covered, else its pseudonym. here: its address.
        covered: False where nothing of its payments may be read; `why` says so.
        holder: as it may be shown, or empty. phone: text and page, or None.
        handsets: (text, page, calls) that the phone was used in. beside: accounts that are bound
            to the same phone, (text, page).
        payments: one page of them, newest first.
    """

    text: str
    here: str
    covered: bool
    why: str = ""
    bank: str = ""
    kind: str = ""
    opened: datetime | None = None
    holder: str = ""
    phone: tuple[str, str] | None = None
    handsets: Sequence[tuple[str, str, int]] = ()
    beside: Sequence[tuple[str, str]] = ()
    currencies: Sequence[Currency] = ()
    others: Sequence[Other] = ()
    others_in_all: int = 0
    payments: Sequence[PaymentLine] = ()
    page: int = 1
    more: bool = False
    findings: Sequence[Lead] = ()
    traces: Sequence[TraceRow] = ()


def find_account(room: Money, actor: Actor, typed: str) -> str:
    """The address of an account's page; under an authority alone, and entered.

    Raises:
        BadInput: it is none. AuthorityRefused: none that covers it is chosen.
    """
    account = written(typed)
    if not account or len(account) > _LONGEST:
        raise BadInput("That is no account.", advice="Write it as the payments do.")
    subject = f"account:{account}"
    with room.kernel.work(actor) as work:
        work.under_authority(ACT, room.thing(), "payments", subject)
        room.remember(work, [account])
    return room.address(subject)


def account_of(room: Money, actor: Actor, name: str) -> str:
    """The account that a pseudonym stands for; NotFound where no page ever led to it."""
    with room.kernel.view(actor) as view:
        view.permit(ACT, room.thing())
        return _meant(view, name).removeprefix("account:")


def _meant(view: View, name: str) -> str:
    subject = pseudonyms.subject_of(view, name, "account")
    if subject is None:
        raise NotFound(
            "Nothing is known of this pseudonym on this node.",
            advice="Open it from a finding or a trace, or look the account up.",
        )
    return subject


def account(room: Money, actor: Actor, name: str, page: int = 1) -> AccountPage:
    """The page of an account by its pseudonym.

    Each opening under an authority is entered in the ledger; without one that covers it, what is
    personal stays masked and nothing of its payments is read.

    Raises:
        NotFound: no page ever led to this pseudonym.
    """
    masker, kernel = room.kernel.masker, room.kernel
    with kernel.work(actor) as work:
        work.permit(ACT, room.thing())
        subject = _meant(work, name)
        value = subject.removeprefix("account:")
        base = AccountPage(masker.mask("account", value), room.address(subject), covered=False)
        thing = Thing("account", pseudonyms.pseudonym(masker, subject), kernel.agency)
        try:
            # asked first without the ledger: to be without an authority is no attempt at anything
            require_authority(actor, work.now, "payments", subject, None, ACT, thing)
        except AuthorityRefused as refused:
            return replace(base, why=str(refused), **_told(work, subject))
        work.act(ACT, thing)
        authority = work.under_authority(ACT, thing, "payments", subject)
        of = keeping.kept(work, authority)
        said = room.calls.spoken(work, authority) if _calls_too(work, room, authority) else None
    # outside a transaction: a long look holds up nobody
    known = _held(room, of, value)
    payments = _payments(room, of, value)
    handsets = []
    if said is not None and known.get("phone"):
        handsets = room.calls.handsets(said, [known["phone"]], authority.scope)
    with kernel.work(actor) as work:
        shown = _shown(work, room, thing, value, payments, min(max(page, 1), MOST_PAGES))
        behind = _behind(work, room, thing, known, handsets)
        return replace(base, text=value, covered=True, **shown, **behind, **_told(work, subject))


def _calls_too(work: Work, room: Money, authority: Authority) -> bool:
    return authority.scope.covers("calls", None) and work.may("calls.record.search", room.thing())


def _told(view: View, subject: str) -> dict[str, Any]:
    """Findings and traces of an account, as this actor may see them."""
    return {
        "findings": [
            Lead(k.finding.id, k.title, k.seriousness, k.finding.start)
            for k in list_findings(view, subject=subject)
            if view.may("money.finding.view", k.thing())
        ],
        "traces": traces_of(view, subject),
    }


def _held(room: Money, of: keeping.Kept, account: str) -> dict[str, Any]:
    """The account's row in the file of accounts, and what is bound to the same phone."""
    if not of.accounts:
        return {}
    with room.kernel.columns.connect() as db:
        keeping.view_accounts(db, of.accounts)
        row = db.execute(_HELD, {"account": account}).fetchone()
        if row is None:
            return {}
        names = ("account", "bank", "holder_name", "phone", "opened", "kind")
        known: dict[str, Any] = dict(zip(names, row, strict=True))
        if known["phone"]:
            same = db.execute(_BESIDE, {"phone": known["phone"]}).fetchall()
            known["beside"] = [a for (a,) in same if a != account]
        return known


def _payments(room: Money, of: keeping.Kept, account: str) -> Payments | None:
    """The account's payments, each once, however it is written; None where none came in."""
    if not of.payments:
        return None
    names = [account]
    if is_iban(account):
        short = account[4:]
        with room.kernel.columns.connect() as db:
            db.read_parquet([str(p) for p in of.payments]).create_view("payments")
            ((there,),) = db.execute(_SHORT, {"short": short}).fetchall()
            if there:  # it is this account where no other one ends alike
                asked = {"short": short, "length": len(account)}
                ((alike,),) = db.execute(_LONG, asked).fetchall()
                names += [short] if alike <= 1 else []
    found = keeping.payments_of(room.kernel.columns, of, names)
    return found if len(found) else None


def _shown(
    work: Work, room: Money, thing: Thing, account: str, p: Payments | None, page: int
) -> dict[str, Any]:
    if p is None:
        return {}
    at = {name: i for i, name in enumerate(p.accounts)}.get(account, -1)
    into = p.receiver == at
    moves = p.sender != p.receiver
    other = np.where(into, p.sender, p.receiver)
    newest = np.arange(len(p))[::-1]
    mine = newest[(page - 1) * PAGE : page * PAGE]
    ranked, in_all = _others(p, other, into, moves)
    names = {p.accounts[i] for i in (*other[mine].tolist(), *(r["other"] for r in ranked))}
    sight = work.sight(ACT, thing, "payments", [f"account:{n}" for n in names])
    room.remember(work, names)

    def shown(code: int) -> tuple[str, str]:
        subject = f"account:{p.accounts[code]}"
        return sight.subject(subject).partition(":")[2], room.address(subject)

    return {
        "currencies": _currencies(room, p, into, moves),
        "others": [Other(*shown(r["other"]), *(r[n] for n in _OTHER)) for r in ranked],
        "others_in_all": in_all,
        "payments": [
            PaymentLine(
                _time(int(p.at[k])),
                bool(into[k]),
                *shown(int(other[k])),
                p.money(int(p.amount[k]), int(p.currency[k])),
                p.currencies[p.currency[k]],
                CHANNELS[p.channel[k]] if p.channel[k] >= 0 else UNTOLD,
                p.files[p.file[k]],
                int(p.row[k]),
            )
            for k in mine.tolist()
        ],
        "page": page,
        "more": page * PAGE < len(p),
    }


_OTHER = ("currency", "came_in", "paid_out", "times", "first", "last")


def _others(p: Payments, other: Any, into: Any, moves: Any) -> tuple[list[Mapping[str, Any]], int]:
    """With whom, the most money first; and how many there are."""
    some = np.flatnonzero(moves)
    keys = other[some].astype(np.int64) * len(p.currencies) + p.currency[some]
    found, which = np.unique(keys, return_inverse=True)
    size = len(found)
    sums = {True: np.zeros(size, np.int64), False: np.zeros(size, np.int64)}
    for way, units in sums.items():
        of = into[some] == way
        np.add.at(units, which[of], p.amount[some][of])
    first, last = np.full(size, 2**62), np.full(size, -(2**62))
    np.minimum.at(first, which, p.at[some])
    np.maximum.at(last, which, p.at[some])
    times = np.bincount(which, minlength=size)
    order = np.argsort(-(sums[True] + sums[False]), kind="stable")[:MOST_OTHERS]
    ranked: list[Mapping[str, Any]] = []
    for i in order.tolist():
        who, currency = divmod(int(found[i]), len(p.currencies))
        ranked.append(
            {
                "other": who,
                "currency": p.currencies[currency],
                "came_in": p.money(int(sums[True][i]), currency),
                "paid_out": p.money(int(sums[False][i]), currency),
                "times": int(times[i]),
                "first": _time(int(first[i])),
                "last": _time(int(last[i])),
            }
        )
    return ranked, size


def _currencies(room: Money, p: Payments, into: Any, moves: Any) -> list[Currency]:
    """In and out by local day."""
    middle = _time(int(p.at[len(p) // 2]))
    offset = room.country.zone.utcoffset(middle.replace(tzinfo=None)) or timedelta(0)
    days = (p.at + int(offset.total_seconds() * 1e6)) // _DAY
    told = []
    for currency, code in enumerate(p.currencies):
        of = (p.currency == currency) & moves
        sums = {}
        for way in (True, False):
            mine = of & (into == way)
            found, which = np.unique(days[mine], return_inverse=True)
            units = np.zeros(len(found), np.int64)
            np.add.at(units, which, p.amount[mine])
            sums[way] = dict(zip(found.tolist(), units.tolist(), strict=True))
        every = sorted({*sums[True], *sums[False]})
        if not every:
            continue
        told.append(
            Currency(
                code,
                p.money(sum(sums[True].values()), currency),
                p.money(sum(sums[False].values()), currency),
                int((of & into).sum()),
                int((of & ~into).sum()),
                [
                    (
                        (_EPOCH + timedelta(days=day)).date().isoformat(),
                        p.money(sums[True].get(day, 0), currency),
                        p.money(sums[False].get(day, 0), currency),
                    )
                    for day in every[-MOST_DAYS:]
                ],
            )
        )
    return told


def _behind(
    work: Work,
    room: Money,
    thing: Thing,
    known: Mapping[str, Any],
    handsets: Sequence[tuple[str, str, int]],
) -> dict[str, Any]:
    """Who keeps and holds the account, masked where no authority covers it."""
    if not known:
        return {}
    told: dict[str, Any] = {
        "bank": known["bank"] or "",
        "kind": known["kind"] or "",
        "opened": known["opened"],
    }
    if known["holder_name"]:
        told["holder"] = _seen(work, thing, "persons", f"person:{known['holder_name']}")
    if known["phone"]:
        phones = [f"number:{known['phone']}", *(f"imei:{i}" for _, i, _ in handsets)]
        sight = work.sight(ACT, thing, "calls", phones)
        room.calls.remember(work, phones)
        pages = room.calls.pages_of(work, phones)
        told["phone"] = _linked(sight, pages, phones[0])
        told["handsets"] = [
            (*_linked(sight, pages, f"imei:{imei}"), calls) for _, imei, calls in handsets
        ]
        beside = known.get("beside", [])
        room.remember(work, beside)
        accounts = work.sight(ACT, thing, "payments", [f"account:{a}" for a in beside])
        told["beside"] = [
            (accounts.subject(s).partition(":")[2], room.address(s))
            for s in (f"account:{a}" for a in beside)
        ]
    return told


def _seen(work: Work, thing: Thing, data: str, subject: str) -> str:
    return work.sight(ACT, thing, data, [subject]).subject(subject).partition(":")[2]


def _linked(sight: Sight, pages: Mapping[str, str], subject: str) -> tuple[str, str]:
    return sight.subject(subject).partition(":")[2], pages.get(subject, "")


def _time(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
