"""Leads cannot be buried: reason, note, a second officer from another unit, and who looked."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cordon.kernel import leads
from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.ids import new_id
from cordon.kernel.leads import LeadRules
from cordon.kernel.leads.tables import LeadRow

CLOSE, SECOND = "findings.finding.close", "findings.finding.countersign"
NOTE = "Looked at the pilot's log: it was moored."


@pytest.fixture
def opened(kernel, noon):
    """Opens a lead, due in an hour."""

    def make(seriousness="serious"):
        thing = Thing("finding", new_id(), kernel.agency, Mark.AMBER)
        with kernel.work(kernel.node) as work:
            leads.open_lead(
                work, thing, title="Went silent", seriousness=seriousness,
                due=noon + timedelta(hours=1),
            )  # fmt: skip
        return thing

    return make


@pytest.fixture
def reason():
    return leads.close_reasons()["finding"][0].id


def close(kernel, actor, thing, reason, note=NOTE, rules=LeadRules()):
    with kernel.work(actor) as work:
        return leads.ask_to_close(work, CLOSE, thing, rules, reason=reason, note=note)


def sign(kernel, actor, thing):
    with kernel.work(actor) as work:
        return leads.countersign(work, SECOND, thing)


def state(kernel, thing):
    with kernel.rows.read() as session:
        return session.get(LeadRow, thing.id).state


def acts(kernel, thing):
    found = kernel.ledger.of_thing(thing.name)[::-1]
    return [(e.act, e.outcome, e.actor) for e in found]


@pytest.mark.parametrize(
    ("alone_up_to", "seriousness", "second"),
    [
        ("notice", "notice", False),
        ("notice", "serious", True),
        ("notice", "grave", True),
        ("serious", "serious", False),
        ("serious", "grave", True),
        ("grave", "grave", False),
    ],
)
def test_above_the_set_seriousness_a_second_officer_is_needed(
    kernel, officers, opened, reason, alone_up_to, seriousness, second
):
    thing = opened(seriousness)
    asked = close(kernel, officers["watch"], thing, reason, rules=LeadRules(alone_up_to))
    assert asked.state == ("waiting" if second else "closed")
    assert state(kernel, thing) == ("closing" if second else "closed")


def test_closing_needs_a_reason_of_the_list_and_a_note_that_says_something(
    kernel, officers, opened, reason
):
    thing = opened("notice")
    for wrong, note in (("because", NOTE), ("", NOTE), (reason, ""), (reason, "  ok       ")):
        with pytest.raises(BadInput):
            close(kernel, officers["watch"], thing, wrong, note)
    assert state(kernel, thing) == "open"
    assert acts(kernel, thing) == []
    close(kernel, officers["watch"], thing, reason)
    with pytest.raises(Conflict, match="closed already"):
        close(kernel, officers["watch2"], thing, reason)


def test_the_second_is_another_person_of_another_unit_and_a_refusal_stands_in_the_ledger(
    kernel, officers, opened, reason
):
    thing = opened()
    close(kernel, officers["watch"], thing, reason)
    with pytest.raises(Refused, match="cannot countersign"):
        sign(kernel, officers["watch"], thing)
    with pytest.raises(Refused, match="another unit"):
        sign(kernel, officers["supervisor"], thing)  # another person of the same unit
    with pytest.raises(Refused):
        sign(kernel, officers["overseer"], thing)  # oversees, and closes nothing
    assert state(kernel, thing) == "closing"
    with pytest.raises(Conflict, match="second officer already"):
        close(kernel, officers["watch2"], thing, reason)
    assert sign(kernel, officers["watch2"], thing).state == "closed"
    assert state(kernel, thing) == "closed"
    assert acts(kernel, thing) == [
        (CLOSE, "done", "officer-watch"),
        (SECOND, "refused", "officer-watch"),
        (SECOND, "refused", "officer-supervisor"),
        (SECOND, "refused", "officer-overseer"),
        (SECOND, "done", "officer-watch2"),
    ]
    last = kernel.ledger.of_thing(thing.name)[0]
    assert last.detail["asked_by"] == "officer-watch"
    assert NOTE not in str(last.detail)  # the note is kept with the lead, not spread
    with pytest.raises(Conflict):
        sign(kernel, officers["watch2"], thing)


def test_one_without_a_unit_cannot_be_the_second(kernel, officers, opened, reason):
    from dataclasses import replace

    thing = opened()
    close(kernel, officers["watch"], thing, reason)
    with pytest.raises(Refused, match="another unit"):
        sign(kernel, replace(officers["watch2"], unit=None), thing)


def test_declined_it_is_open_again_and_counts_as_unanswered(
    kernel, officers, opened, reason, clock
):
    thing = opened()
    with kernel.work(officers["watch"]) as work:
        leads.answered(work, thing)
    close(kernel, officers["watch"], thing, reason)
    with pytest.raises(BadInput), kernel.work(officers["watch2"]) as work:
        leads.decline(work, SECOND, thing, note="no")
    with kernel.work(officers["watch2"]) as work:
        leads.decline(work, SECOND, thing, note="The log does not cover that night.")
    assert state(kernel, thing) == "open"
    clock.advance(timedelta(hours=2))
    with kernel.rows.read() as session:
        assert [o.lead.id for o in leads.overdue(session, clock.now())] == [thing.id]
    close(kernel, officers["watch"], thing, reason)  # and it can be asked again
    assert sign(kernel, officers["watch2"], thing).state == "closed"


def test_those_left_unanswered_appear_with_who_looked(kernel, officers, opened, clock):
    late, later, answered, seen_in_time = (opened() for _ in range(4))
    clock.advance(timedelta(minutes=10))
    for name in ("watch", "watch2", "watch"):
        leads.looked(kernel, officers[name], late.id)
        clock.advance(timedelta(minutes=1))
    leads.looked(kernel, officers["watch"], "no such lead")
    with kernel.work(officers["watch"]) as work:
        leads.answered(work, answered)
    with kernel.rows.read() as session:
        assert leads.overdue(session, clock.now()) == []
    clock.advance(timedelta(hours=1))
    with kernel.rows.read() as session:
        found = {o.lead.id: o for o in leads.overdue(session, clock.now())}
    assert set(found) == {late.id, later.id, seen_in_time.id}
    first, second = found[late.id].looks
    assert (first.officer, first.unit, first.times) == ("officer-watch", "watch-1", 2)
    assert first.last_at - first.first_at == timedelta(minutes=2)
    assert (second.officer, second.times) == ("officer-watch2", 1)
    assert found[later.id].looks == ()


def test_an_answer_stops_the_clock_but_closing_alone_does_not_hide_it(
    kernel, officers, opened, reason, clock
):
    """One that waits for a second officer is answered; one that was only opened is not."""
    waiting, only_seen = opened(), opened()
    close(kernel, officers["watch"], waiting, reason)
    leads.looked(kernel, officers["watch"], only_seen.id)
    clock.advance(timedelta(days=1))
    with kernel.rows.read() as session:
        assert [o.lead.id for o in leads.overdue(session, clock.now())] == [only_seen.id]


def test_opening_twice_changes_nothing(kernel, opened):
    thing = opened("grave")
    with kernel.work(kernel.node) as work:
        leads.open_lead(work, thing, title="x", seriousness="notice", due=work.now)
    with kernel.rows.read() as session:
        assert session.get(LeadRow, thing.id).seriousness == "grave"


def test_what_is_not_there_cannot_be_closed(kernel, officers, reason):
    thing = Thing("finding", new_id(), kernel.agency, Mark.AMBER)
    with pytest.raises(NotFound):
        close(kernel, officers["watch"], thing, reason)


def test_two_who_ask_at_once_ask_once(kernel, officers, opened, reason):
    import threading

    thing, told = opened(), []

    def ask(name):
        try:
            told.append(close(kernel, officers[name], thing, reason).state)
        except Conflict:
            told.append("conflict")

    threads = [threading.Thread(target=ask, args=(n,)) for n in ("watch", "watch2", "supervisor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["conflict", "conflict", "waiting"]


def test_two_who_keep_one_finding_at_once_keep_it_once(kernel, noon):
    card = Card(
        kind="picture.gap", name="Silence", version="1", title="Went silent", looks_for="Silence.",
        seriousness="notice", parameters={}, fooled_by=(), takes=(),
    )  # fmt: skip
    finding = Finding.make(
        kind="picture.gap", subjects=("mmsi:463012345",), start=noon, end=noon, confidence=0.9,
        reasons=[Reason("silence", 46.0, "min", 30.0, "Silent for 46 min.")],
        records=[RecordRef("ab" * 32, 1)], detector="gap.test", version="1",
    )  # fmt: skip
    first_kept, second_came = threading.Event(), threading.Event()

    def first():
        with kernel.work(kernel.node) as work:
            made, _ = leads.keep(work, [finding], {finding.kind: card})
            first_kept.set()
            assert second_came.wait(10)
            time.sleep(0.3)  # long enough for the other to look for the finding
        return made

    def second():
        assert first_kept.wait(10)
        second_came.set()
        with kernel.work(kernel.node) as work:
            made, grown = leads.keep(work, [finding], {finding.kind: card})
        return made, grown

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        assert one.result(30) == [finding.id]
        assert other.result(30) == ([], [])
