"""Payments beside their peers: a trace through ten million, and accounts paid after calls.

networkx walks the same payments in time from the same account, which is only what poison asks;
the trace answers by three methods, with every payment's part. The peer of call-then-pay is the
plain join in DuckDB of contacts and the payments within a day of them, without a base rate.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import accounts, causes
from bench.measuring import Taken, by_turns, row
from cordon.calls import ACCOUNTS, COMPLAINTS, read_plain, ring_of
from cordon.calls import find as find_in_calls
from cordon.exercise import read_truths, score, world
from cordon.kernel.store.columns import connect
from cordon.money import Payments, forward, read_payments
from cordon.money.detectors import call_then_pay, mule
from cordon.money.detectors.data import MoneyData
from cordon.money.reaching import Reach
from cordon.money.tracing.telling import told

SIZE, CALLS = 10_000_000, 50_000_000
HOPS = 6
SEEDS = range(2001, 2011)
SCALE = 0.1  # of 300,000 subscribers
PLAIN = """
SELECT to_account, count(DISTINCT from_account) AS people FROM contacts c
JOIN accounts a ON a.phone = c.number JOIN payments p ON p.from_account = a.account
AND p.us BETWEEN c.us AND c.us + 86400000000 GROUP BY to_account ORDER BY people DESC
"""


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        rows = tracing(folder, SIZE // 100 if quick else SIZE)
        rows += joining(folder, CALLS // 500 if quick else CALLS, SIZE // 100 if quick else SIZE)
        rows += importing(folder, 50_000 if quick else 2_000_000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows += accounts.rows(quick)
    return [*rows, *quality(list(SEEDS)[: 1 if quick else None], 0.02 if quick else SCALE)]


def tracing(folder: Path, size: int) -> list[dict[str, Any]]:
    """A trace of an account that many paid, from the file on; and the walk alone."""
    path = _payments(folder, size)
    payments = read_payments([path]).payments
    account = payments.accounts[int(np.bincount(payments.receiver).argmax())]
    first = int(np.flatnonzero(payments.receiver == payments.accounts.index(account))[0])
    reach = Reach([account], hops=HOPS)
    graph, built = _graph(payments)

    def whole() -> int:
        some = read_payments([path], reach=reach).payments
        return len(told(forward(some, account, hops=HOPS)))

    whole()  # compiled by now
    from_file = by_turns(3, ours=whole)["ours"]
    taken = by_turns(
        3,
        ours=lambda: told(forward(payments, account, hops=HOPS)),
        peer=lambda: _walk(graph, account, int(payments.at[first]), HOPS),
    )
    what = f"through {size:,} payments of {len(payments.accounts):,} accounts, {HOPS} hops"
    ours, peer = taken["ours"], taken["peer"]
    return [
        row(f"trace {what}, from a Parquet file to three methods told (peer: networkx, one walk in "
            f"time over a multigraph, its building of {built:.0f} s included)",
            round(from_file.wall, 2), round(built + peer.wall, 2), "s", from_file,
            goal="≤ 5, ≥ 50 ×"),
        row(f"trace {what}, payments in memory (peer: networkx, the walk alone)",
            round(ours.wall, 2), round(peer.wall, 2), "s", ours),
    ]  # fmt: skip


def joining(folder: Path, calls: int, size: int) -> list[dict[str, Any]]:
    """Payments after calls of suspects, of so many calls and payments, beside the plain join."""
    rng = np.random.default_rng(2)
    path = folder / "payments.parquet"  # as `tracing` wrote it
    payments = read_payments([path]).payments
    people = size // 10
    numbers = pa.array([f"+9230{n:08d}" for n in range(people + 400)])
    who = rng.integers(0, people, calls)
    suspect = np.where(rng.random(calls) < 0.002, people + rng.integers(0, 400, calls), who[::-1])
    table = pa.table(
        {
            "us": np.sort(rng.integers(0, 90 * 86_400_000_000, calls)) + 1_767_225_600_000_000,
            "number": numbers.take(pa.array(who)),
            "suspect": numbers.take(pa.array(suspect)),
        }
    )
    pq.write_table(table, folder / "calls.parquet")
    del table, who, suspect
    suspects = pa.table({"suspect": numbers[people:]})
    own = pa.table(
        {
            "account": pa.array([f"PK{n:012d}" for n in range(people)]),
            "phone": numbers[:people],
            "kind": pa.array(["bank"] * people),
        }
    )

    def contacts() -> pa.Table:
        with connect() as db:
            db.register("suspects", suspects)
            db.read_parquet(str(folder / "calls.parquet"), file_row_number=True).create_view("c")
            return db.sql(
                "SELECT us, number, c.suspect, true AS made, 'x' AS sha256, "
                "file_row_number + 1 AS row FROM c JOIN suspects USING (suspect) ORDER BY us"
            ).to_arrow_table()

    taken = by_turns(
        3,  # whoever is first reads the calls from the disk
        ours=lambda: _ours(MoneyData(payments, own, None, contacts())),
        peer=lambda: _plain(MoneyData(payments, own, None, contacts())),
    )
    return [
        row(f"{calls:,} calls and {size:,} payments: accounts paid after calls, with what chance "
            "would give (peer: DuckDB, the plain join and count)", round(taken["ours"].wall, 2),
            round(taken["peer"].wall, 2), "s", taken["ours"], goal="no slower")
    ]  # fmt: skip


def importing(folder: Path, size: int) -> list[dict[str, Any]]:
    """Payments a second from a CSV file, each row checked."""
    path = folder / "payments.csv"
    with path.open("w") as out:
        out.write("payment_id,at,from_account,to_account,amount,currency,channel\n")
        for n in range(size):
            out.write(f"P{n},2026-03-{1 + n % 28:02d}T10:{n % 60:02d}:00Z,PK{n % 99_991:012d},"
                      f"PK{n * 7 % 99_991:012d},{n % 90_000}.50,PKR,transfer\n")  # fmt: skip
    taken = Taken()
    wall, cpu = time.perf_counter(), time.process_time()
    kept = read_payments([path]).counts.kept
    taken.add(time.perf_counter() - wall, time.process_time() - cpu)
    return [
        row(f"{kept:,} payments from CSV to sorted columns, each row checked",
            round(kept / taken.wall), None, "payments/s", taken, goal="≥ 200,000")
    ]  # fmt: skip


def quality(seeds: list[int], scale: float) -> list[dict[str, Any]]:
    """What is found on worlds that nobody looked at, and the join's time beside a plain one."""
    found: dict[str, list[int]] = {"money.call_then_pay": [0, 0, 0], "money.mule": [0, 0, 0]}
    planted: dict[str, list[int]] = {name: [0, 0, 0] for name in causes.DETECTORS}
    ours, peer, whole = Taken(), Taken(), [0, 0, 0]
    for seed in seeds:
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            files = world("callcentre").generate(seed, 30.0, scale, folder / "w").files
            spoken = find_in_calls(
                [files["calls"]], files["subscribers"], cells=files["cells"],
                complaints=files["complaints"], with_contacts=True,
            )  # fmt: skip
            data = MoneyData(
                read_payments([files["payments"]]).payments,
                read_plain(files["accounts"], ACCOUNTS).table,
                read_plain(files["complaints"], COMPLAINTS).table,
                spoken.contacts,
                rings=ring_of(spoken.findings),
            )
            turns = by_turns(1, ours=partial(_ours, data), peer=partial(_plain, data))
            ours.add(turns["ours"].wall, turns["ours"].cpus[0])
            peer.add(turns["peer"].wall, turns["peer"].cpus[0])
            findings = [*call_then_pay.find(data), *mule.find(data)]
            every = list(read_truths(files["truth"]))
            for name, numbers in causes.tally(data, every).items():
                planted[name] = [a + b for a, b in zip(planted[name], numbers, strict=True)]
            truths = [t for t in every if t.kind in found]
            for kind in score(truths, findings).kinds:
                if kind.kind in found:
                    for i, n in enumerate((kind.truths, kind.found, kind.false)):
                        found[kind.kind][i] += n
            mules = {t.subjects[0] for t in truths if t.kind == "money.mule"}
            named = {f.subjects[0] for f in findings}
            for i, n in enumerate((len(mules), len(mules & named), len(named - mules))):
                whole[i] += n
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    what = f"{len(seeds)} seeds of `callcentre`, 30 days, {round(scale * 300_000):,} subscribers"
    rows = [
        row(f"{what}: contacts joined to payments, with what chance would give (peer: DuckDB, the "
            "plain join and count)", round(ours.wall, 2), round(peer.wall, 2), "s", ours,
            goal="no slower")
    ]  # fmt: skip
    tallies = {
        "accounts paid after calls (call_then_pay)": found["money.call_then_pay"],
        "mules by payments alone (mule)": found["money.mule"],
        "mules that either names": whole,
    }
    for name, (there, hit, false) in planted.items():
        rows += [
            row(f"{what}: pattern {name}, found of {there}", hit / max(there, 1), None, "1", ours),
            row(f"{what}: pattern {name}, told of what was not planted", false, None, "findings",
                ours),
        ]  # fmt: skip
    for name, (there, hit, false) in tallies.items():
        rows += [
            row(f"{what}: {name}, found of {there}", hit / max(there, 1), None, "1", ours,
                goal="≥ 0.8"),
            row(f"{what}: {name}, precision of {hit + false} told", hit / max(hit + false, 1), None,
                "1", ours, goal="≥ 0.9"),
        ]  # fmt: skip
    return rows


