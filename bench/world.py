"""The world `callcentre`: its ordinary people beside what was published of real ones.

`python -m bench.world` generates a world, measures it, draws docs/img/world-*.svg and writes the
tables of docs/worlds-callcentre.md between its marks. Ordinary people are the holders of numbers
that the register calls persons, without the numbers that were planted in a centre or a box; so
riders, doctors and campaign workers are among them, as they are in a real register.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from bench.measuring import ROOT
from bench.world_plots import Axis, Plot
from cordon.exercise import read_truths, world

PAGE = ROOT / "docs" / "worlds-callcentre.md"
IMAGES = ROOT / "docs" / "img"
SEED, DAYS, SCALE = 20260117, 28, 0.1
_HOUR = 3600.0
Rows = list[tuple[str, str, str]]


class Measured:
    """A generated world as DuckDB sees it.

    Args:
        folder: of the world. Ordinary rows stand in the view `c`: voice calls and messages of
            ordinary people (t in local seconds, a, b, lasts, sms, cell, net).
    """

    def __init__(self, folder: Path) -> None:
        self.sql = duckdb.connect()
        self.sql.execute("set threads to 1")
        planted = [
            s[7:]
            for t in read_truths(folder / "truth.jsonl")
            if t.kind != "calls.number_succession"
            for s in t.subjects
            if s.startswith("number:")
        ]
        self.sql.register("planted", pa.table({"number": pa.array(planted, pa.string())}))
        self.sql.execute(
            f"""create table ordinary as select number, substr(number, 1, 6) as net
            from read_csv('{folder / "subscribers.csv"}', all_varchar=true)
            where kind = 'person' and number not in (select number from planted)"""
        )
        self.sql.execute(
            f"""create table c as select epoch(start)::bigint + 18000 as t, caller as a,
            callee as b, duration_s as lasts, kind = 'sms' as sms, caller_cell as cell,
            o.net as net, p.net as to_net
            from read_parquet('{folder / "calls.parquet"}') join ordinary o on o.number = caller
            left join ordinary p on p.number = callee"""
        )
        self.cells = folder / "cells.csv"

    def all(self, query: str) -> dict[str, np.ndarray]:
        """Columns of a query as NumPy arrays."""
        return dict(self.sql.execute(query).fetchnumpy())

    def one(self, query: str) -> tuple[Any, ...]:
        """The one row of a query."""
        row = self.sql.execute(query).fetchone()
        assert row is not None
        return row


def beyond(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values and the share that is at least as large."""
    kept, count = np.unique(values, return_counts=True)
    return kept, np.cumsum(count[::-1])[::-1] / count.sum()


def published_degree(k: np.ndarray) -> np.ndarray:
    """P(k) = a (k + 10.9)^-8.4 for k ≥ 1 (Onnela et al. 2007, figure 1A)."""
    p = (k + 10.9) ** -8.4
    return np.asarray(p / p.sum())


def degrees(m: Measured) -> Rows:
    """Partners with calls both ways, within the biggest network and in all."""
    net = m.one("select net from ordinary group by 1 order by count(*) desc, 1 limit 1")[0]
    both = """select a, count(*) as k from (
        select distinct a, b from c where not sms and lasts > 0 {0} intersect
        select distinct b, a from c where not sms and lasts > 0 {0}) group by a"""
    one = m.all(both.format(f"and net = '{net}' and to_net = '{net}'"))["k"]
    whole = m.all(both.format("and to_net is not null"))["k"]
    k = np.arange(1, 400)
    p = published_degree(k)
    plot = Plot(
        "Partners with calls both ways",
        Axis("partners k", 1, 300, log=True),
        Axis("share with k or more", 1e-5, 1, log=True),
    )
    for name, values in (("one network", one), ("all networks", whole)):
        x, y = beyond(values)
        plot.lines.append((name, x.tolist(), y.tolist(), False))
    plot.lines.append(
        ("Onnela 2007, fit, one network", k.tolist(), np.cumsum(p[::-1])[::-1].tolist(), True)
    )
    plot.write(IMAGES / "world-degree.svg")
    share = m.one(f"select count(*) filter (net = '{net}') / count(*) from ordinary")[0]
    contacts = m.all("select count(distinct b) as k from c where not sms group by a")["k"]
    return [
        (
            f"Mean partners both ways, one network ({share:.0%} of people)",
            f"{one.mean():.2f}",
            f"3.0 (4.6 million people, 7.0 million ties); {(p * k).sum():.1f} by the fit",
        ),
        (
            "Share with more than 10 of them",
            f"{(one > 10).mean():.1%}",
            f"{p[10:].sum():.1%} by the fit",
        ),
        ("Most partners both ways, one network", f"{one.max()}", "–"),
        ("Mean partners both ways, all networks", f"{whole.mean():.2f}", "–"),
        ("Numbers called by one person, median", f"{np.median(contacts):.0f}", "–"),
    ]


