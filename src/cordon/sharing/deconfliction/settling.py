"""Conflicts answered: owned, solved, overridden, and what the other side says of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import Conflict as Taken
from cordon.kernel.errors import NotFound
from cordon.kernel.events import Dispatcher, Event
from cordon.kernel.work import Kernel, Work
from cordon.sharing.agreements.desk import Agreements
from cordon.sharing.deconfliction import conflict, meeting
from cordon.sharing.deconfliction.model import (
    LIVE,
    SHORTEST_WHY,
    Claim,
    Conflict,
    ConflictState,
    Met,
    line,
)
from cordon.sharing.deconfliction.tables import ConflictRow, PlannedActRow
from cordon.sharing.deconfliction.tokens import Parties, Party, ready
from cordon.sharing.deconfliction.wire import (
    CHECK,
    WORD,
    Word,
    read_claims,
    read_word,
    write_met,
    write_word,
)
from cordon.sharing.hearing import carefully
from cordon.sharing.hidden import known
from cordon.sharing.nodes.desk import Nodes

ALONE = "sharing.deconfliction"
MOVED = "This act was moved, and meets the other one no longer."
THEIRS_GONE = "The other agency moved, cancelled or ended its act."


class Settling:
    """What this node answers to others, and what its officers answer to conflicts."""

    def __init__(self, kernel: Kernel, nodes: Nodes, agreements: Agreements) -> None:
        self.kernel = kernel
        self.nodes = nodes
        self.parties = Parties(nodes, agreements)
        nodes.on_asked(CHECK, self.answer)
        nodes.on_told(WORD, carefully(WORD, self.heard))

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Wake the watch for conflicts; as the node, because another node may do nothing here."""
        topics = {meeting.FOUND, meeting.OVERRIDDEN}
        dispatcher.subscribe("sharing.conflicts", topics, self.wake)

    def wake(self, work: Work, event: Event) -> None:
        """Keep a finding of a conflict. Twice does no more."""
        row = work.session.get(ConflictRow, str(event.payload["conflict"]))
        if row is None:
            return
        act = work.session.get_one(PlannedActRow, row.act)
        overridden = event.topic == meeting.OVERRIDDEN
        work.act(
            "sharing.conflict.find", row.thing(), planned_act=act.id, party=row.party,
            basis=row.basis, overridden=overridden,
        )  # fmt: skip
        found = conflict.of(row, act, overridden=overridden)
        leads.keep(work, [found], {conflict.CARD.kind: conflict.CARD}, mark=Mark(act.mark))

    # what other nodes ask and say

    def answer(self, work: Work, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the claims of another node meet here. Nothing of them is kept but conflicts."""
        self.parties.require(work.session, code)
        claims = read_claims(body)
        meeting.bounded(work.session, code)
        self.kernel.rows.alone(work.session, ALONE)
        party = self.parties.one(code)
        ready(work.session, [party])
        return {
            "version": 1, "acts": [write_met(c, self.met(work, party, c)) for c in claims]
        }  # fmt: skip

    def met(self, work: Work, party: Party, claim: Claim) -> list[Met]:
        """What one claim meets; each is kept here, and told to the other side."""
        told = []
        for row, met in meeting.meets(work.session, party, claim):
            theirs = Met(claim.ref, claim.revision, claim.ring, met.basis)
            if meeting.note(work, row, party.code, theirs):
                word = Word(
                    claim.ref, row.ref, claim.revision, row.revision, "met", ring=row.ring,
                    basis=met.basis,
                )  # fmt: skip
                self.tell(work, party.code, word)
            told.append(met)
        work.session.flush()
        old = meeting.standing(work.session, party=party.code, ref=claim.ref)
        old = [c for c in old if c.their_revision < claim.revision]
        meeting.retire(work.session, old, work.now, THEIRS_GONE)
        return told

    def heard(self, work: Work, code: str, body: dict[str, Any]) -> None:
        """Take a word of another node on a conflict with it; what it does not concern is let be."""
        word = read_word(body)
        act = meeting.acts_by_ref(work.session, [word.yours]).get(word.yours)
        if act is None:
            return
        if word.word == "met":
            self.parties.require(work.session, code)
            if act.state not in LIVE:
                gone = Word(word.mine, act.ref, word.revision, act.revision, "gone")
                self.tell(work, code, gone)
            elif word.of == act.revision:
                met = Met(word.mine, word.revision, word.ring, word.basis)
                meeting.note(work, act, code, met)
            return
        row = meeting.pair(work.session, act, code, word.mine)
        if row is None or row.state == ConflictState.GONE:
            return
        if word.word == "gone":
            if word.revision >= row.their_revision:
                meeting.retire(work.session, [row], work.now, THEIRS_GONE)
        elif (word.of, word.revision) == (row.revision, row.their_revision):
            row.theirs, row.their_who, row.their_how = word.word, word.who, word.how
            row.since = work.now
            if word.word == "overridden":
                work.emit(meeting.OVERRIDDEN, {"conflict": row.id}, Mark(act.mark))

    def tell(self, work: Work, code: str, word: Word) -> None:
        """Tell the other side; where that is a unit of this agency, at once."""
        body = write_word(word)
        if code == self.kernel.agency:
            self.heard(work, code, body)
            return
        if word.word != "gone" and self.parties.against(work.session, code):
            return  # agreed no more: that an act is over is all that is still told
        with suppress(Taken, NotFound):  # cut off meanwhile: nothing goes there any more
            self.nodes.tell(work, code, WORD, body)

    # for officers

    def own(self, actor: Actor, id_: str) -> None:
        """Take a conflict upon oneself; the other side sees who did."""
        with self.kernel.work(actor) as work:
            row = self._conflict_row(work, id_)
            work.act("sharing.conflict.own", row.thing(), party=row.party)
            self._set(work, row, ConflictState.OWNED, actor.name)

    def solve(self, actor: Actor, id_: str, how: str) -> None:
        """Say how it was solved. The act may go once the other side says solved too."""
        how = line(how, "How it was solved", 500, least=SHORTEST_WHY)
        with self.kernel.work(actor) as work:
            row = self._conflict_row(work, id_)
            work.act("sharing.conflict.solve", row.thing(), party=row.party, how=how)
            self._set(work, row, ConflictState.SOLVED, actor.name, how)

    def override(self, actor: Actor, id_: str, why: str, commander: str = "") -> None:
        """Go ahead over it, in a commander's name; the other side's watch is woken.

        Args:
            commander: who decides, where the one who types is another.
        """
        why = line(why, "The reason", 500, least=SHORTEST_WHY)
        who = line(commander or actor.name, "The commander's name", 80)
        with self.kernel.work(actor) as work:
            row = self._conflict_row(work, id_)
            work.act(
                "sharing.conflict.override", row.thing(), party=row.party, why=why, commander=who
            )
            self._set(work, row, ConflictState.OVERRIDDEN, who, why)

    def conflict(self, actor: Actor, id_: str) -> Conflict:
        """One conflict; NotFound."""
        with self.kernel.view(actor) as view:
            row = view.session.get(ConflictRow, id_)
            thing = row.thing() if row is not None else None
            known(view, "sharing.planned_act.view", "conflict", id_, thing)
            row = view.session.get_one(ConflictRow, id_)
            title = view.session.get_one(PlannedActRow, row.act).title
            return row.to_conflict(title)

    def _conflict_row(self, work: Work, id_: str) -> ConflictRow:
        row = work.session.get(ConflictRow, id_, with_for_update=True)
        thing = row.thing() if row is not None else None
        known(work, "sharing.planned_act.view", "conflict", id_, thing)
        row = work.session.get_one(ConflictRow, id_)
        if row.state == ConflictState.GONE:
            raise Taken("This conflict is gone: one of the two acts was moved, cancelled or ended.")
        return row

    def _set(
        self, work: Work, row: ConflictRow, state: ConflictState, who: str, how: str = ""
    ) -> None:
        act = work.session.get_one(PlannedActRow, row.act)
        row.state, row.by, row.who, row.how = state, work.actor.id, who, how
        row.since = work.now
        work.session.flush()
        word = Word(row.ref, act.ref, row.their_revision, row.revision, state.value, who, how)
        self.tell(work, row.party, word)
