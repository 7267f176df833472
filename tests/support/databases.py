"""Databases on one PostgreSQL server, emptied and lent again: making one takes a second or two.

A copy of a template is written file by file, some two thousand of them; what a test leaves behind
stands in a few tables. A database is lent again only where nothing but rows has changed: after
another trigger, column, function or setting it is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

# Everything that a database has and is not a row of a table; objects of the server's own, which
# have the lowest numbers, are everybody's.
_SHAPE = """
SELECT md5(string_agg(one, ' ' ORDER BY one)) FROM (
  SELECT concat_ws(' ', 'class', c.oid, c.relname, c.relkind, c.relowner, c.relacl,
                   c.relrowsecurity, c.reloptions) AS one
    FROM pg_class c WHERE c.oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'column', attrelid, attnum, attname, atttypid, attnotnull,
                             attisdropped, attacl) FROM pg_attribute WHERE attrelid >= 16384
  UNION ALL SELECT concat_ws(' ', 'default', oid, adbin) FROM pg_attrdef
  UNION ALL SELECT concat_ws(' ', 'index', indexrelid, indisvalid, indisunique)
    FROM pg_index WHERE indexrelid >= 16384
  UNION ALL SELECT concat_ws(' ', 'constraint', oid, conname, convalidated)
    FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgrelid, tgname, tgenabled, tgfoid)
    FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', 'function', oid, proname, prosrc)
    FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'schema', oid, nspname)
    FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)_'
  UNION ALL SELECT concat_ws(' ', 'type', oid, typname) FROM pg_type WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'rule', oid, ev_enabled) FROM pg_rewrite WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'large object', oid) FROM pg_largeobject_metadata
  UNION ALL SELECT concat_ws(' ', 'setting', setrole, setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS all_of_it
"""
# A table that was ever written to since it was truncated has a file with something in it.
_WRITTEN = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)' AND pg_relation_size(c.oid) > 0
"""
_ROWS = "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} t"


class Databases:
    """Copies of one database of a server.

    Args:
        server: address of the server's administrator. template: name of what they are copies of.
    """

    def __init__(self, server: str, template: str) -> None:
        self._admin: Engine = create_engine(server, isolation_level="AUTOCOMMIT")
        self._template = template
        self._free: list[str] = []
        self._first: tuple[str, dict[str, Any]] | None = None

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Address of a database like the template, which nobody else has."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with self._admin.connect() as admin:
            if self._free:  # under another name: a thread of an earlier test finds it no more
                admin.execute(text(f"ALTER DATABASE {self._free.pop()} RENAME TO {name}"))
            else:
                admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {self._template}"))
                if self._first is None:
                    with self._inside(name) as connection:
                        shape = str(connection.scalar(text(_SHAPE)))
                        self._first = shape, self._rows(connection)
        yield self._url(name)
        with self._admin.connect() as admin:
            admin.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE datname = :name"
                ),
                {"name": name},
            )
            idle = f"free_{name}"
            admin.execute(text(f"ALTER DATABASE {name} RENAME TO {idle}"))
            if self._emptied(idle):
                self._free.append(idle)
            else:
                admin.execute(text(f"DROP DATABASE {idle} WITH (FORCE)"))

    def close(self) -> None:
        """Drop what is left."""
        with self._admin.connect() as admin:
            for name in self._free:
                admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        self._free.clear()
        self._admin.dispose()

    def _url(self, name: str) -> str:
        return self._admin.url.set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def _inside(self, name: str) -> Iterator[Connection]:
        engine = create_engine(self._url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def _emptied(self, name: str) -> bool:
        """Take every row out that the template has not; whether it is as the template then."""
        assert self._first is not None
        shape, kept = self._first
        with self._inside(name) as connection:
            if connection.scalar(text(_SHAPE)) != shape:
                return False
            written = set(connection.scalars(text(_WRITTEN))) - set(kept)
            if written:
                # as a replica: no table's own trigger has a say in it
                connection.execute(text("SET session_replication_role = replica"))
                connection.execute(
                    text(f"TRUNCATE {', '.join(sorted(written))} RESTART IDENTITY CASCADE")
                )
            return self._rows(connection) == kept

    def _rows(self, connection: Connection) -> dict[str, Any]:
        """What each table holds that has any rows."""
        tables = connection.scalars(text(_WRITTEN)).all()
        return {t: connection.scalar(text(_ROWS.format(table=t))) for t in tables}
