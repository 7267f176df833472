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
from cordon.money.printing import pdf

FORMAT = "cordon/package/1"
ENDINGS: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
TITLES: Mapping[Kind, str] = {
    Kind.BLOCK_LIST: "Request to block numbers and handsets",
    Kind.PRESERVATION: "Request to preserve data",
    Kind.DISCLOSURE: "Request to disclose data",
    Kind.FREEZE: "Request to freeze accounts",
    Kind.SITE: "Site package",
}
TYPES: Mapping[str, str] = {
    "number": "Number",
    "imei": "Handset (IMEI)",
    "imsi": "SIM (IMSI)",
    "account": "Account",
    "wallet": "Wallet",
    "handle": "Handle",
    "url": "Page",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PRINTED_RECORDS = 40  # of a finding; the JSON has all of them


def body(shown: Shown) -> dict[str, Any]:
    """The package as JSON values, by `package.schema.json`. Amounts are exact decimals as text."""
    p = shown.package
    return {
        "format": FORMAT,
        "package": p.name,
        "kind": str(p.kind),
        "state": str(p.state),
        "agency": p.agency,
        "mark": str(p.mark),
        "authority": {"reference": p.reference, "law": p.law, "issuer": p.issuer},
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
        "drafted": {"by": p.drafted_by, "at": format_time(p.drafted_at)},
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


def as_pdf(shown: Shown) -> bytes:
    """The printed form; the same package gives the same bytes."""
    return pdf("package.typ", printed(shown))


def files_of(shown: Shown) -> dict[str, bytes]:
    """Every file that a package is sent as, by its ending."""
    made = {"json": as_json(shown), "pdf": as_pdf(shown)}
    if shown.package.kind is Kind.BLOCK_LIST:
        made["csv"] = as_csv(shown)
    return made


def printed(shown: Shown) -> dict[str, Any]:
    """Values of the printed form."""
    p = shown.package
    amounts = any(i.amount is not None for i in p.items)
    columns = [("", False, True), ("What", False, False), ("Value", True, False)]
    columns += [("Bank", False, False), ("Amount", False, True)] if amounts else []
    rows = []
    for place, i in enumerate(p.items, 1):
        row = [str(place), TYPES.get(i.type, i.type), i.value]
        if amounts:
            row += [i.bank, f"{i.amount:,} {i.currency}" if i.amount is not None else ""]
        rows.append(row)
    head = [
        ("Package", p.name),
        ("To", p.addressee),
        ("From", p.agency),
        ("Authority", p.reference),
        ("Issued by", p.issuer),
        ("Legal basis", p.law),
    ]
    head += [("For", f"{p.days} days")] if p.days else []
    head += [("Supersedes", p.supersedes[1])] if p.supersedes else []
    head += [("Ring", p.ring_name)] if p.ring_name else []
    approved, sent = p.step(State.APPROVED), p.step(State.SENT)
    return {
        "package": p.name,
        "title": TITLES[p.kind],
        "agency": p.agency,
        "mark": str(p.mark),
        "stage": f"sent {_when(sent.at)}" if sent else f"{p.state}, not sent",
        "masked": shown.masked,
        "head": head,
        "why": p.why,
        "site": _where(p.site) if p.site else None,
        "columns": [{"name": n, "wide": w, "end": e} for n, w, e in columns],
        "items": rows,
        "sums": [f"{total:,} {currency}" for currency, total in sums(p.items).items()],
        "grounds": [
            {
                "title": f"{g.kind} · confidence {g.confidence:.2f}",
                "says": f"Finding {g.finding}",
                "reasons": list(g.reasons),
                "records": _records(g.records),
            }
            for g in p.grounds
        ],
        "signed": [
            ("Drafted by", f"{p.drafted_by} · {_when(p.drafted_at)}"),
            ("Approved by", f"{approved.by} · {_when(approved.at)}" if approved else "–"),
            ("Sent by", f"{sent.by} · {_when(sent.at)}" if sent else "–"),
        ],
    }


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


def _where(site: Site) -> list[tuple[str, str]]:
    told = [("Place", f"{site.lat:.5f}°, {site.lon:.5f}° (WGS 84)")]
    if site.radius_m is not None:
        told.append(("Uncertain by", f"{site.radius_m:,.0f} m"))
    if site.opens is not None and site.closes is not None:
        told.append(("At work", f"{hour(site.opens)} to {hour(site.closes)}, local time"))
    if site.closed:
        told.append(("Closed", ", ".join(_DAYS[d] for d in site.closed if 0 <= d < 7)))
    if site.seats is not None:
        told.append(("Seats", f"{site.seats[0]} to {site.seats[1]}"))
    return [*told, ("Unit", site.unit)]


def hour(value: float) -> str:
    """Hours with a fraction as `11:30`."""
    minutes = round(value * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _records(records: tuple[tuple[str, int], ...]) -> str:
    by_file: dict[str, list[str]] = {}
    for sha256, row in records[:_PRINTED_RECORDS]:
        by_file.setdefault(sha256, []).append(str(row))
    told = "; ".join(f"file {s[:16]}…, rows {', '.join(rows)}" for s, rows in by_file.items())
    more = len(records) - _PRINTED_RECORDS
    return f"Records: {told or 'none'}" + (f"; {more:,} more in the JSON" if more > 0 else "")


def _signed(p: Package, state: State) -> dict[str, str] | None:
    step = p.step(state)
    return {"by": step.by, "at": format_time(step.at)} if step else None


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _safe(text: str) -> str:
    if text[:1] in ("=", "-", "@", "\t", "\r") or (text[:1] == "+" and not text[1:].isdigit()):
        return "'" + text
    return text
