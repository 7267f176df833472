"""The pages of other nodes and of witnesses: added by a card, begun anew, cut off; seen by whom."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from cordon.kernel.access.model import Mark, Role
from cordon.sharing.nodes.keys import NodeKeys
from cordon.sharing.nodes.words import MESSAGES

PASSWORD = "monsoon lantern quarry"


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores."""
    return sqlite_url


def signed_in(node, app, role):
    node.officers.add(
        node.console_actor(None), login=role, name=f"Person {role}", roles=[Role(role)],
        unit="desk-1", cleared=Mark("TLP:AMBER+STRICT"), password=PASSWORD, must_change=False,
    )  # fmt: skip
    http = TestClient(app, follow_redirects=False)
    assert http.post("/sign-in", data={"login": role, "password": PASSWORD}).status_code == 303
    http.headers["X-CSRF-Token"] = re.search(
        r'name="csrf" content="([^"]+)"', http.get("/account").text
    )[1]
    return http


def test_a_node_is_trusted_begun_anew_and_cut_off_on_its_page(node, app, tmp_path):
    node.units.add(node.console_actor(None), "desk-1", "Desk 1")
    keys = NodeKeys(tmp_path / "other", "pk-other", datetime.now(UTC))
    desk, overseer = signed_in(node, app, "supervisor"), signed_in(node, app, "overseer")
    refused = desk.post("/sharing/nodes", data={"card": "no card"})
    assert refused.status_code == 422
    assert ">no card</textarea>" in refused.text, "what was typed is kept"
    card = keys.card("The <other> node", "127.0.0.1:9")
    assert desk.post("/sharing/nodes", data={"card": card}).status_code == 303
    page = desk.get("/sharing/nodes").text
    assert "The &lt;other&gt; node" in page
    assert keys.fingerprint[:8] in page
    assert node.sharing.nodes.keys.fingerprint[-8:] in page
    node.sharing.nodes.clock_seen("pk-other", 64.2)
    assert "+64 s" in desk.get("/sharing/nodes").text
    at = "/sharing/nodes/pk-other"
    assert desk.post(f"{at}/begin-anew", data={"why": "its backup"}).status_code == 303
    short = desk.post(f"{at}/cut-off", data={"why": "bad"})
    assert (short.status_code, 'value="bad"' in short.text) == (422, True)
    assert desk.post(f"{at}/cut-off", data={"why": "it turned hostile"}).status_code == 303
    assert "it turned hostile" in overseer.get("/sharing/nodes").text
    for path in (f"{at}/cut-off", f"{at}/begin-anew", "/sharing/nodes"):
        assert overseer.post(path, data={"why": "it turned hostile"}).status_code == 403
    page = overseer.get("/sharing/witnesses")
    assert page.status_code == 200
    assert str(node.sharing.witnesses.cosigner) in page.text.replace("&#43;", "+")
    other = signed_in(node, app, "investigator")
    assert {other.get(p).status_code for p in ("/sharing/witnesses", "/sharing/nodes")} == {403}


def test_whatever_one_node_tells_another_has_a_name_on_the_page(node):
    assert set(MESSAGES) == set(node.room("sharing").nodes._told)
