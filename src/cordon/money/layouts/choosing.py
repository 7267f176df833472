"""Which layout a file is read by: the one that is named, one's own, or the one that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from cordon.calls import PAYMENTS, Plain, read_plain, tabular
from cordon.countries import codes, country
from cordon.kernel.bringing import TOLD
from cordon.kernel.errors import BadInput
from cordon.money.layouts import FORMS, Layout, all_layouts, named, parse
from cordon.money.layouts.reading import LayoutFile, Progress
from cordon.money.layouts.recognise import names_of, nearest, recogniser

LEARN = "Have a layout proposed for it: cordon money layout learn FILE."


@dataclass(frozen=True, slots=True)
class Choice:
    """How a file is to be read.

    Attributes:
        layout: a layout's name, or `auto`. own: the text of one's own layout; it goes first.
        given: what is told with the file where it tells none: `account`, `currency`.
        folder: of the node's own layouts.
    """

    layout: str = TOLD
    own: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def layouts(self, kind: str) -> tuple[Layout, ...]:
        """The layouts that a file of a kind may have.

        Raises:
            BadInput: the one that is named is none, or is of another kind.
        """
        if not self.own and self.layout == TOLD:
            return all_layouts(self.folder, kind)
        one = parse(self.own, self.layout) if self.own else named(self.layout, self.folder)
        if one.kind != kind:
            raise BadInput(
                f"The layout {one.name} is of {one.kind}, and the file is to hold {kind}.",
                advice=f"Say what it holds: --kind {one.kind}.",
            )
        return (one,)


def file_of(
    path: Path, kind: str, choice: Choice, region: str, name: str, progress: Progress | None = None
) -> LayoutFile | None:
    """A file by a bank's or wallet's layout; None where it is of the plain format itself.

    Args:
        region: ISO 3166 code of the country whose clock holds. name: how errors call the file.

    Raises:
        BadInput: the layout that is named does not fit, or none does and one is near.
    """
    layouts = choice.layouts(kind)
    told = choice.layout == TOLD and not choice.own
    if not layouts or (told and _is_parquet(path)):
        return None
    if not path.is_file():
        raise BadInput(f"There is no file {name}.", advice=FORMS[kind].expected)
    lines = _head(path, kind, layouts, name)
    if told and not _fits(lines, layouts):
        _say_why_not(lines, kind, layouts, name)
        return None
    if told and _is_plain(lines, kind):
        return None
    if not told and not _fits(lines, layouts):
        near = nearest(lines, layouts)
        lacks = near.says if near else "any of its columns"
        raise BadInput(
            f"{name} does not fit the layout {layouts[0].name}: it lacks {lacks}.",
            advice=f"Let it be told from the file: the layout auto. {LEARN}",
        )
    return LayoutFile(path, layouts, name, zone_of(region), choice.given, progress)


def has_layout(path: Path, kind: str = "payments", folder: Path | None = None) -> bool:
    """True where a file's header is that of some layout; BadInput as of `source`."""
    layouts = all_layouts(folder, kind)
    if _is_parquet(path):
        return False
    lines = _head(path, kind, layouts, path.name)
    return _fits(lines, layouts) and not _is_plain(lines, kind)


def is_plain(path: Path) -> bool:
    """True for a file of payments in the plain format, or nearly: its reader says what it lacks."""
    layouts = all_layouts(None, "payments")
    if _is_parquet(path):
        return True
    lines = _head(path, "payments", layouts, path.name)
    if _fits(lines, layouts):
        return _is_plain(lines, "payments")
    return _share_of_plain(lines, "payments") >= 0.5


def read_by_layout(
    path: Path,
    region: str,
    progress: Progress | None = None,
    given: Mapping[str, str] | None = None,
) -> tuple[Plain, list[str]]:
    """Payments of a file of the plain format, or of a layout that its header tells; and sentences
    on balances of it that do not run with its amounts.

    Args:
        given: as of `Choice`.

    Raises:
        BadInput: it is neither, or nothing of it can be read.
    """
    if not path.is_file():
        return read_plain(path, PAYMENTS, region, progress=progress, once=False), []
    file = file_of(path, "payments", Choice(given=given or {}), region, path.name, progress)
    if file is None:
        return read_plain(path, PAYMENTS, region, progress=progress, once=False), []
    read = read_plain(path, PAYMENTS, region, parts=file.parts(), once=False)
    read.notes.update(file.notes)
    read.broken = read.broken or file.broken
    return read, file.balances.sentences()


def zone_of(region: str) -> ZoneInfo:
    """The clock of a country (ISO 3166); UTC where it is not known."""
    return country(region.lower()).zone if region.lower() in codes() else ZoneInfo(str(UTC))


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as raw:
        return raw.read(4) == b"PAR1"


def _head(path: Path, kind: str, layouts: Sequence[Layout], name: str) -> list[bytes]:
    """The first lines of a file, or of the first sheet of it that has a layout's header."""
    source = tabular.source(path, None, FORMS[kind].expected, name)
    first: list[bytes] = []
    part = -1
    for block in source.blocks():
        if block.part == part:
            continue
        part = block.part
        lines = block.text[: tabular.HEAD_BYTES].split(b"\n")
        if _fits(lines, layouts):
            return lines
        first = first or lines
        if not source.is_workbook:
            break
    return first


def _fits(lines: Sequence[bytes], layouts: Sequence[Layout]) -> bool:
    return recogniser(layouts)(lines, ()) is not None


def _is_plain(lines: Sequence[bytes], kind: str) -> bool:
    """True where the first line names all that the plain format must have."""
    return _share_of_plain(lines, kind) == 1.0


def _share_of_plain(lines: Sequence[bytes], kind: str) -> float:
    line = next((one for one in lines if one.strip()), b"")
    wanted = set(FORMS[kind].required)
    each = (wanted & set(names_of(line, sign)) for sign in tabular.SIGNS)
    return max(len(have) for have in each) / len(wanted)


def _say_why_not(lines: Sequence[bytes], kind: str, layouts: Sequence[Layout], name: str) -> None:
    """Say which layout is nearest, and what it lacks; nothing where the plain format is nearer."""
    near = nearest(lines, layouts)
    if _share_of_plain(lines, kind) >= 0.5:
        return
    if near is None:
        if not any(len(names_of(one, sign)) > 2 for one in lines for sign in tabular.SIGNS):
            return  # no table at all: who reads the plain format says what it is
        raise BadInput(
            f"{name} has no known layout: no line of its first {tabular.MOST_LINES} names columns "
            "of one.",
            advice=f"{LEARN} {FORMS[kind].expected}",
        )
    raise BadInput(
        f"{name} has no known layout. Nearest is {near.layout.name}, of which it lacks "
        f"{near.says}.",
        advice=f"{LEARN} {FORMS[kind].expected}",
    )
