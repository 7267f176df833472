"""Bank-to-customer statements: ISO 20022 camt.053, and camt.052 and camt.054, told alike.

Source: ISO 20022 message definition report, Bank-to-Customer Cash Management. The namespace's
version says nothing here: the elements that are read are the same in versions 2 to 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import IO

from cordon.money.bank.pacs004 import NAMES
from cordon.money.bank.told import Clock, Told, reference, references, short
from cordon.money.bank.trees import Tree, trees

ROOTS = ("Stmt", "Rpt", "Ntfctn")
# Family and sub-family of bank transaction codes (external code set 2Q2024)
_CHANNELS = {
    "CWDL": "cash_out", "CHKD": "cash_out", "CDPT": "cash_in", "POSD": "card", "SMRT": "card",
    "XBCT": "foreign", "XBDD": "foreign", "XRCD": "foreign",
}  # fmt: skip
_FAMILIES = {
    "CCRD": "card", "MCRD": "card", "RCDT": "transfer", "ICDT": "transfer", "RRCT": "transfer",
    "IRCT": "transfer", "CNTR": None,
}  # fmt: skip

_RETURNS = {"RRTN", "RPCR", "PRDD"}  # returned, cancelled at request, direct debit reversed


@dataclass(slots=True)
class _Statement:
    """What stands before a statement's entries: its own id, whose it is, entries so far."""

    id: str = ""
    account: str = ""
    bank: str = ""
    entries: int = 0
    is_page: bool = False  # one of several: a balance may be of them all
    balances: dict[str, tuple[int, Decimal, str]] = field(default_factory=dict)
    moved: Decimal = Decimal()
    is_whole: bool = True  # each booked entry has an amount in the currency of the balances


def read(raw: IO[bytes], name: str, clock: Clock) -> Iterator[Told]:
    """Payments of a statement, each once for its own account."""
    # id and account stand before the entries, and an entry within no other
    of = _Statement()
    for one in trees(raw, ("Id", "StmtPgntn", "RptPgntn", "Acct", "RltdAcct", "Bal", "Ntry"), name):
        if one.tag == "Id" and one.text.strip():
            _closes(of, clock)
            of = _Statement(reference(one.text))
        elif one.tag.endswith("Pgntn"):
            of.is_page = one.said("PgNb").lstrip("0") != "1" or one.said("LastPgInd") == "false"
        elif one.tag == "Acct":
            of.account = _account(one)
            agent = "Svcr/FinInstnId"
            of.bank = one.said(f"{agent}/BICFI", f"{agent}/BIC", f"{agent}/Nm")
        elif one.tag == "Bal":
            _opens(one, of.account, clock)
            _balance(one, of)
        elif one.tag == "Ntry":
            of.entries += 1
            _moves(one, of)
            yield from _entry(one, of, clock)
    _closes(of, clock)


def _balance(balance: Tree, of: _Statement) -> None:
    told, way = _sum(balance.one("Amt")), balance.said("CdtDbtInd")
    kind = balance.said("Tp/CdOrPrtry/Cd")
    if told is None or told.amount is None or way not in ("CRDT", "DBIT"):
        return
    held = told.amount if way == "CRDT" else -told.amount
    # the first of each kind: a closing balance of money on the way follows with a sub-type
    of.balances.setdefault(kind, (balance.line, held, told.currency or ""))


def _moves(entry: Tree, of: _Statement) -> None:
    if (entry.said("Sts/Cd", "Sts/Prtry", "Sts") or "BOOK") != "BOOK":
        return
    told, way = _sum(entry.one("Amt")), entry.said("CdtDbtInd")
    currencies = {currency for _, _, currency in of.balances.values()}
    if told is None or told.amount is None or {told.currency} != currencies or not way:
        of.is_whole = False
        return
    of.moved += told.amount if way == "CRDT" else -told.amount


def _closes(of: _Statement, clock: Clock) -> None:
    """Hold a whole statement's closing balance against its opening one and its entries."""
    opening = of.balances.get("OPBD") or of.balances.get("PRCD")
    closing = of.balances.get("CLBD")
    if opening and closing and of.is_whole and not of.is_page and opening[2] == closing[2]:
        clock.closes(closing[0], opening[1], of.moved, closing[1])


def _opens(balance: Tree, account: str, clock: Clock) -> None:
    held = balance.one("Amt")
    is_opening = balance.said("Tp/CdOrPrtry/Cd") == "OPBD" and balance.said("CdtDbtInd") == "CRDT"
    if held is not None and is_opening:
        day = balance.said("Dt/DtTm", "Dt/Dt")
        clock.opens(day, account, held.text.strip(), held.attributes.get("Ccy", ""))


