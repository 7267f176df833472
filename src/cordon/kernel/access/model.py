"""Words of access: who acts, on what, under which mark and which legal authority."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Mark(StrEnum):
    """Handling marks: the Traffic Light Protocol 2.0 (FIRST, 2022), loosest first."""

    CLEAR = "TLP:CLEAR"
    GREEN = "TLP:GREEN"
    AMBER = "TLP:AMBER"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    RED = "TLP:RED"

    @property
    def rank(self) -> int:
        """0 for the loosest to 4 for the strictest."""
        return list(Mark).index(self)


class Role(StrEnum):
    """What an officer is in the node; policies speak of roles, never of names."""

    WATCH_OFFICER = "watch_officer"
    SUPERVISOR = "supervisor"
    INVESTIGATOR = "investigator"
    CUSTODIAN = "custodian"
    FIELD_OFFICER = "field_officer"
    OVERSEER = "overseer"
    ADMINISTRATOR = "administrator"
    EXERCISE_DIRECTOR = "exercise_director"
    SERVICE = "service"  # a program with a scoped token
    CONSOLE = "console"  # commands typed on the node's own machine


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done, as policies name it.

    Attributes:
        name: `room.thing.verb`, for example `operations.alert.acknowledge`.
        says: what it is, for a lawyer, in one sentence.
    """

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Thing:
    """What an act is done on, as far as policies need to know it.

    Attributes:
        type, id: `alert` and its id; a room as a whole is `Thing.room("operations", …)`.
        agency: whose it is. mark: its handling mark. unit: the unit that holds it, or None.
        members: ids of officers named on it (a TLP:RED thing is for them alone).
    """

    type: str
    id: str
    agency: str
    mark: Mark = Mark.GREEN
    unit: str | None = None
    members: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """`type:id`, as the ledger writes it."""
        return f"{self.type}:{self.id}"

    @classmethod
    def room(cls, name: str, agency: str) -> Thing:
        """A room as a whole: its pages and lists."""
        return cls("room", name, agency)


class AuthorityKind(StrEnum):
    """Kinds of legal authority under which personal data may be read."""

    WARRANT = "warrant"  # a court's
    STATUTORY_ORDER = "statutory_order"
    PRESERVATION_ORDER = "preservation_order"
    CONSENT = "consent"  # of the person concerned
    MUTUAL_LEGAL_ASSISTANCE = "mutual_legal_assistance"
    EMERGENCY = "emergency"  # ends unless a second officer confirms it in time


class AuthorityState(StrEnum):
    """Where an authority stands at a moment."""

    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    UNCONFIRMED = "unconfirmed"  # an emergency one still waiting for its second officer
    LAPSED = "lapsed"  # an emergency one that nobody confirmed in time
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Scope:
    """What and whom an authority covers.

    Attributes:
        data: kinds of personal data (`calls`, `subscribers`, `payments`, `persons`).
        subjects: `type:id` of whom it covers; None covers everyone in the data of its span.
        since, until: span of the data itself (UTC), open where None.
    """

    data: frozenset[str]
    subjects: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, data: str, subject: str | None, at: datetime | None = None) -> bool:
        """True where this kind of data of this subject at this moment lies within the scope.

        Args:
            subject: `type:id`, or None for a query that names nobody (which only a scope
                over everyone covers).
            at: the moment of the record, or None where it does not matter.
        """
        if data not in self.data:
            return False
        if self.subjects is not None and (subject is None or subject not in self.subjects):
            return False
        if at is not None:
            if self.since is not None and at < self.since:
                return False
            if self.until is not None and at >= self.until:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Authority:
    """A legal authority as it was recorded.

    Attributes:
        reference: the issuer's own number for it. document_sha256: hash (hex) of its text.
        confirm_by: when an emergency one lapses unless confirmed. confirmed_by: the second
            officer's id.
    """

    id: str
    agency: str
    mark: Mark
    kind: AuthorityKind
    reference: str
    issuer: str
    legal_basis: str
    document_sha256: str
    scope: Scope
    valid_from: datetime
    valid_until: datetime
    recorded_by: str
    recorded_at: datetime
    confirm_by: datetime | None = None
    confirmed_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_why: str | None = None

    def state(self, now: datetime) -> AuthorityState:
        """Where it stands at a moment (aware UTC)."""
        if self.withdrawn_at is not None and now >= self.withdrawn_at:
            return AuthorityState.WITHDRAWN
        if now < self.valid_from:
            return AuthorityState.NOT_YET
        if now >= self.valid_until:
            return AuthorityState.EXPIRED
        if self.kind is AuthorityKind.EMERGENCY and self.confirmed_by is None:
            if self.confirm_by is None or now >= self.confirm_by:
                return AuthorityState.LAPSED
            return AuthorityState.UNCONFIRMED
        return AuthorityState.IN_FORCE

    def usable(self, now: datetime) -> bool:
        """True where data may be read under it at this moment."""
        return self.state(now) in (AuthorityState.IN_FORCE, AuthorityState.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an officer in a session, a service, or a command on the node's machine.

    Attributes:
        id: officer id, `service:…`, `console:…` or `node`.
        name: for display. agency, unit: where they serve.
        roles: what they are. cleared: the strictest mark they may handle.
        authority: the legal authority chosen for this session, or None.
        session: id of the session, or None. scopes: acts a service's token is limited to
            (None: not limited).
    """

    id: str
    name: str
    agency: str
    unit: str | None
    roles: frozenset[Role]
    cleared: Mark = Mark.GREEN
    authority: Authority | None = field(default=None, compare=False)
    session: str | None = field(default=None, compare=False)
    scopes: frozenset[str] | None = None

    def is_any(self, roles: Iterable[Role]) -> bool:
        """True where the actor has one of the roles."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the agency, as officers serve in it.

    Attributes:
        code: stable short name (`gwadar-station`), which officers and the ledger name.
        parent: code of the unit above it, or None. closed: no officer is put into it any more.
    """

    code: str
    name: str
    parent: str | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer as the node knows them; secrets are not part of it.

    Attributes:
        login: what they type to sign in, unique in the node, in lower case.
        unit: code of their unit, or None. cleared: the strictest mark they may handle.
        second_factor: a TOTP device is enrolled. linked: an OIDC provider's subject is linked.
        locked_until: after failed sign-ins, or None. disabled_at: locked by a person, or None.
        language, theme: how they like their pages (`en`, `ur`; `dark`, `light`, `auto`).
        must_change: another person set the password, and it must be changed before anything else.
    """

    id: str
    agency: str
    mark: Mark
    login: str
    name: str
    unit: str | None
    roles: frozenset[Role]
    cleared: Mark
    second_factor: bool
    linked: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    language: str
    theme: str
    must_change: bool = False

    def thing(self) -> Thing:
        """The officer's record as policies see it: it names the officer."""
        return officer_thing(self.id, self.agency, self.mark)

    def actor(self, session: str | None = None, authority: Authority | None = None) -> Actor:
        """The officer as one who acts."""
        return Actor(
            self.id,
            self.name,
            self.agency,
            self.unit,
            self.roles,
            self.cleared,
            authority,
            session,
        )


def officer_thing(id_: str, agency: str, mark: Mark = Mark.GREEN) -> Thing:
    """An officer's record as policies see it."""
    return Thing("officer", id_, agency, mark, members=frozenset({id_}))
