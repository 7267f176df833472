"""Both halves of witnessing: this node cosigns others' checkpoints, and has its own cosigned."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, event, func, select
from sqlalchemy.orm import Session

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, CordonError, DoesNotVerify, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.ledger import merkle, notes
from cordon.kernel.ledger.checkpoint import Checkpoint, add_witness, open_checkpoint, read
from cordon.kernel.ledger.notes import COSIGNATURE, Verifier
from cordon.kernel.ledger.witnessed import Cosigned, cosigned, keep_cosigned
from cordon.kernel.work import Work
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.outbox import ask
from cordon.sharing.witness import form, rewritten
from cordon.sharing.witness.model import Evidence, Watched, Wrong
from cordon.sharing.witness.tables import ClaimRow, EvidenceRow, WatchedRow

log = logging.getLogger(__name__)
AGAIN = timedelta(hours=1)
"""So often a checkpoint is given anew where nothing was entered: a cosignature has a time."""
MOST_PASSED_ON = 20
MOST_REMEMBERED = 256  # checkpoints of one ledger
MOST_LINE = 500  # bytes of a cosignature's line
VIEW = "sharing.witness.view"


class Witnesses:
    """The witness of others' ledgers, and the one who has its own witnessed."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.kernel = nodes.kernel
        self.ledger = nodes.kernel.ledger
        self.wake = threading.Event()
        self._fit: dict[str, dict[int, str]] = {}  # roots by size that fit, of each ledger
        nodes.on_asked("witness.keys", self._keys, quiet=True)
        nodes.on_asked("witness.add_checkpoint", self._add, quiet=True)
        nodes.on_asked("witness.prove", self._prove, quiet=True)

    @property
    def cosigner(self) -> Verifier:
        """The key by which this node cosigns."""
        ledger = self.ledger
        return Verifier.of(ledger.origin, ledger.key.public_key(), COSIGNATURE)

    # for officers

    def watched(self, actor: Actor) -> list[Watched]:
        """Every ledger that is witnessed here, by code."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            claims = view.session.execute(
                select(ClaimRow.code, func.count()).group_by(ClaimRow.code)
            ).all()
            counts = {row[0]: row[1] for row in claims}
            rows = view.session.scalars(select(WatchedRow).order_by(WatchedRow.code))
            return [row.to_watched(counts.get(row.code, 0)) for row in rows]

    def cosigned(self, actor: Actor) -> list[Cosigned]:
        """Who cosigned what of this node's own ledger."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
        return cosigned(self.kernel.rows)

    def evidence(self, actor: Actor) -> list[Evidence]:
        """What speaks against other ledgers, the newest first."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self._room())
            rows = view.session.scalars(
                select(EvidenceRow).order_by(EvidenceRow.created_at.desc()).limit(200)
            )
            return [row.to_evidence() for row in rows]

    # what peers ask

    def _keys(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"log": str(self.ledger.verifier), "witness": str(self.cosigner)}

    def _prove(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """A proof between two sizes of our own ledger; none where it is shorter."""
        ledger, old, new = self.ledger, body.get("old"), body.get("new")
        if type(old) is not int or type(new) is not int or not 0 <= old <= new:
            raise BadInput("A proof is asked for by an old and a new size.")
        size = ledger.size()
        if new > size:
            return {"size": size}
        return {"size": size, "proof": [notes.encode(h) for h in ledger.consistency(old, new)]}

    def _add(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint of the peer's own ledger, and what it has seen of others'.

        The statuses are those of tlog-witness.
        """
        row = _row(work.session, code)
        self._take_seen(work, code, body.get("seen"))
        if row is None:
            return {"status": 404}  # its keys are asked for with the next round
        given, new, status = _opened(row, body.get("checkpoint"))
        if given is None or new is None:
            return {"status": status}
        root = bytes.fromhex(row.root)
        fits = given.old == row.size and merkle.verify_consistency(
            row.size, new.size, given.proof, root, new.root
        )
        if not fits:
            if given.old == row.size or new.size <= row.size:
                self._claim(work, row, new, given.note, code)
            return {"status": 422 if given.old == row.size else 409, "size": row.size}
        shown = (row.size, row.root), (new.size, new.root.hex())
        row.size, row.root, row.note = new.size, new.root.hex(), _bare(given.note)
        row.seen_at = work.now
        event.listen(
            work.session, "after_commit", lambda _s: self._fits(code, *shown), once=True
        )  # fmt: skip
        signed = add_witness(row.note, self.cosigner.name, self.ledger.key, work.now)
        return {"status": 200, "cosignature": signed.removeprefix(row.note)}

    def _take_seen(self, work: Work, teller: str, seen: object) -> None:
        """Checkpoints of third ledgers that a peer was shown: they must fit those shown here."""
        for note in seen[:MOST_PASSED_ON] if isinstance(seen, list) else []:
            if not isinstance(note, str) or len(note) > form.MOST_NOTE:
                continue
            origin = note.partition("\n")[0]
            for row in work.session.scalars(
                select(WatchedRow).where(WatchedRow.origin == origin, WatchedRow.code != teller)
            ).all():
                try:
                    self._claim(work, row, open_checkpoint(note, row.key), note, teller)
                except CordonError:
                    continue  # not signed by that ledger: it says nothing of it

    def _fits(self, code: str, *checkpoints: tuple[int, str]) -> None:
        """Remember checkpoints up to the one kept here, which it continues: who tells of them
        is right. None past it: the ledger may yet go on from here in another way.
        """
        known = self._fit.setdefault(code, {})
        known.update(checkpoints)
        while len(known) > MOST_REMEMBERED:
            del known[next(iter(known))]

    def _claim(self, work: Work, row: WatchedRow, new: Checkpoint, note: str, teller: str) -> None:
        """Keep a signed checkpoint until its ledger has shown that it fits."""
        if (new.size, new.root.hex()) == (row.size, row.root) or not new.size:
            return
        if self._fit.get(row.code, {}).get(new.size) == new.root.hex():
            return
        known = work.session.scalar(
            select(ClaimRow).where(ClaimRow.code == row.code, ClaimRow.told_by == teller)
        )
        if known is None:
            work.session.add(
                ClaimRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                    code=row.code, told_by=teller, size=new.size, note=_bare(note),
                )
            )  # fmt: skip
            event.listen(work.session, "after_commit", lambda _s: self.wake.set(), once=True)

    # a round

    def round(self) -> None:
        """Give our checkpoint to every peer that has not seen it, and settle what is open.

        All are given the same one, so that what they tell each other is what each knows.
        """
        note = self.ledger.checkpoint()
        for peer in self.nodes.trusted():
            try:
                self._give(peer.code, note)
            except CordonError as wrong:
                log.info("%s does not witness: %s", peer.code, wrong)
        self.settle()

    def _give(self, code: str, note: str) -> None:
        watched, now = self._meet(code), self.kernel.clock.now()
        size = read(notes.parse_note(note)[0]).size
        lately = watched.given_at is not None and now - watched.given_at < AGAIN
        if not size or (watched.given == size and lately and not watched.refused):
            return
        seen = self._seen_of_others(code)
        old = min(watched.given, size)
        for _ in range(2):
            proof = self.ledger.consistency(old, size)
            body = {"checkpoint": form.write(old, proof, note), "seen": seen}
            said = ask(self.nodes, code, "witness.add_checkpoint", body)
            status, theirs = said.get("status"), said.get("size")
            if status == 200:
                line = str(said.get("cosignature"))
                if line.count("\n") != 1 or len(line) > MOST_LINE:
                    raise Unavailable(f"{code} gave no cosignature.")
                self._cosigned(code, note + line, Verifier.parse(watched.cosigner))
                return
            if status != 409 or type(theirs) is not int or not 0 <= theirs <= size or theirs == old:
                break
            old = theirs
        if status == 404:  # it has not asked for our key yet
            return
        ahead = type(theirs) is int and theirs > size
        why = f"It has seen {theirs} entries, this ledger has {size}." if ahead else (
            f"It does not cosign (status {str(status)[:10]}): it may have seen another history."
        )  # fmt: skip
        log.error("%s does not cosign this ledger: %s", code, why)
        with self.kernel.rows.write() as session:
            if (row := _row(session, code)) is not None:
                row.refused = why

    def _cosigned(self, code: str, note: str, witness: Verifier) -> None:
        with self.kernel.rows.write() as session:
            kept = keep_cosigned(session, note, witness, self.ledger.verifier)
            if (row := _row(session, code)) is not None:
                row.given, row.given_at, row.refused = kept.size, self.kernel.clock.now(), ""

    def _meet(self, code: str) -> Watched:
        """A peer's ledger; its keys are asked for at the first time, and pinned."""
        with self.kernel.rows.read() as session:
            if (row := _row(session, code)) is not None:
                return row.to_watched()
        said = ask(self.nodes, code, "witness.keys", {})
        try:
            key, cosigner = Verifier.parse(str(said["log"])), Verifier.parse(str(said["witness"]))
        except (KeyError, BadInput):
            raise Unavailable(f"{code} gave no keys of a ledger and a witness.") from None
        if key.kind == COSIGNATURE or cosigner.kind != COSIGNATURE or len(key.name) > 200:
            raise Unavailable(f"{code} gave keys of another kind.")
        with self.kernel.work(self.kernel.node) as work:
            row = WatchedRow(
                id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                code=code, origin=key.name, key=str(key), cosigner=str(cosigner), size=0,
                root=merkle.EMPTY_ROOT.hex(), note="", given=0, refused="",
            )  # fmt: skip
            work.session.add(row)
            work.act("sharing.witness.watch", self._thing(code), code=code, key=key.fingerprint)
            return row.to_watched()

    def _seen_of_others(self, code: str) -> list[str]:
        with self.kernel.rows.read() as session:
            found = session.scalars(
                select(WatchedRow.note)
                .where(WatchedRow.code != code, WatchedRow.size > 0)
                .order_by(WatchedRow.seen_at.desc())
                .limit(MOST_PASSED_ON)
            )
            return list(found)

    def settle(self, *, newer: bool = True) -> None:
        """Ask the ledgers of which a peer has shown what does not fit, or is not known to.

        Args:
            newer: also of what only goes on past what was shown here, which is mostly on its way.
        """
        with self.kernel.rows.read() as session:
            claims = list(
                session.execute(
                    select(ClaimRow.code, ClaimRow.told_by, ClaimRow.note, ClaimRow.created_at)
                )
            )
        for code, teller, note, at in claims:
            try:
                self._settle(code, teller, note, at, newer=newer)
            except CordonError as wrong:
                log.warning("a checkpoint of %s stays open: %s", code, wrong)

    def _settle(
        self, code: str, teller: str, note: str, at: datetime, *, newer: bool
    ) -> None:  # fmt: skip
        """Ask a ledger whether two checkpoints that it signed fit."""
        with self.kernel.rows.read() as session:
            row = _row(session, code)
            if row is None:
                return
            watched = row.to_watched()
        claim = read(notes.parse_note(note)[0])
        if self._fit.get(code, {}).get(claim.size) == claim.root.hex():
            self._settled(watched, teller, note, None)
            return
        if claim.size > watched.size and not newer:
            return
        low, high = sorted(
            ((watched.size, watched.root), (claim.size, claim.root)), key=lambda one: one[0]
        )
        if low[0] == high[0]:
            self._settled(watched, teller, note, None if low == high else Wrong.FORK)
            return
        patience = timedelta(minutes=rewritten.CARD.values()["silent_min"])
        try:
            said = ask(self.nodes, code, "witness.prove", {"old": low[0], "new": high[0]})
        except CordonError:
            if self.kernel.clock.now() - at > patience:
                self._settled(watched, teller, note, Wrong.SILENT)
            return
        proof = form.hashes(said.get("proof"))
        if proof is not None and merkle.verify_consistency(low[0], high[0], proof, low[1], high[1]):
            if claim.size <= watched.size:
                self._fits(code, (claim.size, claim.root.hex()))
            self._settled(watched, teller, note, None)
        elif teller != code:
            self._settled(watched, teller, note, Wrong.SPLIT)
        else:
            shrunk = claim.size < watched.size
            self._settled(watched, teller, note, Wrong.SHRUNK if shrunk else Wrong.REWRITTEN)

    def _settled(self, watched: Watched, teller: str, note: str, wrong: Wrong | None) -> None:
        """End a claim: as fitting, or as evidence that wakes people."""
        with self.kernel.work(self.kernel.node) as work:
            work.session.execute(
                delete(ClaimRow).where(
                    ClaimRow.code == watched.code, ClaimRow.told_by == teller, ClaimRow.note == note
                )
            )
            if wrong is None:
                return
            text = "\n".join((watched.code, wrong, *sorted((watched.note, note))))
            digest = hashlib.sha256(text.encode()).hexdigest()
            if work.session.scalar(select(EvidenceRow.id).where(EvidenceRow.digest == digest)):
                return
            other = read(notes.parse_note(note)[0]).size
            finding = rewritten.found(wrong, watched, other, teller, work.now)
            work.session.add(
                EvidenceRow(
                    id=new_id(), agency=self.kernel.agency, mark=Mark.AMBER, created_at=work.now,
                    code=watched.code, wrong=wrong, one=watched.note, other=note, told_by=teller,
                    says=rewritten.says(wrong, watched, other, teller), finding=finding.id,
                    digest=digest,
                )
            )  # fmt: skip
            leads.keep(work, [finding], {rewritten.CARD.name: rewritten.CARD})
            work.act(
                "sharing.witness.accuse", self._thing(watched.code), code=watched.code,
                wrong=wrong.value, seen=watched.size, shown=other, told_by=teller,
            )  # fmt: skip
        log.error(
            "the ledger of %s: %s", watched.code, rewritten.says(wrong, watched, other, teller)
        )

    def _room(self) -> Thing:
        return Thing.room("sharing", self.kernel.agency)

    def _thing(self, code: str) -> Thing:
        return Thing("node", code, self.kernel.agency, Mark.GREEN)


def _opened(row: WatchedRow, body: object) -> tuple[form.Given | None, Checkpoint | None, int]:
    """What was given, the checkpoint in it, and the status where that is none of this ledger."""
    try:
        given = form.read(body)
    except BadInput:
        return None, None, 400
    try:
        new = open_checkpoint(given.note, row.key)
    except DoesNotVerify:
        return None, None, 403
    if new.origin != row.origin:
        return None, None, 403
    return (None, None, 400) if given.old > new.size else (given, new, 200)


def _row(session: Session, code: str) -> WatchedRow | None:
    return session.scalar(select(WatchedRow).where(WatchedRow.code == code))


def _bare(note: str) -> str:
    """A checkpoint with its ledger's own signature alone."""
    text, _ = notes.parse_note(note)
    lines = note[len(text) + 1 :].splitlines(keepends=True)
    origin = text.partition("\n")[0]
    own = next(
        one for one in lines
        if one.startswith(f"\N{EM DASH} {origin} ")
        and len(notes.decode(one.split(" ")[2].strip())) == 68
    )  # fmt: skip
    return f"{text}\n{own}"
