"""The names and numbers of fields on the wire: NXM and OXM headers.

A header names a class and a field in it. OVS's own extension came first (NXM), OpenFlow 1.2
made it a standard (OXM), so that many fields have both, and OVS takes either name in actions
such as ``move:NXM_OF_ETH_SRC[]->...``.

Columns: the header's name without its class, its number, the field, the OpenFlow version that
introduced it (``-`` for extensions) and the first release of OVS that knew it (``-`` for none).
Sources: ovs-fields(7) and ``meta-flow.h`` of Open vSwitch 3.1.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.field_table import numbered

EXPERIMENTER_CLASS = 0xFFFF


class HeaderClass(NamedTuple):
    """A family of headers; ``vendor`` counts in the experimenters' class only."""

    prefix: str
    number: int
    vendor: int = 0


_CLASSES = (
    HeaderClass("NXOXM_ET", EXPERIMENTER_CLASS, 0x00002320),
    HeaderClass("NXOXM_NSH", EXPERIMENTER_CLASS, 0x005AD650),
    HeaderClass("ERICOXM_OF", 0x1000),
    HeaderClass("NXM_OF", 0x0000),
    HeaderClass("NXM_NX", 0x0001),
    HeaderClass("ONFOXM_ET", EXPERIMENTER_CLASS, 0x4F4E4600),
    HeaderClass("OXM_OF", 0x8000),
    HeaderClass("OXM_OF_PKT", 0x8001),
)
"""Where a field has two extensions, the later in this list is preferred."""

