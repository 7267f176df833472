"""`cordon picture watch` and `cordon picture relay`: feeds as they come, without a node."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from cordon.kernel.clock import parse_time
from cordon.kernel.console import Console, console
from cordon.kernel.errors import BadUsage

if TYPE_CHECKING:
    from cordon.kernel.access.model import Actor
    from cordon.picture.feeds.address import Keys
    from cordon.picture.feeds.health import FeedState
    from cordon.picture.service import Picture
    from cordon.picture.watching import FileTold

app = typer.Typer()
SOURCES = (
    "nmea+tcp://host:port, nmea+udp://…, cot+tcp://…, cot+tls://…, cot+udp://…, "
    "nats://host:port/subject, or a file; again for more."
)
Json = Annotated[bool, typer.Option("--json", help="Tell each state as one line of JSON.")]


@app.command()
def watch(
    ctx: typer.Context,
    source: Annotated[list[str], typer.Argument(help=SOURCES)],
    zones: Annotated[Path | None, typer.Option(help="GeoJSON file of zones.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Append the lines to this file; else standard output.")
    ] = None,
    positions: Annotated[bool, typer.Option(help="Give positions too, or findings alone.")] = True,
    base_time: Annotated[
        str, typer.Option(help="When an AIS log without times begins (RFC 3339).")
    ] = "",
    into_node: Annotated[
        bool, typer.Option("--into-node", help="Bring all into the node of the settings instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Read feeds and files, and give positions and findings as JSON Lines as they come.

    Each line is {"position": …}, {"finding": …} or {"withdrawn": …}. With --json what was read of
    a file and how a feed does stand on standard output too, as {"file": …} and {"feed": …}. Files
    are read to their end, feeds until the command is interrupted. Nothing is kept, and no node is
    needed.
    """
    c = console(ctx, json=json)
    if into_node:
        _into_node(c, c.passes("picture.feed.change"), source)
        return
    from cordon.picture.behaviours import fit_behaviours
    from cordon.picture.detect import remarks_on
    from cordon.picture.watching import Watch
    from cordon.picture.zones import read_zones

    known = read_zones(zones) if zones is not None else []
    fit_behaviours(known, zones.name if zones is not None else "The zones")
    for remark in remarks_on(known):
        c.say(remark)
    with out.open("ab") if out is not None else nullcontext(sys.stdout.buffer) as file:

        def give(line: Mapping[str, Any]) -> None:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

        watching = Watch(
            source,
            known,
            give,
            keys=keys_of_settings(),
            say=lambda told: _say(c, told),
            flush=file.flush,
            positions=positions,
            base_time=parse_time(base_time) if base_time else None,
        )
        with _until_interrupted(watching.stop):
            watching.run()


@app.command()
def relay(
    ctx: typer.Context,
    source: Annotated[list[str], typer.Argument(help="Feeds; again for more.")],
    to: Annotated[
        str, typer.Option(help="nats://host:port of a server with JetStream; CORDON_NATS_URL.")
    ] = "",
    spool: Annotated[
        Path, typer.Option(help="Folder of what was read and is not yet safe with the server.")
    ] = Path("relay"),
    name: Annotated[str, typer.Option(help="Of this relay, for the node's page of feeds.")] = "",
    json: Json = False,
) -> None:
    """Read feeds and send what they give to a node through NATS JetStream, losing nothing.

    The node takes it up where CORDON_NATS_URL names the same server.
    """
    from cordon.picture.feeds.address import address_of
    from cordon.picture.natslink import SUBJECT
    from cordon.picture.relaying import Relay, Spool
    from cordon.settings import load

    c = console(ctx, json=json)
    server = to or load().nats_url or ""
    if not server:
        raise BadUsage("No server is named.", advice="Give --to nats://host:port.")
    relaying = Relay(
        source,
        address_of(f"{server.rstrip('/')}/{SUBJECT}"),
        Spool(spool),
        keys=keys_of_settings(),
        name=name,
    )
    ended = threading.Event()
    with _until_interrupted(ended.set):
        relaying.start()
        shown: dict[str, str] = {}
        error = ""
        while not ended.wait(1.0):
            for state in relaying.states:
                if shown.get(state.id) != state.look():
                    shown[state.id] = state.state
                    _say(c, state)
            if relaying.error != error:
                error = relaying.error
                c.answer(
                    {"server": {"url": server, "error": error}},
                    f"To {server}: {error or 'connected'}.",
                )
        relaying.stop()


def keys_of_settings() -> Keys:
    """The files by which feeds that are secured are read, of the settings."""
    from cordon.picture.feeds.address import Keys
    from cordon.settings import load

    return Keys.of(load())


class _until_interrupted:
    """Within it, Ctrl-C and a request to end call `stop` instead of breaking off."""

    def __init__(self, stop: Any) -> None:
        self._stop = stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, lambda *_: self._stop())

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _into_node(c: Console, actor: Actor, source: list[str]) -> None:
    """Read feeds into the node until stopped, without pages; files are read once."""
    from cordon.picture.commands import bring_in, read_of

    files = [Path(s) for s in source if "://" not in s]
    feeds = [s for s in source if "://" in s]
    if files:
        for told in bring_in(c, actor, files, [])[0]:
            c.answer(told, read_of([told]))
    if feeds:
        room: Picture = c.node.room("picture")
        with _until_interrupted(room.interrupt):
            room.watch(actor, feeds, lambda feed: c.answer(_feed(feed), _words(feed)))


def _say(c: Console, told: FeedState | FileTold) -> None:
    from cordon.picture.watching import FileTold

    if isinstance(told, FileTold):
        n = told.counts
        data = {
            "name": told.path.name,
            **asdict(n),
            "reasons": dict(told.reasons),
            "broken": told.broken,
        }
        words = (
            f"{told.path.name}: {n.read:,} rows read, {n.kept:,} kept, {n.repeated:,} repeated, "
            f"{n.refused:,} refused, {n.passed_over:,} passed over. {told.broken}"
        )
        if not (n.read or told.broken):
            c.say(f"{told.path.name} holds no position: no row stands after its header.")
        c.answer({"file": data}, words.rstrip() + _refused(told.reasons))
    else:
        c.answer({"feed": _feed(told)}, _words(told))


def _refused(reasons: Mapping[str, int]) -> str:
    """A line for each reason for which something was refused, the most frequent first."""
    told = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return "".join(f"\n  refused {times:,}: {reason}" for reason, times in told)


def _feed(feed: FeedState) -> dict[str, Any]:
    return {
        "name": feed.name,
        "state": feed.state,
        "rate": round(feed.rate, 3),
        "kept": feed.kept,
        "refused": feed.refused,
        "reasons": dict(feed.reasons),
        "error": feed.error,
    }


def _words(feed: FeedState) -> str:
    return (
        f"{feed.name}: {feed.state}, {feed.rate:.1f}/s, {feed.kept:,} kept, "
        f"{feed.refused:,} refused. {feed.error}".rstrip()
    ) + _refused(feed.reasons)
