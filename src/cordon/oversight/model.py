"""Words of the room: what an overseer sees. Nothing here is personal data in clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cordon.kernel.access.model import Authority, AuthorityState, Mark
from cordon.kernel.ledger.model import Entry


@dataclass(frozen=True, slots=True)
class OfficerUse:
    """How one officer used an authority: readings, refusals, other acts, first and last time."""

    officer: str
    reads: int
    refused: int
    done: int
    first_at: datetime
    last_at: datetime

    def with_more(self, more: OfficerUse) -> OfficerUse:
        """The same with what came after it."""
        return OfficerUse(
            self.officer,
            self.reads + more.reads,
            self.refused + more.refused,
            self.done + more.done,
            min(self.first_at, more.first_at),
            max(self.last_at, more.last_at),
        )


@dataclass(frozen=True, slots=True)
class AuthorityUse:
    """How an authority was used.

    Attributes:
        state: where it stands now. officers: who used it, the most readings first.
    """

    authority: Authority
    state: AuthorityState
    officers: tuple[OfficerUse, ...]

    @property
    def reads(self) -> int:
        """Readings of personal data under it."""
        return sum(use.reads for use in self.officers)

    @property
    def refused(self) -> int:
        """Attempts under it that were refused."""
        return sum(use.refused for use in self.officers)


@dataclass(frozen=True, slots=True)
class Looked:
    """Who looked at a lead: officer, unit, when last, how often."""

    officer: str
    unit: str | None
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Lead:
    """A finding, alert or case as the overseer sees it.

    Attributes:
        title: None where its mark keeps it from this reader.
        looks: who looked at it, first looker first.
    """

    id: str
    type: str
    title: str | None
    seriousness: str
    mark: Mark
    due_at: datetime
    looks: tuple[Looked, ...] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """A wish to close a lead, or a lead that was closed.

    Attributes:
        id: of the wish. reason: id of the list of reasons. note: None where the lead's mark
        keeps it from this reader. second_by, second_unit: who countersigned, where one had to.
    """

    id: str
    lead: Lead
    reason: str
    note: str | None
    asked_by: str
    asked_unit: str | None
    asked_at: datetime
    second_by: str | None
    second_unit: str | None
    second_at: datetime | None

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who had to do with it."""
        return (self.asked_by, self.second_by) if self.second_by else (self.asked_by,)


@dataclass(frozen=True, slots=True)
class Sent:
    """One unit that was sent for a lead, and who said how far it came.

    Attributes:
        tasking: its id. unit: code of the unit. sent_by: the officer who sent it.
        reported_by: officers who reported how far it came, the first first.
    """

    tasking: str
    unit: str
    sent_by: str
    reported_by: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """True where whoever sent it made every report as well: nobody else vouches for it."""
        return self.reported_by == (self.sent_by,)


@dataclass(frozen=True, slots=True)
class AnsweredLead:
    """An alert that counts as answered and that nobody has closed since.

    Attributes:
        with_alert: id of the alert that it was answered with, where it stood under or over it.
        sent: units that were sent, the first first. case: id of the case opened from it, or None.
        case_opened_by: who opened it. case_idle: nobody has worked on that case.
    """

    lead: Lead
    answered_at: datetime
    with_alert: str | None
    sent: tuple[Sent, ...]
    case: str | None
    case_opened_by: str | None
    case_idle: bool

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who had to do with it."""
        opened = (self.case_opened_by,) if self.case_opened_by else ()
        return (*(who for s in self.sent for who in (s.sent_by, *s.reported_by)), *opened)


@dataclass(frozen=True, slots=True)
class Failing:
    """A subscriber of events that fails: since when, how often, the kind of error."""

    subscriber: str
    since: datetime
    failures: int
    error: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the overseer is told on every page of the room.

    Attributes:
        waiting: emergency authorities that wait for their second officer.
        lapsed: those that ended without one in the last `report.LAPSED_FOR`.
    """

    waiting: int
    lapsed: int


@dataclass(frozen=True, slots=True)
class Report:
    """The overseer's report: a page of each part, and how many each part has in all.

    Attributes:
        uses: authorities, the latest recorded first.
        emergencies: emergency authorities that wait for a second officer, the next to end first.
        lapsed: those that ended without one, the latest recorded first.
        refused: refused acts, newest first.
        overdue, answered: the gravest first, then the longest.
        waiting: the gravest first, then the oldest.
        closed, no_means: what was closed, newest first; those for want of means stand apart.
        totals: by part, how many there are. starts: by part, how many were left out before the
            first; parts that are not named start at the first.
        units: units that asked to close anything, for the filter.
        names: officers' names by id; references: authorities' references by id.
    """

    at: datetime
    uses: tuple[AuthorityUse, ...]
    emergencies: tuple[tuple[Authority, AuthorityState], ...]
    lapsed: tuple[tuple[Authority, AuthorityState], ...]
    refused: tuple[Entry, ...]
    overdue: tuple[Lead, ...]
    answered: tuple[AnsweredLead, ...]
    waiting: tuple[Closing, ...]
    closed: tuple[Closing, ...]
    no_means: tuple[Closing, ...]
    failing: tuple[Failing, ...]
    totals: Mapping[str, int]
    starts: Mapping[str, int]
    units: tuple[str, ...]
    names: Mapping[str, str]
    references: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """What of the ledger is asked for; None everywhere asks for all.

    Attributes:
        act: one act, or all below a word where it ends in a dot. thing: `type:id`.
        authority: id or reference. since, until: aware; from the first on, before the second.
    """

    actor: str | None = None
    act: str | None = None
    thing: str | None = None
    authority: str | None = None
    outcome: str | None = None
    unit: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of entries, newest first, with what their ids stand for."""

    entries: tuple[Entry, ...]
    size: int
    names: Mapping[str, str]
    references: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry with the proof that it stands in the ledger as signed.

    Attributes:
        leaf: the exact text that was hashed. leaf_hash, root: in hex.
        path: hashes (hex) from the leaf up. checkpoint: the signed note. verifier: public key.
        holds: the proof leads to the checkpoint's root.
    """

    entry: Entry
    leaf: str
    leaf_hash: str
    path: tuple[str, ...]
    size: int
    root: str
    checkpoint: str
    verifier: str
    fingerprint: str
    holds: bool
    name: str
    reference: str | None
