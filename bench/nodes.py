"""Messages between two nodes: from tell to heard, and over a link that is cut at random moments.

Two nodes are processes of their own with their own databases and keys, on loopback; what one
tells the other passes a proxy. A cut closes a connection hard after a random number of bytes,
from the first of the handshake to the last of the answer. Latency runs from the call of `tell`,
before its commit, to the commit of what the other did with it. There is no peer.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PATIENCE_S = 240.0
MOST_BYTES = 7000  # of a request with its handshake; a cut comes somewhere before


class Proxy:
    """Passes connections on, and cuts some of them.

    Args:
        target: port on loopback. cuts: how many connections are cut; of those that come, a half.
    """

    def __init__(self, target: int, seed: int) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.left = 0
        self.cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
                called = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                if self._socket.fileno() < 0:
                    return
                continue
            with self._lock:
                cuts = self.left > 0 and self._random.random() < 0.5
                allowed = [self._random.randrange(MOST_BYTES) if cuts else 1 << 60]
            for one, other in ((caller, called), (called, caller)):
                threading.Thread(target=self._pump, args=(one, other, allowed), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, allowed: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(512):
                with self._lock:
                    allowed[0] -= len(data)
                    cut = allowed[0] < 0
                    if cut and self.left > 0 and allowed[0] > -(1 << 40):
                        self.left -= 1
                        self.cut += 1
                        allowed[0] = -(1 << 50)  # counted once
                if cut:
                    for end in (one, other):  # a reset, as when a link is gone
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        end.close()
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


class Process:
    """A node in a process of its own, spoken to in lines of JSON."""

    def __init__(self, folder: Path, agency: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._came = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder), agency],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(self.ask()["port"])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            with self._came:
                (self.heard if "n" in said else self._answers).append(said)
                self._came.notify_all()

    def say(self, **what: Any) -> None:
        """Send an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def ask(self, **what: Any) -> dict[str, Any]:
        """Send an order and wait for its answer."""
        if what:
            self.say(**what)
        with self._came:
            if not self._came.wait_for(lambda: self._answers, PATIENCE_S):
                raise TimeoutError("a node does not answer")
            return self._answers.pop(0)

    def wait(self, count: int) -> None:
        """Wait until so many messages were heard."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.heard) >= count, PATIENCE_S):
                raise TimeoutError(f"{len(self.heard)} of {count} messages were heard")

    def cpu(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class Pair:
    """Two nodes that know each other; what the first tells the second passes a proxy."""

    def __init__(self, folder: Path, seed: int = 7) -> None:
        self.one, self.two = Process(folder / "one", "pk-one"), Process(folder / "two", "pk-two")
        self.proxy = Proxy(self.two.port, seed)
        cards = (
            self.one.ask(card=f"127.0.0.1:{self.one.port}")["card"],
            self.two.ask(card=f"127.0.0.1:{self.proxy.port}")["card"],
        )
        self.one.ask(add=cards[1])
        self.two.ask(add=cards[0])
        self.told = 0

    def tell(self, count: int, every_s: float) -> None:
        """Tell so many messages, one every so many seconds."""
        for _ in range(count):
            self.one.say(tell=self.told)
            self.told += 1
            time.sleep(every_s)

    def cut(self, cuts: int, every_s: float) -> int:
        """Tell until so many connections were cut, and all was heard; how many were cut."""
        self.proxy.left = cuts
        before = self.proxy.cut
        until = time.monotonic() + PATIENCE_S
        while self.proxy.left > 0 and time.monotonic() < until:
            self.tell(1, every_s)
        self.proxy.left = 0
        self.two.wait(self.told)
        return self.proxy.cut - before

    def wrong(self) -> list[int]:
        """Messages lost, doubled or out of order: places at which another number was heard."""
        heard = [m["n"] for m in self.two.heard]
        return [i for i, n in enumerate(heard) if n != i] + list(range(len(heard), self.told))

    def end(self) -> None:
        """End both."""
        self.proxy.close()
        self.one.end()
        self.two.end()


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    from bench.measuring import Taken, row

    messages, cuts = (50, 5) if quick else (500, 100)
    taken = Taken()
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            started, cpu = time.monotonic(), pair.one.cpu() + pair.two.cpu()
            pair.tell(messages, 0.05)
            pair.two.wait(messages)
            times = sorted(1000 * (m["at"] - m["told"]) for m in pair.two.heard)
            cut = pair.cut(cuts, 0.1)
            wrong = len(pair.wrong())
            taken.add(time.monotonic() - started, pair.one.cpu() + pair.two.cpu() - cpu)
        finally:
            pair.end()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    return [
        row(f"from tell to heard, median of {messages}", p50, None, "ms", taken),
        row("from tell to heard, p99", p99, None, "ms", taken, goal="≤ 2,000"),
        row(f"{pair.told - messages} messages over a link cut {cut} times: lost, doubled or out of "
            "order", wrong, None, "messages", taken, goal="0"),
    ]  # fmt: skip


def node(folder: Path, agency: str) -> None:
    """What a process of a node does."""
    from sqlalchemy import event

    from cordon.bootstrap import open_node
    from cordon.kernel.access.model import Actor, Mark, Role
    from cordon.settings import Settings
    from cordon.sharing.nodes import outbox
    from cordon.sharing.nodes.listener import Listener

    outbox._LONGEST_PAUSE_S = 0.5  # after a failure; doubled, a hundred cuts would take 20 minutes
    opened = open_node(Settings(data=folder, agency=agency, witness_seconds=3600))
    nodes = opened.sharing.nodes
    say, lock = sys.stdout, threading.Lock()

    def tell(what: dict[str, Any]) -> None:
        with lock:
            say.write(json.dumps(what) + "\n")
            say.flush()

    def hear(work: Any, _code: str, body: dict[str, Any]) -> None:
        event.listen(
            work.session, "after_commit",
            lambda _s: tell({"n": body["n"], "told": body["at"], "at": time.time()}), once=True,
        )  # fmt: skip

    nodes.on_told("bench.word", hear)
    opened.sharing.start("127.0.0.1", 0)
    listener = next(one for one in opened.sharing._beside if isinstance(one, Listener))
    tell({"port": listener.port})
    actor = Actor("x", "X", agency, None, frozenset({Role.SUPERVISOR}), Mark.AMBER_STRICT)
    for line in sys.stdin:
        order = json.loads(line)
        if "card" in order:
            tell({"card": nodes.card(actor, agency, order["card"])})
        elif "add" in order:
            nodes.add(actor, order["add"])
            tell({"added": True})
        else:
            at = time.time()
            with opened.kernel.work(opened.kernel.node) as work:
                nodes.tell(work, "pk-two", "bench.word", {"n": order["tell"], "at": at})


if __name__ == "__main__":
    node(Path(sys.argv[1]), sys.argv[2])
