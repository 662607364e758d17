#!/usr/bin/env bash
# Authlib 1.9.10 with requests 2.34.2: further claims for the client's assertion (private_key_jwt)
#
# Expected: every assertion has its own `jti`. RFC 7519, section 4.1.7: no two JWTs share one; OpenID Connect Core 1.0,
#           section 9: an assertion is used once, unless otherwise agreed. Without further claims Authlib does so.
# Seen:     with PrivateKeyJWT(claims=...) Authlib writes the first `jti` into the caller's dictionary and sends it with
#           every later assertion. A server that keeps to the standard refuses the second token request with `invalid_client`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  authlib==1.9.10 requests==2.34.2 joserfc==1.8.0 cryptography==50.0.2

"$folder/venv/bin/python" - <<'PY'
import base64
import json
import sys
from urllib.parse import parse_qs

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import RSAKey
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

TOKEN_ENDPOINT = "https://login.example/token"


class OneUseServer(BaseAdapter):
    """A token endpoint that takes every `jti` once."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def send(self, request: PreparedRequest, **options: object) -> Response:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        payload = parse_qs(body)["client_assertion"][0].split(".")[1]
        jti = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"]
        response = Response()
        response.status_code = 401 if jti in self.seen else 200
        answer = {"error": "invalid_client"} if jti in self.seen else {"access_token": "a", "token_type": "Bearer"}
        response._content = json.dumps(answer).encode()
        self.seen.append(jti)
        return response

    def close(self) -> None:
        pass


def two_requests(claims: dict[str, str] | None) -> tuple[list[str], int]:
    """What came of two token requests, and how many different `jti` they carried."""
    server = OneUseServer()
    method = PrivateKeyJWT(TOKEN_ENDPOINT, claims=claims)
    session = OAuth2Session("agency", key, token_endpoint_auth_method=method)
    session.mount("https://", server)
    outcomes = []
    for _ in range(2):
        try:
            session.fetch_token(TOKEN_ENDPOINT, grant_type="client_credentials")
            outcomes.append("token")
        except OAuthError as error:
            outcomes.append(error.error)
    return outcomes, len(set(server.seen))


key = RSAKey.generate_key(2048).as_pem(private=True).decode()
claims = {"department": "registry"}
plain, extended = two_requests(None), two_requests(claims)
print(f"without further claims: {plain[0]}, {plain[1]} different jti")
print(f"with further claims:    {extended[0]}, {extended[1]} different jti; the dictionary now has {sorted(claims)}")

if plain != (["token", "token"], 2) or extended != (["token", "invalid_client"], 1) or "jti" not in claims:
    sys.exit("Authlib no longer behaves as described")
PY
