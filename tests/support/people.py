"""Tokens of people, as identity gives them to the console, and the roles that tests try one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.contracts.identity.v1 import keys_pb2
from lienthong.kit.access import Access
from lienthong.kit.keys import fold_keys
from lienthong.kit.policy import Grant, Role
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import TokenVerifier
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.kit.clock import Clock

OWN, OTHER = "H11.05", "H11.06"
ROLES: Final = (
    Grant(Role.PLATFORM_OPERATOR),
    Grant(Role.AGENCY_ADMINISTRATOR, OWN),
    Grant(Role.DEVELOPER, OWN),
    Grant(Role.DATA_OWNER, OWN),
    Grant(Role.SECURITY_OFFICER, OWN),
    Grant(Role.AUDITOR, OWN),
    Grant(Role.SECURITY_OFFICER),
    Grant(Role.AUDITOR),
)
"""In the order of the table of decision 0058."""
PERSON = "01890000-0000-7000-8000-000000000001"


@dataclass
class Issuer:
    """Who signs tokens that a service takes."""

    clock: Clock
    issuer: str = "http://127.0.0.1:1"
    audience: str = "urn:lgsp:VN-BTN"

    def __post_init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "k1"})

    def access(self) -> Access:
        """What a service verifies tokens with."""
        jwks = json.dumps({"keys": [self._key.as_dict(private=False)]})
        keys = fold_keys(None, keys_pb2.WatchResponse(version=1, issuer=self.issuer, jwks=jwks))
        verifier = TokenVerifier(self.issuer, self.audience, self.clock)
        return Access(lambda: keys, verifier, Shown(rpc_trust(), self.clock))

    def person(self, grants: Collection[Grant], scope: str = "openid roles platform") -> dict[str, str]:
        """The header of a request for someone with these roles who has signed in to the console."""
        roles = [grant.name for grant in grants]
        return self._header(sub=PERSON, client_id="console", sid="s1", roles=roles, scope=scope)

    def client(self, client_id: str, scope: str) -> dict[str, str]:
        """The header of a request of a client for itself."""
        return self._header(sub=client_id, client_id=client_id, scope=scope)

    def _header(self, **claims: Any) -> dict[str, str]:  # noqa: ANN401 - any claims
        now = self.clock.now()
        usual = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "jti": "s1.1",
        }
        token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, usual | claims, self._key)
        return {"Authorization": f"Bearer {token}"}
