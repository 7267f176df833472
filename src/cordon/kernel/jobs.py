"""Long work: progress, cancel, and resume after a crash.

A job is a row; a worker holds it by a lease that it renews. When the worker dies, the lease
runs out and another takes the job up from its last checkpoint. A job saves its checkpoint in
the same transaction as what it did, so that nothing is done twice and nothing is skipped.
Each taking up has a name of its own: where a lease ran out under a worker that was only slow,
or the machine's clock jumped, that worker's next step is refused rather than done twice.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import Cancelled, Conflict, CordonError, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.kernel.work import Kernel, Work

log = logging.getLogger(__name__)

LEASE_S = 15.0  # seconds a dead worker's job waits before it is taken up again
MOST_ATTEMPTS = 5  # a job that kills its worker without getting further is set aside
ENDED = ("done", "failed", "cancelled")


class _Stopping(Exception):
    """The node is going down; the job goes on after the next start."""


class JobRow(Owned, Base):
    """One piece of long work.

    Columns:
        kind: which function does it. params: what it was asked. checkpoint: how far it came.
        state: queued, running, done, failed, cancelled. stage: a few words.
        done, total: progress in `unit`. report: what it leaves.
        attempts: how often it was taken up since it last got further.
        worker: the taking up that holds it: host, process and a name of its own.
        lease_until: seconds since the epoch by the machine's clock (exercises set the node's).
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state", "state", "id"),)

    kind: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    params: Mapped[dict[str, Any]] = mapped_column(Json)
    actor: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    stage: Mapped[str] = mapped_column(String(80), default="")
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    unit: Mapped[str] = mapped_column(String(20), default="rows")
    checkpoint: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    report: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    error: Mapped[str | None] = mapped_column(String(500))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    cancel_asked: Mapped[str | None] = mapped_column(String(60))
    worker: Mapped[str | None] = mapped_column(String(60))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime())
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The job as policies see it."""
        return Thing("job", self.id, self.agency, Mark(self.mark))


class Running:
    """What a job's function is given.

    Attributes:
        params: what was asked. checkpoint: what the last `save` kept; empty at first.
        done: progress that the last `save` told, in the job's unit.
        actor: who asked for it, as they are now (their roles and authority may have changed).
    """

    def __init__(self, jobs: Jobs, row: JobRow, actor: Actor) -> None:
        self._jobs = jobs
        self.id = row.id
        self.claim = row.worker
        self.params: Mapping[str, Any] = row.params
        self._asked_as: Mapping[str, Any] = row.actor
        self.checkpoint: dict[str, Any] = dict(row.checkpoint)
        self.done = row.done
        self.actor = actor
        self.lost = threading.Event()

    @contextmanager
    def step(self) -> Iterator[Work]:
        """A unit of work of the job's actor; raises Cancelled before it where that was asked.

        The actor is found anew each time: an authority withdrawn, or an officer locked out,
        stops the job between two steps.
        """
        self.check()
        self.actor = self._jobs.actor_of(self._asked_as)
        with self._jobs.kernel.work(self.actor) as work:
            yield work

    def save(
        self,
        work: Work,
        checkpoint: Mapping[str, Any],
        *,
        done: int,
        total: int = 0,
        stage: str = "",
        report: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep how far the job came, in the same transaction as what it did."""
        row = work.session.get(JobRow, self.id, with_for_update=True)
        if row is None or row.worker != self.claim or self.lost.is_set():
            self.lost.set()
            raise Conflict("Another worker has taken this job up.")
        row.attempts = 1
        row.checkpoint = dict(checkpoint)
        row.done, row.total = done, max(total, row.total)
        row.stage = stage or row.stage
        if report is not None:
            row.report = dict(report)
        self.checkpoint, self.done = dict(checkpoint), done

    def check(self) -> None:
        """Raise Cancelled where somebody asked for it, Conflict where the lease was lost."""
        if self.lost.is_set():
            raise Conflict("Another worker has taken this job up.")
        if self._jobs.stopping:
            raise _Stopping
        with self._jobs.kernel.rows.read() as session:
            asked = session.scalar(select(JobRow.cancel_asked).where(JobRow.id == self.id))
        if asked:
            raise Cancelled("The job was cancelled; what it had finished is kept.")


