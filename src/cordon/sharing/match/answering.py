"""What is heard from peers: their questions, answered within the terms; their terms and sets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooMany
from cordon.kernel.ids import is_id, new_id
from cordon.kernel.work import Work
from cordon.sharing.agreements.asking import NotAgreed, require
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.match import filters, group
from cordon.sharing.match.model import CLASSES, MOST_BATCH, PURPOSES, Kind, Purpose, Terms
from cordon.sharing.match.oprf import Key, key_of
from cordon.sharing.match.sets import FUNCTION
from cordon.sharing.match.tables import (
    MatchAskedRow,
    MatchSetRow,
    MatchTermsRow,
    MatchTheirsRow,
)

GIVEN, HAD = "given", "had"
OUT_OF_STEP = -1
"""Version of a peer's set to which a change did not fit."""
MOST_PARTS = 64
_MOST_NUMBER = (1 << 31) - 1
_PUBLIC = re.compile(f"[0-9a-f]{{{2 * group.BYTES}}}")
_TIMES = 3  # answers to one question: a lost answer may be asked for again
_LONGEST_REFERENCE = 200
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Question:
    number: str
    kind: Kind
    epoch: int
    elements: list[bytes]
    authority: str
    purpose: str

    @property
    def digest(self) -> str:
        whole = f"{self.kind}\n{self.epoch}\n".encode() + group.joined(self.elements)
        return hashlib.sha256(whole).hexdigest()


