"""No call goes to the machine itself, to a cloud's secrets or to the platform's own ports."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from lienthong.kit.addresses import AddressRefusal, ProviderAddresses, allowed_networks, embedded
from lienthong.kit.settings import Settings

NONE_ALLOWED = ProviderAddresses()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0", AddressRefusal.UNSPECIFIED),  # noqa: S104 - Linux connects to the machine itself
        ("0.1.2.3", AddressRefusal.UNSPECIFIED),
        ("::", AddressRefusal.UNSPECIFIED),
        ("127.0.0.1", AddressRefusal.LOOPBACK),
        ("127.255.255.254", AddressRefusal.LOOPBACK),
        ("::1", AddressRefusal.LOOPBACK),
        ("::ffff:127.0.0.1", AddressRefusal.LOOPBACK),
        ("::127.0.0.1", AddressRefusal.LOOPBACK),
        ("64:ff9b::127.0.0.1", AddressRefusal.LOOPBACK),
        ("2002:7f00:1::", AddressRefusal.LOOPBACK),
        ("169.254.0.1", AddressRefusal.LINK_LOCAL),
        ("fe80::1", AddressRefusal.LINK_LOCAL),
        ("fe80::1%eth0", AddressRefusal.LINK_LOCAL),
        ("febf::1", AddressRefusal.LINK_LOCAL),
        ("169.254.169.254", AddressRefusal.METADATA),
        ("::ffff:169.254.169.254", AddressRefusal.METADATA),
        ("64:ff9b::a9fe:a9fe", AddressRefusal.METADATA),
        ("100.100.100.200", AddressRefusal.METADATA),
        ("168.63.129.16", AddressRefusal.METADATA),
        ("192.0.0.192", AddressRefusal.METADATA),
        ("fd00:ec2::254", AddressRefusal.METADATA),
        ("fd20:ce::254", AddressRefusal.METADATA),
        ("224.0.0.1", AddressRefusal.MULTICAST),
        ("239.255.255.255", AddressRefusal.MULTICAST),
        ("ff02::1", AddressRefusal.MULTICAST),
        ("240.0.0.1", AddressRefusal.RESERVED),
        ("255.255.255.255", AddressRefusal.RESERVED),
        ("192.0.0.8", AddressRefusal.RESERVED),
        ("64:ff9b:1::7f00:1", AddressRefusal.RESERVED),
        ("2001:0:7f00:1::", AddressRefusal.RESERVED),
        ("fec0::1", AddressRefusal.RESERVED),
        ("100::1", AddressRefusal.RESERVED),
    ],
)
def test_an_address_that_is_no_providers_is_refused(address: str, reason: AddressRefusal) -> None:
    assert NONE_ALLOWED.refusal(ip_address(address), 443) is reason
    assert NONE_ALLOWED.host_refusal(address, 443) is reason


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "172.16.3.4", "192.168.1.9", "100.64.0.1", "203.162.0.1", "1.0.0.1", "126.255.255.255",
     "128.0.0.1", "fd12::1", "2001:db8::5", "2402:800::1", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5",
     "169.253.255.255", "223.255.255.255", "192.0.1.1"],
)  # fmt: skip
def test_private_and_public_networks_are_where_departments_are(address: str) -> None:
    assert NONE_ALLOWED.refusal(ip_address(address), 8201) is None


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "api.localhost", "ip6-localhost"])
def test_names_of_the_machine_itself_are_known(name: str) -> None:
    assert NONE_ALLOWED.host_refusal(name, 80) is AddressRefusal.LOOPBACK
    assert NONE_ALLOWED.host_refusal("localhost.example.vn", 80) is None


def test_the_operator_opens_a_network_and_no_other() -> None:
    rules = ProviderAddresses(allowed_networks("127.0.0.0/8, fe80::/10"))
    assert rules.refusal(ip_address("127.0.0.1"), 8201) is None
    assert rules.refusal(ip_address("::ffff:127.0.0.1"), 8201) is None
    assert rules.host_refusal("localhost", 8201) is None
    assert rules.refusal(ip_address("fe80::1"), 80) is None
    assert rules.refusal(ip_address("::1"), 80) is AddressRefusal.LOOPBACK
    assert rules.refusal(ip_address("169.254.169.254"), 80) is AddressRefusal.METADATA
    assert rules.refusal(ip_address("0.0.0.0"), 80) is AddressRefusal.UNSPECIFIED  # noqa: S104


def test_the_platforms_own_ports_stay_closed_where_loopback_is_open() -> None:
    rules = ProviderAddresses.of(Settings(port_offset=100, provider_networks="127.0.0.0/8,::1/128"))
    own = [*range(8180, 8185), 8080, *range(8101, 8105), 9101, 9102, 4222, 4322, 8443, 8190, 8090, 8091, 8191]
    for port in own:
        for host in ("127.0.0.1", "localhost", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0"):  # noqa: S104
            assert rules.host_refusal(host, port + 100) is AddressRefusal.PLATFORM, (host, port)
    assert rules.host_refusal("127.0.0.1", 8201 + 100) is None
    assert rules.host_refusal("10.0.0.5", 8101 + 100) is None


def test_the_platforms_services_are_no_providers() -> None:
    settings = Settings(
        catalog_url="http://catalog:8101",
        ledger_url="https://ledger.lgsp.svc",
        nats_url="nats://nats-0.nats:4222,nats://nats-1.nats:4222",
        identity_rpc="identity:9102",
    )
    rules = ProviderAddresses.of(settings)
    for host, port in (
        ("catalog", 8101), ("catalog.", 8101), ("ledger.lgsp.svc", 443), ("nats-1.nats", 4222),
        ("identity", 9102), ("catalog", 8181), ("nats-0.nats", 8222),
    ):  # fmt: skip
        assert rules.host_refusal(host, port) is AddressRefusal.PLATFORM, host
    assert rules.host_refusal("catalog", 8201) is None
    assert rules.platform_hosts(8101) == ("catalog",)


def test_the_public_address_is_no_provider_and_its_neighbours_may_be() -> None:
    rules = ProviderAddresses.of(Settings(public_url="https://lgsp.example.vn"))
    for host in ("lgsp.example.vn", "LGSP.example.vn."):
        assert rules.host_refusal(host, 443) is AddressRefusal.PLATFORM
    assert rules.host_refusal("land.example.vn", 443) is None
    assert rules.host_refusal("lgsp.example.vn", 9443) is None
    assert rules.platform_hosts(443) == ()


def test_a_setting_that_is_no_network_is_refused() -> None:
    for wrong in ("127.0.0.1/8", "loopback", "10.0.0.0/33"):
        with pytest.raises(ValidationError, match="provider_networks"):
            Settings(provider_networks=wrong)
    assert Settings(provider_networks=" 10.0.0.0/8 ,, ::1 ").provider_networks
    assert allowed_networks("") == ()


def test_what_an_address_stands_for() -> None:
    assert str(embedded(ip_address("::ffff:10.1.2.3"))) == "10.1.2.3"
    assert str(embedded(ip_address("64:ff9b::10.1.2.3"))) == "10.1.2.3"
    assert str(embedded(ip_address("2002:a01:203::1"))) == "10.1.2.3"
    assert str(embedded(ip_address("::1"))) == "::1"
    assert str(embedded(ip_address("2001:db8::a01:203"))) == "2001:db8::a01:203"
