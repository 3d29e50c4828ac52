"""Why the IP stack throws a packet away."""

from __future__ import annotations

from vnet.base.drops import drop_reason

OTHER_HOST = drop_reason(
    "other-host",
    cause="the destination MAC is another station's; a switch flooded the frame here",
    cure="nothing: this is what a card without promiscuous mode does",
    routine=True,
)
UNKNOWN_ETHER_TYPE = drop_reason(
    "unknown-ethertype",
    cause="no protocol here handles the frame's EtherType",
    cure="send IPv4, IPv6 or ARP, or capture the frame with a vNIC's own receiver",
)
NO_LLC_LISTENER = drop_reason(
    "llc-without-listener",
    cause="the frame is of IEEE 802.2, such as a bridge's hello, and nobody here listens to those",
    cure="nothing: bridges speak to each other past the machines at their ports",
    routine=True,
)
NO_VLAN_DEVICE = drop_reason(
    "no-vlan-device",
    cause="the frame is tagged for a VLAN that no device here belongs to",
    cure="untag it on the switch port, or add a VLAN device",
)
IPV6_DISABLED = drop_reason(
    "ipv6-disabled",
    cause="an IPv6 packet reached an interface that does not speak IPv6",
    cure="give the interface an IPv6 address, set `ipv6: true`, or clear disable_ipv6",
)
ARP_MALFORMED = drop_reason(
    "arp-malformed",
    cause="the ARP packet is short, or not for IPv4 over Ethernet",
    cure="mend the sender",
)
ARP_IGNORED = drop_reason(
    "arp-not-for-us",
    cause="the ARP packet asks for, or answers, somebody else",
    cure="nothing: every station hears broadcasts",
    routine=True,
)
PROXY_QUEUE_FULL = drop_reason(
    "proxy-queue-full",
    cause="too many requests already wait for the proxy's answer (proxy_qlen)",
    cure="ask less often, or shorten neigh.DEVICE.proxy_delay",
)
IP_MALFORMED = drop_reason(
    "ip-header-error",
    cause="the IP header is short, of the wrong version, or fails its checksum",
    cure="mend the sender, or look for corruption on the way",
)
MARTIAN_SOURCE = drop_reason(
    "martian-source",
    cause="the source address cannot come in by this interface (ours, broadcast or multicast)",
    cure="look for a spoofing or misconfigured sender, or a duplicate address",
)
MARTIAN_TARGET = drop_reason(
    "martian-target",
    cause="the destination is a loopback or null address, which never travels on a wire",
    cure="correct the sender's destination address",
)
OPTION_MALFORMED = drop_reason(
    "ip-option-malformed",
    cause="an IPv4 option has a length or pointer that cannot be; the sender is told where",
    cure="mend the sender",
)
SOURCE_ROUTED = drop_reason(
    "ip-source-routed",
    cause="the packet brings its own route, which nobody takes any more (accept_source_route)",
    cure="send it without the option; as a means of testing, use traceroute",
)
RP_FILTER = drop_reason(
    "rp-filter",
    cause="no way back to the source leads over this interface, and rp_filter asks for one",
    cure="correct the routes so that both ways agree, or set rp_filter to 2 or 0",
)
ROUTE_UNREACHABLE = drop_reason(
    "route-unreachable",
    cause="a route or rule says that the destination is unreachable",
    cure="see `ip route get`, and remove the route of type unreachable",
)
ROUTE_PROHIBITED = drop_reason(
    "route-prohibit",
    cause="a route or rule prohibits the destination",
    cure="see `ip route get`, and remove the route of type prohibit",
)
ROUTE_BLACKHOLE = drop_reason(
    "route-blackhole",
    cause="a route or rule of type blackhole takes the destination's packets",
    cure="see `ip route get`, and remove the route of type blackhole",
)
UNICAST_IN_GROUP = drop_reason(
    "unicast-in-multicast-frame",
    cause="a packet for one address came in a frame for many (drop_unicast_in_l2_multicast)",
    cure="mend the sender, which filled in a group's MAC",
)
REDIRECT_REFUSED = drop_reason(
    "redirect-refused",
    cause="a redirect came from no gateway in use, or names one that is not believed",
    cure="look for a forger, or see accept_redirects, secure_redirects and shared_media",
)
NOT_FOR_US = drop_reason(
    "ip-not-for-us",
    cause="the packet is for an address that is not here, and this namespace does not forward",
    cure="correct the sender's route, or set net.ipv4.ip_forward (net.ipv6.conf.all.forwarding)",
)
NOT_FORWARDED = drop_reason(
    "ip-not-forwardable",
    cause="broadcast, multicast or link-local traffic is not forwarded between interfaces",
    cure="use a unicast address of wider scope",
)
NOT_A_MEMBER = drop_reason(
    "not-a-group-member",
    cause="nobody here has joined the multicast group",
    cure="join the group, or prune the flooding with snooping",
    routine=True,
)
TTL_EXCEEDED = drop_reason(
    "ttl-exceeded",
    cause="the TTL or hop limit ran out here",
    cure="look for a routing loop, or send with a higher TTL",
)
NO_ROUTE = drop_reason(
    "no-route",
    cause="no route leads to the destination",
    cure="add a route or a default gateway",
)
NO_NEIGHBOR = drop_reason(
    "no-neighbor",
    cause="nobody answered for the next hop's address",
    cure="see that the next hop is up, on this segment, and has that address",
)
NEIGHBOR_QUEUE_FULL = drop_reason(
    "neighbor-queue-full",
    cause="too many packets already waited for the next hop's MAC; the oldest was dropped",
    cure="see why the next hop does not answer, or send less before it has",
)
NEIGHBOR_TABLE_FULL = drop_reason(
    "neighbor-table-full",
    cause="the machine knows as many neighbours as it may, and is in touch with all of them",
    cure="look for an address scan, or make the subnet smaller",
)
FRAGMENTATION_NEEDED = drop_reason(
    "fragmentation-needed",
    cause="the packet exceeds the outgoing mtu and may not be fragmented",
    cure="send smaller packets, clear DF, or raise the mtu along the path",
)
FRAGMENT_MALFORMED = drop_reason(
    "fragment-malformed",
    cause="a fragment has an impossible length or offset, or contradicts another's end",
    cure="mend the sender",
)
FRAGMENT_OVERLAP = drop_reason(
    "fragment-overlap",
    cause="fragments overlap; the whole packet is discarded (RFC 5722)",
    cure="mend the sender: no honest stack does this",
)
FRAGMENT_DUPLICATE = drop_reason(
    "fragment-duplicate",
    cause="the same fragment had arrived already",
    cure="nothing, unless a loop duplicates frames",
)
FRAGMENT_LIMIT = drop_reason(
    "fragment-limit",
    cause="incomplete packets already take the 4 MB that fragments may (ipfrag_high_thresh)",
    cure="look for lost fragments, or an attack by half packets",
)
FRAGMENT_TIMEOUT = drop_reason(
    "fragment-timeout",
    cause="the missing fragments did not arrive in time",
    cure="look for loss of single fragments, often the larger ones",
)
BAD_OPTION = drop_reason(
    "ipv6-option",
    cause="an option of an IPv6 header is malformed, or unknown and of a kind that forbids that",
    cure="mend the sender, or have it leave the option out",
)
ROUTING_HEADER = drop_reason(
    "routing-header",
    cause="a routing header asks this machine to send the packet on, which it does for nobody",
    cure="nothing: source routing is off on purpose (RFC 5095)",
)
FRAGMENT_INCOMPLETE = drop_reason(
    "fragment-without-headers",
    cause="a first fragment does not reach to the transport header (RFC 7112)",
    cure="mend the sender: only an attacker cuts packets so small",
)
TRANSPORT_MALFORMED = drop_reason(
    "transport-malformed",
    cause="the TCP, UDP, ICMP, IGMP or ICMPv6 message is short or fails its checksum",
    cure="mend the sender, or look for corruption on the way",
)
NO_SOCKET = drop_reason(
    "no-socket",
    cause="no socket listens on the destination port",
    cure="start the server, or correct the port",
)
NOBODY_LISTENS = drop_reason(
    "nobody-listens",
    cause="a datagram to everybody, and no socket here listens on its port",
    cure="nothing: it was meant for others",
    routine=True,
)
NO_PROTOCOL = drop_reason(
    "no-ip-protocol",
    cause="no handler for the IP protocol number",
    cure="send a protocol that the receiver has",
)
NOT_WANTED = drop_reason(
    "icmp-not-wanted",
    cause="an ICMP message that answers nothing we sent, or of a type we ignore",
    cure="nothing, unless it was meant to matter",
    routine=True,
)
ND_INVALID = drop_reason(
    "nd-invalid",
    cause="a neighbour discovery message fails the checks of RFC 4861 (hop limit 255, options)",
    cure="mend the sender; from beyond a router such messages are ignored on purpose",
)
MLD_INVALID = drop_reason(
    "mld-invalid",
    cause="a multicast listener query came from no link-local source, or with a hop limit over 1",
    cure="mend the querier; from beyond the link queries are ignored on purpose",
)
TENTATIVE = drop_reason(
    "address-tentative",
    cause="the address is still being checked for duplicates",
    cure="wait about two seconds after the address was added",
)
DUPLICATE_ADDRESS = drop_reason(
    "duplicate-address",
    cause="another station claims the address that we are about to use",
    cure="give the two stations different addresses",
)
LOOPBACK_SOURCE = drop_reason(
    "loopback-source",
    cause="a packet from 127.0.0.0/8 was to leave the machine",
    cure="send from an address of the outgoing interface, or set its route_localnet",
)
SOURCE_UNUSABLE = drop_reason(
    "no-source-address",
    cause="there is no address to send from",
    cure="give the outgoing interface an address",
)
