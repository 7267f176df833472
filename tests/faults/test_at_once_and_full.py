"""Two imports at once, a full disk, a clock that jumps, a feed whose node is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cordon.exercise.playing import read_log
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import NotSignedIn, Unavailable

from .conftest import SOAK, run, set_up, state, stray

pytestmark = [pytest.mark.faults, pytest.mark.timeout(200)]


@pytest.mark.parametrize("kind", ["positions", "calls"])
def test_the_same_file_by_two_processes_at_once_is_kept_once(
    kind, rows_url, second_url, worlds, tmp_path, open_node
):
    name = "ais.nmea" if kind == "positions" else "calls.csv"
    files = [str(worlds[0] / name)]
    one, both = open_node(tmp_path / "one", second_url), open_node(tmp_path / "both", rows_url)
    shutil.copy(tmp_path / "both/keys/masking-key", tmp_path / "one/keys/masking-key")
    for node in (one, both):
        reference = set_up(node, worlds[0] / "zones.geojson")
    run(tmp_path / "one", second_url, "once", kind, reference, *files)
    said = run(tmp_path / "both", rows_url, "race", "2", kind, reference, *files)
    ends = [line for line in said if "file" in line]
    assert len(ends) == 2
    assert {line["state"] for line in ends} <= {"done", "known"}, ends
    assert state(both, kind)["rows"] == state(one, kind)["rows"]
    assert state(both, kind)["findings"] == state(one, kind)["findings"]
    assert stray(both) == []


def test_two_files_with_the_same_calls_at_once_are_kept_once(rows_url, worlds, tmp_path, open_node):
    """A second delivery that overlaps the first: each call once, the rest counted as repeated."""
    node = open_node(tmp_path / "node", rows_url)
    reference = set_up(node, worlds[0] / "zones.geojson")
    header, *lines = (worlds[0] / "calls.csv").read_text().splitlines(keepends=True)
    parts = []
    for name, some in (("a", lines[: len(lines) * 2 // 3]), ("b", lines[len(lines) // 3 :])):
        parts.append(tmp_path / f"{name}.csv")
        parts[-1].write_text(header + "".join(some))
    threads, told = [], []
    for path in parts:
        work = lambda p=path: told.extend(  # noqa: E731
            run(tmp_path / "node", rows_url, "once", "calls", reference, str(p))
        )
        threads.append(threading.Thread(target=work))
        threads[-1].start()
    for thread in threads:
        thread.join()
    counts = [line["counts"] for line in told if "file" in line]
    assert [line["state"] for line in told if "file" in line] == ["done", "done"]
    assert sum(c["kept"] for c in counts) == len(set(lines)) == len(state(node, "calls")["rows"])
    assert sum(c["kept"] + c["repeated"] + c["refused"] for c in counts) == sum(
        c["read"] for c in counts
    )


def test_two_processes_that_start_on_nothing_at_once(empty_url, worlds, tmp_path, open_node):
    said = run(
        tmp_path / "new", empty_url, "race", "3", "positions", "-", str(worlds[0] / "ais.nmea")
    )
    assert not [line for line in said if "fault" in line]
    node = open_node(tmp_path / "new", empty_url)
    assert len((tmp_path / "new/keys/masking-key").read_bytes()) == 32
    node.kernel.ledger.check_head()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB of its own; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("no small disk: only root may mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_during_an_import(small_disk, worlds, tmp_path, open_node):
    url = f"sqlite:///{small_disk / 'node.db'}"
    calm_url = f"sqlite:///{tmp_path / 'calm.db'}"
    calm, node = open_node(tmp_path / "calm", calm_url), open_node(small_disk / "data", url)
    for one in (calm, node):
        reference = set_up(one, worlds[0] / "zones.geojson")
    files = [str(worlds[0] / "ais.nmea"), str(worlds[0] / "positions.csv")]
    run(tmp_path / "calm", calm_url, "once", "positions", reference, *files)
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"\0" * max(0, free - 750_000))
    told = []
    for _ in range(2):  # said each time, and nothing is worse for the second
        done = subprocess.run(
            [sys.executable, str(Path(__file__).parent / "importer.py"), str(small_disk / "data"),
             url, "once", "positions", reference, *files],
            capture_output=True, text=True,
        )  # fmt: skip
        told += [json.loads(line) for line in done.stdout.splitlines()]
    said = [line.get("fault") or line.get("error") for line in told]
    said = [words for words in said if words]
    assert said
    assert all("full" in words and "Free space" in words for words in said)
    committed = [line for line in told if "committed" in line]
    assert node.kernel.ledger.size() > 0  # it can be read while the disk is full
    ballast.unlink()
    after = run(small_disk / "data", url, "once", "positions", reference, *files)
    assert {line["state"] for line in after if "file" in line} <= {"done", "known"}
    assert state(node, "positions") == state(calm, "positions")
    assert stray(node) == []
    assert committed  # it was full in the middle of an import, not only before it


def test_a_clock_that_jumps(rows_url, tmp_path, noon):
    """The ledger's times never go back; sessions end by time that passed, jumps or not."""
    from cordon.bootstrap import Node
    from cordon.settings import Settings

    clock = SetClock(noon)
    node = Node(Settings(data=tmp_path / "node", database_url=rows_url), clock)
    console = node.console_actor(None)
    for days in (0, 3, -30, 1, 0.5, -400, 2):
        clock.advance(timedelta(days=days))
        node.units.add(console, f"unit-{abs(days)}-{days < 0}".replace(".", "-").lower(), "Unit")
    entries = node.kernel.ledger.entries(limit=100)[::-1]
    assert len(entries) >= 7
    assert [e.at for e in entries] == sorted(e.at for e in entries)
    clock.set(noon)
    officer = node.officers.add(
        console, login="watch", name="Watch", roles=[Role.WATCH_OFFICER], unit=None,
        cleared=Mark.AMBER, password="correct horse battery staple",
    )  # fmt: skip
    with node.kernel.rows.write() as session:
        row = session.get(OfficerRow, officer.id)
        secret = node.sessions.open_in(session, row, address="127.0.0.1", agent=None).token
    assert node.sessions.find(secret)
    clock.advance(timedelta(hours=-5))  # the machine's clock was put right
    assert node.sessions.find(secret)
    clock.advance(timedelta(hours=5, minutes=59))
    assert node.sessions.find(secret)
    clock.advance(timedelta(hours=14))
    with pytest.raises(NotSignedIn):
        node.sessions.find(secret)
    clock.set(noon)  # back again: what has ended stays ended
    with pytest.raises(NotSignedIn):
        node.sessions.find(secret)
    node.close()


