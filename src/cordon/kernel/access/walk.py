"""Walks the whole table of roles × acts × marks, so that people can read what policies say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from cordon.kernel.access.gate import Gate
from cordon.kernel.access.model import Act, Actor, Mark, Role, Thing

AGENCY = "xx-walk"
LETTERS = "CGASR"  # CLEAR, GREEN, AMBER, AMBER+STRICT, RED


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer of the table: may a role, cleared for everything, do an act at its own agency?

    Attributes:
        on: type of the thing: `room`, or the act's own word (`finding` of
            `findings.finding.view`).
        unnamed, named: the answer where the actor is not, and is, named on the thing.
        policies: ids of the policies that decided the unnamed answer.
    """

    role: Role
    act: str
    on: str
    mark: Mark
    unnamed: bool
    named: bool
    policies: tuple[str, ...]


def walk(
    gate: Gate, roles: Iterable[Role], acts: Sequence[Act], marks: Iterable[Mark]
) -> Iterator[Cell]:
    """Ask the gate of every combination, on the act's room as a whole and on its thing."""
    marks = tuple(marks)
    for role in roles:
        officer = actor(role)
        for act in acts:
            for type_ in ("room", thing_of(act.name)):
                for mark in marks:
                    if type_ == "room" and mark is not Mark.GREEN:
                        continue  # a room is always TLP:GREEN
                    some = thing(type_, mark)
                    mine = thing(type_, mark, named=officer.id)
                    answer = gate.decide(officer, act.name, some)
                    named = type_ != "room" and gate.decide(officer, act.name, mine).allowed
                    yield Cell(role, act.name, type_, mark, answer.allowed, named, answer.policies)


def actor(role: Role, *, agency: str = AGENCY, cleared: Mark = Mark.RED) -> Actor:
    """An officer with one role. A program or command is never cleared for TLP:RED."""
    if role in (Role.SERVICE, Role.CONSOLE) and cleared is Mark.RED:
        cleared = Mark.AMBER_STRICT
    return Actor(f"officer-{role}", role, agency, "unit-1", frozenset({role}), cleared)


def thing(type_: str, mark: Mark, *, named: str | None = None) -> Thing:
    """A thing of the walk's agency; somebody else is always named on it."""
    members = frozenset({"officer-else"} | ({named} if named else set()))
    return Thing(type_, "walked", AGENCY, mark, members=members)


def thing_of(act: str) -> str:
    """The type of thing that an act is done on, by its name."""
    words = act.split(".")
    return words[1] if len(words) > 2 else words[0]


def nobody_may(gate: Gate, cells: Iterable[Cell], acts: Iterable[Act]) -> list[str]:
    """Acts that no role and not even the node itself may do: each lacks a policy."""
    done = {cell.act for cell in cells if cell.unnamed or cell.named}
    left = [act.name for act in acts if act.name not in done]
    node = Actor("node", "", AGENCY, None, frozenset({Role.SERVICE}), Mark.RED)
    return sorted(
        act for act in left if not gate.decide(node, act, thing(thing_of(act), Mark.AMBER)).allowed
    )


def table(cells: Iterable[Cell]) -> str:
    """The table as text, a line for each act and role that may do it at all.

    A letter for each mark (C, G, A, S, R): upper case where anybody of the role may, lower case
    where only one who is named on the thing may, and in brackets where everybody but those may.
    """
    lines: dict[tuple[str, str], dict[str, dict[Mark, str]]] = {}
    for cell in cells:
        letter = LETTERS[cell.mark.rank]
        if cell.on == "room":
            shown = "yes" if cell.unnamed else "no"
        elif cell.unnamed:
            shown = letter if cell.named else f"({letter})"
        else:
            shown = letter.lower() if cell.named else "-"
        on = "room" if cell.on == "room" else "thing"
        lines.setdefault((cell.act, cell.role), {}).setdefault(on, {})[cell.mark] = shown
    text = [f"{'act':<32} {'role':<18} {'room':<5} thing"]
    for (act, role), answers in sorted(lines.items()):
        room = "".join(answers.get("room", {}).values())
        marks = answers.get("thing", {})
        row = "".join(marks[m] for m in sorted(marks, key=lambda m: m.rank))
        if room == "yes" or set(row) != {"-"}:
            text.append(f"{act:<32} {role:<18} {room:<5} {row}")
    return "\n".join(text) + "\n"


def strangers(policies: Mapping[str, str], acts: Iterable[Act]) -> list[str]:
    """Acts and roles that policies name and that there are not, as `part: Action::name`."""
    known = {("Action", act.name) for act in acts} | {("Role", role.value) for role in Role}
    found = []
    for part, text in policies.items():
        named = _entities(json.loads(cedarpy.policies_to_json_str(text)))
        found += [f"{part}: {type_}::{id_}" for type_, id_ in sorted(named - known)]
    return found


def unexplained(policies: Mapping[str, str]) -> list[str]:
    """Policies without an `@id`, or without a `//` sentence beside it, or with another's id."""
    found: list[str] = []
    seen: set[str] = set()
    for part, text in policies.items():
        lines = text.splitlines()
        statements = [i for i, s in enumerate(lines) if s.startswith(("permit", "forbid"))]
        for at in statements:
            above: list[str] = []
            for line in reversed(lines[:at]):
                if not line.startswith(("//", "@id(")):
                    break
                above.append(line)
            ids = [line for line in above if line.startswith("@id(")]
            words = [line for line in above if line.startswith("//")]
            if len(ids) != 1 or not words:
                found.append(f"{part}, line {at + 1}: no @id, or no sentence that explains it")
            elif ids[0] in seen:
                found.append(f"{part}, line {at + 1}: {ids[0]} is another policy's")
            seen.update(ids)
    return found


def _entities(node: Any) -> set[tuple[str, str]]:
    if isinstance(node, dict):
        if set(node) == {"type", "id"}:
            return {(node["type"], node["id"])}
        return {pair for value in node.values() for pair in _entities(value)}
    if isinstance(node, list):
        return {pair for value in node for pair in _entities(value)}
    return set()
