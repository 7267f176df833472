"""The policy gate beside bare cedarpy: microseconds a decision, median, on the node's policies.

All answer the same questions in the same order, a question after another by turns. cedarpy is
asked as its manual shows it, with the policies as text, and again with policies parsed once.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cedarpy

from cordon import policies
from cordon.kernel.access import walk
from cordon.kernel.access.gate import Gate, _entities
from cordon.kernel.access.model import Actor, Mark, Role, Thing

GOAL_US = 50
Question = tuple[Actor, str, Thing]


def parts() -> tuple[str, ...]:
    """Parts of the node that stand in this checkout."""
    found = []
    for part in policies.PARTS:
        spec = find_spec(part) if find_spec(part.rpartition(".")[0]) else None
        if spec and spec.origin and Path(spec.origin).with_name("policy.cedar").is_file():
            found.append(part)
    return tuple(found)


def questions(gate: Gate, count: int) -> list[Question]:
    """Questions as a watch asks them: some roles, every act, marks in turn."""
    roles = (Role.WATCH_OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.OVERSEER)
    marks = (Mark.GREEN, Mark.AMBER, Mark.AMBER_STRICT)
    asked = []
    for n in range(count):
        act = list(gate.acts)[n % len(gate.acts)]
        officer = walk.actor(roles[n % len(roles)])
        thing = walk.thing(walk.thing_of(act), marks[n % len(marks)])
        asked.append((officer, act, thing))
    return asked


def peer(question: Question, text: str | cedarpy.PolicySet) -> bool:
    """The same question, asked of cedarpy itself."""
    actor, act, thing = question
    answer = cedarpy.is_authorized(
        {
            "principal": {"type": "Officer", "id": "asking"},
            "action": {"type": "Action", "id": act},
            "resource": {"type": "Thing", "id": "asked"},
            "context": {},
        },
        text,
        json.dumps(_entities(actor, thing)),
    )
    return bool(answer.allowed)


class Timed:
    """Times each call on its own; adds up wall and processor seconds."""

    def __init__(self) -> None:
        self.us: list[float] = []
        self.cpu = 0.0

    def __call__(self, ask: Callable[[], bool]) -> bool:
        cpu, began = time.process_time_ns(), time.perf_counter_ns()
        said = ask()
        self.us.append((time.perf_counter_ns() - began) / 1000)
        self.cpu += (time.process_time_ns() - cpu) / 1e9
        return said

    @property
    def median(self) -> float:
        return statistics.median(self.us)

    @property
    def wall(self) -> float:
        return sum(self.us) / 1e6


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of the table; `cpu_s` and `wall_s` are the gate's own."""
    texts = policies.texts(parts())
    gate = Gate(texts, policies.acts(parts()))
    text = "\n".join(texts.values())
    parsed = cedarpy.PolicySet.from_str(text)
    asked = questions(gate, 40 if quick else 200)
    repeated, first, by_text, by_parsed = Timed(), Timed(), Timed(), Timed()
    for n in range(5 if quick else 25):
        gate.replace(texts)
        for actor, act, thing in asked:
            # The first asking fills the cache, unless a question before it was the same one
            first(lambda a=actor, b=act, c=thing: gate.decide(a, b, c).allowed)
        for question in asked:
            actor, act, thing = question
            ours = repeated(lambda a=actor, b=act, c=thing: gate.decide(a, b, c).allowed)
            theirs = by_parsed(lambda q=question: peer(q, parsed))
            if n == 0 or not quick:
                by_text(lambda q=question: peer(q, text))
            if ours != theirs:
                raise AssertionError(f"the gate and cedarpy do not agree on {act}")
    policy_count = text.count("@id(")

    def row(what: str, ours: Timed, theirs: Timed, goal: int | None) -> dict[str, Any]:
        return {
            "what": f"{what} ({policy_count} policies, {len(asked)} questions)",
            "ours": ours.median,
            "peer": theirs.median,
            "unit": "µs, median",
            "goal": f"< {goal}" if goal else None,
            "cpu_s": ours.cpu,
            "wall_s": ours.wall,
        }

    return [
        row("Repeated decision; peer: cedarpy, policies as text", repeated, by_text, GOAL_US),
        row("Repeated decision; peer: cedarpy, policies parsed once", repeated, by_parsed, GOAL_US),
        row("First decision; peer: cedarpy, policies as text", first, by_text, None),
    ]
