"""Where the layers of a packet are, and what an edit is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Layout(NamedTuple):
    """Where the layers of a packet start, in bytes; None where there is no such layer.

    ``l2_5`` is the MPLS label stack, ``l3`` whatever follows link layer and labels, ``l4`` the
    payload of a well-formed IP packet. ``is_ethernet`` says that there is an Ethernet header.
    """

    l2_5: int | None
    l3: int | None
    l4: int | None
    is_ethernet: bool = True

    def shifted(self, n_bytes: int) -> Layout:
        """The layout once ``n_bytes`` were put in front of all layers, or taken off (negative).

        A layer that was taken off itself is gone.
        """
        l2_5, l3, l4, is_ethernet = self
        return Layout(_moved(l2_5, n_bytes), _moved(l3, n_bytes), _moved(l4, n_bytes), is_ethernet)


def _moved(start: int | None, n_bytes: int) -> int | None:
    return None if start is None or start + n_bytes < 0 else start + n_bytes


PLAIN_IPV4 = Layout(None, 14, 34)
"""An untagged IPv4 packet without options."""

Edit = Callable[[bytes, int], bytes]
"""Makes other bytes of a packet's bytes; the second argument is the length of the padding behind
the IP packet. What is too short to be edited comes back as it is."""

Editor = Callable[[int, int, Layout], Edit | None]
"""Makes the edit that writes the bits of a mask (the second argument) in a part of all packets
of a layout; None where there is nothing to write. Value and mask are flow keys."""
