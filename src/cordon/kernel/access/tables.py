"""How agencies, units, officers, sessions, tokens and legal authorities are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import (
    Authority,
    AuthorityKind,
    Mark,
    Officer,
    Role,
    Scope,
    Thing,
    Unit,
    officer_thing,
)
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class AgencyRow(Owned, Base):
    """An agency that this node knows: its own, and those it shares with.

    Columns:
        code: global code, its country's code first (`pk-mcg`). name: for pages.
    """

    __tablename__ = "agencies"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class UnitRow(Owned, Base):
    """A unit of this node's agency; see `model.Unit`."""

    __tablename__ = "units"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    parent: Mapped[str | None] = mapped_column(String(40))
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The unit as policies see it."""
        return Thing("unit", self.id, self.agency, Mark(self.mark), unit=self.code)

    def to_unit(self) -> Unit:
        return Unit(self.code, self.name, self.parent, self.closed_at is not None)


class OfficerRow(Owned, Base):
    """An officer, with what signing in needs.

    Columns:
        password: Argon2id in its own encoding, or null (no password is set).
        totp: the second factor's secret, sealed under the node's key; totp_pending: one that
            is being enrolled. totp_step: the last 30-second step used, never taken again.
        failures: failed sign-ins since the last good one or lock. locks: locks in a row.
        disabled_at, disabled_why, disabled_by: locked by a person rather than by failures.
        must_change: somebody else knows the password, and it opens nothing until it is changed.
    """

    __tablename__ = "officers"
    __table_args__ = (Index("uq_officers_oidc", "oidc_issuer", "oidc_subject", unique=True),)

    login: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str | None] = mapped_column(String(40))
    roles: Mapped[list[str]] = mapped_column(Json)
    cleared: Mapped[str] = mapped_column(String(20))
    password: Mapped[str | None] = mapped_column(String(200))
    totp: Mapped[str | None] = mapped_column(String(200))
    totp_pending: Mapped[str | None] = mapped_column(String(200))
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    locks: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcTime())
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime())
    disabled_why: Mapped[str | None] = mapped_column(String(200))
    disabled_by: Mapped[str | None] = mapped_column(String(100))
    must_change: Mapped[bool] = mapped_column(Boolean, default=False)
    oidc_issuer: Mapped[str | None] = mapped_column(String(200))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(10), default="en")
    theme: Mapped[str] = mapped_column(String(10), default="auto")

    def thing(self) -> Thing:
        """The officer's record as policies see it."""
        return officer_thing(self.id, self.agency, Mark(self.mark))

    def to_officer(self) -> Officer:
        return Officer(
            id=self.id,
            agency=self.agency,
            mark=Mark(self.mark),
            login=self.login,
            name=self.name,
            unit=self.unit,
            roles=frozenset(Role(role) for role in self.roles),
            cleared=Mark(self.cleared),
            second_factor=self.totp is not None,
            linked=self.oidc_subject is not None,
            locked_until=self.locked_until,
            disabled_at=self.disabled_at,
            language=self.language,
            theme=self.theme,
            must_change=self.must_change,
        )


class SessionRow(Owned, Base):
    """A signed-in session. The token itself is kept nowhere: `token` is its SHA-256 (hex).

    Columns:
        seen_at: the last request, to half a minute. expires_at: its end whatever happens.
        authority: id of the legal authority chosen in it, or null. csrf: secret of its forms.
        address: where it was opened from. agent: SHA-256 (hex) of the browser's name.
    """

    __tablename__ = "sessions"

    token: Mapped[str] = mapped_column(String(64), unique=True)
    officer: Mapped[str] = mapped_column(ForeignKey("officers.id"), index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcTime())
    expires_at: Mapped[datetime] = mapped_column(UtcTime(), index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime())
    revoked_by: Mapped[str | None] = mapped_column(String(100))
    authority: Mapped[str | None] = mapped_column(String(36))
    csrf: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(45))
    agent: Mapped[str | None] = mapped_column(String(64))

    def thing(self) -> Thing:
        """The session as policies see it: it names its officer."""
        members = frozenset({self.officer})
        return Thing("session", self.id, self.agency, Mark(self.mark), members=members)


