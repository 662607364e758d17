"""Settings of the identity process, beside those that all processes share."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from lienthong.kit.settings import Settings

TOKEN_PATH = "/oauth2/token"  # noqa: S105  a path
PAR_PATH = "/oauth2/par"
USERINFO_PATH = "/oauth2/userinfo"
INTROSPECT_PATH = "/oauth2/introspect"
REVOKE_PATH = "/oauth2/revoke"
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

    identity_registers_console: bool = False
    """Whether each start lets people sign in to the console at `LIENTHONG_CONSOLE_URL`. It takes the
    credentials of own clients; elsewhere an operator registers the application `console`."""

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

    identity_clusters_file: Path | None = None
    """The clusters whose Kubernetes service accounts may stand for systems, in TOML; without it none may."""

    identity_key_announced_for: Duration = Field(default=_HOUR, ge=_SECOND)
    """How long a signing key is published before it signs; longer than anyone keeps a copy of the key set."""
    identity_key_signing_for: Duration = Field(default=timedelta(days=30), ge=_SECOND)
    """How long a key signs before the next takes over."""
    identity_key_grace: Duration = Field(default=timedelta(minutes=1), ge=timedelta(0), le=_HOUR)
    """How long an old key stays published after its last token has expired."""

    identity_link_lifetime: Duration = Field(
        default=timedelta(hours=24), ge=timedelta(minutes=5), le=timedelta(days=7)
    )
    """How long the one-time link of an invitation, or of the first administrator, is good."""
    identity_session_lifetime: Duration = Field(
        default=timedelta(hours=12), ge=timedelta(minutes=5), le=timedelta(days=1)
    )
    """How long a person stays signed in at most."""
    identity_session_idle: Duration = Field(
        default=timedelta(minutes=30), ge=timedelta(minutes=1), le=timedelta(days=1)
    )
    """After how long without a request a session ends."""
    identity_account_idle: Duration = Field(
        default=timedelta(days=45), ge=timedelta(days=1), le=timedelta(days=366)
    )
    """After how long without a sign-in an account is locked."""
    identity_account_review: Duration = Field(
        default=timedelta(days=182), ge=timedelta(days=1), le=timedelta(days=366)
    )
    """After how long an account has to be confirmed again."""
    identity_sign_in_starts_per_s: float = Field(default=2.0, gt=0)
    """How many sign-ins may begin per second from one network (an IPv4 address, or 64 bits of IPv6), and on
    one device on which somebody has signed in before."""
    identity_sign_in_starts_burst: float = Field(default=50.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    identity_application_requests_per_s: float = Field(default=20.0, gt=0)
    """How often one application may push requests, ask what tokens are worth and revoke them, per second and
    process."""
    identity_application_requests_burst: float = Field(default=200.0, ge=1)
    """How many of these at once; those beyond are refused with 429."""

    identity_providers_file: Path | None = None
    """The OpenID Connect providers in which people may sign in instead of here (YAML); none without it."""

    identity_pages_proxies: int = Field(default=0, ge=0, le=5)
    """How many proxies, one behind the other, stand before the pages for people and append to
    X-Forwarded-For: by the addresses in it guesses of passwords are counted. 0: nobody is believed."""

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
    def assertion_audiences(self) -> frozenset[str]:
        """What a client's assertion may be made for (RFC 7523 §3, RFC 9126 §2): this server, or one of its
        endpoints for tokens and pushed requests."""
        pushed = frozenset(f"{address}{PAR_PATH}" for address in self.origins)
        return self.token_endpoints | pushed | {self.issuer}

    @property
    def token_endpoints(self) -> frozenset[str]:
        """All of its addresses: the edge's may be another one."""
        return frozenset(f"{address}{TOKEN_PATH}" for address in self.origins)

    @property
    def jwks_max_age(self) -> int:
        """For how many seconds verifiers may keep a copy of the key set: less than a key is announced."""
        return int(min(timedelta(minutes=5), self.identity_key_announced_for / 2).total_seconds())
