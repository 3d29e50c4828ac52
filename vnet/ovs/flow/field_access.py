"""Where each field's value stands in a flow, and how it is read, written and matched.

Most fields are a plain run of bits. The others are views: a 32-bit number of a 16-bit port, a
VLAN identifier whose setting makes a tag, a DSCP in its old place. What OpenFlow says about
matching them differs from what it says about writing them, so both are here.
"""

from __future__ import annotations

from vnet.ovs.flow.flow import CFI, XREGS, XXREGS, Bits, Flow, Stage
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_VLAN_8021Q

VLAN_VID_MASK = 0x0FFF
VLAN_PCP_MASK = 0xE000
VLAN_PCP_SHIFT = 13
OFP10_VLAN_NONE = 0xFFFF
"""``dl_vlan`` of frames without a tag."""

_IPV6_LABEL_MASK = 0xFFFFF
_OFPP11_MAX = 0xFFFFFF00
_OFPP11_OFFSET = 0xFFFF0000


def part(bits: Bits, shift: int, width: int) -> Bits:
    """``width`` bits of a member, from its bit ``shift``."""
    return Bits(bits.name, bits.shift + shift, width, bits.stage)


class Access:
    """A plain run of bits. ``whole`` is what a match on the field fills, where that is more."""

    def __init__(self, bits: Bits, whole: Bits | None = None) -> None:
        self.bits = bits
        self.whole = whole or bits

    def get(self, flow: Flow) -> int:
        """The field's value."""
        return (flow.key >> self.bits.shift) & self.bits.ones

    def put(self, flow: Flow, value: int) -> None:
        """Write the field, as an action does."""
        self.place(flow, value)

    def place(self, flow: Flow, value: int) -> None:
        """Set the field's bits and no others."""
        bits = self.bits
        flow.key = flow.key & ~self.whole.mask | (value & bits.ones) << bits.shift

    def match(self, flow: Flow, wc: Flow, value: int) -> None:
        """Make a match demand ``value``."""
        self.place(flow, value)
        wc.key |= self.whole.mask

    def match_masked(self, flow: Flow, wc: Flow, value: int, mask: int) -> None:
        """Make a match demand the bits of ``value`` under a mask that is neither empty nor full."""
        self.place(flow, value & mask)
        self.place(wc, mask)

    def unmatch(self, flow: Flow, wc: Flow) -> None:
        """Make a match ignore the field."""
        flow.key &= ~self.whole.mask
        wc.key &= ~self.whole.mask

    def is_wild(self, wc: Flow) -> bool:
        """Whether a mask ignores the field."""
        return not wc.key & self.whole.mask

    def is_set(self, flow: Flow) -> bool:
        """Whether the field has a value other than its first one."""
        return self.get(flow) != 0

    def unwildcard(self, wc: Flow, mask: int) -> None:
        """Add bits of the field to a mask."""
        self.put(wc, self.get(wc) | mask)


class MaskFromValue(Access):
    """A field whose mask OVS 3.1 takes from its value: ``=0`` matches anything, for example."""

    def match(self, flow: Flow, wc: Flow, value: int) -> None:
        self.place(flow, value)
        self.place(wc, value)

    def match_masked(self, flow: Flow, wc: Flow, value: int, mask: int) -> None:
        self.place(flow, value & mask)
        self.place(wc, value)


class OldDscp(Access):
    """``nw_tos``: the DSCP where it stands in the byte, the two bits below it 0."""

    def get(self, flow: Flow) -> int:
        return super().get(flow) << 2

    def place(self, flow: Flow, value: int) -> None:
        super().place(flow, value >> 2)


class Port32(Access):
    """A port as OpenFlow 1.1 and later number it: the reserved ones at the end of 32 bits."""

    def get(self, flow: Flow) -> int:
        return port_to_ofp11(super().get(flow))

    def place(self, flow: Flow, value: int) -> None:
        port = port_from_ofp11(value)
        super().place(flow, OFPP_NONE if port is None else port)


def port_to_ofp11(port: int) -> int:
    """The 32-bit number of a port."""
    return port + _OFPP11_OFFSET if port >= 0xFF00 else port


def port_from_ofp11(number: int) -> int | None:
    """The 16-bit number of a port, None if it has none."""
    if number < 0xFF00:
        return number
    return number - _OFPP11_OFFSET if number >= _OFPP11_MAX else None


