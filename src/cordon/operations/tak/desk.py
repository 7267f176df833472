"""Enrolling TAK clients and throwing them out; what the server asks of the database."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel
from cordon.operations.base import SHORTEST_NOTE, written
from cordon.operations.tables import UnitRow
from cordon.operations.tak.base import (
    ENROL,
    JOIN,
    REVOKE,
    VIEW,
    Entitlement,
    TakClient,
    client_of,
)
from cordon.operations.tak.inviting import Invites
from cordon.operations.tak.joining import data_package
from cordon.operations.tak.keys import (
    CLIENT_LASTS,
    TakKeys,
    fingerprint,
    new_key,
    new_password,
)
from cordon.operations.tak.packages import DataPackages
from cordon.operations.tak.tables import TakClientRow


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What is shown once: the password, and the package that it opens."""

    client: TakClient
    password: str
    package: bytes


class TakDesk:
    """The TAK clients of one node.

    Args:
        folder: of the node's keys. host, port: where clients connect; None where no server runs.
        tells: groups that are told alerts and taskings.
    """

    def __init__(
        self, kernel: Kernel, folder: Path, host: str, port: int | None, tells: frozenset[str]
    ) -> None:
        self.kernel = kernel
        self.host = host
        self.port = port
        self.tells = tells
        self.online: dict[str, str] = {}  # id of a client by what it calls itself, here and now
        self.enrol_port: int | None = None  # where phones enrol themselves, if they may
        self.package_port: int | None = None  # where data packages are, if anywhere
        self.invites = Invites(self)
        self.packages = DataPackages(self)
        self._folder = folder
        self._lock = threading.Lock()

    @cached_property
    def keys(self) -> TakKeys:
        """The authority, made when it is first needed."""
        with self._lock:
            return TakKeys(self._folder, self.kernel.agency, self.kernel.clock.now())

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate would let an act pass, for what a page offers."""
        thing = Thing.room("operations", self.kernel.agency)
        return self.kernel.gate.decide(actor, act, thing).allowed

    def clients(self, actor: Actor) -> list[TakClient]:
        """All clients, those that may join first, by name."""
        with self.kernel.view(actor) as view:
            view.permit(VIEW, Thing.room("operations", self.kernel.agency))
            rows = view.session.scalars(select(TakClientRow).order_by(TakClientRow.name))
            found = [client_of(row) for row in rows if view.may(VIEW, row.thing())]
        return sorted(found, key=lambda c: c.revoked_at is not None)

    def enrol(
        self, actor: Actor, *, name: str, groups: str, unit: str = "", cleared: str = Mark.GREEN
    ) -> Enrolled:
        """Let one client join: its key and certificate are made, given once, and not kept.

        Args:
            groups: names with commas between them. unit: code of the unit that carries it.
            cleared: strictest mark of what it is told.

        Raises:
            BadInput: a field cannot be used. NotFound: there is no such unit.
        """
        if self.port is None:
            raise Conflict(
                "This node serves no TAK clients.", advice="Set tak_server_port and start it anew."
            )
        may = Entitlement.read(name, groups, unit, cleared)
        key, password, id_ = new_key(), new_password(), new_id()
        with self.kernel.work(actor) as work:
            certificate = self.keys.client(id_, key.public_key(), work.now)
            row = TakClientRow(
                id=id_,
                agency=self.kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                name=may.name,
                unit=may.unit,
                groups=may.groups,
                cleared=may.cleared,
                certificate=fingerprint(certificate),
                enrolled_by=actor.id,
                valid_until=work.now + CLIENT_LASTS,
            )
            work.act(ENROL, row.thing(), groups=may.groups, unit=may.unit, cleared=may.cleared)
            may.check_unit(work)
            work.session.add(row)
            work.session.flush()
            client = client_of(row)
        package = data_package(
            self.keys, key, certificate, password, name=may.name, host=self.host, port=self.port
        )
        return Enrolled(client, password, package)

    def revoke(self, actor: Actor, id_: str, why: str) -> None:
        """Throw a client out for good; the server does it within seconds, here or elsewhere."""
        why = written(why, "The reason", least=SHORTEST_NOTE, most=500)
        with self.kernel.work(actor) as work:
            row = work.session.get(TakClientRow, id_, with_for_update=True)
            if row is None:
                raise NotFound("There is no such TAK client.", advice="Go back to the list.")
            work.act(REVOKE, row.thing(), why=why)
            if row.revoked_at is not None:
                raise Conflict("It was thrown out already.")
            row.revoked_at, row.revoked_by, row.revoked_why = work.now, actor.id, why

    # what the server asks

    def admit(self, certificate: str) -> TakClient | None:
        """The client of a certificate (SHA-256, hex) that may join now; None where none may.

        One that may not is entered in the ledger.
        """
        with self.kernel.rows.write() as session:
            row = session.scalar(
                select(TakClientRow).where(TakClientRow.certificate == certificate)
            )
            now = self.kernel.clock.now()
            stands = row is not None and row.revoked_at is None and now < row.valid_until
            if row is not None and stands and self._lets_in(row):
                row.seen_at = now
                return client_of(row)
        self.refused(row.id if row is not None else "unknown", "revoked" if row else "not enrolled")
        return None

    def _lets_in(self, row: TakClientRow) -> bool:
        return self.kernel.gate.decide(self.kernel.node, JOIN, row.thing()).allowed

    def bind(self, id_: str, uid: str) -> bool:
        """Bind a device's uid to its certificate on first use; False where it is another's."""
        with self.kernel.rows.write() as session:
            row = session.get(TakClientRow, id_, with_for_update=True)
            if row is None or row.revoked_at is not None:
                return False
            if row.uid is None:
                other = session.scalar(select(TakClientRow).where(TakClientRow.uid == uid))
                if other is not None:
                    now = self.kernel.clock.now()
                    if other.revoked_at is None and now < other.valid_until:
                        return False
                    other.uid = None  # the phone was enrolled anew
                    session.flush()
                row.uid = uid
            return row.uid == uid

    def refused(self, id_: str, why: str) -> None:
        """Enter in the ledger that something of a client was refused."""
        thing = Thing("tak", id_, self.kernel.agency)
        entry = self.kernel.entry(self.kernel.node, JOIN, thing, "refused", {"why": why})
        self.kernel.ledger.append(entry)

    def gone(self, ids: set[str]) -> set[str]:
        """Which of these clients may be connected no longer."""
        if not ids:
            return set()
        with self.kernel.rows.read() as session:
            rows = session.scalars(
                select(TakClientRow).where(
                    TakClientRow.id.in_(ids), TakClientRow.revoked_at.is_(None)
                )
            )
            now = self.kernel.clock.now()
            return ids - {row.id for row in rows if now < row.valid_until}

    def beside(self, client: TakClient) -> list[tuple[TakClient, str]]:
        """The clients of its groups that are connected now, and what they call themselves."""
        now = dict(self.online)
        with self.kernel.rows.read() as session:
            rows = session.scalars(select(TakClientRow).where(TakClientRow.id.in_(now)))
            found = [client_of(row) for row in rows if client.groups & set(row.groups)]
        return [(one, now[one.id]) for one in found if one.uid is not None]

    def owners(self) -> dict[str, str]:
        """Id of the client that each bound uid belongs to."""
        with self.kernel.rows.read() as session:
            query = select(TakClientRow.uid, TakClientRow.id).where(TakClientRow.uid.is_not(None))
            return {str(uid): id_ for uid, id_ in session.execute(query)}

    def place_units(self, places: dict[str, tuple[float, float]]) -> None:
        """Where units are now, by their code, as their phones told (degrees)."""
        with self.kernel.work(self.kernel.node) as work:
            rows = work.session.scalars(
                select(UnitRow)
                .where(UnitRow.agency == self.kernel.agency, UnitRow.code.in_(places))
                .order_by(UnitRow.id)
                .with_for_update()
            )
            for row in rows:
                work.permit("operations.unit.set_state", row.thing())
                (row.lat, row.lon), row.position_at = places[row.code], work.now
