"""`cordon demo`: three nodes on loopback, the built-in exercise, and officers to sign in as."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from cordon.bootstrap import Node
from cordon.commands.demo_cast import (
    BOATS,
    CALL_CENTRES,
    OFFICERS,
    ORDERS,
    PLACES,
    UNITS,
    Player,
    passwords,
)
from cordon.commands.demo_nodes import Others, Part, check_ports, opened, parts_of
from cordon.commands.serving import run
from cordon.exercise import Plan
from cordon.kernel import logs
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Actor, Scope
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.console import console
from cordon.kernel.errors import CordonError
from cordon.operations import Position

log = logging.getLogger(__name__)


def demo(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder of the demonstration.")] = Path("demo"),
    port: Annotated[
        int, typer.Option(help="Port of the first node's pages; the others' come after it.")
    ] = 8000,
    seed: Annotated[int, typer.Option(help="Seed of the exercise.")] = 7,
    speed: Annotated[
        float, typer.Option(help="Seconds of the exercise a second.", min=1, max=120)
    ] = 10.0,
    nodes: Annotated[
        int, typer.Option(help="Nodes that are started.", min=1, max=len(PLACES))
    ] = len(PLACES),
    json: Annotated[
        bool, typer.Option("--json", help="Say addresses and officers in one line of JSON.")
    ] = False,
) -> None:
    """Start three nodes on loopback that know each other, the exercise running at the first."""
    c = console(ctx, json=json)
    check_ports(port, nodes)
    logs.set_up("warning", "auto")
    parts = parts_of(data, port, nodes, speed)
    words = [passwords(part.folder, part.place.players) for part in parts]
    others = Others(parts[1:])
    try:
        node, settings = opened(parts[0])
        actor = node.console_actor(None)
        people(node, actor, parts[0].folder)
        parts[0].meet(node, actor)
        told = [_told(part, word) for part, word in zip(parts, words, strict=True)]
        c.answer({**told[0], "nodes": told}, _said(parts, words, speed))
        begin(node, actor, replace(parts[0].place.plan or Plan(), seed=seed))
        try:
            run(node, settings)
        finally:
            node.close()
    finally:
        others.end()


def people(
    node: Node,
    actor: Actor,
    data: Path,
    players: Sequence[Player] = OFFICERS,
    *,
    boats: bool = True,
) -> Sequence[tuple[Player, str]]:
    """The demonstration's officers; their passwords stand in a file of the folder."""
    words = passwords(data, players)
    with node.kernel.rows.read() as session:
        known = session.scalar(select(OfficerRow.id).limit(1))
    if known is None:
        _make(node, actor, players, words, boats=boats)
    return [(p, words.get(p.login, "")) for p in players]


def _make(
    node: Node, actor: Actor, players: Sequence[Player], words: Mapping[str, str], *, boats: bool
) -> None:
    for code, name in UNITS:
        if any(p.unit == code for p in players):
            node.units.add(actor, code, name)
    for player in players:
        node.officers.add(
            actor,
            login=player.login,
            name=player.name,
            roles=[player.role],
            unit=player.unit,
            cleared=player.cleared,
            password=words[player.login],
            must_change=False,
        )
    for code, name, kind, sector, speed, lat, lon in BOATS if boats else ():
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
    now = node.kernel.clock.now()
    for order in ORDERS:
        draft = Draft(
            basis=order.basis,
            reference=order.reference,
            issuer="Exercise control",
            scope=Scope(frozenset(order.data)),
            valid_from=now,
            valid_until=now + timedelta(days=order.days),
        )
        node.authorities.record(actor, draft, io.BytesIO(order.text.encode()))


def begin(node: Node, actor: Actor, plan: Plan) -> None:
    """Play an exercise beside the node, once it is up."""
    threading.Thread(target=play, args=(node, actor, plan), name="demo", daemon=True).start()


def play(node: Node, actor: Actor, plan: Plan) -> None:
    """Play the exercise: traffic live, records of people as files, then what looks through them.

    One that is records alone is brought in once; a restart finds it there.
    """
    while not node.running:
        time.sleep(0.1)
    try:
        if plan == CALL_CENTRES and any(
            run.world == plan.world for run in node.exercise.runs(actor)
        ):
            return
        node.exercise.start(actor, plan)
        under = node.console_actor(ORDERS[0].reference)
        jobs = node.exercise.bring_records(under, {"calls": node.calls, "money": node.money})
        for job in jobs:
            node.jobs.wait(job)
        # money is looked through beside what was found in calls
        node.jobs.wait(node.calls.ask_find(under))
        if plan == CALL_CENTRES:
            node.money.ask_find(under)
    except CordonError:
        log.exception("the exercise could not be played")


def _told(part: Part, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "address": part.address, "agency": part.place.agency, "name": part.place.name,
        "officers": [
            {"login": p.login, "password": words.get(p.login, ""), "role": p.role, "does": p.does}
            for p in part.place.players
        ],
    }  # fmt: skip


def _said(parts: Sequence[Part], words: Sequence[Mapping[str, str]], speed: float) -> str:
    width = max(len(p.login) for p in OFFICERS)
    lines = ["\nSign in as one of these (made up, on this machine alone):"]
    for part, its_words in zip(parts, words, strict=True):
        lines += ["", f"{part.place.name} is at {part.address}", ""]
        lines += [
            f"  {p.login:<{width}}  {its_words.get(p.login, ''):<34}  {p.does}"
            for p in part.place.players
        ]
    lines.append(
        f"\nThe exercise plays at {speed:g} times at the first; its first live alert comes within "
        "a minute or two.\n"
    )
    if any(part.place.plan == CALL_CENTRES for part in parts):
        lines.append(
            "At the federal one call centres are looked for in made-up calls and payments: sign in "
            "as its\ninvestigator, choose the authority EX-1, and see Calls and Money after some "
            "minutes.\n"
        )
    lines.append(
        "The nodes know each other: see Sharing, Other nodes.\n"
        "Ctrl-C stops them all; `make demo` goes on where it stopped.\n"
    )
    return "\n".join(lines)
