"""Officers on the administrator's page and on the node's own machine."""

from __future__ import annotations

import json
import re

import pytest

from cordon import cli
from cordon.kernel.access.model import Mark, Role


@pytest.fixture
def admin(site):
    site.officer("boss", "administrator")
    return site.client("boss")


def test_an_officers_roles_unit_and_clearance_are_changed(site, admin):
    amina = site.officer("amina", "watch_officer")
    site.node.units.add(site.console, "desk-2", "Desk 2")
    page = admin.get("/officers").text
    assert f"/officers/{amina.id}/change" in page
    address = f"/officers/{amina.id}/change"
    given = {"role": ["investigator", "custodian"], "unit": "desk-2", "cleared": "TLP:GREEN"}
    assert admin.post(address, data=given).status_code == 303
    now = site.node.officers.get(site.console, amina.id)
    assert now.roles == {Role.INVESTIGATOR, Role.CUSTODIAN}
    assert (now.unit, now.cleared) == ("desk-2", Mark.GREEN)
    for wrong in ({"role": ["console"]}, {"cleared": "TLP:PUCE"}, {"role": []}, {"unit": "no"}):
        assert admin.post(address, data=given | wrong).status_code == 422
    assert site.node.officers.get(site.console, amina.id) == now


def test_nobody_is_offered_to_change_themselves(site, admin):
    boss = site.actor("boss")
    assert f"/officers/{boss.id}/" not in admin.get("/officers").text
    given = {"role": "supervisor", "unit": "desk-1", "cleared": "TLP:RED"}
    assert admin.post(f"/officers/{boss.id}/change", data=given).status_code == 403


def told(capsys, *arguments):
    assert cli.run([*arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_the_commands_of_officers_units_and_tokens(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CORDON_DATA", str(tmp_path / "node"))
    monkeypatch.setenv("CORDON_LOG_LEVEL", "error")
    for code in ("coast", "desk-1"):
        told(capsys, "units", "add", code, code.title())
    who = ["--login", "amina", "--name", "Amina", "--role", "watch_officer", "--no-password"]
    told(capsys, "officers", "add", *who, "--unit", "desk-1")
    changed = told(
        capsys, "officers", "change", "amina", "--role", "supervisor", "--unit", "coast",
        "--cleared", "TLP:GREEN",
    )  # fmt: skip
    assert changed == {
        "login": "amina", "roles": ["supervisor"], "unit": "coast", "cleared": "TLP:GREEN",
    }  # fmt: skip
    told(capsys, "officers", "lock", "amina", "--why", "left the service")
    told(capsys, "officers", "unlock", "amina")
    assert told(capsys, "officers", "sign-out", "amina")["ended"] == 0
    assert told(capsys, "units", "change", "desk-1", "--name", "Desk")["name"] == "Desk"
    told(capsys, "units", "close", "desk-1")
    token = told(capsys, "tokens", "issue", "bridge", "--scope", "findings.finding.view")
    assert [t["state"] for t in told(capsys, "tokens", "list")] == ["valid"]
    told(capsys, "tokens", "revoke", token["id"])
    (listed,) = told(capsys, "tokens", "list")
    assert (listed["id"], listed["state"]) == (token["id"], "revoked")
    assert token["token"] not in str(listed)
    assert cli.run(["tokens", "revoke", "none"]) == 1


def test_who_was_handed_a_password_changes_it_before_anything_else(site, admin):
    amina = site.officer("amina", "watch_officer")
    page = admin.post(f"/officers/{amina.id}/password").text
    handed = re.search(r"<b[^>]*>amina</b> · <b[^>]*>([^<]+)</b>", page)[1]
    assert ("access.officer.change", "done") in [e[:2] for e in site.entries()]
    http = site.client("amina", handed)
    for path in ("/picture", "/alerts", "/authorities"):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    told = http.get("/api/authorities")
    assert (told.status_code, told.json()["error"]) == (403, "must_change_password")
    assert http.post("/findings/x/close", data={"reason": "x"}).status_code == 403
    assert "Another person set your password" in http.get("/account").text
    new = {"old": handed, "new": site.PASSWORD, "again": site.PASSWORD}
    assert http.post("/account/password", data=new | {"old": "no"}).status_code == 422
    assert http.post("/account/password", data=new).status_code == 303
    assert http.get("/authorities").status_code == 200
    assert "Another person" not in http.get("/account").text


def test_a_device_is_enrolled_with_the_password(site):
    site.officer("amina", "watch_officer")
    http = site.client("amina")
    for password in ("", "not hers"):
        answer = http.post("/account/second-factor", data={"password": password})
        assert answer.status_code == 422
        assert "The present password is not right." in answer.text
    answer = http.post("/account/second-factor", data={"password": site.PASSWORD})
    assert "/account/second-factor/finish" in answer.text
