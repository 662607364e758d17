"""REST: what an administrator does with the accounts of people, and how an invited person accepts.

The client `operator` acts as the platform's operator; who has signed in to the console, as that person, with
the roles of this moment. Who may do what is asked of the policy, in the service.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import ValidationError

from lienthong.identity.people.domain.accounts import Account, person_actor
from lienthong.identity.people.domain.names import LONGEST_NAME
from lienthong.identity.people.domain.sessions import Session
from lienthong.identity.people.schemas import (
    ACCEPT_BODY,
    AcceptSpec,
    Agency,
    EndedView,
    InvitationSpec,
    InvitedView,
    LinkView,
    PersonPage,
    PersonView,
    RolesSpec,
    RoleView,
    SessionList,
    SessionView,
)
from lienthong.identity.people.service.people import INVITATION, Link, NewPerson, People, Wanted
from lienthong.identity.people.service.sessions import SignedIn
from lienthong.kit.access import Caller, require
from lienthong.kit.actors import FOR_PEOPLE, Actor
from lienthong.kit.bodies import with_strict_json
from lienthong.kit.clock import Clock
from lienthong.kit.failures import invalid
from lienthong.kit.openapi import problems
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import TRANSACTION_HEADER, general
from lienthong.kit.problems import people as kinds
from lienthong.kit.problems.callers import token_refused
from lienthong.kit.rest import StrictRoute

PREFIX: Final = "/identity/v1"
SCOPE: Final = "identity:admin"
"""Which only the client `operator` can have."""
_OPERATOR: Final = frozenset({Grant(Role.PLATFORM_OPERATOR)})
_CHANGE: Final = problems(kinds.ROLE_REQUIRED, kinds.OWN_ACCOUNT, kinds.UNKNOWN_PERSON)
_MAX_LIMIT: Final = 200


Administrating = Annotated[Caller, Depends(require(SCOPE, for_people=FOR_PEOPLE))]
Cursor = Annotated[str, Query(max_length=36, description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT, description="How many accounts at most.")]
Review = Annotated[
    Literal["due"] | None, Query(description="`due`: only accounts whose last review is too long ago.")
]

Of = Annotated[Agency, Query(description="Only who belongs to this agency or holds a role for it.")]
Words = Annotated[
    str,
    Query(
        max_length=LONGEST_NAME,
        description="Only whose login or name has each of these words; case and diacritics make no "
        "difference.",
    ),
]


def link_url(people_url: str, link: Link) -> str:
    """The link for a person. The secret stands behind `#`, which no browser sends and no log keeps."""
    return f"{people_url}{INVITATION}#{link.token}"


SignedInBy = Callable[[Caller], Awaitable[SignedIn | None]]
"""Whose sign-in the token of a caller came of; None where that has ended, or there was none."""


def actor_of(signed_in_by: SignedInBy) -> Callable[[Request, Caller], Awaitable[Actor]]:
    """What finds out who acts by a request: the client `operator`, or the person who has signed in.

    It raises a `ProblemError`, 401 `token-refused`, where the person's session has ended, or what came of the
    sign-in to the application.
    """

    async def actor(request: Request, caller: Administrating) -> Actor:
        transaction_id = request.headers.get(TRANSACTION_HEADER, "")
        if caller.person is None:
            return Actor.of(caller, transaction_id, operator=True, grants=_OPERATOR)
        found = await signed_in_by(caller)
        if found is None:
            raise token_refused("ended")
        return person_actor(found.account, transaction_id, caller.client_id)

    return actor


def routes(people: People, signed_in_by: SignedInBy, clock: Clock, people_url: str) -> APIRouter:
    """Build the routes; `people_url` is the address of the pages on which links are used."""
    router = APIRouter(prefix=PREFIX, tags=["people"], route_class=StrictRoute)
    Administrator = Annotated[Actor, Depends(actor_of(signed_in_by))]  # noqa: N806  a type

    def shown(account: Account) -> PersonView:
        return _view(account, review_due=people.rules.review_due(account, clock.now()))

    def shown_link(link: Link) -> LinkView:
        return LinkView(url=link_url(people_url, link), expires_at=link.expires_at)

    @router.get("/people", responses=problems(kinds.ROLE_REQUIRED))
    async def list_people(
        actor: Administrator,
        cursor: Cursor = "",
        limit: Limit = 50,
        review: Review = None,
        agency: Of = "",
        q: Words = "",
    ) -> PersonPage:
        """List the accounts that the caller may see, oldest first."""
        wanted = Wanted(agency, review is not None, q.strip())
        found = await people.page(actor, wanted, after=cursor, limit=limit)
        last = found[-1].id if len(found) == limit else None
        return PersonPage(items=[shown(account) for account in found], next=last)

    @router.post(
        "/people",
        status_code=status.HTTP_201_CREATED,
        response_description="The account, and the link for the person.",
        responses=problems(kinds.ROLE_REQUIRED, kinds.LOGIN_TAKEN),
    )
    async def invite_person(actor: Administrator, wanted: InvitationSpec) -> InvitedView:
        """Invite a person: make an account with these roles, and a one-time link to it."""
        account, link = await people.invite(
            actor, NewPerson(wanted.login, wanted.name, wanted.agency, wanted.grants)
        )
        return InvitedView(person=shown(account), link=shown_link(link))

    @router.get("/people/{person_id}", responses=problems(kinds.UNKNOWN_PERSON))
    async def get_person(actor: Administrator, person_id: str) -> PersonView:
        """Show an account."""
        return shown(await people.get(actor, person_id))

    @router.put("/people/{person_id}/roles", responses=_CHANGE)
    async def put_roles(actor: Administrator, person_id: str, wanted: RolesSpec) -> PersonView:
        """Give a person these roles, and no others; what the person may do changes with the next request.

        Roles that are added end a link that was not used yet: make a new one then.
        """
        return shown(await people.change_grants(actor, person_id, wanted.grants))

    @router.post(
        "/people/{person_id}/link",
        responses=_CHANGE | problems(kinds.ACCOUNT_STATE),
        response_description="The link; older ones are useless.",
    )
    async def renew_link(actor: Administrator, person_id: str) -> LinkView:
        """Make a new link, for a first one that was lost, or for a lost password or second factor."""
        return shown_link(await people.renew_link(actor, person_id))

    @router.post("/people/{person_id}/suspend", responses=_CHANGE)
    async def suspend_person(actor: Administrator, person_id: str) -> PersonView:
        """Let a person sign in no more; sessions end at once."""
        return shown(await people.suspend(actor, person_id))

    @router.post("/people/{person_id}/resume", responses=_CHANGE)
    async def resume_person(actor: Administrator, person_id: str) -> PersonView:
        """Let a suspended or locked person sign in again."""
        return shown(await people.resume(actor, person_id))

    @router.post("/people/{person_id}/review", responses=_CHANGE)
    async def review_person(actor: Administrator, person_id: str) -> PersonView:
        """Confirm that an account and its roles are still needed."""
        return shown(await people.review(actor, person_id))

    @router.get("/people/{person_id}/sessions", responses=problems(kinds.UNKNOWN_PERSON))
    async def list_sessions(actor: Administrator, person_id: str) -> SessionList:
        """List the sessions of a person that have not ended, newest first."""
        return SessionList(items=[_session(one) for one in await people.sessions(actor, person_id)])

    signing_out = problems(kinds.ROLE_REQUIRED, kinds.UNKNOWN_PERSON)

    @router.delete("/people/{person_id}/sessions", responses=signing_out)
    async def sign_out(actor: Administrator, person_id: str) -> EndedView:
        """Sign a person out everywhere."""
        return EndedView(ended=await people.sign_out(actor, person_id))

    @router.delete("/people/{person_id}/sessions/{session_id}", responses=signing_out)
    async def end_session(actor: Administrator, person_id: str, session_id: str) -> EndedView:
        """End one session of a person."""
        return EndedView(ended=await people.sign_out(actor, person_id, session_id))

    @router.post(
        "/invitations/first-administrator",
        response_description="The link; an older one is useless.",
        responses=problems(kinds.ROLE_REQUIRED, kinds.ACCOUNT_STATE),
    )
    async def invite_first_administrator(actor: Administrator) -> LinkView:
        """Make the link of the first administrator anew, while nobody can sign in as platform operator."""
        return shown_link(await people.first_administrator_link(actor))

    @router.post(
        "/invitations/accept",
        status_code=status.HTTP_204_NO_CONTENT,
        response_class=Response,
        response_description="The account has this password, and no second factor yet.",
        responses=problems(
            kinds.LINK_REFUSED, kinds.LOGIN_TAKEN, kinds.ACCOUNT_STATE, general.REQUEST_TOO_LARGE
        ),
        openapi_extra=ACCEPT_BODY,
    )
    async def accept_invitation(request: Request) -> None:
        """Take an account over with the secret of a one-time link: choose a password.

        It needs no access token: the secret proves who calls. Everything that let someone in before is gone.
        """
        body = await with_strict_json(request, AcceptSpec.max_body)
        try:
            given = AcceptSpec.model_validate_json(await body.body())
        except ValidationError as error:
            raise invalid(
                [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
            ) from None
        await people.accept(given.token, given.password, login=given.login, name=given.name)

    return router


def _view(account: Account, *, review_due: bool) -> PersonView:
    return PersonView(
        id=account.id,
        login=account.login,
        name=account.name,
        agency=account.agency,
        state=account.state,
        roles=[RoleView(role=one.role, agency=one.agency) for one in sorted(account.grants)],
        created_at=account.created_at,
        used_at=account.used_at,
        reviewed_at=account.reviewed_at,
        review_due=review_due,
    )


def _session(found: Session) -> SessionView:
    return SessionView(
        id=found.id,
        created_at=found.created_at,
        seen_at=found.seen_at,
        expires_at=found.expires_at,
        address=found.origin.address,
        client=found.origin.client,
        factors=[factor.value for factor in found.factors],
    )
