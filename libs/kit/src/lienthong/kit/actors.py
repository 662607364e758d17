"""Who asks a service for something: a system, the platform's operator client, or a person with roles.

Every service makes an `Actor` of the token that came, and asks it before anything is looked up or done; none
asks `policy` about a person in another way. Decision 0069 says which action stands for which address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from lienthong.kit.policy import Action, Grant, allowed, reached
from lienthong.kit.problems.roles import role_required
from lienthong.kit.succession import NOBODY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lienthong.kit.succession import StandsFor
    from lienthong.kit.tokens import Person

__all__ = ["FOR_PEOPLE", "Action", "Actor", "Caller", "Grant", "actor_name"]

FOR_PEOPLE: Final = "platform"
"""The scope of applications in which people act on the platform itself; only the console can have it."""


class Caller(Protocol):
    """What a verified token says of who has it."""

    @property
    def client_id(self) -> str:
        """The client; of a person, the application."""
        ...

    @property
    def person(self) -> Person | None:
        """The person; None for a client that acts for itself."""
        ...

    @property
    def stands_for(self) -> StandsFor:
        """The codes of before of the agencies of either."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the name in the journal, and what it may do.

    A person has an `id` and the roles `grants`. A system has neither: what it may do follows from its scopes
    and its agreements, which its service knows. The client `operator` may do everything that a service lets
    the operator do (`is_operator`), and has the roles of one where roles are compared.
    """

    name: str
    """In records: the client's id, or `person/…`."""
    grants: frozenset[Grant] = frozenset()
    id: str = ""
    """A person's; "" for other actors."""
    transaction_id: str = ""
    """Of the request; "" where there was none."""
    application: str = ""
    """The client in which a person has signed in; "" for other actors."""
    is_operator: bool = False
    stands_for: StandsFor = NOBODY

    @classmethod
    def of(
        cls,
        caller: Caller,
        transaction_id: str = "",
        *,
        operator: bool = False,
        grants: Collection[Grant] | None = None,
    ) -> Actor:
        """Who asks with a valid token; `operator` says whether a client is the operator here.

        A person has the roles that the token names, or `grants` where the service knows those of this moment;
        each for the codes of before of its agency too.
        """
        person = caller.person
        if person is None:
            roles = frozenset(grants or ()) if operator else frozenset[Grant]()
            return cls(
                caller.client_id,
                roles,
                transaction_id=transaction_id,
                is_operator=operator,
                stands_for=caller.stands_for,
            )
        held = caller.stands_for.reach(person.grants if grants is None else grants)
        return cls(actor_name(person.id), held, person.id, transaction_id, caller.client_id)

    @property
    def is_person(self) -> bool:
        """Whether it is a person."""
        return bool(self.id)

    @property
    def is_system(self) -> bool:
        """Whether it is a client that acts for itself, and not as the operator."""
        return not self.id and not self.is_operator

    @property
    def agency(self) -> str:
        """The agency of a calling system (`H11.05` of `H11.05/land`); "" of other actors: persons have roles,
        perhaps for several agencies."""
        agency, slash, _ = self.name.partition("/")
        return agency if slash and self.is_system else ""

    def is_of(self, agency: str) -> bool:
        """Whether it is a system of this agency, or of one that stands for it or that it stands for."""
        return agency in self.codes

    @property
    def codes(self) -> frozenset[str]:
        """All codes of the agency of a calling system; none of other actors."""
        return self.stands_for.together(self.agency)

    def may(self, action: Action, agency: str = "") -> bool:
        """Whether it may do this on things of `agency`; "" are the platform's own."""
        return self.is_operator or allowed(self.grants, action, agency)

    def may_somewhere(self, action: Action) -> bool:
        """Whether it may do this on things of any agency, or of the platform."""
        return self.is_operator or bool(reached(self.grants, action))

    def agencies(self, action: Action) -> frozenset[str] | None:
        """The agencies on whose things it may do this; None for those of all."""
        found = reached(self.grants, action)
        return None if self.is_operator or "" in found else found

    def belongs_to(self, agency: str) -> bool:
        """Whether it is shown what concerns an agency alone: its systems, its people, and operators."""
        return self.is_operator or self.is_of(agency) or any(one.reaches(agency) for one in self.grants)

    def demand(self, action: Action, *agencies: str) -> None:
        """Refuse an actor that may not do this on things of all these agencies; without one, on the
        platform's own.

        Raises:
            ProblemError: 403 `role-required`, which says which roles could.
        """
        for agency in agencies or ("",):
            if not self.may(action, agency):
                raise role_required(action, agency)

    def demand_somewhere(self, action: Action) -> None:
        """Refuse an actor that may not do this anywhere, before it is known whose things are meant.

        Raises:
            ProblemError: 403 `role-required`.
        """
        if not self.may_somewhere(action):
            raise role_required(action, None)

    def recorded(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """The detail of a record of an act: of a person's with the application in which it was done."""
        return {**detail, "application": self.application} if self.application else dict(detail)


def actor_name(person_id: str) -> str:
    """A person's name in the journal: `person/…`, with an id that says nothing of the person."""
    return f"person/{person_id}"
