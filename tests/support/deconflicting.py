"""A node with its desk of planned acts, for tests of several on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.operations.tables import AlertRow
from cordon.settings import Settings
from cordon.sharing.agreements.tables import AgreementRow, SignatureRow
from cordon.sharing.deconfliction.entering import entered
from cordon.sharing.deconfliction.tables import (
    CheckRow,
    ConflictRow,
    PartyRow,
    PlannedActRow,
    SubjectTokenRow,
)
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import deliver
from cordon.sharing.nodes.tables import NodeHeardRow, NodeMessageRow, NodeRow
from support.agreeing import agreed

NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
TABLES = (
    SignatureRow, AgreementRow, ConflictRow, CheckRow, SubjectTokenRow, PartyRow, PlannedActRow,
    NodeMessageRow, NodeHeardRow, NodeRow,
)  # fmt: skip
WHY = "agreed by telephone with them"


class Side:
    """A node and its desk of planned acts."""

    def __init__(self, folder, agency, url=None):
        self.node = open_node(Settings(data=folder, agency=agency, database_url=url))
        self.nodes, self.kernel = self.node.sharing.nodes, self.node.kernel
        self.desk = self.node.sharing.deconfliction
        self.agency = agency
        self.agreeing = True
        self.actor = Actor(
            "officer-s", f"Major {agency[-2:]}", agency, "desk", frozenset({Role.SUPERVISOR}),
            Mark.AMBER_STRICT,
        )  # fmt: skip
        self.watch = Actor(
            "officer-w", "Watch", agency, "desk", frozenset({Role.WATCH_OFFICER}), Mark.AMBER
        )

    def begin(self):
        with self.kernel.rows.write() as session:
            for table in TABLES:
                session.execute(delete(table))
        self.nodes._keys = None
        self.listen()

    def end(self):
        self.listener.stop()

    def listen(self, port=0):
        self.listener = Listener(self.nodes, "127.0.0.1", port)
        self.listener.start()

    def meet(self, other):
        address = f"127.0.0.1:{other.listener.port}"
        self.nodes.add(self.actor, other.nodes.card(other.actor, "Node", address))
        if self.agreeing:
            agreed(*sorted((self, other), key=lambda s: s.agency))

    def add(self, lat="30.0", lon="70.0", at=NOON, kind="raid", **more):
        typed = {
            "kind": kind, "lat": lat, "lon": lon, "starts": at.isoformat(), "ring": "021-1234567",
            "commander": "Captain X", "title": "Nightjar", **more,
        }  # fmt: skip
        return self.desk.add(self.watch, self.draft(typed))

    def draft(self, typed):
        return entered(typed, self.desk.kind(typed["kind"]), ZoneInfo("UTC"))

    def change(self, act, **more):
        said = {
            "kind": "raid", "lat": "30.0", "lon": "70.0", "starts": NOON.isoformat(),
            "ring": "021-1234567", "commander": "Captain X", **more,
        }  # fmt: skip
        self.desk.change(self.watch, act, self.draft(said))

    def show(self, act):
        return self.desk.show(self.watch, act)

    def conflict(self, act, party=None):
        (only,) = (c for c in self.show(act).conflicts if party in (None, c.party))
        return only

    def deliver(self):
        for peer in self.nodes.trusted():
            while deliver(self.nodes, peer):
                pass

    def alerts(self):
        """How many alerts the watch has of conflicts."""
        while self.kernel.dispatcher.run_pending():
            pass
        with self.kernel.rows.read() as session:
            return session.scalar(
                select(func.count())
                .select_from(AlertRow)
                .where(AlertRow.kind == "sharing.conflict")
            )

    def acts(self, act):
        with self.kernel.rows.read() as session:
            return session.scalar(
                select(func.count()).select_from(LedgerEntry).where(LedgerEntry.act == act)
            )


def settle(*sides):
    for side in sides:
        side.deliver()
