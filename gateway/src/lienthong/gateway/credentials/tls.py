"""Connections to providers with a certificate of the gateway's, or to providers of an authority of their own.

They are kept apart from all others: who may use one certificate must not be lent a connection of another.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Final

from lienthong.gateway.credentials.secrets import SecretMissingError
from lienthong.gateway.http1.pool import Pool, provider_trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.credentials.secrets import Secret, Secrets
    from lienthong.gateway.credentials.spec import SecretName, TlsNames
    from lienthong.gateway.http1.circuit import CircuitState

_MOST: Final = 1024


class TlsPools:
    """Pools by the secrets of their TLS; a changed secret gets a new one.

    The connections of the old one end as any others do that nobody uses again.
    """

    def __init__(self, secrets: Secrets, new_pool: Callable[[ssl.SSLContext], Pool]) -> None:
        self._secrets = secrets
        self._new_pool = new_pool
        self._pools: dict[TlsNames, tuple[Secret | None, Secret | None, Pool]] = {}
        self._unusable: dict[TlsNames, tuple[Secret | None, Secret | None, SecretMissingError]] = {}

    def pool(self, names: TlsNames) -> Pool:
        """The pool for these secrets.

        Raises:
            SecretMissingError: one of them is missing or cannot be used.
        """
        certificate = self._secret(names.certificate, names.CERTIFICATE)
        authority = self._secret(names.authority, names.AUTHORITY)
        known = self._pools.get(names)
        if known is not None and known[0] is certificate and known[1] is authority:
            return known[2]
        unusable = self._unusable.get(names)
        if unusable is not None and unusable[0] is certificate and unusable[1] is authority:
            # Looking at them again takes tens of milliseconds of all calls, and says the same.
            raise SecretMissingError(unusable[2].name, unusable[2].reason)
        try:
            context = _context(certificate, authority)
        except SecretMissingError as error:
            if len(self._unusable) >= _MOST:
                self._unusable.clear()
            # Anew: that one has its traceback, and all that it leads to.
            self._unusable[names] = certificate, authority, SecretMissingError(error.name, error.reason)
            raise
        self._unusable.pop(names, None)
        pool = self._new_pool(context)
        if len(self._pools) >= _MOST:
            self._pools.clear()
        self._pools[names] = certificate, authority, pool
        return pool

    def close(self) -> None:
        """Close every connection."""
        for _, _, pool in self._pools.values():
            pool.close()

    def connections(self) -> tuple[int, int]:
        """How many are idle, and how many are in use."""
        counts = [pool.connections() for _, _, pool in list(self._pools.values())]
        return sum(idle for idle, _ in counts), sum(active for _, active in counts)

    def resting(self) -> int:
        """How many addresses failed and are left alone."""
        return sum(pool.resting() for _, _, pool in list(self._pools.values()))

    def circuits(self) -> dict[tuple[str, CircuitState], int]:
        """How many addresses of each service are not simply called, by where they are."""
        found: dict[tuple[str, CircuitState], int] = {}
        for _, _, pool in list(self._pools.values()):
            for place, number in pool.circuits().items():
                found[place] = found.get(place, 0) + number
        return found

    def _secret(self, name: SecretName | None, members: tuple[str, ...]) -> Secret | None:
        return self._secrets.get(name, members) if name is not None else None


def _context(certificate: Secret | None, authority: Secret | None) -> ssl.SSLContext:
    if authority is None:
        context = provider_trust()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=authority.text("ca"))
        except (ssl.SSLError, ValueError):
            raise SecretMissingError(authority.name, "ca holds no certificates (PEM)") from None
    if certificate is not None:
        _load(context, certificate)
    return context


def _load(context: ssl.SSLContext, certificate: Secret) -> None:
    """OpenSSL reads keys from files only: one in memory, which nobody else can open."""
    text = certificate.text("crt") + "\n" + certificate.text("key")
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text.encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=lambda: "")
    except (ssl.SSLError, ValueError):
        raise SecretMissingError(
            certificate.name, "crt and key are no certificate with its key (PEM, without a passphrase)"
        ) from None
    finally:
        os.close(descriptor)
