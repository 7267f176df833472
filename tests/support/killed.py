"""What a process of its own does until it is killed; such a process finds it by this name."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from cordon.kernel.store import Files
from cordon.kernel.store.files import CHUNK


def killed_midway(root: Path) -> None:
    """Die by SIGKILL while a file is being put."""

    def chunks():
        yield b"x" * (2 * CHUNK)
        os.kill(os.getpid(), signal.SIGKILL)

    Files(root).put(chunks())
