"""A file that is not what it was said to be is told what it is, and what was expected."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest

from cordon.calls.reading import read_calls
from cordon.kernel.errors import BadInput

PLAIN = (
    b"start,kind,caller,callee,duration_s\n"
    b"2026-02-01T04:41:12Z,voice,+923001234567,+923217654320,65\n"
)
MSC = b"START_DATE;START_HOUR;A_MSISDN;B_MSISDN\n2026-01-17;08:30:00;923001234567;923337654321\n"


def said(path: Path, layout: str = "auto") -> tuple[str, str]:
    with pytest.raises(BadInput) as wrong:
        list(read_calls(path, "PK", layout=layout))
    return wrong.value.message, wrong.value.advice


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        one = tarfile.TarInfo("june.csv")
        one.size = len(PLAIN)
        archive.addfile(one, io.BytesIO(PLAIN))
    return out.getvalue()


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, PLAIN)
    return out.getvalue()


def database(path: Path) -> bytes:
    with sqlite3.connect(path) as kept:
        kept.execute("CREATE TABLE calls (a)")
    kept.close()
    return path.read_bytes()


@pytest.mark.parametrize("layout", ["auto", "airtel", "cordon"])
def test_what_is_no_text_says_what_it_is(tmp_path: Path, layout: str) -> None:
    noise = random.Random(5).randbytes(5_000)
    given = {
        "tar archive": tar(),
        "a tar archive": gzip.compress(tar()),
        "a PDF document": b"%PDF-1.4\n%\xe2\xe3\n" + bytes(90),
        "a zip archive of 2 files": zipped("june.csv", "july.csv"),
        "a zip archive of 1 file": zipped("june.csv"),
        "a Word document": zipped("word/document.xml"),
        "a SQLite database": database(tmp_path / "kept.db"),
        "an image": b"\xff\xd8\xff\xe0\x00\x10JFIF" + noise,
        "a RAR archive": b"Rar!\x1a\x07\x01\x00" + noise,
        "a capture of network packets": b"\xd4\xc3\xb2\xa1" + noise,
        "no text": b"\x30\x82\x01" + noise,
        "looks like no text": gzip.compress(noise),
    }
    path = tmp_path / "given"
    for what, data in given.items():
        path.write_bytes(data)
        message, advice = said(path, layout)
        assert what in message
        assert "is expected" in advice
        assert ("Unpack it" in advice) == ("archive" in what)


def test_a_file_in_another_layout_than_was_said(tmp_path: Path) -> None:
    path = tmp_path / "june.csv"
    path.write_bytes(PLAIN)
    assert said(path, "airtel") == (
        "june.csv is not in the layout airtel: it looks like cordon (the format “calls”).",
        "Give --layout cordon, or auto, which tells it from each file.",
    )
    path.write_bytes(MSC)
    message, advice = said(path, "airtel")
    assert "is not in the layout airtel: it looks like msc." in message
    assert "--layout msc" in advice
    path.write_bytes(b"cell,lat,lon\nA,24.8,67.0\n")
    message, advice = said(path, "airtel")
    assert "not in the layout airtel: it looks like the format “cells”" in message
    assert "target no, b party no, date, time, dur(s) is expected" in advice
