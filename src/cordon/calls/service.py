"""What the room does on a node: call records in under an authority, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import defer

from cordon import __version__
from cordon.calls import beside, intake, names, searching, sides
from cordon.calls.attached import within
from cordon.calls.bringing import BringingCalls
from cordon.calls.counting import Recent
from cordon.calls.find import cards
from cordon.calls.forms import SESSIONS
from cordon.calls.joined import RingTold, Spoken, contacts_of, handsets_of, ring_told, spoken
from cordon.calls.layouts import AUTO, chosen, content_hash
from cordon.calls.model import NothingRead, Refusal
from cordon.calls.plain import PlainReading
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.calls.tables import CallFileRow, RingEventRow, RingRow
from cordon.countries import country as facts
from cordon.kernel.access.model import Actor, Authority, Mark, Scope, Thing
from cordon.kernel.bringing import KEPT_REFUSALS, row_moment
from cordon.kernel.cards import Card
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.jobs import JobKind, Jobs, Running
from cordon.kernel.leads import KeptFinding, list_findings
from cordon.kernel.work import Kernel, View, Work

MARK = Mark.AMBER
PAGE = 50  # findings of a page
_AT_ONCE = 500  # findings of one question to the database


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A finding in a list.

    Attributes:
        kept: with its first subjects. subjects: each as it may be shown, with its page or "".
        count: how many it has. ring: id and name of the ring that it says.
    """

    kept: KeptFinding
    subjects: tuple[tuple[str, str], ...]
    count: int
    ring: tuple[str, str] | None


def _first(finding: Finding, most: int) -> tuple[str, ...]:
    """The first subjects, numbers before what they were used with."""
    ranked = sorted(finding.subjects, key=lambda s: (not s.startswith("number:"), s))
    return tuple(ranked[:most])


