"""A provider that nobody here wrote: panva's oidc-provider, with people who say who they are."""

VERSION = "9.13.3"

PROVIDER = """
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const { issuer, host, port, client, people, idTokenClaims, jwks, pushed } = JSON.parse(process.argv[2])
const scopes = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'sid'],
  email: ['email', 'email_verified', 'work_mail'],
  profile: ['name', 'full_name'],
}
const provider = new Provider(issuer, {
  clients: [client],
  jwks,
  claims: { ...scopes, acr: null, auth_time: null, sid: null },
  conformIdTokenClaims: !idTokenClaims,
  cookies: { keys: ['only for tests'] },
  // Its own refuses the addresses of one machine.
  fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
  pkce: { required: () => true },
  acrValues: ['gold'],
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: pushed },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid profile email')
    await grant.save()
    return grant
  },
})
provider.on('server_error', (_, error) => console.error(error))
const body = async (req) => {
  let text = ''
  for await (const chunk of req) text += chunk
  return new URLSearchParams(text)
}
const answer = provider.callback()
createServer(async (req, res) => {
  const { pathname } = new URL(req.url, issuer)
  if (!pathname.startsWith('/interaction/')) return answer(req, res)
  if (req.method === 'GET') {
    res.setHeader('content-type', 'text/html')
    return res.end(`<!doctype html><html lang="en"><title>Provider</title><form method="post"
      action="${pathname}"><label>Who? <input name="who"></label><button>Sign in there</button></form>`)
  }
  const who = (await body(req)).get('who')
  const result = people[who]
    ? { login: { accountId: who, acr: people[who].acr, amr: people[who].amr } }
    : { error: 'access_denied' }
  return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false })
}).listen(port, host, () => console.log('ready'))
"""
