"""What a node keeps of payments under an authority: where it stands, and read for a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlalchemy import select

from cordon.calls import COMPLAINTS, read_merged
from cordon.kernel.access.model import Authority, Scope
from cordon.kernel.bringing import source_of
from cordon.kernel.errors import NotFound
from cordon.kernel.store.columns import Columns, SegmentRow
from cordon.kernel.work import Kernel, View
from cordon.money.engines import DUCKDB
from cordon.money.intake import dataset
from cordon.money.payments import Payments
from cordon.money.reaching import Reach
from cordon.money.reading import read_segments
from cordon.money.tables import MoneyFileRow


@dataclass(frozen=True, slots=True)
class Kept:
    """What came in under one authority.

    Attributes:
        payments: segments. accounts: segments of files of accounts, of the last one last.
        complaints: files of complaints, SHA-256 to name, the last one last.
    """

    scope: Scope
    payments: Sequence[Path]
    accounts: Sequence[Path]
    complaints: Mapping[str, str]


def kept(view: View, authority: Authority) -> Kept:
    """Where the payments of an authority stand, and what stands beside them."""
    scope = authority.scope
    columns = view.kernel.columns
    payments = columns.paths(
        view.session, dataset("payments"), since=scope.since, until=scope.until,
        authorities=[authority.id],
    )  # fmt: skip
    files = view.session.scalars(
        select(MoneyFileRow)
        .where(
            MoneyFileRow.authority == authority.id,
            MoneyFileRow.kind != "payments",
            MoneyFileRow.state == "stored",
        )
        .order_by(MoneyFileRow.created_at, MoneyFileRow.id)
    ).all()
    accounts: list[Path] = []
    for row in (f for f in files if f.kind == "accounts"):
        parts = view.session.scalars(
            select(SegmentRow.path)
            .where(
                SegmentRow.dataset == dataset("accounts"),
                SegmentRow.source == source_of(row.sha256, authority.id),
            )
            .order_by(SegmentRow.part)
        )
        accounts += [columns.root / p for p in parts]
    complaints = {f.sha256: f.name for f in files if f.kind == "complaints"}
    return Kept(scope, payments, accounts, complaints)


def payments_of(
    columns: Columns,
    of: Kept,
    accounts: Sequence[str] = (),
    *,
    engine: str = DUCKDB,
    reach: Reach | None = None,
) -> Payments:
    """The payments kept, each once, in the authority's span.

    Args:
        accounts: only payments of these, as they are written there; of all where empty.
        engine: what joins and sorts them: for long work what the setting names, for a page, which
            has no time to begin another, DuckDB. reach: as of `read_payments`.

    Raises:
        NotFound: none came in. Unavailable: the engine does not answer.
    """
    if not of.payments:
        raise NotFound(
            "No payment was brought in under this authority.", advice="Bring a file in first."
        )
    return read_segments(
        of.payments,
        accounts=accounts,
        since=of.scope.since,
        until=of.scope.until,
        engine=engine,
        reach=reach,
        memory_mb=columns.memory_mb,
        threads=columns.threads,
        scratch=columns.root / "spill",
    )


def accounts_of(columns: Columns, of: Kept) -> pa.Table | None:
    """The accounts known beside the payments, or None where no file tells them."""
    if not of.accounts:
        return None
    with columns.connect() as db:
        view_accounts(db, of.accounts)
        found: pa.Table = db.sql("FROM accounts").to_arrow_table()
        return found


def view_accounts(db: DuckDBPyConnection, paths: Sequence[Path]) -> None:
    """Make a view `accounts` of kept segments: of an account that several files tell the last."""
    files = [str(p) for p in paths]
    db.register("accounts_by_file", pa.table({"filename": files, "place": range(len(files))}))
    db.read_parquet(files, filename=True).create_view("accounts_told")
    db.execute("""
        CREATE TEMP VIEW accounts AS SELECT * EXCLUDE (filename, place)
        FROM accounts_told JOIN accounts_by_file USING (filename)
        QUALIFY row_number() OVER (PARTITION BY account ORDER BY place DESC) = 1
        ORDER BY place, row
    """)


def complaints_of(
    kernel: Kernel,
    files: Mapping[str, str],
    region: str,
    left_out: list[str],
    dates: Mapping[str, str] | None = None,
) -> pa.Table | None:
    """Kept files of complaints (SHA-256 to name) as one table, or None where there is none.

    Args:
        dates: as of `read_merged`.
    """
    if not files:
        return None
    read = read_merged(kernel, files, COMPLAINTS, region, dates=dates or {})
    left_out += read.notes
    return read.table
