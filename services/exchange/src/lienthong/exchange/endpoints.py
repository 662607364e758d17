"""The exchange's REST: publish, subscribe, pull, acknowledge."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response, status

from lienthong.exchange import errors
from lienthong.exchange.domain.messages import MAX_BODY_BYTES
from lienthong.exchange.models import Subscription
from lienthong.exchange.schemas import (
    AcceptedEventView,
    AckRequest,
    AckResult,
    PublishResult,
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
from lienthong.kit.problems import TRANSACTION_HEADER
from lienthong.kit.rest import BodyIncompleteError, BodyTooLargeError, StrictRoute, read_body

SCOPE = "events"

Authorized = Annotated[Caller, Depends(require(SCOPE))]
Name = Annotated[SubscriptionName, Path()]


def routes(
    publishing: PublishingService, subscriptions: SubscriptionService, delivery: DeliveryService
) -> APIRouter:
    """The router; every path needs a token with the scope `events`."""
    router = APIRouter(prefix="/exchange/v1", route_class=StrictRoute)

    @router.post("/events/{agency}/{system}/{event_type}", status_code=status.HTTP_202_ACCEPTED)
    async def publish(
        request: Request, caller: Authorized, agency: str, system: str, event_type: str
    ) -> PublishResult:
        """Accept one event (structured or binary mode) or a batch; answered when they are on disk."""
        event_type_id = f"{agency}/{system}/{event_type}"
        # Before reading the body: that of a caller without the right is not worth the memory.
        publishing.demand_right(caller.client_id, event_type_id)
        published = await publishing.publish(
            caller.client_id, event_type_id, request.headers.items(), await _body(request)
        )
        return PublishResult(
            accepted=[
                AcceptedEventView(id=event.id, sequence=event.sequence, duplicate=event.duplicate)
                for event in published
            ]
        )

    @router.get("/subscriptions")
    async def list_subscriptions(caller: Authorized) -> SubscriptionList:
        """The caller's subscriptions, by name."""
        found = await subscriptions.of(caller.client_id)
        return SubscriptionList(items=[_view(subscription) for subscription in found])

    @router.get("/subscriptions/{name}")
    async def get_subscription(caller: Authorized, name: Name) -> SubscriptionView:
        """One subscription of the caller."""
        return _view(await subscriptions.named(caller.client_id, name))

    @router.put("/subscriptions/{name}")
    async def put_subscription(
        request: Request, response: Response, caller: Authorized, name: Name, spec: SubscriptionSpec
    ) -> SubscriptionView:
        """Create a subscription (201), or show the same one when it is there already (200)."""
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

    @router.delete("/subscriptions/{name}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_subscription(request: Request, caller: Authorized, name: Name) -> None:
        """Delete a subscription; events that were not delivered yet are not kept for it."""
        await subscriptions.delete(caller.client_id, name, tx=request.headers.get(TRANSACTION_HEADER))

    @router.post("/subscriptions/{name}/pull")
    async def pull(request: Request, caller: Authorized, name: Name, wanted: PullRequest) -> Response:
        """Receive events; an empty list when none came in time."""
        pulled = await delivery.pull(
            caller.client_id, name, wanted.max, wanted.wait_seconds, request.is_disconnected
        )
        events = [
            {
                "ack": event.ack,
                "sequence": event.sequence,
                "delivered": event.delivered,
                # As text, so that every byte of the payload stays as the publisher wrote it.
                "event": msgspec.Raw(event.event),
            }
            for event in pulled
        ]
        return Response(msgspec.json.encode({"events": events}), media_type="application/json")

    @router.post("/subscriptions/{name}/ack")
    async def acknowledge(caller: Authorized, name: Name, done: AckRequest) -> AckResult:
        """Acknowledge events: they are never delivered to this subscription again."""
        outcome = await delivery.acknowledge(caller.client_id, name, done.ack)
        return AckResult(
            acknowledged=list(outcome.acknowledged),
            refused=[RefusedToken(token=token, detail=detail) for token, detail in outcome.refused],
        )

    return router


async def _body(request: Request) -> bytes:
    """The body of a request that publishes, at most as long as the largest batch.

    Raises:
        ProblemError: `event-too-large`, or `malformed-event` when the sender hung up.
    """
    try:
        return await read_body(request, MAX_BODY_BYTES)
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
