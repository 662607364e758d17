"""The settings of an embedded run, read from the environment."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from lienthong.kit.settings import Settings
from lienthong.local.installation import InstallationError

_Settings = TypeVar("_Settings", bound=Settings)
_FOLLOWS = "default_factory_not_called"
"""Pydantic's error for a default that depends on another setting, which is wrong: not reported."""


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read the settings of that kind.

    Raises:
        InstallationError: variables have wrong values; each is named.
    """
    try:
        return kind()
    except ValidationError as error:
        wrong = "".join(
            f"\n  LIENTHONG_{'.'.join(map(str, one['loc'])).upper()}={one['input']}: {one['msg']}"
            for one in error.errors()
            if one["type"] != _FOLLOWS
        )
    raise InstallationError(f"biến môi trường không hợp lệ · the environment holds a wrong value:{wrong}")
