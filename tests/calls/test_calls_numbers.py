"""Numbers: the rule for whole columns says what phonenumbers says."""

from __future__ import annotations

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.calls.numbers import Numbers, _in_e164, normalised
from cordon.kernel.errors import BadInput

REGIONS = ("PK", "IR", "US", "AR", "IT", "GB")
written = st.one_of(
    st.from_regex(r"(\+92|0092|92|0|\+9203|\+1|\+44|)[0-9]{6,12}", fullmatch=True),
    st.from_regex(r"(0|\+92)3[0-9]{2}[ -]?[0-9]{7}", fullmatch=True),
    st.text(max_size=14),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(written, min_size=1, max_size=30), st.sampled_from(REGIONS))
def test_a_column_is_normalised_as_each_of_its_values(values: list[str], region: str) -> None:
    column = Numbers(region).column(pa.array(values, pa.string()))
    assert column.to_pylist() == [normalised(v, region) for v in values]


@settings(max_examples=200, deadline=None)
@given(written, st.sampled_from(REGIONS))
def test_normalised_once_is_normalised(text: str, region: str) -> None:
    once = normalised(text, region)
    if once is not None and once.startswith("+"):
        assert normalised(once, region) == once


CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@settings(max_examples=1000, deadline=None)
@given(
    st.one_of(st.sampled_from(CODES), st.integers(1, 999)),
    st.from_regex(r"[0-9]{6,15}", fullmatch=True),
    st.sampled_from(REGIONS),
)
def test_a_foreign_number_is_told_as_phonenumbers_writes_it(
    code: int, rest: str, region: str
) -> None:
    """The short way, which parses nothing, against the whole one."""
    bare = f"+{code}{rest}"
    assert normalised(bare, region) == (_in_e164(bare, region) or bare)


@pytest.mark.parametrize("code", CODES)
def test_a_plans_own_numbers_stay_as_they_stand(code: int) -> None:
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    example = phonenumbers.example_number(region) or phonenumbers.example_number_for_non_geo_entity(
        code
    )
    bare = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert normalised(bare, "PK") == bare == (_in_e164(bare, "PK") or bare)


@pytest.mark.parametrize("region", REGIONS)
def test_real_numbers_of_a_region_become_e164(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    column = Numbers(region).column(pa.array([e164, national, e164]))
    assert column.to_pylist() == [e164] * 3


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("03001234567", "+923001234567"),
        ("0300 123-4567", "+923001234567"),
        ("923001234567", "+923001234567"),
        ("00923001234567", "+923001234567"),
        ("+9203001234567", "+923001234567"),
        ("۰۳۰۰۱۲۳۴۵۶۷", "+923001234567"),
        ("+14155550123", "+14155550123"),
        ("8171", "8171"),
        *(
            (dirty, "+923001234567")
            for dirty in (
                "\u200b03001234567",
                "\ufeff03001234567\u2069",
                "0300\x001234567",
                "\x0103001234567",
                "\u202a+923001234567\u202c",
                "923001234567F",
                "+92 300 1234567ff",
                "tel:+923001234567",
                "TEL:+92-300-1234567;ext=1",
                "+923001234567;phone-context=x",
                "tel:3001234567;phone-context=+92",
                "sip:03001234567@ims.example.org;user=phone",
                "sip:+923001234567@ims.mnc001.mcc410.3gppnetwork.org",
                "sips:+923001234567;npdi@[2001:db8::1]:5061",
            )
        ),
        ("121F", "121"),
        ("\u200bHBL-ALERT\x00", "HBL-ALERT"),
        ("03001234567;03001234568", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("sip:info@bank.pk", "sip:info@bank.pk"),
        ("92F", "92F"),
        ("\u200b", None),
        ("03001234567.0", "+923001234567"),
        ("+923001234567.00", "+923001234567"),
        ("3001234567,0", "+923001234567"),
        ("121.0", "121"),
        ("0300.123.45.67", "+923001234567"),
        ("01.23.45.67.00", "+92123456700"),
        ("15", "15"),
        ("HBL-ALERT", "HBL-ALERT"),
        ("9.23E+11", None),
        ("", None),
        ("  ", None),
        ("###", None),
        ("1" * 40, None),
    ],
)
def test_forms(text: str, kept: str | None) -> None:
    assert normalised(text, "PK") == kept


def test_a_region_without_a_plan_is_refused() -> None:
    with pytest.raises(BadInput):
        Numbers("ZZ")
