"""Legal authorities: recorded, confirmed, withdrawn, and ended where nobody confirmed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import BinaryIO

from sqlalchemy import select

from cordon.kernel.access.gate import GateRefused
from cordon.kernel.access.model import (
    Actor,
    Authority,
    AuthorityKind,
    AuthorityState,
    Mark,
    Role,
    Scope,
    Thing,
)
from cordon.kernel.access.sessions import readable
from cordon.kernel.access.tables import AuthorityEventRow, AuthorityRow, scope_to
from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View, Work, personal_data

LARGEST_DOCUMENT = 64 << 20  # bytes
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUBJECT = re.compile(r"[a-z_]{2,20}:\S{1,100}")
_EVERYONE = frozenset(
    {
        AuthorityKind.WARRANT,
        AuthorityKind.STATUTORY_ORDER,
        AuthorityKind.MUTUAL_LEGAL_ASSISTANCE,
        AuthorityKind.PRESERVATION_ORDER,
    }
)


_NO_PERSONS = frozenset({Role.SERVICE, Role.CONSOLE})


class NeedsPerson(GateRefused):
    """What an officer must do in their own name, asked for by a command or a program."""

    def __init__(self, act: str, thing: Thing) -> None:
        # else whoever types commands could record one and confirm it under their own name
        Refused.__init__(
            self,
            "An emergency is recorded by an officer, not by a command or a program.",
            advice="Sign in, and record it on the page of authorities.",
        )
        self.act = act
        self.thing = thing


@dataclass(frozen=True, slots=True)
class Basis:
    """A legal basis of the node's country.

    Attributes:
        kind: which kind of authority rests on it. law: its title, as it is recorded.
        longest: how long one may be valid, or None where the law sets no length.
        needs_document: the text must be hashed. reads: data may be read under it.
    """

    kind: AuthorityKind
    law: str
    longest: timedelta | None = None
    needs_document: bool = True
    reads: bool = True


@dataclass(frozen=True, slots=True)
class AuthorityRules:
    """What a node's country and settings say of legal authorities.

    Attributes:
        bases: the country's legal bases by their ids.
        confirm_within: an emergency authority ends unless a second officer confirms it by then.
        longest: of an authority whose basis sets no length of its own.
        data: kinds of personal data that there are.
        everyone: kinds that may cover everyone in the data; others must name their subjects.
    """

    bases: Mapping[str, Basis]
    confirm_within: timedelta = timedelta(hours=2)
    longest: timedelta = timedelta(days=366)
    data: frozenset[str] = frozenset({"calls", "subscribers", "payments", "persons"})
    everyone: frozenset[AuthorityKind] = field(default=_EVERYONE)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an officer writes down of an authority; see `model.Authority`.

    Attributes:
        basis: id of the legal basis. valid_from, valid_until: aware.
        document_sha256: hash (hex) of the document, or empty where the document itself is given.
    """

    basis: str
    reference: str
    issuer: str
    scope: Scope
    valid_from: datetime
    valid_until: datetime
    document_sha256: str = ""
    mark: Mark = Mark.AMBER


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an authority's history: when, what (`recorded`, …), by whom, and why."""

    at: datetime
    what: str
    by: str
    why: str | None


