"""Words that the room's pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.kernel.errors import CordonError


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


FIXED = frozenset((
    # what bringing in is refused for, whatever the room
    N_("No file was chosen."), N_("Choose at least one."),
    N_("It was not said what the files hold."), N_("Choose what they hold."),
    N_("There is no such layout."), N_("Choose one of the list."),
    N_("No authority is chosen, and payments may be read only under one."),
    N_("Choose an authority that covers them, or ask for one."),
    N_("The account that was told is none."),
    N_("Write its number or IBAN, as it stands on the bank's paper."),
    N_("The account that was told has the form of an IBAN, and its check digits do not fit."),
    N_("Hold it against the bank's paper: a sign of it is wrong."),
    N_("The currency that was told is no code."),
    N_("Write its code of three letters (ISO 4217), for example PKR."),
    # what a look or a trace is refused for
    N_("That is no account."), N_("Write it as the payments do."),
    N_("A trace goes forward or back."),
    N_("The ring was found under another authority."), N_("Choose that one."),
))  # fmt: skip
"""Sentences without a value in them, which pages translate.

A sentence that holds a value must not be translated: what is translated is taken for safe, and a
value may be anything that stood in a file.
"""

KINDS = (N_("bank"), N_("wallet"), N_("agent"), N_("exchange"))  # of accounts


def said(wrong: CordonError | None) -> list[tuple[str, bool]]:
    """The sentences of an error, each with whether it may be translated."""
    given = (wrong.message, wrong.advice) if wrong is not None else ()
    return [(text, text in FIXED) for text in given if text]
