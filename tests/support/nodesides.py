"""A node on loopback as one side of a link, and what it was told."""

from __future__ import annotations

from sqlalchemy import delete

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import Unavailable
from cordon.settings import Settings
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.tables import NodeHeardRow, NodeMessageRow, NodeRow


class Side:
    """A node, what it was told, and its listener."""

    def __init__(self, folder, agency, url=None):
        self.node = open_node(Settings(data=folder, agency=agency, database_url=url))
        self.nodes = self.node.sharing.nodes
        self.kernel = self.node.kernel
        self.actor = Actor(
            "officer-s", "S", agency, "desk", frozenset({Role.SUPERVISOR}), Mark.AMBER_STRICT
        )
        self.clock = self.kernel.clock

    def begin(self):
        with self.kernel.rows.write() as session:
            session.execute(delete(NodeMessageRow))
            session.execute(delete(NodeHeardRow))
            session.execute(delete(NodeRow))
        self.kernel.clock = self.clock
        self.nodes._keys = None
        self.heard = []
        self.fails = False
        self.nodes.on_told("test.word", self.hear)
        self.nodes.on_asked("test.sum", lambda work, code, body: {"sum": sum(body["of"])})
        self.listener = Listener(self.nodes, "127.0.0.1", 0)
        self.listener.start()

    def end(self):
        self.listener.stop()
        self.nodes.keys.forget_next()

    def hear(self, work, code, body):
        if self.fails:
            raise Unavailable("This handler is away.")
        self.heard.append((code, body["n"]))

    def meet(self, other):
        self.nodes.add(self.actor, other.card())

    def card(self):
        return self.nodes.card(self.actor, "Node", f"127.0.0.1:{self.listener.port}")

    def tell(self, code, *numbers):
        with self.kernel.work(self.kernel.node) as work:
            for n in numbers:
                self.nodes.tell(work, code, "test.word", {"n": n})

    def waits(self):
        return self.nodes.known(self.actor)[0].waiting
