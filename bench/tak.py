"""The TAK relay: events of a few clients passed on to five hundred, beside taky in the same run.

Both servers run in processes of their own, on loopback, with mutual TLS from one authority and the
same client certificates; one driver holds all connections of the one that is measured. Twenty of
the clients send events under names of their own as fast as they are taken; the time runs from the
first byte sent to the last one delivered. An event counts as delivered when its end has come out
of the receiver's TLS. taky is the only peer: FreeTAKServer was not measured.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Taken, row
from bench.pages import free_port

SENDERS = 20
GROUP = "bench"
END = b"</event>"


@dataclass(frozen=True, slots=True)
class Size:
    """Clients, events that all senders send together in a round, and rounds."""

    clients: int
    events: int
    rounds: int


@dataclass(slots=True)
class Got:
    """What became of one server's rounds."""

    taken: Taken = field(default_factory=Taken)
    delivered: int = 0
    expected: int = 0
    cut: int = 0


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
    """All connections to one server, in one loop."""

    def __init__(self, port: int, context: list[ssl.SSLContext]) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[ssl.SSLSocket] = []
        self.tails: dict[ssl.SSLSocket, bytes] = {}
        self.ends = self.cut = 0
        for one in context:
            plain = socket.create_connection(("127.0.0.1", port), timeout=20)
            secured = one.wrap_socket(plain, server_hostname="127.0.0.1")
            secured.setblocking(False)
            self.selector.register(secured, selectors.EVENT_READ)
            self.sockets.append(secured)
            self.tails[secured] = b""
            self.turn(0)

    def turn(self, wait: float) -> bool:
        """Read what has come; return whether anything had."""
        ready = self.selector.select(wait)
        for key, _ in ready:
            self._read(key.fileobj)  # type: ignore[arg-type]
        return bool(ready)

    def _read(self, one: ssl.SSLSocket) -> None:
        try:
            while data := one.recv(1 << 16):
                joined = self.tails[one] + data
                self.ends += joined.count(END)
                at = joined.rfind(END)
                rest = joined[at + len(END) :] if at >= 0 else joined
                self.tails[one] = rest[-len(END) + 1 :]
        except (ssl.SSLWantReadError, BlockingIOError):
            return
        except OSError:
            pass
        self.cut += 1
        self.selector.unregister(one)

    def settle(self, quiet: float = 1.0) -> None:
        """Read until nothing comes for a while."""
        until = time.perf_counter() + quiet
        while time.perf_counter() < until:
            if self.turn(0.05):
                until = time.perf_counter() + quiet

    def round(self, events: int, name: str, longest: float = 120.0) -> tuple[float, int, int]:
        """Send a round; return seconds, events delivered, and events that had to be."""
        self.settle()
        self.ends = 0
        expected = events * (len(self.sockets) - 1)
        waiting = {
            one: b"".join(event(f"{name}-{n}-{i}") for i in range(events // SENDERS))
            for n, one in enumerate(self.sockets[:SENDERS])
        }
        begun = last = time.perf_counter()
        while self.ends < expected and time.perf_counter() - begun < longest:
            for one in list(waiting):
                with contextlib.suppress(ssl.SSLWantWriteError, BlockingIOError):
                    sent = one.send(waiting[one][:16_384])
                    waiting[one] = waiting[one][sent:]
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
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from cordon.bootstrap import open_node
    from cordon.kernel.access.model import Mark
    from cordon.kernel.ids import new_id
    from cordon.operations.tak.keys import fingerprint, new_key
    from cordon.operations.tak.tables import TakClientRow

    node = open_node(_settings(folder))
    now, keys, key = node.kernel.clock.now(), node.tak.keys, new_key()
    keys.server_context("127.0.0.1", now)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = []
    with node.kernel.rows.write() as session:
        for n in range(clients):
            id_ = new_id()
            certificate = keys.client(id_, key.public_key(), now)
            session.add(
                TakClientRow(
                    id=id_, agency=node.kernel.agency, mark=Mark.GREEN, created_at=now,
                    name=f"Client {n}", groups=[GROUP], cleared=Mark.GREEN, enrolled_by="bench",
                    certificate=fingerprint(certificate), valid_until=now + timedelta(days=9),
                )
            )  # fmt: skip
            path = folder / "client.pem"
            path.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
            context = ssl.create_default_context(cadata=keys.authority_pem.decode())
            context.load_cert_chain(path)
            made.append(context)
    node.close()
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
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(size: Size) -> dict[str, Got]:
    """Rounds of both servers by turns, each with all its clients connected throughout."""
    got = {"cordon": Got(), "taky": Got()}
    with tempfile.TemporaryDirectory(prefix="cordon-bench-tak-") as name:
        folder = Path(name)
        contexts = fill(folder, size.clients)
        ports = {kind: free_port() for kind in got}
        _taky(folder, ports["taky"])
        running = {kind: _start(kind, folder, ports[kind]) for kind in got}
        try:
            for process in running.values():
                assert process.stdout is not None
                if process.stdout.readline().strip() != "ready":
                    raise RuntimeError("a server did not start")
            clients = {kind: Clients(ports[kind], contexts) for kind in got}
            for n in range(size.rounds):
                for kind, said in got.items():
                    cpu = _cpu(running[kind])
                    wall, came, expected = clients[kind].round(size.events, f"b{n}")
                    said.taken.add(wall, _cpu(running[kind]) - cpu)
                    said.delivered += came
                    said.expected += expected
                    said.cut = clients[kind].cut
            for each in clients.values():
                each.close()
        finally:
            for process in running.values():
                process.kill()
                process.wait()
    return got


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table."""
    size = Size(500, 100, 1) if quick else Size(500, 600, 3)
    got = measure(size)
    ours, peer = got["cordon"], got["taky"]
    each = size.events * (size.clients - 1)
    what = f"relay of {size.events} events to {size.clients} clients over TLS"
    lost = {kind: said.expected - said.delivered for kind, said in got.items()}
    rates = {kind: said.taken.rate(each) for kind, said in got.items()}
    cpu = {k: 1e6 * sum(said.taken.cpus) / max(1, said.delivered) for k, said in got.items()}
    peers = "peer: taky; FreeTAKServer was not measured"
    return [
        row(f"{what} ({peers})", round(rates["cordon"]), round(rates["taky"]), "deliveries/s",
            ours.taken, goal="≥ 5 × the peer"),
        row(f"{what}, lost", lost["cordon"], lost["taky"], "deliveries", ours.taken, goal="0"),
        row(f"{what}, disconnected", ours.cut, peer.cut, "clients", ours.taken, goal="0"),
        row(f"{what}, the server's processor time", cpu["cordon"], cpu["taky"],
            "µs/delivery", ours.taken),
    ]  # fmt: skip
