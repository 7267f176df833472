"""Words that the picture's pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.picture.telling import LATE, SINCE


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


SHOWN = (
    N_("connecting"), N_("live"), N_("late"), N_("silent"), N_("garbled"), N_("stopped"),
    # why reports are refused: feeds/*.py, moments.py
    N_("the position is not available or outside ±90 and ±180 degrees"),
    N_("the MMSI is not one of nine digits"),
    N_("the checksum is wrong or missing"),
    N_("the message's further parts did not come"),
    N_("a further part of a message whose first part did not come"),
    N_("a part of a message out of its order"),
    N_("the message is empty"),
    N_("the message's type is not known"),
    N_("the message cannot be decoded"),
    N_("the message ends before its position"),
    N_("the line holds no NMEA 0183 sentence"),
    N_("the sentence is no AIS sentence (VDM or VDO)"),
    N_("the sentence is broken: its fields are not those of a VDM"),
    N_("the sentence is broken"),
    N_("the line is too long"),
    N_("a line without an end"),
    N_("the time is not between 1980 and 2100"),
    N_("its time is more than five minutes ahead of the node's clock"),
    N_("its time is more than a year old"),
    N_("the event is not well-formed XML"),
    N_("the event is cut short"),
    N_("the event has more than 1 MB"),
    N_("the event has no point"),
    N_("document types and entities are not taken"),
    N_("the message is not TAK protocol version 1"),
    N_("the line is not JSON"),
    N_("lat or lon is missing or not a number"),
    N_("the report says neither subject nor what made it"),
    N_("the node could not take it in"),
    N_("other reasons"),
)  # fmt: skip

WITHDRAWN = (
    N_("Reports that came late show otherwise."),
    N_("What was heard since shows otherwise."),
)
assert WITHDRAWN == (LATE, SINCE)
