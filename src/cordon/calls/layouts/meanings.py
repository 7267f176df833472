"""What a column of an unknown file means, judged by the words of its header and by its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from phonenumbers import country_code_for_region

from cordon.calls.cellids import is_cell
from cordon.calls.imei import has_check_digit
from cordon.calls.layouts.dates import day_of, parted, second_of
from cordon.calls.layouts.durations import seconds_of
from cordon.calls.layouts.languages import languages, words
from cordon.calls.layouts.mapping import FORWARDS
from cordon.calls.layouts.model import Layout
from cordon.calls.layouts.zones import lettered, zoned
from cordon.calls.numbers import masked, normalised

# Words of headers, most telling first (English as operators of the region write it; other
# languages are data, see `languages`): pattern over the header as `words` gives it, what it means,
# how sure that is (0 to 1).
_WORDS: tuple[tuple[str, str, float], ...] = (
    (r"\b(lrn|roam|smsc|sms cent|c num|circle|desc|lat|long|lng|address)\w*", "", 1.0),
    (r"\b(port|volume|bytes|uplink|downlink|upload|download|apn)\b", "", 1.0),
    (r"\b(last|end|final)\b.*\b(cell|cgi|bts|site)", "", 1.0),
    (r"\b(end|terminat\w*|release|stop|finish)\b.*\b(date|time|tm|ts|hour)\b", "end", 1.0),
    (r"^(call )?(end|ended( at)?|stop|finish|release)$", "end", 1.0),
    (r"\b(forward\w*|fow|fwd)\b", "forwarded", 1.0),
    (r"\bimei\b", "imei", 1.0),
    (r"\bimsi\b", "imsi", 1.0),
    (r"\b(dur|duration|length|talk ?time)\b.*\b(ms|msecs?|millis\w*)\b", "duration_ms", 1.0),
    (r"\b(dur|duration|seconds|secs?|talk ?time|call length)\b", "duration_s", 1.0),
    (r"\b(trunk|tg|route) ?in\b|\bin(coming)? ?(trunk|tg|route)\b", "trunk_in", 1.0),
    (r"\b(trunk|tg|route) ?out\b|\bout(going)? ?(trunk|tg|route)\b", "trunk_out", 1.0),
    (r"\b(cell|cgi|cgid|bts|ecgi|site|ci|cid|eci)\b", "cell", 0.9),
    (r"\b(lac|tac|(location|tracking) area)\b", "area", 0.9),
    (r"\b(date ?(and)? ?time|start ?time|timestamp|date/time)\b", "start", 0.9),
    (r"\b((strt|start|begin|event|call|cdr) ?(tm|ts)|ts)\b", "start", 0.9),
    (r"\bdate\b", "date", 0.9),
    (r"\b(time|tm|hour|cit)\b", "time", 0.9),
    (r"\b(direction|in(bound)? ?/? ?out(bound)?|mo ?/ ?mt|way)\b", "direction", 1.0),
    (r"\b(call|record|cdr|event|service|usage) ?type\b", "direction", 0.6),
    (r"\b(service|event|usage|kind|type)\b", "kind", 0.7),
    (r"\b(target|subject|searched)\b", "target", 0.9),
    (r"\b(calling|caller|orig|originat\w*|from|source)\b", "caller", 0.9),
    (r"\ba ?(party|number|msisdn|num|no)\b|\b(msisdn|number|num|no|party) a\b", "caller", 0.9),
    (r"\b(called|callee|terminating|dialled|dialed|dest|destination|to)\b", "callee", 0.9),
    (r"\bb ?(party|number|msisdn|num|no)\b|\b(msisdn|number|num|no|party) b\b", "callee", 0.9),
    (r"\b(other|opposite|contact|second) ?(party|number|no)\b", "other", 0.8),
    (r"\b(number|msisdn|mobile|phone)\b", "caller", 0.4),
)
# Codes beside those of the layouts (a switch's dump has some, and tells no direction by them)
DIRECTIONS = {
    "in": ("in", "i", "incoming", "mt", "mtc", "mt-voice", "mt-sms", "terminating", "received"),
    "out": (
        "out",
        "o",
        "outgoing",
        "mo",
        "moc",
        "mo-voice",
        "mo-sms",
        "originating",
        "dialled",
        "dialed",
    ),
}
# Mobile country codes (ITU-T E.212 annex, by their first two digits)
_MCC = re.compile(
    r"(20|21|22|23|24|25|26|27|28|29|30|31|33|34|35|36|37|40|41|42|43|44|45|46|47|50|51|52|53|54|"
    r"55|60|61|62|63|64|65|70|71|72|73|74|75|90)\d{13}"
)
_BODIES = ("01", "35", "86", "99")  # who issues IMEIs: the reporting bodies of GSMA TS.06
_PARTED = re.compile(r"(?<=\d)[ \u00a0/-]+(?=\d)")  # parts of an IMEI as it is printed
_LEAST_SURE = 0.35
_MOST_CODES = 15  # distinct values of a column of codes
_PARTNERS = {"target": "other", "other": "target", "caller": "callee", "callee": "caller"}
_ENDS = frozenset(_PARTNERS)
_ROWS_OF_A_TARGET = 10  # at least, in a file of several targets' statements
_TELLS_BY = 0.95  # share of a column's values that are the same where it is one target's
_SAID = 2.0  # how sure a meaning is that a person said
Weighed = tuple[float, int, str]
"""How sure it is that a column (by its place) has a meaning."""
_LETTERED = re.compile(r"\b[ab]\b")  # A and B of a header, which do not say who called
_SIDES = (
    ("caller", r"\b(a|caller|calling|orig|originat\w*|appelant|anrufer|origen|llamante)\b"),
    ("callee", r"\b(b|called|callee|terminat\w*|appele|angerufen\w*|destino|llamado)\b"),
)
_ON_A_SIDE = re.compile(r"(?:caller|callee)_(imsi|imei|cell|area)")
_BY_HEADER = frozenset({"end", "area", "caller_area", "callee_area"})  # values alone do not tell
_DURATIONS = {"duration_s", "duration_ms"}
_LONG_CALL_S = 20_000  # few calls of a file are longer, and many numbers of cells are


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column means, how sure that is (0 to 1), and what its values look like."""

    column: str
    meaning: str
    confidence: float
    looks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name as the file has it, and a sample of its values."""

    name: str
    values: tuple[str, ...]

    def share(self, holds: Callable[[str], object]) -> float:
        """Share of the values for which something holds; 0 where there are none."""
        return sum(bool(holds(v)) for v in self.values) / len(self.values) if self.values else 0.0


def weighed(
    columns: Sequence[Column],
    layouts: Sequence[Layout],
    region: str,
    corrected: Mapping[str, str],
) -> list[Weighed]:
    """How sure each meaning of each column is, surest first.

    Args:
        layouts: known ones: a header that one of them has means the same here, most likely.
        corrected: meaning by header as `words` gives it, said by somebody; empty: passed over.
    """
    codes = _codes(layouts)
    known = _known(layouts)
    sure: list[Weighed] = []
    for at, column in enumerate(columns):
        name = words(column.name)
        if name in corrected:
            sure.append((_SAID, at, corrected[name]))
            continue
        head = known.get(name) or _said(name)
        held = _content(column, region, codes)
        sure += [(_confidence(m, head, held), at, m) for m in {*head, *held} - {""}]
    # of two that are alike the caller stands first
    return sorted(sure, key=lambda s: (-s[0], s[1], s[2] in ("callee", "other"), s[2]))


def guessed(
    columns: Sequence[Column],
    sure: Sequence[Weighed],
    barred: Set[tuple[str, str]] = frozenset(),
) -> list[Guess]:
    """What each column means; an empty meaning where it is passed over.

    A meaning goes to the column that is surest of it.

    Args:
        sure: as `weighed` says. barred: columns' names, each with a meaning that it is not to be
            taken for.
    """
    taken: dict[int, tuple[str, float]] = {}
    given: set[str] = set()
    for confidence, at, meaning in sure:
        if at in taken or (meaning and meaning in given) or confidence < _LEAST_SURE:
            continue
        if meaning in _ENDS and len(given & _ENDS) > 1:
            continue
        if confidence < _SAID and (columns[at].name, meaning) in barred:
            continue
        taken[at] = (meaning, confidence)
        given.add(meaning)
    taken = _as_ends(columns, taken, given)
    alone = {m for m in given if m.endswith("area") and m.replace("area", "cell") not in given}
    taken = {at: told for at, told in taken.items() if told[0] not in alone}
    return [
        Guess(c.name, m, min(confidence, 1.0), looks_of(c, m))
        for at, c in enumerate(columns)
        for m, confidence in [taken.get(at, ("", 0.0))]
    ]


def looks_of(column: Column, meaning: str) -> tuple[str, ...]:
    """What values look like: codes as they are, of all else the shape and no digit."""
    if meaning in ("direction", "kind"):
        return tuple(v for v, _ in Counter(column.values).most_common(3) if len(v) <= 20)
    shapes = Counter(re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", v))[:30] for v in column.values)
    return tuple(v for v, _ in shapes.most_common(2))


def _said(name: str) -> dict[str, float]:
    """Meanings that the words of a header tell; the empty one alone where it is passed over."""
    found: dict[str, float] = {}
    for pattern, meaning, weight in (*_WORDS, *(h for one in languages() for h in one.headers)):
        if re.search(pattern, name):
            if not meaning:
                return {"": weight}
            found[meaning] = max(weight, found.get(meaning, 0.0))
    if "end" in found:  # `Fin`, `End Time`; not the cell at the end
        return {"": 1.0} if found.keys() & {"cell", "area"} else {"end": found["end"]}
    if "duration_ms" in found:
        found.pop("duration_s", None)
    if "cell" in found:  # `LAC CI`: both in one
        found.pop("area", None)
    of_an_end = next((m for m in ("imei", "imsi", "cell", "area") if m in found), None)
    if of_an_end is not None:  # `IMEI A`, `Called Cell`: of that end, and no number
        side = next((s for s, pattern in _SIDES if re.search(pattern, name)), None)
        if side is not None:
            return {f"{side}_{of_an_end}": found[of_an_end]}
    return found


def _confidence(meaning: str, head: Mapping[str, float], held: Mapping[str, float]) -> float:
    said = head.get(meaning, 0.0)
    # names of a switch's own, and a column that is empty nearly everywhere: nothing to see in them
    if meaning in ("trunk_in", "trunk_out", "forwarded"):
        return 0.8 * said
    if meaning in _BY_HEADER and not said:
        return 0.0
    if meaning == "duration_ms" and not head.keys() & _DURATIONS:
        return 0.0
    of_one_side = _ON_A_SIDE.fullmatch(meaning)
    found = held.get(of_one_side[1] if of_one_side else meaning, 0.0)
    if not found:
        return 0.3 * said
    # a header that says something else speaks against it
    alike = ({"direction", "kind"}, _DURATIONS)
    others = [w for m, w in head.items() if m != meaning and {m, meaning} not in alike]
    against = max(others, default=0.0) if not said else 0.0
    return found * (0.55 + 0.45 * said) * (1 - 0.6 * against)


def _content(column: Column, region: str, codes: Mapping[str, str]) -> dict[str, float]:
    """How well the values of a column go with each meaning (0 to 1)."""
    share = column.share
    if not column.values or _is_counted_up(column.values):
        return {}
    distinct = set(column.values)
    held: dict[str, float] = {}
    both = share(_moment)
    day = share(_day)
    held["start"] = both
    held["date"] = day
    held["end"] = max(both, share(lambda v: _clock(v) is not None))
    held["area"] = 0.6 * share(lambda v: re.fullmatch(r"[0-9A-Fa-f]{1,5}", v))
    held["time"] = share(lambda v: ":" in v and _clock(v) is not None)
    subscriber = share(lambda v: _MCC.fullmatch(v) and not v.startswith(_BODIES))
    handset = share(lambda v: re.fullmatch(r"\d{14,16}", _PARTED.sub("", v)))
    issued = share(lambda v: v.startswith(_BODIES) or has_check_digit(_PARTED.sub("", v)))
    held["imei"] = handset * max(issued, 0.4)
    held["imsi"] = max(subscriber, 0.5 * share(_MCC.fullmatch))
    held["cell"] = max(share(is_cell), 0.6 * share(lambda v: re.fullmatch(r"[0-9A-Fa-f]{3,15}", v)))
    number = share(lambda v: _is_number(v, region))
    # a cell, which has as many digits, is of no country's plan more often than by chance
    number *= 0.3 if handset > 0.8 or day > 0.5 or share(is_cell) > 0.5 else 1.0
    number *= 0.5 if share(lambda v: len(v) < 7) > 0.9 else 1.0  # no column of short codes alone
    number *= 0.8 + 0.2 * share(lambda v: _is_near(v, region))
    for meaning in _ENDS:
        held[meaning] = number
    small = share(lambda v: re.fullmatch(r"\d{1,5}(?:\.\d+)?", v))
    clock = share(lambda v: seconds_of(v) is not None)
    if share(lambda v: v.isdecimal() and int(v) > _LONG_CALL_S) > 0.3:
        small *= 0.4
    held["duration_ms"] = 1.0 if _are_whole_thousands(distinct) else 0.0
    if _DURATIONS & set(_said(words(column.name))) == {"duration_ms"}:
        held["duration_ms"] = share(lambda v: re.fullmatch(r"\d{1,9}(?:\.\d+)?", v))
    held["duration_s"] = max(small, 0.8 * clock) * (0.9 if len(distinct) > 1 else 0.6)
    if len(distinct) <= _MOST_CODES:
        held["direction"] = share(lambda v: codes.get(v.lower()) == "direction")
        # a column that tells both is the direction's, and the kind is read from it too
        told = share(lambda v: codes.get(v.lower()) in ("direction", "kind"))
        held["kind"] = told if held["direction"] < 0.5 else 0.0
    return {meaning: found for meaning, found in held.items() if found > 0.2}


def _are_whole_thousands(values: Set[str]) -> bool:
    """True for durations that are told in milliseconds, of a clock that counts seconds."""
    told = {int(v) for v in values if v.isdecimal()} - {0}
    return len(told) > 2 and all(v % 1000 == 0 for v in told) and len(values) - len(told) < 2


def _as_ends(
    columns: Sequence[Column], taken: dict[int, tuple[str, float]], given: set[str]
) -> dict[int, tuple[str, float]]:
    """Numbers as a target and the other, or as caller and callee, and not half of each.

    Where a direction is told and one of two columns holds one number, it is one target's.
    """
    ends = [at for at, (meaning, _) in taken.items() if meaning in _ENDS]
    meanings = {taken[at][0] for at in ends}
    if len(ends) != 2 or meanings == {"target", "other"}:
        return taken
    said = [at for at in ends if taken[at][1] >= _SAID]
    if said:
        a, b = said[0], next(at for at in ends if at != said[0])
        pair = (
            (taken[a][0], _PARTNERS[taken[a][0]]) if len(said) == 1 else (taken[a][0], taken[b][0])
        )
    else:
        a, b = sorted(ends, key=lambda at: (taken[at][0] not in ("target", "caller"), at))
        alone = [at for at, other in ((a, b), (b, a)) if _of_few(columns[at], columns[other])]
        way = next((columns[at].name for at, (m, _) in taken.items() if m == "direction"), "")
        if "direction" not in given:
            statement = False
        elif meanings == {"caller", "callee"}:
            # called so by their headers: still a statement where one number stands in every row,
            # and where a direction is told of an A and a B
            lettered = all(_LETTERED.search(words(columns[at].name)) for at in ends)
            statement = len(alone) == 1 or (lettered and _said(words(way)).get("direction") == 1)
            a, b = (b, a) if alone == [b] else (a, b)
        else:
            statement = a in alone or _of_one(columns[a]) or bool({"target", "other"} & meanings)
        pair = ("target", "other") if statement else ("caller", "callee")
    return {**taken, a: (pair[0], taken[a][1]), b: (pair[1], taken[b][1])}


def _of_few(column: Column, other: Column) -> bool:
    """True where a few numbers, as of one target or two, stand against many more."""
    few, many = len(set(column.values)), len(set(other.values))
    return few <= max(1, len(column.values) // _ROWS_OF_A_TARGET) and few * 3 <= many


def _of_one(column: Column) -> bool:
    """True where nearly every value is the same."""
    values = column.values
    return bool(values) and Counter(values).most_common(1)[0][1] > _TELLS_BY * len(values)


def _known(layouts: Sequence[Layout]) -> dict[str, dict[str, float]]:
    """Meanings of headers that layouts have, each as likely as layouts say so."""
    found: dict[str, Counter[str]] = {}
    for layout in layouts:
        for meaning, names in layout.columns.items():
            for name in names:
                found.setdefault(words(name), Counter())[meaning] += 1
    return {
        name: {m: n / counts.total() for m, n in counts.items()} for name, counts in found.items()
    }


def _codes(layouts: Sequence[Layout]) -> dict[str, str]:
    """Which of direction and kind a code tells; one that tells both is a direction."""
    found = {v: "kind" for layout in layouts for v in layout.kinds if not v.isdigit()}
    found |= {v: "kind" for one in languages() for v in one.kinds}
    found |= {v: "direction" for layout in layouts for v in layout.directions}
    found |= {v: "direction" for one in languages() for v in one.directions}
    found |= dict.fromkeys(FORWARDS, "direction")
    return found | {v: "direction" for some in DIRECTIONS.values() for v in some}


def _is_counted_up(values: Sequence[str]) -> bool:
    """True for the numbers of the rows themselves."""
    if len(values) < 3 or not all(v.isdecimal() and len(v) < 8 for v in values):
        return False
    return all(int(b) == int(a) + 1 for a, b in pairwise(values))


def _day(text: str) -> bool:
    return any(day_of(text, order) is not None for order in ("dmy", "mdy")) and not (
        re.fullmatch(r"\d{8}", text) and not text.startswith(("19", "20"))
    )


def _moment(text: str) -> bool:
    parts = parted(text)
    if parts is None or not _day(parts[0]):
        return False
    return _clock(parts[1]) is not None


def _clock(text: str) -> int | None:
    """Seconds of a time of day, whatever zone stands behind it; None where it is none."""
    told = zoned(text) or lettered(text)
    return second_of(text if told is None else told[0])


def _is_near(text: str, region: str) -> bool:
    """True for a number of the country itself, or a short one."""
    found = normalised(re.sub(r"[ ()-]", "", text), region) or ""
    return not found.startswith("+") or found.startswith(_code_of(region))


@cache
def _code_of(region: str) -> str:
    return f"+{country_code_for_region(region.upper())}"


def _is_number(text: str, region: str) -> bool:
    bare = re.sub(r"[ ()-]", "", text)
    if masked(bare) is not None:
        return True
    if not re.fullmatch(r"\+?\d{3,15}", bare):
        return bool(re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{3,10}", text))
    return len(bare) < 7 or str(normalised(bare, region) or "").startswith("+")
