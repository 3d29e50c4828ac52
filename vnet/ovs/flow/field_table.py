"""What ovs-fields(7) says about each field, as a table.

Columns: the name, an older name or ``-``, bytes in which a value travels, significant bits of
them, how it may be masked, access, format, prerequisites, how OpenFlow 1.0 and 1.1 could match
it (``-``: not at all), and whether a prefix of it can be looked up.
``xreg[0-7]`` stands for eight fields that differ in the number only, in the old name as well.

Access ``full`` is ``ro``, but for bridges that speak OpenFlow whole (``openflow-full``). The last
fields, which Open vSwitch lacks, are theirs alone.

Sources: ovs-fields(7) and ``meta-flow.h`` of Open vSwitch 3.1; OpenFlow 1.4, section 7.2.3.7.
Which NXM and OXM numbers the fields have is in :mod:`vnet.ovs.flow.field_headers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_METADATA = """
dp_hash            -          4   32  bits  ro  hexadecimal   none        -      -     -
recirc_id          -          4   32  no    ro  decimal       none        -      -     -
packet_type        -          4   32  no    ro  packet_type   none        -      -     -
conj_id            -          4   32  no    ro  decimal       none        -      -     -
tun_id             tunnel_id  8   64  bits  rw  hexadecimal   none        -      -     prefix
tun_src            -          4   32  bits  rw  IPv4          none        -      -     prefix
tun_dst            -          4   32  bits  rw  IPv4          none        -      -     prefix
tun_ipv6_src       -         16  128  bits  rw  IPv6          none        -      -     prefix
tun_ipv6_dst       -         16  128  bits  rw  IPv6          none        -      -     prefix
tun_flags          -          2    1  bits  rw  tunnel_flags  none        -      -     -
tun_ttl            -          1    8  no    ro  decimal       none        -      -     -
tun_tos            -          1    8  no    ro  decimal       none        -      -     -
tun_gbp_id         -          2   16  bits  rw  decimal       none        -      -     -
tun_gbp_flags      -          1    8  bits  rw  hexadecimal   none        -      -     -
tun_erspan_idx     -          4   20  bits  rw  hexadecimal   none        -      -     -
tun_erspan_ver     -          1    4  bits  rw  decimal       none        -      -     -
tun_erspan_dir     -          1    1  bits  rw  decimal       none        -      -     -
tun_erspan_hwid    -          1    6  bits  rw  hexadecimal   none        -      -     -
tun_gtpu_flags     -          1    8  bits  ro  hexadecimal   none        -      -     -
tun_gtpu_msgtype   -          1    8  bits  ro  decimal       none        -      -     -
tun_metadata[0-63] -        124  992  bits  rw  hexadecimal   none        -      -     -
metadata           -          8   64  bits  rw  hexadecimal   none        -      bits  -
in_port            -          2   16  no    rw  OF1.0_port    none        exact  exact -
in_port_oxm        -          4   32  no    rw  OF1.1+_port   none        -      exact -
actset_output      -          4   32  no    ro  OF1.1+_port   none        -      -     -
skb_priority       -          4   32  no    ro  hexadecimal   none        -      -     -
pkt_mark           -          4   32  bits  rw  hexadecimal   none        -      -     -
ct_state           -          4   32  bits  ro  ct_state      none        -      -     -
ct_zone            -          2   16  no    ro  hexadecimal   none        -      -     -
ct_mark            -          4   32  bits  rw  hexadecimal   none        -      -     -
ct_label           -         16  128  bits  rw  hexadecimal   none        -      -     -
ct_nw_proto        -          1    8  no    ro  decimal       CT          -      -     -
ct_nw_src          -          4   32  bits  ro  IPv4          CT          -      -     prefix
ct_nw_dst          -          4   32  bits  ro  IPv4          CT          -      -     prefix
ct_ipv6_src        -         16  128  bits  ro  IPv6          CT          -      -     prefix
ct_ipv6_dst        -         16  128  bits  ro  IPv6          CT          -      -     prefix
ct_tp_src          -          2   16  bits  ro  decimal       CT          -      -     -
ct_tp_dst          -          2   16  bits  ro  decimal       CT          -      -     -
reg[0-15]          -          4   32  bits  rw  hexadecimal   none        -      -     -
xreg[0-7]          -          8   64  bits  rw  hexadecimal   none        -      -     -
xxreg[0-3]         -         16  128  bits  rw  hexadecimal   none        -      -     -
"""

_PACKET = """
eth_src            dl_src     6   48  bits  rw  Ethernet      Ethernet    exact  bits  -
eth_dst            dl_dst     6   48  bits  rw  Ethernet      Ethernet    exact  bits  -
eth_type           dl_type    2   16  no    full hexadecimal   Ethernet    exact  exact -
vlan_tci           -          2   16  bits  rw  hexadecimal   Ethernet    exact  exact -
dl_vlan            -          2   12  no    rw  decimal       Ethernet    exact  exact -
vlan_vid           -          2   12  bits  rw  decimal       Ethernet    exact  exact -
dl_vlan_pcp        -          1    3  no    rw  decimal       Ethernet    exact  exact -
vlan_pcp           -          1    3  no    rw  decimal       VLAN_VID    exact  exact -
mpls_label         -          4   20  no    rw  decimal       MPLS        -      exact -
mpls_tc            -          1    3  no    rw  decimal       MPLS        -      exact -
mpls_bos           -          1    1  no    full decimal       MPLS        -      -     -
mpls_ttl           -          1    8  no    rw  decimal       MPLS        -      -     -
ip_src             nw_src     4   32  bits  rw  IPv4          IPv4        CIDR   bits  prefix
ip_dst             nw_dst     4   32  bits  rw  IPv4          IPv4        CIDR   bits  prefix
ipv6_src           -         16  128  bits  rw  IPv6          IPv6        -      -     prefix
ipv6_dst           -         16  128  bits  rw  IPv6          IPv6        -      -     prefix
ipv6_label         -          4   20  bits  rw  hexadecimal   IPv6        -      -     -
nw_proto           ip_proto   1    8  no    full decimal       IPv4/IPv6   exact  exact -
nw_tos             -          1    8  no    rw  decimal       IPv4/IPv6   exact  exact -
ip_dscp            -          1    6  no    rw  decimal       IPv4/IPv6   exact  exact -
nw_ecn             ip_ecn     1    2  no    rw  decimal       IPv4/IPv6   -      exact -
nw_ttl             -          1    8  no    rw  decimal       IPv4/IPv6   -      -     -
ip_frag            nw_frag    1    2  bits  ro  frag          IPv4/IPv6   -      -     -
arp_op             -          2   16  no    rw  decimal       ARP         exact  exact -
arp_spa            -          4   32  bits  rw  IPv4          ARP         CIDR   bits  -
arp_tpa            -          4   32  bits  rw  IPv4          ARP         CIDR   bits  -
arp_sha            -          6   48  bits  rw  Ethernet      ARP         -      -     -
arp_tha            -          6   48  bits  rw  Ethernet      ARP         -      -     -
tcp_src            tp_src     2   16  bits  rw  decimal       TCP         exact  exact -
tcp_dst            tp_dst     2   16  bits  rw  decimal       TCP         exact  exact -
tcp_flags          -          2   12  bits  ro  TCP_flags     TCP         -      -     -
udp_src            -          2   16  bits  rw  decimal       UDP         exact  exact -
udp_dst            -          2   16  bits  rw  decimal       UDP         exact  exact -
sctp_src           -          2   16  bits  rw  decimal       SCTP        -      exact -
sctp_dst           -          2   16  bits  rw  decimal       SCTP        -      exact -
icmp_type          -          1    8  no    rw  decimal       ICMPv4      exact  exact -
icmp_code          -          1    8  no    rw  decimal       ICMPv4      exact  exact -
icmpv6_type        -          1    8  no    rw  decimal       ICMPv6      -      -     -
icmpv6_code        -          1    8  no    rw  decimal       ICMPv6      -      -     -
nd_target          -         16  128  bits  rw  IPv6          ND          -      -     -
nd_sll             -          6   48  bits  rw  Ethernet      ND_solicit  -      -     -
nd_tll             -          6   48  bits  rw  Ethernet      ND_advert   -      -     -
nd_reserved        -          4   32  no    rw  decimal       ND          -      -     -
nd_options_type    -          1    8  no    rw  decimal       ND          -      -     -
nsh_flags          -          1    8  bits  rw  decimal       NSH         -      -     -
nsh_mdtype         -          1    8  no    ro  decimal       NSH         -      -     -
nsh_np             -          1    8  no    ro  decimal       NSH         -      -     -
nsh_spi            nsp        4   24  no    rw  hexadecimal   NSH         -      -     -
nsh_si             nsi        1    8  no    rw  decimal       NSH         -      -     -
nsh_c[1-4]         nshc[1-4]  4   32  bits  rw  hexadecimal   NSH         -      -     -
nsh_ttl            -          1    8  no    rw  decimal       NSH         -      -     -
"""

_FULL = """
pbb_isid           -          3   24  bits  rw  decimal       PBB         -      -     -
pbb_uca            -          1    1  no    rw  decimal       PBB         -      -     -
ipv6_exthdr        -          2    9  bits  ro  hexadecimal   IPv6        -      -     -
"""

_NUMBERED = re.compile(r"\[(\d+)-(\d+)\]")


class Row(NamedTuple):
    """One field's line."""

    name: str
    alias: str
    n_bytes: int
    n_bits: int
    masking: str
    access: str
    format: str
    prerequisite: str
    of10: str
    of11: str
    prefix: str


def numbered(line: str) -> Iterator[str]:
    """``line``, once for each number of the ranges ``[FIRST-LAST]`` in it, if there are any."""
    found = _NUMBERED.search(line)
    if found is None:
        yield line
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield _NUMBERED.sub(str(number), line)


def rows() -> Iterator[Row]:
    """Every field in the order of ovs-fields(7)."""
    return _rows(_METADATA + _PACKET)


def full_rows() -> Iterator[Row]:
    """The fields of OpenFlow that Open vSwitch lacks."""
    return _rows(_FULL)


def _rows(table: str) -> Iterator[Row]:
    for text in filter(None, table.splitlines()):
        for line in numbered(text):
            name, alias, n_bytes, n_bits, *words = line.split()
            yield Row(name, alias, int(n_bytes), int(n_bits), *words)
