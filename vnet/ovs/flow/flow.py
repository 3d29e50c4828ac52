"""The flow: everything about a frame that a switch may decide by, as one integer.

Each member of Open vSwitch's ``struct flow`` has a place of fixed width in one long integer.
To compare a flow under a mask is then one ``&`` and one dictionary probe, whatever the mask
covers. Members that most frames use stand at the low end: Python's integers are as long as
their highest set bit, so a plain IPv4 frame costs a dozen machine words and not six hundred
bytes.

Masks have the same shape: a 1-bit means that the bit of the flow matters. So ``Flow`` serves
for both, and ``mask.nw_ttl`` reads like ``flow.nw_ttl``.

Members belong to four stages (metadata, L2, L3, L4), by which a classifier looks up in steps
and leaves unread what it need not know (see :data:`STAGE_MASKS`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import overload


class Stage(IntEnum):
    """The segments of staged lookup, in the order in which they are looked at."""

    METADATA = 0
    L2 = 1
    L3 = 2
    L4 = 3


class Bits:
    """A run of bits in a flow. As an attribute of :class:`Flow` it reads and writes them.

    ``shift`` is the position of the lowest bit, ``width`` the number of bits, ``ones`` the
    greatest value and ``mask`` the same in place.
    """

    __slots__ = ("mask", "name", "ones", "shift", "stage", "width")

    def __init__(self, name: str, shift: int, width: int, stage: Stage) -> None:
        self.name = name
        self.shift = shift
        self.width = width
        self.stage = stage
        self.ones = (1 << width) - 1
        self.mask = self.ones << shift

    def of(self, key: int) -> int:
        """The value in a bare key."""
        return (key >> self.shift) & self.ones

    def set(self, key: int, value: int) -> int:
        """A bare key with these bits replaced by ``value``."""
        return key & ~self.mask | value << self.shift

    @overload
    def __get__(self, flow: None, owner: type[Flow]) -> Bits: ...
    @overload
    def __get__(self, flow: Flow, owner: type[Flow]) -> int: ...
    def __get__(self, flow: Flow | None, owner: type[Flow]) -> Bits | int:
        if flow is None:
            return self
        return (flow.key >> self.shift) & self.ones

    def __set__(self, flow: Flow, value: int) -> None:
        flow.key = flow.key & ~self.mask | value << self.shift

    def __repr__(self) -> str:
        return f"Bits({self.name}, {self.width})"


class _Layout:
    """Hands out places, from the low end."""

    def __init__(self) -> None:
        self.width = 0
        self.members: list[Bits] = []

    def bits(self, stage: Stage, name: str, width: int) -> Bits:
        bits = Bits(name, self.width, width, stage)
        self.width += width
        self.members.append(bits)
        return bits

    def array(self, stage: Stage, name: str, width: int, count: int) -> tuple[Bits, ...]:
        """``count`` members side by side, number 0 at the high end, as wider registers overlay."""
        members = [self.bits(stage, f"{name}{index}", width) for index in reversed(range(count))]
        return tuple(reversed(members))


_layout = _Layout()
_bits = _layout.bits
_META, _L2, _L3, _L4 = Stage

N_REGS = 16
N_VLANS = 2
N_MPLS_LABELS = 3
N_NSH_CONTEXTS = 4
TUN_METADATA_BYTES = 256

CFI = 0x1000
"""The bit of ``vlan_tci`` that says: there is a tag (OVS keeps it set in the flow)."""

DL_TYPE_NONE = 0x5FF
"""``dl_type`` of frames without an EtherType, pure 802.2 ones."""

FRAG_ANY = 1
FRAG_LATER = 2


class Flow:
    """A flow, or a mask over one. ``key`` is the integer; all else are views of its bits.

    Mutable, because a translation changes its flow as it goes; ``copy`` is cheap. The
    meaning of ``in_port`` depends on the room: an OpenFlow port in ``ofproto``, a datapath
    port in the datapath.
    """

    __slots__ = ("key",)

    def __init__(self, key: int = 0) -> None:
        self.key = key

    in_port = _bits(_META, "in_port", 32)
    recirc_id = _bits(_META, "recirc_id", 32)
    dl_type = _bits(_L2, "dl_type", 16)
    dl_src = _bits(_L2, "dl_src", 48)
    dl_dst = _bits(_L2, "dl_dst", 48)
    nw_dst = _bits(_L3, "nw_dst", 32)
    nw_src = _bits(_L3, "nw_src", 32)
    nw_proto = _bits(_L3, "nw_proto", 8)
    nw_tos = _bits(_L3, "nw_tos", 8)
    nw_ttl = _bits(_L3, "nw_ttl", 8)
    nw_frag = _bits(_L3, "nw_frag", 8)
    tp_dst = _bits(_L4, "tp_dst", 16)
    tp_src = _bits(_L4, "tp_src", 16)
    tcp_flags = _bits(_L4, "tcp_flags", 16)
    vlan_tci = _bits(_L2, "vlan_tci", 16)
    """The outer tag's TCI, with :data:`CFI` set where there is a tag."""
    vlan_tpid = _bits(_L2, "vlan_tpid", 16)
    ct_state = _bits(_META, "ct_state", 8)
    ct_zone = _bits(_META, "ct_zone", 16)
    ct_mark = _bits(_META, "ct_mark", 32)
    packet_type = _bits(_META, "packet_type", 32)
    """Namespace in the upper half, type in the lower; 0 is Ethernet."""
    skb_priority = _bits(_META, "skb_priority", 32)
    pkt_mark = _bits(_META, "pkt_mark", 32)
    dp_hash = _bits(_META, "dp_hash", 32)
    ipv6_dst = _bits(_L3, "ipv6_dst", 128)
    ipv6_src = _bits(_L3, "ipv6_src", 128)
    ipv6_label = _bits(_L3, "ipv6_label", 32)
    arp_tha = _bits(_L4, "arp_tha", 48)
    """ARP's target hardware address, and Neighbor Discovery's target link-layer address."""
    arp_sha = _bits(_L4, "arp_sha", 48)
    """ARP's sender hardware address, and Neighbor Discovery's source link-layer address."""
    nd_target = _bits(_L4, "nd_target", 128)
    igmp_group_ip4 = _bits(_L4, "igmp_group_ip4", 32)
    """The IGMP group, and Neighbor Discovery's reserved word (``nd_reserved``)."""
    vlan1_tci = _bits(_L2, "vlan1_tci", 16)
    vlan1_tpid = _bits(_L2, "vlan1_tpid", 16)
    ct_nw_proto = _bits(_META, "ct_nw_proto", 8)
    ct_nw_src = _bits(_L3, "ct_nw_src", 32)
    ct_nw_dst = _bits(_L3, "ct_nw_dst", 32)
    ct_tp_src = _bits(_L4, "ct_tp_src", 16)
    ct_tp_dst = _bits(_L4, "ct_tp_dst", 16)
    ct_label = _bits(_META, "ct_label", 128)
    ct_ipv6_src = _bits(_L3, "ct_ipv6_src", 128)
    ct_ipv6_dst = _bits(_L3, "ct_ipv6_dst", 128)
    mpls_lse = _layout.array(_L2, "mpls_lse", 32, N_MPLS_LABELS)
    """Label stack entries, the outermost first; no descriptor, ``get`` and ``put`` them."""
    nsh_flags = _bits(_L4, "nsh_flags", 8)
    nsh_ttl = _bits(_L4, "nsh_ttl", 8)
    nsh_mdtype = _bits(_L4, "nsh_mdtype", 8)
    nsh_np = _bits(_L4, "nsh_np", 8)
    nsh_path_hdr = _bits(_L4, "nsh_path_hdr", 32)
    """Service path identifier (24 bits) and service index (8 bits)."""
    nsh_context = _layout.array(_L4, "nsh_context", 32, N_NSH_CONTEXTS)
    pbb_tci = _bits(_L2, "pbb_tci", 32)
    """A backbone service tag's TCI: priority (3 bits), drop eligible, use customer addresses (1
    each), reserved (3), and the service's identifier (24). Open vSwitch has no such member.
    """
    ipv6_exthdr = _bits(_L3, "ipv6_exthdr", 16)
    """Which extension headers there are (OFPIEH_*). Open vSwitch has no such member."""
    conj_id = _bits(_META, "conj_id", 32)
    actset_output = _bits(_META, "actset_output", 32)
    metadata = _bits(_META, "metadata", 64)
    regs = _layout.array(_META, "reg", 32, N_REGS)
    """``Flow.regs[0]`` is the high end: xreg0 is reg0 and reg1, xxreg0 is reg0 to reg3."""
    tun_id = _bits(_META, "tun_id", 64)
    tun_src = _bits(_META, "tun_src", 32)
    tun_dst = _bits(_META, "tun_dst", 32)
    tun_ipv6_src = _bits(_META, "tun_ipv6_src", 128)
    tun_ipv6_dst = _bits(_META, "tun_ipv6_dst", 128)
    tun_flags = _bits(_META, "tun_flags", 16)
    tun_tos = _bits(_META, "tun_tos", 8)
    tun_ttl = _bits(_META, "tun_ttl", 8)
    tun_tp_src = _bits(_META, "tun_tp_src", 16)
    tun_tp_dst = _bits(_META, "tun_tp_dst", 16)
    tun_gbp_id = _bits(_META, "tun_gbp_id", 16)
    tun_gbp_flags = _bits(_META, "tun_gbp_flags", 8)
    tun_erspan_ver = _bits(_META, "tun_erspan_ver", 8)
    tun_erspan_idx = _bits(_META, "tun_erspan_idx", 32)
    tun_erspan_dir = _bits(_META, "tun_erspan_dir", 8)
    tun_erspan_hwid = _bits(_META, "tun_erspan_hwid", 8)
    tun_gtpu_flags = _bits(_META, "tun_gtpu_flags", 8)
    tun_gtpu_msgtype = _bits(_META, "tun_gtpu_msgtype", 8)
    tun_metadata_present = _bits(_META, "tun_metadata_present", 64)
    tun_metadata = _bits(_META, "tun_metadata", TUN_METADATA_BYTES * 8)

    def get(self, bits: Bits) -> int:
        """The value of a member chosen at run time."""
        return (self.key >> bits.shift) & bits.ones

    def put(self, bits: Bits, value: int) -> None:
        """Set a member chosen at run time."""
        self.key = self.key & ~bits.mask | value << bits.shift

    def fill(self, bits: Bits) -> None:
        """Set every bit of a member: in a mask, match it exactly."""
        self.key |= bits.mask

    def clear(self, bits: Bits) -> None:
        """Clear every bit of a member: in a mask, stop matching it."""
        self.key &= ~bits.mask

    def copy(self) -> Flow:
        """A flow of its own with the same bits."""
        return Flow(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flow) and self.key == other.key

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{b.name}={b.of(self.key):#x}" for b in MEMBERS if b.mask & self.key)
        return f"Flow({', '.join(shown)})"


MEMBERS: tuple[Bits, ...] = tuple(_layout.members)
"""Every member, from the low end."""

FLOW_BITS = _layout.width
ALL_ONES = (1 << FLOW_BITS) - 1

STAGE_MASKS: tuple[int, ...] = tuple(
    sum(bits.mask for bits in MEMBERS if bits.stage <= stage) for stage in Stage
)
"""For each stage, the bits of all members that it and the stages before it look at."""

XREGS: tuple[Bits, ...] = tuple(
    Bits(f"xreg{i}", Flow.regs[2 * i + 1].shift, 64, Stage.METADATA) for i in range(N_REGS // 2)
)
XXREGS: tuple[Bits, ...] = tuple(
    Bits(f"xxreg{i}", Flow.regs[4 * i + 3].shift, 128, Stage.METADATA) for i in range(N_REGS // 4)
)


_TAG_AND_VID = Flow.vlan_tci.set(0, 0x1FFF)


def with_tag_told(mask: int) -> int:
    """The mask of a datapath flow, which is never of frames with and without a VLAN tag."""
    return mask if mask & Flow.vlan_tci.mask else mask | _TAG_AND_VID
