"""Settings of the identity process, beside those that all processes share."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from lienthong.kit.settings import Settings

TOKEN_PATH = "/oauth2/token"  # noqa: S105  a path
_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)


def _seconds(value: object) -> object:
    """Read a number of seconds; pydantic takes text from the environment for ISO 8601."""
    if isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]


class IdentitySettings(Settings):
    """Durations are seconds (`300`) or ISO 8601 (`PT5M`)."""

    identity_database_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{Path(data['home']) / 'identity' / 'identity.db'}"
    )
    """`sqlite+aiosqlite:///path`, or `postgresql+asyncpg://…` with the tables in the schema `identity`."""
    identity_key_file: Path = Field(
        default_factory=lambda data: Path(data["home"]) / "identity" / "key-encryption.jwk"
    )
    """The key that encrypts signing keys at rest; made at the first start if the database is SQLite."""
    identity_bootstrap_dir: Path | None = None
    """Where credentials of the clients `operator` and `auditor` are written; without it they are not made."""

    identity_token_lifetime: Duration = Field(default=timedelta(minutes=5), ge=_SECOND, le=_HOUR)
    """How long an access token lives."""
    identity_token_requests_per_s: float = Field(default=5.0, gt=0)
    """How many tokens one client may ask for, per second and process."""
    identity_token_requests_burst: float = Field(default=100.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    identity_assertion_lifetime: Duration = Field(default=timedelta(minutes=5), ge=_SECOND, le=_HOUR)
    """How far ahead an assertion may expire; used ones are stored until then."""
    identity_clock_leeway: Duration = Field(
        default=timedelta(seconds=10), ge=timedelta(0), le=timedelta(minutes=1)
    )
    """How much a client's clock may differ."""

    identity_key_announced_for: Duration = Field(default=_HOUR, ge=_SECOND)
    """How long a signing key is published before it signs; longer than anyone keeps a copy of the key set."""
    identity_key_signing_for: Duration = Field(default=timedelta(days=30), ge=_SECOND)
    """How long a key signs before the next takes over."""
    identity_key_grace: Duration = Field(default=timedelta(minutes=1), ge=timedelta(0), le=_HOUR)
    """How long an old key stays published after its last token has expired."""

    @model_validator(mode="after")
    def _announce_before_signing(self) -> Self:
        if self.identity_key_announced_for >= self.identity_key_signing_for:
            raise ValueError(
                "identity_key_announced_for must be shorter than identity_key_signing_for: "
                "the next key is published while the current one signs"
            )
        return self

    @property
    def token_endpoint(self) -> str:
        """The token endpoint's address as clients know it."""
        return f"{self.issuer}{TOKEN_PATH}"

    @property
    def token_endpoints(self) -> frozenset[str]:
        """All of its addresses: the edge's may be another one."""
        return frozenset(f"{address}{TOKEN_PATH}" for address in (self.issuer, self.edge) if address)

    @property
    def jwks_max_age(self) -> int:
        """For how many seconds verifiers may keep a copy of the key set: less than a key is announced."""
        return int(min(timedelta(minutes=5), self.identity_key_announced_for / 2).total_seconds())
