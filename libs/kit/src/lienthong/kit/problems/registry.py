"""The registry: every kind of problem that a process of the platform answers with, by its code."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems import agreements, calls, catalog, exchange, general, ledger, oauth, people, xroad
from lienthong.kit.problems.problem import ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

AREAS: Final = (general, agreements, calls, xroad, catalog, exchange, ledger, oauth, people)
"""The modules that declare kinds, in the order of the reference."""


def declared_in(area: ModuleType) -> list[ProblemType]:
    """The kinds that a module declares, in its order."""
    return [value for value in vars(area).values() if isinstance(value, ProblemType)]


def _by_code(kinds: Iterable[ProblemType]) -> Mapping[str, ProblemType]:
    found: dict[str, ProblemType] = {}
    for kind in kinds:
        if kind.code in found:
            raise ValueError(f"the problem {kind.code} is declared twice")
        found[kind.code] = kind
    return MappingProxyType(found)


REGISTRY: Final = _by_code(kind for area in AREAS for kind in declared_in(area))
