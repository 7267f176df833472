"""The unit of work: one transaction that passes the gate, and leaves its trace in the ledger.

Every change of a room goes through `Kernel.work`, every reading through `Kernel.view`. Both
ask the policies; both record a refusal. What a work did, its ledger entries and its events
are committed together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cordon.kernel import events
from cordon.kernel.access.gate import Gate, GateRefused
from cordon.kernel.access.model import Actor, Authority, Mark, Role, Thing
from cordon.kernel.clock import Clock
from cordon.kernel.errors import AuthorityRefused, Refused
from cordon.kernel.findings import Finding
from cordon.kernel.ledger import Ledger, NewEntry
from cordon.kernel.masking import Masker
from cordon.kernel.store import Columns, Files, Rows

_DATA_OF = {
    "number": "calls",
    "imsi": "calls",
    "imei": "calls",
    "address": "calls",
    "account": "payments",
    "person": "persons",
}


def personal_data(subject: str) -> str | None:
    """The kind of personal data that a subject (`type:id`) is; None where it is none."""
    return _DATA_OF.get(subject.partition(":")[0])


@dataclass(frozen=True, slots=True)
class Sight:
    """What of personal data may be seen under the authority at hand; the rest is masked.

    Attributes:
        data: the kind of personal data (`calls`, …).
        authority: the authority it is seen under, or None: everything is masked.
        masker: how the rest is masked.
    """

    data: str
    authority: Authority | None
    masker: Masker

    def shows(self, subject: str, at: datetime | None = None) -> bool:
        """True where this subject (`type:id`) may be seen in clear."""
        return self.authority is not None and self.authority.scope.covers(self.data, subject, at)

    def subject(self, subject: str, at: datetime | None = None) -> str:
        """The subject as it may be shown: in clear where covered, else its pseudonym."""
        return subject if self.shows(subject, at) else self.masker.mask_subject(subject)


class View:
    """A reading transaction of one actor."""

    def __init__(self, kernel: Kernel, actor: Actor, session: Session) -> None:
        self.kernel = kernel
        self.actor = actor
        self.session = session
        self.now = kernel.clock.now()
        self._gathered: list[NewEntry] | None = None

    def permit(self, act: str, thing: Thing) -> None:
        """Pass the gate, or raise Refused (which is recorded)."""
        self.kernel.gate.check(self.actor, act, thing)

    def may(self, act: str, thing: Thing) -> bool:
        """Whether the gate would let this pass; nothing is recorded. For what a page offers."""
        return self.kernel.gate.decide(self.actor, act, thing).allowed

    def sight(self, act: str, thing: Thing, data: str, subjects: Iterable[str]) -> Sight:
        """What of these subjects may be seen; those shown in clear are recorded as read first.

        Nothing is recorded where nothing is shown in clear.
        """
        self.permit(act, thing)
        authority = self.actor.authority
        if authority is None or not authority.usable(self.now):
            return Sight(data, None, self.kernel.masker)
        sight = Sight(data, authority, self.kernel.masker)
        shown = sorted({s for s in subjects if sight.shows(s)})
        if shown:
            masked = [self.kernel.masker.mask_subject(s) for s in shown[:50]]
            self._trace(
                self.kernel.entry(
                    self.actor,
                    act,
                    thing,
                    "read",
                    {"data": data, "subjects": masked, "count": len(shown)},
                )
            )
        return sight

    def under_authority(
        self, act: str, thing: Thing, data: str, subject: str | None, at: datetime | None = None
    ) -> Authority:
        """Require an authority that covers this; record the reading; raise AuthorityRefused.

        For queries and imports, which without an authority must not happen at all.
        """
        self.permit(act, thing)
        authority = require_authority(self.actor, self.now, data, subject, at, act, thing)
        detail: dict[str, Any] = {"data": data}
        if subject is not None:
            detail["subjects"] = [self.kernel.masker.mask_subject(subject)]
        self._trace(self.kernel.entry(self.actor, act, thing, "read", detail))
        return authority

    def seen(self, act: str, thing: Thing, finding: Finding) -> Finding:
        """The finding as this actor may see it: what no authority covers is masked."""
        kinds = {data for s in finding.subjects if (data := personal_data(s)) is not None}
        if not kinds:
            return finding
        sights = {data: self.sight(act, thing, data, finding.subjects) for data in sorted(kinds)}

        def visible(subject: str) -> bool:
            data = personal_data(subject)
            return data is None or sights[data].shows(subject, finding.start)

        return self.kernel.masker.mask_finding(finding, visible)

    def seen_all(self, act: str, findings: Iterable[tuple[Thing, Finding]]) -> list[Finding]:
        """As `seen` for each of a page; the readings are entered in one commit, not one each."""
        gathered: list[NewEntry] = []
        self._gathered = gathered
        try:
            shown = [self.seen(act, thing, finding) for thing, finding in findings]
        finally:
            self._gathered = None
        self._enter(gathered)
        return shown

    def _trace(self, entry: NewEntry) -> None:
        if self._gathered is None:
            self._enter([entry])
        else:
            self._gathered.append(entry)

    def _enter(self, entries: Sequence[NewEntry]) -> None:
        """A reading is on the disk before what was read is shown."""
        self.kernel.ledger.append_many(entries)


class Work(View):
    """A changing transaction of one actor."""

    def __init__(self, kernel: Kernel, actor: Actor, session: Session) -> None:
        super().__init__(kernel, actor, session)
        self._entries: list[NewEntry] = []
        self._events: list[tuple[str, Mapping[str, Any], str]] = []

    def act(self, act: str, thing: Thing, **detail: Any) -> None:
        """Pass the gate and put the act into the ledger with this work.

        Args:
            detail: small JSON values for the entry; never personal data in clear.
        """
        self.permit(act, thing)
        self._entries.append(self.kernel.entry(self.actor, act, thing, "done", detail))

    def _enter(self, entries: Sequence[NewEntry]) -> None:
        """Committed with this work: the ledger's own writer would wait for it for ever."""
        self._entries.extend(entries)

    def emit(self, topic: str, payload: Mapping[str, Any], mark: Mark = Mark.GREEN) -> None:
        """Tell other rooms, once this work is committed."""
        self._events.append((topic, payload, mark))

    def finish(self) -> None:
        """Write entries and events last: the ledger's lock is then held for the least time."""
        if self.session.new or self.session.dirty or self.session.deleted or self._entries:
            self.session.flush()
        if self._entries:
            self.kernel.ledger.append_in(self.session, self._entries)
        elif self._events:
            self.kernel.ledger.hold(self.session)  # events are numbered in the order of commits
        for topic, payload, mark in self._events:
            events.put(
                self.session,
                agency=self.kernel.agency,
                mark=mark,
                at=self.now,
                topic=topic,
                payload=payload,
            )


