"""What a datapath can be told to do with a frame (OVS_ACTION_ATTR_*): a closed list.

A flow's actions are a tuple of these, made by translation and carried out by the datapath.
They know ports of the datapath, bytes and masks, and nothing of OpenFlow.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from vnet.base.record import record
from vnet.ovs.dpif.cookies import Cookie
from vnet.ovs.flow.ports import ODPP_NONE, OdpPort


class OdpAction:
    """A datapath action."""

    __slots__ = ()


OdpActions = tuple[OdpAction, ...]


@record(frozen=True, slots=True)
class Output(OdpAction):
    """Send out of a port."""

    port: OdpPort


class KeyPart(Enum):
    """The parts of a frame (or of what rides with it) that one ``set`` action writes.

    The value is the name in the datapath's text form (OVS_KEY_ATTR_*). ETHERTYPE, PBB and PROTOCOL
    are our own: no datapath of Open vSwitch writes them.
    """

    ETHERNET = "eth"
    ETHERTYPE = "eth_type"
    VLAN = "vlan"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    ICMP = "icmp"
    ICMPV6 = "icmpv6"
    ARP = "arp"
    ND = "nd"
    ND_EXTENSIONS = "nd_ext"
    MPLS = "mpls"
    PBB = "pbb"
    PROTOCOL = "ip_proto"
    NSH = "nsh"
    TUNNEL = "tunnel"
    PRIORITY = "skb_priority"
    MARK = "skb_mark"
    CT_STATE = "ct_state"
    CT_ZONE = "ct_zone"
    CT_MARK = "ct_mark"
    CT_LABEL = "ct_label"
    DP_HASH = "dp_hash"
    RECIRC_ID = "recirc_id"
    IN_PORT = "in_port"


@record(frozen=True, slots=True)
class Set(OdpAction):
    """Write a part: ``value`` and ``mask`` are flow keys (bits in place, see ``ovs.flow.flow``).

    With ``is_masked`` False the whole part is written (text ``set(eth(...))``), else only the
    bits of ``mask`` (OVS_ACTION_ATTR_SET_MASKED).
    """

    part: KeyPart
    value: int
    mask: int
    is_masked: bool = True


@record(frozen=True, slots=True)
class PushVlan(OdpAction):
    """Insert a tag; ``tci`` with the CFI bit set, as in the flow."""

    tpid: int
    tci: int


@record(frozen=True, slots=True)
class PopVlan(OdpAction):
    """Take the outer tag off."""


@record(frozen=True, slots=True)
class PushMpls(OdpAction):
    """Insert a label stack entry after the Ethernet header, and change the EtherType."""

    lse: int
    ethertype: int


@record(frozen=True, slots=True)
class AddMpls(OdpAction):
    """Put a label stack entry in front of a packet that starts with none or with labels, as a
    header of its own: the packet is of type ``ethertype`` then, and no Ethernet frame.
    """

    lse: int
    ethertype: int


@record(frozen=True, slots=True)
class PopMpls(OdpAction):
    """Take the outer label off; the frame is of ``ethertype`` then."""

    ethertype: int


@record(frozen=True, slots=True)
class PushEth(OdpAction):
    """Put an Ethernet header in front of a packet that has none."""

    src: int
    dst: int


@record(frozen=True, slots=True)
class PopEth(OdpAction):
    """Take the Ethernet header off."""


@record(frozen=True, slots=True)
class PushNsh(OdpAction):
    """Put a network service header in front; ``metadata`` is the context, fixed or TLVs."""

    flags: int
    ttl: int
    mdtype: int
    np: int
    path_hdr: int
    metadata: bytes


@record(frozen=True, slots=True)
class PopNsh(OdpAction):
    """Take the network service header off."""


@record(frozen=True, slots=True)
class PushPbb(OdpAction):
    """Put a backbone header in front: the frame's addresses once more, and a service tag. Like the
    four below, it is our own: no datapath of Open vSwitch has it.
    """

    tci: int


@record(frozen=True, slots=True)
class PopPbb(OdpAction):
    """Take the backbone header off, with its tags."""


@record(frozen=True, slots=True)
class CopyTtlOut(OdpAction):
    """Copy the TTL of the header behind the outermost that has one to the outermost."""


@record(frozen=True, slots=True)
class CopyTtlIn(OdpAction):
    """Copy the TTL of the outermost header that has one to the next that has one."""


@record(frozen=True, slots=True)
class Pad(OdpAction):
    """Fill a frame up with zeros to the least that Ethernet carries."""


class TunnelType(IntEnum):
    """What kind of header a tunnel puts in front (OVS_VPORT_TYPE_*)."""

    GRE = 3
    VXLAN = 4
    GENEVE = 5
    IP6GRE = 109


@record(frozen=True, slots=True)
class TnlPush(OdpAction):
    """Put a tunnel's headers in front: all of them, from the Ethernet header on, as ``header``
    has them, but for what depends on the packet (lengths, checksums, the UDP source port).

    ``tnl_port`` is the tunnel's port. From then on the packet is one that came in by
    ``out_port``, the port whose address it has.
    """

    tnl_port: OdpPort
    tunnel_type: TunnelType
    header: bytes
    out_port: OdpPort


@record(frozen=True, slots=True)
class TnlPop(OdpAction):
    """Take a tunnel's headers off, and look up what is inside as coming in by ``port``."""

    port: OdpPort


