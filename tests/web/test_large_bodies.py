"""A body that is too large is answered so that its sender sees the answer."""

from __future__ import annotations

import asyncio
from typing import Any

from cordon.web import security

LARGEST = 1 << 20
MB = 1 << 20


async def _app(_scope: Any, receive: Any, _send: Any) -> None:
    while (await receive()).get("more_body"):
        pass


def sent(parts: list[bytes], declared: int | None) -> tuple[list[dict[str, Any]], int]:
    """What the node answers to a body, and how many of its parts it read."""
    told: list[dict[str, Any]] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        if read == len(parts):
            await asyncio.sleep(60)  # a sender that stops in the middle
        read += 1
        return {"type": "http.request", "body": parts[read - 1], "more_body": read < len(parts)}

    async def send(message: Any) -> None:
        told.append(dict(message))

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers}
    kept = security.Guarded(
        _app, largest=LARGEST, secure=False, observe=lambda *_: None, known=lambda _: True
    )
    asyncio.run(kept(scope, receive, send))
    return told, read


def test_it_is_read_to_its_end_and_the_connection_closed() -> None:
    for declared in (4 * LARGEST, None):
        told, read = sent([b"x" * LARGEST] * 4, declared)
        assert read == 4
        assert told[0]["status"] == 413
        assert (b"connection", b"close") in told[0]["headers"]


def test_no_more_of_it_than_a_bound_is_read_and_nobody_is_waited_for(monkeypatch) -> None:
    told, read = sent([b"x" * MB] * 200, 200 * MB)
    assert told[0]["status"] == 413
    assert read == security.MOST_LET_GO // MB
    monkeypatch.setattr(security, "LET_GO_S", 0.05)
    told, _ = sent([], LARGEST + 1)
    assert told[0]["status"] == 413
