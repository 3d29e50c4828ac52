"""Where packets meet netfilter, and in which order those look that hang there.

The numbers are the kernel's (linux/netfilter.h, linux/netfilter_ipv4.h).
"""

from __future__ import annotations

from enum import IntEnum


class Hook(IntEnum):
    """The places. iptables names its chains, nft its hooks, after them."""

    PREROUTING = 0  # came in, nobody knows where to
    INPUT = 1  # for this machine
    FORWARD = 2  # for another one
    OUTPUT = 3  # this machine's own, routed
    POSTROUTING = 4  # about to leave


FORWARDED = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)
"""What a packet of others meets on its way through."""

OWN = (Hook.OUTPUT, Hook.POSTROUTING)
"""What this machine's own meets on its way out."""


class Priority(IntEnum):
    """Who looks first at a hook: the lowest. What is equal looks in the order of its coming."""

    FIRST = -(1 << 31)
    DEFRAGMENT = -400
    RAW = -300
    CONNTRACK = -200
    MANGLE = -150
    NAT_DESTINATION = -100
    FILTER = 0
    SECURITY = 50
    NAT_SOURCE = 100
    HELPER = 300
    CONFIRM = (1 << 31) - 1
