"""Addresses of numbers and handsets: by pseudonym, so that none stands in an address or a log."""

from __future__ import annotations

from collections.abc import Iterable

from cordon.calls.charting import IMEI
from cordon.kernel import pseudonyms
from cordon.kernel.masking import Masker
from cordon.kernel.pseudonyms import pseudonym, subject_of
from cordon.kernel.work import Work

__all__ = ["PAGES", "address", "pseudonym", "remember", "subject_of"]

PAGES = {"number": "/calls/numbers/", "imei": "/calls/handsets/"}


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
    pseudonyms.remember(work, asked)
