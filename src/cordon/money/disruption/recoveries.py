"""Recovery on a node: from what a bank froze to what may be returned, and the report of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from cordon.kernel.access.model import Actor, Authority, Mark
from cordon.kernel.errors import AuthorityRefused, BadUsage, Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.leads import get_finding
from cordon.kernel.work import View, Work
from cordon.money.disruption import complained, reading
from cordon.money.disruption.drafting import source
from cordon.money.disruption.known import accounts_known, complaints_known, payments_known
from cordon.money.disruption.model import Kind, Package, State
from cordon.money.disruption.recovering import victims
from cordon.money.disruption.seeing import under
from cordon.money.disruption.service import Disruption
from cordon.money.disruption.tables import PackageRow, RecoveryRow
from cordon.money.payments import Payments
from cordon.money.reporting import as_xml, report_of

VIEW, COUNT = "money.recovery.view", "money.recovery.count"
EXPORT, REPORT = "money.recovery.export", "money.package.export"
SUMS = ("lost", "frozen", "returned", "complained", "alone")
JOB = "money.recovery"
RULE = (
    "Money is traced first in, first out. What was frozen on an account is returned to those "
    "whose money is found there, in proportion to it and to nobody more than that."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A victim as a reader may see them; `returned` by the frozen account, written so too.

    Attributes:
        complained: what their complaints tell in this currency; None where none tells a sum.
        complaints: ids of complaints about what they paid, as the reader may see them.
    """

    account: str
    currency: str
    lost: Decimal
    stays: Decimal
    left: Decimal
    share: Decimal
    returned: tuple[tuple[str, Decimal], ...]
    complained: Decimal | None = None
    complaints: tuple[str, ...] = ()

    @property
    def apart(self) -> Decimal:
        """What the complaints tell above what was paid; below 0 where they tell less."""
        return Decimal(0) if self.complained is None else self.complained - self.lost


@dataclass(frozen=True, slots=True)
class Said:
    """A complaint as a reader may see it.

    Attributes:
        account: that it names or means. payer, payments, paid, paid_currency: who paid, in how
            many payments, what they come to; without a payment "", 0, 0, "". why: of
            `complained.Why`. again: id of the complaint that told the same loss before.
    """

    id: str
    received: date
    account: str
    amount: Decimal | None
    currency: str
    payer: str
    payments: int
    paid: Decimal
    paid_currency: str
    why: tuple[str, ...]
    again: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a freeze request brought back.

    Attributes:
        lines: a victim each, who lost most first; empty where it was not worked out yet.
        complaints: about the ring, the surest first.
        sums: by currency: `SUMS`, of which `complained` is what complaints tell and `alone` what
            those tell of it for which no payment was found. worked_out: whether it was.
        masked: how many accounts are masked. may_count, may_export: what the reader may do.
    """

    package: str
    name: str
    state: State
    addressee: str
    reference: str
    lines: tuple[Line, ...]
    complaints: tuple[Said, ...]
    sums: Mapping[str, Mapping[str, Decimal]]
    worked_out: bool
    masked: int
    may_count: bool
    may_export: bool


def listed(room: Disruption, actor: Actor) -> list[Recovery]:
    """Freeze requests that were answered, the newest first, with their sums alone."""
    with room.kernel.view(actor) as view:
        view.permit(VIEW, room.room())
        rows = view.session.scalars(
            select(PackageRow)
            .where(
                PackageRow.agency == room.kernel.agency,
                PackageRow.kind == Kind.FREEZE,
                PackageRow.sent_at.is_not(None),
            )
            .order_by(PackageRow.id.desc())
            .limit(200)
        )
        mine = [r for r in rows if view.may(VIEW, r.thing())]
        return [recovery_of(view, row, lines=False) for row in mine]


def ask(room: Disruption, actor: Actor, package: str) -> str:
    """Queue the work; return the job's id. Raises Conflict, AuthorityRefused."""
    with room.kernel.work(actor) as work:
        row = reading.find(work.session, package)
        work.permit(COUNT, row.thing())
        _check(work, row)
        return room.jobs.ask(work, JOB, row.name, {"package": row.id}, unit="victims")


