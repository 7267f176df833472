"""Orders to phones: from the watch's click to the field page and the TAK client of the unit.

A node on SQLite runs in a process of its own, on loopback, as `cordon serve` runs it. Each of the
field officers holds the socket of their phone open and asks for the state when it is told to, as
the field page does; one watch officer sends each unit to an alert of its own, at a steady pace and
then as fast as the node takes orders. The time runs from the first byte of the watch's request to
the last byte of the answer that shows the order to its phone, and to the last byte of the marker
that a TAK client of the unit is given (`bench.field_tak`). Phones, TAK clients and watch share the
machine's cores with the node, and loopback is no mobile network. There is no peer.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets

from bench.field_tak import client
from bench.measuring import Taken, row
from bench.pages import cpu_of, finding, free_port, percentile, served, settings
from bench.tak import enrol
from cordon.bootstrap import Node, open_node
from cordon.commands.serving import run as serve
from cordon.kernel import logs
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.sessions import csrf_token
from cordon.kernel.access.tables import OfficerRow, SessionRow
from cordon.kernel.leads import keep

GOAL_S, PACE_S, STILL_S = 2.0, 0.1, 10.0
API = "/api/operations"


@dataclass(slots=True)
class Seen:
    """When each order was sent and shown (s, by number), and what the phones asked for."""

    sent: dict[int, float] = field(default_factory=dict)
    shown: dict[int, float] = field(default_factory=dict)
    on_tak: dict[int, float] = field(default_factory=dict)
    asked: int = 0


def _signed(node: Node, actor: Any, login: str, role: Role, unit: str) -> tuple[str, str]:
    """An officer with an open session: the cookie's value, and a token for forms."""
    officer = node.officers.add(
        actor, login=login, name=login, roles=[role], unit=unit, cleared=Mark.AMBER_STRICT,
        must_change=False,
    )  # fmt: skip
    # signed in as by OIDC: so many passwords would cost longer than the orders
    with node.kernel.rows.write() as session:
        held = session.get_one(OfficerRow, officer.id)
        opened = node.sessions.open_in(session, held, address=None, agent=None)
        session.flush()
        secret = session.get_one(SessionRow, opened.session).csrf
    return opened.token, csrf_token(secret)


def fill(folder: Path, phones: int) -> dict[str, Any]:
    """A node with so many units, a field officer of each, and an alert for each."""
    node = open_node(settings(folder))
    until, actor = node.kernel.clock.now(), node.console_actor(None)
    node.units.add(actor, "watch-1", "Watch 1")
    watch = _signed(node, actor, "watch", Role.WATCH_OFFICER, "watch-1")
    _signed(node, actor, "lead", Role.SUPERVISOR, "watch-1")
    lead = node.officers.by_login(actor, "lead").actor()
    tokens, units = [], []
    for n in range(phones):
        code = f"pb-{n:03}"
        node.units.add(actor, code, code.upper())
        tokens.append(_signed(node, actor, code, Role.FIELD_OFFICER, code)[0])
        units.append(
            node.operations.add_unit(
                lead, code=code, name=code, kind="boat", sector="A", speed_kn=20,
                contact="VHF 16", position=None,
            ).id
        )  # fmt: skip
    with node.kernel.work(node.kernel.node) as work:
        keep(work, [finding(n, node, until) for n in range(phones)], node.cards)
    node.kernel.dispatcher.run_pending()
    seen_by = node.officers.by_login(actor, "watch").actor()
    alerts: list[str] = []
    while len(alerts) < phones:
        page = node.operations.queue(seen_by, after=alerts[-1] if alerts else "", at_most=100)
        alerts += [a.id for a in page.alerts]
        if not page.alerts:
            raise RuntimeError(f"only {len(alerts)} of {phones} alerts stand for themselves")
    codes = [f"pb-{n:03}" for n in range(phones)]
    tak = enrol(node, folder, codes, node.settings.tak_tells[0], Mark.AMBER)
    node.close()
    return {
        "watch": watch, "tokens": tokens, "units": units, "alerts": alerts[:phones], "tak": tak
    }  # fmt: skip


class Asking:
    """One kept-open connection that asks for JSON, opened anew where the node has closed it."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.at = 0.0

    async def ask(self, method: str, path: str, csrf: str = "", body: bytes = b"") -> bytes:
        if self.writer is None or time.monotonic() - self.at > 4.0:
            if self.writer is not None:
                self.writer.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        self.writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: cordon-xx-bench={self.cookie}\r\nAccept: application/json\r\n"
            f"X-CSRF-Token: {csrf}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        answer = await self.reader.readexactly(length)
        self.at = time.monotonic()
        if head.split(" ", 2)[1] not in ("200", "201"):
            raise AssertionError(f"{method} {path}: {head.splitlines()[0]} {answer[:300]!r}")
        return answer


def memory_of(pid: int) -> int:
    """Memory that a process holds now (MB); 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return 0
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


