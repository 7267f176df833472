"""Standing questions of this agency: asked, withdrawn, and the function that they are kept under.

The peer keeps F(key, value) under a key of this agency's, which says nothing without the key. For
what it meets later it asks this node to evaluate its own values, blinded: this node learns how many
they are, rounded up, and never which; the peer learns nothing but what its own values lead to.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.access.tables import AuthorityRow
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooMany
from cordon.kernel.ids import is_id, new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.asking import NotAgreed, require, roles_of
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.match import filters, forms, group
from cordon.sharing.match.answering import GIVEN, HAD, kept, terms_of, to_bytes, to_text
from cordon.sharing.match.asking import LONGEST_WHY, SHORTEST_WHY, authority_for
from cordon.sharing.match.forms import RefusedValue
from cordon.sharing.match.model import LOOKS_A_DAY, PURPOSES, STANDING, Kind, Purpose, Terms
from cordon.sharing.match.oprf import SEED_BYTES, Key, key_of
from cordon.sharing.match.sets import FUNCTION
from cordon.sharing.match.standing import hit
from cordon.sharing.match.standing.model import (
    LONGEST_DAYS,
    MOST_LOOKED,
    MOST_MET,
    NAME_TAGS,
    OPEN,
    StandingState,
    standing_thing,
)
from cordon.sharing.match.standing.tables import (
    StandingKeyRow,
    StandingLookRow,
    StandingMetRow,
    StandingRow,
)
from cordon.sharing.nodes.desk import Nodes

ACT, WITHDRAW = "sharing.match.stand", "sharing.match.withdraw"
TAKE, ANSWER = "sharing.match.take", "sharing.match.answer"
_MOST_LINES = 100
_LONGEST_CONTACT = 200
_DAY = timedelta(hours=24)


class StandingAsking:
    """Asks peers to look out for values.

    Args:
        sealing: the node's; values and seeds of keys are sealed under it.
        region: ISO 3166 code for numbers in national form.
    """

    def __init__(self, nodes: Nodes, sealing: Sealing, region: str, agreements: Agreements) -> None:
        self._nodes = nodes
        self._agreements = agreements
        self._kernel: Kernel = nodes.kernel
        self._sealing = sealing
        self._region = region

    def stand(
        self, actor: Actor, peer: str, kind: Kind, lines: list[str], purpose: Purpose, why: str,
        until: datetime, contact: str,
    ) -> tuple[list[str], list[RefusedValue]]:  # fmt: skip
        """Ask a peer to look out for each of these values; ids of the questions, lines refused.

        Args:
            until: aware; at the latest the end of the actor's authority. contact: whom the peer
                rings when it meets one.

        Raises:
            NotAgreed: no agreement in force lets the peer answer that, with the clause against it.
            AuthorityRefused: no authority covers each value. NotFound: the peer, or its terms.
            TooMany: more would stand than it lets. BadInput: no value, reason, time or contact.
        """
        why, contact = " ".join(why.split()), " ".join(contact.split())
        if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
            raise BadInput(f"The reason has {SHORTEST_WHY} to {LONGEST_WHY} characters.")
        if not 0 < len(contact) <= _LONGEST_CONTACT or not contact.isprintable():
            raise BadInput(
                "A standing question says whom to ring, in one line.",
                advice="Write an office and its telephone number.",
            )
        self._nodes.peer(peer)
        values, refused = forms.read(kind, lines, self._region, _MOST_LINES)
        if not values:
            raise BadInput("There is no value to ask about.", advice="Give one on each line.")
        with self._kernel.work(actor) as work:
            room = standing_thing(new_id(), self._kernel.agency)
            work.permit(ACT, room)
            require(
                self._agreements, work.session, work.now, peer, self._kernel.agency,
                STANDING[kind], PURPOSES[purpose], ACT, room, roles_of(work.actor.roles),
            )  # fmt: skip
            reference = authority_for(work, kind, values, room)
            _check_until(work, until)
            work.kernel.rows.alone(work.session, f"sharing.standing.{peer}")
            open_ = self._open(work.session, peer)
            _check_terms(terms_of(work.session, peer, HAD), kind, purpose, open_, values, peer)
            epoch, key = self._key(work, peer, kind)
            made = [
                self._asked(work, peer, kind, value, purpose, why, until, contact, reference,
                            epoch, key)
                for value in values
            ]  # fmt: skip
        return made, refused

    def _asked(
        self, work: Work, peer: str, kind: Kind, value: str, purpose: Purpose, why: str,
        until: datetime, contact: str, reference: str, epoch: int, key: Key,
    ) -> str:  # fmt: skip
        id_ = new_id()
        authority = work.actor.authority
        row = StandingRow(
            id=id_, agency=self._kernel.agency, mark=Mark.AMBER, created_at=work.now, peer=peer,
            kind=kind.value, purpose=purpose.value, authority=reference,
            authority_id=authority.id if authority else "", why=why, by=work.actor.id,
            value=self._sealing.seal(value, f"standing:{id_}"), epoch=epoch, until=until,
            state=StandingState.ASKED, said="",
        )  # fmt: skip
        work.session.add(row)
        tags = filters.tags_of(FUNCTION.whole(key, forms.asked(kind, value)))
        if kind is Kind.NAME:  # how many parts a name has is not told
            tags = np.concatenate([tags, filters.fresh(NAME_TAGS - len(tags), tags)])
        self._nodes.tell(
            work, peer, "match.stand",
            {
                "id": id_, "kind": kind.value, "epoch": epoch, "public": key.public.hex(),
                "tags": to_text(kept(np.sort(tags))), "purpose": purpose.value,
                "authority": reference, "contact": contact, "until": format_time(until),
            },
        )  # fmt: skip
        work.act(
            ACT, standing_thing(id_, row.agency), peer=peer, kind=row.kind, purpose=row.purpose,
            why=why, until=format_time(until),
            subjects=[self._kernel.masker.pseudonym(row.kind, value)],
        )  # fmt: skip
        return id_

    def _key(self, work: Work, peer: str, kind: Kind) -> tuple[int, Key]:
        """The key of a kind at a peer; a new one where nothing stands under the one before."""
        row = work.session.scalar(_keys(peer, kind))
        if row is None:
            row = StandingKeyRow(
                id=new_id(), agency=self._kernel.agency, mark=Mark.AMBER, created_at=work.now,
                peer=peer, kind=kind.value, epoch=0, seed="",
            )  # fmt: skip
            work.session.add(row)
        if not row.epoch or not self._open(work.session, peer, kind):
            row.epoch += 1
            seed = secrets.token_bytes(SEED_BYTES).hex()
            row.seed = self._sealing.seal(seed, f"standing:{row.id}")
        return row.epoch, self._key_of(row)

    def _key_of(self, row: StandingKeyRow) -> Key:
        seed = bytes.fromhex(self._sealing.open(row.seed, f"standing:{row.id}"))
        return key_of(seed, f"standing|{row.peer}|{row.kind}|{row.epoch}".encode())

    def _open(self, session: Session, peer: str, kind: Kind | None = None) -> int:
        asked = select(func.count()).where(StandingRow.peer == peer, StandingRow.state.in_(OPEN))
        if kind is not None:
            asked = asked.where(StandingRow.kind == kind.value)
        return session.scalar(asked.select_from(StandingRow)) or 0

    def withdraw(self, actor: Actor, question: str, why: str) -> None:
        """Take a question back; the peer forgets it.

        Raises:
            NotFound: there is none. Conflict: it does not stand any more.
        """
        why = " ".join(why.split())
        if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
            raise BadInput(f"The reason has {SHORTEST_WHY} to {LONGEST_WHY} characters.")
        with self._kernel.work(actor) as work:
            row = work.session.get(StandingRow, question[:36], with_for_update=True)
            if row is None:
                raise NotFound("There is no such question.", advice="See cordon match standing.")
            thing = standing_thing(row.id, row.agency)
            work.permit(WITHDRAW, thing)
            if row.state not in OPEN:
                raise Conflict("That question does not stand any more.")
            self._close(work, row, StandingState.WITHDRAWN, why[:300])

    def _close(self, work: Work, row: StandingRow, state: StandingState, why: str) -> None:
        work.act(
            WITHDRAW, standing_thing(row.id, row.agency), peer=row.peer, kind=row.kind,
            state=state.value, why=why,
        )  # fmt: skip
        row.state, row.said = state, why
        met = select(func.count()).select_from(StandingMetRow).where(StandingMetRow.ours == row.id)
        if not work.session.scalar(met):  # nothing shows it any more
            row.value = ""
        if row.peer in {p.code for p in self._nodes.trusted()}:
            self._nodes.tell(work, row.peer, "match.unstand", {"id": row.id})

    def sweep(self) -> None:
        """Close what is past its time, or whose authority is in force no more; by the node."""
        with self._kernel.work(self._kernel.node) as work:
            for row in work.session.scalars(
                select(StandingRow).where(StandingRow.state.in_(OPEN)).with_for_update()
            ).all():
                authority = work.session.get(AuthorityRow, row.authority_id)
                if row.until <= work.now:
                    self._close(work, row, StandingState.OVER, "Its time is past.")
                elif authority is not None and not authority.to_authority().usable(work.now):
                    why = "Its authority is in force no more."
                    self._close(work, row, StandingState.WITHDRAWN, why)

    # what the peer asks and says

    def evaluate(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """Evaluate a peer's blinded values under the key of the questions that stand there.

        Each request is in the ledger with how many values it had, refused ones too.
        """
        kind, epoch, elements = _looked(body)
        work.kernel.rows.alone(work.session, f"sharing.standing.{code}")
        row = work.session.scalar(_keys(code, kind))
        refused = self._refusal(work, code, kind, len(elements))
        if not refused and (row is None or row.epoch != epoch):
            refused = "Those questions stand no more."
        id_ = new_id()
        work.session.add(
            StandingLookRow(
                id=id_, agency=self._kernel.agency, mark=Mark.AMBER, created_at=work.now,
                peer=code, kind=kind.value, count=len(elements), refused=refused,
            )
        )  # fmt: skip
        work.act(
            ANSWER, standing_thing(id_, self._kernel.agency), peer=code, kind=kind.value,
            standing=True, count=len(elements), refused=bool(refused),
        )  # fmt: skip
        if refused or row is None:
            return {"refused": refused}
        key = self._key_of(row)
        evaluated = FUNCTION.evaluate(key, elements)
        proof = FUNCTION.prove(key, elements, evaluated)
        return {"evaluated": to_text(group.joined(evaluated)), "proof": to_text(proof)}

    def _refusal(self, work: Work, code: str, kind: Kind, count: int) -> str:
        """Why a peer's values are not evaluated, or nothing."""
        purposes = {
            agreed
            for purpose in work.session.scalars(
                select(StandingRow.purpose).where(
                    StandingRow.peer == code, StandingRow.kind == kind.value,
                    StandingRow.state.in_(OPEN), StandingRow.until > work.now,
                )
            )
            for agreed in PURPOSES[Purpose(purpose)]
        }  # fmt: skip
        if not purposes:
            return "Those questions stand no more."
        try:
            require(
                self._agreements, work.session, work.now, code, self._kernel.agency,
                STANDING[kind], purposes, ANSWER, standing_thing("looks", self._kernel.agency),
            )  # fmt: skip
        except NotAgreed as no:
            return no.message
        terms = terms_of(work.session, code, GIVEN)
        most = terms.looks if terms is not None else LOOKS_A_DAY
        today = work.session.scalar(
            select(func.sum(StandingLookRow.count)).where(
                StandingLookRow.peer == code, StandingLookRow.created_at > work.now - _DAY,
                StandingLookRow.refused == "",
            )
        )  # fmt: skip
        if int(today or 0) + count > most:
            return f"In 24 hours at most {most} values are looked at."
        return ""

    def stood(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """A peer says that it keeps a question, or why not."""
        row = self._of(work, code, body)
        refused = " ".join(str(body.get("refused", "")).split())[:300]
        if row.state != StandingState.ASKED:
            return
        row.state = StandingState.REFUSED if refused else StandingState.STANDS
        row.said = refused
        if refused:
            row.value = ""
        work.act(
            TAKE, standing_thing(row.id, row.agency), peer=code, state=row.state, refused=refused
        )

    def met(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """A peer says that it met what a question is about, and whom to ring."""
        row = self._of(work, code, body)
        contact = " ".join(str(body.get("contact", "")).split())[:_LONGEST_CONTACT]
        if row.state not in OPEN or not contact.isprintable():
            raise BadInput("That question does not stand any more.")
        before = select(func.count()).select_from(StandingMetRow).where(
            StandingMetRow.ours == row.id
        )  # fmt: skip
        if (work.session.scalar(before) or 0) >= MOST_MET:
            raise TooMany(f"A question is answered {MOST_MET} times at most.")
        made = StandingMetRow(
            id=new_id(), agency=row.agency, mark=Mark.AMBER, created_at=work.now, ours=row.id,
            kept=None, value="", contact=contact, note="",
        )  # fmt: skip
        work.session.add(made)
        row.state = StandingState.STANDS
        work.act(TAKE, standing_thing(row.id, row.agency), peer=code, met=made.id)
        leads.keep(work, [hit.of(made, code)], {hit.CARD.kind: hit.CARD})

    def _of(self, work: Work, code: str, body: dict[str, Any]) -> StandingRow:
        """The question that a message is about, if it is one that stands with that peer."""
        id_ = body.get("id")
        known = isinstance(id_, str) and is_id(id_)
        row = work.session.get(StandingRow, id_, with_for_update=True) if known else None
        if row is None or row.peer != code:
            raise NotFound("There is no such question with that agency.")
        return row

    def value(self, row: StandingRow) -> str:
        """What a question is about; empty where that was forgotten."""
        return self._sealing.open(row.value, f"standing:{row.id}") if row.value else ""

    def looked(self, session: Session, pairs: Iterable[tuple[str, str]]) -> dict[Any, datetime]:
        """When each peer last looked for a kind, by (peer, kind)."""
        wanted = set(pairs)
        rows = session.execute(
            select(StandingLookRow.peer, StandingLookRow.kind, func.max(StandingLookRow.created_at))
            .where(StandingLookRow.refused == "")
            .group_by(StandingLookRow.peer, StandingLookRow.kind)
        )
        return {(p, k): at for p, k, at in rows if (p, k) in wanted}


def _keys(peer: str, kind: Kind) -> Any:
    return select(StandingKeyRow).where(
        StandingKeyRow.peer == peer, StandingKeyRow.kind == kind.value
    )


def _check_until(work: Work, until: datetime) -> None:
    authority = work.actor.authority
    latest = work.now + timedelta(days=LONGEST_DAYS)
    if authority is not None:
        latest = min(latest, authority.valid_until)
    if not work.now < until <= latest:
        raise BadInput(
            "A standing question ends within a year, and with its authority at the latest.",
            advice=f"Choose a time up to {format_time(latest)}.",
        )


def _check_terms(
    terms: Terms | None, kind: Kind, purpose: Purpose, open_: int, values: list[str], peer: str
) -> None:
    """Raise where the peer would refuse, so that nothing is told in vain."""
    if terms is None or not terms.standing or kind not in terms.kinds:
        raise NotFound(
            f"{peer} keeps no standing question of the kind {kind}.",
            advice="Its terms say what may be asked; it sets them by cordon match terms.",
        )
    if purpose not in terms.purposes:
        raise BadInput(f"{peer} does not answer for the purpose {purpose}.")
    if open_ + len(values) > terms.standing:
        raise TooMany(
            f"{peer} keeps at most {terms.standing} standing questions of this agency.",
            advice="Withdraw one that is not needed any more.",
        )


def _looked(body: dict[str, Any]) -> tuple[Kind, int, list[bytes]]:
    kind, epoch = body.get("kind"), body.get("epoch")
    if kind not in list(Kind) or type(epoch) is not int:
        raise BadInput("What is looked for has a kind and an epoch.")
    elements = group.split(to_bytes(body.get("elements")))
    if not 0 < len(elements) <= MOST_LOOKED:
        raise BadInput(f"1 to {MOST_LOOKED} values are looked at in one request.")
    return Kind(kind), epoch, elements
