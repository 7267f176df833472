"""A program for the fault tests: brings files in, in a process of its own, to be killed.

It loads everything once, then forks one importer after another, so that fifty of them start
in the time of one. Arguments: folder, database address, `kill ROUNDS SEED`, `race N`
or `once`, then `positions`, `calls` or `money`, the authority's reference (or `-`), and the files.
It prints one line for each commit that was acknowledged to it, and one for each turn.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cordon.calls.unpacking
import cordon.picture.feeds.csv
import cordon.picture.feeds.readers
from cordon.bootstrap import Node
from cordon.kernel.errors import Conflict, CordonError
from cordon.kernel.jobs import Running
from cordon.settings import load

LEASE_S = 0.06  # of a job whose worker is killed: the next one takes it over soon
RACE_S = 5.0  # nobody is killed in a race, and a slow machine must not make it seem so

with suppress(ImportError):  # pyarrow loads it on first use, where it stands: a second each time
    import pandas  # noqa: F401


def small_batches() -> None:
    """Many commits in a small file: there is much to be killed between."""
    cordon.picture.feeds.readers.ROWS_A_BATCH = 24
    cordon.picture.feeds.csv.ROWS_A_BATCH = 24
    cordon.calls.unpacking.BLOCK = 1000
    cordon.calls.unpacking._CHUNK = 500


def say(out: int, **what: Any) -> None:
    os.write(out, json.dumps(what).encode() + b"\n")


def bring_in(folder: str, url: str, kind: str, reference: str, files: list[str], out: int) -> None:
    """Bring each file in, one after another, and say what became of it."""
    node = Node(load(data=Path(folder), database_url=url))
    node.jobs.lease_s = LEASE_S
    say(out, ready=os.getpid())
    _say_each_commit(out)
    actor = node.console_actor(None if reference == "-" else reference)
    for path in files:
        name = Path(path).name
        try:
            with Path(path).open("rb") as source:
                if kind == "positions":
                    job = node.picture.ask_import(actor, source, name)
                elif kind == "money":
                    job = node.money.ask_import(actor, source, name)
                else:
                    job = node.calls.ask_import(actor, source, name)
        except Conflict:
            say(out, file=name, state="known")
            continue
        ended = node.run_job(job, lambda _done, _total: None)
        counts = ended.report.get("files", [{}])[0]
        say(out, file=name, state=ended.state, error=ended.error, counts=counts)
    node.kernel.dispatcher.run_pending()  # where an earlier turn was killed before this
    node.close()


def _say_each_commit(out: int) -> None:
    step = Running.step

    @contextmanager
    def said(self: Running) -> Iterator[Any]:
        with step(self) as work:
            yield work
        say(out, job=self.id, committed=dict(self.checkpoint))

    Running.step = said  # type: ignore[method-assign]


def fork(arguments: tuple[Any, ...]) -> tuple[int, int]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 1
        try:
            small_batches()
            bring_in(*arguments, write)
            code = 0
        except CordonError as fault:
            say(write, fault=str(fault))
        finally:
            os._exit(code)
    os.close(write)
    return child, read


def everything(read: int, already: bytes = b"") -> bytes:
    while chunk := os.read(read, 1 << 16):
        already += chunk
    os.close(read)
    return already


def kill(arguments: tuple[Any, ...], rounds: int, seed: int) -> None:
    """Kill importers at random moments of their work, and let the last one come to its end.

    Each is killed some ms after its first or second commit, and each fourth while it still
    begins: by how far it came and not by the clock, so that a slow machine is killed at work too.
    """
    pick = random.Random(seed)
    kills = 0
    while True:
        child, read = fork(arguments)
        told = b""
        if kills < rounds:
            commits = (1, 2, 1, 0)[kills % 4]
            while told.count(b'"committed"') < commits:
                chunk = os.read(read, 1 << 16)
                if not chunk:
                    break
                told += chunk
            time.sleep(pick.uniform(0.0, 0.05 if commits else 0.3))
            os.kill(child, signal.SIGKILL)
        told = everything(read, told)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(told.decode())
        sys.stdout.write(json.dumps({"turn": kills, "status": status}) + "\n")
        if status != -signal.SIGKILL:
            break
        kills += 1


def race(arguments: tuple[Any, ...], count: int) -> None:
    """Several importers at once."""
    global LEASE_S
    LEASE_S = RACE_S
    both = [fork(arguments) for _ in range(count)]
    for _child, read in both:
        sys.stdout.write(everything(read).decode())
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child, _ in both))


if __name__ == "__main__":
    where, how = sys.argv[1:3], sys.argv[3]
    rest = sys.argv[4:]
    numbers = {"kill": 2, "race": 1, "once": 0}[how]
    given, (kind, reference, *files) = rest[:numbers], rest[numbers:]
    what = (*where, kind, reference, files)
    if how == "kill":
        kill(what, int(given[0]), int(given[1]))
    else:
        race(what, int(given[0]) if given else 1)
