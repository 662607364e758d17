"""Agencies, systems and keys as the catalog shows them, and what a form makes of a new system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from lienthong.console.errors import nothing_there, platform_away
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENCY: Final = re.compile(r"[0-9A-Za-z.-]{1,40}")
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{1,62}")
_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:\D.*)?", re.DOTALL)
OLD_DAYS: Final = 365
"""From this age on a key is shown as one to replace."""
ENDING_DAYS: Final = 30
"""From so many days before its end on, a key is shown as one to replace."""


@dataclass(frozen=True, slots=True)
class Named:
    """An agency or a system: its id, its name in both languages, and its manifest."""

    id: str
    name: BilingualText
    spec: Mapping[str, Any]
    status: str
    suspended_by: str = ""
    """Of a suspended system: `agency` or `platform`."""
    version: int = 0
    """The catalog's version at its last change; 0 where it says none."""

    @classmethod
    def of(cls, manifest: object) -> Named:
        """Read a manifest.

        Raises:
            ProblemError: 503 `platform-unavailable`, it is none.
        """
        match manifest:
            case {"metadata": {"id": str(found), **metadata}, "spec": dict(spec), **more}:
                name = spec.get("name")
                both = name if isinstance(name, dict) else {}
                text = BilingualText(str(both.get("en") or found), str(both.get("vi") or found))
                status, by = str(more.get("status") or "active"), str(more.get("suspendedBy") or "")
                version = metadata.get("version")
                return cls(found, text, spec, status, by, version if isinstance(version, int) else 0)
            case _:
                raise platform_away()

    @property
    def agency(self) -> str:
        """Of a system, whose it is."""
        return self.id.partition("/")[0]


def listed(page: Mapping[str, Any]) -> list[Named]:
    """The manifests of a page of the catalog.

    Raises:
        ProblemError: 503 `platform-unavailable`, they are none.
    """
    items = page.get("items")
    if not isinstance(items, list):
        raise platform_away()
    return [Named.of(item) for item in items]


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of a system. Since when it is there, its `kid` says if it was made by these pages."""

    thumbprint: str
    kid: str
    kind: str
    since: date | None
    ends: date | None = None
    """The day, in UTC, on which it ends; None where it has no end."""

    def days_left(self, now: datetime) -> int | None:
        """In how many days it ends, below zero where it has ended; None where it has no end."""
        return None if self.ends is None else (self.ends - now.astimezone(UTC).date()).days

    def age_days(self, now: datetime) -> int | None:
        """For how many days it has been there."""
        return None if self.since is None else max((now.astimezone(UTC).date() - self.since).days, 0)


def keys_of(answer: Mapping[str, Any]) -> list[Key]:
    """The keys of a system, oldest first, as the catalog lists them.

    Raises:
        ProblemError: 503 `platform-unavailable`, they are none.
    """
    found = []
    for one in answer.get("keys") or ():
        match one:
            case {"thumbprint": str(thumbprint), "jwk": dict(jwk)}:
                kid = str(jwk.get("kid") or "")
                kind = str(jwk.get("crv") or jwk.get("kty") or "")
                found.append(Key(thumbprint, kid, kind, _day(kid), _day(str(one.get("not_after") or ""))))
            case _:
                raise platform_away()
    return found


def new_system(agency: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of a system without keys, as a form describes it."""
    spec: dict[str, Any] = {
        "name": {"vi": form.get("name_vi", "").strip(), "en": form.get("name_en", "").strip()},
        "jwks": {"keys": []},
    }
    if contact := form.get("contact", "").strip():
        spec["contact"] = contact
    code = form.get("code", "").strip()
    return {
        "apiVersion": "lienthong/v1",
        "kind": "System",
        "metadata": {"id": f"{agency}/{code}"},
        "spec": spec,
    }


MEMBER_CLASSES: Final = ("GOV", "COM", "NGO")
"""Government, company, organisation without profit: the first is what a form begins with."""


def new_agency(form: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of an agency, as a form describes it."""
    spec = {
        "class": form.get("class", MEMBER_CLASSES[0]),
        "name": {"vi": form.get("name_vi", "").strip(), "en": form.get("name_en", "").strip()},
    }
    code = form.get("code", "").strip().upper()
    return {"apiVersion": "lienthong/v1", "kind": "Agency", "metadata": {"id": code}, "spec": spec}


def system_path(agency: str, code: str) -> str:
    """Where the catalog has a system.

    Raises:
        ProblemError: 404 `not-found`, there can be none.
    """
    if not _CODE.fullmatch(code):
        raise nothing_there()
    return f"/catalog/v1/systems/{agency_code(agency)}/{code}"


def agency_code(text: str) -> str:
    """A code that can stand in a path.

    Raises:
        ProblemError: 404 `not-found`, it can be none.
    """
    if not _AGENCY.fullmatch(text) or text.strip(".") == "":
        raise nothing_there()
    return text


def _day(kid: str) -> date | None:
    found = _DAY.fullmatch(kid)
    try:
        return None if found is None else date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
