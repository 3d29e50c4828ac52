"""Where tunnels listen: which packets to the host's own addresses are theirs (lib/tnl-ports.c).

A packet that a bridge would hand to a port with addresses is taken out of its way where a tunnel
waits for it: by the port's MAC, the address, the protocol, and the UDP port if there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vnet.base.ids import IpAddress, Mac
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, ETH_TYPE_IPV6, IPPROTO_UDP
from vnet.ovs.ofproto.classifier.classifier import Classifier
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.wire.gre import PROTOCOL as IPPROTO_GRE

_FRAG_MASK = 0x3 << Flow.nw_frag.shift
_COMMON = (
    Flow.dl_dst.mask | Flow.dl_type.mask | Flow.vlan_tci.mask | Flow.nw_proto.mask | _FRAG_MASK
)


class Listener(NamedTuple):
    """A datapath's port for tunnels. ``udp_port`` is 0 for those that have none."""

    odp_port: OdpPort
    name: str
    udp_port: int


class Endpoint(NamedTuple):
    """Where packets for the host's tunnels arrive: a port's MAC, and an address of its device."""

    mac: Mac
    ip: IpAddress


class Listening:
    """What all tunnels of a datapath listen to; made anew whenever ports or addresses differ."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._endpoints: tuple[Endpoint, ...] = ()
        self._classifier = Classifier(())
        self._ports: dict[Rule, Listener] = {}

    def update(self, listeners: Iterable[Listener], endpoints: Iterable[Endpoint]) -> None:
        """Have these listen, there."""
        listeners, endpoints = tuple(listeners), tuple(endpoints)
        if (listeners, endpoints) == (self._listeners, self._endpoints):
            return
        self._listeners, self._endpoints = listeners, endpoints
        self._classifier = Classifier(())
        self._ports = {}
        for listener in listeners:
            for endpoint in endpoints:
                self._insert(listener, _match(listener, endpoint))

    def _insert(self, listener: Listener, match: Match) -> None:
        if self._classifier.find(match, 0) is None:
            rule = Rule(0, 0, match, (), 0)
            self._classifier.insert(rule)
            self._ports[rule] = listener

    def lookup(self, flow: Flow, wc: Flow) -> OdpPort | None:
        """The tunnel port that waits for a packet; ``wc`` gets the bits that it took."""
        rule = self._classifier.lookup(flow, wc)
        return None if rule is None else self._ports[rule].odp_port

    def entries(self) -> Iterator[tuple[Listener, Match]]:
        """Who listens, and to what."""
        return ((listener, rule.match) for rule, listener in self._ports.items())


def _match(listener: Listener, endpoint: Endpoint) -> Match:
    flow, mask = Flow(), Flow(_COMMON)
    flow.dl_dst = int.from_bytes(endpoint.mac, "big")
    address = Flow.nw_dst if len(endpoint.ip) == 4 else Flow.ipv6_dst
    flow.dl_type = ETH_TYPE_IP if address is Flow.nw_dst else ETH_TYPE_IPV6
    flow.put(address, int.from_bytes(endpoint.ip, "big"))
    mask.fill(address)
    flow.nw_proto = IPPROTO_UDP if listener.udp_port else IPPROTO_GRE
    if listener.udp_port:
        flow.tp_dst = listener.udp_port
        mask.fill(Flow.tp_dst)
    return Match(flow.key, mask.key)
