"""Peers whose pins do not go with ours: each in a virtual environment of its own.

`bench/peers/NAME.in` names the peer, `bench/peers/NAME.lock` all that it needs with hashes
(`make lock` resolves it anew). The environment is made under `.venv/peers/NAME` when a benchmark
first asks for it, and made anew when its lock has changed; nothing of it reaches our own.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from bench.measuring import ROOT

LOCKS = ROOT / "bench" / "peers"
FOLDER = ROOT / ".venv" / "peers"
MADE = "made-from.sha256"  # in the environment: the hash of the lock that all of it came from
LONGEST = 900.0  # seconds that one step of an installation may take


class PeerMissing(Exception):
    """A peer that cannot be had here; its text is the reason, in one line, for a row."""


def python_of(peer: str) -> Path:
    """The interpreter of a peer's own environment, which is made first where it is missing.

    Raises PeerMissing, with the reason, where the peer has no lock or cannot be installed.
    """
    lock, folder = LOCKS / f"{peer}.lock", FOLDER / peer
    if not lock.is_file():
        raise PeerMissing(f"there is no lock for {peer}")
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    python, made = folder / "bin" / "python", folder / MADE
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{peer}.busy").open("w") as busy:  # two runs must not make it at once
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not (made.is_file() and made.read_text() == wanted and python.is_file()):
            shutil.rmtree(folder, ignore_errors=True)
            _step(peer, sys.executable, "-m", "venv", "--without-pip", str(folder))
            _step(peer, sys.executable, "-m", "pip", "--python", str(python), "install", "-q",
                  "--disable-pip-version-check", "--no-deps", "--require-hashes",
                  "-r", str(lock))  # fmt: skip
            made.write_text(wanted)
    return python


def _step(peer: str, *command: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"{peer} was not installed: {type(error).__name__}") from error
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if "ERROR" in line]
        reason = " ".join(said[-1:])[:200] or f"exit code {done.returncode}"
        raise PeerMissing(f"{peer} was not installed: {reason}")