def run(room: Disruption, job: Running) -> Mapping[str, Any]:
    """Trace what was paid into the ring's accounts, and share out what was frozen."""
    left_out: list[str] = []
    with job.step() as work:
        row = reading.find(work.session, str(job.params["package"]))
        _check(work, row)
        package = reading.package(work.session, row)
        ring, numbers = _named(work, package)
        held = {
            (item.value, item.currency): package.answer.frozen[place]
            for place, item in enumerate(package.items, 1)
            if package.answer and place in package.answer.frozen
        }
        payments = _payments(room, work)
        region = room.country.phone_region
        accounts = accounts_known(work, _chosen(work), region)
        tables = complaints_known(work, _chosen(work), region, left_out)
        offset = work.now.astimezone(room.country.zone).utcoffset() or timedelta(0)
        work.act(COUNT, row.thing(), name=row.name)
    as_paid = complained.as_paid(payments, ring)
    frozen: dict[tuple[str, str], Decimal] = {}
    for (account, currency), amount in held.items():
        pot = as_paid.get(account, account), currency
        frozen[pot] = frozen.get(pot, Decimal(0)) + amount
    found = victims(payments, set(as_paid.values()), frozen)
    tied = complained.tied(
        complained.told(tables, offset), payments, set(as_paid.values()), numbers=numbers,
        phones=_phones(accounts, payments), offset=offset,
    )  # fmt: skip
    complaints = [_complaint_values(t) for t in tied]
    of = _by_payer(tied)
    lines = [
        {
            "account": v.account,
            "currency": v.currency,
            "lost": str(v.lost),
            "stays": str(v.stays),
            "left": str(v.left),
            "returned": {account: str(sum_) for account, sum_ in v.returned.items()},
            **of.get((v.account, v.currency), {}),
        }
        for v in found
    ]
    told: dict[str, dict[str, Decimal]] = {}
    for (_, currency), amount in frozen.items():
        _add(told, currency, "frozen", amount)
    for v in found:
        _add(told, v.currency, "lost", v.lost)
        _add(told, v.currency, "returned", v.share)
    for t in tied:
        if t.complaint.amount is not None and not t.again:
            currency = t.complaint.currency or t.currency or room.country.currency
            _add(told, currency, "complained", t.complaint.amount)
            if not t.payments:
                _add(told, currency, "alone", t.complaint.amount)
    with job.step() as work:
        kept = _kept(work, row.id)
        if kept is None:
            kept = RecoveryRow(
                id=new_id(), agency=row.agency, mark=Mark(row.mark), package=row.id, method="fifo"
            )
            work.session.add(kept)
        kept.created_at = work.now
        kept.lines, kept.complaints = lines, complaints
        kept.sums = {c: {k: str(v) for k, v in of.items()} for c, of in told.items()}
        work.session.flush()
        report = {"victims": len(lines), "complaints": len(complaints), "left_out": left_out}
        job.save(work, {}, done=len(lines), total=len(lines), stage="done", report=report)
    return report


def shown(room: Disruption, actor: Actor, package: str) -> Recovery:
    """What a freeze request brought back; accounts that no authority covers are masked."""
    with room.kernel.view(actor) as view:
        row = freeze(view, package)
        view.permit(VIEW, row.thing())
        return recovery_of(view, row, lines=True)


