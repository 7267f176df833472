"""Releases for officers: sent, countersigned, recalled, corrected; read, used and answered."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cordon.cases import Cases
from cordon.kernel import leads
from cordon.kernel.access.gate import GateRefused
from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, Refused
from cordon.kernel.events import Dispatcher, Event
from cordon.kernel.ids import global_id, new_id
from cordon.kernel.masking import redact
from cordon.kernel.work import Kernel, SecondRefused, View, Work
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.agreements.model import AgreementState, Doing, Marks, Question
from cordon.sharing.hidden import NotHere, known
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.releases.following import OUT
from cordon.sharing.releases.gathering import SEND, Asked, Gathering, finding_thing
from cordon.sharing.releases.kept import Kept
from cordon.sharing.releases.lapsed import Lapsed, read_before
from cordon.sharing.releases.model import (
    Preview,
    Release,
    ReleaseState,
    Use,
    Way,
    digest,
    plain_marks,
)
from cordon.sharing.releases.steps import note, release_of, releases_of, steps_of
from cordon.sharing.releases.tables import ReleaseRow

log = logging.getLogger(__name__)
VIEW, ANSWER = "sharing.release.view", "sharing.release.answer"
LISTED = 200


class AgreementRefused(GateRefused):
    """A refusal because the agreement does not allow it; it stands in the ledger."""

    def __init__(self, act: str, thing: Thing, against: tuple[str, ...]) -> None:
        Refused.__init__(
            self,
            "The agreement that it came under does not allow this: " + ", ".join(against) + ".",
            advice="Read the agreement's clauses; ask the agency that it came from.",
        )
        self.act = act
        self.thing = thing
        self.against = against


class Releases(Kept):
    """What goes to other agencies and came from them."""

    def __init__(self, kernel: Kernel, nodes: Nodes, agreements: Agreements, cases: Cases) -> None:
        super().__init__(kernel, nodes, agreements)
        self.gathering = Gathering(kernel, cases, agreements)

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Be told when a detector takes a finding back: whoever has it is told too."""
        dispatcher.subscribe("sharing.releases", {"findings.finding.withdrawn"}, self._withdrawn)

    # giving

    def preview(self, actor: Actor, asked: Asked) -> Preview:
        """As of `Gathering.preview`."""
        return self.gathering.preview(actor, asked)

    def send(self, actor: Actor, asked: Asked, *, seen: str | None = None) -> Release:
        """Give what `preview` says; it waits for a second officer where its marks ask for one.

        Args:
            seen: `sha256` of the parts that the officer saw in the preview, or None.

        Raises:
            Conflict: what would leave is not what was seen. AgreementRefused: nothing may go.
        """
        preview = self.preview(actor, asked)
        parts = [p.plain() for p in preview.parts]
        if seen is not None and seen != digest(parts):
            raise Conflict(
                "What would leave is not what the preview showed.", advice="Look at it again."
            )
        with self.kernel.work(actor) as work:
            thing = Thing("release", new_id(), self.kernel.agency, preview.marks.mark)
            if preview.agreement is None or preview.expires_at is None:
                against = sorted({c for left in preview.left for c in left.against})
                raise AgreementRefused(SEND, thing, tuple(against))
            waits = preview.asks_for_second
            row = ReleaseRow(
                id=thing.id, agency=thing.agency, mark=thing.mark, created_at=work.now,
                way=Way.SENT, peer=preview.to, originator=thing.agency,
                agreement=preview.agreement, purpose=preview.purpose,
                marks=plain_marks(preview.marks), parts=parts, sha256=digest(parts),
                state=ReleaseState.WAITING, asked_by=actor.id, expires_at=preview.expires_at,
            )  # fmt: skip
            work.session.add(row)
            work.session.flush()
            work.act(
                SEND, thing, to=row.peer, agreement=row.agreement, parts=len(parts),
                sha256=row.sha256, waits=waits,
            )  # fmt: skip
            note(work, row, "asked", {"left": len(preview.left)})
            if not waits:
                self._tell(work, row)
            return release_of(work.session, row)

    def countersign(self, actor: Actor, id_: str, *, yes: bool, why: str = "") -> Release:
        """Let a release go as the second officer, or decline it with a reason.

        Raises:
            SecondRefused: by who asked for it. Conflict: it does not wait, or is allowed no more.
        """
        with self.kernel.work(actor) as work:
            row, one = self._known(work, id_, lock=True)
            thing = one.thing()
            act = "sharing.release.countersign"
            work.permit(act, thing)
            if row.state != ReleaseState.WAITING:
                raise Conflict("It does not wait for a second officer.")
            if row.asked_by == actor.id:
                raise SecondRefused("Who asked for a release does not agree to it.", act, thing)
            work.act(act, thing, yes=yes, why=redact(why)[:200])
            row.second_by = actor.id
            if yes:
                self._tell(work, row)
            else:
                row.state = ReleaseState.DECLINED
                note(work, row, "declined", {"why": said_line(why)})
            return release_of(work.session, row)

    def _tell(self, work: Work, row: ReleaseRow) -> None:
        """Hand a release to the other node, if the agreement still stands."""
        agreement = self.agreements.one(work, row.agreement)
        if agreement.state is not AgreementState.IN_FORCE:
            raise Conflict("Its agreement is not in force any more.", advice="Preview it again.")
        row.state = ReleaseState.SENT
        row.expires_at = work.now + timedelta(days=agreement.terms.retention_days)
        along = self._told_on(work, row) if row.source else {}
        self.nodes.tell(
            work, row.peer, "release.sent",
            {
                "id": row.id, "agreement": row.agreement, "purpose": row.purpose,
                "marks": row.marks, "originator": row.originator, "parts": row.parts,
                "sha256": row.sha256, "expires_at": format_time(row.expires_at), **along,
            },
        )  # fmt: skip
        note(work, row, "sent")

    def _told_on(self, work: Work, row: ReleaseRow) -> Mapping[str, Any]:
        raise NotImplementedError  # see `onward`

    def recall(self, actor: Actor, id_: str, why: str) -> Release:
        """Call a release back: the other node removes it and answers with proof."""
        why = said_line(why)
        with self.kernel.work(actor) as work:
            row = self._sent(work, id_)
            work.act("sharing.release.recall", release_of(work.session, row).thing(), why=why)
            if row.state == ReleaseState.WAITING:
                row.state = ReleaseState.DECLINED
            elif row.state in OUT:
                row.state = ReleaseState.RECALLING
                self.nodes.tell(work, row.peer, "release.recall", {"id": row.id, "why": why})
            else:
                raise Conflict(f"It is {row.state} already.")
            note(work, row, "recall", {"why": why})
            return release_of(work.session, row)

    def correct(self, actor: Actor, finding: str, why: str) -> int:
        """Tell everybody who has a finding what is wrong with it; how many were told.

        Where no second officer had to agree, the finding goes again as it is now.
        """
        why = said_line(why)
        with self.kernel.work(actor) as work:
            kept = leads.get_finding(work, finding)
            thing = finding_thing(work, kept)
            part = thing.part(frozenset())  # what is personal never goes again by itself
            told = 0
            rows = work.session.scalars(
                select(ReleaseRow)
                .where(ReleaseRow.way == Way.SENT, ReleaseRow.state.in_(OUT))
                .with_for_update()
            )
            trusted = {p.code for p in self.nodes.trusted()}
            for row in rows:
                if row.peer not in trusted or all(p["ref"] != thing.ref for p in row.parts):
                    continue
                held = release_of(work.session, row)
                work.act("sharing.release.correct", held.thing(), ref=thing.ref)
                whole = Marks.strictest([held.marks, Marks(part.mark)])
                again = whole == held.marks and not held.marks.asks_for_second
                if again:
                    row.parts = [part.plain() if p["ref"] == thing.ref else p for p in row.parts]
                    row.sha256 = digest(row.parts)
                self.nodes.tell(
                    work, row.peer, "release.corrected",
                    {
                        "id": row.id, "ref": thing.ref, "why": why,
                        "part": part.plain() if again else None,
                    },
                )  # fmt: skip
                note(work, row, "corrected", {"ref": thing.ref, "why": why})
                told += 1
            return told

    def allow(self, actor: Actor, id_: str, doing: Doing) -> None:
        """Permit the receiver what a handling code forbids without permission."""
        if doing is Doing.SEE:
            raise BadInput("Seeing it needs no permission.", advice="Choose court or passing on.")
        with self.kernel.work(actor) as work:
            row = self._sent(work, id_)
            work.act("sharing.release.allow", release_of(work.session, row).thing(), doing=doing)
            self.nodes.tell(work, row.peer, "release.allowed", {"id": row.id, "doing": doing.value})
            note(work, row, "allowed", {"doing": doing.value})

    # reading

    def list(self, actor: Actor, way: Way) -> list[Release]:
        """Releases that the actor may see, newest first, without those that no agreement lets."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("sharing", self.kernel.agency))
            rows = view.session.scalars(
                select(ReleaseRow)
                .where(ReleaseRow.way == way)
                .order_by(ReleaseRow.created_at.desc(), ReleaseRow.id.desc())
                .limit(LISTED)
            ).all()
            found = [o for o in releases_of(view.session, rows) if view.may(VIEW, o.thing())]
            if way is Way.RECEIVED:
                against = self._against_all(view, found, Doing.SEE)
                found = [one for one, no in zip(found, against, strict=True) if not no]
            return found

    def lapsed(self, actor: Actor) -> builtins.list[Lapsed]:
        """What the actor read, and may not see now because its agreement ended; newest first.

        Where anything else speaks against it too (a role or clearance that was taken away, a mark)
        it is not told.
        """
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("sharing", self.kernel.agency))
            read = read_before(view.session, VIEW, actor.id, LISTED)
            ones = releases_of(view.session, [row for row, _ in read])
            against = self._against_all(view, ones, Doing.SEE)
            found = []
            for (_, read_at), one, no in zip(read, ones, against, strict=True):
                if no != ("force",) or not view.may(VIEW, one.thing()):
                    continue
                agreement = self.agreements.one(view, one.agreement)
                if agreement.state not in (AgreementState.ENDED, AgreementState.OVER):
                    continue
                found.append(
                    Lapsed(
                        one.peer, agreement.id, agreement.terms.title,
                        agreement.ended_at or agreement.terms.ends, agreement.ended_by, one.at,
                        read_at,
                    )
                )  # fmt: skip
            return found

    def get(self, actor: Actor, id_: str) -> Release:
        """One release; reading one that came from another agency stands in the ledger.

        Raises:
            NotHere: there is none, or it is above the actor's clearance, or was received and its
                agreement does not let this officer see it.
        """
        with self.kernel.work(actor) as work:
            _, one = self._known(work, id_)
            if one.way is Way.RECEIVED and one.parts:
                work.act(VIEW, one.thing(), peer=one.peer)
            return one

    def _known(self, work: Work, id_: str, *, lock: bool = False) -> tuple[ReleaseRow, Release]:
        """A release that the actor may know of; NotHere, after the same questions, of any other."""
        row = work.session.get(ReleaseRow, id_, with_for_update=True if lock else None)
        one = release_of(work.session, row) if row is not None else None
        against: tuple[str, ...] = ()
        if one is None:
            steps_of(work.session, id_)
        if one is not None and one.way is Way.RECEIVED:
            against = self._against(work, one, Doing.SEE)
        else:
            self.agreements.decides_all(work, [], id_)
        known(work, VIEW, "release", id_, one.thing() if one is not None and not against else None)
        if row is None or one is None:
            raise NotHere(VIEW, Thing("release", id_[:36], self.kernel.agency))
        return row, one

    # answering

    def answer(self, actor: Actor, id_: str, use: Use, said: str = "") -> None:
        """Tell the agency that it came from whether it was useful, known or wrong."""
        with self.kernel.work(actor) as work:
            row, one = self._mine(work, id_, Doing.SEE)
            work.act(ANSWER, one.thing(), use=use)
            detail = {"use": use.value, "said": redact(" ".join(said.split()))[:500]}
            self.nodes.tell(work, row.peer, "release.feedback", {"id": row.id, **detail})
            note(work, row, "feedback", detail)

    def used(self, actor: Actor, id_: str, doing: Doing, what: str) -> None:
        """Write down a use of it, where the agreement allows that, and tell whom it came from."""
        what = said_line(what)
        with self.kernel.work(actor) as work:
            row, one = self._mine(work, id_, doing)
            work.act(ANSWER, one.thing(), doing=doing)
            detail = {"doing": doing.value, "what": redact(what)}
            self.nodes.tell(work, row.peer, "release.used", {"id": row.id, **detail})
            note(work, row, "used", detail)

    def _mine(
        self, work: Work, id_: str, doing: Doing, act: str = ANSWER
    ) -> tuple[ReleaseRow, Release]:
        row, one = self._known(work, id_, lock=True)
        work.permit(act, one.thing())
        if one.way is not Way.RECEIVED or one.state is not ReleaseState.HELD:
            raise Conflict("This agency does not hold it.", advice="It was removed or recalled.")
        self._require(work, one, act, doing)
        return row, one

    def _sent(self, work: Work, id_: str) -> ReleaseRow:
        row, _ = self._known(work, id_, lock=True)
        if row.way != Way.SENT:
            raise Conflict("Another agency gave that; only who gave it can do this.")
        return row

    def _require(self, view: View, one: Release, act: str, doing: Doing) -> None:
        against = self._against(view, one, doing)
        if against:
            raise AgreementRefused(act, one.thing(), against)

    def _against(
        self, view: View, one: Release, doing: Doing, *, permitted: bool = False
    ) -> tuple[str, ...]:
        """Clauses against this for any of its parts; of one without content, for none.

        Args:
            permitted: the originator allowed just this, beside what its steps say.
        """
        return self._against_all(view, [one], doing, permitted=permitted)[0]

    def _against_all(
        self, view: View, ones: Sequence[Release], doing: Doing, *, permitted: bool = False
    ) -> builtins.list[tuple[str, ...]]:
        """As of `_against`, for many: each agreement is read, checked and asked once."""
        asked: dict[str, builtins.list[tuple[int, Question]]] = {}
        for at, one in enumerate(ones):
            for class_ in sorted({p.class_ for p in one.parts} | set(_classes(one))):
                question = Question(
                    doing, self.kernel.agency, view.actor.roles, one.peer, one.originator, class_,
                    one.purpose, one.marks.mark, one.marks.handling, one.marks.caveats, view.now,
                    permitted or one.permits(doing), (view.now - one.at).days, one.marks.grade,
                )  # fmt: skip
                asked.setdefault(one.agreement, []).append((at, question))
        against: builtins.list[dict[str, None]] = [{} for _ in ones]
        for agreement, questions in asked.items():
            answers = self.agreements.decides_all(view, [q for _, q in questions], agreement)
            for (at, _), answer in zip(questions, answers, strict=True):
                if not answer.allowed:
                    against[at] |= dict.fromkeys(answer.against)
        # that something was here and is removed may be known for longer than what it said
        past = {"retention", "force"} if doing is Doing.SEE else set[str]()
        return [
            tuple(c for c in no if one.parts or c not in past)
            for one, no in zip(ones, against, strict=True)
        ]

    def _withdrawn(self, work: Work, event: Event) -> None:
        """A detector took a finding back."""
        ref = global_id(self.kernel.agency, str(event.payload["finding"]))
        rows = work.session.scalars(
            select(ReleaseRow).where(ReleaseRow.way == Way.SENT, ReleaseRow.state.in_(OUT))
        )
        trusted = {p.code for p in self.nodes.trusted()}
        for row in rows:
            if row.peer in trusted and any(p["ref"] == ref for p in row.parts):
                why = "Its detector no longer says this."
                work.act("sharing.release.correct", release_of(work.session, row).thing(), ref=ref)
                said = {"id": row.id, "ref": ref, "why": why, "part": None}
                self.nodes.tell(work, row.peer, "release.corrected", said)
                note(work, row, "corrected", {"ref": ref, "why": why})


def _classes(one: Release) -> list[str]:
    """Classes of a release whose content was removed, as its first step keeps them."""
    return [c for s in one.steps if s.what == "came" for c in s.detail.get("classes", ())]


def said_line(text: str) -> str:
    """What an officer says of it, in one line; BadInput where it is too short or long."""
    line = " ".join(text.split())
    if not 5 <= len(line) <= 500:
        raise BadInput("It has 5 to 500 characters.", advice="Say it in a sentence.")
    return line


def plain(one: Release) -> Mapping[str, Any]:
    """A release for a program, without its content."""
    return {
        "id": one.id, "way": one.way.value, "peer": one.peer, "state": one.state.value,
        "agreement": one.agreement, "purpose": one.purpose.value, "parts": len(one.parts),
        **plain_marks(one.marks), "at": format_time(one.at),
        "expires_at": format_time(one.expires_at),
    }  # fmt: skip
