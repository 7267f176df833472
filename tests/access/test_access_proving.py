"""One person is not two: proving oneself inside a session, and who may lock whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cordon.kernel.access.model import Role
from cordon.kernel.errors import BadInput, Refused, SignInRefused

PASSWORD = "monsoon lantern quarry"  # as in conftest
NEW = "another long secret of hers"


@pytest.fixture
def amina(access):
    """An officer in a session."""
    access.officer("amina", Role.WATCH_OFFICER)
    return access.sign_in("amina")


def ways(access, actor):
    """Both places where a session asks for the password again."""
    return (
        lambda password: access.officers.change_own_password(actor, password, NEW),
        lambda password: access.officers.begin_second_factor(actor, password),
    )


@pytest.mark.parametrize("way", [0, 1])
def test_guessing_a_password_inside_a_session_is_counted_and_locks(access, amina, way):
    guess = ways(access, amina)[way]
    for _ in range(3):
        with pytest.raises(SignInRefused):
            guess("not the password")
    told = [e for e in access.entries() if e[1] == "refused"]
    assert [(e[0], e[2], e[3]) for e in told] == [
        ("access.self.change", amina.id, {"why": "password"})
    ] * 3
    act, outcome, by, detail = access.entries()[-1]
    assert (act, outcome, by) == ("access.officer.lock", "done", "node")
    assert detail == {"failures": 3, "minutes": 15}
    with pytest.raises(SignInRefused):
        guess(PASSWORD)  # right, and too late
    assert access.entries()[-1][3] == {"why": "locked"}
    with pytest.raises(SignInRefused):
        access.signin.by_password("amina", PASSWORD)
    access.clock.advance(timedelta(minutes=15))
    guess(PASSWORD)
    assert "not the password" not in str(access.entries())


def test_failures_inside_and_at_the_door_count_together(access, amina):
    with pytest.raises(SignInRefused):
        access.signin.by_password("amina", "wrong")
    for _ in range(2):
        with pytest.raises(SignInRefused):
            access.officers.change_own_password(amina, "wrong", NEW)
    with pytest.raises(SignInRefused):
        access.signin.by_password("amina", PASSWORD)


def test_another_persons_password_must_be_changed(access, amina):
    assert access.officers.get(amina, amina.id).must_change  # the console typed it
    access.officers.set_password(access.console, amina.id, NEW)
    token = access.signin.by_password("amina", NEW).token
    assert access.sessions.find(token).must_change
    actor = access.sessions.find(token).actor
    with pytest.raises(BadInput, match="present one"):
        access.officers.change_own_password(actor, NEW, NEW)
    access.officers.change_own_password(actor, NEW, PASSWORD)
    assert not access.sessions.find(token).must_change
    given = {"login": "bilal", "name": "B", "roles": [Role.CUSTODIAN]}
    assert access.officers.add(access.console, **given, password=NEW).must_change
    given["login"] = "by-provider"
    assert not access.officers.add(access.console, **given).must_change


@pytest.fixture
def staff(access):
    """Signed-in officers by name."""
    people = {
        "supervisor": Role.SUPERVISOR,
        "supervisor2": Role.SUPERVISOR,
        "overseer": Role.OVERSEER,
        "administrator": Role.ADMINISTRATOR,
        "watch": Role.WATCH_OFFICER,
    }
    for login, role in people.items():
        access.officer(login, role)
    return {login: access.sign_in(login) for login in people}


@pytest.mark.parametrize("whom", ["overseer", "administrator"])
def test_a_supervisor_locks_out_nobody_who_oversees_or_grants(access, staff, whom):
    with pytest.raises(Refused, match="locks no overseer"):
        access.officers.lock(staff["supervisor"], staff[whom].id, "they look at me")
    act, outcome, by, _ = access.entries()[-1]
    assert (act, outcome, by) == ("access.officer.lock", "refused", staff["supervisor"].id)
    access.sign_in(whom)  # still may
    access.officers.lock(access.console, staff[whom].id, "left the service")


def test_a_supervisor_lets_in_only_whom_a_supervisor_locked(access, staff):
    boss, other = staff["supervisor"], staff["supervisor2"]
    watch = staff["watch"].id
    access.officers.lock(boss, watch, "lost her card")
    assert access.officers.unlock(other, watch).disabled_at is None
    for by in (staff["administrator"], access.console):
        access.officers.lock(by, watch, "under inquiry")
        access.officers.lock(boss, watch, "and I lock her too")  # makes it no less theirs
        with pytest.raises(Refused, match="An administrator locked"):
            access.officers.unlock(boss, watch)
        assert access.entries()[-1][:2] == ("access.officer.lock", "refused")
        access.officers.unlock(staff["administrator"], watch)
    access.officers.lock(boss, watch, "lost her card")
    access.officers.lock(staff["administrator"], watch, "under inquiry")
    with pytest.raises(Refused):
        access.officers.unlock(boss, watch)


def test_a_supervisor_lets_in_whom_failures_locked(access, staff):
    for _ in range(3):
        with pytest.raises(SignInRefused):
            access.signin.by_password("overseer", "wrong")
    access.officers.unlock(staff["supervisor"], staff["overseer"].id)
    access.sign_in("overseer")
