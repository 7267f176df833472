"""Numbers of cases: `C-<year>-<4 digits>`, gapless for an agency and a year."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from cordon.cases.tables import CaseCounterRow
from cordon.kernel.work import Work


def next_number(work: Work) -> str:
    """The next number of this agency in this year (UTC), taken in the caller's transaction.

    The counter's row stays locked until the transaction ends, so that a number given to work
    that fails is given again and none is left out.
    """
    agency, year = work.kernel.agency, work.now.year
    insert = sqlite.insert if work.kernel.rows.is_sqlite else postgresql.insert
    first = insert(CaseCounterRow).values(agency=agency, year=year, last=0)
    work.session.execute(first.on_conflict_do_nothing())
    counter = work.session.scalars(
        select(CaseCounterRow)
        .where(CaseCounterRow.agency == agency, CaseCounterRow.year == year)
        .with_for_update()
        # another transaction may have moved it since this session saw it
        .execution_options(populate_existing=True)
    ).one()
    counter.last += 1
    return f"C-{year}-{counter.last:04d}"
