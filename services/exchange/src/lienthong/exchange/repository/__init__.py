"""All queries of the exchange."""

from lienthong.exchange.repository.events import AcceptedEventRepository, KeptEventRepository
from lienthong.exchange.repository.numbering import NumberingRepository
from lienthong.exchange.repository.subscriptions import AcknowledgementRepository, SubscriptionRepository

__all__ = [
    "AcceptedEventRepository",
    "AcknowledgementRepository",
    "KeptEventRepository",
    "NumberingRepository",
    "SubscriptionRepository",
]
