"""A world's folder is written whole: either all of its files are new, or none is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cordon.kernel.ids import new_id
from cordon.kernel.store.files import sync_folder


@contextmanager
def written_together(out: Path, *, last: str = "truth.jsonl") -> Iterator[Path]:
    """Give a folder to write into; its files move to `out` once the block is done.

    Until then `out` stays as it was, and an interruption leaves nothing. While the files move
    there is no `last` in it: a score of new inputs with the truth of old ones cannot be made.

    Args:
        out: made where absent; files in it are written over. last: name of the file that
            appears when all others are there.
    """
    fresh = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    # within it and not beside it: a rename must not cross from one file system to another
    partial = out / f".world.{new_id()[-12:]}.partial"
    try:
        partial.mkdir()
        yield partial
        made = sorted(partial.iterdir(), key=lambda p: (p.name == last, p.name))
        (out / last).unlink(missing_ok=True)
        for path in made:
            path.replace(out / path.name)
        sync_folder(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if fresh:
            with suppress(OSError):  # not empty: it was written
                out.rmdir()
