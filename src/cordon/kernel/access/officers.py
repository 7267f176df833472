"""Officers: added, changed, locked, and given what they sign in with."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from cordon.kernel.access import totp
from cordon.kernel.access.failures import SignInRules, count, shut
from cordon.kernel.access.gate import GateRefused
from cordon.kernel.access.model import Actor, Mark, Officer, Role, Thing
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.access.sessions import end_sessions
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.access.units import open_unit
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused, SignInRefused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View, Work

OF_PERSONS = frozenset(Role) - {Role.SERVICE, Role.CONSOLE}
"""Roles that a person can have."""

ALONE = frozenset({Role.OVERSEER, Role.ADMINISTRATOR})
"""Roles that nobody has beside another: who oversees or grants powers does not use them."""

THEMES = ("auto", "light", "dark")
_LOCK, _SELF = "access.officer.lock", "access.self.change"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,78}")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor being enrolled: its secret (base32), and the address for the QR code."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class OutOfReach(GateRefused):
    """A supervisor's wish to lock or let in whom that is not theirs to do; it is recorded."""

    def __init__(self, message: str, row: OfficerRow) -> None:
        Refused.__init__(self, message, advice="Ask an administrator.")
        self.act = _LOCK
        self.thing = row.thing()


class Officers:
    """The node's officers.

    Args:
        issuer: the node's name in authenticator apps.
        rules: when failures to give one's password lock, as in signing in.
    """

    def __init__(
        self,
        kernel: Kernel,
        passwords: Passwords,
        sealing: Sealing,
        *,
        issuer: str = "Cordon",
        rules: SignInRules = SignInRules(),
    ) -> None:
        self.kernel = kernel
        self.rules = rules
        self._passwords = passwords
        self._sealing = sealing
        self._issuer = issuer

    def add(
        self,
        actor: Actor,
        *,
        login: str,
        name: str,
        roles: Iterable[Role],
        unit: str | None = None,
        cleared: Mark = Mark.AMBER,
        password: str | None = None,
        must_change: bool = True,
        language: str = "en",
    ) -> Officer:
        """Add an officer; without a password they can sign in by OIDC alone.

        Args:
            must_change: the password opens nothing until the officer has changed it.
        """
        login = normal_login(login)
        if not _LOGIN.fullmatch(login):
            raise BadInput(
                "A sign-in name is of 2 to 79 letters, digits, dots, hyphens and underscores."
            )
        if password is not None:
            self._passwords.accept_new(password, login=login, name=name)
        hashed = self._passwords.hash(password) if password is not None else None
        with self.kernel.work(actor) as work:
            taken = select(OfficerRow.id).where(OfficerRow.login == login)
            if work.session.scalar(taken) is not None:
                raise Conflict("That sign-in name is taken.", advice="Take another one.")
            row = OfficerRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                login=login,
                name=_name(name),
                unit=open_unit(work.session, unit) if unit else None,
                roles=_roles(roles),
                cleared=cleared,
                password=hashed,
                must_change=must_change and hashed is not None,
                language=language,
                theme="auto",
            )
            work.session.add(row)
            work.session.flush()
            detail = {"roles": row.roles, "unit": row.unit, "cleared": row.cleared}
            work.act("access.officer.add", row.thing(), **detail)
            return row.to_officer()

    def change(
        self,
        actor: Actor,
        officer: str,
        *,
        name: str | None = None,
        roles: Iterable[Role] | None = None,
        unit: str | None = None,
        cleared: Mark | None = None,
    ) -> Officer:
        """Change what is given; it holds from the officer's next request on."""
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            before = {"roles": list(row.roles), "unit": row.unit, "cleared": row.cleared}
            row.name = row.name if name is None else _name(name)
            row.roles = row.roles if roles is None else _roles(roles)
            row.unit = row.unit if unit is None else open_unit(work.session, unit)
            row.cleared = row.cleared if cleared is None else cleared
            after = {"roles": list(row.roles), "unit": row.unit, "cleared": row.cleared}
            work.act("access.officer.change", row.thing(), before=before, after=after)
            return row.to_officer()

    def lock(self, actor: Actor, officer: str, why: str) -> Officer:
        """Lock an officer out at once and end their sessions.

        Raises:
            OutOfReach: a supervisor would lock an overseer or an administrator out.
        """
        if len(why.strip()) < 5:
            raise BadInput("Locking needs a reason.", advice="Write why in a few words.")
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            work.permit(_LOCK, row.thing())
            if _mere_supervisor(actor) and ALONE & {Role(r) for r in row.roles}:
                # whom a supervisor could lock out could not oversee them
                raise OutOfReach("A supervisor locks no overseer and no administrator out.", row)
            ended = end_sessions(work, row.id)
            if row.disabled_at is None or not _mere_supervisor(actor):
                row.disabled_by = actor.id
            row.disabled_at, row.disabled_why = row.disabled_at or work.now, why.strip()[:200]
            work.act(_LOCK, row.thing(), sessions_ended=ended)
            return row.to_officer()

    def unlock(self, actor: Actor, officer: str) -> Officer:
        """Let an officer in again, whether a person or failed sign-ins locked them.

        Raises:
            OutOfReach: a supervisor would let in whom an administrator or a command locked.
        """
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            work.permit(_LOCK, row.thing())
            if row.disabled_at is not None and _mere_supervisor(actor):
                by = work.session.get(OfficerRow, row.disabled_by) if row.disabled_by else None
                if by is None or Role.SUPERVISOR not in by.roles:
                    raise OutOfReach("An administrator locked this officer out.", row)
            row.disabled_at = row.disabled_why = row.disabled_by = row.locked_until = None
            row.failures = row.locks = 0
            work.act(_LOCK, row.thing(), unlocked=True)
            return row.to_officer()

    def set_password(self, actor: Actor, officer: str, password: str) -> None:
        """Give another officer a new password, which they must change; their sessions end."""
        known = self.get(actor, officer)
        self._passwords.accept_new(password, login=known.login, name=known.name)
        hashed = self._passwords.hash(password)
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            work.act("access.officer.change", row.thing(), password=True)
            row.password, row.must_change = hashed, True
            end_sessions(work, row.id)

    def drop_second_factor(self, actor: Actor, officer: str) -> None:
        """Take an officer's lost device off; their sessions end."""
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            work.act("access.officer.change", row.thing(), second_factor=False)
            row.totp = row.totp_pending = None
            end_sessions(work, row.id)

    def link(self, actor: Actor, officer: str, *, issuer: str, subject: str) -> None:
        """Link an officer to the subject of an OIDC provider; only linked ones get in by it."""
        if not issuer or not 1 <= len(subject) <= 255:
            raise BadInput("The provider's subject is missing or too long.")
        with self.kernel.work(actor) as work:
            row = _row(work, officer)
            work.act("access.officer.change", row.thing(), linked=True)
            other = select(OfficerRow.id).where(
                OfficerRow.oidc_issuer == issuer,
                OfficerRow.oidc_subject == subject,
                OfficerRow.id != row.id,
            )
            if work.session.scalar(other) is not None:
                raise Conflict("Another officer is linked to that subject.")
            row.oidc_issuer, row.oidc_subject = issuer, subject

    def change_own_password(self, actor: Actor, old: str, new: str) -> None:
        """Change one's own password; one's other sessions end.

        Raises:
            SignInRefused: the old one is not right; counted as a failure to sign in is.
        """
        login, name, hashed = self._proven(actor, old)
        if self._passwords.check(hashed, new):
            raise BadInput("The new password is the present one.", advice="Take another one.")
        self._passwords.accept_new(new, login=login, name=name)
        made = self._passwords.hash(new)
        with self.kernel.work(actor) as work:
            row = _row(work, actor.id)
            work.act(_SELF, row.thing(), password=True)
            row.password, row.must_change = made, False
            end_sessions(work, row.id, but=actor.session)

    def _proven(self, actor: Actor, password: str) -> tuple[str, str, str | None]:
        """Login, name and hash of who gives their own password; a failure is counted.

        An officer without a password, who signs in by a provider alone, has none to give.
        """
        with self.kernel.view(actor) as view:
            row = _row(view, actor.id)
            found = row.login, row.name, row.password
        # Argon2 takes its time: outside the write transaction, which others wait for
        good = self._passwords.check(found[2], password) or found[2] is None
        with self.kernel.rows.write() as session:
            row = session.get_one(OfficerRow, actor.id, with_for_update=True)
            why = shut(row, self.kernel.clock.now())
            if good and why is None and row.password == found[2]:
                return found
            entries = [] if why else count(self.kernel, row, self.rules)
            detail = {"why": why or "password"}
            refused = self.kernel.entry(actor, _SELF, row.thing(), "refused", detail)
            session.flush()
            self.kernel.ledger.append_in(session, [refused, *entries])
        self.kernel.ledger.committed()
        raise SignInRefused("The present password is not right.")

    def begin_second_factor(self, actor: Actor, password: str) -> Enrolment:
        """Make a secret for one's device; it counts once `finish_second_factor` has a code.

        Args:
            password: one's own: a session left open must not be enough to take an account over.
        """
        self._proven(actor, password)
        secret = totp.new_secret()
        with self.kernel.work(actor) as work:
            row = _row(work, actor.id)
            work.act(_SELF, row.thing(), second_factor="begun")
            row.totp_pending = self._sealing.seal(secret, f"totp:{row.id}")
            return Enrolment(secret, totp.address(secret, row.login, self._issuer))

    def finish_second_factor(self, actor: Actor, code: str) -> None:
        """Prove that the device works; from now on signing in asks for it."""
        with self.kernel.work(actor) as work:
            row = _row(work, actor.id)
            if row.totp_pending is None:
                raise Conflict("No second factor is being enrolled.", advice="Begin it first.")
            secret = self._sealing.open(row.totp_pending, f"totp:{row.id}")
            step = totp.step_of(secret, code, work.now, 0)
            if step is None:
                raise BadInput(
                    "The code is not right.", advice="Check the device's clock and try the next."
                )
            work.act(_SELF, row.thing(), second_factor=True)
            row.totp, row.totp_pending, row.totp_step = row.totp_pending, None, step

    def prefer(
        self, actor: Actor, *, language: str | None = None, theme: str | None = None
    ) -> None:
        """Keep how one likes one's pages."""
        if theme is not None and theme not in THEMES:
            raise BadInput("There is no such theme.", advice=f"Take: {', '.join(THEMES)}.")
        if language is not None and not re.fullmatch(r"[a-z]{2,3}", language):
            raise BadInput("There is no such language.")
        with self.kernel.work(actor) as work:
            row = _row(work, actor.id)
            work.permit(_SELF, row.thing())  # too small a matter for the ledger
            row.language = language or row.language
            row.theme = theme or row.theme

    def get(self, actor: Actor, officer: str) -> Officer:
        """One officer; raises NotFound."""
        with self.kernel.view(actor) as view:
            row = _row(view, officer)
            view.permit("access.officer.view", row.thing())
            return row.to_officer()

    def by_login(self, actor: Actor, login: str) -> Officer:
        """The officer of a sign-in name; raises NotFound."""
        with self.kernel.view(actor) as view:
            view.permit("access.officer.view", Thing.room("access", self.kernel.agency))
            row = view.session.scalar(
                select(OfficerRow).where(OfficerRow.login == normal_login(login))
            )
            if row is None:
                raise NotFound("There is no officer of that sign-in name.")
            return row.to_officer()

    def known(self, actor: Actor) -> list[Officer]:
        """All officers that the actor may see, by name."""
        with self.kernel.view(actor) as view:
            view.permit("access.officer.view", Thing.room("access", self.kernel.agency))
            rows = view.session.scalars(select(OfficerRow).order_by(OfficerRow.name, OfficerRow.id))
            return [r.to_officer() for r in rows if view.may("access.officer.view", r.thing())]


