"""Structured logs on standard error: one JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_SECRET = frozenset(
    {
        "access_token", "assertion", "authorization", "client_assertion", "cookie", "d", "jwk", "key",
        "password", "private_key", "secret", "token",
    }
)  # fmt: skip


def configure_logs(
    process: str,
    level: str = "info",
    format: Literal["json", "console"] = "json",  # noqa: A002
) -> None:
    """Send what structlog and the standard library log to standard error.

    Every line has `at` (RFC 3339, UTC), `level`, `event`, `process` and, from the standard library, `logger`.
    Values under the names of secrets are struck out.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _name_process(process),
        strike_out_secrets,
    ]
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="at")]
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(max(threshold, logging.INFO))
    # One line for each request is the journal's business; httpx and uvicorn would write it again.
    for noisy in ("httpx", "httpcore", "uvicorn", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def strike_out_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that keeps secrets out of logs, by the names they go under."""
    for name in event.keys() & _SECRET:
        event[name] = "[struck out]"
    return event


def _name_process(process: str) -> structlog.typing.Processor:
    def add(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        return event

    return add
