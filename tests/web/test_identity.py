"""Who asks: a session or a program, told apart by what was really proven."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope


@pytest.fixture
def program(site):
    """Issues a token and gives the header that brings it."""

    def issued(*scopes):
        made = site.node.tokens.issue(site.console, "importer", scopes, timedelta(days=1))
        return made.token.id, {"Authorization": f"Bearer {made.secret}"}

    return issued


EVIL = {"Origin": "https://evil.example"}


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "bearer  ", "Digest x"])
def test_another_header_of_authorization_opens_no_way_round_the_forms_token(site, header):
    site.officer("amina", "watch_officer")
    http = site.client("amina")
    sent = {"data": {"theme": "dark"}}
    del http.headers["X-CSRF-Token"]
    for more in (EVIL, {}):
        answer = http.post("/sign-out", headers={"Authorization": header, **more}, **sent)
        assert answer.status_code in (401, 403), answer.status_code
    assert http.get("/account").status_code == 200  # nothing was done in her name


def test_a_token_needs_no_forms_token(site, program):
    _, header = program("calls.record.search")
    answer = site.client().post("/calls/find", headers=header | {"Accept": "application/json"})
    assert answer.json()["error"] == "authority_refused"  # past the door of forms


def test_a_token_that_was_revoked_is_refused(site, program):
    token, header = program("access.authority.view")
    http = site.client()
    assert http.get("/api/authorities", headers=header).status_code == 200
    site.node.tokens.revoke(site.console, token)
    assert http.get("/api/authorities", headers=header).status_code == 401


def test_a_program_names_its_authority_with_each_request(site, program, noon):
    site.officer("investigator", "investigator")
    draft = Draft(
        basis="peca_disclosure_warrant",
        reference="W-1",
        issuer="A court",
        scope=Scope(frozenset({"calls"})),
        valid_from=noon,
        valid_until=noon + timedelta(days=1),
    )
    made = site.node.authorities.record(site.actor("investigator"), draft, io.BytesIO(b"x"))
    _, header = program("calls.record.search", "access.authority.choose")
    header |= {"Accept": "application/json"}
    http = site.client()

    def sent(reference=None):
        named = {} if reference is None else {"Cordon-Authority": reference}
        return http.post("/calls/find", headers={**header, **named})

    assert sent().json()["error"] == "authority_refused"
    for reference in ("W-1", made.id):
        assert sent(reference).status_code == 303, sent(reference).text
    done = [e for e in site.entries() if e[:2] == ("access.authority.choose", "done")]
    assert done[-1][2] == f"authority:{made.id}"
    assert sent("W-2").status_code == 404
    site.node.authorities.withdraw(site.console, made.id, "The court said so")
    assert sent("W-1").json()["error"] == "authority_refused"
    assert site.entries()[-1][:2] == ("access.authority.choose", "refused")


def test_an_officer_chooses_in_the_session_and_not_by_a_header(site, noon):
    site.officer("watch", "watch_officer")
    answer = site.client("watch").get("/authorities", headers={"Cordon-Authority": "nowhere"})
    assert answer.status_code == 200
