"""The TAK server under clients that drop and come back: its memory, who is shut out, what is lost.

    python -m bench.soak_tak --clients 200 --minutes 120

The server runs in a process of its own, on loopback, with mutual TLS; one driver holds all
clients. Each stays for a random time, drops (every other time with a reset, in the middle of
whatever is on its way), and comes back; meanwhile they send markers in turn. A marker that any
other client was given must reach every one of them before it is stale: at once where it is
connected, else when it joins again. So nothing that the server took may be lost, however often
whoever waits for it went away. Memory is that of the server's process, told each minute.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import selectors
import socket
import ssl
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measuring import Taken, row
from bench.pages import free_port
from bench.tak import END, _cpu, _start, fill

STALE_S = 60.0  # of a marker
JOIN_S = 20.0  # a client that cannot join within it is shut out
ASKED = 120.0  # minutes from which on the figures stand in docs/benchmarks.md
FLAT = 1.1  # memory at the end over that of a settled server: more grows
SEED = 20261129
_UID = re.compile(rb'uid="soak-(\d+)"')


@dataclass(frozen=True, slots=True)
class Size:
    """Clients, minutes, markers a second of all together, and mean seconds there and away.

    Attributes:
        late_s: a client that was there all that time must have been given a marker.
    """

    clients: int
    minutes: float
    rate: float = 4.0
    stays_s: float = 90.0
    away_s: float = 15.0
    late_s: float = 20.0


@dataclass(slots=True)
class Minute:
    """What was at the end of a minute: memory of the server (MiB), and counts since the start."""

    memory: float
    there: int
    drops: int
    shut_out: int
    cut: int
    sent: int
    lost: int


@dataclass(slots=True)
class Marker:
    """One marker: when it was sent, by whom, whether the server took it, and who has to get it."""

    sent: float
    by: int
    taken: bool = False
    waits: set[int] = field(default_factory=set)


class Client:
    """One client, connected or away.

    Attributes:
        since: when it came or went. until: when it does the other.
    """

    def __init__(self, number: int, context: ssl.SSLContext) -> None:
        self.number, self.context = number, context
        self.socket: ssl.SSLSocket | None = None
        self.since = self.until = 0.0
        self.tail = b""
        self.out = b""


class Soak:
    """The clients, and the account of what each has to be given."""

    def __init__(self, size: Size, port: int, contexts: list[ssl.SSLContext]) -> None:
        self.size, self.port = size, port
        self.random = random.Random(SEED)
        self.selector = selectors.DefaultSelector()
        self.clients = [Client(n, context) for n, context in enumerate(contexts)]
        self.markers: dict[int, Marker] = {}
        self.drops = self.shut_out = self.cut = self.sent = self.lost = self.untaken = 0
        self._sweeps = 0.0

    def run(self, each_minute: Callable[[], None]) -> None:
        """Keep them coming and going; what is open at the end is brought to its end."""
        begun = time.monotonic()
        for client in self.clients:
            self._join(client)
        end, minute, next_send = begun + self.size.minutes * 60, begun + 60, time.monotonic()
        while (now := time.monotonic()) < end:
            for client in self.clients:
                if now >= client.until:
                    self._drop(client) if client.socket else self._join(client)
            if now >= next_send:
                self._send(now)
                next_send = max(now, next_send + 1 / self.size.rate)
            self._turn(0.02)
            if now >= minute:
                each_minute()
                minute += 60
        self._settle()
        each_minute()

    def _settle(self) -> None:
        """All come back, and are given what is not stale; then all that is open is lost."""
        for client in self.clients:
            client.until = float("inf")
            if client.socket is None:
                self._join(client)
                client.until = float("inf")
        until = time.monotonic() + self.size.late_s
        while self.markers and time.monotonic() < until:
            self._turn(0.05)
        self._sweep(time.monotonic(), last=True)

    def close(self) -> None:
        """Let go of all connections."""
        for client in self.clients:
            if client.socket is not None:
                client.socket.close()

    # coming and going

    def _join(self, client: Client) -> None:
        now = time.monotonic()
        try:
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=JOIN_S)
            plain.settimeout(JOIN_S)
            secured = client.context.wrap_socket(plain, server_hostname="127.0.0.1")
        except OSError:
            self.shut_out += 1
            client.until = now + 1.0
            return
        secured.setblocking(False)
        client.socket, client.tail, client.out = secured, b"", b""
        self.selector.register(secured, selectors.EVENT_READ, client)
        client.since = time.monotonic()
        client.until = client.since + self.random.expovariate(1 / self.size.stays_s)

    def _drop(self, client: Client, *, cut: bool = False) -> None:
        secured, now = client.socket, time.monotonic()
        assert secured is not None
        self.selector.unregister(secured)
        if not cut and self.random.random() < 0.5:  # a reset, as when a phone is out of cover
            secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        secured.close()
        client.socket, client.since = None, now
        self.cut += cut
        self.drops += not cut
        client.until = now + self.random.expovariate(1 / self.size.away_s)

    # markers

    def _send(self, now: float) -> None:
        there = [c for c in self.clients if c.socket is not None and not c.out]
        if not there:
            return
        client = self.random.choice(there)
        self.sent += 1
        self.markers[self.sent] = Marker(
            now, client.number, waits={c.number for c in self.clients if c is not client}
        )
        client.out = _marker(self.sent)
        self._write(client)

    def _write(self, client: Client) -> None:
        assert client.socket is not None
        with contextlib.suppress(ssl.SSLWantWriteError, BlockingIOError, OSError):
            client.out = client.out[client.socket.send(client.out) :]

    def _turn(self, wait: float) -> None:
        for key, _ in self.selector.select(wait):
            self._read(key.data)
        for client in self.clients:
            if client.out and client.socket is not None:
                self._write(client)
        now = time.monotonic()
        if now - self._sweeps > 1.0:
            self._sweeps = now
            self._sweep(now)

    def _read(self, client: Client) -> None:
        secured = client.socket
        if secured is None:
            return
        try:
            while data := secured.recv(1 << 16):
                joined = client.tail + data
                at = joined.rfind(END)
                whole, client.tail = joined[: max(at, 0)], joined[max(at, 0) :]
                for found in _UID.finditer(whole):
                    self._given(client.number, int(found[1]))
        except (ssl.SSLWantReadError, BlockingIOError):
            return
        except OSError:
            pass
        self._drop(client, cut=True)

    def _given(self, client: int, number: int) -> None:
        marker = self.markers.get(number)
        if marker is None:
            return
        marker.taken = True
        marker.waits.discard(client)
        if not marker.waits:
            del self.markers[number]

    def _sweep(self, now: float, *, last: bool = False) -> None:
        """Settle the account of markers that are stale, or that somebody waits for too long."""
        late = self.size.late_s
        for number, marker in list(self.markers.items()):
            stale = now - marker.sent > STALE_S
            if now - marker.sent < late and not last:
                continue
            for n in list(marker.waits):
                client = self.clients[n]
                # there since it was sent, or long enough since it came back before it was stale
                since = max(marker.sent, client.since)
                enough = min(now, marker.sent + STALE_S) - since > (1.0 if last else late)
                if client.socket is not None and enough:
                    marker.waits.discard(n)
                    self.lost += marker.taken
            if not marker.taken and now - marker.sent > late:
                # nobody was given it: lost too, unless its sender went with it in its hands
                sender = self.clients[marker.by]
                stood = sender.socket is not None and sender.since < marker.sent
                self.lost += stood
                self.untaken += not stood
                del self.markers[number]
            elif stale or last or not marker.waits:
                del self.markers[number]


def _marker(number: int) -> bytes:
    """A marker as ATAK sends it, of about 600 bytes."""
    now = datetime.now(UTC)
    at, until = (f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond // 1000:03d}Z" for t in
                 (now, now + timedelta(seconds=STALE_S)))  # fmt: skip
    return (
        f'<event version="2.0" uid="soak-{number}" type="a-u-G" how="h-g-i-g-o" time="{at}" '
        f'start="{at}" stale="{until}"><point lat="25.0512345" lon="63.4598765" hae="12.3" '
        f'ce="9999999.0" le="9999999.0"/><detail><status readiness="true"/><archive/>'
        f'<contact callsign="U.{number}"/><remarks>Dhow, two on deck, no lights.</remarks>'
        f'<color argb="-1"/><precisionlocation altsrc="DTED0"/></detail></event>'
    ).encode()


def _memory(pid: int) -> float:
    """Memory that a process holds (MiB)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure(size: Size, say: Callable[[str], None]) -> tuple[list[Minute], Taken]:
    """A soak of this size: what was at the end of each minute, and the server's processor time."""
    minutes, taken = [], Taken()
    with tempfile.TemporaryDirectory(prefix="cordon-soak-tak-") as name:
        folder, port = Path(name), free_port()
        contexts = fill(folder, size.clients)
        server = _start("cordon", folder, port)
        try:
            assert server.stdout is not None
            if server.stdout.readline().strip() != "ready":
                raise RuntimeError("the server did not start")
            soak, began, cpu = Soak(size, port, contexts), time.perf_counter(), _cpu(server)

            def told() -> None:
                there = sum(c.socket is not None for c in soak.clients)
                now = Minute(_memory(server.pid), there, soak.drops, soak.shut_out, soak.cut,
                             soak.sent, soak.lost)  # fmt: skip
                minutes.append(now)
                say(
                    f"{len(minutes)}: {now.memory:.1f} MiB, {there} there, {now.drops} drops, "
                    f"{now.shut_out} shut out, {now.cut} cut, {now.sent} markers, "
                    f"{soak.untaken} dropped with their sender, {now.lost} lost"
                )

            try:
                soak.run(told)
            finally:
                soak.close()
            taken.add(time.perf_counter() - began, _cpu(server) - cpu)
        finally:
            server.kill()
            server.wait()
    return minutes, taken


