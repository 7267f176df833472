"""How pages are drawn: the templates of the shell and of each room, and the filters they share.

What the templates expect is written down in docs/pages.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.bccache import Bucket
from markupsafe import Markup

from cordon.kernel.clock import as_utc, format_time, parse_time
from cordon.kernel.ids import is_id
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.web import i18n
from cordon.web.assets import asset

PACKAGE = Path(__file__).parents[1]
_MOST_SAID = 5_000  # messages of a language that are kept
LONG_NUMBER = 4  # characters of a masked value that may stay, at most, are fewer than this


@dataclass(frozen=True, slots=True)
class NavItem:
    """A room in the rail: `label` is a message of the catalogue, `key` the letter after `g`."""

    href: str
    label: str
    icon: str
    current: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class OfficerView:
    """Who is signed in, as the bar shows it."""

    name: str
    unit: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class AuthorityView:
    """The legal authority in force for this reader: its number, what it covers, until when."""

    reference: str
    covers: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What the shell around every page needs.

    Attributes:
        title: already translated. agency, unit: whose node and desk this is.
        csrf: token that forms and htmx requests send back.
        theme: `dark` or `light`. zone: IANA name of the clock's zone.
        now: the node's own time, so that an exercise's clock shows; the clock is left out
            where it is None.
        find_url, authorities_url: where the find field and the authority chip lead; the
            find field stands only where there is something to ask.
        notices: (kind, text) shown once, kind being `calm`, `notice` or `grave`.
        may: whether the gate lets this reader do an act in its room; a link to what it refuses
            is not drawn, because a click on it would stand in the overseer's report.
    """

    title: str
    csrf: str = ""
    lang: str = i18n.SOURCE
    theme: str = "dark"
    agency: str = ""
    unit: str = ""
    nav: tuple[NavItem, ...] = ()
    officer: OfficerView | None = None
    authority: AuthorityView | None = None
    zone: str = "UTC"
    now: datetime | None = None
    find_url: str | None = None
    authorities_url: str = "/authorities"
    sign_out_url: str = "/sign-out"
    notices: tuple[tuple[str, str], ...] = ()
    may: Callable[[str], bool] = lambda _act: True

    @property
    def dir(self) -> str:
        """`ltr` or `rtl`."""
        return i18n.direction(self.lang)


def dms(degrees: float, axis: str) -> str:
    """Degrees and decimal minutes, as charts have them: `25°06.12′N`.

    Args:
        degrees: WGS 84, positive to north or east.
        axis: `lat` or `lon`.
    """
    letters, width = {"lat": ("NS", 2), "lon": ("EW", 3)}[axis]
    thousandths = round(abs(degrees) * 60_000)  # of a minute: so that 59.999 carries over
    whole, rest = divmod(thousandths, 60_000)
    return f"{whole:0{width}d}°{rest / 1000:06.3f}′{letters[degrees < 0]}"


def mask(value: object, keep: int = 3) -> str:
    """A value of which only the last characters may be read: `••••• 455`.

    Short values are masked whole, because what is left would give them away.
    """
    text = str(value)
    if keep <= 0 or len(text) < 2 * keep + LONG_NUMBER:
        return "•" * 6
    return f"••••••{text[-keep:]}"


def gauge(value: float, threshold: float | None, unit: str = "") -> tuple[float, float | None]:
    """Where a gauge's bar ends and where its threshold stands, each in percent of its width.

    Proportions (unit `1` with both between 0 and 1) fill a gauge of 0 to 1; other gauges end
    a quarter past the larger of the two, so that both can be seen.
    """
    size = min(abs(value), 1e300) if math.isfinite(value) else math.inf  # 1.25 times it is finite
    limit = (
        min(abs(threshold), 1e300) if threshold is not None and math.isfinite(threshold) else None
    )
    if unit == "1" and size <= 1 and (limit is None or limit <= 1):
        top = 1.0
    else:
        top = 1.25 * max(size if math.isfinite(size) else 0.0, limit or 0.0) or 1.0
    filled = 100.0 if not math.isfinite(size) else 100 * size / top
    return round(min(filled, 100.0), 1), None if limit is None else round(100 * limit / top, 1)


