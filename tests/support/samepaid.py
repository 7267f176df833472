"""Payments that were read in two ways, compared column by column."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from cordon.money.payments import Payments


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
