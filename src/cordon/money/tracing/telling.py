"""A trace as plain values: sums, what can be frozen, per victim, and the flow from hop to hop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.cycles import unsearched
from cordon.money.model import CHANNELS, Method
from cordon.money.payments import Payments
from cordon.money.tracing.backward import Backward, Origins, entries
from cordon.money.tracing.forward import Followed, Forward, shared_out
from cordon.money.tracing.kernels import AGAIN, HOP, OF, SOURCE, UNITS

Ints = NDArray[np.int64]
MOST = 10_000
"""Lines of flow and payments that a trace tells, the largest first; how many there are is said."""

UNTOLD = "untold"  # a channel that the payment does not name


@unsearched()
def told(trace: Forward, most: int | None = MOST) -> dict[str, Any]:
    """The whole trace, for JSON. Amounts are exact decimals as text.

    Args:
        most: `stays` and `sources` that are told, the largest; None tells all.
    """
    p = trace.payments
    book = _Book(p)
    return {
        "account": trace.account,
        "direction": "forward",
        "hops": trace.hops,
        "sources": len(trace.sources),
        "since": _time(p, int(trace.sources[0])),
        "until": _time(p, int(trace.sources[-1])),
        "methods": {m.method.value: _method(trace, m, book, most) for m in trace.methods},
        **_given_back(trace, book),
        "left_out": [*p.left_out, *too_many(trace), opened(p)],
    }


def too_many(trace: Forward) -> list[str]:
    """A sentence where haircut does not tell whose money is where."""
    dense = [m for m in trace.methods if m.method is Method.HAIRCUT and m.of_parts is None]
    if not dense:
        return []
    return [
        f"By haircut it is not told apart whose money is where: {len(trace.sources):,} payments "
        f"that are followed, and where they went, are too many. Its sums hold, and first in, first "
        "out tells each payment apart; a shorter span has fewer."
    ]


def _given_back(trace: Forward, book: _Book) -> dict[str, Any]:
    """Payments that a refund was set against, where an account of the trace paid or took it."""
    p = trace.payments
    met = np.zeros(len(p.accounts), bool)
    for of in (trace.sources, *(m.parts[:, OF] for m in trace.methods)):
        met[p.sender[of]] = met[p.receiver[of]] = True
    paid = p.given_back[:, 0]
    mine = p.given_back[met[p.sender[paid]] | met[p.receiver[paid]]]
    some = mine[:MOST]
    pairs = zip(book.lines(some[:, 0]), book.lines(some[:, 1]), some[:, 2].tolist(), strict=True)
    return {
        "given_back": [
            {
                "payment_id": one.id,
                "at": one.at,
                "from": one.sender,
                "to": one.receiver,
                "amount": p.written(units, one.currency),
                "currency": p.currencies[one.currency],
                "by": back.id,
                "back_at": back.at,
                "record": one.record,
                "back_record": back.record,
            }
            for one, back, units in pairs
        ],
        "given_back_in_all": len(mine),
    }


def opened(p: Payments) -> str:
    """Whose balances before the first payment are known: what first in first out stands on."""
    if not p.opening:
        return (
            "What accounts held before the first payment is not known and counts as nothing: old "
            "money is taken for new the sooner."
        )
    return (
        f"What {len(p.opening):,} accounts held before their first payment is used, as their "
        "statements say; of every other account it is not known and counts as nothing."
    )


@unsearched()
def told_back(trace: Backward) -> dict[str, Any]:
    """A trace back, for JSON. Of haircut amounts are shares, told to the nearest unit."""
    p = trace.payments
    book = _Book(p)
    return {
        "account": trace.account,
        "direction": "back",
        "hops": trace.hops,
        "sinks": len(trace.sinks),
        "since": _time(p, int(trace.sinks[0])),
        "until": _time(p, int(trace.sinks[-1])),
        "methods": {o.method.value: _origins(trace, o, book) for o in trace.methods},
        "left_out": [
            *p.left_out,
            "Balances before the first payment are not used on the way back: what an account paid "
            "beyond what was seen to come in is told as of unknown origin.",
        ],
    }


def _origins(trace: Backward, o: Origins, book: _Book) -> dict[str, Any]:
    p, many = trace.payments, len(trace.payments.currencies)
    begins = entries(p, o.of) & (o.hop != 0) & (o.hop != AGAIN)
    sums = []
    for currency in np.unique(p.currency[trace.sinks]).tolist():
        of = p.currency[o.of] == currency
        asked = p.amount[trace.sinks[p.currency[trace.sinks] == currency]].sum()
        entered = {
            name: o.units[of & begins & (p.channel[o.of] == code)].sum()
            for code, name in enumerate(CHANNELS)
        }
        beyond = o.units[of & ~begins & (o.hop > trace.hops)].sum()
        unknown = o.unknown[o.unknown_pot % many == currency].sum()
        again = o.units[of & (o.hop == AGAIN)].sum()
        if o.method is Method.HAIRCUT:  # what comes round is in two asked payments
            again = max(float(asked) - sum(entered.values()) - unknown, 0.0)
        sums.append(
            {
                "currency": p.currencies[currency],
                "paid_out": str(p.money(int(asked), currency)),
                "entered": {n: _whole(p, v, currency) for n, v in entered.items() if round(v)},
                "unknown": _whole(p, unknown, currency),
                "again": _whole(p, again, currency),
                "beyond": _whole(p, beyond, currency),
            }
        )
    order = np.argsort(-o.units, kind="stable")[:MOST]
    lines = zip(
        book.lines(o.of[order]), o.units[order].tolist(), o.hop[order].tolist(), strict=True
    )
    return {
        "sums": sums,
        "payments": [
            {
                "payment_id": line.id,
                "at": line.at,
                "from": line.sender,
                "to": line.receiver,
                "traced": _whole(p, units, line.currency),
                "currency": p.currencies[line.currency],
                "hop": hop,
                "record": line.record,
            }
            for line, units, hop in lines
        ],
        "payments_in_all": len(o.of),
        "unknown": [
            {
                "account": book.name(int(pot) // many),
                "amount": _whole(p, float(units), int(pot) % many),
                "currency": p.currencies[int(pot) % many],
            }
            for pot, units in sorted(
                zip(o.unknown_pot, o.unknown, strict=True), key=lambda u: (-u[1], u[0])
            )[:MOST]
        ],
    }


def _whole(p: Payments, units: float, currency: int) -> str:
    return p.written(round(float(units)), currency)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is told of a payment, wherever it stands."""

    id: str
    at: str
    sender: str
    receiver: str
    amount: int
    currency: int
    record: dict[str, Any]


