"""Which addresses of providers calls may go to.

Whoever registers a service names the address that the gateway connects to, with the gateway's place in the
network: without rules that would be the way to the machine's own ports, to what clouds hand out to whoever
asks from inside, and to the platform's services past their door (CWE-918). What is refused follows the IANA
special-purpose registries (RFC 6890); private networks (RFC 1918, RFC 4193) are where departments are.

The catalog judges what is registered, the gateway the address that it really connects to: a name may lead
anywhere, and elsewhere a moment later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

from lienthong.kit.processes import (
    CONSOLE_HEALTH_PORT,
    CONSOLE_PORT,
    EDGE_HEALTH_PORT,
    EDGE_PORT,
    NATS_MONITORING_PORT,
    NATS_PORT,
    PEOPLE_PORT,
    PROCESSES,
)
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lienthong.kit.settings import Settings

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network


class AddressRefusal(Enum):
    """Why no call goes to an address; the texts follow "leads to"."""

    PLATFORM = BilingualText("a port of the platform itself", "cổng của chính nền tảng")
    UNSPECIFIED = BilingualText("the unspecified address", "địa chỉ không xác định")
    LOOPBACK = BilingualText("the machine itself (loopback)", "chính máy chủ (loopback)")
    LINK_LOCAL = BilingualText("a link-local address", "địa chỉ nội tuyến (link-local)")
    METADATA = BilingualText(
        "an address by which clouds hand out credentials", "địa chỉ mà đám mây dùng để cấp thông tin truy cập"
    )
    MULTICAST = BilingualText("a multicast address", "địa chỉ đa hướng (multicast)")
    RESERVED = BilingualText("a reserved address", "địa chỉ dành riêng")


_REFUSED: Final[tuple[tuple[IpNetwork, AddressRefusal], ...]] = tuple(
    (ip_network(network), refusal)
    for refusal, networks in {
        # Amazon, Google, Azure (also 168.63.129.16), OpenStack, Alibaba, Oracle.
        AddressRefusal.METADATA: (
            "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
            "fd20:ce::254",
        ),
        AddressRefusal.UNSPECIFIED: ("0.0.0.0/8", "::/128"),
        AddressRefusal.LOOPBACK: ("127.0.0.0/8", "::1/128"),
        AddressRefusal.LINK_LOCAL: ("169.254.0.0/16", "fe80::/10"),
        AddressRefusal.MULTICAST: ("224.0.0.0/4", "ff00::/8"),
        # Protocol assignments, class E and broadcast; discard, Teredo, local NAT64, old site-local.
        AddressRefusal.RESERVED: (
            "192.0.0.0/24", "240.0.0.0/4", "100::/64", "2001::/32", "64:ff9b:1::/48", "fec0::/10",
        ),
    }.items()
    for network in networks
)  # fmt: skip
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_LOCAL_NAMES: Final = ("localhost", "ip6-localhost", "ip6-loopback")
_PORTS: Final[Mapping[str, int]] = MappingProxyType(
    {"http": 80, "https": 443, "nats": NATS_PORT, "tls": NATS_PORT}
)
_NATS_MONITORING: Final = 8222
"""The port that NATS itself proposes, and that it has in Kubernetes."""
_LOCALHOST: Final = IPv4Address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class ProviderAddresses:
    """The rules of one installation."""

    allowed: tuple[IpNetwork, ...] = ()
    """Networks that the operator opens although they would be refused."""
    local_ports: frozenset[int] = frozenset()
    """Ports that processes of the platform may have on this machine: never a provider's there."""
    platform: frozenset[tuple[str, int]] = frozenset()
    """Hosts and ports at which the platform's processes are reached."""
    public: tuple[str, int | None] = ("", None)
    """The host and port where callers come: a provider there would have calls go round in circles. Only the
    name is judged: departments' systems may be behind the same proxy, under other names."""

    @classmethod
    def of(cls, settings: Settings) -> ProviderAddresses:
        """The rules that settings give."""
        return cls(
            allowed_networks(settings.provider_networks),
            frozenset(_local_ports(settings)),
            frozenset(_endpoints(settings)),
            _endpoint(settings.public_url),
        )

    def host_refusal(self, host: str, port: int) -> AddressRefusal | None:
        """Judge a host as it is written; what a name stands for is not known here."""
        name = host.rstrip(".").lower()
        if (name, port) in self.platform or (name, port) == self.public:
            return AddressRefusal.PLATFORM
        if name in _LOCAL_NAMES or name.endswith(".localhost"):
            return self.refusal(_LOCALHOST, port)
        try:
            return self.refusal(ip_address(name), port)
        except ValueError:
            return None

    def refusal(self, address: IpAddress, port: int) -> AddressRefusal | None:
        """Judge an address; an IPv6 address that stands for an IPv4 address is judged as that one."""
        judged = embedded(address)
        refusal = next((why for network, why in _REFUSED if _within(judged, network)), None)
        local = refusal in (AddressRefusal.LOOPBACK, AddressRefusal.UNSPECIFIED)
        if local and port in self.local_ports:
            return AddressRefusal.PLATFORM
        if refusal is None or any(_within(judged, network) for network in self.allowed):
            return None
        return refusal

    def platform_hosts(self, port: int) -> tuple[str, ...]:
        """The hosts at which the platform is reached on this port."""
        return tuple(host for host, number in self.platform if number == port)


