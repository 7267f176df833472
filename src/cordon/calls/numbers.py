"""Numbers as one and the same text, however they were written.

Whole columns go by a rule made from the region's metadata (phonenumbers, from Google's
libphonenumber); what the rule does not cover goes through phonenumbers itself, once a number.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberFormat

from cordon.calls.withheld import MASK, withheld
from cordon.kernel.errors import BadInput

SCIENTIFIC = r"^[+-]?[0-9](?:[.,][0-9]*)?[eE]\+?[0-9]{1,3}$"
_SCIENTIFIC = re.compile(SCIENTIFIC)
INVISIBLE = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u2069\ufeff]"
)
"""What nobody sees of a text: control characters, joiners, marks of direction and of byte order."""
_INVISIBLE = re.compile(INVISIBLE)
_GAPS = re.compile(r"[\s().\-/\u00a0]|" + INVISIBLE)
# a telephone's or SIP address (RFC 3966 §3, RFC 3261 §19.1.1), or a number with the former's
# parameters; a number that is only good within a country or company may name it
_ADDRESS = re.compile(r"(?i)(?:tel|sips?):([^;@?]+)(?:[;@?].*)?|(\+?\d+);[a-z][a-z-]*=.*")
_CONTEXT = re.compile(r"(?i);phone-context=(\+[\d.()-]+)")
# a column of numbers with gaps is one of floats to a spreadsheet or pandas, which write 121.0;
# several dots part a number (01.23.45.67.00)
_WHOLE = re.compile(r"(\+?\d+)(?:\.0+|,0)")
# switches keep two digits an octet and fill the last half of one up (TS 29.002 §17.7.8)
_FILLED = re.compile(r"(\+?\d[\d ()-]+\d)[Ff]+")
_LONGEST = 20  # characters: E.164 has 15 digits, an alphanumeric sender 11 letters (TS 23.040)
_E164 = 16  # characters of the longest number with its plus
_WITH_CODE = 11  # digits; a shorter one is likelier a national number than one with its code
_SHORTEST_NUMBER = 7  # digits; below it a short code
MASKED = r"^\+?[0-9]*[Xx*#?]{2,}[0-9Xx*#?]*$"
"""A number of which some digits are hidden, without gaps; see `masked`."""
_MASKED = re.compile(MASKED)


@lru_cache(maxsize=1 << 19)
def normalised(text: str, region: str) -> str | None:
    """A number in E.164, a short code or alphanumeric sender as it stands.

    A number that fits no plan is kept as its digits: what a switch saw is evidence, also where
    somebody forged it.

    Args:
        text: as the record has it. region: ISO 3166 code for numbers in national form.

    Returns:
        None where there is no number: empty, in scientific notation (its digits are gone),
        masked, withheld, or no text that a switch shows.
    """
    shown = _bare(_INVISIBLE.sub("", text).strip())
    if not shown or _SCIENTIFIC.match(shown) or len(shown) > 2 * _LONGEST:
        return None
    bare = _GAPS.sub("", shown)
    if not re.fullmatch(r"\+?\d+", bare):
        return _sender(shown, bare)
    if not bare.isascii():
        bare = "".join(c if c == "+" else str(int(c)) for c in bare)
    if len(bare.lstrip("+")) < _SHORTEST_NUMBER:
        return bare.lstrip("+")
    if _stays(bare):
        return bare
    return _in_e164(bare, region) or (bare if len(bare) <= _LONGEST else None)


def _bare(text: str) -> str:
    """The number of a text without what machines put around it: an address, a filler, zeros."""
    address = _ADDRESS.fullmatch(text)
    if address is not None:
        name = address[1] or address[2]
        context = _CONTEXT.search(text)
        if context is not None and not name.startswith("+"):
            name = context[1] + name
        if re.fullmatch(r"\+?\d+", _GAPS.sub("", name)) or masked(name) or withheld(name):
            text = name
    for shape in (_WHOLE, _FILLED):
        found = shape.fullmatch(text)
        text = found[1] if found is not None else text
    return text


def _sender(text: str, bare: str) -> str | None:
    """A sender's name as it stands; None for what is none: a mask, `Private`, too long a text."""
    kept = text if len(text) <= _LONGEST else bare
    if not re.search(r"\w", bare) or len(kept) > _LONGEST or hidden(text) is not None:
        return None
    return kept


def _stays(bare: str) -> bool:
    """True for an international number that phonenumbers would write as it stands.

    It takes nothing off a number but what a plan takes for a national prefix. Asked of each
    number of a nation's calls that is of another country, so that none needs to be parsed.
    """
    if not bare.startswith("+") or len(bare) > _E164 or bare[1] == "0":
        return False
    for digits in (2, 3, 4):
        code = bare[1:digits]
        if int(code) in COUNTRY_CODE_TO_REGION_CODE:
            prefix = _prefix_of(int(code))
            return prefix is None or not prefix.match(bare[digits:])
    return True


@lru_cache(maxsize=512)
def _prefix_of(code: int) -> re.Pattern[str] | None:
    """What a plan takes off in front of a national number; None where it takes off nothing."""
    region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    prefix = metadata.national_prefix_for_parsing if metadata is not None else None
    return re.compile(prefix) if prefix else None


