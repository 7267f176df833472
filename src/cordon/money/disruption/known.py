"""Payments that are at hand under an authority: brought into the room, or beside the calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from cordon.calls import ACCOUNTS, COMPLAINTS, PAYMENTS, Series, kept_files, read_merged
from cordon.kernel.access.model import Authority
from cordon.kernel.errors import NotFound
from cordon.kernel.work import View
from cordon.money import keeping
from cordon.money.accounts import written
from cordon.money.payments import Payments
from cordon.money.reading import read_payments

_MICROS = 1_000_000
_BANKS = {
    "accounts": """SELECT account, bank, 0 AS place FROM accounts
        WHERE account IN (SELECT unnest($names))""",
    "payments": """SELECT from_account, from_bank, 1 FROM payments
        WHERE from_account IN (SELECT unnest($names))
        UNION ALL SELECT to_account, to_bank, 1 FROM payments
        WHERE to_account IN (SELECT unnest($names))""",
}
# the last row of an account counts
_TOLD = """
SELECT account, bank FROM (
    SELECT account, bank, place, count(*) AS times FROM ({told}) AS t(account, bank, place)
    WHERE bank <> '' GROUP BY account, bank, place
) ORDER BY place DESC, times, bank DESC
"""


def payments_known(view: View, authority: Authority, region: str) -> Payments:
    """The payments of an authority: those brought into the room; without any, beside its calls.

    Raises:
        NotFound: none came in.
    """
    kept = keeping.kept(view, authority)
    if kept.payments:
        return keeping.payments_of(view.kernel.columns, kept)
    files = kept_files(view, authority.id, PAYMENTS.name)
    if not files:
        raise NotFound(
            "No payment was brought in under this authority.", advice="Bring a file in first."
        )
    return read_payments([view.kernel.files.path(sha256) for sha256 in files], region).payments


def accounts_known(view: View, authority: Authority, region: str) -> pa.Table | None:
    """The accounts told beside the payments, or None."""
    kept = keeping.kept(view, authority)
    if kept.accounts:
        return keeping.accounts_of(view.kernel.columns, kept)
    files = kept_files(view, authority.id, ACCOUNTS.name)
    if not files:
        return None
    return read_merged(view.kernel, dict.fromkeys(files, ACCOUNTS.name), ACCOUNTS, region).table


def banks_known(view: View, authority: Authority, accounts: Iterable[str]) -> dict[str, str]:
    """Who keeps each of these accounts, as far as the room was told.

    The file of accounts says it before payments do; of several that payments tell, the one told
    most often counts.

    Args:
        accounts: as they are written by whoever named them.
    """
    names = {written(a): a for a in accounts}
    kept = keeping.kept(view, authority)
    paths = {"accounts": kept.accounts, "payments": kept.payments}
    asked = [sql for name, sql in _BANKS.items() if paths[name]]
    if not names or not asked:
        return {}
    with view.kernel.columns.connect() as db:
        for name, some in paths.items():
            if some and name == "accounts":
                keeping.view_accounts(db, some)
            elif some:
                db.read_parquet([str(p) for p in some]).create_view(name)
        asked_once = _TOLD.format(told=" UNION ALL ".join(asked))
        rows = db.execute(asked_once, {"names": [*names]}).fetchall()
    return {names[account]: " ".join(bank.split())[:120] for account, bank in rows}


def complaints_known(
    view: View, authority: Authority, region: str, left_out: list[str]
) -> list[pa.Table]:
    """Complaints at hand: those brought into the room; without any, the files beside the calls.

    Those beside the calls only where the authority covers everybody's calls, as they came in.

    Args:
        left_out: takes a sentence for each file of which rows could not be read.
    """
    files = keeping.kept(view, authority).complaints
    if not files and authority.scope.covers("calls", None):
        files = dict.fromkeys(kept_files(view, authority.id, COMPLAINTS.name), COMPLAINTS.name)
    read = keeping.complaints_of(view.kernel, files, region, left_out)
    return [] if read is None else [read]


def paid_in(
    view: View,
    authority: Authority,
    keys: Mapping[str, Mapping[str, set[str]]],
    offset: timedelta,
) -> Series | None:
    """Payments into each ring's accounts by ring and day of local time, of those in the room.

    None where none were brought into it, or the authority does not cover payments.

    Args:
        keys: by ring; its accounts stand under `mules`. offset: of local time from UTC.
    """
    kept = keeping.kept(view, authority)
    if not kept.payments or "payments" not in authority.scope.data:
        return None
    holders: dict[str, list[str]] = {}
    for ring, of in keys.items():
        for account in of["mules"]:
            holders.setdefault(written(account), []).append(ring)
    every = keeping.payments_of(view.kernel.columns, kept)
    if not len(every):
        return None
    code = {a: i for i, a in enumerate(every.accounts)}
    rings = {code[a]: of for a, of in holders.items() if a in code}
    told: dict[str, dict[date, int]] = {}
    mine = np.flatnonzero(np.isin(every.receiver, np.array(sorted(rings), dtype=np.int64)))
    for account, at in zip(every.receiver[mine].tolist(), every.at[mine].tolist(), strict=True):
        day = _day(at, offset)
        for ring in rings[account]:
            days = told.setdefault(ring, {})
            days[day] = days.get(day, 0) + 1
    return Series(told, _day(int(every.at[0]), offset), _day(int(every.at[-1]), offset))


def _day(at: int, offset: timedelta) -> date:
    """The day of local time of a moment (µs since the epoch)."""
    return (datetime.fromtimestamp(at // _MICROS, UTC) + offset).date()
