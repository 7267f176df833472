"""Bank-to-customer statements: ISO 20022 camt.053, and camt.052 and camt.054, told alike.

Source: ISO 20022 message definition report, Bank-to-Customer Cash Management. The namespace's
version says nothing here: the elements that are read are the same in versions 2 to 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from cordon.money.bank.told import Clock, Told, short
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


def read(raw: IO[bytes], name: str, clock: Clock) -> Iterator[Told]:
    """Payments of a statement, each once for its own account."""
    # the account stands before its entries, and an entry within no other
    account = bank = ""
    for one in trees(raw, ("Acct", "Bal", "Ntry"), name):
        if one.tag == "Acct":
            account = _account(one)
            bank = one.said("Svcr/FinInstnId/BICFI", "Svcr/FinInstnId/BIC", "Svcr/FinInstnId/Nm")
        elif one.tag == "Bal":
            held = one.one("Amt")
            if (
                held is not None
                and one.said("Tp/CdOrPrtry/Cd") == "OPBD"
                and one.said("CdtDbtInd") == "CRDT"
            ):
                day = one.said("Dt/DtTm", "Dt/Dt")
                clock.opens(day, account, held.text.strip(), held.attributes.get("Ccy", ""))
        else:
            yield from _entry(one, account, bank, clock)


def _entry(entry: Tree, account: str, bank: str, clock: Clock) -> Iterator[Told]:
    status = entry.said("Sts/Cd", "Sts/Prtry", "Sts") or "BOOK"
    if status != "BOOK":
        yield Told(entry.line, refused="it is not booked yet")
        return
    way = entry.said("CdtDbtInd")
    if not account or way not in ("CRDT", "DBIT"):
        what = "its statement names no account" if not account else "it says neither in nor out"
        yield Told(entry.line, refused=what)
        return
    details = entry.all("NtryDtls", "TxDtls")
    booked = entry.said("BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt")
    for number, detail in enumerate(details or [Tree("TxDtls", {}, entry.line)], 1):
        amount = detail.one("Amt") or detail.one("AmtDtls", "TxAmt", "Amt")
        if amount is None:
            if len(details) > 1:
                yield Told(detail.line, refused="one of several in an entry, it has no amount")
                continue
            amount = entry.one("Amt")
        # what is carried over from one currency to another is told in the account's own
        if amount is None or amount.text.strip() == "":
            yield Told(entry.line, refused="it has no amount")
            continue
        turned = detail.said("CdtDbtInd") or way
        other = detail.one("RltdPties", "DbtrAcct" if turned == "CRDT" else "CdtrAcct")
        far = _account(other) if other is not None else ""
        back = _taken_back(entry, detail)
        if back and (not far or far == account):
            # parties of what is given back keep the parts that they had in it
            same = detail.one("RltdPties", "CdtrAcct" if turned == "CRDT" else "DbtrAcct")
            far = _account(same) if same is not None else far
        channel = _channel(entry, detail)
        if not far:
            far = _unnamed(channel, account)
            clock.notes["the other account is not named"] += 1
        channel = "refund" if back else channel
        ends = (far, account) if turned == "CRDT" else (account, far)
        agent = "DbtrAgt" if turned == "CRDT" else "CdtrAgt"
        beyond = detail.said(
            f"RltdAgts/{agent}/FinInstnId/BICFI", f"RltdAgts/{agent}/FinInstnId/BIC"
        )
        banks = (beyond, bank) if turned == "CRDT" else (bank, beyond)
        moment = clock.moment(detail.said("RltdDts/AccptncDtTm") or booked)
        yield Told(
            detail.line,
            (
                _name(entry, detail, account, number), moment, *ends, amount.text.strip(),
                amount.attributes.get("Ccy"), channel, banks[0] or None, banks[1] or None,
                short(detail.said("RmtInf/Ustrd") or entry.said("AddtlNtryInf")),
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


def _name(entry: Tree, detail: Tree, account: str, number: int) -> str:
    """What names the payment at both banks where anything does; else its place in the statement."""
    both = detail.said("Refs/UETR", "Refs/TxId", "Refs/InstrId")
    if both:
        return both
    own = detail.said("Refs/AcctSvcrRef") or entry.said("AcctSvcrRef", "NtryRef")
    return f"{account}/{own or entry.line}/{number}"


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
