"""Files or segments of calls in, findings out: with a node or without one."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cordon.calls import forwarding
from cordon.calls.asis import is_segment, is_typed
from cordon.calls.companions import Beside, Later, read_beside, read_paid, read_sessions
from cordon.calls.contacts import contacts, ring_of
from cordon.calls.detectors import all_detectors, cards
from cordon.calls.detectors.data import CallData
from cordon.calls.importing import write_segment
from cordon.calls.layouts import AUTO
from cordon.calls.model import EXEMPT, Counts, NothingRead, Refusal
from cordon.calls.numbers import Numbers, home_of
from cordon.calls.reading import Reading, read_calls
from cordon.calls.survey import (
    Census,
    DuckEngine,
    Engine,
    Sources,
    count_by_page,
    count_everybody,
    engine_over,
    gather,
)
from cordon.calls.survey.near import ROWS_A_MB
from cordon.calls.survey.sessions import SessionFiles
from cordon.countries import clock_of
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

__all__ = ["FindResult", "cards", "find", "find_in_segments"]

_NATIONAL = "PK"
"""Whose numbers in national form are, where nobody says."""
_EXEMPT = frozenset(k.value for k in EXEMPT)
AccountsOf = Callable[[Sequence[str]], Iterable[tuple[str, str]]]
"""Accounts that are bound to numbers, as pairs of account and number."""
Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class FindResult:
    """What came of a search.

    Attributes:
        findings: ordered by kind, start and subject.
        counts: over all files of calls. refusals: file's name and row, in order.
        left_out: sentences for the reader: what could not be used, and what was passed over.
        contacts: of numbers that a ring or a complaint names (`contacts.CONTACTS`), or None where
            they were not asked for.
    """

    findings: tuple[Finding, ...]
    counts: Counts
    refusals: tuple[tuple[str, Refusal], ...]
    left_out: tuple[str, ...]
    contacts: pa.Table | None = None


@dataclass(slots=True)
class _Opened:
    """Files of calls made ready to be searched."""

    segments: list[Path] = field(default_factory=list)
    raw: list[Path] = field(default_factory=list)
    forwards: list[pa.Table] = field(default_factory=list)
    sides: list[Path] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    refusals: list[tuple[str, Refusal]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def find(
    calls: Sequence[Path],
    subscribers: Path | None = None,
    progress: Progress | None = None,
    *,
    cells: Path | None = None,
    complaints: Path | None = None,
    payments: Path | None = None,
    accounts: Path | None = None,
    sessions: Sequence[Path] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    engine: str = "duckdb",
    memory_mb: int = 1536,
    threads: int = 2,
    region: str = "",
    given: Mapping[str, Any] | None = None,
    scratch: Path | None = None,
    with_contacts: bool = False,
    layout: str = AUTO,
    dates: str = "",
) -> FindResult:
    """Search files of calls, on nothing but those files.

    Args:
        calls: files of the format `calls` or of a layout, or segments of an import; a call that
            stands in several counts once. Parquet files whose columns have the format's types
            are searched where they are; others are read and checked first.
        subscribers, cells, complaints, payments, accounts: files of these formats, or None.
        sessions: files of this format; those that are read are kept in `scratch` as columns.
        since, until: only calls and sessions that start in [since, until), where given.
        engine: what runs the heavy passes, as in the setting `columns_engine`.
        memory_mb: bound of the engine's memory; beyond it works on the disk in `scratch`. How
            many calls are looked at closely goes by it too (`survey.near.ROWS_A_MB`).
        region: ISO 3166 code of the country whose clock and numbering plan apply. Where empty the
            one that most calls come from, and numbers in national form are read as of PK.
        given: parameters over the cards' defaults.
        scratch: folder for temporary files; the machine's own where absent.
        with_contacts: also tell who was in touch with numbers that a ring or a complaint names.
        layout, dates: how the files of calls are written, as `read_calls` takes them. dates:
            of operators' lists beside them too.

    Raises:
        BadInput: a file of which nothing can be read, or a parameter out of bounds.
    """
    if not calls:
        raise BadInput("No file of calls was given.")
    say = progress or (lambda _what, _share: None)
    with (
        tempfile.TemporaryDirectory(prefix="cordon-calls-", dir=scratch) as folder,
        ThreadPoolExecutor(1) as pool,
    ):
        national = region or _NATIONAL
        given_too = {"cells": cells, "complaints": complaints, "accounts": accounts}
        reading = partial(read_beside, national, subscribers=subscribers, dates=dates, **given_too)
        told, paid = Later(pool, reading), Later(pool, partial(read_paid, national, payments))
        kept = Path(folder) / "sessions"
        reached = Later(pool, partial(read_sessions, national, sessions, kept, dates))
        told.begin()  # while everybody is counted, which is not done in Python

        def fetched() -> None:
            paid.begin()
            reached.begin()

        search = partial(
            _search,
            told=told.result,
            paid=paid.result,
            reached=lambda: reached.result().paths,
            fetched=fetched,
            say=say,
            since=since,
            until=until,
            engine_name=engine,
            memory_mb=memory_mb,
            threads=threads,
            region=region,
            given=given,
            scratch=Path(folder),
            with_contacts=with_contacts,
        )
        read = partial(read_calls, region=national, layout=layout, dates=dates)
        opened = _open(calls, read, Path(folder), say, national, as_they_are=True)
        result = search(opened)
        if result is None:  # a file that cannot be searched where it is
            opened = _open(calls, read, Path(folder), say, national, as_they_are=False)
            result = search(opened)
            assert result is not None
        beside, after, last = told.result(), paid.result(), reached.result()
    n, m = opened.counts, result.counts
    return FindResult(
        result.findings,
        Counts(n.read, n.kept - m.repeated, n.repeated + m.repeated, n.refused),
        (*beside.refusals, *after.refusals, *last.refusals, *opened.refusals),
        (
            *beside.left_out,
            *after.left_out,
            *last.left_out,
            *opened.left_out,
            *result.left_out,
        ),
        result.contacts,
    )


def find_in_segments(
    segments: Sequence[Path],
    subscribers: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    *,
    activated: Mapping[str, int] | None = None,
    cells: pa.Table | None = None,
    complaints: pa.Table | None = None,
    payments: pa.Table | None = None,
    sessions: Sequence[Path] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    engine: str = "duckdb",
    memory_mb: int = 2048,
    threads: int = 2,
    region: str = "PK",
    given: Mapping[str, Any] | None = None,
    scratch: Path | None = None,
    forwards: Sequence[Path] = (),
    sides: Sequence[Path] = (),
    bound: AccountsOf | None = None,
) -> FindResult:
    """Search segments that `write_segment` wrote.

    Args:
        subscribers: kind of holder by number in E.164, or None where nothing is known of them.
        activated: day on which a number was activated, from 1970-01-01, where that is known.
        cells, complaints, payments: tables of these formats, or None.
        sessions: Parquet files with the columns `survey.sessions.KEPT`, checked.
        forwards: Parquet files in `forwarding.SCHEMA`. sides: other records of the same calls, as
            segments are, that tell what those lack (`calls.sides`). bound: see `CallData.bound`.
        since, until: only calls and sessions that start in [since, until), where given.
        engine: what runs the heavy passes, as in the setting `columns_engine`.
    """
    beside = Beside(subscribers, cells, complaints, payments, activated=activated or {})
    result = _search(
        _Opened(list(segments), forwards=forwarding.read(forwards), sides=list(sides)),
        lambda: beside,
        lambda: beside,
        lambda: tuple(sessions),
        progress or (lambda _what, _share: None),
        since=since,
        until=until,
        engine_name=engine,
        memory_mb=memory_mb,
        threads=threads,
        region=region,
        given=given,
        scratch=scratch,
        bound=bound,
    )
    assert result is not None  # a segment's rows were checked
    return result


def _search(
    opened: _Opened,
    told: Callable[[], Beside],
    paid: Callable[[], Beside],
    reached: Callable[[], Sequence[Path]],
    say: Progress,
    *,
    fetched: Callable[[], object] = lambda: None,
    since: datetime | None = None,
    until: datetime | None = None,
    engine_name: str,
    memory_mb: int,
    threads: int,
    region: str,
    given: Mapping[str, Any] | None,
    scratch: Path | None,
    with_contacts: bool = False,
    bound: AccountsOf | None = None,
) -> FindResult | None:
    """Search what was opened; None where a file that was not checked holds what is none.

    Args:
        told: what is known beside the calls. paid: the same of payments. reached: files of
            sessions. fetched: called once the calls are fetched, from when on there is a core
            that has less to do.
    """
    left_out: list[str] = []
    if not opened.segments and not opened.raw:
        return FindResult((), Counts(), (), _without(told()))
    sources = Sources(tuple(opened.segments), tuple(opened.raw), since, until, tuple(opened.sides))
    with (
        _hashes(opened.raw) as hashes,
        engine_over(
            sources, engine_name, memory_mb=memory_mb, threads=threads, scratch=scratch
        ) as engine,
    ):
        say("counting everybody", 0.0)
        census, repeated = _counted(engine, scratch)
        beside = told()
        left_out += _without(beside)
        if census is None:
            if since is not None or until is not None:
                left_out.append("No call lies in the span that was asked for.")
            return FindResult((), Counts(), (), tuple(left_out))
        region, said = _home(census, region)
        if opened.raw and not _clean(census, region):
            return None
        left_out += said
        say("fetching the calls of those who could matter", 0.3)
        exempt = [n for n, kind in (beside.holders or {}).items() if kind in _EXEMPT]
        most = memory_mb * ROWS_A_MB
        near = gather(engine, census, _named(beside.complaints), exempt, most=most)
        fetched()
        near.origins = [hashes[o].result() if o in hashes else o for o in near.origins]
        repeated += near.repeated
        middle = datetime.fromtimestamp((census.begin + census.end) / 2e6, UTC)
        offset = (clock_of(region) or UTC).utcoffset(middle) or timedelta(0)
        data = CallData(
            engine,
            census,
            near,
            beside.holders or {},
            beside.cells,
            beside.complaints,
            lambda: paid().payments,
            region,
            int(offset.total_seconds()),
            given or {},
            left_out,
            lambda what, share: say(what, 0.5 + share / 2),
            sessions=lambda: SessionFiles(
                # the engine has counted and fetched, and keeps what it needs for little
                tuple(reached()),
                since,
                until,
                memory_mb // 2,
                threads,
                scratch,
            ),
            bound=bound or beside.bound,
            forwards=forwarding.once(opened.forwards, since, until),
            activated=beside.activated,
        )
        left_out += near.left_out
        found = _found(data)
    found.sort(key=lambda f: (f.kind, f.start, f.subjects))
    spoke = None
    if with_contacts:
        spoke = contacts(near, {*ring_of(found), *_named(beside.complaints)})
    read = census.rows + repeated - near.repeated
    counts = Counts(read, read - repeated, repeated, 0)
    return FindResult(tuple(found), counts, (), tuple(dict.fromkeys(left_out)), spoke)


def _found(data: CallData) -> list[Finding]:
    """What each detector finds, in no order.

    One that can measure `ahead` does so beside the others, on another core where there is one.
    One that is APART reads nothing of what others tell but the groups of lines: it runs beside
    them once these are there.
    """
    every = all_detectors()
    apart = [d for d in every if getattr(d, "APART", False)]
    _ = data.profiles  # counted once, before others read them too
    found: list[Finding] = []
    with ThreadPoolExecutor(1) as pool:

        def begun(run: Callable[..., Any], card: Card) -> Future[Any]:
            quiet = copy(data)  # one tells the reader at a time
            quiet.stage = lambda _what, _share: None
            return pool.submit(lambda: run(quiet, card))

        ahead = {d: begun(d.ahead, d.CARD) for d in every if hasattr(d, "ahead")}
        beside: list[Future[list[Finding]]] = []
        for one in every:
            if one in apart:
                continue
            measured = (ahead[one].result,) if one in ahead else ()
            for finding in one.find(data, one.CARD, *measured):
                found.append(finding)
                if data.search is not None and not beside:
                    beside = [begun(_listed(d), d.CARD) for d in apart]
        for done in beside or [begun(_listed(d), d.CARD) for d in apart]:
            found += done.result()
    return found


def _listed(detector: Any) -> Callable[..., list[Finding]]:
    return lambda data, card: list(detector.find(data, card))


def _counted(engine: Engine, scratch: Path | None) -> tuple[Census | None, int]:
    """Plain counts of everybody, and how many calls were passed over as repeated."""
    if isinstance(engine, DuckEngine):
        census = count_by_page(engine, scratch)
        if census is not None:
            return census, census.repeated
    repeated = engine.each_once()
    return count_everybody(engine, scratch), repeated


def _without(beside: Beside) -> tuple[str, ...]:
    if beside.holders is not None:
        return ()
    return (
        "No subscribers file was given: registered call centres, government lines and "
        "emergency lines cannot be told from others.",
    )


def _open(
    paths: Sequence[Path],
    read: Callable[..., Reading],
    folder: Path,
    say: Progress,
    region: str,
    *,
    as_they_are: bool,
) -> _Opened:
    """Read and check each file into segments; one that can be searched as it is stays there."""
    opened = _Opened()
    seen: set[str] = set()
    for at, path in enumerate(paths):

        def told(done: int, total: int, at: int = at, name: str = path.name) -> None:
            say(f"reading {name}", (at + done / max(1, total)) / len(paths))

        segment = is_segment(path)
        if segment or (as_they_are and is_typed(path)):
            rows = pq.read_metadata(path).num_rows
            again = str(path.resolve()) in seen
            seen.add(str(path.resolve()))
            opened.counts += Counts(rows, 0, rows, 0) if again else Counts(rows, rows, 0, 0)
            if not again:
                (opened.segments if segment else opened.raw).append(path)
                opened.forwards.append(forwarding.of_parquet(path, region))
            continue
        reading = read(path, progress=told)
        again = reading.sha256 in seen
        seen.add(reading.sha256)
        try:
            for batch in reading:
                if again:  # the same bytes: every call of it stands before
                    continue
                opened.refusals += [(path.name, r) for r in batch.refusals]
                if len(batch.forwards):
                    opened.forwards.append(batch.forwards)
                if len(batch.table):
                    where = folder / f"{at:04d}"
                    kept = write_segment(where, reading.sha256, batch.number, batch.table)
                    opened.segments.append(kept.path)
        except BadInput as wrong:
            raise NothingRead(wrong.message, opened.refusals, advice=wrong.advice) from None
        opened.left_out += dict.fromkeys(reading.notes)
        n = reading.counts
        opened.counts += Counts(n.read, 0, n.read - n.refused, n.refused) if again else n
        if reading.broken:
            opened.left_out.append(reading.broken + " What stands before it was used.")
    return opened


def _home(census: Census, region: str) -> tuple[str, list[str]]:
    """The country of the calls, and a sentence where it was told from them and is another than
    is taken where nothing tells."""
    told = region or home_of(census.number, census.sent) or _NATIONAL
    if region or told == _NATIONAL:
        return told.upper(), []
    clock = clock_of(told) or UTC
    return told, [
        f"Most of the calls come from numbers of {told}: it was taken as their country, with the "
        f"clock of {clock}. Give --region where it is another."
    ]


def _clean(census: Census, region: str) -> bool:
    """True where every row holds a call, and every number is written as it is compared."""
    if census.odd:
        return False
    same = pc.equal(Numbers(region).column(census.number), census.number)
    return bool(pc.all(pc.fill_null(same, False)).as_py())  # null: no number at all


def _named(complaints: pa.Table | None) -> list[str]:
    if complaints is None:
        return []
    return [n for n in complaints["suspect_number"].to_pylist() if n]


@contextmanager
def _hashes(paths: Sequence[Path]) -> Iterator[dict[str, Future[str]]]:
    """SHA-256 of each file by its path, taken beside the search."""
    if not paths:
        yield {}
        return
    with ThreadPoolExecutor(1) as pool:
        yield {str(p): pool.submit(_sha256, p) for p in paths}


def _sha256(path: Path) -> str:
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
