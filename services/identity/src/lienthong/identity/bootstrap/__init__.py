"""The only place where the objects of the identity process are wired."""

from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import grpc.aio
from fastapi import FastAPI
from sqlalchemy import make_url

from lienthong.contracts.identity.v1.keys_pb2_grpc import add_KeysServicer_to_server
from lienthong.contracts.identity.v1.systems_pb2_grpc import add_SystemsServicer_to_server
from lienthong.identity.background.timers import Timers
from lienthong.identity.bootstrap.openid import (
    OpenIdCore,
    OpenIdParts,
    open_openid,
    openid_routes,
    register_console,
)
from lienthong.identity.domain.access_tokens import TokenRules
from lienthong.identity.domain.assertions import AssertionRules
from lienthong.identity.domain.clusters import read_clusters
from lienthong.identity.domain.key_encryption import KeyEncryption
from lienthong.identity.domain.rotation import RotationRules
from lienthong.identity.endpoints import routes
from lienthong.identity.events import SERVICE
from lienthong.identity.models import history, outbox, retained
from lienthong.identity.openid.background import SignOnTimers
from lienthong.identity.openid.endpoints.browser import browser_routes
from lienthong.identity.openid.endpoints.clients import routes as client_routes
from lienthong.identity.pages.app import create_pages_app
from lienthong.identity.pages.browser import Web
from lienthong.identity.people.background import AccountTimers, catalog_followers
from lienthong.identity.people.domain.accounts import AccountRules
from lienthong.identity.people.domain.passkeys import RelyingParty
from lienthong.identity.people.domain.sessions import SessionRules
from lienthong.identity.people.endpoints import link_url
from lienthong.identity.people.endpoints import routes as people_routes
from lienthong.identity.people.service.factors import Factors
from lienthong.identity.people.service.failures import Failures
from lienthong.identity.people.service.mergers import Mergers
from lienthong.identity.people.service.own_account import OwnAccount
from lienthong.identity.people.service.password_checks import PasswordChecks
from lienthong.identity.people.service.people import People
from lienthong.identity.people.service.sessions import Sessions
from lienthong.identity.people.service.sign_ins import SignIns
from lienthong.identity.people.service.upkeep import Upkeep
from lienthong.identity.people.service.upstream import UpstreamSignIns
from lienthong.identity.rpc import KeysService, SystemsService
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.clients import ClientRegistry, read_catalog_again
from lienthong.identity.service.cluster_keys import ClusterKeys, loader
from lienthong.identity.service.key_encryption_file import load_key_encryption
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.own_clients import register_own_clients
from lienthong.identity.service.own_keys import OwnKeys
from lienthong.identity.service.providers import Providers
from lienthong.identity.service.service_accounts import ServiceAccounts
from lienthong.identity.service.successions import Successions
from lienthong.identity.service.tokens import TokenService
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.access import Access
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.bus import Bus
from lienthong.kit.clock import Clock, SystemClock, rfc3339
from lienthong.kit.database import Database, migrate
from lienthong.kit.dpop import ProofReader
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.history import History, accept
from lienthong.kit.ids import NewId, uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.outbox import Outbox, OutboxRelay
from lienthong.kit.process import run_process
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.rest import create_rest_app
from lienthong.kit.retained_records import RetainedRecords
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust
from lienthong.kit.shown import Shown
from lienthong.kit.soundness import CHECK, Soundness, put_back, stand_by
from lienthong.kit.status import status_routes
from lienthong.kit.telemetry import configure_telemetry
from lienthong.kit.text import BilingualText
from lienthong.kit.tokens import TokenVerifier

PROCESS = "identity"
SCHEMA = "identity"


@dataclass(frozen=True, slots=True)
class PeopleCore:
    """What uses the accounts of people."""

    people: People
    sign_ins: SignIns
    sessions: Sessions
    own_account: OwnAccount
    upkeep: Upkeep
    mergers: Mergers
    checks: PasswordChecks
    upstream: UpstreamSignIns


