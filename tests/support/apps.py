"""Applications put together quickly: what FastAPI finds out of an endpoint, it finds out once.

A node's routes are made anew for each node, by the same functions; to analyse the signatures of all
of them takes most of the time of a test that has a node of its own. What stands in a signature is
the same for each of them, as annotations are texts that are read in the module's own names; where
that is not so, or a default is another object, it is analysed again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import FunctionType
from typing import Any

from fastapi import routing
from fastapi.dependencies import utils


def analysed_once() -> None:
    """Let this process remember what FastAPI found out; the routes are the same."""
    dependants: dict[Any, tuple[Any, Any]] = {}
    bodies: dict[Any, tuple[Any, Any]] = {}
    real_dependant, real_body = utils.get_dependant, routing._get_body_field
    real_return = routing.get_typed_return_annotation

    def get_dependant(*, path: str, call: Callable[..., Any], **told: Any) -> Any:
        given = tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in told.items()))
        key, defaults = _key(call), _defaults(call)
        if key is None:
            return real_dependant(path=path, call=call, **told)
        found = dependants.get((path, key, given))
        if found is None or found[1] != defaults:
            found = real_dependant(path=path, call=call, **told), defaults
            dependants[path, key, given] = found
        lists = ("path_params", "query_params", "header_params", "cookie_params", "body_params",
                 "dependencies")  # fmt: skip
        fresh = {name: list(getattr(found[0], name)) for name in lists}
        return dataclasses.replace(found[0], call=call, **fresh)

    def get_body(*, body_params: list[Any], name: str, embed_body_fields: bool) -> Any:
        key = name, embed_body_fields, tuple(map(id, body_params))
        if key not in bodies:  # the parameters are kept with it, so that no id is used again
            made = real_body(
                body_params=body_params, name=name, embed_body_fields=embed_body_fields
            )
            bodies[key] = made, body_params
        return bodies[key][0]

    returns: dict[Any, Any] = {}

    def get_return(call: Callable[..., Any]) -> Any:
        key = _key(call)
        if key is None:
            return real_return(call)
        if key not in returns:
            returns[key] = real_return(call)
        return returns[key]

    utils.get_dependant = routing.get_dependant = get_dependant
    routing._get_body_field = get_body
    routing.get_typed_return_annotation = get_return


def _key(call: Callable[..., Any]) -> Any:
    """What tells an endpoint from others, or None where it must be analysed each time."""
    if not isinstance(call, FunctionType) or hasattr(call, "__wrapped__"):
        return None
    texts = all(isinstance(a, str) for a in call.__annotations__.values())
    return call.__code__ if texts else None


def _defaults(call: Callable[..., Any]) -> Any:
    return getattr(call, "__defaults__", None), getattr(call, "__kwdefaults__", None)