class _Book:
    """What is told of the payments and accounts of one trace: each is looked up once."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments
        self._lines: dict[int, _Line] = {}
        self._names: dict[int, str] = {}

    def name(self, account: int) -> str:
        """The name of an account."""
        found = self._names.get(account)
        if found is None:
            found = self._names[account] = self._payments.accounts[account]
        return found

    def lines(self, of: Ints) -> list[_Line]:
        """These payments."""
        every, p = of.tolist(), self._payments
        new = np.array(sorted({k for k in every if k not in self._lines}), np.int64)
        columns = (p.at, p.sender, p.receiver, p.amount, p.currency, p.file, p.row)
        rows = zip(new.tolist(), p.ids_of(new).to_pylist(), *(c[new].tolist() for c in columns),
                   strict=True)  # fmt: skip
        for k, id_, at, sender, receiver, amount, currency, file, row in rows:
            self._lines[k] = _Line(
                id_, _moment(at), self.name(sender), self.name(receiver), amount, currency,
                {"sha256": p.files[file], "row": row},
            )  # fmt: skip
        return [self._lines[k] for k in every]


def _method(trace: Forward, m: Followed, book: _Book, most: int | None) -> dict[str, Any]:
    p = trace.payments
    apart = m.method is Method.FIFO or m.of_parts is not None
    edges = _edges(trace, m)
    return {
        "sums": [_sums(trace, m, c) for c in np.unique(p.currency[trace.sources]).tolist()],
        "stays": list(islice(_stays(trace, m, book), most)),
        "stays_in_all": len(np.unique(m.stays[:, OF])),
        "flows": list(_flows(trace, m, book, *edges)),
        "flows_in_all": len(edges[0]),
        "sources": list(_sources(trace, m, book, most)),
        "sources_in_all": len(trace.sources) if apart else 0,
        "payments": list(_parts(trace, m, book)),
        "payments_in_all": len(m.parts),
    }


def _sums(trace: Forward, m: Followed, currency: int) -> dict[str, Any]:
    """What went in, and where it is: equal, to the last unit."""
    p = trace.payments
    of = p.currency[m.parts[:, OF]] == currency
    parts = m.parts[of]
    hop, units = parts[:, HOP], parts[:, UNITS]
    leaves = p.leaving(parts[:, OF]) & (hop > 0)
    exits = {
        name: int(units[leaves & (p.channel[parts[:, OF]] == code)].sum())
        for code, name in enumerate(CHANNELS)
    }
    beyond = int(units[(hop > trace.hops) & ~leaves].sum())
    again = int(units[hop == AGAIN].sum())
    mine = p.currency[trace.sources] == currency
    taken = int(p.amount[trace.sources[mine]].sum())
    stays = int(m.stays[m.stays[:, OF] % len(p.currencies) == currency, UNITS].sum())
    mixed = int(m.mixed[currency :: len(p.currencies)].sum()) if len(m.mixed) else 0

    def money(value: int) -> str:
        return str(p.money(value, currency))

    return {
        "currency": p.currencies[currency],
        "came_in": money(taken),
        "mixed_in": money(mixed),
        "left": {name: money(value) for name, value in exits.items() if value},
        "beyond": money(beyond),
        "again": money(again),
        "stays": money(stays),
    }


def _stays(trace: Forward, m: Followed, book: _Book) -> Iterator[dict[str, Any]]:
    """What is still there and could be frozen, the most first."""
    p, many = trace.payments, len(trace.payments.currencies)
    pots, at = np.unique(m.stays[:, OF], return_inverse=True)
    units = np.bincount(at, m.stays[:, UNITS].astype(float), minlength=len(pots))
    exact = np.zeros(len(pots), np.int64)
    np.add.at(exact, at, m.stays[:, UNITS])
    hop = np.full(len(pots), trace.hops)
    np.minimum.at(hop, at, m.stays[:, HOP])
    for i in np.lexsort((pots, -units)).tolist():
        account, currency = divmod(int(pots[i]), many)
        yield {
            "account": book.name(account),
            "amount": p.written(int(exact[i]), currency),
            "currency": p.currencies[currency],
            "hop": int(hop[i]),
        }


def _edges(trace: Forward, m: Followed) -> tuple[Ints, Ints]:
    """Parts by (sender, receiver, channel, currency, hop): a key for each part's edge."""
    p = trace.payments
    k = m.parts[:, OF]
    size = len(p.accounts)
    ends = p.sender[k].astype(np.int64) * size + p.receiver[k]
    kind = (p.channel[k].astype(np.int64) + 1) * len(p.currencies) + p.currency[k]
    both = np.stack([ends, kind, m.parts[:, HOP]], axis=1)
    found, at = np.unique(both, axis=0, return_inverse=True)
    return found, at.ravel()


