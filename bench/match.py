"""Matching without disclosure: a million held, a thousand asked, between two nodes on loopback.

What is timed is what the commands do: `prepare` reads what is held, evaluates, packs, stores and
tells it; `ask` checks the authority, enters the ledger, blinds, asks over mutual TLS, verifies the
proof and matches. The peer is openmined.psi in one process, without network, ledger or proof,
with as many tags (a Golomb-coded set at one false hit in 2^28 questions). Names are measured on
the pairs of nomenklatura and of google/transliteration, where the real data is there.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import private_set_intersection.python as psi

from bench import agreeing
from bench.measuring import Taken, real_data, row
from cordon.bootstrap import open_node
from cordon.kernel import logs
from cordon.kernel.access.model import Actor, Authority, AuthorityKind, Mark, Role, Scope
from cordon.kernel.errors import Unavailable
from cordon.settings import Settings
from cordon.sharing.match import filters
from cordon.sharing.match.model import Kind, Purpose, Terms
from cordon.sharing.match.names import asked_keys, held_keys, word_key
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import deliver

ASKED = 1000
ROUNDS = 5
TRIES = 10
PATIENT = 200_000  # pairs of names drawn by chance


def number(n: int) -> str:
    """The n-th number that is held."""
    return f"+92300{n:07d}"


def measured(taken: Taken, work: Callable[[], Any]) -> Any:
    """Time one piece of work."""
    wall, cpu = time.perf_counter(), time.process_time()
    came = work()
    taken.add(time.perf_counter() - wall, time.process_time() - cpu)
    return came


class Side:
    """A node that others reach on loopback."""

    def __init__(self, folder: Path, agency: str) -> None:
        self.node = open_node(Settings(data=folder, agency=agency))
        self.match, self.nodes = self.node.sharing.match, self.node.sharing.nodes
        now = self.node.kernel.clock.now()
        authority = Authority(
            "0199a000-0000-7000-8000-000000000001", agency, Mark.AMBER, AuthorityKind.WARRANT,
            "W 1", "Court", "law", "0" * 64, Scope(frozenset({"calls"})),
            now - timedelta(days=1), now + timedelta(days=1), "s", now,
        )  # fmt: skip
        self.actor = Actor(
            "officer-s", "S", agency, None, frozenset({Role.SUPERVISOR}), Mark.AMBER_STRICT,
            authority=authority,
        )  # fmt: skip
        self.listener = Listener(self.nodes, "127.0.0.1", 0)
        self.listener.start()

    def meet(self, other: Side) -> None:
        address = f"127.0.0.1:{other.listener.port}"
        self.nodes.add(self.actor, other.nodes.card(other.actor, "Node", address))

    def carry(self, code: str) -> None:
        for _ in range(TRIES):  # as the outbox does: what was taken is not taken twice
            try:
                while deliver(self.nodes, self.nodes.peer(code)):
                    pass
            except Unavailable:
                continue
            return
        raise RuntimeError(f"the messages for {code} could not be delivered")

    def close(self) -> None:
        self.listener.stop()
        self.node.close()


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    logs.set_up("warning", "text")
    size = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        a, b = Side(Path(folder) / "a", "pk-aa"), Side(Path(folder) / "b", "pk-bb")
        try:
            a.meet(b)
            b.meet(a)
            agreement = agreeing.offer(b.node, ["pk-aa", "pk-bb"], ["match.number"])
            b.carry("pk-aa")
            agreeing.sign(a.node, agreement)
            a.carry("pk-bb")
            rows = between(a, b, size)
        finally:
            a.close()
            b.close()
    return rows + names(quick)


def between(a: Side, b: Side, size: int) -> list[dict[str, Any]]:
    """Set-up, a change, and questions."""
    held = [size]
    b.match.holdings.provide(lambda _s: (f"number:{number(n)}" for n in range(held[0])))
    terms = Terms((Kind.NUMBER,), (Purpose.INVESTIGATION,), "Desk B", ASKED, 100_000)
    b.match.set_terms(b.actor, "pk-aa", terms)
    setup, change, brought, question = Taken(), Taken(), Taken(), Taken()
    measured(setup, lambda: b.match.prepare(b.actor))
    measured(brought, lambda: b.carry("pk-aa"))
    held[0] += ASKED
    measured(change, lambda: b.match.prepare(b.actor))
    b.carry("pk-aa")
    drawn = random.Random(1)
    for _ in range(ROUNDS):
        hits = {number(n) for n in drawn.sample(range(size), ASKED // 2)}
        values = [*hits, *(f"+92311{n:07d}" for n in drawn.sample(range(10**7), ASKED // 2))]
        drawn.shuffle(values)
        came = measured(
            question,
            lambda v=values: a.match.asking.ask(
                a.actor, "pk-bb", Kind.NUMBER, v, Purpose.INVESTIGATION, "measured by the bench"
            ),
        )
        assert set(came.held) == hits
    _, theirs = a.match.ready(a.actor)
    message = len(filters.pack(np.sort(filters.fresh(theirs[0].size, np.empty(0, np.uint64)))))
    peer = of_peer(size, values, filters.false_hits(theirs[0].size))
    what = f"{size:,} held"
    return [
        row(f"match, set-up of {what}, from what is held to the messages written",
            round(setup.cpus[0], 1), round(peer["setup"].cpus[0], 1), "CPU s", setup, goal="≤ 60"),
        row(f"match, {ASKED:,} more of {size:,}: the set brought up to date",
            round(change.cpus[0], 2), None, "CPU s", change),
        row(f"match, the set of {what} for the other node", round(message / 1e6, 2),
            round(peer["bytes"] / 1e6, 2), "MB", brought),
        row(f"match, {ASKED:,} asked against {what}, end to end (peer: in one process, "
            f"no network, no ledger, no proof)",
            round(question.wall, 2), round(peer["question"].wall, 2), "s", question, goal="≤ 1"),
    ]  # fmt: skip


def of_peer(size: int, values: list[str], rate: float) -> dict[str, Any]:
    """openmined.psi on the same values."""
    items = [number(n) for n in range(size)]
    setup, question = Taken(), Taken()
    server = psi.server.CreateWithNewKey(True)
    client = psi.client.CreateWithNewKey(True)
    told = measured(
        setup,
        lambda: server.CreateSetupMessage(
            rate * len(values), len(values), items, psi.DataStructure.GCS
        ).SerializeToString(),
    )
    kept = psi.ServerSetup()
    kept.ParseFromString(told)

    def ask() -> int:
        request = client.CreateRequest(values)
        return len(client.GetIntersection(kept, server.ProcessRequest(request)))

    for _ in range(ROUNDS):
        assert measured(question, ask) == len(values) // 2
    return {"setup": setup, "question": question, "bytes": len(told)}


def names(quick: bool) -> list[dict[str, Any]]:
    """How often keys of names bring together what is one, and what is not."""
    data = real_data()
    if data is None:
        return []
    with (data / "names" / "name_bench.csv").open(encoding="utf-8") as file:
        pairs = [r for r in csv.DictReader(file) if r["schema"] == "Person"]
    words = [
        line.split("\t") for line in (data / "names" / "ar2en.txt").read_text("utf-8").splitlines()
    ]
    taken = Taken()

    def meet(one: str, other: str) -> bool:
        return not set(asked_keys(one)).isdisjoint(held_keys(other))

    def share(label: str) -> tuple[int, int]:
        those = [meet(r["name1"], r["name2"]) for r in pairs if r["is_match"] == label]
        return sum(those), len(those)

    same, of_same = measured(taken, lambda: share("true"))
    alike, of_alike = share("false")
    one = sum(word_key(w[0]) == word_key(w[1].strip()) for w in words)
    people = sorted({r["name1"] for r in pairs if held_keys(r["name1"])})
    drawn = random.Random(5)
    tried = PATIENT // (20 if quick else 1)
    chance = sum(meet(*drawn.sample(people, 2)) for _ in range(tried))
    return [
        row(f"names: words of google/transliteration, Arabic and Latin with one key, "
            f"{one:,} of {len(words):,}", round(100 * one / len(words), 1), None, "%", taken),
        row(f"names: pairs of nomenklatura that are one person, misspelt or in another script, "
            f"{same} of {of_same}", round(100 * same / of_same, 1), None, "%", taken),
        row(f"names: pairs chosen to look alike that are two, {alike} of {of_alike}",
            round(100 * alike / of_alike, 1), None, "%", taken),
        row(f"names: two of {len(people)} people drawn by chance, {chance} of {tried:,}",
            round(100 * chance / tried, 3), None, "%", taken),
    ]  # fmt: skip
