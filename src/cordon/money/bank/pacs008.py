"""Credit transfers between banks: ISO 20022 pacs.008.

Source: ISO 20022 message definition report, Payments Clearing and Settlement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from cordon.money.bank.pacs004 import NAMES
from cordon.money.bank.told import Clock, Told, reference, references, short
from cordon.money.bank.trees import Tree, trees


def read(raw: IO[bytes], name: str, clock: Clock) -> Iterator[Told]:
    """Payments of a message, one a credit transfer."""
    made = message = ""
    number = 0
    for one in trees(raw, ("GrpHdr", "CdtTrfTxInf"), name):
        if one.tag == "GrpHdr":
            made, message, number = one.said("CreDtTm"), one.said("MsgId"), 0
            continue
        number += 1
        amount = one.one("IntrBkSttlmAmt") or one.one("Amt", "InstdAmt")
        ends = [_account(one, end) for end in ("Dbtr", "Cdtr")]
        if not all(ends) or amount is None or not amount.text.strip():
            missing = "an account" if amount is not None else "an amount"
            yield Told(one.line, refused=f"it does not name {missing}")
            continue
        moment = one.said("AccptncDtTm", "SttlmTmIndctn/CdtDtTm", "SttlmTmIndctn/DbtDtTm") or made
        moment = moment or one.said("IntrBkSttlmDt")
        countries = {a[:2] for a in ends if a[:2].isalpha() and a[2:4].isdigit()}
        yield Told(
            one.line,
            (
                _name(one, message, number, moment),
                clock.moment(moment),
                *ends,
                amount.text.strip(),
                amount.attributes.get("Ccy"),
                "foreign" if len(countries) > 1 else "transfer",
                _bank(one, "Dbtr"),
                _bank(one, "Cdtr"),
                short(one.said("RmtInf/Ustrd", "Purp/Cd")),
                clock.precision(moment),
                None,
                references(*(one.said(f"PmtId/{n}") for n in NAMES)),
            ),
        )


def _name(one: Tree, message: str, number: int, moment: str) -> str:
    """What names the payment at every bank, else its place in its message: an instruction's id and
    an end-to-end id are whatever who pays wrote, as RENT."""
    everywhere = reference(one.said("PmtId/UETR"), one.said("PmtId/TxId"))
    own = reference(one.said("PmtId/InstrId"), one.said("PmtId/EndToEndId"))
    return everywhere or f"{reference(message)}/{moment[:10]}/{own}/{number}"


def _account(one: Tree, end: str) -> str:
    return one.said(f"{end}Acct/Id/IBAN", f"{end}Acct/Id/Othr/Id", f"{end}Acct/Prxy/Id")


def _bank(one: Tree, end: str) -> str | None:
    agent = f"{end}Agt/FinInstnId"
    return one.said(f"{agent}/BICFI", f"{agent}/ClrSysMmbId/MmbId", f"{agent}/Nm") or None
