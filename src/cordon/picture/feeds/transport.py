"""Bytes from the network as they come: TCP, TLS and datagrams."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing

from cordon.picture.feeds.address import Address, Keys

IDLE_S = 0.1  # so often the reader is asked whether it should end
_CONNECT_S = 10.0
_BUFFER = 1 << 18
_RECEIVE_BUFFER = 8 << 20  # bytes that the system may hold of datagrams that come in a burst
_MOST_AT_ONCE = 2_000  # datagrams


class Closed(OSError):
    """The sender closed the connection."""


def chunks(address: Address, keys: Keys, stop: threading.Event) -> Iterator[list[bytes]]:
    """What comes, as lists of pieces of a stream or of whole datagrams; empty ones while idle.

    Ends once `stop` is set. Raises OSError where it cannot connect or the sender closes.
    """
    if address.scheme.endswith("+udp"):
        yield from _datagrams(address, stop)
    else:
        yield from _stream(address, keys, stop)


def _stream(address: Address, keys: Keys, stop: threading.Event) -> Iterator[list[bytes]]:
    plain = socket.create_connection((address.host, address.port), timeout=_CONNECT_S)
    with closing(_secured(plain, address, keys)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.settimeout(IDLE_S)
        yield []  # connected
        while not stop.is_set():
            try:
                got = connection.recv(_BUFFER)
            except TimeoutError:
                yield []
                continue
            if not got:
                raise Closed("the sender closed the connection")
            yield [got]


def _secured(plain: socket.socket, address: Address, keys: Keys) -> socket.socket:
    if address.scheme != "cot+tls":
        return plain
    try:
        context = ssl.create_default_context(
            cafile=str(keys.authorities) if keys.authorities else None
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # servers of TAK carry certificates of their own authority, often without a host's name
        context.check_hostname = keys.authorities is None
        if keys.certificate is not None:
            context.load_cert_chain(keys.certificate, keys.key)
        return context.wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise


def _datagrams(address: Address, stop: threading.Event) -> Iterator[list[bytes]]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        _listen(listening, address, family)
        listening.settimeout(IDLE_S)
        yield []
        while not stop.is_set():
            try:
                some = [listening.recv(65_536)]
            except TimeoutError:
                yield []
                continue
            listening.setblocking(False)
            try:
                while len(some) < _MOST_AT_ONCE:
                    some.append(listening.recv(65_536))
            except BlockingIOError:
                pass
            listening.settimeout(IDLE_S)
            yield some


def _listen(listening: socket.socket, address: Address, family: socket.AddressFamily) -> None:
    """Listen on an address of this machine, or join a group."""
    if family == socket.AF_INET6:
        listening.bind((address.host, address.port))
        return
    group = socket.inet_aton(address.host)
    if 224 <= group[0] <= 239:
        listening.bind(("", address.port))
        membership = struct.pack("4sL", group, socket.INADDR_ANY)
        listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    else:
        listening.bind((address.host, address.port))
