"""Media types with their parameters, in any order, case and spacing (RFC 9110, §8.3 and §12.5)."""

from __future__ import annotations

from cordon.sharing.model import TAXII_21
from cordon.sharing.taxii.faults import NotAcceptable, WrongMediaType

_OURS = "application/taxii+json"
_ANY = frozenset({"*/*", "application/*"})


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case, and its parameters."""
    name, *rest = text.split(";")
    parameters = {}
    for part in rest:
        key, _, value = part.partition("=")
        if key.strip():
            parameters[key.strip().lower()] = value.strip().strip('"').strip().lower()
    return name.strip().lower(), parameters


def _wanted(text: str) -> bool:
    name, parameters = _parsed(text)
    try:
        if float(parameters.pop("q", "1")) <= 0:
            return False
    except ValueError:
        return False
    if name in _ANY:
        return True
    return name == _OURS and parameters.get("version", "2.1") == "2.1"


def check_accept(header: str | None) -> None:
    """Raise NotAcceptable unless the caller takes TAXII 2.1; without a header anything goes."""
    if header is not None and header.strip() and not any(map(_wanted, header.split(","))):
        raise NotAcceptable(
            "This server answers in TAXII 2.1 alone.", advice=f"Send Accept: {TAXII_21}."
        )


def check_content_type(header: str | None) -> None:
    """Raise WrongMediaType unless a body is said to be TAXII 2.1."""
    name, parameters = _parsed(header or "")
    if name != _OURS or parameters.get("version", "2.1") != "2.1":
        raise WrongMediaType(
            "This server takes objects in a TAXII 2.1 envelope alone.",
            advice=f"Send Content-Type: {TAXII_21}.",
        )