class Ipv6Label(Access):
    """``ipv6_label``: 20 bits are written, 32 can be matched, of which 20 are as good as all."""

    def put(self, flow: Flow, value: int) -> None:
        self.place(flow, value & _IPV6_LABEL_MASK)

    def match_masked(self, flow: Flow, wc: Flow, value: int, mask: int) -> None:
        if mask & _IPV6_LABEL_MASK == _IPV6_LABEL_MASK:
            self.match(flow, wc, value)
        else:
            super().match_masked(flow, wc, value, mask)


class NshSpi(Access):
    """``nsh_spi``: 24 bits, which read as 32 ones when they are all ones, as in a full mask."""

    def get(self, flow: Flow) -> int:
        value = super().get(flow)
        return 0xFFFFFFFF if value == self.bits.ones else value


class NdOptionsType(Access):
    """``nd_options_type``: written to the lower byte of its place, but read from the upper one.

    OVS 3.1 stores it as a 16-bit number and reads the first byte of that, which is 0.
    """

    def get(self, flow: Flow) -> int:
        return flow.get(self.whole) >> 8


class Vlan(Access):
    """A field in the tag. Writing it makes a tag where there is none."""

    def put(self, flow: Flow, value: int) -> None:
        self.place(flow, value)
        if flow.vlan_tci and not flow.vlan_tpid:
            flow.vlan_tpid = ETH_TYPE_VLAN_8021Q


class VlanVid(Vlan):
    """``vlan_vid`` of OpenFlow 1.2: the identifier, and the bit that says that there is a tag."""

    def unmatch(self, flow: Flow, wc: Flow) -> None:
        if wc.vlan_tci & VLAN_PCP_MASK:
            flow.vlan_tci &= ~VLAN_VID_MASK
            wc.vlan_tci &= ~VLAN_VID_MASK
        else:
            flow.vlan_tci = wc.vlan_tci = 0


class OldVlanVid(VlanVid):
    """``dl_vlan`` of OpenFlow 1.0: the identifier, or 0xffff for frames without a tag."""

    def place(self, flow: Flow, value: int) -> None:
        if value == OFP10_VLAN_NONE:
            flow.vlan_tci = 0
        else:
            super().place(flow, value)
            flow.vlan_tci |= CFI

    def match(self, flow: Flow, wc: Flow, value: int) -> None:
        self.place(flow, value)
        wc.vlan_tci |= OFP10_VLAN_NONE if value == OFP10_VLAN_NONE else VLAN_VID_MASK | CFI

    def unwildcard(self, wc: Flow, mask: int) -> None:
        super().unwildcard(wc, mask & VLAN_VID_MASK)


class VlanPcp(Vlan):
    """The priority; a match on it demands a tag."""

    def place(self, flow: Flow, value: int) -> None:
        super().place(flow, value)
        flow.vlan_tci |= CFI

    def match(self, flow: Flow, wc: Flow, value: int) -> None:
        self.place(flow, value)
        wc.vlan_tci |= VLAN_PCP_MASK | CFI

    def unmatch(self, flow: Flow, wc: Flow) -> None:
        if wc.vlan_tci & VLAN_VID_MASK:
            flow.vlan_tci &= ~VLAN_PCP_MASK
            wc.vlan_tci &= ~VLAN_PCP_MASK
        else:
            flow.vlan_tci = wc.vlan_tci = 0


class TunMetadata(Access):
    """A tunnel option. Where it stands is the switch's to say; where none is mapped, it reads 0
    and writing it does nothing. ``bits`` is its bit in ``tun_metadata_present``.

    Matches keep their own layout: see :class:`vnet.ovs.flow.match.MatchBuilder`.
    """

    def get(self, flow: Flow) -> int:  # noqa: ARG002
        return 0

    def place(self, flow: Flow, value: int) -> None:
        """Nothing is mapped, so there is no place."""

    def is_set(self, flow: Flow) -> bool:
        return bool(flow.key & self.bits.mask)


