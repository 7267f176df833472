"""Pages and JSON API of the room."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from cordon.cases.custody import GIVEN
from cordon.cases.declaring import Declaration
from cordon.cases.handing import CustodyBroken
from cordon.cases.jsoning import bundle_json, exhibit_json, line_json, view_json
from cordon.cases.model import CustodyAct, ExhibitKind, HolderKind
from cordon.cases.service import Cases
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, Conflict, TooLarge
from cordon.kernel.leads import close_reasons
from cordon.kernel.pages import May, guarded_router, page, see_other

PAGE = 50
Chosen = TypeVar("Chosen", bound=StrEnum)
Text = Annotated[str, Form()]
Texts = Annotated[Sequence[str], Form()]

View = Annotated[Actor, May("cases.case.view")]
Open = Annotated[Actor, May("cases.case.open")]
Take = Annotated[Actor, May("cases.case.take")]
Link = Annotated[Actor, May("cases.case.link")]
Name = Annotated[Actor, May("cases.case.name")]
Close = Annotated[Actor, May("cases.case.close")]
Second = Annotated[Actor, May("cases.case.countersign")]
Add = Annotated[Actor, May("cases.exhibit.add")]
Custody = Annotated[Actor, May("cases.exhibit.custody")]
Seal = Annotated[Actor, May("cases.bundle.seal")]
TakeOut = Annotated[Actor, May("cases.bundle.take_out")]


def routes(room: Cases) -> APIRouter:
    """Cases: the list, a case with its forms, and its bundles."""
    router = guarded_router()
    _pages(router, room)
    _exhibits(router, room)
    _closing(router, room)
    _bundles(router, room)
    _api(router, room)
    return router


def _pages(router: APIRouter, room: Cases) -> None:
    @router.get("/cases")
    def cases(
        request: Request,
        actor: View,
        state: str = "",
        q: str = "",
        before: str = "",
        finding: str = "",
        title: str = "",
        seriousness: str = "",
    ) -> Response:
        """Cases, the newest first; another room's page may fill in the form that opens one."""
        filled = None
        if finding:
            grave = seriousness if seriousness in SERIOUSNESS else SERIOUSNESS[0]
            filled = _form(title=title[:200], seriousness=grave, finding=finding[:36])
        return _list(room, request, actor, state=state, q=q, before=before, typed=filled)

    @router.post("/cases")
    def open_case(
        request: Request,
        actor: Open,
        title: Text = "",
        seriousness: Text = "notice",
        mark: Text = "TLP:AMBER",
        finding: Text = "",
    ) -> Response:
        """Open a case, from nothing or from findings."""
        typed = _form(title, seriousness, mark, finding)
        try:
            case = room.open(
                actor,
                title=title,
                seriousness=seriousness,
                mark=_mark(mark),
                finding_ids=[finding.strip()] if finding.strip() else [],
            )
        except BadInput as wrong:
            return _list(room, request, actor, status=422, typed=typed, says=str(wrong))
        return see_other(request, f"/cases/{case}")

    @router.get("/cases/{case}")
    def case(request: Request, case: str, actor: View) -> Response:
        """A case: its findings, exhibits, custody and bundles."""
        return _case(room, request, actor, case)

    @router.post("/cases/{case}/take")
    def take(request: Request, case: str, actor: Take, led_by: Text = "") -> Response:
        """Take a case on as its investigator; `led_by` is whose it was on the page."""
        room.take(actor, case, led_by)
        return see_other(request, f"/cases/{case}")

    @router.post("/cases/{case}/link")
    def link(request: Request, case: str, actor: Link, finding: Text = "") -> Response:
        """Link a finding to a case."""
        room.link_finding(actor, case, finding.strip())
        return see_other(request, f"/cases/{case}")

    @router.post("/cases/{case}/name")
    def name(
        request: Request, case: str, actor: Name, officer: Text = "", off: Text = ""
    ) -> Response:
        """Name an officer on a case, or take them off."""
        try:
            (room.unname if off else room.name)(actor, case, officer)
        except BadInput as wrong:
            return _case(room, request, actor, case, 422, ("name", str(wrong), {}))
        return see_other(request, f"/cases/{case}")


