"""Who may do what on the bus: the accounts and users of NATS, as text for the server's configuration.

Each stream lies in an account of its own with the process that it belongs to, and accounts do not see each
other: records enter the account of the journal only through the subject `journal.<process>` that it offers
to the account of that process. Rights on subjects alone would not do: whoever may create a consumer can have
the *server* publish to any subject of the account (ADR 0023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANSWERS: Final = "_INBOX.>"
# How long a client may take to sign the server's greeting, in seconds: the server's own two are not enough
# for a process that starts beside all others on a small machine, and it is cut off in the middle of it.
_PATIENCE: Final = "authorization {timeout: 10}\n"


@dataclass(frozen=True, slots=True)
class BusUser:
    """One user of the bus: the subjects that it may publish to and subscribe to, and no others; `never` are
    subjects that it may not publish to although `publish` has them."""

    name: str
    account: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = (_ANSWERS,)
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BusAccount:
    """One account: whether it has streams, and which processes of it write to the journal."""

    name: str
    streams: bool
    journals: tuple[str, ...]


def _consumers(stream: str, name: str, *, delete: bool) -> tuple[str, ...]:
    """What it takes to make the durable pull consumer `name` of a stream (`*`: any), to pull and to ack."""
    verbs = ("DURABLE.CREATE", "MSG.NEXT", *(("DELETE",) if delete else ()))
    return (*(f"$JS.API.CONSUMER.{verb}.{stream}.{name}" for verb in verbs), f"$JS.ACK.{stream}.{name}.>")


JOURNAL: Final = "JOURNAL"
ACCOUNTS: Final = (
    BusAccount(JOURNAL, streams=True, journals=()),
    BusAccount("GATEWAY", streams=True, journals=("gateway",)),
    BusAccount("CATALOG", streams=True, journals=("catalog", "identity")),
    BusAccount("EXCHANGE", streams=True, journals=("exchange",)),
)
PROCESSES: Final = (
    # Gateways tell each other what agreements use, and keep answers for those who ask again with the same
    # Idempotency-Key; nobody else is in their account.
    BusUser(
        "gateway",
        "GATEWAY",
        publish=(
            "journal.gateway",
            "gateway.use",
            "gateway.proofs",
            "gateway.idempotency.>",
            *(f"$JS.API.STREAM.{verb}.IDEMPOTENCY" for verb in ("CREATE", "UPDATE", "INFO", "MSG.GET")),
        ),
        subscribe=("gateway.use", "gateway.proofs", _ANSWERS),
    ),
    BusUser(
        "catalog",
        "CATALOG",
        publish=(
            "journal.catalog",
            "catalog.>",
            *(f"$JS.API.STREAM.{verb}.CATALOG" for verb in ("CREATE", "INFO", "MSG.GET")),
        ),
        subscribe=("catalog.>", _ANSWERS),
    ),
    BusUser(
        "identity",
        "CATALOG",
        # Its consumer is named after its database; a right can only name whole words.
        publish=("journal.identity", *_consumers("CATALOG", "*", delete=False)),
    ),
    BusUser(
        "exchange",
        "EXCHANGE",
        publish=(
            "journal.exchange",
            "event.>",
            *(f"$JS.API.STREAM.{verb}.EVENTS" for verb in ("CREATE", "UPDATE", "INFO", "MSG.GET")),
            *_consumers("EVENTS", "*", delete=True),
            "$JS.API.CONSUMER.INFO.EVENTS.*",
            "$JS.API.CONSUMER.LIST.EVENTS",
        ),
    ),
    BusUser(
        "ledger",
        JOURNAL,
        publish=(
            # Purging is for what has long been in the log (ADR 0030).
            *(f"$JS.API.STREAM.{verb}.JOURNAL" for verb in ("CREATE", "INFO", "MSG.GET", "PURGE")),
            *_consumers("JOURNAL", "ledger", delete=True),
        ),
    ),
)
ADMINISTRATORS: Final = tuple(
    BusUser(
        f"{account.name.lower()}-admin",
        account.name,
        publish=(">",),
        subscribe=(">",),
        never=(f"$JS.API.STREAM.PURGE.{JOURNAL}",) if account.name == JOURNAL else (),
    )
    for account in ACCOUNTS
    if account.streams
)
"""For the operator, not for any process: they may do everything in their account, but purge the journal."""
USERS: Final = (*PROCESSES, *ADMINISTRATORS)


def accounts_configuration(public_keys: Mapping[str, str]) -> str:
    """The blocks `authorization` and `accounts` of nats-server's configuration.

    `public_keys` has the public NKey (`U…`) of each of `USERS`, by its name.
    """
    accounts = "".join(_account(account, public_keys) for account in ACCOUNTS)
    return f"{_PATIENCE}accounts {{\n{accounts}}}\n"


def _account(account: BusAccount, public_keys: Mapping[str, str]) -> str:
    lines = [f"  {account.name} {{"]
    if account.streams:
        lines.append("    jetstream: enabled")
    if account.name == JOURNAL:
        lines.append("    exports: [")
        lines += [
            f'      {{service: "journal.{process}", accounts: [{other.name}]}}'
            for other in ACCOUNTS
            for process in other.journals
        ]
        lines.append("    ]")
    if account.journals:
        lines.append("    imports: [")
        lines += [
            f'      {{service: {{account: {JOURNAL}, subject: "journal.{process}"}}}}'
            for process in account.journals
        ]
        lines.append("    ]")
    lines.append("    users: [")
    lines += [_user(user, public_keys[user.name]) for user in USERS if user.account == account.name]
    lines += ["    ]", "  }"]
    return "\n".join(lines) + "\n"


def _user(user: BusUser, public_key: str) -> str:
    never = f", deny: [{_listed(user.never)}]" if user.never else ""
    return (
        f"      # {user.name}\n"
        f"      {{nkey: {public_key}, permissions: {{\n"
        f"        publish: {{allow: [{_listed(user.publish)}]{never}}}\n"
        f"        subscribe: {{allow: [{_listed(user.subscribe)}]}}\n"
        "      }}"
    )


def _listed(subjects: tuple[str, ...]) -> str:
    return ", ".join(f'"{subject}"' for subject in subjects)