async def phone(port: int, n: int, token: str, seen: Seen, ready: asyncio.Semaphore) -> None:
    """Hold a socket, and ask when it says so."""
    asking = Asking(port, token)
    cookie = {"Cookie": f"cordon-xx-bench={token}"}
    address = f"ws://127.0.0.1:{port}{API}/field/live"
    async with websockets.connect(address, additional_headers=cookie) as socket:
        ready.release()
        async for said in socket:
            if said != "changed":
                continue
            told = await asking.ask("GET", f"{API}/field/state")
            seen.asked += 1
            if f"Order {n} ".encode() in told:
                seen.shown.setdefault(n, time.perf_counter())


async def look(port: int, tak: int, pid: int, held: dict[str, Any]) -> dict[str, Any]:
    """All phones and TAK clients, then the orders: at a pace, then as fast as they are taken."""
    seen, ready = Seen(), asyncio.Semaphore(0)
    count = len(held["tokens"])
    before = memory_of(pid)
    phones = [
        asyncio.ensure_future(phone(port, n, token, seen, ready))
        for n, token in enumerate(held["tokens"])
    ]
    phones += [
        asyncio.ensure_future(client(tak, n, context, seen.on_tak, ready))
        for n, context in enumerate(held["tak"])
    ]
    for _ in phones:
        await asyncio.wait_for(ready.acquire(), 60)
    memory = memory_of(pid) - before
    cpu, wall = cpu_of(pid), time.perf_counter()
    await asyncio.sleep(STILL_S)
    still = Taken()
    still.add(time.perf_counter() - wall, cpu_of(pid) - cpu)
    cookie, csrf = held["watch"]
    watch = Asking(port, cookie)
    taken = {}
    for name, numbers, pace in (
        ("pace", range(count // 2), PACE_S), ("burst", range(count // 2, count), 0.0)
    ):  # fmt: skip
        cpu, wall = cpu_of(pid), time.perf_counter()
        for n in numbers:
            began = seen.sent[n] = time.perf_counter()
            order = json.dumps({"unit": held["units"][n], "order": f"Order {n} to look at it."})
            path = f"{API}/alerts/{held['alerts'][n]}/send"
            await watch.ask("POST", path, csrf, order.encode())
            await asyncio.sleep(max(0.0, began + pace - time.perf_counter()))
        end = time.perf_counter() + 20
        while time.perf_counter() < end and any(
            n not in shown for n in numbers for shown in (seen.shown, seen.on_tak)
        ):
            await asyncio.sleep(0.05)
        taken[name] = Taken()
        taken[name].add(time.perf_counter() - wall, cpu_of(pid) - cpu)
    for one in phones:
        one.cancel()
    failed = [r for r in await asyncio.gather(*phones, return_exceptions=True)
              if isinstance(r, Exception)]  # fmt: skip
    if failed:
        raise failed[0]
    late, on_tak = (
        {n: shown[n] - at for n, at in seen.sent.items() if n in shown}
        for shown in (seen.shown, seen.on_tak)
    )
    return {
        "late": late,
        "tak": on_tak,
        "asked": seen.asked,
        "memory": memory,
        "still": still,
        "taken": taken,
    }


def measured(phones: int) -> dict[str, Any]:
    """One run of so many phones."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        held, port, tak = fill(folder, phones), free_port(), free_port()
        with served("bench.field", folder, port, str(tak)) as server:
            return asyncio.run(look(port, tak, server.pid, held))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; processor seconds are the node's own."""
    phones = 20 if quick else 200
    got = measured(phones)
    half = phones // 2
    rows = []
    for name, numbers, says in (
        ("pace", range(half), f"{half} orders, one each {PACE_S:g} s"),
        ("burst", range(half, phones), f"{half} orders as fast as they are taken"),
    ):
        for which, where in (("late", "phone"), ("tak", "TAK client of the unit")):
            late = [got[which][n] for n in numbers if n in got[which]]
            whole = "" if len(late) == half else f"; {half - len(late)} NEVER SHOWN"
            rows.append(
                row(
                    f"{says}, {phones} phones and as many TAK clients: order to {where}{whole}",
                    f"{percentile(late, 0.5):.3f} / {percentile(late, 0.99):.3f}" if late else "–",
                    None, "s, p50 / p99", got["taken"][name], goal=f"p99 ≤ {GOAL_S:g}",
                    missing=half - len(late),
                )
            )  # fmt: skip
    rows.append(
        row(
            f"{phones} phones and TAK clients heard, nothing sent: the node's processor "
            f"(+{got['memory']:,} MB with their connections)",
            round(100 * got["still"].cpus[0] / got["still"].walls[0], 1),
            None, "% of a core", got["still"],
        )
    )  # fmt: skip
    return rows


if __name__ == "__main__":
    if len(sys.argv) == 4:
        own = settings(Path(sys.argv[1]), int(sys.argv[2]))
        own = own.model_copy(update={"tak_server_port": int(sys.argv[3])})
        logs.set_up(own.log_level, own.log_format)
        serve(open_node(own), own)
    else:
        for line in run("--quick" in sys.argv):
            print(json.dumps(line, ensure_ascii=False))
