"""What of a package an officer may see: the rest is masked, in items and in every word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cordon.kernel.masking import redact
from cordon.kernel.work import View
from cordon.money.disruption.model import Item, Package

HIDDEN = "Shown under the package's authority alone."
"""What stands for words that somebody wrote freely: nobody can tell what they name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A package as one officer may see it.

    Attributes:
        package: masked where it must be. masked: how many items are. keys: what stands for each
            item in forms, never a number. wordless: True where free words are left out.
    """

    package: Package
    masked: int
    keys: tuple[str, ...]
    wordless: bool = False

    @property
    def whole(self) -> bool:
        """True where nothing is masked or left out."""
        return not self.masked and not self.wordless


def seen(view: View, act: str, package: Package) -> Shown:
    """The package as the actor may see it; what is shown in clear is recorded as read.

    Personal data is shown under the authority alone that it was drafted under (decision 0004).
    """
    keys = tuple(key(view, item) for item in package.items)
    clear = shown(view, act, package, package.items)
    hidden = [i for i in package.items if i.subject not in clear]
    if not hidden and under(view, package.authority):
        return Shown(package, 0, keys)
    masker = view.kernel.masker
    items = tuple(
        i if i.subject in clear else replace(i, subject=masker.mask_subject(i.subject))
        for i in package.items
    )
    answer = package.answer
    if answer is not None:
        answer = replace(answer, says=HIDDEN, reference=redact(answer.reference))
    masked = replace(
        package,
        items=items,
        why=HIDDEN,
        addressee=redact(package.addressee),
        steps=tuple(replace(s, note="") for s in package.steps),
        answer=answer,
    )
    return Shown(masked, len(hidden), keys, wordless=True)


def under(view: View, authority: str) -> bool:
    """True where the actor reads under this authority (its id) now."""
    chosen = view.actor.authority
    return chosen is not None and chosen.id == authority and chosen.usable(view.now)


def shown(view: View, act: str, package: Package, items: Iterable[Item]) -> set[str]:
    """Subjects of a package that may be seen in clear."""
    view.permit(act, package.thing())
    if not under(view, package.authority):
        return set()
    by_data: dict[str, list[str]] = {}
    for item in items:
        by_data.setdefault(item.data, []).append(item.subject)
    found: set[str] = set()
    for data, subjects in by_data.items():
        sight = view.sight(act, package.thing(), data, subjects)
        found |= {s for s in subjects if sight.shows(s)}
    return found


def key(view: View, item: Item) -> str:
    """What stands for an item in a form: its type and a pseudonym without any digit of it."""
    return key_of(view, item.subject)


def key_of(view: View, subject: str) -> str:
    """As `key`, of a subject (`type:id`)."""
    type_, _, value = subject.partition(":")
    return f"{type_}:{view.kernel.masker.pseudonym(type_, value).partition('·')[0]}"