class Authorities:
    """The node's legal authorities."""

    def __init__(self, kernel: Kernel, rules: AuthorityRules) -> None:
        self.kernel = kernel
        self.rules = rules

    def record(self, actor: Actor, draft: Draft, document: BinaryIO | None = None) -> Authority:
        """Record an authority.

        Args:
            document: its text, kept under its hash where it is given.

        Raises:
            BadInput: a field that is missing or outside the law; the message names it.
            Conflict: there is one of that reference already.
            NeedsPerson: an emergency that no officer records, but a command or a program.
        """
        now = self.kernel.clock.now()
        basis = self._checked(draft, now)
        with self.kernel.view(actor) as view:  # before a large document is taken in
            room = Thing.room("access", self.kernel.agency)
            view.permit("access.authority.record", room)
            if basis.kind is AuthorityKind.EMERGENCY and actor.is_any(_NO_PERSONS):
                raise NeedsPerson("access.authority.record", room)
        sha256 = draft.document_sha256.lower()
        if document is not None:
            stored = self.kernel.files.put(document, at_most=LARGEST_DOCUMENT).sha256
            if sha256 and stored != sha256:
                raise BadInput(
                    "The document's hash is not the one that was given.",
                    advice="Check that it is the right document.",
                )
            sha256 = stored
        _check_document(sha256, basis)
        with self.kernel.work(actor) as work:
            row = AuthorityRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=draft.mark,
                created_at=work.now,
                kind=basis.kind,
                basis=draft.basis,
                reference=draft.reference.strip(),
                issuer=draft.issuer.strip(),
                legal_basis=basis.law,
                document=sha256,
                reads=basis.reads,
                scope=scope_to(draft.scope),
                valid_from=as_utc(draft.valid_from),
                valid_until=as_utc(draft.valid_until),
                recorded_by=actor.id,
            )
            if basis.kind is AuthorityKind.EMERGENCY:
                row.confirm_by = min(work.now + self.rules.confirm_within, row.valid_until)
            same = select(AuthorityRow.id).where(
                AuthorityRow.agency == row.agency, AuthorityRow.reference == row.reference
            )
            if work.session.scalar(same) is not None:
                raise Conflict(
                    "There is an authority of that reference already.",
                    advice="Use that one, or check the reference.",
                )
            work.session.add(row)
            work.session.flush()
            detail = {"kind": row.kind, "basis": row.basis, "document": sha256}
            work.act("access.authority.record", row.thing(), **detail)
            _step(work, row, "recorded")
            return row.to_authority()

    def confirm(self, actor: Actor, authority: str) -> Authority:
        """Confirm an emergency authority as the second officer: another person, in time."""
        with self.kernel.work(actor) as work:
            row = _row(work, authority)
            work.act("access.authority.confirm", row.thing(), recorded_by=row.recorded_by)
            state = row.to_authority().state(work.now)
            if row.kind != AuthorityKind.EMERGENCY or row.confirmed_by is not None:
                raise Conflict("The authority needs no confirmation.")
            if state not in (AuthorityState.UNCONFIRMED, AuthorityState.NOT_YET):
                raise Conflict(
                    f"The authority is {state.replace('_', ' ')}.", advice="Record a new one."
                )
            if row.confirm_by is not None and work.now >= row.confirm_by:
                raise Conflict("The time to confirm it is over.", advice="Record a new one.")
            row.confirmed_by, row.confirmed_at = actor.id, work.now
            _step(work, row, "confirmed")
            return row.to_authority()

    def withdraw(self, actor: Actor, authority: str, why: str) -> Authority:
        """Withdraw an authority; from now on nothing is read under it."""
        if len(why.strip()) < 5:
            raise BadInput("Withdrawing needs a reason.", advice="Write why in a few words.")
        with self.kernel.work(actor) as work:
            row = _row(work, authority)
            work.act("access.authority.withdraw", row.thing())
            if row.withdrawn_at is not None:
                raise Conflict("The authority is withdrawn already.")
            row.withdrawn_at, row.withdrawn_why = work.now, why.strip()[:500]
            _step(work, row, "withdrawn", row.withdrawn_why)
            return row.to_authority()

    def sweep(self) -> list[str]:
        """End emergency authorities that nobody confirmed in time; return their ids.

        Each is told once, to the ledger and by the event `access.authority.lapsed`. They stop
        being usable at their time even where the node calls this late.
        """
        now = self.kernel.clock.now()
        late = (
            select(AuthorityRow)
            .where(
                AuthorityRow.kind == AuthorityKind.EMERGENCY.value,
                AuthorityRow.confirm_by <= now,
                AuthorityRow.confirmed_by.is_(None),
                AuthorityRow.withdrawn_at.is_(None),
                AuthorityRow.lapsed_at.is_(None),
            )
            .order_by(AuthorityRow.id)
        )
        with self.kernel.rows.read() as session:
            if session.scalar(late.limit(1)) is None:
                return []
        with self.kernel.work(self.kernel.node) as work:
            rows = list(work.session.scalars(late.with_for_update(skip_locked=True)))
            for row in rows:
                row.lapsed_at = work.now
                work.act("access.authority.lapse", row.thing(), recorded_by=row.recorded_by)
                _step(work, row, "lapsed")
            return [row.id for row in rows]

    def get(self, actor: Actor, authority: str) -> Authority:
        """One authority; raises NotFound."""
        with self.kernel.view(actor) as view:
            row = _row(view, authority)
            view.permit("access.authority.view", row.thing())
            return row.to_authority()

    def history(self, actor: Actor, authority: str) -> list[Step]:
        """What was done with an authority itself, in order."""
        with self.kernel.view(actor) as view:
            view.permit("access.authority.view", _row(view, authority).thing())
            rows = view.session.scalars(
                select(AuthorityEventRow)
                .where(AuthorityEventRow.authority == authority)
                .order_by(AuthorityEventRow.id)
            )
            return [Step(r.at, r.what, r.by, r.why) for r in rows]

    def subjects(self, actor: Actor, authority: str) -> list[str] | None:
        """Whom an authority covers, sorted; None where it covers everyone in its span.

        Those that the authority chosen by the reader does not cover are masked.
        """
        with self.kernel.view(actor) as view:
            row = _row(view, authority)
            act = "access.authority.view"
            view.permit(act, row.thing())
            named = row.to_authority().scope.subjects
            if named is None:
                return None
            kinds: dict[str | None, list[str]] = {}
            for subject in sorted(named):
                kinds.setdefault(personal_data(subject), []).append(subject)
            shown = kinds.pop(None, [])
            for data, subjects in kinds.items():
                sight = view.sight(act, row.thing(), data or "", subjects)
                shown += [sight.subject(s) for s in subjects]
            return sorted(shown)

    def recorded(self, actor: Actor, *, at_most: int = 500) -> list[Authority]:
        """The agency's authorities that the actor may see, latest first."""
        with self.kernel.view(actor) as view:
            view.permit("access.authority.view", Thing.room("access", self.kernel.agency))
            rows = view.session.scalars(
                select(AuthorityRow).order_by(AuthorityRow.id.desc()).limit(at_most)
            )
            return [r.to_authority() for r in rows if view.may("access.authority.view", r.thing())]

    def active(self, actor: Actor) -> list[Authority]:
        """Those that the actor may read under now, the one that ends first before the others."""
        with self.kernel.view(actor) as view:
            view.permit("access.authority.view", Thing.room("access", self.kernel.agency))
            rows = view.session.scalars(
                select(AuthorityRow)
                .where(
                    AuthorityRow.agency == self.kernel.agency,
                    AuthorityRow.valid_from <= view.now,
                    AuthorityRow.valid_until > view.now,
                    AuthorityRow.reads.is_(True),
                )
                .order_by(AuthorityRow.valid_until, AuthorityRow.id)
            )
            return [
                known
                for row in rows
                if view.may("access.authority.choose", row.thing())
                and (known := row.to_authority()).usable(view.now)
            ]

    def find(self, actor: Actor, reference: str) -> Authority:
        """The authority of a reference (or an id); raises NotFound."""
        with self.kernel.view(actor) as view:
            row = self._referred(view, reference)
            view.permit("access.authority.view", row.thing())
            return row.to_authority()

    def under(self, actor: Actor, reference: str) -> Actor:
        """The actor, reading under the authority of a reference (or an id).

        For programs and commands, which name it with each request; officers choose it in their
        session. The choice, or its refusal, is in the ledger.
        """
        with self.kernel.work(actor) as work:
            row = readable(work, self._referred(work, reference).id)
            work.act("access.authority.choose", row.thing())
            return replace(actor, authority=row.to_authority())

    def _referred(self, view: View, reference: str) -> AuthorityRow:
        row = view.session.scalar(
            select(AuthorityRow).where(
                AuthorityRow.agency == self.kernel.agency,
                (AuthorityRow.reference == reference.strip())
                | (AuthorityRow.id == reference.strip()),
            )
        )
        if row is None:
            raise NotFound(
                "There is no authority of that reference.",
                advice="Record it first, or check how it is written.",
            )
        return row

    def _checked(self, draft: Draft, now: datetime) -> Basis:
        basis = self.rules.bases.get(draft.basis)
        if basis is None:
            known = ", ".join(sorted(self.rules.bases))
            raise BadInput("That legal basis is not one of the country's.", advice=f"Take: {known}")
        for name, text, most in (
            ("reference", draft.reference, 120),
            ("issuer", draft.issuer, 200),
        ):
            if not 2 <= len(text.strip()) <= most or not text.strip().isprintable():
                raise BadInput(f"The {name} is missing, or has more than {most} characters.")
        start, end = as_utc(draft.valid_from), as_utc(draft.valid_until)
        if end <= start:
            raise BadInput("It ends before it begins.", advice="Check “from” and “until”.")
        if end <= now:
            raise BadInput("It has expired already.", advice="Check “until”, or ask for a new one.")
        longest = basis.longest or self.rules.longest
        if end - start > longest:
            raise BadInput(
                f"It would be valid for {-(-(end - start) // timedelta(days=1))} days; under "
                f"{basis.law} it may be for {longest / timedelta(days=1):g}.",
                advice="Check the dates on the document.",
            )
        if draft.mark is Mark.RED:
            raise BadInput(
                "An authority cannot be TLP:RED: a second officer and the overseer must see it.",
                advice="Take TLP:AMBER+STRICT.",
            )
        self._check_scope(draft.scope, basis)
        return basis

    def _check_scope(self, scope: Scope, basis: Basis) -> None:
        strange = scope.data - self.rules.data
        if not scope.data or strange:
            raise BadInput(
                "The scope names no kind of data, or one that there is not.",
                advice=f"Take of: {', '.join(sorted(self.rules.data))}.",
            )
        if scope.subjects is None:
            if basis.kind not in self.rules.everyone:
                raise BadInput(
                    f"An authority of the kind {basis.kind.replace('_', ' ')} names whom it "
                    "covers.",
                    advice="Write the numbers, accounts or persons.",
                )
        elif not scope.subjects or not all(_SUBJECT.fullmatch(s) for s in scope.subjects):
            raise BadInput(
                "A subject is not written as type:id.",
                advice="Write it like number:+92… or account:….",
            )
        if scope.since and scope.until and as_utc(scope.until) <= as_utc(scope.since):
            raise BadInput("The span of the data ends before it begins.")


def _check_document(sha256: str, basis: Basis) -> None:
    if not sha256:
        if not basis.needs_document:
            return
        raise BadInput(
            "The document is missing.",
            advice="Give the document itself, or its SHA-256 as `sha256sum` writes it.",
        )
    if not _SHA256.fullmatch(sha256):
        raise BadInput(
            "The document's SHA-256 is not 64 hexadecimal digits.",
            advice="Give the document itself, or its hash as `sha256sum` writes it.",
        )


def _row(view: View, authority: str) -> AuthorityRow:
    row = view.session.get(AuthorityRow, authority, with_for_update=isinstance(view, Work) or None)
    if row is None or row.agency != view.kernel.agency:
        raise NotFound("There is no such authority.")
    return row


def _step(work: Work, row: AuthorityRow, what: str, why: str | None = None) -> None:
    work.session.add(
        AuthorityEventRow(
            id=new_id(), authority=row.id, at=work.now, what=what, by=work.actor.id, why=why
        )
    )
    payload = {"authority": row.id, "kind": row.kind}
    work.emit(f"access.authority.{what}", payload, Mark(row.mark))