class TokenRow(Owned, Base):
    """A program's token; `token` is the SHA-256 (hex) of the secret.

    Columns:
        scopes: names of the acts that it is limited to. cleared: strictest mark.
    """

    __tablename__ = "service_tokens"

    token: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    scopes: Mapped[list[str]] = mapped_column(Json)
    cleared: Mapped[str] = mapped_column(String(20))
    issued_by: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime] = mapped_column(UtcTime())
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime())
    used_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The token as policies see it."""
        return Thing("token", self.id, self.agency, Mark(self.mark))


class AuthorityRow(Owned, Base):
    """A legal authority as it was recorded; see `model.Authority`.

    Columns:
        basis: id of the country's legal basis that it rests on. document: SHA-256 (hex), empty
        where its basis needs none. reads: whether data may be read under it at all (an order to
        preserve data lets nobody read them). lapsed_at: when the node ended an unconfirmed one.
    """

    __tablename__ = "authorities"
    __table_args__ = (
        Index("uq_authorities_reference", "agency", "reference", unique=True),
        Index("ix_authorities_waiting", "kind", "confirm_by"),
    )

    kind: Mapped[str] = mapped_column(String(30))
    reference: Mapped[str] = mapped_column(String(120))
    issuer: Mapped[str] = mapped_column(String(200))
    basis: Mapped[str] = mapped_column(String(60))
    legal_basis: Mapped[str] = mapped_column(String(300))
    document: Mapped[str] = mapped_column(String(64))
    reads: Mapped[bool] = mapped_column(Boolean, default=True)
    scope: Mapped[dict[str, Any]] = mapped_column(Json)
    valid_from: Mapped[datetime] = mapped_column(UtcTime())
    valid_until: Mapped[datetime] = mapped_column(UtcTime(), index=True)
    recorded_by: Mapped[str] = mapped_column(String(100))
    confirm_by: Mapped[datetime | None] = mapped_column(UtcTime())
    confirmed_by: Mapped[str | None] = mapped_column(String(100))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime())
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime())
    withdrawn_why: Mapped[str | None] = mapped_column(String(500))
    lapsed_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The authority as policies see it: it names who recorded it."""
        members = frozenset({self.recorded_by})
        return Thing("authority", self.id, self.agency, Mark(self.mark), members=members)

    def to_authority(self) -> Authority:
        return Authority(
            id=self.id,
            agency=self.agency,
            mark=Mark(self.mark),
            kind=AuthorityKind(self.kind),
            reference=self.reference,
            issuer=self.issuer,
            legal_basis=self.legal_basis,
            document_sha256=self.document,
            scope=scope_from(self.scope),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            recorded_by=self.recorded_by,
            recorded_at=self.created_at,
            confirm_by=self.confirm_by,
            confirmed_by=self.confirmed_by,
            withdrawn_at=self.withdrawn_at,
            withdrawn_why=self.withdrawn_why,
        )


class AuthorityEventRow(Base):
    """One step in an authority's history: recorded, confirmed, withdrawn or lapsed."""

    __tablename__ = "authority_history"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    authority: Mapped[str] = mapped_column(ForeignKey("authorities.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime())
    what: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(100))
    why: Mapped[str | None] = mapped_column(String(500))


def scope_to(scope: Scope) -> dict[str, Any]:
    """A scope as JSON: lists sorted, times in RFC 3339."""
    return {
        "data": sorted(scope.data),
        "subjects": None if scope.subjects is None else sorted(scope.subjects),
        "since": format_time(scope.since) if scope.since else None,
        "until": format_time(scope.until) if scope.until else None,
    }


def scope_from(data: dict[str, Any]) -> Scope:
    """The scope that `scope_to` wrote."""
    return Scope(
        data=frozenset(data["data"]),
        subjects=None if data["subjects"] is None else frozenset(data["subjects"]),
        since=parse_time(data["since"]) if data["since"] else None,
        until=parse_time(data["until"]) if data["until"] else None,
    )
