"""Alembic's way into the tables: on the connection that `cordon.schema` gives."""

from typing import Any

from alembic import context
from sqlalchemy import JSON

from cordon.kernel.store import Base, UtcTime


def render_item(kind: str, item: Any, autogen: Any) -> Any:
    """Write our own column types by their names."""
    if kind == "type" and isinstance(item, JSON | UtcTime):
        autogen.imports.add("from cordon.kernel.store.rows import Json, UtcTime")
        return "Json" if isinstance(item, JSON) else "UtcTime()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    render_item=render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
