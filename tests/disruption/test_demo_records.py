"""The demonstration's exercise of calls and payments: all is brought in and looked through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from cordon.commands import demo as demonstration
from cordon.commands.demo import people, play
from cordon.commands.demo_cast import ORDERS
from cordon.exercise import Plan
from cordon.kernel.jobs import JobRow

SMALL = Plan(world="callcentre", seed=3001, days=4, scale=0.01)
FILES = ("cells.csv", "calls.parquet", "complaints.csv", "accounts.csv", "payments.csv")
"""Those that a job reads; a register of subscribers is read at once."""


def jobs_of(site):
    """Its jobs, in the order in which they were asked for."""
    with site.node.kernel.rows.read() as session:
        return list(session.scalars(select(JobRow).order_by(JobRow.id)))


@pytest.fixture
def played(site, tmp_path, monkeypatch):
    """A node on which the demonstration's exercise of records was played, in small."""
    monkeypatch.setattr(demonstration, "CALL_CENTRES", SMALL)
    people(site.node, site.console, tmp_path, boats=False)
    site.node.start()
    play(site.node, site.console, SMALL)
    site.node.jobs.wait(jobs_of(site)[-1].id)
    yield site
    site.node.stop()


def test_a_world_of_calls_is_brought_in_with_all_that_stands_beside_it(played):
    node = played.node
    under = node.console_actor(ORDERS[0].reference)
    jobs = jobs_of(played)
    assert [(j.kind, j.state) for j in jobs[-2:]] == [
        ("calls.find", "done"),
        ("money.find", "done"),
    ]
    assert {j.title for j in jobs[:-2]} == {f"exercise {name}" for name in FILES}
    assert {j.state for j in jobs} == {"done"}
    centre = next(
        k.finding for k in node.calls.findings(under) if k.finding.kind == "calls.call_centre"
    )
    now = node.kernel.clock.now()
    assert now - timedelta(days=6) < centre.start < centre.end < now
    assert any(k.finding.kind.startswith("money.") for k in node.money.findings(under))
    # a restart finds it there
    play(node, played.console, SMALL)
    assert [run.world for run in node.exercise.runs(played.console)] == ["callcentre"]
