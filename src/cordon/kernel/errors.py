"""One base error and its kinds; each kind has one HTTP status and one exit code.

Every message is a sentence for its reader: what went wrong, and what to do next. It
never holds personal data, because messages reach logs.
"""

from __future__ import annotations

from typing import ClassVar


class CordonError(Exception):
    """Base of all errors that Cordon raises on purpose.

    Attributes:
        status: HTTP status code that the web answers with.
        exit_code: process exit code that a command ends with (formats: 1 refused or
            failed, 2 wrong usage).
        code: stable word for programs, the same in JSON answers and logs.
        advice: what the reader can do next, a sentence, or empty.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class BadInput(CordonError):
    """What was given cannot be used as it is; the message names the place."""

    status = 422
    code = "bad_input"


class BadUsage(CordonError):
    """A command or request was put together wrongly."""

    status = 400
    exit_code = 2
    code = "bad_usage"


class WrongSetting(CordonError):
    """A setting has a value it does not take."""

    status = 500
    exit_code = 2
    code = "wrong_setting"


class NotSignedIn(CordonError):
    """Nobody is signed in, or the session has ended."""

    status = 401
    code = "not_signed_in"


class SignInRefused(CordonError):
    """A sign-in that failed; the message never says which part was wrong."""

    status = 401
    code = "sign_in_refused"


class Refused(CordonError):
    """The policy does not let this officer do this act on this thing."""

    status = 403
    code = "refused"


class AuthorityRefused(Refused):
    """No legal authority covers this access: none chosen, expired, or another scope."""

    code = "authority_refused"


class NotFound(CordonError):
    """There is no such thing, or none that this officer may know of."""

    status = 404
    code = "not_found"


class Conflict(CordonError):
    """Somebody else changed or took it first, or its state does not allow the act."""

    status = 409
    code = "conflict"


class TooLarge(CordonError):
    """More bytes than the setting allows."""

    status = 413
    code = "too_large"


class TooMany(CordonError):
    """More requests than the rate limit allows."""

    status = 429
    code = "too_many"


class Cancelled(CordonError):
    """A job ended because somebody asked for it; what was done before is kept."""

    status = 409
    code = "cancelled"


class DoesNotVerify(CordonError):
    """A ledger, bundle or file is not what its proof says it should be."""

    status = 500
    code = "does_not_verify"


class Unavailable(CordonError):
    """Something the node needs is not there now: disk full, database away."""

    status = 503
    code = "unavailable"


def kinds() -> list[type[CordonError]]:
    """All kinds of error, the base first, each once."""
    found: list[type[CordonError]] = [CordonError]
    for kind in found:
        found.extend(k for k in kind.__subclasses__() if k not in found)
    return found
