"""Subjects under a key of two nodes: the same to both, nothing to anybody else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from cryptography.x509 import Certificate
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Thing
from cordon.sharing.agreements.asking import NotAgreed, question
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.model import DataClass, Purpose
from cordon.sharing.deconfliction.model import LIVE
from cordon.sharing.deconfliction.tables import CheckRow, PartyRow, PlannedActRow, SubjectTokenRow
from cordon.sharing.nodes.desk import Nodes

PURPOSE = b"cordon deconfliction subjects v1"
_BATCH = 5_000


class Party:
    """An agency that planned acts are checked with: another one's node, or this one's own.

    Attributes:
        code: the agency's. key_id: first 16 hex digits of the key's SHA-256.
    """

    def __init__(self, code: str, key: bytes) -> None:
        self.code = code
        self._key = key
        self.key_id = hashlib.sha256(key).hexdigest()[:16]

    def token(self, subject: str) -> str:
        """A subject under the pair's key: HMAC-SHA-256, its first 128 bits in hex."""
        return hmac.digest(self._key, b"subject\n" + subject.encode(), "sha256").hex()[:32]

    def joint(self, name: str) -> str | None:
        """A joint act's name under the pair's key; None where it is none."""
        if not name:
            return None
        return hmac.digest(self._key, b"joint\n" + name.encode(), "sha256").hex()[:32]


class Parties:
    """This agency and those with which planned acts are checked now, each with its key.

    These are trusted nodes with which an agreement in force names `deconfliction` for the safety
    of life, both ways: a check tells each side of the other.
    """

    def __init__(self, nodes: Nodes, agreements: Agreements) -> None:
        self._nodes = nodes
        self._agreements = agreements
        self._known: dict[tuple[Certificate, str], Party] = {}

    def all(self) -> list[Party]:
        """All of them, this agency first."""
        own = self._party(self._nodes.kernel.agency, self._nodes.keys.pem)
        trusted = self._nodes.trusted()
        if not trusted:
            return [own]
        with self._nodes.kernel.rows.read() as session:
            kept = self._against(session, [p.code for p in trusted])
        agreed = [p for p in trusted if not kept[p.code]]
        return [own, *(self._party(p.code, p.certificate) for p in agreed)]

    def unagreed(self) -> list[str]:
        """Codes of trusted agencies that are not asked, because nothing of it is agreed."""
        asked = {p.code for p in self.all()}
        return sorted(p.code for p in self._nodes.trusted() if p.code not in asked)

    def against(self, session: Session, code: str) -> tuple[str, ...]:
        """The clauses against checking with another agency; none where it is agreed."""
        return self._against(session, [code])[code] if code != self._nodes.kernel.agency else ()

    def _against(self, session: Session, codes: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """As `against`, for many: the agreements are read once."""
        here, now = self._nodes.kernel.agency, self._nodes.kernel.clock.now()
        ways = [way for code in codes for way in ((here, code), (code, here))]
        asked = [question(*way, DataClass.DECONFLICTION, Purpose.LIFE, now) for way in ways]
        said = self._agreements.decides_at(session, now, asked)
        return {
            code: said[2 * at].against or said[2 * at + 1].against for at, code in enumerate(codes)
        }

    def require(self, session: Session, code: str) -> None:
        """Raise NotAgreed where `against` names a clause."""
        if found := self.against(session, code):
            here = self._nodes.kernel.agency
            raise NotAgreed(
                here, code, DataClass.DECONFLICTION.value, found, "sharing.node.ask",
                Thing("node", code, here),
            )  # fmt: skip

    def one(self, code: str) -> Party:
        """One of them; raises NotFound."""
        if code == self._nodes.kernel.agency:
            return self._party(code, self._nodes.keys.pem)
        return self._party(code, self._nodes.peer(code).certificate)

    def _party(self, code: str, certificate: str) -> Party:
        known = (self._nodes.keys.certificate, certificate)  # either key may change
        found = self._known.get(known)
        if found is None:
            found = Party(code, self._nodes.keys.shared(certificate, PURPOSE))
            self._known[known] = found
        return found


def token_rows(act: str, subjects: Iterable[str], parties: Iterable[Party]) -> list[dict[str, str]]:
    """The tokens of one act for parties, as rows."""
    return [
        {"token": p.token(s), "act": act, "key": p.key_id} for p in parties for s in set(subjects)
    ]


def ready(session: Session, parties: Sequence[Party]) -> None:
    """Give every live act its tokens, and a check that waits, for parties that are new here.

    The caller is alone (`Rows.alone`): an act that is entered meanwhile would be left out.
    """
    known = {row.code: row for row in session.scalars(select(PartyRow))}
    new = [p for p in parties if p.code not in known or known[p.code].key != p.key_id]
    if not new:
        return
    live = select(PlannedActRow.id, PlannedActRow.subjects, PlannedActRow.revision).where(
        PlannedActRow.state.in_(LIVE)
    )
    acts = session.execute(live).all()
    for party in new:
        row = known.get(party.code)
        if row is not None:
            session.execute(delete(SubjectTokenRow).where(SubjectTokenRow.key == row.key))
            row.key = party.key_id
        else:
            session.add(PartyRow(code=party.code, key=party.key_id))
        rows = [r for id_, subjects, _ in acts for r in token_rows(id_, subjects, [party])]
        for at in range(0, len(rows), _BATCH):
            session.execute(insert(SubjectTokenRow), rows[at : at + _BATCH])
        if row is None:
            _ask_all(session, party, {id_: revision for id_, _, revision in acts})
    session.flush()


def ready_all(session: Session, parties: Sequence[Party]) -> None:
    """As `ready`, where these are all parties there are: one that is none any more is forgotten.

    What is entered while it is away has no tokens for it and asks it nothing. Forgotten, it is new
    when it comes back, though its key be the same: it is asked about all, and finds all.
    """
    codes = {p.code for p in parties}
    left = [row for row in session.scalars(select(PartyRow)) if row.code not in codes]
    for row in left:
        session.execute(delete(SubjectTokenRow).where(SubjectTokenRow.key == row.key))
        session.delete(row)
    if left:
        session.flush()
    ready(session, parties)


def _ask_all(session: Session, party: Party, revisions: Mapping[str, int]) -> None:
    """Let a check of each live act (id to revision) wait for a party.

    One that came back may have been asked before: what it entered since then it could not tell.
    """
    asked = set(session.scalars(select(CheckRow.act).where(CheckRow.party == party.code)))
    again = [id_ for id_ in revisions if id_ in asked]
    for at in range(0, len(again), _BATCH):
        session.execute(
            update(CheckRow)
            .where(CheckRow.party == party.code, CheckRow.act.in_(again[at : at + _BATCH]))
            .values(waits=True)
        )
    waiting = [
        {"act": id_, "party": party.code, "revision": revision, "waits": True}
        for id_, revision in revisions.items()
        if id_ not in asked
    ]
    for at in range(0, len(waiting), _BATCH):
        session.execute(insert(CheckRow), waiting[at : at + _BATCH])
