"""The overseer's report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.kernel import leads
from cordon.kernel.access.model import AuthorityKind, AuthorityState, Mark, Role, Thing
from cordon.kernel.errors import AuthorityRefused, BadInput, Refused
from cordon.oversight.report import A_PAGE

NUMBER, OTHER = "number:+923007654321", "number:+923001111111"


def test_use_of_authorities_and_refused_attempts(oversight, authority, officers, kernel, clock):
    warrant = authority()
    unused = authority("WR-119/2026")
    reader = replace(officers["investigator"], authority=warrant)
    room = Thing.room("findings", kernel.agency)
    for _ in range(3):
        with kernel.view(reader) as view:
            view.under_authority("findings.finding.view", room, "calls", NUMBER)
        clock.advance(timedelta(minutes=1))
    assert oversight.report(officers["overseer"]).uses[-1].reads == 3
    with pytest.raises(AuthorityRefused), kernel.view(reader) as view:
        view.under_authority("findings.finding.view", room, "calls", OTHER)

    report = oversight.report(officers["overseer"])  # what came since is counted on top
    used = {use.authority.id: use for use in report.uses}
    assert (used[warrant.id].reads, used[warrant.id].refused) == (3, 1)
    (by,) = used[warrant.id].officers
    assert by.officer == reader.id
    assert by.last_at - by.first_at == timedelta(minutes=3)
    assert used[unused.id].officers == ()
    (refused,) = report.refused
    assert (refused.actor, refused.detail["why"]) == (reader.id, "authority_refused")
    assert report.references[refused.authority] == "WR-118/2026"
    assert "7654321" not in repr(report.refused)
    assert "1111111" not in repr(report)


def test_emergencies_nobody_confirmed(oversight, authority, officers, noon, clock):
    in_2_h = noon + timedelta(hours=2)
    kind = AuthorityKind.EMERGENCY
    late = authority("EM-1", kind=kind, confirm_by=noon + timedelta(minutes=10))
    waiting = authority("EM-2", kind=kind, confirm_by=in_2_h)
    authority("EM-3", kind=kind, confirm_by=in_2_h, confirmed_by="officer-custodian")
    authority("EM-4", kind=kind, confirm_by=in_2_h, withdrawn_at=noon)
    authority("EM-5", kind=kind, confirm_by=noon, withdrawn_at=noon)
    never = authority("EM-6", kind=kind)

    def told():
        report = oversight.report(officers["overseer"])
        waits = {a.id: state for a, state in report.emergencies}
        lapsed = {a.id: state for a, state in report.lapsed}
        notice = oversight.notice(officers["overseer"])
        assert (report.totals["emergencies"], notice.waiting) == (len(waits), len(waits))
        assert (report.totals["lapsed"], notice.lapsed) == (len(lapsed), len(lapsed))
        return waits, lapsed

    clock.advance(timedelta(hours=1))
    assert told() == (
        {waiting.id: AuthorityState.UNCONFIRMED},
        {late.id: AuthorityState.LAPSED, never.id: AuthorityState.LAPSED},
    )
    clock.advance(timedelta(days=29))
    assert set(told()[1]) == {late.id, never.id, waiting.id}  # for thirty days
    clock.advance(timedelta(days=1, hours=1))
    assert told() == ({}, {})
    watch = oversight.notice(officers["watch"])
    assert (watch.waiting, watch.lapsed) == (0, 0)


def test_an_emergency_that_ran_out_before_it_was_confirmed_is_lapsed(
    oversight, authority, officers, noon, clock
):
    short = authority(
        "EM-1", kind=AuthorityKind.EMERGENCY, confirm_by=noon + timedelta(days=40),
    )  # fmt: skip
    clock.advance(timedelta(days=31))  # it was valid for thirty
    report = oversight.report(officers["overseer"])
    assert [(a.id, s) for a, s in report.lapsed] == [(short.id, AuthorityState.EXPIRED)]
    assert report.emergencies == ()


def test_unanswered_leads_with_who_looked(oversight, lead, officers, kernel, clock):
    ignored, taken, seen = lead("Ignored"), lead("Taken"), lead("Seen")
    with kernel.work(officers["watch"]) as work:
        leads.answered(work, taken)
    leads.looked(kernel, officers["watch"], seen.id)
    leads.looked(kernel, officers["watch2"], seen.id)
    leads.looked(kernel, officers["watch"], seen.id)
    assert oversight.report(officers["overseer"]).overdue == ()
    clock.advance(timedelta(hours=2))
    overdue = {one.id: one for one in oversight.report(officers["overseer"]).overdue}
    assert set(overdue) == {ignored.id, seen.id}
    assert overdue[ignored.id].looks == ()
    assert [(look.officer, look.times) for look in overdue[seen.id].looks] == [
        ("officer-watch", 2), ("officer-watch2", 1),
    ]  # fmt: skip


def test_closings_by_unit_and_no_means_apart(oversight, lead, close, officers):
    watch, watch2 = officers["watch"], officers["watch2"]
    close(lead("One"), watch, watch2)
    close(lead("Two"), watch2, watch, reason="no_means", note="No boat was ready.")
    close(lead("Three"), watch)
    close(lead("Small", seriousness="notice"), watch)
    report = oversight.report(officers["overseer"])
    assert [c.lead.title for c in report.closed] == ["Small", "One"]
    assert [(c.second_by, c.second_unit) for c in report.closed] == [
        (None, None), ("officer-watch2", "watch-2"),
    ]  # fmt: skip
    assert [c.lead.title for c in report.no_means] == ["Two"]
    assert [c.lead.title for c in report.waiting] == ["Three"]
    assert report.units == ("watch-1", "watch-2")
    by_unit = oversight.report(officers["overseer"], unit="watch-2")
    assert (by_unit.closed, [c.lead.title for c in by_unit.no_means]) == ((), ["Two"])


def test_what_the_overseer_is_not_cleared_for_is_left_out(oversight, lead, close, officers, clock):
    red = lead("A source at risk", mark=Mark.RED)
    strict = lead("A strict one", mark=Mark.AMBER_STRICT)
    named = replace(officers["watch"], cleared=Mark.RED)
    close(strict, named)
    clock.advance(timedelta(hours=2))
    report = oversight.report(officers["overseer"])
    assert [(one.id, one.title, one.mark) for one in report.overdue] == [(red.id, None, Mark.RED)]
    (waiting,) = report.waiting
    assert waiting.note == "A licensed transfer."
    less = oversight.report(replace(officers["overseer"], cleared=Mark.GREEN)).waiting[0]
    assert (less.lead.title, less.note) == (None, None)


def test_failing_subscribers(oversight, officers, kernel):
    def fails(_work, _event):
        raise ValueError("it holds what the event was about")

    kernel.dispatcher.subscribe("test.fails", {"test.happened"}, fails)
    with kernel.work(kernel.node) as work:
        work.emit("test.happened", {})
    kernel.dispatcher.run_pending()
    (failing,) = oversight.report(officers["overseer"]).failing
    assert (failing.subscriber, failing.failures, failing.error) == ("test.fails", 1, "ValueError")


def test_only_an_overseer_who_does_nothing_else(oversight, officers, kernel):
    others = [who for name, who in officers.items() if name != "overseer"]
    both = replace(officers["overseer"], roles=frozenset({Role.OVERSEER, Role.INVESTIGATOR}))
    foreign = replace(officers["overseer"], agency="pk-other")
    for who in (*others, both, foreign):
        with pytest.raises(Refused):
            oversight.report(who)
    refused = kernel.ledger.entries(act="oversight.report.view", outcome="refused")
    assert len(refused) == len(others) + 2


def test_a_heap_of_small_leads_hides_no_grave_one(oversight, lead, officers, clock, monkeypatch):
    monkeypatch.setattr("cordon.oversight.report.A_PAGE", {**A_PAGE, "overdue": 3})
    for n in range(4):
        lead(f"Small {n}", seriousness="notice")
    lead("Serious", seriousness="serious")
    lead("Grave", seriousness="grave")
    clock.advance(timedelta(hours=2))
    overseer = officers["overseer"]
    first = oversight.report(overseer)
    assert [one.title for one in first.overdue] == ["Grave", "Serious", "Small 0"]
    assert (first.totals["overdue"], first.starts) == (6, {})
    rest = oversight.report(overseer, part="overdue", offset=3)
    assert [one.title for one in rest.overdue] == ["Small 1", "Small 2", "Small 3"]
    assert (rest.totals["overdue"], rest.starts) == (6, {"overdue": 3})
    with pytest.raises(BadInput, match="no part"):
        oversight.report(overseer, part="bogus")


def test_every_part_says_how_many_there_are_and_is_paged(
    oversight, lead, close, authority, officers, kernel, monkeypatch
):
    monkeypatch.setattr("cordon.oversight.report.A_PAGE", dict.fromkeys(A_PAGE, 2))
    watch, watch2 = officers["watch"], officers["watch2"]
    for n in range(3):
        authority(f"WR-{n}")
        close(lead(f"Closed {n}"), watch, watch2)
        close(lead(f"No boat {n}"), watch, watch2, reason="no_means", note="No boat was ready.")
        close(lead(f"Waits {n}"), watch)
        with pytest.raises(Refused):
            oversight.report(officers["watch"])
    close(lead("Grave", seriousness="grave"), watch)
    seen = {"uses": 3, "refused": 3, "closed": 3, "no_means": 3, "waiting": 4}
    overseer = officers["overseer"]
    first = oversight.report(overseer)
    assert {part: first.totals[part] for part in seen} == seen
    for part, total in seen.items():
        rest = getattr(oversight.report(overseer, part=part, offset=2), part)
        assert (len(getattr(first, part)), len(rest)) == (2, total - 2), part
        assert not set(map(repr, rest)) & set(map(repr, getattr(first, part))), part
    assert [c.lead.title for c in first.waiting] == ["Grave", "Waits 0"]
    assert oversight.report(overseer, unit="watch-2").totals["closed"] == 0
