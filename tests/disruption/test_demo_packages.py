"""In the demonstration a package goes from its draft to being sent, by the officers that it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.commands.demo import people
from cordon.commands.demo_cast import OFFICERS
from cordon.kernel import leads
from cordon.money.disruption.legal import allowed
from cordon.money.disruption.model import Kind
from support.ringed import client, ring_of, ringed


@pytest.fixture
def demo(site, tmp_path):
    people(site.node, site.console, tmp_path, boats=False)
    return site


def test_each_kind_of_package_has_an_authority_to_stand_on(demo):
    with demo.node.kernel.view(demo.actor("investigator")) as view:
        for kind in Kind:
            assert allowed(view, demo.node.disruption.country, kind), kind


def test_who_approves_is_of_another_unit_than_who_drafts():
    units = {p.login: p.unit for p in OFFICERS}
    assert units["investigator"] != units["supervisor"]


def test_the_page_of_a_finding_leads_to_a_draft(site, noon):
    ringed(site, noon)
    alone = replace(ring_of("ab" * 32), kind="calls.out_fan")
    with site.node.kernel.work(site.node.kernel.node) as work:
        (id_,), _ = leads.keep(work, [alone], site.node.calls.cards)
    http = client(site, reference="WR-1")
    assert f"/money/packages/new?finding={id_}" in http.get(f"/findings/{id_}").text
