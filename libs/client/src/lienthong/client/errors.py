"""What can go wrong, as one tree of exceptions.

    LienthongError
    ├── InputError            what was given cannot be used (exit code 2)
    │   ├── CredentialsError      the folder of credentials is missing or broken
    │   └── ManifestError         mistakes in YAML files, each with file, line and field
    ├── UnreachableError           no gateway answered, or not in time (exit code 3)
    │   └── NotAGatewayError           something answered that is not a gateway
    ├── RefusedError               the bus answered with a problem document (exit code 4)
    │   ├── UnauthenticatedError       401, or the token endpoint refused the client
    │   ├── ForbiddenError             403: no agreement, operation, purpose or scope
    │   ├── NotFoundError              404
    │   │   └── NotYetRecordedError        the ledger has not integrated the transaction yet
    │   ├── ConflictError              409
    │   ├── InvalidError               422, with the pointers of every mistake
    │   └── UnavailableError           429 and 5xx: trying again later may help
    ├── UnprovenCallError    a request is not proven to come from the gateway (exit code 1)
    └── VerificationError    a receipt, checkpoint or ledger does not prove what it claims (exit code 1)
        ├── RolledBackLedgerError      the ledger is shorter than it was seen from here
        ├── ForkedLedgerError          it did not grow out of what was seen from here
        ├── LedgerKeyChangedError      the server gives another key than the one it was seen with
        └── KeptCheckpointError        what was kept to compare with cannot be read

Every text of an error is in Vietnamese and in English (`Text`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lienthong.client.pointers import field_name, parse_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.tlog.note import VerifierKey


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in Vietnamese and in English."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in what was sent or read.

    `pointer` is a JSON pointer (RFC 6901); `file` and `line` (from 1) are known where a file was the source.
    """

    pointer: str
    detail: Text
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def field(self) -> str:
        """The pointer as people write it: `spec.jwks.keys[0].kty`."""
        return field_name(parse_pointer(self.pointer))

    def document(self) -> dict[str, Any]:
        """The mistake as JSON; what is unknown is left out."""
        known = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "field": self.field or None,
            "pointer": self.pointer,
            "detail": self.detail.en,
            "detail_vi": self.detail.vi,
        }
        return {key: value for key, value in known.items() if value is not None}


class LienthongError(Exception):
    """The root of all errors of the SDK.

    `code` is the stable name of the error for programs, `title` says what went wrong, `detail` what was wrong
    this time, `advice` what to do next (None where unknown), `mistakes` lists every place that is wrong.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        title: Text,
        detail: Text | None = None,
        advice: Text | None = None,
        *,
        code: str | None = None,
        mistakes: Sequence[Mistake] = (),
    ) -> None:
        self.title = title
        self.detail = detail
        self.advice = advice
        self.code = code or self.default_code
        self.mistakes = tuple(mistakes)
        super().__init__(title.en if detail is None else f"{title.en}: {detail.en}")

    def document(self) -> dict[str, Any]:
        """The error as JSON with stable keys; what is unknown is left out."""
        found: dict[str, Any] = {"code": self.code, "title": self.title.en, "title_vi": self.title.vi}
        if self.detail is not None:
            found |= {"detail": self.detail.en, "detail_vi": self.detail.vi}
        if self.advice is not None:
            found |= {"advice": self.advice.en, "advice_vi": self.advice.vi}
        if self.mistakes:
            found["errors"] = [mistake.document() for mistake in self.mistakes]
        return found


class InputError(LienthongError):
    """What was given cannot be used; nothing was sent."""

    exit_code = 2
    default_code = "bad-input"


class CredentialsError(InputError):
    """The folder of credentials is missing, incomplete or broken."""

    default_code = "bad-credentials"


class ManifestError(InputError):
    """Mistakes in manifests; `mistakes` holds all of them."""

    default_code = "bad-manifest"


class UnreachableError(LienthongError):
    """No gateway answered at the address, or not in time."""

    exit_code = 3
    default_code = "unreachable"


class NotAGatewayError(UnreachableError):
    """Something answered that is not a gateway of the bus."""

    default_code = "not-a-gateway"


class RefusedError(LienthongError):
    """The bus answered with a problem document (RFC 9457).

    `status` is the HTTP status, `transaction_id` the call's id in the audit trail,
    `retry_after` the seconds that the bus asks to wait, where it does.
    """

    exit_code = 4
    default_code = "refused"

    def __init__(
        self,
        title: Text,
        detail: Text | None = None,
        advice: Text | None = None,
        *,
        code: str,
        status: int,
        transaction_id: str | None = None,
        retry_after: float | None = None,
        mistakes: Sequence[Mistake] = (),
    ) -> None:
        super().__init__(title, detail, advice, code=code, mistakes=mistakes)
        self.status = status
        self.transaction_id = transaction_id
        self.retry_after = retry_after

    def document(self) -> dict[str, Any]:
        """The error as JSON, with the status and the transaction id."""
        found = super().document() | {"status": self.status}
        if self.transaction_id is not None:
            found["transaction_id"] = self.transaction_id
        return found


class UnauthenticatedError(RefusedError):
    """401, or the token endpoint did not accept the client's assertion."""


class ForbiddenError(RefusedError):
    """403: no agreement, operation, purpose or scope."""


class NotFoundError(RefusedError):
    """404: there is no such resource, service, subscription or entry."""


class NotYetRecordedError(NotFoundError):
    """The ledger has not integrated the transaction yet, or does not know it."""


class ConflictError(RefusedError):
    """409 and 412: the request conflicts with the present state, or it was changed since it was read."""


class InvalidError(RefusedError):
    """422: `mistakes` points at every wrong field."""


class UnavailableError(RefusedError):
    """429 and 5xx: trying again later may help."""


class UnprovenCallError(LienthongError):
    """A request that reached a provider is not proven to come from the gateway; `code` says why."""


class VerificationError(LienthongError):
    """A receipt, a checkpoint or the ledger does not prove what it claims."""

    default_code = "verification-failed"


class RolledBackLedgerError(VerificationError):
    """The ledger has fewer entries than were seen of it."""

    default_code = "ledger-rolled-back"


class ForkedLedgerError(VerificationError):
    """The ledger did not grow out of what was seen of it."""

    default_code = "ledger-forked"


class LedgerKeyChangedError(VerificationError):
    """The server gives another key of a ledger, `key`, than the one under which it was seen."""

    default_code = "ledger-key-changed"

    def __init__(self, title: Text, detail: Text, advice: Text, *, key: VerifierKey) -> None:
        super().__init__(title, detail, advice)
        self.key = key


class KeptCheckpointError(VerificationError):
    """The checkpoint that was kept cannot be read, so nothing can be compared with it."""

    default_code = "kept-checkpoint-unreadable"
