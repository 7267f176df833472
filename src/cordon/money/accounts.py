"""One account, however it is written: spaces, lower case, with or without country and check digits.

An IBAN (ISO 13616) is two letters, two check digits and the account within the country (BBAN).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from cordon.kernel.errors import BadInput

_IBAN = re.compile(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
_END = re.compile(r"^(?:[0-9A-Za-z]{3,11}/)?[0-9]{8,}$")
_AS_DIGITS = {ord("A") + n: str(10 + n) for n in range(26)}
_BETWEEN = re.compile(r"[\s\-./]+")


def written(text: str) -> str:
    """An account without what only parts its digits; a wallet's address stays as it is."""
    bare = _BETWEEN.sub("", text)
    # letters of coin addresses differ by case: only what is IBAN-like is raised
    return bare.upper() if _IBAN.match(bare.upper()) else text.strip()


def is_iban(account: str) -> bool:
    """True where the account has the shape of an IBAN."""
    return _IBAN.match(account) is not None


def checks(account: str) -> bool:
    """True where an IBAN's check digits are right (ISO 7064, MOD 97-10)."""
    return int((account[4:] + account[:4]).translate(_AS_DIGITS)) % 97 == 1


def joined(accounts: Sequence[str]) -> Mapping[str, str]:
    """For accounts written without country and check digits, the IBAN that they are; also by its
    last digits alone, eight or more.

    Only where exactly one IBAN among them ends in the same account: of two countries' nobody can
    tell which is meant, and both stay as they are.
    """
    by_rest: dict[str, list[str]] = {}
    for account in accounts:
        if is_iban(account):
            by_rest.setdefault(account[4:], []).append(account)
    found: dict[str, str] = {}
    for account in accounts:
        those = by_rest.get(account.upper(), ())
        if len(those) == 1 and not is_iban(account):
            found[account] = those[0]
    found = {**_by_end(accounts), **found}
    # an IBAN whose check digits are wrong is the right one, where that stands beside it
    for same in by_rest.values():
        right = [a for a in same if checks(a)] if len(same) > 1 else []
        if len(right) == 1:
            found.update({a: right[0] for a in same if a != right[0] and a[:2] == right[0][:2]})
    return {k: found.get(v, v) for k, v in found.items()}


def _by_end(accounts: Sequence[str]) -> dict[str, str]:
    """For accounts of digits, with their bank before a stroke or without, the one IBAN that ends in
    them and is of that bank."""
    split = {a: a.rpartition("/") for a in accounts if _END.match(a)}
    ends: dict[str, list[str]] = {end: [] for _, _, end in split.values()}
    sizes = sorted({len(end) for end in ends})
    for iban in accounts if sizes else ():
        if is_iban(iban):
            for size in sizes:
                if iban[-size:] in ends and size <= len(iban) - 4:
                    ends[iban[-size:]].append(iban)
    found = {}
    for account, (bank, _, end) in split.items():
        # a code of a bank stands in the account, of a BIC its first four letters
        mark = bank if bank.isdigit() else bank[:4].upper()
        those = [i for i in ends[end] if i[4:].startswith(mark)]
        if len(those) == 1:
            found[account] = those[0]
    return found


def placed(accounts: Sequence[str], account: str) -> int:
    """The position of an account among sorted ones, however it is written.

    Raises:
        BadInput: it is none of them, or may be several.
    """
    for name in (account, written(account)):
        at = bisect_left(accounts, name)
        if at < len(accounts) and accounts[at] == name:
            return at
    ends = [i for i, a in enumerate(accounts) if a[4:] == written(account)]
    if not ends and _END.match(account):
        ends = [i for i, a in enumerate(accounts) if is_iban(a) and a[4:].endswith(account)]
    if len(ends) == 1:
        return ends[0]
    raise BadInput(
        f"No payment names the account {account[:64]}.",
        advice="Write it as the payments do, or with its country and check digits.",
    )
