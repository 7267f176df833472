"""The field page on a phone of 360 px: open, without a node for a while, and back."""

from __future__ import annotations

import base64
import time
from datetime import timedelta
from typing import Any

import pytest

from cordon.kernel import geo, leads
from cordon.kernel.errors import Unavailable
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.operations import TaskingState

pytestmark = pytest.mark.browser

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
REPORT = "Searched it; two crew, papers in order."
TAGS = "navigator.serviceWorker.ready.then((worker) => worker.sync.getTags())"
WAITS = "document.getElementById('way').dataset.way"


def sent_to_boat(node: Any, actors: dict[str, Any]) -> str:
    """An alert, and the boat of the field officer sent to it; gives the tasking's id."""
    now = node.kernel.clock.now()
    finding = Finding.make(
        kind="picture.gap", subjects=["mmsi:463012345"], start=now - timedelta(hours=1), end=now,
        confidence=0.9, reasons=[Reason("silence", 46.0, "min", 30.0, "Silent for 46 min.")],
        records=[RecordRef("a" * 64, 1)], detector="picture.gap", version="1",
        place=geo.point(25.05, 63.45), radius_m=900.0,
    )  # fmt: skip
    with node.kernel.work(node.kernel.node) as work:
        leads.keep(work, [finding], node.cards)
    end = time.monotonic() + 20
    while True:
        with node.kernel.view(node.kernel.node) as view:
            if (alert := node.operations.alert_of(view, finding.id)) is not None:
                break
        assert time.monotonic() < end
        time.sleep(0.05)
    boat = actors["boat"]
    unit = next(u for u in node.operations.units(actors["watch"]) if u.code.lower() == boat.unit)
    return node.operations.send(actors["watch"], alert, unit.id, "Go and look at it.").id


@pytest.fixture(scope="module")
def standing(stand, tmp_path_factory):
    with stand(tmp_path_factory.mktemp("field"), 1.0) as made:
        yield made


@pytest.fixture(scope="module")
def actors(standing):
    by_login = standing.node.officers.by_login
    return {n: by_login(standing.actor, n).actor() for n in ("boat", "watch", "supervisor")}


@pytest.fixture
def phone(standing, chromium):
    """A phone that the field officer is signed in on; the test fails where a script of it does."""
    context = standing.signed_in(
        chromium, "boat", viewport={"width": 360, "height": 740},
        permissions=["geolocation", "background-sync"],
        geolocation={"latitude": 25.2, "longitude": 63.5, "accuracy": 12.0},
    )  # fmt: skip
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if "Policy" in said.text else None)
    page.goto(standing.address + "/field")
    yield page
    context.close()
    assert not wrong, wrong


def ready(page: Any, until: Any) -> None:
    until(page, "document.documentElement.dataset.offline === 'ready'")
    until(page, f"{WAITS} === 'near' && !!document.querySelector('#taskings > *')")


def step(page: Any, until: Any, to: str) -> None:
    page.click(f"[data-next={to}]")
    until(page, f"document.querySelector('article.tasking').dataset.state === '{to}'")


