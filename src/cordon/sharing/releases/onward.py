"""A release is passed on to a third agency, with the word of the agency that it came from.

The receiver asks by name; the originator's supervisor says yes or no, and a yes is signed and
names the content by its hash. What is passed on is that content and nothing else, with its marks,
under an agreement of the two agencies, no longer than it may be held here. The third agency gets
the signed yes with it. A recall or a correction goes on to it, and its receipts and proofs come
back the same way. Once, and no further: who got it so passes nothing on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cordon.cases import Cases
from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.masking import redact
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.model import Agreement, Doing, Question
from cordon.sharing.hearing import carefully
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.releases.desk import AgreementRefused, Releases, said_line
from cordon.sharing.releases.following import OUT
from cordon.sharing.releases.kept import TAKE, said_in
from cordon.sharing.releases.model import Release, ReleaseState, Way, plain_marks
from cordon.sharing.releases.steps import note, release_of, row_of, steps_of, thing_of
from cordon.sharing.releases.tables import ReleaseRow

PASS_ON, ALLOW = "sharing.release.pass_on", "sharing.release.allow"


class Onward(Releases):
    """Releases, and what is passed on of them."""

    def __init__(self, kernel: Kernel, nodes: Nodes, agreements: Agreements, cases: Cases) -> None:
        super().__init__(kernel, nodes, agreements, cases)
        for word, handler in (
            ("onward_asked", self._onward_asked), ("onward_answered", self._onward_answered),
            ("passed_on", self._passed_on), ("onward_gone", self._onward_gone),
        ):  # fmt: skip
            nodes.on_told(f"release.{word}", carefully(f"release.{word}", handler))

    # at the receiver

    def ask_onward(self, actor: Actor, id_: str, to: str, why: str) -> None:
        """Ask the agency that it came from whether it may go to a third one.

        Raises:
            AgreementRefused: what it came under lets nothing be passed on.
            Conflict: it was passed on to this agency itself, or the question is open.
            NotFound: no node of the third agency is known here.
        """
        why = said_line(why)
        with self.kernel.work(actor) as work:
            row, one = self._mine(work, id_, Doing.SEE, PASS_ON)
            if row.peer != row.originator:
                raise Conflict(
                    "It was passed on to this agency itself.",
                    advice="Ask the agency that it came from first to give it.",
                )
            if to in (self.kernel.agency, row.peer):
                raise BadInput("That agency has it.", advice="Choose a third one.")
            self.nodes.peer(to)
            against = self._against(work, one, Doing.PASS_ON, permitted=True)
            if against:
                raise AgreementRefused(PASS_ON, one.thing(), against)
            last = one.onward.get(to)
            if last is not None and last.what == "onward_asked":
                raise Conflict("That was asked, and is not answered yet.")
            work.act(PASS_ON, one.thing(), to=to, asked=row.peer)
            told = {"id": row.id, "to": to, "why": redact(why)}
            self.nodes.tell(work, row.peer, "release.onward_asked", told)
            note(work, row, "onward_asked", {"to": to, "why": redact(why)})

    def pass_on(self, actor: Actor, id_: str, to: str) -> Release:
        """Give it to a third agency, as it was permitted; a second officer where its marks ask.

        Raises:
            Conflict: it was not permitted, was corrected since, or was passed on already.
            AgreementRefused: no agreement with the third agency lets it go.
        """
        with self.kernel.work(actor) as work:
            row, one = self._mine(work, id_, Doing.SEE, PASS_ON)
            self._permission(one, to)
            against = self._against(work, one, Doing.PASS_ON, permitted=True)
            if against:
                raise AgreementRefused(PASS_ON, one.thing(), against)
            if any(
                on.peer == to and on.state in (*OUT, ReleaseState.WAITING)
                for on in self.made_of(work, row)
            ):
                raise Conflict("It was passed on to that agency.")
            thing = Thing("release", new_id(), self.kernel.agency, one.marks.mark)
            agreement = self._agreement(work, one, to, thing)
            work.act(PASS_ON, one.thing(), to=to, release=thing.id, agreement=agreement.id)
            made = ReleaseRow(
                id=thing.id, agency=thing.agency, mark=thing.mark, created_at=work.now,
                way=Way.SENT, peer=to, originator=row.originator, agreement=agreement.id,
                purpose=row.purpose, marks=plain_marks(one.marks), parts=row.parts,
                sha256=row.sha256, state=ReleaseState.WAITING, asked_by=actor.id, source=row.id,
                expires_at=min(
                    row.expires_at, work.now + timedelta(days=agreement.terms.retention_days)
                ),
            )  # fmt: skip
            work.session.add(made)
            work.session.flush()
            note(work, made, "asked")
            note(work, row, "passed_on", {"to": to, "release": made.id})
            if not one.marks.asks_for_second:
                self._tell(work, made)
            return release_of(work.session, made)

    def _agreement(self, work: Work, one: Release, to: str, thing: Thing) -> Agreement:
        against: set[str] = set()
        for agreement in self.agreements.between(work, to):
            answers = self.agreements.decides_all(
                work,
                [
                    Question(
                        Doing.SEE, to, agreement.terms.roles, self.kernel.agency, one.originator,
                        class_, one.purpose, one.marks.mark, one.marks.handling, one.marks.caveats,
                        work.now, True, grade=one.marks.grade,
                    )
                    for class_ in sorted({p.class_ for p in one.parts})
                ],
                agreement.id,
            )  # fmt: skip
            if all(a.allowed for a in answers):
                return agreement
            against |= {c for a in answers for c in a.against}
        raise AgreementRefused(PASS_ON, thing, tuple(sorted(against)) or ("nothing",))

    def _tell(self, work: Work, row: ReleaseRow) -> None:
        """Hand it over, and what was said against it since it came here."""
        super()._tell(work, row)
        if row.source is None:
            return
        for step in steps_of(work.session, row.source):
            if step.what == "corrected":
                said = {"ref": step.detail["ref"], "why": step.detail["why"]}
                told = {"id": row.id, **said, "part": None}
                self.nodes.tell(work, row.peer, "release.corrected", told)
                note(work, row, "corrected", said)

    def _told_on(self, work: Work, row: ReleaseRow) -> dict[str, Any]:
        """What goes along with something that is passed on."""
        source = row_of(work.session, str(row.source), lock=True)
        if source.state != ReleaseState.HELD:
            raise Conflict("What it was made of was removed here.")
        proof = self._permission(release_of(work.session, source), row.peer)
        row.expires_at = min(row.expires_at, source.expires_at)
        return {"permission": proof}

    def _permission(self, one: Release, to: str) -> dict[str, Any]:
        """The signed yes to passing just this on; Conflict where there is none."""
        last = next(
            (s for s in reversed(one.steps)
             if s.what in ("onward_allowed", "onward_declined") and s.detail.get("to") == to),
            None,
        )  # fmt: skip
        if last is None or last.what == "onward_declined":
            raise Conflict(
                "The agency that it came from did not permit that.", advice="Ask it first."
            )
        if said_in(last.detail["proof"]).get("sha256") != one.sha256:
            raise Conflict("It was corrected since that was permitted.", advice="Ask again.")
        return {k: last.detail[k] for k in ("proof", "signature")}

    # at the agency that it came from

    def permit_onward(self, actor: Actor, id_: str, to: str, *, yes: bool, why: str = "") -> None:
        """Answer whether the receiver may pass it on to a third agency; a yes is signed.

        Raises:
            Conflict: that was not asked, or was answered, or nobody has it any more.
        """
        with self.kernel.work(actor) as work:
            row = self._sent(work, id_)
            one = release_of(work.session, row)
            last = one.onward.get(to)
            if row.state not in OUT or last is None or last.what != "onward_asked":
                raise Conflict("Nobody waits for an answer to that.")
            work.act(ALLOW, one.thing(), doing=Doing.PASS_ON, to=to, yes=yes)
            answer = {"to": to, "why": redact(" ".join(why.split()))[:500]}
            if yes:
                said = {"release": row.id, "what": "onward", "to": to, "sha256": row.sha256}
                proof = self._proof(work, row.id, said)
                answer |= {k: proof[k] for k in ("proof", "signature")}
            self.nodes.tell(
                work, row.peer, "release.onward_answered", {"id": row.id, "yes": yes, **answer}
            )
            note(work, row, "onward_allowed" if yes else "onward_declined", answer)

    # what other nodes say

    def _onward_asked(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.SENT)
        detail = {"to": _agency(body["to"]), "why": redact(str(body["why"]))[:500]}
        if row.state not in OUT:
            raise BadInput("It does not hold it any more.")
        work.act(TAKE, thing_of(row), peer=code, asked="pass_on", to=detail["to"])
        note(work, row, "onward_asked", detail)

    def _onward_answered(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row = self._of(work, code, body, Way.RECEIVED)
        to, yes = _agency(body["to"]), body["yes"] is True
        if row.originator != code:
            raise BadInput("Only the agency that it came from first permits that.")
        detail = {"to": to, "why": str(body["why"])[:500]}
        if yes:
            said = self._proved(code, row, body)
            if (said["what"], said["to"]) != ("onward", to):
                raise BadInput("The permission is for something else.")
            detail |= {k: body[k] for k in ("proof", "signature")}
        work.act(TAKE, thing_of(row), peer=code, pass_on=to, yes=yes)
        note(work, row, "onward_allowed" if yes else "onward_declined", detail)

    def _passed_on(self, work: Work, code: str, body: dict[str, Any]) -> None:
        self._told_back(work, code, body, "passed_on", "received")

    def _onward_gone(self, work: Work, code: str, body: dict[str, Any]) -> None:
        self._told_back(work, code, body, "onward_gone", "recalled", "expired")

    def _told_back(self, work: Work, code: str, body: dict[str, Any], word: str, *may: str) -> None:
        """What the third agency says, as the receiver hands it back."""
        row = self._of(work, code, body, Way.SENT)
        to, said = _agency(body["to"]), said_in(body["proof"])
        if said.get("agency") != to or said.get("what") not in may:
            raise BadInput("The proof says something else.")
        checked = self._signed(to, body)
        detail = {"to": to, "proof": body["proof"], "signature": str(body["signature"])[:4000]}
        work.act(TAKE, thing_of(row), peer=code, told=word, to=to, checked=checked)
        note(work, row, word, detail | {"permission": "signed" if checked else "not_checked"})


def _agency(code: Any) -> str:
    text = str(code)
    if not 2 <= len(text) <= 40:
        raise BadInput("That is no agency's code.")
    return text