def _payments(folder: Path, size: int) -> Path:
    """Made-up payments: as many accounts as a fifth of them, some of them much paid."""
    rng = np.random.default_rng(1)
    count = size // 5
    ends = (rng.random((2, size)) ** 1.5 * count).astype(np.int64)
    names = pa.array([f"PK{n:012d}" for n in range(count)])
    at = np.sort(rng.integers(0, 90 * 86_400_000_000, size)) + 1_767_225_600_000_000
    channels = pa.array(["transfer", "wallet", "card", "cash_out", "crypto"])
    table = pa.table(
        {
            "payment_id": pa.array([f"P{n}" for n in range(size)]),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "from_account": names.take(pa.array(ends[0])),
            "to_account": names.take(pa.array(ends[1])),
            "amount": pa.array(rng.integers(100, 5_000_000, size)),
            "currency": pa.array(["PKR"]).take(pa.array(np.zeros(size, np.int8))),
            "channel": channels.take(pa.array(rng.choice(5, size, p=[0.5, 0.3, 0.1, 0.07, 0.03]))),
        }
    )
    pq.write_table(table, folder / "payments.parquet")
    return folder / "payments.parquet"


def _graph(p: Payments) -> tuple[nx.MultiDiGraph, float]:
    began = time.perf_counter()
    graph = nx.MultiDiGraph()
    names = p.accounts
    ends = zip(p.sender.tolist(), p.receiver.tolist(), p.at.tolist(), p.exits.tolist(), strict=True)
    graph.add_edges_from(
        (names[a], names[b], {"at": at, "leaves": leaves}) for a, b, at, leaves in ends
    )
    return graph, time.perf_counter() - began


def _walk(graph: nx.MultiDiGraph, account: str, begin: int, hops: int) -> int:
    """Accounts reached by payments in time, breadth first."""
    reached, front = {account: begin}, [account]
    for _ in range(hops):
        following: dict[str, int] = {}
        for one in front:
            for _, to, told_ in graph.out_edges(one, data=True):
                if told_["at"] >= reached[one] and not told_["leaves"]:
                    earlier = min(following.get(to, told_["at"]), told_["at"])
                    if to not in reached or reached[to] > earlier:
                        following[to] = earlier
        reached.update(following)
        front = list(following)
    return len(reached)


def _ours(data: MoneyData) -> int:
    return len(list(call_then_pay.find(data)))


def _plain(data: MoneyData) -> int:
    p = data.payments
    names = pa.array(p.accounts)
    with connect() as db:
        db.register("contacts", data.contacts)
        db.register("accounts", data.accounts)
        db.register(
            "payments",
            pa.table(
                {
                    "us": p.at,
                    "from_account": names.take(pa.array(p.sender)),
                    "to_account": names.take(pa.array(p.receiver)),
                }
            ),
        )
        return len(db.execute(PLAIN).fetchall())
