"""`python -m cordon.reference`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cordon import reference

FOLDER = Path("docs/reference")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with --check say which are not what the code says."""
    parser = argparse.ArgumentParser(description=(reference.__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages stand")
    given = parser.parse_args(arguments)
    stale = []
    for name, text in reference.pages().items():
        path = given.folder / name
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not given.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if given.check and stale:
        sys.stderr.write(f"Stale: {', '.join(stale)}. Run `python -m cordon.reference`.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
