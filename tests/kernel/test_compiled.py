"""Compiled code is kept for as long as all that went into it is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cordon.kernel import sources
from cordon.kernel.sources import stamp


def written(root: Path, **files: str) -> Path:
    """Modules of a package `cordon` under a root; the folder they stand in."""
    folder = root / "cordon" / "room"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "cordon" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "from cordon.room.two import TWO",
        "from cordon.room import two",
        "from cordon.room import three, two as other",
        "from cordon.room import (\n    three,  # the third\n    two,\n)",
    ],
)
def test_a_stamp_changes_with_what_is_imported_however_far(tmp_path: Path, line: str) -> None:
    room = written(
        tmp_path, one=line + "\n", two="from cordon.room.three import X\nTWO = X\n", three="X = 1\n"
    )

    def told() -> bytes:
        stamp.cache_clear()
        sources._read.cache_clear()
        return stamp(room / "one.py")

    first = told()
    assert told() == first
    (room / "three.py").write_text("X = 2\n")
    assert told() != first
    (room / "three.py").write_text("X = 1\n")
    (room / "four.py").write_text("X = 3\n")
    assert told() == first


def test_modules_that_import_one_another_have_a_stamp(tmp_path: Path) -> None:
    room = written(
        tmp_path, one="from cordon.room import two\n", two="from cordon.room import one\n"
    )
    assert stamp(room / "one.py") == stamp(room / "two.py")


def test_a_loop_is_compiled_anew_when_a_file_changes_that_it_takes_loops_from(
    tmp_path: Path,
) -> None:
    """A stamp of its own file alone would answer with the code of before."""
    script = tmp_path / "ask" / "ask.py"
    script.parent.mkdir()
    script.write_text(
        "import cordon, pathlib\n"
        "cordon.__path__.append(str(pathlib.Path(__file__).parents[1] / 'cordon'))\n"
        "from cordon.room import one\n"
        "print(one.answer(), sum(one.answer.stats.cache_hits.values()))\n"
    )
    head = "from cordon.kernel.compiled import compiled\n"
    two = head + "@compiled\ndef of_two():\n    return {}\n"
    written(
        tmp_path,
        one=head
        + "from cordon.room.two import of_two\n@compiled\ndef answer():\n    return of_two() + 1\n",
        two=two.format(1),
    )

    def told() -> str:
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert told() == "2 0"
    assert told() == "2 1", "kept while nothing changed"
    written(tmp_path, two=two.format(5))
    assert told() == "6 0"