def _flows(
    trace: Forward, m: Followed, book: _Book, found: Ints, at: Ints
) -> Iterator[dict[str, Any]]:
    """Lines of the flow picture, the largest first; `found`, `at`: of `_edges`."""
    p, many = trace.payments, len(trace.payments.currencies)
    units = np.zeros(len(found), np.int64)
    np.add.at(units, at, m.parts[:, UNITS])
    times = np.bincount(at, minlength=len(found))
    first, last = np.full(len(found), 2**62), np.full(len(found), -(2**62))
    np.minimum.at(first, at, p.at[m.parts[:, OF]])
    np.maximum.at(last, at, p.at[m.parts[:, OF]])
    size = len(p.accounts)
    for i in np.argsort(-units, kind="stable")[:MOST].tolist():
        sender, receiver = divmod(int(found[i, 0]), size)
        channel, currency = divmod(int(found[i, 1]), many)
        yield {
            "hop": int(found[i, 2]),
            "from": book.name(sender),
            "to": book.name(receiver),
            "channel": CHANNELS[channel - 1] if channel else UNTOLD,
            "amount": p.written(int(units[i]), currency),
            "currency": p.currencies[currency],
            "payments": int(times[i]),
            "first": _moment(int(first[i])),
            "last": _moment(int(last[i])),
        }


