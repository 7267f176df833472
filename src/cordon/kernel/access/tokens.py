"""Service accounts: programs that reach the API with a token limited to named acts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Role, Thing
from cordon.kernel.access.sealing import token_hash
from cordon.kernel.access.tables import TokenRow
from cordon.kernel.errors import BadInput, NotFound, NotSignedIn
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel

PREFIX = "cdn_"
"""Every token begins so, so that one that leaked into a file is found by searching for it."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,78}")
_USED_EVERY = timedelta(minutes=5)  # `used_at` is written no more often than this


@dataclass(frozen=True, slots=True)
class Token:
    """A program's token, without its secret."""

    id: str
    name: str
    scopes: frozenset[str]
    cleared: Mark
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token with its secret, which is shown this once."""

    token: Token
    secret: str = field(repr=False)


class Tokens:
    """The node's service accounts.

    Args:
        longest: how long a token may be valid.
    """

    def __init__(self, kernel: Kernel, *, longest: timedelta = timedelta(days=366)) -> None:
        self.kernel = kernel
        self.longest = longest

    def issue(
        self,
        actor: Actor,
        name: str,
        scopes: Iterable[str],
        valid: timedelta,
        cleared: Mark = Mark.AMBER,
    ) -> Issued:
        """Issue a token.

        Args:
            scopes: names of acts; only such as the policies let programs do at all.
            valid: from now on. cleared: at most TLP:AMBER+STRICT.
        """
        wanted = frozenset(scopes)
        if not _NAME.fullmatch(name):
            raise BadInput("A program's name is of lower-case letters, digits, dots and hyphens.")
        if not timedelta(0) < valid <= self.longest:
            raise BadInput(f"A token is valid for up to {self.longest.days} days.")
        if cleared is Mark.RED:
            raise BadInput(
                "A program is not cleared for TLP:RED, which is for named persons.",
                advice="Take TLP:AMBER+STRICT or less.",
            )
        strange = sorted(s for s in wanted if not self._for_programs(s))
        if not wanted or strange:
            raise BadInput(
                f"No policy lets a program do this: {', '.join(strange)[:200]}."
                if strange
                else "A token needs at least one act that it is for.",
                advice="See “Programs” in docs/access.md.",
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        with self.kernel.work(actor) as work:
            row = TokenRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                token=token_hash(secret),
                name=name,
                scopes=sorted(wanted),
                cleared=cleared,
                issued_by=actor.id,
                expires_at=work.now + valid,
            )
            work.session.add(row)
            work.act("access.token.issue", row.thing(), name=name, scopes=row.scopes)
            return Issued(_token(row), secret)

    def revoke(self, actor: Actor, token: str) -> None:
        """Take a token away; the program's next request is refused."""
        with self.kernel.work(actor) as work:
            row = work.session.get(TokenRow, token)
            if row is None:
                raise NotFound("There is no such token.")
            work.act("access.token.revoke", row.thing(), name=row.name)
            row.revoked_at = row.revoked_at or work.now

    def known(self, actor: Actor) -> list[Token]:
        """All tokens, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("access.token.view", Thing.room("access", self.kernel.agency))
            rows = view.session.scalars(select(TokenRow).order_by(TokenRow.id.desc()))
            return [_token(row) for row in rows]

    def grantable(self) -> list[str]:
        """Names of the acts that a token can be issued for."""
        return sorted(act for act in self.kernel.gate.acts if self._for_programs(act))

    def find(self, secret: str) -> Actor:
        """The program that a token stands for; raises NotSignedIn."""
        now = self.kernel.clock.now()
        with self.kernel.rows.read() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.token == token_hash(secret)))
            if row is None or not _valid(row, now):
                raise NotSignedIn(
                    "The token is not valid.", advice="Ask the administrator for a new one."
                )
            found = _actor(row)
            stale = row.used_at is None or now - row.used_at >= _USED_EVERY
            id_ = row.id
        if stale:
            with self.kernel.rows.write() as session:
                again = session.get(TokenRow, id_)
                if again is not None:
                    again.used_at = now
        return found

    def actor(self, token: str) -> Actor:
        """The program of a token's id, as it is now; raises NotSignedIn."""
        with self.kernel.rows.read() as session:
            row = session.get(TokenRow, token)
            if row is None or not _valid(row, self.kernel.clock.now()):
                raise NotSignedIn("The token is not valid any more.")
            return _actor(row)

    def _for_programs(self, act: str) -> bool:
        if act not in self.kernel.gate.acts:
            return False
        agency = self.kernel.agency
        program = Actor(
            "service:any", "", agency, None, frozenset({Role.SERVICE}), Mark.AMBER_STRICT
        )
        room, thing = act.split(".")[:2]
        return any(
            self.kernel.gate.decide(program, act, on).allowed
            for on in (Thing.room(room, agency), Thing(thing, "any", agency))
        )


def _valid(row: TokenRow, now: datetime) -> bool:
    return row.revoked_at is None and now < row.expires_at


def _actor(row: TokenRow) -> Actor:
    return Actor(
        id=f"service:{row.id}",
        name=row.name,
        agency=row.agency,
        unit=None,
        roles=frozenset({Role.SERVICE}),
        cleared=Mark(row.cleared),
        scopes=frozenset(row.scopes),
    )


def _token(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        cleared=Mark(row.cleared),
        issued_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
