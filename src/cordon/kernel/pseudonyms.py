"""Addresses of people's numbers, handsets and accounts: by pseudonym, so that none stands in one.

A page that links to the page of a subject remembers which pseudonym leads there; what no page ever
led to has no page.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.masking import Masker
from cordon.kernel.store.rows import Base
from cordon.kernel.work import View, Work

_AT_ONCE = 500  # values of one question to the database
_LONGEST = 120


class PseudonymRow(Base):
    """Whose page a pseudonym in an address leads to; written when a page links there.

    Columns:
        pseudonym: without the digits that may be shown. subject: `type:id`, in clear.
    """

    __tablename__ = "pseudonyms"

    pseudonym: Mapped[str] = mapped_column(String(20), primary_key=True)
    subject: Mapped[str] = mapped_column(String(_LONGEST))


def pseudonym(masker: Masker, subject: str) -> str:
    """What stands for a subject (`type:id`) in an address: no digit of it."""
    type_, _, value = subject.partition(":")
    return masker.mask(type_, value).partition("·")[0]


def remember(work: Work, asked: Mapping[str, str]) -> None:
    """Let pseudonyms lead to subjects; a subject too long to be kept gets no page."""
    names = sorted(n for n, subject in asked.items() if len(subject) <= _LONGEST)
    for begin in range(0, len(names), _AT_ONCE):
        some = names[begin : begin + _AT_ONCE]
        work.kernel.rows.alone(work.session, "pseudonyms")
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
