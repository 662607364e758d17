"""Programs of applications in JavaScript: they print where the browser has to go, and read where it went."""

OPENID_CLIENT = """
import { createInterface } from 'node:readline/promises'
import * as client from 'openid-client'

const [issuer, client_id, jwk, redirect_uri, signed_out, bound] = process.argv.slice(2)
const key = await crypto.subtle.importKey(
  'jwk', JSON.parse(jwk), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
)
const config = await client.discovery(
  new URL(issuer), client_id, undefined, client.PrivateKeyJwt(key),
  { execute: [client.allowInsecureRequests] },
)
const DPoP = bound ? client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) : undefined

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const address = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri,
  scope: 'openid profile roles api',
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: expectedState,
  nonce: expectedNonce,
}, { DPoP })
console.log(address.href)

const lines = createInterface({ input: process.stdin })
const back = new URL((await lines[Symbol.asyncIterator]().next()).value)
const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 600 }
const first = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP })
const { sub, acr, amr, sid } = first.claims()
const info = await client.fetchUserInfo(config, first.access_token, sub, { DPoP })
const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP })
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = 'urn:ietf:params:oauth:token-type:access_token'
const acting = await client.genericGrantRequest(config, grant, {
  subject_token: second.access_token, subject_token_type: type, scope: 'api', resource: issuer,
}, { DPoP })
const worth = await client.tokenIntrospection(config, acting.access_token)
const before = await client.tokenIntrospection(config, second.access_token)
await client.tokenRevocation(config, second.refresh_token)
const after = await client.tokenIntrospection(config, second.access_token)
const end = client.buildEndSessionUrl(config, {
  post_logout_redirect_uri: signed_out, id_token_hint: second.id_token, state: 'bye',
})
console.log(JSON.stringify({
  sub, acr, amr, sid, info, type: second.token_type,
  exchanged: { type: acting.issued_token_type, scope: acting.scope, act: worth.act, sub: worth.sub },
  before: before.active, after: after.active, end: end.href,
}))
process.exit(0)
"""

OAUTH4WEBAPI = """
import { createInterface } from 'node:readline/promises'
import * as oauth from 'oauth4webapi'

const [issuer, client_id, jwk, redirect_uri, signed_out] = process.argv.slice(2)
const key = await crypto.subtle.importKey(
  'jwk', JSON.parse(jwk), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
)
const options = { [oauth.allowInsecureRequests]: true }
const server = new URL(issuer)
for (const algorithm of ['oauth2', 'oidc']) {
  const answer = await oauth.discoveryRequest(server, { algorithm, ...options })
  var as = await oauth.processDiscoveryResponse(server, answer)
}
const client = { client_id, id_token_signed_response_alg: 'ES256', require_auth_time: true }
const authentication = oauth.PrivateKeyJwt(key)

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const asked = new URLSearchParams({
  redirect_uri,
  response_type: 'code',
  scope: 'openid profile roles api',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
const pushed = await oauth.processPushedAuthorizationResponse(
  as, client, await oauth.pushedAuthorizationRequest(as, client, authentication, asked, options),
)
const address = new URL(as.authorization_endpoint)
address.searchParams.set('client_id', client_id)
address.searchParams.set('request_uri', pushed.request_uri)
console.log(address.href)

const lines = createInterface({ input: process.stdin })
const back = new URL((await lines[Symbol.asyncIterator]().next()).value)
const answered = oauth.validateAuthResponse(as, client, back, state)
const first = await oauth.processAuthorizationCodeResponse(
  as,
  client,
  await oauth.authorizationCodeGrantRequest(
    as, client, authentication, answered, redirect_uri, verifier, options,
  ),
  { expectedNonce: nonce, requireIdToken: true, maxAge: 600 },
)
const { sub, acr, amr, sid } = oauth.getValidatedIdTokenClaims(first)
const info = await oauth.processUserInfoResponse(
  as, client, sub, await oauth.userInfoRequest(as, client, first.access_token, options),
)
const second = await oauth.processRefreshTokenResponse(
  as,
  client,
  await oauth.refreshTokenGrantRequest(as, client, authentication, first.refresh_token, options),
)
const worth = async (token) => oauth.processIntrospectionResponse(
  as, client, await oauth.introspectionRequest(as, client, authentication, token.access_token, options),
)
const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = 'urn:ietf:params:oauth:token-type:access_token'
const acting = await oauth.processGenericTokenEndpointResponse(
  as,
  client,
  await oauth.genericTokenEndpointRequest(
    as,
    client,
    authentication,
    grant,
    { subject_token: second.access_token, subject_token_type: type, scope: 'api', resource: issuer },
    options,
  ),
)
const exchanged = await worth(acting)
const before = await worth(second)
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, authentication, second.refresh_token, options),
)
const after = await worth(second)
const end = new URL(as.end_session_endpoint)
for (const [name, value] of Object.entries({
  post_logout_redirect_uri: signed_out, id_token_hint: second.id_token, state: 'bye',
})) end.searchParams.set(name, value)
console.log(JSON.stringify({
  sub, acr, amr, sid, info, type: second.token_type,
  exchanged: {
    type: acting.issued_token_type, scope: acting.scope, act: exchanged.act, sub: exchanged.sub,
  },
  before: before.active, after: after.active, end: end.href,
}))
process.exit(0)
"""
