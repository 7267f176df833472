"""Long work: progress, cancel, resume after a crash; one worker at a time, whatever happens."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, NotSignedIn, Refused
from cordon.kernel.events import EventRow
from cordon.kernel.jobs import MOST_ATTEMPTS, JobKind, JobRow, Jobs
from cordon.kernel.leads import open_lead
from cordon.kernel.leads.tables import LeadRow

ACT = "picture.position.import"


class Killed(BaseException):
    """Stands for kill -9: the function ends, and nobody writes what became of it."""


@pytest.fixture
def actors(officers):
    """Who may act now, by id; a test takes one out, or changes one."""
    return {o.id: o for o in officers.values()}


@pytest.fixture
def make(kernel, actors):
    """Another worker of the node, as another process has it."""

    def actor_of(reference):
        if reference["id"] not in actors:
            raise NotSignedIn("Who asked for this may not act any more.")
        return actors[reference["id"]]

    made = []

    def build(run=None, *, lease_s=0.3):
        jobs = Jobs(kernel, actor_of, lease_s=lease_s)
        jobs.register(JobKind("test.count", ACT, run or counting()))
        made.append(jobs)
        return jobs

    yield build
    for jobs in made:
        jobs.stop()


def counting(parts=5, *, at=None, before=None):
    """A job of parts: each opens one lead and saves; `at(n)` is called in a part after its work."""

    def run(job):
        for n in range(int(job.checkpoint.get("parts", 0)), parts):
            if before is not None:
                before(n)
            with job.step() as work:
                kernel = work.kernel
                thing = Thing("finding", part_id(job.id, n), kernel.agency, Mark.GREEN)
                open_lead(work, thing, title="part", seriousness="notice", due=work.now)
                job.save(work, {"parts": n + 1}, done=n + 1, total=parts, stage="counting")
                if at is not None:
                    at(n)
        return {"parts": parts}

    return run


def part_id(job, n):
    return f"{job.replace('-', '')}{n:04d}"


def ask(kernel, jobs, actor, *, params=None, resume=False):
    with kernel.work(actor) as work:
        return jobs.ask(work, "test.count", "Counting", params or {}, mark=Mark.GREEN,
                        resume=resume)  # fmt: skip


def row(kernel, job) -> JobRow:
    with kernel.rows.read() as session:
        return session.get(JobRow, job)


def parts(kernel, job):
    with kernel.rows.read() as session:
        begin = job.replace("-", "")
        found = session.scalars(select(LeadRow.id).where(LeadRow.id.startswith(begin)))
        return sorted(int(i[32:]) for i in found)


def topics(kernel):
    with kernel.rows.read() as session:
        return list(session.scalars(select(EventRow.topic).order_by(EventRow.seq)))


def test_a_job_runs_to_its_end_and_tells_how_far_it_is(kernel, make, officers):
    told = []
    jobs = make(counting(before=lambda _n: time.sleep(0.1)))
    job = ask(kernel, jobs, officers["watch"])
    assert row(kernel, job).state == "queued"
    ended = jobs.run_here(job, lambda done, total: told.append((done, total)))
    assert (ended.state, ended.done, ended.total, ended.stage) == ("done", 5, 5, "counting")
    assert ended.report == {"parts": 5}
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert told == sorted(told)
    assert len(set(told)) > 1  # it was told on the way, not only at the end
    assert parts(kernel, job) == [0, 1, 2, 3, 4]
    assert topics(kernel) == ["jobs.job.done"]


def test_asking_is_an_act(kernel, make, officers):
    jobs = make()
    with pytest.raises(Refused):
        ask(kernel, jobs, officers["custodian"])
    with kernel.rows.read() as session:
        assert session.scalars(select(JobRow.id)).all() == []
    job = ask(kernel, jobs, officers["watch"])
    entries = kernel.ledger.of_thing(f"job:{job}")
    assert [(e.act, e.actor) for e in entries] == [(ACT, "officer-watch")]


def test_cancelled_while_running_it_keeps_what_it_finished(kernel, make, officers):
    jobs = make()

    def cancels(n):
        if n == 2:
            jobs.cancel(officers["supervisor"], job)

    jobs.register(JobKind("test.count", ACT, counting(before=cancels)))
    job = ask(kernel, jobs, officers["watch"])
    jobs.run_next()
    ended = row(kernel, job)
    assert (ended.state, ended.done, ended.cancel_asked) == ("cancelled", 2, "officer-supervisor")
    assert parts(kernel, job) == [0, 1]
    with pytest.raises(Conflict, match="ended already"):
        jobs.cancel(officers["supervisor"], job)
    jobs.register(JobKind("test.count", ACT, counting()))
    jobs.retry(officers["supervisor"], job)  # and it goes on from there, in the retrier's name
    assert row(kernel, job).actor["id"] == "officer-supervisor"
    jobs.run_next()
    assert row(kernel, job).state == "done"
    assert parts(kernel, job) == [0, 1, 2, 3, 4]


def test_only_who_may_ask_for_a_job_may_retry_it(kernel, make, officers):
    """Else it would go on in somebody else's name, and under their authority."""
    jobs = make()
    job = ask(kernel, jobs, officers["watch"])
    jobs.cancel(officers["supervisor"], job)
    kernel.gate.check(officers["custodian"], "jobs.job.cancel", row(kernel, job).thing())
    with pytest.raises(Refused):
        jobs.retry(officers["custodian"], job)
    kept = row(kernel, job)
    assert (kept.state, kept.actor["id"]) == ("cancelled", "officer-watch")
    assert kernel.ledger.entries(outcome="refused")[0].act == ACT
    other = make()
    del other._kinds["test.count"]
    with pytest.raises(Conflict, match="no such kind"):
        other.retry(officers["supervisor"], job)


