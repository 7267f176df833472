"""Finds accounts in which alike sums of many are gathered: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.apart import Apart, Gathering, apart
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import Bools, Ints, Moves, surprise
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)
FOLLOWING = 512  # payments after one that are compared with it, as `gathered` does


class _Told(NamedTuple):
    """A gathering; nats of its payers, and above what chance does; payers by chance; passed on."""

    gathering: Gathering
    nats: float
    evidence: float
    chance: float
    share: float


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    from cordon.money.detectors.links import gathered

    values = card.values(data.given)
    m = data.moves
    if not len(m):
        return
    within, differ = int(values["within_h"] * HOUR), values["differ"]
    strange = _strangers(m, within)
    order = np.lexsort((m.at, m.b))
    begin, people = gathered(
        m.a[order], m.b[order], m.at[order], m.units[order], m.currency[order], strange[order],
        m.size, within, differ,
    )  # fmt: skip
    there = np.flatnonzero(people >= values["payers"])
    taken = np.bincount(m.b, minlength=m.size)
    common = m.commonness(1.0 - differ, 1.0 / (1.0 - differ))[order]
    expected = (
        (taken[there] - people[there])
        * min(within / m.span, 1.0)
        * common[np.maximum(begin[there], 0)]
    )
    # of all spans the best is taken
    looked = float(np.log(max((m.ends(m.b, m.a) >= values["payers"]).sum(), 1)))
    looked += float(np.log(max(m.span / within, 1.0)))
    told: list[_Told] = []
    paid = np.argsort(m.a, kind="stable")  # by payer, in time
    first_paid = np.searchsorted(m.a[paid], np.arange(m.size + 1))
    first_taken = np.searchsorted(m.b[order], np.arange(m.size + 1))
    for hub, at_large in zip(there.tolist(), expected.tolist(), strict=True):
        own = order[first_taken[hub] : first_taken[hub + 1]]
        chance = max(at_large, _usually(m, own, order[begin[hub]], within, differ))
        nats = float(surprise(people[hub], chance))
        if nats - looked < values["evidence"] or data.by_trade[hub]:
            continue
        mine = _of(m, order, int(begin[hub]), within, differ, strange)
        on, share = _on(m, paid[first_paid[hub] : first_paid[hub + 1]], own, mine, within)
        if share < values["passed"] or (len(on) and np.isin(m.b[on], m.a[mine]).all()):
            continue  # a pot that goes to one of those who paid in is a committee's
        g = Gathering(hub, mine, on, np.unique(m.a[mine]))
        told.append(_Told(g, nats, nats - looked, chance, share))
    if not told:
        return
    signs = apart(m, [t.gathering for t in told], data.opened)
    for n, one in enumerate(told):
        if signs.honest[n] <= values["honest"]:
            yield _finding(data, card, values, one, signs, n)


def _finding(
    data: MoneyData, card: Card, values: Mapping[str, float], told: _Told, signs: Apart, n: int
) -> Finding:
    m, g, many = data.moves, told.gathering, len(told.gathering.payers)
    made = pattern(
        data, card, [g.hub], np.concatenate([g.mine, g.on]), told.evidence, values["evidence"],
        [
            Sign(
                "payers", float(many), "1", values["payers"],
                f"{many} accounts that have nothing else to do with it paid "
                f"{amounts(m, g.mine)} each within {spent(m, g.mine)}; {told.chance:.2f} would by "
                "what is usual for it", told.nats,
            ),
            Sign(
                "passed", told.share, "1", values["passed"],
                f"{told.share:.0%} of all that it took in meanwhile went on to one account soon",
            ),
            *(_apart(values, signs, n) if len(g.on) else ()),
        ],
    )  # fmt: skip
    made.extra["paid_by"] = many
    return made


def _apart(values: Mapping[str, float], signs: Apart, n: int) -> list[Sign]:
    """What sets it apart from other gatherings, in words."""
    to, other, soon = signs.to[n], signs.other[n], signs.soon[n]

    def rare(name: str, those: str) -> str:
        return f"{signs.usual[name][n]:.2g} of {those}, or of the other gatherings, have as little"

    signs_told = [
        Sign(
            "honest", float(signs.honest[n]), "1", values["honest"],
            "where it went on to, how soon, how little else it does and how new it is: of "
            f"{len(signs.nats)} that gather alike sums, {signs.honest[n]:.0%} of those that stand "
            "out as far would by chance", float(signs.nats[n]),
        ),
        Sign(
            "to", float(to), "1", None,
            f"{to} others pay the account that it went on to; {rare('to', 'all payments')}",
        ),
        Sign(
            "other", float(other), "1", None,
            f"{other} other payments of it; {rare('other', 'all accounts')}",
        ),
        Sign(
            "soon", float(soon), "h", None,
            f"it went on {soon:.1f} h after the last one came in; "
            f"{rare('soon', 'all payments in')}",
        ),
        Sign(
            "known", float(signs.known[n]), "1", None,
            f"{signs.known[n]} pairs of those who paid in pay one another too; "
            f"{signs.chance[n]:.2f} would by chance",
        ),
    ]  # fmt: skip
    if "age" in signs.usual and not np.isnan(signs.usual["age"][n]):
        age = float(signs.age[n])
        words = f"it was opened {age:.0f} days before the first one; {rare('age', 'all accounts')}"
        signs_told.append(Sign("age", age, "d", None, words))
    return signs_told


def _strangers(m: Moves, within: int) -> Bools:
    """Moves of two that pay one another neither at other times nor the other way."""
    _, at, inverse = np.unique(m.pair, return_index=True, return_inverse=True)
    last = np.full(len(at), np.iinfo(np.int64).min)
    np.maximum.at(last, inverse, m.at)
    back = np.isin(m.a * m.size + m.b, m.b * m.size + m.a)
    # moves are by time: the first of each pair is its index
    return np.asarray((last[inverse] - m.at[at][inverse] <= within) & ~back)


def _usually(m: Moves, taken: Ints, first: int, within: int, differ: float) -> float:
    """Alike sums that an account takes in at other times, in a span so long."""
    alike = (m.units[taken] >= m.units[first] * (1.0 - differ)) & (
        m.units[taken] * (1.0 - differ) <= m.units[first]
    )
    other = (m.at[taken] < m.at[first]) | (m.at[taken] > m.at[first] + within)
    return float((alike & other).sum() * within / max(m.span - within, within))


def _of(m: Moves, order: Ints, begin: int, within: int, differ: float, strange: Bools) -> Ints:
    """The moves that were gathered, from the one at which the span begins."""
    first = order[begin]
    those = order[begin : begin + FOLLOWING]
    those = those[(m.b[those] == m.b[first]) & (m.at[those] - m.at[first] <= within)]
    alike = (m.units[those] >= m.units[first] * (1.0 - differ)) & (
        m.units[those] * (1.0 - differ) <= m.units[first]
    )
    return np.asarray(those[alike & strange[those] & (m.currency[those] == m.currency[first])])


def _on(m: Moves, paid: Ints, taken: Ints, mine: Ints, within: int) -> tuple[Ints, float]:
    """What the hub paid on to the one whom it paid most, and its share of all it took meanwhile."""
    soon = paid[
        (m.at[paid] >= m.at[mine].min())
        & (m.at[paid] <= m.at[mine].max() + within)
        & (m.currency[paid] == m.currency[mine[0]])
    ]
    if not len(soon):
        return soon, 0.0
    to, which = np.unique(m.b[soon], return_inverse=True)
    sums = np.bincount(which, m.units[soon].astype(float), minlength=len(to))
    meanwhile = (m.at[taken] >= m.at[mine].min()) & (m.at[taken] <= m.at[mine].max())
    meanwhile &= m.currency[taken] == m.currency[mine[0]]
    share = sums.max() / m.units[taken[meanwhile]].sum()
    return soon[m.b[soon] == to[sums.argmax()]], float(min(share, 1.0))
