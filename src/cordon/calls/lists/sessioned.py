"""Tells files of internet sessions from files of calls, which have many columns in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cordon.calls.layouts.languages import words

# what a call has none of; two of them make a session
_SIGNS = (
    re.compile(r"\b(ip|ipv[46]|nat|natted)\b"),
    re.compile(r"\bport\b"),
    re.compile(r"\b(volume|bytes|octets|uplink|downlink|upload\w*|download\w*)\b"),
    re.compile(r"\b(apn|session|pgw|ggsn|sgsn|url|domain|internet)\b"),
)

SESSIONS = (
    "These look like internet sessions and not like calls: their columns tell addresses, ports or "
    "how much data went. Bring the file in as sessions: cordon calls import FILE --kind sessions, "
    "or Sessions on the page that brings files in."
)


def are_sessions(names: Sequence[str]) -> bool:
    """True where a header tells of internet sessions."""
    told = [words(name) for name in names]
    return sum(any(sign.search(name) for name in told) for sign in _SIGNS) > 1
