"""What of findings and a case would go to another agency, just as it would leave.

What no authority of the officer covers, and what the agreement does not name as a class of
personal data, is left out, not masked: a pseudonym could be compared with a second list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cordon.cases import Case, Cases, Exhibit
from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.access.model import Thing as Asking
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, TooLarge
from cordon.kernel.ids import global_id
from cordon.kernel.leads import KeptFinding
from cordon.kernel.masking import PERSONAL, redact
from cordon.kernel.work import Kernel, Sight, View, personal_data
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import (
    AgencyKind,
    Agreement,
    Answer,
    DataClass,
    Doing,
    Handling,
    Marks,
    Purpose,
    Question,
)
from cordon.sharing.releases.model import MOST_PARTS, Left, Part, Preview

SEND = "sharing.release.send"
_PSEUDONYM = re.compile(r"~[a-z2-7]{12}(?:·\d{1,4})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an officer wants to give.

    Attributes:
        to: agency. findings: ids. case: number or id, with its exhibits and findings.
        agreement: id of the one that it is to go under, or None: the one that lets most go.
        grade: the officer's, of the source and of what it says.
    """

    to: str
    purpose: Purpose
    findings: tuple[str, ...] = ()
    case: str | None = None
    handling: frozenset[Handling] = frozenset({Handling.H0})
    caveats: frozenset[AgencyKind] = frozenset()
    agreement: str | None = None
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that could go: how it is named, and how its part is made for an agreement."""

    ref: str
    class_: str
    title: str
    mark: Mark
    part: Callable[[frozenset[str]], Part]


class Gathering:
    """Makes previews."""

    def __init__(self, kernel: Kernel, cases: Cases, agreements: Agreements) -> None:
        self.kernel = kernel
        self._cases = cases
        self._agreements = agreements

    def preview(self, actor: Actor, asked: Asked) -> Preview:
        """What would leave, and what would not and why.

        Raises:
            BadInput: nothing was chosen. NotFound: a finding or case that is not there.
            TooLarge: more than `MOST_PARTS` things.
        """
        shown = self._cases.view(actor, asked.case) if asked.case else None
        with self.kernel.view(actor) as view:
            view.permit(SEND, Asking.room("sharing", self.kernel.agency))
            ids = list(dict.fromkeys(asked.findings))
            things: list[Thing] = []
            if shown is not None:
                things += _of_case(
                    shown.case, [e.exhibit for e in shown.exhibits], self.kernel.agency
                )
                ids += [f.id for f in shown.findings if f.visible and f.id not in ids]
            if len(ids) > MOST_PARTS:
                raise TooLarge(f"A release has at most {MOST_PARTS} things.", advice="Choose.")
            kept = [leads.get_finding(view, id_) for id_ in ids]
            things += [finding_thing(view, one) for one in kept]
            if not things:
                raise BadInput("Nothing was chosen.", advice="Choose findings or a case.")
            return self._weighed(view, asked, things)

    def _weighed(self, view: View, asked: Asked, things: Sequence[Thing]) -> Preview:
        best: tuple[Agreement, list[Answer]] | None = None
        for agreement in self._agreements.between(view, asked.to):
            if asked.agreement not in (None, agreement.id):
                continue
            answers = self.answers(view, agreement, asked, [(t.class_, t.mark) for t in things])
            if best is None or _count(answers) > _count(best[1]):
                best = agreement, answers
        parts: list[Part] = []
        left: list[Left] = []
        if best is None:
            left = [Left(t.ref, t.class_, t.title, ("nothing",)) for t in things]
        else:
            agreement, answers = best
            covered = self._personal(view, agreement, asked)
            for thing, answer in zip(things, answers, strict=True):
                if answer.allowed:
                    parts.append(thing.part(covered))
                else:
                    left.append(Left(thing.ref, thing.class_, thing.title, answer.against))
        marks = Marks.strictest(
            [
                Marks(Mark.CLEAR, asked.handling, asked.caveats, asked.grade),
                *(Marks(p.mark) for p in parts),
            ]
        )
        goes = best[0] if best is not None and parts else None
        return Preview(
            asked.to, asked.purpose, goes.id if goes else None, marks, tuple(parts), tuple(left),
            view.now + timedelta(days=goes.terms.retention_days) if goes else None,
        )  # fmt: skip

    def answers(
        self, view: View, agreement: Agreement, asked: Asked, things: Iterable[tuple[str, Mark]]
    ) -> list[Answer]:
        """What an agreement says to giving things of these classes and marks."""
        questions = [
            Question(
                Doing.SEE, asked.to, agreement.terms.roles, self.kernel.agency, self.kernel.agency,
                class_, asked.purpose, mark, asked.handling, asked.caveats, view.now,
                grade=asked.grade,
            )
            for class_, mark in things
        ]  # fmt: skip
        return self._agreements.decides_all(view, questions, agreement.id)

    def _personal(self, view: View, agreement: Agreement, asked: Asked) -> frozenset[str]:
        """Kinds of personal data that may go in clear, where an authority covers them too."""
        kinds = sorted(c for c in DataClass if c.startswith("personal."))
        said = self.answers(view, agreement, asked, [(c, Mark.CLEAR) for c in kinds])
        return frozenset(c.partition(".")[2] for c, a in zip(kinds, said, strict=True) if a.allowed)


def finding_thing(view: View, kept: KeptFinding) -> Thing:
    """A finding as something that could go."""
    ref = global_id(kept.agency, kept.finding.id)
    class_ = f"findings.{kept.finding.kind.partition('.')[0]}"
    return Thing(ref, class_, kept.title, kept.mark, lambda c: _finding(view, kept, ref, c))


def _finding(view: View, kept: KeptFinding, ref: str, covered: frozenset[str]) -> Part:
    """The finding without what may not go.

    Args:
        covered: kinds of personal data that the agreement lets go in clear.
    """
    finding = kept.finding
    kinds = {personal_data(s) for s in finding.subjects} & covered
    sights: dict[str, Sight] = {
        data: view.sight(SEND, kept.thing(), data, finding.subjects)
        for data in sorted(k for k in kinds if k)
    }

    def clear(subject: str) -> bool:
        if subject.partition(":")[0] not in PERSONAL:
            return True
        data = personal_data(subject)
        return data in sights and sights[data].shows(subject, finding.start)

    subjects = [s for s in finding.subjects if clear(s)]
    told = view.kernel.masker.mask_finding(finding, clear).to_dict()
    body = {n: told[n] for n in _KEPT if told[n] is not None} | {"subjects": subjects}
    body["reasons"] = [
        {**r, "says": _PSEUDONYM.sub("[withheld]", r["says"])} for r in told["reasons"]
    ]
    withheld = {
        "subjects": len(finding.subjects) - len(subjects), "records": len(finding.records),
        "details": len(finding.extra),
    }  # fmt: skip
    class_ = DataClass(f"findings.{finding.kind.partition('.')[0]}")
    return Part(ref, class_, kept.title, kept.mark, body, {k: n for k, n in withheld.items() if n})


_KEPT = (
    "kind", "start", "end", "place", "radius_m", "confidence", "reasons", "detector", "version",
)  # fmt: skip


def _of_case(case: Case, exhibits: Iterable[Exhibit], agency: str) -> list[Thing]:
    """A case's facts and the list of its exhibits, without officers, units or file names."""
    ref, title = global_id(agency, case.id), redact(case.title)
    facts = {
        "number": case.number, "title": title, "state": case.state.value,
        "seriousness": case.seriousness, "opened_at": format_time(case.opened_at),
    }  # fmt: skip
    listed = [
        {
            "label": e.label, "kind": e.kind.value, "sha256": e.sha256, "size": e.size,
            "media_type": e.media_type, "received_at": format_time(e.received_at),
        }
        for e in exhibits
    ]  # fmt: skip
    made = [
        Thing(ref, DataClass.CASES, title, case.mark,
              lambda _c: Part(ref, DataClass.CASES, title, case.mark, facts, {})),
    ]  # fmt: skip
    if listed:
        of = f"{ref}/exhibits"
        body = {"exhibits": listed}
        left = {"titles": len(listed)}
        made.append(
            Thing(of, DataClass.EXHIBITS, title, case.mark,
                  lambda _c: Part(of, DataClass.EXHIBITS, title, case.mark, body, left))
        )  # fmt: skip
    return made


def _count(answers: Iterable[Answer]) -> int:
    return sum(a.allowed for a in answers)
