"""Everything that can be set, typed, asked for or added stands in the reference."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from cordon import reference
from cordon.kernel.cards import Card, load_card
from cordon.kernel.hooks import Hooks
from cordon.reference.__main__ import main
from cordon.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
CARDS = sorted(
    path
    for path in (ROOT / "src" / "cordon").rglob("*.yaml")
    if path.with_suffix(".py").is_file()
    and "detector" not in path.stem
    and "fooled_by" in path.read_text("utf-8")
)
PROTECTED = re.compile(
    r"ethni|race|racial|tribe|tribal|caste|clan|faith|relig|sect\b|sectarian|denominat|politic|party"
    r"|belief|opinion|union|orientation|gender|sex\b|health|genetic|biometr|skin|language|accent"
    r"|nationalit|surname|native"
)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_the_pages_are_what_the_code_says(pages: dict[str, str]) -> None:
    stale = [n for n, text in pages.items() if (FOLDER / n).read_text("utf-8") != text]
    assert not stale, "run `python -m cordon.reference` and read the difference"
    assert {p.name for p in FOLDER.glob("*.md")} == set(pages), "a page that nothing makes"


def test_check_fails_on_a_stale_page_and_writing_mends_it(tmp_path: Path, pages, capsys) -> None:
    for name, text in pages.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert main(["--check", "--folder", str(tmp_path)]) == 0
    (tmp_path / "routes.md").write_text("other", "utf-8")
    assert main(["--check", "--folder", str(tmp_path)]) == 1
    assert "routes.md" in capsys.readouterr().err
    assert main(["--folder", str(tmp_path)]) == 0
    assert (tmp_path / "routes.md").read_text("utf-8") == pages["routes.md"]


def test_every_setting_is_documented(pages: dict[str, str]) -> None:
    for name, spec in Settings.model_fields.items():
        assert spec.description, f"{name} has no help"
        row = next(line for line in pages["settings.md"].splitlines() if f"| `{name}` " in line)
        assert f"`CORDON_{name.upper()}`" in row
        assert spec.description in row


def test_every_command_is_documented(pages: dict[str, str]) -> None:
    known = reference.commands()
    assert len(known) > 20
    for command in known:
        assert command.says, f"cordon {command.name} has no help"
        assert f"## cordon {command.name}\n" in pages["commands.md"]
        for option in (*command.arguments, *command.options):
            assert option.says, f"cordon {command.name}: {option.name} has no help"


def test_the_commands_are_those_that_the_source_declares() -> None:
    """Counted another way: functions that a Typer decorates, and the cli's single functions."""
    from cordon.cli import COMMANDS

    decorated = 0
    for path in (ROOT / "src" / "cordon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                decorated += sum(
                    isinstance(d, ast.Call)
                    and isinstance(d.func, ast.Attribute)
                    and d.func.attr == "command"
                    and isinstance(d.func.value, ast.Name)
                    for d in node.decorator_list
                )
    single = sum(
        not where.endswith((":app", ":evidence", ":ledger", ":authorities", ":files"))
        and name not in ("officers", "units", "tokens")
        for name, where in COMMANDS.items()
    )
    assert len(reference.commands()) == decorated + single


def test_every_route_is_documented(pages: dict[str, str]) -> None:
    declared = 0
    for path in (ROOT / "src" / "cordon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in node.decorator_list:
                    if (
                        isinstance(mark, ast.Call)
                        and isinstance(mark.func, ast.Attribute)
                        and mark.func.attr in ("get", "post", "put", "delete", "websocket")
                    ):
                        # what brings files in is declared once, for calls and for money
                        declared += 2 if path.parent.name == "bringing" else 1
                        assert ast.get_docstring(node), f"{path.name}: {node.name} says nothing"
    rows = [line for line in pages["routes.md"].splitlines() if line.startswith("| ")][2:]
    assert len(rows) == declared > 80
    assert all(not row.endswith("|  |") for row in rows)


@pytest.mark.parametrize("path", CARDS, ids=lambda p: p.stem)
def test_every_detector_is_documented(path: Path, pages: dict[str, str]) -> None:
    card: Card = load_card(str(path))
    assert f"## {card.name}\n" in pages["detectors.md"], "it is not found by its hook"
    for name, parameter in card.parameters.items():
        assert f"| `{name}` |" in pages["detectors.md"]
        assert parameter.says
        assert parameter.source, f"{card.name}: where does the default of {name} come from?"
        low = float("-inf") if parameter.least is None else parameter.least
        high = float("inf") if parameter.most is None else parameter.most
        assert low <= parameter.default <= high
    assert card.fooled_by
    for line in card.fooled_by:
        assert f"- {line}" in pages["detectors.md"]


@pytest.mark.parametrize("path", CARDS, ids=lambda p: p.stem)
def test_no_detector_takes_a_protected_attribute(path: Path) -> None:
    card = load_card(str(path))
    assert card.takes
    for name in (*card.takes, *card.parameters):
        assert not PROTECTED.search(name.lower()), f"{card.name} takes {name}"


def test_nothing_that_detectors_read_is_named_after_a_protected_attribute() -> None:
    """Names and words of the two rooms: what a reader does not keep, no detector can see."""
    protected = re.compile(r"(^|_)(ethnic\w*|tribe|caste|faith|religion|sect|politic\w*)(_|$)")
    seen = 0
    for room in ("calls", "picture"):
        for path in (ROOT / "src" / "cordon" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                word = getattr(node, "id", getattr(node, "attr", getattr(node, "value", None)))
                if isinstance(word, str) and word.isidentifier():
                    seen += 1
                    assert not protected.search(word.lower()), f"{path.name}: {word}"
    assert seen > 1000


def test_detectors_are_all_looked_at() -> None:
    assert {p.stem for p in CARDS} >= {"fan", "gap", "impossible_move", "zone_entry"}
    for path in CARDS:
        assert path.with_suffix(".py").read_text("utf-8").count("load_card(__file__)") == 1


def test_every_extension_point_is_documented(pages: dict[str, str]) -> None:
    hooks = [n for n, f in vars(Hooks).items() if callable(f) and not n.startswith("_")]
    assert len(hooks) >= 3
    for name in hooks:
        assert f"| `{name}` |" in pages["extending.md"]
        assert reference.extension_points()[name], f"{name} says nothing"
