"""The whole way of one fact, as officers walk it: from the sea to the sealed case."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PAINTED_WITHIN_MS = 1_500  # from the frame's arrival to its drawing
FIRST_FRAME_WITHIN_S = 15
ORDER = "Go there, hail it by radio, and report what you see."
TITLE = "Entry into a closed zone by night"


@pytest.fixture
def node(stand, tmp_path):
    with stand(tmp_path / "node") as standing:
        yield standing


def sign_in(page: Any, node: Any, login: str) -> None:
    """By the form, as an officer does."""
    page.goto(node.address + "/")
    assert "/sign-in" in page.url
    page.fill("[name=login]", login)
    page.fill("[name=password]", node.passwords[login])
    page.click("main form button.first")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def sign_out(page: Any) -> None:
    page.click("details.menu > summary")
    page.click("form[action='/sign-out'] button")
    page.wait_for_url("**/sign-in")


def press(page: Any, key: str) -> None:
    """A key, once the page's scripts listen: they run after what is read first has been drawn."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def read_under(page: Any, node: Any) -> None:
    """Choose the exercise's authority, and see it in the bar."""
    page.goto(node.address + "/authorities")
    page.click("form[action$='/choose'] button.first")
    page.wait_for_selector(".chip.authority.given")
    assert "EX-1 (exercise)" in page.inner_text(".chip.authority.given")


def play_beside(node: Any) -> threading.Thread:
    """The demonstration's own playing, of a small world, beside the browser."""
    from cordon.commands.demo import play
    from cordon.exercise import Plan

    plan = Plan(seed=7, days=0.5, scale=0.3, lead=timedelta(minutes=20))
    player = threading.Thread(
        target=play, args=(node.node, node.actor, plan), name="demo", daemon=True
    )
    player.start()
    return player


def alert_of_the_live_part(page: Any, node: Any, began: Any) -> str:
    """Wait, pulling in what is new, until a zone entry of the live part stands in the queue."""
    from cordon.kernel.clock import parse_time

    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.wait_for_timeout(1_000)
        pull = page.query_selector(".queue [data-pull]")
        if pull is None or not pull.is_visible():
            continue
        assert "new" in pull.inner_text()
        page.keyboard.press("n")
        page.wait_for_timeout(500)
        rows = page.eval_on_selector_all(".queue [data-row]", "rows => rows.map(r => r.id)")
        for row in rows:
            told = page.request.get(f"{node.address}/api/operations/alerts/{row[6:]}").json()
            if told["kind"] == "picture.zone_entry" and parse_time(told["start"]) >= began:
                return str(row)
    raise AssertionError("no live alert rose within a minute")


