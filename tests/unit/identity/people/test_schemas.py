"""What may be sent of people: brought into one form, and refused with its place where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lienthong.identity.people.schemas import InvitationSpec, RolesSpec
from lienthong.kit.policy import Grant, Role
from lienthong.kit.validation import error_text

PASSWORD = "ba con trâu ngoài đồng"
WANTED: dict[str, Any] = {
    "login": "An.Nguyen@example.gov.vn",
    "name": " Nguyễn  Văn An ",
    "agency": " H11.05 ",
    "roles": [{"role": "data-owner", "agency": "H11.05"}, {"role": "auditor"}],
}


def test_an_invitation_is_brought_into_one_form() -> None:
    found = InvitationSpec.model_validate(WANTED)
    assert (found.login, found.name, found.agency) == ("an.nguyen@example.gov.vn", "Nguyễn Văn An", "H11.05")
    assert found.grants == {Grant(Role.DATA_OWNER, "H11.05"), Grant(Role.AUDITOR)}


def test_a_role_that_is_named_twice_is_held_once() -> None:
    assert RolesSpec.model_validate({"roles": [{"role": "auditor"}] * 2}).grants == {Grant(Role.AUDITOR)}


BAD_INVITATIONS: dict[str, dict[str, object]] = {
    "a login of other letters": {"login": "аn@example.vn"},
    "no address": {"login": "an"},
    "a login that is a number": {"login": 7},
    "a name of other letters": {"name": "Nguyеn"},
    "an empty name": {"name": "  "},
    "a huge name": {"name": "a" * 10_000},
    "an agency in the old form": {"agency": "000.00.05.H11"},
    "an agency in small letters": {"agency": "h11.05"},
    "an agency with a line break": {"agency": "H11\n.05"},
    "an unknown role": {"roles": [{"role": "root"}]},
    "a role in capitals": {"roles": [{"role": "Developer", "agency": "H11.05"}]},
    "an operator of an agency": {"roles": [{"role": "platform-operator", "agency": "H11.05"}]},
    "a developer of the platform": {"roles": [{"role": "developer"}]},
    "too many roles": {"roles": [{"role": "auditor"}] * 51},
    "roles that are no list": {"roles": {"role": "auditor"}},
    "an unknown member": {"state": "active"},
    "a password": {"password": PASSWORD},
}


@pytest.mark.parametrize("changed", BAD_INVITATIONS.values(), ids=BAD_INVITATIONS)
def test_what_cannot_be_an_invitation_is_refused_in_both_languages(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        InvitationSpec.model_validate({**WANTED, **changed})
    [error] = refused.value.errors()
    assert error["loc"][0] in changed
    assert error_text(error).en
    assert error_text(error).vi
