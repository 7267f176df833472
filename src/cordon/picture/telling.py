"""What was told of findings, so that each is told once, again when it says more, and taken back
when what is known now no longer bears it out."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from cordon.kernel.findings import Finding
from cordon.picture.tracks import moment

LATE = "Reports that came late show otherwise."
SINCE = "What was heard since shows otherwise."
_EARLY = 0.25  # of the window: what begins in its first part may only have lost its beginning
_PASSES = 2  # in a row that must no longer find it


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A finding that was told and no longer holds, and why in one sentence."""

    finding: Finding
    why: str


def says_more(new: Finding, old: Finding) -> bool:
    """Whether a finding told before is worth telling again: surer, much longer, or other."""
    grown = (new.end - new.start) > 1.5 * (old.end - old.start) + timedelta(minutes=1)
    surer = abs(new.confidence - old.confidence) >= 0.05
    moved = abs(new.start - old.start) > timedelta(seconds=1)
    return grown or surer or moved or {r.name for r in new.reasons} != {r.name for r in old.reasons}


class Told:
    """Findings as last given out; every method may be called from any thread.

    Args:
        window: how far back detectors look.
    """

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._lock = threading.Lock()
        self._told: dict[str, Finding] = {}
        self._until: dict[str, float] = {}  # how far each has been seen to last (s)
        self._by_whom: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._missed: dict[str, int] = {}
        self._late: set[str] = set()  # subjects of which something came late, by finding's id
        self._withdrawn: list[Withdrawal] = []
        self._again: set[str] = set()  # given, and not kept by whom it was given to

    def remember(self, findings: Iterable[Finding]) -> None:
        """These were told before."""
        with self._lock:
            for finding in findings:
                self._keep(finding)

    def records(self) -> list[tuple[str, int]]:
        """File (SHA-256) and row of every record that a told finding rests on."""
        with self._lock:
            return [(r.sha256, r.row) for f in self._told.values() for r in f.records]

    def subjects(self) -> set[str]:
        """Subjects of all that was told and holds."""
        with self._lock:
            return {s for f in self._told.values() for s in f.subjects}

    def new(self, found: Iterable[Finding], begin: float) -> list[Finding]:
        """Those of the findings that are new or say more than when last told.

        Args:
            begin: of the window (s since the epoch).
        """
        given = []
        with self._lock:
            for f in found:
                id_ = f.id if f.id in self._told else self._same(f)
                if id_ is None:
                    self._keep(f)
                    given.append(f)
                    continue
                old = self._told[id_]
                self._until[id_] = max(f.end.timestamp(), self._until[id_])
                # the same visit with its beginning cut off by the window says nothing new
                cut = id_ != f.id and old.start.timestamp() < begin + 3600 and f.start > old.start
                if id_ in self._again or (not cut and says_more(f, old)):
                    self._again.discard(id_)
                    again = f if id_ == f.id else replace(f, id=id_)
                    self._told[id_] = again
                    given.append(again)
            self._forget(begin)
        return given

    def compare(
        self,
        found: Iterable[Finding],
        sound: Collection[str],
        late: Mapping[str, float],
        begin: float,
        *,
        thinned: bool,
    ) -> None:
        """Take back what a whole pass over the window no longer finds.

        Args:
            sound: kinds whose behaviours ran to their end. late: subjects of which something
                came late, and since when it speaks (s). begin: of the window (s).
            thinned: the window does not hold every fix; then only late reports speak against a
                finding, because a thinned track may hide what it rests on.
        """
        early = begin + _EARLY * self._window.total_seconds()
        with self._lock:
            held = {id_ for f in found if (id_ := f.id if f.id in self._told else self._same(f))}
            for id_, f in list(self._told.items()):
                if any(late.get(s, self._until[id_] + 1) <= self._until[id_] for s in f.subjects):
                    self._late.add(id_)
                if id_ in held:
                    self._missed.pop(id_, None)
                    self._late.discard(id_)
                    continue
                was_late = id_ in self._late
                if f.kind not in sound or f.start.timestamp() < early or (thinned and not was_late):
                    continue
                self._missed[id_] = self._missed.get(id_, 0) + 1
                if self._missed[id_] >= _PASSES:
                    self._withdrawn.append(Withdrawal(f, LATE if was_late else SINCE))
                    self._drop(id_)

    def doubts(self) -> bool:
        """True where something was no longer found once, and must be looked for again."""
        with self._lock:
            return bool(self._missed)

    def withdrawn(self) -> list[Withdrawal]:
        """What was taken back since this was last asked."""
        with self._lock:
            some, self._withdrawn = self._withdrawn, []
            return some

    def untold(self, findings: Iterable[Finding], back: Iterable[Withdrawal] = ()) -> None:
        """These were given and could not be passed on: they are given again.

        Args:
            findings: given by `new`, which gives them again once they are found again.
            back: given by `withdrawn`, which gives them again.
        """
        with self._lock:
            self._again.update(f.id for f in findings if f.id in self._told)
            self._withdrawn = [*back, *self._withdrawn]

    def _keep(self, f: Finding) -> None:
        self._told[f.id] = f
        self._until[f.id] = f.end.timestamp()
        ids = self._by_whom.setdefault((f.kind, f.subjects), [])
        if f.id not in ids:
            ids.append(f.id)

    def _same(self, f: Finding) -> str | None:
        """The id under which this visit or episode was told already, if it was."""
        start, end = f.start, f.end.timestamp()
        for id_ in self._by_whom.get((f.kind, f.subjects), ()):
            old = self._told[id_]
            if old.start.timestamp() <= end and start <= moment(self._until[id_]):
                return id_
        return None

    def _drop(self, id_: str) -> None:
        f = self._told.pop(id_)
        del self._until[id_]
        self._missed.pop(id_, None)
        self._late.discard(id_)
        self._again.discard(id_)
        ids = self._by_whom[f.kind, f.subjects]
        ids.remove(id_)
        if not ids:
            del self._by_whom[f.kind, f.subjects]

    def _forget(self, begin: float) -> None:
        """Let go of what ended a whole window before this one."""
        oldest = begin - self._window.total_seconds()
        for id_ in [i for i, until in self._until.items() if until < oldest]:
            self._drop(id_)
