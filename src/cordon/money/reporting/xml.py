"""A report as XML: written element by element, so that no text can be anything but text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from cordon.money.reporting.building import Party, Report, Transaction

# XML 1.0 §2.2: what no document may hold, escaped or not
_NEVER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST = {"reason": 8000, "action": 4000, "transaction_description": 4000}

Node = tuple[str, "str | Sequence[Node]"]


def as_xml(report: Report) -> bytes:
    """The report in UTF-8, by `str.xsd`. It declares no document type and so no entity."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', *_lines(_report(report), 0)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _lines(node: Node, deep: int) -> Iterator[str]:
    name, content = node
    space = "  " * deep
    if isinstance(content, str):
        yield f"{space}<{name}>{_text(name, content)}</{name}>"
        return
    yield f"{space}<{name}>"
    for one in content:
        yield from _lines(one, deep + 1)
    yield f"{space}</{name}>"


def _text(name: str, text: str) -> str:
    clean = _NEVER.sub("\ufffd", text)
    return escape(clean[: _LONGEST.get(name, 255)])


def _report(r: Report) -> Node:
    return (
        "report",
        [
            ("rentity_id", r.entity),
            *_maybe("rentity_branch", r.branch),
            ("submission_code", "E"),
            ("report_code", "STR"),
            ("entity_reference", r.reference),
            ("submission_date", _when(r.at)),
            ("currency_code_local", r.currency),
            ("reporting_person", [("last_name", r.by)]),
            ("reason", r.reason),
            ("action", r.action),
            *(_transaction(t, r.currency) for t in r.transactions),
            ("report_indicators", [("indicator", i) for i in r.indicators]),
        ],
    )


def _transaction(t: Transaction, local: str) -> Node:
    amount: list[Node] = (
        [("amount_local", f"{t.amount:f}")]
        if t.currency == local
        else [
            (
                "foreign_currency",
                [("foreign_currency_code", t.currency), ("foreign_amount", f"{t.amount:f}")],
            )
        ]
    )
    return (
        "transaction",
        [
            ("transactionnumber", t.number),
            ("internal_ref_number", f"{t.sha256}/{t.row}"),
            *_maybe("transaction_description", t.note),
            ("date_transaction", _when(t.at)),
            ("transmode_code", t.channel or "untold"),
            *amount,
            ("t_from", _party("from", t.sender)),
            ("t_to", _party("to", t.receiver)),
        ],
    )


def _party(side: str, party: Party) -> list[Node]:
    account: list[Node] = [
        *_maybe("institution_name", party.bank),
        ("account", party.account),
        *_maybe("personal_account_type", party.kind),
        *_maybe("opened", party.opened),
    ]
    if party.holder or party.holder_id:
        holder = [*_maybe("last_name", party.holder), *_maybe("id_number", party.holder_id)]
        account.append(("signatory", [("t_person", holder)]))
    return [(f"{side}_account", account)]


def _maybe(name: str, text: str) -> list[Node]:
    return [(name, text)] if text else []


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
