"""The policies of the whole node, walked: no door without an act, no act without a policy."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from cordon import policies, reference
from cordon.bootstrap import open_node
from cordon.cli import COMMANDS
from cordon.kernel.access import walk
from cordon.kernel.access.gate import Gate
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.access.officers import ALONE, OF_PERSONS
from cordon.settings import Settings
from cordon.web.app import create_app

SOURCE = Path(__file__).parents[2] / "src" / "cordon"
TABLE = Path(__file__).with_name("policy_table.txt")
ACTS = policies.acts()
TEXTS = policies.texts()

PUBLIC = {
    "/health/live",
    "/health/ready",
    "/sign-in",
    "/sign-in/code",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
    "/field/worker.js",
}
"""Routes that are open to all: to sign in, to be asked whether the node is up, and a script that
browsers fetch without the session's cookie and that names static files alone."""

WITHOUT_GATE = {
    ("picture/commands.py", "detect"): "files in, findings out",
    ("picture/cover_commands.py", "cover"): "files in, cover out",
    ("picture/fuse_commands.py", "fuse"): "files in, tracks out",
    ("picture/watch_commands.py", "relay"): "feeds in, messages out",
    ("calls/commands.py", "layouts_"): "lists data that comes with the program",
    ("calls/commands.py", "list_layouts"): "lists data that comes with the program",
    ("calls/commands.py", "show_layout"): "shows data that comes with the program",
    ("calls/commands.py", "learn_layout"): "reads one file and writes another",
    ("money/commands.py", "find"): "files in, findings out",
    ("money/commands.py", "trace"): "files in, a trace out",
    ("money/layouts/commands.py", "list_layouts"): "lists data that comes with the program",
    ("money/layouts/commands.py", "show_layout"): "shows data that comes with the program",
    ("money/layouts/commands.py", "learn_layout"): "reads one file and writes another",
    ("money/reporting/commands.py", "report"): "files in, a report out",
    ("exercise/commands.py", "list_worlds"): "no node",
    ("exercise/commands.py", "generate"): "writes files",
    ("exercise/commands.py", "score"): "reads two files",
    ("cases/commands.py", "verify"): "reads a bundle's folder",
    ("commands/settings.py", "settings"): "reads the settings of whoever types it",
    ("commands/serving.py", "serve"): "starts the node; its routes pass the gate",
    ("commands/demo.py", "demo"): "makes a node of its own with made-up officers",
}
"""Commands that touch no node's data, and why."""

PERSONAL = ("calls.", "cases.", "findings.", "operations.", "picture.")
SEES = (".view", ".verify", ".export", ".find")
"""How acts that change nothing end."""
ON_THE_ROOM = ("web.", "node.")
"""Acts that are only ever asked of the node as a whole, which has no mark above TLP:GREEN."""


@pytest.fixture(scope="module")
def gate() -> Gate:
    return policies.gate()


@pytest.fixture(scope="module")
def cells(gate: Gate) -> list[walk.Cell]:
    return list(walk.walk(gate, Role, ACTS, Mark))


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[reference.Route]:
    node = open_node(Settings(data=tmp_path_factory.mktemp("node")))
    try:
        return reference.routes(create_app(node))
    finally:
        node.close()


def test_every_route_passes_the_gate_or_is_named_as_open(routes: list[reference.Route]) -> None:
    assert len(routes) > 80
    assert {r.path for r in routes if r.act is None} == PUBLIC


def test_every_route_names_an_act_that_there_is(routes: list[reference.Route]) -> None:
    known = {act.name for act in ACTS}
    assert {r.act for r in routes if r.act is not None} <= known


def test_no_route_that_changes_something_passes_with_an_act_of_seeing(
    routes: list[reference.Route],
) -> None:
    """A POST behind a mere `view` would let whoever reads also write."""
    behind = {
        r.path: r.act
        for r in routes
        if "POST" in r.methods and r.act is not None and r.act.endswith(".view")
    }
    # leaving is everyone's; verifying and exporting read, and are acts of their own further in
    # a number or account is asked for in a body, because an address stands in logs and histories
    allowed = {
        "/sign-out",
        "/ledger/verify",
        "/ledger/export",
        "/api/ledger/verify",
        "/calls/numbers",
        "/money/accounts",
    }
    assert set(behind) <= allowed, behind


def commands() -> list[tuple[str, ast.FunctionDef]]:
    """Each function that is a command, with the file that it stands in."""
    single = {
        (m.removeprefix("cordon.").replace(".", "/") + ".py", f)
        for m, _, f in (where.partition(":") for where in COMMANDS.values())
    }
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        text = path.read_text("utf-8")
        if ".command(" not in text and name not in {file for file, _ in single}:
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and (
                (name, node.name) in single
                or any(".command(" in ast.unparse(d) for d in node.decorator_list)
            ):
                found.append((name, node))
    return found


@pytest.mark.parametrize(("file", "function"), commands(), ids=lambda v: getattr(v, "name", v))
def test_every_command_passes_the_gate_or_touches_no_node(
    file: str, function: ast.FunctionDef
) -> None:
    text = ast.unparse(function)
    asks = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "passes"
    ]
    if (file, function.name) in WITHOUT_GATE:
        assert "c.node" not in text
        return
    assert asks, f"{file}: {function.name} asks no gate"
    known = {act.name for act in ACTS}
    for ask in asks:
        act = ast.literal_eval(ask.args[0])
        assert act in known, f"{file}: {function.name} passes with the unknown act {act}"
    # what stands before the first question must not have reached the node already
    first = min(ask.lineno for ask in asks)
    reached = [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("c.node")
    ]
    assert all(line >= first for line in reached), f"{file}: {function.name} asks too late"


