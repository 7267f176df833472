"""Files by content: whole or not at all, read back and checked."""

from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordon.kernel.console import write_out
from cordon.kernel.errors import DoesNotVerify, NotFound, TooLarge, Unavailable
from cordon.kernel.store import Files
from cordon.kernel.store.files import CHUNK, written_whole
from support.killed import killed_midway


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def partials(files: Files) -> list[Path]:
    return list((files.root / "partial").iterdir())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_was_kept_comes_back(files, chunks):
    whole = b"".join(chunks)
    stored = files.put(iter(chunks))
    assert stored.sha256 == hashlib.sha256(whole).hexdigest()
    assert stored.size == len(whole)
    assert b"".join(files.read(stored.sha256)) == whole
    assert files.put(io.BytesIO(whole)) == stored  # again: the same, and no second copy
    assert not partials(files)


def test_a_changed_file_raises_and_the_check_names_it(files):
    good = files.put([b"good"])
    bad = files.put([os.urandom(3 * CHUNK)])
    path = files.path(bad.sha256)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DoesNotVerify, match="has changed"):
        for _ in files.read(bad.sha256):
            pass
    assert dict(files.check()) == {good.sha256: True, bad.sha256: False}
    path.write_bytes(data[:-1])  # cut short
    with pytest.raises(DoesNotVerify):
        list(files.read(bad.sha256))


def test_a_name_that_is_none_is_not_found(files):
    for name in ("../../etc/passwd", "a" * 63, "A" * 64, ""):
        with pytest.raises(NotFound):
            files.path(name)
    with pytest.raises(NotFound):
        list(files.read("a" * 64))


def test_more_than_allowed_keeps_nothing(files):
    with pytest.raises(TooLarge, match="10 bytes"):
        files.put([b"12345", b"123456"], at_most=10)
    assert not partials(files)
    assert not list(files.check())
    assert files.put([b"12345", b"12345"], at_most=10).size == 10


def test_a_source_that_breaks_keeps_nothing(files):
    def breaking():
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        files.put(breaking())
    assert not partials(files)
    assert not list(files.check())


def test_kill_9_midway_leaves_no_file_and_the_sweep_takes_the_rest(files):
    child = multiprocessing.get_context("spawn").Process(target=killed_midway, args=(files.root,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len(partials(files)) == 1
    assert not list(files.check())
    assert files.sweep() == 1
    assert not partials(files)


def test_the_sweep_leaves_what_is_being_written(files):
    """A node that starts must not take the ground from under a command's import."""
    swept = []

    def chunks():
        yield b"first"
        swept.append(Files(files.root).sweep())
        yield b"second"

    stored = files.put(chunks())
    assert swept == [0]
    assert b"".join(files.read(stored.sha256)) == b"firstsecond"


_LIMITED = """
import resource, sys
from pathlib import Path
from cordon.kernel.errors import Unavailable
from cordon.kernel.store import Files
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    Files(Path(sys.argv[1])).put([b"x" * (1 << 19)] * 4)
except Unavailable as said:
    sys.stdout.write(str(said))
"""


def test_a_file_beyond_the_limit_of_the_system_is_said(files):
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(files.root)], capture_output=True, text=True
    )
    assert "full" in done.stdout
    assert "Free space" in done.stdout, done.stderr
    assert not partials(files)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1 << 20


def test_a_full_disk_keeps_nothing_and_goes_on_after(small_disk):
    files = Files(small_disk / "files")
    kept = files.put([b"kept"])
    with pytest.raises(Unavailable, match="Free space"):
        files.put([os.urandom(CHUNK)] * 8)
    assert not partials(files)
    assert dict(files.check()) == {kept.sha256: True}
    assert files.put([os.urandom(CHUNK)]).size == CHUNK


def test_other_faults_of_the_disk_are_not_taken_for_a_full_one(tmp_path, monkeypatch):
    files = Files(tmp_path)

    def broken(_handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        files.put([b"x"])
    assert not partials(files)


def test_written_whole_replaces_or_leaves_as_it_was(tmp_path):
    path = tmp_path / "report.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    with written_whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_to_and_never_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    with written_whole(path) as partial:
        partial.write_bytes(b"all of it")
    reader.join(10)
    assert read == [b"all of it"]
    assert path.is_fifo()


def test_data_that_is_sent_through_a_link_goes_to_what_it_names(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    link.symlink_to(file)
    assert write_out(iter([b"new"]), link) == 3
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert write_out(iter([b"gone"]), Path(os.devnull)) == 4
    assert Path(os.devnull).is_char_device()
