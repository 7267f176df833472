"""What would and would not have gone out last month under a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from cordon.cases import Cases
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.ids import global_id
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.work import Kernel
from cordon.sharing.agreements.deciding import Standing, decide_all
from cordon.sharing.agreements.model import Answer, DataClass, Doing, Handling, Question, Terms

MONTH = timedelta(days=31)
MOST_THINGS = 20_000
MOST_CASES = 200


@dataclass(frozen=True, slots=True)
class Would:
    """One thing of the month, and for each receiver the clauses against it; none where it goes."""

    ref: str
    class_: str
    title: str
    mark: Mark
    against: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a month's things would have met.

    Attributes:
        since: aware; the month ends now. receivers: agencies other than this one.
        goes: how many would have gone, by receiver. reasons: how often each clause said no, by
            receiver. cut: there were more things than are looked at.
        graded: how many more would have gone, by receiver, with the grade that is asked for.
    """

    since: datetime
    receivers: tuple[str, ...]
    things: tuple[Would, ...]
    goes: dict[str, int]
    reasons: dict[str, dict[str, int]]
    cut: bool
    graded: dict[str, int]


def dry_run(kernel: Kernel, cases: Cases, actor: Actor, terms: Terms) -> DryRun:
    """What of this node's findings and cases of the last 31 days the actor would have given.

    Each is asked without handling codes, caveats and grade, which an officer gives with a
    release, for a purpose of the draft, as if it were
    signed and had begun. What the actor may not see is not counted.
    """
    opened = cases.list(actor, at_most=MOST_CASES)
    with kernel.view(actor) as view:
        view.permit("sharing.agreement.view", Thing.room("sharing", kernel.agency))
        since = view.now - MONTH
        marks = [
            m for m in Mark
            if view.may("findings.finding.view", Thing("finding", "-", kernel.agency, m))
        ]  # fmt: skip
        rows = view.session.execute(
            select(FindingRow.id, FindingRow.kind, FindingRow.title, FindingRow.mark)
            .where(FindingRow.created_at >= since, FindingRow.mark.in_(marks))
            .order_by(FindingRow.created_at.desc())
            .limit(MOST_THINGS + 1)
        ).all()
    things = [
        (global_id(kernel.agency, c.case.id), DataClass.CASES.value, c.case.title, c.case.mark)
        for c in opened
        if c.case.opened_at >= since
    ]
    things += [
        (
            global_id(kernel.agency, r.id),
            f"findings.{r.kind.partition('.')[0]}",
            r.title,
            Mark(r.mark),
        )
        for r in rows[:MOST_THINGS]
    ]
    receivers = tuple(p.agency for p in terms.parties if p.receives and p.agency != kernel.agency)
    said = {r: _answers(terms, kernel.agency, r, things) for r in receivers}
    return DryRun(
        since, receivers,
        tuple(
            Would(ref, class_, title, mark, {r: said[r][class_, mark].against for r in receivers})
            for ref, class_, title, mark in things
        ),
        {r: sum(said[r][c, m].allowed for _, c, m in _kinds(things)) for r in receivers},
        {
            r: dict(Counter(x for _, c, m in _kinds(things) for x in said[r][c, m].against))
            for r in receivers
        },
        len(rows) > MOST_THINGS,
        {
            r: sum(said[r][c, m].against == ("grade",) for _, c, m in _kinds(things))
            for r in receivers
        },
    )  # fmt: skip


def _kinds(things: Sequence[tuple[str, str, str, Mark]]) -> list[tuple[str, str, Mark]]:
    return [(ref, class_, mark) for ref, class_, _, mark in things]


def _answers(
    terms: Terms, giver: str, receiver: str, things: Sequence[tuple[str, str, str, Mark]]
) -> dict[tuple[str, Mark], Answer]:
    """Answers by class and mark: things that are alike in both are asked about once."""
    alike = sorted({(class_, mark) for _, class_, _, mark in things})
    questions = [
        Question(
            Doing.SEE, receiver, terms.roles, giver, giver, class_, min(terms.purposes), mark,
            frozenset({Handling.H0}), frozenset(), terms.starts,
        )
        for class_, mark in alike
    ]  # fmt: skip
    return dict(zip(alike, decide_all(terms, questions, Standing()), strict=True))
