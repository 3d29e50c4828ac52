"""Random labs of each kind, and the frames for them: the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable

from tests.kernel import labs_nat
from tests.kernel.cases import UNLIMITED, Case, port_mac, station_mac
from tests.kernel.frames_bridged import BridgedFrames
from tests.kernel.frames_ethernet import EthernetFrames
from tests.kernel.frames_groups import GroupFrames
from tests.kernel.frames_ipv4 import Ipv4Frames
from tests.kernel.frames_ipv6 import Ipv6Frames
from tests.kernel.frames_stations import StationFrames
from tests.kernel.setup import Bridge, Lab, Port, Route
from vnet.base.chance import Chance, Stream

_FLAGS = {
    "hairpin": 0,
    "isolated": 0,
    "learning": 1,
    "flood": 1,
    "mcast_flood": 1,
    "bcast_flood": 1,
}


def case(kind: str, seed: int, n_steps: int) -> Case:
    """The case of a kind that belongs to ``seed``."""
    chance = Chance(seed)
    return KINDS[kind](chance.stream(f"{kind} lab"), chance.stream(f"{kind} frames"), n_steps)


def _bridge(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """Three or four ports with flags at random, and a host behind the bridge in every other."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1500, 1500, 1400)),
            settings={flag: 1 - usual for flag, usual in _FLAGS.items() if chance.random() < 0.25},
            stations={f"10.0.0.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in range(1, chance.choice((4, 5)))
    )
    mask = sum(1 << bit for bit in range(3, 16) if chance.random() < 0.3)
    settings = {"mcast_snooping": 0, "group_fwd_mask": mask}
    addresses = ("10.0.0.8/24",) if chance.random() < 0.5 else ()
    lab = Lab(ports, Bridge(addresses, settings), sysctls=UNLIMITED)
    return Case(lab, list(EthernetFrames(lab, frames).steps(n_steps)))


