"""The reference pages under docs/reference/, made from the code that they speak of.

    python -m cordon.reference            write them
    python -m cordon.reference --check    fail where one is not what the code says now

The same code gives the same text, whatever the machine and its settings.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from cordon import policies
from cordon.reference import writing
from cordon.reference.gathering import Command, Route, commands, extension_points, may, routes
from cordon.settings import Settings


def pages() -> dict[str, str]:
    """Every reference page by its file name."""
    from cordon import money
    from cordon.bootstrap import open_node
    from cordon.web.app import create_app

    with tempfile.TemporaryDirectory() as folder:
        # whatever the environment says: none of it changes what routes and detectors there are
        given: dict[str, Any] = {"data": Path(folder), "database_url": None, "zones": None}
        node = open_node(Settings(**given))
        try:
            known, cards = routes(create_app(node)), {**node.cards, **money.cards()}
        finally:
            node.close()
    return {
        "settings.md": writing.settings_page(),
        "commands.md": writing.commands_page(commands()),
        "routes.md": writing.routes_page(known),
        "acts.md": writing.acts_page(policies.gate(), policies.acts()),
        "detectors.md": writing.detectors_page(cards),
        "extending.md": writing.extending_page(),
        "errors.md": writing.errors_page(),
    }


__all__ = ["Command", "Route", "commands", "extension_points", "may", "pages", "routes"]