def test_cancelled_before_it_ran_it_never_does(kernel, make, officers):
    jobs = make()
    job = ask(kernel, jobs, officers["watch"])
    jobs.cancel(officers["watch"], job)
    assert jobs.run_next() is None
    assert row(kernel, job).state == "cancelled"
    with pytest.raises(Refused):
        jobs.cancel(officers["field"], job)
    with pytest.raises(NotFound):
        jobs.cancel(officers["watch"], "0" * 36)


def dying(n):
    def at(part):
        if part == n:
            raise Killed

    return at


def test_another_worker_goes_on_where_a_dead_one_was(kernel, make, officers):
    first = make(counting(at=dying(3)))
    job = ask(kernel, first, officers["watch"])
    with pytest.raises(Killed):
        first.run_next()
    assert row(kernel, job).state == "running"
    assert parts(kernel, job) == [0, 1, 2]  # the fourth was rolled back with its save
    second = make()
    assert second.run_next() is None  # not before the lease has run out
    time.sleep(0.35)
    assert second.run_next() == job
    assert row(kernel, job).state == "done"
    assert parts(kernel, job) == [0, 1, 2, 3, 4]


def test_a_job_is_never_run_by_two_at_once(kernel, make, officers):
    """Many workers, more jobs: each part of each is done by one of them, and once."""
    running, together, lock = set(), [], threading.Lock()

    def run(job):
        with lock:
            together.append(job.id in running)
            running.add(job.id)
        report = counting(3, before=lambda _n: time.sleep(0.02))(job)
        with lock:
            running.discard(job.id)
        return report

    workers = [make(run, lease_s=30) for _ in range(3)]
    asked = [ask(kernel, workers[0], officers["watch"], params={"n": n}) for n in range(6)]
    for worker in workers:
        worker.start(2)
    until = time.monotonic() + 30
    while time.monotonic() < until and any(row(kernel, j).state != "done" for j in asked):
        time.sleep(0.05)
    assert [row(kernel, j).state for j in asked] == ["done"] * 6
    assert together == [False] * 6
    assert all(parts(kernel, j) == [0, 1, 2] for j in asked)
    assert topics(kernel) == ["jobs.job.done"] * 6


