"""Putting a tunnel's headers in front.

A ``tnl_push`` has the headers ready but for what each packet decides: how long it is, checksums,
GRE's sequence number, and the UDP source port, by which the underlay tells inner flows apart.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from vnet.ovs.datapath.shapes import ShortKey, short_key
from vnet.ovs.datapath.tunnels.device import TunnelDevice
from vnet.ovs.dpif.actions import TnlPush, TunnelType
from vnet.ovs.dpif.dpif import UdpPortRange
from vnet.ovs.flow.flow_hash import hash_received
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP
from vnet.wire import gre, ipv4, ipv6, udp
from vnet.wire.checksum import checksum, checksum_update, pseudo_header_sum
from vnet.wire.ether import HEADER_BYTES

Push = Callable[[bytes, TunnelDevice, int], bytes]
"""Puts headers in front of a packet: its bytes, its tunnel's device and its UDP source port, which
GRE does without."""

Network = Callable[[int], bytes]
"""Makes Ethernet and IP headers that have so many bytes behind them."""

_IPV4 = Struct("!16sH6sH8s")
"""Up to the total length; from the identification to the protocol; the checksum; addresses."""
_IPV6 = Struct("!18sH34s")
_PORTS = Struct("!HHHH")
_MOST_HASHES = 4_096


class FlowHashes:
    """The hashes that packets got as they came in, by what their flows can be told by."""

    def __init__(self) -> None:
        self._known: dict[ShortKey, int] = {}

    def of(self, frame: bytes, vlan_limit: int) -> int:
        """The hash of a frame as it came in."""
        short = short_key(frame, vlan_limit)
        if short is None:
            return hash_received(frame, vlan_limit=vlan_limit)
        known = self._known.get(short)
        if known is None:
            if len(self._known) >= _MOST_HASHES:
                self._known.clear()
            known = self._known[short] = hash_received(frame, vlan_limit=vlan_limit)
        return known


def source_port(flow_hash: int, ports: UdpPortRange) -> int:
    """The UDP source port of a flow."""
    return (flow_hash * (ports.last - ports.first) >> 32) + ports.first


def has_source_port(action: TnlPush) -> bool:
    """Whether the outer header has a port that depends on the flow inside."""
    return action.tunnel_type in (TunnelType.VXLAN, TunnelType.GENEVE)


def pusher(action: TnlPush) -> Push:
    """What puts the headers of an action in front of packets."""
    header = action.header
    is_ipv4 = header[12:14] == ETH_TYPE_IP.to_bytes(2, "big")
    network = _ipv4(header) if is_ipv4 else _ipv6(header)
    start = HEADER_BYTES + (ipv4.HEADER_BYTES if is_ipv4 else ipv6.HEADER_BYTES)
    addresses = header[26:34] if is_ipv4 else header[22:54]
    inner = header[start:]
    if has_source_port(action):
        return _over_udp(network, addresses, inner)
    return _over_gre(network, inner)


def _ipv4(header: bytes) -> Network:
    before, _, middle, check, addresses = _IPV4.unpack_from(header)

    def network(payload_bytes: int) -> bytes:
        total = payload_bytes + ipv4.HEADER_BYTES & 0xFFFF
        return _IPV4.pack(before, total, middle, checksum_update(check, 0, total), addresses)

    return network


def _ipv6(header: bytes) -> Network:
    before, _, behind = _IPV6.unpack_from(header)
    return lambda payload_bytes: _IPV6.pack(before, payload_bytes & 0xFFFF, behind)


def _over_udp(network: Network, addresses: bytes, inner: bytes) -> Push:
    _, target_port, _, check = _PORTS.unpack_from(inner)
    behind = inner[udp.HEADER_BYTES :]
    middle = len(addresses) // 2
    source, target = addresses[:middle], addresses[middle:]

    def push(data: bytes, _device: TunnelDevice, port: int) -> bytes:
        data = behind + data
        n_bytes = udp.HEADER_BYTES + len(data)
        ports = _PORTS.pack(port, target_port, n_bytes & 0xFFFF, 0)
        if check:
            start = pseudo_header_sum(source, target, udp.PROTOCOL, n_bytes)
            found = checksum(ports + data, start) or 0xFFFF
            ports = ports[:6] + found.to_bytes(2, "big")
        return network(n_bytes) + ports + data

    return push


def _over_gre(network: Network, inner: bytes) -> Push:
    flags = inner[0] << 8 | inner[1]
    has_checksum, has_sequence = flags & gre.FLAG_CHECKSUM, flags & gre.FLAG_SEQUENCE

    def push(data: bytes, device: TunnelDevice, _port: int) -> bytes:
        head = inner
        if has_checksum:
            head = head[:4] + checksum(head + data).to_bytes(2, "big") + head[6:]
        if has_sequence:
            # As in Open vSwitch, after the checksum was taken: with both, receivers are told wrong.
            head = head[:-4] + device.next_sequence().to_bytes(4, "big")
        return network(len(head) + len(data)) + head + data

    return push
