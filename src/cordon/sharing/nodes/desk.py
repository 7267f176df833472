"""The peers of this node: added from their cards, told, asked, heard, and cut off."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, or_, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Role, Thing
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooLarge, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.nodes import wire
from cordon.sharing.nodes.eras import open_era, place
from cordon.sharing.nodes.keys import NodeKeys, certificate_of, fingerprint, followed, read_card
from cordon.sharing.nodes.model import MOST_OFF, WARN_OFF, Peer, PeerState, Told
from cordon.sharing.nodes.tables import NodeHeardRow, NodeMessageRow, NodeRow

log = logging.getLogger(__name__)

Heard = Callable[[Work, str, dict[str, Any]], None]
"""Takes a message into the transaction: work as the peer, its agency's code, the body."""
Answers = Callable[[Work, str, dict[str, Any]], dict[str, Any]]
"""Answers a question; arguments as of `Heard`."""

SCOPES = frozenset({"sharing.node.deliver", "sharing.node.ask", "sharing.match.answer"})
"""All that a peer may do here."""
BATCH = 50
LARGEST = wire.MOST_BYTES // 4
"""Bytes of a message's body; a request carries at most twice as many."""
SHORTEST_WHY = 10
LEAST_OVERLAP, MOST_OVERLAP = timedelta(minutes=5), timedelta(days=30)
CLOCK_STEP_S = 1.0
CLOCK_KEPT = timedelta(minutes=10)
_KIND = 60


