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
_ANY = (b"total", b"count", b"end of", b"report", b"page", b"continued", b"found", b"is ", b"note",
        b"selected", b"rows", b"row ", b"record", b"lines", b"no of", b"no. of", b"number of",
        b"signat", b"certificate", b"officer")  # fmt: skip
_MOST = 1_000  # short lines that are looked at one by one
_SHORT = 60  # bytes of a line; one that begins with a digit and is longer is a record
_DIGIT, _LETTER, _OTHER = 0, 1, 2
_KINDS = np.array(
    [
        _LETTER if b > 127 or chr(b).isalpha() else _DIGIT if chr(b).isdigit() else _OTHER
        for b in range(256)
    ],
    np.uint8,
)
_KINDS[ord("\n")] = _DIGIT  # an empty line


def without_furniture(block: bytes) -> bytes:
    """The block with such lines emptied, so that every other line keeps its number."""
    # what the first characters of lines rule out is not looked for: nearly all of most files
    text = np.frombuffer(block, np.uint8)
    starts = np.append(0, np.flatnonzero(text == ord("\n")) + 1)
    starts = starts[starts < len(text)]
    kinds = _KINDS[text[starts]]
    if (kinds == _OTHER).any():
        block = _RULE.sub(b"", block)
    if not kinds.any():
        short = np.flatnonzero(np.diff(starts, append=len(text)) < _SHORT)
        low = b"".join(block[starts[at] : starts[at] + _SHORT] for at in short[:_MOST]).lower()
        if len(short) <= _MOST and not any(word in low for word in _ANY):
            return block
    low = block.lower()  # far faster than the pattern, and nearly no block has any
    return _WORDS.sub(b"", block) if any(word in low for word in _ANY) else block


def is_furniture(line: str) -> bool:
    """True for one such line."""
    text = line.strip().encode()
    return bool(text) and not without_furniture(text)
