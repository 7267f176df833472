"""Names that people or enemies give become file names that are safe on any system."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.cases.bundle import safe_name, seal, verify
from cordon.cases.bundle.names import folded, why_unsafe

HOSTILE = [
    "../../../etc/passwd", "..", ".", "", "/", "C:\\Windows\\system.ini", "a\0b", "CON", "con.txt",
    "nul.tar.gz", "COM1", "lpt9.x", "COM¹", "a" * 5000, "ب" * 5000 + ".jpeg", "a\nb", "a\r\nb",
    "%0a%2e%2e", "e\u0301", "photo\u202egpj.exe", "\ud800", "~root", "*x", "- -rf", "trailing. ",
    ".hidden", "a\u2028b", "\ufeffa", "\u202e", "x." + "y" * 300, "🙂" * 200, "a  b",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_safe_ones(name, tmp_path):
    safe = safe_name(name)
    assert why_unsafe(f"data/exhibits/{safe}") is None
    assert "/" not in safe
    assert 0 < len(safe.encode()) <= 121
    (tmp_path / safe).touch()
    assert [p.name for p in tmp_path.iterdir()] == [safe]


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
def test_any_text_becomes_a_safe_name_and_stays_it(text):
    safe = safe_name(text)
    assert why_unsafe(safe) is None
    assert safe_name(safe) == safe
    assert unicodedata.is_normalized("NFC", safe)
    assert Path(safe).name == safe


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wheel house.jpg", "wheel_house.jpg"),
        ("../../etc/passwd", "etc_passwd"),
        ("e\u0301tat.pdf", "\u00e9tat.pdf"),
        ("نقشہ.pdf", "نقشہ.pdf"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),  # the joiner is part of the word
        ("CON", "_CON"),
        ("...", "file"),
    ],
)
def test_names_that_are_good_are_kept(name, expected):
    assert safe_name(name) == expected


@pytest.mark.parametrize(
    "path",
    ["../x", "data/../x", "/x", "~x", "C:/x", "data//x", "data/", "", "data/a\\b", "data/a\nb",
     "data/NUL", "data/x.", "data/x ", "data/a:b", "data/" + "x" * 256, "x/" * 300 + "x"],
)  # fmt: skip
def test_unsafe_paths_are_told(path):
    assert why_unsafe(path)


def test_paths_that_one_system_takes_for_one_are_told():
    assert folded("data/A.txt") == folded("data/a.TXT")
    assert folded("data/\ufb01") == folded("data/fi")


def test_a_case_of_hostile_titles_is_sealed_and_verifies(make, signer, sealed_at, tmp_path):
    titles = [t for t in HOSTILE if "\ud800" not in t and t.strip()]
    exhibits = [make.exhibit(f"E-{n}", t.encode(), t) for n, t in enumerate(titles, 1)]
    custody = [e for one in exhibits for e in make.chain(one.exhibit.id)]
    contents = dataclasses.replace(make.contents(), exhibits=exhibits, custody=custody)
    done = seal(contents, tmp_path / "sources" / ".." / "bundle", signer, sealed_at)
    found = verify(done.folder, done.public_key)
    assert found.problems == ()
    written = {p.name for p in (done.folder / "data/exhibits").iterdir()}
    assert len(written) == len(titles)
