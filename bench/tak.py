"""The TAK relay: events of a few clients passed on to five hundred, beside taky and FreeTAKServer.

All servers run in processes of their own, on loopback, with mutual TLS from one authority and the
same client certificates; one driver holds all connections of the one that is measured. Twenty of
the clients send events under names of their own as fast as they are taken; the time runs from the
first byte sent to the last one delivered. An event counts as delivered when its end has come out
of the receiver's TLS; what a server sends back to the sender does not count. FreeTAKServer is
stopped (SIGSTOP) while it is not its turn, as it works without pause even where nothing is sent.
It works through all that it read before it passes anything on: of rounds of 600 events to 500
clients it had delivered one event after three minutes. So its rounds have a hundred events at
most, and end after two minutes. Its clients write each event by itself, as it cuts off those
whose event comes in two readings.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import freetak
from bench.measuring import ROOT, Taken, row
from bench.pages import free_port
from bench.peers import PeerMissing

SENDERS = 20
GROUP = "bench"
END = b"</event>"
FREE = "FreeTAKServer"
FREE_EVENTS, FREE_LONGEST = 100, 120.0  # of a round of it, and seconds that it may take


@dataclass(frozen=True, slots=True)
class Size:
    """Clients, events that all senders send together in a round, and rounds."""

    clients: int
    events: int
    rounds: int


@dataclass(slots=True)
class Got:
    """What became of one server's rounds; `why` is set where it was not measured."""

    taken: Taken = field(default_factory=Taken)
    rates: list[float] = field(default_factory=list)  # deliveries a second, of each round
    delivered: int = 0
    expected: int = 0
    cut: int = 0  # clients that were disconnected
    joined: int = 0
    joining: float = 0.0  # seconds
    why: str = ""

    def add(self, wall: float, cpu: float, delivered: int, expected: int) -> None:
        self.taken.add(wall, cpu)
        self.rates.append(delivered / wall if delivered else 0.0)
        self.delivered += delivered
        self.expected += expected

    @property
    def rate(self) -> float:
        """Deliveries a second, on the median round."""
        return statistics.median(self.rates)


def event(uid: str) -> bytes:
    """A marker as ATAK sends it, of about 600 bytes."""
    now = datetime.now(UTC)
    at, until = (f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond // 1000:03d}Z" for t in
                 (now, now + timedelta(minutes=10)))  # fmt: skip
    return (
        f'<event version="2.0" uid="{uid}" type="a-u-G" how="h-g-i-g-o" time="{at}" start="{at}" '
        f'stale="{until}"><point lat="25.0512345" lon="63.4598765" hae="12.3" ce="9999999.0" '
        f'le="9999999.0"/><detail><status readiness="true"/><archive/><link uid="ANDROID-1" '
        f'production_time="{at}" type="a-f-G-U-C" parent_callsign="ALFA" relation="p-p"/>'
        f'<contact callsign="U.{uid}"/><remarks>Dhow, two on deck, no lights.</remarks>'
        f'<color argb="-1"/><precisionlocation altsrc="DTED0"/></detail></event>'
    ).encode()