def allowed_networks(text: str) -> tuple[IpNetwork, ...]:
    """Read networks in CIDR notation, separated by commas.

    Raises:
        ValueError: one of them is not a network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def origin_of_pages(text: str) -> str:
    """The origin (RFC 6454 §6.2) of an address at which people's browsers find pages, without a slash.

    Raises:
        ValueError: it has more than scheme, host and port, or browsers would neither keep its cookies to
            themselves nor use passkeys there: that takes https, but for the machine itself.
    """
    parts = urlsplit(text)
    host = parts.hostname or ""
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment or not host:
        raise ValueError(
            "must be a scheme, a host and perhaps a port, such as https://account.example.gov.vn"
        )
    if parts.scheme != "https" and (parts.scheme, host) != ("http", "localhost"):
        raise ValueError("must begin with https://, or be http://localhost on the machine itself")
    port = parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def embedded(address: IpAddress) -> IpAddress:
    """The IPv4 address inside an IPv6 address: mapped or compatible (RFC 4291), NAT64, 6to4; else itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    last = int(address) & 0xFFFF_FFFF
    if inner is None and (address in _NAT64 or (address in _COMPATIBLE and last > 1)):
        inner = IPv4Address(last)
    return inner if inner is not None else address


def _within(address: IpAddress, network: IpNetwork) -> bool:
    return address.version == network.version and address in network


def _local_ports(settings: Settings) -> Iterator[int]:
    for process in PROCESSES:
        yield from (settings.port(process), settings.health_port(process), settings.rpc_port(process))
    pages = (PEOPLE_PORT, CONSOLE_PORT, CONSOLE_HEALTH_PORT)
    others = (NATS_PORT, NATS_MONITORING_PORT, EDGE_PORT, EDGE_HEALTH_PORT, *pages)
    yield from (port + settings.port_offset for port in others)


def _endpoints(settings: Settings) -> Iterator[tuple[str, int]]:
    nats = (NATS_MONITORING_PORT + settings.port_offset, _NATS_MONITORING)
    for url, others in (
        (settings.catalog_url, (settings.health_port("catalog"),)),
        (settings.identity_url, (settings.health_port("identity"), settings.people_port)),
        (settings.exchange_url, (settings.health_port("exchange"),)),
        (settings.ledger_url, (settings.health_port("ledger"),)),
        *((server.strip(), nats) for server in settings.nats_url.split(",")),
        (f"//{settings.catalog_rpc}", ()),
        (f"//{settings.identity_rpc}", ()),
        (f"//{settings.ledger_rpc}", ()),
    ):
        host, port = _endpoint(url)
        if host and port:
            yield from ((host, one) for one in (port, *others))


def _endpoint(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
