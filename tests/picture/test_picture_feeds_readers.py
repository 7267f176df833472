"""Readers of live feeds: over TCP, TLS and datagrams, cut, late, garbled, and side by side."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cordon.kernel.clock import SystemClock
from cordon.kernel.errors import BadInput
from cordon.picture import feeding
from cordon.picture.feeding import FeedReader
from cordon.picture.feeds import health
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.framing import Lines
from cordon.picture.feeds.health import FeedState

EVENT = (
    b'<event version="2.0" uid="PB-07" type="a-f-S" time="2026-03-06T12:00:00Z" '
    b'start="2026-03-06T12:00:00Z" stale="2026-03-06T12:05:00Z" how="m-g">\n'
    b'<point lat="24.75" lon="66.5" hae="0" ce="10" le="10"/></event>'
)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Waits that a test can wait for."""
    monkeypatch.setattr(feeding, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(feeding, "LONGEST_WAIT_S", 0.1)
    monkeypatch.setattr(feeding, "MOMENT_S", 0.05)
    monkeypatch.setattr("cordon.picture.feeds.transport.IDLE_S", 0.02)


class Node:
    """Takes moments as a node does."""

    def __init__(self) -> None:
        self.moments: list[tuple[str, bytes]] = []
        self.fails = 0

    def __call__(self, feed: FeedState, data: bytes, at: float) -> None:
        if self.fails:
            self.fails -= 1
            raise OverflowError
        self.moments.append((feed.name, data))

    def data(self, name: str) -> bytes:
        return b"".join(d for n, d in self.moments if n == name)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def reads(node: Node) -> Iterator[Callable[..., FeedState]]:
    """Starts a reader; `reads(url)` gives its state. All are stopped at the end."""
    readers: list[FeedReader] = []

    def start(url: str, name: str = "feed", keys: Keys = Keys()) -> FeedState:
        reader = FeedReader(FeedState(name, name, url), SystemClock(), node, keys)
        readers.append(reader)
        reader.start()
        return reader.feed

    yield start
    for reader in readers:
        reader.stop()
    for reader in readers:
        reader.join(timeout=5)
        assert not reader.is_alive()
        assert reader.feed.state == "stopped"


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is true; a reader works in a thread of its own."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(20)
        yield made


def at(server: socket.socket, scheme: str = "nmea+tcp") -> str:
    return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


def test_a_reader_comes_back_by_itself_and_takes_whole_lines(reads, node, server) -> None:
    feed = reads(at(server))
    for turn in range(3):
        connection, _ = server.accept()
        with connection:
            until(lambda: feed.state == "live")
            connection.sendall(b"!one %d\n!tw" % turn)
            until(lambda turn=turn: b"!one %d\n" % turn in node.data("feed"))
            connection.sendall(b"o %d\n!last %d" % (turn, turn))
        until(lambda turn=turn: node.data("feed").endswith(b"!last %d\n" % turn))
    lines = node.data("feed").split(b"\n")
    wanted = [b"!%s %d" % (w, n) for n in range(3) for w in (b"one", b"two", b"last")]
    assert lines == [*wanted, b""]
    assert feed.received == 9
    until(lambda: feed.state == "connecting")
    assert "closed" in feed.error


def test_a_sender_that_is_not_there_is_asked_again(reads, node, server) -> None:
    url = at(server)
    server.close()
    feed = reads(url)
    until(lambda: feed.error)
    assert feed.state == "connecting"
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))) as again:
        again.settimeout(20)
        connection, _ = again.accept()
        with connection:
            connection.sendall(b"!here\n")
            until(lambda: node.data("feed") == b"!here\n")
            assert (feed.state, feed.error) == ("live", "")


def test_a_line_without_an_end_is_refused_and_not_held(reads, node, server) -> None:
    feed = reads(at(server))
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"x" * 200_000)
        until(lambda: feed.refused)
        connection.sendall(b"\n!next\n")
        until(lambda: node.data("feed").endswith(b"!next\n"))
    assert feed.last_reason == "a line without an end"
    assert len(node.data("feed")) < 10_000


