"""What is special to one country: data under `countries/<code>/`, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from cordon.kernel.access.model import AuthorityKind
from cordon.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One legal basis under which personal data may be read in a country.

    Attributes:
        id: stable word for forms and records. kind: which of the kinds of authority it is.
        title: a few words for a form. law: the Act, with its section only where that is sure.
        issuer: who gives it.
        longest: how long one may be valid, or None where the law sets no length itself.
        extendable: who may extend it, or empty.
        needs_document: True where the text of the authority must be kept with it.
        note: what an officer must know before choosing it.
        reads: whether personal data may be read under it at all.
    """

    id: str
    kind: AuthorityKind
    title: str
    law: str
    issuer: str
    longest: timedelta | None
    extendable: str
    needs_document: bool
    note: str
    reads: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """A map's first view: centre (lat, lon in degrees) and zoom (web map levels)."""

    lat: float
    lon: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Country:
    """What a node needs to know of its country.

    Attributes:
        code: ISO 3166-1 alpha-2 in lower case; alpha3, numeric: its other codes.
        name: in English; names: in each language.
        phone_region: region of `phonenumbers` for numbers without a country code.
        zone: IANA name of its time zone. currency: ISO 4217. languages: IETF tags.
        view: where its map opens.
        confirm_emergency: within what time a second officer must confirm an emergency.
        authorities: its legal bases, in the order of a form.
        packages: for each kind of package the ids of the bases that it may stand on.
    """

    code: str
    alpha3: str
    numeric: str
    name: str
    names: dict[str, str]
    phone_region: str
    zone: ZoneInfo
    currency: str
    languages: tuple[str, ...]
    view: View
    confirm_emergency: timedelta
    authorities: tuple[LegalBasis, ...]
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def basis(self, id_: str) -> LegalBasis:
        """The legal basis of that id; BadInput naming those there are where there is none."""
        for basis in self.authorities:
            if basis.id == id_:
                return basis
        known = ", ".join(b.id for b in self.authorities)
        raise BadInput(f"{self.name} has no legal basis {id_[:40]!r}.", advice=f"Take of: {known}.")

    def bases_of(self, package: str) -> tuple[LegalBasis, ...]:
        """The legal bases that a kind of package may stand on; none where the law names none."""
        allowed = self.packages.get(package, ())
        return tuple(b for b in self.authorities if b.id in allowed)

    def of_kind(self, kind: AuthorityKind) -> tuple[LegalBasis, ...]:
        """Its legal bases of one kind."""
        return tuple(b for b in self.authorities if b.kind is kind)


def codes() -> tuple[str, ...]:
    """Codes of the countries that there are facts of, sorted."""
    here = resources.files(__name__)
    return tuple(sorted(f.name for f in here.iterdir() if (f / "country.yaml").is_file()))


@cache
def country(code: str) -> Country:
    """The facts of a country.

    Args:
        code: ISO 3166-1 alpha-2, in any case.

    Raises:
        BadInput: there are none of it, or its files are wrong; the message names what.
    """
    name = code.strip().lower()
    if name not in codes():
        raise BadInput(
            f"There are no facts of the country {code[:10]!r}.",
            advice=f"Take of: {', '.join(codes())}; or write countries/<code>/country.yaml.",
        )
    facts = _read(name, "country.yaml")
    law = _read(name, "authorities.yaml")
    try:
        made = Country(
            code=name,
            alpha3=facts["iso"]["alpha3"],
            numeric=facts["iso"]["numeric"],
            name=facts["name"]["en"],
            names=dict(facts["name"]),
            phone_region=facts["phone_region"],
            zone=ZoneInfo(facts["zone"]),
            currency=facts["currency"],
            languages=tuple(facts["languages"]),
            view=View(**{k: float(v) for k, v in facts["view"].items()}),
            confirm_emergency=timedelta(hours=law["emergency"]["confirm_within_hours"]),
            authorities=tuple(_basis(a) for a in law["authorities"]),
            packages={kind: tuple(ids) for kind, ids in law.get("packages", {}).items()},
        )
        for id_ in {id_ for ids in made.packages.values() for id_ in ids}:
            made.basis(id_)
    except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as wrong:
        raise BadInput(f"The facts of the country {name} are wrong: {wrong}.") from None
    if facts["iso"]["alpha2"].lower() != name:
        raise BadInput(f"The folder {name} holds facts of {facts['iso']['alpha2']}.")
    return made


def clock_of(code: str) -> ZoneInfo | None:
    """A country's clock: by its facts, else the first that the time zone database names for it.

    Args:
        code: ISO 3166-1 alpha-2, in any case. None where no such country has a clock.
    """
    if code.strip().lower() in codes():
        return country(code).zone
    return next((ZoneInfo(zone) for zone in _zones(code)), None)


def clocks_of(code: str) -> list[str]:
    """IANA names of a country's clocks that show different times, the first of each.

    Args: as of `clock_of`.
    """
    if code.strip().lower() in codes():
        return [country(code).zone.key]
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 7)]
    shown: dict[tuple[timedelta | None, ...], str] = {}
    for zone in _zones(code):
        shown.setdefault(tuple(day.astimezone(ZoneInfo(zone)).utcoffset() for day in days), zone)
    return list(shown.values())


def dates_of(code: str) -> str:
    """In which order a country writes day and month (`dmy`, `mdy`), by the Common Locale Data
    Repository; empty where the year stands first or the country is unknown.

    Args: as of `clock_of`.
    """
    from babel import Locale, UnknownLocaleError  # takes longer than all else here

    try:
        short = Locale.parse(f"und_{code.strip().upper()}").date_formats["short"].pattern
    except (UnknownLocaleError, ValueError):
        return ""
    order = "".join(sign for sign in dict.fromkeys(short.lower()) if sign in "dmy")
    return order if order in ("dmy", "mdy") else ""


def _zones(code: str) -> list[str]:
    """What the time zone database names for a country."""
    table = (resources.files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    lines = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return [zone for at, _, zone, *_ in lines if at == code.strip().upper()]


def _read(code: str, name: str) -> dict[str, Any]:
    text = (resources.files(__name__) / code / name).read_text("utf-8")
    return dict(yaml.safe_load(text))


def _basis(data: dict[str, Any]) -> LegalBasis:
    days, kind = data.get("longest_days"), AuthorityKind(data["kind"])
    return LegalBasis(
        id=data["id"],
        kind=kind,
        title=data["title"],
        law=data["law"],
        issuer=data["issuer"],
        longest=None if days is None else timedelta(days=days),
        extendable=data.get("extendable", ""),
        needs_document=bool(data.get("needs_document", True)),
        note=data.get("note", ""),
        reads=bool(data.get("reads", kind is not AuthorityKind.PRESERVATION_ORDER)),
    )
