"""Peers of the benchmarks are made from their locks, once, and say why where they cannot be had."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from bench import peers

HASH = "0" * 64


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locks and environments in a folder of the test."""
    monkeypatch.setattr(peers, "LOCKS", tmp_path)
    monkeypatch.setattr(peers, "FOLDER", tmp_path / "made")
    # neither an index nor a folder of wheels is asked
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_a_peer_without_a_lock_is_missing(away: Path) -> None:
    with pytest.raises(peers.PeerMissing, match="no lock for nobody"):
        peers.python_of("nobody")


def test_a_peer_that_cannot_be_installed_says_why_in_a_line(away: Path) -> None:
    (away / "nowhere.lock").write_text(f"nowhere-to-be-had==1.0 --hash=sha256:{HASH}\n")
    with pytest.raises(peers.PeerMissing, match="nowhere was not installed: ERROR: ") as told:
        peers.python_of("nowhere")
    assert "\n" not in str(told.value)
    assert not (away / "made" / "nowhere" / peers.MADE).exists()  # it is tried again next time


def test_a_peer_is_made_once_and_anew_when_its_lock_changes(
    away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, ...]] = []

    def step(peer: str, *command: str) -> None:
        steps.append(command)
        python = away / "made" / peer / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(peers, "_step", step)
    lock = away / "near.lock"
    lock.write_text(f"near==1.0 --hash=sha256:{HASH}\n")
    python = peers.python_of("near")
    assert python == away / "made" / "near" / "bin" / "python"
    assert [command[2] for command in steps] == ["venv", "pip"]
    assert "--require-hashes" in steps[1]
    assert str(lock) in steps[1]
    peers.python_of("near")
    assert len(steps) == 2
    left = python.parent / "left-from-the-last-lock"
    left.touch()
    lock.write_text(f"near==1.1 --hash=sha256:{HASH}\n")
    peers.python_of("near")
    assert len(steps) == 4
    assert not left.exists()
    made = (away / "made" / "near" / peers.MADE).read_text()
    assert made == hashlib.sha256(lock.read_bytes()).hexdigest()
