"""How the TAXII server answers: its media type, and errors as its own messages (§3.6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cordon.kernel.errors import CordonError, NotSignedIn, SignInRefused, TooMany
from cordon.sharing.model import TAXII_21
from cordon.sharing.taxii.faults import BadEnvelope, WrongMediaType
from cordon.sharing.taxii.media import check_accept
from cordon.sharing.taxii.server import Page

_log = logging.getLogger(__name__)
_SIGN_IN = 'Basic realm="TAXII", charset="UTF-8"'
_TITLES = {
    400: "Bad request", 401: "Sign in first", 403: "Not allowed", 404: "Not found",
    405: "Not this method", 406: "Not acceptable", 413: "Too large",
    415: "Unsupported media type", 422: "Cannot be processed", 429: "Too many requests",
    500: "The server failed", 503: "Not available now",
}  # fmt: skip


class TaxiiRoute(APIRoute):
    """A route whose errors are TAXII's error messages, those of its dependencies too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except CordonError as wrong:
                return error(request, wrong, type(wrong).status)
            except RequestValidationError:
                return error(request, CordonError("The request cannot be read."), 400)
            except HTTPException as fault:
                return error(request, CordonError("The request cannot be read."), fault.status_code)
            except Exception as unforeseen:  # the caller is a program and reads JSON alone
                _log.error("unforeseen", exc_info=unforeseen)
                told = CordonError("Something in the server failed; it was recorded.")
                return error(request, told, 500)

        return answer


def accepted(request: Request) -> None:
    """A dependency: refuse whoever does not take TAXII 2.1 in answer."""
    check_accept(",".join(request.headers.getlist("accept")) or None)


def error(request: Request, wrong: CordonError, status: int) -> Response:
    """An error message object."""
    told: dict[str, Any] = {
        "title": _TITLES.get(status, "Refused"),
        "description": str(wrong),
        "error_code": type(wrong).code,
        "http_status": str(status),
    }
    if reference := getattr(request.state, "request_id", ""):
        told["error_id"] = reference
    if isinstance(wrong, BadEnvelope) and wrong.where:
        told["details"] = wrong.where
    headers = {}
    if isinstance(wrong, NotSignedIn | SignInRefused):
        headers["WWW-Authenticate"] = _SIGN_IN
    if isinstance(wrong, TooMany):
        headers["Retry-After"] = "60"
    if isinstance(wrong, WrongMediaType):
        headers["Accept"] = TAXII_21
    return Response(orjson.dumps(told), status, headers, TAXII_21)


def resource(told: dict[str, Any], status: int = 200) -> Response:
    """A resource as it is."""
    return Response(orjson.dumps(told), status, media_type=TAXII_21)


def paged(page: Page) -> Response:
    """A page, with the dates added of its first and last object where it has any (§3.4)."""
    headers = {}
    if page.first is not None and page.last is not None:
        headers = {"X-TAXII-Date-Added-First": page.first, "X-TAXII-Date-Added-Last": page.last}
    return Response(page.body, 200, headers, TAXII_21)
