"""Lines of a report that are no records: dashed rules, totals, and what a system prints below."""

from __future__ import annotations

import re

_RULE = re.compile(rb"(?m)^[^\w\n]+$")
_WORDS = re.compile(
    rb"(?im)^[\W_]*(?:(?:grand|sub)[ -]?totals?\b|totals?\b|cdr count\b|record count\b|"
    rb"end of (?:report|file|statement)\b|report (?:ends?|generated)\b|no records? found\b|"
    rb"\d[\d,]* (?:rows?|records?) (?:selected|returned|fetched|found|exported|spooled)\b|"
    rb"(?:number|no\.?) of (?:rows|records|calls|cdrs)\s*[:=]|"
    rb"page\s*:?\s*\d+(?: of \d+)?\b|continued\b|"
    rb"(?:this|it) is (?:a )?(?:system|computer)|note\s*:)[^\n]*$"
)


_ANY = (
    b"total", b"count", b"end of", b"report", b"page", b"continued", b"found", b"is ", b"note",
    b"selected", b"returned", b"fetched", b"exported", b"spooled", b"number of", b"no of",
    b"no. of",
)  # fmt: skip


def without_furniture(block: bytes) -> bytes:
    """The block with such lines emptied, so that every other line keeps its number."""
    block = _RULE.sub(b"", block)
    low = block.lower()  # far faster than the pattern, and nearly no block has any
    return _WORDS.sub(b"", block) if any(word in low for word in _ANY) else block


def is_furniture(line: str) -> bool:
    """True for one such line."""
    text = line.strip().encode()
    return bool(text) and not without_furniture(text)
