"""Settings of the console, beside those that all processes share."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from lienthong.kit.settings import Settings


class ConsoleSettings(Settings):
    """What an operator may set, as `LIENTHONG_CONSOLE_…`."""

    console_credentials_dir: Path = Field(default_factory=lambda data: Path(data["home"]) / "console")
    """Where the key of the client `console` lies (`key.jwk`); identity makes it in its bootstrap folder."""

    console_gateway_url: str | None = None
    """The gateway's address as the console reaches it; empty: the public one."""

    console_sign_in_starts_per_s: float = Field(default=2.0, gt=0)
    """How many sign-ins may begin per second from one network (an IPv4 address, or 64 bits of IPv6): each
    asks identity, which answers the console as one client."""
    console_sign_in_starts_burst: float = Field(default=50.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    console_proxies: int = Field(default=0, ge=0, le=5)
    """How many proxies, one behind the other, stand before the console and append to X-Forwarded-For: by the
    addresses in it sign-ins are counted. 0: nobody is believed."""

    @model_validator(mode="after")
    def _console_by_itself(self) -> Self:
        # Not the port alone: cookies do not know ports (RFC 6265 §8.5).
        host = urlsplit(self.console_url).hostname
        if host in {urlsplit(address).hostname for address in self.origins}:
            raise ValueError(
                f"console_url must have another host than public_url and edge_url, and not {host}: "
                "pages of providers there could act as the person who is signed in"
            )
        return self

    @property
    def console_gateway(self) -> str:
        """Where the console asks the platform, without a slash at its end."""
        return (self.console_gateway_url or self.public_url).rstrip("/")

    @property
    def console_redirect(self) -> str:
        """Where identity sends browsers back to with a code."""
        return f"{self.console_url}/signed-in"