def _exhibits(router: APIRouter, room: Cases) -> None:
    @router.post("/cases/{case}/exhibits")
    def add(
        request: Request,
        case: str,
        actor: Add,
        file: Annotated[UploadFile, File()],
        kind: Text = "file",
        title: Text = "",
        source: Text = "",
        from_kind: Text = "",
        from_name: Text = "",
        place: Text = "",
        seal_number: Text = "",
        remark: Text = "",
    ) -> Response:
        """Add an uploaded file as an exhibit."""
        typed = {
            "kind": kind,
            "title": title,
            "source": source,
            "from_kind": from_kind,
            "from_name": from_name,
            "place": place,
            "seal_number": seal_number,
            "remark": remark,
        }
        try:
            room.add_file(
                actor,
                case,
                file.file,
                title=title or (file.filename or ""),
                kind=_choice(ExhibitKind, kind, "kind"),
                media_type=file.content_type or "",
                source=source,
                received_from=f"{from_kind}:{from_name.strip()}",
                place=place,
                seal_number=seal_number,
                note=remark,
            )
        except (BadInput, Conflict, TooLarge) as wrong:
            return _case(room, request, actor, case, wrong.status, ("exhibit", str(wrong), typed))
        return see_other(request, f"/cases/{case}")

    @router.post("/cases/{case}/exhibits/finding")
    def add_finding(request: Request, case: str, actor: Add, finding: Text = "") -> Response:
        """Add a finding and the records it stands on as an exhibit."""
        room.add_finding(actor, case, finding.strip())
        return see_other(request, f"/cases/{case}")

    @router.post("/cases/{case}/exhibits/{exhibit}/custody")
    def custody(
        request: Request,
        case: str,
        exhibit: str,
        actor: Custody,
        act: Text = "",
        to_kind: Text = "",
        to_name: Text = "",
        place: Text = "",
        seal_number: Text = "",
        note: Text = "",
        at: Text = "",
        held_by: Text = "",
    ) -> Response:
        """Write down that an exhibit changed hands; `held_by` is who had it on the page."""
        typed = {
            "exhibit": exhibit,
            "act": act,
            "to_kind": to_kind,
            "to_name": to_name,
            "place": place,
            "seal_number": seal_number,
            "note": note,
            "at": at,
        }
        try:
            what = _choice(CustodyAct, act, "entry")
            room.record_custody(
                actor,
                exhibit,
                what,
                from_holder=held_by if what in GIVEN else None,
                to_holder=f"{to_kind}:{to_name.strip()}" if to_kind or to_name.strip() else None,
                place=place,
                seal_number=seal_number,
                note=note,
                at=parse_time(at) if at.strip() else None,
            )
        except CustodyBroken as broken:
            says = " ".join((broken.message, *(b.says for b in broken.breaks), broken.advice))
            return _case(room, request, actor, case, 409, ("custody", says, typed))
        except BadInput as wrong:
            return _case(room, request, actor, case, 422, ("custody", str(wrong), typed))
        return see_other(request, f"/cases/{case}")


def _closing(router: APIRouter, room: Cases) -> None:
    @router.post("/cases/{case}/close")
    def close(
        request: Request, case: str, actor: Close, reason: Text = "", note: Text = ""
    ) -> Response:
        """Ask to close a case, with a reason and a note."""
        try:
            room.ask_to_close(actor, case, reason=reason, note=note)
        except BadInput as wrong:
            typed = {"reason": reason, "note": note}
            return _case(room, request, actor, case, 422, ("close", str(wrong), typed))
        return see_other(request, f"/cases/{case}")

    @router.post("/cases/{case}/countersign")
    def countersign(
        request: Request, case: str, actor: Second, agrees: Text = "", note: Text = ""
    ) -> Response:
        """Answer, as the second officer, a wish to close."""
        try:
            if _agreed(agrees):
                room.countersign(actor, case)
            else:
                room.decline(actor, case, note=note)
        except BadInput as wrong:
            typed = {"agrees": agrees, "note": note}
            return _case(room, request, actor, case, 422, ("second", str(wrong), typed))
        return see_other(request, f"/cases/{case}")


def _bundles(router: APIRouter, room: Cases) -> None:
    @router.post("/cases/{case}/seal")
    def seal(
        request: Request, case: str, actor: Seal, broken: Texts = (), why: Texts = ()
    ) -> Response:
        """Seal the case into a signed bundle; a job does it.

        `broken` names breaks of custody (`E-1:gap`), `why` explains each in the same order.
        """
        try:
            said = [Declaration.parse(f"{b}={w}") for b, w in zip(broken, why, strict=False)]
            if room.bundles.jobs is None:
                room.seal(actor, case, declared=said)
                return see_other(request, f"/cases/{case}")
            return see_other(request, f"/jobs/{room.bundles.ask(actor, case, said)}")
        except BadInput as wrong:
            typed = dict(zip(broken, why, strict=False))
            return _case(room, request, actor, case, 422, ("seal", str(wrong), typed))

    @router.get("/cases/{case}/bundles/{place}.tar")
    def take_out(case: str, place: int, actor: TakeOut) -> Response:
        """A sealed bundle as one tar file."""
        bundle, stream = room.bundles.take_out(actor, case, place)
        name = bundle.folder.rsplit("/", maxsplit=1)[-1]
        return StreamingResponse(
            stream,
            media_type="application/x-tar",
            headers={
                "Content-Disposition": f'attachment; filename="{name}.tar"',
                "Cache-Control": "no-store",
            },
        )


