"""Pages of agreements: the list with its form, and one as a lawyer reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.cases import Cases
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound, Refused
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.agreements.clauses import cedar, clauses
from cordon.sharing.agreements.desk import Agreements, key_of
from cordon.sharing.agreements.dryrun import dry_run
from cordon.sharing.agreements.model import (
    GIVEN_ROLES,
    AgencyKind,
    AgreementState,
    DataClass,
    Handling,
    Onward,
    Purpose,
    Terms,
)

SHOWN_THINGS = 50
View = Annotated[Actor, May("sharing.agreement.view")]
Draft = Annotated[Actor, May("sharing.agreement.draft")]
Sign = Annotated[Actor, May("sharing.agreement.sign")]
End = Annotated[Actor, May("sharing.agreement.end")]
Text = Annotated[str, Form()]
Texts = Annotated[Sequence[str], Form()]
_NEW: dict[str, Any] = {"handling": ["H0"], "onward": "never", "third_party": "never"}


def agreement_routes(desk: Agreements, cases: Cases) -> APIRouter:
    """Routes of agreements."""
    router = guarded_router()

    @router.get("/sharing/agreements")
    def agreements(request: Request, actor: View) -> Response:
        """Every agreement, and the form of a new one."""
        return _listed(request, desk, actor, {}, None)

    @router.post("/sharing/agreements")
    def draft(
        request: Request, actor: Draft, title: Text = "", parties: Text = "", highest: Text = "",
        onward: Text = "", third_party: Text = "", retention_days: Text = "", starts: Text = "",
        ends: Text = "", grade: Text = "", classes: Texts = (), purposes: Texts = (),
        handling: Texts = (), roles: Texts = (),
    ) -> Response:  # fmt: skip
        """Draft an agreement."""
        typed: dict[str, Any] = {
            "title": title, "parties": parties, "highest": highest, "onward": onward,
            "third_party": third_party, "retention_days": retention_days, "starts": starts,
            "ends": ends, "classes": list(classes), "purposes": list(purposes),
            "handling": list(handling), "roles": list(roles), "grade": grade.strip().upper(),
        }  # fmt: skip
        try:
            made = desk.draft(actor, _terms(typed))
        except (BadInput, Conflict) as refused:
            return _listed(request, desk, actor, typed, refused)
        return see_other(request, f"/sharing/agreements/{made.id}")

    @router.get("/sharing/agreements/{id_}")
    def agreement(request: Request, id_: str, actor: View) -> Response:
        """One agreement in sentences, its policy, its signatures, and a dry run of last month."""
        return _one(request, desk, cases, actor, id_)

    @router.post("/sharing/agreements/{id_}/sign")
    def sign(request: Request, id_: str, actor: Sign) -> Response:
        """Sign it for this agency."""
        try:
            desk.sign(actor, id_)
        except (Conflict, Refused, NotFound) as refused:
            return _one(request, desk, cases, actor, id_, refused)
        return see_other(request, f"/sharing/agreements/{id_}")

    @router.post("/sharing/agreements/{id_}/end")
    def end(request: Request, id_: str, actor: End, why: Text = "") -> Response:
        """End it, with a reason."""
        try:
            desk.end(actor, id_, why)
        except (BadInput, Conflict) as refused:
            return _one(request, desk, cases, actor, id_, refused, why)
        return see_other(request, f"/sharing/agreements/{id_}")

    return router


def _terms(typed: dict[str, Any]) -> Terms:
    """Terms of the form: parties one a line, dates as days that begin in UTC."""
    parties = []
    for line in typed["parties"].splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) != 3 or words[2] not in ("gives", "receives", "both"):
            raise BadInput(
                f"The party “{line[:60]}” cannot be read.",
                advice="Write: code, kind, and gives, receives or both.",
            )
        parties.append(
            {
                "agency": words[0], "kind": words[1], "gives": words[2] != "receives",
                "receives": words[2] != "gives",
            }
        )  # fmt: skip
    days, said = typed["retention_days"], dict(typed)
    if not said["grade"]:
        del said["grade"]
    return Terms.read(
        {
            **said, "title": typed["title"].strip(), "parties": parties,
            "retention_days": int(days) if days.isascii() and days.isdecimal() else -1,
            "starts": f"{typed['starts']}T00:00:00Z", "ends": f"{typed['ends']}T00:00:00Z",
        }
    )  # fmt: skip


def _listed(
    request: Request, desk: Agreements, actor: Actor, typed: dict[str, Any],
    refused: CordonError | None,
) -> Response:  # fmt: skip
    return page(
        request, "sharing/agreements.html", status=200 if refused is None else refused.status,
        agreements=desk.known(actor), typed=typed or _NEW, refused=refused, kinds=list(AgencyKind),
        classes=list(DataClass), purposes=list(Purpose), codes=list(Handling),
        roles=sorted(GIVEN_ROLES), marks=[m for m in Mark if m is not Mark.RED],
        onwards=list(Onward), agency=desk.kernel.agency,
    )  # fmt: skip


def _one(
    request: Request, desk: Agreements, cases: Cases, actor: Actor, id_: str,
    refused: CordonError | None = None, why: str = "",
) -> Response:  # fmt: skip
    one = desk.get(actor, id_)
    drafted = one.state in (AgreementState.DRAFTED, AgreementState.OFFERED, AgreementState.SIGNED)
    room = Thing.room("cases", desk.kernel.agency)
    sees = desk.kernel.gate.decide(actor, "cases.case.view", room).allowed
    return page(
        request, "sharing/agreement.html", status=200 if refused is None else refused.status,
        one=one, clauses=clauses(one.terms), cedar=cedar(one.terms), refused=refused, why=why,
        keys={s.agency: key_of(s) for s in one.signatures},
        dry=dry_run(desk.kernel, cases, actor, one.terms) if drafted and sees else None,
        shown=SHOWN_THINGS,
    )  # fmt: skip
