"""Facts of countries load, are whole, and stand nowhere else."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import phonenumbers
import pytest

from cordon.countries import codes, country
from cordon.kernel.access.model import AuthorityKind
from cordon.kernel.errors import BadInput

SOURCE = Path(__file__).parents[2] / "src" / "cordon"


@pytest.mark.parametrize("code", codes())
def test_every_country_is_whole(code: str) -> None:
    facts = country(code)
    assert facts.phone_region in phonenumbers.SUPPORTED_REGIONS
    assert re.fullmatch(r"[A-Z]{3}", facts.currency)
    assert re.fullmatch(r"[A-Z]{3}", facts.alpha3)
    assert re.fullmatch(r"\d{3}", facts.numeric)
    assert set(facts.languages) <= set(facts.names)
    assert -90 <= facts.view.lat <= 90
    assert -180 <= facts.view.lon <= 180
    assert timedelta(0) < facts.confirm_emergency <= timedelta(days=1)
    ids = [b.id for b in facts.authorities]
    assert len(ids) == len(set(ids))
    # a form that lacks a kind would drive officers to choose a wrong one
    assert {b.kind for b in facts.authorities} == set(AuthorityKind)
    for basis in facts.authorities:
        assert basis.law
        assert basis.issuer
        assert basis.longest is None or basis.longest > timedelta(0)


def test_pakistan_sets_the_lengths_of_its_acts() -> None:
    pk = country("PK")
    assert pk.basis("fair_trial_warrant").longest == timedelta(days=60)
    assert pk.basis("peca_preservation").longest == timedelta(days=90)
    assert pk.basis("peca_real_time").longest == timedelta(days=7)
    assert pk.zone.key == "Asia/Karachi"
    assert [b.id for b in pk.of_kind(AuthorityKind.CONSENT)] == ["consent"]


def test_an_unknown_country_or_basis_says_which_there_are() -> None:
    with pytest.raises(BadInput, match="pk"):
        country("zz")
    with pytest.raises(BadInput, match="fair_trial_warrant"):
        country("pk").basis("because")
    with pytest.raises(BadInput):
        country("../pk")


def test_law_of_one_country_stands_in_its_folder_alone() -> None:
    words = re.compile(r"PECA|Fair Trial Act|CNIC|Asia/Karachi")
    found = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if words.search(path.read_text("utf-8"))
    ]
    assert not found
