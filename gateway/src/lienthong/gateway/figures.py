"""What a gateway counts of its calls, and shows of its parts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from lienthong.gateway.body_checks import CheckCounts
from lienthong.gateway.call import Answered
from lienthong.kit.metrics import instruments
from lienthong.kit.metrics.requests import ABORTED, OTHER, RequestDurations
from lienthong.kit.problems import calls, general

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lienthong.gateway.call import Call, Outcome
    from lienthong.gateway.credentials.tls import TlsPools
    from lienthong.gateway.http1.bulkhead import Bulkheads
    from lienthong.gateway.http1.checks import HealthChecks
    from lienthong.gateway.http1.circuit import CircuitState
    from lienthong.gateway.http1.listener import Listener
    from lienthong.gateway.http1.pool import Pool
    from lienthong.gateway.journal.beside import Beside
    from lienthong.gateway.journal.release import Release
    from lienthong.gateway.journal.retained import Retained
    from lienthong.gateway.journal.spool import Spool
    from lienthong.gateway.journal.writer import JournalWriter
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.limits.peers import Peers
    from lienthong.gateway.live import Live
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.kit.clock import Clock
    from lienthong.kit.metrics.durations import Series
    from lienthong.kit.metrics.figures import Figures

_SERVICE: Final = "lgsp.service"
_STATE: Final = "http.connection.state"
_MOST_ORDINARY: Final = 5000
_ALERTED: Final = (calls.AUDIT_UNAVAILABLE.code, general.INTERNAL_ERROR.code)
_MOST_CIRCUITS: Final = 500
"""Services of which addresses are shown that are not simply called."""
_DESTINATION: Final = "lienthong.destination"


class CallFigures:
    """Counts calls by service and by how they ended; all names are the catalog's or the platform's own."""

    __slots__ = ("_ordinary", "_strangers", "active", "checks", "durations", "refused")

    def __init__(self) -> None:
        self._ordinary: dict[tuple[str, str, int], Series] = {}
        self._strangers: dict[tuple[str | None, int, str], Series] = {}
        self.active = 0
        """Calls that have begun and not ended; whoever serves them counts."""
        self.durations = RequestDurations(_SERVICE)
        # Prometheus sees no increase in a series that begins with its first refusal, and no alert is raised.
        self.refused: dict[str, int] = dict.fromkeys(_ALERTED, 0)
        self.checks = CheckCounts()

    def end(self, call: Call, outcome: Outcome | None, seconds: float) -> None:
        """Count a call; `outcome` is None when the gateway was stopped before it ended."""
        # The way of nearly all calls: here every microsecond counts.
        if (
            call.client is not None
            and call.route is not None
            and isinstance(outcome, Answered)
            and outcome.error is None
            and not outcome.broken_off
        ):
            series = self._ordinary.get((call.route.id, call.method, outcome.status))
            if series is not None:
                series.record(seconds)
                return
        elif call.client is None and isinstance(outcome, Answered) and not outcome.broken_off:
            # What a flood is made of.
            error = outcome.error
            if error is not None:
                place = call.route.id if call.route is not None else None
                series = self._strangers.get((place, outcome.status, error))
                if series is not None:
                    self.refused[error] += 1
                    series.record(seconds)
                    return
        self._series(call, outcome).record(seconds)

    def _series(self, call: Call, outcome: Outcome | None) -> Series:
        place = call.route.id if call.route is not None else None
        # Strangers choose their methods freely: they must not use up the room of those who may call.
        method = call.method if call.client is not None else OTHER
        if not isinstance(outcome, Answered):
            return self.durations.series(place, method, None, ABORTED)
        if outcome.error is not None:
            self.refused[outcome.error] = self.refused.get(outcome.error, 0) + 1
        error = outcome.error or (ABORTED if outcome.broken_off else None)
        series = self.durations.series(place, method, outcome.status, error)
        if (
            place is not None
            and method is not OTHER
            and error is None
            and len(self._ordinary) < _MOST_ORDINARY
        ):
            self._ordinary[place, method, outcome.status] = series
        elif (
            call.client is None
            and outcome.error is not None
            and not outcome.broken_off
            and len(self._strangers) < _MOST_ORDINARY
        ):
            # Apart from the others: strangers choose which services they name.
            self._strangers[place, outcome.status, outcome.error] = series
        return series

    def show(self, figures: Figures) -> None:
        """Show what was counted."""
        figures.add(self.durations.durations)
        figures.observe(instruments.ACTIVE_REQUESTS, lambda: self.active)
        figures.observe_each(
            instruments.REFUSED,
            lambda: [(count, {"error.type": code}) for code, count in list(self.refused.items())],
        )
        figures.observe_each(
            instruments.CHECKED,
            lambda: [
                (count, {_SERVICE: service, "lienthong.part": part, "lienthong.outcome": outcome})
                for (service, part, outcome), count in self.checks.all()
            ],
        )


def show_callers(figures: Figures, listener: Listener) -> None:
    """Show the connections of callers, and which of them were closed, and why."""
    figures.observe(instruments.SERVER_CONNECTIONS, lambda: listener.open_connections)
    figures.observe_each(
        instruments.CONNECTIONS_DROPPED,
        lambda: [(number, {"reason": reason}) for reason, number in list(listener.dropped.items())],
    )


def show_retained(figures: Figures, retained: Retained, beside: Beside, release: Release) -> None:
    """Show what becomes of the copies of acknowledged records."""
    figures.observe(instruments.RETAINED_SIZE, lambda: retained.size)
    figures.observe(instruments.RETAINED_LIMIT, lambda: retained.max_bytes)
    figures.observe(instruments.RETAINED_AGE, lambda: release.age().total_seconds())
    figures.observe(instruments.RETAINED_MISSED, lambda: beside.missed)
    figures.observe(instruments.RETAINED_DROPPED, lambda: retained.dropped)
    figures.observe(instruments.REPUBLISHED, lambda: release.republished)
    figures.observe(instruments.LEDGER_CONTINUES, lambda: int(release.continues()))


def show_limits(figures: Figures, limiter: Limiter, peers: Peers) -> None:
    """Show what the limits of agreements refused, and how many processes count."""
    figures.observe_each(
        instruments.LIMITS_REFUSED,
        lambda: [(count, {"lienthong.limit": limit.value}) for limit, count in limiter.refused.items()],
    )
    figures.observe(instruments.LIMITS_COUNTED, lambda: len(limiter.uses))
    figures.observe(instruments.LIMITS_OTHERS, lambda: limiter.others)
    figures.observe(instruments.LIMITS_LEFT_OUT, lambda: peers.left_out)


def show_parts(
    figures: Figures,
    settings: GatewaySettings,
    *,
    live: Live,
    journal: JournalWriter,
    spool: Spool,
    pools: Sequence[Pool | TlsPools],
    clock: Clock,
) -> None:
    """Show what the gateway is made of; the calls show themselves."""
    figures.observe(instruments.WORKERS, lambda: settings.gateway_workers)
    figures.observe(
        instruments.ROUTES_VERSION, lambda: live.table.state.version if live.table is not None else None
    )
    figures.observe(
        instruments.ROUTES_SERVICES, lambda: live.table.services if live.table is not None else None
    )
    figures.add(journal.durations)
    figures.observe(instruments.JOURNAL_WAITING, lambda: journal.waiting)
    figures.observe_each(
        instruments.JOURNAL_RECORDS,
        lambda: [(count, {_DESTINATION: where}) for where, count in list(journal.written.items())],
    )
    figures.observe(instruments.SPOOL_SIZE, lambda: spool.size)
    figures.observe(instruments.SPOOL_LIMIT, lambda: spool.max_bytes)
    figures.observe(instruments.SPOOL_DAMAGED, lambda: spool.damaged)
    figures.observe(instruments.SPOOL_AGE, lambda: spool.age(clock.now()))

    def connections() -> Iterable[tuple[int, dict[str, str]]]:
        counts = [pool.connections() for pool in pools]
        return [
            (sum(idle for idle, _ in counts), {_STATE: "idle"}),
            (sum(active for _, active in counts), {_STATE: "active"}),
        ]

    figures.observe_each(instruments.CLIENT_CONNECTIONS, connections)


def show_providers(
    figures: Figures, pools: Sequence[Pool | TlsPools], bulkheads: Bulkheads, checks: HealthChecks
) -> None:
    """Show which addresses of providers are left alone, and which calls wait for a place at a service."""

    def circuits() -> Iterable[tuple[int, dict[str, str]]]:
        counts: dict[tuple[str, CircuitState], int] = {}
        for pool in pools:
            for place, number in pool.circuits().items():
                counts[place] = counts.get(place, 0) + number
        return [
            (number, {_SERVICE: service, "lienthong.circuit": state.value})
            for (service, state), number in islice(counts.items(), _MOST_CIRCUITS)
        ]

    figures.observe(instruments.RESTING_ADDRESSES, lambda: sum(pool.resting() for pool in pools))
    figures.observe_each(instruments.PROVIDER_CIRCUITS, circuits)
    figures.observe(instruments.BULKHEAD_WAITING, lambda: bulkheads.waiting)
    figures.observe(instruments.BULKHEAD_REFUSED, lambda: bulkheads.refused)
    figures.observe_each(
        instruments.PROVIDER_CHECKS,
        lambda: [(number, {"lienthong.check": said}) for said, number in checks.outcomes.items()],
    )
