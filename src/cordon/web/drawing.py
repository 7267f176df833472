"""The shell around every page: who reads, under what, in which language, and where to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from cordon.kernel.access.model import Actor, Authority, Thing
from cordon.kernel.errors import CordonError
from cordon.web import i18n
from cordon.web.i18n import N_
from cordon.web.rendering import AuthorityView, NavItem, OfficerView, Page, Templates

if TYPE_CHECKING:
    from cordon.bootstrap import Node

LANGUAGE_COOKIE = "cordon_lang"
THEME_COOKIE = "cordon_theme"


@dataclass(frozen=True, slots=True)
class Door:
    """A room in the rail: shown to those whom the gate lets look in."""

    href: str
    label: str
    icon: str
    key: str
    act: str
    also: tuple[str, ...] = ()  # other addresses of the same room


DOORS = (
    Door("/picture", N_("Picture"), "picture", "p", "picture.track.view"),
    Door("/alerts", N_("Alerts"), "alerts", "a", "operations.alert.view", ("/handover",)),
    Door(
        "/taskings",
        N_("Taskings"),
        "taskings",
        "t",
        "operations.tasking.view",
        ("/units", "/tak", "/measures", "/phones"),
    ),
    Door("/calls", N_("Calls"), "calls", "c", "calls.finding.view"),
    Door("/money", N_("Money"), "money", "m", "money.finding.view"),
    Door("/cases", N_("Cases"), "cases", "k", "cases.case.view"),
    Door("/sharing", N_("Sharing"), "sharing", "s", "sharing.collection.view"),
    Door("/exercise", N_("Exercise"), "exercise", "x", "exercise.run.view"),
    Door("/oversight", N_("Oversight"), "oversight", "o", "oversight.report.view"),
    Door("/officers", N_("Officers"), "officer", "f", "access.officer.change"),
    Door("/ledger", N_("Ledger"), "ledger", "l", "oversight.ledger.view"),
)
ROLES = (
    N_("watch officer"),
    N_("supervisor"),
    N_("investigator"),
    N_("custodian"),
    N_("field officer"),
    N_("overseer"),
    N_("administrator"),
    N_("exercise director"),
)
ERROR_TITLES = {
    400: N_("The request was not right"),
    401: N_("Sign in first"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    409: N_("Not possible as things stand"),
    413: N_("Too large"),
    422: N_("That cannot be used"),
    429: N_("Too many requests"),
    500: N_("The node failed"),
    503: N_("Not available now"),
}


TITLES = {
    "sign_in.html": N_("Sign in"),
    "second_factor.html": N_("One-time code"),
    "account.html": N_("Account"),
    "authorities.html": N_("Authorities"),
    "find.html": N_("Find"),
    "findings.html": N_("Findings"),
    "officers.html": N_("Officers"),
    "record.html": N_("Record"),
    "picture/picture.html": N_("Picture"),
    "picture/feeds.html": N_("Feeds"),
    "picture/zones.html": N_("Zones"),
    "picture/import.html": N_("Bring in positions"),
    "picture/tracks.html": N_("Tracks"),
    "picture/overlays.html": N_("Overlays"),
    "picture/watchlist.html": N_("Watch list"),
    "picture/zone_draw.html": N_("Draw a zone"),
    "picture/cover.html": N_("Cover"),
    "calls/calls.html": N_("Calls"),
    "calls/import.html": N_("Bring in call records"),
    "money/money.html": N_("Money"),
    "money/import.html": N_("Bring in payments"),
    "exercise/exercise.html": N_("Exercise"),
    "exercise/crews.html": N_("Crews of the exercise"),
    "cases/list.html": N_("Cases"),
    "sharing/sharing.html": N_("Sharing"),
    "sharing/nodes.html": N_("Other nodes"),
    "sharing/collection.html": N_("Collection"),
    "sharing/witnesses.html": N_("Witnesses"),
    "sharing/agreements.html": N_("Agreements"),
    "sharing/agreement.html": N_("Agreement"),
    "sharing/releases.html": N_("Releases"),
    "sharing/release.html": N_("Release"),
    "sharing/release_new.html": N_("Give something"),
    "sharing/requests.html": N_("Requests"),
    "sharing/match.html": N_("Does anyone else know this one?"),
    "oversight/report.html": N_("Oversight"),
    "oversight/ledger.html": N_("Ledger"),
    "oversight/verified.html": N_("Verification"),
}
"""What a page is called that gives itself no title."""


class Shell:
    """Draws templates with what the shell needs.

    Args:
        node: the node whose pages these are.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.templates = Templates(zone=node.country.zone.key, names=self._name_of)

    def draw(
        self, request: Request, template: str, status: int, context: dict[str, Any]
    ) -> Response:
        """A page or fragment of a request, with the status given."""
        lang = self.language(request)
        say = i18n.translations(lang).gettext
        if template == "error.html":
            context = {"error": _told(context, say)}
        given = context.pop("title", None) or TITLES.get(template)
        title = say(given) if given else say(_title_of(context))
        context["page"] = self.page(request, lang, title)
        return HTMLResponse(self.templates.render(template, lang, **context), status_code=status)

    def piece(self, request: Request, template: str, context: dict[str, Any]) -> str:
        """A template by itself, without the shell."""
        return self.templates.render(template, self.language(request), **context)

    def _name_of(self, subject: str) -> str:
        """A vessel's or vehicle's name as it was last heard; nothing where none was."""
        last = self._node.picture.picture.latest(subject)
        return last.name if last is not None else ""

    def language(self, request: Request) -> str:
        """The reader's language: the chosen one, else what the browser asks for."""
        return i18n.negotiate(
            request.headers.get("accept-language"), request.cookies.get(LANGUAGE_COOKIE)
        )

    def page(self, request: Request, lang: str, title: str) -> Page:
        """What stands around a page for this reader."""
        node = self._node
        actor: Actor | None = getattr(request.state, "actor", None)
        theme = request.cookies.get(THEME_COOKIE, "dark")
        say = i18n.translations(lang).gettext
        return Page(
            title=title,
            csrf=getattr(request.state, "csrf", ""),
            lang=lang,
            theme=theme if theme in ("dark", "light") else "dark",
            agency=node.settings.agency_name,
            unit=(actor.unit or "") if actor else "",
            nav=self._rail(request, actor) if actor else (),
            officer=OfficerView(
                actor.name,
                actor.unit or "",
                ", ".join(say(str(r).replace("_", " ")) for r in sorted(actor.roles)),
            )
            if actor
            else None,
            authority=_in_force(actor, node) if actor else None,
            zone=node.country.zone.key,
            now=node.kernel.clock.now(),
            find_url="/find" if actor else None,
            notices=tuple(getattr(request.state, "notices", ())),
            may=lambda act: actor is not None and self.may(actor, act),
        )

    def may(self, actor: Actor, act: str) -> bool:
        """Whether the gate lets an actor do an act in its room; nothing is recorded."""
        kernel = self._node.kernel
        room = Thing.room(act.split(".", maxsplit=1)[0], kernel.agency)
        return kernel.gate.decide(actor, act, room).allowed

    def doors(self, actor: Actor) -> tuple[Door, ...]:
        """The rooms that the gate lets this actor look into, in the rail's order."""
        return tuple(door for door in DOORS if self.may(actor, door.act))

    def _rail(self, request: Request, actor: Actor) -> tuple[NavItem, ...]:
        path = request.url.path
        return tuple(
            NavItem(
                door.href, door.label, door.icon, path.startswith((door.href, *door.also)), door.key
            )
            for door in self.doors(actor)
        )


def _in_force(actor: Actor, node: Node) -> AuthorityView | None:
    authority: Authority | None = actor.authority
    if authority is None or not authority.usable(node.kernel.clock.now()):
        return None
    return AuthorityView(
        authority.reference, ", ".join(sorted(authority.scope.data)), authority.valid_until
    )


def _told(context: dict[str, Any], say: Any) -> dict[str, Any]:
    error: CordonError = context["error"]
    status: int = context["status_code"]
    return {
        "status": status,
        "title": say(ERROR_TITLES.get(status, ERROR_TITLES[400 if status < 500 else 500])),
        "says": say(error.message),
        "advice": say(error.advice) if error.advice else "",
        "reference": context["reference"],
    }


def _title_of(context: dict[str, Any]) -> str:
    error = context.get("error")
    return error["title"] if isinstance(error, dict) else "Cordon"
