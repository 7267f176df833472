"""Eras: within one, messages are numbered 1, 2, 3, …; a new one begins where a database was lost.

A sender opens an era after asking the receiver what it has heard: what it has not is numbered
anew, in the order in which it was told. A receiver takes a new era only where its own people let
it, and takes no message again that it heard in an earlier one.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from cordon.kernel.errors import Conflict
from cordon.sharing.nodes.model import Told
from cordon.sharing.nodes.tables import NodeHeardRow, NodeMessageRow, NodeRow

MOST_ERA = 40
_ANEW = "cordon sharing nodes begin-anew"


def open_era(session: Session, row: NodeRow, said: dict[str, Any]) -> None:
    """Begin a new era towards a peer.

    Args:
        said: the peer's answer to `hello`: the `era` of ours that it heard last, and up to where
            it `heard` that one.
    """
    m = NodeMessageRow
    unheard: ColumnElement[bool] = m.delivered_at.is_(None)
    era, heard = said.get("era"), said.get("heard")
    if row.opens == "all" and isinstance(era, str) and type(heard) is int:
        ours = session.scalar(select(m.id).where(m.node == row.id, m.era == era).limit(1))
        if ours is not None:
            unheard = or_(unheard, m.era > era, and_(m.era == era, m.seq > heard))
        elif not era and not heard:  # it has lost all that it ever heard
            unheard = m.id.is_not(None)
    waiting = session.scalars(
        select(m).where(m.node == row.id, unheard).order_by(m.era, m.seq)
    ).all()
    # counted first, so that eras stand in their order; random, so that no era comes back
    row.era = f"{int(row.era[:6] or 0) + 1:06d}-{secrets.token_hex(12)}"
    for number, one in enumerate(waiting, 1):
        one.era, one.seq, one.delivered_at = row.era, number, None
    row.told, row.opens = len(waiting), ""


def place(session: Session, row: NodeRow, message: Told, era: str) -> str:
    """What is to be done with a message: `take`, `repeat` or `known` (of an earlier era).

    Raises:
        Conflict: one before it is missing, another one came under its number, or its era has not
            been let in, or is over.
    """
    if era != row.heard_era:
        _change_era(session, row, message, era)
    if message.seq <= row.heard:
        _check_repeat(session, row, message)
        return "repeat"
    if message.seq != row.heard + 1:
        raise Conflict(f"Message {row.heard + 1} is missing.", advice="Send it first.")
    h = NodeHeardRow
    again = select(h.id).where(h.node == row.id, h.message == message.id).limit(1)
    return "known" if session.scalar(again) is not None else "take"


def _change_era(session: Session, row: NodeRow, message: Told, era: str) -> None:
    h = NodeHeardRow
    over = select(h.id).where(h.node == row.id, h.era == era).limit(1)
    if session.scalar(over) is not None:
        raise Conflict(
            "The message is of an era that is over.",
            advice=f"Run {_ANEW} on both nodes, after a telephone call.",
        )
    if not row.accepts:
        raise Conflict(
            "The sender has begun anew, and nobody has let that be here.",
            advice=f"Ring the other agency; then run {_ANEW} on the receiver's node as well.",
        )
    if message.seq != 1:
        raise Conflict("Message 1 is missing.", advice="Send it first.")
    row.heard_era, row.heard, row.accepts = era, 0, False


def _check_repeat(session: Session, row: NodeRow, message: Told) -> None:
    """A sender whose database was set back gives numbers anew: that is no repeat, and not lost."""
    h = NodeHeardRow
    first = session.scalar(
        select(h.message).where(h.node == row.id, h.era == row.heard_era, h.seq == message.seq)
    )
    if first != message.id:
        raise Conflict(
            f"Another message came under the number {message.seq}: the sender's database was set "
            "back.",
            advice=f"Its messages are kept; run {_ANEW} on both nodes, after a telephone call.",
        )
