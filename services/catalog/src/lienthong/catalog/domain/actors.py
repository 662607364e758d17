"""The scope of the client that acts as the platform's operator here."""

from __future__ import annotations

from typing import Final

OPERATOR_SCOPE: Final = "catalog:admin"
