"""Who plays in the demonstration: three agencies, their officers, units and boats (made up)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cordon.exercise import Plan
from cordon.kernel.access.model import Mark, Role

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
        "supervisor",
        "S. Visor",
        "watch-west",
        Role.SUPERVISOR,
        "sets zones, feeds and authorities, approves packages",
    ),
    Player(
        "investigator",
        "I. Officer",
        "desk-calls",
        Role.INVESTIGATOR,
        "works cases, calls and payments, drafts packages",
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


@dataclass(frozen=True, slots=True)
class Order:
    """A legal authority of the demonstration, made up as all else.

    Attributes:
        basis: as of the country's `authorities.yaml`. data: that it covers. days: it holds.
        text: its document.
    """

    reference: str
    basis: str
    data: tuple[str, ...]
    text: str
    days: int = 300


ORDERS = (
    Order(
        "EX-1 (exercise)",
        "crpc_production",
        ("calls", "payments", "subscribers"),
        "Order of the exercise control: made-up calls and payments may be read.\n",
    ),
    Order(
        "EX-2 (exercise, to hold money)",
        "crpc_seizure",
        ("payments",),
        "Order of the exercise control: money on made-up accounts may be held.\n",
    ),
    Order(
        "EX-3 (exercise, to block)",
        "telecom_blocking",
        ("calls", "subscribers"),
        "Direction of the exercise control: made-up numbers and handsets may be blocked.\n",
    ),
    Order(
        "EX-4 (exercise, to preserve)",
        "peca_preservation",
        ("calls", "payments", "subscribers"),
        "Notice of the exercise control: made-up records are to be kept.\n",
        days=90,
    ),
    Order(
        "EX-5 (exercise, to search)",
        "crpc_search",
        ("calls", "subscribers"),
        "Warrant of the exercise control: made-up places may be searched.\n",
    ),
)
"""The first lets calls and payments be read; the others are what packages stand on."""

EVERYWHERE = ("watch", "supervisor", "investigator", "overseer", "admin")
"""Logins that each of the three agencies has."""


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the demonstration.

    Attributes:
        folder: below the demonstration's own. agency: its code. kind: of agency, as in agreements.
        plan: of the exercise that is played there, or None. boats: whether it has any.
    """

    folder: str
    agency: str
    name: str
    players: tuple[Player, ...]
    kind: str
    plan: Plan | None = None
    boats: bool = False


CALL_CENTRES = Plan(world="callcentre", days=12, scale=0.02)
"""Two call centres, their victims' payments and 6,000 subscribers: found within a minute or two."""

_SOME = tuple(p for p in OFFICERS if p.login in EVERYWHERE)
PLACES = (
    Place("coast", "pk-coast", "Coast Guard (exercise)", OFFICERS, "coast", Plan(), boats=True),
    Place(
        "federal",
        "pk-federal-ctw",
        "Federal Counter-Terrorism Wing (exercise)",
        _SOME,
        "federal",
        CALL_CENTRES,
    ),
    Place(
        "province",
        "pk-province-ctd",
        "Provincial Counter-Terrorism (exercise)",
        _SOME,
        "provincial",
    ),
)
"""The nodes, in the order of their ports."""


def passwords(folder: Path, players: Sequence[Player]) -> dict[str, str]:
    """Each login's password; made at the first time, and kept in a file of the node's folder."""
    file = folder / "officers.txt"
    if file.exists():
        return dict(line.split("\t", 1) for line in file.read_text("utf-8").splitlines())
    made = {
        p.login: "-".join(secrets.choice(WORDS) for _ in range(4))
        + f"-{secrets.randbelow(90) + 10}"
        for p in players
    }
    folder.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f"{login}\t{word}\n" for login, word in made.items()), "utf-8")
    return made
