"""A search over a node's own payments, joined with its calls where an authority covers both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cordon.kernel import pseudonyms
from cordon.kernel.access.model import Authority, Mark, Thing
from cordon.kernel.findings import Finding
from cordon.kernel.jobs import Running
from cordon.kernel.leads import keep
from cordon.kernel.masking import Masker
from cordon.kernel.work import Work
from cordon.money import keeping
from cordon.money.detectors.data import MoneyData
from cordon.money.find import detected

if TYPE_CHECKING:
    from cordon.money.service import Money

ACT = "money.record.search"


def run(job: Running, room: Money, mark: Mark) -> Mapping[str, Any]:
    """Search what an authority let in, and keep what was found as leads."""
    kernel, thing = room.kernel, Thing.room("money", room.kernel.agency)
    left_out: list[str] = []
    with job.step() as work:
        authority = work.under_authority(ACT, thing, "payments", None)
        of = keeping.kept(work, authority)
        said = room.calls.spoken(work, authority) if _covers_calls(authority) else None
    payments = keeping.payments_of(kernel.columns, of, engine=kernel.columns.engine)
    left_out += payments.left_out
    job.check()
    accounts = keeping.accounts_of(kernel.columns, of)
    # complaints that came in beside the calls name accounts too
    files = {**(said.complaints if said else {}), **of.complaints}
    dates = said.dates if said else {}
    complaints = keeping.complaints_of(kernel, files, room.region, left_out, dates)
    contacts = None
    if said is None:
        left_out.append(
            "The authority does not cover everybody's calls: who was called before they paid "
            "was not looked for."
        )
    elif not said.paths:
        left_out.append("No call was brought in under this authority.")
    else:
        named = _named(complaints)
        if not said.ring_of:
            left_out.append(
                "No ring was found in the calls of this authority: only numbers that complaints "
                "name are suspected. Look for call centres first."
            )
        contacts = room.calls.contacts(said, named, of.scope)
    rings = said.ring_of if said else {}
    data = MoneyData(payments, accounts, complaints, contacts, {}, left_out, rings)
    findings = detected(data, lambda _what, _share: job.check())
    with job.step() as work:
        work.under_authority(ACT, thing, "payments", None)
        at = data.at
        findings = [_without_others(f, at, work.kernel.masker) for f in findings]
        made, grown = keep(work, findings, room.cards, mark=mark)
        _remember(work, {s for f in findings for s in f.subjects})
        told = {"findings": len(findings), "new": len(made), "grown": len(grown)}
        work.act(ACT, thing, payments=len(payments), **told)
        report = {**told, "left_out": list(dict.fromkeys(left_out))}
        total = len(payments)
        job.save(work, {}, done=total, total=total, stage="done", report=report)
    return report


def _without_others(finding: Finding, known: Mapping[str, int], masker: Masker) -> Finding:
    """The finding with every account beside its subjects as its pseudonym.

    Who reads a lead may see its subjects under an authority; others, such as who paid, are found
    again by their pseudonyms.
    """
    own = {s.partition(":")[2] for s in finding.subjects}

    def through(value: Any) -> Any:
        if isinstance(value, str):
            return masker.mask("account", value) if value in known and value not in own else value
        if isinstance(value, dict):
            return {through(str(k)): through(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [through(v) for v in value]
        return value

    return replace(finding, extra=through(finding.extra))


def _covers_calls(authority: Authority) -> bool:
    return authority.scope.covers("calls", None)


def _named(complaints: pa.Table | None) -> set[str]:
    if complaints is None:
        return set()
    return {n for n in complaints["suspect_number"].to_pylist() if n}


def _remember(work: Work, subjects: set[str]) -> None:
    """Let pseudonyms of accounts lead to their pages."""
    masker = work.kernel.masker
    accounts = (s for s in subjects if s.startswith("account:"))
    pseudonyms.remember(work, {pseudonyms.pseudonym(masker, s): s for s in accounts})
