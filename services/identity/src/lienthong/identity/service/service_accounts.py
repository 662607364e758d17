"""Finds out whose tokens of service accounts are."""

import asyncio
from collections.abc import Collection, Mapping

from lienthong.identity.domain.service_accounts import (
    ServiceAccount,
    account_of,
    issuer_of,
    read_account_token,
    refused,
)
from lienthong.identity.service.cluster_keys import ClusterKeys
from lienthong.kit.clock import Clock


class ServiceAccounts:
    """Verifies tokens of the service accounts of some clusters, which are named by their issuers."""

    def __init__(
        self,
        clusters: Mapping[str, ClusterKeys],
        audiences: Collection[str],
        clock: Clock,
        *,
        leeway_s: float,
    ) -> None:
        self._clusters = clusters
        self._audiences = audiences
        self._clock = clock
        self._leeway_s = leeway_s

    def issued(self, text: str) -> str | None:
        """Which cluster a JWT says it is of; None for any other."""
        # Most installations have none: nothing is read twice there.
        issuer = issuer_of(text) if self._clusters else None
        return issuer if issuer in self._clusters else None

    async def verify(self, issuer: str, text: str) -> ServiceAccount:
        """Whose token it is.

        Raises:
            TokenError: `invalid_client`, or `temporarily_unavailable` where the keys cannot be had.
        """
        token = read_account_token(text)
        key = await self._clusters[issuer].find(token.key_id)
        if key is None or not key.signed(token):
            raise refused("key")
        return account_of(
            token.claims, audiences=self._audiences, leeway_s=self._leeway_s, now=self._clock.now()
        )

    async def close(self) -> None:
        """Stop loading keys."""
        await asyncio.gather(*(one.close() for one in self._clusters.values()))