class Calls:
    """Call records of one node.

    Args:
        country: code of the country whose numbering plan and zone apply.
        largest: bytes that an uploaded file may have.
        layouts: folder of layouts that were learned on this node.
    """

    def __init__(
        self,
        kernel: Kernel,
        jobs: Jobs,
        *,
        country: str,
        largest: int = 1 << 29,
        layouts: Path | None = None,
    ) -> None:
        self.kernel = kernel
        self.country = facts(country)
        self.region = self.country.phone_region
        self.cards: Mapping[str, Card] = cards()
        self.layouts = layouts
        self.jobs = jobs
        self.largest = largest
        self.recent = Recent()
        self.brings = BringingCalls(self)

    def job_kinds(self) -> list[JobKind]:
        """The room's long work."""
        return [
            JobKind("calls.import", "calls.record.import", self._import),
            JobKind("calls.find", "calls.record.search", self._find),
        ]

    def _import(self, job: Running) -> Mapping[str, Any]:
        if "kind" in job.params:
            return beside.run(job, self.kernel, self.region)
        return intake.run(job, self.kernel, self.region, self.layouts)

    def _find(self, job: Running) -> Mapping[str, Any]:
        return searching.run(job, self.kernel, self.cards, self.country, MARK)

    def ask_import(
        self,
        actor: Actor,
        source: BinaryIO,
        name: str,
        *,
        kind: str = "calls",
        layout: str = AUTO,
        dates: str = "",
    ) -> str:
        """Keep a file's bytes and queue its import; return the job's id.

        The same file under the same authority again gives a job that finds all of it repeated.

        Args:
            kind: one of `beside.KINDS`. The next search uses every file of what is no call; a
                register of subscribers is read at once, and has no job.
            layout: name of the operator's layout, or `auto`; for calls.
            dates: which of day and month its dates begin with, as `read_calls` takes it.

        Raises:
            AuthorityRefused: no usable authority over such records is chosen.
            BadInput: there is no such kind, or the register cannot be read.
            Conflict: the file was brought in as another kind.
        """
        if kind not in beside.KINDS:
            raise BadInput(f"A file holds one of: {', '.join(beside.KINDS)}.")
        with self.kernel.work(actor) as work:  # before a large file is taken in
            beside.covering(work, kind)
        chosen(layout, self.layouts)
        stored = self.kernel.files.put(source, at_most=self.largest)
        return self.ask_kept(
            actor,
            stored.sha256,
            stored.size,
            Path(name).name,
            kind=kind,
            layout=layout,
            dates=dates,
        )

    def ask_kept(
        self,
        actor: Actor,
        sha256: str,
        size: int,
        name: str,
        *,
        kind: str,
        layout: str,
        dates: str = "",
    ) -> str:
        """As `ask_import`, of bytes that the node keeps by their content."""
        act = "calls.record.import"
        register = None
        if kind == "subscribers":  # read before it is kept as one: a search relies on it
            path = self.kernel.files.path(sha256)
            register = read_register(path, self.region, name, dates)
        with self.kernel.work(actor) as work:
            beside.covering(work, kind)
            authority = actor.authority
            if authority is None:
                raise AuthorityRefused("No authority is chosen.")
            row = self.brings.keep_file(work, authority, sha256, size, name, kind)
            work.act(act, row.thing(), file=sha256, size=size)
            if register is not None:
                assert isinstance(row, CallFileRow)
                # where two say otherwise, the last one holds
                row.state, row.created_at, row.dates = "stored", work.now, dates
                row.counts = asdict(register.counts)
                row.refusals = [asdict(r) for r in register.refusals[:KEPT_REFUSALS]]
                return ""
            params = {
                "sha256": sha256,
                "name": row.name,
                "mark": MARK,
                "authority": authority.id,
            }
            # a layout that was corrected, or another reader, does not go on with what was read
            params["reader"] = __version__
            if kind == "calls":
                params |= {"layout": layout, "layout_sha256": content_hash(layout, self.layouts)}
            else:
                params["kind"] = kind
            params |= {"dates": dates} if dates else {}
            return self.jobs.ask(work, "calls.import", row.name, params, resume=True)

    def ask_find(self, actor: Actor) -> str:
        """Queue a search over all call records of the chosen authority; return the job's id."""
        with self.kernel.work(actor) as work:
            authority = work.under_authority("calls.record.search", self._room(), "calls", None)
            return self.jobs.ask(
                work,
                "calls.find",
                f"Call centres · {authority.reference}",
                {"authority": authority.id},
                unit="calls",
            )

    def refusals(
        self,
        actor: Actor,
        path: Path,
        layout: str = AUTO,
        kind: str = "calls",
        dates: str = "",
    ) -> Iterator[Refusal]:
        """Every row of a file that the actor's authority does not let in, or that is none."""
        with self.kernel.work(actor) as work:
            scope = beside.covering(work, kind).scope
        if kind == "subscribers":
            try:
                yield from read_register(path, self.region, dates=dates).refusals
            except NothingRead as wrong:
                yield from (r for _, r in wrong.refused)
                raise
            return
        if kind != "calls":
            form = beside.BY_NAME[kind]
            for part in PlainReading(path, form, self.region, dates=dates).batches():
                more = within(part.table, scope)[1] if kind == SESSIONS.name else []
                yield from sorted([*part.refusals, *more], key=lambda r: r.row)
            return
        reading = read_calls(path, self.region, layout=layout, folder=self.layouts, dates=dates)
        for batch in reading:
            outside = intake.within(batch.table, scope)[1]
            yield from sorted([*batch.refusals, *outside], key=lambda r: r.row)

    def findings(self, actor: Actor) -> list[KeptFinding]:
        """All findings of the room that the actor may see; what no authority covers is masked."""
        shown: list[KeptFinding] = []
        with self.kernel.view(actor) as view:
            view.permit("calls.finding.view", self._room())
            while True:
                last = shown[-1].finding.id if shown else None
                found = list_findings(view, kind="calls.", before=last, at_most=_AT_ONCE)
                things = [(k.thing(), k.finding) for k in found]
                each = view.seen_all("calls.finding.view", things)
                shown += [replace(k, finding=one) for k, one in zip(found, each, strict=True)]
                if len(found) < _AT_ONCE:
                    return shown

    def findings_in_short(
        self, actor: Actor, *, kind: str = "", before: str = "", subjects: int = 4
    ) -> tuple[list[FoundLine], bool]:
        """A page of findings with the first few subjects of each, newest first, without reasons.

        Args:
            kind: of them; all of the room where it is none of its cards' kinds. before: id of the
                last finding of the page before.

        Returns:
            The lines, and whether more follow.
        """
        asked = kind if kind in self.cards else "calls."
        with self.kernel.view(actor) as view:
            view.permit("calls.finding.view", self._room())
            found = list_findings(view, kind=asked, before=before or None, at_most=PAGE + 1)
            short = [
                replace(k.finding, subjects=_first(k.finding, subjects), reasons=(), extra={})
                for k in found[:PAGE]
            ]
            things = [k.thing() for k in found[:PAGE]]
            each = view.seen_all("calls.finding.view", zip(things, short, strict=True))
            rings = self._rings(view, [k.finding.id for k in found[:PAGE]])
            pages = self.pages_of(view, (s for one in each for s in one.subjects))
        lines = [
            FoundLine(
                replace(kept, finding=one),
                tuple((s.partition(":")[2], pages.get(s, "")) for s in one.subjects),
                len(kept.finding.subjects),
                rings.get(kept.finding.id),
            )
            for kept, one in zip(found[:PAGE], each, strict=True)
        ]
        return lines, len(found) > PAGE

    def _rings(self, view: View, findings: list[str]) -> dict[str, tuple[str, str]]:
        rows = view.session.scalars(select(RingRow).where(RingRow.finding.in_(findings)))
        return {r.finding: (r.id, r.name) for r in rows if view.may("calls.ring.view", r.thing())}

    def file(self, actor: Actor, id_: str) -> CallFileRow:
        """One file that was brought in; NotFound where there is none."""
        with self.kernel.view(actor) as view:
            row = view.session.get(CallFileRow, id_)
            if row is None:
                raise NotFound("No such file was brought in.")
            view.permit("calls.finding.view", row.thing())
            return row

    def files(self, actor: Actor) -> list[CallFileRow]:
        """Files brought in, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("calls.finding.view", self._room())
            rows = view.session.scalars(
                select(CallFileRow)
                .options(defer(CallFileRow.refusals))
                .order_by(CallFileRow.id.desc())
                .limit(200)
            )
            return [r for r in rows if view.may("calls.finding.view", r.thing())]

    def ring_of(self, view: View, finding: str) -> tuple[str, str] | None:
        """Id and name of the ring that a finding says, or said, where the reader may see it."""
        row = view.session.scalars(select(RingRow).where(RingRow.finding == finding)).first()
        if row is None:  # a ring that is of another kind now has another finding
            told = view.session.scalars(select(RingEventRow).where(RingEventRow.what == "kind"))
            ring = next((e.ring for e in told if e.counts.get("finding") == finding), None)
            row = view.session.get(RingRow, ring) if ring else None
        if row is None or not view.may("calls.ring.view", row.thing()):
            return None
        return row.id, row.name

    def pages_of(self, view: View, subjects: Iterable[str]) -> dict[str, str]:
        """Pages of numbers and handsets, by subject as it may be shown; none for what has none.

        They stand under the pseudonym, so that a masked subject has one too.
        """
        if not view.may("calls.profile.view", self._room()):
            return {}
        masker = self.kernel.masker
        return {s: names.address(masker, s) for s in subjects if s.partition(":")[0] in names.PAGES}

    def spoken(self, work: Work, authority: Authority) -> Spoken:
        """For a room that joins its records to calls: see `joined.spoken`."""
        return spoken(work, authority, "calls.record.search", self._room())

    def contacts(self, said: Spoken, more: Iterable[str], scope: Scope) -> pa.Table:
        """Who was in touch with suspects, and with these numbers too: see `joined.contacts_of`."""
        return contacts_of(self.kernel.columns, said.paths, {*said.ring_of, *more}, scope)

    def handsets(
        self, said: Spoken, numbers: Sequence[str], scope: Scope
    ) -> list[tuple[str, str, int]]:
        """Handsets that numbers were used in: see `joined.handsets_of`."""
        return handsets_of(self.kernel.columns, said.paths, numbers, scope)

    def remember(self, work: Work, subjects: Iterable[str]) -> None:
        """Let pseudonyms of numbers and handsets lead to their pages."""
        names.remember(work, subjects)

    def ring_told(self, view: View, ring: str) -> RingTold:
        """A ring and what accounts are tied to it: see `joined.ring_told`."""
        return ring_told(view, ring)

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
        for dataset in (intake.DATASET, sides.DATASET):
            found = row_moment(view, dataset, "start", file.sha256, file.authority, row)
            if found is not None:
                return found
        return None

    def thing(self) -> Thing:
        """The room as policies see it."""
        return self._room()

    def _room(self) -> Thing:
        return Thing.room("calls", self.kernel.agency)
