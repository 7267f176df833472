"""Passwords: Argon2id (RFC 9106) under parameters that can grow, and what a new one must be."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from cordon.kernel.errors import BadInput

LONGEST = 256  # characters; a longer one would only cost time
_LEAST_DIFFERENT = 6  # different characters
_OBVIOUS = frozenset(
    {"password", "passwort", "qwerty", "qwertyuiop", "asdfghjkl", "letmein", "welcome", "admin"}
    | {"administrator", "changeme", "iloveyou", "secret", "cordon", "pakistan", "police"}
)
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """Parameters of Argon2id and the least length.

    The defaults are the least that OWASP's Password Storage Cheat Sheet asks for.

    Attributes:
        memory_kib: memory of one hash (KiB). passes: iterations. lanes: parallelism.
        shortest: characters of a new password (NIST SP 800-63B asks for at least 8).
    """

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1
    shortest: int = 12


def _hasher(rules: PasswordRules) -> PasswordHasher:
    return PasswordHasher(
        time_cost=rules.passes,
        memory_cost=rules.memory_kib,
        parallelism=rules.lanes,
        type=Type.ID,
    )


@lru_cache(maxsize=8)
def _nobody(rules: PasswordRules) -> str:
    """The hash of a password that is nobody's, made once: it costs what a sign-in does."""
    return _hasher(rules).hash("nobody has this password")


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self, rules: PasswordRules = PasswordRules()) -> None:
        self.rules = rules
        self._hasher = _hasher(rules)
        # Somebody unknown is checked against this, so that they take as long as somebody known.
        self._nobody = _nobody(rules)

    def hash(self, password: str) -> str:
        """Hash a password in Argon2's own encoding, its salt and parameters inside."""
        return self._hasher.hash(_normal(password))

    def check(self, hashed: str | None, password: str) -> bool:
        """True where the password is the one; takes its time where there is none, too."""
        if len(password) > LONGEST:
            password = ""
        try:
            good = self._hasher.verify(hashed or self._nobody, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return good and hashed is not None

    def outgrown(self, hashed: str) -> bool:
        """True where the hash was made under other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def accept_new(self, password: str, *, login: str, name: str) -> None:
        """Refuse a new password that is short or easily guessed, saying which.

        Length counts, not kinds of characters (NIST SP 800-63B, §3.1.1.2).
        """
        normal = _normal(password)
        if len(normal) < self.rules.shortest:
            raise BadInput(
                f"The password has {len(normal)} characters.",
                advice=f"Take at least {self.rules.shortest}; a few words in a row will do.",
            )
        if len(normal) > LONGEST:
            raise BadInput(f"The password is longer than {LONGEST} characters.")
        folded = normal.casefold()
        own = [part for part in [login, *name.split()] if len(part) >= 4]
        if any(part.casefold() in folded for part in own):
            raise BadInput("The password holds the officer's own name.", advice="Take another one.")
        letters = "".join(c for c in folded if c.isalpha())
        if (
            len(set(folded)) < _LEAST_DIFFERENT
            or letters in _OBVIOUS
            or any(_without_run(folded, run) < 5 for run in _RUNS)
        ):
            raise BadInput(
                "The password is easily guessed.",
                advice="Take words that do not usually stand together.",
            )


def _normal(password: str) -> str:
    # The same password typed on another keyboard may come in another form (SP 800-63B: NFKC)
    return unicodedata.normalize("NFKC", password)


def _without_run(folded: str, run: str) -> int:
    """How many characters are left once steps along a run (up or down) are taken out."""
    steps = {run[i : i + 2] for i in range(len(run) - 1)}
    steps |= {step[::-1] for step in steps}
    return len(folded) - sum(1 for i in range(len(folded) - 1) if folded[i : i + 2] in steps)