def test_offline_for_a_while_then_all_of_it_comes_once_and_in_order(
    standing, actors, phone, until, screenshots, axe
):
    node, room = standing.node, standing.node.operations
    ready(phone, until)
    end = time.monotonic() + 20
    while not node.live.count():
        assert time.monotonic() < end, "no socket was opened"
        phone.wait_for_timeout(20)
    tasking = sent_to_boat(node, actors)
    # told at once: by the clock the page would ask in a minute
    until(phone, "!!document.querySelector('[data-next=acknowledged]')", 10.0)
    axe(phone)
    phone.screenshot(path=screenshots / "field-page.png", full_page=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360

    phone.context.set_offline(True)
    until(phone, f"{WAITS} === 'away'")
    step(phone, until, "acknowledged")
    phone.reload()  # with no node: the shell and what was said are on the phone
    until(phone, "document.querySelector('article.tasking')?.dataset.state === 'acknowledged'")
    for to in ("moving", "on_scene"):
        step(phone, until, to)
    phone.click("text=Form")
    phone.screenshot(path=screenshots / "field-forms.png")
    phone.click("[data-form=nothing_found]")
    phone.click("dialog button.first")
    assert "is missing" in phone.inner_text("dialog [role=alert]")
    phone.fill("[name=searched_min]", "40")
    phone.select_option("[name=sight]", "poor")
    phone.check("[name=traces][value=no]")
    axe(phone)
    phone.screenshot(path=screenshots / "field-form.png")
    phone.click("dialog button.first")
    phone.click("article .row >> text=Photo")
    phone.set_input_files("#ask-photo", {"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    phone.click("dialog button.first")
    until(phone, "!document.querySelector('dialog')")
    phone.click("[data-next=done]")
    phone.fill("#ask-words", REPORT)
    phone.click("dialog button.first")
    until(phone, f"{WAITS} === 'away' && document.getElementById('way').textContent.includes('7')")
    phone.screenshot(path=screenshots / "field-offline.png", full_page=True)
    assert room.tasking(actors["watch"], tasking).state is TaskingState.SENT

    phone.context.set_offline(False)
    until(phone, f"{WAITS} === 'near' && !document.querySelector('article.tasking')")
    told = room.tasking(actors["watch"], tasking)
    assert [s.state.value for s in told.steps[2:]] == ["acknowledged", "moving", "on_scene", "done"]
    assert told.report == REPORT
    acts = node.field.acts(actors["watch"], tasking)
    assert [(a.number, a.kind) for a in acts] == [
        (1, "step"), (2, "step"), (3, "step"), (4, "form"), (5, "photo"), (6, "step"),
    ]  # fmt: skip
    assert {a.outcome for a in acts} == {"applied"}
    assert not any(a.clock_wrong or a.missing for a in acts)
    until(phone, "document.getElementById('way').textContent === 'connected'")
    (photo,) = node.field.photos(actors["watch"], tasking)
    assert photo.state == "kept"
    assert b"".join(node.kernel.files.read(photo.sha256)) == PNG


def test_called_off_meanwhile_session_gone_and_help(
    standing, actors, phone, until, screenshots, axe, chromium
):
    node, room = standing.node, standing.node.operations
    tasking = sent_to_boat(node, actors)
    ready(phone, until)
    phone.reload()
    until(phone, "!!document.querySelector('[data-next=acknowledged]')")
    phone.context.set_offline(True)
    step(phone, until, "acknowledged")
    room.report(actors["watch"], tasking, TaskingState.CANCELLED, note="Another is nearer.")
    cookies = phone.context.cookies()
    phone.context.clear_cookies()
    phone.context.set_offline(False)
    until(phone, f"{WAITS} === 'sign-in'")
    phone.screenshot(path=screenshots / "field-sign-in.png", full_page=True)
    axe(phone)
    phone.context.add_cookies(cookies)
    phone.reload()
    until(phone, "document.getElementById('come-back').textContent.includes('cancelled')")
    (late,) = node.field.waiting(actors["watch"])
    assert late.tasking == tasking
    node.field.settle(actors["watch"], late.id, "Called off while you were away.")
    phone.reload()
    until(phone, "document.getElementById('come-back').textContent.includes('while you were')")

    phone.click("#switch-place")
    until(phone, "document.getElementById('switch-place').ariaPressed === 'true'")
    hold = phone.locator("[data-hold]")
    hold.scroll_into_view_if_needed()
    box = hold.bounding_box()
    phone.mouse.move(box["x"] + 20, box["y"] + 20)
    phone.mouse.down()
    phone.wait_for_timeout(300)
    phone.mouse.up()  # too short: no pocket calls
    assert node.field.panics(actors["watch"]) == []
    phone.mouse.down()
    until(phone, "document.getElementById('help').dataset.state === 'called'")
    phone.mouse.up()
    phone.screenshot(path=screenshots / "field-help.png", full_page=True)
    axe(phone)
    (call,) = node.field.panics(actors["watch"])
    assert call.officer == actors["boat"].id
    desk = standing.signed_in(chromium, "watch").new_page()
    desk.goto(standing.address + "/phones")
    until(desk, "document.querySelector('.calls a')?.textContent.includes('calls for help')")
    desk.screenshot(path=screenshots / "phones.png", full_page=True)
    axe(desk)
    desk.click(".calls a")
    desk.wait_for_url("**/alerts/*")
    room.acknowledge(actors["watch"], desk.url.rpartition("/")[2])
    phone.evaluate("dispatchEvent(new Event('online'))")
    until(phone, "document.getElementById('help').dataset.state === 'answered'")
    until(desk, "!document.querySelector('.calls > *')")
    where = node.field.panics(actors["watch"])[0].place
    assert (where.lat, where.lon) == (25.2, 63.5)
    desk.context.close()

    phone.click("#sign-out button")
    phone.wait_for_url("**/sign-in")
    shown = """(() => new Promise((done) => { const asked = indexedDB.open("cordon-field");
      asked.onsuccess = () => { const all = asked.result.transaction("shown").objectStore("shown")
        .count(); all.onsuccess = () => done(all.result); }; }))()"""
    assert phone.evaluate(shown) == 0


def test_what_was_kept_is_sent_with_the_page_closed(standing, actors, phone, until, monkeypatch):
    node, room, context = standing.node, standing.node.operations, phone.context
    tasking = sent_to_boat(node, actors)
    ready(phone, until)
    until(phone, "!!document.querySelector('[data-next=acknowledged]')")
    context.set_offline(True)
    until(phone, f"{WAITS} === 'away'")
    for to in ("acknowledged", "moving", "on_scene"):
        step(phone, until, to)
    until(phone, f"{TAGS}.then((tags) => tags.join() === 'field')")
    phone.close()
    asked = context.new_page()  # of another page, so that the browser goes on
    assert room.tasking(actors["watch"], tasking).state is TaskingState.SENT
    context.set_offline(False)
    end = time.monotonic() + 30
    while room.tasking(actors["watch"], tasking).state is not TaskingState.ON_SCENE:
        assert time.monotonic() < end, "background sync sent nothing"
        asked.wait_for_timeout(40)
    acts = node.field.acts(actors["watch"], tasking)
    assert [(a.body["to"], a.outcome) for a in acts] == [
        (to, "applied") for to in ("acknowledged", "moving", "on_scene")
    ]
    asked.goto(standing.address + "/field")  # nothing is left on the phone to come twice
    until(asked, "document.getElementById('way').textContent === 'connected'")
    assert len(node.field.acts(actors["watch"], tasking)) == 3

    # a network without a node behind it: the browser must not take the try for a success
    tries = []

    def away(_actor):
        tries.append(1)
        raise Unavailable("The database is away.")

    monkeypatch.setattr(node.field, "own_taskings", away)
    asked.click("article .row >> text=Form")
    asked.click("[data-form=nothing_found]")
    asked.fill("[name=searched_min]", "40")
    asked.select_option("[name=sight]", "poor")
    asked.check("[name=traces][value=no]")
    asked.click("dialog button.first")
    while len(tries) < 2:  # the page's, and the worker's
        assert time.monotonic() < end + 30
        asked.wait_for_timeout(40)
    asked.wait_for_timeout(300)
    assert asked.evaluate(TAGS) == ["field"]
    monkeypatch.undo()
    room.report(actors["watch"], tasking, TaskingState.CANCELLED, note="The test is over.")


def test_a_planned_act_is_entered_where_the_officer_stands(standing, chromium, until):
    context = standing.signed_in(
        chromium, "watch", viewport={"width": 360, "height": 740}, permissions=["geolocation"],
        geolocation={"latitude": 25.2, "longitude": 63.5, "accuracy": 12.0},
    )  # fmt: skip
    page = context.new_page()
    page.goto(standing.address + "/sharing/deconfliction/new")
    here = page.locator("[data-island=here]")
    assert here.inner_text() == "Here"
    here.click()
    until(page, "document.getElementById('f-lat').value === '25.200000'")
    assert page.input_value("#f-lon") == "63.500000"
    assert "12 m" in page.inner_text("[role=status]")
    context.close()