def report(room: Disruption, actor: Actor, package: str) -> tuple[str, bytes]:
    """The suspicious-transaction report of a package's findings, as XML; its name and bytes."""
    with room.kernel.work(actor) as work:
        row = reading.find(work.session, package)
        work.permit(REPORT, row.thing())
        whole = reading.package(work.session, row)
        if not under(work, row.authority):
            reference = reading.read_under(work.session, row)
            raise AuthorityRefused(
                f"Payments are reported under the authority {reference} alone.",
                advice="Choose that authority.",
            )
        named = [i.subject for i in whole.items if i.type == "account"]
        sight = work.sight(REPORT, row.thing(), "payments", named)
        payments = _payments(room, work)
        table = accounts_known(work, _chosen(work), room.country.phone_region)
        findings = [get_finding(work, g.finding).finding for g in whole.grounds]
        accounts = tuple(sorted({s for f in findings for s in f.subjects} | set(named)))
        # what a ring's finding points at are calls: its accounts are what the report is about
        findings = [
            replace(f, subjects=accounts, reasons=tuple(
                r for r in work.kernel.masker.mask_finding(f, sight.shows).reasons))
            for f in findings
        ]  # fmt: skip
        made = report_of(
            findings, payments, table, entity=room.kernel.agency, at=work.now,
            by=", ".join(n for n in (actor.name, reading.unit_name(work.session, actor.unit)) if n),
            currency=room.country.currency,
            shown=lambda a: sight.subject(f"account:{a}").partition(":")[2],
        )  # fmt: skip
        work.act(REPORT, row.thing(), name=row.name, form="xml", payments=len(made.transactions))
    return f"{row.name}-str.xml", as_xml(made)


def _add(sums: dict[str, dict[str, Decimal]], currency: str, name: str, amount: Decimal) -> None:
    of = sums.setdefault(currency, dict.fromkeys(SUMS, Decimal(0)))
    of[name] += amount


def freeze(view: View, package: str) -> PackageRow:
    row = reading.find(view.session, package)
    if row.kind != Kind.FREEZE or row.sent_at is None:
        raise BadUsage(f"{row.name} is no freeze request that was sent.",
                       advice="Choose one of the list.")  # fmt: skip
    return row


def _check(work: Work, row: PackageRow) -> None:
    freeze(work, row.id)
    if row.answer is None or not row.answer.get("frozen"):
        raise Conflict(
            f"It is not written down yet what was frozen by {row.name}.",
            advice="Write the bank's answer down first, with the sums.",
        )
    if not under(work, row.authority):
        reference = reading.read_under(work.session, row)
        raise AuthorityRefused(
            f"Payments are traced under the authority {reference} alone.",
            advice="Choose that authority.",
        )
    work.under_authority(COUNT, row.thing(), "payments", None)


def _kept(view: View, package: str) -> RecoveryRow | None:
    return view.session.scalar(select(RecoveryRow).where(RecoveryRow.package == package))


def _named(work: Work, package: Package) -> tuple[set[str], set[str]]:
    """Accounts and numbers that the package names, and that its ring is tied to."""
    items = list(package.items)
    if package.ring:
        items += source(work, ring=package.ring).items
    return (
        {i.value for i in items if i.type == "account"},
        {i.value for i in items if i.type == "number"},
    )


def _phones(accounts: pa.Table | None, payments: Payments) -> dict[str, set[str]]:
    """Accounts that are bound to each number, as the payments write them."""
    found: dict[str, set[str]] = {}
    if accounts is None:
        return found
    rows = zip(accounts["account"].to_pylist(), accounts["phone"].to_pylist(), strict=True)
    bound = [(account, phone) for account, phone in rows if phone]
    as_paid = complained.as_paid(payments, {account for account, _ in bound})
    for account, phone in bound:
        found.setdefault(phone, set()).add(as_paid[account])
    return found


def _day(days: int) -> str:
    return datetime.fromtimestamp(days * 86_400, UTC).date().isoformat()


def _complaint_values(tied: complained.Tied) -> dict[str, Any]:
    one = tied.complaint
    return {
        "id": one.id,
        "received": _day(one.received),
        "account": tied.account or one.account or "",
        "amount": None if one.amount is None else str(one.amount),
        "currency": one.currency or tied.currency,
        "payer": tied.payer,
        "payments": len(tied.payments),
        "paid": str(tied.paid),
        "paid_currency": tied.currency,
        "why": [str(w) for w in tied.why],
        "again": tied.again,
    }


