"""Payments that were read in two ways, compared column by column."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import orjson

from cordon.money import backward, forward
from cordon.money.payments import Payments
from cordon.money.reaching import Reach
from cordon.money.tracing.telling import told, told_back


def same_payments(one: Payments, other: Payments) -> None:
    """Assert that every column is the same, with its type."""
    for field in fields(Payments):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            assert np.array_equal(a, b), field.name
        elif field.name == "ids":
            assert a.to_pylist() == b.to_pylist()
            assert a.type == b.type
        else:
            assert a == b, field.name


def traced(payments: Payments, account: str, reach: Reach) -> bytes:
    """Everything that a trace tells, as bytes."""
    asked: dict[str, Any] = {"since": reach.since, "until": reach.until, "hops": reach.hops}
    found = (
        told_back(backward(payments, account, **asked))
        if reach.back
        else told(forward(payments, account, **asked))
    )
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)
