"""Signing in: a password or a provider's word, a second factor where enrolled, then a session.

Every failure looks the same from outside, in words and in time, and none is left out of the
ledger. What a name was tried under stands there as a pseudonym, because people type passwords
into the wrong field.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access import totp
from cordon.kernel.access.failures import SignInRules, count, shut
from cordon.kernel.access.model import Actor, Role, Thing
from cordon.kernel.access.officers import normal_login
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.access.sessions import Opened, Sessions
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.errors import DoesNotVerify, SignInRefused
from cordon.kernel.ledger import NewEntry
from cordon.kernel.work import Kernel

_ACT = "access.session.open"
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The first factor was right and a second one is asked for.

    Attributes:
        token: sealed; to be given back with the code. It opens nothing by itself.
    """

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Caller:
    address: str | None
    agent: str | None


class SignIn:
    """Opens sessions for those who prove who they are."""

    def __init__(
        self,
        kernel: Kernel,
        sessions: Sessions,
        passwords: Passwords,
        sealing: Sealing,
        rules: SignInRules = SignInRules(),
    ) -> None:
        self.kernel = kernel
        self.rules = rules
        self._sessions = sessions
        self._passwords = passwords
        self._sealing = sealing

    def by_password(
        self,
        login: str,
        password: str,
        code: str | None = None,
        *,
        address: str | None = None,
        agent: str | None = None,
    ) -> Opened | Challenge:
        """Sign in by name and password, and by code where one is enrolled.

        Args:
            code: of the second factor, where the caller has asked for it at once.

        Returns:
            The session; or a challenge where the second factor is still to be asked for.

        Raises:
            SignInRefused: the same whatever was wrong.
        """
        caller = _Caller(address, agent)
        name = normal_login(login)[:200]
        with self.kernel.rows.read() as session:
            known = session.execute(
                select(OfficerRow.id, OfficerRow.password).where(OfficerRow.login == name)
            ).one_or_none()
        officer, hashed = known if known is not None else (None, None)
        # Argon2 takes its time: outside the write transaction, which others wait for
        good = self._passwords.check(hashed, password)
        if officer is None:
            self._unknown(name)
            raise _refused()
        fresh = None
        if good and hashed is not None and self._passwords.outgrown(hashed):
            fresh = self._passwords.hash(password)
        return self._first_factor(officer, good, code, caller, checked=hashed, fresh=fresh)

    def by_provider(
        self, issuer: str, subject: str, *, address: str | None = None, agent: str | None = None
    ) -> Opened | Challenge:
        """Sign in whom an OIDC provider has signed in; only an officer linked to it beforehand.

        Raises:
            SignInRefused: nobody is linked to that subject, or the officer is locked out.
        """
        with self.kernel.rows.read() as session:
            officer = session.scalar(
                select(OfficerRow.id).where(
                    OfficerRow.oidc_issuer == issuer, OfficerRow.oidc_subject == subject
                )
            )
        if officer is None:
            self._unknown(f"{issuer} {subject}")
            raise _refused()
        return self._first_factor(officer, True, None, _Caller(address, agent))

    def by_code(
        self, challenge: str, code: str, *, address: str | None = None, agent: str | None = None
    ) -> Opened:
        """Answer a challenge with the code of the second factor.

        Raises:
            SignInRefused: the code or the challenge is wrong, too old or was used.
        """
        try:
            held = orjson.loads(self._sealing.open(challenge, "challenge"))
        except DoesNotVerify:
            self.failed("challenge")
            raise _refused() from None
        now = self.kernel.clock.now()
        with self.kernel.rows.write() as session:
            row = session.get(OfficerRow, held["officer"], with_for_update=True)
            answer: Opened | None = None
            if row is None:
                pass  # officers are locked out, never removed: such a challenge was not made here
            elif now.timestamp() >= held["until"] or held["password"] != _print_of(row.password):
                self._enter(session, _refusal(row, "challenge"))
            else:
                answer = self._second_factor(session, row, code, _Caller(address, agent))
        self.kernel.ledger.committed()
        if answer is None:
            raise _refused()
        return answer

    def failed(self, why: str) -> None:
        """Enter a sign-in that failed before it could be said whose it was.

        Args:
            why: one word (`challenge`; `provider` where `oidc.finish` refused).
        """
        thing = Thing.room("access", self.kernel.agency)
        self.kernel.ledger.append(
            self.kernel.entry(self._nobody(), _ACT, thing, "refused", {"why": why})
        )

    def _first_factor(
        self,
        officer: str,
        good: bool,
        code: str | None,
        caller: _Caller,
        *,
        checked: str | None = None,
        fresh: str | None = None,
    ) -> Opened | Challenge:
        with self.kernel.rows.write() as session:
            row = session.get_one(OfficerRow, officer, with_for_update=True)
            answer: Opened | Challenge | None = None
            if why := shut(row, self.kernel.clock.now()):
                # also where the password was right: many guesses at once must not slip through
                self._enter(session, _refusal(row, why))
            elif not good or (checked is not None and row.password != checked):
                self._failed(session, row, "password")
            else:
                row.password = fresh or row.password
                if row.totp is None or code:
                    answer = self._second_factor(session, row, code, caller)
                else:
                    answer = self._challenge(row)
        self.kernel.ledger.committed()
        if answer is None:
            raise _refused()
        return answer

    def _second_factor(
        self, session: Session, row: OfficerRow, code: str | None, caller: _Caller
    ) -> Opened | None:
        if why := shut(row, self.kernel.clock.now()):
            self._enter(session, _refusal(row, why))
            return None
        if row.totp is not None:
            secret = self._sealing.open(row.totp, f"totp:{row.id}")
            step = totp.step_of(secret, code or "", self.kernel.clock.now(), row.totp_step)
            if step is None:
                self._failed(session, row, "code")
                return None
            row.totp_step = step
        actor = row.to_officer().actor()
        thing = Thing.room("access", self.kernel.agency)
        if not self.kernel.gate.decide(actor, _ACT, thing).allowed:
            self._enter(session, _refusal(row, "policy"))
            return None
        row.failures = row.locks = 0
        row.locked_until = None
        opened = self._sessions.open_in(session, row, address=caller.address, agent=caller.agent)
        detail = {"session": opened.session, "second_factor": row.totp is not None}
        self._enter(session, self.kernel.entry(actor, _ACT, row.thing(), "done", detail))
        return opened

    def _challenge(self, row: OfficerRow) -> Challenge:
        until = self.kernel.clock.now() + self.rules.challenge
        held = {
            "officer": row.id,
            "until": until.timestamp(),
            "password": _print_of(row.password),  # a new password ends the challenge
        }
        return Challenge(self._sealing.seal(orjson.dumps(held).decode(), "challenge"))

    def _failed(self, session: Session, row: OfficerRow, why: str) -> None:
        """Count a failure; enough of them in a row lock the officer out for a while."""
        self._enter(session, _refusal(row, why), *count(self.kernel, row, self.rules))

    def _unknown(self, name: str) -> None:
        thing = Thing.room("access", self.kernel.agency)
        detail = {"why": "unknown", "login": self.kernel.masker.pseudonym("login", name)}
        self.kernel.ledger.append(self.kernel.entry(self._nobody(), _ACT, thing, "refused", detail))

    def _nobody(self) -> Actor:
        return Actor(_NOBODY, "", self.kernel.agency, None, frozenset[Role]())

    def _enter(self, session: Session, *entries: NewEntry) -> None:
        session.flush()
        self.kernel.ledger.append_in(session, list(entries))


def _refusal(row: OfficerRow, why: str) -> NewEntry:
    return NewEntry(
        act=_ACT,
        outcome="refused",
        actor=_NOBODY,  # whoever it was did not prove to be the officer
        unit=None,
        thing=row.thing().name,
        mark=row.mark,
        detail={"why": why},
    )


def _print_of(password: str | None) -> str:
    return hashlib.sha256((password or "").encode()).hexdigest()[:16]


def _refused() -> SignInRefused:
    return SignInRefused(
        "That sign-in did not work.",
        advice="Check what you typed. After several failures, wait a while or ask your "
        "administrator.",
    )
