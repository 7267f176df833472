"""One program: `make bench` runs every part and writes docs/benchmarks.md.

Each part is a module of this package with `run(quick) -> list of rows`; a row has `what`,
`ours`, `peer`, `unit`, `goal`, `cpu_s` and `wall_s`. A figure that could not be measured is
left out with the reason, never filled in.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cordon

ROOT = Path(__file__).parents[1]
PARTS = (
    "ledger",
    "gate",
    "picture",
    "tracker",
    "live",
    "window",
    "lookout",
    "calls",
    "rings",
    "growth",
    "quality",
    "money",
    "tak",
    "effect",
    "ranking",
    "dispatch",
    "triage",
    "field",
    "spark",
    "pages",
    "taxii",
    "nodes",
    "released",
    "deconflict",
    "match",
)
COLUMNS = ("what", "ours", "peer", "unit", "goal", "cpu_s", "wall_s")
TITLES = ("What", "Cordon", "Peer in the same run", "Unit", "Goal", "CPU s", "Wall s")


def machine() -> str:
    """Processor, cores, memory, system and Python of this machine, in a line."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    lines = ["| " + " | ".join(TITLES) + " |", "|" + " --- |" * len(TITLES)]
    lines += ["| " + " | ".join(_cell(row.get(c)) for c in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    asked = parser.parse_args()
    asked_for = "" if tuple(asked.parts) == PARTS else f" {' '.join(asked.parts)}"
    command = f"python -m bench{asked_for}" if asked_for else "make bench"
    sections = _sections(asked.out)
    failed: list[str] = []
    for name in asked.parts:
        print(f"{name} …", flush=True)
        module = importlib.import_module(f"bench.{name}")
        try:
            rows = module.run(quick=asked.quick)
        except Exception:  # what the other parts measured must not be lost with it
            failed.append(name)
            traceback.print_exc()
            continue
        sections[name] = section(module.__doc__ or name, command, table(rows))
        print(table(rows), flush=True)
        if not asked.quick:
            _write(asked.out, sections)
    if asked.quick:
        print("A quick run writes nothing: its sizes are too small to quote.")
    else:
        print(f"Written to {asked.out}.")
    _end(failed)


def section(doc: str, command: str, rows: str) -> str:
    """What the page says of a part: its module's first line, the machine and day, its table."""
    where = (
        f"{machine()}, {datetime.now(UTC):%Y-%m-%d}, Cordon {cordon.__version__}, by `{command}`."
    )
    return f"{doc.strip().splitlines()[0]}\n\n{where}\n\n{rows}\n"


def publish(name: str, said: str, path: Path = ROOT / "docs" / "benchmarks.md") -> None:
    """Write what was measured beside `make bench`, in place of what stood there under its name."""
    _write(path, _sections(path) | {name: said})


def _sections(path: Path) -> dict[str, str]:
    """What the page says of each part; a part that is measured anew takes its place."""
    if not path.exists():
        return {}
    parts = path.read_text().split("\n## ")[1:]
    return {p.partition("\n")[0].lower(): p.partition("\n")[2].strip() + "\n" for p in parts}


def _write(path: Path, sections: dict[str, str]) -> None:
    order = [*PARTS, *sorted(set(sections) - set(PARTS))]  # soaks have targets of their own
    told = [f"## {n.capitalize()}\n\n{sections[n]}" for n in order if n in sections]
    path.write_text(
        "# Benchmarks\n\n"
        "Each figure and its peer were measured in one run, interleaved, on the machine, the day "
        "and by the command that stand under each heading.\n\n" + "\n".join(told)
    )


def _end(failed: list[str]) -> None:
    if failed:
        raise SystemExit(f"Not measured: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
