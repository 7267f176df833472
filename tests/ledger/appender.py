"""A program for the fault tests: appends in a process of its own, to be killed.

It loads everything once, then forks one appender after another, so that fifty of them start
in the time of one. Arguments: URL, folder, key folder, `kill ROUNDS SEED` or `race COUNT`.
It prints the indexes that were acknowledged.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from cordon.kernel.clock import SystemClock
from cordon.kernel.ledger import Ledger, NewEntry, load_key
from cordon.kernel.store.rows import Rows

ORIGIN = "pk-mcg.example/ledger"


def entry(text: str) -> NewEntry:
    return NewEntry(
        act="operations.alert.acknowledge",
        outcome="done",
        actor="console:test",
        unit=None,
        thing=f"alert:{text}",
        mark="TLP:GREEN",
    )


def open_ledger(url: str, folder: str, keys: str) -> Ledger:
    return Ledger(
        Rows(url),
        SystemClock(),
        agency="pk-mcg",
        origin=ORIGIN,
        key=load_key(Path(keys), ORIGIN),
        folder=Path(folder),
    )


def appender(where: list[str], out: int, name: str, count: int) -> None:
    """Append from four threads; write each index once it is acknowledged."""
    ledger = open_ledger(*where)
    os.write(out, b"ready\n")

    def work(thread: int) -> None:
        for n in range(count):
            index = ledger.append(entry(f"{name}-{thread}-{n}"))
            os.write(out, b"%d %s-%d-%d\n" % (index, name.encode(), thread, n))

    threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()


def fork(where: list[str], name: str, count: int) -> tuple[int, int]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 1
        try:
            appender(where, write, name, count)
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    return child, read


def everything(read: int, already: bytes = b"") -> bytes:
    while chunk := os.read(read, 1 << 16):
        already += chunk
    os.close(read)
    return already


def kill(where: list[str], rounds: int, seed: int) -> None:
    pick = random.Random(seed)
    for turn in range(rounds):
        child, read = fork(where, f"r{turn}", 10**9)
        first = os.read(read, 1 << 16)  # it has opened the ledger, so the last start was sound
        if not first:
            os.waitpid(child, 0)
            sys.exit(f"the start after kill {turn} failed")
        time.sleep(pick.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.stdout.write(everything(read, first).decode())


def race(where: list[str], count: int) -> None:
    both = [fork(where, name, count) for name in ("a", "b")]
    said = [b"", b""]

    def hear(which: int, read: int) -> None:
        said[which] = everything(read)

    threads = [threading.Thread(target=hear, args=(n, r)) for n, (_, r) in enumerate(both)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # by one thread: of two that write text at once, one's can be lost
    sys.stdout.write(b"".join(said).decode())
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child, _ in both))


if __name__ == "__main__":
    if sys.argv[4] == "kill":
        kill(sys.argv[1:4], int(sys.argv[5]), int(sys.argv[6]))
    else:
        race(sys.argv[1:4], int(sys.argv[5]))
