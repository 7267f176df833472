"""The queue's pages: points, putting together, coming back to where one was."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from cordon.operations.routes import routes

NOTE = "Net drying on deck, papers in order, master warned."


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores; the services are tested on both."""
    return sqlite_url


@pytest.fixture
def browse(served, room):
    """A client of an officer."""
    app = served(routes(room))

    def client(officer, **headers):
        return TestClient(app, headers={"x-officer": officer, **headers}, follow_redirects=False)

    return client


def test_an_alert_says_why_it_stands_where_it_stands(browse, raised):
    body = browse("watch").get(f"/alerts/{raised()}").text
    card = body[body.index('id="stands"') : body.index('id="history"')]
    said = re.findall(r'<td class="end num" dir="ltr">(?:<b>)?([\d.−-]+)', card)
    *parts, together = [float(n.replace("−", "-")) for n in said]
    assert len(parts) == 7
    assert sum(parts) == together
    assert "After two hours at ten knots" in card
    assert "then told: shift lead" in card


def test_chosen_ones_are_put_together_and_one_comes_back_to_the_queue(browse, raised):
    ids = [raised(f"mmsi:{n}", at=(20 + n, 60)) for n in range(3)]
    client = browse("watch")
    body = client.get("/alerts?kind=picture.").text
    assert body.count('type="checkbox" name="alert"') == 3
    back = re.search(r'id="merge".*?name="back" value="([^"]+)"', body)[1]
    assert back == "/alerts?kind=picture."
    done = client.post("/alerts/merge", data={"alert": ids[:2], "back": back})
    assert (done.status_code, done.headers["location"]) == (303, f"{back}#alert-{ids[0]}")
    assert client.get(back).text.count("data-row") == 2
    # refused: the queue as it was asked for, with what was chosen
    one = client.post("/alerts/merge", data={"alert": [ids[2]], "back": back})
    assert one.status_code == 422
    assert "Choose from two to 200" in one.text
    assert re.search(rf'value="{ids[2]}" form="merge" checked', one.text)
    assert client.post("/alerts/merge", data={"back": "https://evil.example"}).status_code == 422
    apart = client.post(f"/alerts/{ids[1]}/apart")
    assert apart.headers["location"] == f"/alerts/{ids[1]}"
    assert client.post(f"/alerts/{ids[1]}/apart").status_code == 409
    assert browse("overseer").post("/alerts/merge", data={"alert": ids}).status_code == 403
    assert 'name="alert"' not in browse("overseer").get("/alerts").text


def test_who_acts_from_the_queue_comes_back_to_it(browse, room, officers, raised):
    ids = [raised(f"mmsi:{n}", at=(20 + n, 60), seriousness="notice") for n in range(4)]
    client, at = browse("watch"), "/alerts?seriousness=notice"
    opened = client.get(f"/alerts/{ids[0]}/close", params={"back": at}).text
    assert f'name="back" value="{at}"' in opened
    form = {"reason": "explained", "note": "short", "back": at}
    assert f'name="back" value="{at}"' in client.post(f"/alerts/{ids[0]}/close", data=form).text
    form["note"] = NOTE
    closed = client.post(f"/alerts/{ids[0]}/close", data=form)
    assert closed.headers["location"] == f"{at}#alert-{ids[1]}"  # the row below it
    given = client.post(f"/alerts/{ids[1]}/assign", data={"to": "officer-watch", "back": at})
    assert given.headers["location"] == f"{at}#alert-{ids[1]}"
    case = client.post(f"/alerts/{ids[2]}/case", data={"title": "A silent boat", "back": at})
    assert case.headers["location"] == f"{at}#alert-{ids[2]}"
    for elsewhere in ("//evil.example", "https://evil.example/alerts", "/account"):
        sent = client.post(f"/alerts/{ids[3]}/assign",
                           data={"to": "officer-watch", "back": elsewhere})  # fmt: skip
        assert sent.headers["location"] == f"/alerts/{ids[3]}"


def test_the_other_is_told_who_was_quicker(browse, room, officers, raised):
    alert = raised()
    form = browse("watch2").get(f"/alerts/{alert}/assign").text
    assert 'name="had_by" value="nobody"' in form
    room.assign(officers["watch"], alert, officers["watch"].id)
    late = browse("watch2").post(
        f"/alerts/{alert}/assign", data={"to": "officer-watch2", "had_by": "nobody"}
    )
    assert late.status_code == 409
    assert "Another officer has got it meanwhile: Officer watch." in late.text


def test_the_shift_lead_is_told_what_nobody_saw(browse, room, officers, raised, clock):
    alert = raised(seriousness="grave")
    clock.advance(timedelta(minutes=6))
    room.tick()
    assert "1 alert was escalated to you" in browse("supervisor").get("/alerts").text
    assert "escalated to you" not in browse("watch").get("/alerts").text
    assert "<b>escalated</b>" in browse("watch").get("/alerts?escalated=1").text
    assert "Told: shift lead." in browse("watch").get(f"/alerts/{alert}").text
    room.acknowledge(officers["supervisor"], alert)
    assert "escalated to you" not in browse("supervisor").get("/alerts").text
    told = browse("watch").get(f"/api/operations/alerts/{alert}").json()
    assert (told["escalated"], told["points"]["escalated"]) == (1, 10.0)


def test_programs_put_together_and_take_apart(browse, raised):
    a, b = raised("mmsi:1"), raised("mmsi:2", at=(24, 60))
    client = browse("watch")
    front = client.post(f"/api/operations/alerts/{b}/merge", json={"others": [a]}).json()
    assert (front["id"], front["alike_count"]) == (a, 1)
    assert client.post(f"/api/operations/alerts/{b}/apart").json()["stands_with"] == b
    late = client.post(f"/api/operations/alerts/{b}/assign",
                       json={"to": "officer-watch", "had_by": "officer-watch2"})  # fmt: skip
    assert late.status_code == 409