@dataclass(frozen=True, slots=True)
class IdentityCore:
    """The parts that use the database; endpoints, gRPC and background tasks call them."""

    database: Database
    keyring: Keyring
    registry: ClientRegistry
    authentication: ClientAuthentication
    tokens: TokenService
    relay: OutboxRelay
    people: PeopleCore
    openid: OpenIdCore
    clock: Clock

    async def close(self) -> None:
        """Give back what the parts hold."""
        self.people.checks.close()
        await self.people.upstream.providers.close()
        await self.openid.notices.close()
        await self.authentication.close()
        await self.database.close()


def assertion_rules(settings: IdentitySettings) -> AssertionRules:
    """What every client assertion must keep to."""
    return AssertionRules(
        audiences=settings.assertion_audiences,
        lifetime=settings.identity_assertion_lifetime,
        leeway=settings.identity_clock_leeway,
    )


def token_rules(settings: IdentitySettings) -> TokenRules:
    """What all access tokens have in common."""
    return TokenRules(settings.issuer, settings.token_audience, settings.identity_token_lifetime)


def rotation_rules(settings: IdentitySettings) -> RotationRules:
    """How long each part of a signing key's life lasts."""
    return RotationRules(
        announced_for=settings.identity_key_announced_for,
        signing_for=settings.identity_key_signing_for,
        token_lifetime=settings.identity_token_lifetime,
        grace=settings.identity_key_grace,
    )


async def open_core(
    settings: IdentitySettings, bus: Bus, *, clock: Clock | None = None, new_id: NewId = uuid7
) -> IdentityCore:
    """Open the database at its newest schema, with a key to sign with and the server's own clients.

    Raises:
        KeyEncryptionKeyError: the key-encryption key is missing or unreadable.
        KeyDecryptionError: the signing keys in the database were encrypted with another one.
        OwnClientFileError: a credentials file of the server's own clients is damaged.
        ClustersFileError: the file of clusters cannot be used.
        ProvidersFileError: the file of the providers in which people may sign in cannot be used.
    """
    clock = clock or SystemClock()
    url = settings.identity_database_url
    providers = Providers.read(settings.identity_providers_file, ProviderAddresses.of(settings), clock)
    # Replicas that share a database need the same key: a file that one of them makes locks the others out.
    encryption = load_key_encryption(
        settings.identity_key_file, create=make_url(url).get_backend_name() == "sqlite"
    )
    await migrate(url, SCHEMA, "lienthong.identity")
    database = Database.open(url, schema=SCHEMA)
    relay = OutboxRelay(database, outbox, bus, clock, retained=retained)
    messages = Outbox(outbox, on_commit=relay.wake, clock=clock, new_id=new_id)
    journal = AdminJournal(SERVICE, messages, clock, new_id)
    parts = OpenIdParts(database, journal, clock, new_id)
    keyring = Keyring(database, encryption, rotation_rules(settings), journal, clock)
    successions = Successions(database, keyring)
    registry = ClientRegistry(database, keyring, successions, journal, clock)
    clusters = {
        one.issuer: ClusterKeys(one.issuer, loader(one), clock.monotonic)
        for one in read_clusters(settings.identity_clusters_file)
    }
    rules = assertion_rules(settings)
    leeway_s = rules.leeway.total_seconds()
    accounts = ServiceAccounts(clusters, rules.audiences, clock, leeway_s=leeway_s)
    authentication = ClientAuthentication(database, keyring, clock, rules, accounts)
    people = _open_people(settings, database, encryption, providers, keyring, parts)
    openid = open_openid(
        settings,
        token_rules(settings),
        people.sessions,
        registry,
        authentication,
        keyring,
        successions,
        parts,
    )
    tokens = TokenService(
        authentication,
        keyring,
        clock,
        new_id,
        token_rules=token_rules(settings),
        grants={**openid.grants.by_type, **openid.exchange.by_type},
        successions=successions,
        requests=TokenBuckets(
            RateLimit(
                "token-requests",
                settings.identity_token_requests_per_s,
                settings.identity_token_requests_burst,
            ),
            now=clock.monotonic,
        ),
    )
    try:
        await keyring.refresh()
        await keyring.rotate()
        if settings.identity_bootstrap_dir is not None:
            await register_own_clients(
                settings.identity_bootstrap_dir,
                registry,
                issuer=settings.issuer,
                token_endpoint=settings.token_endpoint,
            )
            if settings.identity_registers_console:
                await register_console(openid.applications, settings.console_url)
    except BaseException:
        await database.close()
        raise
    return IdentityCore(database, keyring, registry, authentication, tokens, relay, people, openid, clock)


