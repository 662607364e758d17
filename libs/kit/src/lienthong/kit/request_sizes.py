"""The largest bodies of requests to the platform's own services, in bytes.

One table for the services, which read no more, and for the gateway in front of them, which passes as much at
least: a limit in one place cannot undercut what another one promises.
"""

from __future__ import annotations

from typing import Final

EVENT: Final = 256 * 1024
"""One event at the exchange."""
EVENTS: Final = 100
"""Events in one batch."""
EXCHANGE: Final = EVENTS * EVENT
"""A whole batch: 25 MiB."""
CATALOG: Final = 25 * 1024 * 1024
"""One apply, unless the operator sets `LIENTHONG_CATALOG_MAX_REQUEST_BYTES`."""
IDENTITY: Final = 32 * 1024
"""A token request with the largest usual assertion has fewer than 5,000."""
