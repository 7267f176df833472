"""Every route asks who it is: an application with one that does not is not put together."""

from __future__ import annotations

import pytest
from fastapi import APIRouter

from cordon.kernel.pages import GUARDS
from cordon.web.app import create_app


def test_an_application_with_an_unguarded_route_is_refused(site, monkeypatch):
    plain = APIRouter()

    @plain.get("/open-to-all")
    def open_to_all() -> dict[str, bool]:
        return {"ok": True}

    monkeypatch.setattr(site.node, "routers", lambda: [plain])
    with pytest.raises(TypeError, match="/open-to-all lacks the guards"):
        create_app(site.node)


def test_each_route_has_every_guard_before_its_own_acts(site):
    paths = 0
    for route in site.app.routes:
        if not hasattr(route, "dependant"):
            continue  # the assets, which are for everybody
        asked = [d.call for d in route.dependant.dependencies]
        assert tuple(asked[: len(GUARDS)]) == GUARDS, route.path
        paths += 1
    assert paths > 200
