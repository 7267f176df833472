"""Carries what waits for each peer to it, in order, until it is acknowledged; and asks."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import threading
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, CordonError, Unavailable
from cordon.sharing.nodes import wire
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.listener import ASK, MESSAGES
from cordon.sharing.nodes.model import Peer

log = logging.getLogger(__name__)
_PATIENCE_S = 10.0
_LOOK_S = 2.0  # commands write messages in other processes
_LONGEST_PAUSE_S = 60.0
_AWAY_S = 8.0


def send(
    nodes: Nodes, peer: Peer, path: str, body: dict[str, Any], *, patience: float = _PATIENCE_S
) -> dict[str, Any]:
    """One signed request to a peer, and its answer.

    Args:
        patience: seconds that each step may take.

    Raises:
        Unavailable: it cannot be reached, is not the one that was pinned, or refused; the
            message is then its own.
    """
    host, _, port = peer.address.rpartition(":")
    asked_at = nodes.kernel.clock.now()
    data, signature = wire.write(nodes.keys, peer.code, path, asked_at, body)
    link = http.client.HTTPSConnection(
        host.strip("[]"), int(port), timeout=patience,
        context=nodes.keys.client_context(peer.code, [pem for _, pem in peer.pins(asked_at)]),
    )  # fmt: skip
    try:
        link.request("POST", path, data, {wire.SIGNATURE: signature})
        came = link.getresponse()
        _clock(nodes, peer.code, asked_at, came.getheader(wire.TIME))
        text = came.read(wire.MOST_BYTES + 1)
        answer = json.loads(text) if len(text) <= wire.MOST_BYTES else None
    except (OSError, ssl.SSLError, http.client.HTTPException, ValueError, RecursionError) as wrong:
        raise Unavailable(
            f"The node of {peer.code} cannot be reached ({type(wrong).__name__}).",
            advice="Check its address, and that each node has added the other's card.",
        ) from None
    finally:
        link.close()
    if not isinstance(answer, dict) or came.status != 200:
        why = answer.get("message", "") if isinstance(answer, dict) else ""
        raise Unavailable(f"The node of {peer.code} refused: {str(why)[:300]}")
    return answer


def ask(
    nodes: Nodes, code: str, kind: str, body: dict[str, Any], *, patience: float = _PATIENCE_S
) -> dict[str, Any]:
    """Ask a peer a question, now; arguments and errors as of `send`."""
    said = {"kind": kind, "body": body}
    return send(nodes, nodes.peer(code), ASK, said, patience=patience)


def deliver(nodes: Nodes, peer: Peer) -> int:
    """Carry the next messages to a peer; how many it acknowledged. Errors as of `send`."""
    peer = nodes.peer(peer.code)
    if peer.opens:
        said = send(nodes, peer, ASK, {"kind": "hello", "body": {}})
        peer = nodes.open_era(peer, said)
    messages = nodes.waiting(peer.id)
    if not messages:
        return 0
    answer = send(
        nodes, peer, MESSAGES, {"era": peer.era, "messages": [asdict(m) for m in messages]}
    )
    heard = answer.get("heard")
    # a peer cannot acknowledge what it was never sent
    known = [m for m in messages if type(heard) is int and m.seq <= heard]
    if known:
        nodes.acknowledged(peer.id, known[-1].seq, nodes.kernel.clock.now(), peer.era)
    if len(known) < len(messages):
        raise Unavailable(f"{peer.code} did not take all: {str(answer.get('message', ''))[:300]}")
    return len(known)


def _clock(nodes: Nodes, code: str, asked_at: datetime, said: str | None) -> None:
    """Note how far a peer's clock is off: its answer was written about half way."""
    try:
        theirs = parse_time(said or "")
    except BadInput:
        return
    half = (nodes.kernel.clock.now() - asked_at) / 2
    nodes.clock_seen(code, (theirs - asked_at - half).total_seconds())


class Outbox:
    """One thread a peer, so that one that is away holds up no other."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self._stop = threading.Event()
        self._bells: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._main = threading.Thread(target=self._watch, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._main.start()

    def stop(self) -> None:
        """Deliver no more; what waits is kept."""
        self._stop.set()
        self.nodes.wake.set()
        for code, bell in list(self._bells.items()):
            bell.set()
            self.nodes.here(code).set()
        for thread in [self._main, *self._threads]:
            if thread.is_alive():
                thread.join(_PATIENCE_S)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                for peer in self.nodes.trusted():
                    if peer.code not in self._bells:
                        self._bells[peer.code] = threading.Event()
                        thread = threading.Thread(
                            target=self._carry, args=(peer.code,), name=f"to {peer.code}",
                            daemon=True,
                        )  # fmt: skip
                        self._threads.append(thread)
                        thread.start()
                    self._bells[peer.code].set()
            except CordonError as wrong:
                log.warning("peers could not be read: %s", wrong)
            self.nodes.wake.wait(_LOOK_S)
            self.nodes.wake.clear()

    def _carry(self, code: str) -> None:
        bell, here, pause = self._bells[code], self.nodes.here(code), 0.0
        while not self._stop.is_set():
            bell.wait()
            bell.clear()
            here.clear()
            try:
                while not self._stop.is_set() and self._next(code):
                    pause = 0.0
                pause = 0.0
                self.nodes.failing.pop(code, None)
            except CordonError as wrong:
                self.nodes.failing[code] = str(wrong)
                pause = min(_LONGEST_PAUSE_S, 2 * pause or 0.5)
                # a peer that is just starting is no news; one that stays away is
                level = logging.WARNING if pause >= _AWAY_S else logging.INFO
                log.log(level, "messages to %s wait: %s", code, wrong)
            except Exception:  # the thread must live on
                pause = _LONGEST_PAUSE_S
                log.exception("messages to %s wait", code)
            if pause:
                here.wait(pause)
                bell.set()

    def _next(self, code: str) -> int:
        peer = next((p for p in self.nodes.trusted() if p.code == code), None)
        return deliver(self.nodes, peer) if peer is not None else 0
