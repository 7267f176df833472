"""Tables of text under a header, whatever they hold: what layouts of other rooms are built of."""

from cordon.calls.layouts.dates import DAY_S, Order, day_of, moments, needs_order, second_of
from cordon.calls.layouts.languages import words
from cordon.calls.layouts.lines import is_furniture
from cordon.calls.layouts.mapping import NO_VALUE
from cordon.calls.layouts.meanings import Column, Guess, looks_of
from cordon.calls.layouts.model import ORDERS, Layout, plain
from cordon.calls.layouts.recognise import MOST_LINES, SIGNS, Recognised, split
from cordon.calls.learning import PASSED_OVER, Proposal, by_name, header_line, name_of, zone_of
from cordon.calls.rows import Rows, parse_block
from cordon.calls.sections import HEAD_BYTES, Section, Sections
from cordon.calls.sources import Block, Source, source
from cordon.calls.statements import once, placed, whole

__all__ = [
    "DAY_S",
    "HEAD_BYTES",
    "MOST_LINES",
    "NO_VALUE",
    "ORDERS",
    "PASSED_OVER",
    "SIGNS",
    "Block",
    "Column",
    "Guess",
    "Layout",
    "Order",
    "Proposal",
    "Recognised",
    "Rows",
    "Section",
    "Sections",
    "Source",
    "by_name",
    "day_of",
    "header_line",
    "is_furniture",
    "looks_of",
    "moments",
    "name_of",
    "needs_order",
    "once",
    "parse_block",
    "placed",
    "plain",
    "second_of",
    "source",
    "split",
    "whole",
    "words",
    "zone_of",
]
