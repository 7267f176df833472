"""Admiralty grades: read, the lowest of parts, and how other nodes say them."""

from __future__ import annotations

import pytest

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput
from cordon.sharing.agreements.grades import Grade, lowest
from cordon.sharing.agreements.model import Marks
from cordon.sharing.releases.model import marks_of, plain_marks


@pytest.mark.parametrize(
    ("text", "read"),
    [("B2", Grade("B", "2")), ("f6", Grade("F", "6")), ("", None), (None, None)],
)
def test_a_grade_is_read_as_it_is_written(text, read):
    assert Grade.read(text) == read


@pytest.mark.parametrize("text", ["G2", "B7", "B0", "2B", "B", "B22", "٢B", "AB", 22, ["B2"]])
def test_what_is_no_grade_is_refused(text):
    with pytest.raises(BadInput):
        Grade.read(text)


def test_a_whole_has_the_lowest_letter_and_digit_of_its_parts():
    assert lowest([None, Grade("A", "4"), Grade("C", "1")]) == Grade("C", "4")
    assert lowest([Grade("E", "1"), Grade("F", "1")]) == Grade("F", "1"), "not judged stands last"
    assert lowest([None, None]) is None
    parts = [Marks(Mark.CLEAR, grade=Grade("B", "2")), Marks(Mark.AMBER), Marks(Mark.GREEN)]
    whole = Marks.strictest(parts)
    assert (whole.mark, str(whole.grade)) == (Mark.AMBER, "B2")


def test_marks_with_and_without_a_grade_go_and_come_back():
    for grade in (None, Grade("D", "3")):
        marks = Marks(Mark.GREEN, grade=grade)
        assert marks_of(plain_marks(marks)) == marks
    assert "grade" not in plain_marks(Marks(Mark.GREEN)), "as nodes say it that know none"
    with pytest.raises(BadInput):
        marks_of(plain_marks(Marks(Mark.GREEN)) | {"grade": "Z9"})
