"""Secrets are found by their names, noticed when they change, told when they are missing, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from lienthong.gateway.credentials.secrets import LOOKED_AGAIN_S, SecretMissingError, Secrets
from lienthong.gateway.credentials.spec import SecretName, TlsNames, access
from lienthong.gateway.credentials.tls import TlsPools
from lienthong.gateway.credentials.watch import named_secrets
from lienthong.gateway.http1.pool import Pool
from lienthong.kit.catalog import catalog_of
from lienthong.kit.health import State
from tests.support.growth import grows_at_most

if TYPE_CHECKING:
    from pathlib import Path

CORE = SecretName("H11.05/land", "core")
PAIR = ("username", "password")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_members_are_files_named_after_the_system(tmp_path: Path) -> None:
    (tmp_path / "H11.05_land_core.username").write_text("lgsp\n")
    (tmp_path / "H11.05_land_core.password").write_text("s3cret\n")
    secret = Secrets(tmp_path, {}).get(CORE, PAIR)
    assert (secret.line("username"), secret.line("password")) == ("lgsp", "s3cret")
    assert "s3cret" not in f"{secret} {secret!r}"


def test_another_systems_secret_is_not_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "H11.05_land_core.value").write_text("x")
    for system in ("H11.06/land", "H11.05/lands", "H11/land"):
        with pytest.raises(SecretMissingError):
            Secrets(tmp_path, {}).get(SecretName(system, "core"), ("value",))


def test_what_the_environment_gives_goes_before_files(tmp_path: Path) -> None:
    (tmp_path / "H11.05_land_core.username").write_text("file")
    secrets = Secrets(tmp_path, {"H11.05/land/core.username": "given", "H11.05/land/core.password": "p"})
    assert secrets.get(CORE, PAIR).line("username") == "given"


def test_a_change_is_noticed_within_a_second_and_the_same_secret_stays_the_same(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "H11.05_land_core.value"
    file.write_text("one")
    secrets = Secrets(tmp_path, {}, monotonic=clock)
    first = secrets.get(CORE, ("value",))
    clock.now += LOOKED_AGAIN_S
    assert secrets.get(CORE, ("value",)) is first
    file.write_text("two")
    assert secrets.get(CORE, ("value",)) is first
    clock.now += LOOKED_AGAIN_S
    assert secrets.get(CORE, ("value",)).line("value") == "two"
    file.unlink()
    clock.now += LOOKED_AGAIN_S
    with pytest.raises(SecretMissingError):
        secrets.get(CORE, ("value",))


UNUSABLE = (b"", b"\n", b"a\nb", b"a\r\nset-cookie: x", b"a\x00b", b"\xff", b"x" * 70_000)


@pytest.mark.parametrize("content", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_cannot_stand_in_a_field_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "H11.05_land_core.value").write_bytes(content)
    with pytest.raises(SecretMissingError, match=r"^H11.05/land/core: value (is not|has more) ") as error:
        Secrets(tmp_path, {}).get(CORE, ("value",)).line("value")
    assert "set-cookie" not in str(error.value)


def test_a_missing_secret_is_told_until_it_is_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    secrets = Secrets(tmp_path, {}, monotonic=clock)
    assert secrets.condition().state is State.OK
    with pytest.raises(SecretMissingError) as missing:
        secrets.get(CORE, PAIR)
    secrets.missed(missing.value)
    condition = secrets.condition()
    assert condition.state is State.DEGRADED
    assert condition.reason == (
        "secrets of providers are missing: H11.05/land/core (there is no H11.05_land_core.username)"
    )
    secrets.found(CORE)
    assert secrets.condition().state is State.OK
    secrets.missed(missing.value)
    clock.now = 601
    assert secrets.condition().state is State.OK


async def test_secrets_that_services_name_are_looked_for_before_a_call_needs_them(tmp_path: Path) -> None:
    (tmp_path / "H11.05_land_cert.crt").write_text("x")
    service = pb.Service(
        id="H11.05/land/parcels-v1",
        system_id="H11.05/land",
        credentials=[
            pb.Credential(secret="core", basic=pb.BasicCredential()),
            pb.Credential(secret="new kind"),
        ],
        tls=pb.ProviderTls(certificate="cert"),
    )
    good = pb.Service(id="H11.05/land/deeds-v1", system_id="H11.05/land")
    broken = pb.Service(id="H11.05/land/other-v1", system_id="H11.05/land", credentials=service.credentials)
    del service.credentials[1]
    state = catalog_of(
        7,
        [
            pb.Resource(key=pb.ResourceKey(kind=pb.RESOURCE_KIND_SERVICE, id=one.id), service=one)
            for one in (service, good, broken)
        ],
    )
    named = await named_secrets(state)
    assert {str(name): members for name, members in named.items()} == {
        "H11.05/land/core": PAIR,
        "H11.05/land/cert": ("crt", "key"),
    }
    secrets = Secrets(tmp_path, {})
    for name, members in named.items():
        secrets.look(name, members)
    reason = secrets.condition().reason or ""
    assert "H11.05/land/cert (key is missing)" in reason
    assert "H11.05/land/core (there is no H11.05_land_core.username)" in reason
    (tmp_path / "H11.05_land_cert.key").write_text("x")
    again = Secrets(tmp_path, {"H11.05/land/core.username": "u", "H11.05/land/core.password": "p"})
    for name, members in named.items():
        again.look(name, members)
    assert again.condition().state is State.OK


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "a_b", "a.b", "x" * 64])
def test_a_name_that_could_be_a_path_makes_no_route(name: str) -> None:
    credential = pb.Credential(secret=name, basic=pb.BasicCredential())
    service = pb.Service(system_id="H11.05/land", credentials=[credential])
    with pytest.raises(ValueError, match="name of a secret"):
        access(service)


def test_a_kind_that_is_not_known_makes_no_route() -> None:
    service = pb.Service(system_id="H11.05/land", credentials=[pb.Credential(secret="core")])
    with pytest.raises(ValueError, match="does not know"):
        access(service)


def test_a_service_that_wants_nothing_is_shown_nothing() -> None:
    assert access(pb.Service(system_id="H11.05/land", assertion=True)) is None


async def test_a_certificate_that_cannot_be_used_costs_calls_no_more_time_until_it_is_another(
    tmp_path: Path,
) -> None:
    secrets = Secrets(tmp_path, {"H11.05/land/core.crt": "no PEM", "H11.05/land/core.key": "no PEM"})

    def refuse(number: int) -> None:
        pools = TlsPools(secrets, lambda context: Pool(connect_timeout=1.0, tls=context))
        for _ in range(number):
            with pytest.raises(SecretMissingError, match="no certificate with its key"):
                pools.pool(TlsNames(CORE, None))

    assert await grows_at_most(refuse, 1, 20, 10)
