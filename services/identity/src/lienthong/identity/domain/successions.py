"""Which agencies stand for which codes of before, by the mergers that the catalog has told of."""

from collections.abc import Collection, Mapping

from lienthong.kit.succession import StandsFor


def final(code: str, successors: Mapping[str, str]) -> str:
    """The agency that a code has come to in the end: itself where it was merged into none."""
    seen = {code}
    while (after := successors.get(code)) is not None and after not in seen:
        seen.add(after)
        code = after
    return code


def stands_for(agencies: Collection[str], successors: Mapping[str, str]) -> StandsFor:
    """For which codes these agencies stand, or those that they were merged into."""
    wanted = {final(one, successors) for one in agencies if one}
    codes: dict[str, list[str]] = {}
    for code in successors:
        if (agency := final(code, successors)) in wanted:
            codes.setdefault(agency, []).append(code)
    return StandsFor.of(codes)
