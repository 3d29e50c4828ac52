"""The words of the filter language, and the names that stand for numbers (pcap-filter(7))."""

from __future__ import annotations

from vnet.wire.ether import TYPE_ARP, TYPE_IPV4, TYPE_IPV6

TYPE_RARP = 0x8035
TYPE_IPX = 0x8137
TYPE_ATALK = 0x809B
TYPE_AARP = 0x80F3

SAP_NETBEUI = 0xF0
SAP_IPX = 0xE0
SAP_ISO = 0xFE
SAP_IP = 0x06

ETHER = "ether"

LINK_PROTOCOLS = {
    "ip": TYPE_IPV4,
    "ip6": TYPE_IPV6,
    "arp": TYPE_ARP,
    "rarp": TYPE_RARP,
    "atalk": TYPE_ATALK,
    "aarp": TYPE_AARP,
    "decnet": 0x6003,
    "sca": 0x6007,
    "lat": 0x6004,
    "mopdl": 0x6001,
    "moprc": 0x6002,
    "iso": SAP_ISO,
    "stp": 0x42,
    "ipx": SAP_IPX,
    "netbeui": SAP_NETBEUI,
}
"""Protocol words and the EtherType, or LLC service access point, that they test for."""

TRANSPORTS = {"tcp": 6, "udp": 17, "sctp": 132}
"""The protocols with ports."""

IP_ABBREVIATIONS = {**TRANSPORTS, "pim": 103, "ah": 51, "esp": 50}
"""Words for a protocol over either IP version."""

IP4_ABBREVIATIONS = {"icmp": 1, "igmp": 2, "igrp": 9, "vrrp": 112, "carp": 112}
"""Words for a protocol over IPv4 alone."""

ICMP6_PROTOCOL = 58

PROTOCOL_WORDS = frozenset((ETHER, *LINK_PROTOCOLS, *IP_ABBREVIATIONS, *IP4_ABBREVIATIONS, "icmp6"))

INDEXED_NETWORK = frozenset(
    ("ip", "ip6", "arp", "rarp", "atalk", "decnet", "sca", "lat", "moprc", "mopdl")
)
"""``proto[...]`` counts from what follows the Ethernet header."""

INDEXED_TRANSPORT = {**TRANSPORTS, **IP4_ABBREVIATIONS, "pim": 103}
"""``proto[...]`` counts from what follows the IPv4 header."""

DIRECTIONS = frozenset(("src", "dst"))
KINDS = frozenset(("host", "net", "port", "portrange", "proto"))

KEYWORDS = (
    PROTOCOL_WORDS
    | DIRECTIONS
    | KINDS
    | {"and", "or", "!", "mask", "less", "greater", "broadcast", "multicast", "len", "vlan"}
)

ALIASES = {
    "&&": "and",
    "||": "or",
    "not": "!",
    "==": "=",
    "length": "len",
    **dict.fromkeys(("link", "ppp", "slip", "fddi", "tr", "wlan"), ETHER),
}
"""Other spellings: the language calls every link layer by any of its names."""

_NO_SUCH_HEADER = "tests a header that vnet does not build"
_NOT_IN_THE_BYTES = "asks for more than a frame's bytes tell"
_LOG = "asks the log of a packet filter"
_WIRELESS = "is for wireless frames"
_ATM = "is for ATM"
_SS7 = "is for SS7"


def _refused(why: str, words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), why)


REFUSED = {
    "gateway": "needs names to look up: write 'ether host MAC and not host IP'",
    "protochain": "follows header chains: write 'ip6 proto N' for the first header",
    "byte": "is an old form: write 'ether[N] = V'",
    **_refused(_NO_SUCH_HEADER, "mpls pppoed pppoes geneve llc esis es-is isis is-is clnp"),
    **_refused(_NO_SUCH_HEADER, "l1 l2 iih lsp snp csnp psnp"),
    **_refused(_NOT_IN_THE_BYTES, "inbound outbound ifindex on ifname"),
    **_refused(_LOG, "rset ruleset rnr rulenum srnr subrulenum reason action"),
    **_refused(_WIRELESS, "type subtype direction dir ra ta radio addr1 addr2 addr3 addr4"),
    **_refused(_WIRELESS, "address1 address2 address3 address4"),
    **_refused(_ATM, "lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci"),
    **_refused(_ATM, "connectmsg metaconnect"),
    **_refused(_SS7, "fisu lssu lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls"),
}
"""Words that libpcap keeps for itself and that have no meaning here."""

