"""Addresses of numbers and handsets: by pseudonym, so that none stands in an address or a log."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from cordon.calls.charting import IMEI
from cordon.calls.tables import PseudonymRow
from cordon.kernel.masking import Masker
from cordon.kernel.work import View, Work

PAGES = {"number": "/calls/numbers/", "imei": "/calls/handsets/"}
_AT_ONCE = 500  # values of one question to the database


def pseudonym(masker: Masker, subject: str) -> str:
    """What stands for a subject (`type:id`) in an address: no digit of it."""
    type_, _, value = subject.partition(":")
    return masker.mask(type_, value).partition("·")[0]


def address(masker: Masker, subject: str) -> str:
    """The page of a number or of a handset (`imei:`, compared on 14 digits); masked ones too."""
    subject = _compared(subject)
    return PAGES[subject.partition(":")[0]] + pseudonym(masker, subject)


def _compared(subject: str) -> str:
    """The subject as records are compared by it: a handset without its check digit."""
    if subject.startswith("imei:") and "~" not in subject:
        return subject[: len("imei:") + IMEI]
    return subject


def remember(work: Work, subjects: Iterable[str]) -> None:
    """Let pseudonyms of these subjects lead to their pages.

    A handset is found by the pseudonym of all its digits too: a masked finding may bear that.
    """
    masker = work.kernel.masker
    given = set(subjects)
    asked = {pseudonym(masker, s): _compared(s) for s in given | set(map(_compared, given))}
    names = sorted(asked)
    for begin in range(0, len(names), _AT_ONCE):
        some = names[begin : begin + _AT_ONCE]
        work.kernel.rows.alone(work.session, "calls.pseudonyms")
        there = set(
            work.session.scalars(
                select(PseudonymRow.pseudonym).where(PseudonymRow.pseudonym.in_(some))
            )
        )
        work.session.add_all(
            PseudonymRow(pseudonym=n, subject=asked[n]) for n in some if n not in there
        )
        work.session.flush()


def subject_of(view: View, name: str, type_: str) -> str | None:
    """The subject of a type that a pseudonym stands for; None where no page ever led to it."""
    row = view.session.get(PseudonymRow, name[:20])
    return row.subject if row is not None and row.subject.startswith(f"{type_}:") else None
