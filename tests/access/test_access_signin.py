"""Signing in, failing to, being locked out, and the second factor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from cordon.kernel.access.model import Role
from cordon.kernel.access.passwords import PasswordRules, Passwords
from cordon.kernel.access.sessions import Opened
from cordon.kernel.access.signin import Challenge, SignIn
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.errors import BadInput, NotSignedIn, SignInRefused

PASSWORD = "monsoon lantern quarry"  # as in conftest


def fails(access, login: str, password: str, code: str | None = None) -> str:
    with pytest.raises(SignInRefused) as refused:
        access.signin.by_password(login, password, code)
    return str(refused.value)


def enrol(access, login: str) -> pyotp.TOTP:
    actor = access.sign_in(login)
    begun = access.officers.begin_second_factor(actor, PASSWORD)
    totp = pyotp.TOTP(begun.secret)
    access.officers.finish_second_factor(actor, totp.at(access.clock.now()))
    access.clock.advance(timedelta(seconds=30))
    return totp


def test_a_good_password_opens_a_session_and_the_ledger_knows(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    opened = access.signin.by_password(" Amina ", PASSWORD, address="10.0.0.7", agent="Browser/1")
    assert isinstance(opened, Opened)
    actor = access.sessions.find(opened.token).actor
    assert (actor.id, actor.unit, actor.roles) == (officer.id, "watch-1", {Role.WATCH_OFFICER})
    act, outcome, who, detail = access.entries()[-1]
    assert (act, outcome, who) == ("access.session.open", "done", officer.id)
    assert detail == {"session": opened.session, "second_factor": False}


def test_all_failures_look_the_same_and_stand_in_the_ledger(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    bilal = access.officer("bilal", Role.WATCH_OFFICER)
    access.officers.lock(access.console, bilal.id, "left the service")
    said = {
        fails(access, "amina", "wrong"),
        fails(access, "nobody-here", PASSWORD),
        fails(access, "bilal", PASSWORD),
        fails(access, "amina", "x" * 10_000),
        fails(access, "", ""),
    }
    assert len(said) == 1
    refused = [e for e in access.entries() if e[1] == "refused"]
    assert [e[3]["why"] for e in refused] == [
        "password", "unknown", "disabled", "password", "unknown",
    ]  # fmt: skip
    assert {e[2] for e in refused} == {"nobody"}
    kept = str(access.entries())
    assert "nobody-here" not in kept
    assert PASSWORD not in kept
    assert officer.login not in str(refused)


def test_whatever_is_typed_as_a_name_is_refused_alike_and_stands_only_as_a_pseudonym(access):
    """People type passwords and numbers into the wrong field, with any sign before them."""
    typed = ("~secret +923001234455", "inv\0alid", "\0", "lone \ud800 surrogate", "~")
    assert len({fails(access, name, PASSWORD) for name in typed}) == 1
    refused = [e for e in access.entries() if e[1] == "refused"]
    assert [e[3]["why"] for e in refused] == ["unknown"] * len(typed)
    kept = str(access.entries())
    for part in ("secret", "923001234455", "inv", "lone"):
        assert part not in kept


def test_failures_lock_for_a_time_that_grows_and_success_begins_anew(access):
    access.officer("amina", Role.WATCH_OFFICER)
    for _ in range(3):
        fails(access, "amina", "wrong")
    lock = [e for e in access.entries() if e[0] == "access.officer.lock"]
    assert lock == [("access.officer.lock", "done", "node", {"failures": 3, "minutes": 15})]
    fails(access, "amina", PASSWORD)  # right, and locked out
    access.clock.advance(timedelta(minutes=14, seconds=59))
    fails(access, "amina", PASSWORD)
    access.clock.advance(timedelta(seconds=1))
    for _ in range(3):
        fails(access, "amina", "wrong")
    access.clock.advance(timedelta(minutes=29))
    fails(access, "amina", PASSWORD)
    access.clock.advance(timedelta(minutes=1))
    assert access.sign_in("amina")
    for _ in range(3):
        fails(access, "amina", "wrong")
    assert [e for e in access.entries() if e[0] == "access.officer.lock"][-1][3]["minutes"] == 15


def test_many_guesses_at_once_do_not_slip_past_the_lock(access):
    access.officer("amina", Role.WATCH_OFFICER)
    guesses = ["wrong"] * 12 + [PASSWORD]

    def guess(password: str) -> bool:
        try:
            access.signin.by_password("amina", password)
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(guess, guesses[:-1]))
        assert not guess(guesses[-1])
    counted = [e for e in access.entries() if e[3].get("why") == "password"]
    assert len(counted) == 3


def test_a_person_can_lock_and_unlock(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officer("chief", Role.SUPERVISOR)
    chief = access.sign_in("chief")
    opened = access.signin.by_password("amina", PASSWORD)
    access.officers.lock(chief, officer.id, "phone was stolen")
    with pytest.raises(NotSignedIn):
        access.sessions.find(opened.token)
    fails(access, "amina", PASSWORD)
    access.officers.unlock(chief, officer.id)
    assert access.sign_in("amina").id == officer.id
    with pytest.raises(BadInput):
        access.officers.lock(chief, officer.id, " ")


def test_the_second_factor_is_asked_for_and_taken_once(access):
    access.officer("amina", Role.WATCH_OFFICER)
    totp = enrol(access, "amina")
    challenge = access.signin.by_password("amina", PASSWORD)
    assert isinstance(challenge, Challenge)
    with pytest.raises(NotSignedIn):
        access.sessions.find(challenge.token)
    code = totp.at(access.clock.now())
    opened = access.signin.by_code(challenge.token, code)
    assert access.sessions.find(opened.token).actor.name == "Officer amina"
    with pytest.raises(SignInRefused):
        access.signin.by_code(challenge.token, code)  # replayed within its own step
    access.clock.advance(timedelta(seconds=30))
    with pytest.raises(SignInRefused):
        access.signin.by_code(challenge.token, code)  # and within the next, which ±1 would take
    assert isinstance(
        access.signin.by_password("amina", PASSWORD, totp.at(access.clock.now())), Opened
    )


def test_the_code_that_enrolled_a_device_does_not_sign_in(access):
    access.officer("amina", Role.WATCH_OFFICER)
    actor = access.sign_in("amina")
    totp = pyotp.TOTP(access.officers.begin_second_factor(actor, PASSWORD).secret)
    code = totp.at(access.clock.now())
    with pytest.raises(BadInput):
        access.officers.finish_second_factor(actor, "000000" if code != "000000" else "111111")
    access.officers.finish_second_factor(actor, code)
    fails(access, "amina", PASSWORD, code)


def test_wrong_codes_lock_out_as_wrong_passwords_do(access):
    access.officer("amina", Role.WATCH_OFFICER)
    totp = enrol(access, "amina")
    challenge = access.signin.by_password("amina", PASSWORD)
    right = totp.at(access.clock.now())
    for _ in range(3):
        with pytest.raises(SignInRefused):
            access.signin.by_code(challenge.token, f"{(int(right) + 7) % 1_000_000:06d}")
    with pytest.raises(SignInRefused):
        access.signin.by_code(challenge.token, right)


@pytest.mark.parametrize("change", ["time", "password", "bytes"])
def test_a_challenge_ends(access, change):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    totp = enrol(access, "amina")
    token = access.signin.by_password("amina", PASSWORD).token
    if change == "time":
        access.clock.advance(timedelta(minutes=5))
    elif change == "password":
        access.officers.set_password(access.console, officer.id, "another long secret of hers")
    else:
        token = ("A" if token[0] != "A" else "B") + token[1:]
    with pytest.raises(SignInRefused):
        access.signin.by_code(token, totp.at(access.clock.now()))
    assert access.entries()[-1][1:] == ("refused", "nobody", {"why": "challenge"})


def test_the_secret_of_a_device_is_sealed_at_rest_and_bound_to_its_officer(access):
    one = access.officer("amina", Role.WATCH_OFFICER)
    two = access.officer("bilal", Role.WATCH_OFFICER)
    totp = enrol(access, "amina")
    with access.kernel.rows.write() as session:
        row = session.get(OfficerRow, one.id)
        assert totp.secret not in row.totp
        session.get(OfficerRow, two.id).totp = row.totp
    with pytest.raises(Exception, match="does not open"):
        access.signin.by_password("bilal", PASSWORD, totp.at(access.clock.now()))


def test_a_hash_grows_with_its_parameters(access):
    officer = access.officer("amina", Role.WATCH_OFFICER)

    def kept() -> str:
        with access.kernel.rows.read() as session:
            return session.get(OfficerRow, officer.id).password

    before = kept()
    stronger = Passwords(PasswordRules(memory_kib=128, passes=2))
    signin = SignIn(access.kernel, access.sessions, stronger, access.sealing, access.signin.rules)
    assert isinstance(signin.by_password("amina", PASSWORD), Opened)
    assert "m=64,t=1" in before
    assert "m=128,t=2" in kept()
    assert isinstance(signin.by_password("amina", PASSWORD), Opened)


def test_an_officer_without_a_password_does_not_get_in_by_one(access):
    access.officers.add(access.console, login="oidc-only", name="O", roles=[Role.SUPERVISOR])
    fails(access, "oidc-only", "")
    fails(access, "oidc-only", "nobody has this password")
