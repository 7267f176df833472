"""Every kind of error has a status and an exit code of its own class."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import cordon
from cordon.kernel.errors import CordonError, kinds


def load_everything() -> None:
    for module in pkgutil.walk_packages(cordon.__path__, "cordon."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


load_everything()


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.__name__)
def test_each_kind_answers_with_its_own_status(kind: type[CordonError]) -> None:
    assert 400 <= kind.status <= 599
    assert kind.exit_code in (1, 2)
    assert kind.code
    assert kind.code == kind.code.lower()
    assert kind.__doc__
    error = CordonError.__new__(kind)
    # the status that the web and the console read is that of the type, never a parent's default
    assert type(error).status == kind.status


def test_kinds_of_one_code_agree() -> None:
    by_code: dict[str, set[tuple[int, int]]] = {}
    for kind in kinds():
        by_code.setdefault(kind.code, set()).add((kind.status, kind.exit_code))
    assert all(len(found) == 1 for found in by_code.values()), by_code


def test_the_base_is_not_raised_where_a_kind_fits() -> None:
    assert len(kinds()) > 12