def test_the_commands_found_are_all_there_are() -> None:
    assert len(commands()) == len(reference.commands())
    assert set(WITHOUT_GATE) <= {(file, function.name) for file, function in commands()}


def test_every_act_is_somebodys(gate: Gate, cells: list[walk.Cell]) -> None:
    assert walk.nobody_may(gate, cells, ACTS) == []
    assert len({act.name for act in ACTS}) == len(ACTS), "two parts declare one act"


@pytest.mark.parametrize("part", policies.PARTS)
def test_an_act_without_a_policy_is_noticed(part: str) -> None:
    """The walk can fail: without a part's own file, acts of it are nobody's."""
    less = Gate({name: text for name, text in TEXTS.items() if name != part}, ACTS)
    its = policies.acts((part,))
    assert walk.nobody_may(less, walk.walk(less, Role, its, Mark), its)


def test_policies_name_only_what_there_is_and_explain_themselves() -> None:
    assert walk.strangers(TEXTS, ACTS) == []
    assert walk.unexplained(TEXTS) == []


def test_the_table_is_the_one_that_was_read(cells: list[walk.Cell]) -> None:
    now = walk.table(cells)
    if os.environ.get("TEST_WRITE_TABLES"):
        TABLE.write_text(now, "utf-8")
    assert now == TABLE.read_text("utf-8"), (
        "who may do what has changed; read the difference, and where it is meant run "
        "`TEST_WRITE_TABLES=1 pytest tests/house/test_policy_walk.py`"
    )


def test_administrators_never_see_personal_data_cases_or_findings(
    gate: Gate, cells: list[walk.Cell]
) -> None:
    seen = {
        c.act
        for c in cells
        if c.role is Role.ADMINISTRATOR and (c.unnamed or c.named) and c.act.startswith(PERSONAL)
    }
    assert seen == set()
    # nor with every other role beside their own, should a database ever give them one
    both = Actor("officer-all", "", walk.AGENCY, "u", frozenset(Role), Mark.RED)
    for act in ACTS:
        seeing = act.name.startswith(("calls.", "findings.")) and act.name.endswith(".view")
        if seeing or act.name.startswith("cases."):
            thing = walk.thing(walk.thing_of(act.name), Mark.GREEN, named=both.id)
            assert not gate.decide(both, act.name, thing).allowed, act.name


def test_overseers_change_nothing(gate: Gate, cells: list[walk.Cell]) -> None:
    may = {c.act for c in cells if c.role is Role.OVERSEER and (c.unnamed or c.named)}
    own = {"access.self.change", "access.session.open", "access.session.revoke"}
    assert {act for act in may - own if not act.endswith(SEES)} == set()
    assert {"ledger.entry.view", "oversight.report.view"} <= may
    # ending a session is theirs for their own alone
    other = walk.thing("session", Mark.GREEN)
    assert not gate.decide(walk.actor(Role.OVERSEER), "access.session.revoke", other).allowed


def test_who_oversees_or_gives_powers_has_no_other_role() -> None:
    assert {Role.OVERSEER, Role.ADMINISTRATOR} == ALONE
    assert not {Role.SERVICE, Role.CONSOLE} & OF_PERSONS


def test_nobody_reaches_into_another_agency(gate: Gate) -> None:
    for role in Role:
        stranger = walk.actor(role, agency="yy-other")
        for act in ACTS:
            for type_ in {"room", walk.thing_of(act.name)}:
                for mark in (Mark.CLEAR, Mark.GREEN, Mark.RED):
                    thing = walk.thing(type_, mark, named=stranger.id)
                    assert not gate.decide(stranger, act.name, thing).allowed, (role, act.name)


def test_red_is_for_the_named_alone(cells: list[walk.Cell]) -> None:
    """TLP 2.0: RED is for the recipients' eyes only. That it exists is overseen all the same."""
    rooms = ("cases.", "findings.", "operations.alert.", "operations.tasking.")
    wide = {
        (c.role, c.act)
        for c in cells
        if c.on != "room" and c.mark is Mark.RED and c.unnamed and c.act.startswith(rooms)
    }
    assert wide == set()


def test_nobody_handles_a_mark_above_their_clearance(gate: Gate, cells: list[walk.Cell]) -> None:
    overseen = {
        c.act
        for c in cells
        if c.role is Role.OVERSEER and c.unnamed and not c.act.startswith(PERSONAL)
    }
    for role in Role:
        for cleared in (Mark.CLEAR, Mark.GREEN, Mark.AMBER):
            officer = walk.actor(role, cleared=cleared)
            for act in ACTS:
                if act.name.startswith(ON_THE_ROOM):
                    continue
                for mark in Mark:
                    if mark.rank <= cleared.rank:
                        continue
                    thing = walk.thing(walk.thing_of(act.name), mark)
                    if gate.decide(officer, act.name, thing).allowed:
                        assert role is Role.OVERSEER, (role, act.name, cleared, mark)
                        assert act.name in overseen, (act.name, cleared, mark)
