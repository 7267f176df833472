"""Letters of a recovery: to the bank, and to each victim in the language that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadUsage, Conflict, NotFound
from cordon.kernel.work import Work
from cordon.money.disruption.recoveries import (
    EXPORT,
    RULE,
    Line,
    Recovery,
    Said,
    freeze,
    recovery_of,
)
from cordon.money.disruption.service import Disruption
from cordon.money.disruption.tables import PackageRow
from cordon.money.printing import pdf

LANGUAGES = ("en", "ur")
"""Languages of a notice; their words stand in `printed/notice.yaml`."""
_LRI, _PDI = "\u2066", "\u2069"  # Unicode isolates: a number stays one whatever stands beside it


def bank_letter(room: Disruption, actor: Actor, package: str) -> tuple[str, bytes]:
    """The letter that asks the bank to return sums; its name and bytes."""
    with room.kernel.work(actor) as work:
        row, found = _to_print(work, package)
        rows = [
            [frozen, line.account, ", ".join(line.complaints) or "–", f"{amount:,} {line.currency}"]
            for line in found.lines
            for frozen, amount in line.returned
        ]
        if not rows:
            raise Conflict("Nothing can be returned of what was frozen.",
                           advice="Work it out again when more was frozen.")  # fmt: skip
        values = {
            **_head(work, row, found, f"{row.name} · return of frozen sums"),
            "to": row.addressee,
            "title": "Request to return frozen sums to those who were defrauded",
            "paragraphs": [
                f"By our request {row.name} under {row.reference} ({row.law}) sums were frozen. "
                f"We ask that they be returned as the table says.",
                RULE,
            ],
            "columns": _columns("Frozen on", "To the account", "Complaint", "Amount"),
            "rows": rows,
            "sums": [
                f"{sums['returned']:,} {c}" for c, sums in found.sums.items() if sums["returned"]
            ],
            "after": [
                "What is frozen beyond these sums stays frozen until a court has decided.",
                *_looked_for(found),
            ],
        }
        work.act(EXPORT, row.thing(), name=row.name, form="bank", masked=found.masked)
    return _name(row, found, "bank"), pdf("letter.typ", values)


def notice(
    room: Disruption, actor: Actor, package: str, place: int, language: str = "en"
) -> tuple[str, bytes]:
    """The notice to one victim, by their place in the list (from 1); its name and bytes.

    Raises:
        NotFound: there is no such victim. BadUsage: no notice is written in that language.
    """
    if language not in LANGUAGES:
        raise BadUsage("No notice is written in that language.",
                       advice=f"Choose of: {', '.join(LANGUAGES)}.")  # fmt: skip
    with room.kernel.work(actor) as work:
        row, found = _to_print(work, package)
        if not 1 <= place <= len(found.lines):
            raise NotFound("There is no such victim.", advice="Choose one of the list.")
        line = found.lines[place - 1]
        own = [c for c in found.complaints if c.id in line.complaints]
        values = {
            **_head(work, row, found, f"{row.name} · notice {place}"),
            **noticed(line, own, found.masked, language),
        }
        work.act(
            EXPORT, row.thing(), name=row.name, form="notice", masked=found.masked,
            language=language,
        )  # fmt: skip
    what = f"notice-{place}" + ("" if language == "en" else f"-{language}")
    return _name(row, found, what), pdf("letter.typ", values)


def noticed(line: Line, own: list[Said], masked: int, language: str) -> dict[str, Any]:
    """What a notice says, as values of the template.

    Args:
        own: the victim's complaints. masked: how many values of the recovery are.
    """
    words = _words(language)

    def sum_(amount: Decimal, currency: str = "") -> str:
        return _as_one(f"{amount:,} {currency or line.currency}", language)

    def says(name: str, **given: str) -> str:
        return str(words[name]).format_map(given)

    paragraphs = [says("paid", lost=sum_(line.lost))]
    for one in own:
        told = {"id": _as_one(one.id, language), "day": _as_one(f"{one.received}", language)}
        if one.amount is None:
            paragraphs.append(says("complaint", **told))
        else:
            told["sum"] = sum_(one.amount, one.currency)
            paragraphs.append(says("complaint_sum", **told))
    if line.complained is not None and line.apart:
        name = "told_more" if line.apart > 0 else "told_less"
        paragraphs.append(says(name, apart=sum_(abs(line.apart))))
    paragraphs.append(
        says("returned", share=sum_(line.share)) if line.share else says("nothing_held")
    )
    return {
        "language": language,
        "right_to_left": bool(words["right_to_left"]),
        "to": says("to", account=_as_one(line.account, language)),
        "title": says("title"),
        "masked_note": says("masked", masked=_as_one(str(masked), language)),
        "paragraphs": [*paragraphs, says("rule")],
        "columns": [
            {"name": says("what"), "wide": True, "end": False},
            {"name": says("amount"), "wide": False, "end": True},
        ],
        "rows": [
            [says("paid_in"), sum_(line.lost)],
            [says("gone_on"), sum_(line.left)],
            [says("found"), sum_(line.stays)],
            [says("may_be_returned"), sum_(line.share)],
        ],
        "sums": [],
        "after": [says("write")],
    }


@cache
def _words(language: str) -> Mapping[str, Any]:
    text = files("cordon.money").joinpath("printed", "notice.yaml").read_text("utf-8")
    words: Mapping[str, Any] = yaml.safe_load(text)[language]
    return words


def _as_one(text: str, language: str) -> str:
    """Text that is not torn apart where lines run from right to left."""
    return f"{_LRI}{text}{_PDI}" if _words(language)["right_to_left"] else text


def _looked_for(found: Recovery) -> list[str]:
    """What the bank is asked to look for: complaints for which no payment was found."""
    alone = [c for c in found.complaints if not c.payments and not c.again]
    if not alone:
        return []
    named = ", ".join(
        c.id + (f" ({c.amount:,} {c.currency}".rstrip() + ")" if c.amount is not None else "")
        for c in alone
    )
    return [
        f"For these complaints about the same accounts no payment was found in what we were given: "
        f"{named}. We ask you to look for them in your books."
    ]


def _to_print(work: Work, package: str) -> tuple[PackageRow, Recovery]:
    row = freeze(work, package)
    work.permit(EXPORT, row.thing())
    found = recovery_of(work, row, lines=True)
    if not found.worked_out:
        raise Conflict("It was not worked out yet what may be returned.",
                       advice="Work it out first.")  # fmt: skip
    return row, found


def _head(work: Work, row: PackageRow, found: Recovery, reference: str) -> dict[str, Any]:
    return {
        "agency": row.agency,
        "mark": row.mark,
        "date": f"{work.now:%Y-%m-%d}",
        "reference": reference,
        "masked": found.masked,
        "signed": f"{row.agency}, {work.actor.unit or ''}".rstrip(", "),
        "language": "en",
        "right_to_left": False,
        "masked_note": f"Masked copy. {found.masked} values are masked: no authority of whoever "
        f"took it out covers them.",
    }


def _columns(*names: str) -> list[dict[str, Any]]:
    last = len(names) - 1
    return [{"name": n, "wide": i == 1, "end": i == last} for i, n in enumerate(names)]


def _name(row: PackageRow, found: Recovery, what: str) -> str:
    return f"{row.name}-{what}{'-masked' if found.masked else ''}.pdf"
