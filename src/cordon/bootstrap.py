"""The one place where a node is put together from its settings."""

from __future__ import annotations

import getpass
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cordon import policies, schema
from cordon.calls.service import Calls
from cordon.cases.service import Cases
from cordon.countries import Country, country
from cordon.exercise.crews.desk import Crews
from cordon.exercise.service import Exercise
from cordon.kernel.access.actors import Actors, console_actor
from cordon.kernel.access.authorities import Authorities, AuthorityRules, Basis
from cordon.kernel.access.failures import SignInRules
from cordon.kernel.access.model import Actor
from cordon.kernel.access.officers import Officers
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.sealing import Sealing
from cordon.kernel.access.sessions import SessionRules, Sessions
from cordon.kernel.access.signin import SignIn
from cordon.kernel.access.tokens import Tokens
from cordon.kernel.access.units import Units
from cordon.kernel.cards import Card
from cordon.kernel.clock import Clock, SystemClock
from cordon.kernel.errors import BadInput, NotFound, WrongSetting
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobRow, Jobs
from cordon.kernel.leads import LeadRules
from cordon.kernel.ledger import Ledger, load_key
from cordon.kernel.masking import Masker
from cordon.kernel.store import Columns, Files, Rows
from cordon.kernel.store.files import naming_full_disk, sync_folder
from cordon.kernel.store.rows import named_faults
from cordon.kernel.work import Kernel
from cordon.money.disruption.service import Disruption
from cordon.money.service import Money
from cordon.operations.field.desk import FieldDesk
from cordon.operations.field.live import Live
from cordon.operations.field.panic import CARD as PANIC_CARD
from cordon.operations.handover.desk import HandoverDesk
from cordon.operations.handover.watches import read_watches
from cordon.operations.measures.desk import Measures
from cordon.operations.service import Operations
from cordon.operations.tak.desk import TakDesk
from cordon.operations.triage.rules import read_rules
from cordon.operations.triage.seeing import Seeing
from cordon.oversight.service import Oversight
from cordon.picture.feeds.address import Keys
from cordon.picture.natslink import SUBJECT
from cordon.picture.service import Picture
from cordon.settings import Settings
from cordon.sharing.service import Sharing

if TYPE_CHECKING:
    from fastapi import APIRouter

    from cordon.operations.tak.doors import Door
    from cordon.operations.tak.server import TakServer

log = logging.getLogger(__name__)
_MASKING_KEY_BYTES = 32
UP = ("live", "connecting", "stopped")  # a feed that somebody stopped is not down
SWEEP_PHOTOS_S = 3600.0  # seconds between looks for parts of photos that nobody goes on with
SWEEP_S = 30.0  # seconds between looks for lapsed authorities and ended sessions