def _entry(entry: Tree, of: _Statement, clock: Clock) -> Iterator[Told]:
    status = entry.said("Sts/Cd", "Sts/Prtry", "Sts") or "BOOK"
    if status != "BOOK":
        yield Told(entry.line, refused="it is not booked yet")
        return
    way = entry.said("CdtDbtInd")
    if not of.account or way not in ("CRDT", "DBIT"):
        what = "its statement names no account" if not of.account else "it says neither in nor out"
        yield Told(entry.line, refused=what)
        return
    whole = _sum(entry.one("Amt"))
    details = entry.all("NtryDtls", "TxDtls")
    rest = whole.amount if whole is not None else None
    for number, detail in enumerate(details or [Tree("TxDtls", {}, entry.line)], 1):
        sum_ = _of_detail(detail, whole)
        if len(details) > 1 and sum_ is None:
            yield Told(detail.line, refused="one of several in an entry, it has no amount")
            continue
        if len(details) < 2 and (sum_ is None or (whole and sum_.currency != whole.currency)):
            sum_ = whole  # what is carried over between currencies is told in the account's own
        if sum_ is None:
            yield Told(entry.line, refused="it has no amount")
            continue
        turned = detail.said("CdtDbtInd") or way
        yield _payment(entry, detail, of, clock, turned=turned, sum_=sum_, number=number)
        if whole is not None and sum_.currency != whole.currency:
            clock.notes["a part of an entry is in another currency than the entry"] += 1
            rest = None  # nothing is converted, so that nobody can tell what is left
        elif rest is not None and sum_.amount is not None:
            rest += sum_.amount if turned != way else -sum_.amount
    if whole is not None and rest is not None and rest > 0:
        clock.notes[
            "the parts of an entry come to less than it; the rest was taken as one more"
        ] += 1
        bare = Tree("TxDtls", {}, (details or [entry])[-1].line)
        left = _Sum(format(rest, "f"), rest, whole.currency)
        yield _payment(entry, bare, of, clock, turned=way, sum_=left, number=len(details) + 1)
    elif rest is not None and rest < 0:
        clock.notes["the parts of an entry come to more than it; they were taken as they are"] += 1


@dataclass(frozen=True, slots=True)
class _Sum:
    """An amount as it is written, what that is where it is one, and its currency."""

    text: str
    amount: Decimal | None
    currency: str | None


def _sum(told: Tree | None) -> _Sum | None:
    if told is None or not told.text.strip():
        return None
    text, amount = told.text.strip(), None
    with suppress(InvalidOperation):
        amount = Decimal(text)
    is_one = amount is not None and amount.is_finite()
    return _Sum(text, amount if is_one else None, told.attributes.get("Ccy"))


def _of_detail(detail: Tree, whole: _Sum | None) -> _Sum | None:
    """What a part of an entry tells, in the entry's currency where it tells it in several."""
    paths = (("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "CntrValAmt", "Amt"))
    told = [s for path in paths if (s := _sum(detail.one(*path))) is not None]
    own = [s for s in told if whole is not None and s.currency == whole.currency]
    return next(iter(own or told), None)


def _payment(
    entry: Tree, detail: Tree, of: _Statement, clock: Clock, *, turned: str, sum_: _Sum, number: int
) -> Told:
    account, comes = of.account, turned == "CRDT"
    other = detail.one("RltdPties", "DbtrAcct" if comes else "CdtrAcct")
    far = _account(other) if other is not None else ""
    back = _taken_back(entry, detail)
    if back and (not far or far == account):
        # parties of what is given back keep the parts that they had in it
        same = detail.one("RltdPties", "CdtrAcct" if comes else "DbtrAcct")
        far = _account(same) if same is not None else far
    channel = _channel(entry, detail)
    if not far:
        far = _unnamed(channel, account)
        clock.notes["the other account is not named"] += 1
    channel = "refund" if back else channel
    agent = f"RltdAgts/{'DbtrAgt' if comes else 'CdtrAgt'}/FinInstnId"
    beyond = detail.said(f"{agent}/BICFI", f"{agent}/BIC")
    ends, banks = (account, far), (of.bank, beyond)
    if comes:
        ends, banks = (far, account), (beyond, of.bank)
    booked = entry.said("BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt")
    moment = detail.said("RltdDts/AccptncDtTm") or booked
    return Told(
        detail.line,
        (
            _name(entry, detail, of, number, booked), clock.moment(moment), *ends, sum_.text,
            sum_.currency, channel, banks[0] or None, banks[1] or None,
            short(detail.said("RmtInf/Ustrd") or entry.said("AddtlNtryInf")),
            clock.precision(moment), "to" if comes else "from",
            references(*(detail.said(f"Refs/{n}") for n in NAMES)),
        ),
    )  # fmt: skip


def _taken_back(entry: Tree, detail: Tree) -> bool:
    """True where it is a reversal or return: by the mark, its information, or its code."""
    kinds = {tree.said("BkTxCd/Domn/Fmly/SubFmlyCd") for tree in (detail, entry)}
    return (
        entry.said("RvslInd") in ("true", "1")
        or detail.one("RtrInf") is not None
        or bool(kinds & _RETURNS)
    )


def _account(tree: Tree) -> str:
    return tree.said("Id/IBAN", "Id/Othr/Id", "Id/BBAN")


def _name(entry: Tree, detail: Tree, of: _Statement, number: int, booked: str) -> str:
    """What names the payment at every bank, or the entry at its own; else its place in its
    statement, because an entry's number begins with 1 in each."""
    everywhere = reference(detail.said("Refs/UETR"), detail.said("Refs/TxId"))
    if everywhere:
        return everywhere
    own = reference(detail.said("Refs/AcctSvcrRef"), entry.said("AcctSvcrRef"))
    if own:
        return f"{of.account}/{own}/{number}"
    place = f"{reference(entry.said('NtryRef'))}/{of.entries}/{number}"
    return f"{of.account}/{of.id}/{booked[:10]}/{place}"


def _channel(entry: Tree, detail: Tree) -> str | None:
    for tree in (detail, entry):
        kind = tree.said("BkTxCd/Domn/Fmly/SubFmlyCd")
        family = tree.said("BkTxCd/Domn/Fmly/Cd")
        if kind in _CHANNELS:
            return _CHANNELS[kind]
        if family in _FAMILIES:
            return _FAMILIES[family]
    return None


def _unnamed(channel: str | None, account: str) -> str:
    """Another account that a statement does not name: one for each account and way, no more."""
    return f"unnamed:{channel or 'payment'}:{account}"
