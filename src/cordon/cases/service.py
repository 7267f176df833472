"""What the room does with cases, a transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson
from sqlalchemy import select

from cordon.cases.bundles import BundleDesk
from cordon.cases.declaring import Declaration
from cordon.cases.gathering import WholeFile
from cordon.cases.handing import CustodyBroken, record_custody
from cordon.cases.model import (
    Case,
    CaseState,
    CustodyAct,
    CustodyEvent,
    Exhibit,
    ExhibitKind,
    LinkKind,
)
from cordon.cases.numbers import next_number
from cordon.cases.reading import (
    Bundle,
    CaseLine,
    CaseView,
    find_case,
    lines_of,
    part_of,
    thing_of,
    things_of_rows,
)
from cordon.cases.showing import show_case
from cordon.cases.tables import CaseMemberRow, CaseRow, ExhibitRow
from cordon.cases.writing import (
    TAKE_WITHIN,
    add_exhibit,
    at_least,
    checked_title,
    close,
    graver,
    line,
    link,
    name_officer,
    open_row,
)
from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.errors import BadInput, BadUsage, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobKind, Jobs
from cordon.kernel.leads import Closure, LeadRules
from cordon.kernel.leads.tables import ClosureRow
from cordon.kernel.work import Kernel, Work


class Cases:
    """The room's service.

    Args:
        rules: when closing needs a second officer.
        jobs: the node's long work; without it sealing is done at once alone.
        folder: where sealed bundles stand; beside the node's files where it is None.
        upload_max: bytes that one exhibit may have.
        whole_files: by kind of personal data, who says which raw file may be given whole under
            an authority; files of a kind that nobody speaks for are withheld from bundles.
    """

    def __init__(
        self,
        kernel: Kernel,
        rules: LeadRules,
        *,
        jobs: Jobs | None = None,
        folder: Path | None = None,
        upload_max: int = 512 << 20,
        whole_files: Mapping[str, WholeFile] | None = None,
    ) -> None:
        self.kernel = kernel
        self.rules = rules
        self.upload_max = upload_max
        folder = folder or kernel.files.root.parent / "bundles"
        self.bundles = BundleDesk(kernel, folder, jobs, whole_files or {})

    def job_kinds(self) -> list[JobKind]:
        """Long work of this room."""
        return self.bundles.job_kinds()

    # opening and linking

    def open_case(
        self,
        work: Work,
        *,
        title: str,
        finding_ids: Iterable[str] = (),
        alert_ids: Iterable[str] = (),
        seriousness: str = "notice",
        lead_officer: str | None = None,
        mark: Mark = Mark.AMBER,
    ) -> str:
        """Open a case in the caller's transaction, and return its id.

        It is at least as strict and as grave as each finding linked to it.

        Args:
            title: one line that names no person.
            lead_officer: officer's id; the one who opens it where it is None.

        Raises:
            BadInput: a title or seriousness that cannot be. NotFound: no such finding.
        """
        findings = [leads.get_finding(work, id_) for id_ in dict.fromkeys(finding_ids)]
        mark = max((mark, *(f.mark for f in findings)), key=lambda m: m.rank)
        lead = lead_officer or work.actor.id
        members = frozenset({work.actor.id, lead})
        title = checked_title(title)
        if seriousness not in SERIOUSNESS:
            raise BadInput(
                "That is no seriousness.", advice="It is one of " + ", ".join(SERIOUSNESS) + "."
            )
        for finding in findings:
            seriousness = graver(seriousness, finding.seriousness)
        id_, unit = new_id(), work.actor.unit or work.kernel.agency
        thing = Thing("case", id_, work.kernel.agency, mark, unit, members)
        work.permit("cases.case.open", thing)
        case = Case(
            id=id_,
            agency=work.kernel.agency,
            mark=mark,
            number=next_number(work),
            title=title,
            state=CaseState.OPEN,
            opened_at=work.now,
            unit=unit,
            lead_officer=lead,
            seriousness=seriousness,
        )
        work.act("cases.case.open", thing, number=case.number, seriousness=seriousness)
        work.session.add(
            CaseRow(
                id=id_,
                agency=case.agency,
                mark=mark,
                created_at=work.now,
                number=case.number,
                title=title,
                unit=unit,
                lead_officer=lead,
                seriousness=seriousness,
            )
        )
        work.session.flush()
        for officer in sorted(members):
            name_officer(work, id_, officer)
        leads.open_lead(
            work,
            thing,
            title=f"{case.number} {title}"[:200],
            seriousness=seriousness,
            due=work.now + TAKE_WITHIN[seriousness],
        )
        for finding in findings:
            link(work, thing, LinkKind.FINDING, finding.finding.id)
        for alert in dict.fromkeys(alert_ids):
            link(work, thing, LinkKind.ALERT, alert)
        work.emit("cases.case.opened", {"case": id_, "number": case.number}, mark)
        return id_

    def open(
        self,
        actor: Actor,
        *,
        title: str,
        finding_ids: Iterable[str] = (),
        seriousness: str = "notice",
        mark: Mark = Mark.AMBER,
    ) -> str:
        """Open a case on its own; return its id. See `open_case`."""
        with self.kernel.work(actor) as work:
            return self.open_case(
                work, title=title, finding_ids=finding_ids, seriousness=seriousness, mark=mark
            )

    def link_finding(self, actor: Actor, case: str, finding: str) -> None:
        """Link a finding; a stricter or graver one makes the case as strict or grave as it is."""
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            kept = leads.get_finding(work, finding)
            thing = at_least(work, row, thing, kept, "cases.case.link")
            link(work, thing, LinkKind.FINDING, finding)

    def take(self, actor: Actor, case: str, led_by: str | None = None) -> None:
        """Take the case on: the actor becomes its lead officer, and it counts as answered.

        Args:
            led_by: id of the lead officer that the actor takes it from, as their page named
                them; whoever leads it where it is None.

        Raises:
            Conflict: another officer has taken it since.
        """
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            work.permit("cases.case.take", thing)
            if led_by is not None and row.lead_officer not in (led_by, actor.id):
                raise Conflict(
                    "Another officer has taken the case since you opened its page.",
                    advice="Open the page again, and speak to its lead officer first.",
                )
            work.act("cases.case.take", thing, before=row.lead_officer)
            row.lead_officer, row.unit = actor.id, actor.unit or row.unit
            name_officer(work, row.id, actor.id)
            leads.answered(work, thing)

    def name(self, actor: Actor, case: str, officer: str) -> None:
        """Name an officer on the case; one at TLP:RED is for those named alone."""
        officer = officer.strip()
        if not 0 < len(officer) <= 60 or not officer.isprintable():
            raise BadInput("No officer is named.", advice="Give an officer's id.")
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            work.act("cases.case.name", thing, officer=officer)
            name_officer(work, row.id, officer)

    def unname(self, actor: Actor, case: str, officer: str) -> None:
        """Take an officer's name off the case; its lead officer's stays."""
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            named = work.session.get(CaseMemberRow, (row.id, officer))
            work.act("cases.case.name", thing, officer=officer, off=True)
            if named is None:
                raise NotFound("That officer is not named on this case.")
            if officer == row.lead_officer:
                raise Conflict(
                    "The lead officer's name stays on the case.",
                    advice="Let another officer take the case first.",
                )
            work.session.delete(named)

    # exhibits and custody

    def add_file(
        self,
        actor: Actor,
        case: str,
        stream: BinaryIO,
        *,
        title: str,
        kind: ExhibitKind = ExhibitKind.FILE,
        media_type: str = "application/octet-stream",
        source: str = "",
        received_from: str,
        place: str | None = None,
        seal_number: str | None = None,
        note: str = "",
    ) -> Exhibit:
        """Keep a file as an exhibit, and write down its receipt by the actor.

        Args:
            stream: its bytes; at most `upload_max`.
            received_from: a holder, `kind:name`.

        Raises:
            TooLarge: it has more bytes. BadInput: what is said of it cannot be read.
        """
        with self.kernel.view(actor) as view:  # refuse before a large file is taken in
            row = find_case(view.session, case)
            view.permit("cases.exhibit.add", thing_of(view.session, row))
        stored = self.kernel.files.put(stream, at_most=self.upload_max)
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            return add_exhibit(
                work,
                row,
                thing,
                title=line(title, "title") or "file",
                kind=kind,
                sha256=stored.sha256,
                size=stored.size,
                media_type=media_type.strip() or "application/octet-stream",
                source=line(source, "source", 300),
                received_from=received_from.strip(),
                place=line(place or "", "place") or None,
                seal_number=line(seal_number or "", "seal number", 60) or None,
                note=note.strip(),
            )

    def add_finding(self, actor: Actor, case: str, finding: str) -> Exhibit:
        """Make a finding an exhibit: the bytes of what it says now, as a JSON file."""
        with self.kernel.work(actor) as work:
            row, thing = open_row(work, case)
            kept = leads.get_finding(work, finding)
            thing = at_least(work, row, thing, kept, "cases.exhibit.add")
            body = orjson.dumps(
                kept.finding.to_dict(), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
            )
            work.permit("cases.exhibit.add", thing)
            stored = self.kernel.files.put(iter([body]))
            return add_exhibit(
                work,
                row,
                thing,
                title=f"finding {kept.finding.kind}.json",
                kind=ExhibitKind.FINDING,
                sha256=stored.sha256,
                size=stored.size,
                media_type="application/json",
                source=f"detector {kept.finding.detector} {kept.finding.version}",
                received_from=f"agency:{kept.agency}",
                finding=finding,
            )

    def record_custody(
        self,
        actor: Actor,
        exhibit: str,
        act: CustodyAct,
        *,
        to_holder: str | None = None,
        place: str | None = None,
        seal_number: str | None = None,
        note: str = "",
        from_holder: str | None = None,
        at: datetime | None = None,
    ) -> CustodyEvent:
        """Write an entry into an exhibit's chain of custody.

        Args:
            from_holder: who gives it; the present holder where it is None or empty. Whoever
                draws a form gives whom it named: somebody else may have it since.
            note: must say why, where what a third party holds goes to anyone but the actor.
            at: when it happened, aware; now where it is None, never later.

        Raises:
            CustodyBroken: the chain would be broken; the refusal is in the ledger.
        """
        try:
            with self.kernel.work(actor) as work:
                return record_custody(
                    work,
                    exhibit,
                    act,
                    to_holder=to_holder,
                    place=place,
                    seal_number=seal_number,
                    note=note,
                    from_holder=from_holder,
                    at=at,
                )
        except CustodyBroken as broken:
            self._trace_break(actor, exhibit, act, broken)
            raise

    def _trace_break(
        self, actor: Actor, exhibit: str, act: CustodyAct, broken: CustodyBroken
    ) -> None:
        """What somebody tried to write into a chain and could not is for the overseer too."""
        with self.kernel.rows.read() as session:
            row = session.get_one(ExhibitRow, exhibit)
            case = thing_of(session, session.get_one(CaseRow, row.case))
        detail = {"why": [str(b.rule) for b in broken.breaks], "custody": str(act)}
        self.kernel.ledger.append(
            self.kernel.entry(
                actor, "cases.exhibit.custody", part_of(case, "exhibit", exhibit), "refused", detail
            )
        )

    # reading

    def list(
        self,
        actor: Actor,
        *,
        state: str | None = None,
        text: str | None = None,
        before: str | None = None,
        at_most: int = 50,
    ) -> Sequence[CaseLine]:
        """Cases that the actor may see, newest first.

        Args:
            state: open or closed. text: what stands in the title or begins the number, or an id.
            before: id of the last one of the page before this one.

        Raises:
            BadUsage: no such state.
        """
        if state and state not in list(CaseState):
            raise BadUsage(
                f"“{state[:30]}” is no state of a case.",
                advice="It is one of " + ", ".join(CaseState) + ".",
            )
        # what the policies refuse anyhow is left out here, so that a page is a full one
        named = select(CaseMemberRow.case).where(CaseMemberRow.officer == actor.id)
        query = (
            select(CaseRow)
            .where(CaseRow.mark.in_([m for m in Mark if m.rank <= actor.cleared.rank]))
            .where((CaseRow.mark != Mark.RED) | CaseRow.id.in_(named))
            .order_by(CaseRow.id.desc())
        )
        if state:
            query = query.where(CaseRow.state == state)
        if text:
            query = query.where(
                CaseRow.number.istartswith(text, autoescape=True)
                | CaseRow.title.icontains(text, autoescape=True)
                | (CaseRow.id == text.lower())
            )
        if before:
            query = query.where(CaseRow.id < before)
        with self.kernel.view(actor) as view:
            view.permit("cases.case.view", Thing.room("cases", self.kernel.agency))
            found = view.session.scalars(query.limit(at_most)).all()
            things = things_of_rows(view.session, found)
            rows = [
                row
                for row, thing in zip(found, things, strict=True)
                if view.may("cases.case.view", thing)
            ]
            return lines_of(view.session, rows)

    def view(self, actor: Actor, case: str) -> CaseView:
        """Everything of a case that the actor may see; that they looked is noted."""
        with self.kernel.view(actor) as view:
            shown = show_case(view, case)
        leads.looked(self.kernel, actor, shown.case.id)
        return shown

    # closing

    def ask_to_close(self, actor: Actor, case: str, *, reason: str, note: str) -> Closure:
        """Close a case, or ask for the second officer that its seriousness needs."""
        with self.kernel.work(actor) as work:
            row = find_case(work.session, case, lock=True)
            thing = thing_of(work.session, row)
            closure = leads.ask_to_close(
                work, "cases.case.close", thing, self.rules, reason=reason, note=note
            )
            if closure.state == "closed":
                close(work, row, reason)
            return closure

    def countersign(self, actor: Actor, case: str) -> Closure:
        """Close a case as the second officer, from another unit."""
        with self.kernel.work(actor) as work:
            row = find_case(work.session, case, lock=True)
            thing = thing_of(work.session, row)
            work.permit("cases.case.countersign", thing)
            closure = leads.countersign(work, "cases.case.countersign", thing)
            close(work, row, work.session.get_one(ClosureRow, closure.id).reason)
            return closure

    def decline(self, actor: Actor, case: str, *, note: str) -> Closure:
        """Say no to a wish to close."""
        with self.kernel.work(actor) as work:
            thing = thing_of(work.session, find_case(work.session, case, lock=True))
            work.permit("cases.case.countersign", thing)
            return leads.decline(work, "cases.case.countersign", thing, note=note)

    # bundles

    def seal(
        self,
        actor: Actor,
        case: str,
        out: Path | None = None,
        declared: Sequence[Declaration] = (),
    ) -> Bundle:
        """Seal a case at once; see `BundleDesk.seal`."""
        return self.bundles.seal(actor, case, out=out, declared=declared)
