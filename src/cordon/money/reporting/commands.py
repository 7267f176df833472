"""`cordon money report`: findings or a trace, and payments, to a report as XML."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cordon.calls import ACCOUNTS, read_plain
from cordon.kernel.clock import parse_time
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadInput, BadUsage
from cordon.kernel.findings import Finding
from cordon.money.reading import read_payments
from cordon.money.reporting.building import report_of, trace_of
from cordon.money.reporting.xml import as_xml

app = typer.Typer()


@app.command()
def report(
    ctx: typer.Context,
    findings: Annotated[Path, typer.Argument(help="Findings (JSON Lines), or a trace (JSON).")],
    payments: Annotated[
        list[Path] | None, typer.Option(help="Files of payments; again for more.")
    ] = None,
    accounts: Annotated[Path | None, typer.Option(help="Whose the accounts are.")] = None,
    finding: Annotated[str, typer.Option(help="Report the finding of this id alone.")] = "",
    entity: Annotated[str, typer.Option(help="Who reports, as the receiving unit knows it.")] = "",
    by: Annotated[str, typer.Option(help="Who answers for the report.")] = "",
    currency: Annotated[str, typer.Option(help="The local currency (ISO 4217).")] = "PKR",
    at: Annotated[str, typer.Option(help="When it is submitted (RFC 3339); now if empty.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the report here (XML).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write a suspicious-transaction report in the style of goAML."""
    c = console(ctx, json=json)
    if not payments:
        raise BadUsage("Nothing to report of.", advice="Give --payments FILE.")
    told = [f for f in _read(findings) if not finding or f.id == finding]
    if finding and not told:
        raise BadInput(f"{findings.name} holds no finding {finding[:36]}.")
    with c.progress("Reading") as progress:
        read = read_payments(payments, progress=progress)
    table = read_plain(accounts, ACCOUNTS).table if accounts is not None else None
    made = report_of(
        told, read.payments, table, entity=entity or "-", by=by or "-",
        at=parse_time(at) if at else datetime.now(UTC), currency=currency,
    )  # fmt: skip
    write_out(iter([as_xml(made)]), out)
    words = (
        f"{len(made.transactions):,} payments of {len(told):,} findings reported; "
        f"{read.counts.refused:,} rows of payments were refused."
    )
    if out is None:
        c.say(words)  # the report stands on standard output
    else:
        c.answer({"transactions": len(made.transactions), "findings": len(told)}, words)


def _read(path: Path) -> list[Finding]:
    """Findings of a file, one a line; or the trace that it is."""
    body = path.read_bytes()
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        whole = None
    if isinstance(whole, dict) and "methods" in whole:
        return [trace_of(whole)]
    found = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(Finding.from_dict(orjson.loads(line)))
        except (orjson.JSONDecodeError, BadInput, TypeError, ValueError) as wrong:
            raise BadInput(
                f"Line {number} of {path.name} is no finding ({type(wrong).__name__}).",
                advice="Give what `cordon money find --out` wrote, or a trace.",
            ) from None
    return found
