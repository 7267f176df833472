"""Rules that every file of the project keeps."""

from __future__ import annotations

import ast
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "cordon"
TEXT = (".py", ".md", ".toml", ".json", ".lock", ".yaml", ".js", ".css", ".html", ".cedar", "")
LONGEST = 500  # lines; past it, look for the second thing that a file does
ROOMS = ("picture", "calls", "cases", "operations", "exercise", "oversight", "sharing")


def ours(*suffixes: str) -> list[Path]:
    """Files of the project that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / n for n in listed if Path(n).suffix in suffixes and (ROOT / n).is_file()]


def test_no_file_of_code_is_past_its_length() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ours(".py", ".js", ".css", ".html", ".cedar")
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_no_path_of_one_machine_and_no_registry_stands_in_a_file() -> None:
    # put together here, so that this file does not hold what it looks for
    words = ["/" + w + "/" for w in ("root", "home/[a-z]+", "work/[a-z]+")]
    words += [r"registry\.npm", r"pypi\.o" + "rg", "files.pythonh" + "osted"]
    pattern = re.compile("|".join(words))
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ours(*TEXT)
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_a_test_imports_nothing_that_its_lock_does_not_bring() -> None:
    """What the benchmarks alone have is missing where only `make setup` has been."""
    locked = {
        canonicalize_name(name)
        for name in re.findall(r"^([A-Za-z0-9_.-]+)==", _lock(), re.MULTILINE)
    }
    brings = metadata.packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in ours(".py")
        if path.is_relative_to(ROOT / "tests")
        for module in _imported(path)
        if (names := {canonicalize_name(n) for n in brings.get(module, ())})
        and not names & (locked | {"cordon"})
    }
    assert not missing


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text("utf-8")


def _imported(path: Path) -> set[str]:
    """First names of the modules that a file imports, anywhere in it, and cannot do without."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.With) and "ImportError" in ast.unparse(node.items[0]):
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_locks_name_a_hash_for_everything_and_no_address() -> None:
    peers = sorted((ROOT / "bench" / "peers").glob("*.lock"))
    assert peers
    assert [p.stem for p in peers] == [p.stem for p in sorted(peers[0].parent.glob("*.in"))]
    for path in (ROOT / "requirements.lock", ROOT / "requirements-bench.lock", *peers):
        text = path.read_text("utf-8")
        assert "://" not in text
        assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE)
        pinned = re.findall(r"^[a-z0-9][^ \n]*==", text, re.MULTILINE | re.IGNORECASE)
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
        assert len(blocks) == len(pinned) > (1 if path in peers else 50)
        assert all("--hash=sha256:" in block for block in blocks)
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_through_its_face(room: str) -> None:
    """Outside the room, tables and composition aside, nobody reaches behind `cordon.<room>`."""
    top = {SOURCE / "bootstrap.py", SOURCE / "cli.py", SOURCE / "schema.py"}
    behind = []
    for path in SOURCE.rglob("*.py"):
        if SOURCE / room in path.parents or path in top:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            behind += [
                f"{path.relative_to(ROOT)}:{node.lineno} {n}"
                for n in names
                if n.startswith(f"cordon.{room}.")
            ]
    assert not behind


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_its_face_readme_policy_and_page(room: str) -> None:
    folder = SOURCE / room
    for name in (
        "__init__.py",
        "README.md",
        "model.py",
        "service.py",
        "acts.py",
        "policy.cedar",
        "routes.py",
        "commands.py",
    ):
        if room == "oversight" and name == "model.py":
            continue  # it speaks the words of the others
        assert (folder / name).is_file(), f"{room} has no {name}"
    assert (ROOT / "docs" / "rooms" / f"{room}.md").is_file()