def normal_login(login: str) -> str:
    """A sign-in name as it is compared: NFKC, lower case, without spaces around it.

    Control characters and lone surrogates fall away: no name has them, and PostgreSQL takes
    neither, so that a sign-in tried with them would fail without its entry.
    """
    plain = "".join(c for c in login if unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFKC", plain).strip().casefold()


def invented_password() -> str:
    """A password of four groups of five letters and digits: 100 bits, to be handed over once."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def _mere_supervisor(actor: Actor) -> bool:
    return actor.is_any({Role.SUPERVISOR}) and not actor.is_any({Role.ADMINISTRATOR, Role.CONSOLE})


def _row(view: View, officer: str) -> OfficerRow:
    row = view.session.get(OfficerRow, officer, with_for_update=isinstance(view, Work) or None)
    if row is None:
        raise NotFound("There is no such officer.")
    return row


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise BadInput("A name has 1 to 120 characters.")
    return name


def _roles(roles: Iterable[Role]) -> list[str]:
    given = frozenset(roles)
    if not given or not given <= OF_PERSONS:
        raise BadInput("An officer needs a role that a person can have.")
    if len(given) > 1 and given & ALONE:
        raise BadInput(
            "An overseer or administrator has no other role: nobody oversees themselves.",
            advice="Give the other role to another officer.",
        )
    return sorted(given)
