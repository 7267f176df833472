"""Actors from what was stored of them, and the actor of a command on the node's machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cordon.kernel.access.model import Actor, Authority, Mark, Role
from cordon.kernel.access.tables import AuthorityRow, OfficerRow
from cordon.kernel.access.tokens import Tokens
from cordon.kernel.errors import NotSignedIn
from cordon.kernel.work import Kernel


class Actors:
    """Finds actors again, as they are now: for jobs that go on when a session has ended."""

    def __init__(self, kernel: Kernel, tokens: Tokens) -> None:
        self.kernel = kernel
        self._tokens = tokens

    def of(self, reference: Mapping[str, Any]) -> Actor:
        """The actor of a stored reference (`id`, `session`, `authority`).

        A session that has ended since does not matter; an officer who was locked out does, and
        so do roles and an authority that changed.

        Raises:
            NotSignedIn: they may not act any more.
        """
        id_ = str(reference["id"])
        authority = self._authority(reference.get("authority"))
        kind, _, rest = id_.partition(":")
        if id_ == "node":
            return replace(self.kernel.node, authority=authority)
        if kind == "console" and rest:
            return replace(console_actor(self.kernel, rest), authority=authority)
        if kind == "service" and rest:
            return replace(self._tokens.actor(rest), authority=authority)
        with self.kernel.rows.read() as session:
            row = session.get(OfficerRow, id_)
            if row is None or row.disabled_at is not None:
                raise NotSignedIn("Who asked for this may not act any more.")
            return row.to_officer().actor(reference.get("session"), authority)

    def _authority(self, id_: object) -> Authority | None:
        if id_ is None:
            return None
        with self.kernel.rows.read() as session:
            row = session.get(AuthorityRow, str(id_))
            return row.to_authority() if row is not None else None


def console_actor(kernel: Kernel, user: str) -> Actor:
    """Who a command acts as that is typed on the node's own machine.

    Args:
        user: name of the account of the machine, which the ledger then names.
    """
    return Actor(
        id=f"console:{user}",
        name=f"Console ({user})",
        agency=kernel.agency,
        unit=None,
        roles=frozenset({Role.CONSOLE}),
        cleared=Mark.AMBER_STRICT,
    )
