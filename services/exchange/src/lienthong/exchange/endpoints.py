"""The exchange's REST: publish, subscribe, pull, acknowledge."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response, status

from lienthong.exchange import errors
from lienthong.exchange.domain.http_binding import BATCH, STRUCTURED
from lienthong.exchange.domain.json_format import MAX_BATCH
from lienthong.exchange.domain.messages import MAX_BODY_BYTES
from lienthong.exchange.models import Subscription
from lienthong.exchange.schemas import (
    CLOUD_EVENT,
    AcknowledgementDocument,
    AckRequest,
    DeliveredEventDocument,
    PublishResult,
    PullDocument,
    PullRequest,
    RefusedToken,
    SubscriptionList,
    SubscriptionName,
    SubscriptionSpec,
    SubscriptionView,
)
from lienthong.exchange.service.delivery import DeliveryService
from lienthong.exchange.service.publishing import PublishingService
from lienthong.exchange.service.subscriptions import SubscriptionService
from lienthong.kit.access import Caller, require
from lienthong.kit.actors import FOR_PEOPLE, Action, Actor
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.openapi import Responses, answer, problems, struct_schema
from lienthong.kit.problems import TRANSACTION_HEADER, agreements, general
from lienthong.kit.problems import exchange as kinds
from lienthong.kit.rest import StrictDirectRoute, StrictRoute

SCOPE = "events"
OPERATOR_SCOPE: Final = "catalog:admin"
"""Of the client that manages all systems."""

_authorized: Final = require(SCOPE)
Authorized = Annotated[Caller, Depends(_authorized)]
Administrating = Annotated[Caller, Depends(require(OPERATOR_SCOPE, for_people=FOR_PEOPLE))]
Name = Annotated[SubscriptionName, Path(description="The caller's name of the subscription.")]
Agency = Annotated[str, Path(description="The code of the agency, as in the id of the event type.")]
System = Annotated[str, Path(description="The code of the system.")]
OwnerAgency = Annotated[str, Path(max_length=35, description="The code of the system's agency.")]
OwnerSystem = Annotated[str, Path(max_length=63, description="The code of the system.")]
EventTypeCode = Annotated[str, Path(description="The code of the event type, with its major version.")]

_EVENTS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An event in structured or binary mode, or a batch of events.",
        "content": {
            STRUCTURED: {"schema": CLOUD_EVENT},
            BATCH: {
                "schema": {"type": "array", "items": CLOUD_EVENT, "minItems": 1, "maxItems": MAX_BATCH},
            },
            "application/json": {
                "schema": {"description": "The payload; the attributes are in `ce-*` headers."},
            },
        },
    }
}
_PUBLISH_PROBLEMS: Final = problems(
    kinds.MALFORMED_EVENT,
    kinds.NOT_THE_PROVIDER,
    kinds.PROVIDER_SUSPENDED,
    kinds.UNKNOWN_EVENT_TYPE,
    kinds.EVENT_ID_REUSED,
    kinds.EVENT_TOO_LARGE,
    kinds.BATCH_TOO_LARGE,
    general.UNSUPPORTED_MEDIA_TYPE,
    kinds.SCHEMA_MISMATCH,
    kinds.SCHEMA_UNUSABLE,
    general.TOO_COSTLY,
    general.RATE_LIMITED,
    kinds.BUS_UNAVAILABLE,
    kinds.EVENT_STORE_FULL,
)
_RECEIVE: Final = (
    general.MALFORMED_REQUEST,
    agreements.NO_AGREEMENT,
    agreements.AGREEMENT_PENDING,
    agreements.AGREEMENT_NOT_YET_VALID,
    agreements.AGREEMENT_EXPIRED,
    agreements.AGREEMENT_SUSPENDED,
    agreements.AGREEMENT_REVOKED,
    kinds.PROVIDER_SUSPENDED,
    kinds.UNKNOWN_EVENT_TYPE,
    kinds.BUS_UNAVAILABLE,
)
_UNKNOWN: Final = problems(kinds.UNKNOWN_SUBSCRIPTION)
_CREATED: Final[Responses] = {
    201: {"model": SubscriptionView, "description": "The subscription was created."}
}


def routes(
    publishing: PublishingService, subscriptions: SubscriptionService, delivery: DeliveryService
) -> APIRouter:
    """The router; every path needs a token with the scope `events`."""
    router = APIRouter(prefix="/exchange/v1", route_class=StrictRoute)

    async def publish(
        request: Request, agency: Agency, system: System, event_type: EventTypeCode
    ) -> Response:
        """Publish one event (structured or binary mode) or a batch. All are accepted, or none is."""
        caller = await _authorized(request)
        event_type_id = f"{agency}/{system}/{event_type}"
        # Before reading the body: that of a caller without the right is not worth the memory.
        publishing.demand_right(caller.client_id, event_type_id)
        publishing.demand_room()
        body = await _body(request, partial(publishing.charge_bytes, caller.client_id))
        published = await publishing.publish(caller.client_id, event_type_id, request.headers.items(), body)
        document = msgspec.json.encode({"accepted": published})
        return Response(document, status_code=status.HTTP_202_ACCEPTED, media_type="application/json")

    router.add_api_route(
        "/events/{agency}/{system}/{event_type}",
        publish,
        methods=["POST"],
        dependencies=[Depends(_authorized)],
        status_code=status.HTTP_202_ACCEPTED,
        response_model=PublishResult,
        response_description="All events of the request are on disk.",
        responses=_PUBLISH_PROBLEMS,
        openapi_extra=_EVENTS,
        route_class_override=StrictDirectRoute,
    )

    @router.get("/subscriptions", response_description="The subscriptions.")
    async def list_subscriptions(caller: Authorized) -> SubscriptionList:
        """List the caller's subscriptions, by name."""
        found = await subscriptions.of(caller.client_id)
        return SubscriptionList(items=[_view(subscription) for subscription in found])

    @router.get("/subscriptions/{name}", response_description="The subscription.", responses=_UNKNOWN)
    async def get_subscription(caller: Authorized, name: Name) -> SubscriptionView:
        """Read one subscription of the caller."""
        return _view(await subscriptions.named(caller.client_id, name))

    @router.put(
        "/subscriptions/{name}",
        response_description="The same subscription was there already.",
        responses=_CREATED | problems(*_RECEIVE, kinds.SUBSCRIPTION_EXISTS, kinds.TOO_MANY_SUBSCRIPTIONS),
    )
    async def put_subscription(
        request: Request, response: Response, caller: Authorized, name: Name, spec: SubscriptionSpec
    ) -> SubscriptionView:
        """Create a subscription. Asked for again with the same properties, it stays as it is."""
        subscription, created = await subscriptions.put(
            caller.client_id,
            name,
            spec.event_type,
            ordered=spec.ordered,
            start=spec.start,
            tx=request.headers.get(TRANSACTION_HEADER),
        )
        response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return _view(subscription)

    @router.delete(
        "/subscriptions/{name}",
        status_code=status.HTTP_204_NO_CONTENT,
        response_class=Response,
        response_description="The subscription is deleted.",
        responses=_UNKNOWN,
    )
    async def delete_subscription(request: Request, caller: Authorized, name: Name) -> None:
        """Delete a subscription; events that were not delivered yet are not kept for it."""
        await subscriptions.delete(caller.client_id, name, tx=request.headers.get(TRANSACTION_HEADER))

    @router.post(
        "/subscriptions/{name}/pull",
        response_class=Response,
        responses=answer(
            "application/json",
            struct_schema(PullDocument),
            "The events; the list is empty when none came in time.",
        )
        | problems(*_RECEIVE, kinds.UNKNOWN_SUBSCRIPTION),
    )
    async def pull(request: Request, caller: Authorized, name: Name, wanted: PullRequest) -> Response:
        """Receive events. Waits up to `wait_seconds` for the first one."""
        pulled = await delivery.pull(
            caller.client_id, name, wanted.max, wanted.wait_seconds, request.is_disconnected
        )
        events = [
            DeliveredEventDocument(event.ack, event.sequence, event.delivered, msgspec.Raw(event.event))
            for event in pulled
        ]
        return Response(msgspec.json.encode(PullDocument(events)), media_type="application/json")

    @router.post(
        "/subscriptions/{name}/ack",
        response_description="Which tokens acknowledged an event.",
        responses=problems(general.MALFORMED_REQUEST, kinds.UNKNOWN_SUBSCRIPTION),
    )
    async def acknowledge(caller: Authorized, name: Name, done: AckRequest) -> AcknowledgementDocument:
        """Acknowledge events: they are never delivered to this subscription again."""
        outcome = await delivery.acknowledge(caller.client_id, name, done.ack)
        return AcknowledgementDocument(
            acknowledged=list(outcome.acknowledged),
            refused=[RefusedToken(token=token, detail=detail) for token, detail in outcome.refused],
        )

    @router.get("/systems/{agency}/{system}/subscriptions", response_description="The subscriptions.")
    async def list_subscriptions_of_system(
        caller: Administrating, agency: OwnerAgency, system: OwnerSystem
    ) -> SubscriptionList:
        """List a system's subscriptions, by name: for people who manage the systems of its agency."""
        _administrator(caller, agency)
        found = await subscriptions.of(f"{agency}/{system}")
        return SubscriptionList(items=[_view(subscription) for subscription in found])

    @router.get(
        "/systems/{agency}/{system}/subscriptions/{name}",
        response_description="The subscription.",
        responses=_UNKNOWN,
    )
    async def get_subscription_of_system(
        caller: Administrating, agency: OwnerAgency, system: OwnerSystem, name: Name
    ) -> SubscriptionView:
        """Read one subscription of a system."""
        _administrator(caller, agency)
        return _view(await subscriptions.named(f"{agency}/{system}", name))

    @router.delete(
        "/systems/{agency}/{system}/subscriptions/{name}",
        status_code=status.HTTP_204_NO_CONTENT,
        response_class=Response,
        response_description="The subscription is deleted.",
        responses=_UNKNOWN,
    )
    async def delete_subscription_of_system(
        request: Request, caller: Administrating, agency: OwnerAgency, system: OwnerSystem, name: Name
    ) -> None:
        """Delete a subscription of a system; events that were not delivered yet are not kept for it."""
        actor = _administrator(caller, agency)
        tx = request.headers.get(TRANSACTION_HEADER)
        await subscriptions.delete(f"{agency}/{system}", name, tx=tx, by=actor)

    return router


def _administrator(caller: Caller, agency: str) -> Actor:
    """Who may manage the systems of an agency; nothing is looked up before.

    Raises:
        ProblemError: 403 `role-required`.
    """
    actor = Actor.of(caller, operator=OPERATOR_SCOPE in caller.scopes)
    actor.demand(Action.MANAGE_SYSTEMS, agency)
    return actor


async def _body(request: Request, charge: Callable[[int], None]) -> bytes:
    """The body of a request that publishes, at most as long as the largest batch; `charge` as in `read_body`.

    Raises:
        ProblemError: `event-too-large`, or `malformed-event` when the sender hung up; those of `read_body`.
    """
    try:
        return await read_body(request, MAX_BODY_BYTES, charge=charge)
    except BodyTooLargeError as error:
        raise errors.event_too_large(None, error.limit) from None
    except BodyIncompleteError:
        incomplete = errors.EventViolation("", "ended before it was complete")
        raise errors.malformed_event([incomplete]) from None


def _view(subscription: Subscription) -> SubscriptionView:
    return SubscriptionView(
        name=subscription.name,
        event_type=subscription.event_type,
        ordered=subscription.ordered,
        created_at=subscription.created_at,
    )
