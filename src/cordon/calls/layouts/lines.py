"""Lines of a report that are no records: dashed rules, totals, and what a system prints below."""

from __future__ import annotations

import re

_RULE = re.compile(rb"(?m)^[^\w\n]+$")
_WORDS = re.compile(
    rb"(?im)^[\W_]*(?:(?:grand|sub)[ -]?totals?\b|totals?\b|cdr count\b|record count\b|"
    rb"end of (?:report|file)\b|report (?:ends?|generated)\b|no records? found\b|"
    rb"(?:this|it) is (?:a )?(?:system|computer)|note\s*:)[^\n]*$"
)


def without_furniture(block: bytes) -> bytes:
    """The block with such lines emptied, so that every other line keeps its number."""
    return _WORDS.sub(b"", _RULE.sub(b"", block))