_HEADERS = {
    "NXM_OF": """
IN_PORT    0 in_port    - 1.1
ETH_DST    1 eth_dst    - 1.1
ETH_SRC    2 eth_src    - 1.1
ETH_TYPE   3 eth_type   - 1.1
VLAN_TCI   4 vlan_tci   - 1.1
IP_TOS     5 nw_tos     - 1.1
IP_PROTO   6 nw_proto   - 1.1
IP_SRC     7 ip_src     - 1.1
IP_DST     8 ip_dst     - 1.1
TCP_SRC    9 tcp_src    - 1.1
TCP_DST   10 tcp_dst    - 1.1
UDP_SRC   11 udp_src    - 1.1
UDP_DST   12 udp_dst    - 1.1
ICMP_TYPE 13 icmp_type  - 1.1
ICMP_CODE 14 icmp_code  - 1.1
ARP_OP    15 arp_op     - 1.1
ARP_SPA   16 arp_spa    - 1.1
ARP_TPA   17 arp_tpa    - 1.1
""",
    "NXM_NX": """
REG[0-3]          [0-3]     reg[0-3]           - 1.1
REG4              4         reg4               - 1.3
REG[5-7]          [5-7]     reg[5-7]           - 1.7
REG[8-15]         [8-15]    reg[8-15]          - 2.6
TUN_ID            16        tun_id             - 1.1
ARP_SHA           17        arp_sha            - 1.1
ARP_THA           18        arp_tha            - 1.1
IPV6_SRC          19        ipv6_src           - 1.1
IPV6_DST          20        ipv6_dst           - 1.1
ICMPV6_TYPE       21        icmpv6_type        - 1.1
ICMPV6_CODE       22        icmpv6_code        - 1.1
ND_TARGET         23        nd_target          - 1.1
ND_SLL            24        nd_sll             - 1.1
ND_TLL            25        nd_tll             - 1.1
IP_FRAG           26        ip_frag            - 1.3
IPV6_LABEL        27        ipv6_label         - 1.4
IP_ECN            28        nw_ecn             - 1.4
IP_TTL            29        nw_ttl             - 1.4
MPLS_TTL          30        mpls_ttl           - 2.6
TUN_IPV4_SRC      31        tun_src            - 2.0
TUN_IPV4_DST      32        tun_dst            - 2.0
PKT_MARK          33        pkt_mark           - 2.0
TCP_FLAGS         34        tcp_flags          - 2.1
DP_HASH           35        dp_hash            - 2.2
RECIRC_ID         36        recirc_id          - 2.2
CONJ_ID           37        conj_id            - 2.4
TUN_GBP_ID        38        tun_gbp_id         - 2.4
TUN_GBP_FLAGS     39        tun_gbp_flags      - 2.4
TUN_METADATA[0-63] +40      tun_metadata[0-63] - 2.5
TUN_FLAGS         104       tun_flags          - 2.5
CT_STATE          105       ct_state           - 2.5
CT_ZONE           106       ct_zone            - 2.5
CT_MARK           107       ct_mark            - 2.5
CT_LABEL          108       ct_label           - 2.5
TUN_IPV6_SRC      109       tun_ipv6_src       - 2.5
TUN_IPV6_DST      110       tun_ipv6_dst       - 2.5
XXREG[0-3]        +111      xxreg[0-3]         - 2.6
CT_NW_PROTO       119       ct_nw_proto        - 2.8
CT_NW_SRC         120       ct_nw_src          - 2.8
CT_NW_DST         121       ct_nw_dst          - 2.8
CT_IPV6_SRC       122       ct_ipv6_src        - 2.8
CT_IPV6_DST       123       ct_ipv6_dst        - 2.8
CT_TP_SRC         124       ct_tp_src          - 2.8
CT_TP_DST         125       ct_tp_dst          - 2.8
""",
    "OXM_OF": """
IN_PORT        0 in_port_oxm   1.2 1.7
METADATA       2 metadata      1.2 1.8
ETH_DST        3 eth_dst       1.2 1.7
ETH_SRC        4 eth_src       1.2 1.7
ETH_TYPE       5 eth_type      1.2 1.7
VLAN_VID       6 vlan_vid      1.2 1.7
VLAN_PCP       7 vlan_pcp      1.2 1.7
IP_DSCP        8 ip_dscp       1.2 1.7
IP_ECN         9 nw_ecn        1.2 1.7
IP_PROTO      10 nw_proto      1.2 1.7
IPV4_SRC      11 ip_src        1.2 1.7
IPV4_DST      12 ip_dst        1.2 1.7
TCP_SRC       13 tcp_src       1.2 1.7
TCP_DST       14 tcp_dst       1.2 1.7
UDP_SRC       15 udp_src       1.2 1.7
UDP_DST       16 udp_dst       1.2 1.7
SCTP_SRC      17 sctp_src      1.2 2.0
SCTP_DST      18 sctp_dst      1.2 2.0
ICMPV4_TYPE   19 icmp_type     1.2 1.7
ICMPV4_CODE   20 icmp_code     1.2 1.7
ARP_OP        21 arp_op        1.2 1.7
ARP_SPA       22 arp_spa       1.2 1.7
ARP_TPA       23 arp_tpa       1.2 1.7
ARP_SHA       24 arp_sha       1.2 1.7
ARP_THA       25 arp_tha       1.2 1.7
IPV6_SRC      26 ipv6_src      1.2 1.1
IPV6_DST      27 ipv6_dst      1.2 1.1
IPV6_FLABEL   28 ipv6_label    1.2 1.7
ICMPV6_TYPE   29 icmpv6_type   1.2 1.7
ICMPV6_CODE   30 icmpv6_code   1.2 1.7
IPV6_ND_TARGET 31 nd_target    1.2 1.7
IPV6_ND_SLL   32 nd_sll        1.2 1.7
IPV6_ND_TLL   33 nd_tll        1.2 1.7
MPLS_LABEL    34 mpls_label    1.2 1.11
MPLS_TC       35 mpls_tc       1.2 1.11
MPLS_BOS      36 mpls_bos      1.3 1.11
PBB_ISID      37 pbb_isid      1.3 -
TUNNEL_ID     38 tun_id        1.3 1.10
IPV6_EXTHDR   39 ipv6_exthdr   1.3 -
PBB_UCA       41 pbb_uca       1.4 -
TCP_FLAGS     42 tcp_flags     1.5 2.3
ACTSET_OUTPUT 43 actset_output 1.5 2.4
PACKET_TYPE   44 packet_type   1.5 2.8
""",
    "OXM_OF_PKT": """
REG[0-7] [0-7] xreg[0-7] 1.3 2.4
""",
    "ONFOXM_ET": """
TCP_FLAGS     42 tcp_flags     1.3 2.4
ACTSET_OUTPUT 43 actset_output 1.3 2.4
""",
    "NXOXM_ET": """
DP_HASH       0 dp_hash          - 2.4
ERSPAN_IDX   11 tun_erspan_idx   - 2.10
ERSPAN_VER   12 tun_erspan_ver   - 2.10
ERSPAN_DIR   13 tun_erspan_dir   - 2.10
ERSPAN_HWID  14 tun_erspan_hwid  - 2.10
GTPU_FLAGS   15 tun_gtpu_flags   - 2.13
GTPU_MSGTYPE 16 tun_gtpu_msgtype - 2.13
""",
    "NXOXM_NSH": """
FLAGS   1     nsh_flags  - 2.8
MDTYPE  2     nsh_mdtype - 2.8
NP      3     nsh_np     - 2.8
SPI     4     nsh_spi    - 2.8
SI      5     nsh_si     - 2.8
C[1-4]  +6    nsh_c[1-4] - 2.8
TTL    10     nsh_ttl    - 2.9
""",
    "ERICOXM_OF": """
ICMPV6_ND_RESERVED     1 nd_reserved     - 2.11
ICMPV6_ND_OPTIONS_TYPE 2 nd_options_type - 2.11
""",
}
"""A number ``+N`` counts up from N along a range of fields."""


class Header(NamedTuple):
    """An NXM or OXM header. ``of_version`` is that of messages (3 for OpenFlow 1.2), 0 for
    extensions.
    """

    name: str
    header_class: HeaderClass
    number: int
    field_name: str
    of_version: int
    ovs_version: str


def headers() -> dict[str, tuple[Header, ...]]:
    """The headers of each field by its name, extensions first, then by OpenFlow version."""
    found: dict[str, list[Header]] = {}
    for header_class in _CLASSES:
        for text in _HEADERS[header_class.prefix].strip().splitlines():
            for count, line in enumerate(numbered(text)):
                name, number, field_name, of_version, ovs_version = line.split()
                header = Header(
                    f"{header_class.prefix}_{name}",
                    header_class,
                    int(number) + count if number.startswith("+") else int(number),
                    field_name,
                    0 if of_version == "-" else int(of_version.removeprefix("1.")) + 1,
                    ovs_version,
                )
                found.setdefault(field_name, []).append(header)
    return {
        name: tuple(sorted(of_field, key=lambda header: header.of_version))
        for name, of_field in found.items()
    }
