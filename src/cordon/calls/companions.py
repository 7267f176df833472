"""Files beside the calls, read for a search while its passes run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cordon.calls.forms import ACCOUNTS, CELLS, COMPLAINTS, PAYMENTS, SESSIONS
from cordon.calls.model import Counts, Refusal
from cordon.calls.plain import PlainReading, read_plain
from cordon.calls.registers import read_register
from cordon.calls.survey.sessions import KEPT

Value = TypeVar("Value")
PAID = ("at", "from_account", "to_account")
"""What is asked of a payment: who paid whom, and when."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the calls; what was not given is None.

    Attributes:
        holders: kind of holder by number (E.164). activated: day on which it was activated, from
            1970-01-01.
        cells, complaints, accounts: tables of these formats. payments: their columns PAID at least.
        refusals: rows that were not taken, with the name of their file.
        left_out: sentences for the reader.
    """

    holders: Mapping[str, str] | None = None
    cells: pa.Table | None = None
    complaints: pa.Table | None = None
    payments: pa.Table | None = None
    accounts: pa.Table | None = None
    refusals: tuple[tuple[str, Refusal], ...] = ()
    left_out: tuple[str, ...] = ()
    activated: Mapping[str, int] = field(default_factory=dict)

    def bound(self, numbers: Sequence[str]) -> list[tuple[str, str]]:
        """Each account that is bound to one of these numbers (E.164), with its number."""
        if self.accounts is None:
            return []
        held = self.accounts.filter(
            pc.is_in(self.accounts["phone"], pa.array(numbers, pa.string()))
        )
        return list(zip(held["account"].to_pylist(), held["phone"].to_pylist(), strict=True))


class Later(Generic[Value]):
    """What a thread works out from when it is told to begin, or else once it is asked for.

    Args:
        pool: whose threads work. work: done once.
    """

    def __init__(self, pool: Executor, work: Callable[[], Value]) -> None:
        self._pool, self._work = pool, work
        self._done: Future[Value] | None = None

    def begin(self) -> Future[Value]:
        """Begin, where that was not done."""
        if self._done is None:
            self._done = self._pool.submit(self._work)
        return self._done

    def result(self) -> Value:
        """What came of it, waited for.

        Raises: what the work raised.
        """
        return self.begin().result()


def read_beside(
    region: str,
    *,
    subscribers: Path | None = None,
    cells: Path | None = None,
    complaints: Path | None = None,
    accounts: Path | None = None,
    dates: str = "",
) -> Beside:
    """Read the files beside the calls that say whose calls are fetched, and where from.

    Args:
        dates: the order of day and month in operators' lists, as `PlainReading` takes it.

    Raises:
        BadInput: nothing of a file can be read, or a register breaks off.
    """
    refusals: list[tuple[str, Refusal]] = []
    left_out: list[str] = []
    holders: Mapping[str, str] | None = None
    activated: Mapping[str, int] = {}
    if subscribers is not None:
        register = read_register(subscribers, region, dates=dates)
        holders, activated = register.holders, register.activated
        refusals += _named(subscribers, register.refusals)
        lost = "their holders are not known."
        left_out += _said(subscribers, register.counts, register.refusals, None, lost)
        left_out += _noted(subscribers, register.notes)
    tables: dict[str, pa.Table] = {}
    for path, form, lost in (
        (cells, CELLS, "it is not known where these cells are."),
        (complaints, COMPLAINTS, "they say nothing."),
        (accounts, ACCOUNTS, "it is not known which numbers they are bound to."),
    ):
        if path is None:
            continue
        read = read_plain(path, form, region, dates=dates)
        refusals += _named(path, read.refusals)
        left_out += _said(path, read.counts, read.refusals, read.broken, lost)
        left_out += _noted(path, read.notes)
        tables[form.name] = read.table
    return Beside(
        holders,
        tables.get(CELLS.name),
        tables.get(COMPLAINTS.name),
        accounts=tables.get(ACCOUNTS.name),
        refusals=tuple(refusals),
        left_out=tuple(left_out),
        activated=activated,
    )


def read_paid(region: str, payments: Path | None) -> Beside:
    """Read of payments what is asked of them, which is what is tied to a ring.

    Raises:
        BadInput: nothing of the file can be read.
    """
    if payments is None:
        return Beside()
    reading = PlainReading(payments, PAYMENTS, region)
    odd: list[Refusal] = []
    parts = [PAYMENTS.schema.empty_table().select(PAID)]
    for batch in reading.batches():
        odd += batch.refusals
        parts.append(batch.table.select(PAID))
    table = pa.concat_tables(parts)  # in parts: to copy them would take as much memory again
    said = _said(payments, reading.counts, odd, reading.broken, "they link no accounts.")
    return Beside(payments=table, refusals=_named(payments, odd), left_out=tuple(said))


@dataclass(frozen=True, slots=True)
class Reached:
    """Sessions as columns on the disk.

    Attributes:
        paths: a Parquet file for each file read, with the columns `survey.sessions.KEPT`.
        refusals, left_out: as of `Beside`.
    """

    paths: tuple[Path, ...] = ()
    refusals: tuple[tuple[str, Refusal], ...] = ()
    left_out: tuple[str, ...] = ()


def read_sessions(region: str, files: Sequence[Path], folder: Path, dates: str = "") -> Reached:
    """Read files of sessions a batch at a time, and keep of them what is asked.

    Args:
        folder: to keep them in; made where it is not there. dates: as of `read_beside`.

    Raises:
        BadInput: nothing of a file can be read.
    """
    paths: list[Path] = []
    refusals: list[tuple[str, Refusal]] = []
    left_out: list[str] = []
    schema = pa.schema([SESSIONS.schema.field(name) for name in KEPT])
    for at, path in enumerate(files):
        reading = PlainReading(path, SESSIONS, region, dates=dates)
        odd: list[Refusal] = []
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{at:04d}.parquet"
        with pq.ParquetWriter(kept, schema, compression="zstd") as out:
            for batch in reading.batches():
                odd += batch.refusals
                if len(batch.table):
                    out.write_table(batch.table.select(KEPT).cast(schema))
        paths.append(kept)
        refusals += _named(path, odd)
        lost = "it is not known which addresses they reached."
        left_out += _said(path, reading.counts, odd, reading.broken, lost)
        left_out += _noted(path, reading.notes)
    return Reached(tuple(paths), tuple(refusals), tuple(left_out))


def _said(
    path: Path, counts: Counts, odd: Sequence[Refusal], broken: str | None, lost: str
) -> list[str]:
    """What the reader is told of what could not be read of a file."""
    said = []
    if odd:
        said.append(
            f"{len(odd):,} of the {counts.read:,} rows of {path.name} could not be read: {lost}"
        )
    if broken:
        said.append(broken + " What stands before it was used.")
    return said


def _noted(path: Path, notes: Mapping[str, int]) -> list[str]:
    """What was read otherwise than it stands, or left out of rows that were taken."""
    return [
        f"{path.name}: {why}{f' ({times:,} times)' if times > 1 else ''}."
        for why, times in sorted(notes.items())
    ]


def _named(path: Path, odd: Sequence[Refusal]) -> tuple[tuple[str, Refusal], ...]:
    return tuple((path.name, r) for r in odd)
