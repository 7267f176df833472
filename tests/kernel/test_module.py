"""`python -m cordon` is the command."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cordon", "--help"], capture_output=True, text=True, check=True
    )
    assert "cordon" in done.stdout.lower()
    assert "calls" in done.stdout
