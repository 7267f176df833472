"""Pages and JSON of packages; the routes of effect and recovery stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, BadUsage, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.money.disruption.exporting import ENDINGS, body, hour
from cordon.money.disruption.model import Kind, Package, State
from cordon.money.disruption.service import PAGE, Disruption

View = Annotated[Actor, May("money.package.view")]
Draft = Annotated[Actor, May("money.package.draft")]
Approve = Annotated[Actor, May("money.package.approve")]
Send = Annotated[Actor, May("money.package.send")]
Answer = Annotated[Actor, May("money.package.answer")]
Withdraw = Annotated[Actor, May("money.package.withdraw")]
Export = Annotated[Actor, May("money.package.export")]
Text = Annotated[str, Form()]
Texts = Annotated[Sequence[str], Form()]


def routes(room: Disruption) -> APIRouter:
    """The routes of packages, and of what came of them."""
    from cordon.money.disruption.after_routes import routes as after

    router = guarded_router()
    _pages(router, room)
    _life(router, room)
    _out(router, room)
    router.routes.extend(after(room).routes)
    return router


def _pages(router: APIRouter, room: Disruption) -> None:
    @router.get("/money/packages")
    def packages(
        request: Request,
        actor: View,
        state: str = "",
        kind: str = "",
        ring: str = "",
        before: str = "",
    ) -> Response:
        """Packages, the newest first."""
        found = room.list(actor, state=state, kind=kind, ring=ring, before=before)
        return page(
            request,
            "money/packages.html",
            title="Packages",
            packages=found,
            state=state,
            kind=kind,
            ring=ring,
            kinds=list(Kind),
            states=list(State),
            more=found[-1].id if len(found) == PAGE else "",
        )

    @router.get("/money/packages/new")
    def new(
        request: Request,
        actor: Draft,
        kind: str = "block_list",
        ring: str = "",
        finding: str = "",
        supersedes: str = "",
        bank: str = "",
    ) -> Response:
        """The form of a new package, made from a ring or a finding.

        `bank` is whose accounts alone are ticked in a freeze request.
        """
        origin = {"ring": ring, "finding": finding, "supersedes": supersedes}
        return _form(room, request, actor, _kind(kind), origin, bank=bank)

    @router.post("/money/packages")
    def draft(
        request: Request,
        actor: Draft,
        kind: Text = "",
        ring: Text = "",
        finding: Text = "",
        supersedes: Text = "",
        item: Texts = (),
        amount_of: Texts = (),
        amount: Texts = (),
        currency: Text = "",
        addressee: Text = "",
        why: Text = "",
        days: Text = "",
        unit: Text = "",
        others: Text = "",
        legal: Text = "",
    ) -> Response:
        """Draft a package.

        `item` names what it is to name by the form's keys; `amount` the sums to be frozen, in the
        order of `amount_of`, which holds their keys. `legal` is the id or reference of the
        authority that it stands on.
        """
        origin = {"ring": ring, "finding": finding, "supersedes": supersedes}
        amounts = dict(zip(amount_of, amount, strict=False))
        said = {
            "addressee": addressee, "why": why, "days": days, "currency": currency, "unit": unit,
            "others": others, "legal_authority": legal,
        }  # fmt: skip
        try:
            made = room.draft(actor, _kind(kind), keys=item, amounts=amounts, **origin, **said)
        except BadInput as wrong:
            typed = {**said, "items": set(item), "amounts": amounts}
            return _form(room, request, actor, _kind(kind), origin, typed, wrong)
        return see_other(request, f"/money/packages/{made}")

    @router.get("/money/packages/{package}")
    def package_page(request: Request, actor: View, package: str) -> Response:
        """One package: what it names, what it stands on, and its life."""
        return _package(room, request, actor, package)

    @router.get("/api/money/packages")
    def packages_json(
        actor: View, state: str = "", kind: str = "", ring: str = "", before: str = ""
    ) -> dict[str, Any]:
        """Packages, the newest first, without what they name."""
        found = room.list(actor, state=state, kind=kind, ring=ring, before=before)
        return {
            "packages": [_line(p) for p in found],
            "before": found[-1].id if len(found) == PAGE else None,
        }

    @router.get("/api/money/packages/{package}")
    def package_json(actor: View, package: str) -> dict[str, Any]:
        """One package by its schema, masked where no authority covers it."""
        return body(room.page(actor, package).shown)


def _life(router: APIRouter, room: Disruption) -> None:
    @router.post("/money/packages/{package}/approve")
    def approve(request: Request, actor: Approve, package: str, note: Text = "") -> Response:
        """Approve a package as a second officer."""
        try:
            room.approve(actor, package, note)
        except BadInput as wrong:
            typed = {"form": "approve", "note": note}
            return _package(room, request, actor, package, typed, wrong)
        return see_other(request, f"/money/packages/{package}")

    @router.post("/money/packages/{package}/send")
    def send(request: Request, actor: Send, package: str, note: Text = "") -> Response:
        """Send an approved package."""
        room.send(actor, package, note)
        return see_other(request, f"/money/packages/{package}")

    @router.post("/money/packages/{package}/answer")
    def answer(
        request: Request,
        actor: Answer,
        package: str,
        reference: Text = "",
        says: Text = "",
        place: Texts = (),
        frozen: Texts = (),
    ) -> Response:
        """Write down the addressee's answer; `frozen` holds sums by the place of each account."""
        sums = {int(p): f for p, f in zip(place, frozen, strict=False) if p.isdigit()}
        try:
            room.answer(actor, package, reference=reference, says=says, frozen=sums)
        except (BadInput, Conflict) as wrong:
            typed = {"form": "answer", "reference": reference, "says": says, "frozen": sums}
            return _package(room, request, actor, package, typed, wrong)
        return see_other(request, f"/money/packages/{package}")

    @router.post("/money/packages/{package}/done")
    def done(request: Request, actor: Answer, package: str, note: Text = "") -> Response:
        """Say that what was asked was done."""
        room.done(actor, package, note)
        return see_other(request, f"/money/packages/{package}")

    @router.post("/money/packages/{package}/withdraw")
    def withdraw(request: Request, actor: Withdraw, package: str, why: Text = "") -> Response:
        """Withdraw a package that was not sent."""
        try:
            room.withdraw(actor, package, why)
        except (BadInput, Conflict) as wrong:
            typed = {"form": "withdraw", "why": why}
            return _package(room, request, actor, package, typed, wrong)
        return see_other(request, f"/money/packages/{package}")


