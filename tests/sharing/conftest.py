"""A node with collections and accounts, once on each kind of store."""

from __future__ import annotations

import pytest

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.settings import Settings
from cordon.web.app import create_app
from support.agreeing import met
from support.sharewords import DATA, Caller


@pytest.fixture
def supervisor() -> Actor:
    return Actor(
        "officer-s", "S", "pk-demo", "desk", frozenset({Role.SUPERVISOR}), Mark.AMBER_STRICT
    )


@pytest.fixture
def node(rows_url, tmp_path):
    made = open_node(Settings(data=tmp_path / "data", database_url=rows_url, agency="pk-demo"))
    told = made.sharing.loader.load(made.console_actor(None), DATA, {})
    assert told.refused == []
    assert (told.roots, told.collections, told.accounts) == (2, 3, 2)
    yield made
    made.close()


@pytest.fixture
def app(node):
    return create_app(node)


@pytest.fixture
def both(app):
    return Caller(app)


@pytest.fixture
def reader(app):
    return Caller(app, "reader")


@pytest.fixture(scope="module")
def agencies(tmp_path_factory):
    """Two agencies whose nodes know each other, heard on loopback.

    One pair for a module: agreements that another module made would let more go.
    """
    a, b = met(tmp_path_factory.mktemp("agencies"))
    yield a, b
    a.close()
    b.close()
