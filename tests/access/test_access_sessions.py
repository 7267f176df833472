"""Sessions: how they end, what they carry, and the token of their forms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel.access.model import Role
from cordon.kernel.access.sessions import csrf_fits, csrf_token
from cordon.kernel.access.tables import SessionRow
from cordon.kernel.errors import NotSignedIn, Refused

PASSWORD = "monsoon lantern quarry"  # as in conftest


def opened(access, login: str = "amina"):
    return access.signin.by_password(login, PASSWORD)


def ended(access, token: str) -> bool:
    try:
        access.sessions.find(token)
    except NotSignedIn:
        return True
    return False


def test_a_session_ends_when_idle(access):
    access.officer("amina", Role.WATCH_OFFICER)
    token = opened(access).token
    for _ in range(3):
        access.clock.advance(timedelta(minutes=59))
        assert not ended(access, token)
    access.clock.advance(timedelta(minutes=60))
    assert ended(access, token)


def test_a_session_ends_after_its_longest_time_however_busy(access):
    access.officer("amina", Role.WATCH_OFFICER)
    token = opened(access).token
    for _ in range(25):
        access.clock.advance(timedelta(minutes=30))
        assert not ended(access, token)
    access.clock.advance(timedelta(minutes=30))
    assert ended(access, token)


def test_the_token_itself_is_kept_nowhere(access):
    access.officer("amina", Role.WATCH_OFFICER)
    session = opened(access)
    with access.kernel.rows.read() as rows:
        row = rows.get(SessionRow, session.session)
        assert session.token not in [str(v) for v in vars(row).values()]
        hashed = row.token
    assert ended(access, hashed)
    assert ended(access, "")
    assert session.token not in repr(session)


def test_changes_of_an_officer_hold_from_the_next_request(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    token = opened(access).token
    access.officers.change(access.console, officer.id, roles=[Role.INVESTIGATOR])
    assert access.sessions.find(token).actor.roles == {Role.INVESTIGATOR}


def test_signing_out_ends_one_session_and_revoking_all_the_rest(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officer("boss", Role.ADMINISTRATOR)
    first, second, third = (opened(access) for _ in range(3))
    amina = access.sessions.find(first.token).actor
    assert len(access.sessions.open_ones(amina, officer.id)) == 3
    access.sessions.revoke(amina, first.session)
    assert ended(access, first.token)
    assert not ended(access, second.token)
    boss = access.sessions.find(opened(access, "boss").token).actor
    assert access.sessions.revoke_all(boss, officer.id, but=third.session) == 1
    assert ended(access, second.token)
    assert not ended(access, third.token)
    acts = [(e[0], e[2]) for e in access.entries() if e[0] == "access.session.revoke"]
    assert acts == [("access.session.revoke", officer.id), ("access.session.revoke", boss.id)]


def test_nobody_ends_or_sees_a_colleagues_session(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officer("bilal", Role.WATCH_OFFICER)
    session = opened(access)
    bilal = access.sign_in("bilal")
    with pytest.raises(Refused):
        access.sessions.revoke(bilal, session.session)
    with pytest.raises(Refused):
        access.sessions.open_ones(bilal, officer.id)
    assert not ended(access, session.token)
    assert access.entries()[-1][1] == "refused"


def test_a_new_password_ends_ones_other_sessions(access):
    access.officer("amina", Role.WATCH_OFFICER)
    here, there = opened(access), opened(access)
    actor = access.sessions.find(here.token).actor
    access.officers.change_own_password(actor, PASSWORD, "another long secret of hers")
    assert not ended(access, here.token)
    assert ended(access, there.token)


def test_old_sessions_are_swept(access):
    access.officer("amina", Role.WATCH_OFFICER)
    opened(access)
    access.clock.advance(timedelta(days=20))
    session = opened(access)
    access.clock.advance(timedelta(days=12))
    assert access.sessions.sweep() == 1
    with access.kernel.rows.read() as rows:
        assert [r.id for r in rows.query(SessionRow)] == [session.session]


def test_a_forms_token_is_of_its_session_alone(access):
    access.officer("amina", Role.WATCH_OFFICER)
    one, two = (access.sessions.find(opened(access).token).csrf_secret for _ in range(2))
    token = csrf_token(one)
    assert csrf_fits(one, token)
    assert not csrf_fits(two, token)
    assert csrf_token(one) != token  # never the same twice: compression gives nothing away
    assert one not in token


@given(st.text(max_size=80))
def test_no_other_text_passes_for_a_forms_token(text):
    secret = "5a" * 32
    assert not csrf_fits(secret, text)
    assert not csrf_fits(secret, None)
    good = csrf_token(secret)
    if text:
        assert not csrf_fits(secret, good + text)
