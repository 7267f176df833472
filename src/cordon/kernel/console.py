"""What a room's commands stand on: the node they act on, and how they speak.

Data goes to standard output (or `--out`), words to standard error, a progress bar only to a
terminal. `cordon.cli` fills in how a node is opened; a room knows only this file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson
import typer
from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.jobs import JobRow
from cordon.kernel.store.files import written_whole
from cordon.kernel.work import Kernel


class NodeLike(Protocol):
    """A node as commands see it: its kernel, and its rooms by name."""

    kernel: Kernel

    @property
    def data(self) -> Path:
        """The node's folder."""
        ...

    def close(self) -> None:
        """Let go of its stores."""
        ...

    def room(self, name: str) -> Any:
        """The service of a room, for example `cases`."""
        ...

    def run_job(self, job: str, progress: Callable[[int, int], None]) -> JobRow:
        """Run a queued job here, now, to its end; return its row."""
        ...

    def console_actor(self, authority: str | None) -> Actor:
        """Who a command acts as: the token's service, or the console's own account.

        Args:
            authority: reference of the legal authority that it acts under, or None.
        """
        ...


class Console:
    """How commands reach the node and the reader.

    Args:
        open_node: opens the node of the settings, once it is needed.
        json: answer in JSON rather than in words.
    """

    def __init__(self, open_node: Callable[[], NodeLike], *, json: bool = False) -> None:
        self._open = open_node
        self._node: NodeLike | None = None
        self.json = json
        self._terminal = Terminal(stderr=True, highlight=False)

    @property
    def node(self) -> NodeLike:
        """The node, opened on first use."""
        if self._node is None:
            self._node = self._open()
        return self._node

    def close(self) -> None:
        """Let go of the node, where one was opened."""
        if self._node is not None:
            self._node.close()
            self._node = None

    def passes(self, act: str, authority: str | None = None) -> Actor:
        """The actor of a command on the node, once the gate let this act pass."""
        actor = self.node.console_actor(authority)
        kernel = self.node.kernel
        with kernel.view(actor) as view:
            view.permit(act, Thing.room(act.split(".", maxsplit=1)[0], kernel.agency))
        return actor

    def say(self, words: str) -> None:
        """Tell the reader something, on standard error."""
        self._terminal.print(words, markup=False, soft_wrap=True)

    def answer(self, data: Mapping[str, Any], words: str) -> None:
        """Answer a command: `data` as JSON on standard output where asked for, else `words`."""
        if self.json:
            sys.stdout.buffer.write(orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.flush()
        else:
            self.say(words)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows as a JSON list of objects where asked for, else as a table on standard output."""
        if self.json:
            listed = [dict(zip(columns, row, strict=True)) for row in rows]
            sys.stdout.buffer.write(
                orjson.dumps(listed, option=orjson.OPT_APPEND_NEWLINE, default=str)
            )
            sys.stdout.flush()
            return
        table = Table(*columns, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        out = Terminal(highlight=False)
        if not out.is_terminal:
            out.width = 400  # a pipe has no edge to wrap at
        out.print(table, markup=False) if rows else self.say("Nothing.")

    @contextmanager
    def progress(self, stage: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on a terminal, none elsewhere; call it with (done, total)."""
        if not self._terminal.is_terminal or self.json:
            yield lambda _done, _total: None
            return
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.completed:,.0f}"),
            TimeRemainingColumn(),
            console=self._terminal,
            transient=True,
        ) as bar:
            task = bar.add_task(stage, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total or None)


def console(context: typer.Context, *, json: bool = False) -> Console:
    """The console of a command's context; `json` is the command's own flag."""
    found = context.find_object(Console)
    if found is None:
        raise RuntimeError("the command was started without its console")
    found.json = found.json or json
    return found


def write_out(chunks: Iterator[bytes], out: Path | None) -> int:
    """Write data to a file, whole or not at all, or to standard output; return the bytes."""
    size = 0
    if out is None:
        for chunk in chunks:
            size += sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        return size
    # `/dev/stdout` is a link: the file behind it is written, and the link stays
    behind = Path(os.path.realpath(out))
    target = behind if behind.exists() else out
    with written_whole(target) as partial, partial.open("wb") as file:
        for chunk in chunks:
            size += file.write(chunk)
    return size
