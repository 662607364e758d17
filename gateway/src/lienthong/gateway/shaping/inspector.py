"""What is read of calls on their way: whether they are as their service says, and whom their bodies name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway.body_checks import CheckMode
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.response import StreamedResponse, WholeResponse
from lienthong.gateway.shaping import problems
from lienthong.gateway.shaping.fields import CONTENT_TYPE, AnswerFields
from lienthong.gateway.shaping.persons import note_persons
from lienthong.gateway.shaping.taking import RequestTaking, take_answer
from lienthong.kit.problems import ProblemError
from lienthong.kit.schema_mismatches import SchemaMismatch
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from lienthong.gateway.body_checks import BodyForms, CheckCounts, CheckOutcome
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.parameter_checks import ParameterChecks
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.shaping.beside import Beside
    from lienthong.gateway.shaping.looking import Looking
    from lienthong.gateway.table import ServiceRoute
    from lienthong.gateway.targets import ServiceTarget
    from lienthong.kit.field_paths import FieldTree

REQUEST: Final = "request"
ANSWER: Final = "answer"
_WITHOUT_BODY: Final = (204, 304)
_CODING: Final = field_prefix(b"content-encoding")

_log = structlog.get_logger(__name__)


class Inspector:
    """Reads bodies, and parameters to be checked, as the operations of calls ask for it."""

    def __init__(
        self, settings: GatewaySettings, counts: CheckCounts, looking: Looking, beside: Beside
    ) -> None:
        self._taking = RequestTaking(settings)
        self._answer_limit = settings.gateway_shaped_answer_bytes
        self._counts = counts
        self._looking = looking
        self._beside = beside

    async def request(
        self,
        call: Call,
        target: ServiceTarget,
        operation: OperationRoute,
        headers: RequestHeaders,
        incoming: Incoming,
    ) -> None:
        """Read the parameters and the body of a request, which is forwarded as it came.

        Raises:
            ProblemError: request-not-valid, request-too-large, and those of taking it in.
            CallerGoneError: the caller went away meanwhile.
        """
        route, parameters, checks = target.route, operation.parameters, operation.checks
        tree = operation.persons.request if operation.persons is not None else None
        forms = checks.request if checks is not None else None
        mode = checks.request_mode if checks is not None else None
        wrong: list[SchemaMismatch] | None = []
        if parameters is not None:
            wrong = await self._parameters(call, target, parameters, headers)
            if wrong and parameters.mode is CheckMode.ENFORCE:
                self._unread(call, REQUEST, tree)
                call.request_check = self._counted(route.id, REQUEST, wrong)
                raise problems.parameters_not_valid(wrong)
        found: list[SchemaMismatch] | None = []
        if forms is not None and mode is not None:
            found = await self._request_body(call, route, forms, mode, tree, headers, incoming)
        elif tree is not None:
            document = await self._taking.take(call, route, headers, incoming)
            if document != b"":
                await self._note(call, REQUEST, document, tree)
        if forms is not None or parameters is not None:
            call.request_check = self._counted(route.id, REQUEST, _together(wrong, found))
        if found and mode is CheckMode.ENFORCE:
            raise problems.request_not_valid(found)

    async def _parameters(
        self, call: Call, target: ServiceTarget, checks: ParameterChecks, headers: RequestHeaders
    ) -> list[SchemaMismatch] | None:
        """What is wrong with the parameters; None: nobody knows, and nothing is enforced."""
        stated = checks.stated(target.path, call.query, headers)
        try:
            return await self._looking.look_at_parameters(call.client or "", stated, checks)
        except (ProblemError, TooCostlyError) as error:
            return _unlooked(error, checks.mode)

    async def _request_body(
        self,
        call: Call,
        route: ServiceRoute,
        forms: BodyForms,
        mode: CheckMode,
        tree: FieldTree | None,
        headers: RequestHeaders,
        incoming: Incoming,
    ) -> list[SchemaMismatch] | None:
        """What is wrong with the body of a request; None: nobody knows, and nothing is enforced."""
        document = await self._taking.take(call, route, headers, incoming)
        if document is None:
            if mode is CheckMode.ENFORCE:
                raise problems.request_too_large_to_check(self._taking.limit)
            self._unread(call, REQUEST, tree)
            return None
        flaw, schema = _flaw_of_request(forms, headers, document)
        if flaw is None and schema:
            return await self._looked(call, REQUEST, call.client or "", document, schema, tree, mode)
        if tree is not None and document:
            await self._note(call, REQUEST, document, tree)
        return [flaw] if flaw is not None else []

    async def answer(
        self,
        call: Call,
        route: ServiceRoute,
        operation: OperationRoute,
        response: GatewayResponse,
        incoming: Incoming,
    ) -> GatewayResponse:
        """Read the body of an answer, and give it back.

        Raises:
            ProblemError: answer-not-valid, answer-too-large, provider-broken, provider-timeout.
            CallerGoneError: the caller went away meanwhile.
        """
        status = response.status
        if call.method == "HEAD" or status in _WITHOUT_BODY:
            return response
        tree = operation.persons.answer if operation.persons is not None else None
        checks = operation.checks
        forms = checks.answer(status) if checks is not None else None
        mode = checks.answer_mode if checks is not None else None
        if forms is None or mode is None:
            return response if tree is None else await self._named(call, tree, response, incoming)
        flaw, schema = _flaw_of_answer(forms, response)
        found: list[SchemaMismatch] | None
        if flaw is not None or not schema or (isinstance(response, StreamedResponse) and response.endless):
            # Nothing of the body has to be known for that.
            found = [flaw] if flaw is not None else None if schema else []
            if tree is not None:
                response = await self._named(call, tree, response, incoming)
        else:
            response = await take_answer(response, incoming, self._answer_limit)
            if isinstance(response, WholeResponse):
                found = await self._looked(call, ANSWER, route.system_id, response.body, schema, tree, mode)
            elif mode is CheckMode.ENFORCE:
                raise problems.answer_too_large(self._answer_limit)
            else:
                self._unread(call, ANSWER, tree)
                found = None
        call.answer_check = self._counted(route.id, ANSWER, found)
        if found:
            places = [one.place for one in found]
            _log.warning("answer not valid", tx=call.tx, service=route.id, status=status, places=places)
            if mode is CheckMode.ENFORCE:
                raise problems.answer_not_valid(found)
        return response

    async def _looked(
        self,
        call: Call,
        part: str,
        sender: str,
        document: bytes,
        schema: str,
        tree: FieldTree | None,
        mode: CheckMode,
    ) -> list[SchemaMismatch] | None:
        """What is wrong with a body that is here; None: nobody knows, and nothing is enforced."""
        try:
            found, named = await self._looking.look(sender, document, schema, tree)
        except (ProblemError, TooCostlyError) as error:
            self._unread(call, part, tree)
            return _unlooked(error, mode)
        if call.persons is not None and named is not None:
            persons = call.persons
            await self._beside.run(document, persons.add, named)
        elif named is None:
            self._unread(call, part, tree)
        return found

    async def _named(
        self, call: Call, tree: FieldTree, response: GatewayResponse, incoming: Incoming
    ) -> GatewayResponse:
        if isinstance(response, StreamedResponse) and response.endless:
            self._unread(call, ANSWER, tree)
            return response
        response = await take_answer(response, incoming, self._answer_limit)
        document = response.body if isinstance(response, WholeResponse) else None
        if document != b"":
            await self._note(call, ANSWER, document, tree)
        return response

    async def _note(self, call: Call, part: str, document: bytes | None, tree: FieldTree) -> None:
        persons = call.persons
        if persons is not None:
            await self._beside.run(document or b"", note_persons, persons, part, document, tree)

    def _unread(self, call: Call, part: str, tree: FieldTree | None) -> None:
        if tree is not None and call.persons is not None:
            call.persons.unread.append(part)

    def _counted(self, service: str, part: str, found: list[SchemaMismatch] | None) -> CheckOutcome:
        outcome: CheckOutcome = "unchecked" if found is None else "invalid" if found else "valid"
        self._counts.add(service, part, outcome)
        return outcome


def _unlooked(error: ProblemError | TooCostlyError, mode: CheckMode) -> list[SchemaMismatch] | None:
    """What is said of something that could not be looked into; None where nothing is enforced."""
    if mode is not CheckMode.ENFORCE:
        return None
    if isinstance(error, ProblemError):
        raise error
    return [SchemaMismatch("", "", "takes too long to be checked")]


def _together(
    wrong: list[SchemaMismatch] | None, found: list[SchemaMismatch] | None
) -> list[SchemaMismatch] | None:
    """What is wrong with either; None where nothing is known to be, and one of them is not known."""
    return [*(wrong or ()), *(found or ())] or (None if wrong is None or found is None else [])


def _flaw_of_request(
    forms: BodyForms, headers: RequestHeaders, document: bytes
) -> tuple[SchemaMismatch | None, str]:
    """What is wrong with a body before it is read, and the schema that it is read by; empty: by none."""
    if not document:
        return (
            SchemaMismatch("", "", "is missing: the operation needs a body") if forms.required else None
        ), ""
    if headers.passed_values(_CODING):
        return SchemaMismatch("", "", "is coded (Content-Encoding), and cannot be looked into"), ""
    stated = headers.passed_values(CONTENT_TYPE)
    media_type = stated[0].partition(b";")[0].strip().lower() if len(stated) == 1 else b""
    return _flaw_of_type(forms.schema(media_type))


def _flaw_of_answer(forms: BodyForms, response: GatewayResponse) -> tuple[SchemaMismatch | None, str]:
    if isinstance(response, WholeResponse) and not response.body:
        return None, ""
    answer = AnswerFields(response.fields)
    if answer.coded:
        return SchemaMismatch("", "", "is coded though nobody asked for that"), ""
    return _flaw_of_type(forms.schema(answer.media_type or b""))


def _flaw_of_type(schema: str | None) -> tuple[SchemaMismatch | None, str]:
    if schema is None:
        return SchemaMismatch("", "", "has a media type that the operation does not describe"), ""
    return None, schema
