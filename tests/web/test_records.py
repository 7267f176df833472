"""Raw call records: read under the authority that they came in under, and within its span."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Mark, Scope
from cordon.kernel.errors import AuthorityRefused, Refused
from cordon.web.records import read_record

CALLS = (
    b"start,duration_s,kind,caller,callee\n"
    b"2026-03-06T08:00:00Z,35,voice,+923001234567,+923217654321\n"
    b"2026-03-06T11:00:00Z,35,voice,+923001234567,+923217654321\n"
    b"not a time,35,voice,+923001234567,+923217654321\n"
)


@pytest.fixture
def under(site, noon):
    """Records an authority over all calls, and gives the investigator reading under it."""
    site.officer("investigator", "investigator")
    investigator = site.actor("investigator")

    def chosen(reference, **scope):
        draft = Draft(
            basis="peca_disclosure_warrant",
            reference=reference,
            issuer="A court",
            scope=Scope(frozenset({"calls"}), **scope),
            valid_from=noon - timedelta(days=1),
            valid_until=noon + timedelta(days=1),
        )
        site.node.authorities.record(investigator, draft, io.BytesIO(reference.encode()))
        return site.node.authorities.under(investigator, reference)

    return chosen


def brought_in(site, actor):
    job = site.node.calls.ask_import(actor, io.BytesIO(CALLS), "calls.csv")
    site.node.run_job(job, lambda _done, _total: None)
    return site.node.calls.files(actor)[0].sha256


def test_a_record_is_read_under_the_authority_that_it_came_in_under(site, under):
    one, other = under("W-1"), under("W-2")
    sha = brought_in(site, one)
    assert "2026-03-06T08:00:00Z" in read_record(site.node, one, sha, 1).text
    assert ("calls.record.view", "read") in [e[:2] for e in site.entries()]
    with pytest.raises(AuthorityRefused, match="did not come in under the authority W-2"):
        read_record(site.node, other, sha, 1)
    assert site.entries()[-1][:2] == ("calls.record.view", "refused")
    with pytest.raises(AuthorityRefused, match="No authority is chosen"):
        read_record(site.node, site.actor("investigator"), sha, 1)


def test_a_record_outside_the_span_of_the_authority_is_refused(site, under, noon):
    some = under("W-1", since=noon - timedelta(hours=2))
    sha = brought_in(site, some)
    assert "T11:00" in read_record(site.node, some, sha, 2).text
    with pytest.raises(AuthorityRefused):
        read_record(site.node, some, sha, 1)


def test_a_span_that_is_narrower_now_holds_for_what_is_kept(site, under, noon):
    from dataclasses import replace

    wide = under("W-1")
    sha = brought_in(site, wide)
    scope = replace(wide.authority.scope, since=noon - timedelta(hours=2))
    narrow = replace(wide, authority=replace(wide.authority, scope=scope))
    assert "T11:00" in read_record(site.node, narrow, sha, 2).text
    with pytest.raises(AuthorityRefused, match="does not cover"):
        read_record(site.node, narrow, sha, 1)


def test_a_row_that_the_import_refused_is_not_read(site, under):
    one = under("W-1")
    sha = brought_in(site, one)
    with pytest.raises(AuthorityRefused, match="kept no such row"):
        read_record(site.node, one, sha, 3)


def test_the_mark_of_the_file_counts(site, under, noon):
    one = under("W-1")
    sha = brought_in(site, one)
    site.officer("junior", "investigator", cleared="TLP:GREEN")
    from dataclasses import replace

    junior = replace(site.actor("junior"), authority=one.authority)
    assert junior.cleared is Mark.GREEN
    with pytest.raises(Refused):
        read_record(site.node, junior, sha, 1)
