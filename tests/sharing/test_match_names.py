"""Forms of values, and keys of names: across scripts, and how often they meet by chance."""

from __future__ import annotations

import csv
import random

import pytest

from cordon.kernel.errors import BadInput
from cordon.sharing.match import forms
from cordon.sharing.match.model import Kind
from cordon.sharing.match.names import asked_keys, held_keys, word_key


def meet(one, other):
    return bool(set(asked_keys(one)) & set(held_keys(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Muhammad Yousaf Khan", "محمد یوسف خان"),
        ("Mohd. Yusuf", "YUSOUF, Mohammed"),
        ("Abdul Aziz al-Qahtani", "عبد العزيز القحطاني"),
        ("Владимир Путин", "Vladimir PUTIN"),
        ("Fernando Pérez", "فرناندو بيريز"),
        ("Haji Asad Khan Zarkari", "Asad Zarkari"),
        ("Tayyip Erdoğan", "Mr. Tayyip Erdogan"),
        ("Сергей Викторович Лавров", "Sergei Lavrov"),
    ],
)
def test_one_name_in_two_writings(one, other):
    assert meet(one, other)
    assert meet(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Muhammad Yousaf", "Muhammad Rafiq"),
        ("عارف علی زرداری", "آصف علی زرداری"),
        ("Olaf Scholz", "Octavian Scholz"),
        ("محمد بن سلمان", "باراك أوباما"),
    ],
)
def test_other_names(one, other):
    assert not meet(one, other)


def test_a_name_of_one_word_has_no_key():
    for name in ("Khan", "Mr. Khan", "", "42 !"):
        assert held_keys(name) == asked_keys(name) == []


def test_a_long_name_has_few_keys():
    name = " ".join(f"{c}ar{d}ik" for c in "bdfgkl" for d in "mnrst")
    assert (len(held_keys(name)), len(asked_keys(name))) == (7, 8)


@pytest.mark.real_data
def test_words_written_in_arabic_and_latin_have_one_key(real_data):
    """Of 15,898 pairs of google/transliteration; measured 79 of 100."""
    lines = (real_data / "names" / "ar2en.txt").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in random.Random(3).sample(lines, 4000)]
    same = sum(word_key(p[0]) == word_key(p[1].strip()) for p in pairs)
    assert same / len(pairs) > 0.76


@pytest.mark.real_data
def test_labelled_pairs_and_chance(real_data):
    """Pairs of persons of nomenklatura; its false ones were chosen to look alike."""
    with (real_data / "names" / "name_bench.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["schema"] == "Person"]
    same, alike = (
        [meet(r["name1"], r["name2"]) for r in rows if r["is_match"] == label]
        for label in ("true", "false")
    )
    assert sum(same) / len(same) > 0.48  # measured 51 of 100: others are misspelt
    assert sum(alike) / len(alike) < 0.08  # measured 5 of 100
    names = sorted({r["name1"] for r in rows if held_keys(r["name1"])})
    drawn = random.Random(5)
    hits = tried = 0
    for _ in range(20_000):
        one, other = drawn.sample(names, 2)
        if not {w.casefold() for w in one.split()} & {w.casefold() for w in other.split()}:
            tried += 1
            hits += meet(one, other)
    assert hits / tried < 0.001, "two names without a common word meet by chance"


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        (Kind.NUMBER, "0300 1234567", "+923001234567"),
        (Kind.NUMBER, "+92 (300) 123-4567", "+923001234567"),
        (Kind.NUMBER, "٠٣٠٠١٢٣٤٥٦٧", "+923001234567"),
        (Kind.ACCOUNT, "pk36 scbl 0000 0011 2345 6702", "PK36SCBL0000001123456702"),
        (Kind.ACCOUNT, " 0011-2345 6702 ", "001123456702"),
        (Kind.PLATE, "leb-07 1234", "LEB071234"),
        (Kind.VESSEL, "IMO 9074729", "imo:9074729"),
        (Kind.VESSEL, "463012345", "mmsi:463012345"),
        (Kind.DOCUMENT, "42101-1234567-1", "4210112345671"),
        (Kind.NAME, "  Asad   Khan ", "Asad Khan"),
    ],
)
def test_one_form_however_it_is_written(kind, text, written):
    assert forms.written(kind, text, "PK") == written
    assert forms.written(kind, written.partition(":")[2] or written, "PK") == written


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.NUMBER, "12"),
        (Kind.NUMBER, "hello"),
        (Kind.ACCOUNT, "PK37SCBL0000001123456702"),
        (Kind.ACCOUNT, "12"),
        (Kind.PLATE, "--"),
        (Kind.VESSEL, "IMO 9074728"),
        (Kind.VESSEL, "MMSI 9074729"),
        (Kind.DOCUMENT, "ABCDEFG"),
        (Kind.NAME, "Khan"),
        (Kind.NAME, "x" * 300),
        (Kind.NUMBER, "0300\x001234567"),
    ],
)
def test_what_is_no_such_thing_is_refused_without_repeating_it(kind, text):
    with pytest.raises(BadInput) as refused:
        forms.written(kind, text, "PK")
    assert text not in str(refused.value)


def test_lines_are_refused_by_number_and_the_rest_goes_on():
    values, refused = forms.read(Kind.VESSEL, ["9074729", "", "x", "IMO 9074729"], "PK", 10)
    assert values == ["imo:9074729"]
    assert [r.row for r in refused] == [3]
    with pytest.raises(BadInput, match="at most 2"):
        forms.read(Kind.VESSEL, ["1", "2", "3"], "PK", 2)


def test_subjects_of_findings_that_can_be_matched():
    assert forms.of_subject("number:+923001234567", "PK") == (Kind.NUMBER, "+923001234567")
    assert forms.of_subject("mmsi:463012345", "PK") == (Kind.VESSEL, "mmsi:463012345")
    assert forms.of_subject("number:~abcdefghijkl·455", "PK") is None
    assert forms.of_subject("zone:1", "PK") is None
