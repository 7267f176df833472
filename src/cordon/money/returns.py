"""Which payment a return gives back, where it names it: by the references that both carry.

A return between banks names the payment that it returns (pacs.004 `Orgnl…`; `Refs` of an entry
that takes one back). References that a payer wrote, as RENT, stand on many payments; so the two
must also go between the same accounts, and which of several is meant is left to `givenback`.
Queries ask `told` and `account_codes`, as of `once`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.money.bank.told import BETWEEN_REFS
from cordon.money.engines import Engine

Key = tuple[int, int]  # file and row
Named = Mapping[Key, Mapping[Key, int]]
"""Of each return that names a payment: payments that carry one of its references, and how many."""

_CODED = """
SELECT t.file, t.row, t.payment_id, t.refs, s.code AS sender, r.code AS receiver
FROM told t JOIN account_codes s ON t.from_account = s.name
JOIN account_codes r ON t.to_account = r.name
"""
_RETURNS = f"{_CODED} WHERE t.channel = 'refund' AND t.refs IS NOT NULL"
# one of its two accounts is one of the return's, on the other side
_OTHERS = f"""
{_CODED} WHERE coalesce(t.channel, '') <> 'refund'
AND (s.code IN (SELECT receiver FROM returns) OR r.code IN (SELECT sender FROM returns))
"""  # noqa: S608 - words of our own


def named(engine: Engine) -> Named:
    """Payments that returns name; offered as `named` (file, row) too."""
    returns = engine.table(_RETURNS)
    found: dict[Key, dict[Key, int]] = {key: {} for key in _keys(returns)}
    if found:
        engine.put("returns", returns.select(["sender", "receiver"]))
        _found(found, returns, engine.table(_OTHERS))
    keys = sorted({key for those in found.values() for key in those})
    engine.put("named", pa.table({
        "file": pa.array([file for file, _ in keys], pa.int32()),
        "row": pa.array([row for _, row in keys], pa.int64()),
    }))  # fmt: skip
    return found


def _found(found: dict[Key, dict[Key, int]], returns: pa.Table, others: pa.Table) -> None:
    """Put beside each return the payments that carry a reference of it."""
    by: dict[str, list[Key]] = defaultdict(list)
    for key, refs in zip(_keys(returns), returns["refs"].to_pylist(), strict=True):
        for one in set(refs.split(BETWEEN_REFS)):
            by[one].append(key)
    own = pc.utf8_upper(others["payment_id"].cast(pa.string()))
    refs = pc.fill_null(others["refs"].cast(pa.string()), "")
    whole = pc.binary_join_element_wise(own, refs, BETWEEN_REFS).combine_chunks()
    each = pc.split_pattern(whole, BETWEEN_REFS)
    at, texts = pc.list_parent_indices(each), pc.list_flatten(each)
    sought = pc.is_in(texts, value_set=pa.array(list(by), pa.string()))
    pairs = set(zip(at.filter(sought).to_pylist(), texts.filter(sought).to_pylist(), strict=True))
    keys = _keys(others.select(["file", "row"]).take(pa.array([k for k, _ in pairs], pa.int64())))
    for key, (_, text) in zip(keys, pairs, strict=True):
        for return_ in by[text]:
            found[return_][key] = found[return_].get(key, 0) + 1


def _keys(table: pa.Table) -> Sequence[Key]:
    return list(zip(table["file"].to_pylist(), table["row"].to_pylist(), strict=True))


def placed(named: Named, file: np.ndarray, row: np.ndarray) -> dict[int, dict[int, int]]:
    """The same by positions among payments; what is not among them is left out.

    Args:
        file, row: of each payment.
    """
    wanted = {*named, *(key for those in named.values() for key in those)}
    rows = np.array(sorted({row for _, row in wanted}), np.int64)
    some = np.flatnonzero(np.isin(row, rows)).tolist()
    at = {key: k for k in some if (key := (int(file[k]), int(row[k]))) in wanted}
    return {
        at[key]: {at[other]: shared for other, shared in those.items() if other in at}
        for key, those in named.items()
        if key in at
    }
