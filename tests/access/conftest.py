"""Services of access over the shared kernel, and officers that are really kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from cordon.kernel.access.actors import console_actor
from cordon.kernel.access.authorities import Authorities, AuthorityRules, Basis
from cordon.kernel.access.failures import SignInRules
from cordon.kernel.access.model import Actor, AuthorityKind, Mark, Officer, Role
from cordon.kernel.access.officers import Officers
from cordon.kernel.access.passwords import PasswordRules, Passwords
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.access.sessions import Opened, SessionRules, Sessions
from cordon.kernel.access.signin import SignIn
from cordon.kernel.access.tokens import Tokens
from cordon.kernel.access.units import Units
from cordon.kernel.clock import SetClock
from cordon.kernel.work import Kernel

PASSWORD = "monsoon lantern quarry"
QUICK = PasswordRules(memory_kib=64, passes=1)  # a test must not wait for Argon2
RULES = AuthorityRules(
    bases={
        "warrant": Basis(AuthorityKind.WARRANT, "Investigation Act", timedelta(days=60)),
        "order": Basis(AuthorityKind.STATUTORY_ORDER, "Procedure Code"),
        "preservation": Basis(
            AuthorityKind.PRESERVATION_ORDER, "Crimes Act", timedelta(days=90), reads=False
        ),
        "consent": Basis(AuthorityKind.CONSENT, "Consent", timedelta(days=90)),
        "emergency": Basis(
            AuthorityKind.EMERGENCY, "Emergency", timedelta(days=1), needs_document=False
        ),
    },
    confirm_within=timedelta(hours=2),
)


@dataclass
class Access:
    """Everything of access, as bootstrap would put it together."""

    kernel: Kernel
    clock: SetClock
    sealing: Sealing
    passwords: Passwords
    sessions: Sessions
    signin: SignIn
    officers: Officers
    units: Units
    tokens: Tokens
    authorities: Authorities
    console: Actor

    def officer(
        self, login: str, *roles: Role, unit: str = "watch-1", cleared: Mark = Mark.AMBER_STRICT
    ) -> Officer:
        if unit not in {u.code for u in self.units.known(self.console)}:
            self.units.add(self.console, unit, unit)
        return self.officers.add(
            self.console,
            login=login,
            name=f"Officer {login}",
            roles=roles,
            unit=unit,
            cleared=cleared,
            password=PASSWORD,
        )

    def sign_in(self, login: str) -> Actor:
        opened = self.signin.by_password(login, PASSWORD)
        assert isinstance(opened, Opened)
        return self.sessions.find(opened.token).actor

    def entries(self) -> list[tuple[str, str, str, dict]]:
        """The ledger, oldest first: act, outcome, actor, detail of each entry."""
        found = self.kernel.ledger.entries(limit=1000)
        return [(e.act, e.outcome, e.actor, e.detail) for e in reversed(found)]


@pytest.fixture
def access(kernel: Kernel, clock: SetClock, tmp_path) -> Access:
    sealing = Sealing.load(tmp_path / "keys")
    passwords = Passwords(QUICK)
    sessions = Sessions(kernel, SessionRules(timedelta(minutes=60), timedelta(hours=13)))
    rules = SignInRules(failures=3, lock=timedelta(minutes=15))
    return Access(
        kernel,
        clock,
        sealing,
        passwords,
        sessions,
        SignIn(kernel, sessions, passwords, sealing, rules),
        Officers(kernel, passwords, sealing, rules=rules),
        Units(kernel),
        Tokens(kernel),
        Authorities(kernel, RULES),
        console_actor(kernel, "tester"),
    )
