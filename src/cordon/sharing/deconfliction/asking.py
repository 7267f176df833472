"""Planned acts checked with other agencies: all at once, each within its time, again until done."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.work import Work
from cordon.sharing.deconfliction import meeting
from cordon.sharing.deconfliction.model import LIVE, Claim, Met
from cordon.sharing.deconfliction.settling import ALONE, MOVED, Settling
from cordon.sharing.deconfliction.tables import CheckRow, PlannedActRow
from cordon.sharing.deconfliction.tokens import Party, ready_all
from cordon.sharing.deconfliction.wire import CHECK, MOST_CLAIMS, read_met, write_claim
from cordon.sharing.nodes import outbox

log = logging.getLogger(__name__)
PATIENCE_S = 3.0
"""How long an officer waits for a node that does not answer; it is asked again by itself."""
AGAIN_S = 15.0
Answers = dict[str, tuple[int, list[Met]]]


def claim_of(row: PlannedActRow, party: Party) -> Claim:
    """An act as it is put to one party: its subjects under that pair's key."""
    return Claim(
        row.ref, row.revision, row.place(), row.claim_start, row.claim_end, row.subject_start,
        row.subject_end, tuple(sorted(party.token(s) for s in row.subjects)),
        party.joint(row.joint), row.ring,
    )  # fmt: skip


class Asking(Settling):
    """Asks other agencies about planned acts."""

    def check(self, actor: Actor, ids: Sequence[str], only: str | None = None) -> None:
        """Ask every agency, or one, about acts as they are now; what they answer is kept.

        They are asked at the same time. One that does not answer in time is asked again later;
        until then the acts show that.
        """
        ids = list(ids)[:MOST_CLAIMS]
        parties = [p for p in self.parties.all() if only in (None, p.code)]
        with self.kernel.rows.read() as session:
            rows = list(
                session.scalars(
                    select(PlannedActRow).where(
                        PlannedActRow.id.in_(ids), PlannedActRow.state.in_(LIVE)
                    )
                )
            )
        if not rows:
            return
        answered, problems = self._ask(rows, parties)
        with self.kernel.work(actor) as work:
            acts = meeting.acts_by_ref(work.session, [r.ref for r in rows])
            for act in acts.values():
                if act.state not in LIVE:
                    continue
                for party in parties:
                    if party.code == self.kernel.agency:
                        found = self.met(work, party, claim_of(act, party))
                        self._took(work, act, party.code, found)
                    elif act.ref in answered.get(party.code, {}):
                        revision, met = answered[party.code][act.ref]
                        if revision == act.revision:
                            self._took(work, act, party.code, met)
                    else:
                        why = problems.get(party.code, "It did not answer in time.")
                        _waits(work.session, act, party.code, why)
                work.act(
                    "sharing.planned_act.check", act.thing(), revision=act.revision,
                    answered=sorted(c for c in answered if act.ref in answered[c]),
                    waits=sorted(problems),
                )  # fmt: skip

    def _ask(
        self, rows: Sequence[PlannedActRow], parties: Sequence[Party]
    ) -> tuple[dict[str, Answers], dict[str, str]]:
        """The answers of other agencies that came in time, and why there is none of the others."""
        others = [p for p in parties if p.code != self.kernel.agency]
        came: queue.SimpleQueue[tuple[str, Answers | str]] = queue.SimpleQueue()

        def one(party: Party) -> None:
            try:
                acts = [write_claim(claim_of(r, party)) for r in rows]
                body: dict[str, Any] = {"version": 1, "acts": acts}
                said = outbox.ask(self.nodes, party.code, CHECK, body, patience=PATIENCE_S)
                came.put((party.code, read_met(said)))
            except BadInput as wrong:
                came.put((party.code, f"Its answer cannot be used: {wrong}"[:300]))
            except CordonError as wrong:
                came.put((party.code, str(wrong)[:300]))
            except Exception:  # the others' answers must not be lost with it
                log.exception("planned acts could not be checked with %s", party.code)
                came.put((party.code, "It could not be asked; see the node's log."))

        for party in others:
            # a daemon: one that hangs past its time must not hold up the end of the process
            threading.Thread(target=one, args=(party,), name="check", daemon=True).start()
        answered: dict[str, Answers] = {}
        problems = {p.code: "It did not answer in time." for p in others}
        end = time.monotonic() + PATIENCE_S
        for _ in others:
            try:
                code, said = came.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if isinstance(said, str):
                problems[code] = said
            else:
                answered[code] = said
                problems.pop(code)
        return answered, problems

    def _took(self, work: Work, act: PlannedActRow, party: str, met: Sequence[Met]) -> None:
        """Keep what an agency answered for an act as it is now."""
        for one in met:
            meeting.note(work, act, party, one)
        work.session.flush()
        # found under an older form of the act, and not under this one. What the other side found
        # meanwhile by itself is of this form already, and stays.
        old = meeting.standing(work.session, act=act.id, party=party)
        old = [c for c in old if c.revision < act.revision]
        meeting.retire(work.session, old, work.now, MOVED)
        row = _check_row(work.session, act, party)
        row.revision, row.waits, row.answered_at, row.problem = act.revision, False, work.now, ""

    def round(self) -> int:
        """Ask again what waits for an answer, and end what is past; how many acts still wait."""
        self.expire()
        with self.kernel.rows.write() as session:
            self.kernel.rows.alone(session, ALONE)
            parties = self.parties.all()
            ready_all(session, parties)
        left = 0
        for party in parties:
            if party.code == self.kernel.agency:
                continue
            while ids := self._waiting(party.code):
                self.check(self.kernel.node, ids, party.code)
                if set(self._waiting(party.code)) & set(ids):
                    left += len(ids)
                    break  # it is away: later
        return left

    def _waiting(self, party: str) -> list[str]:
        with self.kernel.rows.read() as session:
            return list(
                session.scalars(
                    select(CheckRow.act)
                    .join(PlannedActRow, PlannedActRow.id == CheckRow.act)
                    .where(CheckRow.party == party, CheckRow.waits, PlannedActRow.state.in_(LIVE))
                    .order_by(PlannedActRow.starts)
                    .limit(MOST_CLAIMS)
                )
            )

    def expire(self) -> None:
        """End acts whose time has passed; given by the one who keeps them."""
        raise NotImplementedError


