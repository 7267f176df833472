"""Checks an object's structure against the shapes: fast enough to stand before every intake.

What it checks: that the type's required properties stand there, that values are of their kind
(times of days that exist, ids with the type that they name, references to types that may stand
there), that lists are not empty, and a few rules between properties. What it does not: patterns,
vocabularies, and whether a reference leads anywhere.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cordon.sharing.stix.times import is_time, sortable

Kind = Callable[[Any], bool]

_ID = re.compile(
    r"([a-z][a-z0-9-]*[a-z0-9])--"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
_TYPE = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,249}")
_PROPERTY = re.compile(r"[a-z0-9_]{1,250}")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{1,8})*")  # RFC 5646 in outline
_HYPHENED = re.compile(r"[a-z0-9-]+")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_HASH_NAME = re.compile(r"[a-zA-Z0-9_-]{3,250}")
_SAFE = 1 << 53  # JSON's integers are exact up to here (STIX 2.1, §2.9)
MOST_ID = 300  # characters
OF_HASH = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128}


class Wrong(Exception):
    """An object is not what it must be: at which property, and why (without its content)."""

    def __init__(self, at: str, says: str) -> None:
        super().__init__(f"{at}: {says}")
        self.at = at
        self.says = says


def check(thing: Mapping[str, Any]) -> str:
    """Check an object of STIX 2.1; its family (`domain`, `meta`, `cyber`, `custom`), or Wrong."""
    identity(thing)
    type_ = thing["type"]
    shape = shapes().get(type_) or _custom()
    for name, value in thing.items():
        kind = shape.kinds.get(name)
        if kind is None:
            if not _PROPERTY.fullmatch(name):
                raise Wrong(name[:60], "is no name of a property: use a to z, 0 to 9 and _")
        elif not kind[0](value):
            raise Wrong(name, f"is not {kind[1]}")
    for name in shape.required:
        if name not in thing:
            raise Wrong(name, f"is required of an object of type {type_}")
    _between(thing, shape)
    return shape.family


def _between(thing: Mapping[str, Any], shape: Shape) -> None:
    """What properties ask of one another."""
    if shape.any_of and not any(name in thing for name in shape.any_of):
        raise Wrong(shape.any_of[0], "or one of " + ", ".join(shape.any_of) + " is required")
    for name, others in shape.together.items():
        if name in thing and (missing := [o for o in others if o not in thing]):
            raise Wrong(missing[0], f"is required beside {name}")
    for name, others in shape.when.items():
        if thing.get(name) is True and (missing := [o for o in others if o not in thing]):
            raise Wrong(missing[0], f"is required where {name} is true")
    for first, second in shape.order:
        if first in thing and second in thing and sortable(thing[first]) > sortable(thing[second]):
            raise Wrong(second, f"is before {first}")


def identity(thing: Any) -> None:
    """Raise Wrong unless this is a JSON object with a type and an id that fit one another."""
    if not isinstance(thing, dict):
        raise Wrong("", "is no JSON object")
    type_ = thing.get("type")
    if type_ is None:
        raise Wrong("type", "is missing")
    if not isinstance(type_, str) or not _TYPE.fullmatch(type_):
        raise Wrong("type", "is no name of a type")
    id_ = thing.get("id")
    if id_ is None:
        raise Wrong("id", "is missing")
    found = _ID.fullmatch(id_) if isinstance(id_, str) and len(id_) <= MOST_ID else None
    if found is None:
        raise Wrong("id", "is not type--UUID")
    if found[1] != type_:
        raise Wrong("id", f"names another type than {type_}")


def check_old(thing: Mapping[str, Any]) -> None:
    """Check what this node needs of an object of STIX 2.0; Wrong otherwise."""
    identity(thing)
    for name in ("created", "modified"):
        value = thing.get(name)
        if value is None and not (name == "modified" and thing["type"] == "marking-definition"):
            raise Wrong(name, "is required")
        if value is not None and not is_time(value):
            raise Wrong(name, "is not a time like 2026-01-17T08:30:00.000Z")
    for name in ("object_marking_refs", "granular_markings"):
        kind = shapes()["indicator"].kinds[name]
        if name in thing and not kind[0](thing[name]):
            raise Wrong(name, f"is not {kind[1]}")


class Shape:
    """What is asked of one type, made ready for speed."""

    __slots__ = ("any_of", "family", "kinds", "order", "required", "together", "when")

    def __init__(self, family: str, given: Mapping[str, str], rules: Mapping[str, Any]) -> None:
        self.family = family
        own = {**rules["common"], **given}
        self.required = tuple(
            dict.fromkeys(
                [*(n for n, k in own.items() if k.endswith("!")), *rules["required"][family]]
            )
        )
        self.kinds = {name: _kind(kind.removesuffix("!")) for name, kind in own.items()}
        self.any_of: tuple[str, ...] = ()
        self.together: Mapping[str, list[str]] = {}
        self.when: Mapping[str, list[str]] = {}
        self.order: list[list[str]] = rules["order"]["*"]


@cache
def shapes() -> Mapping[str, Shape]:
    """Every type that the standard defines, by name."""
    rules = _rules()
    found = {}
    for family in ("domain", "meta", "cyber"):
        for type_, given in rules[family].items():
            shape = found[type_] = Shape(family, given, rules)
            shape.any_of = tuple(rules["any_of"].get(type_, ()))
            shape.together = rules["together"].get(type_, {})
            shape.when = rules["when"].get(type_, {})
            shape.order = [*rules["order"]["*"], *rules["order"].get(type_, ())]
    return found


@cache
def _custom() -> Shape:
    """A type that the standard does not define: what every object must have."""
    return Shape("cyber", {}, _rules())


@cache
def _rules() -> Mapping[str, Any]:
    text = files("cordon.sharing.stix").joinpath("shapes.yaml").read_text("utf-8")
    rules: Mapping[str, Any] = yaml.safe_load(text)
    return rules


def _kind(word: str) -> tuple[Kind, str]:
    """The test of a kind, and what a value must be in words."""
    if word.startswith("["):
        inner, says = _kind(word[1:-1])
        return (
            lambda v: isinstance(v, list) and bool(v) and all(map(inner, v))
        ), f"a list that is not empty, of which each is {says}"
    name, _, rest = word.partition(":")
    if name == "id" and rest:
        types = frozenset(rest.split(","))
        return (
            lambda v: isinstance(v, str) and (m := _ID.fullmatch(v)) is not None and m[1] in types
        ), "the id of a " + " or ".join(sorted(types))
    if name == "word":
        words = frozenset(rest.split(","))
        return (lambda v: isinstance(v, str) and v in words), "one of " + ", ".join(sorted(words))
    if name in ("int", "num") and rest:
        low, high = (float(x) for x in rest.split(".."))
        plain = _KINDS[name][0]
        return (lambda v: plain(v) and low <= v <= high), f"a number from {low:g} to {high:g}"
    return _KINDS[name]


def _is_int(value: Any) -> bool:
    return type(value) is int and -_SAFE < value < _SAFE


def _is_number(value: Any) -> bool:
    return type(value) is float or _is_int(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_ID and _ID.fullmatch(value) is not None


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        b64decode(value, validate=True)
    except ValueError:
        return False
    return True


def _is_hashes(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            _HASH_NAME.fullmatch(name)
            and isinstance(digest, str)
            and digest
            and (
                (size := OF_HASH.get(name)) is None
                or (len(digest) == size and _HEX.fullmatch(digest))
            )
            for name, digest in value.items()
        )
    )


def _is_phase(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) and value[name]
        for name in ("kill_chain_name", "phase_name")
    )


def _is_external(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("source_name"), str):
        return False
    if "hashes" in value and not _is_hashes(value["hashes"]):
        return False
    told = [value[n] for n in ("description", "url", "external_id") if n in value]
    return bool(told) and all(isinstance(v, str) for v in told)


def _is_granular(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    selectors, ref, lang = value.get("selectors"), value.get("marking_ref"), value.get("lang")
    return (
        isinstance(selectors, list)
        and bool(selectors)
        and all(isinstance(s, str) and s for s in selectors)
        and (ref is None) != (lang is None)
        and (ref is None or (_is_id(ref) and ref.startswith("marking-definition--")))
        and (lang is None or isinstance(lang, str))
    )


def _is_extensions(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(inside, dict) and inside for inside in value.values())
    )


_KINDS: dict[str, tuple[Kind, str]] = {
    "str": (lambda v: isinstance(v, str) and v != "", "text that is not empty"),
    "text": (lambda v: isinstance(v, str), "text"),
    "lang": (
        lambda v: isinstance(v, str) and _LANGUAGE.fullmatch(v) is not None,
        "a code of a language like ur or en-GB",
    ),
    "hyphened": (
        lambda v: isinstance(v, str) and _HYPHENED.fullmatch(v) is not None,
        "a word of a to z, 0 to 9 and hyphens",
    ),
    "bool": (lambda v: v is True or v is False, "true or false"),
    "int": (_is_int, "a whole number"),
    "count": (lambda v: _is_int(v) and v >= 0, "a whole number from 0"),
    "pos": (lambda v: _is_int(v) and v >= 1, "a whole number from 1"),
    "num": (_is_number, "a number"),
    "time": (is_time, "a time like 2026-01-17T08:30:00.000Z"),
    "id": (_is_id, "an id, type--UUID"),
    "map": (lambda v: isinstance(v, dict) and bool(v), "an object that is not empty"),
    "hashes": (_is_hashes, "hashes by the name of their algorithm, each of its length"),
    "hex": (lambda v: isinstance(v, str) and _HEX.fullmatch(v) is not None, "hexadecimal"),
    "base64": (_is_base64, "base64"),
    "phase": (_is_phase, "a kill chain's name and phase"),
    "external": (_is_external, "a source_name with a description, url or external_id"),
    "granular": (_is_granular, "selectors with one marking_ref or lang"),
    "extensions": (_is_extensions, "extensions by their id, none empty"),
}
