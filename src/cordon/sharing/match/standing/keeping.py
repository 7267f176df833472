"""Standing questions of peers that are kept here unread, and the looking at what is new.

What this agency held when a question of a kind first came is not looked at: that is what an
ordinary question is for. Of what it meets afterwards each value is looked at once.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.ids import is_id, new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.asking import against
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.match import filters, forms, group
from cordon.sharing.match.answering import GIVEN, HAD, kept, read, terms_of, to_bytes, to_text
from cordon.sharing.match.asking import read_answer
from cordon.sharing.match.holding import Holdings
from cordon.sharing.match.model import LOOKS_A_DAY, PURPOSES, STANDING, Kind, Purpose, Terms
from cordon.sharing.match.oprf import SEED_BYTES
from cordon.sharing.match.sets import FUNCTION, digests
from cordon.sharing.match.standing import hit
from cordon.sharing.match.standing.asking import TAKE
from cordon.sharing.match.standing.model import (
    LONGEST_DAYS,
    MOST_LOOKED,
    MOST_MET,
    NAME_TAGS,
    SPREAD,
    Looked,
    standing_thing,
)
from cordon.sharing.match.standing.tables import (
    StandingKeptRow,
    StandingMetRow,
    StandingSeenRow,
)
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.outbox import ask as ask_peer

log = logging.getLogger(__name__)
LOOK = "sharing.match.look"
LOOK_S = 60.0
"""Seconds between two looks at what is new."""
_ALIVE = timedelta(hours=24)  # after which a look without anything new shows that somebody looks
_PACE = 1.25
_MOST_REQUESTS = 20  # of one look; the rest comes with the next one
_PUBLIC = re.compile(f"[0-9a-f]{{{2 * group.BYTES}}}")
_LONGEST_TEXT = 200


class Keeping:
    """Keeps peers' standing questions, and looks for them.

    Args:
        holdings: what this agency holds. sealing: the node's; seeds are sealed under it.
    """

    def __init__(
        self, nodes: Nodes, sealing: Sealing, holdings: Holdings, agreements: Agreements
    ) -> None:
        self._nodes = nodes
        self._agreements = agreements
        self._kernel: Kernel = nodes.kernel
        self._sealing = sealing
        self._holdings = holdings
        self._sizes: dict[tuple[str, Kind], tuple[object, ...] | None] = {}

    # what peers say

    def stand(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Keep a peer's question, and say so; or refuse it, and say why."""
        row = _question(body, code, work)
        work.kernel.rows.alone(work.session, f"sharing.kept.{code}")
        there = work.session.scalar(
            select(StandingKeptRow.id).where(
                StandingKeptRow.peer == code, StandingKeptRow.number == row.number
            )
        )
        if there is not None:
            raise BadInput("A question of that number is kept already.")
        refused = self._refusal(work, code, row)
        if not refused:
            work.session.add(row)
            self._begun(work, row)
        work.act(
            TAKE, standing_thing(row.id, row.agency), peer=code, kind=row.kind,
            authority=row.authority, purpose=row.purpose, refused=refused,
        )  # fmt: skip
        self._nodes.tell(work, code, "match.stood", {"id": row.number, "refused": refused})

    def _refusal(self, work: Work, code: str, row: StandingKeptRow) -> str:
        terms = terms_of(work.session, code, GIVEN)
        kind, purpose = Kind(row.kind), Purpose(row.purpose)
        if terms is None or not terms.standing or kind not in terms.kinds:
            return f"No question of the kind {kind} may stand here."
        if purpose not in terms.purposes:
            return "The terms do not name this purpose."
        if not work.now < row.until <= work.now + timedelta(days=LONGEST_DAYS + 1):
            return "A standing question ends within a year."
        found = self._against(work.session, work.now, code, kind, (purpose,))
        if found:
            return "The agreements do not allow it: " + ", ".join(found) + "."
        open_ = select(func.count()).select_from(StandingKeptRow).where(
            StandingKeptRow.peer == code, StandingKeptRow.over == "",
        )  # fmt: skip
        if (work.session.scalar(open_) or 0) >= terms.standing:
            return f"At most {terms.standing} questions stand here."
        return ""

    def _against(
        self, session: Session, now: datetime, peer: str, kind: Kind, purposes: Sequence[Purpose]
    ) -> tuple[str, ...]:
        """The clauses that are against answering; none where it is agreed."""
        agreed = {one for purpose in purposes for one in PURPOSES[purpose]}
        asked = (self._agreements, session, now, self._kernel.agency, peer)
        return against(*asked, STANDING[kind], agreed)

    def _begun(self, work: Work, row: StandingKeptRow) -> None:
        """With the first question under a key, what is held now counts as looked at."""
        kind = Kind(row.kind)
        seen = work.session.scalar(_seen(row.peer, row.kind))
        if seen is not None and seen.epoch == row.epoch:
            return
        seed = secrets.token_bytes(SEED_BYTES)
        inputs = list(forms.all_held(kind, self._holdings.values(work.session, kind)))
        found = kept(digests(inputs, seed))
        id_ = seen.id if seen is not None else new_id()
        sealed = self._sealing.seal(seed.hex(), f"standing:{id_}")
        if seen is None:
            seen = StandingSeenRow(
                id=id_, agency=row.agency, mark=Mark.AMBER, created_at=work.now, peer=row.peer,
                kind=row.kind, epoch=row.epoch, seed=sealed, digests=found,
            )  # fmt: skip
            work.session.add(seen)
        seen.epoch, seen.seed, seen.digests, seen.looked_at = row.epoch, sealed, found, None

    def unstand(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Forget a question that a peer took back."""
        row = work.session.scalar(
            select(StandingKeptRow).where(
                StandingKeptRow.peer == code, StandingKeptRow.number == str(body.get("id"))[:36]
            )
        )
        if row is not None and not row.over:
            self._forget(work, row, "withdrawn")

    def _forget(self, work: Work, row: StandingKeptRow, over: str) -> None:
        row.tags, row.over = b"", over
        work.act(
            TAKE, standing_thing(row.id, row.agency), peer=row.peer, kind=row.kind, over=over
        )  # fmt: skip

    def sweep(self) -> None:
        """Forget what is past its time."""
        with self._kernel.work(self._kernel.node) as work:
            for row in work.session.scalars(
                select(StandingKeptRow).where(
                    StandingKeptRow.over == "", StandingKeptRow.until <= work.now
                )
            ).all():
                self._forget(work, row, "over")

    # looking

    def look(self, actor: Actor, *, soon: bool = True) -> list[Looked]:
        """Look whether anything that is new here is what a peer asked about.

        Args:
            soon: do not wait until there are `SPREAD` new values, or the pace of the peer's terms
                allows a request that is mostly filling.

        A peer that cannot be reached or refuses is told in `problem`; what was not looked at
        comes with the next look.
        """
        with self._kernel.view(actor) as view:
            view.permit(LOOK, Thing.room("sharing", self._kernel.agency))
            trusted = {p.code for p in self._nodes.trusted()}
            pairs = sorted(
                {
                    (row.peer, Kind(row.kind))
                    for row in view.session.scalars(_open_at(view.now))
                    if row.peer in trusted
                }
            )
        return [self._look_once(actor, peer, kind, soon) for peer, kind in pairs]

    def _look_once(self, actor: Actor, peer: str, kind: Kind, soon: bool) -> Looked:
        looked = met = 0
        try:
            for _ in range(_MOST_REQUESTS):
                step = self._request(actor, peer, kind, soon)
                if step is None:
                    break
                looked, met = looked + step[0], met + step[1]
                if step[0] < MOST_LOOKED // 2:
                    break
        except CordonError as wrong:
            return Looked(peer, kind, looked, met, wrong.message)
        return Looked(peer, kind, looked, met)

    def _request(self, actor: Actor, peer: str, kind: Kind, soon: bool) -> tuple[int, int] | None:
        """One request to a peer: how many values were looked at, and met; None: nothing to do."""
        with self._kernel.rows.read() as session:
            now = self._kernel.clock.now()
            rows = session.scalars(_open_at(now, peer, kind)).all()
            seen = session.scalar(_seen(peer, kind.value).options(undefer("*")))
            purposes = [Purpose(r.purpose) for r in rows]
            if not rows or seen is None or self._against(session, now, peer, kind, purposes):
                return None
            due = seen.looked_at is None or seen.looked_at <= now - _ALIVE
            size = self._holdings.size(session)
            if not due and size is not None and self._sizes.get((peer, kind)) == size:
                return None
            epoch, public = rows[0].epoch, bytes.fromhex(rows[0].public)
            new = self._new(session, seen, kind)
            waits = not soon and not due and 0 < len(new) < SPREAD
            if waits and seen.looked_at and seen.looked_at > now - _pace(session, peer):
                return None
        batch = new[:MOST_LOOKED]
        if not batch and not due:
            self._sizes[peer, kind] = size
            return None
        evaluated = self._evaluated(peer, kind, epoch, public, [i for i, _, _ in batch])
        met = self._closed(actor, peer, kind, epoch, batch, evaluated)
        self._sizes[peer, kind] = size if len(new) == len(batch) else None
        return len(batch), met

    def _new(
        self, session: Session, seen: StandingSeenRow, kind: Kind
    ) -> list[tuple[bytes, str, int]]:
        """Inputs that were not looked at, in no order that tells anything: input, value, digest."""
        seed = bytes.fromhex(self._sealing.open(seen.seed, f"standing:{seen.id}"))
        values = {
            i: v for v in self._holdings.values(session, kind) for i in forms.held(kind, v)
        }  # fmt: skip
        inputs = list(values)
        found = digests(inputs, seed)
        new = [
            (inputs[n], values[inputs[n]], int(found[n]))
            for n in np.flatnonzero(~filters.member(found, read(seen.digests)))
        ]
        secrets.SystemRandom().shuffle(new)
        return new

    def _evaluated(
        self, peer: str, kind: Kind, epoch: int, public: bytes, inputs: list[bytes]
    ) -> list[bytes]:
        """F(the peer's key, input) of each; it sees blinded values, filled up to a multiple."""
        blinds = [group.random_scalar() for _ in inputs]
        filling = max(1, -(-len(inputs) // SPREAD)) * SPREAD - len(inputs)
        blinded = FUNCTION.blind(inputs, blinds)
        blinded += [group.from_hash(secrets.token_bytes(group.HASH_BYTES)) for _ in range(filling)]
        answer = ask_peer(
            self._nodes, peer, "match.look",
            {"kind": kind.value, "epoch": epoch, "elements": to_text(group.joined(blinded))},
        )  # fmt: skip
        if "refused" in answer:
            raise BadInput(" ".join(str(answer["refused"]).split())[:300] or "refused")
        evaluated, proof = read_answer(answer, len(blinded), peer)
        FUNCTION.check(public, blinded, evaluated, proof)
        return FUNCTION.finalize(inputs, blinds, evaluated[: len(inputs)])

    def _closed(
        self, actor: Actor, peer: str, kind: Kind, epoch: int,
        batch: list[tuple[bytes, str, int]], outputs: list[bytes],
    ) -> int:  # fmt: skip
        """Keep what was looked at and met, and tell the peer; how many questions were met."""
        tags = filters.tags_of(outputs)
        with self._kernel.work(actor) as work:
            work.kernel.rows.alone(work.session, f"sharing.kept.{peer}")
            seen = work.session.scalar(_seen(peer, kind.value).options(undefer("*")))
            if seen is None or seen.epoch != epoch:
                return 0  # another set of questions came meanwhile
            made = 0
            for row in work.session.scalars(_open_at(work.now, peer, kind)).all():
                hits = np.flatnonzero(filters.member(tags, read(row.tags)))
                for value in sorted({batch[n][1] for n in hits}):
                    made += self._met(work, row, value)
            fresh = np.array([digest for _, _, digest in batch], np.uint64)
            seen.digests = kept(filters.distinct(np.concatenate([read(seen.digests), fresh])))
            seen.looked_at = work.now
            work.act(
                LOOK, Thing.room("sharing", self._kernel.agency), peer=peer, kind=kind.value,
                count=len(batch), met=made,
            )  # fmt: skip
        return made

    def _met(self, work: Work, row: StandingKeptRow, value: str) -> int:
        before = work.session.scalars(
            select(StandingMetRow.value).where(StandingMetRow.kept == row.id)
        ).all()
        if value in before or len(before) >= MOST_MET:
            return 0
        made = StandingMetRow(
            id=new_id(), agency=row.agency, mark=Mark.AMBER, created_at=work.now, ours=None,
            kept=row.id, value=value, contact=row.contact, note="",
        )  # fmt: skip
        work.session.add(made)
        work.session.flush()
        terms: Terms | None = terms_of(work.session, row.peer, GIVEN)
        contact = terms.contact if terms else ""
        self._nodes.tell(work, row.peer, "match.met", {"id": row.number, "contact": contact})
        leads.keep(work, [hit.of(made, row.peer)], {hit.CARD.kind: hit.CARD})
        return 1


class Looking:
    """Looks again and again, beside the pages, at what is new."""

    def __init__(self, keeping: Keeping, kernel: Kernel) -> None:
        self._keeping = keeping
        self._kernel = kernel
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is new is looked at when the node starts again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                for one in self._keeping.look(self._kernel.node, soon=False):
                    if one.problem:
                        log.warning(
                            "standing questions of %s were not looked for: %s",
                            one.peer, one.problem,
                        )  # fmt: skip
            except Exception:  # the thread must live on
                log.exception("standing questions could not be looked for")


def _open_at(now: datetime, peer: str | None = None, kind: Kind | None = None) -> Any:
    asked = select(StandingKeptRow).where(StandingKeptRow.over == "", StandingKeptRow.until > now)
    if peer is not None:
        asked = asked.where(StandingKeptRow.peer == peer)
    if kind is not None:
        asked = asked.where(StandingKeptRow.kind == kind.value)
    return asked.order_by(StandingKeptRow.epoch.desc(), StandingKeptRow.id)


def _pace(session: Session, peer: str) -> timedelta:
    """Between two requests that are mostly filling, so that a day's number is not used up."""
    terms = terms_of(session, peer, HAD)
    looks = terms.looks if terms is not None else LOOKS_A_DAY
    return timedelta(seconds=_PACE * 86400 * SPREAD / max(looks, SPREAD))


def _seen(peer: str, kind: str) -> Any:
    return select(StandingSeenRow).where(StandingSeenRow.peer == peer, StandingSeenRow.kind == kind)


def _question(body: dict[str, Any], code: str, work: Work) -> StandingKeptRow:
    """A peer's question as a row; BadInput where it is none."""
    number, kind, epoch, public = (body.get(n) for n in ("id", "kind", "epoch", "public"))
    texts = [body.get(n) for n in ("authority", "contact")]
    purpose = body.get("purpose")
    if (
        not isinstance(number, str) or not is_id(number) or kind not in list(Kind)
        or type(epoch) is not int or not 0 < epoch < 1 << 31
        or not isinstance(public, str) or not _PUBLIC.fullmatch(public)
        or purpose not in list(Purpose)
        or not all(
            isinstance(t, str) and 0 < len(t.strip()) <= len(t) <= _LONGEST_TEXT and t.isprintable()
            for t in texts
        )
    ):  # fmt: skip
        raise BadInput(
            "A standing question has an id, a kind, a key, a purpose, an authority, and whom to "
            "ring."
        )
    tags = to_bytes(body.get("tags"))
    if len(tags) != 8 * (NAME_TAGS if kind == Kind.NAME else 1):
        raise BadInput("A standing question has another number of tags.")
    return StandingKeptRow(
        id=new_id(), agency=work.kernel.agency, mark=Mark.AMBER, created_at=work.now, peer=code,
        number=number, kind=str(kind), epoch=epoch, public=public, tags=tags,
        purpose=str(purpose), authority=texts[0], contact=texts[1],
        until=parse_time(str(body.get("until"))), over="",
    )  # fmt: skip
