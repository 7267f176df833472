"""A case is never less grave, nor shown more widely, than the findings in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.leads.tables import LeadRow
from cordon.web.find import _hits

CLOSING = {"reason": "no_offence", "note": "A licensed transfer at sea."}


def lead_of(kernel, case):
    with kernel.rows.read() as session:
        return session.get_one(LeadRow, case)


def test_who_opens_a_case_of_a_grave_finding_cannot_call_it_slight(cases, keep, officers, kernel):
    by = officers["investigator"]
    case = cases.open(by, title="A", finding_ids=[keep(seriousness="grave")], seriousness="notice")
    assert cases.view(by, case).case.seriousness == "grave"
    lead = lead_of(kernel, case)
    assert lead.seriousness == "grave"
    assert lead.due_at == kernel.clock.now() + timedelta(hours=24)
    assert cases.ask_to_close(by, case, **CLOSING).state == "waiting"
    more = cases.open(by, title="B", finding_ids=[keep(subjects=("mmsi:463000002",))],
                      seriousness="grave")  # fmt: skip
    assert cases.view(by, more).case.seriousness == "grave"  # but graver is theirs to say


@pytest.mark.parametrize("way", ["link_finding", "add_finding"])
def test_a_grave_finding_that_comes_later_makes_the_case_grave(
    cases, keep, officers, kernel, clock, way
):
    by = officers["investigator"]
    case = cases.open(by, title="A lost buoy", mark=Mark.GREEN)
    clock.advance(timedelta(days=1))
    finding = keep(seriousness="grave", mark=Mark.AMBER_STRICT)
    getattr(cases, way)(by, case, finding)
    assert cases.view(by, case).case.seriousness == "grave"
    lead = lead_of(kernel, case)
    assert (lead.seriousness, lead.mark) == ("grave", Mark.AMBER_STRICT)
    assert lead.due_at == clock.now() + timedelta(hours=24)
    raised = next(e for e in kernel.ledger.of_thing(f"case:{case}") if "raised_by" in e.detail)
    assert raised.detail == {
        "raised_by": finding, "mark": "TLP:AMBER+STRICT", "seriousness": "grave",
    }  # fmt: skip
    assert cases.ask_to_close(by, case, **CLOSING).state == "waiting"


def test_a_raise_never_gives_more_time(cases, keep, officers, kernel, clock):
    by = officers["investigator"]
    case = cases.open(by, title="A lost buoy")
    due = lead_of(kernel, case).due_at
    clock.advance(timedelta(days=6, hours=12))
    cases.link_finding(by, case, keep(seriousness="grave"))
    assert lead_of(kernel, case).due_at == due


@pytest.fixture
def find(cases, kernel):
    picture = SimpleNamespace(thing=lambda: Thing.room("picture", kernel.agency), find=lambda _: [])
    node = SimpleNamespace(
        kernel=kernel, picture=picture, cases=cases, country=SimpleNamespace(phone_region="PK")
    )
    return lambda actor, words: [(h.type, h.title) for h in _hits(node, actor, words)]


def test_find_shows_a_case_to_those_who_may_see_it(cases, keep, officers, find):
    by = officers["investigator"]
    cleared_below = replace(officers["investigator2"], cleared=Mark.AMBER)
    case = cases.open(by, title="A lost buoy", mark=Mark.GREEN)
    hit = ("case", "C-2026-0001 A lost buoy")
    assert hit in find(cleared_below, "lost buoy")
    assert hit in find(cleared_below, case)
    cases.link_finding(by, case, keep(mark=Mark.AMBER_STRICT))
    assert hit not in find(cleared_below, "lost buoy")
    assert hit in find(by, "c-2026-0001")
    assert find(officers["field"], "lost buoy") == []


def test_find_shows_a_red_case_to_those_named_alone(cases, officers, find, kernel):
    named = replace(officers["investigator"], cleared=Mark.RED)
    other = replace(officers["supervisor"], cleared=Mark.RED)
    cases.open(named, title="A source at risk", mark=Mark.RED)
    assert find(named, "source at risk") == [("case", "C-2026-0001 A source at risk")]
    assert find(other, "source at risk") == []
    assert kernel.ledger.entries(outcome="refused") == []