class Formats:
    """Numbers, distances and times as one language and zone have them.

    Args:
        names: the name of a subject (`mmsi:463012345`), or nothing where none is known.
    """

    def __init__(self, lang: str, zone: str, names: Callable[[str], str] = lambda _: "") -> None:
        self._names = names
        self.locale = i18n.locale_of(lang)
        self._rtl = i18n.direction(lang) == "rtl"
        self.zone = ZoneInfo(zone)
        self.translations = i18n.translations(lang)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with the language's separators, and at most this many decimals."""
        if not math.isfinite(value):
            return "∞" if value > 0 else "–"
        return format_decimal(round(value, digits), "#,##0." + "#" * digits if digits else "#,##0",
                              locale=self.locale)  # fmt: skip

    def exact(self, value: Decimal) -> str:
        """An amount with the language's separators, and all of its decimals."""
        exponent = Decimal(value).normalize().as_tuple().exponent
        if not isinstance(exponent, int):
            return "–"
        places = max(-exponent, 0)
        pattern = "#,##0." + "0" * (2 if places == 1 else places) if places else "#,##0"
        return format_decimal(value, pattern, locale=self.locale, decimal_quantization=False)

    def measure(self, value: float) -> str:
        """A measured number with as many decimals as its size deserves."""
        size = abs(value)
        return self.number(value, 0 if size >= 100 else 1 if size >= 10 else 2)

    def distance(self, metres: float, unit: str = "nm") -> str:
        """A distance (m) in nautical miles (`nm`) or kilometres (`km`)."""
        per = {"nm": METRES_PER_NAUTICAL_MILE, "km": 1000.0}[unit]
        return f"{self.measure(metres / per)} {self.translations.gettext(unit)}"

    def local(self, moment: datetime, pattern: str) -> str:
        """A moment in the zone of the page, by a CLDR pattern."""
        return format_datetime(as_utc(moment).astimezone(self.zone), pattern, locale=self.locale)

    def when(self, moment: datetime | None, form: str = "full") -> str:
        """A moment as `<time>`: local, with UTC on hover.

        Args:
            form: `full` is date and time, `time` hours to seconds, `short` hours and
                minutes, `date` the day.
        """
        if moment is None:
            return "–"
        patterns = {
            "full": "d MMM yyyy, HH:mm:ss",
            "time": "HH:mm:ss",
            "short": "HH:mm",
            "date": "d MMM yyyy",
        }
        utc = as_utc(moment)
        shown = self.local(moment, patterns[form])
        return Markup('<time datetime="{}" title="{}" class="num">{}</time>').format(
            format_time(utc), f"{utc:%Y-%m-%d %H:%M:%SZ}", shown
        )

    def called(self, subject: str) -> str:
        """A subject as people call it: `CORAL QUEEN 35 (MMSI 463012345)`, `zone R-4`."""
        kind, _, id_ = subject.partition(":")
        word = SUBJECTS.get(kind) or self.translations.gettext(kind.replace("_", " "))
        # of an id that nobody reads out, the end says enough to tell two of them apart
        shown = f"…{id_[-_ID_END:]}" if is_id(id_) else id_
        if self._rtl and kind not in SUBJECTS:
            # or a hyphen at the end of a line would stand at the wrong side of its id
            shown = f"\u2066{shown}\u2069"
        told = f"{word} {shown}" if id_ else kind
        name = "" if id_.startswith("~") else self._names(subject)
        return f"{name} ({told})" if name else told

    def zone_name(self, moment: datetime) -> str:
        """The zone's short name (`PKT`)."""
        return as_utc(moment).astimezone(self.zone).tzname() or ""

    def span(self, length: timedelta | float) -> str:
        """A length of time as queues have it: `46 min`, `1 h 02`, `3 d`."""
        seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
        minutes = int(abs(seconds) // 60)
        say = self.translations.gettext
        if minutes < 60:
            return f"{minutes} {say('min')}"
        if minutes < 48 * 60:
            return f"{minutes // 60} {say('h')} {minutes % 60:02d}"
        return f"{minutes // 1440} {say('d')}"


# Units that reasons and spans are given in, by their symbols.
UNIT_WORDS = (
    i18n.N_("s"), i18n.N_("min"), i18n.N_("h"), i18n.N_("d"), i18n.N_("m"), i18n.N_("km"),
    i18n.N_("nm"), i18n.N_("kn"),
)  # fmt: skip


_ID_END = 6
# Types of subjects: what is an abbreviation everywhere, and what has a word in each language.
SUBJECTS = {"mmsi": "MMSI", "imo": "IMO", "imei": "IMEI", "imsi": "IMSI", "icao": "ICAO"}
SUBJECT_WORDS = (
    i18n.N_("number"), i18n.N_("zone"), i18n.N_("vessel"), i18n.N_("person"), i18n.N_("radar"),
    i18n.N_("track"), i18n.N_("unit"), i18n.N_("vehicle"), i18n.N_("drone"), i18n.N_("sensor"),
    i18n.N_("cell"), i18n.N_("account"), i18n.N_("handle"), i18n.N_("wallet"),
    i18n.N_("planned act"), i18n.N_("conflict"), i18n.N_("address"),
)  # fmt: skip


class _Compiled(BytecodeCache):
    """Templates as they were compiled, for all languages, zones and nodes of a process.

    What is compiled is the same for each of them as long as nothing of a language, a zone or a
    node is worked out while compiling: Jinja does so with a filter of a constant, unless the
    filter asks for the context (`_when_drawn`).
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled of the same text, if it was."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def _when_drawn(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, never worked out before the page is drawn."""

    @pass_context
    def asked(_context: Any, *values: Any, **more: Any) -> Any:
        return filter_(*values, **more)

    return asked


def _said(gettext: Callable[[str], str]) -> Callable[..., Markup]:
    """What Jinja's own `gettext` gives in a template that escapes, in a tenth of the time.

    A page says a hundred things, and most of them are the same each time.
    """
    kept: dict[str, Markup] = {}

    def said(message: str, /, **variables: Any) -> Markup:
        if variables:
            return Markup(gettext(message)) % variables  # noqa: S704 - as Jinja's: words are ours
        found = kept.get(message)
        if found is None:
            if len(kept) >= _MOST_SAID:  # an error's words may hold what somebody typed
                kept.clear()
            found = kept[message] = Markup(gettext(message)) % {}  # noqa: S704
        return found

    return said


def _constant(environment: Environment) -> Callable[[str], Markup]:
    """A global that gives a template which names nothing but words: drawn once."""

    @cache
    def constant(name: str) -> Markup:
        return Markup(environment.get_template(name).render())  # noqa: S704 - a template escapes

    return constant


class Templates:
    """Draws pages; safe to share between threads.

    Args:
        folders: templates of the rooms by prefix (`picture` → `picture/queue.html`); by
            default every `templates/` folder beside this package.
        zone: the clock's zone for pages that name none.
        reload: look each time whether a template changed (for writing them).
        names: what a subject is called, for the filter `called`.
    """

    def __init__(
        self,
        folders: Mapping[str, Path] | None = None,
        *,
        zone: str = "UTC",
        reload: bool = False,
        names: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._folders = dict(folders) if folders is not None else rooms()
        self._zone = zone
        self._reload = reload
        self._names = names
        self._made: dict[tuple[str, str], Environment] = {}
        self._lock = Lock()

    @cached_property
    def _loader(self) -> ChoiceLoader:
        shell = FileSystemLoader(Path(__file__).parent / "templates")
        by_room = {name: FileSystemLoader(path) for name, path in self._folders.items()}
        return ChoiceLoader([PrefixLoader(by_room), shell])

    def render(self, name: str, lang: str = i18n.SOURCE, /, **context: Any) -> str:
        """Draw a template in a language.

        Args:
            name: of the shell (`error.html`) or of a room (`picture/queue.html`).
            lang: a code of `i18n.LANGUAGES`; an unknown one gives English.
            context: what the template names; `page` (a `Page`) for whole pages.

        Raises:
            jinja2.UndefinedError: the template names something that was not given.
            jinja2.TemplateNotFound: there is no such template.
        """
        page = context.get("page")
        zone = page.zone if isinstance(page, Page) else self._zone
        return self.environment(lang, zone).get_template(name).render(**context)

    def environment(self, lang: str, zone: str | None = None) -> Environment:
        """The environment of a language and a zone, made once."""
        known = lang if lang in i18n.LANGUAGES else i18n.SOURCE
        key = (known, zone or self._zone)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(*key)
            return self._made[key]

    def _make(self, lang: str, zone: str) -> Environment:
        environment = Environment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=self._reload,
            bytecode_cache=_COMPILED,
        )
        formats = Formats(lang, zone, self._names)
        spoken = i18n.translations(lang)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            spoken.gettext, spoken.ngettext, newstyle=True, pgettext=spoken.pgettext
        )
        said = _said(spoken.gettext)
        environment.globals.update(_=said, gettext=said)
        environment.policies["ext.i18n.trimmed"] = True
        environment.globals.update(
            asset=asset, lang=lang, direction=i18n.direction(lang), languages=i18n.LANGUAGES,
            gauge=gauge, zone=zone, constant=_constant(environment),
        )  # fmt: skip
        own = (
            "when", "number", "measure", "exact", "distance", "span", "zone_name", "local",
            "called",
        )  # fmt: skip
        environment.filters.update({name: _when_drawn(getattr(formats, name)) for name in own})
        environment.filters.update(dms=dms, mask=mask, iso=format_time, moment=parse_time)
        return environment


def rooms() -> dict[str, Path]:
    """The `templates/` folder of every room that has one, by the room's name."""
    return {
        path.parent.name: path
        for path in sorted(PACKAGE.glob("*/templates"))
        if path.parent.name != "web"
    }
