"""The nodes of the demonstration: each a process with its own folder, keys, database and ports.

The first one is the command's own process; the others are started by it and end with it,
however it ends.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select

from cordon.bootstrap import Node, open_node
from cordon.commands.demo_cast import PLACES, Place
from cordon.commands.serving import run
from cordon.kernel import logs
from cordon.kernel.access.model import Actor, Role
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.clock import SetClock, SystemClock, parse_time
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.settings import Settings, load
from cordon.sharing import AgreementTerms as Terms
from cordon.sharing import NodeKeys

log = logging.getLogger(__name__)
NODE_PORTS = 100  # the port for other nodes is so far above that of the pages
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Part:
    """One node, as it is handed to its process.

    Attributes:
        began: time of the demonstration's clock when the machine's was at `wall` (s since 1970);
            it is the same for all, or the nodes would refuse each other.
        cards: of the other nodes.
    """

    place: Place
    folder: Path
    port: int
    began: datetime
    wall: float
    speed: float
    cards: tuple[str, ...]

    @property
    def address(self) -> str:
        """Of its pages."""
        return f"http://127.0.0.1:{self.port}"

    def meet(self, node: Node, actor: Actor) -> None:
        """Have the node trust the others."""
        known = {p.code: p for p in node.sharing.nodes.known(actor)}
        for card in self.cards:
            try:
                node.sharing.nodes.meet(actor, card, known)
            except CordonError as wrong:
                log.warning("another node of the demonstration is not trusted: %s", wrong)
        if self.cards:
            self.agree(node, actor)

    def knows(self, agency: str) -> bool:
        """Whether an agency is this one, or one whose card is here."""
        return agency in {self.place.agency, *(json.loads(card)["agency"] for card in self.cards)}

    def agree(self, node: Node, actor: Actor) -> None:
        """Sign for this node that the nodes may ask each other; the same text is at each of them.

        A supervisor drafts it and the console signs it, unless another node's came before.
        """
        agreements = node.sharing.agreements
        try:
            known = {one.id: one for one in agreements.known(actor)}
            terms = agreed_terms([p for p in PLACES if self.knows(p.agency)])
            if terms.id not in known:
                with suppress(Conflict):  # it came just now
                    agreements.draft(_supervisor(node, self.place), terms)
            one = agreements.get(actor, terms.id)
            if node.kernel.agency not in {s.agency for s in one.signatures}:
                agreements.sign(actor, terms.id)
        except CordonError as wrong:
            log.warning("the agreement of the demonstration is not signed: %s", wrong)


def parts_of(data: Path, port: int, count: int, speed: float) -> list[Part]:
    """The nodes; their keys are made here, so that each can be handed the others' cards."""
    places = PLACES[:count]
    began, wall = SystemClock().now(), time.time()
    for place in places:
        # after a restart a ledger may be ahead of the machine: its times never go back
        began = max(began, _last(data / place.folder) or began)
    cards = {}
    for number, place in enumerate(places):
        keys = NodeKeys(data / place.folder / "keys", place.agency, SystemClock().now())
        cards[place.agency] = keys.card(place.name, f"127.0.0.1:{port + NODE_PORTS + number}")
    return [
        Part(
            place, data / place.folder, port + number, began, wall, speed,
            tuple(card for agency, card in cards.items() if agency != place.agency),
        )
        for number, place in enumerate(places)
    ]  # fmt: skip


def opened(part: Part) -> tuple[Node, Settings]:
    """The node of a part, on the demonstration's clock."""
    settings = load(
        agency=part.place.agency,
        agency_name=part.place.name,
        data=part.folder,
        port=part.port,
        public_url=part.address,
        node_port=part.port + NODE_PORTS,
        session_idle_minutes=1440,
        session_hours=72,
        log_level="warning",
    )
    gone = timedelta(seconds=(time.time() - part.wall) * part.speed)
    return open_node(settings, SetClock(part.began + gone, part.speed, SystemClock())), settings