@pytest.mark.parametrize("same_process", [False, True])
def test_a_worker_that_was_only_slow_is_refused_once_another_has_the_job(
    kernel, make, officers, same_process, monkeypatch
):
    """Its lease ran out under it (a stopped process, a clock that jumped ahead)."""
    slow = make(lease_s=1000.0)
    other = slow if same_process else make(lease_s=1000.0)
    taken_up = []

    def loses_it(n):
        if n == 2 and not taken_up:
            taken_up.append(True)
            monkeypatch.setattr(time, "time", lambda: 10.0**10)  # the machine's clock jumps
            assert other.run_next() == job
            monkeypatch.undo()

    run = counting(before=loses_it)
    for jobs in (slow, other):
        jobs.register(JobKind("test.count", ACT, run))
    job = ask(kernel, slow, officers["watch"])
    slow.run_next()
    ended = row(kernel, job)
    assert (ended.state, ended.error) == ("done", None)  # the slow one's fault is not the job's
    assert parts(kernel, job) == [0, 1, 2, 3, 4]
    assert topics(kernel) == ["jobs.job.done"]


def test_a_clock_that_jumps_back_does_not_hold_a_dead_workers_job(kernel, make, officers):
    first = make(counting(at=dying(1)), lease_s=1.0)
    job = ask(kernel, first, officers["watch"])
    with pytest.raises(Killed):
        first.run_next()
    with kernel.rows.write() as session:
        session.get(JobRow, job).lease_until = time.time() + 3600  # as it was before the jump
    assert make(lease_s=1.0).run_next() == job
    assert row(kernel, job).state == "done"


def test_a_living_workers_lease_is_renewed(kernel, make, officers):
    slow = make(counting(2, before=lambda _n: time.sleep(2.5)), lease_s=1.5)
    job = ask(kernel, slow, officers["watch"])
    thread = threading.Thread(target=slow.run_next)
    thread.start()
    while row(kernel, job).state == "queued":
        time.sleep(0.01)
    other, took = make(lease_s=1.5), []
    while thread.is_alive():
        took.append(other.run_next())
        time.sleep(0.05)
    thread.join()
    assert set(took) == {None}
    assert (row(kernel, job).state, row(kernel, job).attempts) == ("done", 1)


def test_a_job_that_kills_its_worker_each_time_is_set_aside(kernel, make, officers):
    job = None
    for _ in range(MOST_ATTEMPTS):
        jobs = make(counting(at=dying(0)), lease_s=0.0)
        job = job or ask(kernel, jobs, officers["watch"])
        with pytest.raises(Killed):
            jobs.run_next()
        time.sleep(0.01)
    last = make(lease_s=0.0)
    assert last.run_next() is None
    ended = row(kernel, job)
    assert ended.state == "failed"
    assert f"{MOST_ATTEMPTS} times" in ended.error
    last.retry(officers["watch"], job)
    assert last.run_next() == job
    assert row(kernel, job).state == "done"


def test_a_job_that_gets_further_each_time_is_not_set_aside(kernel, make, officers):
    """Killed more often than the limit, but never without having done something."""
    job = None
    for n in range(MOST_ATTEMPTS + 3):
        jobs = make(counting(20, at=dying(n + 1)), lease_s=0.0)
        job = job or ask(kernel, jobs, officers["watch"])
        with pytest.raises(Killed):
            jobs.run_next()
        time.sleep(0.01)
    make(counting(20), lease_s=0.0).run_next()
    assert row(kernel, job).state == "done"
    assert parts(kernel, job) == list(range(20))


def test_an_officer_locked_out_between_two_steps_stops_the_job(kernel, make, officers, actors):
    def locks(n):
        if n == 2:
            del actors["officer-watch"]

    jobs = make(counting(before=locks))
    job = ask(kernel, jobs, officers["watch"])
    jobs.run_next()
    ended = row(kernel, job)
    assert ended.state == "failed"
    assert "may not act" in ended.error
    assert parts(kernel, job) == [0, 1]
    again = ask(kernel, jobs, officers["watch2"])
    assert row(kernel, again).state == "queued"
    del actors["officer-watch2"]  # and before it begins at all
    jobs.run_next()
    assert row(kernel, again).state == "failed"


