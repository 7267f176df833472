"""A finding's page and its API: the second officer's answer, and that every look is noted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from cordon.kernel import leads
from cordon.kernel.access.model import Mark
from cordon.kernel.leads import LeadRules
from cordon.kernel.leads.open import looks_at
from cordon.kernel.leads.tables import LeadRow
from cordon.web.findings import routes

NOTE = "Net drying on deck, papers in order."


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores; the services are tested on both."""
    return sqlite_url


@pytest.fixture
def browse(served, kernel, room):
    calls = SimpleNamespace(ring_of=lambda *_: None, pages_of=lambda *_: {})
    money = SimpleNamespace(pages_of=lambda *_: {})
    node = SimpleNamespace(
        kernel=kernel, lead_rules=LeadRules(), cards={}, operations=room, calls=calls, money=money
    )
    app = served(routes(node))
    return lambda officer: TestClient(app, headers={"x-officer": officer}, follow_redirects=False)


@pytest.fixture
def kept(kernel, room, make):
    """Keeps a finding that no alert speaks for yet; returns its id."""

    def keep(mark=Mark.AMBER):
        finding = make()
        with kernel.work(kernel.node) as work:
            leads.keep(work, [finding], {finding.kind: room.cards["picture.gap"]}, mark=mark)
        return finding.id

    return keep


def state(kernel, id_):
    with kernel.rows.read() as session:
        return session.get(LeadRow, id_).state


def looks(kernel, id_):
    with kernel.rows.read() as session:
        return {look.officer: look.times for look in looks_at(session, [id_]).get(id_, [])}


@pytest.mark.parametrize("answer", [{}, {"agrees": ""}, {"agrees": "maybe"}])
def test_a_blank_answer_of_the_second_officer_closes_nothing(browse, kept, kernel, answer):
    id_ = kept()
    asked = browse("watch").post(
        f"/findings/{id_}/close", data={"reason": "explained", "note": NOTE}
    )
    assert asked.status_code == 303
    back = browse("watch2").post(
        f"/findings/{id_}/countersign", data={"note": "What I typed stands.", **answer}
    )
    assert back.status_code == 422
    assert "Neither yes nor no was chosen." in back.text
    assert "What I typed stands." in back.text
    assert state(kernel, id_) == "closing"


def test_the_second_officer_says_yes_or_no(browse, kept, kernel):
    id_ = kept()
    browse("watch").post(f"/findings/{id_}/close", data={"reason": "explained", "note": NOTE})
    second = browse("watch2")
    short = second.post(f"/findings/{id_}/countersign", data={"agrees": "no", "note": "No."})
    assert (short.status_code, ">No.</textarea>" in short.text) == (422, True)
    assert '<option value="no" selected>' in short.text
    no = second.post(f"/findings/{id_}/countersign", data={"agrees": "no", "note": NOTE})
    assert (no.status_code, state(kernel, id_)) == (303, "open")
    browse("watch").post(f"/findings/{id_}/close", data={"reason": "explained", "note": NOTE})
    yes = second.post(f"/findings/{id_}/countersign", data={"agrees": "yes"})
    assert (yes.status_code, state(kernel, id_)) == (303, "closed")
    again = second.post(f"/findings/{id_}/countersign", data={"agrees": "yes"})
    assert (again.status_code, "Nobody has asked to close it." in again.text) == (409, True)


def test_a_look_is_noted_on_the_page_and_in_the_api(browse, kept, kernel):
    id_ = kept()
    assert browse("watch").get(f"/findings/{id_}").status_code == 200
    assert browse("watch2").get(f"/api/findings/{id_}").status_code == 200
    assert looks(kernel, id_) == {"officer-watch": 1, "officer-watch2": 1}


def test_who_may_not_see_it_has_not_looked_at_it(browse, kept, kernel):
    id_ = kept(Mark.RED)
    assert browse("watch").get(f"/findings/{id_}").status_code == 403
    assert browse("watch").get(f"/api/findings/{id_}").status_code == 403
    assert looks(kernel, id_) == {}


def test_records_are_linked_for_those_who_may_read_them(browse, kept):
    id_ = kept()
    assert 'href="/records/' in browse("watch").get(f"/findings/{id_}").text
    overseer = browse("overseer").get(f"/findings/{id_}")
    assert (overseer.status_code, 'href="/records/' in overseer.text) == (200, False)
