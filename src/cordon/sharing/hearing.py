"""How what another node says is taken: as this node's own act, and never so that it stops the line.

A message that cannot be taken for what stands in it would be sent again for ever, and what
follows it would wait. It is refused in the ledger instead, and nothing of it is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DataError

from cordon.kernel.access.model import Thing
from cordon.kernel.errors import CordonError, Unavailable
from cordon.kernel.work import Work
from cordon.sharing.nodes.desk import Heard

log = logging.getLogger(__name__)
# of a hostile body alone: too large for a column (DataError on PostgreSQL, OverflowError on
# SQLite), of another type or without a key. What a retry may heal is not here.
_UNREADABLE = (
    KeyError, TypeError, ValueError, AttributeError, RecursionError, ArithmeticError, IndexError,
    DataError,
)  # fmt: skip


@contextmanager
def as_node(work: Work) -> Iterator[Work]:
    """The same work as the node itself: what another node may not do, this one does for it."""
    peer = work.actor
    work.actor = work.kernel.node
    try:
        yield work
    finally:
        work.actor = peer


def carefully(kind: str, handler: Callable[[Work, str, dict[str, Any]], None]) -> Heard:
    """The handler, in a step of its own that is undone and noted where it refuses."""

    def heard(work: Work, code: str, body: dict[str, Any]) -> None:
        try:
            with work.session.begin_nested(), as_node(work):
                handler(work, code, body)
                work.session.flush()
        except Unavailable:
            raise  # of the moment: the message waits
        except (CordonError, *_UNREADABLE) as no:
            why = str(no)[:200] if isinstance(no, CordonError) else "it cannot be read"
            log.warning("a message %s of %s was refused: %s", kind, code, type(no).__name__)
            thing = Thing("node", code, work.kernel.agency)
            work.act("sharing.node.deliver", thing, kind=kind, refused=why)

    return heard