def _api(router: APIRouter, room: Cases) -> None:
    @router.get("/api/cases")
    def cases_json(
        actor: View,
        state: str = "",
        q: str = "",
        before: str = "",
        limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    ) -> dict[str, Any]:
        """Cases, the newest first."""
        lines = room.list(
            actor, state=state or None, text=q or None, before=before or None, at_most=limit
        )
        return {
            "cases": [line_json(line) for line in lines],
            "before": lines[-1].case.id if len(lines) == limit else None,
        }

    @router.post("/api/cases")
    def open_json(
        actor: Open,
        title: Text = "",
        seriousness: Text = "notice",
        mark: Text = "TLP:AMBER",
        finding: Annotated[list[str], Form()] = [],  # noqa: B006 - read, never changed
    ) -> dict[str, Any]:
        """Open a case."""
        case = room.open(
            actor, title=title, seriousness=seriousness, mark=_mark(mark), finding_ids=finding
        )
        return {"id": case}

    @router.get("/api/cases/{case}")
    def case_json(case: str, actor: View) -> dict[str, Any]:
        """A case with its findings, exhibits and bundles."""
        return view_json(room.view(actor, case))

    @router.post("/api/cases/{case}/exhibits")
    def exhibit_added(
        case: str,
        actor: Add,
        file: Annotated[UploadFile, File()],
        received_from: Text = "",
        kind: Text = "file",
        title: Text = "",
        source: Text = "",
    ) -> dict[str, Any]:
        """Add an uploaded file as an exhibit."""
        exhibit = room.add_file(
            actor,
            case,
            file.file,
            title=title or (file.filename or ""),
            kind=_choice(ExhibitKind, kind, "kind"),
            media_type=file.content_type or "",
            source=source,
            received_from=received_from,
        )
        return exhibit_json(exhibit)

    @router.post("/api/cases/{case}/seal")
    def seal_json(case: str, actor: Seal, declare: Texts = ()) -> dict[str, Any]:
        """Seal the case into a signed bundle; answers with the job.

        `declare` explains a break of custody, `E-1:gap=reason`, and may be given again.
        """
        said = [Declaration.parse(text) for text in declare]
        if room.bundles.jobs is None:
            return bundle_json(room.seal(actor, case, declared=said))
        return {"job": room.bundles.ask(actor, case, said)}


def _form(
    title: str = "", seriousness: str = "notice", mark: str = "TLP:AMBER", finding: str = ""
) -> dict[str, str]:
    """What stands in the form that opens a case."""
    return {"title": title, "seriousness": seriousness, "mark": mark, "finding": finding}


def _list(
    room: Cases,
    request: Request,
    actor: Actor,
    *,
    state: str = "",
    q: str = "",
    before: str = "",
    status: int = 200,
    typed: dict[str, str] | None = None,
    says: str = "",
) -> Response:
    lines = room.list(
        actor, state=state or None, text=q.strip() or None, before=before or None, at_most=PAGE
    )
    with room.kernel.view(actor) as view:
        may_open = view.may("cases.case.open", Thing.room("cases", room.kernel.agency))
    return page(
        request,
        "cases/list.html",
        status=status,
        lines=lines,
        more=lines[-1].case.id if len(lines) == PAGE else "",
        state=state,
        q=q,
        may_open=may_open,
        typed=typed or _form(),
        says=says,
        marks=[(str(m), str(m)) for m in Mark if m.rank <= actor.cleared.rank],
    )


def _case(
    room: Cases,
    request: Request,
    actor: Actor,
    case: str,
    status: int = 200,
    refused: tuple[str, str, dict[str, str]] = ("", "", {}),
) -> Response:
    """A case's page; `refused` is the form that was refused, why, and what was typed in it."""
    shown = room.view(actor, case)
    form, says, typed = refused
    return page(
        request,
        "cases/case.html",
        status=status,
        title=f"{shown.case.number} {shown.case.title}",
        shown=shown,
        case=shown.case,
        form=form,
        says=says,
        typed=typed,
        me=actor,
        kinds=[str(k) for k in ExhibitKind if k is not ExhibitKind.FINDING],
        holders=[str(k) for k in HolderKind],
        custody_acts=[str(a) for a in CustodyAct if a is not CustodyAct.RECEIVED],
        reasons=[(r.id, r.title) for r in close_reasons()["case"]],
    )


def _agreed(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadInput("Neither yes nor no was chosen.", advice="Choose one.")
    return text == "yes"


def _mark(text: str) -> Mark:
    return _choice(Mark, text, "handling mark")


def _choice(kind: type[Chosen], text: str, what: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        raise BadInput(f"No {what} was chosen.", advice="Choose one of the list.") from None
