"""What the pages are made of: where it comes from, how long it is kept, what it must not say."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import shutil
import struct
import zlib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from cordon.web.assets import ASK_EACH_TIME, FOR_EVER, STATIC, Assets, asset, missing_assets

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "cordon" / "web"
OURS = sorted(
    p for p in STATIC.rglob("*") if p.is_file() and "vendor" not in p.relative_to(STATIC).parts[0]
)


@pytest.fixture(scope="module")
def client():
    app = Starlette(routes=[Mount("/static", Assets())])
    return TestClient(app)


def test_every_built_file_is_there():
    assert missing_assets() == []


def test_address_changes_with_content_and_is_then_kept_for_ever(client):
    address = asset("app.css")
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", address)
    assert client.get(address).headers["cache-control"] == FOR_EVER
    for other in ("/static/app.css", "/static/app.css?v=000000000000"):
        assert client.get(other).headers["cache-control"] == ASK_EACH_TIME


def test_unversioned_modules_are_asked_for_by_etag(client):
    first = client.get("/static/islands/map.js")
    again = client.get("/static/islands/map.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, ASK_EACH_TIME)


def test_fonts_bear_their_hash(client):
    css = client.get("/static/vendor/fonts.css").text
    names = re.findall(r'url\("(.+?)"\)', css)
    assert len(names) == 6
    for name in names:
        answer = client.get(f"/static/vendor/{name}")
        assert answer.headers["content-type"] == "font/woff2"
        assert answer.headers["cache-control"] == FOR_EVER


def test_modules_are_served_as_javascript_and_packed(client):
    answer = client.get("/static/vendor/maplibre-gl.mjs", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/static/vendor/maplibre-gl.mjs", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content  # the client unpacks
    packed = (STATIC / "vendor" / "maplibre-gl.mjs.gz").read_bytes()
    assert gzip.decompress(packed) == plain.content


@pytest.mark.parametrize("path", ["vendor/.stamp.json", "vendor/htmx.min.js.gz", "../app.py", "no"])
def test_what_is_not_meant_for_readers_is_not_served(client, path):
    assert client.get(f"/static/{path}").status_code == 404


def test_the_land_is_whole():
    land = json.loads((STATIC / "vendor" / "land.geojson").read_text())
    kinds = {f["geometry"]["type"] for f in land.get("features", [land])}
    assert kinds <= {"Polygon", "MultiPolygon"}
    boundaries = json.loads((STATIC / "vendor" / "boundaries.geojson").read_text())
    assert len(boundaries["geometry"]["coordinates"]) > 150


def test_versions_are_pinned_and_the_lock_names_no_address():
    package = json.loads((ROOT / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", v) for v in wanted.values()), wanted
    text = (ROOT / "package-lock.json").read_text()
    assert "http" not in text, "run `python hatch_build.py lock`: it strips addresses"
    lock = json.loads(text)["packages"]
    assert all("integrity" in p for name, p in lock.items() if name)
    assert all(lock[f"node_modules/{n}"]["version"] == v for n, v in wanted.items())


def build_program():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def test_a_complete_build_is_not_built_again_and_a_changed_one_is(tmp_path, monkeypatch):
    program = build_program()
    for name in ("package-lock.json", "hatch_build.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(STATIC / "vendor", tmp_path / program.STATIC / "vendor")
    asked = []
    monkeypatch.setattr(program, "run", lambda *a, root: asked.append(a) or exit_here())

    def exit_here():
        raise SystemExit("npm was asked")

    assert program.build_assets(tmp_path, for_tests=False) is False
    (tmp_path / program.STATIC / "vendor" / "htmx.min.js").write_text("cut short")
    with pytest.raises(SystemExit):
        program.build_assets(tmp_path, for_tests=False)
    assert asked[0][:2] == ("npm", "ci")


def templates() -> list[Path]:
    return sorted((ROOT / "src" / "cordon").glob("*/templates/**/*.html"))


@pytest.mark.parametrize("path", templates(), ids=lambda p: f"{p.parents[1].name}/{p.name}")
def test_templates_hold_no_inline_script_style_or_other_host(path):
    text = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=", text), "use a class: the policy stops inline styles"
    assert not re.search(r"\son[a-z]+=|hx-on|javascript:", text), "handlers belong in a module"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "scripts are files"
    assert not re.search(r"""(src|href|action)=["']https?:""", text), "no page asks another host"


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.relative_to(STATIC).as_posix())
def test_our_own_files_ask_no_other_host(path):
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://", text)
    assert len(text.splitlines()) <= 500


def test_styles_are_logical_so_that_right_to_left_needs_no_second_sheet():
    physical = re.compile(
        r"(?<![-\w])(margin|padding|border)-(left|right)\b|(?<![-\w])(left|right)\s*:|float\s*:"
    )
    for path in STATIC.glob("*.css"):
        found = [m.group() for m in physical.finditer(path.read_text("utf-8"))]
        assert found == [], path.name


def tokens(theme: str) -> dict[str, tuple[float, ...]]:
    found: dict[str, str] = {}
    for name in ("app.css", "floor.css"):
        text = (STATIC / name).read_text("utf-8").split("@media print")[0]
        for block in re.findall(rf'\[data-theme="{theme}"\]\s*\{{(.*?)\}}', text, re.S):
            found.update(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block))
    return {k: tuple(int(v[i : i + 2], 16) / 255 for i in (1, 3, 5)) for k, v in found.items()}


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG 2.2 contrast ratio of two sRGB colours."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_tokens_keep_contrast(theme):
    t = tokens(theme)
    texts = ("ink", "ink-2", "ink-3", "accent", "grave", "serious", "notice", "calm")
    low = {
        (ink, ground): round(contrast(t[ink], t[ground]), 2)
        for ink in texts
        for ground in ("ground", "surface", "raised")
        if contrast(t[ink], t[ground]) < 4.5
    }
    assert low == {}
    assert contrast(t["accent-ink"], t["accent"]) >= 4.5
    # borders of fields and signs on the map: 3:1 (WCAG 1.4.11)
    assert min(contrast(t["field"], t[g]) for g in ("ground", "surface", "raised")) >= 3
    kinds = {k: round(contrast(t[f"kind-{k}"], t["sea"]), 2) for k in range(8)}
    assert min(kinds.values()) >= 3, kinds


@pytest.mark.parametrize("weight", [400, 700])
def test_a_font_for_letters_is_what_its_woff_holds(weight):
    """Packed as the W3C's WOFF 1.0 says, each table by zlib where that is shorter."""
    plain = (STATIC / "vendor" / "fonts" / f"noto-nastaliq-urdu-{weight}.ttf").read_bytes()
    flavour, many = struct.unpack_from(">4sH", plain)
    assert flavour == b"\0\1\0\0"
    entries, body, at = b"", b"", 44 + 20 * many
    for number in range(many):
        tag, check, offset, long = struct.unpack_from(">4sIII", plain, 12 + 16 * number)
        table = plain[offset : offset + long]
        short = min(zlib.compress(table), table, key=len)
        entries += struct.pack(">4sIIII", tag, at + len(body), len(short), long, check)
        body += short + bytes(-len(short) % 4)
    head = struct.pack(">4s4sIHHI", b"wOFF", flavour, at + len(body), many, 0, len(plain))
    assert build_program().unpacked(head + bytes(24) + entries + body) == plain
    with pytest.raises(SystemExit):
        build_program().unpacked(b"wOF2" + bytes(60))
