"""How personal data is kept from those whom no authority lets see it.

A masked subject is a pseudonym: the same subject has the same one on the same node, so that
people can speak of it and links between findings stay visible, and nobody can go back from it
without the node's key. What reaches logs is not even a pseudonym: it is taken out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import phonenumbers

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding

PERSONAL = frozenset(
    {"number", "imsi", "imei", "address", "account", "wallet", "handle", "url", "person"}
)
"""Types of subjects that point at a person."""

_DIGITS_SHOWN = frozenset({"number", "imsi", "imei", "account"})
_SIGN = "~"  # begins no E.164 number, IMSI or IMEI, and no account number in use
_LETTERS = 12  # base32 letters of the pseudonym: 60 bits, no clash among a nation's numbers
_PSEUDONYM = re.compile(rf"{_SIGN}[a-z2-7]{{{_LETTERS}}}(?:·\d{{1,4}})?")
_NO_DIGIT = re.compile(r"[^0-9]+")
_LEAST_KEY = 16  # bytes

_KEPT_OR_NUMBER = re.compile(
    r"""
    (?P<kept>
        \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b   # UUID
      | \b(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b       # hashes
      | \b[0-9]{4}-[0-9]{2}-[0-9]{2}(?=[T\s]|\b)
        (?:[T\s][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?
        (?![\d-])                                                          # RFC 3339
      | (?<![\d.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}
        (?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![\d.])                     # IPv4
    )
    | (?P<number>
        (?<!\d)(?:\+\s?\d(?:[\s().\-/]{0,2}\d){6,18}                       # with its +
        | \d(?:[\s().\-/]{0,2}\d){8,18})(?!\d)                             # as dialled, IMSI, …
      | (?<!\d)\d{20,}                                                     # none is left over
    )
    """,
    re.VERBOSE,
)


class Masker:
    """Masks subjects under one key of the node.

    Args:
        key: secret bytes, at least 16; whoever has it can try all numbers and so unmask.
        last_digits: how many of the last digits stay readable (policy; 0 to 4).
    """

    def __init__(self, key: bytes, last_digits: int = 3) -> None:
        if len(key) < _LEAST_KEY:
            raise BadInput(f"The key of masking has {len(key)} bytes; it takes at least 16.")
        if not 0 <= last_digits <= 4:
            raise BadInput(f"{last_digits} last digits would stay readable; it takes 0 to 4.")
        self._key = key
        self._last = last_digits

    def mask(self, type_: str, value: str) -> str:
        """Pseudonym of a value of a type: `~` and 12 letters, `·` and its last digits.

        Of a value with fewer than eight digits (a short code, a name) no digit is shown: with
        the pseudonym's stability they would give it away. What is a pseudonym already stays it.
        """
        return value if _PSEUDONYM.fullmatch(value) else self.pseudonym(type_, value)

    def pseudonym(self, type_: str, value: str) -> str:
        """As `mask`, whatever the value looks like: for what a stranger typed."""
        digest = hmac.new(self._key, f"{type_}:{value}".encode(), hashlib.sha256).digest()
        name = _SIGN + base64.b32encode(digest).decode()[:_LETTERS].lower()
        digits = re.sub(r"\D", "", value)
        if self._last and type_ in _DIGITS_SHOWN and len(digits) >= 8:
            name += "·" + digits[-self._last :]
        return name

    def opaque_id(self, id_: str) -> str:
        """An id that nobody without the key can try numbers against (UUIDv8, RFC 9562 §5.8).

        A finding's own id is a plain hash of what it says, its subjects among them: shown beside
        a masked subject it would give the number away to whoever tries them all.
        """
        digest = bytearray(hmac.new(self._key, f"id:{id_}".encode(), hashlib.sha256).digest()[:16])
        digest[6], digest[8] = digest[6] & 15 | 0x80, digest[8] & 63 | 0x80
        return str(UUID(bytes=bytes(digest)))

    def mask_subject(self, subject: str) -> str:
        """`number:+92…` as `number:~…·455`; a subject of a type that is not personal as it is."""
        type_, colon, value = subject.partition(":")
        if not colon or type_ not in PERSONAL:
            return subject
        return f"{type_}:{self.mask(type_, value)}"

    def mask_finding(self, finding: Finding, visible: Callable[[str], bool]) -> Finding:
        """The finding with every personal subject masked that is not visible.

        The subjects' occurrences in the reasons' words and in `extra` are masked too, however
        they are written there, and any other number there that looks like a person's is taken
        out: a detector may have named someone who is no subject. A text that is nothing but a
        personal subject (`type:id`, as in links) is masked as one, also where it is none of the
        finding's own: nobody has said that the reader may see that one.

        Args:
            visible: says of a subject (`type:id`) whether the reader may see it.
        """
        personal = [s for s in finding.subjects if _personal(s)]
        hidden = {s: self.mask_subject(s) for s in personal if not visible(s)}
        kept = {_digits(s) for s in personal if s not in hidden}
        texts = [r.says for r in finding.reasons]
        _texts(finding.extra, texts)
        texts = [t for t in texts if not _bare(t)]  # thousands in a ring's links, each one thing
        own = set(finding.subjects)
        swaps = [(_written(s), hidden[s].partition(":")[2]) for s in _found_in(texts, hidden)]

        def words(text: str) -> str:
            if _bare(text):
                known = text in own and text not in hidden
                return text if known else hidden.get(text) or self.mask_subject(text)
            for pattern, pseudonym in swaps:
                text = pattern.sub(lambda _match, name=pseudonym: name, text)  # type: ignore[misc]
            return redact(text, kept)

        return replace(
            finding,
            subjects=tuple(sorted(hidden.get(s, s) for s in finding.subjects)),
            reasons=tuple(replace(r, says=words(r.says)) for r in finding.reasons),
            extra=_through(finding.extra, words),
        )


def redact(text: str, kept: frozenset[str] | set[str] = frozenset()) -> str:
    """Text with whatever looks like a phone number, IMSI, IMEI or identity number taken out.

    Digits of every script count, with the spaces, dots, dashes and brackets that people write
    between them. Times, UUIDs, hashes and IPv4 addresses stay; longer runs of digits (counts of
    nanoseconds) go too, because a log can do without them and a person cannot take it back.

    Args:
        kept: digits of numbers that may stay.
    """

    def one(match: re.Match[str]) -> str:
        if match.lastgroup == "kept":
            return match[0]
        return match[0] if _digits(match[0]) in kept else "[number]"

    return _KEPT_OR_NUMBER.sub(one, text)


def _personal(subject: str) -> bool:
    return subject.partition(":")[0] in PERSONAL


def _bare(text: str) -> bool:
    """Whether a text is nothing but a personal subject."""
    type_, colon, value = text.partition(":")
    return bool(colon and value) and type_ in PERSONAL and " " not in value


def _digits(text: str) -> str:
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _found_in(texts: Sequence[str], subjects: Iterable[str]) -> list[str]:
    """Those of the subjects that may be written in one of the texts, however they are written.

    A ring has hundreds, of which its words name a few: to look for each of them by its pattern
    took most of a second.
    """
    whole = "\n".join(texts)
    digits = "\n".join(_NO_DIGIT.sub("", text) for text in texts)
    found = []
    for subject in subjects:
        type_, _, value = subject.partition(":")
        # every way to write a number ends with its digits, the country's (three at most) aside
        if value in whole or (type_ == "number" and value[4:] in digits):
            found.append(subject)
    return found


def _written(subject: str) -> re.Pattern[str]:
    """Finds a subject's value, for a phone number also as it is written in its own country."""
    type_, _, value = subject.partition(":")
    forms = [re.escape(value)]
    if type_ == "number" and value.startswith("+"):
        try:
            parsed = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            pass
        else:
            apart = r"[\s().\-]{0,2}"
            code = apart.join(str(parsed.country_code))
            rest = apart.join(phonenumbers.national_significant_number(parsed))
            forms.append(rf"(?<!\d)(?:(?:\+|00)?{apart}{code}{apart}|0{apart})?{rest}(?!\d)")
    elif value.isdecimal():
        forms[0] = rf"(?<!\d){value}(?!\d)"
    return re.compile("|".join(forms))


def _texts(value: Any, into: list[str]) -> None:
    """Every text that `_through` would change."""
    if isinstance(value, str):
        into.append(value)
    elif isinstance(value, dict):
        into.extend(map(str, value))
        _texts(list(value.values()), into)
    elif isinstance(value, list | tuple):
        for one in value:
            _texts(one, into)


def _through(value: Any, words: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return words(value)
    if isinstance(value, dict):
        return {words(str(k)): _through(v, words) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_through(v, words) for v in value]
    return value