class Nodes:
    """What other parts tell, ask and hear other nodes by.

    Args:
        folder: where the node's keys stand; its key is made when it is first needed.
    """

    def __init__(self, kernel: Kernel, folder: Path) -> None:
        self.kernel = kernel
        self._folder = folder
        self._keys: NodeKeys | None = None
        self._lock = threading.Lock()
        self._told: dict[str, Heard] = {"node.key": self._key_changes}
        self._asked: dict[str, Answers] = {"hello": self._hello}
        self._quiet: set[str] = set()
        self.wake = threading.Event()
        self._here: dict[str, threading.Event] = {}
        self.failing: dict[str, str] = {}
        """Why what waits for a peer (code) could not be carried, as last seen by this process."""
        self._clocks: dict[str, tuple[float, datetime]] = {}

    @property
    def keys(self) -> NodeKeys:
        """The node's own key and certificate."""
        with self._lock:
            if self._keys is None:
                self._keys = NodeKeys(self._folder, self.kernel.agency, self.kernel.clock.now())
            self._keys.current(self.kernel.clock.now())
            return self._keys

    def on_told(self, kind: str, handler: Heard) -> None:
        """Have messages of a kind taken by this handler, each once and in order."""
        self._told[kind] = handler

    def on_asked(self, kind: str, handler: Answers, *, quiet: bool = False) -> None:
        """Have questions of a kind answered by this handler.

        Args:
            quiet: the question is no act, and so no entry of the ledger (it passes the gate).
        """
        self._asked[kind] = handler
        if quiet:
            self._quiet.add(kind)

    # for officers

    def card(self, actor: Actor, name: str, address: str) -> str:
        """The node's own card, to be handed to another agency."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.node.view", Thing.room("sharing", self.kernel.agency))
        card = self.keys.card(name, address)
        read_card(card)  # refuses an address or a name that others would refuse
        return card

    def add(self, actor: Actor, text: str) -> Peer:
        """Trust the node whose card this is.

        Raises:
            BadInput, DoesNotVerify: as of `read_card`. Conflict: it is known already; a peer that
                was cut off comes back only with another key.
        """
        card = read_card(text)
        if card.agency == self.kernel.agency:
            raise BadInput("That is this agency's own card.", advice="Add the other agency's.")
        with self.kernel.work(actor) as work:
            session = work.session
            self.kernel.rows.alone(session, "sharing.nodes")
            row = session.scalar(select(NodeRow).where(NodeRow.code == card.agency))
            other = session.scalar(
                select(NodeRow).where(
                    or_(
                        NodeRow.fingerprint == card.fingerprint,
                        NodeRow.next_fingerprint == card.fingerprint,
                    )
                )
            )
            if other is not None or (row is not None and row.state == PeerState.TRUSTED):
                raise Conflict(
                    f"A node of {card.agency} or with this key is known already.",
                    advice="Cut it off first; it comes back with a new key.",
                )
            if row is None:
                row = NodeRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                    code=card.agency, told=0, heard=0, era="", heard_era="",
                )  # fmt: skip
                session.add(row)
            row.name, row.address, row.certificate = card.name, card.address, card.certificate
            row.fingerprint, row.state, row.added_by = card.fingerprint, "trusted", actor.id
            row.cut_off_at = row.cut_off_by = row.cut_off_why = None
            row.next_certificate = row.next_fingerprint = row.next_from = None
            row.opens, row.accepts = "waiting", True
            peer = row.to_peer()
            work.act("sharing.node.add", peer.thing(), code=peer.code, key=peer.fingerprint)
        self._clocks.pop(peer.code, None)
        self.wake.set()
        return peer

    def meet(self, actor: Actor, text: str, known: Mapping[str, Peer]) -> None:
        """Trust the node of a card, or note its new address where its key is trusted already.

        Args:
            known: the peers by code. Errors as of `add`.
        """
        card = read_card(text)
        peer = known.get(card.agency)
        if peer is None or peer.fingerprint != card.fingerprint or peer.state != PeerState.TRUSTED:
            self.add(actor, text)
        elif (peer.address, peer.name) != (card.address, card.name):
            with self.kernel.work(actor) as work:
                row = _row(work.session, card.agency)
                row.address, row.name = card.address, card.name
                work.act(
                    "sharing.node.add", peer.thing(), code=peer.code, key=peer.fingerprint,
                    moved=True,
                )  # fmt: skip
            self.wake.set()

    def cut_off(self, actor: Actor, code: str, why: str) -> dict[str, int]:
        """Speak no more with a peer, from now on; what it had received, by kind."""
        why = reason(why)
        with self.kernel.work(actor) as work:
            row = _row(work.session, code)
            if row.state == PeerState.CUT_OFF:
                raise Conflict(f"{code} is cut off already.")
            row.state, row.cut_off_at = PeerState.CUT_OFF, work.now
            row.cut_off_by, row.cut_off_why = actor.id, why
            received = _received(work.session, row.id)
            work.act(
                "sharing.node.cut_off", row.to_peer().thing(), code=code, why=why,
                received=received,
            )  # fmt: skip
        if self._keys is not None:
            self._keys.forget_towards(code)
        return received

    def begin_anew(self, actor: Actor, code: str, why: str) -> None:
        """Number messages anew with a peer, either way, after one of the two lost its database.

        What it has not heard is told to it in the same order; what it heard is not taken twice.
        """
        why = reason(why)
        with self.kernel.work(actor) as work:
            row = _row(work.session, code)
            if row.state != PeerState.TRUSTED:
                raise Conflict(f"{code} is cut off.", advice="Add its new card first.")
            row.opens, row.accepts = "all", True
            work.act("sharing.node.begin_anew", row.to_peer().thing(), code=code, why=why)
        self.wake.set()

    def rotate(self, actor: Actor, overlap: timedelta, why: str) -> tuple[str, datetime]:
        """Have a new key of this node used after an overlap, and tell every peer now.

        Both keys pass at a peer that was told; one that is not reached within the overlap must
        be given the new card by hand.

        Returns:
            The new key's fingerprint, and when it is used.
        """
        why = reason(why)
        if not LEAST_OVERLAP <= overlap <= MOST_OVERLAP:
            raise BadInput("The overlap is 5 minutes to 30 days.")
        keys, at = self.keys, self.kernel.clock.now() + overlap
        with self.kernel.view(actor) as view:
            view.permit("sharing.node.rotate", Thing.room("sharing", self.kernel.agency))
        change = keys.rotate(self.kernel.clock.now(), at)
        new = fingerprint(certificate_of(json.loads(change)["certificate"]))
        try:
            with self.kernel.work(actor) as work:
                for peer in self.trusted():
                    self.tell(work, peer.code, "node.key", {"change": change})
                work.act(
                    "sharing.node.rotate", Thing.room("sharing", self.kernel.agency),
                    key=new, at=format_time(at), why=why,
                )  # fmt: skip
        except BaseException:
            keys.forget_next()  # peers were told of none
            raise
        return new, at

    def received(self, actor: Actor, code: str) -> dict[str, int]:
        """What a peer has received of this node, by kind."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.node.view", Thing.room("sharing", self.kernel.agency))
            return _received(view.session, _row(view.session, code).id)

    def known(self, actor: Actor) -> list[Peer]:
        """Every peer, with how many messages wait for it."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.node.view", Thing.room("sharing", self.kernel.agency))
            counts = view.session.execute(
                select(NodeMessageRow.node, func.count())
                .where(NodeMessageRow.delivered_at.is_(None))
                .group_by(NodeMessageRow.node)
            ).all()
            waiting = {row[0]: row[1] for row in counts}
            rows = view.session.scalars(select(NodeRow).order_by(NodeRow.code))
            return [row.to_peer(waiting.get(row.id, 0)) for row in rows]

    # outwards

    def tell(self, work: Work, code: str, kind: str, body: dict[str, Any]) -> int:
        """Write a message for a peer with this work; it is delivered once, in order.

        Returns:
            Its number. Raises NotFound, TooLarge, or Conflict where the peer is cut off.
        """
        if _size(body) > LARGEST:
            raise TooLarge(f"A message has at most {LARGEST} bytes.", advice="Send it in parts.")
        row = _row(work.session, code)
        if row.state != PeerState.TRUSTED:
            raise Conflict(f"{code} is cut off; nothing goes there.")
        row.told += 1
        work.session.add(
            NodeMessageRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                node=row.id,
                era=row.era,
                seq=row.told,
                kind=kind[:_KIND],
                body=body,
            )
        )
        event.listen(work.session, "after_commit", lambda _session: self.wake.set(), once=True)
        return row.told

    def here(self, code: str) -> threading.Event:
        """Set when a peer speaks: who waits to try it again need not wait longer."""
        return self._here.setdefault(code, threading.Event())

    def trusted(self) -> list[Peer]:
        """The peers that may speak with this node at this moment."""
        with self.kernel.rows.read() as session:
            rows = session.scalars(select(NodeRow).where(NodeRow.state == PeerState.TRUSTED))
            return [row.to_peer() for row in rows]

    def peer(self, code: str) -> Peer:
        """A trusted peer; NotFound."""
        for one in self.trusted():
            if one.code == code:
                return one
        raise NotFound(f"No trusted node of {code[:40]} is known here.")

    def waiting(self, peer: str) -> list[Told]:
        """The next messages for a peer (id), in order."""
        with self.kernel.rows.read() as session:
            rows = session.scalars(
                select(NodeMessageRow)
                .where(NodeMessageRow.node == peer, NodeMessageRow.delivered_at.is_(None))
                .order_by(NodeMessageRow.era, NodeMessageRow.seq)
                .limit(BATCH)
            )
            found: list[Told] = []
            left = 2 * LARGEST
            for r in rows:
                left -= _size(r.body)
                if found and left < 0:
                    break
                found.append(Told(r.seq, r.id, r.kind, r.body, format_time(r.created_at)))
            return found

    def open_era(self, peer: Peer, said: dict[str, Any]) -> Peer:
        """Begin a new era towards a peer, by its answer to `hello`; the peer as it is then."""
        with self.kernel.rows.write() as session:
            row = _row(session, peer.code)
            if row.opens:
                open_era(session, row, said)
            return row.to_peer()

    def clock_seen(self, code: str, off_s: float) -> None:
        """Keep how far a peer's clock is ahead of ours (s); seldom, as it changes little."""
        if self.kernel.rows.writing:  # asked from inside a work: the next request tells it again
            return
        now = self.kernel.clock.now()
        last = self._clocks.get(code)
        if last and abs(last[0] - off_s) < CLOCK_STEP_S and now - last[1] < CLOCK_KEPT:
            return
        self._clocks[code] = (off_s, now)
        if abs(off_s) > WARN_OFF.total_seconds():
            log.warning("the clock of %s is %+.0f s off ours", code, off_s)
        with self.kernel.rows.write() as session:
            if (row := session.scalar(select(NodeRow).where(NodeRow.code == code))) is not None:
                row.clock_off_s, row.clock_at = off_s, now

    def acknowledged(self, peer: str, seq: int, now: datetime, era: str = "") -> None:
        """Note that a peer (id) has every message up to this one."""
        with self.kernel.rows.write() as session:
            for row in session.scalars(
                select(NodeMessageRow).where(
                    NodeMessageRow.node == peer,
                    NodeMessageRow.era == era,
                    NodeMessageRow.seq <= seq,
                    NodeMessageRow.delivered_at.is_(None),
                )
            ):
                row.delivered_at = now

    # inwards

    def take(self, peer: Peer, message: Told, era: str = "") -> int:
        """Take one message of a peer; the number of the last one that was taken.

        The number and what the handler does are one transaction. What came before is passed over.

        Raises:
            Conflict: as of `eras.place`, or the peer was cut off meanwhile.
            Unavailable: this node does not know the kind yet; the sender keeps the message.
        """
        with self.kernel.work(actor_of(peer)) as work:
            self.kernel.rows.alone(work.session, f"sharing.node.{peer.id}")
            row = _still(work.session, peer, work.now)
            what = place(work.session, row, message, era)
            if what == "repeat":
                return row.heard
            if what == "take":
                handler = self._told.get(message.kind)
                if handler is None:
                    raise Unavailable(
                        f"This node does not know messages of the kind {message.kind}."
                    )
                work.act("sharing.node.deliver", peer.thing(), kind=message.kind, seq=message.seq)
                handler(work, peer.code, message.body)
            work.session.add(
                NodeHeardRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                    node=row.id, era=era, seq=message.seq, message=message.id,
                    kind=message.kind,
                )
            )  # fmt: skip
            row.heard, row.heard_at = message.seq, work.now
            return row.heard

    def answer(self, peer: Peer, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a question of a peer."""
        handler = self._asked.get(kind)
        if handler is None:
            raise NotFound(f"This node does not know questions of the kind {kind[:_KIND]}.")
        with self.kernel.work(actor_of(peer)) as work:
            row = _still(work.session, peer, work.now)
            if kind in self._quiet:
                work.permit("sharing.node.ask", peer.thing())
            else:
                work.act("sharing.node.ask", peer.thing(), kind=kind)
            row.heard_at = work.now
            return handler(work, peer.code, body)

    def _hello(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """What this node understands, for one that asks."""
        row = _row(work.session, code)
        return {
            "version": 1, "told": sorted(self._told), "asked": sorted(self._asked),
            "era": row.heard_era, "heard": row.heard, "at": format_time(work.now),
        }  # fmt: skip

    def _key_changes(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """A peer says, by its old key, which key it uses from some moment on."""
        row, text = _row(work.session, code), body.get("change")
        if not isinstance(text, str):
            raise BadInput("A change of key is a text.")
        certificate, at = followed(text, code, row.certificate)
        if certificate == row.certificate:
            return
        if at > work.now + MOST_OVERLAP + MOST_OFF:
            raise BadInput("A change of key is at most 30 days ahead.")
        row.next_certificate, row.next_from = certificate, at
        row.next_fingerprint = fingerprint(certificate_of(certificate))


def actor_of(peer: Peer) -> Actor:
    """A peer as one who acts: a service that can do nothing but deliver and ask."""
    return Actor(
        f"node:{peer.code}", peer.name, peer.agency, None, frozenset({Role.SERVICE}),
        Mark.AMBER_STRICT, scopes=SCOPES,
    )  # fmt: skip


def reason(why: str) -> str:
    """A reason as it is kept; BadInput."""
    why = " ".join(why.split())
    if not SHORTEST_WHY <= len(why) <= 500:
        raise BadInput(f"The reason has {SHORTEST_WHY} to 500 characters.")
    return why


def _received(session: Session, node: str) -> dict[str, int]:
    counts = session.execute(
        select(NodeMessageRow.kind, func.count())
        .where(NodeMessageRow.node == node, NodeMessageRow.delivered_at.is_not(None))
        .group_by(NodeMessageRow.kind)
    ).all()
    return {row[0]: row[1] for row in counts}


def _size(body: dict[str, Any]) -> int:
    """Bytes of a body as it is sent."""
    return len(json.dumps(body, ensure_ascii=False, allow_nan=False).encode())


def _row(session: Session, code: str) -> NodeRow:
    found = session.scalar(select(NodeRow).where(NodeRow.code == code).with_for_update())
    if found is None:
        raise NotFound(
            f"No node of {code[:40]} is known here.", advice="See cordon sharing nodes list."
        )
    return found


def _still(session: Session, peer: Peer, now: datetime) -> NodeRow:
    """The peer's row, if it is trusted under the same key at this very moment."""
    row = _row(session, peer.code)
    if row.state != PeerState.TRUSTED or row.fingerprint not in (
        peer.fingerprint, peer.next_fingerprint
    ):  # fmt: skip
        raise Conflict("This node does not speak with yours any more.")
    row.settle(now)
    return row
