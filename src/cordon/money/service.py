"""What the room does on a node: payments in under an authority, findings and traces out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import defer

from cordon.countries import country as facts
from cordon.kernel import pseudonyms
from cordon.kernel.access.model import Actor, Authority, Mark, Scope, Thing
from cordon.kernel.bringing import TOLD, row_moment
from cordon.kernel.cards import Card
from cordon.kernel.errors import NotFound
from cordon.kernel.jobs import JobKind, Jobs, Running
from cordon.kernel.leads import KeptFinding, list_findings
from cordon.kernel.work import Kernel, View, Work
from cordon.money import intake, searching, tracebook
from cordon.money.bank.reading import reader_of
from cordon.money.bringing import BringingMoney
from cordon.money.detectors import cards, kinds
from cordon.money.tables import MoneyFileRow

MARK = Mark.AMBER
PAGE = 50  # findings of a page
_AT_ONCE = 500


class Spoken(Protocol):
    """Calls of one authority: segments, the ring of each number that has one, complaints, and what
    was said of the order of their dates."""

    @property
    def paths(self) -> Sequence[Any]: ...
    @property
    def ring_of(self) -> Mapping[str, str]: ...
    @property
    def complaints(self) -> Mapping[str, str]: ...
    @property
    def dates(self) -> Mapping[str, str]: ...


class RingTold(Protocol):
    """A ring of the room of calls, in clear, with the accounts tied to it and how."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def authority(self) -> str: ...
    @property
    def thing(self) -> Thing: ...
    @property
    def numbers(self) -> frozenset[str]: ...
    @property
    def accounts(self) -> tuple[tuple[str, str], ...]: ...