def _out(router: APIRouter, room: Disruption) -> None:
    @router.get("/money/packages/{package}/out.{ending}")
    def out(actor: Export, package: str, ending: str, language: str = "en") -> Response:
        """A package as PDF (`language`: en or ur), JSON or CSV."""
        name, made = room.export(actor, package, ending, language)
        return download(name, made, ENDINGS[ending])


def download(name: str, made: bytes, media_type: str) -> Response:
    """Bytes that the browser keeps as a file, and keeps no copy of."""
    return Response(
        made,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _kind(text: str) -> Kind:
    if text not in list(Kind):
        raise BadUsage(f"“{text[:30]}” is no kind of package.",
                       advice="It is one of: " + ", ".join(Kind) + ".")  # fmt: skip
    return Kind(text)


def _form(
    room: Disruption,
    request: Request,
    actor: Actor,
    kind: Kind,
    origin: dict[str, str],
    typed: dict[str, Any] | None = None,
    refused: CordonError | None = None,
    *,
    bank: str = "",
) -> Response:
    return page(
        request,
        "money/draft.html",
        status=200 if refused is None else type(refused).status,
        title="Draft a package",
        form=room.form(actor, kind, bank=bank, **origin),
        kinds=list(Kind),
        origin={k: v for k, v in origin.items() if v},
        typed=typed or {},
        refused=refused,
    )


def _package(
    room: Disruption,
    request: Request,
    actor: Actor,
    package: str,
    typed: dict[str, Any] | None = None,
    refused: CordonError | None = None,
) -> Response:
    found = room.page(actor, package)
    site = found.shown.package.site
    return page(
        request,
        "money/package.html",
        status=200 if refused is None else type(refused).status,
        title=found.shown.package.name,
        found=found,
        package=found.shown.package,
        hours=(hour(site.opens), hour(site.closes))
        if site and site.opens is not None and site.closes is not None
        else None,
        typed=typed or {},
        refused=refused,
    )


def _line(p: Package) -> dict[str, Any]:
    return {
        "id": p.id,
        "name": p.name,
        "kind": str(p.kind),
        "state": str(p.state),
        "ring": p.ring_name or None,
        "addressee": p.addressee,
        "authority": p.reference,
        "items": len(p.items),
        "drafted_at": p.drafted_at,
        "sha256": dict(p.sha256),
    }
