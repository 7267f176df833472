"""The live way: sentences over TCP into a node, decoded, tracked, watched, and on the page.

A node on SQLite runs in a process of its own, on loopback, as `cordon serve` runs it. A sender
gives it class A sentences at a steady rate over one connection; a browser's place is taken by a
WebSocket client that reads the frames of the live map, and by one that asks for the queue of
alerts. Latency is told from the moment the last byte of a sentence was handed to the system to
the moment a frame came that shows it, of vessels of which each place says when it was sent.
Sender and clients share the machine's cores with the node. There is no peer.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import websockets

from bench.aisout import sentences
from bench.measuring import Taken, row
from bench.pages import COOKIE, cpu_of, free_port, percentile, served, settings
from cordon.bootstrap import open_node
from cordon.commands.serving import run as serve
from cordon.kernel import logs
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.sessions import Opened

GOAL_RATE, GOAL_S = 50_000, 1.0
HEADER = struct.Struct("<IHHIIIId")
FIRST = 200_000_000  # MMSI of the first vessel
PROBES = 20  # vessels whose place says when it was sent
STEP = 2 / 600_000  # degrees of latitude between two places of a probe: 0.37 m, in AIS's own grain
PROBE_LAT, PROBE_LON, PROBE_KN = 10.0, 60.0, 36.0
ZONES, ZONE_DEG = 200, 0.05
ENTRY_DEG, ENTRY_KN = 4e-4, 100.0  # so far from its zone's edge a vessel is before and after
BATCH_S = 0.02  # seconds of sentences that are sent at once


@dataclass(slots=True)
class Sent:
    """What was sent: when each turn's last byte was handed over (s), and how many in all."""

    at: list[float] = field(default_factory=list)
    entries: dict[str, float] = field(default_factory=dict)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """Sentences a second, vessels, seconds, and those before that count for no latency."""

    rate: int
    vessels: int
    seconds: float
    warm: float = 15.0


