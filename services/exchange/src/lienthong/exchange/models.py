"""Tables of the exchange."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lienthong.kit import database
from lienthong.kit.history import HistoryTables, history_table
from lienthong.kit.outbox import outbox_table
from lienthong.kit.retained_records import retained_table


class ExchangeBase(database.Base):
    """The root of the exchange's tables."""

    __abstract__ = True
    metadata = database.new_metadata()


class Subscription(ExchangeBase):
    """What a system wants to receive, and the lease under which an ordered subscription is pulled.

    `lease` names the pull that may take events now, until `lease_until` by the clock of whoever wrote that;
    once it has some, `lease_events` lists their message ids, and the lease ends when all of them are
    acknowledged.

    All sequences in these tables are numbers as `domain.numbering` gives them, never the stream's own. Events
    from `start_sequence` on belong to the subscription; all of them up to `acknowledged_through` are
    acknowledged. Its consumer on the bus begins at `resume_sequence`: when the stream went back last, all
    before that was acknowledged. What the stream had lost before the subscription was made has numbers below
    `known_from`.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(63))
    event_type: Mapped[str] = mapped_column(String(192))
    ordered: Mapped[bool]
    start_sequence: Mapped[int] = mapped_column(BigInteger)
    resume_sequence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    acknowledged_through: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    known_from: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    created_at: Mapped[datetime]
    lease: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]
    lease_events: Mapped[list[Any] | None]


class AcknowledgedEvent(ExchangeBase):
    """An event that a subscriber acknowledged; it is never delivered to that subscription again.

    JetStream alone does not keep that promise: one server answers an acknowledgement before it is on disk.
    """

    __tablename__ = "acknowledgements"

    subscription_id: Mapped[str] = mapped_column(
        ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    acknowledged_at: Mapped[datetime]


class AcceptedEvent(ExchangeBase):
    """An accepted event, by its message id: the deduplication index. It counts while the stream has it."""

    __tablename__ = "accepted_events"

    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))


class KeptEvent(ExchangeBase):
    """An event that a subscription has not acknowledged, to be published again if the bus loses it.

    The stream has it since `stored_at`, or a moment before; None where it was kept before that was noted.
    """

    __tablename__ = "kept_events"
    __table_args__ = (Index("ix_kept_events_event_type_sequence", "event_type", "sequence"),)

    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    event_type: Mapped[str] = mapped_column(String(192))
    fingerprint: Mapped[str] = mapped_column(String(64))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    stored_at: Mapped[datetime | None]


class EventStream(ExchangeBase):
    """How a stream's sequences are numbered: `domain.numbering.Numbering`; `spans` is a list of pairs."""

    __tablename__ = "event_streams"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[str] = mapped_column(String(64))
    spans: Mapped[list[Any]]


outbox = outbox_table(ExchangeBase.metadata)
retained = retained_table(ExchangeBase.metadata)
history = HistoryTables(history_table(ExchangeBase.metadata), outbox, retained)
