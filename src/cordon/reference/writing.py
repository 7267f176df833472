"""The reference pages as Markdown; each is a function of what the code says."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence

from cordon.kernel.access.gate import Gate
from cordon.kernel.access.model import Act
from cordon.kernel.cards import Card
from cordon.kernel.errors import kinds
from cordon.kernel.hooks import GROUP
from cordon.reference.gathering import Command, Route, extension_points, may
from cordon.settings import PREFIX, Settings

MADE = "<!-- Made by `python -m cordon.reference` from the code; change it there. -->\n"


def settings_page() -> str:
    """The settings with their variables, defaults and help."""
    rows = []
    for name, spec in Settings.model_fields.items():
        default = spec.get_default(call_default_factory=True)
        written = "" if default is None else str(default)
        if isinstance(default, list):
            written = json.dumps(default)  # as the environment takes it
        rows.append(
            (f"`{name}`", f"`{PREFIX}{name.upper()}`", _code(written), spec.description or "")
        )
    return _page(
        "Settings",
        "A setting comes from the environment, from `cordon.toml` in the working folder (or the "
        "file that `CORDON_CONFIG` names), or from its default, in this order. `cordon settings` "
        "shows each with its value and where it came from.",
        _table(("setting", "environment", "default", "what it is"), rows),
    )


def commands_page(known: Sequence[Command]) -> str:
    """The commands with their arguments and options."""
    parts = []
    for command in known:
        parts.append(f"## cordon {command.name}\n\n{command.says}")
        shown = [*command.arguments, *command.options]
        if shown:
            rows = [(f"`{o.name}`", o.takes, _code(o.default), o.says) for o in shown]
            parts.append(_table(("argument or option", "takes", "default", "what it is"), rows))
    return _page(
        "Commands",
        "Data goes to standard output or `--out`, words to standard error. A command ends with 0 "
        "when done, 1 when refused or failed, 2 on wrong usage. `…` stands where an option may "
        "be given again.",
        *parts,
    )


def routes_page(known: Sequence[Route]) -> str:
    """The routes with their acts."""
    rows = [
        (r.methods, f"`{r.path}`", f"`{r.act}`" if r.act else "open to all", r.says) for r in known
    ]
    return _page(
        "Routes",
        "Each route passes the gate with its act before its body runs; what it then does on a "
        "single thing is decided again on that thing. Files below `/static` are open to all. "
        "Requests that change something carry the CSRF token, or a bearer token.",
        _table(("method", "path", "act", "what it is"), rows),
    )


def acts_page(gate: Gate, acts: Iterable[Act]) -> str:
    """The acts and the roles that may do them."""
    rows = [(f"`{a.name}`", a.says, ", ".join(may(gate, a))) for a in sorted(acts, key=_name)]
    return _page(
        "Acts",
        "Who may do what, at their own agency, on the room or on a thing marked TLP:AMBER. "
        "`role*`: only one who is named on the thing. The rules themselves are the `policy.cedar` "
        "files; the table of all marks is `tests/house/policy_table.txt`.",
        _table(("act", "what it is", "roles"), rows),
    )


def detectors_page(cards: Mapping[str, Card]) -> str:
    """The detectors, from their cards."""
    parts = []
    for card in sorted(cards.values(), key=_name):
        rows = [
            (
                f"`{p.name}`",
                p.unit,
                f"{p.default:g}",
                f"{_bound(p.least)} to {_bound(p.most)}",
                p.says,
                p.source,
            )
            for p in card.parameters.values()
        ]
        parts += [
            f"## {card.name}",
            f"**{card.title}** · version {card.version} · seriousness {card.seriousness} · "
            f"findings of kind `{card.kind}`",
            " ".join(card.looks_for.split()),
            f"Takes: {', '.join(card.takes)}.",
            _table(("parameter", "unit", "default", "bounds", "what it is", "source"), rows),
            "What fools it:\n\n" + "\n".join(f"- {line}" for line in card.fooled_by),
        ]
    return _page(
        "Detectors",
        "A finding is a lead for a person, never a verdict. No detector takes ethnicity, faith, "
        "sect or political view.",
        *parts,
    )


def extending_page() -> str:
    """The extension points."""
    rows = [
        (f"`{name}`", name.split("_", maxsplit=1)[0], says)
        for name, says in extension_points().items()
    ]
    return _page(
        "Extending",
        f"A package adds to a room by an entry point in the group `{GROUP}`, named after the room "
        "alone or with a dot and a word of its own (`calls.refunds`). The entry point is a module "
        "that implements the room's hook with `cordon.kernel.hooks.hook`. Built-in parts come in "
        "the same way.",
        _table(("hook", "room", "what it gives"), rows),
    )


def errors_page() -> str:
    """The kinds of error."""
    rows = [
        (k.__name__, f"`{k.code}`", k.status, k.exit_code, (inspect.getdoc(k) or "").split("\n")[0])
        for k in sorted(kinds(), key=lambda k: (k.status, k.__name__))
        if k.__module__ == "cordon.kernel.errors"  # the others are finer kinds with the same code
    ]
    return _page(
        "Errors",
        "Each kind has one HTTP status and one exit code. Programs read `code`: it is stable.",
        _table(("kind", "code", "status", "exit", "what it is"), rows),
    )


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"{MADE}\n# {title}", *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(value: str) -> str:
    return f"`{value}`" if value and value != "required" else value


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _name(named: Act | Card) -> str:
    return named.name
