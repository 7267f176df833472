"""Pages of releases: what was sent and received, a preview, and one release with its acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound, Refused, TooLarge
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import AgencyKind, Doing, Handling, Purpose
from cordon.sharing.releases.gathering import Asked
from cordon.sharing.releases.model import Preview, Use, Way, digest
from cordon.sharing.releases.onward import Onward

View = Annotated[Actor, May("sharing.release.view")]
Send = Annotated[Actor, May("sharing.release.send")]
Second = Annotated[Actor, May("sharing.release.countersign")]
Recall = Annotated[Actor, May("sharing.release.recall")]
Allow = Annotated[Actor, May("sharing.release.allow")]
Tell = Annotated[Actor, May("sharing.release.answer")]
PassOn = Annotated[Actor, May("sharing.release.pass_on")]
Text = Annotated[str, Form()]
Texts = Annotated[Sequence[str], Form()]
Asks = Annotated[Sequence[str], Query()]
Chosen = TypeVar("Chosen", bound=StrEnum)


def release_routes(desk: Onward) -> APIRouter:
    """Routes of releases."""
    router = guarded_router()

    @router.get("/sharing/releases")
    def releases(request: Request, actor: View, way: str = "received") -> Response:
        """Releases, received or sent."""
        chosen = Way.SENT if way == "sent" else Way.RECEIVED
        return page(
            request, "sharing/releases.html", way=chosen, releases=desk.list(actor, chosen),
            lapsed=desk.lapsed(actor) if chosen is Way.RECEIVED else [],
        )  # fmt: skip

    @router.get("/sharing/releases/new")
    def new(
        request: Request, actor: Send, to: str = "", purpose: str = "", findings: str = "",
        case: str = "", handling: Asks = (), caveats: Asks = (), grade: str = "",
    ) -> Response:  # fmt: skip
        """What would leave, before it does."""
        typed = _typed(to, purpose, findings, case, handling, caveats, grade)
        if not to:  # a page of a finding or a case leads here with what it is about
            return _form(request, desk, typed)
        try:
            return _form(request, desk, typed, desk.preview(actor, _asked(typed)))
        except (BadInput, NotFound, TooLarge) as refused:
            return _form(request, desk, typed, refused=refused)

    @router.post("/sharing/releases")
    def send(
        request: Request, actor: Send, to: Text = "", purpose: Text = "", findings: Text = "",
        case: Text = "", handling: Texts = (), caveats: Texts = (), grade: Text = "",
        seen: Text = "",
    ) -> Response:  # fmt: skip
        """Give what the preview showed."""
        typed = _typed(to, purpose, findings, case, handling, caveats, grade)
        try:
            made = desk.send(actor, _asked(typed), seen=seen)
        except (BadInput, NotFound, TooLarge, Conflict, Refused) as refused:
            return _form(request, desk, typed, refused=refused)
        return see_other(request, f"/sharing/releases/{made.id}")

    @router.get("/sharing/releases/{id_}")
    def release(request: Request, id_: str, actor: View) -> Response:
        """One release, and what happened to it."""
        return _one(request, desk, actor, id_)

    def done(request: Request, actor: Actor, id_: str, act: Callable[[], object]) -> Response:
        try:
            act()
        except (BadInput, Conflict, NotFound, Refused) as refused:
            return _one(request, desk, actor, id_, refused)
        return see_other(request, f"/sharing/releases/{id_}")

    @router.post("/sharing/releases/{id_}/countersign")
    def countersign(
        request: Request, id_: str, actor: Second, yes: Text = "", why: Text = ""
    ) -> Response:
        """Agree to it as the second officer, or decline it."""
        return done(
            request, actor, id_, lambda: desk.countersign(actor, id_, yes=yes == "yes", why=why)
        )

    @router.post("/sharing/releases/{id_}/recall")
    def recall(request: Request, id_: str, actor: Recall, why: Text = "") -> Response:
        """Call it back, with a reason."""
        return done(request, actor, id_, lambda: desk.recall(actor, id_, why))

    @router.post("/sharing/releases/{id_}/allow")
    def allow(request: Request, id_: str, actor: Allow, doing: Text = "") -> Response:
        """Permit the receiver what a code forbids."""
        return done(request, actor, id_, lambda: desk.allow(actor, id_, _one_of(Doing, doing)))

    @router.post("/sharing/releases/{id_}/answer")
    def answer(
        request: Request, id_: str, actor: Tell, use: Text = "", said: Text = ""
    ) -> Response:
        """Say what it was worth."""
        return done(request, actor, id_, lambda: desk.answer(actor, id_, _one_of(Use, use), said))

    @router.post("/sharing/releases/{id_}/used")
    def used(
        request: Request, id_: str, actor: Tell, doing: Text = "", what: Text = ""
    ) -> Response:
        """Write down a use of it."""
        return done(request, actor, id_, lambda: desk.used(actor, id_, _one_of(Doing, doing), what))

    @router.post("/sharing/releases/{id_}/onward/ask")
    def ask_onward(
        request: Request, id_: str, actor: PassOn, to: Text = "", why: Text = ""
    ) -> Response:
        """Ask whether it may go to a third agency."""
        return done(request, actor, id_, lambda: desk.ask_onward(actor, id_, to, why))

    @router.post("/sharing/releases/{id_}/onward/answer")
    def answer_onward(
        request: Request, id_: str, actor: Allow, to: Text = "", yes: Text = "", why: Text = ""
    ) -> Response:
        """Say whether the receiver may pass it on."""
        return done(
            request, actor, id_,
            lambda: desk.permit_onward(actor, id_, to, yes=yes == "yes", why=why),
        )  # fmt: skip

    @router.post("/sharing/releases/{id_}/onward")
    def pass_on(request: Request, id_: str, actor: PassOn, to: Text = "") -> Response:
        """Give it to a third agency, as that was permitted."""
        return done(request, actor, id_, lambda: desk.pass_on(actor, id_, to))

    return router


def _one(
    request: Request, desk: Onward, actor: Actor, id_: str, refused: CordonError | None = None
) -> Response:
    return page(
        request, "sharing/release.html", status=200 if refused is None else refused.status,
        one=desk.get(actor, id_), refused=refused, uses=list(Use), me=actor.id,
        peers=desk.nodes.trusted(),
    )  # fmt: skip


def _form(
    request: Request, desk: Onward, typed: dict[str, Any], preview: Preview | None = None,
    refused: CordonError | None = None,
) -> Response:  # fmt: skip
    seen = digest([p.plain() for p in preview.parts]) if preview is not None else ""
    return page(
        request, "sharing/release_new.html", status=200 if refused is None else refused.status,
        typed=typed, preview=preview, seen=seen, refused=refused, purposes=list(Purpose),
        codes=[h for h in Handling if h is not Handling.H0], kinds=list(AgencyKind),
        peers=desk.nodes.trusted(),
    )  # fmt: skip


def _typed(
    to: str,
    purpose: str,
    findings: str,
    case: str,
    handling: Sequence[str],
    caveats: Sequence[str],
    grade: str,
) -> dict[str, Any]:
    return {
        "to": to.strip(), "purpose": purpose, "findings": findings, "case": case.strip(),
        "handling": list(handling), "caveats": list(caveats), "grade": grade.strip().upper(),
    }  # fmt: skip


def _asked(typed: dict[str, Any]) -> Asked:
    if not typed["to"]:
        raise BadInput("It was not said to whom it is to go.", advice="Write the agency's code.")
    return Asked(
        typed["to"], _one_of(Purpose, typed["purpose"]), tuple(typed["findings"].split()),
        typed["case"] or None,
        frozenset({Handling.H0, *(_one_of(Handling, h) for h in typed["handling"])}),
        frozenset(_one_of(AgencyKind, k) for k in typed["caveats"]),
        grade=Grade.read(typed["grade"]),
    )  # fmt: skip


def _one_of(kind: type[Chosen], text: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        raise BadInput("Something was not chosen.", advice="Choose one of the list.") from None
