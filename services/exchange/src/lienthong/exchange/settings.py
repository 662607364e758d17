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
    """At least 32 secret bytes under acknowledgement tokens, the same for all replicas; made when missing."""
    exchange_ack_wait_seconds: float = Field(default=30.0, ge=1.0, le=3600.0)
    """How long a subscriber may take to acknowledge before it is handed the event again."""
    exchange_retention_days: int | None = Field(default=None, ge=1)
    """How long events are kept, pulled or not; without it for ever. An older event is lost to all."""
