"""Values to PDF: typst, without a network, other files or the machine's fonts.

The values reach the template as JSON text, which typst reads as data: what a name says is printed
as it is and never runs, whatever signs stand in it. The same values give the same bytes. Beside the
fonts that typst brings stand those that the build unpacked for letters in Urdu; typst reads no
other font of the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any, Literal

import orjson
import typst

from cordon.kernel.errors import Unavailable

_FONTS = ("web", "static", "vendor", "fonts")  # in the package, where the build lays them out


@lru_cache(maxsize=1)
def _fonts(folder: str) -> typst.Fonts:
    """The fonts of a folder and of typst itself, read once and not for each print."""
    return typst.Fonts(include_system_fonts=False, font_paths=[folder])


def pdf(package: str, template: str, values: Mapping[str, Any]) -> bytes:
    """The PDF of a template of a package's `printed/` with these values (JSON's types)."""
    made: bytes = _compiled(package, template, values, "pdf", None)
    return made


def png(package: str, template: str, values: Mapping[str, Any], *, ppi: int = 96) -> list[bytes]:
    """Its pages as pictures, for whoever wants to look at them."""
    pages = _compiled(package, template, values, "png", ppi)
    return [pages] if isinstance(pages, bytes) else list(pages)


def _compiled(
    package: str,
    template: str,
    values: Mapping[str, Any],
    format_: Literal["pdf", "png"],
    ppi: int | None,
) -> Any:
    source = files(package).joinpath("printed", template).read_bytes()
    fonts = files("cordon").joinpath(*_FONTS)
    # an empty folder is all that the template could read
    with (
        tempfile.TemporaryDirectory(prefix="cordon-print-") as empty,
        as_file(fonts) as folder,
    ):
        try:
            # its stub wants one type for source and root; bytes are no path, and a path is no bytes
            return typst.compile(  # type: ignore[type-var]
                source,
                root=empty,
                format=format_,
                ppi=ppi,
                font_paths=_fonts(str(folder)),
                package_path=empty,
                package_cache_path=empty,
                sys_inputs={"values": orjson.dumps(values).decode()},
            )
        except RuntimeError as wrong:
            raise Unavailable(
                f"The page {template} could not be printed ({type(wrong).__name__}).",
                advice="Take it out as JSON, and tell whoever keeps the node.",
            ) from wrong
