"""How soon what is taken back is in force, on every worker of two gateways of two workers each."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from tests.bench.target import Target
from tests.support.in_force import another_gateway, connected_to_each, refused_after, wait_allowed
from tests.support.revocations import revocations, token

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.platform import Platform

_OF_A_ROUND: Final = 20
_WITHIN_MS: Final = 1000


def revoked(platform: Platform, home: Path, rounds: int) -> list[Target]:
    """For each kind of revocation: how long after its answer the last of the four workers refuses calls.

    Each worker is asked over a connection of its own, without a pause, before the revocation and until it
    refuses. What the figure has is the first refusal, so it errs on the high side by the time of one call.
    """
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        operator = stack.enter_context(platform.operator())
        kinds = revocations(platform, operator)
        port, process = stack.enter_context(another_gateway(platform, home))
        main = platform.installation.supervisor.pid("gateway")
        first = token(platform)
        asked = [
            *stack.enter_context(connected_to_each(platform.settings.port("gateway"), main, first)),
            *stack.enter_context(connected_to_each(port, process, first)),
        ]
        for _ in range(rounds * _OF_A_ROUND):
            for kind, one in kinds.items():
                present = token(platform)
                wait_allowed(asked, present)
                seconds.setdefault(kind, []).append(refused_after(asked, present, one.revoke))
                one.restore()
    return [
        _target(kind, [one * 1000 for one in sorted(found)], len(asked)) for kind, found in seconds.items()
    ]


def _target(kind: str, found: list[float], workers: int) -> Target:
    return Target(
        f"a revoked {kind} is refused by every worker, p99",
        "ms",
        found[int(len(found) * 0.99)],
        "at most",
        _WITHIN_MS,
        f"{len(found)} revocations, {workers} workers of two gateways; median {found[len(found) // 2]:.0f},"
        f" worst {found[-1]:.0f} ms",
    )
