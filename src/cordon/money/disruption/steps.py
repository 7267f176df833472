"""Steps that a package's life is made of; each in the caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Authority
from cordon.kernel.errors import AuthorityRefused, BadInput, Conflict
from cordon.kernel.work import View, Work
from cordon.money.disruption import reading
from cordon.money.disruption.drafting import Source
from cordon.money.disruption.model import SENT_STATES, Kind, Package, State, check_move
from cordon.money.disruption.tables import PackageRow, PackageStepRow

VIEW, DRAFT, APPROVE = "money.package.view", "money.package.draft", "money.package.approve"
SEND, ANSWER = "money.package.send", "money.package.answer"
WITHDRAW, EXPORT = "money.package.withdraw", "money.package.export"
SHORTEST, LONGEST, LONGEST_LINE = 10, 4000, 200


def to_supersede(view: View, package: str, kind: Kind) -> Package:
    """The package that a new one is to supersede."""
    row = reading.find(view.session, package)
    view.permit(VIEW, row.thing())
    if row.state not in SENT_STATES or row.state == State.SUPERSEDED:
        raise Conflict(
            f"{row.name} is {row.state}: only what was sent is superseded, and once.",
            advice="Withdraw it and draft another, where it was not sent.",
        )
    if row.kind != kind:
        raise BadInput(
            f"{row.name} is of another kind.", advice="A package supersedes one of its own kind."
        )
    return reading.package(view.session, row)


def authority_for(work: Work, of: Source) -> Authority:
    """The authority that a package from this source may be drafted under; AuthorityRefused."""
    chosen = work.actor.authority
    if chosen is None or not chosen.usable(work.now):
        raise AuthorityRefused(
            "A package is drafted under a legal authority, and none that is in force is chosen.",
            advice="Choose one that covers what it names.",
        )
    if of.authority is not None and of.authority != chosen.id:
        raise AuthorityRefused(
            "This ring was found under another authority than the one chosen.",
            advice="Choose the authority that its calls came in under.",
        )
    return chosen


def to_move(work: Work, package: str, to: State) -> PackageRow:
    """A package's locked row, where it can come to a state; Conflict."""
    row = reading.find(work.session, package, lock=True)
    work.permit(VIEW, row.thing())
    check_move(row.name, State(row.state), to)
    return row


def come_to(work: Work, row: PackageRow, state: State, note: str = "") -> None:
    """Set a package's state and enter it among its steps."""
    row.state = state
    enter(work, row, state, note)


def enter(work: Work, row: PackageRow, state: State, note: str = "") -> None:
    """Enter a state that a package came to."""
    last = work.session.scalar(
        select(func.count()).select_from(PackageStepRow).where(PackageStepRow.package == row.id)
    )
    work.session.add(
        PackageStepRow(
            package=row.id,
            number=last or 0,
            state=state,
            at=work.now,
            by=work.actor.id,
            unit=work.actor.unit or "",
            note=note,
        )
    )
    work.session.flush()


def supersede(work: Work, row: PackageRow) -> None:
    """The earlier one says by which it was superseded; nothing else of it changes."""
    assert row.supersedes is not None
    old = reading.find(work.session, row.supersedes, lock=True)
    check_move(old.name, State(old.state), State.SUPERSEDED)
    old.superseded_by = row.id
    work.act(SEND, old.thing(), name=old.name, superseded_by=row.name)
    come_to(work, old, State.SUPERSEDED, f"By {row.name}.")


def told(row: PackageRow, whole: Package, actor: Actor) -> dict[str, Any]:
    """What other rooms hear of a package that was sent: nobody is named in it."""
    told: dict[str, Any] = {"package": row.id, "name": row.name, "kind": row.kind}
    site = whole.site
    if site is not None:
        told |= {
            "finding": whole.grounds[0].finding,
            "unit": site.unit,
            "lat": site.lat,
            "lon": site.lon,
            "radius_m": site.radius_m,
            "seats": list(site.seats) if site.seats else None,
            "opens": site.opens,
            "closes": site.closes,
            "by": actor.id,
        }
    return told


def one_line(text: str, what: str) -> str:
    """One line of 1 to 200 characters; BadInput."""
    text = " ".join(text.split())
    if not text or len(text) > LONGEST_LINE or not text.isprintable():
        raise BadInput(f"{what} is not one line of 1 to {LONGEST_LINE} characters.",
                       advice="Write it in one line.")  # fmt: skip
    return text


def written(text: str, what: str) -> str:
    """Text that says something: 10 to 4000 characters; BadInput."""
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        raise BadInput(
            f"{what} has {len(text)} characters.", advice=f"Write {SHORTEST} to {LONGEST}."
        )
    return text


def remark(text: str) -> str:
    """A note, which may be empty; BadInput where it is too long."""
    text = text.strip()
    if len(text) > LONGEST:
        raise BadInput(f"The note has {len(text)} characters.", advice=f"At most {LONGEST}.")
    return text


def many_days(text: str) -> int | None:
    """A number of days as it was typed, None where empty; BadInput."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 3650):
        raise BadInput("That is no number of days.", advice="Write 1 to 3650, or leave it empty.")
    return int(text)
