"""What a file looks like, said without any of its values, which may be personal."""

from __future__ import annotations

import re
from collections.abc import Sequence


def looks(names: Sequence[str], line: str | None = None) -> str:
    """A phrase that says what a file's first line looks like.

    Args:
        names: the line's values, lower case. line: the line itself, where it is text.
    """
    if line is not None and len(names) == 1:
        for sign, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if line.count(sign) >= 3:
                return f"its values look parted by {word} where commas are expected"
        if line.lstrip()[:1] in "{[":
            return "it looks like JSON"
        if line.lstrip()[:1] == "<":
            return "it looks like XML or a web page"
    if "\x00" in (line or ""):
        return "it looks like no text"
    plain = [
        n
        for n in names
        if re.fullmatch(r"[^\W\d][\w .()/-]{0,30}", n) and not re.search(r"\d{4}", n)
    ]
    if len(plain) * 2 < len(names) or not plain:
        return "its first line holds values, not the names of columns"
    return f"it has {', '.join(plain[:12])}"
