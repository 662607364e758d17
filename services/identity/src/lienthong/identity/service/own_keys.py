"""Identity's own keys, for verifying the access tokens of those who call it: what others follow over gRPC."""

from lienthong.identity.service.keyring import Keyring, NoSigningKeyError
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.tokens import KeySet


class OwnKeys:
    """The published keys as verifiers hold them; parsed again only when they have changed."""

    def __init__(self, keyring: Keyring, issuer: str) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._known: IdentityKeys | None = None

    def fresh(self) -> IdentityKeys | None:
        """The keys of this moment; None while they are not known, or not certain any more."""
        try:
            published = self._keyring.published
        except NoSigningKeyError:
            return None
        if not self._keyring.certain:
            return None
        known = self._known
        if known is None or known.version != published.version:
            same = known is not None and known.jwks == published.jwks
            self._known = IdentityKeys(
                version=published.version,
                issuer=self._issuer,
                jwks=published.jwks,
                key_set=known.key_set if known and same else KeySet.from_jwks(published.jwks),
                suspended=frozenset(published.refused_clients),
            )
        return self._known
