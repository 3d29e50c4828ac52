"""How a tunnel's port is set up (ovs-vswitchd.conf.db(5), Interface table, "Tunnel Options")."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from vnet.base.ids import IpAddress
from vnet.base.record import record

DEFAULT_TTL = 64

_DATAPATH_NAMES = {
    "vxlan": "vxlan_sys",
    "geneve": "genev_sys",
    "gre": "gre_sys",
    "ip6gre": "ip6gre_sys",
}
_WITH_UDP_PORT = frozenset(("vxlan", "geneve"))


class PacketTypes(Enum):
    """What packets a port takes; the value is the word of ``options:packet_type``."""

    LEGACY_L2 = "legacy_l2"  # Ethernet frames
    LEGACY_L3 = "legacy_l3"  # packets without an Ethernet header, which inside have one of zeros
    AWARE = "ptap"  # both, as they are


ANY_ADDRESS = IpAddress(b"")


class Key(NamedTuple):
    """A tunnel's key: whether packets have one, and whether flows choose it."""

    is_present: bool = False
    is_flow: bool = False
    value: int = 0


NO_KEY = Key()


@record(frozen=True, slots=True)
class TunnelConfig:
    """A tunnel. ``remote`` and ``local`` None are for flows to choose (``tun_dst``, ``tun_src``);
    :data:`ANY_ADDRESS` is any ``local``. Where ``ttl`` and ``tos`` are inherited, from IP
    packets inside, the numbers are for others.
    """

    kind: str
    remote: IpAddress | None
    local: IpAddress | None = ANY_ADDRESS
    in_key: Key = NO_KEY
    out_key: Key = NO_KEY
    ttl: int = DEFAULT_TTL
    inherits_ttl: bool = False
    tos: int = 0
    inherits_tos: bool = False
    udp_port: int = 0
    has_checksum: bool = False
    has_sequence: bool = False
    dont_fragment: bool = True
    packet_types: PacketTypes = PacketTypes.LEGACY_L2
    is_gpe: bool = False
    is_gbp: bool = False
    egress_mark: int | None = None

    @property
    def datapath_name(self) -> str:
        """The datapath's port, which all tunnels of a kind and UDP port share."""
        name = _DATAPATH_NAMES[self.kind]
        return f"{name}_{self.udp_port}" if self.kind in _WITH_UDP_PORT else name
