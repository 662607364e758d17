"""The public names of the SDK, listed here alone.

`Client` and `AsyncClient` are the ways in; the rest is what they take, answer and raise.
"""

__all__: list[str]

from .answers import AckResult as AckResult
from .answers import Answer as Answer
from .answers import AppliedResource as AppliedResource
from .answers import ApplyResult as ApplyResult
from .answers import FieldChange as FieldChange
from .answers import Found as Found
from .answers import Notice as Notice
from .answers import Page as Page
from .answers import PublishedEvent as PublishedEvent
from .answers import PulledEvent as PulledEvent
from .answers import RefusedAck as RefusedAck
from .async_client import AsyncClient as AsyncClient
from .checkpoints import SeenLedger as SeenLedger
from .credentials import Credentials as Credentials
from .deprecations import Deprecation as Deprecation
from .errors import ConflictError as ConflictError
from .errors import CredentialsError as CredentialsError
from .errors import ForbiddenError as ForbiddenError
from .errors import ForkedLedgerError as ForkedLedgerError
from .errors import InputError as InputError
from .errors import InvalidError as InvalidError
from .errors import KeptCheckpointError as KeptCheckpointError
from .errors import LedgerKeyChangedError as LedgerKeyChangedError
from .errors import LienthongError as LienthongError
from .errors import ManifestError as ManifestError
from .errors import Mistake as Mistake
from .errors import NotAGatewayError as NotAGatewayError
from .errors import NotFoundError as NotFoundError
from .errors import NotYetRecordedError as NotYetRecordedError
from .errors import RefusedError as RefusedError
from .errors import RolledBackLedgerError as RolledBackLedgerError
from .errors import Text as Text
from .errors import UnauthenticatedError as UnauthenticatedError
from .errors import UnavailableError as UnavailableError
from .errors import UnprovenCallError as UnprovenCallError
from .errors import UnreachableError as UnreachableError
from .errors import VerificationError as VerificationError
from .proven_calls import CallVerifier as CallVerifier
from .proven_calls import ProvenCall as ProvenCall
from .proven_calls import UsedAssertions as UsedAssertions
from .sync_client import Client as Client
from .tokens import Token as Token