class Others:
    """The processes of the nodes beside the first."""

    def __init__(self, parts: Sequence[Part]) -> None:
        fresh = multiprocessing.get_context("spawn")
        self._running: list[tuple[BaseProcess, Connection]] = []
        for part in parts:
            hears, holds = fresh.Pipe(duplex=False)
            process = fresh.Process(
                target=_serve, args=(part, hears), name=part.place.agency, daemon=True
            )
            process.start()
            hears.close()
            self._running.append((process, holds))

    @property
    def pids(self) -> list[int]:
        """Of the processes."""
        return [process.pid for process, _ in self._running if process.pid is not None]

    def end(self) -> None:
        """End them, and wait until they have."""
        for process, _ in self._running:
            process.terminate()
        for process, holds in self._running:
            process.join(_PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join(_PATIENCE_S)
            holds.close()
        self._running.clear()


def check_ports(port: int, count: int) -> None:
    """Raise BadInput where one of the ports is taken."""
    for number in range(count):
        for one in (port + number, port + NODE_PORTS + number):
            try:
                with socket.socket() as tried:
                    tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    tried.bind(("127.0.0.1", one))
            except (OSError, OverflowError):
                raise BadInput(
                    f"Port {one} of this machine is taken or is none.",
                    advice="End what listens there, or give another --port.",
                ) from None


def agreed_terms(places: Sequence[Place]) -> Terms:
    """What these nodes of the demonstration may ask each other."""
    parties = [
        {"agency": p.agency, "kind": p.kind, "gives": True, "receives": True} for p in places
    ]
    return Terms.read(
        {
            "title": "Exercise: matching and planned acts", "parties": parties,
            "classes": [
                "deconfliction", "match.account", "match.document", "match.name", "match.number",
                "match.plate", "match.vessel", "standing.account", "standing.document",
                "standing.name", "standing.number", "standing.plate", "standing.vessel",
            ],
            "purposes": [
                "border_security", "counter_terrorism", "fraud", "organised_crime",
                "safety_of_life",
            ],
            "highest": "TLP:AMBER", "handling": ["H0"],
            "roles": ["field_officer", "investigator", "supervisor", "watch_officer"],
            "onward": "never", "third_party": "never", "retention_days": 365,
            # the same at each start: another text would be another agreement
            "starts": "2020-01-01T00:00:00Z", "ends": "2120-01-01T00:00:00Z",
        }
    )  # fmt: skip


def _supervisor(node: Node, place: Place) -> Actor:
    player = next(p for p in place.players if p.role is Role.SUPERVISOR)
    with node.kernel.rows.read() as session:
        id_ = session.scalars(select(OfficerRow.id).where(OfficerRow.login == player.login)).one()
    return Actor(
        id_, player.name, place.agency, player.unit, frozenset({player.role}), player.cleared
    )


def _serve(part: Part, life: Connection) -> None:
    """What a further process does: serve its node until it is told, or until the first is gone."""
    from cordon.commands.demo import begin, people

    watch = threading.Thread(target=_end_with, args=(life,), name="life", daemon=True)
    watch.start()
    # the server hands a signal on when it has ended: the node is to be closed then
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        logs.set_up("warning", "auto")
        try:
            node, settings = opened(part)
        except CordonError:
            log.exception("the node of %s could not be opened", part.place.agency)
            return
        try:
            actor = node.console_actor(None)
            people(node, actor, part.folder, part.place.players, boats=part.place.boats)
            part.meet(node, actor)
            if part.place.plan is not None:
                begin(node, actor, part.place.plan)
            run(node, settings)
        finally:
            node.close()


def _end_with(life: Connection) -> None:
    """End this process when the one that started it is gone: the pipe's other end closes then."""
    with suppress(EOFError, OSError):
        life.recv_bytes()
    os.kill(os.getpid(), signal.SIGTERM)


def _last(folder: Path) -> datetime | None:
    """The time of the newest ledger entry of a node, without opening it; None where it has none."""
    file = folder / "node.db"
    if not file.exists():
        return None
    with suppress(sqlite3.Error, CordonError), closing(sqlite3.connect(file)) as rows:
        found = rows.execute("SELECT at FROM ledger_head").fetchone()
        if found is not None:
            text = str(found[0])
            return parse_time(text if text.endswith("Z") or "+" in text else f"{text}Z")
    return None
