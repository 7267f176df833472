"""A package as others get it: JSON by a schema, CSV for block lists, PDF."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from cordon.kernel.clock import format_time
from cordon.money.disruption.model import Item, Kind, Package, Site, State
from cordon.money.disruption.seeing import Shown
from cordon.money.printing import LANGUAGES, Words, pdf, runs_right_to_left, words

FORMAT = "cordon/package/2"
ENDINGS: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
_PRINTED_RECORDS = 40  # of a finding; the JSON has all of them


def body(shown: Shown) -> dict[str, Any]:
    """The package as JSON values, by `package-2.schema.json`; amounts are exact, as text."""
    p = shown.package
    return {
        "format": FORMAT,
        "package": p.name,
        "kind": str(p.kind),
        "state": str(p.state),
        "agency": p.agency,
        "mark": str(p.mark),
        "authority": {
            "reference": p.reference,
            "basis": p.basis,
            "law": p.law,
            "issuer": p.issuer,
            "valid_from": format_time(p.valid_from) if p.valid_from else None,
            "valid_until": format_time(p.valid_until) if p.valid_until else None,
        },
        "addressee": p.addressee,
        "asks": p.why,
        "days": p.days,
        "ring": p.ring_name or None,
        "items": [_item(place, item) for place, item in enumerate(p.items, 1)],
        "grounds": [
            {
                "finding": g.finding,
                "kind": g.kind,
                "confidence": g.confidence,
                "reasons": list(g.reasons),
                "records": [{"sha256": sha256, "row": row} for sha256, row in g.records],
            }
            for g in p.grounds
        ],
        "site": _site(p.site) if p.site else None,
        "supersedes": p.supersedes[1] if p.supersedes else None,
        "drafted": _by(p, p.drafted_by, p.drafted_unit, p.drafted_at),
        "approved": _signed(p, State.APPROVED),
        "sent": _signed(p, State.SENT),
        "masked": shown.masked,
    }


def as_json(shown: Shown) -> bytes:
    """The JSON file; the same package gives the same bytes."""
    return orjson.dumps(body(shown), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_csv(shown: Shown) -> bytes:
    """What it names, a row each: `place,type,value,bank,amount,currency,finding`.

    A value that a table's program might take for a formula begins with an apostrophe, a number
    with its + aside.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("place", "type", "value", "bank", "amount", "currency", "finding"))
    for place, i in enumerate(shown.package.items, 1):
        writer.writerow(
            (place, i.type, _safe(i.value), _safe(i.bank), i.amount or "", i.currency, i.finding)
        )
    return out.getvalue().encode()


def as_pdf(shown: Shown, language: str = LANGUAGES[0]) -> bytes:
    """The printed form; the same package and language give the same bytes.

    Raises:
        BadUsage: nothing is printed in that language.
    """
    return pdf("package.typ", printed(shown, language))


def kept_as(ending: str, language: str) -> str:
    """What a file that was sent is kept under: its ending, and of paper the language it is in."""
    return ending if language == LANGUAGES[0] or ending != "pdf" else f"{ending}-{language}"


def files_of(shown: Shown) -> dict[str, bytes]:
    """Every file that a package is sent as, by what it is kept under; paper in each language."""
    made = {"json": as_json(shown)}
    made |= {kept_as("pdf", language): as_pdf(shown, language) for language in LANGUAGES}
    if shown.package.kind is Kind.BLOCK_LIST:
        made["csv"] = as_csv(shown)
    return made


def printed(shown: Shown, language: str = LANGUAGES[0]) -> dict[str, Any]:
    """Values of the printed form.

    What officers and detectors wrote stands as they wrote it, each in the direction of its own
    language; all else in the language that is asked for.

    Raises:
        BadUsage: nothing is printed in that language.
    """
    p, w = shown.package, words("package", language)
    amounts = any(i.amount is not None for i in p.items)
    columns = [_column("", end=True, code=True), _column(w["what"]),
               _column(w["value"], wide=True, code=True)]  # fmt: skip
    banks = amounts or any(i.bank for i in p.items)
    columns += [_column(w["bank"])] if banks else []
    columns += [_column(w["amount"], end=True, code=True)] if amounts else []
    rows = []
    for place, i in enumerate(p.items, 1):
        row = [str(place), w["types"].get(i.type, i.type), w.name(i.value)]
        row += [w.name(i.bank)] if banks else []
        if amounts:
            row.append(w.number(f"{i.amount:,} {i.currency}") if i.amount is not None else "")
        rows.append(row)
    head = [
        (w["package"], w.number(p.name)),
        (w["to"], w.name(p.addressee)),
        (w["from"], w.name(p.agency)),
        (w["authority"], w.name(p.reference)),
        (w["issuer"], w.name(p.issuer)),
        (w["law"], w.name(p.law)),
    ]
    if p.valid_from and p.valid_until:
        days = {"since": f"{p.valid_from:%Y-%m-%d}", "until": f"{p.valid_until:%Y-%m-%d}"}
        head.append((w["valid"], w.says("span", **{n: w.number(d) for n, d in days.items()})))
    head += [(w["for"], w.says("days", days=w.number(str(p.days))))] if p.days else []
    head += [(w["supersedes"], w.number(p.supersedes[1]))] if p.supersedes else []
    head += [(w["ring"], w.name(p.ring_name))] if p.ring_name else []
    approved, sent = p.step(State.APPROVED), p.step(State.SENT)
    return {
        "language": language,
        "right_to_left": w.right_to_left,
        "package": p.name,
        "title": w["titles"][str(p.kind)],
        "agency": p.agency,
        "mark": str(p.mark),
        "stage": w["stages"]["sent"].format(at=w.number(_when(sent.at)))
        if sent
        else w["stages"][str(p.state)],
        "masked": shown.masked,
        "masked_note": w.says("masked", masked=w.number(str(shown.masked))),
        "head": head,
        "why": _own(p.why),
        "site": _where(p.site, w) if p.site else None,
        "columns": columns,
        "items": rows,
        "sums": [w.number(f"{total:,} {currency}") for currency, total in sums(p.items).items()],
        "grounds": [
            {
                "title": w.says(
                    "ground", kind=w.number(g.kind), confidence=w.number(f"{g.confidence:.2f}")
                ),
                "says": w.says("finding", finding=w.number(g.finding)),
                "reasons": [_own(reason) for reason in g.reasons],
                "records": _records(g.records, w),
            }
            for g in p.grounds
        ],
        "signed": [
            (w[f"{did}_by"], f"{w.name(by)} · {w.number(_when(at))}" if by and at else "–")
            for did, by, at in (
                ("drafted", who(p, p.drafted_by, p.drafted_unit), p.drafted_at),
                (
                    "approved",
                    approved and who(p, approved.by, approved.unit),
                    approved and approved.at,
                ),
                ("sent", sent and who(p, sent.by, sent.unit), sent and sent.at),
            )
        ],
        "says": {
            **{name: w[name] for name in ("asked", "where", "names", "grounds", "as_written")},
            "lead": w.says("lead", agency=w.name(p.agency)),
        },
    }


