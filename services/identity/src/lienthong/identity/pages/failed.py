"""What a form failed with, shown above its fields."""

from typing import Any, Final

from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText

_BACK_AT_THE_FORM: Final = frozenset(
    {
        "sign-in-refused",
        "sign-in-blocked",
        "rate-limited",
        "busy",
        "account-not-active",
        "invalid-request",
        "login-taken",
        "account-state",
        "factor-needed",
        "too-many-passkeys",
        "way-in-needed",
    }
)


def shown_above(problem: ProblemError) -> dict[str, Any]:
    """The values `problem` and `errors` of a form's template, for a problem that can be corrected there.

    Raises:
        ProblemError: `problem`, where another page has to say it.
    """
    if problem.code not in _BACK_AT_THE_FORM:
        raise problem
    return {"problem": problem, "errors": _errors(problem)}


NOTHING_FAILED: Final[dict[str, Any]] = {"problem": None, "errors": {}}


def _errors(problem: ProblemError) -> dict[str, BilingualText]:
    """What is wrong with each field, by its name."""
    return {
        str(error["pointer"]).lstrip("/"): BilingualText(error["detail"], error["detail_vi"])
        for error in problem.extra.get("errors", ())
    }
