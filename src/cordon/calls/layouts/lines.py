"""Lines of a report that are no records: dashed rules, totals, and what a system prints below."""

from __future__ import annotations

import re

import numpy as np

_RULE = re.compile(rb"(?m)^[^\w\n]+$")
_WORDS = re.compile(
    rb"(?im)^(?:[^\w\n]|_)*(?:(?:grand|sub)[ -]?totals?\b|totals?\b|cdr count\b|record count\b|"
    rb"end of (?:report|file|statement)\b|report (?:ends?|generated)\b|no records? found\b|"
    rb"page[ \t]*:?[ \t]*\d+(?: of \d+)?\b|continued\b|"
    rb"(?:this|it) is (?:a )?(?:system|computer)|note[ \t]*:|"
    rb"\d[\d,]* (?:rows?|records?|lines?) (?:were )?"
    rb"(?:selected|returned|fetched|found|exported|printed|spooled)\b|"
    rb"\d+ rows?[^\w\n]*$|(?:number|no\.?) of (?:rows|records|calls|cdrs)\b|"
    rb"(?:rows|records) (?:selected|returned|fetched|exported|printed)\b|"
    rb"records?[ \t]*[:=][ \t]*\d|"
    rb"certificate (?:u/s|under)\b|authori[sz]ed signatory\b|signature\b|nodal officer\b)[^\n]*$"
)
_MOST = 2_000  # lines that are looked at one by one
_SHORT = 60  # bytes of a line; one that begins with a digit and is longer is a record
_QUOTES = 2  # signs before a value that are passed over
_DIGIT, _LETTER, _OTHER = 0, 1, 2
_KINDS = np.array(
    [
        _LETTER if b > 127 or chr(b).isalpha() else _DIGIT if chr(b).isdigit() else _OTHER
        for b in range(256)
    ],
    np.uint8,
)
_END = ord("\n")
_KINDS[_END] = _DIGIT  # an empty line


def without_furniture(block: bytes) -> bytes:
    """The block with such lines emptied, so that every other line keeps its number.

    What the first characters of a line rule out is not looked at: nearly all of most files.
    """
    text = np.frombuffer(block, np.uint8)
    starts = np.append(0, np.flatnonzero(text == _END) + 1)
    starts = starts[starts < len(text)]
    ends = np.append(starts[1:] - 1, len(text) - (block[-1:] == b"\n"))
    begins = starts
    for _ in range(_QUOTES):
        begins = np.minimum(begins + (_KINDS[text[begins]] == _OTHER), len(text) - 1)
    long = (ends - starts >= _SHORT) & (_KINDS[text[begins]] == _DIGIT)
    some = np.flatnonzero(~long & (ends > starts))
    if len(some) > _MOST:
        return _WORDS.sub(b"", _RULE.sub(b"", block))
    cut = [n for n in some.tolist() if _is_furniture(block[starts[n] : ends[n]])]
    for n in reversed(cut):
        block = block[: starts[n]] + block[ends[n] :]
    return block


def _is_furniture(line: bytes) -> bool:
    return _RULE.fullmatch(line) is not None or _WORDS.match(line) is not None


def is_furniture(line: str) -> bool:
    """True for one such line."""
    text = line.strip().encode()
    return bool(text) and _is_furniture(text)
