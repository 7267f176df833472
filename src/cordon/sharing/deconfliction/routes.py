"""Pages and JSON of planned acts and their conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.deconfliction.desk import PAGE, Deconfliction
from cordon.sharing.deconfliction.entering import FIELDS, entered
from cordon.sharing.deconfliction.model import LIVE, Draft, Shown

View = Annotated[Actor, May("sharing.planned_act.view")]
Add = Annotated[Actor, May("sharing.planned_act.add")]
Change = Annotated[Actor, May("sharing.planned_act.change")]
Ask = Annotated[Actor, May("sharing.planned_act.check")]
End = Annotated[Actor, May("sharing.planned_act.end")]
Go = Annotated[Actor, May("sharing.planned_act.go")]
Own = Annotated[Actor, May("sharing.conflict.own")]
Solve = Annotated[Actor, May("sharing.conflict.solve")]
Override = Annotated[Actor, May("sharing.conflict.override")]
Text = Annotated[str, Form()]
HERE = "/sharing/deconfliction"
WAYS = ("own", "solve", "override")


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


SHOWN = (
    N_("Raid"), N_("Arrest"), N_("Surveillance"), N_("Controlled delivery"),
    N_("Undercover meeting"), N_("Checkpoint"), N_("Interception at sea"),
    N_("planned"), N_("going"), N_("done"), N_("cancelled"),
    N_("open"), N_("owned"), N_("solved"), N_("overridden"), N_("gone"),
    N_("place"), N_("subject"),
)  # fmt: skip


def deconfliction_routes(desk: Deconfliction) -> APIRouter:
    """Every route of planned acts."""
    router = guarded_router()
    _read(router, desk)
    _enter(router, desk)
    _answer(router, desk)
    return router


def _read(router: APIRouter, desk: Deconfliction) -> None:
    @router.get(HERE)
    def planned(request: Request, actor: View, ended: str = "", before: str = "") -> Response:
        """The agency's planned acts, and conflicts that stand."""
        return _list(desk, request, actor, ended=bool(ended), before=before)

    @router.get(HERE + "/new")
    def new(request: Request, actor: Add) -> Response:
        """The form of a planned act."""
        soon = desk.kernel.clock.now() + timedelta(hours=1)
        starts = soon.astimezone(desk.zone).replace(minute=0, second=0, microsecond=0)
        typed = {"starts": starts.strftime("%Y-%m-%dT%H:%M"), "commander": actor.name}
        return _form(desk, request, typed)

    @router.get(HERE + "/{act}")
    def one(request: Request, actor: View, act: str) -> Response:
        """One planned act: who was asked, and what it meets."""
        return _act(desk, request, actor, act)

    @router.get(HERE + "/{act}/change")
    def changing(request: Request, actor: Change, act: str) -> Response:
        """The form of a planned act that is there."""
        return _form(desk, request, _typed(desk, desk.show(actor, act)), act)

    @router.get("/api/sharing/planned-acts")
    def planned_json(actor: View, ended: bool = False, before: str = "") -> dict[str, Any]:
        """The agency's planned acts, without their subjects."""
        found = desk.planned(actor, ended=ended, before=before)
        return {
            "acts": [as_json(s) for s in found],
            "before": found[-1].act.id if ended and len(found) == PAGE else None,
        }

    @router.get("/api/sharing/planned-acts/{act}")
    def act_json(actor: View, act: str) -> dict[str, Any]:
        """One planned act; subjects masked where no authority covers them."""
        shown = desk.show(actor, act)
        return {**as_json(shown), "subjects": list(shown.subjects)}


