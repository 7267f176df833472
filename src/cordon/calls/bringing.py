"""Files brought in together: each one's state, rate, time left, rejects, another try."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from sqlalchemy import select

from cordon.calls import beside
from cordon.calls.layouts import AUTO, all_layouts
from cordon.calls.service import MARK, Calls
from cordon.calls.sniffing import kind_of
from cordon.calls.tables import CallFileRow, ImportRow
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import ENDED, JobRow
from cordon.kernel.work import View

ACT = "calls.record.import"
TOLD = "auto"
"""Kind of a file that is to be told from the file itself."""
KINDS = (TOLD, *beside.KINDS)
MOST_FILES = 50  # of one form
_LEAST_SHARE = 0.01  # of a file, from which on the time left can be told


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of those brought in together, as its page shows it.

    Attributes:
        place: from 0. state: `queued`, `running`, `done`, `failed`, `cancelled`.
        share: of the file that was read (0 to 1). done: rows. rate: rows a second, or None.
        left: time still to go, or None. counts: what became of its rows; empty where unknown.
        refusals: the first ones, `row` and `reason`. error: why it failed.
        again: True where its bytes are kept, so that it can be tried again.
    """

    place: int
    name: str
    kind: str
    layout: str
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


def layouts_of(room: Calls) -> list[str]:
    """Names of layouts that a form may offer, `auto` first."""
    return [AUTO, *(one.name for one in all_layouts(room.layouts))]


def bring(
    room: Calls,
    actor: Actor,
    files: Sequence[tuple[str, BinaryIO]],
    *,
    kind: str,
    layout: str = AUTO,
) -> str:
    """Take files in and queue a job for each; return the id of their page.

    What is wrong with one file is told of that file, and stops no other: also that the authority
    does not cover what it holds.

    Args:
        kind: one of `KINDS`; `auto` tells it from each file.

    Raises:
        BadInput: no file, too many, or an unknown kind or layout. AuthorityRefused: see
        `Calls.ask_import`.
    """
    _known(room, kind, layout)
    if not files:
        raise BadInput("No file was chosen.", advice="Choose at least one.")
    if len(files) > MOST_FILES:
        raise BadInput(f"{len(files)} files were chosen.", advice=f"Choose at most {MOST_FILES}.")
    only_payments = actor.authority is not None and "calls" not in actor.authority.scope.data
    first = ("payments" if only_payments else "calls") if kind == TOLD else kind
    with room.kernel.work(actor) as work:
        authority = beside.covering(work, first)
    items = [_one(room, actor, name, source, kind, layout) for name, source in files]
    with room.kernel.work(actor) as work:
        row = ImportRow(
            id=new_id(),
            agency=room.kernel.agency,
            mark=MARK,
            created_at=work.now,
            authority=authority.id,
            officer=actor.id,
            items=items,
        )
        work.session.add(row)
        work.act(ACT, row.thing(), files=len(items))
        return row.id


def _one(
    room: Calls, actor: Actor, name: str, source: BinaryIO, kind: str, layout: str
) -> dict[str, Any]:
    item: dict[str, Any] = {"name": name[:200], "kind": kind, "layout": layout}
    try:
        stored = room.kernel.files.put(source, at_most=room.largest)
        item |= {"sha256": stored.sha256, "size": stored.size}
        kind = item["kind"] = _kind(room, stored.sha256, kind)
        item["job"] = room.ask_kept(
            actor, stored.sha256, stored.size, name, kind=kind, layout=layout
        )
    except CordonError as wrong:
        item["error"] = str(wrong)
    return item


def _kind(room: Calls, sha256: str, kind: str) -> str:
    return kind_of(room.kernel.files.path(sha256)) if kind == TOLD else kind


def _known(room: Calls, kind: str, layout: str) -> None:
    # a name of the list alone: the path of a file would be read on the node's own disk
    if kind not in KINDS:
        raise BadInput("It was not said what the files hold.", advice="Choose what they hold.")
    if layout not in layouts_of(room):
        raise BadInput("There is no such layout.", advice="Choose one of the list.")


