"""The one gate that every route and command passes: Cedar policies, one file a room.

Policies are parsed once. Decisions are kept, keyed by everything a policy can see, until the
policies change; an officer whose attributes change has another key, and so asks anew.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cedarpy

from cordon.kernel.access.model import Act, Actor, Mark, Thing
from cordon.kernel.errors import Refused, WrongSetting

_KEPT = 50_000  # decisions kept at most; past it the cache begins anew


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policies say.

    Attributes:
        allowed: whether the act may be done.
        policies: `@id` of the policies that decided, sorted; empty where none permits.
    """

    allowed: bool
    policies: tuple[str, ...]


@lru_cache(maxsize=4)
def _parsed(text: str) -> cedarpy.PolicySet:
    """A set of policies, which nothing changes: every node of a process has the same one."""
    return cedarpy.PolicySet.from_str(text)


class Gate:
    """Decides whether an actor may do an act on a thing.

    Args:
        policies: text of each room's Cedar file by room name.
        acts: all acts there are; asking about another one is a mistake in the program.
    """

    def __init__(self, policies: Mapping[str, str], acts: Iterable[Act]) -> None:
        self.acts = {act.name: act for act in acts}
        self._lock = threading.Lock()
        self.replace(policies)

    def replace(self, policies: Mapping[str, str]) -> None:
        """Take other policies; every kept decision is forgotten."""
        try:
            parsed = _parsed("\n".join(policies.values()))
        except ValueError as wrong:
            raise WrongSetting(f"A policy file cannot be read: {wrong}.") from None
        with self._lock:
            self._policies = parsed
            self._kept: dict[tuple[object, ...], Decision] = {}

    def decide(self, actor: Actor, act: str, thing: Thing) -> Decision:
        """Ask the policies; the answer is kept for the next time."""
        key = (
            act,
            actor.roles,
            actor.agency,
            actor.unit,
            actor.cleared,
            actor.scopes,
            thing.type,
            thing.agency,
            thing.unit,
            thing.mark,
            actor.id in thing.members,
            bool(thing.members),
        )
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        decision = self._ask(actor, act, thing)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[key] = decision
        return decision

    def check(self, actor: Actor, act: str, thing: Thing) -> Decision:
        """Ask, and raise Refused with the act and the thing where the answer is no."""
        decision = self.decide(actor, act, thing)
        if not decision.allowed:
            raise GateRefused(act, thing, self.acts[act])
        return decision

    def _ask(self, actor: Actor, act: str, thing: Thing) -> Decision:
        if act not in self.acts:
            raise LookupError(f"no room declares the act {act}")
        if actor.scopes is not None and act not in actor.scopes:
            return Decision(False, ("token.scope",))
        answer = cedarpy.is_authorized(
            {
                "principal": {"type": "Officer", "id": "asking"},
                "action": {"type": "Action", "id": act},
                "resource": {"type": "Thing", "id": "asked"},
                "context": {},
            },
            self._policies,
            json.dumps(_entities(actor, thing)),
        )
        ids = answer.diagnostics.id_annotations_by_reason
        return Decision(answer.allowed, tuple(sorted(ids.values())))


class GateRefused(Refused):
    """A refusal by policy, with what the ledger needs to know of it."""

    def __init__(self, act: str, thing: Thing, declared: Act) -> None:
        super().__init__(
            f"Your roles do not let you do this here: {declared.says}",
            advice="Ask a supervisor, or the administrator if your roles are out of date.",
        )
        self.act = act
        self.thing = thing


def _entities(actor: Actor, thing: Thing) -> list[dict[str, object]]:
    return [
        {
            "uid": {"type": "Officer", "id": "asking"},
            "attrs": {
                "agency": actor.agency,
                "unit": actor.unit or "",
                "cleared": actor.cleared.rank,
            },
            "parents": [{"type": "Role", "id": str(role)} for role in sorted(actor.roles)],
        },
        {
            "uid": {"type": "Thing", "id": "asked"},
            "attrs": {
                "type": thing.type,
                "agency": thing.agency,
                "unit": thing.unit or "",
                "mark": thing.mark.rank,
                # A thing with named members at TLP:RED is for them alone (TLP 2.0, §4.a)
                "named": actor.id in thing.members,
                "red": thing.mark is Mark.RED,
            },
            "parents": [],
        },
    ]
