"""Errors on the wire: RFC 9457 problem details, in English with Vietnamese beside it.

Every kind of problem (code, status, title, advice) is declared once: in `general` those of any process, in
`agreements`, `calls`, `catalog`, `exchange` and `ledger` those of one area, in `oauth` the error codes of
RFC 6749. `registry` lists them all. Import the kinds from these modules.
"""

from lienthong.kit.problems.problem import (
    CLIENT_HEADER,
    ERROR_HEADER,
    PROBLEM_JSON,
    TRANSACTION_HEADER,
    ProblemError,
    ProblemType,
)

__all__ = [
    "CLIENT_HEADER",
    "ERROR_HEADER",
    "PROBLEM_JSON",
    "TRANSACTION_HEADER",
    "ProblemError",
    "ProblemType",
]