JobFunction = Callable[[Running], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: its function, and the act that asking for it is."""

    name: str
    act: str
    run: JobFunction


class Jobs:
    """The node's long work.

    Args:
        actor_of: gives the actor of a stored reference as they are now, or raises where they
            may no longer act.
        lease_s: seconds that a dead worker's job waits.
    """

    def __init__(
        self,
        kernel: Kernel,
        actor_of: Callable[[Mapping[str, Any]], Actor],
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        self.kernel = kernel
        self.actor_of = actor_of
        self.lease_s = lease_s
        self._kinds: dict[str, JobKind] = {}
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def stopping(self) -> bool:
        """True once the node is going down."""
        return self._stop.is_set()

    def register(self, kind: JobKind) -> None:
        """Make a kind of job known."""
        self._kinds[kind.name] = kind

    def ask(
        self,
        work: Work,
        kind: str,
        title: str,
        params: Mapping[str, Any],
        *,
        mark: Mark = Mark.AMBER,
        unit: str = "rows",
        resume: bool = False,
    ) -> str:
        """Queue a job in the caller's transaction; return its id.

        Args:
            resume: where the same was asked before and has not come to its end, go on with that
                job from its checkpoint: an import begun twice would be in its own way.
        """
        asked = _reference(work.actor)
        row = self._unfinished(work.session, kind, params) if resume else None
        if row is not None:
            if not self._held(row):
                row.state, row.attempts, row.actor = "queued", 0, asked
                row.cancel_asked = row.error = row.ended_at = None
            work.act(self._kinds[kind].act, row.thing(), job=kind, again=True)
            self._wake.set()
            return row.id
        row = JobRow(
            id=new_id(),
            agency=self.kernel.agency,
            mark=mark,
            created_at=work.now,
            kind=kind,
            title=title,
            params=dict(params),
            unit=unit,
            actor=asked,
        )
        work.session.add(row)
        work.act(self._kinds[kind].act, row.thing(), job=kind)
        self._wake.set()
        return row.id

    def _unfinished(self, session: Session, kind: str, params: Mapping[str, Any]) -> JobRow | None:
        jobs = session.scalars(
            select(JobRow)
            .where(JobRow.kind == kind, JobRow.state != "done")
            .order_by(JobRow.id.desc())
            .with_for_update()
        )
        return next((job for job in jobs if job.params == dict(params)), None)

    def _held(self, row: JobRow) -> bool:
        return row.state == "running" and not self._lapsed(row.lease_until, time.time())

    def _lapsed(self, until: float, now: float) -> bool:
        """A lease that ends further ahead than any is given for was left before a clock jump."""
        return until < now or until > now + 2 * self.lease_s

    def cancel(self, actor: Actor, job: str) -> None:
        """Ask a job to stop; it stops at its next step."""
        with self.kernel.work(actor) as work:
            row = _get(work.session, job)
            work.act("jobs.job.cancel", row.thing())
            if row.state in ENDED:
                raise Conflict(f"The job has ended already: {row.state}.")
            row.cancel_asked = actor.id
            if not self._held(row):  # nobody is at it who would see that
                row.state, row.ended_at = "cancelled", work.now
                work.emit("jobs.job.cancelled", {"job": job, "kind": row.kind})

    def retry(self, actor: Actor, job: str) -> None:
        """Put a failed or cancelled job back in the queue; it goes on from its checkpoint.

        From here on it is the job of the one who retries: it runs in their name and under their
        authority, so they must be let to ask for one of its kind.

        Raises:
            Refused: they may not. Conflict: it has not ended, or this node cannot do it any more.
        """
        with self.kernel.work(actor) as work:
            row = _get(work.session, job)
            work.act("jobs.job.cancel", row.thing(), retry=True)
            if row.state not in ("failed", "cancelled"):
                raise Conflict(
                    f"The job is {row.state}; only a failed or cancelled one can be retried."
                )
            if row.kind not in self._kinds:
                raise Conflict("This node has no such kind of job any more.")
            work.act(self._kinds[row.kind].act, row.thing(), job=row.kind, again=True)
            row.actor = _reference(work.actor)
            row.state, row.attempts, row.cancel_asked, row.error = "queued", 0, None, None
            row.ended_at = None
        self._wake.set()

    def run_here(self, job: str, progress: Callable[[int, int], None]) -> JobRow:
        """Run one queued job in this thread to its end, for a command; return its row.

        Where another worker of the node has taken it up, wait until that one has ended it.
        """
        watch = threading.Event()

        def tell() -> None:
            while not watch.wait(0.2):
                with self.kernel.rows.read() as session:
                    row = _get(session, job)
                    progress(row.done, row.total)

        teller = threading.Thread(target=tell, name="job-progress", daemon=True)
        teller.start()
        try:
            while True:
                self.run_next(only=job)
                with self.kernel.rows.read() as session:
                    row = _get(session, job)
                if row.state in ENDED:
                    return row
                time.sleep(min(0.2, self.lease_s))
        except KeyboardInterrupt:
            self._interrupted(job)
            raise
        finally:
            watch.set()
            teller.join()

    def _interrupted(self, job: str) -> None:
        """Ctrl-C: end the job where this process is at it, else ask whoever is to end it."""
        with self.kernel.rows.write() as session:
            row = session.get(JobRow, job, with_for_update=True)
            if row is None or row.state in ENDED:
                return
            row.cancel_asked = "console"
            if (row.worker or "").startswith(_process()) or not self._held(row):
                row.state, row.worker, row.ended_at = "cancelled", None, self.kernel.clock.now()

    def wait(self, job: str) -> JobRow:
        """Wait until a job that workers of this node run has ended; return its row."""
        while True:
            with self.kernel.rows.read() as session:
                row = _get(session, job)
            if row.state in ENDED or self._stop.is_set():
                return row
            time.sleep(0.2)

    def run_next(self, *, only: str | None = None) -> str | None:
        """Take up one waiting job and run it to its end; return its id, or None.

        Args:
            only: this job and no other.
        """
        row = self._claim(only)
        if row is None:
            return None
        try:
            running = Running(self, row, self.actor_of(row.actor))
        except CordonError as refused:
            self._end(row, "failed", error=str(refused))
            return row.id
        with self._renewing(running):
            try:
                report = self._kinds[row.kind].run(running)
            except _Stopping:
                self._release(row)
            except Cancelled:
                self._end(row, "cancelled")
            except CordonError as fault:
                self._end(row, "failed", error=str(fault))
            except Exception as fault:
                log.exception("job failed", extra={"job": row.id, "kind": row.kind})
                self._end(
                    row,
                    "failed",
                    error=f"A fault in the program ({type(fault).__name__}); "
                    "the node's log has it under this job's id.",
                )
            else:
                self._end(row, "done", report=report)
        return row.id

    def _claim(self, only: str | None = None) -> JobRow | None:
        now = time.time()
        lapsed = (JobRow.lease_until < now) | (JobRow.lease_until > now + 2 * self.lease_s)
        with self.kernel.rows.write() as session:
            query = (
                select(JobRow)
                .where((JobRow.state == "queued") | ((JobRow.state == "running") & lapsed))
                .where(JobRow.kind.in_(self._kinds))
                .order_by(JobRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = session.scalars(query.where(JobRow.id == only) if only else query).first()
            if row is None:
                return None
            if row.attempts >= MOST_ATTEMPTS:
                row.state, row.ended_at = "failed", self.kernel.clock.now()
                row.error = f"It ended its worker {MOST_ATTEMPTS} times. See the node's log."
                log.error("job set aside", extra={"job": row.id, "kind": row.kind})
                return None
            row.state, row.lease_until = "running", now + self.lease_s
            row.worker = f"{_process()}{new_id()[-12:]}"
            row.attempts += 1
            row.started_at = row.started_at or self.kernel.clock.now()
            return row

    @contextmanager
    def _renewing(self, running: Running) -> Iterator[None]:
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self.lease_s / 3):
                try:
                    with self.kernel.rows.write() as session:
                        row = session.get(JobRow, running.id, with_for_update=True)
                        if row is None or row.worker != running.claim:
                            running.lost.set()
                            return
                        row.lease_until = time.time() + self.lease_s
                except Exception:
                    log.warning("a job's lease could not be renewed", extra={"job": running.id})

        thread = threading.Thread(target=renew, name="job-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _release(self, held: JobRow) -> None:
        """Put a job back, so that the next start need not wait for its lease."""
        with self.kernel.rows.write() as session:
            row = session.get(JobRow, held.id, with_for_update=True)
            if row is not None and row.worker == held.worker:
                row.state, row.worker, row.attempts = "queued", None, max(0, row.attempts - 1)

    def _end(
        self,
        held: JobRow,
        state: str,
        *,
        report: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> None:
        with self.kernel.work(self.kernel.node) as work:
            row = work.session.get(JobRow, held.id, with_for_update=True)
            if row is None or row.worker != held.worker:
                return  # another worker has it now, and will end it
            row.state, row.ended_at, row.error = state, work.now, error and error[:500]
            if report is not None:
                row.report = dict(report)
            work.emit(f"jobs.job.{state}", {"job": held.id, "kind": row.kind})

    def start(self, workers: int = 1) -> None:
        """Run jobs in threads of their own until `stop`."""
        for number in range(workers):
            thread = threading.Thread(target=self._loop, name=f"job-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Take up no more; a job at hand goes on after the next start, from its checkpoint."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                ran = self.run_next()
            except Exception:  # whatever it was: this thread is the one that does long work
                log.exception("no job could be taken up")
                ran = None
            if ran is None:
                self._wake.wait(timeout=1.0)


def _get(session: Session, job: str) -> JobRow:
    row = session.get(JobRow, job)
    if row is None:
        raise NotFound("There is no such job.")
    return row


def _process() -> str:
    return f"{os.uname().nodename[:20]}:{os.getpid()}:"


def _reference(actor: Actor) -> dict[str, Any]:
    return {
        "id": actor.id,
        "session": actor.session,
        "authority": actor.authority.id if actor.authority else None,
    }
