"""Questions of this agency to a peer: blinded, sent, and matched here when the answer comes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, Conflict, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.work import AuthorityDenied, Kernel, Work, require_authority
from cordon.sharing.agreements.asking import require, roles_of
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.hidden import known
from cordon.sharing.match import filters, forms, group
from cordon.sharing.match.answering import (
    HAD,
    OUT_OF_STEP,
    check_terms,
    read,
    terms_of,
    theirs,
)
from cordon.sharing.match.forms import RefusedValue
from cordon.sharing.match.model import (
    CLASSES,
    DATA,
    MOST_BATCH,
    PURPOSES,
    Kind,
    Purpose,
    Question,
)
from cordon.sharing.match.sets import FUNCTION
from cordon.sharing.match.tables import MatchHitRow, MatchQuestionRow
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.outbox import ask as ask_peer

ACT = "sharing.match.ask"
SHORTEST_WHY = 10
LONGEST_WHY = 500
_NAMED = 50  # pseudonyms of an entry in the ledger at most
_LONGEST_REFUSAL = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking.

    Attributes:
        refused: lines that are no values, by number and reason.
        held: the values that the peer holds too; contact: whom to ring about them.
    """

    question: Question
    refused: tuple[RefusedValue, ...]
    held: tuple[str, ...]
    contact: str