class OfCalls(Protocol):
    """What this room asks the room of calls on a node."""

    def spoken(self, work: Work, authority: Authority) -> Any: ...
    def contacts(self, said: Any, more: Iterable[str], scope: Scope) -> pa.Table: ...
    def handsets(
        self, said: Any, numbers: Sequence[str], scope: Scope
    ) -> list[tuple[str, str, int]]: ...
    def ring_told(self, view: View, ring: str) -> Any: ...
    def remember(self, work: Work, subjects: Iterable[str]) -> None: ...
    def pages_of(self, view: View, subjects: Iterable[str]) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A finding in a list; each subject as it may be shown, with its page or ""."""

    kept: KeptFinding
    subjects: tuple[tuple[str, str], ...]
    count: int


class Money:
    """Payments of one node.

    Args:
        calls: the room of calls. country: code of the country whose numbering plan and zone apply.
        largest: bytes that an uploaded file may have. layouts: folder of the node's own layouts.
    """

    def __init__(
        self,
        kernel: Kernel,
        jobs: Jobs,
        calls: OfCalls,
        *,
        country: str,
        largest: int = 1 << 29,
        layouts: Path | None = None,
    ) -> None:
        self.kernel = kernel
        self.jobs = jobs
        self.calls = calls
        self.country = facts(country)
        self.region = self.country.phone_region
        self.cards: Mapping[str, Card] = cards()
        self.kinds: Mapping[str, str] = kinds(self.cards.values())
        self.layouts = layouts
        self.brings = BringingMoney(
            kernel, jobs, largest=largest, region=self.region, layouts=layouts
        )

    def job_kinds(self) -> list[JobKind]:
        """The room's long work."""
        return [
            JobKind("money.import", intake.ACT, self._import),
            JobKind("money.find", searching.ACT, self._find),
            JobKind("money.trace", tracebook.MAKE, self._trace),
        ]

    def _import(self, job: Running) -> Mapping[str, Any]:
        return intake.run(job, self.kernel, self.region, self.layouts)

    def _find(self, job: Running) -> Mapping[str, Any]:
        return searching.run(job, self, MARK)

    def _trace(self, job: Running) -> Mapping[str, Any]:
        return tracebook.run(job, self)

    def ask_import(
        self,
        actor: Actor,
        source: BinaryIO,
        name: str,
        *,
        kind: str = "payments",
        layout: str = TOLD,
        own: str = "",
        given: Mapping[str, str] | None = None,
    ) -> str:
        """Keep a file's bytes and queue its import; return the job's id.

        Args:
            own: the text of one's own layout. given: what is told with the file (`ask_kept`).

        Raises:
            AuthorityRefused: no usable authority over payments is chosen.
            BadInput: there is no such kind or layout. Conflict: it was brought in as another kind.
        """
        with self.kernel.work(actor) as work:  # before a large file is taken in
            intake.covering(work, kind)
        stored = self.kernel.files.put(source, at_most=self.brings.largest)
        return self.brings.ask_kept(
            actor,
            stored.sha256,
            stored.size,
            name,
            kind=kind,
            layout=layout,
            own=own,
            given=given,
        )

    def ask_find(self, actor: Actor) -> str:
        """Queue a search over all payments of the chosen authority; return the job's id."""
        with self.kernel.work(actor) as work:
            authority = work.under_authority(searching.ACT, self.thing(), "payments", None)
            return self.jobs.ask(
                work,
                "money.find",
                f"Accounts · {authority.reference}",
                {"authority": authority.id},
                unit="payments",
            )

    def findings(self, actor: Actor) -> list[KeptFinding]:
        """All findings of the room that the actor may see; what no authority covers is masked."""
        shown: list[KeptFinding] = []
        with self.kernel.view(actor) as view:
            view.permit("money.finding.view", self.thing())
            while True:
                last = shown[-1].finding.id if shown else None
                found = list_findings(view, kind="money.", before=last, at_most=_AT_ONCE)
                things = [(k.thing(), k.finding) for k in found]
                each = view.seen_all("money.finding.view", things)
                shown += [replace(k, finding=one) for k, one in zip(found, each, strict=True)]
                if len(found) < _AT_ONCE:
                    return shown

    def findings_in_short(
        self, actor: Actor, *, kind: str = "", before: str = "", subjects: int = 4
    ) -> tuple[list[FoundLine], bool]:
        """A page of findings with the first few subjects of each, newest first; whether more."""
        asked = kind if kind in self.kinds else "money."
        with self.kernel.view(actor) as view:
            view.permit("money.finding.view", self.thing())
            found = list_findings(view, kind=asked, before=before or None, at_most=PAGE + 1)
            short = [
                replace(
                    k.finding, subjects=k.finding.subjects[:subjects], reasons=(), extra={}
                )  # accounts stand before numbers
                for k in found[:PAGE]
            ]
            things = [k.thing() for k in found[:PAGE]]
            each = view.seen_all("money.finding.view", zip(things, short, strict=True))
            pages = self.pages_of(view, (s for one in each for s in one.subjects))
        lines = [
            FoundLine(
                replace(kept, finding=one),
                tuple((s.partition(":")[2], pages.get(s, "")) for s in one.subjects),
                len(kept.finding.subjects),
            )
            for kept, one in zip(found[:PAGE], each, strict=True)
        ]
        return lines, len(found) > PAGE

    def pages_of(self, view: View, subjects: Iterable[str]) -> dict[str, str]:
        """Pages of accounts, numbers and handsets by subject as it may be shown."""
        asked = list(subjects)
        found = self.calls.pages_of(view, asked)
        if view.may("money.account.view", self.thing()):
            found |= {s: self.address(s) for s in asked if s.startswith("account:")}
        return found

    def address(self, subject: str) -> str:
        """The page of an account (`account:…`); a masked one has one too."""
        return f"/money/accounts/{pseudonyms.pseudonym(self.kernel.masker, subject)}"

    def remember(self, work: Work, accounts: Iterable[str]) -> None:
        """Let pseudonyms of these accounts lead to their pages."""
        masker = self.kernel.masker
        subjects = {f"account:{a}" for a in accounts}
        pseudonyms.remember(work, {pseudonyms.pseudonym(masker, s): s for s in subjects})

    def file(self, actor: Actor, id_: str) -> MoneyFileRow:
        """One file that was brought in; NotFound where there is none."""
        with self.kernel.view(actor) as view:
            row = view.session.get(MoneyFileRow, id_)
            if row is None:
                raise NotFound("No such file was brought in.")
            view.permit("money.finding.view", row.thing())
            return row

    def files(self, actor: Actor) -> list[MoneyFileRow]:
        """Files brought in, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("money.finding.view", self.thing())
            rows = view.session.scalars(
                select(MoneyFileRow)
                .options(defer(MoneyFileRow.refusals))
                .order_by(MoneyFileRow.id.desc())
                .limit(200)
            )
            return [r for r in rows if view.may("money.finding.view", r.thing())]

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let this pass, for what a page offers."""
        return self.kernel.gate.decide(actor, act, self.thing()).allowed

    # what the page of a record asks

    def holds(self, view: View, sha256: str) -> bool:
        """True where a kept file is one of payments."""
        asked = select(MoneyFileRow.id).where(MoneyFileRow.sha256 == sha256).limit(1)
        return view.session.scalar(asked) is not None

    def file_under(self, view: View, sha256: str, authority: str) -> MoneyFileRow | None:
        """The file of this content that came in under an authority (its id), or None."""
        return view.session.scalars(
            select(MoneyFileRow).where(
                MoneyFileRow.sha256 == sha256, MoneyFileRow.authority == authority
            )
        ).first()

    def start_of(self, view: View, file: MoneyFileRow, row: int) -> datetime | None:
        """When the payment in a row was booked (UTC); None where the import kept no such row."""
        name = intake.dataset("payments")
        return row_moment(view, name, "at", file.sha256, file.authority, row)

    def has_header(self, sha256: str) -> bool:
        """False for a bank's message, whose rows are its lines."""
        return reader_of(self.kernel.files.path(sha256)) is None

    def thing(self) -> Thing:
        """The room as policies see it."""
        return Thing.room("money", self.kernel.agency)
