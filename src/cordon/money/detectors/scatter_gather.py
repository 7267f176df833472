"""Finds sums that part over several accounts and meet again: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.links import links
from cordon.money.detectors.moves import surprise
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one for each two accounts between which it parts and meets.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    those = links(m, int(values["within_h"] * HOUR), values["fee"])
    apart = (m.a[those.first] != m.b[those.then]) & ~data.by_trade[m.a[those.then]]
    first, then = those.first[apart], those.then[apart]
    x, mid, z = m.a[first], m.b[first], m.b[then]
    # each middle account counts once for each two ends
    _, once = np.unique(np.stack([x, z, mid]), axis=1, return_index=True)
    ends, which = np.unique(x[once] * m.size + z[once], return_inverse=True)
    many = np.bincount(which, minlength=len(ends))
    begins, meets = ends // m.size, ends % m.size
    from_x = np.bincount(x[once], minlength=m.size)
    to_z = np.bincount(z[once], minlength=m.size)
    # how many of others' payments that are passed on end there: agents are paid by everybody
    popular = (to_z[meets] - many + 0.5) / (len(once) - from_x[begins] + 1.0)
    expected = from_x[begins] * np.minimum(popular, 1.0)
    nats = surprise(many, expected)
    evidence = nats - float(np.log(max(len(ends), 1)))
    told = (many >= values["through"]) & (evidence >= values["evidence"])
    for i in np.flatnonzero(told & ~data.by_trade[begins]).tolist():
        mine = (x == begins[i]) & (z == meets[i])
        moves = np.unique(np.concatenate([first[mine], then[mine]]))
        yield pattern(
            data, card, [int(begins[i]), int(meets[i]), *np.unique(mid[mine]).tolist()], moves,
            float(evidence[i]), values["evidence"],
            [
                Sign(
                    "through", float(many[i]), "1", values["through"],
                    f"sums of {amounts(m, moves)} went through {many[i]} accounts within "
                    f"{spent(m, moves)} and met in one; {expected[i]:.2f} would by chance",
                    float(nats[i]),
                )
            ],
        )  # fmt: skip
