"""Where the objects of OpenID Connect are wired."""

from dataclasses import dataclass

from fastapi import APIRouter

from lienthong.identity.domain.access_tokens import TokenRules
from lienthong.identity.domain.scopes import CONSOLE
from lienthong.identity.openid.domain.applications import Application
from lienthong.identity.openid.domain.exchanges import Targets
from lienthong.identity.openid.endpoints.back_channel import BackChannel
from lienthong.identity.openid.endpoints.back_channel import routes as back_channel_routes
from lienthong.identity.openid.endpoints.registration import routes as registration_routes
from lienthong.identity.openid.service.applications import Applications
from lienthong.identity.openid.service.authorizations import Authorizations
from lienthong.identity.openid.service.exchanging import TokenExchange
from lienthong.identity.openid.service.grants import PeopleGrants
from lienthong.identity.openid.service.issuing import Issuing
from lienthong.identity.openid.service.logout_notices import LogoutNotices
from lienthong.identity.openid.service.posting import Poster
from lienthong.identity.openid.service.signing_out import SigningOut
from lienthong.identity.openid.service.standing import Standing
from lienthong.identity.openid.service.upkeep import SignOnUpkeep
from lienthong.identity.people.service.recording import IDENTITY
from lienthong.identity.people.service.sessions import Sessions
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.clients import ClientRegistry
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.own_keys import OwnKeys
from lienthong.identity.service.successions import Successions
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.actors import Actor
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.dpop import ProofReader
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminJournal
from lienthong.kit.policy import Grant, Role
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.shown import Shown
from lienthong.kit.text import BilingualText


@dataclass(frozen=True, slots=True)
class OpenIdParts:
    """What all services are made with."""

    database: Database
    journal: AdminJournal
    clock: Clock
    new_id: NewId


@dataclass(frozen=True, slots=True)
class OpenIdCore:
    """What lets people sign in to applications. `requests` limits what one application may ask."""

    applications: Applications
    authorizations: Authorizations
    grants: PeopleGrants
    exchange: TokenExchange
    standing: Standing
    signing_out: SigningOut
    notices: LogoutNotices
    upkeep: SignOnUpkeep
    requests: TokenBuckets


def open_openid(
    settings: IdentitySettings,
    rules: TokenRules,
    sessions: Sessions,
    registry: ClientRegistry,
    authentication: ClientAuthentication,
    keyring: Keyring,
    successions: Successions,
    parts: OpenIdParts,
) -> OpenIdCore:
    """Wire the services, which are told of sessions that end."""
    database, journal, clock, new_id = parts.database, parts.journal, parts.clock, parts.new_id
    issuer, keys = settings.issuer, OwnKeys(keyring, settings.issuer)
    issuing = Issuing(keyring, successions, rules, clock, new_id)
    poster = Poster(ProviderAddresses.of(settings))
    notices = LogoutNotices(database, issuing, poster, journal, clock, new_id)
    upkeep = SignOnUpkeep(database, notices, clock)
    sessions.on_end(upkeep.sessions_ended)
    sessions.on_renew(upkeep.session_renewed)
    standing = Standing(database, sessions, authentication, keys, successions, journal, clock, rules=rules)
    targets = Targets(rules.audience, settings.origins)
    limit = RateLimit(
        "application-requests",
        settings.identity_application_requests_per_s,
        settings.identity_application_requests_burst,
    )
    return OpenIdCore(
        Applications(database, registry, journal),
        Authorizations(database, sessions, authentication, keys, journal, clock, new_id, issuer=issuer),
        PeopleGrants(database, sessions, issuing, journal, clock),
        TokenExchange(database, authentication, standing, issuing, targets),
        standing,
        SigningOut(database, sessions, keys, issuer=issuer),
        notices,
        upkeep,
        TokenBuckets(limit, now=clock.monotonic),
    )


def openid_routes(
    core: OpenIdCore,
    authentication: ClientAuthentication,
    shown: Shown,
    proofs: ProofReader,
) -> tuple[APIRouter, ...]:
    """The routes at the REST port."""
    parts = BackChannel(authentication, core.authorizations, core.standing, core.requests)
    return (
        registration_routes(core.applications, core.standing.of_caller),
        back_channel_routes(parts, shown.certificates, proofs),
    )


async def register_console(applications: Applications, console_url: str) -> None:
    """Let people sign in to the console at this address, and to no other that was registered before."""
    actor = Actor(IDENTITY.name, frozenset({Grant(Role.PLATFORM_OPERATOR)}))
    name = BilingualText("Console", "Bảng điều khiển")
    redirects, after = (f"{console_url}/signed-in",), (f"{console_url}/",)
    await applications.put(actor, Application(CONSOLE, name, redirects, after))
