"""What an exchange of tokens asks for (RFC 8693 §2.1), and through whose hands a token has come (§4.1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lienthong.identity.domain.scopes import DELEGATED_SCOPES, granted_scopes
from lienthong.identity.domain.token_request import ACCESS_TOKEN_TYPE
from lienthong.identity.openid import errors
from lienthong.kit.tokens import MOST_ACTORS, AccessToken, Confirmation


@dataclass(frozen=True, slots=True)
class Targets:
    """What a token may be asked for: `audience` is what is in its `aud`, `addresses` those of the gateway."""

    audience: str
    addresses: Collection[str]

    def check(self, form: Mapping[str, str]) -> None:
        """Refuse a request for a token that is to be used elsewhere (RFC 8693 §2.1, RFC 8707 §2).

        Raises:
            TokenError: `invalid_target`.
        """
        audiences = {self.audience, *self.addresses}
        resources = {spelt for one in self.addresses for spelt in (one, f"{one}/")}
        for name, known in (("audience", audiences), ("resource", resources)):
            if name in form and not set(form[name].split(" ")) <= known:
                raise errors.unknown_target(name, self.audience if name == "audience" else min(resources))


def subject_token(form: Mapping[str, str]) -> str:
    """The token that is to be exchanged.

    Raises:
        TokenError: `invalid_request`: it is missing or of another kind, another kind is wanted, or an actor
            is named beside the client itself.
    """
    for name in ("actor_token", "actor_token_type"):
        if name in form:
            raise errors.no_actor_token(name)
    if "subject_token" not in form:
        raise errors.missing("subject_token")
    if form.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise errors.wrong("subject_token_type", ACCESS_TOKEN_TYPE)
    if form.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise errors.wrong("requested_token_type", ACCESS_TOKEN_TYPE)
    return form["subject_token"]


def check_holder(subject: AccessToken, confirmation: Confirmation | None) -> None:
    """Refuse a token that is bound to somebody else than who exchanges it (RFC 8705 §3, RFC 9449 §7): it was
    stolen, or must not leave the hands that it is in.

    Raises:
        TokenError: `invalid_request`.
    """
    bound = subject.confirmation
    if bound is None:
        return
    proved = confirmation or Confirmation()
    if bound.certificate not in (None, proved.certificate) or bound.key not in (None, proved.key):
        raise errors.not_the_holder()


def origin(subject: AccessToken) -> tuple[str, ...]:
    """Through whose hands a token has come, the newest first; at last the application of the sign-in."""
    return subject.actors or (subject.client_id,)


def actors(subject: AccessToken, client_id: str) -> tuple[str, ...]:
    """Through whose hands the new token has come. A client that has the token already is not named again.

    Raises:
        TokenError: `invalid_request`: too many hands.
    """
    before = origin(subject)
    found = before if before[0] == client_id else (client_id, *before)
    if len(found) > MOST_ACTORS:
        raise errors.too_many_actors(MOST_ACTORS)
    return found


def exchanged_scopes(
    form: Mapping[str, str], subject: AccessToken, of_client: Sequence[str]
) -> tuple[str, ...]:
    """The scopes of the new token: of those that can be exchanged what is asked for, or all that both the
    token and the client have.

    Raises:
        TokenError: `invalid_scope`.
    """
    both = tuple(one for one in DELEGATED_SCOPES if one in subject.scopes and one in of_client)
    if not both:
        raise errors.nothing_in_common(" ".join(DELEGATED_SCOPES))
    return granted_scopes(form.get("scope"), both)