class Again:
    """Asks again, beside the pages, until every agency has answered."""

    def __init__(self, desk: Asking) -> None:
        self._desk = desk
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deconfliction", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; what waits is kept."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * PATIENCE_S)

    def _run(self) -> None:
        while not self._stop.wait(AGAIN_S):
            try:
                self._desk.round()
            except Exception:  # the thread must live on
                log.exception("planned acts could not be checked")


def new_checks(act: str, revision: int, parties: Sequence[Party]) -> list[dict[str, Any]]:
    """Checks of an act that wait, as rows."""
    return [{"act": act, "party": p.code, "revision": revision, "waits": True} for p in parties]


def wait_again(session: Session, act: PlannedActRow, now: datetime) -> None:
    """An act has changed: everybody has to be asked anew."""
    session.execute(
        update(CheckRow)
        .where(CheckRow.act == act.id)
        .values(revision=act.revision, waits=True, problem="", overridden_by="", overridden_why="")
    )


def _waits(session: Session, act: PlannedActRow, party: str, problem: str) -> None:
    row = _check_row(session, act, party)
    if row.waits:
        row.problem = problem


def _check_row(session: Session, act: PlannedActRow, party: str) -> CheckRow:
    row = session.get(CheckRow, (act.id, party))
    if row is None:
        row = CheckRow(act=act.id, party=party, revision=act.revision, waits=True)
        session.add(row)
    return row
