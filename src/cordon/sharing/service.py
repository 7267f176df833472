"""What the room does: it holds the TAXII server and its accounts, and shows what is shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.cases import Cases
from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.cards import Card
from cordon.kernel.errors import NotFound
from cordon.kernel.events import Dispatcher
from cordon.kernel.ledger import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.kernel.work import Kernel, personal_data
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.deconfliction.asking import Again
from cordon.sharing.deconfliction.conflict import CARD
from cordon.sharing.deconfliction.desk import Deconfliction
from cordon.sharing.match.desk import Match
from cordon.sharing.match.standing import hit
from cordon.sharing.match.standing.keeping import Looking
from cordon.sharing.model import ApiRoot, Collection
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import Outbox
from cordon.sharing.releases.onward import Onward
from cordon.sharing.requests.desk import Requests
from cordon.sharing.stix import checking, mapping, misp
from cordon.sharing.stix.times import microseconds, moment
from cordon.sharing.stix.told import ToldHere, told_in
from cordon.sharing.tables import CollectionRow, ObjectRow, RootRow
from cordon.sharing.taxii import intake
from cordon.sharing.taxii.accounts import Accounts
from cordon.sharing.taxii.cursors import Cursors
from cordon.sharing.taxii.exchange import Exchange, Moved
from cordon.sharing.taxii.loading import Loader
from cordon.sharing.taxii.peers import linked, read_peers
from cordon.sharing.taxii.server import Server, collection_of, hold, root_of
from cordon.sharing.witness import rewritten
from cordon.sharing.witness.desk import Witnesses
from cordon.sharing.witness.watch import Watch

RECENT = 30
SHOWN = ("sharing.object.view", "sharing.object.add", "sharing.object.delete")


@dataclass(frozen=True, slots=True)
class Held:
    """A collection as its own agency sees it.

    Attributes:
        count: versions of objects that the reader is cleared for. last: when one was added last.
    """

    root: ApiRoot
    collection: Collection
    count: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Put:
    """What came of putting a case into a collection.

    Attributes:
        new, repeated: objects. findings: of the case that the officer may see.
        withheld: personal subjects of them, of which only the number went.
    """

    new: int
    repeated: int
    findings: int
    withheld: int


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of a file of events: objects that are new and that were there, events that were
    taken, and where and why something was not."""

    new: int
    repeated: int
    events: int
    refused: tuple[tuple[str, str], ...]