def home_of(numbers: pa.Array, calls: NDArray[np.int64]) -> str:
    """The country from whose numbers most calls come, as an ISO 3166 code.

    Args:
        numbers: normalised. calls: how many each made.

    Returns:
        Empty where no call comes from a number in E.164. Of countries that share a code the
        main one.
    """
    heads = pc.utf8_slice_codeunits(numbers, 0, 4).dictionary_encode()
    made = np.bincount(heads.indices.to_numpy(), calls, minlength=len(heads.dictionary))
    of: Counter[int] = Counter()
    for head, count in zip(heads.dictionary.to_pylist(), made.tolist(), strict=True):
        code = _code(head)
        if code:
            of[code] += count
    ((most, count),) = of.most_common(1) or [(0, 0)]
    return COUNTRY_CODE_TO_REGION_CODE[most][0] if count else ""


def _code(number: str) -> int:
    """The country code that a number in E.164 begins with; 0 where it begins with none."""
    for end in (2, 3, 4):
        digits = number[1:end]
        if number[:1] == "+" and digits.isdigit() and int(digits) in COUNTRY_CODE_TO_REGION_CODE:
            return int(digits)
    return 0


def masked(text: str) -> str | None:
    """A number of which some digits are hidden, with an X for each; None where it is none.

    `92300XXXX123` and `92300****123` are the same mask. It is no identity: many numbers have it.
    """
    bare = _GAPS.sub("", text)
    if not _SHORTEST_NUMBER <= len(bare) <= _LONGEST or not _MASKED.match(bare):
        return None
    return re.sub(r"[^0-9+]", "X", bare)


def hidden(text: str) -> str | None:
    """The mask of a number of which some digits are hidden, or all (`Private`); else None."""
    shown = _bare(_INVISIBLE.sub("", text).strip())
    return masked(shown) or (MASK if withheld(shown) else None)


def _in_e164(bare: str, region: str) -> str | None:
    """Digits, perhaps after a plus, in E.164; None where no plan has such a number.

    A switch writes numbers of other countries without their plus: one that its own country has
    given to nobody, and another has, is that one's.
    """
    try:
        parsed = phonenumbers.parse(bare, region)
        if not phonenumbers.is_valid_number(parsed):
            parsed = of_another(bare) or parsed
        if not phonenumbers.is_possible_number(parsed):
            return None
        written = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
        # zeros in front are taken for a national prefix one by one: what would lose another the
        # next time it is read fits no plan
        again = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    same = phonenumbers.format_number(again, PhoneNumberFormat.E164) == written
    return written if same else None


def of_another(bare: str) -> phonenumbers.PhoneNumber | None:
    """Digits as a number with its country code, where that country gives such numbers."""
    if bare[0] in "+0" or len(bare) < _WITH_CODE:
        return None
    try:
        parsed = phonenumbers.parse(f"+{bare}", None)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


class Numbers:
    """Normalises columns of numbers for one region.

    Args:
        region: ISO 3166 code (`PK`) of numbers in national form.
    """

    def __init__(self, region: str) -> None:
        metadata = PhoneMetadata.metadata_for_region(region.upper(), None)
        if metadata is None or metadata.general_desc is None:
            raise BadInput(f"There is no numbering plan of the region {region[:10]!r}.")
        self.region = region.upper()
        self._code = str(metadata.country_code)
        plan = f"(?:{metadata.general_desc.national_number_pattern})"
        self._international = rf"^\+{self._code}{plan}$"
        self._plan = rf"^{plan}$"
        # in E.164 already, whatever the plan says of its digits: nothing in front to be taken off
        self._written = rf"^\+{self._code}[1-9][0-9]{{5,11}}$"
        # a national prefix that is a pattern of its own (as in Argentina) is left to phonenumbers
        prefix = metadata.national_prefix_for_parsing or ""
        self._prefix = prefix if prefix.isdigit() else ""
        self._national = rf"^{self._prefix}{plan}$" if self._prefix else None
        # as switches write it, without the plus; not where the code begins like a prefix
        clear = not self._prefix or not self._code.startswith(self._prefix)
        self._bare = rf"^{self._code}{plan}$" if clear else None

    def one(self, text: str) -> str | None:
        """One number, as `normalised` says."""
        return normalised(text, self.region)

    def column(self, column: pa.Array) -> pa.Array:
        """A column of strings normalised; null where there is no number."""
        encoded = column.dictionary_encode()
        values = self._unique(encoded.dictionary.cast(pa.string()))
        return values.take(encoded.indices)

    def _unique(self, values: pa.Array) -> pa.Array:
        done = pc.match_substring_regex(values, self._international)
        if self._prefix == "0":
            done = pc.or_(done, pc.match_substring_regex(values, self._written))
        if pc.all(done, min_count=0).as_py():
            return values
        if self._national is not None:
            # only a number that cannot be read any other way goes by the rule
            plain = pc.match_substring_regex(values, self._plan)
            national = pc.and_(pc.match_substring_regex(values, self._national), pc.invert(plain))
            rest = pc.utf8_slice_codeunits(values, len(self._prefix))
            written = pc.binary_join_element_wise(f"+{self._code}", rest, "")
            values = pc.if_else(national, written, values)
            done = pc.or_(done, national)
        if self._bare is not None and not pc.all(done, min_count=0).as_py():
            plain = pc.match_substring_regex(values, self._plan)
            bare = pc.and_(
                pc.and_(pc.match_substring_regex(values, self._bare), pc.invert(plain)),
                pc.invert(done),
            )
            values = pc.if_else(bare, pc.binary_join_element_wise("+", values, ""), values)
            done = pc.or_(done, bare)
        if pc.all(done, min_count=0).as_py():
            return values
        odd = pc.filter(values, pc.invert(done)).to_pylist()
        fixed = pa.array([normalised(v, self.region) for v in odd], pa.string())
        return pc.replace_with_mask(values, pc.invert(done), fixed)
