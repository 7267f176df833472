"""The desk of matching: terms, sets for each peer, and what a page shows."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterable

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import undefer

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Work
from cordon.sharing.agreements.asking import against, require
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.hearing import carefully
from cordon.sharing.match import filters, forms
from cordon.sharing.match.answering import GIVEN, HAD, Answering, keep_terms, kept, read
from cordon.sharing.match.asking import Asking
from cordon.sharing.match.forms import RefusedValue
from cordon.sharing.match.holding import Holdings
from cordon.sharing.match.model import (
    CLASSES,
    DATA,
    PURPOSES,
    Asked,
    Hit,
    Kind,
    Prepared,
    Question,
    Ready,
    Terms,
)
from cordon.sharing.match.oprf import SEED_BYTES, key_of
from cordon.sharing.match.sets import EMPTY, Change, Evaluated, brought_up
from cordon.sharing.match.standing.desk import StandingDesk
from cordon.sharing.match.tables import (
    MatchAskedRow,
    MatchHeldRow,
    MatchHitRow,
    MatchQuestionRow,
    MatchSetRow,
    MatchTermsRow,
    MatchTheirsRow,
)
from cordon.sharing.nodes.desk import Nodes

VIEW, TERMS, PREPARE = "sharing.match.view", "sharing.match.terms", "sharing.match.prepare"
HOLD, RING = "sharing.match.hold", "sharing.match.ring"
SHOWN = 100
_PART = 600_000  # bytes of a set in one message
_MOST_HELD = 1_000_000  # values of one file

Progress = Callable[[int, int], None]


class Match:
    """Matching without disclosure.

    Args:
        region: ISO 3166 code for numbers in national form.
        agreements: nothing is asked, answered or prepared but where one in force names it.
    """

    def __init__(self, nodes: Nodes, sealing: Sealing, region: str, agreements: Agreements) -> None:
        self.nodes = nodes
        self.kernel = nodes.kernel
        self._sealing = sealing
        self._agreements = agreements
        self.holdings = Holdings(region)
        self.asking = Asking(nodes, sealing, region, agreements)
        self.answering = Answering(sealing, agreements)
        self.standing = StandingDesk(nodes, sealing, self.holdings, agreements)
        nodes.on_asked("match.ask", self.answering.asked)
        for kind, handler in (
            ("match.terms", self.answering.terms), ("match.set", self.answering.came),
            ("match.change", self.answering.changed),
        ):  # fmt: skip
            nodes.on_told(kind, carefully(kind, handler))

    def _room(self) -> Thing:
        return Thing.room("sharing", self.kernel.agency)

    def set_terms(self, actor: Actor, peer: str, terms: Terms) -> None:
        """Say what a peer may ask here, and tell it; keys of other kinds are destroyed.

        Raises:
            NotFound: no such node. Conflict: it is cut off.
        """
        with self.kernel.work(actor) as work:
            work.act(TERMS, self._room(), peer=peer[:40], **terms.to_json())
            self.nodes.tell(work, peer, "match.terms", {"terms": terms.to_json()})
            keep_terms(work, peer, GIVEN, terms, actor.id)
            work.session.execute(
                delete(MatchSetRow).where(
                    MatchSetRow.peer == peer, MatchSetRow.kind.not_in(list(terms.kinds))
                )
            )

    def hold(
        self, actor: Actor, kind: Kind, lines: Iterable[str], source: str
    ) -> tuple[int, list[RefusedValue]]:
        """Bring in values that questions are answered from; how many are new, and lines refused.

        Args:
            source: where they come from, one line.
        """
        source = " ".join(source.split())
        if not source or len(source) > forms.LONGEST:
            raise BadInput("The source is one line of at most 200 characters.")
        values, refused = forms.read(kind, lines, self.holdings.region, _MOST_HELD)
        with self.kernel.work(actor) as work:
            work.permit(HOLD, self._room())
            self.kernel.rows.alone(work.session, "sharing.match.held")
            there = set(
                work.session.scalars(
                    select(MatchHeldRow.value).where(MatchHeldRow.kind == kind.value)
                )
            )
            new = [v for v in values if v not in there]
            work.session.add_all(
                MatchHeldRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.AMBER,
                    created_at=work.now, kind=kind.value, value=value, source=source,
                )
                for value in new
            )  # fmt: skip
            work.act(HOLD, self._room(), kind=kind.value, new=len(new), source=source)
        return len(new), refused

    # sets

    def prepare(
        self,
        actor: Actor,
        peer: str | None = None,
        *,
        whole: bool = False,
        anew: bool = False,
        progress: Progress | None = None,
    ) -> list[Prepared]:
        """Bring the sets of one peer, or of all, up to what is held now, and tell the changes.

        Args:
            whole: tell the whole set. anew: under a new key, so that the old one is of no use.

        Raises:
            NotFound: there are no terms. NotAgreed: for the one peer, no agreement in force names
                the kind; of all peers, such are passed over.
            Conflict: somebody prepares the same set.
        """  # fmt: skip
        with self.kernel.view(actor) as view:
            view.permit(PREPARE, self._room())
            rows = view.session.scalars(
                select(MatchTermsRow).where(MatchTermsRow.way == GIVEN).order_by(MatchTermsRow.peer)
            ).all()
            asked = [(r.peer, r.to_terms()) for r in rows if peer in (None, r.peer)]
        if not asked:
            raise NotFound("There are no terms to prepare for.", advice="cordon match terms.")
        return [
            self._one(actor, code, kind, whole or anew, anew, progress)
            for code, terms in asked
            for kind in terms.kinds
            if self._agreed(code, kind, terms, must=peer is not None)
        ]

    def _agreed(self, peer: str, kind: Kind, terms: Terms, *, must: bool) -> bool:
        """Whether a set may go to a peer: an agreement lets a question of its kind be answered.

        Args:
            must: raise NotAgreed, with the clauses against it, where it may not.
        """
        purposes = {agreed for purpose in terms.purposes for agreed in PURPOSES[purpose]}
        with self.kernel.rows.read() as session:
            asked = (self._agreements, session, self.kernel.clock.now(), self.kernel.agency, peer)
            if must:
                require(*asked, CLASSES[kind], purposes, PREPARE, self._room())
            return not against(*asked, CLASSES[kind], purposes)

    def _one(
        self, actor: Actor, peer: str, kind: Kind, whole: bool, anew: bool,
        progress: Progress | None,
    ) -> Prepared:  # fmt: skip
        with self.kernel.rows.read() as session:
            row = session.scalar(_sets(peer, kind).options(undefer("*")))
            values = self.holdings.values(session, kind)
            at = row.version if row is not None else 0
            id_ = row.id if row is not None else new_id()
            epoch = row.epoch + anew if row is not None else 1
            if row is None or anew:
                seed, before = secrets.token_bytes(SEED_BYTES), EMPTY
            else:
                seed = bytes.fromhex(self._sealing.open(row.seed, f"match:{id_}"))
                before = Evaluated(read(row.digests), read(row.tags), read(row.pads))
        # outside any transaction: a million take a minute
        key = key_of(seed, f"{peer}|{kind}|{epoch}".encode())
        told = (lambda done: progress(done, len(values))) if progress else None
        change = brought_up(before, key, seed, kind, values, told)
        with self.kernel.work(actor) as work:
            self.kernel.rows.alone(work.session, f"sharing.match.set.{peer}.{kind}")
            row = work.session.scalar(_sets(peer, kind))
            if (row.version if row is not None else 0) != at:
                raise Conflict("Somebody prepared the same set.", advice="Prepare it again.")
            if row is None:
                row = MatchSetRow(
                    id=id_, agency=self.kernel.agency, mark=Mark.AMBER, created_at=work.now,
                    peer=peer, kind=kind.value,
                )  # fmt: skip
                work.session.add(row)
            row.epoch, row.seed = epoch, self._sealing.seal(seed.hex(), f"match:{id_}")
            row.digests, row.tags = kept(change.after.digests), kept(change.after.tags)
            row.pads, row.made_at, row.size = kept(change.after.pads), work.now, change.after.size
            row.version = at + 1
            self._tell(work, row, key.public, change, at, whole)
            work.act(
                PREPARE, self._room(), peer=peer, kind=kind.value, epoch=epoch,
                version=row.version, new=change.new, gone=change.gone, size=row.size,
            )  # fmt: skip
        return Prepared(
            peer, kind, len(values), change.new, change.gone, change.after.size,
            whole or change.swaps is None,
        )  # fmt: skip

    def _tell(
        self, work: Work, row: MatchSetRow, public: bytes, change: Change, at: int, whole: bool
    ) -> None:
        head = {"kind": row.kind, "epoch": row.epoch, "version": row.version}
        if change.swaps is not None and not whole:
            out, into = (filters.pack(t) for t in change.swaps)
            if len(out) + len(into) <= _PART:
                self.nodes.tell(
                    work, row.peer, "match.change",
                    {**head, "base": at, "out": _text(out), "into": _text(into)},
                )  # fmt: skip
                return
        data = filters.pack(change.after.all)
        parts = [data[n : n + _PART] for n in range(0, len(data), _PART)]
        for n, part in enumerate(parts):
            self.nodes.tell(
                work, row.peer, "match.set",
                {**head, "public": public.hex(), "part": n, "parts": len(parts),
                 "data": _text(part)},
            )  # fmt: skip

    # what a page shows

    def terms(self, actor: Actor) -> list[tuple[str, str, Terms]]:
        """Peer, way (`given`, `had`) and terms."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(MatchTermsRow).order_by(MatchTermsRow.peer, MatchTermsRow.way)
            )
            return [(r.peer, r.way, r.to_terms()) for r in rows]

    def ready(self, actor: Actor) -> tuple[list[Ready], list[Ready]]:
        """Sets of ours for peers, and of peers here."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            ours = view.session.scalars(
                select(MatchSetRow).order_by(MatchSetRow.peer, MatchSetRow.kind)
            )
            came = view.session.scalars(
                select(MatchTheirsRow).order_by(MatchTheirsRow.peer, MatchTheirsRow.kind)
            )
            return [r.to_ready() for r in ours], [r.to_ready() for r in came]

    def questions(self, actor: Actor) -> list[Question]:
        """The newest questions of this agency."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(MatchQuestionRow).order_by(MatchQuestionRow.id.desc()).limit(SHOWN)
            )
            found = [r.to_question() for r in rows]
            return [q for q in found if view.may(VIEW, q.thing())]

    def asked(self, actor: Actor) -> list[Asked]:
        """The newest questions of peers here."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(MatchAskedRow).order_by(MatchAskedRow.id.desc()).limit(SHOWN)
            )
            return [r.to_asked() for r in rows]

    def hits(self, actor: Actor) -> list[Hit]:
        """The newest hits; what no authority covers is masked, and what is shown is entered."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.execute(
                select(MatchHitRow, MatchQuestionRow)
                .join(MatchQuestionRow, MatchQuestionRow.id == MatchHitRow.question)
                .order_by(MatchHitRow.id.desc())
                .limit(SHOWN)
            ).all()
            kinds: dict[str, list[str]] = {}
            for hit, question in rows:
                data = DATA[Kind(question.kind)]
                if data is not None:
                    subject = forms.subject_of(Kind(question.kind), hit.value)
                    kinds.setdefault(data, []).append(subject)
            thing = Thing("match_question", "hits", self.kernel.agency, Mark.AMBER)
            sights = {d: view.sight(VIEW, thing, d, those) for d, those in kinds.items()}
            found = []
            for hit, question in rows:
                kind = Kind(question.kind)
                data = DATA[kind]
                clear = data is None or sights[data].shows(forms.subject_of(kind, hit.value))
                shown = hit.value if clear else self.kernel.masker.pseudonym(kind.value, hit.value)
                found.append(
                    Hit(
                        hit.id, question.id, question.peer, kind, shown, not clear, hit.contact,
                        hit.created_at, hit.rung_at, hit.note,
                    )
                )  # fmt: skip
            return found

    def rung(self, actor: Actor, hit: str, note: str) -> None:
        """Note that the other agency was rung about a hit, and what came of it."""
        note = " ".join(note.split())
        if not note or len(note) > 500:
            raise BadInput("Write in 1 to 500 characters what came of it.")
        with self.kernel.work(actor) as work:
            row = work.session.get(MatchHitRow, hit[:36], with_for_update=True)
            if row is None:
                raise NotFound("There is no such hit.", advice="See cordon match hits.")
            thing = Thing("match_question", row.question, row.agency, Mark(row.mark))
            work.act(RING, thing, hit=row.id)
            row.rung_at, row.rung_by, row.note = work.now, actor.id, note

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let an act pass; for what a page offers."""
        return self.kernel.gate.decide(actor, act, self._room()).allowed

    def peers(self, actor: Actor) -> list[str]:
        """Codes of peers whose terms let this agency ask something."""
        return [p for p, way, terms in self.terms(actor) if way == HAD and terms.kinds]


def _sets(peer: str, kind: Kind) -> Select[MatchSetRow]:
    return select(MatchSetRow).where(MatchSetRow.peer == peer, MatchSetRow.kind == kind.value)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
