"""The Scapy layers that a packet expression may name, and the fields of each.

A plain table, so that a file can be checked without importing Scapy (which takes longer
than everything else together). A field is written ``name`` or ``name:kind``; the kind
says what a literal given to it must look like:

======== =====================================================================
(none)   a number, text or bytes
mac      a literal MAC address
ip4, ip6 a literal address: Scapy would look any other text up in the DNS, and
         takes ``10.0.0.0/24`` for 256 packets
ip4s     a list of such addresses; likewise ip6s
list     a list of literals, such as TCP options
layers   layers, such as DNS questions
dhcp     DHCP options: addresses, but for the options that are text by nature
======== =====================================================================
"""

from __future__ import annotations

from functools import cache

_IP = "version ihl tos len id flags frag ttl proto chksum src:ip4 dst:ip4 options:layers"
_UDP = "sport dport len chksum"
_TCP = "sport dport seq ack dataofs reserved flags window chksum urgptr options:list"
_ICMP = "type code chksum id seq ts_ori ts_rx ts_tx gw:ip4 ptr reserved length addr_mask:ip4 "
_ICMP += "nexthopmtu unused"
_IPV6 = "version tc fl plen nh hlim src:ip6 dst:ip6"
_ECHO6 = "type code cksum id seq data"
_MLD = "type code cksum mrd reserved mladdr:ip6"
_OPTIONS6 = "nh len autopad options:layers"
_OPTION4 = "copy_flag optclass option"

_TABLE: dict[str, dict[str, str]] = {
    "packet": {"Raw": "load", "Padding": "load"},
    "layers.l2": {
        "Ether": "dst:mac src:mac type",
        "Dot3": "dst:mac src:mac len",
        "LLC": "dsap ssap ctrl",
        "SNAP": "OUI code",
        "Dot1Q": "prio dei vlan type",
        "Dot1AD": "prio dei vlan type",
        "STP": "proto version bpdutype bpduflags rootid rootmac:mac pathcost bridgeid "
        "bridgemac:mac portid age maxage hellotime fwddelay",
        "ARP": "hwtype ptype hwlen plen op hwsrc:mac psrc:ip4 hwdst:mac pdst:ip4",
        "GRE": "chksum_present routing_present key_present seqnum_present strict_route_source "
        "recursion_control flags version proto chksum offset key sequence_number",
    },
    "layers.vxlan": {
        "VXLAN": "flags reserved0 NextProtocol reserved1 gpflags gpid vni reserved2",
    },
    "layers.inet": {
        "IP": _IP,
        "IPerror": _IP,
        "UDP": _UDP,
        "UDPerror": _UDP,
        "TCP": _TCP,
        "TCPerror": _TCP,
        "ICMP": _ICMP,
        "ICMPerror": _ICMP,
        "IPOption_EOL": _OPTION4,
        "IPOption_NOP": _OPTION4,
        "IPOption_RR": f"{_OPTION4} length pointer routers:ip4s",
        "IPOption_Router_Alert": f"{_OPTION4} length alert",
    },
    "layers.inet6": {
        "IPv6": _IPV6,
        "IPerror6": _IPV6,
        "IPv6ExtHdrHopByHop": _OPTIONS6,
        "IPv6ExtHdrDestOpt": _OPTIONS6,
        "IPv6ExtHdrFragment": "nh res1 offset res2 m id",
        "IPv6ExtHdrRouting": "nh len type segleft reserved addresses:ip6s",
        "RouterAlert": "otype optlen value",
        "Pad1": "otype",
        "PadN": "otype optlen optdata",
        "HBHOptUnknown": "otype optlen optdata",
        "ICMPv6EchoRequest": _ECHO6,
        "ICMPv6EchoReply": _ECHO6,
        "ICMPv6DestUnreach": "type code cksum length unused",
        "ICMPv6PacketTooBig": "type code cksum mtu",
        "ICMPv6TimeExceeded": "type code cksum length unused",
        "ICMPv6ParamProblem": "type code cksum ptr",
        "ICMPv6Unknown": "type code cksum msgbody",
        "ICMPv6ND_RS": "type code cksum res",
        "ICMPv6ND_RA": "type code cksum chlim M O H prf P res routerlifetime reachabletime "
        "retranstimer",
        "ICMPv6ND_NS": "type code cksum res tgt:ip6",
        "ICMPv6ND_NA": "type code cksum R S O res tgt:ip6",
        "ICMPv6ND_Redirect": "type code cksum res tgt:ip6 dst:ip6",
        "ICMPv6NDOptSrcLLAddr": "type len lladdr:mac",
        "ICMPv6NDOptDstLLAddr": "type len lladdr:mac",
        "ICMPv6NDOptPrefixInfo": "type len prefixlen L A R res1 validlifetime "
        "preferredlifetime res2 prefix:ip6",
        "ICMPv6NDOptMTU": "type len res mtu",
        "ICMPv6NDOptRDNSS": "type len res lifetime dns:ip6s",
        "ICMPv6NDOptUnknown": "type len data",
        "ICMPv6MLQuery": _MLD,
        "ICMPv6MLReport": _MLD,
        "ICMPv6MLDone": _MLD,
        "ICMPv6MLQuery2": f"{_MLD} Resv S QRV QQIC sources_number sources:ip6s",
        "ICMPv6MLReport2": "type res cksum reserved records_number records:layers",
        "ICMPv6MLDMultAddrRec": "rtype auxdata_len sources_number dst:ip6 sources:ip6s auxdata",
    },
    "layers.dhcp": {
        "BOOTP": "op htype hlen hops xid secs flags ciaddr:ip4 yiaddr:ip4 siaddr:ip4 "
        "giaddr:ip4 chaddr sname file options",
        "DHCP": "options:dhcp",
    },
    "layers.dns": {
        "DNS": "length id qr opcode aa tc rd ra z ad cd rcode qdcount ancount nscount arcount "
        "qd:layers",
        "DNSQR": "qname qtype unicastresponse qclass",
    },
}

MODULE_OF: dict[str, str] = {
    layer: f"scapy.{module}" for module, layers in _TABLE.items() for layer in layers
}
"""Where Scapy keeps each layer."""

LAYER_NAMES = tuple(MODULE_OF)

DHCP_TEXT_OPTIONS = frozenset(
    {
        "boot-file-name",
        "captive-portal",
        "client_id",
        "domain",
        "error_message",
        "hostname",
        "message-type",
        "param_req_list",
        "root_disk_path",
        "tftp_server_name",
        "vendor_class",
        "vendor_class_id",
        "vendor_specific",
    }
)
"""DHCP options that Scapy takes text for without reading it as an address."""


@cache
def fields_of(layer: str) -> dict[str, str]:
    """Field name to kind ("" for a plain value) of a layer in :data:`LAYER_NAMES`."""
    words = _TABLE[MODULE_OF[layer].removeprefix("scapy.")][layer].split()
    return {name: kind for name, _, kind in (word.partition(":") for word in words)}
