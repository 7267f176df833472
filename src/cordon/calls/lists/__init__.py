"""Operators' own lists beside the calls: cells, subscribers, internet records and complaints.

A file of such a list is told by its headings and handed on in the columns of the plain format of
its kind (`forms`), so that it is checked, refused and kept as a plain one is.
"""

from __future__ import annotations

from cordon.calls.lists.headings import Headings, all_headings, told_by
from cordon.calls.lists.otherwise import nearly, no_calls
from cordon.calls.lists.reading import Listing, listing

__all__ = ["Headings", "Listing", "all_headings", "listing", "nearly", "no_calls", "told_by"]
