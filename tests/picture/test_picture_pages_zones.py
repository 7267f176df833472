"""Zones drawn on the map: every rule of files, the vertex named, and nobody's work overwritten."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.jobs import Jobs
from cordon.picture.desk import zonedrawing
from cordon.picture.desk.zonedrawing import Vertex, refused_vertex
from cordon.picture.service import Picture

SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]
BOW = [[66.4, 24.4], [66.6, 24.6], [66.6, 24.4], [66.4, 24.6], [66.4, 24.4]]


@pytest.fixture
def room(kernel) -> Picture:
    return Picture(
        kernel,
        Jobs(kernel, lambda _asked: kernel.node),
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )


def feature(ring=SQUARE, id_="R-9", kind="restricted", **properties) -> str:
    return json.dumps(
        {
            "type": "Feature",
            "properties": {"id": id_, "name": "Nine", "kind": kind, **properties},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
    )


def test_a_drawn_zone_is_kept_and_drawn_anew(room, officers) -> None:
    chief = officers["supervisor"]
    assert zonedrawing.save(room, chief, feature(exit_margin_m=500), 0) == "R-9"
    (zone,) = room.zones(chief)
    assert (zone.kind, zone.parameters) == ("restricted", {"exit_margin_m": 500})
    begun = zonedrawing.drawn(room, chief, "R-9")
    assert begun.feature["geometry"]["coordinates"] == [SQUARE]
    zonedrawing.save(room, chief, feature(kind="anchorage"), begun.version)
    assert [z.kind for z in room.zones(chief)] == ["anchorage"]
    # somebody who began from the version before is told, and overwrites nothing
    with pytest.raises(Conflict, match="since you began"):
        zonedrawing.save(room, chief, feature(), begun.version)
    with pytest.raises(Conflict, match="already"):
        zonedrawing.save(room, chief, feature(), 0)
    assert [z.kind for z in room.zones(chief)] == ["anchorage"]
    room.remove_zone(chief, "R-9", "It was a trial.")
    with pytest.raises(Conflict, match="took out"):
        zonedrawing.save(room, chief, feature(), begun.version + 1)
    with pytest.raises(NotFound):
        zonedrawing.drawn(room, chief, "R-9")


def test_why_a_zone_was_taken_out_stands_in_the_ledger(room, officers) -> None:
    zonedrawing.save(room, officers["supervisor"], feature(), 0)
    room.remove_zone(officers["supervisor"], "R-9", "The order ended.")
    entry = room.kernel.ledger.entries(limit=1)[0]
    assert entry.detail == {"removed": "R-9", "why": "The order ended."}


@pytest.mark.parametrize(
    ("text", "why", "vertex"),
    [
        (feature(BOW), "crosses itself", Vertex(1, 1, 1)),
        (feature([*SQUARE[:2], [66.6, 99], SQUARE[0]]), "lies outside", Vertex(1, 1, 3)),
        (feature([[66.4, 24.4], [66.4, 24.4]]), "at least 3 vertices", None),
        (feature(kind="lake"), "kind 'lake' is not known", None),
        (feature(exit_margin_m=-4), "exit_margin_m", None),
        (feature(id_=""), "The id has", None),
        (feature(id_="a b"), "The id has", None),
        (
            '{"type": "Feature", "properties": {"id": "x"}, "geometry": null}',
            "Nothing is drawn",
            None,
        ),
        ("nonsense", "cannot be read", None),
    ],
    ids=["bow", "outside", "short", "kind", "parameter", "no-id", "id", "nothing", "nonsense"],
)
def test_what_breaks_a_rule_is_refused_with_its_vertex(room, officers, text, why, vertex) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        zonedrawing.save(room, officers["supervisor"], text, 0)
    assert refused_vertex(str(refused.value)) == vertex
    assert room.zones(officers["supervisor"]) == []


def test_the_vertex_of_a_refusal() -> None:
    assert refused_vertex("The file, feature 1 (“z”), polygon 3, ring 2, vertex 14: …") == Vertex(
        3, 2, 14
    )
    assert refused_vertex("feature 1, line 2, vertex 5: …") == Vertex(2, 1, 5)
    assert refused_vertex("feature 1: it has no id") is None


def test_only_who_arranges_the_picture_draws(room, officers) -> None:
    with pytest.raises(Refused):
        zonedrawing.save(room, officers["watch"], feature(), 0)
