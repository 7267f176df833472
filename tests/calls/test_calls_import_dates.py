"""An officer's word on day and month, said on the page that brings files in."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from cordon.calls import bringing
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope

LEARNED = """\
name: other
title: Another operator
known_by: [A, B, Day, Clock]
columns: {caller: [A], callee: [B], date: [Day], time: [Clock], kind: [Sort]}
kinds: {voice: [Voice]}
zone: Asia/Karachi
"""
OPEN = b"A,B,Day,Clock,Sort\n03001234567,03337654321,05/06/2025,10:00:00,Voice\n"
DAY_FIRST = OPEN + b"03001234567,03337654321,25/06/2025,10:00:00,Voice\n"


@pytest.fixture
def http(site, noon):
    """An investigator who chose an authority, on a node with a layout that states no order."""
    site.officer("inv", "investigator")
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls"})), valid_from=noon, valid_until=noon + timedelta(days=9),
    )  # fmt: skip
    one = site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    site.node.calls.layouts.mkdir(parents=True, exist_ok=True)
    (site.node.calls.layouts / "other.yaml").write_text(LEARNED)
    client = site.client("inv")
    assert client.post(f"/authorities/{one.id}/choose").status_code == 303
    return client


def sent(site, http, data, **said):
    answer = http.post("/calls/import", data={"kind": "calls", **said}, files={"file": ("a", data)})
    assert answer.status_code == 303, answer.text
    while site.node.jobs.run_next():
        pass
    return answer.headers["location"]


def state(site, where):
    (file,) = bringing.brought(site.node.calls, site.actor("inv"), where.rsplit("/", 1)[1]).files
    return file


def starts(site):
    paths = sorted(site.node.data.rglob("*.parquet"))
    return [t for p in paths for t in pq.read_table(p, columns=["start"])["start"].to_pylist()]


@pytest.mark.parametrize(("said", "month"), [("day-first", 6), ("month-first", 5)])
def test_an_order_said_on_the_page_settles_a_file(site, http, said, month):
    where = sent(site, http, OPEN, dates=said)
    assert state(site, where).state == "done"
    day = 11 - month
    assert starts(site) == [datetime(2025, month, day, 5, tzinfo=UTC)]
    page = http.get(where).text
    assert "as was said" in page
    assert said.replace("-", " ") in page


def test_a_file_that_settles_nothing_tells_where_to_say_it_and_is_tried_again(site, http):
    where = sent(site, http, OPEN)
    file = state(site, where)
    assert file.state == "failed"
    assert "Order of dates on the page" in file.error
    page = http.get(where).text
    assert '<select name="dates">' in page
    form = {"kind": "calls", "layout": "auto", "dates": "month-first"}
    assert http.post(f"{where}/0/again", data=form).status_code == 303
    while site.node.jobs.run_next():
        pass
    assert state(site, where).state == "done"
    assert starts(site) == [datetime(2025, 5, 6, 5, tzinfo=UTC)]


def test_dates_are_not_overruled_and_the_choice_stays_in_the_form(site, http):
    where = sent(site, http, DAY_FIRST, dates="month-first")
    assert "does not write month first" in state(site, where).error
    assert '<option value="month-first" selected>' in http.get(where).text


def test_the_rejects_are_read_by_the_same_order(site, http):
    bad = OPEN + b"03001234567,03337654321,05/07/2025,10:00:00,Fax\n"
    where = sent(site, http, bad, dates="day-first")
    lines = http.get(f"{where}/0/rejects.csv").text.splitlines()
    assert [line.split(",")[1] for line in lines] == ["row", "2"]


def test_an_order_that_no_form_offers_is_refused_and_the_form_is_in_urdu_too(site, http):
    answer = http.post("/calls/import", data={"dates": "dmy"}, files={"file": ("a", OPEN)})
    assert answer.status_code == 422
    assert "no such order" in answer.text
    http.cookies.set("cordon_lang", "ur")
    page = http.get("/calls/import").text
    assert "Order of dates" not in page
    assert '<option value="day-first">پہلے دن</option>' in page
