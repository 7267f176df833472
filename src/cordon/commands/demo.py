"""`cordon demo`: a node on loopback, the built-in exercise, and officers to sign in as."""

from __future__ import annotations

import io
import logging
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cordon.bootstrap import Node, open_node
from cordon.commands.serving import run
from cordon.exercise import Plan
from cordon.kernel import logs
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Actor, Mark, Role, Scope
from cordon.kernel.clock import SetClock, SystemClock
from cordon.kernel.console import console
from cordon.kernel.errors import CordonError
from cordon.operations import Position
from cordon.settings import Settings, load

log = logging.getLogger(__name__)

UNITS = (
    ("watch-south", "Watch South"),
    ("watch-west", "Watch West"),
    ("desk-calls", "Investigation desk"),
    ("stores", "Exhibit store"),
    ("pb-07", "Patrol boat 07"),
    ("inspectorate", "Inspectorate"),
    ("support", "Support"),
)
BOATS = (
    ("PB-07", "Patrol boat 07", "boat", "East", 22.0, 24.78, 66.97),
    ("PB-11", "Patrol boat 11", "boat", "East", 28.0, 24.60, 66.60),
    ("PB-03", "Patrol boat 03", "boat", "West", 22.0, 25.05, 62.36),
    ("HELO-1", "Helicopter 1", "aircraft", "East", 120.0, 24.90, 67.13),
)
AUTHORITY = "EX-1 (exercise)"
WORDS = (
    "amber",
    "basin",
    "coral",
    "delta",
    "ember",
    "fathom",
    "gannet",
    "harbour",
    "inlet",
    "jetty",
    "kelp",
    "lagoon",
    "mooring",
    "narrows",
    "osprey",
    "petrel",
    "quay",
    "reef",
    "sextant",
    "tiller",
    "updraft",
    "vessel",
    "wharf",
    "yawl",
    "zenith",
    "beacon",
)


@dataclass(frozen=True, slots=True)
class Player:
    """A demonstration officer."""

    login: str
    name: str
    unit: str
    role: Role
    does: str
    cleared: Mark = Mark.AMBER_STRICT


OFFICERS = (
    Player(
        "watch",
        "W. Officer",
        "watch-south",
        Role.WATCH_OFFICER,
        "sees the picture, answers alerts, sends units",
    ),
    Player(
        "watch2",
        "S. Officer",
        "watch-west",
        Role.WATCH_OFFICER,
        "countersigns what Watch South wants to close",
    ),
    Player(
        "supervisor", "S. Visor", "watch-west", Role.SUPERVISOR, "sets zones, feeds and authorities"
    ),
    Player(
        "investigator",
        "I. Officer",
        "desk-calls",
        Role.INVESTIGATOR,
        "works cases and call records",
    ),
    Player("custodian", "C. Keeper", "stores", Role.CUSTODIAN, "keeps exhibits, seals bundles"),
    Player("boat", "B. Cox", "pb-07", Role.FIELD_OFFICER, "carries out taskings"),
    Player(
        "overseer",
        "O. Seer",
        "inspectorate",
        Role.OVERSEER,
        "sees who did what, under which authority",
    ),
    Player(
        "director",
        "E. Director",
        "support",
        Role.EXERCISE_DIRECTOR,
        "plays exercises and sees their scores",
    ),
    Player("admin", "A. Admin", "support", Role.ADMINISTRATOR, "manages accounts"),
)


def demo(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder of the demonstration.")] = Path("demo"),
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    seed: Annotated[int, typer.Option(help="Seed of the exercise.")] = 7,
    speed: Annotated[
        float, typer.Option(help="Seconds of the exercise a second.", min=1, max=120)
    ] = 10.0,
    json: Annotated[
        bool, typer.Option("--json", help="Say address and officers in one line of JSON.")
    ] = False,
) -> None:
    """Start a node on loopback with the built-in exercise running."""
    c = console(ctx, json=json)
    settings = load(
        agency="pk-demo",
        agency_name="Coast Guard (exercise)",
        data=data,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        session_idle_minutes=1440,
        session_hours=72,
        log_level="warning",
    )
    logs.set_up(settings.log_level, settings.log_format)
    data.mkdir(parents=True, exist_ok=True)
    clock = SetClock(SystemClock().now(), speed)
    node = open_node(settings, clock)
    # after a restart the ledger may be ahead of the machine: its times never go back
    if (head := node.kernel.ledger.head()) is not None and head.at > clock.now():
        clock.set(head.at)
    actor = node.console_actor(None)
    passwords = people(node, actor, data)
    officers = [
        {"login": p.login, "password": word, "role": p.role, "does": p.does}
        for p, word in passwords
    ]
    c.answer(
        {"address": settings.public_url, "agency": settings.agency, "officers": officers},
        _told(settings, passwords, speed),
    )
    player = threading.Thread(
        target=play, args=(node, actor, Plan(seed=seed)), name="demo", daemon=True
    )
    player.start()
    try:
        run(node, settings)
    finally:
        node.close()


def people(node: Node, actor: Actor, data: Path) -> Sequence[tuple[Player, str]]:
    """The demonstration's officers; their passwords stand in a file of the folder."""
    file = data / "officers.txt"
    if file.exists():
        known = dict(line.split("\t", 1) for line in file.read_text("utf-8").splitlines())
        return [(p, known.get(p.login, "")) for p in OFFICERS]
    for code, name in UNITS:
        node.units.add(actor, code, name)
    made = []
    for player in OFFICERS:
        password = (
            "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
        )
        node.officers.add(
            actor,
            login=player.login,
            name=player.name,
            roles=[player.role],
            unit=player.unit,
            cleared=player.cleared,
            password=password,
            must_change=False,
        )
        made.append((player, password))
    for code, name, kind, sector, speed, lat, lon in BOATS:
        node.operations.add_unit(
            actor,
            code=code,
            name=name,
            kind=kind,
            sector=sector,
            speed_kn=speed,
            contact="Channel 16",
            position=Position(lat, lon),
        )
    node.authorities.record(
        actor,
        Draft(
            basis="crpc_production",
            reference=AUTHORITY,
            issuer="Exercise control",
            scope=Scope(frozenset({"calls", "subscribers"})),
            valid_from=node.kernel.clock.now(),
            valid_until=node.kernel.clock.now() + timedelta(days=300),
        ),
        io.BytesIO(b"Order of the exercise control: made-up call records may be read.\n"),
    )
    file.touch(mode=0o600)
    file.write_text("".join(f"{p.login}\t{w}\n" for p, w in made), "utf-8")
    return made


def play(node: Node, actor: Actor, plan: Plan) -> None:
    """Play the exercise once the node is up: coast traffic live, call records as a file."""
    while not node.running:
        time.sleep(0.1)
    try:
        node.exercise.start(actor, plan)
        under = node.console_actor(AUTHORITY)
        jobs = node.exercise.bring_calls(under, node.calls)
        for job in jobs:
            node.jobs.wait(job)
        node.calls.ask_find(under)
    except CordonError:
        log.exception("the exercise could not be played")


def _told(settings: Settings, people: Sequence[tuple[Player, str]], speed: float) -> str:
    width = max(len(p.login) for p, _ in people)
    lines = [f"  {p.login:<{width}}  {w:<34}  {p.does}" for p, w in people]
    return (
        f"\nCordon is at {settings.public_url}\n\nSign in as one of these (made up, on this "
        f"machine alone):\n\n"
        + "\n".join(lines)
        + f"\n\nThe exercise plays at {speed:g} times; its first live alert comes within a minute "
        f"or two.\nCtrl-C stops the node; `make demo` goes on where it stopped.\n"
    )
