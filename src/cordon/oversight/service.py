"""What the room does for an overseer: reports, and reading, proving and verifying the ledger."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cordon.kernel.access.authorities import Authorities
from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, NotFound
from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.audit import verify_rows
from cordon.kernel.ledger.checkpoint import open_checkpoint
from cordon.kernel.ledger.export import export
from cordon.kernel.ledger.model import Entry
from cordon.kernel.ledger.report import Progress, Witnessed
from cordon.kernel.ledger.report import Report as Verification
from cordon.kernel.ledger.witnessed import cosigned
from cordon.kernel.store.taring import tar_of
from cordon.kernel.work import Kernel, View
from cordon.oversight import report as parts
from cordon.oversight.answered import answered as long_answered
from cordon.oversight.model import Failing, LedgerPage, Notice, Proof, Report, Span

REPORT, LEDGER = "oversight.report.view", "ledger.entry.view"
VERIFY, EXPORT = "ledger.verify", "ledger.export"


class Oversight:
    """The room's service.

    Args:
        authorities: the node's legal authorities; a filter may name one by its reference.
    """

    def __init__(self, kernel: Kernel, authorities: Authorities) -> None:
        self.kernel = kernel
        self.authorities = authorities
        self._verifying = threading.Lock()
        self._counted = parts.Counted()

    # the report

    def report(
        self, actor: Actor, *, unit: str | None = None, part: str = "", offset: int = 0
    ) -> Report:
        """Everything that an overseer looks at first, and how many of each there are.

        Args:
            unit: only what this unit asked to close. part: a part to page through (one of
            `report.A_PAGE`). offset: how many of that part to leave out before the first.

        Raises:
            BadInput: there is no such part.
        """
        starts = _starts(part, offset)
        with self.kernel.view(actor) as view:
            view.permit(REPORT, self._room())
            session, now = view.session, view.now
            at = {name: starts.get(name, 0) for name in parts.A_PAGE}
            uses, of_uses = self._counted.uses(session, now, at["uses"])
            refused, of_refused = self._counted.refused(session, at["refused"])
            overdue, of_overdue = parts.overdue(session, actor, now, at["overdue"])
            answered, of_answered = long_answered(session, actor, now, at["answered"])
            waiting, of_waiting = parts.waiting(session, actor, at["waiting"])
            closed, of_closed = parts.closed(
                session, actor, at["closed"], unit=unit, no_means=False
            )
            no_means, of_no_means = parts.closed(
                session, actor, at["no_means"], unit=unit, no_means=True
            )
            emergencies, of_emergencies = parts.emergencies(session, now, at["emergencies"])
            lapsed, of_lapsed = parts.emergencies(session, now, at["lapsed"], lapsed=True)
            return Report(
                at=now,
                uses=tuple(uses),
                emergencies=tuple(emergencies),
                lapsed=tuple(lapsed),
                refused=tuple(refused),
                overdue=tuple(overdue),
                answered=tuple(answered),
                waiting=tuple(waiting),
                closed=tuple(closed),
                no_means=tuple(no_means),
                failing=tuple(Failing(*one) for one in self.kernel.dispatcher.failing()),
                totals={
                    "overdue": of_overdue,
                    "answered": of_answered,
                    "emergencies": of_emergencies,
                    "lapsed": of_lapsed,
                    "waiting": of_waiting,
                    "closed": of_closed,
                    "no_means": of_no_means,
                    "uses": of_uses,
                    "refused": of_refused,
                },
                starts=starts,
                units=tuple(parts.units(session)),
                names=parts.names(
                    session,
                    [
                        *(use.officer for one in uses for use in one.officers),
                        *(entry.actor for entry in refused),
                        *(look.officer for lead in overdue for look in lead.looks),
                        *(who for c in (*waiting, *closed, *no_means) for who in c.people),
                        *(who for one in answered for who in one.people),
                        *(a.recorded_by for a, _ in (*emergencies, *lapsed)),
                    ],
                ),
                references=parts.references(session, [e.authority for e in refused]),
            )

    def notice(self, actor: Actor) -> Notice:
        """What every page of the room tells of emergency authorities; nothing where not for them.

        That an authority ended is the overseer's to know, whichever page was opened.
        """
        with self.kernel.view(actor) as view:
            if not view.may(REPORT, self._room()):
                return Notice(0, 0)
            return parts.notice(view.session, view.now)

    # the ledger

    def entries(
        self, actor: Actor, span: Span, *, before: int | None = None, at_most: int = 100
    ) -> LedgerPage:
        """Entries of the ledger, newest first.

        Args:
            before: only entries with a lower index. at_most: up to 1,000.
        """
        with self.kernel.view(actor) as view:
            self._permit(view, LEDGER)
            found = self.kernel.ledger.entries(
                act=span.act,
                outcome=span.outcome,
                actor=span.actor,
                unit=span.unit,
                thing=span.thing,
                authority=self._authority(actor, span.authority),
                since=span.since,
                until=span.until,
                before=before,
                limit=at_most,
            )
            return LedgerPage(
                entries=tuple(found),
                size=self.kernel.ledger.size(),
                names=parts.names(view.session, [e.actor for e in found]),
                references=parts.references(view.session, [e.authority for e in found]),
            )

    def prove(self, actor: Actor, index: int) -> Proof:
        """An entry with its proof against the checkpoint as it is now; raises NotFound."""
        ledger = self.kernel.ledger
        with self.kernel.view(actor) as view:
            self._permit(view, LEDGER)
            note = ledger.checkpoint()
            checkpoint = open_checkpoint(note, ledger.verifier)
            if not 0 <= index < checkpoint.size:
                raise NotFound(f"The ledger has no entry {index}.")
            leaf = ledger.leaf(index)
            entry, digest = Entry.from_leaf(leaf), merkle.leaf_hash(leaf)
            path = ledger.inclusion(index, checkpoint.size)
            reference = parts.references(view.session, [entry.authority])
            return Proof(
                entry=entry,
                leaf=leaf.decode(),
                leaf_hash=digest.hex(),
                path=tuple(node.hex() for node in path),
                size=checkpoint.size,
                root=checkpoint.root.hex(),
                checkpoint=note,
                verifier=str(ledger.verifier),
                fingerprint=ledger.verifier.fingerprint,
                holds=merkle.verify_inclusion(
                    digest, index, checkpoint.size, path, checkpoint.root
                ),
                name=parts.names(view.session, [entry.actor]).get(entry.actor, entry.actor),
                reference=reference.get(entry.authority or ""),
            )

    def checkpoint(self, actor: Actor) -> str:
        """The signed checkpoint of the whole ledger, as C2SP tlog-checkpoint has it."""
        with self.kernel.view(actor) as view:
            self._permit(view, LEDGER)
        return self.kernel.ledger.checkpoint()

    def verify(
        self, actor: Actor, *, against: str | None = None, progress: Progress | None = None
    ) -> Verification:
        """Verify the node's own ledger; what was found is entered in it.

        Args:
            against: an older checkpoint (the note's text) that must be its beginning.

        Raises:
            Conflict: it is being verified already.
        """
        with self.kernel.view(actor) as view:
            self._permit(view, VERIFY)
        if not self._verifying.acquire(blocking=False):
            raise Conflict("The ledger is being verified already.", advice="Wait for that one.")
        try:
            found = verify_rows(self.kernel.ledger, progress=progress)
            if against is not None:
                self._check_beginning(against, found)
            self._check_witnessed(found)
        finally:
            self._verifying.release()
        try:
            with self.kernel.work(actor) as work:
                work.act(VERIFY, self._thing(), ok=found.ok, size=found.size, problems=found.count)
        except DoesNotVerify:
            # a ledger that was tampered with takes no entry; that it was is what must be told
            if found.ok:
                raise
        return found

    def _check_beginning(self, against: str, found: Verification) -> None:
        ledger = self.kernel.ledger
        try:
            older = open_checkpoint(against, ledger.verifier)
        except DoesNotVerify as fault:
            found.wrong(None, f"The older checkpoint does not verify. {fault.message}")
            return
        if older.origin != ledger.origin:
            found.wrong(None, f"The older checkpoint is of another ledger, {older.origin}.")
        elif older.size > found.size:
            found.wrong(
                found.size,
                f"The older checkpoint had {older.size} entries, this ledger has {found.size}: "
                "the end was cut off.",
            )
        elif found.ok and ledger.root(older.size) != older.root:
            found.wrong(
                None, f"The first {older.size} entries are not those of the older checkpoint."
            )

    def _check_witnessed(self, found: Verification) -> None:
        """Hold the ledger against what other agencies' nodes have cosigned of it."""
        ledger = self.kernel.ledger
        for one in cosigned(self.kernel.rows):
            root = open_checkpoint(one.note, ledger.verifier).root
            if one.size > found.size:
                found.wrong(
                    found.size,
                    f"{one.witness} cosigned {one.size} entries, this ledger has {found.size}: "
                    "the end was cut off.",
                )
            elif found.ok and ledger.root(one.size) != root:
                found.wrong(
                    None, f"The first {one.size} entries are not those that {one.witness} cosigned."
                )
            else:
                found.witnessed.append(Witnessed(one.witness, one.key, one.size, one.at, True))

    def export(
        self, actor: Actor, folder: Path, *, since: int = 0, progress: Progress | None = None
    ) -> int:
        """Write the ledger from entry `since` on into a folder; return how many entries.

        The export itself is entered first, so that it is in what is taken out.
        """
        with self.kernel.work(actor) as work:
            work.act(EXPORT, self._thing(), since=since)
        return export(self.kernel.ledger, folder, since, progress)

    def export_tar(self, actor: Actor, *, since: int = 0) -> Iterator[bytes]:
        """The same as a tar stream; the files behind it are removed once it has been read."""
        staging = Path(tempfile.mkdtemp(prefix="cordon-export-"))
        try:
            self.export(actor, staging / "ledger", since=since)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise

        def stream() -> Iterator[bytes]:
            try:
                yield from tar_of(staging / "ledger")
            finally:
                shutil.rmtree(staging, ignore_errors=True)

        return stream()

    def may(self, actor: Actor, act: str, thing: Thing) -> bool:
        """Whether the gate would let an act pass; nothing is recorded. For what a page offers."""
        return self.kernel.gate.decide(actor, act, thing).allowed

    def _room(self) -> Thing:
        return Thing.room("oversight", self.kernel.agency)

    def _thing(self) -> Thing:
        return Thing("ledger", self.kernel.ledger.origin, self.kernel.agency)

    def _permit(self, view: View, act: str) -> None:
        view.permit(act, self._thing())

    def _authority(self, actor: Actor, named: str | None) -> str | None:
        """The id of an authority that is named by its id or its reference."""
        if not named:
            return None
        try:
            return self.authorities.find(actor, named).id
        except NotFound:
            return named  # nothing is found under it, which is the true answer


def _starts(part: str, offset: int) -> dict[str, int]:
    """How many to leave out, by part; raises BadInput."""
    if not part:
        return {}
    if part not in parts.A_PAGE:
        raise BadInput(
            f"“{part[:40]}” is no part of the report.",
            advice=f"Use one of {', '.join(parts.A_PAGE)}.",
        )
    return {part: max(0, offset)}
