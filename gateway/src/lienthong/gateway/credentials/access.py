"""Shows calls to providers: the fields, the path and the connections that a provider asks for."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.credentials.secrets import SecretMissingError
from lienthong.gateway.credentials.spec import (
    BasicCredential,
    HeaderCredential,
    LgspAccessToken,
    OAuth2Credential,
)
from lienthong.gateway.credentials.token_endpoint import fetch_token
from lienthong.gateway.credentials.tokens import Tokens, TokenUnavailableError
from lienthong.gateway.field_names import plain
from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.gateway.credentials.secrets import Secret, Secrets
    from lienthong.gateway.credentials.spec import Access, Credential, XRoad
    from lienthong.gateway.credentials.tls import TlsPools
    from lienthong.gateway.http1.pool import Pool

_AUTHORIZATION: Final = field_prefix(b"authorization")
_LGSP_ACCESS_TOKEN: Final = field_prefix(b"lgspaccesstoken")
_LGSP_MEMBERS: Final = {
    "access_key": "AccessKey",
    "secret_key": "SecretKey",
    "app_name": "AppName",
    "partner_code": "PartnerCode",
    "partner_code_cus": "PartnerCodeCus",
}
_X_ROAD_CLIENT: Final = field_prefix(b"x-road-client")
_X_ROAD_ID: Final = field_prefix(b"x-road-id")
_X_ROAD_USER: Final = field_prefix(b"x-road-userid")
_X_ROAD_ISSUE: Final = field_prefix(b"x-road-issue")
_X_ROAD: Final = b"x-road-"
_AROUND_NAME: Final = (2, -2)
"""The end of a line before a field's name as it is written, and what stands behind it."""
_MOST_CLIENTS: Final = 4096


class Shown:
    """What one request shows."""

    __slots__ = ("_names", "fields", "pool", "tokens", "used", "x_road")

    def __init__(
        self,
        fields: list[bytes],
        pool: Pool,
        x_road: XRoad | None,
        tokens: Tokens | None,
        used: str | None,
    ) -> None:
        self.fields = fields
        """As they are written."""
        self.pool = pool
        self.x_road = x_road
        self.tokens = tokens
        self.used = used
        """The access token among the fields."""
        self._names = {plain(name[_AROUND_NAME[0] : _AROUND_NAME[1]]) for name in fields[::2]}

    def target(self, below: bytes) -> bytes:
        """The path and query that are asked for."""
        return below if self.x_road is None else self.x_road.prefix + below

    def without_others(self, passed: Sequence[bytes]) -> list[bytes]:
        """The caller's fields, as written, without any that looks like one of these."""
        start, end = _AROUND_NAME
        kept: list[bytes] = []
        for prefix, value in zip(passed[::2], passed[1::2], strict=True):
            name = plain(prefix[start:end])
            if name in self._names or (self.x_road is not None and name.startswith(_X_ROAD)):
                continue
            kept += (prefix, value)
        return kept


class ProviderAccess:
    """Has ready what providers are shown; `pool` is for those that want nothing special of TLS."""

    def __init__(
        self, secrets: Secrets, pool: Pool, tls: TlsPools, *, monotonic: Callable[[], float]
    ) -> None:
        self._secrets = secrets
        self._pool = pool
        self._tls = tls
        self._monotonic = monotonic
        self._tokens: dict[OAuth2Credential, tuple[Secret, Pool, Tokens]] = {}

    async def show(
        self, access: Access, deadline: float, *, tx: str, user: str | None, case: str | None
    ) -> Shown:
        """What a request has to show; `deadline` is on the loop's clock.

        Raises:
            ProblemError: provider-credentials-missing, provider-token-unavailable.
        """
        try:
            pool = self._pool if access.tls is None else self._tls.pool(access.tls)
            fields: list[bytes] = []
            tokens, used = None, None
            for credential in access.credentials:
                if isinstance(credential, OAuth2Credential):
                    tokens = self._tokens_of(credential, pool)
                    async with asyncio.timeout_at(deadline):
                        used = await tokens.token()
                    fields += (_AUTHORIZATION, b"Bearer " + used.encode())
                else:
                    fields += self._fixed(credential)
        except SecretMissingError as error:
            self._secrets.missed(error)
            raise problems.provider_credentials_missing(str(error.name)) from None
        except TokenUnavailableError as error:
            raise problems.provider_token_unavailable(error.reason, error.retry_after_s) from None
        except TimeoutError:
            raise problems.provider_token_unavailable("it does not answer in time", 1.0) from None
        if access.x_road is not None:
            fields += _x_road_fields(access.x_road, tx, user, case)
        return Shown(fields, pool, access.x_road, tokens, used)

    async def renewed(self, shown: Shown, deadline: float) -> bool:
        """Put another access token in the place of the one that was refused; False: there is none."""
        if shown.tokens is None or shown.used is None:
            return False
        try:
            async with asyncio.timeout_at(deadline):
                token = await shown.tokens.after_refusal(shown.used)
        except (SecretMissingError, TimeoutError):
            return False
        if token is None or token == shown.used:
            return False
        shown.fields[shown.fields.index(_AUTHORIZATION) + 1] = b"Bearer " + token.encode()
        shown.used = token
        return True

    def close(self) -> None:
        """End what is under way."""
        for _, _, tokens in self._tokens.values():
            tokens.close()

    def _fixed(self, credential: Credential) -> tuple[bytes, bytes]:
        if isinstance(credential, HeaderCredential):
            secret = self._secrets.get(credential.secret, credential.needs)
            field = field_prefix(credential.field), secret.line("value").encode()
        elif isinstance(credential, BasicCredential):
            secret = self._secrets.get(credential.secret, credential.needs)
            pair = f"{secret.line('username')}:{secret.line('password')}"
            field = _AUTHORIZATION, b"Basic " + base64.b64encode(pair.encode())
        elif isinstance(credential, LgspAccessToken):
            secret = self._secrets.get(credential.secret, tuple(_LGSP_MEMBERS))
            field = _LGSP_ACCESS_TOKEN, _lgsp_access_token(secret)
        else:
            raise TypeError(credential)
        self._secrets.found(credential.secret)
        return field

    def _tokens_of(self, credential: OAuth2Credential, pool: Pool) -> Tokens:
        secret = self._secrets.get(credential.secret, credential.needs)
        known = self._tokens.get(credential)
        if known is not None and known[0] is secret and known[1] is pool:
            return known[2]
        for member in credential.needs:
            secret.line(member)
        self._secrets.found(credential.secret)

        async def fetch() -> tuple[str, float]:
            return await fetch_token(pool, credential, secret)

        if len(self._tokens) >= _MOST_CLIENTS:
            self._tokens.clear()
        tokens = Tokens(fetch, monotonic=self._monotonic)
        self._tokens[credential] = secret, pool, tokens
        return tokens


def _lgsp_access_token(secret: Secret) -> bytes:
    document = {
        name: value
        for member, name in _LGSP_MEMBERS.items()
        if (value := secret.line(member) if member in LgspAccessToken.needs else secret.line_if_any(member))
        is not None
    }
    return base64.b64encode(msgspec.json.encode(document))


def _x_road_fields(x_road: XRoad, tx: str, user: str | None, case: str | None) -> list[bytes]:
    fields = [_X_ROAD_CLIENT, x_road.client, _X_ROAD_ID, tx.encode()]
    if user is not None:
        fields += (_X_ROAD_USER, user.encode())
    if case is not None:
        fields += (_X_ROAD_ISSUE, case.encode())
    return fields
