"""Agreements of this node: drafted, signed by two officers and by each party, asked, ended."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Role, Thing
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, NotFound, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, SecondRefused, View, Work
from cordon.sharing.agreements.deciding import Standing, decide_all
from cordon.sharing.agreements.model import (
    NOTHING_SAYS_SO,
    Agreement,
    AgreementState,
    Answer,
    Question,
    Signature,
    Terms,
)
from cordon.sharing.agreements.tables import AgreementRow, SignatureRow
from cordon.sharing.hearing import carefully
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.keys import certificate_of, check, fingerprint
from cordon.sharing.nodes.outbox import ask

VIEW = "sharing.agreement.view"
_SIGNED = b"cordon agreement v1\n"
_WORD, _GRADED = "agreement.signed", "agreement.signed_graded"
LARGEST_TEXT = 64 << 10


class Agreements:
    """What this agency agreed with others."""

    def __init__(self, kernel: Kernel, nodes: Nodes) -> None:
        self.kernel = kernel
        self.nodes = nodes
        for kind, handler in (
            (_WORD, self._signed), (_GRADED, self._signed), ("agreement.ended", self._ended),
        ):  # fmt: skip
            nodes.on_told(kind, carefully(kind, handler))

    # for officers

    def draft(self, actor: Actor, terms: Terms) -> Agreement:
        """Write an agreement down; nothing leaves until a second officer signs it.

        Raises:
            BadInput: this agency is no party. Conflict: the same text is there already.
        """
        if terms.party(self.kernel.agency) is None:
            raise BadInput(
                f"{self.kernel.agency} is no party of it.", advice="Add this agency to the parties."
            )
        with self.kernel.work(actor) as work:
            work.act(
                "sharing.agreement.draft", Thing("agreement", terms.id, self.kernel.agency),
                parties=[p.agency for p in terms.parties],
            )  # fmt: skip
            if work.session.get(AgreementRow, terms.id) is not None:
                raise Conflict(
                    "An agreement of just this text is there already.",
                    advice="Change what is to be different, or go on with that one.",
                )
            row = self._kept(work, terms, actor.id)
            return self._of(work.session, row, work.now)

    def sign(self, actor: Actor, id_: str) -> Agreement:
        """Sign by the node's key, and tell the other parties.

        Raises:
            SecondRefused: by who drafted it. Conflict: signed, ended or over already, or a party's
                node does not know a clause of it.
            NotFound: no such agreement, or a party whose node is not known here.
        """
        self._understood(actor, id_)
        with self.kernel.work(actor) as work:
            row = _row(work.session, id_, lock=True)
            before = self._of(work.session, row, work.now)
            if row.drafted_by == actor.id or (
                # the machine's account is what it says it is: at a console there is no second one
                Role.CONSOLE in actor.roles and row.drafted_by.startswith("console:")
            ):
                raise SecondRefused(
                    "Who drafted an agreement does not sign it.",
                    "sharing.agreement.sign", before.thing(),
                )  # fmt: skip
            if before.state not in (AgreementState.DRAFTED, AgreementState.OFFERED):
                raise Conflict(f"It is {before.state.replace('_', ' ')} already.")
            terms, keys = before.terms, self.nodes.keys
            signature = base64.b64encode(keys.sign(_SIGNED + row.text.encode())).decode()
            self._sign(work, row, self.kernel.agency, keys.pem, signature, actor.id)
            work.act("sharing.agreement.sign", before.thing(), key=keys.fingerprint)
            for code in terms.others(self.kernel.agency):
                said = {"text": row.text, "signature": signature}
                self.nodes.tell(work, code, _word(terms), said)
            work.session.flush()
            return self._of(work.session, row, work.now)

    def _understood(self, actor: Actor, id_: str) -> None:
        """Ask the parties' nodes, where a clause came later, whether they know it.

        One that is away is not asked: it is told by a kind of message of its own, which waits
        there until that node knows it, so that the clause is lost by none.
        """
        with self.kernel.view(actor) as view:
            one = self._of(view.session, _row(view.session, id_), view.now)
            asks = _word(one.terms) != _WORD and view.may("sharing.agreement.sign", one.thing())
        for code in one.terms.others(self.kernel.agency) if asks else ():
            try:
                said = ask(self.nodes, code, "hello", {})
            except Unavailable:
                continue
            if _word(one.terms) not in said.get("told", ()):
                raise Conflict(
                    f"The node of {code} does not know the clause on grades yet.",
                    advice="Sign it when that node was brought up to date, or leave it out.",
                )

    def end(self, actor: Actor, id_: str, why: str) -> None:
        """End an agreement for all its parties; a draft is only taken back here."""
        why = " ".join(why.split())
        if not 10 <= len(why) <= 500:
            raise BadInput("The reason has 10 to 500 characters.")
        with self.kernel.work(actor) as work:
            row = _row(work.session, id_, lock=True)
            before = self._of(work.session, row, work.now)
            if before.state is AgreementState.ENDED:
                raise Conflict("It is ended already.")
            work.act("sharing.agreement.end", before.thing(), why=why)
            row.ended_at, row.ended_by, row.ended_why = work.now, self.kernel.agency, why
            if before.state is not AgreementState.DRAFTED:
                for code in before.terms.others(self.kernel.agency):
                    self.nodes.tell(work, code, "agreement.ended", {"id": row.id, "why": why})

    def known(self, actor: Actor) -> list[Agreement]:
        """Every agreement, newest first."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("sharing", self.kernel.agency))
            rows = view.session.scalars(
                select(AgreementRow).order_by(AgreementRow.created_at.desc())
            )
            return [self._of(view.session, row, view.now) for row in rows]

    def get(self, actor: Actor, id_: str) -> Agreement:
        """One agreement; NotFound."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("sharing", self.kernel.agency))
            return self._of(view.session, _row(view.session, id_), view.now)

    # for other parts

    def one(self, view: View, id_: str) -> Agreement:
        """One agreement, for another part of the room that has passed the gate."""
        return self._of(view.session, _row(view.session, id_), view.now)

    def between(self, view: View, agency: str) -> list[Agreement]:
        """Agreements in force to which this agency and another are parties."""
        return [
            one
            for one in self._asked(view.session, view.now, None)
            if one.state is AgreementState.IN_FORCE and one.terms.party(agency) is not None
        ]

    def decides(self, view: View, question: Question, agreement: str | None = None) -> Answer:
        """Whether an agreement allows this; else the clauses against it of the nearest one.

        Args:
            agreement: id of the one that is asked; any of them where it is None.
        """
        return self.decides_all(view, [question], agreement)[0]

    def decides_all(
        self, view: View, questions: Sequence[Question], agreement: str | None = None
    ) -> list[Answer]:
        """As `decides`, for many."""
        return self.decides_at(view.session, view.now, questions, agreement)

    def decides_at(
        self, session: Session, now: datetime, questions: Sequence[Question],
        agreement: str | None = None,
    ) -> list[Answer]:  # fmt: skip
        """As `decides_all`, where there is no view yet: what nodes may ask each other."""
        best = [NOTHING_SAYS_SO] * len(questions)
        for one in self._asked(session, now, agreement):
            standing = Standing(one.signed, one.ended_at is not None)
            for place, answer in enumerate(decide_all(one.terms, questions, standing)):
                if not best[place].allowed and (answer.allowed or _nearer(answer, best[place])):
                    best[place] = answer
        return best

    def _asked(self, session: Session, now: datetime, agreement: str | None) -> Iterable[Agreement]:
        query = select(AgreementRow).order_by(AgreementRow.id)
        if agreement is not None:
            query = query.where(AgreementRow.id == agreement)
        rows = session.scalars(query).all()
        signed: dict[str, list[SignatureRow]] = {row.id: [] for row in rows}
        # one question for all of them; where there is none it is asked too, as `hidden` needs
        for signature in session.scalars(
            select(SignatureRow)
            .where(SignatureRow.agreement.in_(list(signed)))
            .order_by(SignatureRow.signer)
        ):
            signed[signature.agreement].append(signature)
        return [self._made(row, signed[row.id], now) for row in rows]

    # from other nodes

    def _signed(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Another party's signature, and the text where it is new here."""
        text = body["text"]
        if not isinstance(text, str) or len(text) > LARGEST_TEXT:
            raise BadInput("The agreement's text is too long.")
        terms = Terms.read(json.loads(text))
        if terms.canonical() != text:
            raise BadInput("The text is not written in the one way that is signed.")
        if terms.party(code) is None or terms.party(self.kernel.agency) is None:
            raise BadInput("The agreement is not between that agency and this one.")
        certificate = self.nodes.peer(code).certificate
        check(certificate, _SIGNED + text.encode(), body["signature"])
        row = work.session.get(AgreementRow, terms.id, with_for_update=True)
        row = row or self._kept(work, terms, f"agency:{code}")
        self._sign(work, row, code, certificate, body["signature"], f"agency:{code}")
        work.act(
            "sharing.agreement.take", Thing("agreement", row.id, self.kernel.agency), signed_by=code
        )

    def _ended(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = _row(work.session, str(body["id"]), lock=True)
        one = self._of(work.session, row, work.now)
        if one.terms.party(code) is None:
            raise BadInput("Who ends it is no party of it.")
        if row.ended_at is None:
            row.ended_at, row.ended_by = work.now, code
            row.ended_why = str(body["why"])[:500]
        work.act("sharing.agreement.take", one.thing(), ended_by=code)

    # kept

    def _kept(self, work: Work, terms: Terms, by: str) -> AgreementRow:
        row = AgreementRow(
            id=terms.id, agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
            text=terms.canonical(), drafted_by=by,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        return row

    def _sign(
        self, work: Work, row: AgreementRow, signer: str, certificate: str, signature: str, by: str
    ) -> None:
        there = select(SignatureRow).where(
            SignatureRow.agreement == row.id, SignatureRow.signer == signer
        )
        if work.session.scalar(there) is None:
            work.session.add(
                SignatureRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                    agreement=row.id, signer=signer, certificate=certificate, signature=signature,
                    by=by,
                )
            )  # fmt: skip
            work.session.flush()

    def _of(self, session: Session, row: AgreementRow, now: datetime) -> Agreement:
        rows = session.scalars(
            select(SignatureRow)
            .where(SignatureRow.agreement == row.id)
            .order_by(SignatureRow.signer)
        )
        return self._made(row, rows, now)

    def _made(self, row: AgreementRow, rows: Iterable[SignatureRow], now: datetime) -> Agreement:
        terms = _terms(row.text)
        signatures = tuple(
            Signature(r.signer, r.certificate, r.signature, r.created_at, r.by) for r in rows
        )
        signed = {s.agency for s in signatures if holds(row.id, row.text, terms, s)}
        return Agreement(
            row.id, row.agency, terms, self._state(row, terms, signed, now), row.drafted_by,
            row.created_at, signatures, signed == {p.agency for p in terms.parties},
            row.ended_at, row.ended_by or "", row.ended_why or "",
        )  # fmt: skip

    def _state(
        self, row: AgreementRow, terms: Terms, signed: set[str], now: datetime
    ) -> AgreementState:
        if row.ended_at is not None:
            return AgreementState.ENDED
        if now >= terms.ends:
            return AgreementState.OVER
        if signed == {p.agency for p in terms.parties}:
            return AgreementState.IN_FORCE
        if self.kernel.agency in signed:
            return AgreementState.SIGNED
        return AgreementState.OFFERED if signed else AgreementState.DRAFTED


def _word(terms: Terms) -> str:
    """The kind of message that tells of a signature; only nodes that know the clauses know it."""
    return _WORD if terms.grade is None else _GRADED


@lru_cache(maxsize=256)
def _terms(text: str) -> Terms:
    return Terms.read(json.loads(text))


def holds(id_: str, text: str, terms: Terms, signature: Signature) -> bool:
    """Whether a kept signature is of that key, and over the text that stands there now."""
    return terms.id == id_ and _verifies(signature.certificate, text, signature.signature)


@lru_cache(maxsize=256)
def _verifies(certificate: str, text: str, signature: str) -> bool:
    """What is kept is asked about at each question between nodes; the same three say the same."""
    try:
        check(certificate, _SIGNED + text.encode(), signature)
    except (DoesNotVerify, BadInput):
        return False
    return True


def key_of(signature: Signature) -> str:
    """SHA-256 (hex) of the key that signed, for whoever compares it."""
    return fingerprint(certificate_of(signature.certificate))


def _nearer(answer: Answer, than: Answer) -> bool:
    return than.against == NOTHING_SAYS_SO.against or len(answer.against) < len(than.against)


def _row(session: Session, id_: str, *, lock: bool = False) -> AgreementRow:
    row = session.get(AgreementRow, id_, with_for_update=True if lock else None)
    if row is None:
        raise NotFound("There is no such agreement.")
    return row
