"""The settings of an embedded run, out of the environment."""

from __future__ import annotations

from pydantic import ValidationError

from lienthong.kit.settings import Settings
from lienthong.local.installation import InstallationError

_FOLLOWS = "default_factory_not_called"
"""A default that could not be derived from a setting that is wrong: nobody's mistake of its own."""


def read_settings() -> Settings:
    """The settings as the environment states them.

    Raises:
        InstallationError: a variable does not hold what it should; each is named.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "".join(
            f"\n  LIENTHONG_{'.'.join(map(str, one['loc'])).upper()}={one['input']}: {one['msg']}"
            for one in error.errors()
            if one["type"] != _FOLLOWS
        )
    raise InstallationError(f"biến môi trường không hợp lệ · the environment holds a wrong value:{wrong}")
