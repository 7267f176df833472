"""The forms that a unit fills in: one YAML file a kind of incident, in every language.

A field has a `name`, a `type` (`text`, `number`, `choice`, `yes_no`), a `label` in each language,
and `required`, `least` and `most` (of a number; `most` characters of a text), `choices`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cordon.kernel.errors import BadInput

FOLDER = Path(__file__).parent / "forms"
LANGUAGES = ("en", "ur")
TYPES = ("text", "number", "choice", "yes_no")
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; bounds as in the module's docstring."""

    name: str
    type: str
    label: Words
    required: bool
    least: float
    most: float
    choices: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of incident with what is asked of it, in the order of the page."""

    name: str
    title: Words
    fields: tuple[Field, ...]


@cache
def forms() -> Mapping[str, Form]:
    """Every form by its name; BadInput where a file says what no form is."""
    found = {f.name: f for f in map(read_form, sorted(FOLDER.glob("*.yaml")))}
    return MappingProxyType(found)


def read_form(path: Path) -> Form:
    """One form from its file; BadInput names the file and what is wrong in it."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        made = Form(str(data["name"]), _words(data["title"]), tuple(map(_field, data["fields"])))
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise BadInput(f"The form {path.name} cannot be used: {wrong}.") from None
    if made.name != path.stem or len({f.name for f in made.fields}) != len(made.fields):
        raise BadInput(f"The form {path.name} has another name, or a field twice.")
    return made


def check_values(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A filled-in form as it is kept: known fields alone, each of its type, in the form's order.

    Raises:
        BadInput: there is no such form, or a field is missing, unknown or wrong.
    """
    form = forms().get(name)
    if form is None:
        raise BadInput(f"There is no form {name[:40]!r}.", advice="Load the field page anew.")
    if strange := sorted(set(values) - {f.name for f in form.fields}):
        raise BadInput(f"The form {name} has no field {strange[0][:40]!r}.")
    kept = {f.name: _value(form, f, values.get(f.name)) for f in form.fields}
    return {k: v for k, v in kept.items() if v is not None}


def _value(form: Form, field: Field, value: Any) -> Any:
    if value is None or value == "":
        if field.required:
            raise BadInput(f"The form {form.name} needs {field.name}.", advice="Fill it in.")
        return None
    good = {
        "text": isinstance(value, str) and len(value) <= field.most,
        "number": type(value) in (int, float)
        and math.isfinite(value)
        and field.least <= value <= field.most,
        "choice": isinstance(value, str) and value in field.choices,
        "yes_no": isinstance(value, bool),
    }[field.type]
    if not good:
        raise BadInput(
            f"The field {field.name} of the form {form.name} cannot be used as it is.",
            advice="Correct it on the form.",
        )
    return value


def _field(data: Mapping[str, Any]) -> Field:
    known = {"name", "type", "label", "required", "least", "most", "choices"}
    if (type_ := data["type"]) not in TYPES or set(data) - known:
        raise ValueError(f"field {data['name']} has the type {type_} or a key that none has")
    choices = {str(k): _words(v) for k, v in data.get("choices", {}).items()}
    if (type_ == "choice") != bool(choices):
        raise ValueError(f"field {data['name']} has choices where it may not, or none")
    return Field(
        str(data["name"]), type_, _words(data["label"]), bool(data.get("required", False)),
        float(data.get("least", 0)), float(data.get("most", 500)), MappingProxyType(choices),
    )  # fmt: skip


def _words(data: Mapping[str, str]) -> Words:
    return MappingProxyType({lang: str(data[lang]) for lang in LANGUAGES})


def form_json(form: Form) -> dict[str, Any]:
    """A form for the phone, in every language: it may be filled in where no node is heard."""
    return {
        "name": form.name,
        "title": dict(form.title),
        "fields": [
            {
                "name": f.name,
                "type": f.type,
                "label": dict(f.label),
                "required": f.required,
                "least": f.least,
                "most": f.most,
                "choices": [{"value": v, "label": dict(w)} for v, w in f.choices.items()],
            }
            for f in form.fields
        ],
    }
