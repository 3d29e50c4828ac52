"""The bits of a connection's status (enum ip_conntrack_status of the kernel)."""

from __future__ import annotations

EXPECTED = 1 << 0
SEEN_REPLY = 1 << 1
ASSURED = 1 << 2
CONFIRMED = 1 << 3
SRC_NAT = 1 << 4
DST_NAT = 1 << 5
SEQ_ADJUST = 1 << 6
SRC_NAT_DONE = 1 << 7
DST_NAT_DONE = 1 << 8
DYING = 1 << 9
FIXED_TIMEOUT = 1 << 10
TEMPLATE = 1 << 11
HELPER = 1 << 13

NAT = SRC_NAT | DST_NAT
NAT_DONE = SRC_NAT_DONE | DST_NAT_DONE
