"""Secrets by their names: files of a folder, or the environment. They go nowhere but to their provider.

A secret has members, such as `username` and `password`, each a file of its own. Its name begins with the
system that it belongs to, so that whoever registers a service cannot have another's secrets sent to itself.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.kit.health import Condition, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lienthong.gateway.credentials.spec import SecretName

LOOKED_AGAIN_S: Final = 1.0
"""How old what is known of a file may be."""
_MAX_BYTES: Final = 64 * 1024
_TOLD_S: Final = 600.0
"""How long a missing secret is told that nothing asks for any more."""
_MOST_KEPT: Final = 4096
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]+")


class SecretMissingError(Exception):
    """A secret is not there, or cannot be used; the message says why, never what it holds."""

    def __init__(self, name: SecretName, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class Secret:
    """One secret as it was read; `==` tells whether it is still the same."""

    __slots__ = ("_values", "name")

    def __init__(self, name: SecretName, values: Mapping[str, str]) -> None:
        self.name = name
        self._values = dict(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self._values) == (other.name, other._values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Secret({self.name})"

    def line(self, member: str) -> str:
        """A member that is one line of text.

        Raises:
            SecretMissingError: it is not there, empty, or more than a line.
        """
        value = self.text(member).strip()
        if _ONE_LINE.fullmatch(value) is None:
            raise SecretMissingError(self.name, f"{member} is not one line of text")
        return value

    def line_if_any(self, member: str) -> str | None:
        """Likewise, None where it is not there."""
        return self.line(member) if member in self._values else None

    def text(self, member: str) -> str:
        """A member as it is.

        Raises:
            SecretMissingError: it is not there.
        """
        value = self._values.get(member)
        if value is None:
            raise SecretMissingError(self.name, f"{member} is missing")
        return value


class Secrets:
    """Finds secrets, notices when they change, and tells which are missing.

    `folder` holds a file `{agency}_{system}_{name}.{member}` for each member; `given` has what the
    environment gives, by `{agency}/{system}/{name}.{member}`, and goes before files.
    """

    def __init__(
        self,
        folder: Path,
        given: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._given = given
        self._monotonic = monotonic
        self._known: dict[tuple[SecretName, tuple[str, ...]], tuple[float, Secret]] = {}
        self._missing: dict[SecretName, tuple[float, str]] = {}

    def get(self, name: SecretName, members: tuple[str, ...]) -> Secret:
        """A secret with those of the members that are there.

        Raises:
            SecretMissingError: none of them is there, or one cannot be read.
        """
        now = self._monotonic()
        known = self._known.get((name, members))
        if known is not None and now - known[0] < LOOKED_AGAIN_S:
            return known[1]
        values = {member: value for member in members if (value := self._read(name, member)) is not None}
        if not values:
            raise SecretMissingError(name, f"there is no {self._file(name, members[0]).name}")
        found = Secret(name, values)
        if known is not None and known[1] == found:
            # The same object: what was made of it is good still.
            found = known[1]
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[name, members] = now, found
        return found

    def look(self, name: SecretName, members: tuple[str, ...]) -> None:
        """Look whether a secret is whole, before a call needs it."""
        try:
            secret = self.get(name, members)
            for member in members:
                secret.text(member)
        except SecretMissingError as error:
            self.missed(error)
        else:
            self.found(name)

    def missed(self, error: SecretMissingError) -> None:
        """Note that a secret is missing."""
        before = self._missing.get(error.name)
        self._missing[error.name] = self._monotonic(), error.reason
        if before is None or before[1] != error.reason:
            _log.warning("a provider's secret is missing", credentials=str(error.name), cause=error.reason)

    def found(self, name: SecretName) -> None:
        """Note that it is usable."""
        if self._missing and self._missing.pop(name, None) is not None:
            _log.info("a provider's secret is there again", credentials=str(name))

    def condition(self) -> Condition:
        """Degraded while a secret is missing that a service names."""
        now = self._monotonic()
        self._missing = {name: told for name, told in self._missing.items() if now - told[0] < _TOLD_S}
        if not self._missing:
            return Condition(State.OK)
        shown = sorted(f"{name} ({reason})" for name, (_, reason) in self._missing.items())
        return Condition(State.DEGRADED, f"secrets of providers are missing: {', '.join(shown[:10])}")

    def _file(self, name: SecretName, member: str) -> Path:
        # No code has an underscore: the name of the file can be read in one way only.
        return self._folder / f"{name.system_id.replace('/', '_')}_{name.name}.{member}"

    def _read(self, name: SecretName, member: str) -> str | None:
        given = self._given.get(f"{name}.{member}")
        if given is not None:
            return given
        try:
            with self._file(name, member).open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SecretMissingError(name, f"{member} cannot be read: {error.strerror}") from None
        if len(content) > _MAX_BYTES:
            raise SecretMissingError(name, f"{member} has more than {_MAX_BYTES} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise SecretMissingError(name, f"{member} is not UTF-8") from None


_log = structlog.get_logger(__name__)