class Node:
    """A node: its kernel, its rooms, and what runs beside the pages.

    Args:
        settings: the node's own. clock: the machine's, unless an exercise sets another.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.country: Country = country(settings.country)
        self.data: Path = settings.data
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            raise WrongSetting(
                f"CORDON_DATA names {self.data}, where no folder can be made: {wrong.strerror}."
            ) from None
        self.kernel = _kernel(settings, clock or SystemClock())
        self.lead_rules = LeadRules(alone_up_to=settings.close_alone_up_to)
        self._access()
        self._rooms()
        self._stop = threading.Event()
        self.running = False
        self._beside: list[threading.Thread] = []
        self.tak_server: TakServer | None = None
        self._doors: list[Door] = []

    def _access(self) -> None:
        kernel, settings = self.kernel, self.settings
        self.sealing = Sealing.load(self.data / "keys")
        self.sessions = Sessions(
            kernel,
            SessionRules(
                idle=timedelta(minutes=settings.session_idle_minutes),
                longest=timedelta(hours=settings.session_hours),
            ),
        )
        passwords = Passwords()
        self.units = Units(kernel)
        rules = SignInRules(
            failures=settings.sign_in_failures,
            lock=timedelta(minutes=settings.sign_in_lock_minutes),
        )
        self.officers = Officers(kernel, passwords, self.sealing, rules=rules)
        self.tokens = Tokens(kernel)
        self.actors = Actors(kernel, self.tokens)
        self.sign_in = SignIn(kernel, self.sessions, passwords, self.sealing, rules)
        self.authorities = Authorities(kernel, authority_rules(settings, self.country))

    def _rooms(self) -> None:
        kernel = self.kernel
        self.jobs = Jobs(kernel, self.actors.of)
        self.picture = Picture(
            kernel,
            self.jobs,
            view=self.country.view,
            window=timedelta(hours=self.settings.picture_window_hours),
            frame_hz=self.settings.frame_hz,
            largest=self.settings.upload_max_mb << 20,
            tiles=self.settings.tiles,
            most_fixes=self.settings.picture_most_fixes,
            keys=Keys.of(self.settings),
        )
        self.calls = Calls(
            kernel,
            self.jobs,
            country=self.settings.country,
            largest=self.settings.upload_max_mb << 20,
            layouts=self.data / "layouts",
        )
        self.money = Money(
            kernel,
            self.jobs,
            self.calls,
            country=self.settings.country,
            largest=self.settings.upload_max_mb << 20,
            layouts=self.data / "layouts" / "money",
        )
        self.cases = Cases(
            kernel,
            self.lead_rules,
            jobs=self.jobs,
            folder=self.data / "bundles",
            upload_max=self.settings.upload_max_mb << 20,
            whole_files={"calls": self.calls.lets_in_whole},
        )
        self.sharing = Sharing(
            kernel,
            self.sealing,
            self.cases,
            title=self.settings.agency_name,
            page_most=self.settings.taxii_page_most,
            tries=self.settings.sign_in_rate,
            peers=self.settings.taxii_peers,
            keys=self.data / "keys",
            witness_s=self.settings.witness_seconds,
            kinds=self.settings.planned_act_kinds,
            zone=self.country.zone.key,
            region=self.country.phone_region,
        )
        self.operations = Operations(
            kernel,
            self.lead_rules,
            cases=self.cases,
            cards=self.cards,
            triage=read_rules(self.settings.triage),
            seen=Seeing(self.picture.picture.latest, lambda: self.picture.zones(kernel.node)),
            roads=self.data / "roads.npz",
        )
        self.field = FieldDesk(self.operations, self.cases, self.data / "field")
        self.live = Live(kernel, self.sessions.living)
        self.measures = Measures(kernel, self.country.zone.key, self._sectors)
        self.handover = HandoverDesk(
            self.operations,
            self.country.zone.key,
            read_watches(self.settings.watches),
            lambda: [
                (f.name, f.state) for f in self.picture.feeds(kernel.node) if f.state not in UP
            ],
            self._sectors,
        )
        self.tak = TakDesk(
            kernel,
            self.data / "keys",
            self.settings.tak_server_name,
            self.settings.tak_server_port,
            frozenset(self.settings.tak_tells),
        )
        self.disruption = Disruption(
            kernel,
            self.jobs,
            country=self.country,
            units=lambda actor: [(u.code, u.name) for u in self.operations.units(actor)],
        )
        self.oversight = Oversight(kernel, self.authorities)
        self.exercise = Exercise(
            kernel,
            self.picture,
            self.data / "exercise",
            # what is looked for while a scenario plays; payments are searched when asked for
            looked_for=frozenset({**self.picture.cards, **self.calls.cards}),
        )
        self.crews = Crews(kernel, self.operations, self.field)
        for room in self.rooms.values():
            if hasattr(room, "subscribe"):
                room.subscribe(kernel.dispatcher)
            if hasattr(room, "job_kinds"):
                for kind in room.job_kinds():
                    self.jobs.register(kind)

    @property
    def rooms(self) -> Mapping[str, Any]:
        """The services of the rooms by name."""
        return {
            "picture": self.picture,
            "calls": self.calls,
            "money": self.money,
            "cases": self.cases,
            "sharing": self.sharing,
            "operations": self.operations,
            "field": self.field,
            "measures": self.measures,
            "disruption": self.disruption,
            "oversight": self.oversight,
            "exercise": self.exercise,
            "crews": self.crews,
        }

    def room(self, name: str) -> Any:
        """The service of a room; NotFound where there is none of that name."""
        try:
            return self.rooms[name]
        except KeyError:
            raise NotFound(f"There is no room named {name}.") from None

    @cached_property
    def cards(self) -> Mapping[str, Card]:
        """The detectors' cards, to be looked up by `card_for`."""
        rooms = (self.picture, self.calls, self.money, self.sharing)
        found = {name: card for room in rooms for name, card in room.cards.items()}
        return {**found, PANIC_CARD.kind: PANIC_CARD}

    def _sectors(self, actor: Actor) -> Mapping[str, str]:
        """Names of the patrol sectors by the id of their zone."""
        zones = self.picture.zones(actor)
        return {zone.id: zone.name for zone in zones if zone.kind == "patrol_sector"}

    def routers(self) -> list[APIRouter]:
        """The routes of every room."""
        from cordon.calls.routes import routes as calls
        from cordon.cases.routes import routes as cases
        from cordon.exercise.routes import routes as exercise
        from cordon.money.disruption.routes import routes as disruption
        from cordon.money.routes import routes as money
        from cordon.operations.routes import routes as operations
        from cordon.oversight.routes import routes as oversight
        from cordon.picture.routes import routes as picture
        from cordon.sharing.routes import routes as sharing

        return [
            picture(self.picture),
            calls(self.calls),
            money(self.money),
            cases(self.cases),
            sharing(self.sharing),
            operations(
                self.operations, self.tak, self.measures, self.handover, self.field, self.live
            ),
            disruption(self.disruption),
            oversight(self.oversight),
            exercise(self.exercise, self.crews),
        ]

    def run_job(self, job: str, progress: Callable[[int, int], None]) -> JobRow:
        """Run a queued job here, now, to its end; then hand out the events it left."""
        row = self.jobs.run_here(job, progress)
        self.kernel.dispatcher.run_pending()
        return row

    def console_actor(self, authority: str | None) -> Actor:
        """Who a command acts as: the token's service, or the console's own account.

        Args:
            authority: reference of the legal authority that it acts under, or None.
        """
        if self.settings.token is not None:
            actor = self.tokens.find(self.settings.token.get_secret_value())
        else:
            # who runs the command on this machine, for the ledger; it gives no rights
            actor = console_actor(self.kernel, getpass.getuser())
        return self.authorities.under(actor, authority) if authority else actor

    # running

    def start(self) -> None:
        """Start what runs beside the pages: events, jobs, feeds, the sweep."""
        self.kernel.files.sweep()
        self.kernel.columns.sweep()
        self.kernel.dispatcher.start()
        self.jobs.start(self.settings.job_workers)
        self._zones_of_settings()
        self.exercise.cut_short()
        self.picture.start(feeds_of(self.settings))
        sweep = threading.Thread(target=self._sweep, name="sweep", daemon=True)
        sweep.start()
        self._beside.append(sweep)
        self.live.start()
        self.crews.run()
        self._start_tak()
        if self.settings.node_port is not None:
            self.sharing.start(self.settings.node_bind, self.settings.node_port)
        self.running = True

    def _start_tak(self) -> None:
        """Serve TAK clients, where a port is set for it."""
        bind, port = self.settings.tak_server_bind, self.settings.tak_server_port
        if port is None:
            return
        from cordon.operations.tak.server import TakServer

        places, latest = self.picture.connections.take_events, self.picture.picture.latest
        self.tak_server = TakServer(self.tak, bind, port, places, latest)
        self.tak_server.start()
        self.tak.port = self.tak_server.port  # 0 took a free one
        self._open_marti()

    def _open_marti(self) -> None:
        """Open the ports by which phones enrol themselves and have data packages."""
        from cordon.operations.tak import marti
        from cordon.operations.tak.doors import Door

        said, tak = self.settings, self.tak
        now, bind = self.kernel.clock.now(), said.tak_server_bind
        if said.tak_enrol_port is not None:
            app, context = marti.enrolment(tak.invites), tak.keys.open_context(tak.host, now)
            door = Door("tak_enrol_port", app, bind, said.tak_enrol_port, context)
            tak.enrol_port = self._opened(door)
        if said.tak_package_port is not None:
            app, context = marti.packages(tak, tak.packages), tak.keys.server_context(tak.host, now)
            door = Door("tak_package_port", app, bind, said.tak_package_port, context)
            tak.package_port = self._opened(door)

    def _opened(self, door: Door) -> int:
        door.start()
        self._doors.append(door)
        return door.port

    def _zones_of_settings(self) -> None:
        """Bring in the zones file of the settings, where it says anything new."""
        path = self.settings.zones
        if path is None:
            return
        actor = console_actor(self.kernel, getpass.getuser())  # whose settings these are
        try:
            self.picture.put_zones(actor, path.read_bytes(), unless_known=True)
        except OSError as wrong:
            raise WrongSetting(
                f"CORDON_ZONES names {path}, which cannot be read: {wrong.strerror}."
            ) from None
        except BadInput as wrong:
            raise WrongSetting(f"CORDON_ZONES names {path}: {wrong}") from None

    def _sweep(self) -> None:
        photos_at = 0.0
        while not self._stop.wait(SWEEP_S):
            try:
                self.authorities.sweep()
                self.sessions.sweep()
                self.sharing.sweep()
                if time.monotonic() >= photos_at:
                    photos_at = time.monotonic() + SWEEP_PHOTOS_S
                    self.field.sweep(timedelta(days=self.settings.photo_parts_days))
            except Exception:  # whatever it was: authorities must lapse in time
                log.exception("the sweep failed")
            try:
                self.operations.tick()
            except Exception:  # the clock of the queue must go on
                log.exception("the clock of the queue failed")

    def stop(self) -> None:
        """Stop what runs beside the pages; jobs go on after the next start."""
        self._stop.set()
        tak = [] if self.tak_server is None else [self.tak_server.stop]
        for end in (
            self.live.stop, self.exercise.stop, self.crews.end, *(d.stop for d in self._doors),
            *tak, self.sharing.stop, self.picture.stop, self.jobs.stop, self.kernel.dispatcher.stop,
        ):  # fmt: skip
            end()
        for thread in self._beside:
            thread.join(timeout=5)

    def close(self) -> None:
        """Let go of the ledger and the database."""
        self.kernel.ledger.close()
        self.kernel.rows.close()


