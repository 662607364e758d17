"""Settings of the catalog."""

from __future__ import annotations

from pydantic import Field

from lienthong.kit.settings import Settings


class CatalogSettings(Settings):
    """What the catalog reads beside the common settings, from `LIENTHONG_CATALOG_…` variables."""

    catalog_database_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['home'].resolve()}/catalog/catalog.db"
    )
    """Where the catalog keeps everything: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`."""
    catalog_agreement_requests_per_s: float = Field(default=1.0, gt=0)
    """How many agreements one client may request, per second and process."""
    catalog_agreement_requests_burst: float = Field(default=100.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    catalog_agreement_requests_per_day: int = Field(default=200, ge=1)
    """How many agreements one system may request within 24 hours, in the whole installation."""
    catalog_agreement_decisions_per_s: float = Field(default=5.0, gt=0)
    """How many decisions on agreements one system may make, per second and process."""
    catalog_agreement_decisions_burst: float = Field(default=100.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    catalog_open_requests_per_system: int = Field(default=100, ge=1)
    """How many requests of one system for agreements may wait for a decision."""
    catalog_request_lapses_after_days: int = Field(default=90, ge=1, le=3650)
    """For how many days a request for an agreement waits for a decision; then it lapses."""
    catalog_decide_within_days: int = Field(default=10, ge=1, le=365)
    """How many days after it was asked for, at the latest, an owner should decide on an agreement. Nothing
    happens then but that people are told."""
    catalog_systems_per_agency: int = Field(default=200, ge=1)
    """How many systems the people of an agency may register for it, suspended ones included; the platform's
    operator registers more."""
    catalog_workers: int = Field(default=2, ge=2, le=64)
    """Processes that read manifests and the documents in them."""
