"""What goes between two nodes of planned acts: a claim, what it met, a word on a conflict.

Bodies come from another agency's node: each value is looked at before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import BadInput
from cordon.sharing.deconfliction.model import (
    LONGEST,
    MOST_BUFFER_MIN,
    MOST_SUBJECT_DAYS,
    MOST_SUBJECTS,
    Claim,
    Met,
)
from cordon.sharing.deconfliction.place import MOST_CORNERS, Place

CHECK, WORD = "deconflict.check", "deconflict.word"
MOST_CLAIMS = 50
MOST_MET = 100
"""Acts that one claim is told to meet; whoever claims so wide a place must ring anyway."""
WORDS = ("met", "owned", "solved", "overridden", "gone")
BASES = ("place", "subject")
_REF = re.compile(r"[0-9a-f]{32}")
_LONGEST = LONGEST + 2 * timedelta(minutes=MOST_BUFFER_MIN)
_LONGEST_SUBJECT = _LONGEST + 2 * timedelta(days=MOST_SUBJECT_DAYS)
_MOST_REVISION = 1 << 30


@dataclass(frozen=True, slots=True)
class Word:
    """What one side says of a conflict.

    Attributes:
        yours, mine: pointers of the receiver's and the sender's act; of, revision: their changes
            that it speaks of. word: one of `WORDS`. who, how: who did it and how.
        ring: whom to ring. basis: as of `Met`.
    """

    yours: str
    mine: str
    of: int
    revision: int
    word: str
    who: str = ""
    how: str = ""
    ring: str = ""
    basis: tuple[str, ...] = ()


def write_claim(claim: Claim) -> dict[str, Any]:
    """A claim as JSON values."""
    place = claim.place
    return {
        "ref": claim.ref, "revision": claim.revision, "lat": place.lat, "lon": place.lon,
        "radius_m": place.radius_m, "area": [list(c) for c in place.area],
        "start": format_time(claim.start), "end": format_time(claim.end),
        "subject_start": format_time(claim.subject_start),
        "subject_end": format_time(claim.subject_end),
        "tokens": list(claim.tokens), "joint": claim.joint, "ring": claim.ring,
    }  # fmt: skip


def read_claims(body: Mapping[str, Any]) -> list[Claim]:
    """The claims of a question; BadInput says which one is wrong and why."""
    listed = body.get("acts")
    if body.get("version") != 1 or not isinstance(listed, list) or len(listed) > MOST_CLAIMS:
        raise BadInput(f"A check is version 1 with a list of at most {MOST_CLAIMS} acts.")
    claims = []
    for number, one in enumerate(listed, 1):
        try:
            claims.append(_claim(one))
        except BadInput as wrong:
            raise BadInput(f"Act {number}: {wrong}") from None
    if len({c.ref for c in claims}) < len(claims):
        raise BadInput("One act stands twice in a check.")
    return claims


def _claim(one: Any) -> Claim:
    if not isinstance(one, dict):
        raise BadInput("It is no object.")
    start, end = _span(one, "start", "end", _LONGEST)
    earlier, later = _span(one, "subject_start", "subject_end", _LONGEST_SUBJECT)
    if earlier > start or later < end:
        raise BadInput("Its time for subjects does not hold its time.")
    tokens = one.get("tokens")
    if not isinstance(tokens, list) or len(tokens) > MOST_SUBJECTS:
        raise BadInput(f"Its tokens are no list of at most {MOST_SUBJECTS}.")
    area = one.get("area")
    if not isinstance(area, list) or len(area) > MOST_CORNERS:
        raise BadInput(f"Its area is no list of at most {MOST_CORNERS} corners.")
    radius = _number(one.get("radius_m"))
    if area:
        if not all(isinstance(c, list) and len(c) == 2 for c in area):
            raise BadInput("A corner of its area is no latitude and longitude.")
        place = Place.of_area([(_number(c[0]), _number(c[1])) for c in area], radius)
    else:
        place = Place.circle(_number(one.get("lat")), _number(one.get("lon")), radius)
    joint = one.get("joint")
    return Claim(
        _ref(one.get("ref")), _revision(one.get("revision")), place, start, end, earlier, later,
        tuple(_ref(t) for t in tokens), None if joint is None else _ref(joint),
        _text(one.get("ring"), 80),
    )  # fmt: skip


def write_met(claim: Claim, met: Sequence[Met]) -> dict[str, Any]:
    """What a claim met, as JSON values."""
    return {
        "ref": claim.ref, "revision": claim.revision,
        "met": [
            {"ref": m.ref, "revision": m.revision, "ring": m.ring, "basis": list(m.basis)}
            for m in met
        ],
    }  # fmt: skip


def read_met(answer: Mapping[str, Any]) -> dict[str, tuple[int, list[Met]]]:
    """Revision and what was met by the claim's pointer; BadInput where it is no answer."""
    listed = answer.get("acts")
    if answer.get("version") != 1 or not isinstance(listed, list) or len(listed) > MOST_CLAIMS:
        raise BadInput("The answer to a check is none of version 1.")
    found = {}
    for one in listed:
        met = one.get("met") if isinstance(one, dict) else None
        if not isinstance(met, list) or len(met) > MOST_MET:
            raise BadInput("The answer to a check has no list of what was met.")
        found[_ref(one.get("ref"))] = (_revision(one.get("revision")), [_met(m) for m in met])
    return found


