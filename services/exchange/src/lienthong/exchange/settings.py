"""Settings of the exchange, beside those that every process has."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lienthong.kit.settings import Settings


class ExchangeSettings(Settings):
    """What an operator may set, as `LIENTHONG_EXCHANGE_…`."""

    exchange_database_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['home']}/exchange/exchange.db"
    )
    """SQLite, or `postgresql+asyncpg://…`; on PostgreSQL the tables lie in the schema `exchange`."""
    exchange_token_key_file: Path = Field(
        default_factory=lambda data: Path(data["home"]) / "exchange" / "acknowledgements.key"
    )
    """The secret of acknowledgement tokens: at least 32 bytes, the same for all replicas. With SQLite a
    missing file is created."""
    exchange_ack_wait_seconds: float = Field(default=30.0, ge=1.0, le=3600.0)
    """For how many seconds a subscriber may take to acknowledge before the event is delivered again."""
    exchange_events_per_s: float = Field(default=200.0, gt=0)
    """How many events one publisher may send, per second and process."""
    exchange_events_burst: float = Field(default=5000.0, ge=100)
    """How many of them at once; those beyond are refused with 429."""
    exchange_event_bytes_per_s: float = Field(default=1024.0**2, gt=0)
    """How many bytes of events one publisher may send, per second and process."""
    exchange_event_bytes_burst: float = Field(default=64 * 1024.0**2, ge=1024.0**2)
    """How many of them at once; the largest batch has 25 MiB."""
    exchange_retention_days: int | None = Field(default=None, ge=1)
    """How many days events are stored, pulled or not; unset: for ever. An older event is lost to everyone."""
    exchange_workers: int = Field(default=2, ge=2, le=64)
    """Processes that check events against their schemas, each for one publisher at a time."""
