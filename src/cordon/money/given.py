"""What is told with a file that does not tell it: whose statement it is, and its currency."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cordon.kernel.errors import BadInput
from cordon.money.accounts import checks, is_iban, written

Told = Mapping[str, str]
"""What is told with files, by field: `account`, `currency`."""

_ACCOUNT = re.compile(r"[^\W_][\w /.:+-]{2,63}")
_CURRENCY = re.compile(r"[A-Z]{3,10}")


def told_account(text: str) -> str:
    """An account as payments write it.

    Raises:
        BadInput: it is none, or an IBAN with a wrong sign.
    """
    account = written(text)
    if not _ACCOUNT.fullmatch(account) or not any(c.isdigit() for c in account):
        raise BadInput(
            "The account that was told is none.",
            advice="Write its number or IBAN, as it stands on the bank's paper.",
        )
    if is_iban(account) and not checks(account):
        raise BadInput(
            "The account that was told has the form of an IBAN, and its check digits do not fit.",
            advice="Hold it against the bank's paper: a sign of it is wrong.",
        )
    return account


def told_with(account: str, currency: str) -> Told:
    """Both as they are kept with a file; what is empty is not told.

    Raises:
        BadInput: as of `told_account` and `told_currency`.
    """
    found = {}
    if account.strip():
        found["account"] = told_account(account)
    if currency.strip():
        found["currency"] = told_currency(currency)
    return found


def told_currency(text: str) -> str:
    """A currency's code.

    Raises:
        BadInput: it is none.
    """
    code = text.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise BadInput(
            "The currency that was told is no code.",
            advice="Write its code of three letters (ISO 4217), for example PKR.",
        )
    return code