def _column(name: str, *, wide: bool = False, end: bool = False, code: bool = False) -> Any:
    return {"name": name, "wide": wide, "end": end, "code": code}


def _own(text: str) -> dict[str, Any]:
    return {"text": text, "turned": runs_right_to_left(text)}


def sums(items: tuple[Item, ...]) -> dict[str, Decimal]:
    """Amounts by currency."""
    totals: dict[str, Decimal] = {}
    for item in items:
        if item.amount is not None:
            totals[item.currency] = totals.get(item.currency, Decimal(0)) + item.amount
    return dict(sorted(totals.items()))


def _item(place: int, item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {"place": place, "type": item.type, "value": item.value}
    if item.bank:
        told["bank"] = item.bank
    if item.amount is not None:
        told |= {"amount": str(item.amount), "currency": item.currency}
    return {**told, "finding": item.finding}


def _site(site: Site) -> dict[str, Any]:
    return {
        "lat": site.lat,
        "lon": site.lon,
        "radius_m": site.radius_m,
        "region": site.region,
        "opens": site.opens,
        "closes": site.closes,
        "closed": list(site.closed),
        "seats": list(site.seats) if site.seats else None,
        "unit": site.unit,
    }


def _where(site: Site, w: Words) -> list[tuple[str, str]]:
    told = [(w["place"], w.number(f"{site.lat:.5f}°, {site.lon:.5f}° (WGS 84)"))]
    if site.radius_m is not None:
        told.append((w["uncertain"], w.number(f"{site.radius_m:,.0f} m")))
    if site.opens is not None and site.closes is not None:
        opens, closes = w.number(hour(site.opens)), w.number(hour(site.closes))
        told.append((w["at_work"], w.says("hours", opens=opens, closes=closes)))
    if site.closed:
        days = [w["weekdays"][d] for d in site.closed if 0 <= d < 7]
        told.append((w["closed"], w["comma"].join(days)))
    if site.seats is not None:
        least, most = (w.number(str(n)) for n in site.seats)
        told.append((w["seats"], w.says("seats_between", least=least, most=most)))
    return [*told, (w["unit"], w.name(site.unit))]


def hour(value: float) -> str:
    """Hours with a fraction as `11:30`."""
    minutes = round(value * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _records(records: tuple[tuple[str, int], ...], w: Words) -> str:
    by_file: dict[str, list[str]] = {}
    for sha256, row in records[:_PRINTED_RECORDS]:
        by_file.setdefault(sha256, []).append(str(row))
    told = "; ".join(
        w.says("of_file", file=w.number(f"{s[:16]}…"), rows=w.number(", ".join(rows)))
        for s, rows in by_file.items()
    )
    more = len(records) - _PRINTED_RECORDS
    name = "records_more" if more > 0 else "records"
    return w.says(name, told=told or w["none"], more=w.number(f"{more:,}"))


def who(p: Package, officer: str, unit: str) -> str:
    """An officer by name, with the unit that they served in."""
    name = p.people.get(officer, officer)
    return f"{name}, {p.units.get(unit, unit)}" if unit else name


def _signed(p: Package, state: State) -> dict[str, Any] | None:
    step = p.step(state)
    return _by(p, step.by, step.unit, step.at) if step else None


def _by(p: Package, officer: str, unit: str, at: datetime) -> dict[str, Any]:
    return {
        "by": p.people.get(officer, officer),
        "unit": p.units.get(unit, unit) or None,
        "officer": officer,
        "at": format_time(at),
    }


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _safe(text: str) -> str:
    if text[:1] in ("=", "-", "@", "\t", "\r") or (text[:1] == "+" and not text[1:].isdigit()):
        return "'" + text
    return text
