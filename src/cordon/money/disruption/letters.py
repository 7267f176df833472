"""Letters of a recovery, to the bank and to each victim, in the language that is chosen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import Conflict, NotFound
from cordon.kernel.work import Work
from cordon.money.disruption.recoveries import (
    EXPORT,
    Line,
    Recovery,
    Said,
    freeze,
    recovery_of,
)
from cordon.money.disruption.service import Disruption
from cordon.money.disruption.tables import PackageRow
from cordon.money.printing import LANGUAGES, Words, pdf, words


def bank_letter(
    room: Disruption, actor: Actor, package: str, language: str = LANGUAGES[0]
) -> tuple[str, bytes]:
    """The letter that asks the bank to return sums; its name and bytes.

    Raises:
        BadUsage: nothing is printed in that language. Conflict: nothing can be returned.
    """
    w = words("bank", language)
    with room.kernel.work(actor) as work:
        row, found = _to_print(work, package)
        if not any(line.returned for line in found.lines):
            raise Conflict("Nothing can be returned of what was frozen.",
                           advice="Work it out again when more was frozen.")  # fmt: skip
        values = {
            **_head(work, row, found, w.says("reference", package=w.number(row.name))),
            **asked_back(row, found, w),
        }
        work.act(
            EXPORT, row.thing(), name=row.name, form="bank", masked=found.masked,
            language=language,
        )  # fmt: skip
    return _name(row, found, "bank", language), pdf("letter.typ", values)


def asked_back(row: PackageRow, found: Recovery, w: Words) -> dict[str, Any]:
    """What the letter to a bank says, as values of the template."""
    frozen = w.says(
        "asked", package=w.number(row.name), reference=w.name(row.reference), law=w.name(row.law)
    )
    return {
        "language": w.language,
        "right_to_left": w.right_to_left,
        "masked_note": w.says("masked", masked=w.number(str(found.masked))),
        "to": w.name(row.addressee),
        "title": w.says("title"),
        "paragraphs": [frozen, w.says("rule")],
        "columns": _columns(w["frozen_on"], w["to_account"], w["complaint"], w["amount"]),
        "rows": [
            [
                w.number(account),
                w.number(line.account),
                w["comma"].join(w.number(c) for c in line.complaints) or "–",
                w.number(f"{amount:,} {line.currency}"),
            ]
            for line in found.lines
            for account, amount in line.returned
        ],
        "sums": [
            w.number(f"{sums['returned']:,} {c}")
            for c, sums in found.sums.items()
            if sums["returned"]
        ],
        "after": [w.says("beyond"), *_looked_for(found, w)],
    }


def notice(
    room: Disruption, actor: Actor, package: str, place: int, language: str = LANGUAGES[0]
) -> tuple[str, bytes]:
    """The notice to one victim, by their place in the list (from 1); its name and bytes.

    Raises:
        NotFound: there is no such victim. BadUsage: nothing is printed in that language.
    """
    words("notice", language)
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
    return _name(row, found, f"notice-{place}", language), pdf("letter.typ", values)


def noticed(line: Line, own: list[Said], masked: int, language: str) -> dict[str, Any]:
    """What a notice says, as values of the template.

    Args:
        own: the victim's complaints. masked: how many values of the recovery are.
    """
    w = words("notice", language)
    says, number = w.says, w.number

    def sum_(amount: Decimal, currency: str = "") -> str:
        return number(f"{amount:,} {currency or line.currency}")

    paragraphs = [says("paid", lost=sum_(line.lost))]
    for one in own:
        told = {"id": number(one.id), "day": number(f"{one.received}")}
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
        "right_to_left": w.right_to_left,
        "to": says("to", account=number(line.account)),
        "title": says("title"),
        "masked_note": says("masked", masked=number(str(masked))),
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


def _looked_for(found: Recovery, w: Words) -> list[str]:
    """What the bank is asked to look for: complaints for which no payment was found."""
    alone = [c for c in found.complaints if not c.payments and not c.again]
    if not alone:
        return []
    named = w["comma"].join(
        w.number(
            c.id + (f" ({c.amount:,} {c.currency}".rstrip() + ")" if c.amount is not None else "")
        )
        for c in alone
    )
    return [w.says("looked_for", named=named)]


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
    }


def _columns(*names: str) -> list[dict[str, Any]]:
    last = len(names) - 1
    return [{"name": n, "wide": i == 1, "end": i == last} for i, n in enumerate(names)]


def _name(row: PackageRow, found: Recovery, what: str, language: str) -> str:
    spoken = "" if language == LANGUAGES[0] else f"-{language}"
    return f"{row.name}-{what}{spoken}{'-masked' if found.masked else ''}.pdf"