def growth(minutes: list[Minute]) -> float | None:
    """Memory of the last fifth over that of a fifth which begins once the server has settled (a
    fifth of the way in); None where there are too few minutes to tell."""
    fifth = len(minutes) // 5
    if fifth < 1:
        return None
    settled, last = minutes[fifth : 2 * fifth], minutes[-fifth:]
    return statistics.mean(m.memory for m in last) / statistics.mean(m.memory for m in settled)


def rows(size: Size, minutes: list[Minute], taken: Taken) -> list[dict[str, Any]]:
    """Rows of the table."""
    end, grown = minutes[-1], growth(minutes)
    what = f"soak: {size.clients} TAK clients, {size.minutes:g} min, {end.drops} drops"
    return [
        row(f"{what}, shut out or cut", end.shut_out + end.cut, None, "clients", taken, goal="0"),
        row(f"{what}, lost of {end.sent} markers", end.lost, None, "deliveries", taken, goal="0"),
        row(f"{what}, memory at the end over settled",
            None if grown is None else round(grown, 3), None, "×", taken, goal=f"≤ {FLAT:g}"),
        row(f"{what}, memory at the end", round(end.memory), None, "MiB", taken),
    ]  # fmt: skip


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table, of two hours, or of two minutes."""
    size = Size(200, 2.0 if quick else 120.0)
    minutes, taken = measure(size, lambda line: print(line, flush=True))
    return rows(size, minutes, taken)


def main() -> None:
    from bench.__main__ import publish, section, table

    parser = argparse.ArgumentParser(prog="python -m bench.soak_tak")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=120.0)
    asked = parser.parse_args()
    if not (2 <= asked.clients <= 1000 and 0 < asked.minutes <= 24 * 60):
        parser.error("2 to 1000 clients, and up to 1440 minutes")
    size = Size(asked.clients, asked.minutes)
    minutes, taken = measure(size, lambda line: print(line, flush=True))
    said = table(rows(size, minutes, taken))
    print(said)
    if asked.minutes >= ASKED:
        publish("soak-tak", section(__doc__ or "", "make soak-tak", said))
    end, grown = minutes[-1], growth(minutes)
    if end.shut_out or end.cut or end.lost or (grown is not None and grown > FLAT):
        raise SystemExit("Some were shut out or cut, something was lost, or memory grew.")


if __name__ == "__main__":
    main()
