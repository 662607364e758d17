"""Codes of agencies that another agency stands for, because they were merged into it.

Ids of systems and services stay when agencies merge, and so do records. So whoever has a role for the agency
that goes on has it for the codes of before as well, and its systems are of one agency with theirs. Access
tokens say for which codes, so that every service knows without asking (decision 0074).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.kit.policy import Grant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["CLAIM", "NOBODY", "StandsFor"]

CLAIM: Final = "stands_for"
"""The claim of access tokens: for each agency, the codes of before."""
_MOST_CODES: Final = 400
_LONGEST_CODE: Final = 35


@dataclass(frozen=True, slots=True)
class StandsFor:
    """Which agencies stand for which codes of before, in the order of the codes."""

    agencies: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of_claim(cls, claim: object) -> StandsFor:
        """Read the claim.

        Raises:
            ValueError: it is no object of lists of codes, or names too many.
        """
        lists = claim.items() if isinstance(claim, dict) else [("", None)]
        read: dict[str, tuple[str, ...]] = {}
        for agency, codes in lists:
            if not isinstance(codes, list) or not all(_is_code(one) for one in (agency, *codes)):
                raise ValueError("not lists of codes")
            read[agency] = tuple(codes)
        if sum(map(len, read.values())) > _MOST_CODES:
            raise ValueError("too many codes")
        return cls.of(read)

    @classmethod
    def of(cls, codes: Mapping[str, Collection[str]]) -> StandsFor:
        """For the codes of before of each agency that has some."""
        return cls(tuple((one, tuple(sorted(before))) for one, before in sorted(codes.items()) if before))

    def claim(self) -> dict[str, list[str]]:
        """The value of the claim."""
        return {agency: list(codes) for agency, codes in self.agencies}

    def reach(self, grants: Collection[Grant]) -> frozenset[Grant]:
        """The roles, and the same for the codes of before of the agencies for which they are held."""
        codes = dict(self.agencies)
        more = (Grant(one.role, code) for one in grants for code in codes.get(one.agency, ()))
        return frozenset((*grants, *more))

    def together(self, agency: str) -> frozenset[str]:
        """All codes that are one agency with this one, which is among them; none for ""."""
        if not agency:
            return frozenset()
        for one, codes in self.agencies:
            if agency == one or agency in codes:
                return frozenset((one, *codes))
        return frozenset((agency,))


NOBODY: Final = StandsFor()
"""No agency stands for any other code."""


def _is_code(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CODE