def _met(one: Any) -> Met:
    if not isinstance(one, dict):
        raise BadInput("What was met is no object.")
    return Met(
        _ref(one.get("ref")), _revision(one.get("revision")), _text(one.get("ring"), 80),
        _bases(one.get("basis")),
    )  # fmt: skip


def write_word(word: Word) -> dict[str, Any]:
    """A word on a conflict, as JSON values."""
    return {
        "yours": word.yours, "mine": word.mine, "of": word.of, "revision": word.revision,
        "word": word.word, "who": word.who, "how": word.how, "ring": word.ring,
        "basis": list(word.basis),
    }  # fmt: skip


def read_word(body: Mapping[str, Any]) -> Word:
    """A word on a conflict; BadInput where it is none."""
    if body.get("word") not in WORDS:
        raise BadInput("A word on a conflict is one of " + ", ".join(WORDS) + ".")
    met = body["word"] == "met"
    return Word(
        _ref(body.get("yours")), _ref(body.get("mine")), _revision(body.get("of")),
        _revision(body.get("revision")), body["word"], _text(body.get("who"), 80, least=0),
        _text(body.get("how"), 500, least=0), _text(body.get("ring"), 80, least=int(met)),
        _bases(body.get("basis")) if met else (),
    )  # fmt: skip


def _bases(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list) or not said or not all(b in BASES for b in said):
        raise BadInput("A basis is place, subject or both.")
    return tuple(sorted(set(said)))


def _span(
    one: Mapping[str, Any], first: str, last: str, longest: timedelta
) -> tuple[datetime, datetime]:
    texts = (one.get(first), one.get(last))
    if not all(isinstance(t, str) and len(t) <= 40 for t in texts):
        raise BadInput(f"{first} and {last} are no times.")
    try:
        start, end = (parse_time(str(t)) for t in texts)
    except OverflowError:  # a time of the year 1 or 9999 in a zone that leads out of the calendar
        raise BadInput(f"{first} and {last} are no times.") from None
    if not timedelta(0) < end - start <= longest:
        raise BadInput(f"From {first} to {last} is no time, or too long.")
    return start, end


def _number(said: Any) -> float:
    if type(said) not in (int, float) or abs(said) > 1e9:
        raise BadInput("A position or radius is no number.")
    return float(said)


def _ref(said: Any) -> str:
    if not isinstance(said, str) or not _REF.fullmatch(said):
        raise BadInput("A pointer or token is 32 hex digits.")
    return said


def _revision(said: Any) -> int:
    if type(said) is not int or not 0 < said < _MOST_REVISION:
        raise BadInput("A revision is a whole number from 1.")
    return said


def _text(said: Any, most: int, *, least: int = 1) -> str:
    if not isinstance(said, str) or not least <= len(said) <= most:
        raise BadInput(f"A text has {least} to {most} characters.")
    if said and not said.isprintable():
        raise BadInput("A text holds characters that cannot be printed.")
    return said
