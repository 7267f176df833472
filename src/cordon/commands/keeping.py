"""Backing up a node, and checking that its files are still what they were."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from cordon.kernel.console import console
from cordon.kernel.errors import BadUsage, Conflict, DoesNotVerify
from cordon.kernel.store.files import naming_full_disk, sync_folder

files = typer.Typer(no_args_is_help=True, help="The files that the node keeps by content.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@files.command("check")
def check(ctx: typer.Context, json: Json = False) -> None:
    """Read every kept file back and compare it with its SHA-256."""
    c = console(ctx, json=json)
    c.passes("node.files.check")
    read, broken = 0, []
    for name, whole in c.node.kernel.files.check():
        read += 1
        if not whole:
            broken.append(name)
    if broken:
        raise DoesNotVerify(
            f"{len(broken)} of {read} files have changed; the first is {broken[0]}.",
            advice="Restore them from the backup.",
        )
    c.answer({"files": read, "changed": 0}, f"{read} files read; all are what they were.")


def backup(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    json: Json = False,
) -> None:
    """Copy a SQLite node, consistently, while it runs. For PostgreSQL use pg_dump."""
    c = console(ctx, json=json)
    actor = c.passes("node.backup")
    rows = c.node.kernel.rows
    if not rows.is_sqlite:
        raise BadUsage(
            "This node's rows are in PostgreSQL.",
            advice="Use pg_dump for them and copy the data folder beside it.",
        )
    if folder.exists():
        raise Conflict(f"{folder} exists already.", advice="Name a new folder.")
    data = c.node.data
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with naming_full_disk():
            partial.mkdir(parents=True)
            # rows first: what they speak of is then in the copies of files made after them
            source = sqlite3.connect(str(rows.url.database))
            copy = sqlite3.connect(partial / "node.db")
            try:
                source.backup(copy, pages=4096)
            finally:
                copy.close()
                source.close()
            for part in ("files", "columns", "keys", "bundles"):
                if (data / part).is_dir():
                    shutil.copytree(data / part, partial / part, ignore=_half_written)
            # the checkpoint of the copied rows, not a later one that they do not reach
            (partial / "ledger").mkdir()
            if note := _checkpoint(partial / "node.db"):
                (partial / "ledger" / "checkpoint").write_text(note)
            _sync(partial)
            partial.rename(folder)
            sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    c.say(f"Backed up to {folder} as {actor.id}. Keep its keys apart from the rest.")
    c.answer({"folder": str(folder)}, "")


def _half_written(folder: str, names: list[str]) -> set[str]:
    """What a copy leaves out: it is being written, or is made anew when it is wanted."""
    passing = {"partial", "spill"} if Path(folder).name in ("files", "columns") else set()
    return {n for n in names if n in passing or n.endswith(".partial") or n.startswith(".sealing-")}


def _sync(folder: Path) -> None:
    """Put the whole copy on the disk before it gets its name."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def _checkpoint(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        row = connection.execute("SELECT note FROM ledger_head WHERE id = 1").fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else ""
