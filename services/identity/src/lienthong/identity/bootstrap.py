"""The only place where the objects of the identity process are wired."""

from dataclasses import dataclass
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy import make_url

from lienthong.contracts.identity.v1.keys_pb2_grpc import add_KeysServicer_to_server
from lienthong.identity import repository
from lienthong.identity.endpoints import routes
from lienthong.identity.events import CatalogEvents
from lienthong.identity.housekeeping import Housekeeping
from lienthong.identity.journal import Journal
from lienthong.identity.keyring import Keyring
from lienthong.identity.models import outbox
from lienthong.identity.operators import register_own_clients
from lienthong.identity.registry import ClientRegistry
from lienthong.identity.rpc import KeysService
from lienthong.identity.sealing import load_seal
from lienthong.identity.service import TokenService
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.bus import Bus
from lienthong.kit.clock import Clock, SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.ids import NewId, uuid7
from lienthong.kit.journal import journal_stream
from lienthong.kit.outbox import Outbox, OutboxRelay
from lienthong.kit.problems import install_problem_handlers
from lienthong.kit.process import run_process
from lienthong.kit.telemetry import configure_telemetry

PROCESS = "identity"
SCHEMA = "identity"


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that work on the database; everything else brings them work."""

    database: Database
    keyring: Keyring
    registry: ClientRegistry
    tokens: TokenService
    relay: OutboxRelay


async def open_core(
    settings: IdentitySettings, bus: Bus, *, clock: Clock | None = None, new_id: NewId = uuid7
) -> Core:
    """Open the database at its newest schema, with a key to sign with and the server's own clients.

    Raises:
        KeyFileError: the key-encryption key is missing or unreadable.
        SealBrokenError: the signing keys in the database were encrypted with another one.
        CredentialsError: a file of the server's own clients is damaged.
    """
    clock = clock or SystemClock()
    url = settings.identity_database_url
    # Where several replicas share a database, a file that one of them made up would lock the others out.
    seal = load_seal(settings.identity_key_file, create=make_url(url).get_backend_name() == "sqlite")
    await migrate(url, SCHEMA, "lienthong.identity")
    database = Database.open(url, schema=SCHEMA)
    relay = OutboxRelay(database, outbox, bus, clock)
    journal = Journal(Outbox(outbox, on_commit=relay.wake, clock=clock, new_id=new_id), clock, new_id)
    keyring = Keyring(database, seal, settings.rotation_rules, journal, clock)
    registry = ClientRegistry(database, keyring, journal, clock)
    tokens = TokenService(
        database,
        keyring,
        clock,
        new_id,
        assertion_rules=settings.assertion_rules,
        token_rules=settings.token_rules,
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
    except BaseException:
        await database.close()
        raise
    return Core(database, keyring, registry, tokens, relay)


def create_app(settings: IdentitySettings, core: Core) -> FastAPI:
    """Build the REST application."""
    app = FastAPI(title="Liên thông: identity", openapi_url=None, redirect_slashes=False)
    install_problem_handlers(app)
    app.include_router(routes(settings, core.tokens, core.keyring))
    return app


async def serve(settings: IdentitySettings) -> None:
    """Run the process until it is told to stop."""
    telemetry = configure_telemetry(PROCESS, settings)
    bus = await Bus.connect(settings.nats_url, PROCESS, streams=[journal_stream(settings.nats_replicas)])
    core = await open_core(settings, bus)
    events = CatalogEvents(bus, core.database, core.registry)
    housekeeping = Housekeeping(core.keyring, core.tokens, settings.rotation_rules)

    async def shut_down_telemetry() -> None:
        telemetry.shutdown()

    await run_process(
        PROCESS,
        settings,
        app=create_app(settings, core),
        register_rpc=lambda server: add_KeysServicer_to_server(
            KeysService(core.keyring, settings.issuer), server
        ),
        background=[
            core.relay.run,
            events.run,
            housekeeping.follow_replicas,
            housekeeping.rotate_keys,
            housekeeping.forget_assertions,
        ],
        checks={"database": core.database.check, "signing-key": lambda: core.keyring.ready},
        close=[bus.close, core.database.close, shut_down_telemetry],
    )


async def replace_signing_key(settings: IdentitySettings) -> str:
    """Sign with a new key at once; running replicas follow within a second. Gives the new key's id."""
    core = await open_core(settings, Bus(settings.nats_url, PROCESS))
    try:
        return await core.keyring.replace_now()
    finally:
        await core.database.close()


async def reread_catalog(settings: IdentitySettings) -> None:
    """Give the database a new name, so that the next start hears the catalog's events from the first on."""
    await migrate(settings.identity_database_url, SCHEMA, "lienthong.identity")
    database = Database.open(settings.identity_database_url, schema=SCHEMA)
    try:
        async with database.transaction() as session:
            await repository.rename_database(session, str(uuid4()))
    finally:
        await database.close()
