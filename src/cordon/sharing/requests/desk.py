"""Requests between agencies: asked, answered, refused with a ground, withdrawn, escalated."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.masking import redact
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.hearing import carefully
from cordon.sharing.hidden import known
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.requests.model import (
    ANSWER_WITHIN,
    SERIOUSNESS,
    Ground,
    Request,
    RequestKind,
    RequestState,
    Urgency,
    Way,
)
from cordon.sharing.requests.tables import RequestRow

VIEW, TAKE = "sharing.request.view", "sharing.request.take"
LISTED, LONGEST = 200, 2000


class Requests:
    """What this agency and others ask each other for."""

    def __init__(self, kernel: Kernel, nodes: Nodes, agreements: Agreements) -> None:
        self.kernel = kernel
        self.nodes = nodes
        self.agreements = agreements
        nodes.on_told("request.asked", carefully("request.asked", self._asked))
        nodes.on_told("request.ended", carefully("request.ended", self._ended))

    def ask(
        self, actor: Actor, to: str, kind: RequestKind, urgency: Urgency, text: str, basis: str,
        mark: Mark = Mark.AMBER,
    ) -> Request:  # fmt: skip
        """Ask another agency.

        Args:
            text: what is asked; it names no number, which goes by a release.
            basis: law or order that it rests on.

        Raises:
            BadInput: what cannot go. Conflict: no agreement in force lets that mark go there.
        """
        text, basis = _words(text, 10, LONGEST), _words(basis, 3, 300)
        with self.kernel.work(actor) as work:
            if not any(
                a.terms.highest.rank >= mark.rank for a in self.agreements.between(work, to)
            ):
                raise Conflict(
                    f"No agreement in force lets {mark} go to {to[:40]}.",
                    advice="Choose a looser mark, or agree first.",
                )
            row = self._kept(
                work, new_id(), Way.OURS, to, kind, urgency, text, basis, mark, actor.id
            )
            work.act(
                "sharing.request.ask", row.to_request().thing(), to=to, kind=kind, urgency=urgency
            )
            self.nodes.tell(
                work, to, "request.asked",
                {
                    "id": row.id, "kind": kind.value, "urgency": urgency.value, "text": text,
                    "basis": basis, "mark": mark.value, "at": format_time(work.now),
                },
            )  # fmt: skip
            return row.to_request()

    def answer(self, actor: Actor, id_: str, said: str) -> Request:
        """Answer a request; what is given goes by a release, which the answer may name."""
        return self._end(actor, id_, RequestState.ANSWERED, _words(said, 2, LONGEST), None)

    def refuse(self, actor: Actor, id_: str, ground: Ground, said: str = "") -> Request:
        """Refuse a request with a ground."""
        words = _words(said, 0, LONGEST)
        return self._end(actor, id_, RequestState.REFUSED, words, ground)

    def withdraw(self, actor: Actor, id_: str) -> Request:
        """Ask no longer."""
        return self._end(actor, id_, RequestState.WITHDRAWN, "", None)

    def _end(
        self, actor: Actor, id_: str, state: RequestState, said: str, ground: Ground | None
    ) -> Request:
        withdraws = state is RequestState.WITHDRAWN
        act = "sharing.request.ask" if withdraws else "sharing.request.answer"
        with self.kernel.work(actor) as work:
            row = work.session.get(RequestRow, id_, with_for_update=True)
            known(work, VIEW, "request", id_, row.to_request().thing() if row else None)
            row = _row(work, id_)
            work.act(act, row.to_request().thing(), state=state.value, ground=ground)
            if (row.way == Way.OURS) is not withdraws:
                raise Conflict("That is for the other agency to do.")
            self._closed(work, row, state, said, ground)
            body = {"id": id_, "state": state.value, "said": said, "ground": ground}
            self.nodes.tell(work, row.peer, "request.ended", body)
            return row.to_request()

    def list(self, actor: Actor) -> list[Request]:
        """Requests that the actor may see: open ones first, the one that is due first before."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("sharing", self.kernel.agency))
            rows = view.session.scalars(
                select(RequestRow)
                .order_by(RequestRow.state != RequestState.OPEN, RequestRow.due_at)
                .limit(LISTED)
            )
            found = [row.to_request() for row in rows]
            return [one for one in found if view.may(VIEW, one.thing())]

    def sweep(self) -> int:
        """Escalate what is not answered in time, on both sides; how many."""
        with self.kernel.work(self.kernel.node) as work:
            rows = work.session.scalars(
                select(RequestRow).where(
                    RequestRow.state == RequestState.OPEN, RequestRow.due_at <= work.now,
                    RequestRow.escalated_at.is_(None),
                )
            ).all()  # fmt: skip
            for row in rows:
                row.escalated_at = work.now
                one = row.to_request()
                work.act("sharing.request.escalate", one.thing(), peer=one.peer, way=one.way)
                payload = {"request": one.id, "way": one.way.value, "peer": one.peer}
                work.emit("sharing.request.escalated", payload, one.mark)
            return len(rows)

    # from other nodes

    def _asked(self, work: Work, code: str, body: dict[str, Any]) -> None:
        id_, mark = str(UUID(body["id"])), Mark(body["mark"])
        if work.session.get(RequestRow, id_) is not None:
            raise Conflict("A request of that id is here already.")
        row = self._kept(
            work, id_, Way.THEIRS, code, RequestKind(body["kind"]), Urgency(body["urgency"]),
            _words(body["text"], 1, LONGEST), _words(body["basis"], 1, 300), mark, f"agency:{code}",
        )  # fmt: skip
        one = row.to_request()
        work.act(TAKE, one.thing(), peer=code, kind=one.kind, urgency=one.urgency)
        leads.open_lead(
            work, one.thing(), title=f"{code} asks: {one.kind}", due=one.due_at,
            seriousness=SERIOUSNESS[one.urgency],
        )  # fmt: skip

    def _ended(self, work: Work, code: str, body: dict[str, Any]) -> None:
        row, state = _row(work, str(body["id"])), RequestState(body["state"])
        withdrawn = state is RequestState.WITHDRAWN
        if row.peer != code or state is RequestState.OPEN or (row.way == Way.OURS) is withdrawn:
            raise BadInput("That is not for the other agency to say.")
        ground = Ground(body["ground"]) if body["ground"] is not None else None
        if row.state != RequestState.OPEN:
            return  # both ended it at once: the first holds at each
        self._closed(work, row, state, _words(body["said"], 0, LONGEST), ground)
        work.act(TAKE, row.to_request().thing(), peer=code, state=state.value)

    def _closed(
        self, work: Work, row: RequestRow, state: RequestState, said: str, ground: Ground | None
    ) -> None:
        if row.state != RequestState.OPEN:
            raise Conflict(f"It is {row.state} already.")
        row.state, row.said, row.ground, row.ended_at = state, said, ground, work.now
        leads.answered(work, row.to_request().thing())

    def _kept(
        self, work: Work, id_: str, way: Way, peer: str, kind: RequestKind, urgency: Urgency,
        text: str, basis: str, mark: Mark, by: str,
    ) -> RequestRow:  # fmt: skip
        row = RequestRow(
            id=id_, agency=self.kernel.agency, mark=mark, created_at=work.now, way=way, peer=peer,
            kind=kind, urgency=urgency, text=text, basis=basis, state=RequestState.OPEN,
            asked_by=by, due_at=work.now + ANSWER_WITHIN[urgency], said="",
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        return row


def _words(text: object, least: int, most: int) -> str:
    line = " ".join(text.split()) if isinstance(text, str) else ""
    if not least <= len(line) <= most:
        raise BadInput(f"The text has {least} to {most} characters.", advice="Write it anew.")
    if redact(line) != line:
        raise BadInput(
            "A number stands in the text, which everybody who sees requests would read.",
            advice="Take it out; give numbers by a release, under an authority.",
        )
    return line


def _row(work: Work, id_: str) -> RequestRow:
    row = work.session.get(RequestRow, id_, with_for_update=True)
    if row is None:
        raise NotFound("There is no such request.")
    return row