def again(room: Calls, actor: Actor, id_: str, place: int, *, kind: str, layout: str) -> None:
    """Try a file once more, by another kind or layout where one was chosen.

    Raises:
        Conflict: it is still being read, or its bytes are not kept.
    """
    _known(room, kind, layout)
    with room.kernel.view(actor) as view:
        row = _row(view, id_, place)
        state = _state(view, row, place)
    _same_authority(actor, row)
    if not state.ended or state.state == "done":
        raise Conflict("Only a file that failed or was cancelled can be tried again.")
    item = dict(row.items[place])
    if not state.again:
        raise Conflict("Its bytes are not kept.", advice="Bring the file in again.")
    kind = _kind(room, item["sha256"], kind)
    item |= {"kind": kind, "layout": layout}
    item.pop("error", None)
    try:
        item["job"] = room.ask_kept(
            actor, item["sha256"], item["size"], item["name"], kind=kind, layout=layout
        )
    except (BadInput, Conflict) as wrong:
        item["job"], item["error"] = "", str(wrong)
    with room.kernel.work(actor) as work:
        kept = work.session.get_one(ImportRow, id_, with_for_update=True)
        work.act(ACT, kept.thing(), again=place)
        kept.items = [*kept.items[:place], item, *kept.items[place + 1 :]]


def cancel(room: Calls, actor: Actor, id_: str, place: int) -> None:
    """Ask the reading of a file to stop; what was read is kept."""
    with room.kernel.view(actor) as view:
        job = _row(view, id_, place).items[place].get("job")
    if not job:
        raise Conflict("It has ended already.")
    room.jobs.cancel(actor, job)


def brought(room: Calls, actor: Actor, id_: str) -> Brought:
    """Files brought in together, as they stand now; NotFound where there are none of that id."""
    with room.kernel.view(actor) as view:
        row = _row(view, id_)
        files = tuple(_state(view, row, place) for place in range(len(row.items)))
        return Brought(row.id, row.created_at, files)


def brought_lately(room: Calls, actor: Actor, at_most: int = 10) -> list[Brought]:
    """What was brought in last, newest first."""
    with room.kernel.view(actor) as view:
        rows = view.session.scalars(select(ImportRow).order_by(ImportRow.id.desc()).limit(at_most))
        return [
            Brought(r.id, r.created_at, tuple(_state(view, r, p) for p in range(len(r.items))))
            for r in rows
            if view.may(ACT, r.thing())
        ]


def one_file(room: Calls, actor: Actor, id_: str, place: int) -> FileState:
    """One of the files brought in together."""
    with room.kernel.view(actor) as view:
        return _state(view, _row(view, id_, place), place)


def rejects(room: Calls, actor: Actor, id_: str, place: int) -> Iterator[bytes]:
    """Every refused row of a file as CSV; the file is read for it once more.

    Raises:
        Conflict: the authority chosen is not the one that the file came in under.
        AuthorityRefused: it is not in force.
    """
    with room.kernel.view(actor) as view:
        row = _row(view, id_, place)
        item = row.items[place]
    _same_authority(actor, row)
    if "sha256" not in item:
        raise NotFound("The bytes of this file are not kept.")
    with room.kernel.work(actor) as work:  # before the answer begins
        beside.covering(work, item["kind"])
    path = room.kernel.files.path(item["sha256"])
    found = room.refusals(actor, path, item["layout"], item["kind"])
    return _lines((item["name"], r.row, r.reason) for r in found)


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


def _same_authority(actor: Actor, row: ImportRow) -> None:
    if actor.authority is None or actor.authority.id != row.authority:
        raise Conflict(
            "The file came in under another authority.", advice="Choose that one and try again."
        )


def _row(view: View, id_: str, place: int = 0) -> ImportRow:
    row = view.session.get(ImportRow, id_)
    if row is None or not 0 <= place < len(row.items):
        raise NotFound("Nothing was brought in under this address.")
    view.permit(ACT, row.thing())
    return row


def _state(view: View, row: ImportRow, place: int) -> FileState:
    item = row.items[place]
    job = view.session.get(JobRow, item["job"]) if item.get("job") else None
    common = (place, item["name"], item["kind"], item["layout"])
    if job is None:
        return _without_job(view, row, item, common)
    file: dict[str, Any] = next(iter(job.report.get("files", [])), {})
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
        notes=_notes(file),
        error=job.error or "",
        again=job.state in ("failed", "cancelled"),
    )


def _notes(file: dict[str, Any]) -> list[str]:
    return [str(n) for n in file.get("notes", [])]


def _without_job(
    view: View, row: ImportRow, item: dict[str, Any], common: tuple[int, str, str, str]
) -> FileState:
    """A file that was read when it came, or that was not taken at all."""
    error = str(item.get("error", ""))
    file = None
    if not error:
        file = view.session.scalars(
            select(CallFileRow).where(
                CallFileRow.sha256 == item.get("sha256", ""),
                CallFileRow.authority == row.authority,
            )
        ).first()
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
