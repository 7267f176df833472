"""Pages of a node with a full database, by signed-in officers on kept-open connections.

A node on SQLite holds a million findings, and alerts, cases and ledger entries of a few months,
and is served by uvicorn in a process of its own, on loopback, as `cordon serve` does it. The
client asks from this process, so both share the machine's cores. Two ways of asking: as fast as
answers come, which shows what the node can carry and lets requests queue, and 200 officers who
each open a page every ten seconds. There is no peer.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.ledger import entry
from bench.measuring import ROOT, Taken, row
from cordon.bootstrap import Node, open_node
from cordon.commands.serving import run as serve
from cordon.kernel import logs
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.sessions import Opened
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.geo import point
from cordon.kernel.leads import keep
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow, LeadRow
from cordon.settings import Settings

AGENCY = "xx-bench"
COOKIE = f"cordon-{AGENCY}"  # of a session at its node
GOAL_MS = 200
GOAL = f"p95 ≤ {GOAL_MS}"
CASES = 200
KEPT_OPEN_S = 4.0  # uvicorn closes a connection after five idle seconds
CHUNK = 5_000  # findings written in one transaction
OFFICERS = {
    "watch": Role.WATCH_OFFICER,
    "investigator": Role.INVESTIGATOR,
    "overseer": Role.OVERSEER,
}


@dataclass(frozen=True, slots=True)
class Load:
    """How pages are asked for: connections, and seconds between two requests of each."""

    connections: int
    every_s: float

    @property
    def says(self) -> str:
        way = f"each once in {self.every_s:g} s" if self.every_s else "as fast as they are answered"
        return f"{self.connections} connections, {way}"


LOADS = (Load(8, 0.0), Load(200, 10.0))
QUICK_LOADS = (Load(8, 0.0), Load(8, 0.2))


# what the node holds


def settings(folder: Path, port: int = 0) -> Settings:
    return Settings(
        agency=AGENCY,
        data=folder,
        host="127.0.0.1",
        port=port,
        api_rate=1_000_000,
        log_level="warning",
    )


def finding(n: int, node: Node, until: datetime) -> Finding:
    """One of a few months; no two are alike enough to stand under one alert."""
    start = until - timedelta(minutes=7 * (n % 20_000))
    kind = sorted(node.picture.cards)[n % len(node.picture.cards)]
    card = node.picture.cards[kind]
    return Finding.make(
        kind=kind,
        subjects=[f"mmsi:{200_000_000 + n}"],
        start=start,
        end=start + timedelta(minutes=40),
        place=point(20 + n % 97 * 0.06, 60 + n % 89 * 0.11),
        radius_m=500.0,
        confidence=0.8,
        reasons=[
            Reason(name, 12.0, "min", 10.0, "It was silent for longer than is usual for it.")
            for name in ("least_min", "usual_times", "least_share", "least_others")
        ],
        records=[RecordRef(f"{n % 7:064x}", n * 40 + at) for at in range(40)],
        detector=card.name,
        version=card.version,
    )


def fill(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Fill a node; return the officers' sessions, and (officer, page, its addresses)."""
    alerts, findings, entries = (100, 1_000, 5_000) if quick else (1_000, 1_000_000, 100_000)
    node = open_node(settings(folder))
    until = node.kernel.clock.now()
    actor = node.console_actor(None)
    node.units.add(actor, "watch-1", "Watch 1")
    tokens = {}
    for login, role in OFFICERS.items():
        password = secrets.token_urlsafe(18)
        node.officers.add(
            actor,
            login=login,
            name=login.title(),
            roles=[role],
            unit="watch-1",
            cleared=Mark.AMBER_STRICT,
            password=password,
            must_change=False,
        )
        opened = node.sign_in.by_password(login, password)
        assert isinstance(opened, Opened)
        tokens[login] = opened.token
    for first in range(0, alerts, 100):
        with node.kernel.work(node.kernel.node) as work:
            keep(work, [finding(n, node, until) for n in range(first, first + 100)], node.cards)
    node.kernel.dispatcher.run_pending()
    for first in range(alerts, findings, CHUNK):
        # the older ones were answered long ago: their rows as `keep` would have left them
        some = [finding(n, node, until) for n in range(first, min(first + CHUNK, findings))]
        with node.kernel.rows.write() as session:
            session.execute(insert(FindingRow), [kept(f, node) for f in some])
            session.execute(
                insert(FindingSubjectRow),
                [{"subject": f.subjects[0], "finding": f.id} for f in some],
            )
            session.execute(insert(LeadRow), [lead(f, node) for f in some])
    investigator = node.officers.by_login(actor, "investigator").actor()
    for n in range(20 if quick else CASES):
        node.cases.open(
            investigator,
            title=f"Silences off the coast {n}",
            seriousness="serious",
            finding_ids=[finding(alerts + n, node, until).id],
        )
    ledger = node.kernel.ledger
    while ledger.size() < entries:
        ledger.append_many([entry(n) for n in range(min(10_000, entries - ledger.size()))])
    watch = node.officers.by_login(actor, "watch").actor()
    queue = node.operations.queue(watch, at_most=50).alerts
    node.close()
    return {
        "tokens": tokens,
        "pages": [
            ("watch", "/alerts", ["/alerts"]),
            ("watch", "/alerts/{id}", [f"/alerts/{a.id}" for a in queue]),
            ("watch", "/findings", ["/findings"]),
            ("overseer", "/ledger", ["/ledger"]),
            ("investigator", "/cases", ["/cases"]),
            ("watch", "/picture", ["/picture"]),
        ],
    }


