"""Times at which what somebody tells of his own place is known to be false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.picture.tracks import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Untrue:
    """Spells of false positions, arrays of one length.

    Attributes:
        subject: index into the tracks' subjects. begin, end: s since the epoch.
    """

    subject: Ints
    begin: Floats
    end: Floats

    def during(self, subject: Ints, begin: Floats, end: Floats) -> Bools:
        """Whether half or more of each span (s) lies within one spell of its subject."""
        found = np.zeros(len(subject), dtype=np.bool_)
        for n in np.flatnonzero(np.isin(self.subject, subject)).tolist():
            mine = np.flatnonzero(subject == self.subject[n])
            both = np.minimum(end[mine], self.end[n]) - np.maximum(begin[mine], self.begin[n])
            found[mine] |= (both >= 0) & (2 * both >= end[mine] - begin[mine])
        return found
