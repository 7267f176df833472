"""From findings or a trace to the transactions of a report: each with both its accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.money.accounts import written
from cordon.money.model import CHANNELS
from cordon.money.payments import Payments

MOST = 10_000
"""Transactions of one report, the first ones by time; how many are left out is an error's text."""

_ROW_BITS = 40
_NOTHING = "Accounts were not frozen by this report; the request to do so is a package of its own."


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a transaction; what is not known is empty."""

    account: str
    bank: str = ""
    holder: str = ""
    holder_id: str = ""
    kind: str = ""
    opened: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment: where it stands in what came in (SHA-256, row), and both sides of it."""

    number: str
    at: datetime
    amount: Decimal
    currency: str
    channel: str
    sender: Party
    receiver: Party
    sha256: str
    row: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A suspicious-transaction report.

    Attributes:
        entity: who reports, as the financial intelligence unit knows it. reference: its own
            number for the report. by: who answers for it. currency: the local one.
        reason: why they are suspected, in words. indicators: kinds of the findings.
    """

    entity: str
    reference: str
    by: str
    at: datetime
    currency: str
    reason: str
    transactions: tuple[Transaction, ...]
    indicators: tuple[str, ...]
    branch: str = ""
    action: str = _NOTHING


def report_of(
    findings: Sequence[Finding],
    payments: Payments,
    accounts: pa.Table | None = None,
    *,
    entity: str,
    by: str,
    at: datetime,
    currency: str,
    shown: Callable[[str], str] | None = None,
) -> Report:
    """The report of findings over the payments that they stand on.

    A payment stands in it where a finding points at its record; where a finding points at none of
    the payments, each payment to or from an account that it names.

    Args:
        accounts: rows of the format `accounts`, or None. entity, by, at, currency: see `Report`.
        shown: how an account may be written; one that it changes is told without its holder.

    Raises:
        BadInput: there is no finding, none of the payments is meant, or too many are.
    """
    if not findings:
        raise BadInput("There is no finding to report.", advice="Give a file with at least one.")
    of = _meant(findings, payments)
    if not len(of):
        raise BadInput(
            "None of the payments given is one that the findings speak of.",
            advice="Give the files of payments in which they were found.",
        )
    if len(of) > MOST:
        raise BadInput(
            f"{len(of):,} payments are meant; a report takes {MOST:,}.",
            advice="Report fewer findings at once.",
        )
    known = _known(accounts)

    def party(index: int) -> Party:
        name = payments.accounts[index]
        told = known.get(name) or known.get(written(name)) or Party(name)
        told = replace(told, account=name)
        text = shown(name) if shown else name
        return told if text == name else Party(text, bank=told.bank)

    made = tuple(_transaction(payments, int(k), party) for k in of)
    return Report(
        entity=entity,
        reference=findings[0].id if len(findings) == 1 else f"{findings[0].id}+{len(findings) - 1}",
        by=by,
        at=at,
        currency=currency,
        reason=_reason(findings, shown),
        transactions=made,
        indicators=tuple(sorted({f.kind for f in findings})),
    )


def trace_of(told: Mapping[str, Any]) -> Finding:
    """A trace, as `cordon money trace` writes it, in the shape of a finding: its payments by FIFO.

    Raises:
        BadInput: it is no trace.
    """
    try:
        method = told["methods"]["fifo"]
        records = [RecordRef(p["record"]["sha256"], int(p["record"]["row"]))
                   for p in method["payments"]]  # fmt: skip
        sums = "; ".join(
            f"{s.get('came_in', s.get('paid_out'))} {s['currency']}" for s in method["sums"]
        )
        account = str(told["account"])
        ends = [datetime.fromisoformat(told[k]) for k in ("since", "until")]
    except (KeyError, TypeError, ValueError) as wrong:
        raise BadInput(
            f"This is no trace ({type(wrong).__name__}).",
            advice="Give what `cordon money trace --out` wrote.",
        ) from None
    says = f"{len(records)} payments carry money of {account}, traced first in, first out: {sums}."
    return Finding.make(
        kind="money.trace",
        subjects=[f"account:{account}"],
        start=ends[0],
        end=ends[1],
        confidence=1.0,
        reasons=[Reason("payments", float(len(records)), "1", None, says)],
        records=records,
        detector="money.trace",
        version="1",
    )


def _meant(findings: Iterable[Finding], p: Payments) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of the payments that are meant, by time, each once."""
    file_of = {sha256: i for i, sha256 in enumerate(p.files)}
    place = p.file.astype(np.int64) << _ROW_BITS | p.row
    meant: set[int] = set()
    for finding in findings:
        wanted = [
            file_of[r.sha256] << _ROW_BITS | r.row
            for r in finding.records
            if r.sha256 in file_of and 0 <= r.row < 1 << _ROW_BITS
        ]
        records = set(np.flatnonzero(np.isin(place, wanted)).tolist()) if wanted else set()
        if not records:
            names = {s.partition(":")[2] for s in finding.subjects if s.startswith("account:")}
            of = [i for i, a in enumerate(p.accounts) if a in names]
            hit = np.isin(p.sender, of) | np.isin(p.receiver, of)
            records = set(np.flatnonzero(hit).tolist())
        meant |= records
    return np.array(sorted(meant), np.int64)


def _transaction(p: Payments, k: int, party: Callable[[int], Party]) -> Transaction:
    record, currency = p.record(k), int(p.currency[k])
    channel = int(p.channel[k])
    return Transaction(
        number=str(p.ids[k].as_py() or f"{record.sha256[:12]}-{record.row}"),
        at=datetime.fromtimestamp(int(p.at[k]) / 1e6, UTC),
        amount=p.money(int(p.amount[k]), currency),
        currency=p.currencies[currency],
        channel=CHANNELS[channel] if channel >= 0 else "",
        sender=party(int(p.sender[k])),
        receiver=party(int(p.receiver[k])),
        sha256=record.sha256,
        row=record.row,
    )


def _known(accounts: pa.Table | None) -> dict[str, Party]:
    if accounts is None:
        return {}
    columns = ["account", "bank", "holder_name", "holder_id", "kind", "opened"]
    told = {}
    for row in accounts.select(columns).to_pylist():
        opened = row["opened"]
        told[written(row["account"])] = Party(
            row["account"], row["bank"] or "", row["holder_name"] or "", row["holder_id"] or "",
            row["kind"] or "", f"{opened:%Y-%m-%d}" if opened else "",
        )  # fmt: skip
    return told


def _reason(findings: Sequence[Finding], shown: Callable[[str], str] | None) -> str:
    """What the findings say; accounts that may not be written out are replaced in the words."""
    lines = []
    for finding in findings:
        text = " ".join(r.says for r in finding.reasons)
        names = [s.partition(":")[2] for s in finding.subjects if s.startswith("account:")]
        for name in sorted(names, key=len, reverse=True) if shown else ():
            text = text.replace(name, shown(name)) if shown else text
        lines.append(f"{finding.kind}, confidence {finding.confidence:.2f}: {text}")
    return "\n".join([*lines, "A finding is a lead for a person to judge, never a verdict."])
