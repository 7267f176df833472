"""Files brought in together: each one's state, rate, time left, rejects, another try."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select

from cordon.kernel.access.model import Actor, Authority, Mark
from cordon.kernel.bringing.tables import BroughtColumns, FileColumns
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import ENDED, JobRow, Jobs
from cordon.kernel.rejects import Refused
from cordon.kernel.work import Kernel, View, Work

TOLD = "auto"
"""Kind of a file that is to be told from the file itself, and the layout likewise."""
MOST_FILES = 50  # of one form
_LEAST_SHARE = 0.01  # of a file, from which on the time left can be told


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of those brought in together, as its page shows it.

    Attributes:
        place: from 0. dates: one of `Bringing.orders`, as it was said of the file, or empty.
        told: what was told with the file, by field (`Bringing.fields`); empty under any other
            authority than its own.
        state: `queued`, `running`, `done`, `failed`, `cancelled`.
        share: of the file that was read (0 to 1). done: rows. rate: rows a second, or None.
        left: time still to go, or None. counts: what became of its rows; empty where unknown.
        refusals: the first ones, `row` and `reason`. error: why it failed.
        again: True where its bytes are kept, so that it can be tried again.
    """

    place: int
    name: str
    kind: str
    layout: str
    dates: str
    told: Mapping[str, str]
    state: str
    stage: str
    share: float
    done: int
    rate: float | None
    left: timedelta | None
    counts: dict[str, int]
    refusals: list[dict[str, Any]]
    notes: list[str]
    error: str
    again: bool

    @property
    def ended(self) -> bool:
        """True once nothing more happens by itself."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Brought:
    """Files brought in together."""

    id: str
    at: datetime
    files: tuple[FileState, ...]

    @property
    def ended(self) -> bool:
        """True once each of them has ended."""
        return all(f.ended for f in self.files)


class Bringing(ABC):
    """How a room takes files in.

    Attributes:
        act: what bringing in is called. kinds: what a file may hold, `auto` first where it can be
            told from the file.
        table: rows of files brought in together. file_table: rows of the files.
        orders: what may be said of the order of day and month in a file's dates; empty where
            the room asks for none.
        fields: what may be told with files that do not tell it; empty where the room asks for
            none.
        mark: of what comes in. largest: bytes that an uploaded file may have.
    """

    act: str
    kinds: tuple[str, ...]
    orders: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    table: Any  # a mapped class with `BroughtColumns`
    file_table: Any  # a mapped class with `FileColumns`
    mark: Mark

    def __init__(self, kernel: Kernel, jobs: Jobs, *, largest: int) -> None:
        self.kernel = kernel
        self.jobs = jobs
        self.largest = largest

    # what differs from room to room

    @abstractmethod
    def covering(self, work: Work, kind: str) -> Authority:
        """The authority that a file of this kind may be brought in under now, entered."""

    @abstractmethod
    def ask_kept(
        self, actor: Actor, sha256: str, size: int, name: str, *, kind: str, layout: str
    ) -> str:
        """Queue the import of bytes that the node keeps; return the job's id, or "" for none."""

    @abstractmethod
    def kind_of(self, path: Path) -> str:
        """What a file holds, told from its content."""

    @abstractmethod
    def layouts(self) -> list[str]:
        """Names of layouts that a form may offer, `auto` first."""

    @abstractmethod
    def refused(self, actor: Actor, path: Path, layout: str, kind: str) -> Iterator[Refused]:
        """Every row of a file that the actor's authority does not let in, or that is none."""

    def ask_item(self, actor: Actor, item: Mapping[str, Any]) -> str:
        """As `ask_kept`, of one of `BroughtColumns.items`; for what a room asks beside a layout."""
        sha256, size, name = item["sha256"], item["size"], item["name"]
        return self.ask_kept(actor, sha256, size, name, kind=item["kind"], layout=item["layout"])

    def refused_of(self, actor: Actor, path: Path, item: Mapping[str, Any]) -> Iterator[Refused]:
        """As `refused`, of one of `BroughtColumns.items`."""
        return self.refused(actor, path, item["layout"], item["kind"])

    def told_with(self, told: Mapping[str, str]) -> Mapping[str, str]:
        """What a form told with its files, as it is kept; BadInput where a field cannot be so."""
        return {f: text for f in self.fields if (text := told.get(f, "").strip())}

    def first_kind(self, _actor: Actor) -> str:
        """The kind that an authority is asked for where each file is still to tell its own."""
        return self.kinds[1]

    # what is the same

    def file_of(self, view: View, sha256: str, authority: str) -> FileColumns | None:
        """The file of this content under this authority, where the node has it."""
        table = self.file_table
        found: FileColumns | None = view.session.scalars(
            select(table).where(table.sha256 == sha256, table.authority == authority)
        ).first()
        return found

    def keep_file(
        self, work: Work, authority: Authority, sha256: str, size: int, name: str, kind: str
    ) -> FileColumns:
        """The file's row under an authority, made where there is none.

        Raises:
            Conflict: it was brought in before as another kind.
        """
        room = self.act.partition(".")[0]
        self.kernel.rows.alone(work.session, f"{room}.file:{sha256}:{authority.id}")
        row = self.file_of(work, sha256, authority.id)
        if row is None:
            row = self.file_table(
                id=new_id(),
                agency=self.kernel.agency,
                mark=self.mark,
                created_at=work.now,
                sha256=sha256,
                name=name[:200],
                kind=kind,
                authority=authority.id,
                state="kept",
                size=size,
                counts={},
                refusals=[],
            )
            work.session.add(row)
            work.session.flush()
        elif row.kind != kind and row.state == "stored":
            raise Conflict(
                f"This file was brought in before, as {row.kind}.",
                advice="Nothing was added. Choose that kind, or another file.",
            )
        row.kind = kind
        return row

    def bring(
        self,
        actor: Actor,
        files: Sequence[tuple[str, BinaryIO]],
        *,
        kind: str,
        layout: str = TOLD,
        dates: str = "",
        told: Mapping[str, str] | None = None,
    ) -> str:
        """Take files in and queue a job for each; return the id of their page.

        What is wrong with one file is told of that file, and stops no other: also that the
        authority does not cover what it holds.

        Args:
            kind: one of `kinds`; `auto` tells it from each file. dates: one of `orders`, or empty.
            told: by field, as of `fields`.

        Raises:
            BadInput: no file, too many, or an unknown kind, layout or order of dates.
            AuthorityRefused: no usable authority over such records is chosen.
        """
        self._known(kind, layout, dates)
        if not files:
            raise BadInput("No file was chosen.", advice="Choose at least one.")
        if len(files) > MOST_FILES:
            raise BadInput(
                f"{len(files)} files were chosen.", advice=f"Choose at most {MOST_FILES}."
            )
        with self.kernel.work(actor) as work:
            authority = self.covering(work, self.first_kind(actor) if kind == TOLD else kind)
        how = {"kind": kind, "layout": layout, "dates": dates, "told": self.told_with(told or {})}
        items = [self._one(actor, name, source, how) for name, source in files]
        with self.kernel.work(actor) as work:
            row: BroughtColumns = self.table(
                id=new_id(),
                agency=self.kernel.agency,
                mark=self.mark,
                created_at=work.now,
                authority=authority.id,
                officer=actor.id,
                items=items,
            )
            work.session.add(row)
            work.act(self.act, row.thing(), files=len(items))
            return row.id

    def again(
        self,
        actor: Actor,
        id_: str,
        place: int,
        *,
        kind: str,
        layout: str,
        dates: str = "",
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Try a file once more, by another kind, layout or order of dates where one was chosen.

        Args:
            told: by field, as of `fields`; what was told before where None.

        Raises:
            Conflict: it is still being read, or its bytes are not kept.
        """
        self._known(kind, layout, dates)
        with self.kernel.view(actor) as view:
            row = self._row(view, id_, place)
            state = self._state(view, row, place)
        _same_authority(actor, row)
        if not state.ended or state.state == "done":
            raise Conflict("Only a file that failed or was cancelled can be tried again.")
        item = dict(row.items[place])
        if not state.again:
            raise Conflict("Its bytes are not kept.", advice="Bring the file in again.")
        item |= {"kind": self._kind(item["sha256"], kind), "layout": layout, "dates": dates}
        if told is not None:
            item["told"] = self.told_with(told)
        item.pop("error", None)
        try:
            item["job"] = self.ask_item(actor, item)
        except (BadInput, Conflict) as wrong:
            item["job"], item["error"] = "", str(wrong)
        with self.kernel.work(actor) as work:
            kept = work.session.get_one(self.table, id_, with_for_update=True)
            work.act(self.act, kept.thing(), again=place)
            kept.items = [*kept.items[:place], item, *kept.items[place + 1 :]]

    def cancel(self, actor: Actor, id_: str, place: int) -> None:
        """Ask the reading of a file to stop; what was read is kept."""
        with self.kernel.view(actor) as view:
            job = self._row(view, id_, place).items[place].get("job")
        if not job:
            raise Conflict("It has ended already.")
        self.jobs.cancel(actor, job)

    def brought(self, actor: Actor, id_: str) -> Brought:
        """Files brought in together, as they stand now; NotFound where there are none."""
        with self.kernel.view(actor) as view:
            return self._brought(view, self._row(view, id_))

    def lately(self, actor: Actor, at_most: int = 10) -> list[Brought]:
        """What was brought in last, newest first."""
        with self.kernel.view(actor) as view:
            rows = view.session.scalars(
                select(self.table).order_by(self.table.id.desc()).limit(at_most)
            )
            return [self._brought(view, r) for r in rows if view.may(self.act, r.thing())]

    def one_file(self, actor: Actor, id_: str, place: int) -> FileState:
        """One of the files brought in together."""
        with self.kernel.view(actor) as view:
            return self._state(view, self._row(view, id_, place), place)

    def kept_file(self, actor: Actor, id_: str, place: int) -> tuple[str, Path]:
        """Name and path of a file that was brought in, under the authority that it came in under.

        Raises:
            Conflict: another one is chosen. NotFound: its bytes are not kept.
        """
        with self.kernel.view(actor) as view:
            row = self._row(view, id_, place)
        _same_authority(actor, row)
        item = row.items[place]
        if "sha256" not in item:
            raise NotFound("The bytes of this file are not kept.")
        return item["name"], self.kernel.files.path(item["sha256"])

    def rejects(self, actor: Actor, id_: str, place: int) -> Iterator[bytes]:
        """Every refused row of a file as CSV; the file is read for it once more.

        Raises:
            Conflict: the authority chosen is not the one that the file came in under.
            AuthorityRefused: it is not in force.
        """
        _, path = self.kept_file(actor, id_, place)
        with self.kernel.view(actor) as view:
            item = self._row(view, id_, place).items[place]
        with self.kernel.work(actor) as work:  # before the answer begins
            self.covering(work, item["kind"])
        found = self.refused_of(actor, path, item)
        return _lines((item["name"], r.row, r.reason) for r in _as_far(found))

    def _one(
        self, actor: Actor, name: str, source: BinaryIO, how: Mapping[str, Any]
    ) -> dict[str, Any]:
        item: dict[str, Any] = {"name": name[:200], **how}
        try:
            stored = self.kernel.files.put(source, at_most=self.largest)
            item |= {"sha256": stored.sha256, "size": stored.size}
            item["kind"] = self._kind(stored.sha256, item["kind"])
            item["job"] = self.ask_item(actor, item)
        except CordonError as wrong:
            item["error"] = str(wrong)
        return item

    def _kind(self, sha256: str, kind: str) -> str:
        return self.kind_of(self.kernel.files.path(sha256)) if kind == TOLD else kind

    def _known(self, kind: str, layout: str, dates: str) -> None:
        # a name of the list alone: the path of a file would be read on the node's own disk
        if kind not in self.kinds:
            raise BadInput("It was not said what the files hold.", advice="Choose what they hold.")
        if layout not in self.layouts():
            raise BadInput("There is no such layout.", advice="Choose one of the list.")
        if dates and dates not in self.orders:
            raise BadInput("Dates have no such order.", advice="Choose one of the list.")

    def _row(self, view: View, id_: str, place: int = 0) -> BroughtColumns:
        row: BroughtColumns | None = view.session.get(self.table, id_)
        if row is None or not 0 <= place < len(row.items):
            raise NotFound("Nothing was brought in under this address.")
        view.permit(self.act, row.thing())
        return row

    def _brought(self, view: View, row: BroughtColumns) -> Brought:
        states = (self._state(view, row, place) for place in range(len(row.items)))
        return Brought(row.id, row.created_at, tuple(states))

    def _state(self, view: View, row: BroughtColumns, place: int) -> FileState:
        item = row.items[place]
        job = view.session.get(JobRow, item["job"]) if item.get("job") else None
        chosen = view.actor.authority
        is_its = chosen is not None and chosen.id == row.authority
        said = item.get("dates", ""), item.get("told", {}) if is_its else {}
        common = (place, item["name"], item["kind"], item["layout"], *said)
        if job is None:
            return self._without_job(view, row, item, common)
        file: Mapping[str, Any] = next(iter(job.report.get("files", [])), {})
        share = 1.0 if job.state == "done" else float(file.get("share", 0.0))
        rate = left = None
        if job.started_at is not None and job.done:
            took = ((job.ended_at or view.now) - job.started_at).total_seconds()
            rate = job.done / took if took > 0 else None
            if job.state == "running" and share >= _LEAST_SHARE:
                left = timedelta(seconds=took * (1 - share) / share)
        return FileState(
            *common,
            state=job.state,
            stage=job.stage,
            share=share,
            done=job.done,
            rate=rate,
            left=left,
            counts={k: file[k] for k in ("read", "kept", "repeated", "refused") if k in file},
            refusals=list(job.report.get("refusals", [])),
            notes=[str(n) for n in file.get("notes", [])],
            error=job.error or "",
            again=job.state in ("failed", "cancelled"),
        )

    def _without_job(
        self,
        view: View,
        row: BroughtColumns,
        item: dict[str, Any],
        common: tuple[int, str, str, str, str, Mapping[str, str]],
    ) -> FileState:
        """A file that was read when it came, or that was not taken at all."""
        error = str(item.get("error", ""))
        file = None if error else self.file_of(view, item.get("sha256", ""), row.authority)
        return FileState(
            *common,
            state="failed" if error else "done",
            stage="",
            share=0.0 if error else 1.0,
            done=file.counts.get("read", 0) if file else 0,
            rate=None,
            left=None,
            counts=dict(file.counts) if file else {},
            refusals=list(file.refusals) if file else [],
            notes=[],
            error=error,
            again=bool(error) and "sha256" in item,
        )


def _as_far(rows: Iterator[Refused]) -> Iterator[Refused]:
    """Refused rows up to where a file cannot be read on, which its page says already: the answer
    has begun by then, and would break off without a word."""
    with suppress(CordonError):
        yield from rows


def _lines(rows: Iterable[tuple[str, int, str]]) -> Iterator[bytes]:
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(("file", "row", "reason"))
    for name, row, reason in rows:
        # a spreadsheet takes what begins so for a formula
        out.writerow((f"'{name}" if name[:1] in "=+-@\t\r" else name, row, reason))
        if text.tell() > 1 << 16:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _same_authority(actor: Actor, row: BroughtColumns) -> None:
    if actor.authority is None or actor.authority.id != row.authority:
        raise Conflict(
            "The file came in under another authority.", advice="Choose that one and try again."
        )
