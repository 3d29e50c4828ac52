"""Random labs whose machine has rules: routers, hosts, and a bridge that shows them its packets."""

from __future__ import annotations

from typing import NamedTuple

from tests.kernel.cases import UNLIMITED, Case, port_mac, station_mac
from tests.kernel.frames_nat import NatFrames
from tests.kernel.frames_tcp import TcpFrames
from tests.kernel.rulesets import IPV4, IPV6, LIBVIRT, Rules, Words
from tests.kernel.setup import Bridge, Lab, Port, Route
from vnet.base.chance import Stream

_POOLS4 = ("10.0.2.200", "10.0.3.200")
_POOLS6 = ("fd00:2::c8", "fd00:3::c8")
_UNLIMITED = {
    **UNLIMITED,
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv4.conf.all.send_redirects": 0,
    "net.ipv4.conf.default.send_redirects": 0,
}


def _tracking(chance: Stream) -> dict[str, int]:
    """Settings of connection tracking that are not the usual ones."""
    return {
        f"net.netfilter.nf_conntrack_{name}": value
        for name, value in (("acct", 1), ("checksum", 0), ("tcp_loose", 0), ("tcp_be_liberal", 1))
        if chance.random() < 0.15
    }


class _Family(NamedTuple):
    """What a router between three networks is in one family of addresses.

    ``stations`` has patterns of addresses, by the numbers of a network and of a station in it, and
    which stations have such a one.
    """

    words: Words
    address: str
    stations: dict[str, tuple[int, ...]]
    route: Route
    pools: tuple[str, ...]
    sysctls: dict[str, int]


_ROUTER4 = _Family(
    words=IPV4,
    address="10.0.{}.1/24",
    stations={"10.0.{}.{}": (11, 12, 200)},
    route=Route("10.0.99.0/24", gateway="10.0.3.12"),
    pools=_POOLS4,
    sysctls={"net.ipv4.ip_forward": 1},
)
_ROUTER6 = _Family(
    words=IPV6,
    address="fd00:{}::1/64",
    stations={"fd00:{}::{:x}": (11, 12, 200), "fe80::{}:{:x}": (11, 12)},
    route=Route("fd00:99::/64", gateway="fd00:3::c"),
    pools=_POOLS6,
    sysctls={
        "net.ipv6.conf.all.forwarding": 1,
        "net.ipv6.conf.default.dad_transmits": 0,
        "net.ipv6.conf.default.router_solicitations": 0,
    },
)


def nat(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A router between three networks."""
    return _router(_ROUTER4, chance, frames, n_steps)


def nat6(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A router between three networks of IPv6."""
    return _router(_ROUTER6, chance, frames, n_steps)


def _router(family: _Family, chance: Stream, frames: Stream, n_steps: int) -> Case:
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1500, 1400)) if number > 1 else 1500,
            addresses=(family.address.format(number),),
            stations={
                address.format(number, n): station_mac(number, n)
                for address, numbers in family.stations.items()
                for n in numbers
            },
        )
        for number in (1, 2, 3)
    )
    rules = Rules(family.words, tuple(port.name for port in ports), chance).text()
    sysctls = {**family.sysctls, **_tracking(chance), **_UNLIMITED}
    ipv6 = family is _ROUTER6
    lab = Lab(
        ports,
        routes=(family.route,),
        sysctls=sysctls,
        ipv6=ipv6,
        rules="" if ipv6 else rules,
        rules6=rules if ipv6 else "",
    )
    return Case(lab, list(NatFrames(lab, frames, family.pools).steps(n_steps)))


def local(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A machine with one or two networks that forwards nothing."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            addresses=(f"10.0.{number}.1/24", f"10.0.{number}.2/24"),
            stations={f"10.0.{number}.{n}": station_mac(number, n) for n in (11, 12, 200)},
        )
        for number in range(1, chance.choice((2, 3)))
    )
    rules = Rules(IPV4, tuple(port.name for port in ports), chance).text()
    routes = (Route("0.0.0.0/0", gateway="10.0.1.11"),)
    lab = Lab(ports, routes=routes, sysctls={**_tracking(chance), **_UNLIMITED}, rules=rules)
    return Case(lab, list(NatFrames(lab, frames, _POOLS4[:1]).steps(n_steps)))


def tcptrack(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A router that tracks a connection of TCP, and may drop what does not belong to it."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            addresses=(f"10.0.{number}.1/24",),
            stations={f"10.0.{number}.11": station_mac(number, 11)},
        )
        for number in (1, 2)
    )
    settings = {
        f"net.netfilter.nf_conntrack_tcp_{name}": value
        for name, value in (("loose", 0), ("be_liberal", 1), ("ignore_invalid_rst", 1))
        if chance.random() < 0.25
    }
    rules = _WITHOUT_INVALID if chance.random() < 0.5 else _WITH_INVALID
    sysctls = {"net.ipv4.ip_forward": 1, **settings, **_UNLIMITED}
    lab = Lab(ports, sysctls=sysctls, rules=rules)
    return Case(lab, list(TcpFrames(lab, frames).steps(n_steps)))


_WITH_INVALID = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j ACCEPT
COMMIT
"""
_WITHOUT_INVALID = _WITH_INVALID.replace("INVALID -j ACCEPT", "INVALID -j DROP")


def bridgenat(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A bridge that shows its packets to the rules of a network of libvirt's, or to random ones.

    The last port is no member of it; it leads to a network outside.
    """
    inside = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            stations={f"10.0.1.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in (1, 2, 3)
    )
    outside = Port(
        "u1",
        port_mac(9),
        addresses=("10.0.3.1/24",),
        stations={f"10.0.3.{n}": station_mac(9, n) for n in (11, 12, 200)},
        is_member=False,
    )
    rules = LIBVIRT
    if chance.random() < 0.6:
        rules = Rules(IPV4, ("p1", "p2", "br0", "u1"), chance, bridged=True).text()
    sysctls = {
        "net.ipv4.ip_forward": 1,
        "net.bridge.bridge-nf-call-iptables": int(chance.random() < 0.8),
        **_UNLIMITED,
    }
    bridge = Bridge(("10.0.1.1/24",), {"mcast_snooping": 0})
    routes = (Route("10.0.99.0/24", gateway="10.0.3.12"),)
    lab = Lab((*inside, outside), bridge, routes=routes, sysctls=sysctls, rules=rules)
    return Case(lab, list(NatFrames(lab, frames, ("10.0.3.200",)).steps(n_steps)))
