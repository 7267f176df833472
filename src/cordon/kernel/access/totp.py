"""The second factor: time-based one-time passwords (RFC 6238), each taken once."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

STEP_S = 30
_EITHER_SIDE = 1  # steps that a phone's clock may be off


def new_secret() -> str:
    """A new secret in base32: 160 bits, as RFC 4226 §4 recommends."""
    return pyotp.random_base32(32)


def address(secret: str, login: str, issuer: str) -> str:
    """The `otpauth://` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The time step that a code is of, or None where it is wrong or was used already.

    Args:
        last_step: the last step taken; it and those before it are refused (RFC 6238 §5.2).
    """
    code = code.replace(" ", "")
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found: int | None = None
    for step in range(present - _EITHER_SIDE, present + _EITHER_SIDE + 1):
        # every step is compared, so that the time taken does not say which
        same = hmac.compare_digest(totp.generate_otp(step), code)
        if same and step > last_step and found is None:
            found = step
    return found
