"""How errors are answered: a page, a fragment or JSON, each with what to do next."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import cast
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from cordon.kernel import pages
from cordon.kernel.errors import BadInput, CordonError, NotFound, NotSignedIn, TooMany
from cordon.web.identity import MustChange

log = logging.getLogger(__name__)


class Broken(CordonError):
    """A fault of the program itself; the log has the rest under the request's id."""

    status = 500
    code = "broken"


def add_handlers(app: FastAPI) -> None:
    """Answer every error in the caller's own form."""
    app.add_exception_handler(CordonError, _cordon)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _cordon(request: Request, error: Exception) -> Response:
    return answer(request, cast("CordonError", error))


async def _validation(request: Request, error: Exception) -> Response:
    first = cast("RequestValidationError", error).errors()[0]
    field = str(first["loc"][-1])
    return answer(
        request,
        BadInput(
            f"The field {field} cannot be used: {first['msg']}.",
            advice="Correct it and send it again.",
        ),
    )


async def _http(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    if status == 404:
        await _identified(request)
        return answer(
            request,
            NotFound(
                "There is nothing at this address.", advice="Go back, or start from the rail."
            ),
        )
    if status == 405:
        return answer(request, NotFound("This address does not take that method."), status=405)
    return answer(request, BadInput("The request cannot be read."), status=status)


async def _identified(request: Request) -> None:
    """Look who asks: no route was found, so that nobody did before."""
    if not hasattr(request.state, "actor"):
        with suppress(CordonError):  # then it is a page of nobody
            await run_in_threadpool(request.app.state.identity.identify, request)


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("unforeseen", exc_info=error)
    return answer(
        request,
        Broken(
            "Something in the node failed; it was recorded.",
            advice="Try again; tell the administrator the reference below.",
        ),
    )


def answer(request: Request, error: CordonError, *, status: int | None = None) -> Response:
    """The error as JSON, a fragment or a page; a page of nobody leads to the sign-in."""
    status = type(error).status if status is None else status
    headers = {"Retry-After": "60"} if isinstance(error, TooMany) else {}
    reference = getattr(request.state, "request_id", "")
    if request.url.path.startswith("/api/") or pages.wants_json(request):
        body = {
            "error": type(error).code,
            "message": error.message,
            "advice": error.advice,
            "reference": reference,
        }
        return JSONResponse(body, status_code=status, headers=headers)
    if request.method == "GET" and isinstance(error, NotSignedIn | MustChange):
        if isinstance(error, MustChange):
            return pages.see_other(request, "/account")
        return pages.see_other(request, f"/sign-in?next={quote(request.url.path, safe='/')}")
    response = pages.page(
        request, "error.html", status=status, error=error, status_code=status, reference=reference
    )
    response.headers.update(headers)
    return response
