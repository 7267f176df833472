"""The outbox: in order, acted on once whatever crashes, and one that fails holds up nobody."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from cordon.kernel.events import LONGEST_PAUSE, Dispatcher, EventRow
from cordon.kernel.leads.tables import LeadRow

from cordon.kernel.access.model import Mark, Thing  # isort: skip
from cordon.kernel.leads import open_lead


def emit(kernel, *payloads, topic="test.thing.happened"):
    with kernel.work(kernel.node) as work:
        for payload in payloads:
            work.emit(topic, {"n": payload})


def effect(kernel, name):
    """A handler whose doing can be counted: one row for each event, in the same transaction."""

    def handle(work, event):
        thing = Thing("finding", f"{name}-{event.payload['n']}", kernel.agency, Mark.GREEN)
        open_lead(work, thing, title=name, seriousness="notice", due=work.now)

    return handle


def done(kernel, name):
    with kernel.rows.read() as session:
        rows = session.scalars(select(LeadRow.id).where(LeadRow.title == name))
        return sorted(rows)


def fresh(kernel):
    """A dispatcher as another process of the node has it."""
    return Dispatcher(kernel.rows, kernel.clock, lambda: kernel.work(kernel.node))


def test_each_subscriber_is_told_in_order_of_its_topics_alone(kernel):
    told, other = [], []
    kernel.dispatcher.subscribe("a", {"test.thing.happened"}, lambda w, e: told.append(e))
    kernel.dispatcher.subscribe("b", {"test.other"}, lambda w, e: other.append(e))
    emit(kernel, 1, 2, 3)
    emit(kernel, 9, topic="test.other")
    emit(kernel, 4)
    assert kernel.dispatcher.run_pending() == 5
    assert [e.payload["n"] for e in told] == [1, 2, 3, 4]
    assert [e.seq for e in told] == sorted({e.seq for e in told})
    assert all(e.at == kernel.clock.now() for e in told)
    assert [e.payload["n"] for e in other] == [9]
    assert kernel.dispatcher.run_pending() == 0


def test_what_was_rolled_back_is_told_to_nobody(kernel):
    told = []
    kernel.dispatcher.subscribe("a", {"test.thing.happened"}, lambda w, e: told.append(e))
    with pytest.raises(ZeroDivisionError), kernel.work(kernel.node) as work:  # noqa: PT012
        work.emit("test.thing.happened", {"n": 1})
        raise ZeroDivisionError
    assert kernel.dispatcher.run_pending() == 0
    assert told == []


def test_a_handler_that_dies_after_its_work_has_done_nothing_and_does_it_once(kernel):
    """Killed between its work and the commit: neither the work nor the cursor is there."""

    class Killed(BaseException):
        pass

    doing = effect(kernel, "once")
    dying = fresh(kernel)

    def dies(work, event):
        doing(work, event)
        work.session.flush()
        raise Killed

    dying.subscribe("s", {"test.thing.happened"}, dies)
    emit(kernel, 1, 2)
    with pytest.raises(Killed):
        dying.run_pending()
    assert done(kernel, "once") == []
    after = fresh(kernel)
    after.subscribe("s", {"test.thing.happened"}, doing)
    assert after.run_pending() == 2
    assert fresh(kernel).run_pending() == 0
    assert done(kernel, "once") == ["once-1", "once-2"]


def test_one_that_fails_is_tried_again_with_pauses_and_shown(kernel, clock):
    calls, told = [], []
    broken = [True]

    def fails(work, event):
        calls.append(clock.now())
        if broken[0]:
            raise ValueError("+923001234567 is in these words")

    kernel.dispatcher.subscribe("bad", {"test.thing.happened"}, fails)
    kernel.dispatcher.subscribe("good", {"test.thing.happened"}, lambda w, e: told.append(e))
    emit(kernel, 1, 2)
    started = clock.now()
    kernel.dispatcher.run_pending()
    assert len(calls) == 1  # the second event waits behind the first
    assert len(told) == 2  # and the other subscriber does not
    kernel.dispatcher.run_pending()
    assert len(calls) == 1  # not before its pause has passed
    for _ in range(12):
        clock.advance(LONGEST_PAUSE)
        kernel.dispatcher.run_pending()
    assert len(calls) == 13
    ((name, since, times, kind),) = kernel.dispatcher.failing()
    assert (name, since, times, kind) == ("bad", started, 13, "ValueError")  # no words of its
    clock.advance(timedelta(seconds=299))
    kernel.dispatcher.run_pending()
    assert len(calls) == 13  # the pause has grown to five minutes and no further
    broken[0] = False
    clock.advance(timedelta(seconds=1))
    kernel.dispatcher.run_pending()
    assert len(calls) == 15
    assert kernel.dispatcher.failing() == []


def test_first_pauses_grow(kernel, clock):
    calls = []

    def fails(_work, _event):
        calls.append(clock.now())
        raise ValueError

    kernel.dispatcher.subscribe("bad", {"test.thing.happened"}, fails)
    emit(kernel, 1)
    for _ in range(31):
        kernel.dispatcher.run_pending()
        clock.advance(timedelta(seconds=1))
    gaps = [(b - a).seconds for a, b in pairwise(calls)]
    assert gaps == [1, 2, 4, 8]


def test_a_clock_that_jumps_back_does_not_stretch_a_pause(kernel, clock):
    calls = []

    def fails_once(_work, _event):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError

    kernel.dispatcher.subscribe("s", {"test.thing.happened"}, fails_once)
    emit(kernel, 1)
    kernel.dispatcher.run_pending()
    clock.advance(timedelta(days=-2))
    kernel.dispatcher.run_pending()
    assert len(calls) == 2


def test_two_dispatchers_at_once_act_once(kernel):
    """As two processes of one node: each event is acted on by one of them."""
    taken = []
    doing = effect(kernel, "both")

    def handle(work, event):
        doing(work, event)
        taken.append(event.seq)

    both = [fresh(kernel), fresh(kernel)]
    for dispatcher in both:
        dispatcher.subscribe("s", {"test.thing.happened"}, handle)
    emit(kernel, *range(30))
    threads = [threading.Thread(target=d.run_pending) for d in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done(kernel, "both")) == 30
    assert taken == sorted(set(taken))
    assert len(taken) == 30
    assert kernel.dispatcher.failing() == []


def test_one_with_much_to_do_does_not_hold_up_the_others(kernel):
    busy, quick = [], []
    kernel.dispatcher.subscribe("a", {"test.many"}, lambda w, e: busy.append(e))
    kernel.dispatcher.subscribe("b", {"test.thing.happened"}, lambda w, e: quick.append(e))
    emit(kernel, *range(20), topic="test.many")
    emit(kernel, 1)
    assert kernel.dispatcher.run_pending(at_most=5) == 6
    assert len(quick) == 1


def test_what_a_handler_tells_is_taken_in_the_same_run_whoever_comes_first(kernel):
    heard = []

    def first(work, event):
        work.emit("test.second", {"n": event.payload["n"]})

    kernel.dispatcher.subscribe("before", {"test.second"}, lambda w, e: heard.append(e))
    kernel.dispatcher.subscribe("middle", {"test.thing.happened"}, first)
    kernel.dispatcher.subscribe("after", {"test.second"}, lambda w, e: heard.append(e))
    emit(kernel, 7)
    assert kernel.dispatcher.run_pending() == 3
    assert [e.payload["n"] for e in heard] == [7, 7]


def test_only_those_whose_topics_came_are_looked_after(kernel, monkeypatch):
    told, asked = [], []
    for n in range(20):
        kernel.dispatcher.subscribe(f"idle {n}", {f"test.idle.{n}"}, lambda w, e: told.append(e))
    kernel.dispatcher.subscribe("a", {"test.thing.happened"}, lambda w, e: told.append(e))
    kernel.dispatcher.run_pending()
    ask = Dispatcher._next

    def counted(self, subscription):
        asked.append(subscription.name)
        return ask(self, subscription)

    monkeypatch.setattr(Dispatcher, "_next", counted)
    emit(kernel, 1)
    assert kernel.dispatcher.run_pending() == 1
    assert set(asked) == {"a"}
    asked.clear()
    assert kernel.dispatcher.run_pending() == 0
    assert asked == []
    emit(kernel, 2, topic="test.idle.3")
    assert kernel.dispatcher.run_pending() == 1
    # one who comes later has what waits for it, whoever looked before
    kernel.dispatcher.subscribe("late", {"test.idle.3"}, lambda w, e: told.append(e))
    assert kernel.dispatcher.run_pending() == 1
    assert [e.payload["n"] for e in told] == [1, 2, 2]


def test_many_writers_at_once_are_numbered_as_they_commit(kernel):
    seen = []
    kernel.dispatcher.subscribe("s", {"test.thing.happened"}, lambda w, e: seen.append(e.seq))

    def write():
        for n in range(10):
            emit(kernel, n)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        kernel.dispatcher.run_pending()  # reads while they write: none may slip by it
    kernel.dispatcher.run_pending()
    assert len(seen) == 40
    with kernel.rows.read() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 40


def test_the_thread_takes_what_comes_and_ends(kernel):
    told = threading.Event()
    kernel.dispatcher.subscribe("s", {"test.thing.happened"}, lambda w, e: told.set())
    kernel.dispatcher.start()
    emit(kernel, 1)
    assert told.wait(10)
    kernel.dispatcher.stop()


def test_two_of_one_name_are_a_mistake(kernel):
    kernel.dispatcher.subscribe("s", {"x"}, lambda w, e: None)
    with pytest.raises(ValueError, match="two subscribers"):
        kernel.dispatcher.subscribe("s", {"y"}, lambda w, e: None)
