"""Bringing payments in under a legal authority: a job that resumes and refuses by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from cordon.calls import ACCOUNTS, COMPLAINTS, PAYMENTS, Counts, Form, PlainReading, Refusal
from cordon.kernel.access.model import Authority, Scope, Thing
from cordon.kernel.bringing import KEPT_REFUSALS, TOLD, report, source_of
from cordon.kernel.errors import BadInput
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.store.columns import Columns, SegmentRow
from cordon.kernel.work import Kernel, Work
from cordon.money.accounts import written
from cordon.money.bank.reading import READERS, Progress, clock_of, message_parts, reader_of
from cordon.money.bank.told import FORM, Clock
from cordon.money.givenback import marked
from cordon.money.layouts import all_layouts
from cordon.money.layouts.choosing import Choice, file_of
from cordon.money.layouts.reading import LayoutFile
from cordon.money.once import DAY_US
from cordon.money.tables import MoneyFileRow

ACT = "money.record.import"
FORMS: Mapping[str, Form] = {f.name: f for f in (PAYMENTS, ACCOUNTS, COMPLAINTS)}
PLAIN = "cordon"  # the layout of our own plain format
LAYOUTS = (TOLD, PLAIN, *sorted(READERS))
"""Ways that a file may be read by beside the layouts that are data."""
OUTSIDE = "no account of it is covered by the authority, or it lies outside its span"
_NEAR = timedelta(days=2)  # two banks' clocks and days, within which one payment is told twice
_ACCOUNTS = {"payments": ("from_account", "to_account"), "accounts": ("account",)}
_ODD = r"[^0-9A-Z_~:]"  # without such a letter an account is written as it is kept
_SAME = ("payment_id", "from_account", "to_account", "amount", "currency")
_UNKNOWN = f"""
SELECT row FROM batch b WHERE NOT EXISTS (SELECT 1 FROM kept k WHERE {
    " AND ".join(f"k.{c} = b.{c}" for c in _SAME)
} AND epoch_us(k.at) // {DAY_US} = epoch_us(b.at) // {DAY_US})
"""  # noqa: S608 - words of our own
_LEFT = {"note"}  # what people wrote to one another stands in the file alone
_SOUGHT = {
    "payments": ("from_account", "to_account", "payment_id"),
    "accounts": ("account", "phone"),
}


def dataset(kind: str) -> str:
    """Name of the columns that rows of a kind are kept as."""
    return f"money.{kind}"


def covering(work: Work, kind: str) -> Authority:
    """The authority that a file of this kind may be brought in under now, entered in the ledger.

    One that names subjects lets only their payments and accounts in; the rest of the file is
    refused row by row (`within`). Complaints name others, and need one over everybody.
    """
    chosen = work.actor.authority
    named = sorted(chosen.scope.subjects)[0] if chosen and chosen.scope.subjects else None
    one = named if kind in _ACCOUNTS else None
    return work.under_authority(ACT, Thing.room("money", work.kernel.agency), "payments", one)


def within(table: pa.Table, scope: Scope, kind: str) -> tuple[pa.Table, list[Refusal]]:
    """The rows that a scope covers, and a refusal for each other one."""
    inside = pc.is_valid(table["row"])
    if scope.subjects is not None and kind in _ACCOUNTS:
        named = (s.removeprefix("account:") for s in scope.subjects if s.startswith("account:"))
        known = pa.array(sorted({written(n) for n in named}), pa.string())
        ends = [pc.is_in(table[c], known) for c in _ACCOUNTS[kind]]
        inside = ends[0] if len(ends) == 1 else pc.or_(*ends)
    if kind == "payments":
        if scope.since is not None:
            inside = pc.and_(inside, pc.greater_equal(table["at"], pa.scalar(scope.since)))
        if scope.until is not None:
            inside = pc.and_(inside, pc.less(table["at"], pa.scalar(scope.until)))
    if pc.all(inside).as_py() or not len(table):
        return table, []
    outside = table.filter(pc.invert(inside))["row"].to_pylist()
    return table.filter(inside), [Refusal(row, OUTSIDE) for row in outside]


def _is_tabular(path: Path, kind: str) -> bool:
    """True where a file may have a layout: complaints have none, and a bank's message neither."""
    return kind in _ACCOUNTS and not (kind == "payments" and reader_of(path) is not None)


@dataclass(slots=True)
class Opened:
    """A file that is being read.

    Attributes:
        layout: by which. clock: of a bank's message, with what it did not tell.
        file: what is read by a layout that is data.
    """

    reading: PlainReading
    layout: str
    clock: Clock | None
    file: LayoutFile | None = None

    @property
    def broken(self) -> str | None:
        """A sentence that says where the file breaks off, or None."""
        return self.reading.broken or (self.file.broken if self.file else None)

    @property
    def notes(self) -> list[str]:
        """Sentences on what was passed over or taken to be so."""
        told = dict(self.reading.notes)
        if self.clock is not None:
            told |= self.clock.notes
        if self.file is not None:
            told |= self.file.notes
        breaks = self.clock.breaks if self.clock is not None else []
        if self.file is not None:
            breaks = self.file.balances.sentences()
        return [*breaks, *(f"{why}: {times:,} times" for why, times in sorted(told.items()))]


def layout_names(folder: Path | None = None) -> tuple[str, ...]:
    """Every layout that may be named; `folder` holds the node's own."""
    return (*LAYOUTS, *(one.name for one in all_layouts(folder)))


def chosen(params: Mapping[str, Any], folder: Path | None) -> Choice:
    """How a job's file is to be read."""
    return Choice(
        str(params["layout"]), str(params.get("own") or ""), params.get("given") or {}, folder
    )


def opened(
    path: Path, kind: str, choice: Choice, region: str, name: str, progress: Progress | None = None
) -> Opened:
    """A file of a kind, by a layout or by what its content tells it to be.

    Raises:
        BadInput: there is no such layout, or the file is of another.
    """
    layout = choice.layout
    if not choice.own and layout not in layout_names(choice.folder):
        names = ", ".join(layout_names(choice.folder))
        raise BadInput("There is no such layout.", advice=f"Take one of {names}.")
    if choice.own or layout not in LAYOUTS or (layout == TOLD and _is_tabular(path, kind)):
        file = file_of(path, kind, choice, region, name, progress)
        if file is not None:
            reading = PlainReading(path, FORMS[kind], region, name, None, file.parts())
            return Opened(reading, file.layout.name, None, file)
    reader, used = None, PLAIN
    if kind == "payments" and layout == TOLD:
        found = reader_of(path)
        if found is not None:
            used, reader = found[0].lower(), found[1]
    elif kind == "payments" and layout != PLAIN:
        found = reader_of(path)
        if found is None or found[0].lower() != layout:
            raise BadInput(
                f"{name} does not look like {layout}.",
                advice="Let it be told from the file: the layout auto.",
            )
        used, reader = layout, READERS[layout]
    clock = parts = None
    if reader is not None:
        clock = clock_of(region)
        parts = message_parts(path, reader, name, clock, progress)
    form = FORMS[kind] if reader is None else FORM
    return Opened(PlainReading(path, form, region, name, progress, parts), used, clock)


def run(
    job: Running, kernel: Kernel, region: str, layouts: Path | None = None
) -> Mapping[str, Any]:
    """Read a kept file into segments, a batch a transaction, from where the job had come to.

    Args:
        layouts: folder of the node's own layouts.
    """
    sha256, name = str(job.params["sha256"]), str(job.params["name"])
    kind, share = str(job.params["kind"]), 0.0

    def told(done: int, total: int) -> None:
        nonlocal share
        share = done / max(total, 1)

    choice = chosen(job.params, layouts)
    file = opened(kernel.files.path(sha256), kind, choice, region, name, told)
    done = int(job.checkpoint.get("batches", 0))
    counts = Counts(**job.checkpoint.get("counts", {}))
    refusals: list[dict[str, Any]] = list(job.checkpoint.get("refusals", []))
    before = Counts()
    for number, batch in enumerate(file.reading.batches()):
        now = file.reading.counts
        read, twice = now.read - before.read, now.repeated - before.repeated
        before = now
        if number < done:
            continue
        with job.step() as work:
            authority = covering(work, kind)
            inside, outside = within(as_written(batch.table, kind), authority.scope, kind)
            odd = sorted([*batch.refusals, *outside], key=lambda r: r.row)
            kept = store(work, kind, sha256, number, inside, authority, str(job.params["mark"]))
            counts += Counts(read, kept, twice + len(inside) - kept, len(odd))
            refusals += _some(odd, KEPT_REFUSALS - len(refusals))
            job.save(
                work,
                {"batches": number + 1, "counts": asdict(counts), "refusals": refusals},
                done=counts.read,
                stage="reading",
                report=report(
                    name, "reading", asdict(counts), refusals, share=share, layout=file.layout
                ),
            )
    if file.broken:
        refusals.append({"row": counts.read + 1, "reason": file.broken})
    said = report(
        name, "done", asdict(counts), refusals, share=1.0, layout=file.layout, notes=file.notes
    )  # fmt: skip
    with job.step() as work:
        covering(work, kind)
        _ended(work, sha256, str(job.params["authority"]), kind, counts, refusals)
        total = counts.read
        job.save(work, job.checkpoint, done=total, total=total, stage="done", report=said)
    return said


def _ended(
    work: Work,
    sha256: str,
    authority: str,
    kind: str,
    counts: Counts,
    refusals: list[dict[str, Any]],
) -> None:
    row = work.session.scalars(
        select(MoneyFileRow).where(
            MoneyFileRow.sha256 == sha256, MoneyFileRow.authority == authority
        )
    ).first()
    if row is not None:
        if row.state != "stored":  # brought in again, it keeps what it gave
            row.counts, row.refusals = asdict(counts), refusals
        if kind != "payments":
            row.created_at = work.now  # of several the one brought in last counts
        row.state = "stored"
    room = Thing.room("money", work.kernel.agency)
    work.act(ACT, room, file=sha256, kind=kind, **asdict(counts))
    work.emit("money.records.stored", {"file": sha256, "kind": kind})


def store(
    work: Work,
    kind: str,
    sha256: str,
    number: int,
    table: pa.Table,
    authority: Authority,
    mark: str,
) -> int:
    """Keep a batch's new rows as a segment; its row stands in the same transaction.

    Returns:
        How many rows were new. Of complaints all are: they are read from the newest file.
    """
    if kind == "complaints" or not len(table):
        return len(table)
    columns, session = work.kernel.columns, work.session
    source, name = source_of(sha256, authority.id), dataset(kind)
    # one import under an authority at a time: a payment that two files hold is to be kept once
    work.kernel.rows.alone(session, f"{name}:{authority.id}")
    part, ends = number, (None, None)
    if kind == "payments":
        span = pc.min_max(table["at"]).as_py()
        paths = columns.paths(
            session,
            name,
            since=span["min"] - _NEAR,
            until=span["max"] + _NEAR,
            authorities=[authority.id],
        )
        table = _new(columns, table, paths)
        if not len(table):
            return 0
        span = pc.min_max(table["at"]).as_py()
        ends = (span["min"], span["max"])
        # the next number: what a crash left of this one has no row, and is written over
        counted = select(func.count()).where(
            SegmentRow.dataset == name, SegmentRow.source == source
        )
        part = session.scalar(counted) or 0
    else:
        known = session.scalar(
            select(func.count()).where(
                SegmentRow.dataset == name, SegmentRow.source == source, SegmentRow.part == part
            )
        )
        if known:  # batches of one file are the same each time that it is read
            return 0
    whole = table.drop_columns([c for c in table.column_names if c in _LEFT])
    whole = whole.add_column(0, "sha256", pa.array([sha256] * len(table), pa.string()))
    session.add(
        SegmentRow(
            id=new_id(),
            agency=work.kernel.agency,
            mark=mark,
            created_at=work.now,
            dataset=name,
            source=source,
            part=part,
            rows=len(table),
            starts=ends[0],
            ends=ends[1],
            path=columns.write(name, source, part, whole, _SOUGHT[kind]),
            authority=authority.id,
        )
    )
    return len(table)


def _new(columns: Columns, table: pa.Table, paths: Sequence[Path]) -> pa.Table:
    """The payments of a batch that no kept segment near it tells: with the same id, accounts,
    amount, currency and day (UTC)."""
    if not paths:
        return table
    with columns.connect() as db:
        db.register("batch", table.select(["row", "at", *_SAME]))
        db.read_parquet([str(p) for p in paths], union_by_name=True).create_view("kept")
        rows = db.sql(_UNKNOWN).to_arrow_table()
    return table.filter(pc.is_in(table["row"], rows["row"].combine_chunks()))


def as_written(table: pa.Table, kind: str) -> pa.Table:
    """Accounts without what only parts their digits, so that they are found by what they are; and
    of payments whether their purpose says that they give money back."""
    if kind == "payments":
        table = marked(table)
    for name in _ACCOUNTS.get(kind, ()):
        column = table[name]
        odd = pc.match_substring_regex(column, _ODD)
        if not pc.any(odd).as_py():  # as most are: `written` would change none of them
            continue
        texts = [
            written(text) if other else text
            for text, other in zip(column.to_pylist(), odd.to_pylist(), strict=True)
        ]
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(texts, pa.string()))
    return table


def _some(refusals: Sequence[Refusal], room: int) -> list[dict[str, Any]]:
    return [{"row": r.row, "reason": r.reason} for r in refusals[: max(0, room)]]
