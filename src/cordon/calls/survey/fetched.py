"""The calls of those who could matter, from the pages of Parquet files.

Who they are is known from the pass before: of the other calls no text is looked at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.survey.census import Census
from cordon.calls.survey.coded import codes
from cordon.calls.survey.ends import touched
from cordon.calls.survey.inorder import Rows, by_column, in_order
from cordon.calls.survey.paged import Everyone, Part
from cordon.calls.survey.words import Words
from cordon.kernel.errors import BadInput
from cordon.kernel.store.pages import Unread

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
_HANDSET = 14  # digits of an IMEI that tell the handset (3GPP TS 23.003 §6.2)


class _Fetch:
    """Calls fetched by one thread.

    Args:
        chosen: of each number of everybody's, whether its calls are wanted. at: its place in the
            census. Both have one entry more, of no number.
    """

    def __init__(
        self, everyone: Everyone, chosen: NDArray[np.bool_], at: NDArray[np.int32]
    ) -> None:
        self.words = {"imsi": Words(), "imei": Words(_HANDSET), "cell": Words()}
        self.columns: list[tuple[int, Columns]] = []  # with the number of the part
        self._everyone, self._chosen, self._at = everyone, chosen, at

    def add(self, part: Part, file: int) -> None:
        ends, own = self._everyone.ends(part)
        chosen = self._chosen[own]
        rows = touched(ends, chosen)
        if not len(rows):
            return
        ends = ends[rows]
        us, voice, duration, again = self._everyone.told(part)
        columns: Columns = {
            "us": us[rows],
            "duration_s": duration[rows],
            "voice": voice[rows],
            "again": again[rows],
            "row": rows + part.ahead + 1,
            "origin": np.full(len(rows), file, np.int32),
        }
        for side, end in enumerate(("caller", "callee")):
            columns[end] = self._at[own[ends[:, side]]]
            looked = np.flatnonzero(chosen[ends[:, side]])
            for what, words in self.words.items():
                # SIM and handset of who is only the other end are asked for by nobody
                asked = np.arange(len(rows)) if what == "cell" else looked
                found = np.full(len(rows), -1, np.int32)
                found[asked] = codes(part.pages, part.group, f"{end}_{what}", words, rows[asked])
                columns[f"{end}_{what}"] = found
        self.columns.append((part.number, columns))

    def joined(self, first: _Fetch) -> None:
        """Hand over to another, whose numbers of texts are taken on."""
        for what, words in self.words.items():
            own = np.append(first.words[what].codes(words.told()), np.int32(-1))
            for _, columns in self.columns:
                for end in ("caller", "callee"):
                    columns[f"{end}_{what}"] = own[columns[f"{end}_{what}"]]
        first.columns += self.columns


def fetched(census: Census, why: NDArray[np.int16]) -> Rows:
    """The calls of the census's numbers that are looked at (`why` is not 0).

    Raises:
        BadInput: the files changed since everybody was counted.
    """
    everyone = census.ends
    assert isinstance(everyone, Everyone)
    assert census.seen is not None
    chosen = np.zeros(everyone.numbers + 1, bool)
    chosen[census.seen[why != 0]] = True
    at = np.full(everyone.numbers + 1, -1, np.int32)
    at[census.seen] = np.arange(len(census.seen), dtype=np.int32)
    files = sorted({p.file for p in everyone.parts})
    fetches = [_Fetch(everyone, chosen, at) for _ in range(everyone.threads)]
    queue = iter(everyone.parts)

    def run(fetch: _Fetch) -> None:
        for part in queue:
            fetch.add(part, files.index(part.file))

    try:
        with ThreadPoolExecutor(len(fetches)) as pool:
            for done in [pool.submit(run, fetch) for fetch in fetches]:
                done.result()
        for other in fetches[1:]:
            other.joined(fetches[0])
        return _rows(fetches[0], census, files, everyone.threads)
    except (Unread, pa.ArrowInvalid) as fault:
        raise BadInput(
            "A Parquet file cannot be read: it was cut or changed.",
            advice="Restore it from the backup, or bring its source in again.",
        ) from fault


def _rows(fetch: _Fetch, census: Census, files: list[str], threads: int) -> Rows:
    # as they stand in their files, whoever fetched them: then most are in order
    parts = [p for _, p in sorted(fetch.columns, key=lambda told: told[0])] or [_nothing()]
    c = by_column(lambda name: np.concatenate([p.pop(name) for p in parts]), parts[0], threads)
    used = np.unique(c["origin"])
    c["origin"] = np.searchsorted(used, c["origin"]).astype(np.int32)
    return in_order(c, fetch.words, census, [files[f] for f in used.tolist()], threads)


def _nothing() -> Columns:
    """Columns without a call."""
    none: Columns = {
        "us": np.empty(0, np.int64),
        "duration_s": np.empty(0, np.float32),
        "voice": np.empty(0, bool),
        "again": np.empty(0, bool),
        "row": np.empty(0, np.int64),
        "origin": np.empty(0, np.int32),
    }
    for end in ("caller", "callee"):
        for name in (end, f"{end}_imsi", f"{end}_imei", f"{end}_cell"):
            none[name] = np.empty(0, np.int32)
    return none
