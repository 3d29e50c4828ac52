"""A DNS server, another behind it, and a client that asks."""

from __future__ import annotations

from typing import Any

from dnslib import DNSRecord

from tests.linux.kit import MS, Lab, S, address, route
from vnet.base.ids import IpAddress, ip_from_text
from vnet.guest.apps.dns.dig import Dig
from vnet.guest.apps.dns.names import type_number
from vnet.linux.netns.namespace import Namespace
from vnet.linux.resolv_conf import ResolvConf
from vnet.linux.services.dns_server.records import record_from_text
from vnet.linux.services.dns_server.server import DnsServer
from vnet.linux.services.dns_server.settings import DnsServing, Upstream
from vnet.linux.services.names import HostNames
from vnet.linux.services.resolver.lookup import Lookup, LookupFailure


def ip(text: str) -> IpAddress:
    return ip_from_text(text)


class Names:
    """``client`` 10.0.0.2 has ``server`` 10.0.0.1 (domain test), and that ``far`` 10.1.0.2."""

    def __init__(self, *records: str, far: tuple[str, ...] = (), **settings: Any) -> None:
        self.lab = Lab()
        self.server, self.client = self.lab.machine("server"), self.lab.machine("client")
        self.far = self.lab.machine("far")
        self.lab.join(self.server, "eth0", self.client, "eth0")
        self.lab.join(self.server, "eth1", self.far, "eth0")
        for machine, device, text in (
            (self.server, "eth0", "10.0.0.1/24"),
            (self.client, "eth0", "10.0.0.2/24"),
            (self.server, "eth1", "10.1.0.1/24"),
            (self.far, "eth0", "10.1.0.2/24"),
        ):
            address(machine, device, text)
        route(self.client, "0.0.0.0/0", "10.0.0.1")
        route(self.far, "0.0.0.0/0", "10.1.0.1")
        self.client.resolv_conf = ResolvConf((ip("10.0.0.1"),), ("test",))
        hosts = HostNames("test")
        hosts.add("vm1", [ip("10.0.0.2")])
        usual = (Upstream(ip("10.1.0.2")),) if far else ()
        upstreams = settings.pop("upstreams", usual)
        wanted = DnsServing(
            domain="test",
            records=tuple(map(record_from_text, records)),
            upstreams=upstreams,
            **settings,
        )
        self.daemon = DnsServer(self.server.interface("eth0"), wanted, (hosts,))
        self.upstream: DnsServer | None = None
        if far:
            served = DnsServing(records=tuple(map(record_from_text, far)))
            self.upstream = DnsServer(self.far.interface("eth0"), served)
        self.lab.run(10 * MS)

    def dig(self, name: str, kind: str = "A", *, wait_ns: int = 20 * S, **options: Any) -> Dig:
        number = type_number(kind)
        assert number is not None
        app = Dig(self.client, name, kind=number, **options)
        app.start()
        deadline_ns = self.lab.scheduler.now_ns + wait_ns
        while not app.done and self.lab.scheduler.now_ns < deadline_ns:
            self.lab.run(MS)
        return app

    def lookup(self, name: str, **options: Any) -> list[IpAddress] | LookupFailure | None:
        return lookup(self.lab, self.client, name, **options)


def lookup(
    lab: Lab, machine: Namespace, name: str, *, wait_ns: int = 60 * S, **options: Any
) -> list[IpAddress] | LookupFailure | None:
    """What getaddrinfo says, None if it has not ended."""
    ended: list[list[IpAddress] | LookupFailure] = []
    Lookup(machine, name, ended.append, **options).start()
    deadline_ns = lab.scheduler.now_ns + wait_ns
    while not ended and lab.scheduler.now_ns < deadline_ns:
        lab.run(MS)
    return ended[0] if ended else None


def dns_messages(heard: list[bytes]) -> list[DNSRecord]:
    """The messages by UDP among frames of IPv4."""
    return [DNSRecord.parse(data[42:]) for data in heard if data[23] == 17]
