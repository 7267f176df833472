"""One's own account: password, second factor, open sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import segno
from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.access.officers import Enrolment
from cordon.kernel.errors import BadInput, SignInRefused
from cordon.kernel.pages import May, guarded_router, page, see_other

if TYPE_CHECKING:
    from cordon.bootstrap import Node


def routes(node: Node) -> APIRouter:
    """The account's page and what is done on it."""
    router = guarded_router()

    def drawn(
        request: Request,
        actor: Actor,
        *,
        status: int = 200,
        refused: str = "",
        enrolment: Enrolment | None = None,
    ) -> Response:
        officer = node.officers.get(actor, actor.id)
        return page(
            request,
            "account.html",
            status=status,
            title="Account",
            me=officer,
            sessions=node.sessions.open_ones(actor, actor.id),
            this=actor.session,
            refused=refused,
            enrolment=enrolment,
            picture=_picture(enrolment.address) if enrolment else "",
        )

    @router.get("/account")
    def account(request: Request, actor: Annotated[Actor, May("access.self.change")]) -> Response:
        """One's own account."""
        return drawn(request, actor)

    @router.post("/account/password")
    def password(
        request: Request,
        actor: Annotated[Actor, May("access.self.change")],
        old: Annotated[str, Form()] = "",
        new: Annotated[str, Form()] = "",
        again: Annotated[str, Form()] = "",
    ) -> Response:
        """Change one's own password; one's other sessions end."""
        try:
            if new != again:
                raise BadInput("The two new passwords are not the same.", advice="Type it again.")
            node.officers.change_own_password(actor, old, new)
        except (BadInput, SignInRefused) as wrong:
            return drawn(request, actor, status=422, refused=str(wrong))
        return see_other(request, "/account")

    @router.post("/account/second-factor")
    def begin(
        request: Request,
        actor: Annotated[Actor, May("access.self.change")],
        password: Annotated[str, Form()] = "",
    ) -> Response:
        """Begin to enrol a device with one's password; its secret is shown this once."""
        try:
            enrolment = node.officers.begin_second_factor(actor, password)
        except SignInRefused as wrong:
            return drawn(request, actor, status=422, refused=str(wrong))
        return drawn(request, actor, enrolment=enrolment)

    @router.post("/account/second-factor/finish")
    def finish(
        request: Request,
        actor: Annotated[Actor, May("access.self.change")],
        code: Annotated[str, Form()] = "",
    ) -> Response:
        """Prove that the device works; from now on signing in asks for it."""
        try:
            node.officers.finish_second_factor(actor, code.strip())
        except BadInput as wrong:
            return drawn(request, actor, status=422, refused=str(wrong))
        return see_other(request, "/account")

    @router.post("/account/sessions/{session}/end")
    def end(
        request: Request, session: str, actor: Annotated[Actor, May("access.session.revoke")]
    ) -> Response:
        """End one of one's own sessions."""
        node.sessions.revoke(actor, session)
        return see_other(request, "/account")

    return router


def _picture(address: str) -> Markup:
    """The address as a QR code: SVG with attributes alone, as the content policy asks."""
    made = segno.make(address, micro=False)
    drawing = made.svg_inline(scale=4, border=2, light="#ffffff", dark="#000000")
    return Markup(drawing)  # noqa: S704 - our own drawing, of an address that we made
