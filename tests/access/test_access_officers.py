"""Officers and units: who may be what, and who may make them so."""

from __future__ import annotations

import stat

import pytest

from cordon.kernel.access.model import Mark, Role
from cordon.kernel.access.officers import OF_PERSONS, invented_password
from cordon.kernel.access.passwords import Passwords
from cordon.kernel.access.sealing import KEY_FILE, Sealing
from cordon.kernel.access.units import know_agency
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, NotFound, Refused, WrongSetting
from support import quick


def add(access, login="amina", roles=(Role.WATCH_OFFICER,), **given):
    return access.officers.add(access.console, login=login, name="Someone", roles=roles, **given)


def test_an_officer_is_kept_as_given_and_found_again(access):
    access.units.add(access.console, "gwadar", "Gwadar station")
    made = add(access, "  Amina.K ", unit="gwadar", cleared=Mark.AMBER, language="ur")
    assert (made.login, made.unit, made.language) == ("amina.k", "gwadar", "ur")
    assert access.officers.get(access.console, made.id) == made
    assert access.officers.by_login(access.console, "AMINA.K") == made
    assert access.officers.known(access.console) == [made]
    with pytest.raises(Conflict):
        add(access, "AMINA.k")
    with pytest.raises(NotFound):
        access.officers.get(access.console, "no-such")


@pytest.mark.parametrize("role", sorted(OF_PERSONS))
def test_whoever_oversees_or_grants_powers_has_no_other_role(access, role):
    for alone in (Role.OVERSEER, Role.ADMINISTRATOR):
        if role is not alone:
            with pytest.raises(BadInput):
                add(access, f"x-{role}", [role, alone])
    assert add(access, f"x-{role}", [role]).roles == {role}


@pytest.mark.parametrize("roles", [[], [Role.SERVICE], [Role.WATCH_OFFICER, Role.CONSOLE]])
def test_no_person_is_a_program(access, roles):
    with pytest.raises(BadInput):
        add(access, roles=roles)


@pytest.mark.parametrize("login", ["", "a", "has space", "semi;colon", "x" * 81, "../up"])
def test_a_sign_in_name_is_plain(access, login):
    with pytest.raises(BadInput):
        add(access, login)


def test_an_administrator_changes_others_and_not_themselves(access):
    boss = access.officer("boss", Role.ADMINISTRATOR)
    amina = access.officer("amina", Role.WATCH_OFFICER)
    actor = access.sign_in("boss")
    changed = access.officers.change(actor, amina.id, roles=[Role.SUPERVISOR], cleared=Mark.RED)
    assert (changed.roles, changed.cleared) == ({Role.SUPERVISOR}, Mark.RED)
    detail = access.entries()[-1][3]
    assert detail["before"]["roles"] == ["watch_officer"]
    assert detail["after"] == {"roles": ["supervisor"], "unit": "watch-1", "cleared": "TLP:RED"}
    for way in (
        lambda: access.officers.change(actor, boss.id, roles=[Role.SUPERVISOR]),
        lambda: access.officers.lock(actor, boss.id, "no reason"),
        lambda: access.officers.unlock(actor, boss.id),
        lambda: access.officers.change(access.sign_in("amina"), boss.id, roles=[Role.OVERSEER]),
    ):
        with pytest.raises(Refused):
            way()
    assert access.officers.get(actor, boss.id).roles == {Role.ADMINISTRATOR}


def test_own_language_and_theme(access):
    access.officer("amina", Role.WATCH_OFFICER)
    actor = access.sign_in("amina")
    access.officers.prefer(actor, language="ur", theme="dark")
    kept = access.officers.get(actor, actor.id)
    assert (kept.language, kept.theme) == ("ur", "dark")
    with pytest.raises(BadInput):
        access.officers.prefer(actor, theme="pink")


def test_units_form_a_tree_and_close_when_empty(access):
    units, by = access.units, access.console
    units.add(by, "coast", "Coast")
    units.add(by, "gwadar", "Gwadar", parent="coast")
    add(access, unit="gwadar")
    with pytest.raises(BadInput):
        units.change(by, "coast", parent="gwadar")
    with pytest.raises(BadInput):
        units.add(by, "pasni", "Pasni", parent="nowhere")
    with pytest.raises(Conflict):
        units.add(by, "coast", "Coast again")
    with pytest.raises(Conflict):
        units.close(by, "gwadar")
    assert units.close(by, "coast").closed
    with pytest.raises(BadInput):
        add(access, "bilal", unit="coast")
    assert [u.code for u in units.known(by)] == ["coast", "gwadar"]


def test_an_agency_is_known_once(access):
    know_agency(access.kernel, "pk-test", "Test agency")
    know_agency(access.kernel, "pk-test", "Test agency, renamed")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "amina-goes-home",
        "the someone else",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "Password12345!",
        "123456789012345",
        "qwertyuiopas1",
        "zyxwvutsrqponm",
        "x" * 300,
    ],
)
def test_a_guessable_password_is_refused(password):
    with pytest.raises(BadInput):
        Passwords().accept_new(password, login="amina", name="Someone")


@pytest.mark.parametrize(
    "password", ["monsoon lantern quarry", "چراغ دریا پہاڑ ہوا", "t7#Kp!w2Zq9x"]
)
def test_a_long_one_is_taken_in_any_script(password):
    Passwords().accept_new(password, login="amina", name="Someone")
    for _ in range(20):
        Passwords().accept_new(invented_password(), login="amina", name="Someone")


def test_a_password_typed_in_another_form_is_the_same(access):
    composed, decomposed = "caf\u00e9 lantern quarry", "cafe\u0301 lantern quarry"
    hashed = access.passwords.hash(composed)
    assert access.passwords.check(hashed, decomposed)
    assert not access.passwords.check(hashed, "cafe lantern quarry")
    assert not access.passwords.check(None, composed)
    assert not access.passwords.check("not a hash", composed)


def test_defaults_are_what_owasp_asks_for_at_least(monkeypatch):
    monkeypatch.setattr(Passwords.__init__, "__defaults__", quick.REAL_DEFAULTS)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in Passwords().hash("monsoon lantern quarry")


def test_the_access_key_is_made_once_and_kept_from_others(tmp_path):
    sealed = Sealing.load(tmp_path / "k").seal("secret", "totp:1")
    again = Sealing.load(tmp_path / "k")
    assert again.open(sealed, "totp:1") == "secret"
    with pytest.raises(DoesNotVerify):
        again.open(sealed, "totp:2")
    with pytest.raises(DoesNotVerify):
        Sealing.load(tmp_path / "other").open(sealed, "totp:1")
    for broken in ("", "!!", sealed[:-4], "é" * 40):
        with pytest.raises(DoesNotVerify):
            again.open(broken, "totp:1")
    key = tmp_path / "k" / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    with pytest.raises(WrongSetting):
        Sealing.load(tmp_path / "k")
