"""Leads, authorities and a room of oversight to test with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cordon.kernel import leads
from cordon.kernel.access.authorities import Authorities, AuthorityRules
from cordon.kernel.access.model import AuthorityKind, Mark, Scope, Thing
from cordon.kernel.access.tables import AuthorityRow, scope_to
from cordon.kernel.ids import new_id
from cordon.kernel.leads import LeadRules
from cordon.oversight import Oversight

NUMBER = "number:+923007654321"
CLOSE, SECOND = "findings.finding.close", "findings.finding.countersign"


@pytest.fixture
def oversight(kernel):
    return Oversight(kernel, Authorities(kernel, AuthorityRules(bases={})))


@pytest.fixture
def lead(kernel, noon):
    """Opens a lead of the type of a finding, due in an hour; returns it as policies see it."""

    def make(title="Went silent", seriousness="serious", mark=Mark.AMBER):
        thing = Thing("finding", new_id(), kernel.agency, mark)
        with kernel.work(kernel.node) as work:
            leads.open_lead(
                work, thing, title=title, seriousness=seriousness, due=noon + timedelta(hours=1)
            )
        return thing

    return make


@pytest.fixture
def close(kernel):
    """Asks to close a lead, and has it countersigned where a second officer is given."""

    def make(thing, first, second=None, reason="explained", note="A licensed transfer."):
        with kernel.work(first) as work:
            leads.ask_to_close(work, CLOSE, thing, LeadRules(), reason=reason, note=note)
        if second is not None:
            with kernel.work(second) as work:
                leads.countersign(work, SECOND, thing)

    return make


@pytest.fixture
def authority(kernel, noon):
    """Records an authority as the node keeps it."""

    def make(reference="WR-118/2026", kind=AuthorityKind.WARRANT, confirm_by=None, **over):
        row = AuthorityRow(
            id=new_id(), agency=kernel.agency, mark=Mark.AMBER, created_at=noon, kind=kind.value,
            reference=reference, issuer="A court", basis="test", legal_basis="An act",
            document="ab" * 32, scope=scope_to(Scope(frozenset({"calls"}), frozenset({NUMBER}))),
            valid_from=noon - timedelta(days=1), valid_until=noon + timedelta(days=30),
            recorded_by="officer-supervisor", confirm_by=confirm_by, **over,
        )  # fmt: skip
        with kernel.rows.write() as session:
            session.add(row)
        return row.to_authority()

    return make
