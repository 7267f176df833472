"""Payments returned between banks: ISO 20022 pacs.004.

Source: ISO 20022 message definition report, Payments Clearing and Settlement. The parties stand as
they were in the payment that is returned: who was paid then gives back now. Which payment that
was its references say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from cordon.money.bank.told import Clock, Told, reference, references, short
from cordon.money.bank.trees import Tree, trees

NAMES = ("UETR", "TxId", "EndToEndId", "InstrId", "ClrSysRef")
"""What a payment between banks is named by."""


def read(raw: IO[bytes], name: str, clock: Clock) -> Iterator[Told]:
    """Payments of a message, one a return."""
    made = message = ""
    number = 0
    for one in trees(raw, ("GrpHdr", "TxInf"), name):
        if one.tag == "GrpHdr":
            made, message, number = one.said("CreDtTm"), one.said("MsgId"), 0
            continue
        number += 1
        amount = one.one("RtrdIntrBkSttlmAmt") or one.one("RtrdInstdAmt")
        paid, was_paid = (_account(one, end) for end in ("Dbtr", "Cdtr"))
        if not paid or not was_paid or amount is None or not amount.text.strip():
            missing = "an account" if amount is not None else "an amount"
            yield Told(one.line, refused=f"it does not name {missing}")
            continue
        named = reference(*(one.said(n) for n in ("RtrId", "OrgnlUETR", "OrgnlTxId")))
        original = reference(*(one.said(n) for n in ("OrgnlInstrId", "OrgnlEndToEndId")))
        reason = one.said("RtrRsnInf/Rsn/Cd", "RtrRsnInf/Rsn/Prtry", "RtrRsnInf/AddtlInf")
        moment = one.said("SttlmTmIndctn/CdtDtTm", "SttlmTmIndctn/DbtDtTm") or made
        moment = moment or one.said("IntrBkSttlmDt")
        # what only its payer named is named by its place in the message
        named = named or f"{reference(message)}/{moment[:10]}/{original}/{number}"
        yield Told(
            one.line,
            (
                # an id of its own: the returned payment's is that payment's
                f"return/{named}",
                clock.moment(moment),
                was_paid,
                paid,
                amount.text.strip(),
                amount.attributes.get("Ccy"),
                "refund",
                _bank(one, "Cdtr"),
                _bank(one, "Dbtr"),
                short(reason),
                clock.precision(moment),
                None,
                references(*(one.said(f"Orgnl{n}") for n in NAMES)),
            ),
        )


def _account(one: Tree, end: str) -> str:
    path = f"OrgnlTxRef/{end}Acct/Id"
    return one.said(f"{path}/IBAN", f"{path}/Othr/Id", f"OrgnlTxRef/{end}Acct/Prxy/Id")


def _bank(one: Tree, end: str) -> str | None:
    agent = f"OrgnlTxRef/{end}Agt/FinInstnId"
    return one.said(f"{agent}/BICFI", f"{agent}/ClrSysMmbId/MmbId", f"{agent}/Nm") or None