def bursts(m: Measured) -> Rows:
    """Times between calls that one person makes: B, tail, and length of bursts."""
    made = m.all("select a, t from c where not sms order by a, t")
    new = np.r_[True, made["a"][1:] != made["a"][:-1]]
    who = np.cumsum(new) - 1
    gap = np.diff(made["t"])[who[1:] == who[:-1]].astype(float)
    own = who[1:][who[1:] == who[:-1]]
    count = np.bincount(own)
    mean = np.bincount(own, gap) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(np.bincount(own, gap**2) / np.maximum(count, 1) - mean**2, 0))
    enough = count >= 50
    b = ((spread - mean) / np.maximum(spread + mean, 1e-9))[enough]
    shuffled = _without_bursts(made["t"], who, np.random.default_rng(1))[: len(enough)][enough]
    lengths = _burst_lengths(gap, own, 600.0)
    x, y = beyond(lengths)
    n = np.arange(1, 61)
    slope = n**-4.1
    plot = Plot(
        "Calls in a row, each within 10 minutes of the last",
        Axis("calls E in a burst", 1, 60, log=True),
        Axis("share with E or more", 1e-5, 1, log=True),
        [
            ("world", x.tolist(), y.tolist(), False),
            (
                "P(E) ~ E^-4.1, Karsai 2012",
                n.tolist(),
                (np.cumsum(slope[::-1])[::-1] / slope.sum()).tolist(),
                True,
            ),
        ],
    )
    plot.write(IMAGES / "world-bursts.svg")
    edges = np.logspace(1, 6.3, 50)
    density = np.histogram(gap, edges)[0] / np.diff(edges) / len(gap)
    middle = np.sqrt(edges[1:] * edges[:-1])
    candia = middle**-0.9 * np.exp(-middle / (48 * 86400.0))
    candia *= density[20] / candia[20]
    Plot(
        "Time between two calls that one person makes",
        Axis("seconds", 10, 2e6, log=True),
        Axis("density (1/s)", 1e-9, 1e-2, log=True),
        [
            ("world", middle.tolist(), density.tolist(), False),
            ("t^-0.9 exp(-t/48 d), Candia 2008", middle.tolist(), candia.tolist(), True),
        ],
    ).write(IMAGES / "world-gaps.svg")
    inside = (middle > 120) & (middle < 20_000) & (density > 0)
    fit = np.polyfit(np.log(middle[inside]), np.log(density[inside]), 1)[0]
    tail = np.arange(2, 9)
    shares = np.array([(lengths == e).mean() for e in tail])
    held = shares > 0
    burst = np.polyfit(np.log(tail[held]), np.log(shares[held]), 1)[0]
    return [
        (
            "Burstiness B of a person, median (10% to 90%)",
            f"{np.median(b):.2f} ({np.quantile(b, 0.1):.2f} to {np.quantile(b, 0.9):.2f})",
            "above 0 (Goh and Barabási 2008; Jo et al. 2012)",
        ),
        (
            "The same with each call at a random time of the same hours",
            f"{np.median(shuffled):.2f}",
            "smaller, not 0: the day alone makes some of it (Jo et al. 2012)",
        ),
        (
            "Exponent of times between calls, 2 min to 5 h",
            f"{-fit:.2f}",
            "0.9 ± 0.1 (Candia et al. 2008)",
        ),
        (
            "Exponent of calls in a burst (10 min), 2 to 8 calls",
            f"{-burst:.1f}",
            "4.1 (Karsai et al. 2012)",
        ),
    ]