def _special() -> dict[str, Access]:
    tos, path = Flow.nw_tos, Flow.nsh_path_hdr
    icmp_type = Access(part(Flow.tp_src, 0, 8), Flow.tp_src)
    icmp_code = Access(part(Flow.tp_dst, 0, 8), Flow.tp_dst)
    pcp = VlanPcp(part(Flow.vlan_tci, VLAN_PCP_SHIFT, 3))
    label = Flow.mpls_lse[0]
    return {
        "tun_flags": Access(part(Flow.tun_flags, 0, 1)),
        "tun_erspan_ver": MaskFromValue(Flow.tun_erspan_ver),
        "tun_erspan_dir": MaskFromValue(Flow.tun_erspan_dir),
        "tun_erspan_hwid": MaskFromValue(Flow.tun_erspan_hwid),
        "tun_gtpu_flags": MaskFromValue(Flow.tun_gtpu_flags),
        "tun_gtpu_msgtype": MaskFromValue(Flow.tun_gtpu_msgtype),
        "in_port": Access(part(Flow.in_port, 0, 16)),
        "in_port_oxm": Port32(part(Flow.in_port, 0, 16)),
        "actset_output": Port32(part(Flow.actset_output, 0, 16)),
        "eth_src": Access(Flow.dl_src),
        "eth_dst": Access(Flow.dl_dst),
        "eth_type": Access(Flow.dl_type),
        "vlan_tci": Vlan(Flow.vlan_tci),
        "dl_vlan": OldVlanVid(part(Flow.vlan_tci, 0, 12)),
        "vlan_vid": VlanVid(part(Flow.vlan_tci, 0, 13)),
        "dl_vlan_pcp": pcp,
        "vlan_pcp": pcp,
        "mpls_label": Access(part(label, 12, 20)),
        "mpls_tc": Access(part(label, 9, 3)),
        "mpls_bos": Access(part(label, 8, 1)),
        "mpls_ttl": Access(part(label, 0, 8)),
        "pbb_isid": Access(part(Flow.pbb_tci, 0, 24)),
        "pbb_uca": Access(part(Flow.pbb_tci, 27, 1)),
        "ip_src": Access(Flow.nw_src),
        "ip_dst": Access(Flow.nw_dst),
        "ipv6_label": Ipv6Label(Flow.ipv6_label),
        "nw_tos": OldDscp(part(tos, 2, 6)),
        "ip_dscp": Access(part(tos, 2, 6)),
        "nw_ecn": Access(part(tos, 0, 2)),
        "ip_frag": Access(part(Flow.nw_frag, 0, 2)),
        "arp_op": Access(Flow.nw_proto),
        "arp_spa": Access(Flow.nw_src),
        "arp_tpa": Access(Flow.nw_dst),
        "tcp_src": Access(Flow.tp_src),
        "tcp_dst": Access(Flow.tp_dst),
        "udp_src": Access(Flow.tp_src),
        "udp_dst": Access(Flow.tp_dst),
        "sctp_src": Access(Flow.tp_src),
        "sctp_dst": Access(Flow.tp_dst),
        "icmp_type": icmp_type,
        "icmp_code": icmp_code,
        "icmpv6_type": icmp_type,
        "icmpv6_code": icmp_code,
        "nd_sll": Access(Flow.arp_sha),
        "nd_tll": Access(Flow.arp_tha),
        "nd_reserved": Access(Flow.igmp_group_ip4),
        "nd_options_type": NdOptionsType(part(Flow.tcp_flags, 0, 8), Flow.tcp_flags),
        "nsh_spi": NshSpi(part(path, 8, 24)),
        "nsh_si": Access(part(path, 0, 8)),
        **{f"nsh_c{i + 1}": Access(bits) for i, bits in enumerate(Flow.nsh_context)},
        **{f"reg{i}": Access(bits) for i, bits in enumerate(Flow.regs)},
        **{f"xreg{i}": Access(bits) for i, bits in enumerate(XREGS)},
        **{f"xxreg{i}": Access(bits) for i, bits in enumerate(XXREGS)},
        **{
            f"tun_metadata{i}": TunMetadata(
                Bits("tun_metadata_present", Flow.tun_metadata_present.shift + i, 1, Stage.METADATA)
            )
            for i in range(64)
        },
    }


_SPECIAL = _special()


def access_of(name: str) -> Access:
    """How to reach the field of that name: the member of that name, or what is special."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    bits = getattr(Flow, name)
    assert isinstance(bits, Bits)
    return Access(bits)


def plain_shift(access: Access) -> int | None:
    """The lowest bit of a plain run of them, None for all that is more than that."""
    is_plain = type(access) is Access and access.whole is access.bits
    return access.bits.shift if is_plain else None
