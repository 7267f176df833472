"""An agreement's clauses: each one sentence for a reader and one condition of Cedar.

Both come from the terms here and nowhere else. The Cedar text of an agreement is one `permit`
with a `when` for each clause, so that what no clause speaks for is not permitted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from cordon.kernel.clock import format_time
from cordon.sharing.agreements.model import ANSWERS, AgencyKind, Handling, Onward, Terms


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause.

    Attributes:
        id: one word. says: its sentence, a message of the catalogues; values: what stands in its
            places, each a list of words that have messages too. cedar: its condition.
    """

    id: str
    says: str
    cedar: str
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


def clauses(terms: Terms) -> tuple[Clause, ...]:
    """The clauses of these terms, in the order in which they are read."""
    givers = sorted(p.agency for p in terms.parties if p.gives)
    receivers = sorted(p.agency for p in terms.parties if p.receives)
    return (
        Clause(
            "giver", N_("Only these agencies give under it: %(agencies)s."),
            f"{_set(givers)}.contains(resource.giver)", {"agencies": tuple(givers)},
        ),
        Clause(
            "receiver", N_("Only these agencies receive under it: %(agencies)s."),
            f"{_set(receivers)}.contains(principal.agency) && principal.agency != resource.giver",
            {"agencies": tuple(receivers)},
        ),
        _listed("class", N_("Only these classes of data go: %(listed)s."), terms.classes),
        _listed("purpose", N_("They go for these purposes alone: %(listed)s."), terms.purposes),
        Clause(
            "mark", N_("Nothing goes that is marked stricter than %(mark)s."),
            f"resource.mark <= {terms.highest.rank}", {"mark": (terms.highest.value,)},
        ),
        Clause(
            "handling", N_("Only these handling codes are taken on: %(listed)s."),
            f"{_set(terms.handling)}.containsAll(resource.handling)",
            {"listed": tuple(sorted(terms.handling))},
        ),
        Clause(
            "role",
            N_("At the receiver only these roles may see it: %(listed)s. Any other role, that of "
               "an administrator too, adds nothing."),
            f"{_set(terms.roles)}.containsAny(principal.roles)",
            {"listed": tuple(sorted(terms.roles))},
        ),
        *_graded(terms),
        _caveat(terms),
        _third_party(terms),
        _onward(terms),
        Clause(
            "court",
            N_("What is marked H1 is used in court only if the agency that it came from has "
               "permitted it."),
            'action != Action::"use_in_court" || context.permitted || '
            f'!resource.handling.contains("{Handling.H1}")',
        ),
        Clause(
            "retention", N_("The receiver removes it after %(days)s days."),
            f"context.days < {terms.retention_days}", {"days": (str(terms.retention_days),)},
        ),
        Clause(
            "force",
            N_("It holds from %(starts)s until %(ends)s, once all have signed it and until one of "
               "them ends it."),
            f"context.now >= {int(terms.starts.timestamp())} && "
            f"context.now < {int(terms.ends.timestamp())} && context.signed && !context.ended",
            {"starts": (format_time(terms.starts),), "ends": (format_time(terms.ends),)},
        ),
    )  # fmt: skip


NOTHING = N_("No agreement in force says so.")
"""Why not, where there is no agreement at all."""


def cedar(terms: Terms) -> str:
    """The agreement as the policy that decides."""
    lines = [f'@id("{terms.id}")', "permit (principal, action, resource)"]
    for clause in clauses(terms):
        lines += [f"// {clause.id}", f"when {{ {clause.cedar} }}"]
    return "\n".join(lines) + "\n;\n"


def each(terms: Terms) -> str:
    """Every clause as a policy of its own: those that do not permit are the reasons of a no."""
    return "".join(
        f'@id("{c.id}")\npermit (principal, action, resource) when {{ {c.cedar} }};\n'
        for c in clauses(terms)
    )


def _listed(id_: str, says: str, words: Iterable[str]) -> Clause:
    listed = tuple(sorted(words))
    return Clause(id_, says, f"{_set(listed)}.contains(resource.{id_})", {"listed": listed})


def _graded(terms: Terms) -> tuple[Clause, ...]:
    """The least grade; no clause where none is agreed. Answers between nodes have no grade."""
    if terms.grade is None:
        return ()
    source, credibility = terms.grade.ranks
    return (
        Clause(
            "grade",
            N_("Of what is released, only that goes whose source is graded %(source)s or better "
               "and what it says %(credibility)s or better, by the Admiralty code: A and 1 stand "
               "first, F and 6, which cannot be judged, last. What has no grade does not go."),
            f"{_set(ANSWERS)}.contains(resource.class) || "
            f"(resource.source <= {source} && resource.credibility <= {credibility})",
            {"source": (terms.grade.source,), "credibility": (terms.grade.credibility,)},
        ),
    )  # fmt: skip


def _caveat(terms: Terms) -> Clause:
    """The kind of an agency is what all parties signed, not what it says of itself."""
    conditions = [
        f'!(resource.caveats.contains("{kind}") && {_set(of)}.contains(principal.agency))'
        for kind in AgencyKind
        if (of := sorted(p.agency for p in terms.parties if p.kind is kind))
    ]
    said = tuple(sorted({p.kind.value for p in terms.parties}))
    return Clause(
        "caveat",
        N_("What is marked as not for a kind of agency is not seen by agencies of that kind, which "
           "are here: %(kinds)s."),
        " && ".join(conditions), {"kinds": said},
    )  # fmt: skip


def _third_party(terms: Terms) -> Clause:
    own = 'resource.originator == resource.giver && resource.originator != ""'
    if terms.third_party is Onward.NEVER:
        says = N_("No agency gives what came to it from another agency.")
        return Clause("third_party", says, own)
    return Clause(
        "third_party",
        N_("An agency gives what came to it from another agency only if that agency has permitted "
           "it."),
        f'({own}) || (context.permitted && resource.originator != "")',
    )  # fmt: skip


def _onward(terms: Terms) -> Clause:
    if terms.onward is Onward.NEVER:
        says = N_("The receiver passes nothing on.")
        return Clause("onward", says, 'action != Action::"pass_on"')
    return Clause(
        "onward",
        N_("The receiver passes something on only if the agency that it came from has permitted "
           "it, marked H2 or not."),
        'action != Action::"pass_on" || context.permitted',
    )  # fmt: skip


def _set(words: Iterable[str]) -> str:
    return "[" + ", ".join(json.dumps(str(w)) for w in sorted(words)) + "]"