def account_rules(settings: IdentitySettings) -> AccountRules:
    """How long an account may lie idle, and go without review."""
    return AccountRules(settings.identity_account_idle, settings.identity_account_review)


def _open_people(
    settings: IdentitySettings,
    database: Database,
    encryption: KeyEncryption,
    providers: Providers,
    keyring: Keyring,
    parts: OpenIdParts,
) -> PeopleCore:
    journal, clock, new_id = parts.journal, parts.clock, parts.new_id
    rules = account_rules(settings)
    checks = PasswordChecks()
    lasting = SessionRules(settings.identity_session_lifetime, settings.identity_session_idle)
    sessions = Sessions(database, journal, clock, new_id, lasting)
    party = RelyingParty.of(settings.people_url, f"Liên thông {settings.instance}")
    factors = Factors(encryption, party, journal, clock)
    failures = Failures(database, journal, clock)
    limit = RateLimit(
        "sign-ins", settings.identity_sign_in_starts_per_s, settings.identity_sign_in_starts_burst
    )
    people = People(
        database,
        sessions,
        checks,
        journal,
        clock,
        new_id,
        rules=rules,
        link_lifetime=settings.identity_link_lifetime,
    )
    sign_ins = SignIns(
        database,
        sessions,
        factors,
        failures,
        checks,
        clock,
        rules=rules,
        starts=TokenBuckets(limit, now=clock.monotonic),
    )
    own_account = OwnAccount(database, sessions, factors, failures, checks, journal, clock)
    upstream = UpstreamSignIns(
        database,
        providers,
        sign_ins,
        people,
        own_account,
        sessions,
        journal,
        clock,
        new_id,
        people_url=settings.people_url,
    )
    upkeep = Upkeep(database, sessions, journal, clock, rules)
    mergers = Mergers(database, keyring, journal, clock)
    return PeopleCore(people, sign_ins, sessions, own_account, upkeep, mergers, checks, upstream)


def create_app(settings: IdentitySettings, core: IdentityCore, trust: RpcTrust) -> FastAPI:
    """Build the REST application."""
    shown = Shown(trust, core.clock)
    proofs = ProofReader(settings.origins, Nonces(trust, core.clock), core.clock)
    verifier = TokenVerifier(settings.issuer, settings.token_audience, core.clock)
    app = create_rest_app(
        "Liên thông: identity",
        summary="OAuth 2.0 for systems: access tokens and the keys that verify them; the accounts of people.",
        openapi_path="/oauth2/openapi.json",
    )
    app.state.access = Access(OwnKeys(core.keyring, settings.issuer).fresh, verifier, shown)
    app.include_router(routes(settings, core.tokens, core.keyring, shown.certificates, proofs))
    app.include_router(
        people_routes(core.people.people, core.openid.standing.of_caller, core.clock, settings.people_url)
    )
    app.include_router(client_routes(core.registry, core.openid.standing.of_caller, core.clock))
    for router in openid_routes(core.openid, core.authentication, shown, proofs):
        app.include_router(router)
    app.include_router(status_routes("/identity/v1"))
    return app


def create_pages(settings: IdentitySettings, core: IdentityCore) -> FastAPI:
    """Build the application for people's browsers."""
    held = core.people
    web = Web.of(settings, held.sessions, core.clock, core.openid.authorizations.asking)
    for_applications = browser_routes(web, core.openid.authorizations, core.openid.signing_out)
    return create_pages_app(
        web,
        held.people,
        held.sign_ins,
        held.sessions,
        held.own_account,
        held.upstream,
        more=[for_applications],
    )


def register_rpc(settings: IdentitySettings, core: IdentityCore, server: grpc.aio.Server) -> None:
    """Add the gRPC services to a server."""
    add_KeysServicer_to_server(KeysService(core.keyring, settings.issuer), server)
    add_SystemsServicer_to_server(SystemsService(core.registry), server)