def _without_bursts(t: np.ndarray, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """B of each person when the times of all calls are dealt out anew among all people."""
    dealt = rng.permutation(t)
    order = np.lexsort((dealt, who))
    gap = np.diff(dealt[order])
    same = who[1:] == who[:-1]
    gap, own = gap[same].astype(float), who[1:][same]
    count = np.maximum(np.bincount(own), 1)
    mean = np.bincount(own, gap) / count
    spread = np.sqrt(np.maximum(np.bincount(own, gap**2) / count - mean**2, 0))
    return np.asarray((spread - mean) / np.maximum(spread + mean, 1e-9))


def _burst_lengths(gap: np.ndarray, own: np.ndarray, within_s: float) -> np.ndarray:
    """Calls of each burst: a burst ends at a longer gap, or with its person."""
    ends = (gap > within_s) | np.r_[own[1:] != own[:-1], True]
    at = np.flatnonzero(ends)
    return np.diff(np.r_[-1, at])


def durations(m: Measured) -> Rows:
    """How long answered calls last."""
    lasts = m.all("select lasts from c where not sms and lasts > 0")["lasts"]
    logs = np.log(lasts)
    # whole seconds: an edge between two of them belongs to neither
    edges = np.unique(np.rint(np.logspace(0.3, 4.1, 45))) - 0.5
    middle = np.sqrt(edges[1:] * edges[:-1])
    density = np.histogram(lasts, edges)[0] / np.diff(np.log(edges)) / len(lasts)
    mu, sigma = logs.mean(), logs.std()
    normal = np.exp(-((np.log(middle) - mu) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    Plot(
        "Duration of answered calls",
        Axis("seconds", 1, 12_000, log=True),
        Axis("density of log(s)", 0, 0.4),
        [
            ("world", middle.tolist(), density.tolist(), False),
            ("log-normal, same moments", middle.tolist(), normal.tolist(), True),
        ],
    ).write(IMAGES / "world-durations.svg")
    answered, written = m.one("select avg((lasts > 0)::int) filter (not sms), avg(sms::int) from c")
    return [
        ("Median, mean (s)", f"{np.median(lasts):.0f}, {lasts.mean():.0f}", "–"),
        ("Sigma of log(s)", f"{sigma:.2f}", "log-normal fits best in GSM (Guo et al. 2007)"),
        ("Answered, of calls", f"{answered:.1%}", "–"),
        ("Messages, of all that people begin", f"{written:.1%}", "–"),
    ]


def rhythm(m: Measured) -> Rows:
    """The day and the week."""
    hours = m.all(
        "select (t // 86400 + 3) % 7 as day, (t % 86400) // 3600 as hour, count(*) as n "
        "from c group by 1, 2 order by 1, 2"
    )
    grid = np.zeros((7, 24))
    grid[hours["day"].astype(int), hours["hour"].astype(int)] = hours["n"]
    plot = Plot(
        "Calls and messages by local hour",
        Axis("hour", 0, 24, ticks=[(h, str(h)) for h in range(0, 25, 4)]),
        Axis("share of the day", 0, 0.1),
    )
    for name, of in (("Monday to Thursday", [0, 1, 2, 3]), ("Friday", [4]), ("Sunday", [6])):
        day = grid[of].sum(0)
        plot.lines.append((name, (np.arange(24) + 0.5).tolist(), (day / day.sum()).tolist(), False))
    plot.write(IMAGES / "world-rhythm.svg")
    whole = grid.sum(0) / grid.sum()
    days = grid.sum(1) / grid.sum()
    peak = int(whole.argmax())
    return [
        ("Busiest hour", f"{peak}:00, {whole[peak]:.1%} of the day", "–"),
        ("Between 1:00 and 5:00", f"{whole[1:5].sum():.1%} of the day", "–"),
        ("Friday 13:00 against other workdays", f"{_noon(grid):.2f}", "no figure found"),
        ("Sunday against the mean day", f"{days[6] * 7:.2f}", "–"),
    ]


def _noon(grid: np.ndarray) -> float:
    shares = grid / grid.sum(1, keepdims=True)
    return float(shares[4, 13] / shares[:4, 13].mean())


def moving(m: Measured) -> Rows:
    """How far people are from the middle of their own calls, and where they call from."""
    m.sql.execute(
        f"create or replace table cells as select cell, lat::double as lat, lon::double as lon "
        f"from read_csv('{m.cells}')"
    )
    rows = m.all(
        """select a, lat, lon, split_part(cell, '-', 4)::bigint // 10 as mast, t
        from c join cells using (cell) order by a, t"""
    )
    new = np.r_[True, rows["a"][1:] != rows["a"][:-1]]
    who = np.cumsum(new) - 1
    count = np.bincount(who)
    y = rows["lat"] * 111.195
    x = rows["lon"] * 111.195 * np.cos(np.radians(rows["lat"]))
    far = np.zeros(len(count))
    for v in (x, y):
        far += np.bincount(who, v**2) / count - (np.bincount(who, v) / count) ** 2
    radius = np.sqrt(np.maximum(far, 0))[count >= 30]
    step = np.hypot(np.diff(x), np.diff(y))[~new[1:]]
    step = step[step > 0]
    top = m.all(
        """with n as (select a, cell, count(*) as n from c where cell is not null group by 1, 2)
        select max(n) / sum(n) as first from n group by a having sum(n) >= 30"""
    )["first"]
    edges = np.logspace(-1, 3.2, 40)
    middle = np.sqrt(edges[1:] * edges[:-1])
    density = np.histogram(radius, edges)[0] / np.diff(edges) / len(radius)
    fit = (middle + 5.8) ** -1.65 * np.exp(-middle / 350.0)
    fit /= (fit * np.diff(edges)).sum()
    Plot(
        "Radius of gyration of a person",
        Axis("kilometres", 0.1, 1500, log=True),
        Axis("density (1/km)", 1e-7, 1, log=True),
        [
            ("world", middle.tolist(), density.tolist(), False),
            ("González 2008", middle.tolist(), fit.tolist(), True),
        ],
    ).write(IMAGES / "world-moving.svg")
    below = (fit * np.diff(edges))[middle < 10].sum()
    return [
        (
            "Radius of gyration, median (km)",
            f"{np.median(radius):.1f}",
            f"{_median(middle, fit * np.diff(edges)):.1f} by the fit (six months)",
        ),
        ("Radius below 10 km", f"{(radius < 10).mean():.0%}", f"{below:.0%} by the fit"),
        ("Steps between two calls, median (km)", f"{np.median(step):.1f}", "–"),
        ("Steps above 100 km", f"{(step > 100).mean():.2%}", "–"),
        ("Calls from one's first cell, median", f"{np.median(top):.0%}", "–"),
    ]


def _median(at: np.ndarray, share: np.ndarray) -> float:
    return float(at[np.searchsorted(np.cumsum(share) / share.sum(), 0.5)])


PARTS = {
    "degree": degrees,
    "bursts": bursts,
    "durations": durations,
    "rhythm": rhythm,
    "moving": moving,
}


def table(rows: Rows) -> str:
    """Rows as a Markdown table."""
    lines = ["| | this world | published |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.world", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a world that is there already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        if asked.folder is None:
            world("callcentre").generate(SEED, DAYS, SCALE, folder)
        measured = Measured(folder)
        people = measured.one("select count(distinct a), count(*) from c")
        page = PAGE.read_text("utf-8") if PAGE.exists() else ""
        says = f"{people[1]:,} calls and messages of {people[0]:,} ordinary people"
        parts = {name: table(part(measured)) for name, part in PARTS.items()}
        parts["size"] = f"Seed {SEED}, {DAYS} days, scale {SCALE:g}: {says}."
    for name, text in parts.items():
        print(f"{name}\n{text}\n")
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, text=text: f"{found[1]}{text}\n{found[2]}",
            page,
            flags=re.S,
        )
    if page:
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
