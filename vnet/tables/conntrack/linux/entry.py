"""A connection as the kernel's table holds it."""

from __future__ import annotations

from typing import Any

from vnet.tables.conntrack.key import PROTOCOL_AT
from vnet.tables.conntrack.linux import status

_NS_PER_S = 1_000_000_000


class Counted:
    """Packets and bytes (of the IP packet) one way (net.netfilter.nf_conntrack_acct)."""

    __slots__ = ("byte_count", "packet_count")

    def __init__(self) -> None:
        self.packet_count = 0
        self.byte_count = 0

    def add(self, size: int) -> None:
        """One more packet."""
        self.packet_count += 1
        self.byte_count += size


class Entry:
    """A connection: packets of ``key`` one way, packets of ``reply_key`` the other.

    Keys are those of :mod:`vnet.tables.conntrack.key`. Without translation ``reply_key`` is
    ``key`` with its ends swapped. ``status`` has the bits of
    :mod:`vnet.tables.conntrack.linux.status`. ``l4`` is the protocol's own state. ``counted`` is
    None, or both ways' counters, the original's first. ``parent`` is the connection that foretold
    this one. ``masquerade_ifindex`` is the device whose address stands for its source (0: none).
    """

    __slots__ = (
        "counted",
        "expires_ns",
        "helper",
        "key",
        "l4",
        "label",
        "mark",
        "masquerade_ifindex",
        "parent",
        "reply_key",
        "status",
    )

    def __init__(self, key: bytes, reply_key: bytes) -> None:
        self.key = key
        self.reply_key = reply_key
        self.status = 0
        self.mark = 0
        self.label = 0
        self.expires_ns = 0
        self.l4: Any = None
        self.counted: tuple[Counted, Counted] | None = None
        self.parent: Entry | None = None
        self.helper: Any = None
        self.masquerade_ifindex = 0

    @property
    def family(self) -> int:
        """4 or 6."""
        return 4 if len(self.key) < 40 else 6

    @property
    def protocol(self) -> int:
        """The IP protocol's number."""
        return self.key[PROTOCOL_AT]

    @property
    def is_confirmed(self) -> bool:
        """Whether it is in the table: its first packet got through."""
        return bool(self.status & status.CONFIRMED)

    def timeout_s(self, now_ns: int) -> int:
        """Whole seconds until it expires."""
        return max(self.expires_ns - now_ns, 0) // _NS_PER_S