CONSTANTS = {
    "icmptype": 0,
    "icmpcode": 1,
    "icmp-echoreply": 0,
    "icmp-unreach": 3,
    "icmp-sourcequench": 4,
    "icmp-redirect": 5,
    "icmp-echo": 8,
    "icmp-routeradvert": 9,
    "icmp-routersolicit": 10,
    "icmp-timxceed": 11,
    "icmp-paramprob": 12,
    "icmp-tstamp": 13,
    "icmp-tstampreply": 14,
    "icmp-ireq": 15,
    "icmp-ireqreply": 16,
    "icmp-maskreq": 17,
    "icmp-maskreply": 18,
    "icmp6type": 0,
    "icmp6code": 1,
    "icmp6-destinationunreach": 1,
    "icmp6-packettoobig": 2,
    "icmp6-timeexceeded": 3,
    "icmp6-parameterproblem": 4,
    "icmp6-echo": 128,
    "icmp6-echoreply": 129,
    "icmp6-multicastlistenerquery": 130,
    "icmp6-multicastlistenerreportv1": 131,
    "icmp6-multicastlistenerdone": 132,
    "icmp6-routersolicit": 133,
    "icmp6-routeradvert": 134,
    "icmp6-neighborsolicit": 135,
    "icmp6-neighboradvert": 136,
    "icmp6-redirect": 137,
    "icmp6-routerrenum": 138,
    "icmp6-nodeinformationquery": 139,
    "icmp6-nodeinformationresponse": 140,
    "icmp6-ineighbordiscoverysolicit": 141,
    "icmp6-ineighbordiscoveryadvert": 142,
    "icmp6-multicastlistenerreportv2": 143,
    "icmp6-homeagentdiscoveryrequest": 144,
    "icmp6-homeagentdiscoveryreply": 145,
    "icmp6-mobileprefixsolicit": 146,
    "icmp6-mobileprefixadvert": 147,
    "icmp6-certpathsolicit": 148,
    "icmp6-certpathadvert": 149,
    "icmp6-multicastrouteradvert": 151,
    "icmp6-multicastroutersolicit": 152,
    "icmp6-multicastrouterterm": 153,
    "tcpflags": 13,
    "tcp-fin": 0x01,
    "tcp-syn": 0x02,
    "tcp-rst": 0x04,
    "tcp-push": 0x08,
    "tcp-ack": 0x10,
    "tcp-urg": 0x20,
    "tcp-ece": 0x40,
    "tcp-cwr": 0x80,
}
"""Words that are numbers wherever they stand."""

ETHER_PROTOCOLS = {**LINK_PROTOCOLS, "loopback": 0x9000}
r"""What may follow ``ether proto``; those that are keywords behind a backslash."""

IP_PROTOCOLS = {
    "ip": 0,
    "hopopt": 0,
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "eigrp": 88,
    "ospf": 89,
    "ipip": 94,
    "etherip": 97,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "isis": 124,
    "sctp": 132,
    "mobility-header": 135,
    "udplite": 136,
    "mpls-in-ip": 137,
}
r"""What may follow ``proto``, as /etc/protocols spells it."""

_BOTH = ("tcp", "udp")
PORTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "echo": (7, _BOTH),
    "discard": (9, _BOTH),
    "ftp-data": (20, ("tcp",)),
    "ftp": (21, ("tcp",)),
    "ssh": (22, ("tcp",)),
    "telnet": (23, ("tcp",)),
    "smtp": (25, ("tcp",)),
    "domain": (53, _BOTH),
    "bootps": (67, ("udp",)),
    "bootpc": (68, ("udp",)),
    "tftp": (69, ("udp",)),
    "http": (80, ("tcp",)),
    "kerberos": (88, _BOTH),
    "pop3": (110, ("tcp",)),
    "sunrpc": (111, _BOTH),
    "ntp": (123, ("udp",)),
    "netbios-ns": (137, ("udp",)),
    "netbios-dgm": (138, ("udp",)),
    "netbios-ssn": (139, ("tcp",)),
    "snmp": (161, _BOTH),
    "snmp-trap": (162, _BOTH),
    "bgp": (179, ("tcp",)),
    "ldap": (389, _BOTH),
    "https": (443, _BOTH),
    "microsoft-ds": (445, ("tcp",)),
    "isakmp": (500, ("udp",)),
    "syslog": (514, ("udp",)),
    "dhcpv6-client": (546, ("udp",)),
    "dhcpv6-server": (547, ("udp",)),
    "ldaps": (636, _BOTH),
    "rsync": (873, ("tcp",)),
    "imaps": (993, ("tcp",)),
    "pop3s": (995, ("tcp",)),
    "radius": (1812, _BOTH),
    "nfs": (2049, _BOTH),
    "iscsi-target": (3260, ("tcp",)),
    "mysql": (3306, ("tcp",)),
    "sip": (5060, _BOTH),
    "mdns": (5353, ("udp",)),
    "postgresql": (5432, ("tcp",)),
}
"""Services and the transports that Debian's /etc/services lists them under: ``port http`` is TCP.

A service under both stands for the port over every transport, as in libpcap.
"""
