"""Which payments an engine brings for a trace, where it holds more than this process should.

Round by round it is asked whom the money can have reached by when, over payments that follow one
another in time; then for all payments of those accounts, whose balances the money is mixed with.
They are more than the walk needs, never less: `tracing.reach` narrows them to the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput
from cordon.money.accounts import placed
from cordon.money.engines import Engine
from cordon.money.givenback import NOTED, REFUND
from cordon.money.model import CHANNELS, ENTRIES, EXITS

Ints = NDArray[np.int64]
_NEVER = 1 << 62
_GIVES = f"{REFUND}, {NOTED}"
ROUNDS = 64
"""Rounds back, at most: haircut has no last payment, and each round is a pass. Beyond, all come."""

_INTO = """
SELECT receiver AS code, min(us) AS us FROM coded WHERE sender <> receiver{span}
AND receiver IN (SELECT code FROM asked) GROUP BY receiver
"""
_ONWARD = """
SELECT c.receiver AS code, min(c.us) AS us FROM coded c JOIN reached r ON c.sender = r.code
WHERE c.us >= r.us AND c.sender <> c.receiver AND c.amount > 0 AND c.channel NOT IN ({ends})
GROUP BY c.receiver
"""
_OUT_OF = """
SELECT sender AS code, max(us) AS us FROM coded WHERE sender <> receiver{span}
AND sender IN (SELECT code FROM asked) GROUP BY sender
"""
_BEFORE = """
SELECT c.sender AS code, max(c.us) AS us FROM coded c JOIN reached r ON c.receiver = r.code
WHERE c.us <= r.us AND c.sender <> c.receiver AND c.channel NOT IN ({ends})
GROUP BY c.sender
"""
# a refund and what it may give back are told of in a sentence, whosever they are
_REFUNDS = """
SELECT DISTINCT receiver * CAST({size} AS BIGINT) + sender AS pair FROM coded
WHERE channel IN ({refund}) AND sender <> receiver
"""
_CHOSEN = """
WHERE sender IN (SELECT code FROM touched) OR receiver IN (SELECT code FROM touched)
OR channel IN ({refund}) OR (file, row) IN (SELECT file, row FROM named)
OR sender * CAST({size} AS BIGINT) + receiver IN (SELECT pair FROM refunds)
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is to be followed.

    Attributes:
        accounts: whose money, however they are written. back: to where it came from.
        hops: payments that are followed forward. since, until: what is asked of lies in
            [since, until), where given.
    """

    accounts: Sequence[str]
    back: bool = False
    hops: int = 6
    since: datetime | None = None
    until: datetime | None = None


def within(engine: Engine, accounts: Sequence[str], reach: Reach) -> str:
    """What a query of `coded` is narrowed by, so that it gives all that the trace may need.

    Args:
        engine: that offers `coded`: payments with `us`, `sender`, `receiver`, `amount`, `channel`.
        accounts: sorted; the numbers in `coded` are places in it.
    """
    size = len(accounts)
    when = _rounds(engine, accounts, reach)
    if when is None:
        return ""
    engine.put("touched", pa.table({"code": pa.array(np.flatnonzero(when != _NEVER), pa.int32())}))
    engine.keep("refunds", _REFUNDS.format(size=size, refund=_GIVES))
    return _CHOSEN.format(size=size, refund=_GIVES)


def _rounds(engine: Engine, accounts: Sequence[str], reach: Reach) -> Ints | None:
    """By when each account can have been reached (back: from when on, below nothing), _NEVER where
    it cannot; None where there are too many rounds."""
    sign = -1 if reach.back else 1
    when: Ints = np.full(len(accounts), _NEVER, np.int64)
    places = set[int]()
    for name in reach.accounts:
        try:
            places.add(placed(accounts, name))
        except BadInput:
            continue  # whoever follows it says so
    engine.put("asked", pa.table({"code": pa.array(sorted(places), pa.int32())}))
    span = "".join(
        f" AND us {than} {int(moment.timestamp() * 1_000_000)}"
        for than, moment in ((">=", reach.since), ("<", reach.until))
        if moment is not None
    )
    ends = ", ".join(
        str(code)
        for code, name in enumerate(CHANNELS)
        if name in EXITS or (reach.back and name in ENTRIES)
    )
    sql = (_OUT_OF if reach.back else _INTO).format(span=span)
    further = (_BEFORE if reach.back else _ONWARD).format(ends=ends)
    rounds = ROUNDS if reach.back else reach.hops
    for left in range(rounds, -1, -1):
        found = engine.table(sql)
        code = np.asarray(found["code"].to_numpy()).astype(np.int64)
        us = sign * np.asarray(found["us"].to_numpy()).astype(np.int64)
        sooner = us < when[code]
        code, us = code[sooner], us[sooner]
        when[code] = us
        if not len(code):
            return when
        if left:
            table = {"code": pa.array(code, pa.int32()), "us": pa.array(sign * us, pa.int64())}
            engine.put("reached", pa.table(table))
            sql = further
    return None if reach.back else when
