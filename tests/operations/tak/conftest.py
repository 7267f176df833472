"""A TAK server on loopback, and phones that are enrolled as an officer does it."""

from __future__ import annotations

import pytest

from cordon.kernel.clock import SystemClock
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.server import TakServer
from support.takking import Phone, event, unpack


@pytest.fixture
def clock():
    """Certificates are looked at by the system's own clock."""
    return SystemClock()


@pytest.fixture
def rows_url(sqlite_url):
    """What speaks to phones is the same on both stores; the desk is tested on both."""
    return sqlite_url


@pytest.fixture
def desk(kernel, tmp_path):
    return TakDesk(kernel, tmp_path / "keys", "127.0.0.1", 0, frozenset({"watch"}))


@pytest.fixture
def places():
    """Lines that were handed to the picture."""
    return []


@pytest.fixture
def heard():
    """Where the picture heard each subject last."""
    return {}


@pytest.fixture
def server(desk, places, heard):
    made = TakServer(desk, "127.0.0.1", 0, lambda lines, _at: places.append(lines), heard.get)
    made.start()
    desk.port = made.port
    yield made
    made.stop()


@pytest.fixture
def enrol(desk, officers, tmp_path):
    """Enrol a client; gives it and the files of its package."""

    def one(name, groups="watch", **rest):
        made = desk.enrol(officers["supervisor"], name=name, groups=groups, **rest)
        folder = tmp_path / f"phone-{made.client.id}"
        folder.mkdir()
        return made.client, unpack(made, folder)

    return one


@pytest.fixture
def phone(server, enrol):
    """Connect an enrolled phone that says who it is."""
    made = []

    def join(name, groups="watch", *, paths=None, says=True, buffer=0, listens=True, **rest):
        if paths is None:
            _, paths = enrol(name, groups, **rest)
        one = Phone(server.port, paths, buffer=buffer, listens=listens)
        made.append(one)
        one.paths = paths
        if listens:
            assert one.has("protouid")  # the offer of TAK protocol version 1
        if says:
            one.send(event(f"ANDROID-{name}", callsign=name))
        return one

    yield join
    for one in made:
        one.close()