class Sharing:
    """The room's service.

    Args:
        cases: whose cases can be put into a collection.
        sealing: of the node; cursors are sealed under it.
        title: of the TAXII server. page_most: objects of a page at most.
        tries: failed sign-ins of service accounts a minute. peers: file of other servers.
        keys: folder of the node's keys. witness_s: seconds between two rounds of the witnesses.
        kinds: file of kinds of planned acts. zone: IANA name of the zone that times are typed in.
        region: of telephone numbers in national form (ISO 3166).
    """

    def __init__(
        self,
        kernel: Kernel,
        sealing: Sealing,
        cases: Cases,
        *,
        title: str,
        page_most: int,
        tries: int,
        keys: Path,
        peers: Path | None = None,
        witness_s: float = 30.0,
        kinds: Path | None = None,
        zone: str = "UTC",
        region: str = "PK",
    ) -> None:
        self.kernel = kernel
        self.cases = cases
        self.exchange = Exchange(kernel)
        self._peers = peers
        self.nodes = Nodes(kernel, keys)
        self.witnesses = Witnesses(self.nodes)
        self._witness_s = witness_s
        self.agreements = Agreements(kernel, self.nodes)
        self.releases = Onward(kernel, self.nodes, self.agreements, cases)
        self.requests = Requests(kernel, self.nodes, self.agreements)
        self.deconfliction = Deconfliction(kernel, self.nodes, self.agreements, kinds, zone)
        self._beside: list[Listener | Outbox | Watch | Again | Looking] = []
        self.match = Match(self.nodes, sealing, region, self.agreements)
        self.accounts = Accounts(kernel, Passwords(), per_minute=tries)
        self.loader = Loader(kernel, self.accounts)
        self.server = Server(kernel, Cursors(sealing), title=title, most=page_most)

    @property
    def cards(self) -> Mapping[str, Card]:
        """The cards of what the room finds."""
        return {card.name: card for card in (rewritten.CARD, CARD, hit.CARD)}

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Be told what detectors take back, and of conflicts between planned acts."""
        self.releases.subscribe(dispatcher)
        self.deconfliction.subscribe(dispatcher)

    def sweep(self) -> None:
        """Remove what is past its time, and escalate what nobody answered in time."""
        self.releases.sweep()
        self.requests.sweep()
        self.match.standing.sweep()

    def start(self, bind: str, port: int) -> None:
        """Hear other nodes on this address, and deliver what waits for them; port 0: a free one."""
        self._beside = [
            Listener(self.nodes, bind, port),
            Outbox(self.nodes),
            Watch(self.witnesses, self._witness_s),
            Again(self.deconfliction),
            Looking(self.match.standing.keeping, self.kernel),
        ]
        for one in self._beside:
            one.start()

    def stop(self) -> None:
        """Hear and deliver no more; what waits is kept."""
        while self._beside:
            self._beside.pop().stop()

    def held(self, actor: Actor) -> list[Held]:
        """Every collection whose mark the reader is cleared for, with what it holds."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.collection.view", Thing.room("sharing", self.kernel.agency))
            cleared = self.server.cleared(view, "sharing.object.view")
            counts: dict[int, tuple[int, int]] = {
                number: (count, last)
                for number, count, last in view.session.execute(
                    select(ObjectRow.collection, func.count(), func.max(ObjectRow.added))
                    .where(ObjectRow.rank <= cleared)
                    .group_by(ObjectRow.collection)
                )
            }
            rows = view.session.execute(
                select(RootRow, CollectionRow)
                .join(CollectionRow, CollectionRow.root == RootRow.id)
                .order_by(RootRow.id, CollectionRow.number)
            ).all()
            found = []
            for root, row in rows:
                collection = collection_of(row, read=True, write=False)
                if view.may("sharing.collection.view", collection.thing()):
                    count, last = counts.get(row.number, (0, None))
                    found.append(Held(root_of(root), collection, count, moment(last)))
            return found

    def find(self, actor: Actor, name: str) -> Held:
        """A collection by its id, its alias, or `root/alias`; NotFound."""
        root, _, rest = name.rpartition("/")
        for one in self.held(actor):
            if rest in (one.collection.id, one.collection.alias) and root in ("", one.root.name):
                return one
        raise NotFound(f"There is no collection {name[:80]}.", advice="See cordon sharing list.")

    def told(self, actor: Actor, collection: str) -> ToldHere:
        """Cases that a collection tells of, as far as the reader is cleared; the ledger has it.

        Args:
            collection: as of `find`.
        """
        held = self.find(actor, collection)
        with self.kernel.work(actor) as work:
            cleared = self.server.cleared(work, "sharing.object.view")
            cases, bad = told_in(work.session, held.collection.number, cleared)
            work.act("sharing.object.view", held.collection.thing(), count=len(cases))
        return ToldHere(held.collection, tuple(cases), tuple(bad))

    def put(self, actor: Actor, case: str, collection: str, grade: Grade | None = None) -> Put:
        """Put a case, its findings and exhibits, without what is personal, into a collection.

        Args:
            case: number or id. collection: as of `find`. grade: of its source and content.
        """
        into = self.find(actor, collection).collection
        shown = self.cases.view(actor, case)
        with self.kernel.view(actor) as view:
            kept = [leads.get_finding(view, f.id) for f in shown.findings if f.visible]
        objects = mapping.of_case(
            shown.case,
            [e.exhibit for e in shown.exhibits],
            [(k.finding, k.mark) for k in kept],
            grade,
        )
        offered = [intake.offer(thing, old=False) for thing in objects]
        strictest = max([shown.case.mark, *(k.mark for k in kept)], key=lambda m: m.rank)
        with self.kernel.work(actor) as work:
            row = hold(work.session, into.id)
            taken = intake.keep(work.session, row, offered, microseconds(work.now))
            thing = Thing("case", shown.case.id, shown.case.agency, strictest)
            work.act(
                "sharing.case.put", thing, collection=into.id, new=len(taken.new),
                findings=len(kept), unseen=len(shown.findings) - len(kept),
            )  # fmt: skip
        withheld = sum(personal_data(s) is not None for k in kept for s in k.finding.subjects)
        return Put(len(taken.new), len(taken.repeated), len(kept), withheld)

    def take_misp(
        self, actor: Actor, path: Path, collection: str, organisation: str | None = None
    ) -> TakenIn:
        """Take the events of a MISP export into a collection, each object checked by itself.

        Args:
            collection: as of `find`. organisation: this agency's own in MISP, by UUID or name.

        Raises:
            BadInput: the file is none of MISP's. Unavailable: misp-stix is not installed.
        """
        into = self.find(actor, collection).collection
        made = misp.converted(path, organisation)
        offered, refused = [], list(made.refused)
        for thing in made.objects:
            try:
                checking.identity(thing)
                offered.append(intake.offer(thing, old=False))
            except checking.Wrong as wrong:
                refused.append((str(thing.get("id"))[:120], str(wrong)))
        with self.kernel.work(actor) as work:
            row = hold(work.session, into.id)
            taken = intake.keep(work.session, row, offered, microseconds(work.now))
            work.act(
                "sharing.misp.take", into.thing(), events=made.events, new=len(taken.new),
                refused=len(refused),
            )  # fmt: skip
        return TakenIn(len(taken.new), len(taken.repeated), made.events, tuple(refused))

    def move(self, actor: Actor, direction: str, peer: str | None = None) -> Iterator[Moved]:
        """Fetch from (`poll`) or hand on to (`push`) one peer or all, a way at a time.

        Raises:
            WrongSetting: the file of peers is wrong. NotFound: it names no such peer.
        """
        peers = [p for p in read_peers(self._peers) if peer is None or p.name == peer]
        if not peers:
            raise NotFound(
                "There is no such peer." if peer else "There is no peer.",
                advice="Name it in the file of CORDON_TAXII_PEERS; see docs/rooms/sharing.md.",
            )
        one = self.exchange.poll if direction == "poll" else self.exchange.push
        for each in peers:
            ways = each.poll if direction == "poll" else each.push
            with linked(each) as link:
                for way in ways:
                    yield one(actor, link, way, self.find(actor, way.ours).collection.id)

    def recent(self, actor: Actor) -> list[Entry]:
        """What was taken in and given out by TAXII of late, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.object.view", Thing.room("sharing", self.kernel.agency))
            found = [
                entry
                for act in SHOWN
                for entry in _of_act(view.session, act)
                if Mark(entry.mark).rank <= actor.cleared.rank
            ]
        return sorted(found, key=lambda e: e.index, reverse=True)[:RECENT]

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let an act pass; nothing is recorded. For what a page offers."""
        return self.kernel.gate.decide(
            actor, act, Thing.room("sharing", self.kernel.agency)
        ).allowed


def _of_act(session: Session, act: str) -> list[Entry]:
    """The newest entries of an act, by the index of acts: a ledger is long."""
    leaves = session.scalars(
        select(LedgerEntry.leaf)
        .where(LedgerEntry.act == act)
        .order_by(LedgerEntry.at.desc())
        .limit(RECENT)
    )
    return [Entry.from_leaf(leaf) for leaf in leaves]
