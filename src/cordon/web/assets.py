"""Static files: addresses that change with their content, and how long a browser may keep them."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
PREFIX = "/static"

# Machines differ in what they know of these endings; a module with the wrong type never runs.
TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".geojson": "application/geo+json",
    ".woff2": "font/woff2",
}
for _ending, _type in TYPES.items():
    mimetypes.add_type(_type, _ending)

FOR_EVER = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"  # kept, and asked for with its ETag: 304 where unchanged
_HASH_IN_NAME = re.compile(r"\.[0-9a-f]{12}\.\w+$")


@lru_cache(maxsize=512)
def _version(path: str, changed_ns: int) -> str:
    """First 12 hex digits of the SHA-256 of a static file, once for each time it changed."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


def version(path: str) -> str:
    """The version of a static file (12 hex digits); FileNotFoundError where there is none."""
    return _version(path, (STATIC / path).stat().st_mtime_ns)


def asset(path: str) -> str:
    """The address of a static file, with its content's hash: `/static/app.css?v=…`.

    Args:
        path: below `static/`, for example `vendor/htmx.min.js`.

    Raises:
        FileNotFoundError: there is no such file; where it is below `vendor/`, the assets
            were not built (`python hatch_build.py` builds them).
    """
    return f"{PREFIX}/{path}?v={version(path)}"


class Assets(StaticFiles):
    """Serves `static/`: packed where a packed file stands beside it, and kept for ever where
    the address names the very content (by `?v=` or by a hash in the file's name).

    Modules import one another by plain names, without a version: those are kept too, but
    the browser asks each time whether they are still the same.
    """

    def __init__(self, directory: Path = STATIC) -> None:
        super().__init__(directory=directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if any(part.startswith(".") for part in path.split("/")) or path.endswith(".gz"):
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = ASK_EACH_TIME
        if response.status_code in (200, 304) and self._names_content(path, scope):
            response.headers["Cache-Control"] = FOR_EVER
        if response.status_code == 200 and isinstance(response, FileResponse):
            return self._packed(path, scope, response)
        return response

    def _names_content(self, path: str, scope: Scope) -> bool:
        if _HASH_IN_NAME.search(path):
            return True
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        try:
            return bool(asked == version(path))
        except OSError:
            return False

    def _packed(self, path: str, scope: Scope, plain: FileResponse) -> FileResponse:
        packed = Path(f"{plain.path}.gz")
        if not packed.is_file():
            return plain
        plain.headers["Vary"] = "Accept-Encoding"
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1")
        if "gzip" not in accepted:
            return plain
        headers = {
            "Cache-Control": plain.headers["Cache-Control"],
            "Vary": "Accept-Encoding",
            "Content-Encoding": "gzip",
            "ETag": plain.headers["ETag"],
        }
        return FileResponse(packed, headers=headers, media_type=mimetypes.guess_type(path)[0])


def missing_assets() -> list[str]:
    """Built files that the pages need and that are not there, for the health check."""
    needed = ("htmx.min.js", "maplibre-gl.mjs", "maplibre-gl-worker.mjs", "fonts.css",
              "land.geojson", "boundaries.geojson")  # fmt: skip
    return [name for name in needed if not (STATIC / "vendor" / name).is_file()]
