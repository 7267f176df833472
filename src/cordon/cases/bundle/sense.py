"""Whether what a bundle says holds together: exhibits, custody, findings and their records.

Hashes show that nothing was changed since the seal; this shows that what was sealed is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cordon.cases.bundle import layout
from cordon.cases.bundle.contents import Problem, RowUnit
from cordon.cases.bundle.folder import read_json, read_lines, shown
from cordon.cases.bundle.rows import first_row, has_row
from cordon.cases.custody import check
from cordon.cases.model import CustodyEvent
from cordon.kernel.errors import CordonError
from cordon.kernel.findings import Finding

_WRONG_SHAPE = (CordonError, KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass
class Sense:
    """What was found: problems, and remarks that a reader must know."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def wrong(self, file: str, says: str) -> None:
        self.problems.append(Problem(file, says))

    def unreadable(self, file: str, fault: BaseException) -> None:
        if isinstance(fault, CordonError):
            self.wrong(file, fault.message)
        else:
            self.wrong(file, f"has not the shape of {layout.FORMAT} ({type(fault).__name__})")


def make_sense(
    root: Path,
    manifest: Mapping[str, str],
    sizes: Mapping[str, int],
    *,
    case: str | None,
    until: datetime | None,
) -> Sense:
    """Check what the bundle says against itself.

    Args:
        root: the bundle's folder. manifest: payload path to SHA-256, as the manifest has it;
            only files that are there. sizes: their bytes.
        case: number of the case in the seal, or None.
        until: moment of the seal, after which nothing in it can have happened.
    """
    sense = Sense()
    labels: dict[str, str] = {}
    try:
        labels = dict(_exhibits(sense, root, manifest, sizes, case))
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.CASE, fault)
    try:
        for one in _listed(read_json(root, layout.AUTHORITIES)):
            layout.check_authority(one)
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.AUTHORITIES, fault)
    _custody(sense, root, labels, until)
    _records(sense, root, manifest, sizes)
    return sense


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _exhibits(
    sense: Sense,
    root: Path,
    manifest: Mapping[str, str],
    sizes: Mapping[str, int],
    case: str | None,
) -> Iterator[tuple[str, str]]:
    data = read_json(root, layout.CASE)
    if data["format"] != layout.FORMAT:
        sense.wrong(layout.CASE, f"is not of the format {layout.FORMAT}")
    if case is not None and data["case"]["number"] != case:
        sense.wrong(layout.CASE, f"is not of the case {shown(case)} that the seal names")
    listed = set()
    for exhibit in _listed(data["exhibits"]):
        path, label = exhibit["file"], shown(str(exhibit["label"]))
        if path not in manifest:
            sense.wrong(layout.CASE, f"exhibit {label} has no file in the bundle")
        elif manifest[path] != exhibit["sha256"] or sizes[path] != exhibit["size"]:
            sense.wrong(path, f"is not the exhibit {label} that {layout.CASE} describes")
        listed.add(path)
        yield str(exhibit["id"]), label
    for path in manifest:
        if path.startswith(layout.EXHIBITS) and path not in listed:
            sense.wrong(path, f"is no exhibit that {layout.CASE} lists")


def _custody(sense: Sense, root: Path, labels: Mapping[str, str], until: datetime | None) -> None:
    def entries() -> Iterator[CustodyEvent]:
        for number, data in read_lines(root, layout.CUSTODY):
            event = layout.event_from_dict(data)
            if event.exhibit not in labels:
                sense.wrong(layout.CUSTODY, f"line {number} is of an exhibit that is not here")
            yield event

    try:
        known = [layout.break_from_dict(one) for one in _listed(read_json(root, layout.BREAKS))]
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.BREAKS, fault)
        known = []
    declared = {(d.exhibit, d.event, d.rule): d.explanation for d in known}
    try:
        breaks = check(entries(), exhibits=labels, until=until)
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.CUSTODY, fault)
        return
    for one in breaks:
        label = labels.get(one.exhibit, "unknown")
        explanation = declared.pop((one.exhibit, one.event, one.rule), None)
        if explanation is None:
            sense.wrong(layout.CUSTODY, f"custody of {label} is broken ({one.rule}): {one.says}")
        else:
            sense.remarks.append(
                f"Custody of {label} is broken ({one.rule}), which the sealing officer declared: "
                f"{one.says} Explained: {shown(explanation)}"
            )
    for exhibit, _, rule in declared:
        sense.wrong(
            layout.BREAKS,
            f"declares a break ({rule}) of {labels.get(exhibit, 'unknown')} that is none",
        )


