"""The TAXII server: a page of 100 from a growing collection, and durable, validated intake.

Over HTTP on loopback against a node with its own database, as a client of another agency meets
it: HTTP Basic, policies, marks and an entry in the ledger for each request. Peers are not in the
lock, so that none is measured here; what others took on another machine stands in the issue and
not in this table.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn

from bench.measuring import Taken, row
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
def served(folder: Path) -> Iterator[tuple[Node, httpx.Client]]:
    """A node that listens on loopback, and a client signed in to it."""
    logs.set_up("warning", "text")
    node = open_node(Settings(data=folder, agency="pk-bench", api_rate=1_000_000))
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


def pages(http: httpx.Client, count: int, rounds: int) -> Taken:
    """Time a page of 100 from the beginning, the middle and near the end, by turns."""
    cursors: list[dict[str, str]] = [{}]
    first = http.get(f"{COLLECTION}/manifest/", params={"limit": "100"})
    newest = first.headers["X-TAXII-Date-Added-Last"]
    cursors.append({"added_after": newest})
    cursors.append({"next": first.json()["next"]})
    for _ in range(5):  # further into it, by large strides
        after = http.get(f"{COLLECTION}/manifest/", params={"limit": "1000", "added_after": newest})
        if not after.json()["more"]:
            break
        newest = after.headers["X-TAXII-Date-Added-Last"]
        cursors.append({"next": after.json()["next"]})
    taken = Taken()
    for n in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        got = http.get(
            f"{COLLECTION}/objects/", params={"limit": "100", **cursors[n % len(cursors)]}
        )
        taken.add(time.perf_counter() - wall, time.process_time() - cpu)
        assert got.status_code == 200
        assert all(o["object_marking_refs"] == [GREEN] for o in got.json()["objects"])
    return taken


def take_in(http: httpx.Client, count: int, size: int) -> Taken:
    """Time handing in `count` objects in envelopes of `size`, each durable when answered."""
    bodies = [
        orjson.dumps({"objects": indicators(10_000_000 + start, size)})
        for start in range(0, count, size)
    ]
    taken = Taken()
    wall, cpu = time.perf_counter(), time.process_time()
    for body in bodies:
        got = http.post(f"{INBOX}/objects/", content=body, headers={"Content-Type": TAXII})
        assert got.status_code == 202, got.text
        assert got.json()["success_count"] == size
    taken.add(time.perf_counter() - wall, time.process_time() - cpu)
    return taken


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    sizes = (1_000, 3_000) if quick else (1_000, 10_000, 1_000_000)
    rounds = 30 if quick else 200
    rows = []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (node, http):
        held = 0
        for size in sizes:
            fill(node, held, size)
            held = size
            taken = pages(http, size, rounds)
            slow = statistics.quantiles(taken.walls, n=20)[-1]
            rows.append(
                row(
                    f"TAXII page of 100 from {size:,} objects, median (95th: {slow * 1000:.1f})",
                    round(taken.wall * 1000, 1),
                    None,
                    "ms",
                    taken,
                    goal="≤ 20, flat",
                )
            )
        count, size = (2_000, 1_000) if quick else (20_000, 1_000)
        taken = take_in(http, count, size)
        rows.append(
            row(
                f"TAXII intake of {count:,}, durable and validated, envelopes of {size:,}",
                round(taken.rate(count)),
                None,
                "objects/s",
                taken,
                goal="≥ 3,000",
            )
        )
    return rows
