"""Codes of an authenticator application: TOTP (RFC 6238), six digits, every thirty seconds."""

import hmac
from datetime import datetime
from typing import Final

import pyotp

STEP_S: Final = 30
DRIFT_STEPS: Final = 1
"""How many steps the clock of a telephone may differ, either way (RFC 6238 §5.2)."""

_SECRET_CHARACTERS: Final = 32
"""Of base32: 160 bits, the length of the hash (RFC 4226 §4)."""
_DIGITS: Final = 6


def new_secret() -> str:
    """A secret of 160 bits, in base32."""
    return pyotp.random_base32(_SECRET_CHARACTERS)


def provisioning_uri(secret: str, *, login: str, issuer: str) -> str:
    """The `otpauth:` address that a telephone reads off the screen."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def matching_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The step of time whose code this is, if it lies within the drift and later than step `after`.

    A code is good once: the caller keeps the step, and gives it as `after` the next time. Every step in the
    window is compared, whichever matched.
    """
    digits = "".join(code.split()) if len(code) <= 2 * _DIGITS else ""
    if len(digits) != _DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    current = int(now.timestamp()) // STEP_S
    application = pyotp.TOTP(secret, digits=_DIGITS, interval=STEP_S)
    found: int | None = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        same = hmac.compare_digest(application.generate_otp(step), digits)
        if same and step > after:
            found = step
    return found
