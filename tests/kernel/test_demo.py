"""The demonstration: three real processes that know each other, and end together."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from cordon.commands import demo_nodes
from cordon.kernel.errors import BadInput

PATIENCE_S = 120


def free_port():
    for port in range(24_000, 25_000):
        try:
            demo_nodes.check_ports(port, 3)
        except BadInput:
            continue
        return port
    raise AssertionError("no port is free")


def soon(what):
    """What a call gives once it gives something."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            if found := what():
                return found
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.2)


@pytest.mark.faults  # half a minute: three nodes in processes of their own
def test_three_nodes_know_each_other_and_end_together(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "cordon.cli", "demo", "--data", str(tmp_path), "--port",
            str(port), "--speed", "1", "--json",
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        nodes = json.loads(process.stdout.readline())["nodes"]
        assert [n["address"] for n in nodes] == [f"http://127.0.0.1:{port + i}" for i in range(3)]
        assert len({n["agency"] for n in nodes}) == 3
        with httpx.Client(timeout=30) as browser:  # one jar for the host, as a browser has
            for node in nodes:
                soon(lambda at=node["address"]: browser.get(f"{at}/sign-in").status_code == 200)
                known = next(o for o in node["officers"] if o["login"] == "supervisor")
                answer = browser.post(
                    f"{node['address']}/sign-in",
                    data={"login": "supervisor", "password": known["password"], "next": "/"},
                )
                assert answer.status_code == 303, answer.text
            for node in nodes:  # still signed in at the first, after the last
                page = browser.get(f"{node['address']}/sharing/nodes")
                assert page.status_code == 200
                for other in nodes:
                    assert (f"n-{other['agency']}" in page.text) == (other is not node)
            for node in nodes:  # what they may ask each other is signed by all three
                at = f"{node['address']}/sharing/agreements"
                soon(lambda at=at: "in force" in browser.get(at).text)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        others = children.read_text().split()
        assert len(others) >= 2
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        soon(lambda: not [pid for pid in others if Path(f"/proc/{pid}").exists()])
    finally:
        process.kill()
        process.wait()


def test_a_node_ends_with_the_one_that_started_it(monkeypatch):
    ended = []
    monkeypatch.setattr(demo_nodes.os, "kill", lambda pid, how: ended.append((pid, how)))
    hears, holds = multiprocessing.Pipe(duplex=False)
    holds.close()
    demo_nodes._end_with(hears)
    assert ended == [(os.getpid(), signal.SIGTERM)]


def test_a_port_that_is_taken_is_named(monkeypatch):
    port = free_port()
    with demo_nodes.socket.create_server(("127.0.0.1", port + 101)):
        with pytest.raises(BadInput, match=str(port + 101)):
            demo_nodes.check_ports(port, 2)
        demo_nodes.check_ports(port, 1)
