"""Sessions: opened at sign-in, found by their token at each request, ended by time or by hand."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, AuthorityKind, Mark, Thing
from cordon.kernel.access.sealing import token_hash
from cordon.kernel.access.tables import AuthorityRow, OfficerRow, SessionRow
from cordon.kernel.errors import NotFound, NotSignedIn
from cordon.kernel.ids import new_id
from cordon.kernel.work import AuthorityDenied, Kernel, Work

_SEEN_EVERY = timedelta(seconds=30)  # a request writes to the database no more often than this


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions last.

    Attributes:
        idle: without a request. longest: whatever happens, a watch and its hand-over.
    """

    idle: timedelta = timedelta(minutes=60)
    longest: timedelta = timedelta(hours=13)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was just opened.

    Attributes:
        token: the secret of its cookie; it is shown nowhere else and kept by nobody else.
        session: the session's id. expires: its end whatever happens (UTC).
    """

    token: str = field(repr=False)
    session: str
    officer: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """Who a session's token stands for, as they are now.

    Attributes:
        csrf_secret: 64 hex digits, the secret of the session's forms.
        language, theme: how the officer likes their pages.
        must_change: they must change their password before anything else.
    """

    actor: Actor
    csrf_secret: str = field(repr=False)
    language: str
    theme: str
    expires: datetime
    must_change: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """An open session as a list shows it."""

    id: str
    officer: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None


class Sessions:
    """The node's sessions."""

    def __init__(self, kernel: Kernel, rules: SessionRules = SessionRules()) -> None:
        self.kernel = kernel
        self.rules = rules

    def open_in(
        self, session: Session, officer: OfficerRow, *, address: str | None, agent: str | None
    ) -> Opened:
        """Open a session in the caller's transaction, which has checked who it is.

        Args:
            address: of the caller. agent: the browser's own name; its hash is kept.
        """
        now = self.kernel.clock.now()
        token = secrets.token_urlsafe(32)
        row = SessionRow(
            id=new_id(),
            agency=officer.agency,
            mark=Mark.GREEN,
            created_at=now,
            token=token_hash(token),
            officer=officer.id,
            seen_at=now,
            expires_at=now + self.rules.longest,
            csrf=secrets.token_hex(32),
            address=address[:45] if address else None,
            agent=hashlib.sha256(agent.encode()).hexdigest() if agent else None,
        )
        session.add(row)
        return Opened(token, row.id, officer.id, row.expires_at)

    def find(self, token: str) -> Found:
        """Who the token stands for; raises NotSignedIn where it stands for nobody any more."""
        now = self.kernel.clock.now()
        with self.kernel.rows.read() as session:
            row = session.scalar(select(SessionRow).where(SessionRow.token == token_hash(token)))
            officer = session.get(OfficerRow, row.officer) if row is not None else None
            found = _found(session, row, officer) if row is not None and officer else None
        if row is None or officer is None or found is None:
            raise NotSignedIn("The session has ended.", advice="Sign in again.")
        if not self._lives(row, now):
            if row.revoked_at is None:
                # a clock that is put back must not revive it
                self._note(row.id, revoked_at=now, revoked_by="time")
            raise NotSignedIn("The session has ended.", advice="Sign in again.")
        if officer.disabled_at is not None:
            raise NotSignedIn("The session has ended.", advice="Ask your administrator.")
        if now - row.seen_at >= _SEEN_EVERY:
            self._note(row.id, seen_at=now)
        return found

    def living(self, sessions: Collection[str]) -> dict[str, Actor]:
        """Whose these sessions (ids) are, as they are now; those that have ended are left out.

        One query for all of them. To be looked at so does not keep a session from idling.
        """
        now = self.kernel.clock.now()
        with self.kernel.rows.read() as session:
            rows = session.execute(
                select(SessionRow, OfficerRow)
                .join(OfficerRow, OfficerRow.id == SessionRow.officer)
                .where(SessionRow.id.in_(sessions))
            ).all()
            return {
                row.id: _found(session, row, officer).actor
                for row, officer in rows
                if self._lives(row, now) and officer.disabled_at is None and not officer.must_change
            }

    def _note(self, session_id: str, **what: Any) -> None:
        with self.kernel.rows.write() as session:
            session.execute(
                update(SessionRow)
                .where(SessionRow.id == session_id, SessionRow.revoked_at.is_(None))
                .values(**what)
            )

    def choose(self, actor: Actor, authority: str | None) -> Actor:
        """Choose the legal authority that the session reads under, or None to read under none.

        Raises:
            AuthorityRefused: it may not be read under now. NotFound: there is none of that id.
        """
        with self.kernel.work(actor) as work:
            row = self._own(work)
            if authority is None:
                row.authority = None
                work.act("access.authority.choose", Thing.room("access", actor.agency), none=True)
            else:
                chosen = readable(work, authority)
                work.act("access.authority.choose", chosen.thing(), session=row.id)
                row.authority = chosen.id
            work.session.flush()
            officer = work.session.get_one(OfficerRow, row.officer)
            return _found(work.session, row, officer).actor

    def open_ones(self, actor: Actor, officer: str) -> list[Listed]:
        """An officer's open sessions, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("access.session.view", session_thing(officer, view.kernel.agency))
            rows = view.session.scalars(
                select(SessionRow).where(SessionRow.officer == officer).order_by(SessionRow.id)
            )
            return [
                Listed(r.id, r.officer, r.created_at, r.seen_at, r.expires_at, r.address)
                for r in rows
                if self._lives(r, view.now)
            ][::-1]

    def revoke(self, actor: Actor, session: str) -> None:
        """End one session at once: one's own (signing out), or another's."""
        with self.kernel.work(actor) as work:
            row = work.session.get(SessionRow, session)
            if row is None:
                raise NotFound("There is no such session.")
            work.act("access.session.revoke", row.thing(), officer=row.officer)
            if row.revoked_at is None:
                row.revoked_at, row.revoked_by = work.now, actor.id

    def revoke_all(self, actor: Actor, officer: str, *, but: str | None = None) -> int:
        """End every open session of an officer, but for one where `but` names it."""
        with self.kernel.work(actor) as work:
            thing = session_thing(officer, self.kernel.agency)
            count = end_sessions(work, officer, but=but)
            work.act("access.session.revoke", thing, officer=officer, count=count)
            return count

    def sweep(self, keep: timedelta = timedelta(days=30)) -> int:
        """Remove rows of sessions that ended long ago; what they did stays in the ledger."""
        with self.kernel.rows.write() as session:
            old = session.scalars(
                select(SessionRow).where(SessionRow.expires_at < self.kernel.clock.now() - keep)
            ).all()
            for row in old:
                session.delete(row)
            return len(old)

    def _lives(self, row: SessionRow, now: datetime) -> bool:
        return (
            row.revoked_at is None and now < row.expires_at and now < row.seen_at + self.rules.idle
        )

    def _own(self, work: Work) -> SessionRow:
        row = work.session.get(SessionRow, work.actor.session) if work.actor.session else None
        if row is None or row.officer != work.actor.id or not self._lives(row, work.now):
            raise NotSignedIn("The session has ended.", advice="Sign in again.")
        return row


def session_thing(officer: str, agency: str) -> Thing:
    """The sessions of an officer as policies see them."""
    return Thing("session", f"of-{officer}", agency, members=frozenset({officer}))


def end_sessions(work: Work, officer: str, *, but: str | None = None) -> int:
    """End an officer's sessions in the caller's transaction; return how many were open."""
    rows = work.session.scalars(
        select(SessionRow).where(
            SessionRow.officer == officer,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > work.now,
        )
    )
    ended = 0
    for row in rows:
        if row.id != but:
            row.revoked_at, row.revoked_by, ended = work.now, work.actor.id, ended + 1
    return ended


def readable(work: Work, authority: str) -> AuthorityRow:
    """The authority, if it belongs to this agency and may be read under now.

    Raises:
        AuthorityDenied: it may not; the message says why, and the ledger keeps the refusal.
    """
    row = work.session.get(AuthorityRow, authority)
    if row is None or row.agency != work.actor.agency:
        raise NotFound("There is no such authority.")
    work.permit("access.authority.choose", row.thing())
    if not row.reads:
        preserves = row.kind == AuthorityKind.PRESERVATION_ORDER.value
        what = "keeps data from being lost" if preserves else "is for something else"
        raise AuthorityDenied(
            f"The authority {row.reference} {what}; it lets nobody read data.",
            "Choose a warrant or an order that allows reading.",
            "access.authority.choose",
            row.thing(),
        )
    known = row.to_authority()
    if not known.usable(work.now):
        raise AuthorityDenied(
            f"The authority {row.reference} is {known.state(work.now).replace('_', ' ')}.",
            "Choose another one, or ask its issuer to renew it.",
            "access.authority.choose",
            row.thing(),
        )
    return row


def csrf_token(secret: str) -> str:
    """A token for the session's forms: a nonce and its HMAC-SHA-256 under the session's secret."""
    nonce = secrets.token_hex(16)
    return f"{nonce}.{_csrf_mac(secret, nonce)}"


def csrf_fits(secret: str, token: str | None) -> bool:
    """True where the token was made for this session."""
    nonce, _, mac = (token or "").partition(".")
    return hmac.compare_digest(_csrf_mac(secret, nonce).encode(), mac.encode())


def _csrf_mac(secret: str, nonce: str) -> str:
    return hmac.new(bytes.fromhex(secret), nonce.encode(), hashlib.sha256).hexdigest()


def _found(session: Session, row: SessionRow, officer: OfficerRow) -> Found:
    chosen = session.get(AuthorityRow, row.authority) if row.authority else None
    authority = chosen.to_authority() if chosen is not None else None
    actor = officer.to_officer().actor(row.id, authority)
    return Found(
        actor,
        row.csrf,
        officer.language,
        officer.theme,
        row.expires_at,
        must_change=officer.must_change,
    )
