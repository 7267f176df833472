"""The administrator's pages: officers, units and programs' tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.access.officers import OF_PERSONS, invented_password
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other

if TYPE_CHECKING:
    from cordon.bootstrap import Node

EMPTY = {"login": "", "name": "", "unit": "", "role": "", "cleared": Mark.AMBER.value}
MARKS = frozenset(m.value for m in Mark)


def routes(node: Node) -> APIRouter:
    """Officers and units, for those who manage them."""
    router = guarded_router()

    def drawn(
        request: Request,
        actor: Actor,
        *,
        status: int = 200,
        refused: str = "",
        given: dict[str, str] | None = None,
        handed: tuple[str, str] | None = None,
    ) -> Response:
        return page(
            request,
            "officers.html",
            status=status,
            title="Officers",
            officers=node.officers.known(actor),
            units=node.units.known(actor),
            now=node.kernel.clock.now(),
            roles=sorted(OF_PERSONS),
            marks=list(Mark)[:4],
            refused=refused,
            given=given or EMPTY,
            handed=handed,
            me=actor.id,
        )

    def tried(request: Request, actor: Actor, do: Callable[[], Any]) -> Response:
        try:
            do()
        except (BadInput, Conflict) as wrong:
            return drawn(request, actor, status=type(wrong).status, refused=str(wrong))
        return see_other(request, "/officers")

    @router.get("/officers")
    def officers(
        request: Request, actor: Annotated[Actor, May("access.officer.change")]
    ) -> Response:
        """Officers and units."""
        return drawn(request, actor)

    @router.post("/officers")
    def add(
        request: Request,
        actor: Annotated[Actor, May("access.officer.add")],
        login: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        unit: Annotated[str, Form()] = "",
        role: Annotated[str, Form()] = "",
        cleared: Annotated[str, Form()] = Mark.AMBER.value,
    ) -> Response:
        """Add an officer with an invented password, which is shown this once."""
        given = {"login": login, "name": name, "unit": unit, "role": role, "cleared": cleared}
        password = invented_password()
        try:
            if role not in {r.value for r in OF_PERSONS} or cleared not in MARKS:
                raise BadInput("Choose a role and a mark from the lists.")
            made = node.officers.add(
                actor,
                login=login,
                name=name,
                roles=[Role(role)],
                unit=unit or None,
                cleared=Mark(cleared),
                password=password,
            )
        except CordonError as wrong:
            if type(wrong).status not in (409, 422):
                raise
            return drawn(request, actor, status=type(wrong).status, refused=str(wrong), given=given)
        return drawn(request, actor, handed=(made.login, password))

    @router.post("/officers/{officer}/change")
    def change(
        request: Request,
        officer: str,
        actor: Annotated[Actor, May("access.officer.change")],
        role: Annotated[list[str] | None, Form()] = None,
        unit: Annotated[str, Form()] = "",
        cleared: Annotated[str, Form()] = "",
    ) -> Response:
        """Change an officer's roles, unit and clearance, from their next request on."""

        def do() -> None:
            if not {*(role or ())} <= {r.value for r in OF_PERSONS} or cleared not in MARKS:
                raise BadInput("Choose a role and a mark from the lists.")
            node.officers.change(
                actor,
                officer,
                roles=[Role(r) for r in role or ()],
                unit=unit or None,
                cleared=Mark(cleared),
            )

        return tried(request, actor, do)

    @router.post("/officers/{officer}/lock")
    def lock(
        request: Request,
        officer: str,
        actor: Annotated[Actor, May("access.officer.lock")],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Lock an officer out at once and end their sessions."""
        return tried(request, actor, lambda: node.officers.lock(actor, officer, why))

    @router.post("/officers/{officer}/unlock")
    def unlock(
        request: Request, officer: str, actor: Annotated[Actor, May("access.officer.lock")]
    ) -> Response:
        """Let an officer in again."""
        return tried(request, actor, lambda: node.officers.unlock(actor, officer))

    @router.post("/officers/{officer}/password")
    def password(
        request: Request, officer: str, actor: Annotated[Actor, May("access.officer.change")]
    ) -> Response:
        """Give an officer an invented password, which is shown this once."""
        new = invented_password()
        login = node.officers.get(actor, officer).login
        node.officers.set_password(actor, officer, new)
        return drawn(request, actor, handed=(login, new))

    @router.post("/officers/{officer}/second-factor/drop")
    def drop(
        request: Request, officer: str, actor: Annotated[Actor, May("access.officer.change")]
    ) -> Response:
        """Take an officer's lost device off; their sessions end."""
        return tried(request, actor, lambda: node.officers.drop_second_factor(actor, officer))

    @router.post("/agency-units")
    def add_unit(
        request: Request,
        actor: Annotated[Actor, May("access.unit.add")],
        code: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
    ) -> Response:
        """Add a unit that officers serve in."""
        return tried(request, actor, lambda: node.units.add(actor, code.strip(), name))

    return router
