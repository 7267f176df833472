"""Masking: stable, not reversible without the key, and thorough."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel import masking
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.masking import Masker, redact

KEY = b"0123456789abcdef"
NUMBER = "number:+923001234455"
masker = Masker(KEY)


def finding(*subjects: str, says: str, **extra: object) -> Finding:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = Finding.make(
        kind="calls.out_fan",
        subjects=subjects,
        start=moment,
        end=moment,
        confidence=0.5,
        reasons=[Reason("x", 1.0, "1", None, says)],
        records=[],
        detector="d",
        version="1",
    )
    made.extra.update(extra)
    return made


def test_a_pseudonym_is_stable_and_of_its_key_and_type() -> None:
    masked = masker.mask_subject(NUMBER)
    assert masked == Masker(KEY).mask_subject(NUMBER)
    assert masked != Masker(b"another key 16 b").mask_subject(NUMBER)
    assert (
        masker.mask("imsi", "410011234567890")[:13] != masker.mask("imei", "410011234567890")[:13]
    )
    head, tail = masked.split("·")
    assert tail == "455"
    assert head.startswith("number:~")
    assert len(head) == len("number:~") + 12


def test_only_what_is_a_pseudonym_is_taken_for_one() -> None:
    own = masker.mask("number", "+923001234455")
    for kept in (own, own.partition("·")[0]):
        assert masker.mask("number", kept) == kept
        assert masker.pseudonym("login", kept) != kept
    for typed in ("~", "~secret +923001234455", own + " x", "x" + own, own + "\n", "~SECRET"):
        masked = masker.mask("login", typed)
        assert len(masked) == 13
        assert masked != typed
        assert masker.mask("number", typed).partition("·")[0] not in (typed, own)


@pytest.mark.parametrize("last", [0, 1, 2, 3, 4])
def test_policy_says_how_many_digits_stay(last: int) -> None:
    masked = Masker(KEY, last).mask_subject(NUMBER)
    assert masked.partition("·")[2] == ("4455"[-last:] if last else "")


@given(st.text(string.digits, min_size=1, max_size=15))
def test_no_more_than_the_last_digits_survive(digits: str) -> None:
    masked = masker.mask("number", "+" + digits)
    shown = masked.partition("·")[2]
    assert shown in ("", digits[-3:])
    assert bool(shown) == (len(digits) >= 8)
    assert masker.mask("number", masked) == masked  # twice masked is once masked


@given(st.sets(st.integers(10**9, 10**10 - 1), min_size=200, max_size=400))
def test_pseudonyms_do_not_clash(numbers: set[int]) -> None:
    assert len({masker.mask("number", f"+92{n}").split("·")[0] for n in numbers}) == len(numbers)


def test_only_subjects_that_point_at_a_person_are_masked() -> None:
    for subject in ("mmsi:463012345", "cell:410-01-17-4", "zone:z1", "unit:p-3", "odd"):
        assert masker.mask_subject(subject) == subject
    for type_ in ("number", "imsi", "imei", "account", "person"):
        assert "41001123456" not in masker.mask_subject(f"{type_}:410011234567890")
    assert "·" not in masker.mask_subject("person:35202-1234567-1")


def test_a_weak_key_or_policy_is_refused() -> None:
    with pytest.raises(BadInput):
        Masker(b"short")
    with pytest.raises(BadInput):
        Masker(KEY, 9)


@pytest.mark.parametrize(
    "written",
    [
        "+923001234455",
        "923001234455",
        "03001234455",
        "0300 1234455",
        "0300-123-4455",
        "+92 (300) 1234455",
        "00923001234455",
        "3001234455",
    ],
)
def test_every_way_of_writing_a_subject_is_masked(written: str) -> None:
    masked = masker.mask_finding(
        finding(NUMBER, says=f"{written} called 214 people"), lambda _: False
    )
    says = masked.reasons[0].says
    assert "1234455" not in says.replace("-", "").replace(" ", "")
    assert says.endswith("called 214 people")
    assert masker.mask_subject(NUMBER).partition(":")[2] in says
    assert masked.subjects == (masker.mask_subject(NUMBER),)


def test_of_many_subjects_only_those_that_the_words_may_name_are_looked_for(monkeypatch) -> None:
    looked_for: list[str] = []
    written = masking._written
    monkeypatch.setattr(masking, "_written", lambda s: looked_for.append(s) or written(s))
    many = [f"number:+92300{at:07d}" for at in range(1000, 1300)]
    named = {"number:+923000001007": "0300 000 1007", "number:+923000001299": "00923000001299"}
    said = finding(
        *many, "handle:odd.name", says=f"{named['number:+923000001007']} and odd.name called",
        deep=[{named["number:+923000001299"]: ["+92-300-0001007"]}],
    )  # fmt: skip
    masked = masker.mask_finding(said, lambda _: False)
    assert sorted(looked_for) == ["handle:odd.name", *sorted(named)]
    assert not [s for s in masked.subjects if "~" not in s]
    for subject in named:
        assert masker.mask_subject(subject).partition(":")[2] in f"{masked.reasons}{masked.extra}"
    assert "odd.name" not in masked.reasons[0].says


def test_what_may_be_seen_stays_and_whoever_else_is_named_goes() -> None:
    other = "number:+923214445566"
    said = finding(
        NUMBER,
        other,
        "cell:KHI-1",
        says="+923001234455 called +923214445566 and +923337778899 at KHI-1",
        note={"with": ["+923337778899", "+923214445566"]},
    )
    masked = masker.mask_finding(said, lambda s: s == NUMBER)
    assert NUMBER in masked.subjects
    assert "cell:KHI-1" in masked.subjects
    says = masked.reasons[0].says
    assert "+923001234455" in says
    assert "3214445566" not in says
    assert "3337778899" not in says
    assert "3214445566" not in str(masked.extra)
    assert "3337778899" not in str(masked.extra)
    assert masker.mask_finding(said, lambda _: True).subjects == said.subjects


@pytest.mark.parametrize(
    "text",
    [
        "+923001234567",
        "0300-1234567",
        "(0300) 123 4567",
        "0300.1234567",
        "410011234567890",
        "35-209900-176148-1",
        "35202-1234567-1",
        "۰۳۰۰۱۲۳۴۵۶۷",
        "%2B923001234567",
        "tel03001234567x",
        "call-03001234567",
        "caller=03001234567,",
        "12345678901234567890123456789012345",
    ],
)
def test_redact_takes_out_what_looks_like_a_person(text: str) -> None:
    clean = redact(f"before {text} after")
    assert sum(c.isdecimal() for c in clean) <= 1  # the 2 of %2B
    assert clean.startswith("before ")
    assert clean.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-17T08:30:00Z",
        "2026-01-17 08:30:00.123456+00:00",
        "2026-01-17",
        "019c1111-2222-7333-8444-123456789012",
        "a" * 8 + "0" * 20 + "1" * 36,
        "192.168.100.200",
        "read 1284 rows in 12.5 s",
        "463012345"[:8],
    ],
)
def test_redact_keeps_what_is_none(text: str) -> None:
    assert redact(text) == text


@given(st.integers(10**9, 10**15), st.sampled_from(["", " ", "-", "."]), st.text(max_size=10))
def test_redact_finds_numbers_in_any_text(number: int, gap: str, around: str) -> None:
    digits = str(number)
    written = digits[:4] + gap + digits[4:]
    surround = "".join(c for c in around if not c.isdecimal() and c not in "+-.() /")
    clean = redact(f"{surround} ‹{written}› {surround}")
    assert digits[4:] not in clean
