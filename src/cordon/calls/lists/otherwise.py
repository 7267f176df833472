"""What a file looks like that is no list of the kind that it was given as, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence

from cordon.calls.forms import format_of
from cordon.calls.layouts import layouts, recognise
from cordon.calls.layouts.recognise import MOST_LINES, SIGNS, split
from cordon.calls.lists.headings import Headings, all_headings, told_by
from cordon.calls.lists.sessioned import SESSIONS, are_sessions
from cordon.kernel.errors import BadInput

_MOST_OF_IT = 3  # fields by which a list is told that lacks one
_FEWEST = 2  # fields of a kind that a header has which is meant to be of it
_SHOWN = 3  # headings that a field is told by


def say_why_not(
    lines: Sequence[bytes], wanted: Headings, required: Sequence[str], name: str
) -> None:
    """Say what a file is that was given as a list of a kind and is none.

    Says nothing where no heading tells, or where it is nearly the plain format, or another one:
    whoever reads that says what it lacks.

    Args:
        lines: the first of the file. required: columns of the plain format.

    Raises:
        BadInput: another kind of list, calls of a known layout, or a list that lacks a column.
    """
    first = next((line for line in lines if line.strip()), b"")
    for sign in SIGNS:
        have = [n.strip().lower() for n in split(first, sign)]
        if format_of(have) is not None or 2 * len(set(required) & set(have)) >= len(required):
            return
    what = _other(lines)
    if what is not None:
        kind, says = what
        raise BadInput(
            f"{name} is no list of {wanted.form}: by its headings it {says}.",
            advice=f"Give it as {kind} (--kind {kind} in an import, --{kind} in a search).",
        )
    lacks = _lacking(lines, wanted)
    if lacks:
        raise BadInput(
            f"{name} is no list of {wanted.form} that can be read: it lacks a column of "
            f"{' and of '.join(lacks)}.",
            advice="Ask the sender for it with that column, or write the usual heading over it; "
            "cordon calls layouts shows what such lists are known by.",
        )


def nearly(lines: Sequence[bytes]) -> str:
    """The kind of list of which a file lacks one column that must be there; empty for none.

    Only of kinds whose headings nobody else writes: a bank's file has most of a complaint's.
    """
    best, kind = _MOST_OF_IT - 1, ""
    for line in lines[:MOST_LINES]:
        for sign in SIGNS:
            names = split(line, sign)
            for form in ("cells", "sessions"):
                has, missing = all_headings()[form].lacking(names) if len(names) > 1 else (0, ())
                if has > best and len(missing) == 1:
                    best, kind = has, form
    return kind


def no_calls(names: Sequence[str]) -> str:
    """A sentence that says what a file of these columns holds in place of calls; empty where it may
    hold calls."""
    if are_sessions(names):
        return SESSIONS
    held = {form: len(one.found(names)) for form, one in all_headings().items()}
    form = max(held, key=lambda f: held[f])
    if not held[form]:
        return ""
    return (
        f"By its headings this is a list of {form} and holds no calls. It needs no layout: cordon "
        f"calls import FILE --kind {form}."
    )


def _other(lines: Sequence[bytes]) -> tuple[str, str] | None:
    """The kind of a file, and a phrase that says what it is; None where nothing tells."""
    of_calls = recognise(lines, layouts())
    if of_calls is not None:
        return "calls", f"holds calls in the layout {of_calls.layout.name}"
    other = told_by(lines)
    return None if other is None else (other.form, f"is one of {other.form}")


def _lacking(lines: Sequence[bytes], wanted: Headings) -> list[str]:
    """What the header lacks that has most of a kind's fields, each by its usual headings."""
    best: tuple[int, list[str]] = (_FEWEST - 1, [])
    for line in lines[:MOST_LINES]:
        for sign in SIGNS:
            names = split(line, sign)
            has, missing = wanted.lacking(names) if len(names) > 1 else (0, ())
            if has > best[0] and len(missing) < len(wanted.needs):
                best = has, [_usual(wanted, some) for some in missing]
    return best[1]


def _usual(wanted: Headings, fields: Sequence[str]) -> str:
    every = [n for what in fields for n in wanted.columns.get(what, ())]
    some = ", ".join(f"“{n}”" for n in every[:_SHOWN])
    return f"{fields[0]} ({some}{' …' if len(every) > _SHOWN else ''})"