class Clients:
    """All connections to one server, in one loop.

    Args:
        greeting: what a client says first, by its number. whole: each event is a write of its own.
        longest: seconds for all to come in; who has not by then stays outside.
    """

    def __init__(
        self,
        port: int,
        contexts: list[ssl.SSLContext],
        greeting: Callable[[int], bytes] | None = None,
        whole: bool = False,
        longest: float = 300.0,
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.wanted, self.whole = len(contexts), whole
        self.sockets: list[ssl.SSLSocket] = []
        self.tails: dict[ssl.SSLSocket, bytes] = {}
        self.name = b"<event "  # stands once in each event that counts
        self.own: dict[ssl.SSLSocket, bytes] = {}  # stands in those that a sender sent itself
        self.ends = self.cut = 0
        until = time.perf_counter() + longest
        for n, context in enumerate(contexts):
            self._join(port, context, greeting(n) if greeting else b"", until)

    def _join(self, port: int, context: ssl.SSLContext, says: bytes, until: float) -> None:
        if time.perf_counter() > until:
            return
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        one = context.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        one.setblocking(False)
        while True:
            try:
                one.do_handshake()
                if says:
                    one.send(says)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if time.perf_counter() > until:
                    one.close()
                    return
                self.turn(0.002)
            except OSError:
                one.close()
                return
            else:
                break
        self.selector.register(one, selectors.EVENT_READ)
        self.sockets.append(one)
        self.tails[one] = b""
        self.turn(0)

    def turn(self, wait: float) -> bool:
        """Read what has come; return whether anything had."""
        ready = self.selector.select(wait)
        for key, _ in ready:
            self._read(key.fileobj)  # type: ignore[arg-type]
        return bool(ready)

    def _read(self, one: ssl.SSLSocket) -> None:
        own = self.own.get(one)
        try:
            while data := one.recv(1 << 16):
                whole, _, self.tails[one] = (self.tails[one] + data).rpartition(END)
                self.ends += whole.count(self.name)
                if own:
                    self.ends -= whole.count(own)
        except (ssl.SSLWantReadError, BlockingIOError):
            return
        except OSError:
            pass
        self.cut += 1
        self.selector.unregister(one)

    def settle(self, quiet: float = 1.0, longest: float = 60.0) -> None:
        """Read until nothing comes for a while."""
        begun = time.perf_counter()
        until = begun + quiet
        while (now := time.perf_counter()) < min(until, begun + longest):
            if self.turn(0.05):
                until = now + quiet

    def round(self, events: int, name: str, longest: float = 120.0) -> tuple[float, int, int]:
        """Send a round; return seconds, events delivered, and events that had to be."""
        self.settle()
        self.ends = 0
        self.name = f'uid="{name}-'.encode()
        expected = events * (self.wanted - 1)
        waiting: dict[ssl.SSLSocket, list[bytes]] = {}
        for n, one in enumerate(self.sockets[:SENDERS]):
            self.own[one] = f'uid="{name}-{n}-'.encode()
            said = [event(f"{name}-{n}-{i}") for i in range(events // SENDERS)]
            all_ = b"".join(said)
            waiting[one] = (
                said if self.whole
                else [all_[at : at + 16_384] for at in range(0, len(all_), 16_384)]
            )  # fmt: skip
        begun = last = time.perf_counter()
        while self.ends < expected and time.perf_counter() - begun < longest:
            for one in list(waiting):
                try:
                    sent = one.send(waiting[one][0])
                except (ssl.SSLWantWriteError, BlockingIOError):
                    continue
                except OSError:  # it was cut off; reading tells so
                    del waiting[one]
                    continue
                waiting[one][0] = waiting[one][0][sent:]
                if not waiting[one][0]:
                    del waiting[one][0]
                if not waiting[one]:
                    del waiting[one]
            if self.turn(0 if waiting else 0.05):
                last = time.perf_counter()
            if self.cut and last + 5 < time.perf_counter():
                break
        return last - begun, self.ends, expected

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def serve(kind: str, folder: str, port: str) -> None:
    """What a server's own process runs."""
    if kind == "taky":
        from taky.config import load_config
        from taky.cot.server import COTServer

        load_config(str(Path(folder) / "taky.conf"), explicit=True)
        server = COTServer()
        server.sock_setup()
        print("ready", flush=True)
        while True:
            server.loop()
    from cordon.bootstrap import open_node
    from cordon.operations.tak.server import TakServer

    node = open_node(_settings(Path(folder)))
    ours = TakServer(node.tak, "127.0.0.1", int(port), lambda _lines, _at: None)
    ours.start()
    print("ready", flush=True)
    signal.pause()


def _settings(folder: Path) -> Any:
    from cordon.settings import load

    return load(data=folder / "node", tak_server_port=0, log_level="error")


def fill(folder: Path, clients: int) -> list[ssl.SSLContext]:
    """A node with clients enrolled, and what each of them speaks TLS with."""
    from cordon.bootstrap import open_node

    node = open_node(_settings(folder))
    made = enrol(node, folder, [None] * clients)
    node.close()
    return made


def enrol(
    node: Any,
    folder: Path,
    units: Sequence[str | None],
    group: str = GROUP,
    cleared: str = "TLP:GREEN",
) -> list[ssl.SSLContext]:
    """Let a client of each of these units (or of none) join a node, and return their contexts."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from cordon.kernel.access.model import Mark
    from cordon.kernel.ids import new_id
    from cordon.operations.tak.keys import fingerprint, new_key
    from cordon.operations.tak.tables import TakClientRow

    now, keys, key = node.kernel.clock.now(), node.tak.keys, new_key()
    keys.server_context("127.0.0.1", now)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = []
    with node.kernel.rows.write() as session:
        for n, unit in enumerate(units):
            id_ = new_id()
            certificate = keys.client(id_, key.public_key(), now)
            session.add(
                TakClientRow(
                    id=id_, agency=node.kernel.agency, mark=Mark.GREEN, created_at=now,
                    name=f"Client {n}", groups=[group], cleared=Mark(cleared), enrolled_by="bench",
                    certificate=fingerprint(certificate), valid_until=now + timedelta(days=9),
                    unit=unit,
                )
            )  # fmt: skip
            path = folder / "client.pem"
            path.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
            context = ssl.create_default_context(cadata=keys.authority_pem.decode())
            context.load_cert_chain(path)
            made.append(context)
    return made


def _taky(folder: Path, port: int) -> None:
    keys = folder / "node" / "keys"
    (folder / "cert-db.txt").touch()
    (folder / "taky.conf").write_text(
        f"[taky]\nroot_dir = {folder}\nbind_ip = 127.0.0.1\n[cot_server]\nport = {port}\n"
        f"[ssl]\nenabled = true\nca = {keys / 'tak-authority.pem'}\n"
        f"cert = {keys / 'tak-server.pem'}\nkey = {keys / 'tak-server.pem'}\n"
        f"ca_key = {keys / 'tak-server.pem'}\ncert_db = {folder / 'cert-db.txt'}\n"
        "mon_ip =\n"
    )


def _start(kind: str, folder: Path, port: int) -> subprocess.Popen[str]:
    code = f"from bench.tak import serve; serve({kind!r}, {str(folder)!r}, {str(port)!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=dict(os.environ),
    )  # fmt: skip


def _cpu(process: subprocess.Popen[str]) -> float:
    """Processor seconds of a process, and of the others of its session where it leads one."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):  # it has ended
            continue
        if int(path.parent.name) == process.pid or int(fields[3]) == process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(size: Size) -> dict[str, Got]:
    """Rounds of all servers by turns, each with all its clients connected throughout."""
    got = {"cordon": Got(), "taky": Got(), FREE: Got()}
    was_there = freetak.PERSISTENT.exists()
    with tempfile.TemporaryDirectory(prefix="cordon-bench-tak-") as name:
        folder = Path(name)
        contexts = fill(folder, size.clients)
        ports = {kind: free_port() for kind in got}
        _taky(folder, ports["taky"])
        running = {kind: _start(kind, folder, ports[kind]) for kind in ("cordon", "taky")}
        try:
            for process in running.values():
                assert process.stdout is not None
                if process.stdout.readline().strip() != "ready":
                    raise RuntimeError("a server did not start")
            try:
                running[FREE] = freetak.start(folder / FREE, folder / "node" / "keys", ports[FREE])
            except (PeerMissing, RuntimeError) as error:
                got[FREE].why = str(error)
            _rounds(size, got, running, ports, contexts)
        finally:
            for kind, process in running.items():
                if kind == FREE:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
                process.wait()
            freetak.forget(was_there)
    return got


def _rounds(
    size: Size,
    got: dict[str, Got],
    running: dict[str, subprocess.Popen[str]],
    ports: dict[str, int],
    contexts: list[ssl.SSLContext],
) -> None:
    clients = {}
    for kind in running:
        free = kind == FREE
        begun = time.perf_counter()
        clients[kind] = Clients(ports[kind], contexts, freetak.greeting if free else None, free)
        got[kind].joining = time.perf_counter() - begun
        got[kind].joined = len(clients[kind].sockets)
        clients[kind].settle()
        _let_run(kind, running, False)
    for n in range(size.rounds):
        for kind, process in running.items():
            _let_run(kind, running, True)
            cpu = _cpu(process)
            events = min(size.events, FREE_EVENTS) if kind == FREE else size.events
            wall, came, expected = clients[kind].round(
                events, f"b{n}", FREE_LONGEST if kind == FREE else 120.0
            )
            got[kind].add(wall, _cpu(process) - cpu, came, expected)
            got[kind].cut = clients[kind].cut
            _let_run(kind, running, False)
    for each in clients.values():
        each.close()


def _let_run(kind: str, running: dict[str, subprocess.Popen[str]], runs: bool) -> None:
    if kind == FREE:
        os.killpg(running[kind].pid, signal.SIGCONT if runs else signal.SIGSTOP)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    size = Size(60, 100, 1) if quick else Size(500, 600, 3)
    got = measure(size)
    ours, what = got["cordon"], f"relay of {size.events} events to {size.clients} clients over TLS"
    rows = []
    for kind in ("taky", FREE):
        peer = got[kind]
        if peer.why:
            rows.append(row(f"{what} (peer: {kind}, not measured: {peer.why})", round(ours.rate),
                            None, "deliveries/s", ours.taken, goal="≥ 5 × the peer"))  # fmt: skip
            continue
        rows += [
            row(f"{what} (peer: {kind}{_told(size, peer)})", round(ours.rate), round(peer.rate),
                "deliveries/s", ours.taken, goal="≥ 5 × the peer"),
            row(f"{what}, lost (peer: {kind})", _lost(ours), _lost(peer), "deliveries",
                ours.taken, goal="0"),
            row(f"{what}, disconnected (peer: {kind})", ours.cut, peer.cut, "clients",
                ours.taken, goal="0"),
            row(f"{what}, the server's processor time (peer: {kind})", _each(ours), _each(peer),
                "µs/delivery", ours.taken),
        ]  # fmt: skip
    return rows


def _lost(got: Got) -> int:
    return got.expected - got.delivered


def _each(got: Got) -> float | None:
    """Microseconds of the server's processor for a delivery."""
    return 1e6 * sum(got.taken.cpus) / got.delivered if got.delivered else None


def _told(size: Size, got: Got) -> str:
    """What else is to be known of a server that did not deliver all, in words."""
    told = ""
    if got.joined < size.clients or got.joining > 60:
        told += f"; let in {got.joined} of {size.clients} within {got.joining:.0f} s"
    events = round(got.expected / len(got.rates) / (size.clients - 1))
    if events != size.events:
        told += f"; rounds of {events} events"
    if got.delivered < got.expected:
        told += (
            f"; delivered {got.delivered:,} of {got.expected:,}, "
            f"the longest round ended after {max(got.taken.walls):.0f} s"
        )
    return told
