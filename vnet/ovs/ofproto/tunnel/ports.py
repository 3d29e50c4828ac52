"""Which tunnel's port a packet came in by (ofproto/tunnel.c of Open vSwitch).

Tunnels share the datapath's port, so a packet belongs to the tunnel whose settings it agrees with:
the most definite first.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from vnet.base.ids import IpAddress, ip_text
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.protocol_numbers import PT_ETHERNET
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.ofproto.tunnel.config import ANY_ADDRESS, PacketTypes, TunnelConfig

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.ports.ofport import OfPort

_DST = Flow.tun_dst.mask | Flow.tun_ipv6_dst.mask


class _Local(IntEnum):
    """How a tunnel chooses by the address that packets were sent to."""

    CONFIGURED = 0
    ANY = 1
    FLOW = 2


class TunnelMatch(NamedTuple):
    """What packets a tunnel takes; no two may take the same."""

    odp_port: OdpPort
    key: int | None
    """None: flows look at it."""
    remote: IpAddress | None
    local: IpAddress
    local_by: _Local
    packet_types: PacketTypes

    @classmethod
    def of(cls, config: TunnelConfig, odp_port: OdpPort) -> TunnelMatch:
        """The packets that a tunnel with these settings takes."""
        local_by = _Local.CONFIGURED if config.local else _Local.ANY
        return cls(
            odp_port,
            None if config.in_key.is_flow else config.in_key.value,
            config.remote,
            config.local or ANY_ADDRESS,
            _Local.FLOW if config.local is None else local_by,
            config.packet_types,
        )

    def text(self) -> str:
        """As Open vSwitch's log has it: ``1.1.1.1->2.2.2.2, key=0x1, legacy_l2, dp port=5``."""
        local = ip_text(self.local) if self.local else "::"
        if self.remote is not None:
            ends = f"{local}->{ip_text(self.remote)}"
        else:
            ends = "flow->flow" if self.local_by is _Local.FLOW else f"{local}->flow"
        key = "flow" if self.key is None else hex_text(self.key)
        return f"{ends}, key={key}, {self.packet_types.value}, dp port={self.odp_port}"


class TunnelPorts:
    """All tunnels of one datapath."""

    def __init__(self) -> None:
        self._by_match: dict[TunnelMatch, tuple[Ofproto, OfPort]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_match)

    def rival(self, port: OfPort) -> OfPort | None:
        """Another port that takes the very packets that this one would."""
        found = self._by_match.get(_match_of(port))
        return None if found is None or found[1] is port else found[1]

    def add(self, bridge: Ofproto, port: OfPort) -> None:
        """A tunnel's port, which has no rival."""
        self._by_match[_match_of(port)] = bridge, port

    def remove(self, port: OfPort) -> None:
        """A tunnel goes, or is about to be set up otherwise."""
        match = _match_of(port)
        found = self._by_match.get(match)
        if found is not None and found[1] is port:
            del self._by_match[match]

    def has(self, port: OfPort) -> bool:
        """Whether a port is one of these; one that was refused is not."""
        found = self._by_match.get(_match_of(port))
        return found is not None and found[1] is port

    def ports(self) -> list[OfPort]:
        """The tunnels' ports, as they came."""
        return [port for _, port in self._by_match.values()]

    def receive(self, key: int) -> tuple[Ofproto, OfPort] | None:
        """Whose packet a datapath flow is about, and the tunnel that it came by."""
        odp_port = OdpPort(Flow.in_port.of(key))
        source, target = tunnel_ends(key)
        types = PacketTypes.LEGACY_L2
        if Flow.packet_type.of(key) != PT_ETHERNET:
            types = PacketTypes.LEGACY_L3
        for tun_id, remote, local_by, kind in product(
            (Flow.tun_id.of(key), None), (source, None), _Local, (types, PacketTypes.AWARE)
        ):
            local = target if local_by is _Local.CONFIGURED else ANY_ADDRESS
            match = TunnelMatch(odp_port, tun_id, remote, local, local_by, kind)
            found = self._by_match.get(match)
            if found is not None:
                return found
        return None


def _match_of(port: OfPort) -> TunnelMatch:
    assert port.tunnel is not None
    assert port.odp_port is not None
    return TunnelMatch.of(port.tunnel, port.odp_port)


def came_by_tunnel(key: int) -> bool:
    """Whether a flow is of a packet that came out of a tunnel."""
    return bool(key & _DST)


def tunnel_ends(key: int) -> tuple[IpAddress, IpAddress]:
    """The addresses of a flow's tunnel, IPv4 if the destination is."""
    if Flow.tun_dst.of(key):
        bits, n_bytes = (Flow.tun_src, Flow.tun_dst), 4
    else:
        bits, n_bytes = (Flow.tun_ipv6_src, Flow.tun_ipv6_dst), 16
    source, target = (one.of(key).to_bytes(n_bytes, "big") for one in bits)
    return IpAddress(source), IpAddress(target)