@record(frozen=True, slots=True)
class Recirc(OdpAction):
    """Look the frame up again, with this ``recirc_id``."""

    recirc_id: int


class HashAlgorithm(Enum):
    """OVS_HASH_ALG_*; the value is its name in text. The last is our own."""

    L4 = "l4"
    SYM_L4 = "sym_l4"
    HEADERS = "headers"


@record(frozen=True, slots=True)
class Hash(OdpAction):
    """Compute ``dp_hash``."""

    algorithm: HashAlgorithm
    basis: int


SAMPLE_ALWAYS = 0xFFFFFFFF


@record(frozen=True, slots=True)
class Sample(OdpAction):
    """Carry ``actions`` out on a copy, with a probability of ``probability`` / (2^32 - 1)."""

    probability: int
    actions: OdpActions


@record(frozen=True, slots=True)
class CtNat(OdpAction):
    """The ``nat`` of :class:`Ct`; as in :class:`vnet.ovs.openflow.ofpacts.Nat`."""

    is_source: bool | None = None
    address_min: bytes | None = None
    address_max: bytes | None = None
    port_min: int = 0
    port_max: int = 0
    is_persistent: bool = False
    is_hash: bool = False
    is_random: bool = False


@record(frozen=True, slots=True)
class Ct(OdpAction):
    """Send through the connection tracker. ``force`` commits in any case, ``commit`` only what is
    no connection yet. ``mark`` and ``label`` are (value, mask) or None;
    ``helper`` is ``"ftp"``, ``"tftp"`` or empty; ``timeout`` names a timeout policy.
    """

    commit: bool = False
    force: bool = False
    zone: int = 0
    mark: tuple[int, int] | None = None
    label: tuple[int, int] | None = None
    helper: str = ""
    timeout: str = ""
    nat: CtNat | None = None


@record(frozen=True, slots=True)
class CtClear(OdpAction):
    """Forget the connection state that rides with the frame."""


@record(frozen=True, slots=True)
class Trunc(OdpAction):
    """Cut the frame to ``max_len_bytes`` at the next output."""

    max_len_bytes: int


@record(frozen=True, slots=True)
class Clone(OdpAction):
    """Carry ``actions`` out on a copy."""

    actions: OdpActions


@record(frozen=True, slots=True)
class Meter(OdpAction):
    """Let a meter of the datapath judge the frame."""

    meter_id: int


@record(frozen=True, slots=True)
class CheckPktLen(OdpAction):
    """One list for frames longer than ``packet_bytes``, another for the rest."""

    packet_bytes: int
    if_greater: OdpActions
    if_less_equal: OdpActions


class DropCause(Enum):
    """Why translation gives a frame up (enum xlate_error); for the explicit ``drop`` action.

    From 100 on they are our own: Open vSwitch has no number for what it only traces.
    """

    OK = 0
    BRIDGE_NOT_FOUND = 1
    RECURSION_TOO_DEEP = 2
    TOO_MANY_RESUBMITS = 3
    STACK_TOO_DEEP = 4
    NO_RECIRCULATION_CONTEXT = 5
    RECIRCULATION_CONFLICT = 6
    TOO_MANY_MPLS_LABELS = 7
    INVALID_TUNNEL_METADATA = 8
    UNSUPPORTED_PACKET_TYPE = 9
    CONGESTION_DROP = 10
    FORWARDING_DISABLED = 11
    NO_TUNNEL_ROUTE = 100
    NO_TUNNEL_NEIGHBOR = 101


@record(frozen=True, slots=True)
class Userspace(OdpAction):
    """Hand a copy to userspace, with a cookie that says what for."""

    cookie: Cookie
    pid: int = 0
    tunnel_out_port: OdpPort = ODPP_NONE
    with_actions: bool = False


@record(frozen=True, slots=True)
class Drop(OdpAction):
    """Drop, and count why. Where the datapath has no such action, no actions mean a drop."""

    cause: DropCause