def _netfilter(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A bridge whose packets br_netfilter looks at, between ports that take more or less."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1500, 1400, 1280)),
            stations={f"10.0.0.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in (1, 2, 3)
    )
    switches = {
        f"net.bridge.bridge-nf-{name}": int(chance.random() < likely)
        for name, likely in (
            *(("call-iptables", 0.9), ("call-ip6tables", 0.9), ("call-arptables", 0.8)),
            ("filter-vlan-tagged", 0.3),
        )
    }
    settings = {"mcast_snooping": 0}
    lab = Lab(ports, Bridge(settings=settings), sysctls={**UNLIMITED, **switches})
    return Case(lab, list(BridgedFrames(lab, frames).steps(n_steps)))


def _stations(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A bridge that was told of stations and answers for some, with ports for known ones only."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            settings={
                flag: 1
                for flag, likely in (("neigh_suppress", 0.4), ("locked", 0.2), ("isolated", 0.15))
                if chance.random() < likely
            },
            stations={f"10.0.0.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in (1, 2, 3)
    )
    told = {f"10.0.0.{100 + n}": station_mac(9, n) for n in range(6)}
    told |= {ip: mac for port in ports for ip, mac in port.stations.items()}
    kinds = ("permanent", "static", "static", "static sticky", "dynamic")
    fdb = {
        mac: f"{chance.choice(ports).name} {chance.choice(kinds)}"
        for mac in told.values()
        if chance.random() < 0.6
    }
    neighbors = {ip: mac for ip, mac in told.items() if chance.random() < 0.6}
    bridge = Bridge(("10.0.0.8/24",), {"mcast_snooping": 0}, fdb, neighbors)
    lab = Lab(ports, bridge, sysctls=UNLIMITED)
    return Case(lab, list(StationFrames(lab, frames).steps(n_steps)))


def _groups(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A bridge that snoops, and does not ask itself."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            settings={
                flag: 1 - usual
                for flag, usual in (("mcast_flood", 1), ("isolated", 0), ("hairpin", 0))
                if chance.random() < 0.15
            },
            stations={f"10.0.0.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in (1, 2, 3, 4)
    )
    settings = {
        "mcast_snooping": 1,
        "mcast_igmp_version": chance.choice((2, 3)),
        "mcast_mld_version": chance.choice((1, 2)),
        "mcast_last_member_interval": 10,
    }
    lab = Lab(ports, Bridge(settings=settings), sysctls=UNLIMITED)
    return Case(lab, list(GroupFrames(lab, frames).steps(n_steps)))


def _router4(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """Three networks, some with more than one address of ours, and routes beyond them."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1400, 1280)) if number > 1 else 1500,
            addresses=_addresses4(number, chance),
            stations={f"10.0.{number}.{n}": station_mac(number, n) for n in (11, 12)},
        )
        for number in (1, 2, 3)
    )
    routes = [
        Route("10.20.0.0/16", gateway="10.0.2.11"),
        Route("10.20.5.0/24", gateway="10.0.1.12"),
        Route("10.30.0.0/16", gateway="10.0.3.11", metric=10),
        Route("10.30.0.0/16", device="p2", metric=chance.choice((5, 20))),
    ]
    if chance.random() < 0.5:
        routes.append(Route("0.0.0.0/0", gateway="10.0.1.11"))
    for network in ("10.20.0.0/24", "10.40.0.0/16", "9.0.0.0/8", "10.0.2.64/26"):
        if chance.random() < 0.4:
            routes.append(Route(network, chance.choice(_NOWHERE)))
    sysctls = {"net.ipv4.ip_forward": 1, **UNLIMITED, **_settings(_OF_IPV4, ports, chance)}
    lab = Lab(ports, routes=tuple(routes), sysctls=sysctls)
    return Case(lab, list(Ipv4Frames(lab, frames).steps(n_steps)))


def _addresses4(number: int, chance: Stream) -> tuple[str, ...]:
    length = chance.choice((24, 24, 25))
    more = (f"10.0.{number}.2/{length}", f"10.0.{number}.3/32", f"10.{number}.0.1/30")
    return (f"10.0.{number}.1/{length}", *(text for text in more if chance.random() < 0.3))


def _host4(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A machine with one or two networks that forwards nothing."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            addresses=_addresses4(number, chance),
            stations={f"10.0.{number}.{n}": station_mac(number, n) for n in (11, 12)},
        )
        for number in range(1, chance.choice((2, 3)))
    )
    routes = (Route("0.0.0.0/0", gateway="10.0.1.11"),) if chance.random() < 0.5 else ()
    sysctls = {**UNLIMITED, **_settings(_OF_IPV4, ports, chance)}
    lab = Lab(ports, routes=routes, sysctls=sysctls)
    return Case(lab, list(Ipv4Frames(lab, frames).steps(n_steps)))


def _router6(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """Three networks and routes beyond them."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1400, 1280)) if number > 1 else 1500,
            addresses=_addresses6(number, chance),
            stations=_stations6(number),
        )
        for number in (1, 2, 3)
    )
    routes = [
        Route("fd00:20::/32", gateway="fd00:2::b"),
        Route("fd00:20:5::/48", gateway="fe80::1:c", device="p1"),
        Route("fd00:30::/32", gateway="fd00:3::b", metric=10),
        Route("fd00:30::/32", device="p2", metric=chance.choice((5, 20))),
    ]
    if chance.random() < 0.5:
        routes.append(Route("::/0", gateway="fd00:1::b"))
    for network in ("fd00:20::/64", "2001:db8::/32", "fd00:2::40/122"):
        if chance.random() < 0.4:
            routes.append(Route(network, chance.choice(_NOWHERE[:3])))
    sysctls = {"net.ipv6.conf.all.forwarding": 1, **_IPV6, **_settings({}, ports, chance)}
    lab = Lab(ports, routes=tuple(routes), sysctls=sysctls, ipv6=True)
    return Case(lab, list(Ipv6Frames(lab, frames).steps(n_steps)))


