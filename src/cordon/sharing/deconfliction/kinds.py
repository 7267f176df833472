"""Kinds of planned acts with their usual radius and buffer, from a data file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cordon.kernel.errors import WrongSetting
from cordon.sharing.deconfliction.model import MOST_BUFFER_MIN, MOST_SUBJECT_DAYS
from cordon.sharing.deconfliction.place import MOST_REACH_M

BUILT_IN = Path(__file__).with_name("kinds.yaml")
_ID = re.compile(r"[a-z][a-z_]{1,38}")
_BOUNDS = {
    "radius_m": (10, MOST_REACH_M), "buffer_min": (0, MOST_BUFFER_MIN),
    "subject_days": (0, MOST_SUBJECT_DAYS), "hours": (0.25, 24 * 31),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of planned act, and what is taken where an officer says nothing else.

    Attributes:
        radius_m: around its place (m). buffer_min: before and after it (min).
        subject_days: between two acts that concern one subject (days). hours: its length (h).
    """

    id: str
    title: str
    radius_m: float
    buffer_min: float
    subject_days: float
    hours: float


def read_kinds(path: Path | None = None) -> Mapping[str, Kind]:
    """The kinds of a file, or the built-in ones; WrongSetting names what is wrong."""
    path = path or BUILT_IN
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as wrong:
        raise WrongSetting(f"{path} cannot be read as YAML: {type(wrong).__name__}.") from None
    if not isinstance(data, dict) or not data:
        raise WrongSetting(f"{path} names no kinds of planned acts.")
    return {str(name): _kind(path, str(name), said) for name, said in data.items()}


def _kind(path: Path, name: str, said: object) -> Kind:
    if not _ID.fullmatch(name) or not isinstance(said, dict) or set(said) != {"title", *_BOUNDS}:
        raise WrongSetting(
            f"{path}: the kind {name[:40]} is not one of title, {', '.join(_BOUNDS)}."
        )
    for key, (least, most) in _BOUNDS.items():
        value = said[key]
        if type(value) not in (int, float) or not least <= value <= most:
            raise WrongSetting(f"{path}: {key} of {name} is a number from {least} to {most}.")
    title = said["title"]
    if not isinstance(title, str) or not 0 < len(title) <= 60:
        raise WrongSetting(f"{path}: the title of {name} is a text of at most 60 characters.")
    return Kind(name, title, *(float(said[key]) for key in _BOUNDS))
