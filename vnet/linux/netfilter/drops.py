"""Why netfilter throws a packet away."""

from __future__ import annotations

from vnet.base.drops import drop_reason

DROP = drop_reason(
    "netfilter-drop",
    cause="a rule, or the policy of a chain, said DROP",
    cure="the trace names table, chain and rule; `iptables -L -n -v` shows what each counted",
)
REJECT = drop_reason(
    "netfilter-reject",
    cause="a rule said REJECT: the sender is told by an ICMP error or a TCP reset",
    cure="the trace names table, chain and rule; allow the packet there, or send what is allowed",
)
CONNTRACK_FULL = drop_reason(
    "conntrack-table-full",
    cause="as many connections are tracked as there may be (net.netfilter.nf_conntrack_max)",
    cure="raise nf_conntrack_max, or look for a scan; what is unanswered gives way by itself",
)
CONNTRACK_CLASH = drop_reason(
    "conntrack-clash",
    cause="another packet has made a connection with the same addresses and ports meanwhile",
    cure="nothing: the sender tries again",
)
NAT_EXHAUSTED = drop_reason(
    "nat-ports-exhausted",
    cause="no address and port was left that the connection could be translated to",
    cure="give the rule more addresses or ports, or shorten the timeouts of net.netfilter",
)
NO_MASQUERADE_ADDRESS = drop_reason(
    "nat-no-address",
    cause="MASQUERADE or REDIRECT found no address on the interface to translate to",
    cure="give the interface an address",
)
NAT_IMPOSSIBLE = drop_reason(
    "nat-impossible",
    cause="the packet is cut off before what must be translated, or an ICMP error is damaged",
    cure="mend the sender, or look for corruption on the way",
)
MASQUERADE_MOVED = drop_reason(
    "nat-masquerade-moved",
    cause="a masqueraded connection would leave by another device, and so from another address",
    cure="nothing: the connection is forgotten, and the next packet begins it anew",
)

FORBIDDING = frozenset(
    (
        DROP,
        REJECT,
        CONNTRACK_FULL,
        CONNTRACK_CLASH,
        NAT_EXHAUSTED,
        NO_MASQUERADE_ADDRESS,
        NAT_IMPOSSIBLE,
        MASQUERADE_MOVED,
    )
)
"""What a socket is told of as EPERM."""
