"""Service accounts: made, given rights, checked at each request, revoked."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Role, Thing
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.errors import BadInput, Conflict, NotFound, SignInRefused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.sharing.model import Account, NewAccount, check_account_name
from cordon.sharing.tables import AccountRow, CollectionRow, RightRow

SCOPES = frozenset(
    {
        "sharing.collection.view",
        "sharing.object.view",
        "sharing.object.add",
        "sharing.object.delete",
    }
)
"""What an account can do at all, where it has the rights."""

_COLUMNS = select(
    AccountRow.id,
    AccountRow.agency,
    AccountRow.name,
    AccountRow.secret,
    AccountRow.cleared,
    AccountRow.used_at,
    AccountRow.revoked_at,
)  # plain columns: it stands before every request
_FIND = _COLUMNS.where(AccountRow.name == bindparam("name"))
_BY_CERTIFICATE = _COLUMNS.where(AccountRow.certificate == bindparam("certificate"))
REMEMBERED = timedelta(minutes=5)
SHORTEST_WHY = 10
_MOST_REMEMBERED = 4096
_USED_EVERY = timedelta(minutes=5)
_log = logging.getLogger(__name__)


class Accounts:
    """The accounts of the TAXII server.

    A password that was checked is remembered for `REMEMBERED`, by a hash under a key of this
    process: Argon2 at each request would cost its 20 ms a hundred times a second. What was
    revoked or changed is refused at once, since the row is read each time.

    Args:
        per_minute: failed tries from one address, and at one account, a minute.
    """

    def __init__(self, kernel: Kernel, passwords: Passwords, *, per_minute: int) -> None:
        self.kernel = kernel
        self._passwords = passwords
        self._tries = RateLimit(kernel.clock, per_minute=per_minute)
        self._key = os.urandom(32)
        self._lock = threading.Lock()
        self._good: OrderedDict[bytes, datetime] = OrderedDict()

    def find(self, name: str, password: str, address: str) -> Actor:
        """The program that signs in; SignInRefused never says what was wrong, TooMany ends tries.

        Args:
            address: whom it comes from, for the limit of tries.
        """
        with self.kernel.rows.read() as session:
            row = session.execute(_FIND, {"name": name}).one_or_none()
        now = self.kernel.clock.now()
        stands = row is not None and row.revoked_at is None
        known = self._hash(row, password) if row is not None and stands else b""
        if row is None or not stands or not self._remembered(known, now):
            self._tries.take(f"from:{address}")
            self._tries.take(f"at:{name[:80]}")
            if not self._passwords.check(row.secret if row and stands else None, password):
                _log.info("a service account's sign-in was refused")
                raise SignInRefused(
                    "The account or its password is not right.",
                    advice="Ask the agency that runs this node.",
                )
            assert row is not None
            self._remember(known, now)
        self._used(row, now)
        return _actor(row)

    def find_by_certificate(self, fingerprint: str) -> Actor | None:
        """The program whose certificate a connection was opened with, or None.

        Args:
            fingerprint: SHA-256 of the certificate, whose chain the server has checked.
        """
        with self.kernel.rows.read() as session:
            row = session.execute(_BY_CERTIFICATE, {"certificate": fingerprint}).one_or_none()
        if row is None or row.revoked_at is not None:
            return None
        self._used(row, self.kernel.clock.now())
        return _actor(row)

    def _used(self, row: Any, now: datetime) -> None:
        if row.used_at is None or now - row.used_at >= _USED_EVERY:
            with self.kernel.rows.write() as session:
                again = session.get(AccountRow, row.id)
                if again is not None:
                    again.used_at = now

    def _hash(self, row: Any, password: str) -> bytes:
        text = f"{row.id}\0{row.secret}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).digest()

    def _remembered(self, known: bytes, now: datetime) -> bool:
        with self._lock:
            until = self._good.get(known)
            return until is not None and now < until

    def _remember(self, known: bytes, now: datetime) -> None:
        with self._lock:
            self._good[known] = now + REMEMBERED
            if len(self._good) > _MOST_REMEMBERED:
                self._good.popitem(last=False)

    def add(
        self,
        actor: Actor,
        name: str,
        cleared: Mark,
        rights: Iterable[tuple[str, bool, bool]] = (),
        *,
        password: str | None = None,
        certificate: bytes | None = None,
    ) -> NewAccount:
        """Make an account.

        Args:
            cleared: at most TLP:AMBER+STRICT. rights: (collection's id, read, write).
            password: of a data file; otherwise one is made, and shown this once.
            certificate: PEM of the client certificate that it signs in with as well.
        """
        with self.kernel.work(actor) as work:
            return self.add_in(
                work, name, cleared, rights, password=password, certificate=certificate
            )

    def add_in(
        self,
        work: Work,
        name: str,
        cleared: Mark,
        rights: Iterable[tuple[str, bool, bool]] = (),
        *,
        password: str | None = None,
        certificate: bytes | None = None,
    ) -> NewAccount:
        """As `add`, in the caller's transaction."""
        check_account_name(name)
        if cleared is Mark.RED:
            raise BadInput(
                "A program is not cleared for TLP:RED, which is for named persons.",
                advice="Take TLP:AMBER+STRICT or less.",
            )
        if work.session.scalar(select(AccountRow.id).where(AccountRow.name == name)):
            raise Conflict(f"There is an account named {name}.", advice="Take another name.")
        fingerprint = None if certificate is None else _fingerprint(certificate)
        if fingerprint is not None and work.session.scalar(
            select(AccountRow.id).where(AccountRow.certificate == fingerprint)
        ):
            raise Conflict(
                "An account with this certificate is there, or was.",
                advice="Have the program take a certificate of its own.",
            )
        given = password if password is not None else secrets.token_urlsafe(24)
        row = AccountRow(
            id=new_id(),
            agency=self.kernel.agency,
            mark=Mark.GREEN.value,
            created_at=work.now,
            name=name,
            secret=self._passwords.hash(given),
            cleared=cleared.value,
            added_by=work.actor.id,
            certificate=fingerprint,
        )
        work.session.add(row)
        work.session.flush()
        work.act(
            "sharing.account.add", _thing(row), name=name, cleared=cleared.value,
            certificate=fingerprint,
        )  # fmt: skip
        kept = [self.grant_in(work, row, *right) for right in rights]
        return NewAccount(_account(row, tuple(kept)), given)

    def grant(self, actor: Actor, account: str, collection: str, read: bool, write: bool) -> None:
        """Say what an account may do with a collection; neither of both takes it away."""
        with self.kernel.work(actor) as work:
            self.grant_in(work, _row(work.session, account), collection, read, write)

    def grant_in(
        self, work: Work, account: AccountRow, collection: str, read: bool, write: bool
    ) -> tuple[str, bool, bool]:
        """As `grant`, in the caller's transaction."""
        found = work.session.get(CollectionRow, collection)
        if found is None:
            raise NotFound("There is no such collection.", advice="Take one of the list.")
        work.act(
            "sharing.account.grant", _thing(account), collection=collection, read=read, write=write
        )
        give(work.session, collection, f"service:{account.id}", read, write)
        return collection, read, write

    def revoke(self, actor: Actor, account: str, why: str) -> None:
        """Take an account away; its next request is refused."""
        why = " ".join(why.split())
        if len(why) < SHORTEST_WHY:
            raise BadInput(
                "The reason is too short to be understood later.",
                advice=f"Write at least {SHORTEST_WHY} characters.",
            )
        with self.kernel.work(actor) as work:
            row = _row(work.session, account)
            work.act("sharing.account.revoke", _thing(row), name=row.name, why=why[:500])
            if row.revoked_at is None:
                row.revoked_at, row.revoked_by = work.now, actor.id
                row.revoked_why = why[:500]
            work.session.execute(delete(RightRow).where(RightRow.who == f"service:{row.id}"))

    def known(self, actor: Actor) -> list[Account]:
        """All accounts with their rights, newest first."""
        with self.kernel.view(actor) as view:
            view.permit("sharing.account.view", Thing.room("sharing", self.kernel.agency))
            rights: dict[str, list[tuple[str, bool, bool]]] = {}
            for right in view.session.scalars(select(RightRow).order_by(RightRow.collection)):
                rights.setdefault(right.who, []).append((right.collection, right.read, right.write))
            rows = view.session.scalars(select(AccountRow).order_by(AccountRow.id.desc()))
            return [_account(row, tuple(rights.get(f"service:{row.id}", ()))) for row in rows]


def give(session: Session, collection: str, who: str, read: bool, write: bool) -> None:
    """Write down what one may do with a collection."""
    right = session.get(RightRow, (collection, who))
    if right is None:
        session.add(RightRow(collection=collection, who=who, read=read, write=write))
    else:
        right.read, right.write = read, write


def _fingerprint(certificate: bytes) -> str:
    try:
        read = x509.load_pem_x509_certificate(certificate)
    except ValueError:
        raise BadInput(
            "That is no certificate in PEM.",
            advice="Take the file that begins with -----BEGIN CERTIFICATE-----.",
        ) from None
    return read.fingerprint(SHA256()).hex()


def _row(session: Session, account: str) -> AccountRow:
    row = session.get(AccountRow, account) or session.scalar(
        select(AccountRow).where(AccountRow.name == account)
    )
    if row is None:
        raise NotFound("There is no such account.", advice="Take one of the list.")
    return row


def _thing(row: AccountRow) -> Thing:
    return Thing("account", row.id, row.agency, Mark(row.mark))


def _actor(row: Any) -> Actor:
    return Actor(
        id=f"service:{row.id}",
        name=row.name,
        agency=row.agency,
        unit=None,
        roles=frozenset({Role.SERVICE}),
        cleared=Mark(row.cleared),
        scopes=SCOPES,
    )


def _account(row: AccountRow, rights: tuple[tuple[str, bool, bool], ...]) -> Account:
    return Account(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        name=row.name,
        cleared=Mark(row.cleared),
        added_at=row.created_at,
        added_by=row.added_by,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
        revoked_why=row.revoked_why,
        rights=rights,
        certificate=row.certificate,
    )
