"""Crews on a whole node: the page, the API and the commands, and what both stores keep of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cordon.bootstrap import open_node
from cordon.exercise.crews.commands import app
from cordon.kernel.access.model import Role
from cordon.kernel.clock import SetClock, SystemClock
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.operations import TaskingState
from cordon.settings import Settings
from support.crewed import actor, plain, stage

SEA = (24.8, 63.45)


def test_what_crews_did_is_kept_on_each_kind_of_store(kernel: Any, tmp_path: Path) -> None:
    director, watch = actor(Role.EXERCISE_DIRECTOR, kernel), actor(Role.WATCH_OFFICER, kernel)
    made = stage(kernel, tmp_path, plain())
    boat = made.unit("PB-07", *SEA)
    made.crews.start(director, ["PB-07"])
    order = made.room.send(watch, made.alert(24.8, 63.5), boat.id, "Go and look at it.").id
    made.play(0.5, step=timedelta(minutes=5))
    assert made.room.tasking(watch, order).state is TaskingState.DONE
    (answer,) = made.crews.plays(director)[0].answers
    assert (answer.made_by, answer.over) == ("PB-07", True)
    assert answer.made_s == pytest.approx(answer.best_s or 0, abs=0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's folder with two boats, one of them without a position."""
    path = tmp_path_factory.mktemp("node")
    node = open_node(Settings(agency="pk-test", data=path, log_level="warning"))
    try:
        for code, more in (("PB-07", {"position": _sea()}), ("PB-08", {})):
            node.operations.add_unit(
                node.console_actor(None), code=code, name=f"Boat {code}", kind="boat",
                sector="Pasni", speed_kn=20, contact="VHF 16", **more,
            )  # fmt: skip
    finally:
        node.close()
    return path


def _sea() -> Any:
    from cordon.operations import Position

    return Position(*SEA)


def test_commands_play_stop_go_on_and_score(folder: Path) -> None:
    node = open_node(Settings(agency="pk-test", data=folder, log_level="warning"))

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, words, obj=Console(lambda: node))

    try:
        assert isinstance(run("score").exception, NotFound)
        assert isinstance(run("play", "PB-08").exception, BadInput)  # where it is nobody knows
        begun = run("play", "PB-07", "--seed", "3", "--rule", "first", "--json")
        assert json.loads(begun.stdout)["play"]
        assert isinstance(run("play", "PB-07").exception, Conflict)
        assert run("stop").exit_code == 0
        assert json.loads(run("score", "--json").stdout)["state"] == "stopped"
        assert run("go-on").exit_code == 0
        told = json.loads(run("score", "--json").stdout)
        assert (told["seed"], told["rule"], told["state"]) == (3, "first", "playing")
        assert (told["units"], told["answers"]) == (["PB-07"], [])
        assert told["score"]["answered"] == 0
        assert run("score").exit_code == 0
        assert run("play", "PB-07", "--rule", "chance").exit_code == 2
        assert isinstance(run("score", "none").exception, NotFound)
    finally:
        node.close()


def test_a_node_plays_at_the_exercise_s_clock_and_goes_on_after_a_new_start(folder: Path) -> None:
    """What another process began is played by the node that is served, at its own clock."""
    from cordon.exercise.crews import desk

    node = open_node(
        Settings(agency="pk-test", data=folder, log_level="warning"),
        SetClock(SystemClock().now(), 60.0),
    )
    ticked: list[int] = []
    tick = node.crews.tick

    def counted() -> int:
        ticked.append(tick())
        return ticked[-1]

    node.crews.tick = counted  # type: ignore[method-assign]
    try:
        node.crews.run()
        end = SystemClock().now() + timedelta(seconds=10)
        while len(ticked) < 3 and SystemClock().now() < end:
            node.crews._ends.wait(0.05)
        assert ticked[:3] == [1, 1, 1]
        assert desk.EVERY_S * 60 < 60  # s of the exercise: what is late by less is told as said
    finally:
        node.crews.end()
        node.close()


def test_the_page_begins_stops_and_tells_what_is_wrong(tmp_path: Path) -> None:
    import re

    from fastapi.testclient import TestClient

    from cordon.web.app import create_app

    node = open_node(Settings(agency="pk-test", data=tmp_path, log_level="warning"))
    console, word = node.console_actor(None), "monsoon lantern quarry"
    try:
        node.units.add(console, "support", "Support")
        for login, role in (("director", Role.EXERCISE_DIRECTOR), ("watch", Role.WATCH_OFFICER)):
            node.officers.add(console, login=login, name=login, roles=[role], unit="support",
                              password=word, must_change=False)  # fmt: skip
        node.operations.add_unit(console, code="PB-07", name="Boat <7>", kind="boat",
                                 sector="Pasni", speed_kn=20, contact="VHF 16",
                                 position=_sea())  # fmt: skip
        http = TestClient(create_app(node), follow_redirects=False)

        def sign_in(login: str) -> None:
            http.cookies.clear()
            http.post("/sign-in", data={"login": login, "password": word})
            found = re.search(r'name="csrf" content="([^"]+)"', http.get("/account").text)
            assert found is not None
            http.headers["X-CSRF-Token"] = found[1]

        sign_in("watch")
        assert http.get("/exercise/crews").status_code == 403
        assert http.post("/exercise/crews", data={"units": "PB-07"}).status_code == 403
        sign_in("director")
        assert "Boat &lt;7&gt;" in http.get("/exercise/crews").text
        bad = http.post("/exercise/crews", data={"units": "PB-07", "seed": "x1", "rule": "first"})
        assert bad.status_code == BadInput.status
        assert "That is no seed." in bad.text
        assert 'value="x1"' in bad.text
        assert re.search(r'value="PB-07" checked', bad.text)
        good = {"units": "PB-07", "seed": "4", "rule": "people"}
        assert http.post("/exercise/crews", data=good).status_code == 303
        assert http.post("/exercise/crews", data=good).status_code == 409
        (play,) = http.get("/api/exercise/crews").json()["plays"]
        assert (play["seed"], play["rule"], play["units"]) == (4, "people", ["PB-07"])
        for act, state in (("stop", "stopped"), ("go-on", "playing")):
            assert http.post(f"/exercise/crews/{play['id']}/{act}").status_code == 303
            assert http.get("/api/exercise/crews").json()["plays"][0]["state"] == state
        assert http.post("/exercise/crews/none/stop").status_code == 404
    finally:
        node.close()
