"""Ways by road: of an extract of OpenStreetMap, made here, and what the ranking makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from cordon.kernel import geo
from cordon.kernel.errors import BadInput
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.model import Position, Unit, UnitKind, UnitState, Way
from cordon.operations.ranking.extract import read_extract
from cordon.operations.ranking.rank import ranked
from cordon.operations.ranking.roads import RoadNet, Roads, roads_of

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
# Kalat, far from any sea. A is joined to C by a trunk road over B, and by a track straight.
A, B, C = (29.0, 66.5), (29.3, 66.6), (29.0, 66.9)
FAST = 40.0  # m/s


def extract(folder, ways, nodes=(), name="region.osm"):
    """An extract with these ways: each its tags and its points (lat, lon)."""
    places = list(dict.fromkeys([*nodes, *(p for _, points in ways for p in points)]))
    rows = ["<osm version='0.6'>"]
    rows += [
        f"<node id='{i}' lat='{a}' lon='{o}' version='1'/>" for i, (a, o) in enumerate(places, 1)
    ]
    for i, (tags, points) in enumerate(ways, 1):
        rows.append(f"<way id='{i}' version='1'>")
        rows += [f"<nd ref='{places.index(p) + 1}'/>" for p in points]
        rows += [f"<tag k='{k}' v='{v}'/>" for k, v in tags.items()]
        rows.append("</way>")
    path = folder / name
    path.write_text("\n".join([*rows, "</osm>"]), "utf-8")
    return path


def way(highway, *points, **tags):
    return {"highway": highway, **tags}, list(points)


def net_of(folder, *ways):
    return read_extract(extract(folder, ways))


def metres(*points):
    return sum(float(geo.distance_m(*a, *b)) for a, b in pairwise(points))


def asked(net, place, start, *, speed=FAST, foot=False):
    seconds, far = Roads(net).ways(*place, np.array([start]), np.array([speed]), np.array([foot]))
    return float(seconds[0]), float(far[0])


def test_the_sooner_way_is_taken_though_it_is_longer(tmp_path):
    net = net_of(tmp_path, way("trunk", A, B, C), way("track", A, C))
    seconds, far = asked(net, C, A)
    assert far == pytest.approx(metres(A, B, C), rel=1e-3)
    assert seconds == pytest.approx(metres(A, B, C) / (85 / 3.6), rel=1e-3)
    # whoever is no faster than a track lets one go takes the straight one
    seconds, far = asked(net, C, A, speed=4.0)
    assert far == pytest.approx(metres(A, C), rel=1e-3)
    assert seconds == pytest.approx(metres(A, C) / 4.0, rel=1e-3)


def test_a_limit_that_is_lower_counts_and_a_word_for_one_does_not(tmp_path):
    seconds, _ = asked(net_of(tmp_path, way("trunk", A, C, maxspeed="50")), C, A)
    assert seconds == pytest.approx(metres(A, C) / (50 / 3.6), rel=1e-3)
    seconds, _ = asked(net_of(tmp_path, way("trunk", A, C, maxspeed="30 mph")), C, A)
    assert seconds == pytest.approx(metres(A, C) / (48.28 / 3.6), rel=1e-3)
    seconds, _ = asked(net_of(tmp_path, way("trunk", A, C, maxspeed="PK:urban")), C, A)
    assert seconds == pytest.approx(metres(A, C) / (85 / 3.6), rel=1e-3)


@pytest.mark.parametrize(
    ("tags", "there", "back"),
    [
        ({"oneway": "yes"}, True, False),
        ({"oneway": "-1"}, False, True),
        ({"oneway": "no"}, True, True),
        ({"junction": "roundabout"}, True, False),
    ],
)
def test_a_way_of_one_direction_is_driven_so_and_walked_either_way(tmp_path, tags, there, back):
    net = net_of(tmp_path, way("primary", A, C, **tags))
    assert np.isfinite(asked(net, C, A)[0]) == there
    assert np.isfinite(asked(net, A, C)[0]) == back
    for place, start in ((C, A), (A, C)):
        seconds, _ = asked(net, place, start, speed=1.4, foot=True)
        assert seconds == pytest.approx(metres(A, C) / 1.4, rel=1e-3)


def test_a_closed_way_and_a_footpath_are_none(tmp_path):
    net = net_of(tmp_path, way("track", A, C), way("trunk", A, B, C, access="private"),
                 way("footway", A, C), way("path", A, C))  # fmt: skip
    assert asked(net, C, A)[1] == pytest.approx(metres(A, C), rel=1e-3)
    with pytest.raises(BadInput, match="no road that may be driven"):
        net_of(tmp_path, way("footway", A, C))


def test_a_long_road_is_joined_between_its_ends(tmp_path):
    """A desert road of 39 km: who stands in its middle drives half of it."""
    middle = (29.0, 66.7)
    beside, further = (geo.destination(*middle, 0.0, off) for off in (800.0, 6_000.0))
    for points in ([A, C], [(29.0, 66.5 + n * 0.004) for n in range(101)]):
        net = net_of(tmp_path, way("primary", *points))
        seconds, far = asked(net, C, beside)
        assert far == pytest.approx(metres(middle, C) + 800, abs=700)
        assert seconds == pytest.approx(metres(middle, C) / (65 / 3.6) + 800 / FAST, abs=40)
        assert not np.isfinite(asked(net, C, further)[0])


def test_roads_that_do_not_meet_lead_nowhere(tmp_path):
    """A bridge over another road shares no point with it."""
    net = net_of(tmp_path, way("trunk", A, (29.0, 66.7)), way("trunk", (29.0, 66.72), C))
    assert not np.isfinite(asked(net, C, A)[0])


def test_a_graph_like_any_is_as_one_search_by_another_library(tmp_path):
    import networkx as nx

    rng = np.random.default_rng(5)
    points = [(29.0 + a, 66.5 + o) for a, o in rng.uniform(0, 0.6, (60, 2)).round(5)]
    kinds, ways, graph = ("trunk", "secondary", "track"), [], nx.DiGraph()
    speed = dict(zip(kinds, (85, 55, 15), strict=True))
    for _ in range(150):
        i, j = rng.choice(60, 2, replace=False)
        kind, one = kinds[rng.integers(3)], rng.random() < 0.3
        ways.append(way(kind, points[i], points[j], **({"oneway": "yes"} if one else {})))
        seconds = metres(points[i], points[j]) / min(speed[kind] / 3.6, FAST)
        for a, b in ((i, j),) if one else ((i, j), (j, i)):
            if seconds < graph.get_edge_data(a, b, {"weight": np.inf})["weight"]:
                graph.add_edge(a, b, weight=seconds)
    net = net_of(tmp_path, *ways)
    expected = nx.single_source_dijkstra_path_length(graph.reverse(), 7)
    at = np.array(points)
    seconds, _ = Roads(net).ways(*points[7], at, np.full(60, FAST), np.zeros(60, bool))
    used = {int(n) for e in graph.edges for n in e}
    for n in used:
        assert seconds[n] == pytest.approx(expected.get(n, np.inf), rel=1e-3), n


def unit(code, at, kind=UnitKind.VEHICLE, knots=FAST / MS_PER_KNOT):
    return Unit(**{
        **dict.fromkeys(Unit.__dataclass_fields__), "id": code, "code": code, "name": code,
        "kind": kind, "sector": "Kalat", "speed_kn": knots, "state": UnitState.READY,
        "position": Position(*at), "position_at": NOW,
    })  # fmt: skip


def test_the_ranking_goes_by_roads_and_says_so(tmp_path):
    """One is nearer by the line, and has no road there; the other comes by the trunk road."""
    net = net_of(tmp_path, way("trunk", A, B, C))
    roads = Roads(net)
    near, far = unit("NEAR", (28.93, 66.8), knots=20), unit("FAR", A, knots=80)
    place = Position(*C)
    first, second = ranked([near, far], place, now=NOW, roads=roads)
    assert (first.unit.code, first.way) == ("NEAR", Way.LINE)
    assert (second.unit.code, second.way) == ("FAR", Way.ROAD)
    assert second.takes == pytest.approx(
        timedelta(seconds=metres(A, B, C) / (85 / 3.6)), abs=timedelta(seconds=20)
    )
    assert "OpenStreetMap" in second.reasons[0].says
    straight = {c.unit.code: c.way for c in ranked([near, far], place, now=NOW)}
    assert straight == {"NEAR": Way.LINE, "FAR": Way.LINE}


def test_what_is_no_extract_is_refused_and_what_is_kept_is_read_again(tmp_path):
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"\x00\x00\x00\x0dnothing of that kind")
    with pytest.raises(BadInput, match=r"broken.osm.pbf cannot be read"):
        read_extract(broken)
    with pytest.raises(BadInput, match="no file"):
        read_extract(tmp_path / "absent.osm.pbf")
    kept = tmp_path / "roads.npz"
    assert roads_of(kept) is None
    assert roads_of(None) is None
    net_of(tmp_path, way("trunk", A, C)).write(kept)
    assert np.array_equal(RoadNet.read(kept).lat, net_of(tmp_path, way("trunk", A, C)).lat)
    assert roads_of(kept) is roads_of(kept)
    kept.write_bytes(b"PK")
    with pytest.raises(BadInput, match="does not hold roads"):
        RoadNet.read(kept)
