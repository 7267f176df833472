"""Findings, authorities and a room of cases to test with."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from cordon.cases import Cases
from cordon.kernel import leads
from cordon.kernel.access.model import Authority, AuthorityKind, Mark, Scope
from cordon.kernel.access.tables import AuthorityRow
from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import LeadRules

AIS = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n" * 3
CDR = b"start,kind,caller,callee\n2026-03-06T08:00:00Z,voice,+923000000001,+923000000002\n"
NUMBER = "number:+923007654321"


@pytest.fixture
def cases(kernel, tmp_path):
    return Cases(kernel, LeadRules(), folder=tmp_path / "bundles", upload_max=1 << 20)


@pytest.fixture
def keep(kernel, noon):
    """Keeps a finding that points at the first row of a file; returns its id."""

    def make(
        kind="picture.gap", subjects=("mmsi:463012345",), data=AIS, mark=Mark.AMBER, kept=True,
        seriousness="serious", start=noon - timedelta(hours=1), says="Silent for 46 min.",
    ):  # fmt: skip
        sha = kernel.files.put(iter([data])).sha256 if kept else hashlib.sha256(data).hexdigest()
        finding = Finding.make(
            kind=kind, subjects=subjects, start=start, end=noon, confidence=0.9,
            reasons=[Reason("silence", 46.0, "min", 30.0, says)],
            records=[RecordRef(sha, 1)], detector=f"{kind}.test", version="1",
        )  # fmt: skip
        card = Card(
            kind=kind, name=kind, version="1", title="Went silent", looks_for="x",
            seriousness=seriousness, parameters={}, fooled_by=(), takes=(),
        )  # fmt: skip
        with kernel.work(kernel.node) as work:
            made, _ = leads.keep(work, [finding], {kind: card}, mark=mark)
        return made[0]

    return make


@pytest.fixture
def warrant(kernel, noon):
    """Makes an authority over calls, kept as the node keeps them."""

    def make(subjects=frozenset({NUMBER}), data=("calls",), reference="WR-118/2026"):
        authority = Authority(
            id="0199aaaa-0000-7000-8000-0000000000a1", agency=kernel.agency, mark=Mark.AMBER,
            kind=AuthorityKind.WARRANT, reference=reference, issuer="A court",
            legal_basis="An act", document_sha256="ab" * 32,
            scope=Scope(frozenset(data), subjects), valid_from=noon - timedelta(days=2),
            valid_until=noon + timedelta(days=30), recorded_by="officer-supervisor",
            recorded_at=noon - timedelta(days=2),
        )  # fmt: skip
        from cordon.kernel.access.tables import scope_to

        with kernel.rows.write() as session:
            session.merge(
                AuthorityRow(
                    id=authority.id,
                    agency=authority.agency,
                    mark=authority.mark,
                    created_at=authority.recorded_at,
                    kind=authority.kind,
                    reference=authority.reference,
                    issuer=authority.issuer,
                    basis="test",
                    legal_basis=authority.legal_basis,
                    document=authority.document_sha256,
                    scope=scope_to(authority.scope),
                    valid_from=authority.valid_from,
                    valid_until=authority.valid_until,
                    recorded_by=authority.recorded_by,
                )
            )
        return authority

    return make


@pytest.fixture
def break_custody(kernel, noon):
    """Writes a transfer from somebody who never held the exhibit, as no page lets anybody do."""
    from cordon.cases.tables import CustodyRow
    from cordon.kernel.ids import new_id

    def write(exhibit, place=2):
        with kernel.rows.write() as session:
            session.add(
                CustodyRow(
                    id=new_id(),
                    agency=kernel.agency,
                    mark=Mark.AMBER,
                    created_at=noon,
                    exhibit=exhibit,
                    place=place,
                    at=noon,
                    act="moved",
                    by="officer-custodian",
                    from_holder="store:Store 9",
                    to_holder="officer:officer-custodian",
                )
            )

    return write
