"""Ids, clocks, units, console, logs, and one row of a file as text."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel import clock as clocks
from cordon.kernel import logs
from cordon.kernel.clock import SetClock, SystemClock, as_utc, format_time, parse_time
from cordon.kernel.console import Console, write_out
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.ids import global_id, is_id, new_id
from cordon.kernel.store.rowtext import LONGEST, row_text

# ids


@given(st.integers(0, (1 << 48) - 1))
def test_an_id_is_a_uuid_of_version_7(ms):
    assert is_id(new_id(ms))


@given(st.text(max_size=40))
def test_what_is_none_is_no_id(text):
    assert not is_id(text) or new_id() != text
    assert not is_id(new_id().upper().replace("0", "O"))


def test_ids_increase_also_when_the_clock_steps_back(monkeypatch):
    at = iter([10**18 * 2, 10**18 * 2, 10**18, 10**18 * 2 + 5, 1])
    made = [new_id()]
    monkeypatch.setattr(time, "time_ns", lambda: next(at))
    made += [new_id() for _ in range(5)]
    assert made == sorted(made)
    assert len(set(made)) == 6
    assert global_id("pk-mcg", made[0]) == f"pk-mcg:{made[0]}"


def test_ids_of_many_threads_differ():
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


# the clock


def test_the_machines_clock_never_steps_back(monkeypatch):
    times = iter([1000.0, 1010.0, 500.0, 1009.0, 1011.0])
    monkeypatch.setattr(clocks.time, "time", lambda: next(times))
    clock = SystemClock()
    read = [clock.now().timestamp() for _ in range(5)]
    assert read == [1000, 1010, 1010, 1010, 1011]
    assert clock.jumped == timedelta(seconds=510)


def test_a_set_clock_stands_jumps_and_runs():
    start = datetime(2026, 3, 6, tzinfo=UTC)
    clock = SetClock(start)
    assert clock.now() == clock.now() == start
    clock.advance(timedelta(days=-1))
    assert clock.now() == start - timedelta(days=1)
    clock.set(start, rate=3600)
    time.sleep(0.02)
    assert timedelta(minutes=1) < clock.now() - start < timedelta(hours=2)


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_written_is_read_again(moment):
    try:
        utc = as_utc(moment)
    except OverflowError:
        return
    assert parse_time(format_time(utc)) == utc


@given(st.text(max_size=30))
def test_no_text_raises_anything_but_bad_input(text):
    with contextlib.suppress(BadInput):
        assert parse_time(text).tzinfo == UTC


def test_a_time_without_a_zone_is_refused():
    for text in ("2026-03-06T12:00:00", "2026-03-06", "yesterday", ""):
        with pytest.raises(BadInput):
            parse_time(text)


# the console


class _Node:
    closed = 0

    def close(self):
        self.closed += 1


def test_the_node_is_opened_on_first_use_and_closed_once():
    opened = []
    node = _Node()
    console = Console(lambda: opened.append(1) or node)
    assert opened == []
    assert console.node is console.node is node
    assert opened == [1]
    console.close()
    console.close()
    assert node.closed == 1


def test_no_bar_where_there_is_no_terminal(capsys):
    console = Console(_Node)
    with console.progress("Reading") as progress:
        progress(1, 2)
        progress(2, 2)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_answers_go_to_standard_output_as_json_and_words_to_standard_error(capsysbinary):
    console = Console(_Node)
    console.answer({"kept": 3}, "3 kept [bold]as they are[/bold].")
    told = capsysbinary.readouterr()
    assert told.out == b""
    assert told.err == b"3 kept [bold]as they are[/bold].\n"
    console.json = True
    console.answer({"kept": 3}, "3 kept.")
    console.table(("a", "b"), [(1, None), (2, "x")])
    told = capsysbinary.readouterr()
    assert [json.loads(line) for line in told.out.splitlines()] == [
        {"kept": 3}, [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    ]  # fmt: skip
    assert told.err == b""


def test_a_table_in_a_pipe_is_not_cut(capsys):
    console = Console(_Node)
    console.table(("setting", "help"), [("x", "w" * 300), ("y", None)])
    assert "w" * 300 in capsys.readouterr().out
    console.table(("setting",), [])
    assert "Nothing" in capsys.readouterr().err


def test_output_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "out.jsonl"

    def breaking():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_out(breaking(), path)
    assert list(tmp_path.iterdir()) == []
    assert write_out(iter([b"ab", b"c"]), path) == 3
    assert path.read_bytes() == b"abc"
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    assert write_out(iter([b"abc"]), None) == 3
    assert out.buffer.getvalue() == b"abc"


# logs


@pytest.fixture
def logged(capsys):
    """Sets the logs up as a node does, and gives what was written."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def set_up(style):
        logs.set_up("debug", style)
        return lambda: capsys.readouterr().err

    yield set_up
    root.handlers[:] = handlers
    root.setLevel(level)