def kept(f: Finding, node: Node) -> dict[str, Any]:
    card = node.cards[f.kind]
    return {
        "id": f.id,
        "agency": node.kernel.agency,
        "mark": Mark.AMBER,
        "created_at": f.start,
        "kind": f.kind,
        "title": card.title,
        "seriousness": card.seriousness,
        "starts": f.start,
        "ends": f.end,
        "confidence": f.confidence,
        "state": "open",
        "body": f.without_records().to_dict(),
        "records": f.to_dict()["records"],
    }


def lead(f: Finding, node: Node) -> dict[str, Any]:
    card = node.cards[f.kind]
    return {
        "id": f.id,
        "agency": node.kernel.agency,
        "mark": Mark.AMBER,
        "created_at": f.start,
        "type": "finding",
        "title": card.title,
        "seriousness": card.seriousness,
        "due_at": f.start + timedelta(hours=1),
        "state": "answered",
        "answered_at": f.end,
    }


# the client


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(
        int(line.partition(":")[2])
        for line in head.split("\r\n")
        if line.startswith("content-length:")
    )
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1])


async def ask(port: int, paths: list[str], token: str, load: Load, seconds: float) -> list[float]:
    """Milliseconds of each answer, over all connections, within so many seconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        rng = random.Random(number)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        at = time.perf_counter()
        try:
            # not all in the same moment, where they ask by the clock
            await asyncio.sleep(load.every_s * number / load.connections)
            while (began := time.perf_counter()) < end:
                if began - at > KEPT_OPEN_S:  # the server has closed it: a browser opens another
                    writer.close()
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(
                    f"GET {rng.choice(paths)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                    f"Cookie: {COOKIE}={token}\r\nAccept: text/html\r\n\r\n".encode()
                )
                status = await answer(reader)
                at = time.perf_counter()
                took = at - began
                if status != 200:
                    raise AssertionError(f"{paths[0]} was answered with {status}")
                taken.append(took * 1000)
                await asyncio.sleep(max(0.0, load.every_s - took))
        finally:
            writer.close()

    await asyncio.gather(*(one(n) for n in range(load.connections)))
    return taken


def cpu_of(pid: int) -> float:
    """Processor seconds of a process so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.is_file():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(module: str, folder: Path, port: int, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A node in a process of its own, started by a module of the bench, once it answers."""
    server = subprocess.Popen(
        [sys.executable, "-m", module, str(folder), str(port), *more], cwd=ROOT
    )
    try:
        wait_for(port, server)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError("the node ended before it answered")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the node did not start within a minute")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measured(port: int, pid: int, held: dict[str, Any], *, quick: bool) -> list[dict[str, Any]]:
    rounds, seconds = (1, 0.3) if quick else (3, 5.0)
    jobs = [
        (who, name, paths, load)
        for load in (QUICK_LOADS if quick else LOADS)
        for who, name, paths in held["pages"]
    ]
    middles: dict[tuple[str, Load], list[tuple[float, float, float]]] = {}
    taken: dict[tuple[str, Load], Taken] = {}
    for who, _, paths, _ in jobs[: len(held["pages"])]:  # so that no first page is measured
        asyncio.run(ask(port, paths, held["tokens"][who], Load(2, 0.0), 0.2))
    for _ in range(rounds):
        for who, name, paths, load in jobs:
            wall, cpu = time.perf_counter(), cpu_of(pid)
            span = max(seconds, 1.2 * load.every_s)
            said = asyncio.run(ask(port, paths, held["tokens"][who], load, span))
            spent = time.perf_counter() - wall
            taken.setdefault((name, load), Taken()).add(spent, cpu_of(pid) - cpu)
            middles.setdefault((name, load), []).append(
                (percentile(said, 0.5), percentile(said, 0.95), len(said) / spent)
            )
    table = []
    for (name, load), those in middles.items():
        p50, p95, rate = (statistics.median(column) for column in zip(*those, strict=True))
        table.append(
            row(
                f"{name}, {load.says} ({rate:.0f} answers/s)",
                f"{p50:.0f} / {p95:.0f}",
                None,
                "ms, p50 / p95",
                taken[name, load],
                goal=GOAL if load.every_s else None,
                p50_ms=p50,
                p95_ms=p95,
            )
        )
    return table


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; processor seconds are the node's own."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        held = fill(folder, quick=quick)
        port = free_port()
        with served("bench.pages", folder, port) as server:
            return measured(port, server.pid, held, quick=quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        own = settings(Path(sys.argv[1]), int(sys.argv[2]))
        logs.set_up(own.log_level, own.log_format)
        serve(open_node(own), own)
    else:
        for line in run():
            print(json.dumps(line, ensure_ascii=False))