def _host6(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """A machine with one or two networks that forwards nothing."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            addresses=_addresses6(number, chance),
            stations=_stations6(number),
        )
        for number in range(1, chance.choice((2, 3)))
    )
    routes = (Route("::/0", gateway="fd00:1::b"),) if chance.random() < 0.5 else ()
    sysctls = {**_IPV6, **_settings({}, ports, chance)}
    lab = Lab(ports, routes=routes, sysctls=sysctls, ipv6=True)
    return Case(lab, list(Ipv6Frames(lab, frames).steps(n_steps)))


def _addresses6(number: int, chance: Stream) -> tuple[str, ...]:
    more = (f"fd00:{number}::2/64", f"fd00:{number}::3/128", f"fd00:{number}:1::1/126")
    return (f"fd00:{number}::1/64", *(text for text in more if chance.random() < 0.3))


def _stations6(number: int) -> dict[str, str]:
    """Each with an address of its network and one of its link."""
    return {
        f"{prefix}{n:x}": station_mac(number, n)
        for n in (11, 12)
        for prefix in (f"fd00:{number}::", f"fe80::{number}:")
    }


def _settings(
    possible: dict[str, tuple[int, ...]], ports: tuple[Port, ...], chance: Stream
) -> dict[str, int]:
    """Some of the possible settings, those of devices for some device or for all."""
    chosen = {}
    for name, values in {**_IN_ANY, **possible}.items():
        if chance.random() < (_SET if name in possible else _USUALLY_SET):
            device = chance.choice(("all", *(port.name for port in ports)))
            chosen[name.replace("DEVICE", device)] = chance.choice(values)
    if any("proxy_arp" in name for name in chosen):
        chosen |= {f"net.ipv4.neigh.{port.name}.proxy_delay": 0 for port in ports}
    return chosen


_SET, _USUALLY_SET = 0.2, 0.6
_IN_ANY: dict[str, tuple[int, ...]] = {
    "net.ipv4.icmp_ratelimit": (0, 0, 0, 100),
    "net.ipv6.icmp.ratelimit": (0, 0, 0, 1000),
}
_OF_IPV4: dict[str, tuple[int, ...]] = {
    "net.ipv4.icmp_echo_ignore_broadcasts": (0,),
    "net.ipv4.icmp_errors_use_inbound_ifaddr": (1,),
    "net.ipv4.ip_default_ttl": (33,),
    "net.ipv4.ip_forward_use_pmtu": (1,),
    "net.ipv4.conf.DEVICE.accept_local": (1,),
    "net.ipv4.conf.DEVICE.arp_accept": (1,),
    "net.ipv4.conf.DEVICE.arp_announce": (1, 2),
    "net.ipv4.conf.DEVICE.arp_filter": (1,),
    "net.ipv4.conf.DEVICE.arp_ignore": (1, 2, 8),
    "net.ipv4.conf.DEVICE.bc_forwarding": (1,),
    "net.ipv4.conf.DEVICE.drop_gratuitous_arp": (1,),
    "net.ipv4.conf.DEVICE.drop_unicast_in_l2_multicast": (1,),
    "net.ipv4.conf.DEVICE.proxy_arp": (1,),
    "net.ipv4.conf.DEVICE.proxy_arp_pvlan": (1,),
    "net.ipv4.conf.DEVICE.route_localnet": (1,),
    "net.ipv4.conf.DEVICE.rp_filter": (1, 1, 2),
    "net.ipv4.conf.DEVICE.send_redirects": (0,),
    "net.ipv4.conf.DEVICE.shared_media": (0,),
}
_NOWHERE = ("blackhole", "unreachable", "prohibit", "throw")

_IPV6 = {
    "net.ipv6.conf.default.dad_transmits": 0,
    "net.ipv6.conf.default.router_solicitations": 0,
    **UNLIMITED,
}

KINDS: dict[str, Callable[[Stream, Stream, int], Case]] = {
    "bridge": _bridge,
    "netfilter": _netfilter,
    "stations": _stations,
    "groups": _groups,
    "host4": _host4,
    "router4": _router4,
    "host6": _host6,
    "router6": _router6,
    "nat": labs_nat.nat,
    "nat6": labs_nat.nat6,
    "local": labs_nat.local,
    "tcptrack": labs_nat.tcptrack,
    "bridgenat": labs_nat.bridgenat,
}
