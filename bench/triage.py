"""A queue of 10,000 open alerts, worked by 200 officers at once over HTTP.

A node on SQLite, filled with findings that each raise an alert, is served by uvicorn in a process
of its own, on loopback, as `cordon serve` does it; the client asks from this process, so both share
the machine's cores. Each of 200 officers, on a connection of their own, does one thing every ten
seconds: looks at the first page of the queue, at one further down, filters it by seriousness, kind
or who has it, or assigns an alert to themselves. There is no peer.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert

from bench.measuring import Taken, row
from bench.pages import (
    CHUNK,
    COOKIE,
    GOAL,
    KEPT_OPEN_S,
    cpu_of,
    finding,
    free_port,
    kept,
    lead,
    percentile,
    served,
    settings,
)
from cordon.bootstrap import Node, open_node
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.leads import keep
from cordon.kernel.leads.findings import ANSWER_WITHIN
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow, LeadRow
from cordon.operations.raising import middle
from cordon.operations.tables import AlertFindingRow, AlertRow, AlertSubjectRow

OFFICERS, ALERTS, EVERY_S = 200, 10_000, 10.0
RAISED = 100  # alerts that the node raises from events itself
ROUNDS, SECONDS = 3, 15.0
FILTERS = (
    "seriousness=grave", "seriousness=notice", "kind=picture.gap", "kind=picture.", "mine=1",
    "assignee=nobody", "state=open", "escalated=1",
)  # fmt: skip
KINDS = ("list", "further down", "filter", "assign")


def fill(folder: Path, officers: int, alerts: int) -> dict[str, Any]:
    """Fill a node; return sessions of its officers with their ids, and ids of its alerts."""
    node = open_node(settings(folder))
    until = node.kernel.clock.now()
    actor = node.console_actor(None)
    node.units.add(actor, "watch-1", "Watch 1")
    signed = []
    for n in range(officers):
        officer = node.officers.add(
            actor,
            login=f"watch{n}",
            name=f"Watch {n}",
            roles=[Role.WATCH_OFFICER],
            unit="watch-1",
            cleared=Mark.AMBER_STRICT,
            must_change=False,
        )
        # signed in as by OIDC: two hundred passwords would cost longer than the queue
        with node.kernel.rows.write() as session:
            held = session.get_one(OfficerRow, officer.id)
            opened = node.sessions.open_in(session, held, address=None, agent=None)
        signed.append((officer.id, opened.token))
    by_hand = min(alerts, RAISED)
    with node.kernel.work(node.kernel.node) as work:
        keep(work, [finding(n, node, until) for n in range(by_hand)], node.cards)
    node.kernel.dispatcher.run_pending()
    for first in range(by_hand, alerts, CHUNK):
        # the others as the node would have raised them, at once: one by one takes minutes
        some = [finding(n, node, until) for n in range(first, min(first + CHUNK, alerts))]
        put(node, some)
    while node.operations.tick().turned:  # their points, counted by the node's own clock
        pass
    watch = node.officers.by_login(actor, "watch0").actor()
    ids: list[str] = []
    after: str | None = ""
    while after is not None:
        found = node.operations.queue(watch, after=after, at_most=200)
        ids += [a.id for a in found.alerts]
        after = found.after
    node.close()
    return {"officers": signed, "alerts": ids}


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    found = re.search(r"content-length: (\d+)", head)
    body = await reader.readexactly(int(found[1])) if found else b""
    return int(head.split(" ", 2)[1]), body


def put(node: Node, findings: list[Finding]) -> None:
    """Rows of findings and of their alerts, each open and for itself."""
    now = node.kernel.clock.now()
    rows = []
    for f in findings:
        card, place = node.cards[f.kind], middle(f.place)
        id_ = new_id()
        rows.append(
            AlertRow(
                id=id_, agency=node.kernel.agency, mark=Mark.AMBER, created_at=now, finding=f.id,
                kind=f.kind, title=card.title, seriousness=card.seriousness,
                rank=SERIOUSNESS.index(card.seriousness), lat=place and place.lat,
                lon=place and place.lon, radius_m=f.radius_m, starts=f.start, ends=f.end,
                due_at=now + ANSWER_WITHIN[card.seriousness], state="open", queued=True,
                stands_with=id_, alike=0, confidence=f.confidence, behind=0.0, level=0,
                turns_at=now,
            )
        )  # fmt: skip
    subjects = [{"subject": f.subjects[0], "finding": f.id} for f in findings]
    with node.kernel.rows.write() as session:
        session.execute(insert(FindingRow), [kept(f, node) for f in findings])
        session.execute(insert(FindingSubjectRow), subjects)
        session.execute(insert(LeadRow), [lead(f, node) for f in findings])
        session.execute(
            insert(LeadRow),
            [
                {**lead(f, node), "id": r.id, "type": "alert", "state": "open",
                 "answered_at": None, "due_at": r.due_at}
                for f, r in zip(findings, rows, strict=True)
            ],
        )  # fmt: skip
        session.add_all(rows)
        session.flush()
        session.execute(
            insert(AlertFindingRow),
            [{"finding": r.finding, "alert": r.id, "at": now} for r in rows],
        )
        session.execute(
            insert(AlertSubjectRow),
            [
                {"subject": f.subjects[0], "alert": r.id, "acts": True}
                for f, r in zip(findings, rows, strict=True)
            ],
        )


class Officer:
    """One officer on a connection of their own."""

    def __init__(self, number: int, id_: str, token: str, port: int, alerts: list[str]) -> None:
        self.rng = random.Random(number)
        self.id, self.token, self.port, self.alerts = id_, token, port, alerts
        self.csrf = ""
        self.at = 0.0
        self.writer: asyncio.StreamWriter | None = None
        self.reader: asyncio.StreamReader | None = None

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> bytes:
        if self.writer is None or time.perf_counter() - self.at > KEPT_OPEN_S:
            if self.writer is not None:
                self.writer.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        body = urlencode(form).encode() if form else b""
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if form else ""
        self.writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Origin: http://127.0.0.1:{self.port}\r\n{kind}Content-Length: {len(body)}\r\n"
            f"Cookie: {COOKIE}={self.token}\r\nAccept: text/html\r\n\r\n".encode()
            + body
        )
        status, said = await _answer(self.reader)
        self.at = time.perf_counter()
        if status not in (200, 303, 409):  # 409: another officer was quicker, and it says who
            raise AssertionError(f"{method} {path} was answered with {status}")
        return said

    async def act(self) -> str:
        """Do one thing; say which kind it was."""
        kind = self.rng.choice(KINDS)
        if kind == "list":
            said = await self.ask("GET", "/alerts")
        elif kind == "further down":
            said = await self.ask("GET", f"/alerts?after={self.rng.choice(self.alerts)}")
        elif kind == "filter":
            said = await self.ask("GET", f"/alerts?{self.rng.choice(FILTERS)}")
        else:
            form = {"to": self.id, "csrf": self.csrf, "back": "/alerts"}
            await self.ask("POST", f"/alerts/{self.rng.choice(self.alerts)}/assign", form)
            return kind
        self.take_csrf(said)
        return kind

    def take_csrf(self, said: bytes) -> None:
        """Keep the session's token of a page, as a form of it would send it."""
        if found := re.search(rb'name="csrf" value="([^"]+)"', said):
            self.csrf = found[1].decode()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


