"""What is not there and what is not for this officer to know of: told alike, entered alike.

An answer of its own for each would tell whoever tries an id that something lies behind it.
"""

from __future__ import annotations

from cordon.kernel.access.gate import GateRefused
from cordon.kernel.access.model import Thing
from cordon.kernel.errors import NotFound, Refused
from cordon.kernel.work import View

_LONGEST_ID = 36


class NotHere(GateRefused):
    """There is no such thing, or none that this officer may know of; it stands in the ledger."""

    status = NotFound.status
    code = NotFound.code

    def __init__(self, act: str, thing: Thing) -> None:
        Refused.__init__(
            self, "There is no such thing here, or it is not for you to see.",
            advice="Look at the list that you came from; ask a supervisor if it was to be there.",
        )  # fmt: skip
        self.act = act
        self.thing = thing


def known(view: View, act: str, kind: str, id_: str, thing: Thing | None) -> None:
    """Pass where the actor may do `act`, which is a viewing, on a thing that is there.

    Args:
        kind: of things, for the ledger. thing: None where there is none of that id.

    Raises:
        NotHere: it is not there, or not for the actor.
    """
    asked = Thing(kind, id_[:_LONGEST_ID], view.kernel.agency)
    room = Thing.room("sharing", view.kernel.agency)
    if not (view.may(act, room) and view.may(act, thing or asked)) or thing is None:
        raise NotHere(act, asked)
