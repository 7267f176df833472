"""Structured logs that never hold personal data.

Every line passes a processor that masks whatever looks like a number of a person; what is
known to be personal is not logged in the first place.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from cordon.kernel.masking import redact


def set_up(level: str = "info", style: str = "auto") -> None:
    """Send log lines to standard error.

    Args:
        level: least level. style: `json`, `text`, or `auto` (text on a terminal).
    """
    as_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if as_text
        else structlog.processors.JSONRenderer(default=str)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_persons,
            renderer,
        ],
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:2],
            shared[3],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # one line a request is ours (web/app.py); uvicorn's would repeat it with the query string
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("alembic").setLevel("WARNING")


def without_persons(
    _logger: object, _name: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask whatever in a line looks like a phone number, IMSI, IMEI or identity number."""
    for key, value in line.items():
        if key not in _OURS:
            line[key] = _without(value)
    return line


_OURS = frozenset({"timestamp", "level", "request", "job", "ms", "status"})
"""Keys whose values the node makes itself: times, ids and counts."""


def _without(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(k)): _without(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without(v) for v in value]
    return value