def _sources(
    trace: Forward, m: Followed, book: _Book, most: int | None
) -> Iterator[dict[str, Any]]:
    """Each payment into the account: how much of it left, stays, or is beyond the last hop.

    Of more than `most` the largest, in order of time.
    """
    p = trace.payments
    if m.method is Method.POISON:
        return  # it makes one of all
    ended = trace.ended(m.parts)
    hop, count = m.parts[:, HOP], len(trace.sources)
    kinds = (
        ("left", ended & (hop > 0) & p.leaving(m.parts[:, OF])),
        ("again", hop == AGAIN),
        ("beyond", ended & (hop > trace.hops) & ~p.leaving(m.parts[:, OF])),
    )
    if m.method is Method.FIFO:
        columns = {
            name: np.bincount(m.parts[of, SOURCE], m.parts[of, UNITS], minlength=count + 1)[1:]
            for name, of in kinds
        }
        columns["stays"] = np.bincount(m.stays[:, SOURCE], m.stays[:, UNITS], minlength=count + 1)[
            1:
        ]
    elif m.of_parts is not None and m.of_stays is not None:
        columns = {name: m.of_parts[of].sum(axis=0) for name, of in kinds}
        columns["stays"] = m.of_stays.sum(axis=0)
    else:
        return
    names = list(columns)
    table = np.stack([columns[n] for n in names], axis=1)
    at = np.sort(np.argsort(-p.amount[trace.sources], kind="stable")[:most])
    for line, weights in zip(book.lines(trace.sources[at]), table[at], strict=True):
        units = shared_out(weights, line.amount).tolist()
        yield {
            "payment_id": line.id,
            "from": line.sender,
            "at": line.at,
            "amount": p.written(line.amount, line.currency),
            "currency": p.currencies[line.currency],
            **{n: p.written(u, line.currency) for n, u in zip(names, units, strict=True)},
        }


def _parts(trace: Forward, m: Followed, book: _Book) -> Iterator[dict[str, Any]]:
    """The payments behind every figure, the largest first."""
    p = trace.payments
    largest = m.parts[np.argsort(-m.parts[:, UNITS], kind="stable")[:MOST]]
    sources = book.lines(trace.sources)
    for line, part in zip(book.lines(largest[:, OF]), largest.tolist(), strict=True):
        source, units = part[SOURCE], part[UNITS]
        yield {
            "payment_id": line.id,
            "at": line.at,
            "from": line.sender,
            "to": line.receiver,
            "traced": p.written(units, line.currency),
            "of": p.written(line.amount, line.currency),
            "currency": p.currencies[line.currency],
            "hop": part[HOP],
            **({"source": sources[source - 1].id} if source else {}),
            "record": line.record,
        }


def _time(p: Payments, k: int) -> str:
    return _moment(int(p.at[k]))


@lru_cache(1 << 16)  # each payment stands in several lines
def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat().replace("+00:00", "Z")
