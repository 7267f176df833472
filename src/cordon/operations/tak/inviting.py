"""Invitations: a phone makes its own key, and has it signed once by a one-time password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, SignInRefused
from cordon.kernel.ids import new_id
from cordon.operations.tak.base import ENROL, JOIN, REVOKE, VIEW, Entitlement
from cordon.operations.tak.joining import invitation
from cordon.operations.tak.keys import CLIENT_LASTS, fingerprint, new_password
from cordon.operations.tak.tables import TakClientRow, TakInviteRow

if TYPE_CHECKING:
    from cordon.operations.tak.desk import TakDesk

log = logging.getLogger(__name__)
LASTS = timedelta(hours=24)
_AFTERWARDS = timedelta(minutes=10)  # a phone asks for its profile with the password just used
MOST_TRIES = 10
_MOST_REQUEST = 16 << 10  # bytes of a request for a certificate
_LISTED = 200
_REFUSED = "That name and one-time password let nobody enrol."
_ADVICE = "Ask for a new invitation: one is good for one phone and for 24 hours."


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that was not used yet. Attributes as in the table."""

    id: str
    user: str
    name: str
    unit: str | None
    groups: tuple[str, ...]
    cleared: Mark
    until: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Invited:
    """What is shown once: the password; the package beside it holds nothing secret."""

    invite: Invite
    password: str
    package: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A client's certificate, and the authority's."""

    client: str
    certificate: x509.Certificate
    authority: x509.Certificate


class Invites:
    """The invitations of a desk."""

    def __init__(self, desk: TakDesk) -> None:
        self.desk = desk
        self.kernel = desk.kernel

    def invite(
        self, actor: Actor, *, name: str, groups: str, unit: str = "", cleared: str = Mark.GREEN
    ) -> Invited:
        """Let one phone enrol itself within 24 hours; arguments and errors as of `enrol`."""
        port = self.desk.port
        if port is None or self.desk.enrol_port is None:
            raise Conflict(
                "Phones cannot enrol themselves at this node.",
                advice="Set tak_server_port and tak_enrol_port and start it anew.",
            )
        may = Entitlement.read(name, groups, unit, cleared)
        password = new_password()
        with self.kernel.work(actor) as work:
            row = TakInviteRow(
                id=new_id(), agency=self.kernel.agency, mark=Mark.GREEN, created_at=work.now,
                user=f"tak-{secrets.token_hex(4)}", secret=_hashed(password), name=may.name,
                unit=may.unit, groups=may.groups, cleared=may.cleared, invited_by=actor.id,
                until=work.now + LASTS, tries=0,
            )  # fmt: skip
            work.act(
                ENROL, row.thing(), invites=True, groups=may.groups, unit=may.unit, cleared=cleared
            )
            may.check_unit(work)
            work.session.add(row)
            work.session.flush()
            made = _invite(row)
        package = invitation(
            self.desk.keys, made.user, name=may.name, host=self.desk.host, port=port
        )
        return Invited(made, password, package)

    def waiting(self, actor: Actor) -> list[Invite]:
        """Invitations that can be used still, the newest first."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("operations", self.kernel.agency))
            rows = view.session.scalars(
                select(TakInviteRow)
                .where(TakInviteRow.ended_at.is_(None), TakInviteRow.until > view.now)
                .order_by(TakInviteRow.created_at.desc())
                .limit(_LISTED)
            )
            return [_invite(row) for row in rows if view.may(VIEW, row.thing())]

    def withdraw(self, actor: Actor, id_: str) -> None:
        """Take an invitation back; Conflict where it was used or has ended."""
        with self.kernel.work(actor) as work:
            row = work.session.get(TakInviteRow, id_, with_for_update=True)
            if row is None:
                raise NotFound("There is no such invitation.", advice="Go back to the list.")
            work.act(REVOKE, row.thing(), invites=True)
            if row.ended_at is not None:
                raise Conflict("It was used or taken back already.", advice="Go back to the list.")
            row.ended_at = work.now

    # what phones ask

    def known(self, user: str, password: str, *, used: bool = False) -> str:
        """The id of the invitation of a name and its password.

        Ten wrong passwords end an invitation. A wrong one for a known name stands in the ledger.

        Args:
            used: let one pass, too, that was used in the last ten minutes.

        Raises:
            SignInRefused: the two let nobody enrol.
        """
        now, why = self.kernel.clock.now(), ""
        with self.kernel.rows.write() as session:
            row = session.scalar(
                select(TakInviteRow).where(TakInviteRow.user == user[:40]).with_for_update()
            )
            # compared all the same, so that a name that nobody has takes as long
            fits = hmac.compare_digest(row.secret if row else _hashed(""), _hashed(password))
            id_ = row.id if row is not None else ""
            if row is None:
                why = "unknown"
            elif not fits:
                row.tries, why = row.tries + 1, "wrong password"
                if row.tries >= MOST_TRIES and row.ended_at is None:
                    row.ended_at = now
            elif now >= row.until:
                why = "too late"
            elif row.ended_at is not None and not (
                used and row.client is not None and now - row.ended_at < _AFTERWARDS
            ):
                why = "used before"
        if why:
            log.warning("a phone was not let enrol: %s", why)
            if id_:
                self.desk.refused(id_, why)
            raise SignInRefused(_REFUSED, advice=_ADVICE)
        return id_

    def sign(self, user: str, password: str, request: bytes) -> Signed:
        """Sign a phone's own key, once.

        Args:
            request: PKCS#10, as PEM or as the base64 within it.

        Raises:
            SignInRefused: as of `known`. BadInput: the request cannot be signed; it may be sent
                again.
        """
        id_ = self.known(user, password)
        key = _key_of(request)
        with self.kernel.work(self.kernel.node) as work:
            row = work.session.get_one(TakInviteRow, id_, with_for_update=True)
            if row.ended_at is not None:  # by another request, at the same moment
                raise SignInRefused(_REFUSED, advice=_ADVICE)
            client = new_id()
            certificate = self.desk.keys.client(client, key, work.now)
            made = TakClientRow(
                id=client, agency=row.agency, mark=row.mark, created_at=work.now, name=row.name,
                unit=row.unit, groups=row.groups, cleared=row.cleared,
                certificate=fingerprint(certificate), enrolled_by=row.invited_by,
                valid_until=work.now + CLIENT_LASTS,
            )  # fmt: skip
            work.act(JOIN, made.thing(), invite=row.id, invited_by=row.invited_by)
            work.session.add(made)
            work.session.flush()
            row.ended_at, row.client = work.now, client
        return Signed(client, certificate, self.desk.keys.authority)


def _hashed(password: str) -> str:
    """What is kept of a password: 100 random bits need no slow hash."""
    return hashlib.sha256(password.strip().encode()).hexdigest()


def _key_of(request: bytes) -> rsa.RSAPublicKey:
    """The key that a request asks to have signed, and that it was signed with."""
    if len(request) > _MOST_REQUEST:
        raise BadInput("The request for a certificate is too long.")
    try:
        if b"-----BEGIN" in request:
            asked = x509.load_pem_x509_csr(request)
        else:
            asked = x509.load_der_x509_csr(base64.b64decode(request, validate=False))
        key, good = asked.public_key(), asked.is_signature_valid
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise BadInput("That is no request for a certificate (PKCS#10).") from None
    if not isinstance(key, rsa.RSAPublicKey) or not 2048 <= key.key_size <= 4096:
        raise BadInput("The key is no RSA key of 2048 to 4096 bits.")
    if not good:
        raise BadInput("The request is not signed by the key that it names.")
    return key


def _invite(row: TakInviteRow) -> Invite:
    return Invite(
        row.id, row.user, row.name, row.unit, tuple(row.groups), Mark(row.cleared), row.until,
        row.tries,
    )  # fmt: skip