def test_roles_taken_away_between_two_steps_stop_the_job(kernel, make, officers, actors):
    def demotes(n):
        if n == 2:
            actors["officer-watch"] = replace(officers["watch"], roles=frozenset())

    def run(job):
        for n in range(4):
            demotes(n)
            with job.step() as work:
                work.act(ACT, Thing.room("picture", work.kernel.agency), part=n)
                job.save(work, {"n": n}, done=n + 1)
        return {}

    jobs = make(run)
    job = ask(kernel, jobs, officers["watch"])
    jobs.run_next()
    ended = row(kernel, job)
    assert (ended.state, ended.done) == ("failed", 2)
    assert "roles" in ended.error
    refused = [e for e in kernel.ledger.entries() if e.outcome == "refused"]
    assert len(refused) == 1


def test_a_fault_of_the_input_is_told_and_one_of_the_program_is_not(kernel, make, officers):
    def bad(_job):
        raise BadInput("Row 7 is no position.", advice="See the format.")

    def broken(_job):
        raise RuntimeError("+923001234567")

    told = []
    for run in (bad, broken):
        jobs = make(run)
        job = ask(kernel, jobs, officers["watch"])
        jobs.run_next()
        assert row(kernel, job).state == "failed"
        told.append(row(kernel, job).error)
    assert told[0] == "Row 7 is no position. See the format."
    assert "RuntimeError" in told[1]
    assert "92300" not in told[1]


def test_a_node_that_stops_gives_its_job_back(kernel, make, officers):
    begun = threading.Event()

    def slowly(n):
        begun.set()
        time.sleep(0.1)

    first = make(counting(40, before=slowly), lease_s=1000.0)
    job = ask(kernel, first, officers["watch"])
    first.start()
    assert begun.wait(10)
    time.sleep(0.3)
    first.stop()
    released = row(kernel, job)
    assert (released.state, released.worker) == ("queued", None)
    assert 0 < released.done < 40
    assert make(counting(40), lease_s=1000.0).run_next() == job  # and no lease to wait for
    assert row(kernel, job).state == "done"
    assert parts(kernel, job) == list(range(40))


def test_ctrl_c_ends_the_job_and_asking_again_goes_on_with_it(kernel, make, officers):
    def interrupts(n):
        if n == 3:
            raise KeyboardInterrupt

    jobs = make(counting(before=interrupts))
    job = ask(kernel, jobs, officers["watch"], params={"file": "a"}, resume=True)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_here(job, lambda *_: None)
    assert row(kernel, job).state == "cancelled"
    assert parts(kernel, job) == [0, 1, 2]
    after = make()
    assert ask(kernel, after, officers["watch"], params={"file": "b"}, resume=True) != job
    assert ask(kernel, after, officers["watch"], params={"file": "a"}, resume=True) == job
    assert after.run_here(job, lambda *_: None).state == "done"
    assert parts(kernel, job) == [0, 1, 2, 3, 4]
    # one that came to its end is not gone on with
    assert ask(kernel, after, officers["watch"], params={"file": "a"}, resume=True) != job


def test_asked_again_by_another_it_runs_as_that_one(kernel, make, officers, actors):
    jobs = make(counting(at=lambda n: (_ for _ in ()).throw(BadInput("no")) if n == 1 else None))
    job = ask(kernel, jobs, officers["watch"], resume=True)
    jobs.run_next()
    assert row(kernel, job).state == "failed"
    del actors["officer-watch"]
    after = make()
    assert ask(kernel, after, officers["watch2"], resume=True) == job
    after.run_next()
    assert row(kernel, job).state == "done"


def test_a_fault_of_the_database_does_not_end_the_thread(kernel, make, officers, monkeypatch):
    jobs = make()
    real, faults = jobs._claim, []

    def claim(only=None):
        if len(faults) < 2:
            faults.append(1)
            raise RuntimeError("the pool is empty")
        return real(only)

    monkeypatch.setattr(jobs, "_claim", claim)
    job = ask(kernel, jobs, officers["watch"])
    jobs.start()
    until = time.monotonic() + 10
    while time.monotonic() < until and row(kernel, job).state != "done":
        time.sleep(0.05)
    assert row(kernel, job).state == "done"
