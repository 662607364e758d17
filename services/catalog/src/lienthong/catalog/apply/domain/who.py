"""Who may apply what: people by their roles, and a system by its own key for its agency.

A system publishes and registers for its agency as its people do, so that an agency's own pipeline can; it
neither asks for agreements by files nor decides on any (decision 0077).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.kit.policy import Action

if TYPE_CHECKING:
    from lienthong.kit.actors import Actor

_OF_SYSTEMS: Final = frozenset((Action.MANAGE_SYSTEMS, Action.DRAFT_SERVICES, Action.MANAGE_SERVICES))


def may(actor: Actor, action: Action, agency: str = "") -> bool:
    """Whether an actor may apply what takes `action` on things of `agency`; "" are the platform's own."""
    if actor.is_system:
        return action in _OF_SYSTEMS and actor.is_of(agency)
    return actor.may(action, agency)
