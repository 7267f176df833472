"""A trace as a node keeps it: sums and flows as values, the payments behind them as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.money.model import CHANNELS, Method
from cordon.money.payments import Payments
from cordon.money.tracing.backward import Backward, entries
from cordon.money.tracing.forward import Forward
from cordon.money.tracing.telling import UNTOLD, told, told_back

MOST_FLOWS, MOST_HELD, MOST_PAYERS = 400, 500, 500
_SUMS = ("left", "stays", "beyond", "again")
Ints = NDArray[np.int64]


def detail(trace: Forward) -> dict[str, Any]:
    """What the page of a trace forward shows.

    Returns:
        `count` of payments followed, `since`, `until`, `left_out`; for each method its `sums` by
        currency, `stays` by account, `flows` from hop to hop, `payers` with what each paid and
        where it is, the largest first, and how many of each there are (`…_in_all`);
        `given_back`: payments that a refund was set against.
    """
    said = told(trace, most=None)
    methods = {}
    for name, m in said["methods"].items():
        payers = _payers(m["sources"])
        methods[name] = {
            "sums": m["sums"],
            "stays": m["stays"][:MOST_HELD],
            "stays_in_all": len(m["stays"]),
            "flows": m["flows"][:MOST_FLOWS],
            "flows_in_all": m["flows_in_all"],
            "payers": payers[:MOST_PAYERS],
            "payers_in_all": len(payers),
        }
    return {
        "count": said["sources"],
        "since": said["since"],
        "until": said["until"],
        "left_out": said["left_out"],
        "given_back": said["given_back"][:MOST_HELD],
        "given_back_in_all": said["given_back_in_all"],
        "methods": methods,
    }


def _payers(sources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each payer paid into the account, and where that is; the most first."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    times: dict[tuple[str, str], int] = defaultdict(int)
    for one in sources:
        key = (one["from"], one["currency"])
        times[key] += 1
        for name in ("amount", *_SUMS):
            sums[key][name] += Decimal(one[name])
    ranked = sorted(sums, key=lambda k: (-sums[k]["amount"], k))
    return [
        {
            "account": k[0],
            "currency": k[1],
            "times": times[k],
            **{name: str(value) for name, value in sums[k].items()},
        }
        for k in ranked
    ]


def detail_back(trace: Backward) -> dict[str, Any]:
    """What the page of a trace back shows: as `detail`, with `unknown` in place of `stays`."""
    said = told_back(trace)
    table = parts_back(trace)
    methods = {}
    for name, m in said["methods"].items():
        flows = _flows(table.filter(pc.equal(table["method"], name)))
        methods[name] = {
            "sums": m["sums"],
            "unknown": m["unknown"][:MOST_HELD],
            "flows": flows[:MOST_FLOWS],
            "flows_in_all": len(flows),
        }
    return {
        "count": said["sinks"],
        "since": said["since"],
        "until": said["until"],
        "left_out": said["left_out"],
        "methods": methods,
    }


def _flows(table: pa.Table) -> list[dict[str, Any]]:
    keys = ["hop", "from_account", "to_account", "channel", "currency", "digits"]
    grouped = table.group_by(keys).aggregate([("units", "sum"), ("units", "count")])
    rows = sorted(grouped.to_pylist(), key=lambda r: (-r["units_sum"], str(r)))
    return [
        {
            "hop": r["hop"],
            "from": r["from_account"],
            "to": r["to_account"],
            "channel": r["channel"],
            "amount": str(Decimal(r["units_sum"]).scaleb(-r["digits"])),
            "currency": r["currency"],
            "payments": r["units_count"],
        }
        for r in rows
        if r["units_sum"]
    ]


def parts(trace: Forward) -> pa.Table:
    """Every payment that a figure of a trace forward stands on, for each method.

    Columns: `method`, `payment_id`, `at`, `from_account`, `to_account`, `channel`, `currency`,
    `digits`; `units` traced and `of` which; `hop`; `ends` as `left`, `beyond`, `again` or empty;
    `sha256` and `row` of the record.
    """
    tables = []
    for m in trace.methods:
        of, units, hop = m.parts[:, 0], m.parts[:, 2], m.parts[:, 3]
        gone = trace.payments.leaving(of) & (hop > 0)
        beyond = (hop > trace.hops) & ~gone
        ends = np.where(gone, "left", np.where(beyond, "beyond", np.where(hop < 0, "again", "")))
        tables.append(_table(trace.payments, m.method, of, units, hop, ends))
    return pa.concat_tables(tables)


def parts_back(trace: Backward) -> pa.Table:
    """As `parts`, of a trace back; `ends` is `entered`, `beyond`, `again` or empty."""
    p, many = trace.payments, {o.method: o for o in trace.methods}
    hop_of = np.zeros(len(p), np.int64)
    for o in (many.get(Method.HAIRCUT), many.get(Method.FIFO), many.get(Method.POISON)):
        if o is not None and len(o.of):
            hop_of[o.of] = np.maximum(o.hop, 0)
    tables = []
    for o in trace.methods:
        # haircut tells no hop; what could be in it at all is told by poison
        hop = np.where(o.hop == -2, hop_of[o.of], o.hop)
        entered = entries(trace.payments, o.of) & (hop > 0)
        beyond = (hop > trace.hops) & ~entered
        ends = np.where(
            entered, "entered", np.where(beyond, "beyond", np.where(hop == -1, "again", ""))
        )
        units = np.rint(np.asarray(o.units, float)).astype(np.int64)
        tables.append(_table(p, o.method, o.of, units, hop, ends))
    return pa.concat_tables(tables)


def _table(
    p: Payments, method: Method, of: Ints, units: Ints, hop: Ints, ends: NDArray[np.str_]
) -> pa.Table:
    accounts = pa.array(p.accounts, pa.string())
    channels = pa.array([*CHANNELS, UNTOLD], pa.string())
    channel = np.where(p.channel[of] < 0, len(CHANNELS), p.channel[of])
    digits = np.array(p.digits, np.int16)
    files = pa.array(p.files, pa.string())
    return pa.table(
        {
            "method": pa.array([method.value] * len(of), pa.string()),
            "payment_id": p.ids.combine_chunks().take(pa.array(of)),
            "at": pa.array(p.at[of], pa.timestamp("us", "UTC")),
            "from_account": accounts.take(pa.array(p.sender[of])),
            "to_account": accounts.take(pa.array(p.receiver[of])),
            "channel": channels.take(pa.array(channel)),
            "currency": pa.array(p.currencies, pa.string()).take(pa.array(p.currency[of])),
            "digits": pa.array(digits[p.currency[of]]),
            "units": pa.array(units),
            "of": pa.array(p.amount[of]),
            "hop": pa.array(hop),
            "ends": pa.array(ends.tolist(), pa.string()),
            "sha256": files.take(pa.array(p.file[of])),
            "row": pa.array(p.row[of]),
        }
    )


__all__ = ["detail", "detail_back", "parts", "parts_back"]
