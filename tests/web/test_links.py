"""A page offers its reader nothing that the gate refuses: each click would be an attempt."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from html import unescape

import pytest

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.access.officers import OF_PERSONS
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import keep

SKIPPED = ("/static/", "/ledger/checkpoint")


@pytest.fixture
def seeded(site, noon):
    """A node with an authority, a finding with its record, and the alert of it."""
    site.officer("recorder", "investigator")
    draft = Draft(
        basis="peca_disclosure_warrant",
        reference="W-1",
        issuer="A court",
        scope=Scope(frozenset({"calls"})),
        valid_from=noon,
        valid_until=noon + timedelta(days=1),
    )
    site.node.authorities.record(site.actor("recorder"), draft, io.BytesIO(b"x"))
    finding = Finding.make(
        kind="picture.zone_entry",
        subjects=["mmsi:463012345", "zone:R-4"],
        start=noon - timedelta(hours=1),
        end=noon,
        confidence=0.9,
        reasons=[Reason("inside", 46.0, "min", 30.0, "Inside for 46 min.")],
        records=[RecordRef("ab" * 32, 1)],
        detector="zone_entry",
        version="1",
    )
    with site.node.kernel.work(site.node.kernel.node) as work:
        keep(work, [finding], site.node.cards)
    site.node.kernel.dispatcher.run_pending()
    return site


@pytest.mark.parametrize("role", sorted(OF_PERSONS))
def test_no_link_of_a_page_leads_to_a_refusal(seeded, role):
    seeded.officer("reader", role)
    http = seeded.client("reader")
    seen, left, refused = {"/"}, [("/", "the first page")], []
    while left:
        path, on = left.pop()
        answer = http.get(path, headers={"Accept": "text/html"})
        if answer.status_code == 403:
            refused.append(f"{path} on {on}")
        assert answer.status_code < 500, (path, answer.text)
        found = re.findall(r'(?:href|hx-get)="(/[^"#]*)', answer.text)
        if answer.status_code == 303:
            found.append(answer.headers["location"])
        for link in map(unescape, found):
            if link not in seen and not link.startswith(SKIPPED) and len(seen) < 300:
                seen.add(link)
                left.append((link, path))
    assert refused == []
    assert len(seen) > 2