@dataclass
class Kernel:
    """What every room is given: the node's stores, ledger, gate and clock.

    Attributes:
        agency: code of the agency whose node this is.
    """

    agency: str
    clock: Clock
    rows: Rows
    files: Files
    columns: Columns
    ledger: Ledger
    gate: Gate
    masker: Masker
    node: Actor = field(init=False)
    dispatcher: events.Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.node = Actor(
            "node",
            "The node itself",
            self.agency,
            None,
            frozenset({Role.SERVICE}),
            cleared=Mark.RED,
        )
        self.dispatcher = events.Dispatcher(self.rows, self.clock, lambda: self.work(self.node))

    @contextmanager
    def work(self, actor: Actor) -> Iterator[Work]:
        """A changing transaction; commits with its ledger entries and events, or not at all."""
        try:
            with self.rows.write() as session:
                work = Work(self, actor, session)
                yield work
                work.finish()
        except (GateRefused, AuthorityDenied, ActRefused) as refused:
            self._record_refusal(actor, refused)
            raise
        self.ledger.committed()
        self.dispatcher.wake()

    @contextmanager
    def view(self, actor: Actor) -> Iterator[View]:
        """A reading transaction; a refusal in it is recorded."""
        try:
            with self.rows.read() as session:
                yield View(self, actor, session)
        except (GateRefused, AuthorityDenied) as refused:
            self._record_refusal(actor, refused)
            raise

    def entry(
        self, actor: Actor, act: str, thing: Thing, outcome: str, detail: Mapping[str, Any]
    ) -> NewEntry:
        """A ledger entry for an act of this actor, under the authority chosen in the session."""
        return NewEntry(
            act=act,
            outcome=outcome,
            actor=actor.id,
            unit=actor.unit,
            thing=thing.name,
            mark=thing.mark,
            authority=actor.authority.id if actor.authority else None,
            detail=dict(detail),
        )

    def _record_refusal(
        self, actor: Actor, refused: GateRefused | AuthorityDenied | ActRefused
    ) -> None:
        self.ledger.append(
            self.entry(actor, refused.act, refused.thing, "refused", {"why": refused.code})
        )


class ActRefused(Refused):
    """A refusal of an act for what a room knows, not the gate; it stands in the ledger too."""

    def __init__(self, message: str, advice: str, act: str, thing: Thing) -> None:
        super().__init__(message, advice=advice)
        self.act = act
        self.thing = thing


class SecondRefused(ActRefused):
    """A refusal to one who may not be the second officer here."""

    def __init__(self, message: str, act: str, thing: Thing) -> None:
        super().__init__(message, "Ask an officer of another unit.", act, thing)


class AuthorityDenied(AuthorityRefused):
    """A refusal for want of authority, with what the ledger needs to know of it."""

    def __init__(self, message: str, advice: str, act: str, thing: Thing) -> None:
        super().__init__(message, advice=advice)
        self.act = act
        self.thing = thing


def require_authority(
    actor: Actor,
    now: datetime,
    data: str,
    subject: str | None,
    at: datetime | None,
    act: str,
    thing: Thing,
) -> Authority:
    """The actor's chosen authority, if it is usable now and covers this; else AuthorityDenied."""
    authority = actor.authority
    if authority is None:
        raise AuthorityDenied(
            f"No authority is chosen, and {data} may be read only under one.",
            "Choose an authority that covers them, or ask for one.",
            act,
            thing,
        )
    state = authority.state(now)
    if not authority.usable(now):
        raise AuthorityDenied(
            f"The authority {authority.reference} is {state.replace('_', ' ')}.",
            "Choose another one, or ask its issuer to renew it.",
            act,
            thing,
        )
    if not authority.scope.covers(data, subject, at):
        raise AuthorityDenied(
            f"The authority {authority.reference} does not cover this: its scope is "
            f"{', '.join(sorted(authority.scope.data))}"
            + (" of named subjects." if authority.scope.subjects is not None else "."),
            "Choose an authority whose scope covers it.",
            act,
            thing,
        )
    return authority
