"""What a query asks for: filters, the size of a page, and where it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cordon.kernel.errors import BadUsage
from cordon.sharing.stix.times import is_time, read_added, sortable

MOST_VALUES = 500  # of one filter
_MATCH = re.compile(r"match\[([^\]]*)\]")
_FIELDS = frozenset({"id", "type", "version", "spec_version"})
_SPECS = {"2.0": 20, "2.1": 21}
_WORDS = frozenset({"all", "first", "last"})


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a request (TAXII 2.1, §3.4).

    Attributes:
        ids, types: any of these; None is no filter.
        versions: sortable times beside `words`, which are `all`, `first` and `last`.
        specs: 20 and 21; None takes the newest there is of each object.
        added_after: microseconds since the epoch, or None.
        limit: objects of a page. next: the cursor, or None.
    """

    limit: int
    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    versions: tuple[str, ...] = ()
    words: frozenset[str] = field(default_factory=lambda: frozenset({"last"}))
    specs: tuple[int, ...] | None = None
    added_after: int | None = None
    next: str | None = None


def read(query: Iterable[tuple[str, str]], most: int) -> Filters:
    """Read the parameters of a request.

    Args:
        most: objects of a page at most; a larger limit is cut to it.

    Raises:
        BadUsage: naming the parameter.
    """
    limit, after, cursor = most, None, None
    matches: dict[str, list[str]] = {}
    for name, value in query:
        if name == "limit":
            limit = min(_limit(value), most)
        elif name == "added_after":
            after = read_added(value, "added_after")
        elif name == "next":
            cursor = value or None
        elif (match := _MATCH.fullmatch(name)) is not None:
            if match[1] not in _FIELDS:
                raise BadUsage(
                    f"There is no filter match[{match[1][:40]}].",
                    advice="Filter by id, type, version or spec_version.",
                )
            matches.setdefault(match[1], []).extend(v for v in value.split(",") if v)
    for name, values in matches.items():
        if len(values) > MOST_VALUES:
            raise BadUsage(f"match[{name}] has more than {MOST_VALUES} values.")
    words, versions = _versions(matches.get("version") or ["last"])
    return Filters(
        limit=limit,
        ids=_distinct(matches.get("id")),
        types=_distinct(matches.get("type")),
        versions=versions,
        words=words,
        specs=_specs(matches.get("spec_version")),
        added_after=after,
        next=cursor,
    )


def _distinct(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(values)) if values else None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise BadUsage("The parameter limit is no whole number from 1.", advice="Send limit=100.")
    return int(text)


def _versions(values: list[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    words = frozenset(v for v in values if v in _WORDS)
    times = [v for v in values if v not in _WORDS]
    if wrong := next((v for v in times if not is_time(v)), None):
        raise BadUsage(
            f"match[version] has “{wrong[:40]}”.", advice="Give all, first, last or a time."
        )
    return words, tuple(dict.fromkeys(map(sortable, times)))


def _specs(values: list[str] | None) -> tuple[int, ...] | None:
    if not values:
        return None
    # a version that this node does not know matches nothing, and is no mistake
    return tuple(dict.fromkeys(_SPECS.get(v, 0) for v in values))