def test_from_the_sea_to_the_ledger(node, chromium_page, until, tmp_path):
    page = chromium_page

    # the watch officer signs in, chooses an authority, and sees the coast
    sign_in(page, node, "watch")
    assert page.url.startswith(node.address + "/picture")
    rooms = page.eval_on_selector_all(".rail a", "links => links.map(a => a.textContent.trim())")
    assert rooms == ["Picture", "Alerts", "Taskings", "Cases"]
    read_under(page, node)
    page.goto(node.address + "/picture")
    began = node.node.kernel.clock.now()
    player = play_beside(node)

    # vessels move on it
    until(page, "document.querySelector('.map').dataset.state === 'live'", FIRST_FRAME_WITHIN_S)
    until(page, "Number(document.querySelector('.map').dataset.frames ?? 0) > 0", 15)
    first = tracks(page, node, at_least=5)
    until(
        page,
        "(() => { const d = document.querySelector('.map').dataset;"
        " const took = d.paintedAt - d.receivedAt;"
        f" return took >= 0 && took < {PAINTED_WITHIN_MS}; }})()",
    )
    assert "on the map" in page.inner_text(".map .says")

    # an alert rises beside the map, without a reload
    row = alert_of_the_live_part(page, node, began)
    later = tracks(page, node, at_least=5)
    moved = [s for s in first if s in later and first[s] != later[s]]
    assert len(moved) >= 3, "the vessels stand still"
    player.join(60)
    assert not player.is_alive()

    # they open it by keyboard, and read why
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        press(page, "j")
        if page.query_selector(f"#{row}[data-selected]"):
            break
    press(page, "Enter")
    page.wait_for_url(f"**/alerts/{row[6:]}")
    alert = page.url
    assert page.inner_text("h1") == "Entered a zone"
    assert "A lead for a person, not a verdict." in page.inner_text("main")
    reasons = page.eval_on_selector_all(".reason", "all => all.map(r => r.innerText)")
    assert any("It came into" in r or "already inside" in r for r in reasons)
    assert any("threshold" in r and any(c.isdigit() for c in r) for r in reasons)

    # the records behind it can be followed down to the sentence that came in
    page.click("text=/records? behind it/")
    page.click("a[href^='/records/']")
    assert "!AIVDM" in page.inner_text("main pre")

    # it stands on the map
    page.goto(alert)
    page.click("a[href*='/picture?finding=']")
    assert page.get_attribute(".map", "data-place")

    # they acknowledge it and send a unit
    page.goto(alert)
    press(page, "x")
    page.wait_for_selector(".chip:text-is('acknowledged')")
    press(page, "s")
    page.fill("textarea[name=order]", ORDER)
    assert page.url == alert, "the form comes in where the officer reads"
    page.click("#form button.first")
    page.wait_for_url("**/taskings/*")
    assert ORDER in page.inner_text("main")
    unit = page.inner_text("h1 .num")
    assert "sent" in page.inner_text(".head .chip")

    # they open a case from it
    page.goto(alert)
    assert unit in page.inner_text("section[aria-labelledby=taskings]")
    press(page, "c")
    page.wait_for_url("**/case")
    page.fill("[name=title]", TITLE)
    page.click("form[action$='/case'] button.first")
    page.wait_for_url("**/cases/*")
    case = page.url
    assert page.inner_text("h1") == TITLE
    assert "Entered a zone" in page.inner_text("section[aria-labelledby=findings]")
    # opening is theirs, sealing is another's: the page says whose
    assert page.query_selector("form[data-seal]") is None
    assert "a custodian seals it" in page.inner_text("section[aria-labelledby=bundles]")
    sign_out(page)

    # the investigator makes the finding an exhibit and seals the case
    sign_in(page, node, "investigator")
    read_under(page, node)
    page.goto(case)
    page.click("form[action$='/exhibits/finding'] button")
    page.wait_for_selector("section[aria-labelledby=exhibits] article")
    page.click("form[data-seal] button")
    page.wait_for_url("**/jobs/*")
    until(page, "document.querySelector('#job [data-state]').dataset.state === 'done'", 30)
    page.click("#job a[href^='/cases/']")
    page.wait_for_url("**/cases/*")
    root = page.inner_text("section[aria-labelledby=bundles] dd")
    with page.expect_download() as taken:
        page.click("section[aria-labelledby=bundles] a[download]")
    verified_offline(taken.value.path(), tmp_path / "out", root, node)
    sign_out(page)

    # the overseer sees each of these acts, who did it, and under what
    sign_in(page, node, "overseer")
    acts = (
        ("operations.alert.acknowledge", "W. Officer"),
        ("operations.tasking.send", "W. Officer"),
        ("operations.alert.open_case", "W. Officer"),
        ("cases.case.open", "W. Officer"),
        ("cases.exhibit.add", "I. Officer"),
        ("cases.bundle.seal", "I. Officer"),
        ("cases.bundle.take_out", "I. Officer"),
    )
    for act, who in acts:
        page.goto(f"{node.address}/ledger?act={act}")
        found = page.eval_on_selector_all("tr[data-row]", "rows => rows.map(r => r.innerText)")
        assert any(who in r and "EX-1 (exercise)" in r and "done" in r for r in found), (act, found)
    page.click("tr[data-row] a")
    page.wait_for_url("**/ledger/*")
    told = page.inner_text("main")
    assert "it stands in the ledger as it was written" in told
    assert "EX-1 (exercise)" in told
    page.goto(node.address + "/ledger")
    page.click("form[action='/ledger/verify'] button")
    page.wait_for_selector(".banner.calm")
    assert "It verifies" in page.inner_text(".banner.calm")
    page.goto(node.address + "/oversight")
    assert "EX-1 (exercise)" in page.inner_text("section[aria-labelledby=uses]")


def tracks(page: Any, node: Any, *, at_least: int) -> dict[str, tuple[float, float]]:
    """Latest places by subject, once so many are heard."""
    end = time.monotonic() + 30
    while True:
        told = page.request.get(node.address + "/api/picture/tracks").json()["tracks"]
        if len(told) >= at_least:
            return {t["subject"]: (t["lat"], t["lon"]) for t in told}
        assert time.monotonic() < end, "too few vessels are heard"
        page.wait_for_timeout(300)


def verified_offline(taken: Any, out: Any, root: str, node: Any) -> None:
    """The bundle that was taken out, checked with no node; and changed, it no longer passes."""
    from cordon.cases.bundle import verify

    with tarfile.open(fileobj=io.BytesIO(taken.read_bytes())) as tar:
        tar.extractall(out, filter="data")
    (folder,) = out.iterdir()
    key = node.node.kernel.ledger.verifier
    found = verify(folder, str(key))
    assert found.ok, found.problems
    assert found.root == root
    victim = max(
        (p for p in (folder / "data").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
    )
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(bytes(data))
    assert not verify(folder, str(key)).ok