async def serve(settings: IdentitySettings) -> None:
    """Run the process until it is told to stop.

    Raises:
        RpcTrustError: the keys for gRPC cannot be used.
    """
    telemetry = configure_telemetry(PROCESS, settings)
    soundness = Soundness(
        settings.identity_database_url, service=SERVICE, every=settings.database_checked_every_s
    )
    if await soundness.damaged():
        await stand_by(PROCESS, settings, telemetry, soundness)
        return
    bus = await Bus.connect(settings.nats_url, PROCESS, key_file=settings.nats_key_file)
    core = await open_core(settings, bus)
    core.database.on_damage(soundness.note)
    followers = catalog_followers(bus, core.registry, core.people.mergers)
    trust = RpcTrust.load(settings.rpc_dir)
    ledger = open_channel(settings.ledger_rpc, trust)
    past = History(core.database, history, ledger, service=SERVICE)
    records = RetainedRecords(
        core.database,
        retained,
        bus,
        ledger,
        SystemClock(),
        node=PROCESS,
        history=past,
        lost_after=settings.lost_after,
    )
    timers = Timers(core.keyring, core.authentication, rotation_rules(settings))
    sign_ons = SignOnTimers(core.openid.upkeep)
    accounts = AccountTimers(core.people.upkeep, core.people.mergers)

    bus.show(telemetry.figures)
    core.database.show(telemetry.figures)
    core.relay.show(telemetry.figures)
    records.show(telemetry.figures)
    past.show(telemetry.figures)
    await run_process(
        PROCESS,
        settings,
        telemetry=telemetry,
        app=create_app(settings, core, trust),
        pages=(settings.people_port, create_pages(settings, core)),
        register_rpc=partial(register_rpc, settings, core),
        background=[
            core.relay.run,
            records.run,
            *(one.run for one in followers),
            timers.follow_replicas,
            timers.rotate_keys,
            timers.forget_assertions,
            accounts.lock_idle,
            accounts.forget,
            accounts.move_left,
            sign_ons.forget,
            core.openid.notices.run,
            soundness.run,
        ],
        checks={
            "database": core.database.check,
            CHECK: soundness.condition,
            "signing-key": lambda: core.keyring.ready,
            "records": records.condition,
            "history": past.condition,
        },
        close=[bus.close, core.close, ledger.close],
    )


async def replace_signing_key(settings: IdentitySettings) -> str:
    """Sign with a new key at once; running replicas follow within a second. Gives the new key's id."""
    core = await open_core(settings, Bus(settings.nats_url, PROCESS))
    try:
        return await core.keyring.replace_now()
    finally:
        await core.close()


async def administrator_link(settings: IdentitySettings) -> str:
    """Make the one-time link of an administrator anew; gives it, and until when it is good."""
    core = await open_core(settings, Bus(settings.nats_url, PROCESS))
    try:
        link = await core.people.people.administrator_link()
    finally:
        await core.close()
    return f"{link_url(settings.people_url, link)} ({rfc3339(link.expires_at)})"


async def reread_catalog(settings: IdentitySettings) -> None:
    """Give the database a new id, so that the next start reads the catalog's messages from the first one."""
    await migrate(settings.identity_database_url, SCHEMA, "lienthong.identity")
    database = Database.open(settings.identity_database_url, schema=SCHEMA)
    try:
        await read_catalog_again(database, str(uuid4()))
    finally:
        await database.close()


async def accept_rolled_back(settings: IdentitySettings, reason: str) -> BilingualText:
    """Go on without the changes that an older copy of the database lacks; says what was accepted."""
    return await accept(settings.identity_database_url, SCHEMA, history, reason, service=SERVICE)


async def put_copy_back(settings: IdentitySettings) -> BilingualText:
    """Put the copy of the database back that was made when it was last sound; says what was done.

    The next start reads the catalog's messages from the first one: the copy may lack systems.
    """
    done = await put_back(settings.identity_database_url)
    await reread_catalog(settings)
    return done