def _enter(router: APIRouter, desk: Deconfliction) -> None:
    @router.post(HERE)
    async def add(request: Request, actor: Add) -> Response:
        """Enter a planned act; it is checked with every agency at once."""
        return await _save(desk, request, actor, "")

    @router.post(HERE + "/{act}/change")
    async def change(request: Request, actor: Change, act: str) -> Response:
        """Move a planned act, or change what it concerns."""
        return await _save(desk, request, actor, act)

    @router.post(HERE + "/{act}/check")
    def check(request: Request, actor: Ask, act: str) -> Response:
        """Ask every agency again, now."""
        desk.recheck(actor, act)
        return see_other(request, f"{HERE}/{act}")

    @router.post(HERE + "/{act}/end")
    def end(request: Request, actor: End, act: str, why: Text = "", how: Text = "") -> Response:
        """Cancel a planned act, or say that it is over."""
        try:
            desk.end(actor, act, why, cancelled=how != "done")
        except (BadInput, Conflict) as refused:
            return _act(desk, request, actor, act, {"for": "end", "why": why}, refused)
        return see_other(request, f"{HERE}/{act}")

    @router.post(HERE + "/{act}/go")
    def go(request: Request, actor: Go, act: str) -> Response:
        """Let a planned act begin."""
        try:
            desk.go(actor, act)
        except Conflict as refused:
            return _act(desk, request, actor, act, {}, refused)
        return see_other(request, f"{HERE}/{act}")

    @router.post(HERE + "/{act}/override")
    def over_checks(request: Request, actor: Override, act: str, why: Text = "") -> Response:
        """Go ahead although agencies could not be asked, with a reason."""
        try:
            desk.override_checks(actor, act, why)
        except (BadInput, Conflict) as refused:
            return _act(desk, request, actor, act, {"for": "checks", "why": why}, refused)
        return see_other(request, f"{HERE}/{act}")


def _answer(router: APIRouter, desk: Deconfliction) -> None:
    @router.post(HERE + "/conflicts/{conflict}/own")
    def own(request: Request, actor: Own, conflict: str) -> Response:
        """Take a conflict upon oneself."""
        return _answered(desk, request, actor, conflict, "own", "")

    @router.post(HERE + "/conflicts/{conflict}/solve")
    def solve(request: Request, actor: Solve, conflict: str, why: Text = "") -> Response:
        """Say how a conflict was solved."""
        return _answered(desk, request, actor, conflict, "solve", why)

    @router.post(HERE + "/conflicts/{conflict}/override")
    def override(request: Request, actor: Override, conflict: str, why: Text = "") -> Response:
        """Go ahead over a conflict, with a reason."""
        return _answered(desk, request, actor, conflict, "override", why)


def _answered(
    desk: Deconfliction, request: Request, actor: Actor, id_: str, way: str, why: str
) -> Response:
    act = desk.conflict(actor, id_).act
    try:
        if way == "own":
            desk.own(actor, id_)
        elif way == "solve":
            desk.solve(actor, id_, why)
        else:
            desk.override(actor, id_, why)
    except (BadInput, Conflict) as refused:
        return _act(desk, request, actor, act, {"for": f"{way}-{id_}", "why": why}, refused)
    return see_other(request, f"{HERE}/{act}#conflicts")


def as_json(shown: Shown) -> dict[str, Any]:
    """An act for programs, without its subjects."""
    act = shown.act
    said = act.draft
    return {
        "id": act.id, "kind": said.kind, "title": said.title, "state": act.state.value,
        "mark": act.mark.value, "start": format_time(said.start), "end": format_time(said.end),
        "place": said.place.geojson(), "radius_m": said.place.radius_m,
        "buffer_min": said.buffer_min, "subject_days": said.subject_days,
        "subject_count": len(said.subjects), "commander": said.commander, "ring": said.ring,
        "joint": said.joint, "revision": act.revision,
        "may_go": not shown.unchecked and not shown.blocking and act.state in LIVE,
        "not_asked": list(shown.unagreed),
        "checks": [
            {
                "agency": c.party, "at": format_time(c.at) if c.at else None,
                "problem": c.problem, "overridden_by": c.overridden_by,
            }
            for c in shown.checks
        ],
        "conflicts": [
            {
                "id": c.id, "agency": c.party, "ring": c.ring, "basis": list(c.basis),
                "state": c.state.value, "who": c.who, "how": c.how, "theirs": c.theirs.value,
                "their_who": c.their_who, "their_how": c.their_how, "blocks": c.blocks,
            }
            for c in shown.conflicts
        ],
    }  # fmt: skip