class Answering:
    """Hears peers.

    Args:
        sealing: the node's; seeds of keys are sealed under it.
        agreements: a question is answered only where one in force names it.
    """

    def __init__(self, sealing: Sealing, agreements: Agreements) -> None:
        self._sealing = sealing
        self._agreements = agreements

    # questions

    def asked(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a question, or say when, or refuse it: each stands in the ledger.

        Of the values nothing is learned but how many they are.
        """
        question = _question(body)
        work.kernel.rows.alone(work.session, f"sharing.match.{code}")
        row = work.session.scalar(
            select(MatchAskedRow).where(
                MatchAskedRow.peer == code, MatchAskedRow.number == question.number
            )
        )
        if row is None:
            row = self._entered(work, code, question)
        elif row.digest != question.digest:
            raise Conflict(
                "Another question came under this number before.", advice="Ask under a new one."
            )
        if row.refused:
            return {"refused": row.refused}
        # an answer that was to wait, or is asked for again: what was agreed may have ended
        if said := self._not_agreed(work, code, question):
            return {"refused": said}
        if work.now < row.due_at:
            return {"due": format_time(row.due_at)}
        if row.times >= _TIMES:
            raise TooMany(
                f"This question was answered {_TIMES} times.", advice="Ask under a new number."
            )
        held = _set(work.session, code, question.kind)
        if held is None or held.epoch != question.epoch:
            raise Conflict(
                "What is held was prepared anew under another key.",
                advice="Wait for the new set, and ask again.",
            )
        key = self.key(held)
        evaluated = FUNCTION.evaluate(key, question.elements)
        proof = FUNCTION.prove(key, question.elements, evaluated)
        row.times += 1
        row.answered_at = row.answered_at or work.now
        return {"evaluated": to_text(group.joined(evaluated)), "proof": to_text(proof)}

    def key(self, row: MatchSetRow) -> Key:
        """The key of a set; a peer, a kind and an epoch have one of their own."""
        seed = bytes.fromhex(self._sealing.open(row.seed, f"match:{row.id}"))
        return key_of(seed, f"{row.peer}|{row.kind}|{row.epoch}".encode())

    def _entered(self, work: Work, code: str, question: _Question) -> MatchAskedRow:
        terms = terms_of(work.session, code, GIVEN)
        refused = self._not_agreed(work, code, question) or _refusal(work, code, question, terms)
        delay = timedelta(seconds=terms.delay_s if terms else 0)
        row = MatchAskedRow(
            id=new_id(), agency=work.kernel.agency, mark=Mark.AMBER, created_at=work.now,
            peer=code, number=question.number, kind=question.kind.value,
            count=len(question.elements), authority=question.authority,
            purpose=question.purpose, digest=question.digest, due_at=work.now + delay,
            refused=refused, times=0,
        )  # fmt: skip
        work.session.add(row)
        work.act(
            "sharing.match.answer", Thing("match_asked", row.id, row.agency, Mark.GREEN),
            peer=code, kind=row.kind, count=row.count, authority=row.authority,
            purpose=row.purpose, refused=bool(refused),
        )  # fmt: skip
        return row

    def _not_agreed(self, work: Work, code: str, question: _Question) -> str:
        """Which clause of an agreement is against a question, in words, or nothing."""
        try:
            require(
                self._agreements, work.session, work.now, work.kernel.agency, code,
                CLASSES[question.kind], PURPOSES[Purpose(question.purpose)],
                "sharing.match.answer", Thing.room("sharing", work.kernel.agency),
            )  # fmt: skip
        except NotAgreed as no:
            return no.message
        return ""

    # terms and sets

    def terms(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Keep what a peer says may be asked of it; sets of other kinds are forgotten."""
        terms = Terms.from_json(body.get("terms"))
        keep_terms(work, code, HAD, terms, f"node:{code}")
        work.session.execute(
            delete(MatchTheirsRow).where(
                MatchTheirsRow.peer == code, MatchTheirsRow.kind.not_in(list(terms.kinds))
            )
        )

    def came(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Take a part of a peer's set; with the last one it takes the place of the one before."""
        kind, epoch, version = _head(body)
        part, parts, public = body.get("part"), body.get("parts"), body.get("public")
        if (
            type(part) is not int or type(parts) is not int
            or not 0 <= part < parts <= MOST_PARTS
            or not isinstance(public, str) or not _PUBLIC.fullmatch(public)
        ):  # fmt: skip
            raise BadInput("A part of a set is malformed.")
        row = theirs(work.session, code, kind)
        if row is None:
            row = MatchTheirsRow(
                id=new_id(), agency=work.kernel.agency, mark=Mark.AMBER, created_at=work.now,
                peer=code, kind=kind.value, epoch=epoch, version=0, public=public, size=0,
                tags=b"", coming=b"", parts=0, came_at=work.now,
            )  # fmt: skip
            work.session.add(row)
        if part == 0:
            row.coming, row.parts = b"", 0
        if part != row.parts:
            return  # one is missing: the set before stays, and the next whole one heals it
        row.coming, row.parts = row.coming + to_bytes(body.get("data")), part + 1
        if row.parts < parts:
            return
        tags = filters.unpack(row.coming)
        row.coming, row.parts = b"", 0
        row.epoch, row.version, row.public = epoch, version, public
        row.tags, row.size, row.came_at = kept(tags), len(tags), work.now

    def changed(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Bring a peer's set up to date."""
        kind, epoch, version = _head(body)
        row = theirs(work.session, code, kind)
        if row is None:
            return  # its terms took the kind away meanwhile
        out, into = (filters.unpack(to_bytes(body.get(name))) for name in ("out", "into"))
        try:
            if (row.epoch, row.version) != (epoch, body.get("base")):
                raise BadInput("A change is for another set.")
            tags = filters.changed(read(row.tags), out, into)
        except BadInput:
            # to refuse it would hold up every message of the peer; nothing is asked against it
            row.tags, row.size, row.version = b"", 0, OUT_OF_STEP
            return
        row.tags, row.size, row.version, row.came_at = kept(tags), len(tags), version, work.now


def _refusal(work: Work, code: str, question: _Question, terms: Terms | None) -> str:
    """Why a question is not answered, or nothing."""
    if terms is None or question.kind not in terms.kinds:
        return f"Nothing of the kind {question.kind} may be asked here."
    if question.purpose not in terms.purposes:
        return "The terms do not name this purpose."
    if len(question.elements) > terms.batch:
        return f"A question has at most {terms.batch} values."
    since = work.now - _DAY
    today = work.session.scalar(
        select(func.sum(MatchAskedRow.count)).where(
            MatchAskedRow.peer == code, MatchAskedRow.created_at > since,
            MatchAskedRow.refused == "",
        )
    )  # fmt: skip
    if int(today or 0) + len(question.elements) > terms.daily:
        return f"In 24 hours at most {terms.daily} values are answered."
    return ""


def _question(body: dict[str, Any]) -> _Question:
    number, kind, epoch = body.get("id"), body.get("kind"), body.get("epoch")
    authority, purpose = body.get("authority"), body.get("purpose")
    if (
        not isinstance(number, str) or not is_id(number) or kind not in list(Kind)
        or type(epoch) is not int or not isinstance(authority, str)
        or not 0 < len(authority.strip()) <= len(authority) <= _LONGEST_REFERENCE
        or not authority.isprintable() or purpose not in list(Purpose)
    ):  # fmt: skip
        raise BadInput(
            "A question has an id, a kind, an epoch, a purpose and the reference of an authority."
        )
    elements = group.split(to_bytes(body.get("elements")))
    if not 0 < len(elements) <= MOST_BATCH:
        raise BadInput(f"A question has 1 to {MOST_BATCH} values.")
    return _Question(number, Kind(kind), epoch, elements, authority, str(purpose))


def _head(body: dict[str, Any]) -> tuple[Kind, int, int]:
    kind, epoch, version = body.get("kind"), body.get("epoch"), body.get("version")
    if kind not in list(Kind):
        raise BadInput("A set has a kind, an epoch and a version.")
    return Kind(kind), _number(epoch), _number(version)


def _number(said: Any) -> int:
    if type(said) is not int or not 0 < said <= _MOST_NUMBER:
        raise BadInput("A set has a kind, an epoch and a version.")
    return said


def terms_of(session: Session, peer: str, way: str) -> Terms | None:
    """The terms with a peer, one way."""
    row = session.scalar(
        select(MatchTermsRow).where(MatchTermsRow.peer == peer, MatchTermsRow.way == way)
    )
    return row.to_terms() if row is not None else None


def keep_terms(work: Work, peer: str, way: str, terms: Terms, by: str) -> None:
    """Keep terms in the place of those before."""
    row = work.session.scalar(
        select(MatchTermsRow).where(MatchTermsRow.peer == peer, MatchTermsRow.way == way)
    )
    if row is None:
        row = MatchTermsRow(
            id=new_id(), agency=work.kernel.agency, mark=Mark.GREEN, created_at=work.now,
            peer=peer, way=way,
        )  # fmt: skip
        work.session.add(row)
    row.body, row.set_by, row.set_at = dict(terms.to_json()), by, work.now


def _set(session: Session, peer: str, kind: Kind) -> MatchSetRow | None:
    return session.scalar(
        select(MatchSetRow).where(MatchSetRow.peer == peer, MatchSetRow.kind == kind.value)
    )


def theirs(session: Session, peer: str, kind: Kind) -> MatchTheirsRow | None:
    """A peer's set of a kind, as it is kept here."""
    return session.scalar(
        select(MatchTheirsRow).where(MatchTheirsRow.peer == peer, MatchTheirsRow.kind == kind.value)
    )


def kept(tags: filters.Tags) -> bytes:
    """Tags as a column holds them."""
    return tags.astype("<u8").tobytes()


def read(column: bytes) -> filters.Tags:
    """Tags of a column."""
    return np.frombuffer(column, "<u8").astype(np.uint64)


def to_bytes(text: Any) -> bytes:
    """What base64 of a message says; BadInput where it is none."""
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("That is no base64.") from None


def to_text(data: bytes) -> str:
    """Bytes as a message has them."""
    return base64.b64encode(data).decode()


def check_terms(terms: Terms | None, kind: Kind, purpose: Purpose, count: int, peer: str) -> Terms:
    """The terms, where a question lies within them; so that it is not sent in vain."""
    if terms is None or kind not in terms.kinds:
        raise NotFound(
            f"{peer} does not answer questions of the kind {kind}.",
            advice="Its terms say what may be asked: cordon match list.",
        )
    if purpose not in terms.purposes:
        raise BadInput(f"{peer} does not answer for the purpose {purpose}.")
    if count > terms.batch:
        raise BadInput(
            f"{peer} answers at most {terms.batch} values at once.",
            advice="Ask in several questions.",
        )
    return terms