class Asking:
    """Asks peers.

    Args:
        sealing: the node's; values and blinds of a question that waits are sealed under it.
        region: ISO 3166 code for numbers in national form.
    """

    def __init__(self, nodes: Nodes, sealing: Sealing, region: str, agreements: Agreements) -> None:
        self._nodes = nodes
        self._agreements = agreements
        self._kernel: Kernel = nodes.kernel
        self._sealing = sealing
        self._region = region

    def ask(
        self, actor: Actor, peer: str, kind: Kind, lines: list[str], purpose: Purpose, why: str
    ) -> Outcome:
        """Ask whether a peer holds these values, under the actor's authority.

        The question is in the ledger before it leaves.

        Raises:
            NotAgreed: no agreement in force lets the peer answer that, with the clause against it.
            AuthorityRefused: no authority covers each value. BadInput: no value, too many, or no
                reason. NotFound: the peer, or its terms for this kind. Conflict: nothing of the
                kind was prepared for this agency yet. Unavailable: the peer cannot be reached;
                the question is kept, and can be sent again by `fetch`.
        """
        why = " ".join(why.split())
        if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
            raise BadInput(f"The reason has {SHORTEST_WHY} to {LONGEST_WHY} characters.")
        self._nodes.peer(peer)
        values, refused = forms.read(kind, lines, self._region, MOST_BATCH)
        if not values:
            raise BadInput("There is no value to ask about.", advice="Give one on each line.")
        with self._kernel.work(actor) as work:
            question = self._entered(work, peer, kind, values, purpose, why)
        return replace(self._sent(actor, question), refused=tuple(refused))

    def fetch(self, actor: Actor, question: str) -> Outcome:
        """Send a question again that was not answered yet: its answer was to wait, or was lost."""
        with self._kernel.view(actor) as view:
            row = view.session.get(MatchQuestionRow, question[:36])
            thing = row.to_question().thing() if row is not None else None
            known(view, "sharing.match.view", "match_question", question, thing)
            found = view.session.get_one(MatchQuestionRow, question).to_question()
            view.permit(ACT, found.thing())
        if found.answered_at is not None or found.refused:
            raise Conflict("That question has its answer.", advice="See cordon match hits.")
        return self._sent(actor, found)

    def _entered(
        self, work: Work, peer: str, kind: Kind, values: list[str], purpose: Purpose, why: str
    ) -> Question:
        id_ = new_id()
        thing = Thing("match_question", id_, self._kernel.agency, Mark.AMBER)
        work.permit(ACT, thing)
        require(
            self._agreements, work.session, work.now, peer, self._kernel.agency, CLASSES[kind],
            PURPOSES[purpose], ACT, thing, roles_of(work.actor.roles),
        )  # fmt: skip
        given = {value: forms.asked(kind, value) for value in values}
        count = sum(map(len, given.values()))
        check_terms(terms_of(work.session, peer, HAD), kind, purpose, count, peer)
        held = theirs(work.session, peer, kind)
        if held is None or held.version <= 0:
            raise Conflict(
                f"What {peer} holds of the kind {kind} "
                + (
                    "is out of step here."
                    if held and held.version == OUT_OF_STEP
                    else "has not come yet."
                ),
                advice="Ask it to prepare the whole set: cordon match prepare --whole.",
            )
        authority = authority_for(work, kind, values, thing)
        blinds = [group.random_scalar().hex() for _ in range(count)]
        row = MatchQuestionRow(
            id=id_, agency=self._kernel.agency, mark=Mark.AMBER, created_at=work.now, peer=peer,
            kind=kind.value, purpose=purpose.value, authority=authority, why=why,
            by=work.actor.id, epoch=held.epoch, count=count,
            sealed=self._sealing.seal(
                json.dumps({"values": values, "blinds": blinds}), f"match:{id_}"
            ),
            refused="",
        )  # fmt: skip
        work.session.add(row)
        masker = self._kernel.masker
        work.act(
            ACT, thing, peer=peer, kind=kind.value, count=count, purpose=purpose.value, why=why,
            subjects=[masker.pseudonym(kind.value, v) for v in values[:_NAMED]],
        )  # fmt: skip
        return row.to_question()

    def _opened(self, question: Question) -> tuple[list[str], list[bytes], list[bytes]]:
        """Values, and the inputs and blinds of a question that waits."""
        with self._kernel.rows.read() as session:
            row = session.get(MatchQuestionRow, question.id)
            sealed = row.sealed if row is not None else ""
        if not sealed:
            raise Conflict("That question has its answer.")
        kept = json.loads(self._sealing.open(sealed, f"match:{question.id}"))
        inputs = [i for v in kept["values"] for i in forms.asked(question.kind, v)]
        return kept["values"], inputs, [bytes.fromhex(b) for b in kept["blinds"]]

    def _sent(self, actor: Actor, question: Question) -> Outcome:
        values, inputs, blinds = self._opened(question)
        with self._kernel.rows.read() as session:  # a question that waited may be agreed no more
            require(
                self._agreements, session, self._kernel.clock.now(), question.peer,
                self._kernel.agency, CLASSES[question.kind], PURPOSES[question.purpose],
                ACT, question.thing(), roles_of(actor.roles),
            )  # fmt: skip
        with self._kernel.rows.read() as session:
            epoch = session.get_one(MatchQuestionRow, question.id).epoch
            held = theirs(session, question.peer, question.kind)
            same = held is not None and held.epoch == epoch
        if not same:
            return self._closed(
                actor, question, refused="What is held was prepared anew; ask anew."
            )
        blinded = FUNCTION.blind(inputs, blinds)
        answer = ask_peer(
            self._nodes,
            question.peer,
            "match.ask",
            {
                "id": question.id, "kind": question.kind.value, "epoch": epoch,
                "elements": base64.b64encode(group.joined(blinded)).decode(),
                "authority": question.authority, "purpose": question.purpose.value,
            },
        )  # fmt: skip
        if "refused" in answer:
            words = " ".join(str(answer["refused"]).split())[:_LONGEST_REFUSAL]
            return self._closed(actor, question, refused=words or "refused")
        if "due" in answer:
            return self._waits(question, answer["due"])
        return self._matched(actor, question, values, inputs, blinds, blinded, answer)

    def _waits(self, question: Question, due: Any) -> Outcome:
        try:
            due_at: datetime = parse_time(str(due))
        except ValueError:
            raise Unavailable(f"{question.peer} did not say when it answers.") from None
        with self._kernel.rows.write() as session:
            session.get_one(MatchQuestionRow, question.id).due_at = due_at
        return Outcome(replace(question, due_at=due_at), (), (), "")

    def _matched(
        self, actor: Actor, question: Question, values: list[str], inputs: list[bytes],
        blinds: list[bytes], blinded: list[bytes], answer: dict[str, Any],
    ) -> Outcome:  # fmt: skip
        evaluated, proof = read_answer(answer, len(inputs), question.peer)
        with self._kernel.rows.read() as session:
            held = theirs(session, question.peer, question.kind)
            row = session.get_one(MatchQuestionRow, question.id)
            if held is None or held.epoch != row.epoch or held.version <= 0:
                raise Conflict(
                    "What the peer holds was prepared anew meanwhile.", advice="Ask anew."
                )
            public, tags = bytes.fromhex(held.public), read(held.tags)
        FUNCTION.check(public, blinded, evaluated, proof)
        outputs = FUNCTION.finalize(inputs, blinds, evaluated)
        hit = iter(filters.among(tags, filters.tags_of(outputs)).tolist())
        found = [
            value
            for value in values
            if any([next(hit) for _ in forms.asked(question.kind, value)])  # noqa: C419
        ]
        return self._closed(actor, question, found)

    def _closed(
        self, actor: Actor, question: Question, found: list[str] | None = None, refused: str = ""
    ) -> Outcome:
        """Keep what came of a question; values that nobody holds are forgotten."""
        with self._kernel.work(actor) as work:
            row = work.session.get_one(MatchQuestionRow, question.id, with_for_update=True)
            if not row.sealed:
                raise Conflict("That question has its answer.")
            terms = terms_of(work.session, question.peer, HAD)
            contact = terms.contact if terms else ""
            row.sealed, row.refused = "", refused
            if found is not None:
                row.answered_at, row.hits = work.now, len(found)
                for value in found:
                    work.session.add(
                        MatchHitRow(
                            id=new_id(), agency=self._kernel.agency, mark=Mark.AMBER,
                            created_at=work.now, question=row.id, value=value, contact=contact,
                            note="",
                        )
                    )  # fmt: skip
            work.act(
                ACT, question.thing(), peer=question.peer, kind=question.kind.value,
                count=question.count, hits=row.hits, refused=bool(refused),
            )  # fmt: skip
            return Outcome(row.to_question(), (), tuple(found or ()), contact)


def authority_for(work: Work, kind: Kind, values: list[str], thing: Thing) -> str:
    """Reference of the authority that covers every value; AuthorityDenied without one."""
    authority = work.actor.authority
    data = DATA[kind]
    if data is not None:
        for value in values:
            authority = require_authority(
                work.actor, work.now, data, forms.subject_of(kind, value), None, ACT, thing
            )
    elif authority is None or not authority.usable(work.now):
        raise AuthorityDenied(
            "Another agency is asked only under an authority in force.",
            "Choose one, or ask for one.", ACT, thing,
        )  # fmt: skip
    return authority.reference if authority is not None else ""


def read_answer(answer: dict[str, Any], count: int, peer: str) -> tuple[list[bytes], bytes]:
    """Evaluated elements and the proof of an answer; Unavailable where it is malformed."""
    try:
        evaluated = group.split(base64.b64decode(answer["evaluated"], validate=True))
        proof = base64.b64decode(answer["proof"], validate=True)
    except (KeyError, TypeError, ValueError, BadInput):
        evaluated, proof = [], b""
    if len(evaluated) != count:
        raise Unavailable(f"The answer of {peer} is malformed.", advice="Ask it again.")
    return evaluated, proof