async def work(
    held: dict[str, Any], port: int, seconds: float, every_s: float
) -> dict[str, list[float]]:
    """Milliseconds of each answer by kind, of all officers, within so many seconds."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    officers = [
        Officer(n, id_, token, port, held["alerts"])
        for n, (id_, token) in enumerate(held["officers"])
    ]

    async def one(officer: Officer, number: int, begun: float) -> None:
        # not all in the same moment; the first page brings the token, and is not measured
        await asyncio.sleep(every_s * number / len(officers))
        officer.take_csrf(await officer.ask("GET", "/alerts"))
        while time.perf_counter() - begun < every_s + seconds:
            await asyncio.sleep(every_s * officer.rng.uniform(0.5, 1.5))
            at = time.perf_counter()
            kind = await officer.act()
            taken[kind].append((time.perf_counter() - at) * 1000)

    begun = time.perf_counter()
    try:
        await asyncio.gather(*(one(o, n, begun) for n, o in enumerate(officers)))
    finally:
        for officer in officers:
            officer.close()
    return taken


def measured(port: int, pid: int, held: dict[str, Any], *, quick: bool) -> list[dict[str, Any]]:
    rounds, seconds, every_s = (1, 0.5, 0.2) if quick else (ROUNDS, SECONDS, EVERY_S)
    each: dict[str, list[tuple[float, float, int]]] = {kind: [] for kind in (*KINDS, "all")}
    spent = Taken()
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), cpu_of(pid)
        said = asyncio.run(work(held, port, seconds, every_s))
        spent.add(time.perf_counter() - wall, cpu_of(pid) - cpu)
        said["all"] = [ms for those in said.values() for ms in those]
        for kind, those in said.items():
            if those:
                each[kind].append((percentile(those, 0.5), percentile(those, 0.95), len(those)))
    many, alerts = len(held["officers"]), len(held["alerts"])
    table = []
    for kind, rows in each.items():
        if not rows:
            continue
        p50, p95, count = (statistics.median(column) for column in zip(*rows, strict=True))
        table.append(
            row(
                f"{kind}, {alerts:,} open alerts, {many} officers, each once in {every_s:g} s "
                f"({count:.0f} answers a round)",
                f"{p50:.0f} / {p95:.0f}",
                None,
                "ms, p50 / p95",
                spent,
                goal=GOAL,
                p50_ms=p50,
                p95_ms=p95,
            )
        )
    return table


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; processor seconds are the node's own, of all kinds."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        held = fill(folder, *((4, 100) if quick else (OFFICERS, ALERTS)))
        port = free_port()
        with served("bench.pages", folder, port) as server:
            return measured(port, server.pid, held, quick=quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line, ensure_ascii=False))
