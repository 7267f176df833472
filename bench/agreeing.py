"""An agreement between the nodes of a bench, drafted, signed and carried as officers do it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cordon.bootstrap import Node
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import NotFound
from cordon.sharing.agreements.model import AgreementState, Purpose, Terms

PATIENCE_S = 120.0


def officer(node: Node, name: str) -> Actor:
    """A supervisor of the node's agency."""
    roles = frozenset({Role.SUPERVISOR})
    return Actor(f"officer-{name}", name, node.kernel.agency, "desk", roles, Mark.AMBER_STRICT)


def offer(node: Node, agencies: Sequence[str], classes: Sequence[str]) -> str:
    """Draft an agreement that lets these agencies ask each other, and sign it; its id."""
    terms = Terms.read(
        {
            "title": "To ask one another", "highest": "TLP:AMBER", "classes": list(classes),
            "parties": [
                {"agency": a, "kind": "federal", "gives": True, "receives": True} for a in agencies
            ],
            "purposes": sorted(Purpose), "handling": ["H0"], "roles": ["supervisor"],
            "onward": "never", "third_party": "never", "retention_days": 30,
            "starts": "2020-01-01T00:00:00Z", "ends": "2120-01-01T00:00:00Z",
        }
    )  # fmt: skip
    desk = node.sharing.agreements
    made = desk.draft(officer(node, "one"), terms)
    desk.sign(officer(node, "two"), made.id)
    return made.id


def sign(node: Node, agreement: str) -> None:
    """Sign for this node's agency what another drafted, once it has come."""

    def came() -> bool:
        try:
            node.sharing.agreements.sign(officer(node, "one"), agreement)
        except NotFound:
            return False
        return True

    _soon(came)


def stands(node: Node, agreement: str) -> None:
    """Wait until it is in force here."""
    desk, who = node.sharing.agreements, officer(node, "one")
    _soon(lambda: desk.get(who, agreement).state is AgreementState.IN_FORCE)


def _soon(test: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not test():
        if time.monotonic() > end:
            raise TimeoutError("the agreement of the bench does not come into force")
        time.sleep(0.1)
