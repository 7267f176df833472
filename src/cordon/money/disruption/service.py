"""What the room does with packages, a transaction at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from cordon.countries import Country
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, BadUsage
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import JobKind, Jobs
from cordon.kernel.work import Kernel, SecondRefused
from cordon.money.disruption import addressing, drafting, legal, offering, reading
from cordon.money.disruption.exporting import ENDINGS, as_csv, as_json, as_pdf, files_of, kept_as
from cordon.money.disruption.model import (
    MOVES,
    Answer,
    Kind,
    Package,
    State,
    Step,
    amount_of,
    package_thing,
)
from cordon.money.disruption.offering import Choice
from cordon.money.disruption.seeing import Shown, seen
from cordon.money.disruption.steps import (
    ANSWER,
    APPROVE,
    DRAFT,
    EXPORT,
    SEND,
    VIEW,
    WITHDRAW,
    authority_for,
    come_to,
    enter,
    many_days,
    one_line,
    remark,
    supersede,
    to_move,
    to_supersede,
    told,
    written,
)
from cordon.money.disruption.tables import PackageItemRow, PackageRow
from cordon.money.printing import LANGUAGES

PAGE = 50
_ACTS = {
    State.APPROVED: APPROVE,
    State.SENT: SEND,
    State.ANSWERED: ANSWER,
    State.DONE: ANSWER,
    State.WITHDRAWN: WITHDRAW,
}
NO_UNIT = (
    "No unit can be sent yet: a supervisor adds one on the page of units, or whoever runs the node "
    "by `cordon operations units add`."
)
Units = Callable[[Actor], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class DraftForm:
    """What the form of a draft offers.

    Attributes:
        ring: id and name, or None. units: code and name of those that may be sent.
        banks: who keeps the accounts offered, each with how many; empty for those of whom nobody
            knows. bank: the one that this form is for, or empty.
        currency: ISO 4217, of what may be frozen.
        authorities: id and words of those that it may stand on; authority: the one that is meant
            where none is named. would_do: what may be recorded where there is none.
    """

    kind: Kind
    ring: tuple[str, str] | None
    finding: str
    choices: tuple[Choice, ...]
    units: tuple[tuple[str, str], ...]
    reference: str
    supersedes: tuple[str, str] | None
    banks: tuple[tuple[str, int], ...] = ()
    bank: str = ""
    currency: str = ""
    authorities: tuple[tuple[str, str], ...] = ()
    authority: str = ""
    would_do: str = ""

    def ticked(self, choice: Choice) -> bool:
        """Whether an item is chosen before anybody looked."""
        return choice.ticked and (not self.bank or choice.bank == self.bank)


@dataclass(frozen=True, slots=True)
class PackagePage:
    """A package with what this reader may do with it.

    Attributes:
        names: of officers by id. elsewhere: places of what the addressee is not known to keep.
    """

    shown: Shown
    moves: tuple[State, ...]
    own: bool
    may_export: bool
    may_draft: bool
    names: Mapping[str, str]
    elsewhere: tuple[int, ...] = ()


class Disruption:
    """Packages of one node.

    Args:
        units: whom a site package may send, as the actor may see them.
    """

    def __init__(self, kernel: Kernel, jobs: Jobs, *, country: Country, units: Units) -> None:
        self.kernel = kernel
        self.jobs = jobs
        self.country = country
        self.units = units

    def job_kinds(self) -> list[JobKind]:
        """The room's long work."""
        from cordon.money.disruption import counting, recoveries

        return [
            JobKind(counting.JOB, counting.COUNT, lambda job: counting.run(self, job)),
            JobKind(recoveries.JOB, recoveries.COUNT, lambda job: recoveries.run(self, job)),
        ]

    def room(self) -> Thing:
        """The room as a whole."""
        return Thing.room("money", self.kernel.agency)

    def may(self, actor: Actor, act: str, thing: Thing | None = None) -> bool:
        """Whether the gate would let an act pass; nothing is recorded."""
        return self.kernel.gate.decide(actor, act, thing or self.room()).allowed

    # drafting

    def form(
        self,
        actor: Actor,
        kind: Kind,
        *,
        ring: str = "",
        finding: str = "",
        supersedes: str = "",
        bank: str = "",
    ) -> DraftForm:
        """What the form of a new package offers.

        Args:
            bank: whose accounts alone are chosen before anybody looked; of all where empty.
        """
        units = tuple(self.units(actor)) if kind is Kind.SITE else ()
        with self.kernel.view(actor) as view:
            view.permit(DRAFT, self.room())
            old = to_supersede(view, supersedes, kind) if supersedes else None
            if old is not None:
                ring, finding = old.ring or "", old.grounds[0].finding
            of = drafting.source(view, ring=ring, finding=finding)
            some = offering.choices(view, DRAFT, of, drafting.offered(view, of, kind))
            banks = offering.by_bank(some) if kind is Kind.FREEZE else ()
            may = legal.allowed(view, self.country, kind)
            return DraftForm(
                kind,
                (of.ring.id, of.ring.name) if of.ring else None,
                of.finding.id,
                tuple(some),
                units,
                actor.authority.reference if actor.authority else "",
                (old.id, old.name) if old else None,
                banks,
                bank if bank in dict(banks) else "",
                offering.currency_of(some) or self.country.currency,
                tuple((a.id, f"{a.reference} · {a.legal_basis}") for a in may),
                legal.usual(view, may),
                "" if may else legal.would_do(self.country, kind, may),
            )

    def draft(
        self,
        actor: Actor,
        kind: Kind,
        *,
        ring: str = "",
        finding: str = "",
        keys: Iterable[str] = (),
        amounts: Mapping[str, str] | None = None,
        currency: str = "",
        addressee: str = "",
        why: str = "",
        days: str = "",
        unit: str = "",
        supersedes: str = "",
        others: str = "",
        legal_authority: str = "",
    ) -> str:
        """Draft a package; return its id.

        Args:
            keys: of what it names, as the form gave them. amounts: by key, for a freeze request.
            unit: code of the unit that a site package sends. supersedes: id of one that was sent.
            legal_authority: id or reference of what it stands on; of none the authority chosen,
                or the only one there is.
            others: why a freeze request names accounts that its addressee does not keep, or empty.

        Raises:
            AuthorityRefused: no usable authority covers all that it names.
            BadInput: something is missing or is none; the message says what.
        """
        addressee = one_line(addressee, "The addressee")
        why = written(why, "What is asked")
        many = many_days(days)
        others = written(others, "Why it names what others keep") if others.strip() else ""
        known = dict(self.units(actor)) if kind is Kind.SITE else {}
        with self.kernel.work(actor) as work:
            work.permit(DRAFT, self.room())
            old = to_supersede(work, supersedes, kind) if supersedes else None
            if old is not None:
                ring, finding = old.ring or "", old.grounds[0].finding
            of = drafting.source(work, ring=ring, finding=finding)
            authority = authority_for(work, of)
            items = drafting.chosen(work, DRAFT, of, kind, keys, amounts or {}, currency)
            items = offering.with_banks(work, of, items)
            stands = legal.stands_on(work, self.country, kind, legal_authority, items)
            site = None
            if kind is Kind.SITE:
                if unit not in known:
                    advice = "Choose one of the list." if known else NO_UNIT
                    raise BadInput("No such unit can be sent.", advice=advice)
                site = drafting.site_of(of, unit)
            self.kernel.rows.alone(work.session, "money.packages")
            last = work.session.scalar(
                select(func.max(PackageRow.number)).where(
                    PackageRow.agency == self.kernel.agency, PackageRow.year == work.now.year
                )
            )
            mark = max(of.mark, Mark.AMBER, key=lambda m: m.rank)
            id_, drafter_unit = new_id(), actor.unit or ""
            thing = package_thing(id_, self.kernel.agency, mark, drafter_unit, actor.id)
            row = PackageRow(
                id=id_,
                agency=self.kernel.agency,
                mark=mark,
                created_at=work.now,
                year=work.now.year,
                number=(last or 0) + 1,
                kind=kind,
                state=State.DRAFTED,
                ring=of.ring.id if of.ring else None,
                ring_name=of.ring.name if of.ring else "",
                authority=authority.id,
                reference=stands.reference,
                law=stands.legal_basis,
                issuer=stands.issuer,
                addressee=addressee,
                why=why,
                days=many,
                grounds=reading.ground_values([drafting.ground(work, of.finding)]),
                site=reading.site_values(site),
                drafted_by=actor.id,
                drafted_unit=drafter_unit,
                supersedes=old.id if old else None,
                files={},
            )
            work.act(DRAFT, thing, name=row.name, kind=str(kind), items=len(items))
            work.session.add(row)
            work.session.flush()
            work.session.add_all(
                PackageItemRow(
                    package=id_,
                    place=place,
                    subject=i.subject,
                    finding=i.finding,
                    bank=i.bank,
                    amount=str(i.amount) if i.amount is not None else None,
                    currency=i.currency,
                )
                for place, i in enumerate(items, 1)
            )
            enter(work, row, State.DRAFTED, others)
            return id_

    # its life

    def approve(self, actor: Actor, package: str, note: str = "") -> None:
        """Approve a package as a second officer of another unit; the drafter never can.

        Raises:
            BadInput: a freeze request names what its addressee is not known to keep, and nobody
                said why.
        """
        with self.kernel.work(actor) as work:
            row = to_move(work, package, State.APPROVED)
            unit = actor.unit or ""
            if row.drafted_by == actor.id or (unit and unit == row.drafted_unit):
                raise SecondRefused(
                    "Whoever drafted a package, or serves in the same unit, cannot approve it.",
                    APPROVE,
                    row.thing(),
                )
            work.permit(APPROVE, row.thing())
            addressing.check(reading.package(work.session, row), note)
            work.act(APPROVE, row.thing(), name=row.name)
            come_to(work, row, State.APPROVED, remark(note))

    def send(self, actor: Actor, package: str, note: str = "") -> None:
        """Send an approved package: its files are fixed, and their SHA-256 enter the ledger.

        Raises:
            Conflict: it is not approved, or what it stands on is no longer in force or does not
                allow a package of its kind.
        """
        with self.kernel.work(actor) as work:
            row = to_move(work, package, State.SENT)
            work.permit(SEND, row.thing())
            legal.check_to_send(work, self.country, row)
            come_to(work, row, State.SENT, remark(note))
            row.sent_at = work.now
            work.session.flush()
            whole = reading.package(work.session, row)
            made = files_of(Shown(whole, 0, ()))
            row.files = {
                ending: self.kernel.files.put(iter([some])).sha256 for ending, some in made.items()
            }
            work.act(SEND, row.thing(), name=row.name, kind=row.kind, sha256=dict(row.files))
            if row.supersedes is not None:
                supersede(work, row)
            work.emit("money.package.sent", told(row, whole, actor), Mark(row.mark))

    def answer(
        self,
        actor: Actor,
        package: str,
        *,
        reference: str,
        says: str,
        frozen: Mapping[int, str] | None = None,
    ) -> None:
        """Write down the addressee's answer.

        Args:
            frozen: what a bank froze, by the place of the account in the package.
        """
        reference, says = one_line(reference, "The reference"), written(says, "The answer")
        with self.kernel.work(actor) as work:
            row = to_move(work, package, State.ANSWERED)
            work.permit(ANSWER, row.thing())
            whole = reading.package(work.session, row)
            sums = {}
            for place, text in (frozen or {}).items():
                if not text.strip():
                    continue
                asked = whole.items[place - 1].amount if 0 < place <= len(whole.items) else None
                if asked is None:
                    raise BadInput(f"The package asks for no sum at place {place}.")
                sums[place] = amount_of(text)
                if sums[place] > asked:
                    raise BadInput(
                        f"Account {place}: more was frozen than was asked for.",
                        advice="Write at most what the package asks for.",
                    )
            row.answer = reading.answer_values(Answer(reference, says, sums))
            work.act(ANSWER, row.thing(), name=row.name, frozen=len(sums))
            come_to(work, row, State.ANSWERED)

    def done(self, actor: Actor, package: str, note: str = "") -> None:
        """What was asked was done."""
        with self.kernel.work(actor) as work:
            row = to_move(work, package, State.DONE)
            work.act(ANSWER, row.thing(), name=row.name, done=True)
            come_to(work, row, State.DONE, remark(note))

    def withdraw(self, actor: Actor, package: str, why: str) -> None:
        """Take back a package that was not sent."""
        why = written(why, "The reason")
        with self.kernel.work(actor) as work:
            row = to_move(work, package, State.WITHDRAWN)
            work.act(WITHDRAW, row.thing(), name=row.name)
            come_to(work, row, State.WITHDRAWN, why)

    # reading

    def list(
        self,
        actor: Actor,
        *,
        state: str = "",
        kind: str = "",
        ring: str = "",
        before: str = "",
        at_most: int = PAGE,
    ) -> list[Package]:
        """Packages that the actor may see, the newest first; what they name is left out.

        Raises:
            BadUsage: no such state or kind.
        """
        for text, known in ((state, State), (kind, Kind)):
            if text and text not in list(known):
                raise BadUsage(f"“{text[:30]}” is none of: {', '.join(known)}.")
        with self.kernel.view(actor) as view:
            view.permit(VIEW, self.room())
            query = select(PackageRow).where(PackageRow.agency == self.kernel.agency)
            for column, value in (
                (PackageRow.state, state), (PackageRow.kind, kind), (PackageRow.ring, ring),
            ):  # fmt: skip
                query = query.where(column == value) if value else query
            marks = [
                m for m in Mark if view.may(VIEW, Thing("package", "-", self.kernel.agency, m))
            ]
            query = query.where(
                PackageRow.mark.in_(marks)
                | ((PackageRow.mark == Mark.RED) & (PackageRow.drafted_by == actor.id))
            )
            if before:
                query = query.where(PackageRow.id < before)
            rows = view.session.scalars(query.order_by(PackageRow.id.desc()).limit(at_most))
            mine = [row for row in rows if view.may(VIEW, row.thing())]
            found = reading.packages(view.session, mine)
            # a list is read by people under no authority: it names nobody, whatever words say
            return [replace(p, why="", answer=None, steps=_bare(p)) for p in found]

    def page(self, actor: Actor, package: str) -> PackagePage:
        """One package as this reader may see it."""
        with self.kernel.view(actor) as view:
            row = reading.find(view.session, package)
            view.permit(VIEW, row.thing())
            whole = reading.package(view.session, row)
            shown = seen(view, VIEW, whole)
            moves = tuple(
                to for to in MOVES[whole.state] if to in _ACTS and view.may(_ACTS[to], row.thing())
            )
            unit = actor.unit or ""
            return PackagePage(
                shown,
                moves,
                row.drafted_by == actor.id or (bool(unit) and unit == row.drafted_unit),
                view.may(EXPORT, row.thing()),
                view.may(DRAFT, self.room()),
                reading.names(view.session, [s.by for s in whole.steps]),
                addressing.elsewhere(whole),
            )

    def export(
        self, actor: Actor, package: str, ending: str, language: str = LANGUAGES[0]
    ) -> tuple[str, bytes]:
        """A package's file and its name.

        Args:
            language: of the PDF; the other forms have none.

        Of what was sent, whoever may see all of it gets the very bytes that were sent; others, and
        before it is sent, a copy made now in which everything is masked that they may not see.

        Raises:
            BadUsage: there is no such form of it, or nothing is printed in that language.
        """
        with self.kernel.work(actor) as work:
            row = reading.find(work.session, package)
            whole = reading.package(work.session, row)
            work.permit(EXPORT, row.thing())
            if ending not in ENDINGS or (ending == "csv" and whole.kind is not Kind.BLOCK_LIST):
                raise BadUsage("There is no such form of this package.", advice="Take the PDF.")
            shown = seen(work, EXPORT, whole)
            if language not in LANGUAGES:
                raise BadUsage(
                    "Nothing is printed in that language.",
                    advice=f"Choose of: {', '.join(LANGUAGES)}.",
                )
            form = kept_as(ending, language)
            stored = row.files.get(form)
            if stored and shown.whole:
                made = b"".join(self.kernel.files.read(stored))
            else:
                made = (
                    as_pdf(shown, language)
                    if ending == "pdf"
                    else {"json": as_json, "csv": as_csv}[ending](shown)
                )
            work.act(EXPORT, row.thing(), name=row.name, form=form, masked=shown.masked)
            copy = form.removeprefix(ending) + ("" if shown.whole else "-masked")
            return f"{row.name}{copy}.{ending}", made


def _bare(package: Package) -> tuple[Step, ...]:
    return tuple(replace(s, note="") for s in package.steps)
