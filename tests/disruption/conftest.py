"""A node with its pages for the tests of the room, as the shell's tests have it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "cordon_tests_web", Path(__file__).parents[1] / "web" / "conftest.py"
)
_WEB = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _WEB  # its dataclasses look for their module there
_SPEC.loader.exec_module(_WEB)

site, shared_site = _WEB.site, _WEB.shared_site
