"""What the README says can be typed, typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"<!-- run( with real data)? -->\n```sh\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(README)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which the blocks are run one after another, as a reader would."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def environment(folder: Path) -> dict[str, str]:
    """The reader's environment: `cordon` on the PATH, and no settings of Cordon."""
    programs = folder.parent / "readme-bin"
    programs.mkdir(exist_ok=True)
    cordon = programs / "cordon"
    cordon.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cordon.cli "$@"\n')
    cordon.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CORDON_")}
    return {**kept, "PATH": f"{programs}:{Path(sys.executable).parent}:{kept['PATH']}"}


def run(script: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-eux", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.faults  # it starts the program five times
def test_a_night_is_made_found_and_scored(folder: Path, environment: dict[str, str]) -> None:
    told = run(block("exercise generate"), folder, environment)
    found = (folder / "findings.jsonl").read_text("utf-8").splitlines()
    assert len(found) >= 4
    for kind in ("calls.out_fan", "picture.impossible_move", "picture.zone_entry"):
        assert kind in told
        assert any(f'"{kind}"' in line for line in found)


@pytest.mark.faults
@pytest.mark.real_data
def test_a_real_log_is_read(folder: Path, environment: dict[str, str], real_data: Path) -> None:
    given = {**environment, "CORDON_REAL_DATA": str(real_data)}
    told = run(block("CORDON_REAL_DATA"), folder, given)
    assert re.search(r"998 rows read, \d+ kept, 0 repeated, \d+ refused", told)
    assert (folder / "real.jsonl").is_file()
    assert len((folder / "rejects.csv").read_text("utf-8").splitlines()) > 1


@pytest.mark.faults  # half a minute: it starts the program fifteen times
def test_an_order_becomes_a_bundle_that_verifies(folder: Path, environment: dict[str, str]) -> None:
    if not (folder / "watch").is_dir():
        run(block("exercise generate"), folder, environment)
    told = run(block("evidence seal"), folder, environment)
    assert "calls.out_fan" in told
    assert told.count("It verifies") == 3
    # and a bundle that was touched does not
    inside = next(p for p in sorted((folder / "bundle" / "data").rglob("*")) if p.is_file())
    inside.chmod(0o644)
    inside.write_bytes(inside.read_bytes() + b" ")
    with pytest.raises(AssertionError, match="does not verify"):
        run("cordon evidence verify bundle", folder, environment)


def block(words: str) -> str:
    """The block of the README that holds these words."""
    return next(script for _, script in BLOCKS if words in script)


def test_every_block_of_commands_is_run_by_a_test() -> None:
    assert README.count("```sh") == len(BLOCKS) == 3


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    assert (ROOT / "docs" / "img" / "picture.png").stat().st_size < 400_000


def test_it_speaks_of_commands_and_settings_that_there_are() -> None:
    from cordon import reference
    from cordon.settings import Settings

    names = {command.name for command in reference.commands()}
    for line in re.findall(r"cordon ([a-z]+(?: [a-z]+)?(?: [a-z]+)?)", README):
        words = line.split()
        known = {" ".join(words[:n]) for n in range(1, len(words) + 1)} & names
        assert known or words[0] not in {n.split()[0] for n in names}, line
    for setting in re.findall(r"^    ([a-z_]+) = ", README, re.MULTILINE):
        assert setting in Settings.model_fields
