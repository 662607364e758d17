"""What pages of agencies and of systems ask the catalog in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from lienthong.console.agency_names import AGENCIES
from lienthong.console.systems.manifests import agency_code, system_path
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.console.web import Visit

CATALOG: Final = "catalog"
SYSTEMS: Final = "/catalog/v1/systems"
AT_A_TIME: Final = 50
AT_THE_FORM: Final = (
    "invalid-manifests",
    "invalid-request",
    "conflict",
    "changed-since",
    "too-many-systems",
    "role-required",
    "rate-limited",
)
"""Problems that can be corrected at a form, above which they are told."""


async def system_exists(visit: Visit, agency: str, code: str) -> bool:
    """Whether there is a system of this id; what can be none, is none: what is wrong with it, the catalog
    says best."""
    try:
        path = system_path(agency, code)
    except ProblemError:
        return False
    return await is_there(visit, path)


async def agency_exists(visit: Visit, code: str) -> bool:
    """Whether there is an agency of this code; as with systems."""
    try:
        path = f"{AGENCIES}/{agency_code(code)}"
    except ProblemError:
        return False
    return await is_there(visit, path)


async def is_there(visit: Visit, path: str) -> bool:
    """Whether the catalog has something at a path."""
    try:
        await visit.desk.get(path)
    except ProblemError as problem:
        if problem.code == "unknown-resource":
            return False
        raise
    return True


def onward(path: str, page: Mapping[str, Any]) -> str | None:
    """Where the rest of a list is that the catalog has answered a part of."""
    cursor = page.get("next")
    return f"{path}?{urlencode({'cursor': cursor})}" if cursor else None
