"""Transactions on both stores: whole or not at all, and times that come back as they went in."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.exc import OperationalError

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Conflict, CordonError, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.store import Rows
from cordon.kernel.store.rows import named_faults


def lead(at: datetime, id_: str | None = None) -> LeadRow:
    return LeadRow(
        id=id_ or new_id(), agency="pk-test", mark=Mark.GREEN, created_at=at, type="finding",
        title="t", seriousness="notice", due_at=at,
    )  # fmt: skip


def count(rows: Rows) -> int:
    with rows.read() as session:
        return len(list(session.scalars(select(LeadRow.id))))


def keep(rows: Rows, row: LeadRow) -> None:
    with rows.write() as session:
        session.add(row)


def test_a_fault_in_the_block_leaves_nothing(rows, noon):
    with pytest.raises(ZeroDivisionError), rows.write() as session:  # noqa: PT012
        session.add(lead(noon))
        session.flush()
        raise ZeroDivisionError
    assert count(rows) == 0
    with rows.write() as session:  # and the next one is not in its way
        session.add(lead(noon))
    assert count(rows) == 1


def test_a_transaction_in_a_transaction_is_refused_at_once(rows, noon):
    with rows.write() as session:
        session.add(lead(noon))
        with pytest.raises(RuntimeError, match="inside another"), rows.write():
            pass
    assert count(rows) == 1
    assert not rows.writing


def test_reading_never_changes_and_what_was_read_stays_readable(rows, noon):
    with rows.write() as session:
        session.add(lead(noon, "a" * 36))
    with rows.read() as session:
        kept = session.get(LeadRow, "a" * 36)
        kept.title = "changed"
        session.add(lead(noon))
    assert kept.title == "changed"  # the object in hand, not the row
    assert count(rows) == 1
    with rows.read() as session:
        assert session.get(LeadRow, "a" * 36).title == "t"


def test_a_reader_sees_what_was_committed_and_no_more(rows, noon):
    with rows.write() as session:
        session.add(lead(noon))
        session.flush()
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.append(count(rows)))
        reader.start()
        reader.join(20)
        assert seen == [0]
    assert count(rows) == 1


def test_many_threads_lose_no_change(rows, noon):
    """Each adds one to the same row, 20 times; on PostgreSQL under the row's lock."""
    with rows.write() as session:
        session.add(lead(noon, "b" * 36))

    def work() -> None:
        for _ in range(20):
            with rows.write() as session:
                row = session.get(LeadRow, "b" * 36, with_for_update=True)
                row.due_at = row.due_at + timedelta(seconds=1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with rows.read() as session:
        assert session.get(LeadRow, "b" * 36).due_at == noon + timedelta(seconds=80)


def test_alone_lets_one_look_and_write_at_a_time(rows, noon):
    """Two that look whether a row stands there and then write it write it once."""

    def work() -> None:
        with rows.write() as session:
            rows.alone(session, "the lead")
            if not list(session.scalars(select(LeadRow.id))):
                session.add(lead(noon))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(rows) == 1


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_time_comes_back_as_it_went_in(rows, naive, offset):
    at = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    id_ = new_id()
    with rows.write() as session:
        session.add(lead(at, id_))
    with rows.read() as session:
        found = session.get(LeadRow, id_).due_at
        by_time = session.scalar(select(LeadRow.id).where(LeadRow.due_at == at, LeadRow.id == id_))
    assert found == at
    assert found.tzinfo == UTC
    assert by_time == id_


def test_times_sort_as_they_happened(rows, noon):
    times = [noon + timedelta(microseconds=n * 7919) for n in range(-50, 50)]
    with rows.write() as session:
        session.add_all(lead(t) for t in reversed(times))
    with rows.read() as session:
        assert list(session.scalars(select(LeadRow.due_at).order_by(LeadRow.due_at))) == times
        before = session.scalars(select(LeadRow.due_at).where(LeadRow.due_at < noon))
        assert sorted(before) == times[:50]


def test_a_reader_sees_one_state_however_long_it_looks(rows, noon):
    with rows.write() as session:
        session.add(lead(noon))
    with rows.read() as session:
        before = session.scalar(select(func.count()).select_from(LeadRow))
        writer = threading.Thread(target=lambda: keep(rows, lead(noon)))
        writer.start()
        writer.join(20)
        assert session.scalar(select(func.count()).select_from(LeadRow)) == before == 1
    assert count(rows) == 2


def test_a_write_after_a_reading_on_the_same_connection_still_writes(rows_url, noon):
    store = Rows(rows_url, pool=1)
    from cordon.kernel.store import Base

    Base.metadata.create_all(store.engine)
    for number in range(3):
        assert count(store) == number
        keep(store, lead(noon))
    with store.write() as session:
        level = None if store.is_sqlite else session.scalar(text("SHOW transaction_isolation"))
        assert level in (None, "read committed")
    store.close()


def test_readers_that_wait_for_the_ledgers_writer_do_not_keep_it_out(rows, noon):
    """Every shared connection is held by one who waits for what another is to write."""
    together = threading.Barrier(31)
    written = threading.Event()

    def wait_inside() -> None:
        with rows.read() as session:
            session.execute(text("SELECT 1"))
            together.wait(20)
            written.wait(20)

    readers = [threading.Thread(target=wait_inside) for _ in range(30)]
    for reader in readers:
        reader.start()
    together.wait(20)
    started = time.monotonic()
    with rows.write(reserved=True) as session:
        session.add(lead(noon))
        with rows.read(reserved=True) as inner:
            inner.execute(text("SELECT 1"))
    assert time.monotonic() - started < 5
    written.set()
    for reader in readers:
        reader.join()


def test_a_pool_without_a_free_connection_is_said(rows):
    rows.engine.pool._timeout = 0.1
    held = [rows.engine.connect() for _ in range(30)]
    with pytest.raises(Unavailable, match="busy"), rows.read() as session:
        session.execute(text("SELECT 1"))
    for connection in held:
        connection.close()


@pytest.mark.parametrize("rows_url", ["postgres"], indirect=True)
def test_what_postgresql_does_not_take_is_bad_input(rows, noon):
    for wrong in ("a\0b", "\ud800"):
        with pytest.raises(BadInput, match="does not take"), rows.read() as session:
            session.scalar(select(LeadRow.id).where(LeadRow.id == wrong))
        with pytest.raises(BadInput), rows.write() as session:
            session.add(lead(noon, wrong))
    assert count(rows) == 0


@pytest.mark.parametrize("rows_url", ["postgres"], indirect=True)
def test_who_loses_a_deadlock_is_told_to_try_again(rows, noon):
    keep(rows, lead(noon, "a" * 36))
    keep(rows, lead(noon, "b" * 36))
    both = threading.Barrier(2)
    said: list[BaseException] = []

    def work(first: str, second: str) -> None:
        try:
            with rows.write() as session:
                session.get(LeadRow, first * 36, with_for_update=True)
                both.wait(20)
                session.get(LeadRow, second * 36, with_for_update=True)
        except CordonError as fault:
            said.append(fault)

    threads = [threading.Thread(target=work, args=order) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (fault,) = said
    assert isinstance(fault, Conflict)
    assert "Try again" in str(fault)


def test_blocked_is_not_locked():
    for words, kind in (("blocked by process 7", "does not answer"), ("is locked", "Another")):
        with pytest.raises(Unavailable, match=kind), named_faults():
            raise OperationalError("", {}, Exception(words))


def test_a_time_without_a_zone_is_not_stored(rows):
    with pytest.raises(Exception, match="naive"), rows.write() as session:
        session.add(lead(datetime(2026, 3, 6)))
    assert count(rows) == 0


def test_a_full_disk_is_said_with_what_to_do(tmp_path, noon):
    """SQLite's own limit stands for the disk's: the fault is the same SQLITE_FULL."""
    store = Rows(f"sqlite:///{tmp_path / 'node.db'}")
    from cordon.kernel.store import Base

    Base.metadata.create_all(store.engine)
    store.engine.dispose()

    @event.listens_for(store.reserve, "connect")
    def small(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    with store.write() as session:
        session.add(lead(noon))
    with pytest.raises(Unavailable, match=r"full.*Free space"), store.write() as session:  # noqa: PT012
        for _ in range(500):
            session.add(lead(noon))
        session.flush()
    assert count(store) == 1  # what was acknowledged is there, and it can be read
    store.close()


def test_a_database_that_another_process_holds_is_said(tmp_path, noon):
    store = Rows(f"sqlite:///{tmp_path / 'node.db'}")
    from cordon.kernel.store import Base

    Base.metadata.create_all(store.engine)
    other = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    @event.listens_for(store.reserve, "checkout")
    def impatient(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    with pytest.raises(Unavailable, match="Another process"), store.write():
        pass
    other.execute("ROLLBACK")
    with store.write() as session:
        session.add(lead(noon))
    assert count(store) == 1
    store.close()


def test_a_database_that_is_away_is_said(fresh_postgres, noon):
    store = Rows("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="does not answer"), store.write():
        pass
    with pytest.raises(Unavailable), store.read() as session:
        session.execute(text("SELECT 1"))
    store.close()


def test_a_connection_that_was_cut_is_said_and_the_next_one_works(fresh_postgres, noon):
    store = Rows(fresh_postgres)
    admin = create_engine(fresh_postgres, isolation_level="AUTOCOMMIT")
    with pytest.raises(Unavailable), store.write() as session:  # noqa: PT012
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with admin.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        session.execute(text("SELECT 1"))
    with store.read() as session:
        assert session.scalar(text("SELECT 1")) == 1
    admin.dispose()
    store.close()