def _records(
    sense: Sense, root: Path, manifest: Mapping[str, str], sizes: Mapping[str, int]
) -> None:
    try:
        index = {str(one["sha256"]): one for one in _listed(read_json(root, layout.RECORD_INDEX))}
        files = {layout.RECORD_INDEX}
        for sha256, one in index.items():
            if one["kind"] == "withheld":
                sense.remarks.append(f"The file {sha256[:12]}… is withheld: {shown(one['why'])}")
                continue
            files.add(_record_file(sense, one, manifest, sizes))
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.RECORD_INDEX, fault)
        return
    for path in manifest:
        if path.startswith(layout.RECORDS) and path not in files:
            sense.wrong(path, f"is no record that {layout.RECORD_INDEX} lists")
    furthest = _pointers(sense, root, index)
    for sha256, row in furthest.items():
        one = index[sha256]
        if one["kind"] != "whole" or manifest.get(one["file"]) != sha256:
            continue
        try:
            if not has_row(root / one["file"], one["name"], RowUnit(one["unit"]), row):
                sense.wrong(one["file"], f"has no row {row}, to which a finding points")
        except _WRONG_SHAPE as fault:
            sense.unreadable(one["file"], fault)


def _record_file(
    sense: Sense, one: Mapping[str, Any], manifest: Mapping[str, str], sizes: Mapping[str, int]
) -> str:
    path, sha256 = str(one["file"]), one["sha256"]
    RowUnit(one["unit"])
    if path not in manifest or not path.startswith(layout.RECORDS):
        sense.wrong(layout.RECORD_INDEX, f"the file of {sha256[:12]}… is not in the bundle")
    elif one["kind"] == "whole":
        if manifest[path] != sha256:
            sense.wrong(path, "is not the file that the findings point at")
    elif one["kind"] == "extract":
        if sizes[path] != sum(piece["length"] for piece in one["pieces"]):
            sense.wrong(path, "is not as long as its pieces are together")
        if any(piece["offset"] + piece["length"] > one["size"] for piece in one["pieces"]):
            sense.wrong(path, "has a piece from behind the end of its file")
        sense.remarks.append(
            f"Of the file {sha256[:12]}… the bundle carries an extract: that it is of that file "
            "rests on the sealing officer's word until the whole file is laid beside it."
        )
    else:
        sense.wrong(layout.RECORD_INDEX, f"{sha256[:12]}… is of no known kind")
    return path


def _pointers(sense: Sense, root: Path, index: Mapping[str, Any]) -> dict[str, int]:
    """Follow each finding's pointers; return the furthest row of each file (rows are counted)."""
    extracts = {
        sha256: {piece["row"] for piece in one["pieces"]}
        for sha256, one in index.items()
        if one["kind"] == "extract"
    }
    furthest: dict[str, int] = {}
    try:
        for number, data in read_lines(root, layout.FINDINGS):
            for pointer in Finding.from_dict(data).records:
                sha256, row = pointer.sha256, pointer.row
                where = f"line {number} points at row {row} of {shown(sha256[:12])}…"
                if sha256 not in index:
                    sense.wrong(layout.FINDINGS, f"{where}, which is neither here nor withheld")
                elif sha256 in extracts:
                    if row not in extracts[sha256]:
                        sense.wrong(layout.FINDINGS, f"{where}, which is not in its extract")
                elif index[sha256]["kind"] == "whole":
                    if row < first_row(RowUnit(index[sha256]["unit"])):
                        sense.wrong(layout.FINDINGS, f"{where}, before its first")
                    furthest[sha256] = max(row, furthest.get(sha256, row))
    except _WRONG_SHAPE as fault:
        sense.unreadable(layout.FINDINGS, fault)
    return furthest
