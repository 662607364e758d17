"""Settings of the ledger process, beside those that all processes share."""

from pathlib import Path

from pydantic import Field

from lienthong.kit.settings import Settings


class LedgerSettings(Settings):
    """Where the log lies, what it is called and with which key it is signed."""

    ledger_database_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{Path(data['home']) / 'ledger' / 'ledger.db'}"
    )
    """`sqlite+aiosqlite:///path`, or `postgresql+asyncpg://…` with the tables in the schema `ledger`."""
    ledger_origin: str = Field(
        default_factory=lambda data: f"lgsp/{data['instance']}/ledger", min_length=1, pattern=r"^[^\s+]+$"
    )
    """The first line of every checkpoint and the name of its key: the log's name for ever."""
    ledger_key_file: Path = Field(default_factory=lambda data: Path(data["home"]) / "ledger" / "ledger.key")
    """The signing key; made at the first start of a new log, never again."""
    ledger_journal_kept_s: float = Field(default=3 * 86_400, ge=3_600)
    """For how many seconds the bus keeps records that are in the log, for a ledger that is replaced by an
    older copy: longer than between two copies, and than gateways keep them
    (`LIENTHONG_GATEWAY_SEALED_FOR_S`). From 80 % of `LIENTHONG_JOURNAL_MAX_BYTES` on they go sooner."""
    ledger_batch_messages: int = Field(default=32, ge=1, le=500)
    """How many journal messages, of at most 512 records each, become one transaction and one checkpoint."""
    ledger_searches_per_s: float = Field(default=5.0, gt=0)
    """How many searches and questions about use a system or a person with roles for agencies may make, per
    second and process."""
    ledger_searches_burst: float = Field(default=100.0, ge=10)
    """How many of them at once; those beyond are refused with 429. The scope `audit:read` has no limit."""
