"""Deconfliction: one planned act checked with eight other nodes, 100,000 planned acts over nine.

Nine nodes on loopback, each a process with its own database, key and port, as agencies run them;
they trust each other by their cards. The figure is the whole of entering an act: it is kept, each
node is asked at the same time over mutual TLS, each looks, writes to its ledger and answers, and
the answers are kept here. A second figure has one of the nine switched off: refused at once, as
where a machine is down; a third has it hang. Acts are put straight into the tables, with their
tokens; the acts that are timed go the whole way. No peer of the same kind is installed.
"""

from __future__ import annotations

import multiprocessing
import random
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update

from bench import agreeing
from bench.measuring import Taken, row
from cordon.bootstrap import Node, open_node
from cordon.kernel import logs
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.ids import new_id
from cordon.settings import Settings
from cordon.sharing.deconfliction import desk as desks
from cordon.sharing.deconfliction.entering import entered
from cordon.sharing.deconfliction.tables import PlannedActRow, SubjectTokenRow
from cordon.sharing.deconfliction.tokens import ready, token_rows
from cordon.sharing.nodes.tables import NodeRow

NODES = 9
DAYS = 90
BATCH = 2_000
ANSWER_S = 300


def agency(number: int) -> str:
    return f"pk-bench{number}"


def supervisor(number: int) -> Actor:
    roles = frozenset({Role.SUPERVISOR})
    return Actor("officer-b", "Bench", agency(number), "desk", roles, Mark.AMBER_STRICT)


def drafted(node: Node, chance: random.Random) -> Any:
    """An act somewhere in the country, some time in the next 90 days, with a subject or two."""
    desk = node.sharing.deconfliction
    kind = chance.choice(sorted(desk.kinds))
    at = datetime.now(UTC) + timedelta(minutes=chance.uniform(60, DAYS * 1440))
    subjects = [f"vehicle:L{chance.randrange(5_000_000)}" for _ in range(chance.choice((1, 2)))]
    typed = {
        "lat": f"{chance.uniform(24, 36):.5f}", "lon": f"{chance.uniform(62, 74):.5f}",
        "starts": at.isoformat(), "subjects": "\n".join(subjects), "ring": "021-1234567",
        "commander": "Bench", "title": "An act of the bench",
    }  # fmt: skip
    return entered(typed, desk.kind(kind), ZoneInfo("UTC"))


def fill(node: Node, count: int, seed: int) -> None:
    """Put acts into the tables, in large transactions; nobody is asked about them."""
    desk = node.sharing.deconfliction
    chance = random.Random(seed)
    parties = desk.parties.all()
    with node.kernel.rows.write() as session:
        ready(session, parties)
    for start in range(0, count, BATCH):
        acts, tokens = [], []
        for _ in range(min(BATCH, count - start)):
            made = PlannedActRow(
                id=new_id(), agency=node.kernel.agency, created_at=node.kernel.clock.now(),
                ref=secrets.token_hex(16), state="planned", revision=1, entered_by="bench", why="",
            )  # fmt: skip
            desks._fill(made, desk._draft(drafted(node, chance)))
            acts.append({c.name: getattr(made, c.name) for c in PlannedActRow.__table__.columns})
            tokens += token_rows(made.id, made.subjects, parties)
        with node.kernel.rows.write() as session:
            session.execute(insert(PlannedActRow), acts)
            session.execute(insert(SubjectTokenRow), tokens)


def serve(folder: Path, number: int, link: Connection) -> None:
    """A node in its own process; it does what the link says until it says stop."""
    logs.set_up("error", "text")
    node = open_node(Settings(data=folder, agency=agency(number)))
    node.sharing.start("127.0.0.1", 0)
    listener = node.sharing._beside[0]
    actor = supervisor(number)
    nodes = node.sharing.nodes
    link.send(nodes.card(actor, f"Bench {number}", f"127.0.0.1:{listener.port}"))
    while True:
        word, said = link.recv()
        if word == "meet":
            for card in said:
                nodes.add(actor, card)
        elif word == "sign":
            agreeing.sign(node, said)
        elif word == "stands":
            agreeing.stands(node, said)
        elif word == "fill":
            fill(node, said, number)
        elif word == "cpu":
            link.send(time.process_time())
            continue
        elif word == "stop":
            node.sharing.stop()
            node.close()
            link.send(None)
            return
        link.send(None)