def test_what_follows_in_a_refused_line_is_no_line() -> None:
    """However the sender's bytes are cut."""
    lines = Lines()
    assert lines.feed(b"!a\n" + b"x" * 5000) == b"!a\n"
    assert lines.feed(b"x" * 300) == b""
    assert lines.feed(b"x" * 300 + b"\n!b\n!c") == b"!b\n"
    assert lines.refused == 1
    assert lines.feed(b"\n") == b"!c\n"


def test_one_feed_holds_up_no_other(reads, node, server, monkeypatch) -> None:
    stuck, free = threading.Event(), threading.Event()
    taken = node.__call__

    def take(self, feed, data, at):
        if feed.name == "slow":
            stuck.set()
            free.wait(20)
        taken(feed, data, at)

    monkeypatch.setattr(Node, "__call__", take)
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(20)
        reads(at(server), "slow")
        reads(at(other), "quick")
        slow, _ = server.accept()
        quick, _ = other.accept()
        with slow, quick:
            slow.sendall(b"!slow\n")
            assert stuck.wait(20)
            for n in range(5):
                quick.sendall(b"!%d\n" % n)
                until(lambda n=n: node.data("quick").endswith(b"!%d\n" % n))
            assert node.data("slow") == b""
            free.set()
            until(lambda: node.data("slow") == b"!slow\n")


def test_a_moment_that_cannot_be_taken_in_is_tried_again(reads, node, server) -> None:
    node.fails = 1
    feed = reads(at(server))
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"!one\n")
        until(lambda: node.data("feed") == b"!one\n")
    assert feed.refused == 0


