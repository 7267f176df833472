"""Legal authorities on their pages: recorded with a span and without a document, and read."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cordon import cli
from cordon.kernel.clock import format_time

NUMBER = "number:+923001234567"


@pytest.fixture
def form(noon):
    """What an officer writes into the form, with the changes of a test."""

    def given(**more):
        return {
            "legal_basis": "peca_disclosure_warrant",
            "reference": "W-1",
            "issuer": "A court",
            "data": "calls",
            "subjects": NUMBER,
            "valid_from": format_time(noon),
            "valid_until": format_time(noon + timedelta(hours=20)),
        } | more

    return given


@pytest.fixture
def staff(site):
    """Clients of signed-in officers by their roles."""
    made = {}
    for role in ("investigator", "supervisor", "overseer", "administrator", "watch_officer"):
        site.officer(role, role, cleared="TLP:GREEN" if role == "overseer" else "TLP:AMBER+STRICT")
        made[role] = site.client(role)
    return made


def recorded(site, staff, data, files=None):
    """The authority that the investigator's form recorded."""
    files = files if files is not None else {"document": ("w.pdf", b"In the court ...")}
    answer = staff["investigator"].post("/authorities", data=data, files=files)
    assert answer.status_code == 303, answer.text
    return site.node.authorities.recorded(site.actor("investigator"))[0]


def test_the_span_of_the_data_is_entered_and_shown(site, staff, form, noon):
    data = form(data_since="2026-02-01T00:00:00Z", data_until="2026-03-01T00:00:00Z")
    made = recorded(site, staff, data)
    assert [format_time(t) for t in (made.scope.since, made.scope.until)] == [
        data["data_since"],
        data["data_until"],
    ]
    page = staff["supervisor"].get(f"/authorities/{made.id}").text
    assert 'datetime="2026-02-01T00:00:00Z"' in page
    wrong = form(reference="W-2", data_since=data["data_until"], data_until=data["data_since"])
    answer = staff["investigator"].post(
        "/authorities", data=wrong, files={"document": ("w.pdf", b"x")}
    )
    assert answer.status_code == 422
    assert "ends before it begins" in answer.text
    assert 'value="2026-03-01T00:00:00Z"' in answer.text


def test_an_emergency_needs_no_document_and_a_warrant_does(site, staff, form):
    answer = staff["investigator"].post("/authorities", data=form())
    assert answer.status_code == 422
    assert "The document is missing." in answer.text
    # a browser sends the field of a file that was not chosen without a name
    made = recorded(site, staff, form(legal_basis="emergency", reference="E-1"),
                    {"document": ("", b"", "application/octet-stream")})  # fmt: skip
    assert (made.kind, made.document_sha256) == ("emergency", "")


def test_one_authority_is_shown_with_its_history(site, staff, form):
    made = recorded(site, staff, form(legal_basis="emergency", reference="E-1"), {})
    address = f"/authorities/{made.id}"
    assert address in staff["supervisor"].get("/authorities").text
    page = staff["supervisor"].get(address)
    assert page.status_code == 200
    for told in ("E-1", "A court", "Officer investigator", "recorded", made.legal_basis):
        assert told in page.text
    assert f"{address}/confirm" in page.text
    assert staff["supervisor"].post(f"{address}/confirm").status_code == 303
    page = staff["overseer"].get(address)  # whatever its mark: its use is what is overseen
    assert "confirmed by" in page.text
    assert f"/ledger?thing=authority%3A{made.id}" in page.text
    assert staff["administrator"].get(address).status_code == 403
    assert staff["supervisor"].get("/authorities/none").status_code == 404


def test_whom_it_covers_is_masked_until_it_is_chosen(site, staff, form):
    made = recorded(site, staff, form())
    address = f"/authorities/{made.id}"
    assert NUMBER not in staff["investigator"].get(address).text
    assert NUMBER not in staff["overseer"].get(address).text
    assert staff["investigator"].post(f"{address}/choose").status_code == 303
    assert NUMBER in staff["investigator"].get(address).text
    assert ("access.authority.view", "read") in [e[:2] for e in site.entries()]
    assert NUMBER[7:] not in str(site.entries())


def test_the_command_enters_the_span_and_needs_no_document_by_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CORDON_DATA", str(tmp_path / "node"))
    monkeypatch.setenv("CORDON_LOG_LEVEL", "error")
    (tmp_path / "order.txt").write_text("In the court ...")
    end = "2099-01-01T00:00:00Z"
    order = ["--issuer", "A court", "--basis", "peca_real_time", "--until"]
    common = ["authorities", "record", "--reference", "W-1", *order]

    from datetime import UTC, datetime

    soon = format_time(datetime.now(UTC) + timedelta(days=2))
    span = ["--data-since", "2026-02-01T00:00:00Z", "--data-until", "2026-03-01T00:00:00Z"]
    assert cli.run([*common, soon, *span]) == 1
    assert "The document is missing." in capsys.readouterr().err
    assert cli.run([*common, end, *span, str(tmp_path / "order.txt")]) == 1
    assert "days" in capsys.readouterr().err
    assert cli.run([*common, soon, *span, str(tmp_path / "order.txt"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)["id"]

    from cordon.bootstrap import open_node
    from cordon.settings import load

    node = open_node(load())
    try:
        scope = node.authorities.get(node.console_actor(None), made).scope
    finally:
        node.close()
    assert (format_time(scope.since), format_time(scope.until)) == (span[1], span[3])
