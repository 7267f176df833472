"""The pages in a real browser: fixtures for every test that looks at them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def missing(what: str) -> None:
    """Leave a test out, saying why; where CI=true leaving out is failing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and under CI=true nothing is left out")
    pytest.skip(what)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium from the PATH, with a new empty profile."""
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        missing("no Chromium on the PATH: the pages were not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Any) -> Iterator[Any]:
    """A page of its own; the test fails if one of its scripts fails, or the policy stops one."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=False)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on(
        "console",
        lambda said: (
            wrong.append(f"console: {said.text}")
            if said.type == "error" and "Content Security Policy" in said.text
            else None
        ),
    )
    # a map is drawn by the processor here, and a machine with other work draws it late
    page.set_default_timeout(60_000)
    yield page
    context.close()
    assert not wrong, wrong


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """`axe(page)` fails where axe-core finds a breach of WCAG 2.2 A or AA."""
    source = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        missing("axe-core is not there: run `python hatch_build.py`")
    script = source.read_text("utf-8")

    def check(page: Any, *, leave_out: tuple[str, ...] = ()) -> None:
        # by the debugger's protocol, so that the page's own policy stays in force
        page.evaluate(script)
        found = page.evaluate(
            """([tags, out]) => axe.run({exclude: out.map((s) => [s])},
                 {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})
               .then((r) => r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 4).map(
                 (n) => n.target.join(" ") + " — " + (n.any[0]?.message ?? n.failureSummary))
                 .join(" | ")))""",
            [WCAG, list(leave_out)],
        )
        assert not found, f"{page.url}\n" + "\n".join(found)

    return check


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """`until(page, js)` waits for an expression to be true.

    Playwright's own wait_for_function evaluates a string in the page, which the policy forbids.
    """

    def wait(page: Any, expression: str, seconds: float = 60.0) -> Any:
        end = time.monotonic() + seconds
        while not (value := page.evaluate(expression)):
            assert time.monotonic() < end, f"not within {seconds} s: {expression}"
            page.wait_for_timeout(40)
        return value

    return wait


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`with serve(app) as address:` runs an ASGI app on loopback, on a port of its own."""

    @contextmanager
    def running(app: Any) -> Iterator[str]:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", ws="websockets-sansio", lifespan="on")
        )
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, daemon=True, name="node"
        )
        thread.start()
        end = time.monotonic() + 15
        while not server.started:
            assert time.monotonic() < end, "the node did not start"
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            listening.close()

    return running


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of the pages are kept for a person to look through (git-ignored)."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@dataclass(frozen=True)
class Standing:
    """A node that runs in the test process, with the demonstration's officers."""

    node: Any
    address: str
    passwords: dict[str, str]
    actor: Any

    @property
    def cookie_name(self) -> str:
        """Of the session's cookie; each agency's node has its own."""
        return f"cordon-{self.node.settings.agency}"

    def cookie(self, login: str) -> str:
        """The value of a new session's cookie, by the node's own sign-in form."""
        with httpx.Client(base_url=self.address) as http:
            answer = http.post(
                "/sign-in", data={"login": login, "password": self.passwords[login], "next": "/"}
            )
            assert answer.status_code == 303, answer.text
            return answer.cookies[self.cookie_name]

    def signed_in(self, chromium: Any, login: str, **wanted: Any) -> Any:
        """A browser context in which an officer is signed in."""
        context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | wanted))
        context.set_default_timeout(60_000)
        context.add_cookies(
            [{"name": self.cookie_name, "value": self.cookie(login), "url": self.address}]
        )
        return context


@pytest.fixture(scope="session")
def stand(serve: Any) -> Callable[..., Any]:
    """`with stand(folder) as standing:` a whole node on loopback, whose clock runs faster."""
    from cordon.bootstrap import open_node
    from cordon.commands.demo import people
    from cordon.kernel import logs
    from cordon.kernel.clock import SetClock, SystemClock
    from cordon.settings import load
    from cordon.web.app import create_app

    @contextmanager
    def standing(folder: Path, rate: float = 60.0, **more: Any) -> Iterator[Standing]:
        settings = load(
            agency="pk-test",
            agency_name="Coast Guard (test)",
            data=folder,
            session_idle_minutes=1440,
            session_hours=72,
            log_level="warning",
            **more,
        )
        logs.set_up(settings.log_level, settings.log_format)
        node = open_node(settings, SetClock(SystemClock().now(), rate))
        try:
            actor = node.console_actor(None)
            made = {player.login: password for player, password in people(node, actor, folder)}
            with serve(create_app(node)) as address:
                yield Standing(node, address, made, actor)
        finally:
            node.close()

    return standing


class Site:
    """A node in the test process without a browser, and clients signed in to it.

    Attributes:
        node: with its jobs not running; `run` runs one. console: who commands act as.
    """

    PASSWORD = "monsoon lantern quarry"

    def __init__(self, node: Any) -> None:
        from cordon.web.app import create_app

        self.node = node
        self.app = create_app(node)
        self.console = node.console_actor(None)
        self.node.units.add(self.console, "desk-1", "Desk 1")

    def officer(self, login: str, role: str, cleared: str = "TLP:AMBER+STRICT") -> Any:
        from cordon.kernel.access.model import Mark, Role

        return self.node.officers.add(
            self.console,
            login=login,
            name=f"Officer {login}",
            roles=[Role(role)],
            unit="desk-1",
            cleared=Mark(cleared),
            password=self.PASSWORD,
            must_change=False,
        )

    def client(self, login: str | None = None, password: str = PASSWORD, **headers: str) -> Any:
        """A client; signed in where a login is given, with its forms' token in the header."""
        from fastapi.testclient import TestClient

        http = TestClient(self.app, follow_redirects=False, headers=headers)
        if login is not None:
            answer = http.post("/sign-in", data={"login": login, "password": password})
            assert answer.status_code == 303, answer.text
            page = http.get("/account").text
            http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        return http

    def actor(self, login: str) -> Any:
        """The officer of a login as one who acts, without a session."""
        return self.node.officers.by_login(self.console, login).actor()

    def entries(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """The ledger, oldest first: act, outcome, thing, detail of each entry."""
        found = self.node.kernel.ledger.entries(limit=1000)
        return [(e.act, e.outcome, e.thing, e.detail) for e in reversed(found)]


@contextmanager
def a_site(folder: Path, url: str, clock: Any) -> Iterator[Site]:
    """A node's whole application in a folder, with a database that has its tables."""
    from cordon.bootstrap import open_node
    from cordon.settings import Settings

    settings = Settings(
        agency="pk-test", data=folder, database_url=url, sign_in_rate=10_000, log_level="warning"
    )
    node = open_node(settings, clock)
    yield Site(node)
    node.close()


@pytest.fixture
def site(tmp_path: Path, rows_url: str, clock: Any) -> Iterator[Site]:
    """A node's whole application, once on each kind of database; its clock stands still."""
    with a_site(tmp_path / "node", rows_url, clock) as made:
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """As `site`, for all tests of a file that only look: setting one up takes a second or two."""
    from cordon.kernel.clock import SetClock

    clock = SetClock(datetime(2026, 3, 6, 12, 0, tzinfo=UTC))
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copyfile(request.getfixturevalue("migrated_sqlite"), folder / "node.db")
            url = f"sqlite:///{folder / 'node.db'}"
        else:
            copy = request.getfixturevalue("copy_of_postgres")
            url = stack.enter_context(copy())
        yield stack.enter_context(a_site(folder / "node", url, clock))
