"""A whole world on a node: calls and payments in; rings, paid accounts, and a ring's money."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from cordon.exercise import world as world_of
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.money import find, tracebook, tracedesk

CALLS = ("calls", "cells", "subscribers", "complaints")


@pytest.fixture
def played(site, noon, tmp_path):
    """A node that has a small world's files; the world's files."""
    made = world_of("callcentre").generate(5, 12.0, 0.02, tmp_path / "w")
    site.officer("inv", "investigator")
    site.officer("eye", "overseer")
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls", "payments", "subscribers"})),
        valid_from=noon, valid_until=noon + timedelta(days=20),
    )  # fmt: skip
    site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    actor = site.node.authorities.under(site.actor("inv"), "WR-1")
    node = site.node
    for kind in CALLS:
        with made.files[kind].open("rb") as source:
            job = node.calls.ask_import(actor, source, made.files[kind].name, kind=kind)
        ran(node, job)
    for kind in ("payments", "accounts"):
        with made.files[kind].open("rb") as source:
            ran(node, node.money.ask_import(actor, source, made.files[kind].name, kind=kind))
    ran(node, node.calls.ask_find(actor))
    ran(node, node.money.ask_find(actor))
    return site, actor, made


def ran(node, job):
    if job:
        ended = node.run_job(job, lambda _done, _total: None)
        assert ended.state == "done", ended.error
        return ended
    return None


def test_the_node_finds_what_files_tell_and_follows_what_victims_paid(played):
    site, actor, made = played
    node, f = site.node, made.files
    said = find(
        [f["payments"]], accounts=f["accounts"], complaints=f["complaints"], calls=[f["calls"]],
        cells=f["cells"], subscribers=f["subscribers"],
    )  # fmt: skip
    on_files = {s for k in said.findings for s in k.subjects if s.startswith("account:")}
    kept = node.money.findings(actor)
    on_node = {s for k in kept for s in k.finding.subjects if s.startswith("account:")}
    assert on_files
    # a ring that goes on between two searches keeps more numbers; accounts are the same
    assert len(on_files & on_node) >= 0.9 * len(on_files | on_node)
    # who paid is told in no lead: only by pseudonym
    payers = [p for k in kept for p in k.finding.extra.get("payers", ())]
    assert payers
    assert all(p.startswith("~") for p in payers)

    with node.kernel.view(actor) as view:
        from cordon.calls.tables import RingRow

        rings = [r.id for r in view.session.query(RingRow)]
    done = None
    for ring in rings:
        _, job = tracebook.ask_ring(node.money, actor, ring)
        ended = node.run_job(job, lambda _d, _t: None)
        if ended.state == "done":
            done = (ring, ended.report["trace"])
            break
    assert done is not None
    ring, id_ = done
    (_, name), page, rows, _ = tracedesk.ring_traces(node.money, actor, ring, tracedesk.Asked())
    assert name.startswith("R-")
    assert [r.id for r in rows] == [id_]
    sums = {(line.what, line.channel): line.amounts for line in page.lines}
    for method in tracedesk.METHODS:
        gone = sum((v[method] for k, v in sums.items() if k[0] not in ("came_in", "mixed_in")),
                   Decimal(0))  # fmt: skip
        mixed = sums.get(("mixed_in", ""), {}).get(method, Decimal(0))
        assert sums[("came_in", "")][method] + mixed == gone
    paid = sum((p.amounts["amount"] for p in page.payers), Decimal(0))
    assert page.payers_in_all > len(page.payers) or paid == sums[("came_in", "")]["fifo"]
    # those who paid are the world's victims, not the ring's own accounts
    own = {a.text for a, _ in page.accounts}
    assert not own & {p.account.text for p in page.payers}

    http = site.client("inv")
    one = node.authorities.find(site.console, "WR-1").id
    http.post(f"/authorities/{one}/choose")
    text = http.get(f"/money/rings/{ring}").text
    assert '<svg class="flow"' in text
    link = re.search(r'href="(\?method=fifo[^"]*hop=0[^"]*)#behind"', text)[1].replace("&amp;", "&")
    assert "No payment stands behind this" not in http.get(f"/money/rings/{ring}{link}").text
    masked = site.client("eye").get(f"/money/rings/{ring}").text
    accounts = {a for k in kept for s in k.finding.subjects if (a := s.partition(":")[2])}
    accounts |= {p.account.text for p in page.payers} | own
    assert not [a for a in accounts if a in masked]
    assert f"/money/rings/{ring}" in http.get(f"/calls/rings/{ring}").text
