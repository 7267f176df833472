"""Words that the room's pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.kernel.errors import CordonError


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


FIXED = frozenset((
    # what a layout cannot be used without
    N_("No column holds dates."), N_("No column holds times of day."),
    N_("It is not clear which columns hold the two numbers of a call."),
    N_("No column tells whether the target called or was called."),
    N_("Say which columns hold it."),
    # what forms are refused for
    N_("No file was chosen."), N_("Choose at least one."),
    N_("It was not said what the files hold."), N_("Choose what they hold."),
    N_("There is no such layout."), N_("Choose one of the list."),
    N_("Dates have no such order."),
    N_("That is no name for a layout."),
    N_("2 to 40 lower-case letters, digits and dashes; the first is a letter."),
    N_("There is a layout of that name already."), N_("Choose another name."),
    N_("A column cannot mean that."), N_("Choose a meaning of the list."),
    N_("The file that this layout was proposed from is gone."), N_("Choose the file again."),
    N_("This node keeps no layouts."),
    N_("The first thousands of its rows are enough: cut it and try again."),
    N_("That is neither a number nor a handset."),
    N_("Write a number with its + or as dialled here, or an IMEI of 14 or 15 digits."),
    N_("That number has too few or too many digits."), N_("Look at it again."),
    N_("No authority is chosen, and calls may be read only under one."),
    N_("No authority is chosen, and payments may be read only under one."),
    N_("Choose an authority that covers them, or ask for one."),
))  # fmt: skip
"""Sentences without a value in them, which pages translate.

A sentence that holds a value must not be translated: what is translated is taken for safe, and a
value may be anything that stood in a file.
"""

ACCOUNTS = (N_("bank"), N_("wallet"), N_("agent"), N_("exchange"))  # kinds of them


def said(wrong: CordonError | None) -> list[tuple[str, bool]]:
    """The sentences of an error, each with whether it may be translated."""
    given = (wrong.message, wrong.advice) if wrong is not None else ()
    return [(text, text in FIXED) for text in given if text]