NUMBERS = ["+923007654321", "923007654321", "03007654321", "0300-7654321", "410010123456789",
           "35-209900-176148-1", "35201-1234567-1"]  # fmt: skip


@pytest.mark.parametrize("style", ["json", "text"])
def test_no_number_of_a_person_reaches_a_log(style, logged):
    read = logged(style)
    log = logging.getLogger("cordon.test")
    for number in NUMBERS:
        log.warning("a call from %s was refused", number)
        log.warning("refused", extra={"caller": number, "row": 7})
        log.warning("refused", extra={"detail": {"callers": [number]}})
        try:
            raise ValueError(number)
        except ValueError:
            log.exception("it failed")
    text = read()
    digits = "".join(c for c in text if c.isdigit() or c.isspace() or c.isalpha())
    for number in NUMBERS:
        assert number not in text
        assert "".join(c for c in number if c.isdigit())[-8:] not in digits
    assert "refused" in text


def test_a_log_line_is_json_with_its_time_level_and_place(logged):
    read = logged("json")
    logging.getLogger("cordon.test").warning("a job failed", extra={"job": new_id(), "n": 3})
    line = json.loads(read())
    assert (line["event"], line["level"], line["n"]) == ("a job failed", "warning", 3)
    assert is_id(line["job"])  # an id is no number of a person
    assert parse_time(line["timestamp"])


# one row of a file


ROWS = ["a,b", "1,x", "2,y", "3,zé"]


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_a_row_of_a_file(tmp_path, packing):
    data = "\n".join(ROWS).encode() + b"\n"
    packed = {
        "plain": lambda: data,
        "gzip": lambda: gzip.compress(data),
        "zstd": lambda: pa.compress(data, "zstd", asbytes=True),
    }[packing]()
    path = tmp_path / "file"
    path.write_bytes(packed)
    assert row_text(path, 3, header=True) == "a,b\n3,zé"
    assert row_text(path, 1, header=False) == "a,b"
    for row in (0, -1, 4):
        with pytest.raises(NotFound):
            row_text(path, row, header=True)


def test_a_row_of_parquet(tmp_path):
    path = tmp_path / "file"
    pq.write_table(pa.table({"a": range(10), "b": ["x"] * 9 + [None]}), path, row_group_size=3)
    assert row_text(path, 1, header=False) == "a: 0\nb: x"
    assert row_text(path, 10, header=False) == "a: 9"
    with pytest.raises(NotFound):
        row_text(path, 11, header=False)


def test_a_row_of_a_broken_file_is_said(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"row\n" * 9999)[:-20])
    with pytest.raises((BadInput, NotFound)):
        row_text(path, 9999, header=False)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match="cannot be unpacked"):
        row_text(path, 1, header=False)
    path.write_bytes(b"\xff\xfe" + b"x" * 50_000)
    assert len(row_text(path, 1, header=False)) == LONGEST