def _by_payer(tied: Sequence[complained.Tied]) -> dict[tuple[str, str], dict[str, Any]]:
    """Of each payer and currency what complaints tell: ids, and their sum where one tells it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    owner = {t.complaint.id: (t.payer, t.currency) for t in tied if t.payments}
    for t in tied:
        pot = owner.get(t.again or t.complaint.id)
        if pot is None:
            continue
        of = found.setdefault(pot, {"complaints": [], "complained": None})
        of["complaints"].append(t.complaint.id)
        one = t.complaint
        if not t.again and one.amount is not None and one.currency in (None, pot[1]):
            of["complained"] = str(Decimal(of["complained"] or 0) + one.amount)
    return found


def _payments(room: Disruption, view: View) -> Payments:
    return payments_known(view, _chosen(view), room.country.phone_region)


def _chosen(view: View) -> Authority:
    """The authority that the actor works under; `under` was asked of it before."""
    assert view.actor.authority is not None
    return view.actor.authority


def recovery_of(view: View, row: PackageRow, *, lines: bool) -> Recovery:
    kept = _kept(view, row.id)
    told = kept.lines if kept is not None and lines else []
    said = kept.complaints if kept is not None and lines else []
    subjects = {f"account:{one['account']}" for one in (*told, *said) if one["account"]}
    subjects |= {f"account:{a}" for one in told for a in one["returned"]}
    clear = _clear(view, row, subjects)
    masker = view.kernel.masker
    chosen = view.actor.authority
    everybody = (
        chosen is not None and under(view, row.authority) and chosen.scope.covers("payments", None)
    )

    def name(account: str) -> str:
        subject = f"account:{account}"
        return account if subject in clear else masker.mask("account", account)

    # a complaint is shown with the account that it names; one that names none, to whom may see all
    open_ = {
        c["id"] for c in said if (f"account:{c['account']}" in clear if c["account"] else everybody)
    }

    def named(id_: str) -> str:
        return id_ if id_ in open_ else masker.mask("complaint", id_)

    made = []
    for one in told:
        returned = tuple((name(a), Decimal(v)) for a, v in sorted(one["returned"].items()))
        tells = one.get("complained")
        made.append(
            Line(
                name(one["account"]), one["currency"], Decimal(one["lost"]), Decimal(one["stays"]),
                Decimal(one["left"]), sum((v for _, v in returned), Decimal(0)), returned,
                None if tells is None else Decimal(tells),
                tuple(named(c) for c in one.get("complaints", ())),
            )
        )  # fmt: skip
    complaints = tuple(
        Said(
            named(c["id"]), date.fromisoformat(c["received"]),
            name(c["account"]) if c["account"] else "",
            None if c["amount"] is None else Decimal(c["amount"]), c["currency"],
            name(c["payer"]) if c["payer"] else "", c["payments"], Decimal(c["paid"]),
            c["paid_currency"], tuple(c["why"]), named(c["again"]) if c["again"] else "",
        )
        for c in said
    )  # fmt: skip
    sums = kept.sums if kept is not None else {}
    return Recovery(
        row.id, row.name, State(row.state), row.addressee if clear or not lines else "",
        row.reference, tuple(made), complaints,
        {c: dict.fromkeys(SUMS, Decimal(0)) | {k: Decimal(v) for k, v in of.items()}
         for c, of in sums.items()},
        kept is not None, len(subjects - clear),
        bool(row.answer and row.answer.get("frozen"))
        and view.may(COUNT, row.thing()) and under(view, row.authority),
        view.may(EXPORT, row.thing()),
    )  # fmt: skip


def _clear(view: View, row: PackageRow, subjects: Iterable[str]) -> set[str]:
    some = sorted(subjects)
    if not some or not under(view, row.authority):
        return set()
    sight = view.sight(VIEW, row.thing(), "payments", some)
    return {s for s in some if sight.shows(s)}
