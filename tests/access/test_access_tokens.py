"""Programs' tokens: limited to named acts, a time and a clearance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.kernel.access.actors import Actors
from cordon.kernel.access.model import Mark, Role, Thing
from cordon.kernel.access.tables import TokenRow
from cordon.kernel.errors import BadInput, NotSignedIn, Refused

WEEK = timedelta(days=7)


def issue(access, *scopes: str, **given):
    return access.tokens.issue(
        access.console, "radar-bridge", scopes, given.pop("valid", WEEK), **given
    )


def test_a_token_stands_for_a_program_with_its_scopes(access):
    issued = issue(access, "findings.finding.view")
    assert issued.secret.startswith("cdn_")
    actor = access.tokens.find(issued.secret)
    assert actor.id == f"service:{issued.token.id}"
    assert (actor.roles, actor.cleared) == ({Role.SERVICE}, Mark.AMBER)
    with access.kernel.rows.read() as session:
        row = session.get(TokenRow, issued.token.id)
        assert issued.secret not in [str(v) for v in vars(row).values()]
    assert issued.secret not in str(access.entries())
    assert issued.secret not in repr(issued)


def test_what_is_outside_the_scopes_is_refused_and_recorded(access):
    agency = access.kernel.agency
    actor = access.tokens.find(issue(access, "findings.finding.view").secret)
    finding = Thing("finding", "f-1", agency, Mark.AMBER)
    with access.kernel.view(actor) as view:
        view.permit("findings.finding.view", finding)
    with pytest.raises(Refused), access.kernel.view(actor) as view:
        view.permit("jobs.job.view", Thing("job", "j-1", agency, Mark.AMBER))
    assert access.entries()[-1][:3] == ("jobs.job.view", "refused", actor.id)
    with pytest.raises(Refused), access.kernel.view(actor) as view:
        view.permit("findings.finding.view", replace(finding, mark=Mark.AMBER_STRICT))


def test_tokens_are_only_issued_for_what_programs_may_do(access):
    grantable = access.tokens.grantable()
    assert "findings.finding.view" in grantable
    for act in ("access.officer.add", "access.authority.lapse", "access.self.change"):
        assert act not in grantable
        with pytest.raises(BadInput):
            issue(access, "findings.finding.view", act)
    with pytest.raises(BadInput):
        issue(access)
    with pytest.raises(BadInput):
        issue(access, "no.such.act")


@pytest.mark.parametrize(
    "given", [{"cleared": Mark.RED}, {"valid": timedelta(0)}, {"valid": timedelta(days=400)}]
)
def test_a_token_has_bounds(access, given):
    with pytest.raises(BadInput):
        issue(access, "findings.finding.view", **given)


def test_a_token_ends_by_time_and_by_hand(access):
    short = issue(access, "findings.finding.view")
    other = issue(access, "findings.finding.view", valid=timedelta(days=30))
    access.clock.advance(WEEK)
    with pytest.raises(NotSignedIn):
        access.tokens.find(short.secret)
    assert access.tokens.find(other.secret)
    access.tokens.revoke(access.console, other.token.id)
    with pytest.raises(NotSignedIn):
        access.tokens.find(other.secret)
    with pytest.raises(NotSignedIn):
        access.tokens.find("cdn_" + "x" * 43)
    assert [t.revoked_at is not None for t in access.tokens.known(access.console)] == [True, False]


def test_an_officer_may_not_issue_tokens(access):
    access.officer("amina", Role.SUPERVISOR)
    with pytest.raises(Refused):
        access.tokens.issue(access.sign_in("amina"), "mine", ["findings.finding.view"], WEEK)


def test_stored_actors_are_found_as_they_are_now(access):
    actors = Actors(access.kernel, access.tokens)
    officer = access.officer("amina", Role.WATCH_OFFICER)
    issued = issue(access, "findings.finding.view")
    service = access.tokens.find(issued.secret)

    def of(id_: str):
        return actors.of({"id": id_, "session": None, "authority": None})

    assert of("node") == access.kernel.node
    assert of(access.console.id) == access.console
    assert of(service.id) == service
    access.officers.change(access.console, officer.id, roles=[Role.INVESTIGATOR])
    assert of(officer.id).roles == {Role.INVESTIGATOR}
    access.officers.lock(access.console, officer.id, "left the service")
    access.tokens.revoke(access.console, issued.token.id)
    for gone in (officer.id, service.id, "no-such-officer"):
        with pytest.raises(NotSignedIn):
            of(gone)