def feeds_of(settings: Settings) -> list[str]:
    """The feeds of the settings, and what relays send where a server for that is set."""
    relayed = [f"{settings.nats_url}/{SUBJECT}.>"] if settings.nats_url else []
    return [*settings.feeds, *relayed]


def open_node(settings: Settings, clock: Clock | None = None) -> Node:
    """The node of these settings, its database brought up to this version."""
    return Node(settings, clock)


def authority_rules(settings: Settings, of: Country) -> AuthorityRules:
    """The country's legal bases, and the node's own time to confirm an emergency."""
    return AuthorityRules(
        bases={
            b.id: Basis(b.kind, b.law, b.longest, b.needs_document, reads=b.reads)
            for b in of.authorities
        },
        confirm_within=timedelta(minutes=settings.emergency_confirm_minutes)
        if settings.emergency_confirm_minutes
        else of.confirm_emergency,
    )


def _kernel(settings: Settings, clock: Clock) -> Kernel:
    rows = Rows(settings.rows_url, pool=settings.database_pool)
    with named_faults():
        schema.upgrade(rows)
    origin = settings.ledger_origin or f"cordon/{settings.agency}"
    keys = settings.data / "keys"
    return Kernel(
        agency=settings.agency,
        clock=clock,
        rows=rows,
        files=Files(settings.data / "files"),
        columns=Columns(
            settings.data / "columns",
            memory_mb=settings.columns_memory_mb,
            engine=settings.columns_engine,
            threads=settings.columns_threads,
        ),
        ledger=Ledger(
            rows,
            clock,
            agency=settings.agency,
            origin=origin,
            key=load_key(keys, origin),
            folder=settings.data / "ledger",
        ),
        gate=policies.gate(),
        masker=Masker(_masking_key(keys), settings.masked_last_digits),
    )


def _masking_key(folder: Path) -> bytes:
    """The secret that pseudonyms are made under; whoever has it can unmask."""
    path = folder / "masking-key"
    if not path.exists():
        partial = folder / f".masking-key.{new_id()[-12:]}.partial"
        try:
            with naming_full_disk():
                handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as out:
                    out.write(secrets.token_bytes(_MASKING_KEY_BYTES))
                    out.flush()
                    os.fsync(out.fileno())
            # link, not rename: of two processes that start at once, one key must win for both
            with suppress(FileExistsError):
                os.link(partial, path)
            sync_folder(folder)
        finally:
            partial.unlink(missing_ok=True)
    if path.stat().st_mode & 0o077:
        raise WrongSetting(
            f"The masking key {path} can be read by others on this machine.",
            advice=f"Run `chmod 600 {path}`.",
        )
    key = path.read_bytes()
    if len(key) != _MASKING_KEY_BYTES:
        raise WrongSetting(f"{path} is not a key.", advice="Restore it from the backup.")
    return key
