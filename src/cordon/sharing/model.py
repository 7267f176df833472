"""Words of the room: an API root, a collection with its audience, an account, a status."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput

STIX_21 = "application/stix+json;version=2.1"
STIX_20 = "application/stix+json;version=2.0"
TAXII_21 = "application/taxii+json;version=2.1"

HIDDEN = 5
"""Rank of an object whose audience is not known: above every mark, and so nobody's."""
NEVER = 9
"""Rank of the loosest newer version of an object that has none."""

_ROOT_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,58}")
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,78}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ApiRoot:
    """An API root: collections that belong together (TAXII 2.1, §4.2).

    Attributes:
        name: the part of its address, `/taxii2/<name>/`. most_bytes: of a request's body.
    """

    id: str
    agency: str
    mark: Mark
    name: str
    title: str
    description: str
    most_bytes: int

    def thing(self) -> Thing:
        """The root as policies see it."""
        return Thing("root", self.id, self.agency, self.mark)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as one account may use it (TAXII 2.1, §5.2).

    Attributes:
        id: UUID. root: its root's id. number: of its rows in the store.
        mark: of objects that carry none of their own.
        read, write: rights of the one who asks. both: media types of what it holds also of
            STIX 2.0.
    """

    id: str
    agency: str
    mark: Mark
    root: str
    number: int
    title: str
    description: str
    alias: str | None
    media_types: tuple[str, ...]
    read: bool = False
    write: bool = False
    old: bool = False

    def thing(self) -> Thing:
        """The collection as policies see it."""
        return Thing("collection", self.id, self.agency, self.mark)


@dataclass(frozen=True, slots=True)
class Account:
    """A service account: a program of another agency that signs in by HTTP Basic.

    Attributes:
        cleared: the strictest mark it may be given. rights: (collection, read, write).
        certificate: SHA-256 (hexadecimal) of the client certificate that it signs in with.
    """

    id: str
    agency: str
    mark: Mark
    name: str
    cleared: Mark
    added_at: datetime
    added_by: str
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_why: str | None = None
    rights: tuple[tuple[str, bool, bool], ...] = ()
    certificate: str | None = None

    def thing(self) -> Thing:
        """The account as policies see it."""
        return Thing("account", self.id, self.agency, self.mark)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A new account with its password, which is shown this once."""

    account: Account
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the objects of one envelope.

    Attributes:
        kept: newly kept. repeated: there before, the same version.
        failures: (id, version, message) of those that were refused.
    """

    kept: int
    repeated: int
    failures: tuple[tuple[str, str, str], ...]
    status: dict[str, Any] = field(default_factory=dict)


def check_root_name(text: str) -> str:
    """The text, where it can be part of an address; BadInput otherwise."""
    if not _ROOT_NAME.fullmatch(text):
        raise BadInput(
            f"“{text[:60]}” is no name of an API root.",
            advice="Take lower-case letters, digits, dots, hyphens and underscores.",
        )
    return text


def check_account_name(text: str) -> str:
    """The text, where it can be the user name of HTTP Basic; BadInput otherwise."""
    if not _ACCOUNT_NAME.fullmatch(text):
        raise BadInput(
            f"“{text[:60]}” is no name of an account.",
            advice="Take letters, digits, dots, hyphens, underscores and @, two at least.",
        )
    return text


def check_uuid(text: str) -> str:
    """The text, where it is a UUID in lower case; BadInput otherwise."""
    if not _UUID.fullmatch(text):
        raise BadInput(f"“{text[:60]}” is no UUID.", advice="Write it in lower case with hyphens.")
    return text


def rank_mark(rank: int) -> Mark:
    """The mark of a rank; what nobody's audience is known of counts as the strictest."""
    return list(Mark)[min(rank, Mark.RED.rank)]
