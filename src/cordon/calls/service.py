"""What the room does on a node: call records in under an authority, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select

from cordon.calls import intake
from cordon.calls.find import cards, find_in_segments
from cordon.calls.layouts import AUTO, chosen
from cordon.calls.model import Refusal
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.calls.tables import CallFileRow
from cordon.countries import country as facts
from cordon.kernel.access.model import Actor, Authority, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import AuthorityRefused, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobKind, Jobs, Running
from cordon.kernel.leads import KeptFinding, keep, list_findings
from cordon.kernel.work import Kernel, View, Work

MARK = Mark.AMBER


class Calls:
    """Call records of one node.

    Args:
        country: code of the country whose numbering plan and zone apply.
        largest: bytes that an uploaded file may have.
    """

    def __init__(self, kernel: Kernel, jobs: Jobs, *, country: str, largest: int = 1 << 29) -> None:
        self.kernel = kernel
        self.region = facts(country).phone_region
        self.cards: Mapping[str, Card] = cards()
        self._jobs = jobs
        self._largest = largest

    def job_kinds(self) -> list[JobKind]:
        """The room's long work."""
        return [
            JobKind(
                "calls.import",
                "calls.record.import",
                lambda job: intake.run(job, self.kernel, self.region),
            ),
            JobKind("calls.find", "calls.record.search", self._find),
        ]

    def ask_import(
        self,
        actor: Actor,
        source: BinaryIO,
        name: str,
        *,
        kind: str = "calls",
        layout: str = AUTO,
    ) -> str:
        """Keep a file's bytes and queue its import; return the job's id.

        The same file under the same authority again gives a job that finds all of it repeated.

        Args:
            kind: `calls`, or `subscribers` (a register; kept, and used by the next search).
            layout: name of the operator's layout, or `auto`.

        Raises:
            AuthorityRefused: no usable authority over call records is chosen.
        """
        act = "calls.record.import"
        with self.kernel.work(actor) as work:  # before a large file is taken in
            intake.covering(work, act)
        chosen(layout)
        stored = self.kernel.files.put(source, at_most=self._largest)
        register = None
        if kind == "subscribers":  # read before it is kept as one: a search relies on it
            register = read_register(
                self.kernel.files.path(stored.sha256), self.region, Path(name).name
            )
        with self.kernel.work(actor) as work:
            authority = actor.authority
            if authority is None:
                raise AuthorityRefused("No authority is chosen.")
            self.kernel.rows.alone(work.session, f"calls.file:{stored.sha256}:{authority.id}")
            row = intake.file_of(work, stored.sha256, authority.id)
            if row is None:
                row = CallFileRow(
                    id=new_id(),
                    agency=self.kernel.agency,
                    mark=MARK,
                    created_at=work.now,
                    sha256=stored.sha256,
                    name=Path(name).name[:200],
                    kind=kind,
                    authority=authority.id,
                    state="kept" if kind == "calls" else "stored",
                    size=stored.size,
                    counts={},
                    refusals=[],
                )
                work.session.add(row)
                work.session.flush()
            work.act(act, row.thing(), file=stored.sha256, size=stored.size)
            if register is not None:
                row.created_at = work.now  # of several registers the one brought in last counts
                row.counts = asdict(register.counts)
                row.refusals = [asdict(r) for r in register.refusals[: intake.KEPT_REFUSALS]]
                return ""
            return self._jobs.ask(
                work,
                "calls.import",
                row.name,
                {
                    "sha256": stored.sha256,
                    "name": row.name,
                    "mark": MARK,
                    "authority": authority.id,
                    "layout": layout,
                },
                resume=True,
            )

    def ask_find(self, actor: Actor) -> str:
        """Queue a search over all call records of the chosen authority; return the job's id."""
        with self.kernel.work(actor) as work:
            authority = work.under_authority("calls.record.search", self._room(), "calls", None)
            return self._jobs.ask(
                work,
                "calls.find",
                f"Call centres · {authority.reference}",
                {"authority": authority.id},
                unit="calls",
            )

    def _find(self, job: Running) -> Mapping[str, Any]:
        with job.step() as work:
            authority = work.under_authority("calls.record.search", self._room(), "calls", None)
            paths = self.kernel.columns.paths(
                work.session,
                intake.DATASET,
                since=authority.scope.since,
                until=authority.scope.until,
                authorities=[authority.id],
            )
            register = work.session.scalars(
                select(CallFileRow.sha256)
                .where(CallFileRow.kind == "subscribers", CallFileRow.authority == authority.id)
                .order_by(CallFileRow.created_at.desc(), CallFileRow.id.desc())
            ).first()
        holders = None
        if register:
            holders = read_register(self.kernel.files.path(register), self.region).holders
        if not paths:
            raise NotFound(
                "No call record was brought in under this authority.",
                advice="Bring a file in first.",
            )
        result = find_in_segments(
            paths,
            holders,
            since=authority.scope.since,
            until=authority.scope.until,
            memory_mb=self.kernel.columns.memory_mb,
            threads=self.kernel.columns.threads,
            region=self.region,
            scratch=self.kernel.columns.root,
        )
        with job.step() as work:
            made, grown = keep(work, result.findings, self.cards, mark=MARK)
            work.act(
                "calls.record.search",
                self._room(),
                found=len(result.findings),
                new=len(made),
                grown=len(grown),
            )
            report = {
                "findings": len(result.findings),
                "new": len(made),
                "grown": len(grown),
                "left_out": list(result.left_out),
            }
            job.save(
                work,
                {},
                done=result.counts.read,
                total=result.counts.read,
                stage="done",
                report=report,
            )
        return report

    def refusals(self, actor: Actor, path: Path, layout: str = AUTO) -> Iterator[Refusal]:
        """Every row of a file that the actor's authority does not let in, or that is none."""
        with self.kernel.work(actor) as work:
            scope = intake.covering(work, "calls.record.import").scope
        for batch in read_calls(path, self.region, layout=layout):
            outside = intake.within(batch.table, scope)[1]
            yield from sorted([*batch.refusals, *outside], key=lambda r: r.row)

    def findings(self, actor: Actor) -> list[KeptFinding]:
        """The room's findings that the actor may see; what no authority covers is masked."""
        with self.kernel.view(actor) as view:
            view.permit("calls.finding.view", self._room())
            found = list_findings(view, kind="calls.")
            each = view.seen_all("calls.finding.view", [(k.thing(), k.finding) for k in found])
        return [replace(kept, finding=one) for kept, one in zip(found, each, strict=True)]

    def files(self, actor: Actor) -> list[CallFileRow]:
        """Files brought in, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("calls.finding.view", self._room())
            rows = view.session.scalars(
                select(CallFileRow).order_by(CallFileRow.id.desc()).limit(200)
            )
            return [r for r in rows if view.may("calls.finding.view", r.thing())]

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let this pass, for what a page offers."""
        return self.kernel.gate.decide(actor, act, self._room()).allowed

    def holds(self, work: Work | View, sha256: str) -> bool:
        """True where a kept file is one of call records."""
        return (
            work.session.scalar(select(CallFileRow.id).where(CallFileRow.sha256 == sha256).limit(1))
            is not None
        )

    def file_under(self, view: View, sha256: str, authority: str) -> CallFileRow | None:
        """The file of this content that came in under an authority (its id), or None."""
        return view.session.scalars(
            select(CallFileRow).where(
                CallFileRow.sha256 == sha256, CallFileRow.authority == authority
            )
        ).first()

    def lets_in_whole(self, view: View, sha256: str, authority: Authority) -> bool:
        """True where a file came in under an authority, and every row lies within its scope."""
        file = self.file_under(view, sha256, authority.id)
        if file is None or not authority.scope.covers(file.kind, None):
            return False
        if authority.scope.since is None and authority.scope.until is None:
            return True
        # rows outside the span are among those that the import refused
        return file.kind == "calls" and file.state == "stored" and not file.refusals

    def start_of(self, view: View, file: CallFileRow, row: int) -> datetime | None:
        """When the call in a row of a file began (UTC); None where the import kept no such row."""
        return intake.start_of(view, file.sha256, file.authority, row)

    def _room(self) -> Thing:
        return Thing.room("calls", self.kernel.agency)
