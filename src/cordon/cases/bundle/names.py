"""File names in a bundle: safe to write on any system, and refused where they are not."""

from __future__ import annotations

import re
import unicodedata

MOST_NAME_BYTES = 120
MOST_PATH_BYTES = 400  # leaves room below the 4,096 of Linux for where the bundle is put

# Windows refuses or drops these; % would need escapes in a BagIt manifest (RFC 8493 §2.1.3)
_UNSAFE = frozenset('<>:"/\\|?*%')
# Zero-width joiners are part of Persian and Urdu words; other format characters hide or turn
# around what a reader sees
_JOINERS = frozenset("\u200c\u200d")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def safe_name(text: str, *, otherwise: str = "file") -> str:
    """A file name near to a text: one path part, NFC, at most 120 bytes, safe on any system.

    Args:
        text: any text, hostile or not. otherwise: the name where nothing of it is left.
    """
    # unassigned and private characters go too: no two readers agree on what they are
    name = "".join(
        "_" if _bad(c) or unicodedata.category(c) in ("Cn", "Co") else c
        for c in unicodedata.normalize("NFC", text)
    )
    name = re.sub(r"_{2,}", "_", name).strip("_. ~")
    stem, dot, end = name.rpartition(".")
    if not (dot and 0 < len(end.encode()) <= 16):
        stem, dot, end = name, "", ""
    stem = _cut(stem, MOST_NAME_BYTES - len((dot + end).encode()))
    name = unicodedata.normalize("NFC", f"{stem}{dot}{end}".strip("_. ~")) or otherwise
    if _RESERVED.fullmatch(name.split(".")[0].rstrip()):
        name = f"_{name}"
    return name


def why_unsafe(path: str) -> str | None:
    """Why a path (parts joined by `/`, from the bundle's top) is refused, or None."""
    if len(path.encode("utf-8", "surrogatepass")) > MOST_PATH_BYTES:
        return "its path is too long"
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path):
        return "its path leads out of the bundle"
    if unicodedata.normalize("NFC", path) != path:
        return "its name is not in Unicode's composed form (NFC)"
    return next((wrong for part in path.split("/") if (wrong := _part_unsafe(part))), None)


def _part_unsafe(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "its path leads out of the bundle"
    if any(_bad(c) for c in part):
        return "its name holds a character that is not safe in a file name"
    if part[-1] == "." or _RESERVED.fullmatch(part.split(".", maxsplit=1)[0]):
        return "its name is reserved on some systems"
    if len(part.encode()) > 255:
        return "its name is too long"
    return None


def folded(path: str) -> str:
    """What a path is on a system that knows neither case nor Unicode forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def _bad(char: str) -> bool:
    if char in _UNSAFE:
        return True
    if char in _JOINERS:
        return False
    # Cc control, Cf format, Cs lone surrogate, Z* spaces and breaks. Not Cn: what is
    # unassigned in one Python's Unicode is a letter in the next, and a bundle outlives both
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")
