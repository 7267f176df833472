"""Pages of what came of packages: the effect by kind of disruption, and recovery."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.money.disruption import counting, letters, recoveries
from cordon.money.disruption.routes import download
from cordon.money.disruption.service import Disruption

Effect = Annotated[Actor, May("money.effect.view")]
Count = Annotated[Actor, May("money.effect.count")]
Recovery = Annotated[Actor, May("money.recovery.view")]
WorkOut = Annotated[Actor, May("money.recovery.count")]
Letters = Annotated[Actor, May("money.recovery.export")]
Export = Annotated[Actor, May("money.package.export")]


def routes(room: Disruption) -> APIRouter:
    """The routes below `/money/effect` and `/money/recovery`, and the report of a package."""
    router = guarded_router()
    _effect(router, room)
    _recovery(router, room)
    return router


def _effect(router: APIRouter, room: Disruption) -> None:
    @router.get("/money/effect")
    def effect(request: Request, actor: Effect) -> Response:
        """What works: figures by kind of disruption."""
        found = counting.by_kind(room, actor)
        return page(request, "money/effects.html", title="Did it work?", found=found)

    @router.get("/money/effect/{package}")
    def after(request: Request, actor: Effect, package: str) -> Response:
        """What came back after one package."""
        row, made, may = counting.after(room, actor, package)
        title = f"{row.name}"
        return page(request, "money/effect.html", title=title, row=row, counted=made, may_count=may)

    @router.post("/money/effect/{package}")
    def count(request: Request, actor: Count, package: str) -> Response:
        """Count what came back after a package; a job does it."""
        return see_other(request, f"/jobs/{counting.ask(room, actor, package)}")

    @router.get("/api/money/effect")
    def effect_json(actor: Effect) -> dict[str, Any]:
        """Figures by kind of disruption and measure."""
        found = counting.by_kind(room, actor)
        return {
            "kinds": [
                {"kind": str(k), "measure": m, "disruptions": n, **counting.figure_values(f)}
                for k, m, n, f in found.kinds
            ]
        }

    @router.get("/api/money/effect/{package}")
    def after_json(actor: Effect, package: str) -> dict[str, Any]:
        """Counts by day after one package, what was expected, and the figures."""
        row, made, _ = counting.after(room, actor, package)
        return {
            "package": row.name,
            "measures": [
                {
                    "measure": one.measure,
                    "days": one.days(),
                    "at": one.at,
                    "came": list(one.own),
                    "expected": list(one.expected),
                    "figure": counting.figure_values(one.figure),
                }
                for one in made
            ],
        }


def _recovery(router: APIRouter, room: Disruption) -> None:
    @router.get("/money/recovery")
    def recovery(request: Request, actor: Recovery) -> Response:
        """Freeze requests, and what of them may be returned."""
        found = recoveries.listed(room, actor)
        return page(request, "money/recoveries.html", title="Recovery", found=found)

    @router.get("/money/recovery/{package}")
    def one(request: Request, actor: Recovery, package: str) -> Response:
        """What each victim lost, where it is, and what may be returned."""
        found = recoveries.shown(room, actor, package)
        return page(
            request, "money/recovery.html", title=found.name, found=found, rule=recoveries.RULE
        )

    @router.post("/money/recovery/{package}")
    def work_out(request: Request, actor: WorkOut, package: str) -> Response:
        """Work out what may be returned; a job does it."""
        return see_other(request, f"/jobs/{recoveries.ask(room, actor, package)}")

    @router.get("/money/recovery/{package}/bank.pdf")
    def bank(actor: Letters, package: str, language: str = "en") -> Response:
        """The letter to the bank, in English or Urdu."""
        name, made = letters.bank_letter(room, actor, package, language)
        return download(name, made, "application/pdf")

    @router.get("/money/recovery/{package}/victims/{place}.pdf")
    def victim(actor: Letters, package: str, place: int, language: str = "en") -> Response:
        """The notice to one victim, in English or Urdu."""
        name, made = letters.notice(room, actor, package, place, language)
        return download(name, made, "application/pdf")

    @router.get("/money/packages/{package}/report.xml")
    def report(actor: Export, package: str) -> Response:
        """The suspicious-transaction report of what a package stands on."""
        name, made = recoveries.report(room, actor, package)
        return download(name, made, "application/xml")
