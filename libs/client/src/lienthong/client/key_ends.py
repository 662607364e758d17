"""The public keys of a system as its manifest lists them, and when they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import import_key

from lienthong.client.errors import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WARNED_DAYS = 30
"""From so many days before its end on, a key is shown as one to replace."""


@dataclass(frozen=True, slots=True)
class SystemKey:
    """A public key of a system; `ends` is None where it has no end."""

    system: str
    thumbprint: str
    kid: str
    ends: datetime | None

    @property
    def end_text(self) -> str | None:
        """When it ends, as a day in UTC."""
        return None if self.ends is None else self.ends.date().isoformat()

    def state(self, now: datetime, say: Callable[[Text], str]) -> str | None:
        """What to know about its end, if that is near."""
        if self.ends is None or not ending_within(self, now, WARNED_DAYS):
            return None
        if self.ends <= now:
            return say(Text("đã hết hạn", "has ended"))
        days = (self.ends - now).days
        return say(Text(f"còn {days} ngày", f"{days} days left"))

    def document(self) -> dict[str, Any]:
        """The key as JSON."""
        ends = None if self.ends is None else self.ends.isoformat().replace("+00:00", "Z")
        return {"system": self.system, "thumbprint": self.thumbprint, "kid": self.kid, "not_after": ends}


def keys_of(manifest: Mapping[str, Any]) -> Iterator[SystemKey]:
    """Yield the keys in a system's manifest; what cannot be read of one is left out."""
    system = str(manifest["metadata"]["id"])
    for jwk in manifest["spec"].get("jwks", {}).get("keys", []):
        try:
            thumbprint = import_key(jwk).thumbprint()
        except (JoseError, ValueError, TypeError, KeyError):
            thumbprint = ""
        ends = jwk.get("exp")
        end = datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) else None
        yield SystemKey(system, thumbprint, str(jwk.get("kid") or ""), end)


def ending_within(key: SystemKey, now: datetime, days: int) -> bool:
    """Tell whether a key ends within so many days, or has ended."""
    return key.ends is not None and key.ends <= now + timedelta(days=days)