def zones() -> dict[str, Any]:
    """Restricted squares in a row, each entered by a vessel of its own in its turn."""
    features = []
    for n in range(ZONES):
        west, south = _corner(n)
        ring = [
            [west, south], [west + ZONE_DEG, south], [west + ZONE_DEG, south + ZONE_DEG],
            [west, south + ZONE_DEG], [west, south],
        ]  # fmt: skip
        properties = {"id": f"z{n}", "name": f"Zone {n}", "kind": "restricted"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def _corner(n: int) -> tuple[float, float]:
    return 40.0 + n % 20 * 0.5, -30.0 + n // 20 * 0.5


def fill(folder: Path) -> str:
    """A node with zones and an officer; return the officer's session."""
    node = open_node(settings(folder))
    actor = node.console_actor(None)
    node.units.add(actor, "watch-1", "Watch 1")
    password = secrets.token_urlsafe(18)
    node.officers.add(
        actor,
        login="watch",
        name="Watch",
        roles=[Role.WATCH_OFFICER],
        unit="watch-1",
        cleared=Mark.AMBER_STRICT,
        password=password,
        must_change=False,
    )
    node.picture.put_zones(actor, json.dumps(zones()).encode())
    opened = node.sign_in.by_password("watch", password)
    assert isinstance(opened, Opened)
    node.close()
    return opened.token


class Sender(threading.Thread):
    """Sends vessels' reports at a rate to whoever connects."""

    def __init__(self, size: Size) -> None:
        super().__init__(name="sender", daemon=True)
        self.size = size
        self.sent = Sent()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"nmea+tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.ended = threading.Event()
        rng = np.random.default_rng(1)
        n = size.vessels
        self.mmsi = FIRST + np.arange(n)
        self.lat, self.lon = rng.uniform(-60, 60, n), rng.uniform(-170, 10, n)
        self.course, self.speed = rng.uniform(0, 359, n), rng.uniform(0, 20, n)
        self._probes(0, 0)  # compiled before it must keep a rate

    def run(self) -> None:
        connection, _ = self.server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        a_turn = max(1, round(self.size.rate * BATCH_S) - PROBES)
        begin = time.monotonic()
        turns = int((self.size.warm + self.size.seconds) / BATCH_S)
        at = 0
        with connection:
            for turn in range(turns):
                some = (at + np.arange(a_turn)) % self.size.vessels
                at += a_turn
                self._sail(some, self.size.vessels / a_turn * BATCH_S)
                second = datetime.now(UTC).second
                data = sentences(
                    self.mmsi[some], self.lat[some], self.lon[some], self.speed[some],
                    self.course[some], second,
                )  # fmt: skip
                data += self._probes(turn, second)
                data += self._entry(turn, second)
                wait = begin + turn * BATCH_S - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                connection.sendall(data)
                self.sent.at.append(time.time())
                self.sent.count += len(data) // 48
            self.ended.set()
            time.sleep(5)

    def _sail(self, some: np.ndarray, seconds: float) -> None:
        """Vessels go as fast and whither as they say."""
        way = self.speed[some] / 60 * seconds / 3600  # degrees of latitude
        course, lat = np.radians(self.course[some]), np.radians(self.lat[some])
        self.lat[some] += way * np.cos(course)
        self.lon[some] += way * np.sin(course) / np.cos(lat)

    def _probes(self, turn: int, second: int) -> bytes:
        n = np.arange(PROBES)
        lat, still = np.full(PROBES, PROBE_LAT + turn * STEP), np.zeros(PROBES)
        return sentences(
            900_000_000 - 1 - n, lat, PROBE_LON + n * 1.0, still + PROBE_KN, still, second
        )

    def _entry(self, turn: int, second: int) -> bytes:
        """Every other second a vessel of its own steps into a zone of its own."""
        every = round(1.0 / BATCH_S)
        if turn % every:
            return b""
        n = turn // every
        zone = n // 2
        if zone >= ZONES:
            return b""
        west, south = _corner(zone)
        lon = west - ENTRY_DEG if n % 2 == 0 else west + ENTRY_DEG
        mmsi = 300_000_000 + zone
        if n % 2 and turn * BATCH_S > self.size.warm:
            self.sent.entries[f"mmsi:{mmsi}"] = time.time()
        one = np.ones(1)
        return sentences(
            np.array([mmsi]), one * (south + 0.025), one * lon, one * ENTRY_KN, one * 90, second
        )


@dataclass(slots=True)
class Seen:
    """When (s) what came to the page: frames, and the turn that each shows; alerts by subject."""

    frames: list[tuple[float, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    alerts: dict[str, float] = field(default_factory=dict)


async def look(port: int, token: str, ended: threading.Event, seen: Seen) -> None:
    """Read frames and alerts until the sender has ended and a little longer."""
    cookie = {"Cookie": f"{COOKIE}={token}"}

    async def frames() -> None:
        address = f"ws://127.0.0.1:{port}/picture/live"
        async with websockets.connect(address, additional_headers=cookie, max_size=None) as socket_:
            while not ended.is_set() or time.monotonic() < last[0]:
                frame = await asyncio.wait_for(socket_.recv(), 60)
                now = time.time()
                seen.sizes.append(len(frame))
                seen.frames.append((now, _turn(frame)))
                if not ended.is_set():
                    last[0] = time.monotonic() + 4

    async def alerts() -> None:
        import httpx

        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={**cookie, "accept": "application/json"},
            timeout=60,
        ) as client:
            while not ended.is_set() or time.monotonic() < last[0]:
                found = await client.get(
                    "/api/operations/alerts", params={"limit": 200, "kind": "picture.zone_entry"}
                )
                now = time.time()
                for alert in found.json()["alerts"]:
                    for subject in alert["subjects"]:
                        seen.alerts.setdefault(subject, now)
                await asyncio.sleep(0.2)

    last = [time.monotonic() + 30]
    await asyncio.gather(frames(), alerts())


def _turn(frame: bytes) -> int:
    """The turn that the hindmost probe of a frame shows, or -1 where none is there yet."""
    n = HEADER.unpack_from(frame)[3]
    lat = np.frombuffer(frame, "<f8", n, 32)
    lon = np.frombuffer(frame, "<f8", n, 32 + 8 * n)
    probes = (lon >= PROBE_LON - 0.5) & (lon < PROBE_LON + PROBES) & (lat >= PROBE_LAT - STEP / 2)
    if probes.sum() < PROBES:
        return -1
    return int(np.round((lat[probes].min() - PROBE_LAT) / STEP))


def latencies(sent: Sent, seen: Seen, first: int) -> list[float]:
    """For each turn, seconds from its last byte to the first frame that shows it or a later one."""
    found = []
    frame = 0
    for turn, at in enumerate(sent.at):
        if turn < first:
            continue
        while frame < len(seen.frames) and seen.frames[frame][1] < turn:
            frame += 1
        if frame == len(seen.frames):
            break
        found.append(seen.frames[frame][0] - at)
    return found


def measured(size: Size) -> dict[str, Any]:
    """One run: rates, latencies and the node's processor seconds."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        token = fill(folder)
        sender = Sender(size)
        port = free_port()
        with served("bench.live", folder, port, sender.url) as server:
            seen = Seen()
            wall, cpu = time.perf_counter(), cpu_of(server.pid)
            sender.start()
            asyncio.run(look(port, token, sender.ended, seen))
            spent, cpu = time.perf_counter() - wall, cpu_of(server.pid) - cpu
            feed = asyncio.run(_feed(port, token))
            memory = _memory(server.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    warm = int(size.warm / BATCH_S)
    late = latencies(sender.sent, seen, warm)
    alerts = [seen.alerts[s] - at for s, at in sender.sent.entries.items() if s in seen.alerts]
    span = sender.sent.at[-1] - sender.sent.at[0]
    return {
        "sent": sender.sent.count,
        "received": feed["received"],
        "kept": feed["kept"],
        "rate": sender.sent.count / span,
        "late": late,
        "shown": len(late) / (len(sender.sent.at) - warm),
        "alerts": alerts,
        "entries": len(sender.sent.entries),
        "frames": len(seen.frames),
        "frame_bytes": max(seen.sizes),
        "cpu": cpu,
        "wall": spent,
        "memory": memory,
    }


async def _feed(port: int, token: str) -> dict[str, Any]:
    import httpx

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Cookie": f"{COOKIE}={token}"}, timeout=60
    ) as client:
        found = await client.get("/api/picture/feeds", headers={"accept": "application/json"})
        (feed,) = found.json()["feeds"]
        return dict(feed)


def _memory(pid: int) -> int:
    """Greatest memory that a process held (MB); 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return 0
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def rows_of(size: Size, got: dict[str, Any]) -> list[dict[str, Any]]:
    taken = Taken()
    taken.add(got["wall"], got["cpu"])
    whole = got["received"] == got["sent"]
    what = (
        f"{size.rate:,} sentences/s of {size.vessels:,} vessels for {size.seconds:.0f} s, "
        f"{os.cpu_count()} cores shared with sender and page"
    )
    rows = [
        row(
            f"{what}: sentences taken in ({'all' if whole else 'not all'} of {got['sent']:,}; "
            f"greatest memory {got['memory']:,} MB)",
            round(got["rate"]) if whole else f"{got['received']:,} of {got['sent']:,}",
            None,
            "sentences/s",
            taken,
            goal=f"{GOAL_RATE:,}",
        ),
        row(
            f"{what}: last byte to page, a frame of up to {got['frame_bytes'] / 1e6:.1f} MB "
            f"({got['frames']} frames; {got['shown']:.1%} of what was sent came to be shown)",
            f"{percentile(got['late'], 0.5):.2f} / {percentile(got['late'], 0.99):.2f}"
            if got["late"]
            else "–",
            None,
            "s, p50 / p99",
            taken,
            goal=f"p99 ≤ {GOAL_S:g}",
        ),
    ]
    if got["alerts"]:
        rows.append(
            row(
                f"{what}: last byte of the step into a zone to its alert in the queue "
                f"({len(got['alerts'])} of {got['entries']}; asked for five times a second)",
                f"{percentile(got['alerts'], 0.5):.2f} / {percentile(got['alerts'], 0.99):.2f}",
                None,
                "s, p50 / p99",
                taken,
            )
        )
    return rows


def run(quick: bool = False, seconds: float = 600.0) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; processor seconds are the node's own."""
    sizes = [Size(2_000, 500, 6.0, 10.0)] if quick else [Size(GOAL_RATE, 10_000, seconds)]
    table = []
    for size in sizes:
        table += rows_of(size, measured(size))
    return table


if __name__ == "__main__":
    if len(sys.argv) == 4:
        own = settings(Path(sys.argv[1]), int(sys.argv[2]))
        own = own.model_copy(update={"feeds": [sys.argv[3]], "frame_hz": 2.0})
        logs.set_up(own.log_level, own.log_format)
        serve(open_node(own), own)
    else:
        for line in run(
            "--quick" in sys.argv, *map(float, sys.argv[1:2] if "--quick" not in sys.argv else [])
        ):
            print(json.dumps(line, ensure_ascii=False))
