"""One value, however it is written: the form that is asked about and held, for each kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers

from cordon.kernel.errors import BadInput
from cordon.sharing.match import names
from cordon.sharing.match.model import Kind

LONGEST = 200
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN = re.compile(r"[\s\-./]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_IBAN_DIGITS = {ord("A") + n: str(10 + n) for n in range(26)}
_VESSEL = re.compile(r"(?:(IMO|MMSI)[\s:]*)?([0-9]{7}|[0-9]{9})")
_IMO_DIGITS, _MMSI_DIGITS = 7, 9
_SHORTEST = {Kind.ACCOUNT: 6, Kind.PLATE: 3, Kind.DOCUMENT: 5}
_SUBJECTS = {
    "number": Kind.NUMBER, "account": Kind.ACCOUNT, "plate": Kind.PLATE, "mmsi": Kind.VESSEL,
    "imo": Kind.VESSEL, "document": Kind.DOCUMENT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """A value that cannot be asked about: its row from 1, and why, without the value."""

    row: int
    reason: str


def written(kind: Kind, text: str, region: str) -> str:
    """The one form of a value.

    A phone number is E.164, an account an IBAN where it is like one, a plate or document its
    letters and digits, a vessel `imo:` or `mmsi:` and digits, a name its words.

    Args:
        region: ISO 3166 code for numbers in national form.

    Raises:
        BadInput: it is no such thing; the message does not repeat it.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if not text or len(text) > LONGEST or not text.isprintable():
        raise BadInput("A value has 1 to 200 characters in one line.")
    if kind is Kind.NUMBER:
        return _number(text, region)
    if kind is Kind.VESSEL:
        return _vessel(text)
    if kind is Kind.ACCOUNT:
        return _account(text)
    if kind is Kind.NAME:
        if not names.held_keys(text):
            raise BadInput(
                "A name has at least two words that count.",
                advice="One alone is too many people's.",
            )
        return " ".join(text.split())
    bare = "".join(c for c in text.upper() if c.isalnum())
    bare = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in bare)
    if len(bare) < _SHORTEST[kind] or not any(c.isdecimal() for c in bare):
        raise BadInput("That is too short, or has no digit.")
    return bare


def _number(text: str, region: str) -> str:
    if _E164.fullmatch(text):  # what is held is written so already, and may be a million
        return text
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise BadInput("That is no telephone number of any plan.")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _vessel(text: str) -> str:
    match = _VESSEL.fullmatch(text.upper())
    digits = match[2] if match else ""
    named = match[1] if match else None
    if len(digits) == _IMO_DIGITS and named != "MMSI":
        total = sum(int(d) * (7 - n) for n, d in enumerate(digits[:6]))
        if total % 10 == int(digits[6]):
            return f"imo:{digits}"
        raise BadInput("The check digit of that IMO number is wrong.")
    if len(digits) == _MMSI_DIGITS and named != "IMO":
        return f"mmsi:{digits}"
    raise BadInput("A vessel is asked about by its IMO number (7 digits) or MMSI (9 digits).")


def _account(text: str) -> str:
    bare = _BETWEEN.sub("", text)
    if _IBAN.fullmatch(bare.upper()):
        iban = bare.upper()
        if int((iban[4:] + iban[:4]).translate(_IBAN_DIGITS)) % 97 != 1:
            raise BadInput("The check digits of that IBAN are wrong.")
        return iban
    if len(bare) < _SHORTEST[Kind.ACCOUNT]:
        raise BadInput("That is too short for an account.")
    return bare  # letters of coin addresses differ by case


def of_subject(subject: str, region: str) -> tuple[Kind, str] | None:
    """Kind and form of a finding's subject (`type:id`); None where it is nothing to be matched."""
    type_, _, value = subject.partition(":")
    kind = _SUBJECTS.get(type_)
    if kind is None:
        return None
    try:
        return kind, written(kind, f"{type_} {value}" if kind is Kind.VESSEL else value, region)
    except BadInput:
        return None


def subject_of(kind: Kind, value: str) -> str:
    """A value as authorities name it (`type:id`)."""
    return value if kind is Kind.VESSEL else f"{kind}:{value}"


def held(kind: Kind, value: str) -> list[bytes]:
    """What the function is evaluated on for a value that is held."""
    return _inputs(kind, names.held_keys(value) if kind is Kind.NAME else [value])


def all_held(kind: Kind, values: Iterable[str]) -> set[bytes]:
    """What the function is evaluated on for many values that are held."""
    if kind is Kind.NAME:
        values = {key for value in values for key in names.held_keys(value)}
    return set(_inputs(kind, values))


def asked(kind: Kind, value: str) -> list[bytes]:
    """What the function is asked for a value: the value, or a few keys of a name."""
    return _inputs(kind, names.asked_keys(value) if kind is Kind.NAME else [value])


def _inputs(kind: Kind, keys: Iterable[str]) -> list[bytes]:
    head = f"cordon match v1\n{kind}\n".encode()
    return [head + key.encode() for key in keys]


def read(
    kind: Kind, lines: Iterable[str], region: str, most: int
) -> tuple[list[str], list[RefusedValue]]:
    """Values of lines, each once, and the lines that are none; BadInput past `most` values."""
    found: dict[str, None] = {}
    refused: list[RefusedValue] = []
    for row, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found[written(kind, line, region)] = None
        except BadInput as wrong:
            refused.append(RefusedValue(row, str(wrong)))
        if len(found) + len(refused) > most:
            raise BadInput(
                f"A question has at most {most} values.", advice="Ask in several questions."
            )
    return list(found), refused
