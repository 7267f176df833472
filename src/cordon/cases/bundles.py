"""Sealing a case into a bundle, keeping the bundle, and taking it out."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from cordon.cases.bundle import Progress, SealedBundle, Signer, seal
from cordon.cases.bundle.partial import naming_faults, put_in_place
from cordon.cases.copying import copy_to, room_for
from cordon.cases.declaring import Declaration, declared_breaks
from cordon.cases.gathering import (
    Gathered,
    WholeFile,
    gather,
    ledger_indexes,
    require_all,
    things_of,
)
from cordon.cases.model import Case
from cordon.cases.reading import Bundle, bundle_of, case_of, find_case, part_of, thing_of
from cordon.cases.showing import authorities_used
from cordon.cases.tables import BundleRow
from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import NotFound, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobKind, Jobs, Running
from cordon.kernel.ledger.export import export_slice
from cordon.kernel.store.taring import tar_of
from cordon.kernel.work import Kernel, Work

SEAL = "cases.bundle.seal"
TAKE_OUT = "cases.bundle.take_out"
_STALE_S = 86_400  # a half-made bundle older than a day is of a process that died
_TELL_EVERY_S = 1.0

Saving = Callable[[Work, Bundle], None]


class BundleDesk:
    """Seals cases and keeps the bundles under `<folder>/<case number>/<case number>-<n>`.

    Args:
        folder: made where it is absent. jobs: the node's long work, or None.
        whole_files: who says which raw file may be given whole, by kind of personal data.
    """

    def __init__(
        self,
        kernel: Kernel,
        folder: Path,
        jobs: Jobs | None,
        whole_files: Mapping[str, WholeFile],
    ) -> None:
        self.kernel = kernel
        self.folder = folder
        self.jobs = jobs
        self.whole_files = whole_files

    def job_kinds(self) -> list[JobKind]:
        """Sealing as long work."""
        return [JobKind("cases.seal", SEAL, self._run)]

    def ask(self, actor: Actor, case: str, declared: Sequence[Declaration] = ()) -> str:
        """Queue the sealing of a case; return the job's id.

        Raises:
            BadInput: custody is broken and the break is not declared.
        """
        if self.jobs is None:
            raise Unavailable("This node runs no long work.", advice="Seal by `cordon evidence`.")
        with self.kernel.work(actor) as work:
            row = find_case(work.session, case)
            thing = thing_of(work.session, row)
            work.permit(SEAL, thing)
            declared_breaks(work.session, row.id, declared)
            return self.jobs.ask(
                work,
                "cases.seal",
                f"Seal {row.number}",
                {"case": row.id, "declared": [str(d) for d in declared]},
                # a job names nobody, so at TLP:RED nobody could see how far theirs has come
                mark=min(thing.mark, Mark.AMBER_STRICT, key=lambda m: m.rank),
                unit="bytes",
            )

    def seal(
        self,
        actor: Actor,
        case: str,
        *,
        out: Path | None = None,
        declared: Sequence[Declaration] = (),
        progress: Progress | None = None,
        saving: Saving | None = None,
    ) -> Bundle:
        """Seal all that a case holds now, keep the bundle, and enter its root in the ledger.

        Args:
            out: a folder that gets a copy; nothing may stand there.
            declared: breaks of custody that are known and explained.
            saving: called in the transaction that enters the bundle.

        Raises:
            AuthorityRefused: a finding in it speaks of a person whom no authority covers.
            BadInput: custody is broken and the break is not declared.
            BadUsage: something stands at `out`, or nothing can be written there.
            Unavailable: a disk is full or away; its words say whether the case is sealed.
        """
        with self.kernel.view(actor) as view:
            view.permit(SEAL, thing_of(view.session, find_case(view.session, case)))
        with room_for(out) as partial:
            bundle = self._seal(actor, case, declared, progress, saving)
            if out is not None and partial is not None:
                copy_to(self.path(bundle), partial, out)
        return bundle

    def _seal(
        self,
        actor: Actor,
        case: str,
        declared: Sequence[Declaration],
        progress: Progress | None,
        saving: Saving | None,
    ) -> Bundle:
        with self.kernel.view(actor) as view:
            row = find_case(view.session, case)
            thing = thing_of(view.session, row)
            view.permit(SEAL, thing)
            breaks = declared_breaks(view.session, row.id, declared)
            used = authorities_used(view.session, things_of(view.session, row.id))
            if actor.authority is not None and actor.authority.id not in {a.id for a in used}:
                used.append(actor.authority)
            gathered = gather(view, row, thing, SEAL, used, self.whole_files, breaks)
            known = case_of(row)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with tempfile.TemporaryDirectory(prefix=".sealing-", dir=self.folder) as staging:
            sealed, ledger_size = self._write(actor, Path(staging), gathered, progress)
            return self._enter(actor, known, sealed, gathered, ledger_size, saving)

    def _write(
        self, actor: Actor, staging: Path, gathered: Gathered, progress: Progress | None
    ) -> tuple[SealedBundle, int]:
        ledger = self.kernel.ledger
        export_slice(ledger, staging / "ledger", ledger_indexes(ledger, gathered.things))
        files: dict[str, bytes | Path] = {
            path.name: path for path in sorted((staging / "ledger").iterdir())
        }
        signer = Signer(
            name=ledger.origin,
            key=ledger.key,  # one key of the node signs checkpoints and bundles alike
            officer=actor.id,
            agency=self.kernel.agency,
        )
        contents = replace(gathered.contents, ledger_files=files)
        now = self.kernel.clock.now()
        return seal(contents, staging / "bundle", signer, now, progress), ledger.size()

    def _enter(
        self,
        actor: Actor,
        case: Case,
        sealed: SealedBundle,
        gathered: Gathered,
        ledger_size: int,
        saving: Saving | None,
    ) -> Bundle:
        with self.kernel.work(actor) as work:
            row = find_case(work.session, case.id, lock=True)
            thing = thing_of(work.session, row)
            last = work.session.scalar(
                select(func.max(BundleRow.place)).where(BundleRow.case == row.id)
            )
            place = self._free_place(row.number, (last or 0) + 1)
            kept = BundleRow(
                id=new_id(),
                agency=row.agency,
                mark=row.mark,
                created_at=work.now,
                case=row.id,
                place=place,
                folder=_folder(row.number, place),
                root=sealed.root,
                files=sealed.files,
                size=sealed.size,
                sealed_at=sealed.sealed_at,
                sealed_by=actor.id,
                ledger_size=ledger_size,
                withheld=gathered.withheld,
                holds=[list(held) for held in gathered.holds],
            )
            work.act(
                SEAL,
                thing,
                bundle=kept.id,
                root=sealed.root,
                files=sealed.files,
                withheld=gathered.withheld,
                declared=len(gathered.contents.declared_breaks),
                key=sealed.fingerprint,
            )
            work.session.add(kept)
            work.session.flush()
            leads.answered(work, thing)
            bundle = bundle_of(kept)
            work.emit("cases.bundle.sealed", {"case": row.id, "bundle": kept.id}, thing.mark)
            if saving is not None:
                saving(work, bundle)
            final = self.path(bundle)
            with naming_faults():
                final.parent.mkdir(parents=True, exist_ok=True)
                put_in_place(sealed.folder, final)
        return bundle

    def _free_place(self, number: str, place: int) -> int:
        """The first place from the given one on at which no bundle of this number stands.

        What stands without a row may be a bundle that is in court already: the database may be
        an older one than this folder, and hand out its numbers of cases and places again.
        """
        while os.path.lexists(self.folder / _folder(number, place)):
            place += 1
        return place

    def path(self, bundle: Bundle) -> Path:
        """Where a bundle's folder stands."""
        return self.folder / bundle.folder

    def take_out(self, actor: Actor, case: str, place: int) -> tuple[Bundle, Iterator[bytes]]:
        """A bundle as a tar stream. Personal data in it needs an authority that covers it.

        Raises:
            NotFound: no such bundle. AuthorityRefused: its personal data is not covered.
        """
        with self.kernel.work(actor) as work:
            row = find_case(work.session, case)
            thing = thing_of(work.session, row)
            work.permit(TAKE_OUT, thing)
            kept = work.session.scalars(
                select(BundleRow).where(BundleRow.case == row.id, BundleRow.place == place)
            ).first()
            if kept is None:
                raise NotFound("The case has no such bundle.")
            bundle = bundle_of(kept)
            folder = self.path(bundle)
            if not folder.is_dir():
                raise NotFound(
                    "The bundle's folder is gone from this node.",
                    advice="Restore it from the backup, or seal the case again.",
                )
            part = part_of(thing, "bundle", bundle.id)
            require_all(work, part, TAKE_OUT, bundle.holds)
            work.act(TAKE_OUT, part, case=row.id, root=bundle.root)
        return bundle, tar_of(folder)

    def _sweep(self) -> None:
        for left in self.folder.glob(".sealing-*"):
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)

    def _run(self, running: Running) -> Mapping[str, Any]:
        if "bundle" in running.checkpoint:  # it was entered, and the worker died after that
            return running.checkpoint
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told < _TELL_EVERY_S:
                return
            told = time.monotonic()
            with running.step() as work:  # raises where the job was cancelled
                running.save(work, {}, done=done, total=total, stage="sealing")

        report: dict[str, Any] = {}

        def save(work: Work, bundle: Bundle) -> None:
            report.update(bundle=bundle.id, case=bundle.case, place=bundle.place, root=bundle.root)
            running.save(work, report, done=bundle.size, total=bundle.size, stage="sealed")

        running.check()
        declared = [Declaration.parse(text) for text in running.params.get("declared", ())]
        self.seal(
            running.actor,
            str(running.params["case"]),
            declared=declared,
            progress=tell,
            saving=save,
        )
        return report


def _folder(number: str, place: int) -> str:
    return f"{number}/{number}-{place:02d}"
