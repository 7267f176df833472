"""What is in the field: clients made of pytak and of taky, joined over loopback TLS."""

from __future__ import annotations

import asyncio
import configparser
import threading

import pytak
import pytest
from taky.config import load_config
from taky.cot.client import SocketTAKClient

from cordon.operations.tak.message import read
from support.takking import context, event, unpack


@pytest.fixture
def taky_settings(tmp_path):
    path = tmp_path / "taky.conf"
    path.write_text("[taky]\nroot_dir = .\n")
    load_config(str(path))


class Sender(pytak.QueueWorker):
    """Sends what it is given, then waits."""

    def __init__(self, queue, config, some):
        super().__init__(queue, config)
        self.some = some

    async def run(self, _=-1):
        for data in self.some:
            await self.put_queue(data)
        await asyncio.sleep(60)


class Receiver(pytak.QueueWorker):
    """Gathers what comes."""

    def __init__(self, queue, config, got):
        super().__init__(queue, config)
        self.got = got

    async def handle_data(self, data):
        self.got.append(data)

    async def run(self, _=-1):
        while True:
            await self.handle_data(await self.queue.get())


def pytak_client(port, made, folder, some, got, enough):
    """Run pytak's own workers, with the PKCS#12 of the package, until enough came."""
    paths = unpack(made, folder)
    settings = configparser.ConfigParser()
    settings["mine"] = {
        "COT_URL": f"tls://127.0.0.1:{port}",
        "PYTAK_TLS_CLIENT_CERT": str(paths["p12"]),
        "PYTAK_TLS_CLIENT_PASSWORD": made.password,
        "PYTAK_TLS_CLIENT_CAFILE": str(paths["ca"]),
        "PYTAK_TLS_DONT_CHECK_HOSTNAME": "1",
    }

    async def run():
        tool = pytak.CLITool(settings["mine"])
        await tool.setup()
        tool.add_tasks({
            Sender(tool.tx_queue, settings["mine"], some),
            Receiver(tool.rx_queue, settings["mine"], got),
        })  # fmt: skip
        running = asyncio.ensure_future(tool.run())
        for _ in range(400):
            if enough(got):
                break
            await asyncio.sleep(0.05)
        running.cancel()

    return threading.Thread(target=lambda: asyncio.run(run()), daemon=True)


def test_a_pytak_client_joins_with_its_package_sends_and_is_sent(
    server, desk, officers, phone, tmp_path
):
    one = phone("A1")
    made = desk.enrol(officers["supervisor"], name="gateway", groups="watch")
    got: list[bytes] = []
    mine = pytak.gen_cot(lat=25.0, lon=63.0, ce=9, uid="gw-1", stale=120,
                         cot_type="a-f-G-U-C", callsign="GW")  # fmt: skip

    def enough(some):
        return any(b'uid="to-you"' in d for d in some)

    client = pytak_client(server.port, made, tmp_path, [mine], got, enough)
    client.start()
    assert one.has("gw-1", 20)
    assert next(m for m, _ in one.got if m.uid == "gw-1").callsign == "GW"
    one.send(event("to-you", "a-h-G"))
    client.join(timeout=25)
    assert enough(got)
    assert any(b"ANDROID-A1" in d for d in got)  # what was not stale when it joined
    assert not one.closed.is_set()
    # pytak greets with an event of its own; it is nobody's position
    assert "takPong" not in one.uids()


def test_a_taky_client_reads_every_event_as_it_was_meant(server, enrol, phone, taky_settings):
    one = phone("A1")
    _, paths = enrol("taky")
    routed = []
    import socket

    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    secured = context(paths).wrap_socket(plain, server_hostname="127.0.0.1")
    client = SocketTAKClient(sock=secured, cbs={"route": lambda _c, e: routed.append(e)})
    detail = '<track speed="2.5" course="45.0"/><remarks>two &lt; three</remarks>'
    sent = [f"spot-{n}" for n in range(200)]
    one.send(*(event(uid, "a-h-G", callsign="S", detail=detail) for uid in sent))
    secured.settimeout(5)
    for _ in range(400):
        client.socket_rx()
        if [e.uid for e in routed if e.uid.startswith("spot-")] == sent:
            break
    assert [e.uid for e in routed if e.uid.startswith("spot-")] == sent
    assert {e.etype for e in routed} == {"t-x-takp-v", "a-f-G-U-C", "a-h-G"}
    # and what taky writes is read here
    from lxml import etree

    last = next(e for e in routed if e.uid == "spot-199")
    last.uid = "from-taky"
    client.send_event(last)
    while client.has_data:
        client.socket_tx()
    assert one.has("from-taky")
    assert read(etree.tostring(last.as_element), False).callsign == "S"
    secured.close()
