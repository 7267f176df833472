"""Legal authorities: what is recorded, by whom it is confirmed, and what it lets one read."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import AuthorityKind, AuthorityState, Mark, Role, Scope, Thing
from cordon.kernel.errors import (
    AuthorityRefused,
    BadInput,
    Conflict,
    NotFound,
    Refused,
    TooLarge,
)
from cordon.kernel.events import EventRow

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NUMBER = "number:+923001234567"


def draft(noon: datetime, **given) -> Draft:
    base = Draft(
        basis="warrant",
        reference="HC-114/2026",
        issuer="High Court",
        scope=Scope(frozenset({"calls"}), frozenset({NUMBER})),
        valid_from=noon,
        valid_until=noon + 30 * DAY,
        document_sha256="ab" * 32,
    )
    return replace(base, **given)


def emergency(noon: datetime, **given) -> Draft:
    return draft(
        noon,
        **{
            "basis": "emergency",
            "reference": "E-1",
            "document_sha256": "",
            "valid_until": noon + DAY,
            **given,
        },
    )


@pytest.fixture
def staff(access):
    """Signed-in officers by name."""
    people = {
        "investigator": Role.INVESTIGATOR,
        "supervisor": Role.SUPERVISOR,
        "custodian": Role.CUSTODIAN,
        "watch": Role.WATCH_OFFICER,
        "overseer": Role.OVERSEER,
        "administrator": Role.ADMINISTRATOR,
    }
    for login, role in people.items():
        access.officer(login, role)
    return {login: access.sign_in(login) for login in people}


def test_an_authority_is_recorded_as_it_was_given(access, staff, noon):
    made = access.authorities.record(staff["investigator"], draft(noon))
    assert made.state(noon) is AuthorityState.IN_FORCE
    assert (made.kind, made.legal_basis) == (AuthorityKind.WARRANT, "Investigation Act")
    assert access.authorities.get(staff["overseer"], made.id) == made
    assert access.authorities.find(staff["watch"], " HC-114/2026 ") == made
    steps = access.authorities.history(staff["overseer"], made.id)
    assert [(s.what, s.by) for s in steps] == [("recorded", staff["investigator"].id)]
    act, outcome, _, detail = access.entries()[-1]
    assert (act, outcome) == ("access.authority.record", "done")
    assert detail == {"kind": "warrant", "basis": "warrant", "document": "ab" * 32}
    assert "923001234567" not in str(access.entries())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"basis": "whim"}, "legal basis"),
        ({"reference": " "}, "reference"),
        ({"issuer": ""}, "issuer"),
        ({"document_sha256": ""}, "SHA-256"),
        ({"document_sha256": "xyz"}, "SHA-256"),
        ({"days": 61}, "61 days"),
        ({"basis": "order", "days": 367}, "367 days"),
        ({"days": 0}, "ends before"),
        ({"days": -1}, "ends before"),
        ({"from": -3, "days": 2}, "expired"),
        ({"mark": Mark.RED}, "TLP:RED"),
        ({"scope": Scope(frozenset())}, "no kind of data"),
        ({"scope": Scope(frozenset({"faith"}))}, "no kind of data"),
        ({"scope": Scope(frozenset({"calls"}), frozenset({"a number"}))}, "type:id"),
        ({"scope": Scope(frozenset({"calls"}), frozenset())}, "type:id"),
        ({"basis": "consent", "scope": Scope(frozenset({"calls"}))}, "names whom"),
    ],
)
def test_what_the_law_does_not_allow_is_not_recorded(access, staff, noon, wrong, says):
    wrong = dict(wrong)
    start = noon + wrong.pop("from", 0) * DAY
    days = wrong.pop("days", 30)
    given = draft(noon, valid_from=start, valid_until=start + days * DAY, **wrong)
    with pytest.raises(BadInput, match=says):
        access.authorities.record(staff["investigator"], given)
    assert access.authorities.recorded(staff["overseer"]) == []


def test_a_reference_is_recorded_once(access, staff, noon):
    access.authorities.record(staff["investigator"], draft(noon))
    with pytest.raises(Conflict):
        access.authorities.record(staff["supervisor"], draft(noon))


def test_the_document_is_kept_under_its_hash(access, staff, noon):
    text = b"In the High Court ..."
    sha256 = hashlib.sha256(text).hexdigest()
    given = draft(noon, document_sha256="")
    made = access.authorities.record(staff["custodian"], given, io.BytesIO(text))
    assert made.document_sha256 == sha256
    assert b"".join(access.kernel.files.read(sha256)) == text
    with pytest.raises(BadInput, match="hash"):
        access.authorities.record(
            staff["custodian"], draft(noon, reference="other"), io.BytesIO(text)
        )


def test_too_large_a_document_is_refused(access, staff, noon, monkeypatch):
    monkeypatch.setattr("cordon.kernel.access.authorities.LARGEST_DOCUMENT", 10)
    with pytest.raises(TooLarge):
        access.authorities.record(staff["custodian"], draft(noon), io.BytesIO(b"x" * 11))


@pytest.mark.parametrize("who", ["watch", "overseer", "administrator"])
def test_others_record_none_and_the_refusal_stands(access, staff, noon, who):
    with pytest.raises(Refused):
        access.authorities.record(staff[who], draft(noon), io.BytesIO(b"x"))
    assert access.entries()[-1][:3] == ("access.authority.record", "refused", staff[who].id)
    assert not list(access.kernel.files.check())


def test_the_states_of_an_authority(access, staff, noon):
    made = access.authorities.record(
        staff["investigator"], draft(noon, valid_from=noon + HOUR, valid_until=noon + 2 * HOUR)
    )
    states = []
    for _ in range(3):
        states.append(made.state(access.clock.now()))
        access.clock.advance(HOUR)
    assert states == [AuthorityState.NOT_YET, AuthorityState.IN_FORCE, AuthorityState.EXPIRED]


def test_an_officer_chooses_and_then_reads_what_is_covered(access, staff, noon):
    made = access.authorities.record(staff["investigator"], draft(noon))
    assert staff["watch"].authority is None
    reading = access.sessions.choose(staff["watch"], made.id)
    assert reading.authority == made
    thing = Thing("finding", "f", access.kernel.agency, Mark.AMBER)
    with access.kernel.view(reading) as view:
        assert view.under_authority("findings.finding.view", thing, "calls", NUMBER) == made
    entry = access.kernel.ledger.entries(limit=1)[0]
    assert (entry.outcome, entry.authority, entry.actor) == ("read", made.id, reading.id)
    for data, subject in (("payments", NUMBER), ("calls", "number:+92300999"), ("calls", None)):
        with pytest.raises(AuthorityRefused), access.kernel.view(reading) as view:
            view.under_authority("findings.finding.view", thing, data, subject)
        assert access.entries()[-1][1] == "refused"
        assert access.entries()[-1][3] == {"why": "authority_refused"}
    assert access.sessions.choose(reading, None).authority is None


def test_an_authority_that_ended_refuses_at_once_and_says_so(access, staff, noon):
    made = access.authorities.record(staff["investigator"], draft(noon))
    reading = access.sessions.choose(staff["watch"], made.id)
    access.authorities.withdraw(staff["supervisor"], made.id, "case was closed")
    thing = Thing("finding", "f", access.kernel.agency, Mark.AMBER)
    again = access.sessions.choose
    with pytest.raises(AuthorityRefused, match="withdrawn"):
        again(reading, made.id)
    assert access.entries()[-1][:2] == ("access.authority.choose", "refused")
    other = access.authorities.record(
        staff["investigator"], draft(noon, reference="HC-115", valid_until=noon + HOUR)
    )
    reading = access.sessions.choose(staff["watch"], other.id)
    access.clock.advance(HOUR)
    with (
        pytest.raises(AuthorityRefused, match="expired"),
        access.kernel.view(reading) as view,
    ):
        view.under_authority("findings.finding.view", thing, "calls", NUMBER)


def test_nobody_chooses_above_their_clearance_or_without_the_role(access, staff, noon):
    access.officer("junior", Role.WATCH_OFFICER, cleared=Mark.GREEN)
    made = access.authorities.record(staff["investigator"], draft(noon))
    for actor in (access.sign_in("junior"), staff["overseer"], staff["administrator"]):
        with pytest.raises(Refused):
            access.sessions.choose(actor, made.id)
    with pytest.raises(NotFound):
        access.sessions.choose(staff["watch"], "no-such-id")


def test_an_order_to_preserve_data_lets_nobody_read_them(access, staff, noon):
    given = draft(noon, basis="preservation", reference="P-1")
    made = access.authorities.record(staff["investigator"], given)
    assert access.authorities.active(staff["watch"]) == []
    with pytest.raises(AuthorityRefused, match="keeps data"):
        access.sessions.choose(staff["watch"], made.id)


def test_active_ones_are_those_that_may_be_read_under(access, staff, noon):
    record = access.authorities.record
    late = record(staff["investigator"], draft(noon, reference="late"))
    soon = record(staff["investigator"], draft(noon, reference="soon", valid_until=noon + DAY))
    record(staff["investigator"], draft(noon, reference="next", valid_from=noon + HOUR))
    gone = record(staff["investigator"], draft(noon, reference="gone"))
    access.authorities.withdraw(staff["custodian"], gone.id, "a mistake")
    assert access.authorities.active(staff["watch"]) == [soon, late]
    assert len(access.authorities.recorded(staff["overseer"])) == 4
    assert access.authorities.active(staff["overseer"]) == []


def test_an_emergency_needs_a_second_officer(access, staff, noon):
    made = access.authorities.record(staff["supervisor"], emergency(noon))
    assert made.confirm_by == noon + 2 * HOUR
    assert made.state(noon) is AuthorityState.UNCONFIRMED
    assert access.sessions.choose(staff["watch"], made.id).authority == made
    with pytest.raises(Refused):
        access.authorities.confirm(staff["supervisor"], made.id)  # who recorded it
    with pytest.raises(Refused):
        access.authorities.confirm(staff["investigator"], made.id)  # not of that role
    confirmed = access.authorities.confirm(staff["custodian"], made.id)
    access.clock.advance(3 * HOUR)
    assert confirmed.state(access.clock.now()) is AuthorityState.IN_FORCE
    assert access.authorities.sweep() == []
    with pytest.raises(Conflict):
        access.authorities.confirm(staff["custodian"], made.id)


def test_an_unconfirmed_emergency_ends_and_is_told_once(access, staff, noon):
    made = access.authorities.record(staff["supervisor"], emergency(noon))
    reading = access.sessions.choose(staff["watch"], made.id)
    access.clock.advance(2 * HOUR - timedelta(seconds=1))
    assert access.authorities.sweep() == []
    access.clock.advance(timedelta(seconds=1))
    thing = Thing("finding", "f", access.kernel.agency, Mark.AMBER)
    with (
        pytest.raises(AuthorityRefused, match="lapsed"),
        access.kernel.view(reading) as view,
    ):
        view.under_authority("findings.finding.view", thing, "calls", NUMBER)
    with pytest.raises(Conflict):
        access.authorities.confirm(staff["custodian"], made.id)
    assert access.authorities.sweep() == [made.id]
    assert access.authorities.sweep() == []
    lapses = [e for e in access.entries() if e[0] == "access.authority.lapse"]
    assert lapses == [
        ("access.authority.lapse", "done", "node", {"recorded_by": staff["supervisor"].id})
    ]
    what = [s.what for s in access.authorities.history(staff["overseer"], made.id)]
    assert what == ["recorded", "lapsed"]
    with access.kernel.rows.read() as session:
        lapsed = session.query(EventRow).filter_by(topic="access.authority.lapsed")
        assert [e.payload for e in lapsed] == [{"authority": made.id, "kind": "emergency"}]


def test_a_withdrawn_emergency_does_not_lapse_as_well(access, staff, noon):
    made = access.authorities.record(staff["supervisor"], emergency(noon))
    access.authorities.withdraw(staff["custodian"], made.id, "danger is over")
    access.clock.advance(3 * HOUR)
    assert access.authorities.sweep() == []


def test_an_emergency_names_whom_it_covers(access, staff, noon):
    with pytest.raises(BadInput, match="names whom"):
        access.authorities.record(
            staff["supervisor"], emergency(noon, scope=Scope(frozenset({"calls"})))
        )


def test_programs_and_commands_name_the_reference(access, staff, noon):
    made = access.authorities.record(access.console, draft(noon))
    actor = access.authorities.under(access.console, "HC-114/2026")
    assert actor.authority == made
    assert access.authorities.under(access.console, made.id).authority == made
    with pytest.raises(NotFound):
        access.authorities.under(access.console, "HC-115/2026")
    access.clock.advance(31 * DAY)
    with pytest.raises(AuthorityRefused, match="expired"):
        access.authorities.under(access.console, "HC-114/2026")


def test_an_emergency_is_recorded_by_a_person(access, staff, noon):
    program = access.tokens.issue(
        access.console, "importer", ["access.authority.view"], timedelta(days=1)
    )
    for actor in (access.console, access.tokens.find(program.secret)):
        with pytest.raises(Refused):
            access.authorities.record(actor, emergency(noon))
        act, outcome, by, _ = access.entries()[-1]
        assert (act, outcome, by) == ("access.authority.record", "refused", actor.id)
    with pytest.raises(Refused, match="recorded by an officer"):
        access.authorities.record(access.console, emergency(noon))
    assert access.authorities.recorded(staff["overseer"]) == []
    assert access.authorities.record(access.console, draft(noon)).kind is AuthorityKind.WARRANT
