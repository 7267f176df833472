"""Releases as they are kept, what other nodes say of them, and their removal."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cordon.kernel.access.model import Thing
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.model import Doing, Marks, Purpose, Question
from cordon.sharing.hearing import carefully
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.keys import check
from cordon.sharing.releases.following import Following
from cordon.sharing.releases.model import (
    GONE,
    MOST_PARTS,
    Part,
    ReleaseState,
    Use,
    Way,
    digest,
    marks_of,
    plain_marks,
)
from cordon.sharing.releases.steps import note, row_of, thing_of
from cordon.sharing.releases.tables import ReleaseRow, ReleaseStepRow

TAKE, REMOVE = "sharing.release.take", "sharing.release.remove"
_PROOF = b"cordon release proof v1\n"
SWEPT = 100


class Kept(Following):
    """What this node keeps of releases, and hears of them."""

    def __init__(self, kernel: Kernel, nodes: Nodes, agreements: Agreements) -> None:
        self.kernel = kernel
        self.nodes = nodes
        self.agreements = agreements
        for word, handler in (
            ("sent", self._came), ("receipt", self._receipt), ("refused", self._refused),
            ("recall", self._asked_back), ("removed", self._removed),
            ("corrected", self._corrected), ("allowed", self._allowed),
            ("feedback", self._told), ("used", self._told),
        ):  # fmt: skip
            nodes.on_told(f"release.{word}", carefully(f"release.{word}", handler))

    # at the receiver

    def _came(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """A release of another agency; one that no agreement lets in is refused, with why."""
        id_ = str(UUID(body["id"]))
        try:
            with work.session.begin_nested():
                row = self._taken(work, code, id_, body)
        except CordonError as no:
            thing = Thing("release", id_, self.kernel.agency)
            work.act(TAKE, thing, peer=code, refused=str(no.message)[:200])
            self.nodes.tell(
                work, code, "release.refused", {"id": id_, "why": str(no.message)[:300]}
            )
            return
        work.act(TAKE, thing_of(row), peer=code, agreement=row.agreement, sha256=row.sha256)
        said = {"release": id_, "what": "received", "sha256": row.sha256}
        self.nodes.tell(work, code, "release.receipt", self._proof(work, id_, said))

    def _taken(self, work: Work, code: str, id_: str, body: dict[str, Any]) -> ReleaseRow:
        if work.session.get(ReleaseRow, id_) is not None:
            raise Conflict("A release of that id is here already.")
        given = body["parts"]
        if not isinstance(given, list) or not 0 < len(given) <= MOST_PARTS:
            raise BadInput(f"A release has 1 to {MOST_PARTS} parts.")
        parts = [Part.read(one) for one in given]
        if digest([p.plain() for p in parts]) != body["sha256"]:
            raise BadInput("The release's parts are not those of its hash.")
        marks = Marks.strictest([marks_of(body["marks"]), *(Marks(p.mark) for p in parts)])
        agreement = self.agreements.one(work, str(body["agreement"]))
        if agreement.terms.party(code) is None:
            raise BadInput("Its agreement is not with the agency that sends it.")
        purpose, classes = Purpose(body["purpose"]), sorted({p.class_ for p in parts})
        permission = self._permission_given(code, body)
        answers = self.agreements.decides_all(
            work,
            [
                Question(
                    Doing.SEE, self.kernel.agency, agreement.terms.roles, code,
                    str(body["originator"]), class_, purpose, marks.mark, marks.handling,
                    marks.caveats, work.now, permission is not None, grade=marks.grade,
                )
                for class_ in classes
            ],
            agreement.id,
        )  # fmt: skip
        if not all(a.allowed for a in answers):
            against = sorted({c for a in answers for c in a.against})
            raise BadInput("The agreement does not allow it: " + ", ".join(against) + ".")
        longest = work.now + timedelta(days=agreement.terms.retention_days)
        row = ReleaseRow(
            id=id_, agency=self.kernel.agency, mark=marks.mark, created_at=work.now,
            way=Way.RECEIVED, peer=code, originator=str(body["originator"])[:40],
            agreement=agreement.id, purpose=purpose, marks=plain_marks(marks),
            state=ReleaseState.HELD, parts=[p.plain() for p in parts], sha256=body["sha256"],
            asked_by=f"agency:{code}", expires_at=min(longest, parse_time(body["expires_at"])),
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        note(work, row, "came", {"classes": classes, **(permission or {})})
        return row

    def _permission_given(self, code: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The word of the agency that it came from first, that it may come here; or None.

        Whether its key signed that is checked where its node is known here; where it is not, it is
        the giver's word, and kept as such.
        """
        given, originator = body.get("permission"), str(body["originator"])
        if given is None or originator == code:
            return None
        said = said_in(given["proof"])
        told = (said.get("what"), said.get("agency"), said.get("to"), said.get("sha256"))
        if told != ("onward", originator, self.kernel.agency, body["sha256"]):
            raise BadInput("The permission to pass it on is for something else.")
        signed = self._signed(originator, given)
        return {
            "proof": given["proof"], "signature": str(given["signature"])[:4000],
            "permission": "signed" if signed else "not_checked",
        }  # fmt: skip

    def _asked_back(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.RECEIVED)
        why = str(body["why"])[:500]
        self._remove(work, row, ReleaseState.RECALLED, why)

    def _remove(self, work: Work, row: ReleaseRow, state: ReleaseState, why: str) -> None:
        """Remove the content, and answer with proof that it is gone."""
        row.parts, row.state = [], state
        steps = work.session.scalars(
            select(ReleaseStepRow).where(ReleaseStepRow.release == row.id)
        ).all()
        for step in steps:  # what was corrected or answered may repeat what was removed
            if step.what in ("corrected", "feedback", "used"):
                kept = ("ref", "use", "doing")
                step.detail = {k: v for k, v in step.detail.items() if k in kept}
        work.act(REMOVE, thing_of(row), peer=row.peer, what=state.value, sha256=row.sha256)
        said = {
            "release": row.id,
            "what": state.value,
            "sha256": row.sha256,
            "used": sum(s.what == "used" for s in steps),
        }
        proof = self._proof(work, row.id, said)
        self.nodes.tell(work, row.peer, "release.removed", proof)
        note(work, row, state.value, {"why": why, **proof})
        self.gone_too(work, row, why)

    def _corrected(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.RECEIVED)
        ref, why = str(body["ref"])[:80], str(body["why"])[:500]
        if row.state != ReleaseState.HELD:
            return
        if body["part"] is not None:
            part = Part.read(body["part"])
            before = next((p for p in row.parts if p["ref"] == ref), None)
            looser = part.ref != ref or before is None or before["class"] != part.class_
            if looser or part.mark.rank > marks_of(row.marks).mark.rank:
                raise BadInput("The correction is of something else than was given.")
            row.parts = [part.plain() if p["ref"] == ref else p for p in row.parts]
            row.sha256 = digest(row.parts)
        work.act(TAKE, thing_of(row), peer=code, corrected=ref)
        note(work, row, "corrected", {"ref": ref, "why": why})
        self.corrected_too(work, row, ref, why, body["part"])

    def _allowed(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.RECEIVED)
        doing = Doing(body["doing"])
        if row.originator != code:
            raise BadInput("Only the agency that it came from first permits that.")
        work.act(TAKE, thing_of(row), peer=code, allowed=doing.value)
        note(work, row, "allowed", {"doing": doing.value})

    def sweep(self) -> int:
        """Remove what was received and whose time is past; how many."""
        with self.kernel.work(self.kernel.node) as work:
            rows = work.session.scalars(
                select(ReleaseRow)
                .where(
                    ReleaseRow.way == Way.RECEIVED, ReleaseRow.state == ReleaseState.HELD,
                    ReleaseRow.expires_at <= work.now,
                )
                .order_by(ReleaseRow.expires_at)
                .limit(SWEPT)
            ).all()  # fmt: skip
            for row in rows:
                trusted = {p.code for p in self.nodes.trusted()}
                if row.peer in trusted:
                    self._remove(work, row, ReleaseState.EXPIRED, "")
                else:  # nobody to answer; it goes all the same
                    row.parts, row.state = [], ReleaseState.EXPIRED
                    work.act(
                        REMOVE, thing_of(row), peer=row.peer, what="expired", sha256=row.sha256
                    )
                    note(work, row, "expired", {})
                    self.gone_too(work, row, "")
            return len(rows)

    # at the sender

    def _receipt(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.SENT)
        said = self._proved(code, row, body)
        if said["what"] != "received" or said["sha256"] != row.sha256:
            raise BadInput("The receipt is of something else than was sent.")
        if row.state == ReleaseState.SENT:
            row.state = ReleaseState.HELD
        work.act(TAKE, thing_of(row), peer=code, receipt=row.sha256)
        note(work, row, "receipt", _told_proof(body))
        self.tell_first(work, row, "passed_on", _told_proof(body))

    def _refused(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.SENT)
        if row.state != ReleaseState.SENT:
            raise BadInput("It was taken before.")
        row.state = ReleaseState.REFUSED
        why = str(body["why"])[:300]
        work.act(TAKE, thing_of(row), peer=code, refused=why)
        note(work, row, "refused", {"why": why})

    def _removed(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.SENT)
        said = self._proved(code, row, body)
        state = ReleaseState(said["what"])
        if state not in GONE or state is ReleaseState.REFUSED:
            raise BadInput("The proof says of no removal.")
        if state is ReleaseState.RECALLED and row.state != ReleaseState.RECALLING:
            raise BadInput("It was not recalled.")
        row.state = state
        work.act(TAKE, thing_of(row), peer=code, removed=state.value, sha256=row.sha256)
        note(work, row, state.value, _told_proof(body))
        self.tell_first(work, row, "onward_gone", _told_proof(body))

    def _told(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """What the receiver says of its worth, or of a use."""
        row = self._of(work, code, body, Way.SENT)
        if "use" in body:
            detail = {"use": Use(body["use"]).value, "said": str(body["said"])[:500]}
            word = "feedback"
        else:
            detail = {"doing": Doing(body["doing"]).value, "what": str(body["what"])[:500]}
            word = "used"
        work.act(TAKE, thing_of(row), peer=code, told=word)
        note(work, row, word, detail)

    # both

    def _of(self, work: Work, code: str, body: dict[str, Any], way: Way) -> ReleaseRow:
        """The release that a message is about, if it is one with that agency."""
        row = row_of(work.session, str(body["id"]), lock=True)
        if row.peer != code or row.way != way:
            raise NotFound("There is no such release with that agency.")
        return row

    def _proof(self, work: Work, id_: str, said: dict[str, Any]) -> dict[str, Any]:
        """What this node says of a release, signed by its key."""
        whole = {**said, "agency": self.kernel.agency, "at": format_time(work.now)}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
        signature = base64.b64encode(self.nodes.keys.sign(_PROOF + text.encode())).decode()
        return {"id": id_, "proof": text, "signature": signature}

    def _signed(self, code: str, body: dict[str, Any]) -> bool:
        """True where an agency's key signed it, False where its key is not known; else BadInput."""
        known = next((p for p in self.nodes.trusted() if p.code == code), None)
        if known is not None:
            check(known.certificate, _PROOF + body["proof"].encode(), body["signature"])
        return known is not None

    def _proved(self, code: str, row: ReleaseRow, body: dict[str, Any]) -> dict[str, Any]:
        """What another node's proof says, if its key signed it and it is of this release."""
        said = said_in(body["proof"])
        text = body["proof"]
        check(self.nodes.peer(code).certificate, _PROOF + text.encode(), body["signature"])
        if (said["release"], said["agency"]) != (row.id, code):
            raise BadInput("The proof is of another release or agency.")
        return said


def said_in(text: Any) -> dict[str, Any]:
    """What a proof says, before it is known who signed it; BadInput where it is none."""
    if not isinstance(text, str) or len(text) > 4000:
        raise BadInput("That is no proof.")
    said = json.loads(text)
    if not isinstance(said, dict):
        raise BadInput("That is no proof.")
    return said


def _told_proof(body: dict[str, Any]) -> dict[str, Any]:
    return {"proof": body["proof"], "signature": body["signature"]}
