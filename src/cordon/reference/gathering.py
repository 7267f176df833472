"""What there is in the code: routes, commands, who may do what, extension points."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer
from fastapi.routing import iter_route_contexts

from cordon import cli
from cordon.kernel.access import walk
from cordon.kernel.access.gate import Gate
from cordon.kernel.access.model import Act, Actor, Mark, Role, Thing
from cordon.kernel.hooks import Hooks
from cordon.kernel.pages import Passes

if TYPE_CHECKING:
    from fastapi import FastAPI


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the node: its methods, path, act (None: open to all), and one line on it."""

    methods: str
    path: str
    act: str | None
    says: str


@dataclass(frozen=True, slots=True)
class Option:
    """An argument or option of a command."""

    name: str
    takes: str
    default: str
    says: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command: all its words (`picture detect`), its help, arguments and options."""

    name: str
    says: str
    arguments: tuple[Option, ...]
    options: tuple[Option, ...]


def routes(app: FastAPI) -> list[Route]:
    """Every route of the application, those of included routers too, in order."""
    found = []
    for context in iter_route_contexts(app.routes):
        endpoint = getattr(context, "endpoint", None)
        if endpoint is None:
            continue  # the mount of static files
        methods = getattr(context, "methods", None) or {"WEBSOCKET"}
        acts = list(_acts(context.dependant))
        lines = (inspect.getdoc(endpoint) or "").splitlines()
        found.append(
            Route(
                ", ".join(sorted(methods)),
                context.path or "",
                acts[0] if acts else None,
                lines[0] if lines else "",
            )
        )
    return found


def _acts(dependant: Any) -> Iterator[str]:
    if isinstance(dependant.call, Passes):
        yield dependant.call.act
    for inner in dependant.dependencies:
        yield from _acts(inner)


def commands() -> list[Command]:
    """Every command of the program, in the order of its help."""
    return [*_below("", typer.main.get_command(cli.application()))]


def _below(name: str, command: Any) -> Iterator[Command]:
    if hasattr(command, "list_commands"):
        for word in command.list_commands(None):
            yield from _below(f"{name} {word}".strip(), command.get_command(None, word))
        return
    arguments: list[Option] = []
    options: list[Option] = []
    for parameter in command.params:
        shown = Option(
            parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper(),
            _taken(parameter),
            _default(parameter),
            parameter.help or "",
        )
        (options if parameter.param_type_name == "option" else arguments).append(shown)
    yield Command(name, inspect.cleandoc(command.help or ""), tuple(arguments), tuple(options))


_WORDS = {str: "text", int: "number", float: "number", Path: "path"}


def _taken(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return "flag"
    kind = parameter.type_descriptor.annotation
    kind = next(iter(get_args(kind)), kind)  # of a list, what it holds
    if isinstance(kind, type) and issubclass(kind, Enum):
        words = ", ".join(str(member.value) for member in kind)
    else:
        words = _WORDS.get(kind, str(kind))
    low, high = (getattr(parameter, end, None) for end in ("min", "max"))
    if low is not None or high is not None:
        words += f" {low:g} to {high:g}" if None not in (low, high) else f" from {low:g}"
    many = getattr(parameter, "multiple", False) or parameter.nargs == -1
    return f"{words} …" if many else words


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value in (None, "", False) or callable(value):
        return ""
    return str(getattr(value, "value", value))


def may(gate: Gate, act: Act) -> list[str]:
    """Roles that may do an act at their own agency on a thing marked TLP:AMBER.

    `role*` where only one who is named on the thing may; `the node` where nobody else may.
    """
    type_ = walk.thing_of(act.name)
    found = []
    for role in Role:
        officer = walk.actor(role)
        room = Thing.room(act.name.split(".", maxsplit=1)[0], walk.AGENCY)
        some = walk.thing(type_, Mark.AMBER)
        mine = walk.thing(type_, Mark.AMBER, named=officer.id)
        if any(gate.decide(officer, act.name, t).allowed for t in (room, some)):
            found.append(role.value)
        elif gate.decide(officer, act.name, mine).allowed:
            found.append(f"{role.value}*")
    node = Actor("node", "", walk.AGENCY, None, frozenset({Role.SERVICE}), Mark.RED)
    if not found and gate.decide(node, act.name, walk.thing(type_, Mark.AMBER)).allowed:
        found.append("the node")
    return found


def extension_points() -> dict[str, str]:
    """Each hook and what it is for."""
    return {
        name: inspect.getdoc(member) or ""
        for name, member in vars(Hooks).items()
        if inspect.isfunction(member)
    }