async def _save(desk: Deconfliction, request: Request, actor: Actor, act: str) -> Response:
    """Enter an act, or (where `act` is an id) change it."""
    from starlette.concurrency import run_in_threadpool

    form = await request.form()
    typed = {name: str(form.get(name, ""))[:4000] for name in FIELDS}

    def save() -> Response:
        try:
            said = entered(typed, desk.kind(typed["kind"]), desk.zone)
            said = _kept_subjects(desk, actor, act, said)
            if act:
                desk.change(actor, act, said)
            id_ = act or desk.add(actor, said)
        except (BadInput, Conflict) as refused:
            return _form(desk, request, typed, act, refused)
        return see_other(request, f"{HERE}/{id_}")

    return await run_in_threadpool(save)


def _kept_subjects(desk: Deconfliction, actor: Actor, act: str, said: Draft) -> Draft:
    """A subject that the form could show masked only, and that was left as it was, is kept."""
    from dataclasses import replace

    if not act:
        return said
    shown = desk.show(actor, act)
    clear = dict(zip(_masks(desk, shown), shown.act.draft.subjects, strict=True))
    return replace(said, subjects=tuple(clear.get(s.strip(), s) for s in said.subjects))


def _masks(desk: Deconfliction, shown: Shown) -> list[str]:
    """How each subject of an act is written where it is masked, in their order."""
    from cordon.kernel.work import personal_data

    mask = desk.kernel.masker.mask_subject
    return [mask(s) if personal_data(s) else s for s in shown.act.draft.subjects]


def _typed(desk: Deconfliction, shown: Shown) -> dict[str, str]:
    """An act as its form shows it."""
    said = shown.act.draft
    place = said.place
    return {
        "kind": said.kind, "title": said.title, "lat": f"{place.lat:.6f}",
        "lon": f"{place.lon:.6f}", "area": "\n".join(f"{a}, {o}" for a, o in place.area),
        "radius_m": f"{place.radius_m:g}", "hours": "",
        "starts": said.start.astimezone(desk.zone).strftime("%Y-%m-%dT%H:%M"),
        "ends": said.end.astimezone(desk.zone).strftime("%Y-%m-%dT%H:%M"),
        "buffer_min": f"{said.buffer_min:g}", "subject_days": f"{said.subject_days:g}",
        "subjects": "\n".join(shown.subjects), "commander": said.commander, "ring": said.ring,
        "joint": said.joint, "mark": said.mark.value,
    }  # fmt: skip


def _list(
    desk: Deconfliction, request: Request, actor: Actor, *, ended: bool, before: str
) -> Response:
    found = desk.planned(actor, ended=ended, before=before)
    return page(
        request,
        "sharing/deconfliction.html",
        title="Planned acts",
        shown=found,
        kinds=desk.kinds,
        conflicts=desk.conflicts(actor) if not ended else [],
        ended=ended,
        more=found[-1].act.id if ended and len(found) == PAGE else "",
    )


def _form(
    desk: Deconfliction,
    request: Request,
    typed: Mapping[str, str],
    act: str = "",
    refused: CordonError | None = None,
) -> Response:
    return page(
        request,
        "sharing/planned_act_form.html",
        title="Change a planned act" if act else "Enter a planned act",
        status=200 if refused is None else type(refused).status,
        act=act,
        typed=typed,
        kinds=desk.kinds,
        marks=[m.value for m in Mark if m is not Mark.RED],
        zone=desk.zone.key,
        refused=refused,
    )


NOTHING: Mapping[str, str] = {}


def _act(
    desk: Deconfliction,
    request: Request,
    actor: Actor,
    id_: str,
    typed: Mapping[str, str] = NOTHING,
    refused: CordonError | None = None,
) -> Response:
    shown = desk.show(actor, id_)
    return page(
        request,
        "sharing/planned_act.html",
        title="Planned act",
        status=200 if refused is None else type(refused).status,
        shown=shown,
        act=shown.act,
        kind=desk.kinds.get(shown.act.draft.kind),
        place=shown.act.draft.place.geojson(),
        live=shown.act.state in LIVE,
        own_agency=desk.kernel.agency,
        typed=typed,
        refused=refused,
    )
