"""Worlds, nodes and what stands in them, for the tests that kill and fill.

`make soak` sets TEST_SOAK and kills many more times than `make test-faults`.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from cordon.bootstrap import Node
from cordon.calls.tables import CallFileRow
from cordon.exercise.worlds import world
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.leads.tables import FindingRow, LeadRow
from cordon.kernel.store.columns import SegmentRow
from cordon.money.tables import MoneyFileRow
from cordon.picture.tables import PositionFileRow
from cordon.settings import Settings

SOAK = bool(os.environ.get("TEST_SOAK"))
PROGRAM = Path(__file__).parent / "importer.py"


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of small worlds, each with a coast and calls of its own."""
    folders = []
    for seed in range(4):
        folder = tmp_path_factory.mktemp(f"world{seed}")
        world("watch").generate(seed + 1, 0.2, 0.05, folder)
        folders.append(folder)
    return folders


@pytest.fixture
def second_url(request: pytest.FixtureRequest, rows_url: str, tmp_path: Path) -> str:
    """Another empty database of the same kind."""
    if rows_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'second.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
def open_node() -> Iterator[Callable[..., Node]]:
    """Opens a node of a folder and a database."""
    nodes: list[Node] = []

    def make(folder: Path, url: str, **settings: Any) -> Node:
        nodes.append(Node(Settings(data=folder, database_url=url, **settings)))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


def set_up(node: Node, zones: Path) -> str:
    """Zones, and an authority over everyone's calls and payments; its reference."""
    console = node.console_actor(None)
    node.picture.put_zones(console, zones.read_bytes())
    now = node.kernel.clock.now()
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1/2026", issuer="A court",
        scope=Scope(frozenset({"calls", "payments"})),
        valid_from=now, valid_until=now + timedelta(days=20),
    )  # fmt: skip
    node.authorities.record(console, draft, io.BytesIO(b"the document"))
    return draft.reference


def run(folder: Path, url: str, *arguments: str) -> list[dict[str, Any]]:
    """Run the program; what it said, line by line."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), url, *arguments],
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def state(node: Node, dataset: str) -> dict[str, Any]:
    """What a node came to hold: every row of its columns, its files' counts, its findings.

    Ids and times that are made anew each time are left out.
    """
    with node.kernel.rows.read() as session:
        segments = list(session.scalars(select(SegmentRow).where(SegmentRow.dataset == dataset)))
        files = [
            (f.sha256, f.state, sorted(f.counts.items()))
            for table in (PositionFileRow, CallFileRow, MoneyFileRow)
            for f in session.scalars(select(table).order_by(table.sha256))
        ]
        findings = [
            (f.id, f.kind, f.state, json.dumps(_timeless(f.body), sort_keys=True))
            for f in session.scalars(select(FindingRow).order_by(FindingRow.id))
        ]
        leads = sorted(
            (lead.type, lead.title, lead.seriousness, lead.state)
            for lead in session.scalars(select(LeadRow))
        )
    rows: list[tuple[Any, ...]] = []
    for segment in segments:
        table = pq.read_table(node.kernel.columns.root / segment.path)
        assert len(table) == segment.rows
        rows += [tuple(r.items()) for r in table.to_pylist()]
    return {
        "rows": sorted(map(repr, rows)),
        "files": files,
        "findings": findings,
        "leads": leads,
    }


def _timeless(body: dict[str, Any]) -> dict[str, Any]:
    """A finding without when it was taken back, which is another time on each run."""
    if "withdrawn" not in body:
        return body
    return {**body, "withdrawn": body["withdrawn"]["why"]}


def stray(node: Node) -> list[Path]:
    """Files in the node's folder that no row speaks of."""
    with node.kernel.rows.read() as session:
        known = {node.kernel.columns.root / p for p in session.scalars(select(SegmentRow.path))}
    found = [p for p in node.kernel.columns.root.rglob("*") if p.is_file() and p not in known]
    return found + list((node.kernel.files.root / "partial").iterdir())