_NODE = """
import sys, time
from pathlib import Path
from cordon.bootstrap import Node
from cordon.settings import load
import cordon.picture.service, cordon.picture.intake
cordon.picture.service.TICK_S = 0.3
cordon.picture.intake.STORE_AFTER_S = 1.0
node = Node(load(data=Path(sys.argv[1]), database_url=sys.argv[2], feeds=[sys.argv[3]]))
node.start()
while True:
    known = node.picture.picture.all()
    shown = sum(len(node.picture.intake.positions_of(p.subject)) for p in known)
    sys.stdout.write(f"{shown}\\n")
    sys.stdout.flush()
    time.sleep(0.05)
"""


class Sender(threading.Thread):
    """A feed: sends a log's lines to whoever connects, a few at a time, each line once."""

    def __init__(self, lines: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.left = list(lines)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"nmea+tcp://127.0.0.1:{self.server.getsockname()[1]}"

    def run(self) -> None:
        while True:
            connection, _ = self.server.accept()
            with connection:
                try:
                    while self.left:
                        some = self.left[:4]
                        connection.sendall(b"".join(some))
                        del self.left[:4]
                        time.sleep(0.05)
                    while connection.recv(1):
                        pass
                except OSError:
                    continue


def test_a_node_killed_while_a_feed_runs_comes_back_with_all_that_was_shown(
    rows_url, worlds, tmp_path, open_node
):
    now = time.time()
    log = list(read_log(worlds[0] / "ais.nmea"))
    from cordon.exercise.playing import shifted

    by = timedelta(seconds=now - log[-1][0].timestamp())
    sender = Sender([shifted(line, by) + b"\n" for _, line in log])
    sender.start()
    shown = 0
    for turn in range(4 if SOAK else 2):
        node = subprocess.Popen(
            [sys.executable, "-c", _NODE, str(tmp_path / "node"), rows_url, sender.url],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert node.stdout is not None
        first = int(node.stdout.readline())
        assert first >= shown  # all that was shown before the kill is there at once
        until = time.monotonic() + (2.5 + 0.4 * turn)
        latest = first
        # the first of them may have to compile its loops before it shows anything
        late = until + 60
        while (now := time.monotonic()) < until or (latest == first and sender.left and now < late):
            latest = max(latest, int(node.stdout.readline()))
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
        assert latest > first or not sender.left
        shown = latest
    assert shown > 0
    sender.left.clear()  # it has said all that it will
    time.sleep(0.2)
    node = open_node(tmp_path / "node", rows_url)
    node.start()
    found = [
        p for q in node.picture.picture.all() for p in node.picture.intake.positions_of(q.subject)
    ]
    assert len(found) >= shown
    keys = [(p.subject, p.at, p.lat, p.lon) for p in found]
    assert len(keys) == len(set(keys))  # and nothing twice
    node.stop()
    rows = state(node, "positions")["rows"]
    assert len(rows) == len(found)  # what is shown is stored too, once
    assert all(whole for _, whole in node.kernel.files.check())


def test_a_full_disk_stops_a_feed_and_not_the_node(small_disk, worlds, tmp_path):
    """Nothing is shown that could not be kept; it goes on by itself when there is space."""
    from cordon.bootstrap import Node
    from cordon.settings import Settings

    node = Node(Settings(data=small_disk / "data"))
    from cordon.picture.feeding import FeedState

    feed = FeedState("f", "feed", "nmea+tcp://127.0.0.1:1")
    lines = [line for _, line in read_log(worlds[0] / "ais.nmea")]
    node.picture.intake.take(feed, b"\n".join(lines[:20]) + b"\n", time.time())
    held = feed.kept
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (shutil.disk_usage(small_disk).free - 8192))

    def take_all() -> None:
        for n in range(20, len(lines), 20):
            node.picture.intake.take(feed, b"\n".join(lines[n : n + 20]) + b"\n", time.time())

    with pytest.raises(Unavailable, match="Free space"):
        take_all()
    ballast.unlink()
    before = feed.kept
    node.picture.intake.take(feed, b"\n".join(lines[-20:]) + b"\n", time.time())
    assert feed.kept > before >= held
    node.close()
