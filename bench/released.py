"""A release, from the officer's act at one node to the page at the other.

The receiver is a node on SQLite in a process of its own, heard by pages and by nodes as
`cordon serve` is; the giver is a node in this process. An agreement between the two is in force.
The time runs from the first line of the act, before anything is looked up or signed, until the
page of releases that an officer of the receiver has drawn names it; the page is asked for again
50 ms after it was answered, so that the figure is that much too great at the most. There is no
peer.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import agreeing
from bench.field import Asking, _signed
from bench.measuring import Taken, row
from bench.pages import cpu_of, finding, free_port, percentile, served, settings
from cordon.bootstrap import Node, open_node
from cordon.commands.serving import run as serve
from cordon.kernel import logs
from cordon.kernel.access.model import Role
from cordon.kernel.leads import keep
from cordon.settings import Settings
from cordon.sharing.agreements.model import Purpose
from cordon.sharing.releases.gathering import Asked

GIVER, GOAL_S, LATE_S, AGAIN_S = "pk-giver", 2.0, 20.0, 0.05
CLASSES = ("findings.picture",)


def _node(folder: Path, heard: int) -> Settings:
    return settings(folder).model_copy(update={"node_port": heard, "node_bind": "127.0.0.1"})


def _agreed(giver: Node, receiver: Node, ports: tuple[int, int]) -> None:
    """The two know each other, and an agreement between them is in force."""
    for node, port in zip((giver, receiver), ports, strict=True):
        node.sharing.start("127.0.0.1", port)
    cards = [
        node.sharing.nodes.card(agreeing.officer(node, "one"), "Bench", f"127.0.0.1:{port}")
        for node, port in zip((giver, receiver), ports, strict=True)
    ]
    giver.sharing.nodes.add(agreeing.officer(giver, "one"), cards[1])
    receiver.sharing.nodes.add(agreeing.officer(receiver, "one"), cards[0])
    id_ = agreeing.offer(giver, (GIVER, receiver.kernel.agency), CLASSES)
    agreeing.sign(receiver, id_)
    agreeing.stands(giver, id_)
    agreeing.stands(receiver, id_)


def _reader(receiver: Node) -> str:
    """An officer of the receiver who is signed in: the cookie's value."""
    actor = receiver.console_actor(None)
    receiver.units.add(actor, "desk", "Desk")
    return _signed(receiver, actor, "reader", Role.SUPERVISOR, "desk")[0]


async def _shown(asking: Asking, id_: str) -> None:
    """Ask for the page until it names the release."""
    while id_.encode() not in await asking.ask("GET", "/sharing/releases"):
        await asyncio.sleep(AGAIN_S)


async def _given(giver: Node, to: str, port: int, cookie: str, ids: list[str]) -> list[float]:
    who, asking, taken = agreeing.officer(giver, "one"), Asking(port, cookie), []
    await asking.ask("GET", "/sharing/releases")  # the first page of a process compiles it
    for id_ in ids:
        begun = time.perf_counter()
        asked = Asked(to, Purpose.BORDER, findings=(id_,))
        made = await asyncio.to_thread(giver.sharing.releases.send, who, asked)
        await asyncio.wait_for(_shown(asking, made.id), LATE_S)
        taken.append(time.perf_counter() - begun)
    return taken


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; processor seconds are the receiver's."""
    count = 10 if quick else 100
    with tempfile.TemporaryDirectory(prefix="cordon-bench-") as name:
        folder, ports, port = Path(name), (free_port(), free_port()), free_port()
        giver = open_node(Settings(agency=GIVER, data=folder / "giver", log_level="error"))
        receiver = open_node(settings(folder / "receiver"))
        to = receiver.kernel.agency
        try:
            _agreed(giver, receiver, ports)
            cookie = _reader(receiver)
        finally:
            receiver.sharing.stop()
            receiver.close()
        now = giver.kernel.clock.now()
        found = [finding(n, giver, now) for n in range(count)]
        with giver.kernel.work(giver.kernel.node) as work:
            keep(work, found, giver.cards)
        spent = Taken()
        try:
            with served("bench.released", folder / "receiver", port, str(ports[1])) as server:
                wall, cpu = time.perf_counter(), cpu_of(server.pid)
                ids = [f.id for f in found]
                taken = asyncio.run(_given(giver, to, port, cookie, ids))
                spent.add(time.perf_counter() - wall, cpu_of(server.pid) - cpu)
        finally:
            giver.sharing.stop()
            giver.close()
    return [
        row(
            f"{count} releases one after another: act to page at the other node",
            f"{percentile(taken, 0.5):.3f} / {percentile(taken, 0.99):.3f}", None, "s, p50 / p99",
            spent, goal=f"p99 ≤ {GOAL_S:g}", p99_s=percentile(taken, 0.99),
        )
    ]  # fmt: skip


if __name__ == "__main__":
    own = _node(Path(sys.argv[1]), int(sys.argv[3]))
    own = own.model_copy(update={"port": int(sys.argv[2])})
    logs.set_up(own.log_level, own.log_format)
    serve(open_node(own), own)
