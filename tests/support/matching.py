"""Two nodes on loopback that ask each other without telling what."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Authority, AuthorityKind, Mark, Role, Scope
from cordon.kernel.ids import new_id
from cordon.kernel.ledger import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.settings import Settings
from cordon.sharing.match.answering import HAD, keep_terms
from cordon.sharing.match.model import Kind, Purpose, Terms
from cordon.sharing.match.tables import MatchAskedRow, MatchHitRow, MatchQuestionRow
from cordon.sharing.nodes.keys import NodeKeys
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import deliver
from support.agreeing import agreed

HELD = [f"+92300{n:07d}" for n in range(200)]
REFERENCE = "Crl. Misc. 41/2026"
WHY = "Numbers of a complaint about a call centre"


class Side:
    """A node, its supervisor, and its listener."""

    def __init__(self, folder, agency, url=None):
        self.node = open_node(Settings(data=folder, agency=agency, database_url=url))
        self.match = self.node.sharing.match
        self.nodes = self.node.sharing.nodes
        self.kernel = self.node.kernel
        self.agency = agency
        self.actor = self.officer(Role.SUPERVISOR)
        self.listener = Listener(self.nodes, "127.0.0.1", 0)
        self.listener.start()

    def officer(self, role, authority=None):
        return Actor(
            f"officer-{role}", "S", self.agency, "desk", frozenset({role}), Mark.AMBER_STRICT,
            authority=authority,
        )  # fmt: skip

    def under(self, *data, subjects=None):
        """An investigator under an authority over these kinds of data."""
        now = self.kernel.clock.now()
        authority = Authority(
            "0199a000-0000-7000-8000-000000000001", self.agency, Mark.AMBER,
            AuthorityKind.WARRANT, REFERENCE, "Sessions Court", "law", "0" * 64,
            Scope(frozenset(data), subjects), now - timedelta(days=1), now + timedelta(days=1),
            "officer-s", now,
        )  # fmt: skip
        return self.officer(Role.INVESTIGATOR, authority)

    def meet(self, other):
        card = other.nodes.card(other.actor, "Node", f"127.0.0.1:{other.listener.port}")
        self.nodes.add(self.actor, card)

    def carry(self, code):
        """Deliver all that waits for a peer."""
        while deliver(self.nodes, self.nodes.peer(code)):
            pass

    def entries(self, act):
        with self.kernel.rows.read() as session:
            leaves = session.query(LedgerEntry.leaf).filter_by(act=act).order_by(LedgerEntry.index)
            return [Entry.from_leaf(leaf) for (leaf,) in leaves]

    def ask(self, lines, kind=Kind.NUMBER, actor=None, peer="pk-bb"):
        actor = actor or self.under("calls", "persons", "payments")
        return self.match.asking.ask(actor, peer, kind, lines, Purpose.INVESTIGATION, WHY)

    def close(self):
        self.listener.stop()
        self.node.close()


def terms(*kinds, **numbers):
    return Terms(kinds or (Kind.NUMBER,), (Purpose.INVESTIGATION,), "Desk B, 051-1", **numbers)


def two_sides(folder, urls=(None, None)):
    a, b = Side(folder / "a", "pk-aa", urls[0]), Side(folder / "b", "pk-bb", urls[1])
    a.meet(b)
    b.meet(a)
    agreed(a, b)
    return a, b


def matched(room: Any, actor: Any) -> None:
    """Terms of matching with another node, a question there, a hit, and a question of theirs."""
    kernel = room.kernel
    with tempfile.TemporaryDirectory() as folder:
        keys = NodeKeys(Path(folder), "pk-other", kernel.clock.now())
        room.nodes.add(actor, keys.card("Other agency", "127.0.0.1:9"))
    given = Terms((Kind.NUMBER, Kind.NAME), (Purpose.INVESTIGATION,), "Desk, 051-1", agreement="M")
    room.match.set_terms(actor, "pk-other", given)
    with kernel.work(kernel.node) as work:
        keep_terms(work, "pk-other", HAD, given, "node:pk-other")
        own = {"agency": kernel.agency, "mark": Mark.AMBER, "created_at": work.now}
        asked = {"peer": "pk-other", "kind": "number", "purpose": "investigation", "count": 2,
                 "authority": "W 1"}  # fmt: skip
        question = MatchQuestionRow(
            id=new_id(), why="Numbers of a complaint", by=actor.id, epoch=1, sealed="", hits=1,
            answered_at=work.now, refused="", **asked, **own,
        )  # fmt: skip
        waits = MatchQuestionRow(
            id=new_id(), why="Numbers of a complaint", by=actor.id, epoch=1, sealed="x",
            due_at=work.now, refused="", **asked, **own,
        )  # fmt: skip
        work.session.add_all([question, waits])
        work.session.flush()
        work.session.add(
            MatchHitRow(
                id=new_id(), question=question.id, value="+923001234567", contact="Desk, 051-1",
                note="", **own,
            )
        )  # fmt: skip
        work.session.add(
            MatchAskedRow(
                id=new_id(), number=new_id(), digest="0" * 64, due_at=work.now, refused="",
                times=0, **asked, **own,
            )
        )  # fmt: skip
