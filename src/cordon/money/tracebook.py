"""Traces that a node makes as jobs and keeps: of an account, or of what a ring's victims paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import select

from cordon.kernel import pseudonyms
from cordon.kernel.access.model import Actor, Authority, Mark, Thing
from cordon.kernel.bringing import source_of
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.leads import list_findings
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import View, Work
from cordon.money import keeping
from cordon.money.accounts import written
from cordon.money.payments import Payments
from cordon.money.reaching import Reach
from cordon.money.tables import TraceRow
from cordon.money.traceparts import detail, detail_back, parts, parts_back
from cordon.money.tracing.backward import backward
from cordon.money.tracing.forward import HOPS, follow, forward

if TYPE_CHECKING:
    from cordon.money.service import Money

MAKE, LOOK = "money.trace.make", "money.trace.view"
DATASET = "money.traces"
MOST_HOPS = 20
_LONGEST = 100
Ints = NDArray[np.int64]


def ask_account(
    room: Money,
    actor: Actor,
    account: str,
    *,
    way: str = "forward",
    since: datetime | None = None,
    until: datetime | None = None,
    hops: int = HOPS,
) -> tuple[str, str]:
    """Queue a trace of an account; return ids of the trace and of its job.

    Raises:
        AuthorityRefused: none that covers the account is chosen. BadInput: it cannot be asked so.
    """
    name = written(account)
    if not name or len(name) > _LONGEST:
        raise BadInput("That is no account.", advice="Write it as the payments do.")
    if way not in ("forward", "back"):
        raise BadInput("A trace goes forward or back.")
    if not 1 <= hops <= MOST_HOPS:
        raise BadInput(f"A trace follows 1 to {MOST_HOPS} payments.")
    with room.kernel.work(actor) as work:
        thing = Thing(
            "account", pseudonyms.pseudonym(room.kernel.masker, f"account:{name}"),
            room.kernel.agency,
        )  # fmt: skip
        authority = work.under_authority(MAKE, thing, "payments", f"account:{name}")
        room.remember(work, [name])
        row = _row(work, authority, "account", f"account:{name}", way, hops, since, until)
        # not the account: a job's title stands on pages that show no personal data
        return row.id, _ask(room, work, row, f"Money · {authority.reference}")


def ask_ring(room: Money, actor: Actor, ring: str, *, hops: int = HOPS) -> tuple[str, str]:
    """Queue a trace of what a ring's victims paid; return ids of the trace and of its job.

    Raises:
        AuthorityRefused: the authority chosen does not cover payments, or the ring was found under
            another one. NotFound: there is no such ring.
    """
    with room.kernel.work(actor) as work:
        told = room.calls.ring_told(work, ring)
        authority = work.under_authority(MAKE, told.thing, "payments", None)
        if told.authority != authority.id:
            raise AuthorityRefused(
                "The ring was found under another authority.", advice="Choose that one."
            )
        row = _row(work, authority, "ring", told.id, "forward", hops, None, None)
        return row.id, _ask(room, work, row, f"Money · {told.name}")


def _row(
    work: Work,
    authority: Authority,
    about: str,
    subject: str,
    way: str,
    hops: int,
    since: datetime | None,
    until: datetime | None,
) -> TraceRow:
    row = TraceRow(
        id=new_id(),
        agency=work.kernel.agency,
        mark=Mark.AMBER,
        created_at=work.now,
        authority=authority.id,
        about=about,
        subject=subject,
        way=way,
        hops=hops,
        since=since,
        until=until,
        job="",
        state="asked",
        detail={},
    )
    work.session.add(row)
    work.session.flush()
    work.act(MAKE, row.thing(), way=way, hops=hops)
    return row


def _ask(room: Money, work: Work, row: TraceRow, title: str) -> str:
    row.job = room.jobs.ask(work, "money.trace", title, {"trace": row.id}, unit="payments")
    return row.job


def run(job: Running, room: Money) -> Mapping[str, Any]:
    """Follow the money and keep what came of it; the payments behind each figure as columns."""
    kernel = room.kernel
    with job.step() as work:
        row = work.session.get_one(TraceRow, str(job.params["trace"]))
        subject = row.subject if row.about == "account" else None
        authority = work.under_authority(MAKE, row.thing(), "payments", subject)
        if authority.id != row.authority:
            raise AuthorityRefused(
                "The trace was asked for under another authority.", advice="Choose that one."
            )
        of = keeping.kept(work, authority)
        told = room.calls.ring_told(work, row.subject) if row.about == "ring" else None
        named = _accounts(room, work, told) if told is not None else {}
        id_, way, hops = row.id, row.way, row.hops
        since, until = row.since, row.until
        job.save(work, {}, done=0, stage="reading payments")
    reach = (
        Reach(list(named), hops=hops)
        if told is not None
        else Reach([subject_name(subject)], way == "back", hops, since, until)
    )
    payments = keeping.payments_of(kernel.columns, of, engine=kernel.columns.engine, reach=reach)
    with job.step() as work:
        job.save(work, {}, done=0, total=len(payments), stage="following")
    if told is not None:
        sources = sources_of(payments, named, room)
        if not len(sources):
            raise NotFound(
                "No payment into an account of this ring came in under this authority.",
                advice="Bring in payments, and look for accounts that were paid after calls.",
            )
        trace = follow(payments, "", sources, hops)
        kept, table = detail(trace), parts(trace)
        kept["accounts"] = [{"account": a, "by": by} for a, (by, _) in sorted(named.items())]
    else:
        kept, table = _followed(payments, subject_name(subject), way, since, until, hops)
    with job.step() as work:
        work.under_authority(MAKE, Thing.room("money", kernel.agency), "payments", subject)
        row = work.session.get_one(TraceRow, id_)
        source = source_of(id_, row.authority)
        path = kernel.columns.write(DATASET, source, 0, table)
        work.session.add(
            SegmentRow(
                id=new_id(),
                agency=kernel.agency,
                mark=row.mark,
                created_at=work.now,
                dataset=DATASET,
                source=source,
                part=0,
                rows=len(table),
                starts=None,
                ends=None,
                path=path,
                authority=row.authority,
            )
        )
        row.detail, row.state = kept, "done"
        total = len(payments)
        report = {"trace": id_, "traced": kept["count"], "left_out": kept["left_out"]}
        work.act(MAKE, row.thing(), payments=len(table))
        job.save(work, {}, done=total, total=total, stage="done", report=report)
    return report


def _followed(
    payments: Payments,
    account: str,
    way: str,
    since: datetime | None,
    until: datetime | None,
    hops: int,
) -> tuple[dict[str, Any], pa.Table]:
    try:
        if way == "back":
            gone = backward(payments, account, since=since, until=until, hops=hops)
            return detail_back(gone), parts_back(gone)
        trace = forward(payments, account, since=since, until=until, hops=hops)
    except BadInput:  # its words name the account, and an error stands on the page of the job
        paid = "made by" if way == "back" else "into"
        raise NotFound(
            f"No payment {paid} the account in that span came in under this authority.",
            advice="Widen the span, or choose another authority.",
        ) from None
    return detail(trace), parts(trace)


def subject_name(subject: str | None) -> str:
    """The account of `account:…`."""
    return (subject or "").removeprefix("account:")


def _accounts(room: Money, view: View, told: Any) -> dict[str, tuple[str, frozenset[str]]]:
    """Accounts that a ring's victims may have paid: how they are known, and who paid them.

    Payers are pseudonyms, of a finding that says who paid after a call; empty where nobody knows.
    """
    found: dict[str, tuple[str, frozenset[str]]] = {
        written(account): (by, frozenset())
        for account, by in told.accounts
        if by in ("complaint", "bound")
    }
    for number in sorted(told.numbers):
        for kept in list_findings(view, kind="money.call_then_pay", subject=f"number:{number}"):
            for subject in kept.finding.subjects:
                if subject.startswith("account:"):
                    account = subject.removeprefix("account:")
                    before = found.get(account, ("", frozenset()))[1]
                    payers = before | frozenset(kept.finding.extra.get("payers", ()))
                    found[account] = ("called", payers)
    return found


def sources_of(p: Payments, named: Mapping[str, tuple[str, frozenset[str]]], room: Money) -> Ints:
    """Payments by victims into a ring's accounts; all into those whose payers nobody knows."""
    at = {name: i for i, name in enumerate(p.accounts)}
    own = {at[a]: payers for a, (_, payers) in named.items() if a in at}
    if not own:
        return np.zeros(0, np.int64)
    inside = np.zeros(len(p.accounts), bool)
    inside[list(own)] = True
    some = np.flatnonzero(inside[p.receiver] & ~inside[p.sender])
    masker = room.kernel.masker
    masked: dict[int, str] = {}
    kept = []
    for k, sender, receiver in zip(
        some.tolist(), p.sender[some].tolist(), p.receiver[some].tolist(), strict=True
    ):
        payers = own[receiver]
        if payers and sender not in masked:
            masked[sender] = masker.mask("account", p.accounts[sender])
        if not payers or masked[sender] in payers:
            kept.append(k)
    return np.array(kept, np.int64)


def row_of(view: View, id_: str) -> TraceRow:
    """A kept trace; NotFound where there is none."""
    row = view.session.get(TraceRow, id_)
    if row is None:
        raise NotFound("There is no such trace.")
    view.permit(LOOK, row.thing())
    return row


def traces_of(view: View, subject: str, at_most: int = 20) -> list[TraceRow]:
    """Traces of an account (`account:…`) or ring (its id), newest first."""
    rows = view.session.scalars(
        select(TraceRow)
        .where(TraceRow.subject == subject)
        .order_by(TraceRow.id.desc())
        .limit(at_most)
    )
    return [r for r in rows if view.may(LOOK, r.thing())]


def moment(text: str) -> datetime | None:
    """What was typed as a moment (RFC 3339) or a day, in UTC; None where nothing was.

    Raises:
        BadInput: it is neither.
    """
    text = text.strip()
    if not text:
        return None
    return parse_time(f"{text}T00:00:00Z" if len(text) == 10 else text)


__all__ = ["ask_account", "ask_ring", "moment", "row_of", "run", "traces_of"]
