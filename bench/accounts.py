"""Members of planted rings of accounts in AMLSim's public sample, beside LightGBM.

Accounts are labelled there, payments are not. Both see the payments after the middle step alone;
LightGBM learned from those before it, with the labels of the same accounts. Of 1,804 members 576
never take part in a planted payment, for their ring had not begun when the sample ends: no score
knows them, and the row of what is there to be found says how far anybody could come.
"""

from __future__ import annotations

import csv
import io
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measuring import Taken, real_data, row
from cordon.money import read_payments
from cordon.money.detectors import chain, cycle, gathering, scatter_gather, split
from cordon.money.detectors.data import MoneyData

SPLIT = 74  # of 149 steps
_PLANTED = 100.0  # below it stand planted payments alone (told from the labels, for the bound)
Floats = NDArray[np.float64]


def rows(quick: bool) -> list[dict[str, Any]]:
    """Rows of average precision; none where the sample is not there."""
    folder = real_data()
    path = (folder or Path()) / "amlsim" / "20K_fanin200cycle200.tgz"
    if not path.is_file():
        return []
    member, s, d, v, t = _sample(path)
    size, before, after = len(member), t <= SPLIT, t > SPLIT
    active = np.zeros(size, bool)
    active[s[after]] = active[d[after]] = True
    acting = np.zeros(size, bool)
    acting[s[after & (v < _PLANTED)]] = acting[d[after & (v < _PLANTED)]] = True
    began = time.perf_counter(), time.process_time()
    ours = _ours(s[after], d[after], v[after], t[after], size)
    taken = Taken([time.perf_counter() - began[0]], [time.process_time() - began[1]])
    peer = _peer(member, (s, d, v), before, after, rounds=20 if quick else 200)
    what = "members of 200 fan-ins and 200 cycles (AMLSim, 20,000 accounts, second half of the time"
    return [
        row(f"{what}): average precision without any label (peer: LightGBM on degrees and amounts, "
            "taught with the labels of the first half)",
            average_precision(member[active], ours[active]),
            average_precision(member[active], peer[active]), "1", taken, goal="≥ 1.5 ×"),
        row(f"{what}): the same, of members that act in it (peer: LightGBM as before)",
            average_precision(acting[active], ours[active]),
            average_precision(acting[active], peer[active]), "1", taken),
        row(f"{what}): the same, if all who act were known and nobody else",
            average_precision(member[active], acting[active].astype(float)), None, "1", taken),
    ]  # fmt: skip


def average_precision(member: NDArray[np.bool_], score: Floats) -> float:
    """Area under precision by recall; those of one score are taken together."""
    order = np.argsort(-score, kind="stable")
    hits, score = np.cumsum(member[order]), score[order]
    last = np.append(score[1:] != score[:-1], True)
    count = np.arange(1, len(score) + 1)[last]
    gained = np.diff(np.concatenate([[0], hits[last]]))
    return float((gained * hits[last] / count).sum() / max(hits[-1], 1))


def _sample(path: Path) -> tuple[Any, ...]:
    with tarfile.open(path) as packed:

        def table(name: str) -> list[dict[str, str]]:
            (one,) = [m for m in packed.getmembers() if m.name.endswith("/" + name)]
            raw = packed.extractfile(one)
            assert raw is not None
            return list(csv.DictReader(io.TextIOWrapper(raw, "utf-8")))

        nodes, paid = table("nodes.csv"), table("transactions.csv")
    member = np.zeros(len(nodes), bool)
    for n in nodes:
        member[int(n["nodeid"])] = n["isFraud"] == "1"
    ends = (np.array([int(p[c]) for p in paid]) for c in ("sourceNodeId", "targetNodeId"))
    return (
        member, *ends, np.array([float(p["value"]) for p in paid]),
        np.array([int(p["time"]) for p in paid]),
    )  # fmt: skip


def _ours(s: Any, d: Any, v: Any, t: Any, size: int) -> Floats:
    """The evidence of the best finding that names each account; a step counts as a day."""
    with tempfile.TemporaryDirectory(prefix="cordon-bench-") as folder:
        path = Path(folder) / "p.csv"
        with path.open("w", newline="") as raw:
            out = csv.writer(raw)
            out.writerow(("payment_id", "at", "from_account", "to_account", "amount", "currency"))
            days = np.datetime64("2026-01-01") + t
            for n in range(len(s)):
                out.writerow((f"P{n}", f"{days[n]}T00:00:00Z", s[n], d[n], f"{v[n]:.2f}", "USD"))
        # what the cards ask for at least is a choice for a desk; a ranking has none
        data = MoneyData(read_payments([path]).payments, given={"evidence": -100, "honest": 1})
        found = list(split.find(MoneyData(data.payments, given={**data.given, "payments": 2})))
        for detector in (gathering, scatter_gather, cycle, chain):
            found += detector.find(data)
    score = np.full(size, -200.0)
    for f in found:
        members = {int(subject.partition(":")[2]) for subject in f.subjects}
        if f.detector == gathering.CARD.name:  # who paid in is labelled too, and no subject
            members |= {int(s[r.row - 1]) for r in f.records}
        for at in members:
            score[at] = max(score[at], f.reasons[0].value)
    return score


def _peer(
    member: NDArray[np.bool_], paid: tuple[Any, Any, Any], before: Any, after: Any, rounds: int
) -> Floats:
    import lightgbm

    first, then = (_features(len(member), *(c[of] for c in paid)) for of in (before, after))
    seen = (first[:, 0] > 0) | (first[:, 7] > 0)
    options = {
        "objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "bagging_fraction": 0.8,
        "bagging_freq": 1, "min_child_samples": 20, "num_threads": 2, "seed": 0, "verbose": -1,
    }  # fmt: skip
    told = lightgbm.Dataset(first[seen], member[seen].astype(int))
    return np.asarray(lightgbm.train(options, told, rounds).predict(then))


def _features(size: int, s: Any, d: Any, v: Any) -> Floats:
    """Of each account, out and in: payments, others, sum, mean, least, most and deviation."""
    made = []
    for end, other in ((s, d), (d, s)):
        count, total = np.bincount(end, minlength=size), np.bincount(end, v, minlength=size)
        others = np.bincount(np.unique(end * size + other) // size, minlength=size)
        mean = total / np.maximum(count, 1)
        least, most = np.full(size, np.inf), np.zeros(size)
        np.minimum.at(least, end, v)
        np.maximum.at(most, end, v)
        square = np.bincount(end, v * v, minlength=size) / np.maximum(count, 1)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        made += [count, others, total, mean, np.where(count, least, -1.0), most, spread]
    return np.stack(made, axis=1).astype(float)
