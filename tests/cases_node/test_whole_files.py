"""Which raw files of personal data go into a bundle whole, and what the ledger says of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.calls.service import Calls
from cordon.calls.tables import CallFileRow
from cordon.cases import Cases
from cordon.cases.gathering import NOT_COVERED, NOT_ITS_OWN
from cordon.kernel.access.model import Mark
from cordon.kernel.errors import AuthorityRefused
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Jobs
from cordon.kernel.leads import LeadRules

CDR = b"start,kind,caller,callee\n2026-03-06T08:00:00Z,voice,+923000000001,+923000000002\n"
SHA256 = hashlib.sha256(CDR).hexdigest()
NUMBER = "number:+923007654321"


@pytest.fixture
def cases(kernel, tmp_path):
    calls = Calls(kernel, Jobs(kernel, lambda _: None), country="pk", largest=1 << 20)
    return Cases(kernel, LeadRules(), folder=tmp_path / "bundles",
                 whole_files={"calls": calls.lets_in_whole})  # fmt: skip


@pytest.fixture
def bring_in(kernel, noon):
    def bring(authority, **more):
        columns = {"kind": "calls", "state": "stored", "refusals": [], **more}
        with kernel.rows.write() as session:
            session.add(
                CallFileRow(
                    id=new_id(),
                    agency=kernel.agency,
                    mark=Mark.AMBER,
                    created_at=noon,
                    sha256=SHA256,
                    name="cdr.csv",
                    authority=authority.id,
                    size=len(CDR),
                    counts={},
                    **columns,
                )
            )

    return bring


@pytest.fixture
def sealed(cases, keep, officers):
    """Seals a case whose finding points at the file; returns the bundle and its raw files."""

    def seal(authority, *, subjects=(NUMBER,)):
        by = replace(officers["investigator"], authority=authority)
        finding = keep(kind="calls.fan", subjects=subjects, data=CDR)
        bundle = cases.seal(by, cases.open(by, title="A call centre", finding_ids=[finding]))
        folder = cases.bundles.path(bundle)
        index = (folder / "data/records/index.json").read_text()
        return bundle, [p.read_bytes() for p in (folder / "data/records").glob("*.csv")], index

    return seal


def readings(kernel):
    return [e.detail for e in kernel.ledger.entries(outcome="read") if "file" in e.detail]


def test_whole_under_the_authority_that_brought_it_in(sealed, warrant, bring_in, kernel):
    everyone = warrant(subjects=None)
    bring_in(everyone)
    bundle, files, _ = sealed(everyone)
    assert files == [CDR]
    assert bundle.holds == (("calls", None), ("calls", NUMBER))
    assert readings(kernel) == [{"data": "calls", "file": SHA256}]
    entry = next(e for e in kernel.ledger.entries(outcome="read") if "file" in e.detail)
    assert (entry.thing, entry.authority) == (f"case:{bundle.case}", everyone.id)


def test_a_finding_of_nobody_leaves_the_reading_of_its_file_too(sealed, warrant, bring_in, kernel):
    everyone = warrant(subjects=None)
    bring_in(everyone)
    bundle, files, _ = sealed(everyone, subjects=("cell:410-01-1-2",))
    assert files == [CDR]
    assert bundle.holds == (("calls", None),)
    assert readings(kernel) == [{"data": "calls", "file": SHA256}]


def test_not_under_another_authority_however_wide(sealed, warrant, bring_in, kernel):
    everyone = warrant(subjects=None)
    bring_in(replace(everyone, id="0199aaaa-0000-7000-8000-0000000000b2"))
    bundle, files, index = sealed(everyone)
    assert (bundle.withheld, files) == (1, [])
    assert NOT_ITS_OWN in index
    assert readings(kernel) == []


def test_not_under_an_authority_over_named_subjects(sealed, warrant, bring_in):
    named = warrant()
    bring_in(named)
    bundle, files, index = sealed(named)
    assert (bundle.withheld, files) == (1, [])
    assert NOT_COVERED in index


@pytest.mark.parametrize(
    ("row", "whole"),
    [
        ({}, True),  # every row of it was let in: all lie in the span
        ({"refusals": [{"row": 2, "reason": "outside"}]}, False),
        ({"state": "kept"}, False),
        ({"kind": "subscribers"}, False),
    ],
)
def test_not_beyond_the_span_of_the_authority(sealed, warrant, bring_in, noon, row, whole):
    everyone = warrant(subjects=None)
    spanned = replace(
        everyone, scope=replace(everyone.scope, since=noon - timedelta(days=1), until=noon)
    )
    bring_in(spanned, **row)
    bundle, files, _ = sealed(spanned)
    assert (bundle.withheld, files) == ((0, [CDR]) if whole else (1, []))


def test_not_under_an_authority_that_has_ended(
    cases, keep, officers, warrant, bring_in, clock, noon, kernel
):
    everyone = warrant(subjects=None)
    bring_in(everyone)
    by = replace(officers["investigator"], authority=everyone)
    finding = keep(kind="calls.fan", subjects=("cell:410-01-1-2",), data=CDR)
    case = cases.open(by, title="A call centre", finding_ids=[finding])
    first = cases.seal(by, case)
    clock.advance(timedelta(days=31))
    bundle = cases.seal(by, case)
    assert (first.withheld, bundle.withheld) == (0, 1)
    assert len(readings(kernel)) == 1
    with pytest.raises(AuthorityRefused):
        cases.bundles.take_out(by, case, 1)


def test_without_anybody_to_ask_nothing_goes_in_whole(cases, sealed, warrant, bring_in):
    everyone = warrant(subjects=None)
    bring_in(everyone)
    cases.bundles.whole_files = {}
    bundle, files, _ = sealed(everyone)
    assert (bundle.withheld, files) == (1, [])