@pytest.mark.parametrize("scheme", ["nmea+udp", "cot+udp"])
def test_datagrams(reads, node, scheme: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    feed = reads(f"{scheme}://127.0.0.1:{port}")
    until(lambda: feed.state == "live")
    some = [b"!a", b"!b\n", b"!c\n!d\n"] if scheme == "nmea+udp" else [EVENT, EVENT[:40], EVENT]
    wanted = b"!a\n!b\n!c\n!d\n" if scheme == "nmea+udp" else 2 * b"kept"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in some:
            sender.sendto(data, ("127.0.0.1", port))
    if scheme == "nmea+udp":
        until(lambda: node.data("feed") == wanted)
    else:
        until(lambda: node.data("feed").count(b"</event>\n") == 2)
        assert node.data("feed").count(b"\n") == 3  # the cut one is kept as it came, on its line


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority, and a certificate and key from it, for both sides."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)

    def made(subject: str, key, issuer: str, signer, authority: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(signer, hashes.SHA256())
        )

    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem = serialization.Encoding.PEM
    files = folder / "ca.pem", folder / "node.pem", folder / "node.key"
    files[0].write_bytes(made("ca", root, "ca", root, True).public_bytes(pem))
    files[1].write_bytes(made("node", leaf, "ca", root, False).public_bytes(pem))
    files[2].write_bytes(
        leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_cursor_on_target_over_tls_shows_who_it_is(reads, node, server, tmp_path) -> None:
    authority, certificate, key = certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    url = at(server, "cot+tls")
    stranger = reads(url, "stranger", Keys(authorities=authority))
    plain, _ = server.accept()
    with pytest.raises(ssl.SSLError), context.wrap_socket(plain, server_side=True) as secured:
        secured.recv(1)
    until(lambda: stranger.error)
    feed = reads(url, "tak", Keys(certificate, key, authority))
    for _ in range(50):  # the stranger comes again between
        plain, _ = server.accept()
        try:
            secured = context.wrap_socket(plain, server_side=True)
            break
        except ssl.SSLError:
            continue
    with secured:
        secured.sendall(EVENT[:50])
        secured.sendall(EVENT[50:] + EVENT)
        until(lambda: node.data("tak").count(b"</event>\n") == 2)
        assert node.data("tak").count(b"\n") == 2
        assert feed.form == "cot"
    assert node.data("stranger") == b""


@pytest.mark.parametrize(
    "url",
    [
        "tcp://a:1", "nmea+tcp://a", "nmea+tcp://:1", "nmea+tcp://a:99999", "nmea+tcp://a:1/x",
        "nmea+udp://boat:1", "nats://a:1", "nats://a:1/", "nats://a/x y", "nats://a/x..y",
        "cot+tls://u:geheim@a:1", "cot+http://a:1", "", "nmea+tcp://a:1?x=1", "file.nmea",
        "nmea+tcp://[::1", "nmea+tcp://" + "a" * 300 + ":1",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as wrong:
        address_of(url)
    assert "geheim" not in str(wrong.value)
    assert "host:port" in str(wrong.value.advice) or "address of this machine" in str(wrong.value)


def test_addresses_that_are_taken() -> None:
    known = {
        "nmea+tcp://host:1": ("nmea", "host", 1, ""),
        "nmea+udp://0.0.0.0:10110": ("nmea", "0.0.0.0", 10110, ""),
        "cot+udp://239.2.3.1:6969": ("cot", "239.2.3.1", 6969, ""),
        "cot+tls://[::1]:8089": ("cot", "::1", 8089, ""),
        "nats://host/a.b.>": ("reports", "host", 4222, "a.b.>"),
        "nats://host:5/a": ("reports", "host", 5, "a"),
    }
    for url, (form, host, port, subject) in known.items():
        address = address_of(url)
        assert (address.form, address.host, address.port, address.subject) == (
            form,
            host,
            port,
            subject,
        )


# how a feed does


@pytest.fixture
def now(monkeypatch) -> list[float]:
    time_ = [1000.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: time_[0])
    return time_


def test_late_and_silent_are_told_by_the_feeds_own_rhythm(now) -> None:
    quick, hourly = FeedState("a", "a", "u"), FeedState("b", "b", "u")
    for feed in (quick, hourly):
        feed.connect()
    for _ in range(100):
        now[0] += 36
        quick.count(1)
    assert quick.usual_s == 36
    now[0] = 1000
    hourly.connect()
    for _ in range(12):
        now[0] += 3600
        hourly.count(1)
    quick.count(1)
    hour = 3600
    for since, a, b in (
        (100, "live", "live"),
        (120, "late", "live"),
        (400, "silent", "live"),
        (3 * hour + 60, "silent", "late"),
        (10 * hour + 60, "silent", "silent"),
    ):
        now[0] = 1000 + 12 * 3600 + since
        assert (quick.look(), hourly.look()) == (a, b), since
    hourly.count(1)
    assert hourly.state == "live"


def test_a_feed_whose_rhythm_is_not_known_is_silent_after_half_a_minute(now) -> None:
    feed = FeedState("a", "a", "u")
    assert feed.look() == "connecting"
    feed.connect()
    assert feed.state == "live"
    now[0] += 31
    assert feed.look() == "silent"
    feed.count(1)
    assert feed.state == "live"
    feed.cut("gone")
    assert feed.state == "connecting"
    now[0] += 1e6
    feed.connect()
    feed.count(1)
    assert feed.usual_s is None  # the pause was the connection's


def test_garbled_is_half_refused(now) -> None:
    feed = FeedState("a", "a", "u")
    feed.connect()
    feed.count(19, 19)
    assert feed.state == "live"  # too few to say
    feed.count(1, 1)
    assert feed.state == "garbled"
    feed.count(30, 5)
    assert feed.state == "garbled"
    feed.count(10, 0)
    assert feed.state == "live"
    feed.count(100, 100)
    assert feed.state == "garbled"
    now[0] += 61
    feed.count(20, 0)
    assert feed.state == "live"  # a minute ago is long ago


def test_the_clock_error_is_a_median_and_reasons_are_bounded() -> None:
    feed = FeedState("a", "a", "u")
    assert feed.clock_error is None
    for n in range(9):
        feed.times([-2.0, -2.1, 3600.0 * n])
    assert feed.clock_error == -2.0
    for n in range(100):
        feed.refuse(f"reason {n}", 2)
    assert feed.refused == 200
    assert len(feed.reasons) == 31
    assert feed.reasons["other reasons"] == 140


def test_the_rate_is_of_the_last_ten_seconds(now) -> None:
    feed = FeedState("a", "a", "u")
    feed.connect()
    for _ in range(100):
        feed.count(50)
        now[0] += 0.5
    assert feed.rate == pytest.approx(100, rel=0.06)
    assert len(feed.recent) <= 101