@contextmanager
def nine(folder: Path, acts: int) -> Iterator[tuple[Node, list[Connection]]]:
    """The first node here, and eight others in processes of their own, filled."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.deconflict"])  # what all import is read once
    links, processes = [], []
    node = open_node(Settings(data=folder / "0", agency=agency(0)))
    try:
        for number in range(1, NODES):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(folder / str(number), number, theirs))
            process.start()
            links.append(ours)
            processes.append(process)
        node.sharing.start("127.0.0.1", 0)
        listener = node.sharing._beside[0]
        nodes = node.sharing.nodes
        cards = [nodes.card(supervisor(0), "Bench 0", f"127.0.0.1:{listener.port}")]
        cards += [_heard(link) for link in links]
        for card in cards[1:]:
            nodes.add(supervisor(0), card)
        for number, link in enumerate(links, 1):
            link.send(("meet", cards[:number] + cards[number + 1 :]))
            _heard(link)
        agreement = agreeing.offer(node, [agency(n) for n in range(NODES)], ["deconfliction"])
        for word in ("sign", "stands"):
            for link in links:
                link.send((word, agreement))
            for link in links:
                _heard(link)
        agreeing.stands(node, agreement)
        each = acts // NODES
        for link in links:
            link.send(("fill", each))
        fill(node, acts - each * (NODES - 1), 0)
        for link in links:
            _heard(link)
        yield node, links
    finally:
        for process, link in zip(processes, links, strict=True):
            if process.is_alive():
                link.send(("stop", None))
        for process in processes:
            process.join(20)
            if process.is_alive():
                process.terminate()
        node.sharing.stop()
        node.close()


def _heard(link: Connection) -> Any:
    if not link.poll(ANSWER_S):
        raise TimeoutError("a node of the bench does not answer")
    return link.recv()


def _cpu(links: list[Connection]) -> float:
    """Processor seconds that the other nodes have taken."""
    for link in links:
        link.send(("cpu", None))
    return sum(_heard(link) for link in links)


def timed(node: Node, rounds: int, seed: int, links: list[Connection]) -> tuple[Taken, int, int]:
    """Enter acts; how long each took, how many conflicts they met, how many were not answered.

    Processor seconds are those of all nodes.
    """
    before = _cpu(links)
    chance = random.Random(seed)
    desk, actor = node.sharing.deconfliction, supervisor(0)
    taken, conflicts, unanswered = Taken(), 0, 0
    for _ in range(rounds):
        said = drafted(node, chance)
        wall, cpu = time.perf_counter(), time.process_time()
        id_ = desk.add(actor, said)
        taken.add(time.perf_counter() - wall, time.process_time() - cpu)
        shown = desk.show(actor, id_)
        conflicts += len(shown.conflicts)
        unanswered += len(shown.unchecked)
    taken.cpus.append(_cpu(links) - before)
    return taken, conflicts, unanswered


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    acts, rounds, few = (2_700, 10, 3) if quick else (100_000, 100, 10)
    rows = []
    with tempfile.TemporaryDirectory() as folder, nine(Path(folder), acts) as (node, links):
        timed(node, 3, 1, links)  # connections, caches and the first page of each database
        taken, conflicts, unanswered = timed(node, rounds, 2, links)
        assert unanswered == 0, f"{unanswered} questions were not answered"
        slow = statistics.quantiles(taken.walls, n=100)[98]
        rows.append(
            row(
                f"one act entered and checked over {NODES} nodes, {acts:,} planned acts, median "
                f"(99th: {slow * 1000:.0f}; {conflicts} conflicts in {rounds})",
                round(taken.wall * 1000, 1), None, "ms", taken, goal="≤ 500",
            )
        )  # fmt: skip
        links[-1].send(("stop", None))
        _heard(links[-1])
        taken, _, unanswered = timed(node, few, 3, links[:-1])
        assert unanswered == few, "a node that is off was said to be checked"
        rows.append(
            row(
                f"the same with one node switched off, median (slowest of {few}: "
                f"{max(taken.walls) * 1000:.0f})",
                round(taken.wall * 1000, 1), None, "ms", taken,
            )
        )  # fmt: skip
        rows.append(_hanging(node, max(few // 4, 2), links[:-1]))
    return rows


def _hanging(node: Node, rounds: int, links: list[Connection]) -> dict[str, Any]:
    """The same while the last node takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        with node.kernel.rows.write() as session:
            last = agency(NODES - 1)
            session.execute(update(NodeRow).where(NodeRow.code == last).values(address=address))
        taken, _, unanswered = timed(node, rounds, 4, links)
    assert unanswered == rounds, "a node that hangs was said to be checked"
    return row(
        f"the same with one node that hangs, slowest of {rounds}",
        round(max(taken.walls) * 1000, 1), None, "ms", taken,
    )  # fmt: skip
