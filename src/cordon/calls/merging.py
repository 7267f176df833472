"""Several files of one kind as one: what a later file says of a key stands for the earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls.forms import Form
from cordon.calls.model import rows_of
from cordon.calls.plain import PlainReading
from cordon.calls.registers import read_register
from cordon.kernel.work import Kernel


@dataclass(frozen=True, slots=True)
class Merged:
    """Files of one plain format as one table.

    Attributes:
        table: in `form.schema`; `row` is of the file that each row stands in.
        notes: sentences for the reader: what was lost, and what a later file says otherwise.
    """

    table: pa.Table
    notes: tuple[str, ...]


def read_merged(
    kernel: Kernel,
    files: Mapping[str, str],
    form: Form,
    region: str,
    columns: Sequence[str] | None = None,
    dates: Mapping[str, str] = MappingProxyType({}),
) -> Merged:
    """Kept files of one form as one table.

    Args:
        files: SHA-256 to the name that each file came with, the one brought in last at the end.
        region: ISO 3166 code of numbers in national form.
        columns: those that are wanted, the form's unique one among them; all where absent.
        dates: SHA-256 to the order of day and month that was said of the file, where one was.
    """
    tables: list[pa.Table] = []
    notes: list[str] = []
    wanted = list(columns or form.schema.names)
    for sha256, name in files.items():
        path, said = kernel.files.path(sha256), dates.get(sha256, "")
        reading = PlainReading(path, form, region, name, dates=said)
        parts = [form.schema.empty_table().select(wanted)]
        parts += [batch.table.select(wanted) for batch in reading.batches()]
        tables.append(pa.concat_tables(parts))
        n = reading.counts
        if n.refused:
            notes.append(
                f"{n.refused:,} of the {n.read:,} rows of {name} ({form.name}) could not be read "
                "and were left out."
            )
        if reading.broken:
            notes.append(reading.broken + " What stands before it was used.")
    table, changed = merged(tables, form.unique)
    if changed:
        notes.append(
            f"{rows_of(changed)} of {form.name} {'has' if changed == 1 else 'have'} the same "
            f"{form.unique} as another row in a "
            "later file, which says something else: the later one was used."
        )
    return Merged(table.combine_chunks(), tuple(notes))


def merged(tables: Sequence[pa.Table], key: str | None) -> tuple[pa.Table, int]:
    """Tables of one schema as one in which each key stands once, as the last table has it.

    Args:
        tables: at least one; a key stands in each at most once. key: None keeps every row.

    Returns:
        The table, and how many rows gave way to one that says something else.
    """
    whole = pa.concat_tables(tables)
    if key is None or len(tables) < 2:
        return whole, 0
    coded = whole[key].dictionary_encode()  # of all chunks by one dictionary
    codes = np.concatenate([np.asarray(c.indices) for c in coded.chunks])
    at = np.arange(len(codes))
    last = np.zeros(len(codes), np.int64)
    last[codes] = at  # of rows with one key the last is written last
    stays = last[codes] == at
    if stays.all():
        return whole, 0
    # a row that was delivered twice says the same in both files, wherever it stands in them
    gone = whole.filter(pa.array(~stays))
    stands = pa.array(last[codes[~stays]])
    other = np.zeros(len(gone), bool)
    for name in (n for n in whole.column_names if n not in ("row", key)):
        mine, its = gone[name], whole[name].take(stands)
        same = pc.fill_null(pc.equal(mine, its), pc.and_(pc.is_null(mine), pc.is_null(its)))
        other |= ~same.to_numpy()
    return whole.filter(pa.array(stays)), int(other.sum())


def read_holders(
    kernel: Kernel,
    files: Mapping[str, str],
    region: str,
    dates: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, str], dict[str, int], list[str]]:
    """Kinds of holders and days of activation by number (E.164) of kept registers, and notes.

    A later register wins. Days are counted from 1970-01-01.

    Args: as of `read_merged`.
    """
    holders: dict[str, str] = {}
    activated: dict[str, int] = {}
    notes = []
    for sha256, name in files.items():
        path = kernel.files.path(sha256)
        register = read_register(path, region, name, dates.get(sha256, ""))
        notes += [f"{name}: {why}." for why in sorted(register.notes)]
        told = register.holders
        activated.update(register.activated)
        other = sum(holders.get(n, kind) != kind for n, kind in told.items()) if holders else 0
        holders.update(told)
        if other:
            notes.append(
                f"{other:,} numbers have another kind of holder in {name} (subscribers) than in "
                "a register before it: the later one was used."
            )
    return holders, activated, notes
