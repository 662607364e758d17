"""The bus: acknowledged publishing and durable pulling over NATS JetStream.

A thin layer over nats-py that controls acknowledgements itself and works around known faults of nats-py.
`lienthong.kit.messages` has the values and errors. Here `bus` is what processes use; below it are `consumer`
(durable pulling) and `streams`, then `connection`, then its parts `requests` and `ending`, and `faults`:
errors of nats-py and of the server, turned into ours.
"""

from lienthong.kit.bus.bus import MESSAGE_ID, Bus
from lienthong.kit.bus.consumer import Consumer
from lienthong.kit.messages import (
    BusConflictError,
    BusError,
    BusFullError,
    BusNotTogetherError,
    BusRefusedError,
    BusUnavailableError,
    Delivery,
    PublishAck,
    StreamSpec,
    StreamState,
)

__all__ = [
    "MESSAGE_ID", "Bus", "BusConflictError", "BusError", "BusFullError", "BusNotTogetherError",
    "BusRefusedError", "BusUnavailableError", "Consumer", "Delivery", "PublishAck", "StreamSpec",
    "StreamState",
]  # fmt: skip
